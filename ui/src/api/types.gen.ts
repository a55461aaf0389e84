// What the control API sends, from its Rust types by `cargo xtask types`. Not to be edited.

/** One account and how it fares. */
export type Account = AccountState & {
  id: string;
  kind: Kind;
  email: string | null;
  label: string | null;
  plan: string | null;
  /** It serves the requests. */
  active: boolean;
  /** It serves only who asks for `LABEL/MODEL`, and is never the active one. */
  named: boolean;
  /** Where its server is, if that is the account's own affair. */
  url: string | null;
  /** It lives in this process only and is never stored. */
  ephemeral: boolean;
  /** When the access token runs out; it is renewed by itself before that. */
  expires_at: string | null;
  last_refresh: string | null;
  /** Its owner wants it left alone. Says nothing about whether it could serve. */
  paused: boolean;
  /** Higher goes first. */
  priority: number;
  /** The file of another program that its token comes from. That program renews it; we only read. */
  read_only: string | null;
  /** Requests under way. */
  in_flight: number;
  /** What of its plan is used, as last seen. */
  quota: Quota | null;
  /** What its owner should know though it serves: a token that is not stored yet, a file that cannot be read. */
  warning: string | null;
};

/** An account that is gone. */
export interface AccountGone {
  id: string;
  /** Whether the auth host has ended the sign-in too. */
  revoked: boolean;
}

export interface AccountList {
  accounts: Account[];
  rotation: Rotation;
}

/** Whether an account can serve. As JSON: `"state": "cooling_down", "until": …, "why": …`. */
export type AccountState =
  | { state: 'ready' }
  | { state: 'cooling_down'; until: string; why: Cooldown }
  | { state: 'blocked'; why: Cooldown }
  | { state: 'needs_sign_in'; why: string };

export type Alias = Route & {
  name: string;
};

/** One try upstream. */
export interface Attempt {
  /** Who was to pay. */
  account: string;
  /** Whose host it was. */
  provider: string;
  /** Until the answer began, or the try failed. */
  ms: number;
  /** Why it failed, for machines; `None` if it was answered. */
  failure?: string;
  /** The HTTP status of a failure. */
  status?: number;
  /** The upstream's id. */
  upstream_id?: string;
}

/** `exchange.attempt` */
export interface AttemptBegun {
  id: string;
  attempt: number;
  account: string;
  provider: string;
  /** Why the attempt before failed. */
  after: string | null;
}

/** What is to be begun. */
export interface BeginSignIn {
  kind: Kind;
  method?: SignInMethod;
  /** An account that signs in again. */
  account?: string;
}

/** The whole document. Its head comes first, so that a list needs to read no further. */
export interface Capture {
  codeferry_capture: number;
  summary: CaptureSummary;
  version: string;
  system: string;
  settings: Record<string, SettingValue>;
  /** The row of the request log. */
  exchange: unknown;
  request: CapturedRequest;
  attempts: CapturedAttempt[];
  answer: CapturedAnswer;
}

/** How it fares. */
export interface CaptureHealth {
  /** Captures that were not written, since the start. */
  dropped: number;
  /** Why the last one could not be written; gone when one could. */
  problem: string | null;
}

/** A capture that lies there. */
export type CaptureKept = CaptureSummary & {
  /** When it goes. */
  expires_at: string;
  /** On the disk. */
  bytes: number;
};

/** All that lie there, the newest first. */
export interface CaptureListing {
  /** Those that can be read. */
  captures: CaptureKept[];
  /** On the disk. */
  bytes: number;
  /** Files that cannot be read. They go when their time comes. */
  damaged: number;
}

/** Whether captures are made, and how that fares. */
export type CaptureState = Partial<CaptureWish> & CaptureHealth & {
  /** Whether they are made at present. */
  on: boolean;
};

/** What a capture is of, in a few words. */
export interface CaptureSummary {
  /** The exchange. */
  id: string;
  /** When it began. */
  at: string;
  /** The name of the client key. */
  client: string;
  /** The client's language. */
  dialect: string;
  /** The model as asked for, and upstream. */
  asked: string;
  /** The model upstream. */
  model: string;
  /** How it ended. */
  outcome: string;
  /** The HTTP status the client got. */
  status: number | null;
  /** How often the upstream was asked. */
  attempts: number;
  /** Whether pictures and files are in it. */
  images: boolean;
}

