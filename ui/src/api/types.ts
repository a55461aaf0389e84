// What the control API says: docs/api.md. Times are RFC 3339 texts.

export type Kind = 'plan' | 'codex' | 'demo' | 'compatible' | 'openai_key' | 'codex_cli';
export type Rotation = 'personal' | 'sticky' | 'round_robin' | 'least_in_flight' | 'fill_first';
export type Cooldown =
  | 'usage_limit'
  | 'rate_limit'
  | 'unavailable'
  | 'refresh_too_early'
  | 'challenge'
  | 'workspace_deactivated'
  | 'plan_mismatch'
  | 'network';

export interface QuotaWindow {
  minutes: number;
  family: string;
  title: string | null;
  used_percent: number;
  resets_at: string | null;
  seen_at: string;
  forecast: string | null;
}

export interface Quota {
  windows: QuotaWindow[];
  plan: string | null;
  reset_credits: number | null;
  seen_at: string;
}

export type AccountState =
  | { state: 'ready' }
  | { state: 'cooling_down'; until: string; why: Cooldown }
  | { state: 'blocked'; why: Cooldown }
  | { state: 'needs_sign_in'; why: string };

export type Account = AccountState & {
  id: string;
  kind: Kind;
  email: string | null;
  label: string | null;
  plan: string | null;
  active: boolean;
  named: boolean;
  url: string | null;
  ephemeral: boolean;
  paused: boolean;
  priority: number;
  read_only: string | null;
  in_flight: number;
  quota: Quota | null;
  warning: string | null;
};

export interface Status {
  version: string;
  pid: number;
  started_at: string;
  url: string;
  rotation: Rotation;
  accounts: Account[];
  exchanges: { open: number; completed: number; refused: number; failed: number; cancelled: number };
  last_pick: { at: string; account: string; why: string } | null;
  warnings: string[];
  capture?: CaptureState;
}

export interface OpenExchange {
  id: string;
  at: string;
  client: string;
  dialect: string;
  asked: string;
  model: string;
  effort: string | null;
  streamed: boolean;
  account: string | null;
  attempts: number;
  first_byte_ms: number | null;
}

export type Outcome = 'completed' | 'refused' | 'failed' | 'cancelled';

export interface Exchange {
  id: string;
  at: string;
  client: string;
  dialect: string;
  asked: string;
  model: string;
  effort: string | null;
  account: string | null;
  account_name: string | null;
  tokens: { input: number; cached: number; output: number; reasoning: number } | null;
  first_byte_ms: number | null;
  total_ms: number;
  outcome: Outcome;
  status: number | null;
  error: string | null;
  message: string | null;
  path: string;
  user_agent: string | null;
  conversation: string | null;
  route: string | null;
  provider: string;
  picked: string | null;
  streamed: boolean;
  losses: string[];
  notes: string[];
  attempts: Attempt[];
  upstream_id: string | null;
  prefix: { broke?: string; item?: number; items: number; turn: number } | null;
  /** Its place in the request log. An event does not tell it yet. */
  seq?: number;
  /** What it would have cost at list prices. Likewise. */
  cost_usd?: number | null;
}

/** One try upstream. */
export interface Attempt {
  account: string;
  provider: string;
  /** Until the answer began, or the try failed. */
  ms: number;
  failure?: string;
  status?: number;
  upstream_id?: string;
}

export interface ExchangeDetail extends Exchange {
  account_names: Record<string, string>;
  explained: { loss: string; meaning: string | null }[];
}

export interface CaptureState {
  on: boolean;
  until?: string;
  client?: string | null;
  images?: boolean;
  captured?: number;
  dropped: number;
  problem: string | null;
}

export interface CaptureSummary {
  id: string;
  at: string;
  client: string;
  asked: string;
  model: string;
  outcome: Outcome;
  images: boolean;
  expires_at: string;
  bytes: number;
}

export type SignInStage =
  | { state: 'waiting' }
  | { state: 'exchanging' }
  | { state: 'done'; account: string; again: boolean; notice?: string }
  | { state: 'failed'; message: string; hint: string }
  | { state: 'cancelled' }
  | { state: 'expired' };

export type SignInTold = SignInStage & { id: string; kind: Kind };

export interface SignInBegun {
  id: string;
  url: string;
  user_code?: string;
  port?: number;
  expires_in_seconds: number;
}

export type SettingValue = string | number | boolean | string[] | null;

export interface Setting {
  key: string;
  value: SettingValue;
  default: SettingValue;
  set: boolean;
  allowed: string;
  doc: string;
}

export type ClientState =
  | { state: 'connected' | 'key_refused' | 'not_set' }
  | { state: 'elsewhere'; url: string }
  | { state: 'unreadable'; message: string };

export type Client = ClientState & { client: string; name: string; file: string; doubts: string[] };
export type ClientChanged = Client & { told: string | null };

export interface Snapshot {
  why: 'new' | 'missed' | 'slow';
  status: Status;
  open: OpenExchange[];
  sign_ins: SignInTold[];
  settings: Record<string, SettingValue>;
}