/** What is to be captured. */
export interface CaptureWish {
  /** Until when. */
  until: string;
  /** Only exchanges of the client with the key of this name. */
  client: string | null;
  /** Pictures and files as well. */
  images: boolean;
  /** Exchanges that were taken so far. */
  captured: number;
}

export interface CapturedAnswer {
  at_ms: number;
  status: number | null;
  headers: string[];
  /** It came to its end, as far as that is known. */
  whole?: boolean;
  body?: CapturedPart;
  stream?: CapturedStream;
}

export interface CapturedAttempt {
  at_ms: number;
  /** The request as it was lowered. */
  lowered: CapturedPart;
  failure?: string;
  answer?: CapturedAnswer;
}

/** A body: as JSON, or as text. */
export interface CapturedPart {
  bytes: number;
  cut?: number;
  /** The same as in the attempt of that number, counted from 1. */
  same_as?: number;
  json?: unknown;
  text?: string;
}

export interface CapturedRecord {
  ms: number;
  text: string;
}

export interface CapturedRequest {
  line: string;
  headers: string[];
  body: CapturedPart;
}

/** The records of an event stream. */
export interface CapturedStream {
  bytes: number;
  /** So many bytes are not here. */
  cut?: number;
  records: CapturedRecord[];
}

/** The state, and what there is. */
export type Captures = CaptureState & CaptureListing;

/** A copy of a file, as it was before we changed it. */
export interface ClientBackup {
  /** What it is asked for by. */
  id: string;
  /** Of which file. */
  file: string;
  /** When it was made. `None`: nobody noted it. */
  at: string | null;
  /** The first one ever, which stays for good. */
  first: boolean;
  /** How long it is. */
  bytes: number;
}

/** One of them, and what bringing it back would change now. */
export type ClientBackupDetail = ClientBackup & {
  /** The unified diff, with secrets masked. */
  diff: string;
};

/** The copies there are. */
export interface ClientBackups {
  backups: ClientBackup[];
}

/** What was done, and how it is now. */
export type ClientChanged = Program & ClientSettled;

/** Something that keeps a client away, or may. */
export interface ClientConflict {
  /** A word for it, for programs: `api_key_helper`, `managed_settings` … */
  code: string;
  /** How much it matters. */
  weight: ClientConflictWeight;
  /** What is so, in a sentence. */
  what: string;
  /** Where: a file with its key, a variable, a process. */
  place: string;
  /** What to do about it, in a sentence. */
  cure: string;
}

/** How much a conflict matters. */
export type ClientConflictWeight =
  | 'note'
  | 'warning'
  | 'blocks';

/** A place that is not as it would be written now. */
export interface ClientDrift {
  /** The key, as people know it. */
  key: string;
  /** What stands there, if it is no secret. */
  now: string | null;
  /** What would be written, if it is no secret. */
  wanted: string | null;
  /** Who moved. */
  by: ClientMover;
}

/** A place that is not as it was set up, and about which nobody has said that it should stay so. */
export interface ClientDrifted {
  /** Which client. */
  client: string;
  /** As its maker writes it. */
  name: string;
  /** Where. */
  target: string;
  /** Of which project, where it is the settings of one: its folder. */
  project?: string;
  /** What differs: keys, or why it would be turned away. */
  what: string[];
}

export interface ClientList {
  /** Where clients are told to go. */
  url: string;
  /** The folder of the person, to show paths below it in short. */
  home: string | null;
  clients: Program[];
}

/** Who moved, so that two values differ. */
export type ClientMover =
  | 'file'
  | 'gateway';

/** A place where a client can be set up. */
export type ClientPlace = ClientStanding & {
  /** A word for it: `user`, `project`, `wsl:Ubuntu:ada`. */
  target: string;
  /** What it is called for people. */
  label: string;
  /** The files that may be changed. The first says where the client goes. */
  files: string[];
  /** Only done when it is asked for by name. */
  opt_in: boolean;
  /** Why it cannot be set up now. */
  obstacle: string | null;
  /** Something in its files is ours, and can be taken back. */
  held: boolean;
  /** Somebody has said that the drift stays as it is. */
  accepted: boolean;
  /** What keeps the client away, or may. */
  conflicts: ClientConflict[];
};

/** What would be done, before it is. */
export interface ClientPlan {
  /** Which client. */
  client: string;
  /** Where. */
  target: string;
  /** Names what was looked at. Sent back, it sees to it that what is done is what was shown. */
  plan: string;
  /** There is something to do. */
  changes: boolean;
  /** The files, in the order they are written. */
  files: ClientPlanFile[];
}

/** What would become of a file. */
export interface ClientPlanFile {
  /** Which. */
  file: string;
  /** What would be done to it. */
  will: ClientPlanWill;
  /** The unified diff, with secrets masked. Empty where nothing changes. */
  diff: string;
  /** What is to be known before. */
  warnings: string[];
}

/** What would be done to a file. */
export type ClientPlanWill =
  | 'create'
  | 'change'
  | 'remove'
  | 'keep';

/** What was done. */
export interface ClientSettled {
  /** Files were written; otherwise everything was so already. */
  changed: boolean;
  /** What was done, in a sentence. */
  told: string;
  /** What is to be known about it, in sentences. */
  notes: string[];
}

/** Where a client goes by its own settings. */
export type ClientStanding =
  | { state: 'not_installed' }
  | { state: 'clean' }
  | { state: 'ours' }
  | { state: 'elsewhere'; url: string }
  | { state: 'drifted'; drifts: ClientDrift[] }
  | { state: 'broken'; why: string };

/** Whether a client would be served, looked at as the client does it. */
export type ClientVerification = Doctor & {
  /** Which client. */
  client: string;
  /** Where. */
  target: string;
};

/** One conversation with its turns. */
export type Conversation = ConversationRow & {
  /** Its last exchanges, at most a thousand, the oldest first. */
  turns: Turn[];
};

/** One conversation. */
export type ConversationRow = ConversationSum & {
  /** How much of the input came from the prompt cache; `None`: nothing is known of tokens. */
  cached_percent: number | null;
  /** What goes wrong again and again, in a sentence. */
  remark: string | null;
};

/** The exchanges of one conversation, added up. */
export interface ConversationSum {
  /** Its name: the key of the prompt cache. */
  conversation: string;
  /** The name of the client key, at the last exchange. */
  client: string;
  /** The program, at the last exchange. */
  user_agent: string | null;
  /** The model upstream, at the last exchange. */
  model: string;
  /** When the first exchange began. */
  first: string;
  /** When the last one began. */
  last: string;
  /** Exchanges. */
  requests: number;
  /** Tokens of input, of those whose tokens are known. */
  input: number;
  /** Those of them that came from the prompt cache. */
  cached: number;
  /** Exchanges that had one to go on from, and are no requests beside the conversation. */
  followed: number;
  /** How many of them did not simply go on, and why, in the words of [`Prefix::broke`](super::Prefix::broke). */
  breaks: Record<string, number>;
}

/** Why an account rests for a while. */
export type Cooldown =
  | 'usage_limit'
  | 'rate_limit'
  | 'unavailable'
  | 'refresh_too_early'
  | 'challenge'
  | 'workspace_deactivated'
  | 'plan_mismatch'
  | 'network';

/** Bought credits. */
export interface Credits {
  has_credits: boolean;
  unlimited: boolean;
  /** As the upstream writes it. */
  balance: string | null;
}

/** Where requests for a name go. */
export interface Destination {
  /** What was asked for. */
  name: string;
  /** The label of the account that is asked for by name. `None`: whoever's turn it is. */
  account: string | null;
  /** The upstream model. */
  model: string;
  /** The effort sent upstream. `None`: the request names none, and the model decides. */
  effort: string | null;
  /** One sentence for people. */
  reason: string;
}

/** All of it. */
export interface Doctor {
  /** The worst of all rows. */
  verdict: Verdict;
  /** What was looked at. */
  rows: DoctorRow[];
}

/** One thing that was looked at. */
export interface DoctorRow {
  /** What, for programs. */
  check: string;
  /** How it stands. */
  verdict: Verdict;
  /** The same in a sentence. */
  message: string;
  /** What to do. */
  hint?: string;
}

/**
 * One exchange: a client's request and its answer. Figures and names, nothing of what was said.
 *
 * An empty text stands for "not known".
 */
export interface Exchange {
  /** Our id, as the client got it (`req_…`). Sorted by time. */
  id: string;
  /** When the request came in; kept to the millisecond. */
  at: string;
  /** The name of the client key. Empty: refused before it was known. */
  client: string;
  /** `anthropic`, `chat` or `responses`. */
  dialect: string;
  /** Of the request. */
  path: string;
  /** Of the client. */
  user_agent: string | null;
  /** Names the conversation, for clients that do. */
  conversation: string | null;
  /** The model as asked for. */
  asked: string;
  /** The model upstream. */
  model: string;
  /** The effort as sent. */
  effort: string | null;
  /** Why this model. */
  route: string | null;
  /** Whose host served: `plan`, `codex`, … */
  provider: string;
  /** The id of the account that served. */
  account: string;
  /** Why this account. */
  picked: string | null;
  /** Whether the answer went out piece by piece. */
  streamed: boolean;
  /** What the upstream says it cost; `None` where it did not say. */
  tokens: Tokens | null;
  /** Until the first byte of the answer went out. */
  first_byte_ms: number | null;
  /** From the request to the end of the answer. */
  total_ms: number;
  /** How it ended. */
  outcome: Outcome;
  /** The HTTP status the client got. */
  status: number | null;
  /** What kind of failure it was, for machines. */
  error: string | null;
  /** The same in a sentence, as the client got it. */
  message: string | null;
  /** What of the request could not be carried. */
  losses: string[];
  /** What of the answer could not be carried, or had to be put right. */
  notes: string[];
  /** Each try upstream. */
  attempts: Attempt[];
  /** The upstream's id of the last one. */
  upstream_id: string | null;
  /** How this request continues the conversation's last one. */
  prefix: Prefix | null;
}

/** Everything that is known of an exchange. */
export type ExchangeDetail = ExchangeRow & {
  /** How their owner calls the accounts of the attempts, by id. */
  account_names: Record<string, string>;
  /** What the losses mean, in their order. */
  explained: Explained[];
};

/** Rows, newest first. */
export interface ExchangePage {
  /** The rows. */
  exchanges: ExchangeRow[];
  /**
   * Ask for what comes `before` this; `None`: that was all. A search for a text looks at so many rows at a time: its
   * page may be short, even empty, and yet not the last.
   */
  next: number | null;
}

/** One row. */
export type ExchangeRow = Found & {
  /** How its owner calls the account that served; `None`: not known any more. */
  account_name: string | null;
  /** What it would have cost at list prices, in dollars; `None`: nobody knows. */
  cost_usd: number | null;
};

/** Counts of exchanges since the start. */
export interface Exchanges {
  /** Under way. */
  open: number;
  /** Answered to the end. */
  completed: number;
  /** Refused or failed before the first byte. */
  refused: number;
  /** Failed after the first byte. */
  failed: number;
  /** Left by the client. */
  cancelled: number;
}

/** A loss, for people. */
export interface Explained {
  /** Its name. */
  loss: string;
  /** What it means; `None`: another version wrote it. */
  meaning: string | null;
}

/** An account could not go on, and another one, whose plan pays now, took over. */
export interface FailedOver {
  /** When. */
  at: string;
  /** Which one could not go on. */
  from: string;
  /** Which one took over. */
  to: string;
  /** Why, for people: one sentence or a part of one, which names accounts as their owner does. */
  why: string;
  /** When the first one is back, if it rests and that is known. */
  until: string | null;
}

/** Figures and what follows from them. A share of nothing is `None`. */
export interface Figures {
  /** Exchanges. */
  requests: number;
  /** Those that were answered to the end. */
  completed: number;
  /** Those that got an HTTP error instead of an answer. */
  refused: number;
  /** Those whose answer broke off. */
  failed: number;
  /** Those that the client left. */
  cancelled: number;
  /** Those whose tokens are known. */
  counted: number;
  /** Tokens of input, cached ones among them. */
  input: number;
  /** Tokens of input from the prompt cache. */
  cached: number;
  /** Tokens of output, reasoning among them. */
  output: number;
  /** Tokens of reasoning. */
  reasoning: number;
  /** The cost at list prices, in dollars; without that of the `unpriced`. */
  cost_usd: number;
  /** The same in billionths of a dollar, exact. */
  cost_nano_usd: number;
  /** Exchanges with tokens whose price nobody knows. */
  unpriced: number;
  /** Of the input, in percent. */
  cached_percent: number | null;
  /** Until the first byte of an answer, over those that have one. */
  average_first_byte_ms: number | null;
  /** Tokens of output for each second of those whose tokens are known, waiting included. */
  tokens_per_second: number | null;
}

/** `exchange.first_token` */
export interface FirstToken {
  id: string;
  first_byte_ms: number;
}

/** One row, as it is kept. */
export type Found = Exchange & {
  /** Its number, in the order in which exchanges ended. A page goes on before it. */
  seq: number;
  /** What it would have cost at list prices, in billionths of a dollar; `None`: nobody knows. */
  cost_nano_usd: number | null;
};

/** A key, this once. */
export interface KeyCreated {
  name: string;
  key: string;
}

/** What is known of a key: enough to recognise it, not enough to use it. */
export interface KeyInfo {
  name: string;
  created_at: string;
  /** The last four characters. */
  ends_with: string;
}

export interface KeyList {
  keys: KeyInfo[];
}

/** Which road an account's token opens. */
export type Kind =
  | 'plan'
  | 'codex'
  | 'demo'
  | 'compatible'
  | 'openai_key'
  | 'codex_cli';

/** What is known of an account's limits. */
export interface Left {
  id: string;
  quota: Quota | null;
  /** Why there are no figures, and where they are. */
  notice?: string;
}

/** How the log fares. */
export interface LogHealth {
  /** Rows that were not written, since the start. */
  dropped: number;
  /** Why the last batch could not be written; gone when one could. */
  problem: string | null;
  /** Where a damaged file was put aside, since the start. */
  put_aside: string | null;
}

/** One model of the catalogue. */
export interface Model {
  model: string;
  name: string;
  description: string | null;
  /** Tokens it takes, and can be made to take. */
  context_window: number | null;
  max_context_window: number | null;
  /** How many of them a client may fill before it compacts. */
  usable_tokens: number | null;
  /** Weakest first. */
  efforts: string[];
  default_effort: string | null;
  images: boolean;
  /** Offered to people, or only known. */
  visible: boolean;
  /** The kinds of account whose catalogue lists it. */
  providers: Kind[];
}

export interface ModelList {
  models: Model[];
  /** No account's catalogue was fetched yet: these are the ones compiled in. */
  builtin: boolean;
}

/** What is to be added. It holds a key, so it has no `Debug`. */
export interface NewServer {
  kind: string;
  label?: string;
  url?: string;
  preset?: string;
  key?: string;
  allow_http?: boolean;
  /** Ask the server before anything is kept. */
  verify?: boolean;
}

/** An exchange under way, as `exchange.started` tells it and as a snapshot lists it. */
export interface OpenExchange {
  id: string;
  at: string;
  client: string;
  dialect: string;
  asked: string;
  model: string;
  effort: string | null;
  streamed: boolean;
  /** Who is to pay, from the first attempt on. */
  account: string | null;
  /** How many attempts were begun. */
  attempts: number;
  first_byte_ms: number | null;
}

/** How an exchange ended. */
export type Outcome =
  | 'completed'
  | 'refused'
  | 'failed'
  | 'cancelled';

/** A choice among the accounts. */
export interface Pick {
  /** When. */
  at: string;
  /** Which. */
  account: string;
  /** Why this one and none of the others, for people: it names accounts as their owner does. */
  why: string;
}

/** What is told, and how many milliseconds after it was asked. */
export type PlayRecord = PlayWhat & {
  at_ms: number;
};

export type PlayWhat =
  | { kind: 'head'; status: number; headers: [string, string][] }
  | { kind: 'frame'; text: string }
  | ({ kind: 'turn' } & Step)
  | { kind: 'end'; id: string | null };

/** How a request continues the last one of its conversation, as far as the upstream's prompt cache sees it. */
export interface Prefix {
  /**
   * What changed of what was sent before: `account`, `model`, `system`, `tools`, `format` (the schema of the answer) or
   * `message` (an item of the history). Or how else it does not go on: the history was `compacted` or `rewound`, or this
   * is a request `beside` the conversation. `None`: nothing; the request only goes on, or is the first.
   */
  broke?: string;
  /** The first item of the history that differs, counted from 0; for `message`, `compacted` and `rewound`. */
  item?: number;
  /** Items of the history. */
  items: number;
  /** How many answered requests of this conversation came before, as far as the gateway remembers. */
  turn: number;
}

/** A program that can come here. */
export interface Program {
  /** As it is typed: `claude-code`. */
  client: string;
  /** As its maker writes it. */
  name: string;
  /** It is there, or has left traces. */
  installed: boolean;
  /** Where it is. */
  program: string | null;
  /** If that could be told without starting it. */
  version: string | null;
  /** How it got here: `npm`, `homebrew` … */
  how: string | null;
  /** Where it can be set up by us. None: by hand only. */
  targets: ClientPlace[];
  /** The lines to copy, for whoever sets it up by hand, with a word where the client key goes. */
  manual: string;
  /** So many copies of its files are kept. */
  backups: number;
}

/** What is known of an account's limits, ready to be shown. */
export interface Quota {
  /** The main family first, the shortest first within each. */
  windows: QuotaWindow[];
  credits: Credits | null;
  plan: string | null;
  reset_credits: number | null;
  /** When something of it was last seen. */
  seen_at: string;
}

/** `quota` */
export interface QuotaOf {
  id: string;
  quota: Quota | null;
}

/** One window, as of now. */
export interface QuotaWindow {
  minutes: number;
  family: string;
  title: string | null;
  /** As last seen; 0 once the window has begun anew, until it is seen again. */
  used_percent: number;
  /** When it begins anew. `None`: not said, or the moment has passed. */
  resets_at: string | null;
  /** How old this is. */
  seen_at: string;
  /** When it is empty at the pace of late. `None`: not before it begins anew, or the pace is not known. */
  forecast: string | null;
}

/** What became of using one. */
export interface Redeemed {
  /** The backend's answer. */
  outcome: Redemption;
  /** How many windows began anew. */
  windows_reset: number;
}

/** The backend's answers. All of them are a 200. */
export type Redemption =
  | 'reset'
  | 'nothing_to_reset'
  | 'no_credit'
  | 'already_redeemed'
  | { other: string };

/** Why the control plane does not do what it was asked. */
export interface Refused {
  code: string;
  message: string;
  hint?: string;
}

/** One credit. */
export interface ResetCredit {
  /** To be named when it is used. */
  id: string;
  /** `available`, `redeemed`, `expired` …: an open set. */
  status: string | null;
  /** For people. */
  title: string | null;
  /** What it resets. */
  reset_type: string | null;
  /** When it is gone. */
  expires_at: string | null;
}

/** What an account has. */
export interface ResetCredits {
  /** How many can be used now. */
  available: number;
  /** Each of them, also those that are used or expired. */
  credits: ResetCredit[];
}

export type Role = Route & {
  role: string;
  /** It stands in the settings, and is not just the default. */
  set: boolean;
  /** `model` or `model:effort` */
  default: string;
};

/**
 * How requests are spread over several accounts.
 *
 * All of them begin at the active account, pass over accounts that are paused, rest or need a sign-in, and keep a
 * conversation where it is until its account is blocked.
 */
export type Rotation =
  | 'personal'
  | 'sticky'
  | 'round_robin'
  | 'least_in_flight'
  | 'fill_first';

/** Where a name leads. */
export interface Route {
  model: string;
  effort: string | null;
  /** Whether the catalogue lists the model. */
  listed: boolean;
}

export interface RouteTable {
  roles: Role[];
  aliases: Alias[];
}

/** What was added. */
export interface ServerAdded {
  id: string;
  kind: Kind;
  label: string;
  url: string | null;
  outcome: string;
  /** How many models its server lists; `None` if it was not asked. */
  models: number | null;
  /** What its owner should know. */
  notice: string | null;
}

/** One setting with all there is to say about it. */
export interface Setting {
  key: string;
  value: SettingValue;
  /** `None` for an alias or a price: they have none. */
  default: SettingValue | null;
  /** It stands in the file, and is not just the default. */
  set: boolean;
  allowed: string;
  doc: string;
}

export interface SettingChanged {
  key: string;
  /** `None` for an alias that is gone. */
  value: SettingValue | null;
  set: boolean;
}

/** All of them. */
export interface SettingList {
  settings: Setting[];
  /** Values in the file that cannot be used. */
  problems: SettingProblem[];
}

/** A value in the file that cannot be used; the default is used instead. */
export interface SettingProblem {
  key: string;
  found: string;
  allowed: string;
  used: string;
}

/** One value. The four shapes are all there are. */
export type SettingValue =
  | boolean
  | number
  | string
  | string[];

/** `settings`: those that were changed. */
export interface SettingsChanged {
  changed: SettingChanged[];
}

/** What the person needs. */
export interface SignInBegun {
  id: string;
  /** Where to go. */
  url: string;
  /** What to type there, for the device method. */
  user_code?: string;
  /** Where the browser comes back to. */
  port?: number;
  expires_in_seconds: number;
}

/** How the person signs in. */
export type SignInMethod =
  | 'browser'
  | 'device';

/** Where an attempt stands. As JSON: `{"state":"failed","message":…,"hint":…}`. */
export type SignInStage =
  | { state: 'waiting' }
  | { state: 'exchanging' }
  | { state: 'done'; account: string; again: boolean; notice?: string }
  | { state: 'failed'; message: string; hint: string }
  | { state: 'cancelled' }
  | { state: 'expired' };

/** An attempt and where it stands, as events tell it. */
export type SignInTold = SignInStage & {
  id: string;
  kind: Kind;
};

/** `reset`: how everything stands. What is told later comes on top of it. */
export interface Snapshot {
  why: string;
  status: Status;
  /** Exchanges under way. */
  open: OpenExchange[];
  sign_ins: SignInTold[];
  settings: Record<string, SettingValue>;
}

/** A snapshot. */
export interface Status {
  /** Our version. */
  version: string;
  /** The process that serves. */
  pid: number;
  /** Since when. */
  started_at: string;
  /** Where this machine reaches it. */
  url: string;
  /** How requests are spread over the accounts. */
  rotation: Rotation;
  /** The accounts, without secrets. */
  accounts: Account[];
  /** What was served. */
  exchanges: Exchanges;
  /** The account that was picked last, and why. */
  last_pick: Pick | null;
  /** The last time another account took over. */
  failed_over: FailedOver | null;
  /** How the request log fares. */
  request_log: LogHealth;
  /** What its owner should know though it serves. */
  warnings: string[];
  /** Whether what is said is written down. */
  capture: CaptureState;
  /** Clients that are not set up as they were. Left out where there is none. */
  drifted?: ClientDrifted[];
}

/** One step; see [`TurnEvent`]. */
export type Step =
  | { event: 'started'; id: string | null; model: string | null }
  | { event: 'item_started'; index: number; item: string; name?: string; call_id?: string }
  | { event: 'delta'; index: number; delta: string; text: string }
  | { event: 'item_done'; index: number; item: string; text: string; sealed?: number }
  | { event: 'usage'; input: number; cached: number; output: number; reasoning: number }
  | { event: 'finished'; how: string; stop?: string }
  | { event: 'failed'; code: string | null; message: string }
  | { event: 'cut_off' };

/** What an exchange cost, as the upstream counts: cached input is part of the input, reasoning part of the output. */
export interface Tokens {
  /** All input. */
  input: number;
  /** The part of it that was read from the prompt cache. */
  cached: number;
  /** All output. */
  output: number;
  /** The part of it that was reasoning. */
  reasoning: number;
}

/** One exchange of a conversation. */
export interface Turn {
  /** The exchange. */
  id: string;
  /** When it began. */
  at: string;
  /** The model upstream. */
  model: string;
  /** The id of the account that served. */
  account: string;
  /** How its owner calls it; `None`: not known any more. */
  account_name: string | null;
  /** How it ended. */
  outcome: Outcome;
  /** The HTTP status the client got. */
  status: number | null;
  /** What it cost. */
  tokens: Tokens | null;
  /** How much of the input came from the prompt cache. */
  cached_percent: number | null;
  /** How it goes on from the last one. */
  prefix: Prefix | null;
  /** Seconds since the exchange before it began. */
  pause_seconds: number | null;
  /** What of the request could not be carried. */
  losses: string[];
  /** All of this in a sentence. */
  explanation: string;
}

/** What was used. */
export interface UsageReport {
  /** Not before. */
  since: string | null;
  /** Before. */
  until: string | null;
  /** The time zone whose days are meant. */
  tz: string;
  /** What is summed by, in this order. */
  by: string[];
  /** All of it. */
  total: Figures;
  /** By key, in the order of the keys. */
  sums: UsageRow[];
}

/** One sum. */
export type UsageRow = Figures & {
  /** What it is the sum of: for each word of `by` the start of the hour or day, or a name. Empty: not known. */
  key: Record<string, string>;
  /** How its owner calls the account of the key. */
  account_name?: string;
};

/** Which credit is to be used. */
export interface UseCredit {
  /** It cannot be taken back, so it has to be said. */
  confirm: boolean;
  credit_id?: string;
  /** The same id twice uses one credit. */
  request_id?: string;
}

/** How one thing stands. */
export type Verdict =
  | 'ok'
  | 'warn'
  | 'fail';

/** What a look at an account found. */
export interface Verified {
  id: string;
  ok: boolean;
  message: string;
}
