//! The table of keys: what each means, what it may be, and where it goes.
//!
//! This is the documentation of the settings too: `codeferry settings list` prints it. The keys of the desktop app are
//! in [`desktop`].

mod desktop;

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::value::Value;
use super::{ClientsOnQuit, LogForm, ReasoningSummary, ResponsesLite, Rotation, Settings, Target, UsageScope};

/// One documented key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    /// Completes "… must be".
    pub(super) allowed: &'static str,
    /// Put a value where it belongs. `false`: it is none of the allowed ones, and nothing changed.
    pub(super) put: fn(&mut Settings, &Value) -> bool,
    pub(super) take: fn(&Settings) -> Value,
}

/// Every key, in the order in which they are listed.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(desktop::KEYS)
}

static KEYS: &[Key] = &[
    Key {
        name: "port",
        doc: "The port the gateway listens on. Takes effect at the next start.",
        allowed: "a number from 0 to 65535 (0: any free port)",
        put: |settings, value| put(&mut settings.port, number(value, 0..=65535)),
        take: |settings| Value::Number(settings.port.into()),
    },
    Key {
        name: "host",
        doc: "The address the gateway listens on. Anything but loopback opens it to the network, so it must be said \
              once more with --host at the start: requests still need a client key, and other names than addresses must \
              be listed in allowed_hosts. Takes effect at the next start.",
        allowed: "an IP address, or localhost",
        put: |settings, value| {
            let address = |text: &&str| *text == "localhost" || text.parse::<IpAddr>().is_ok();
            put(&mut settings.host, value.text().filter(address).map(str::to_owned))
        },
        take: |settings| Value::Text(settings.host.clone()),
    },
    Key {
        name: "allowed_hosts",
        doc: "Names other than loopback that a request may carry in its Host header. Others are refused: a web page \
              could otherwise reach the gateway through a name of its own (DNS rebinding).",
        allowed: "host names separated by commas, without scheme and port",
        put: |settings, value| put(&mut settings.allowed_hosts, list(value, is_host)),
        take: |settings| Value::List(settings.allowed_hosts.clone()),
    },
    Key {
        name: "allowed_origins",
        doc: "Web pages and browser-like apps that may call the gateway, by their exact Origin; on the data plane they \
              may read the answers as well (CORS). They need a client key all the same. Other programs need no entry.",
        allowed: "origins separated by commas, like https://chat.example.com, http://localhost:3000 or app://obsidian.md",
        put: |settings, value| put(&mut settings.allowed_origins, list(value, is_origin)),
        take: |settings| Value::List(settings.allowed_origins.clone()),
    },
    Key {
        name: "body_limit_mib",
        doc: "The largest request body that is accepted, in MiB, after decompression. Long conversations with images \
              are large; each such request is held in memory.",
        allowed: "a number from 1 to 1024",
        put: |settings, value| put(&mut settings.body_limit_mib, number(value, 1..=1024)),
        take: |settings| Value::Number(settings.body_limit_mib),
    },
    Key {
        name: "streams_per_key",
        doc: "How many requests one client key may have under way at once. More are refused with 429 before any plan is \
              asked. 0: any number.",
        allowed: "a number from 0 to 10000",
        put: |settings, value| put(&mut settings.streams_per_key, number(value, 0..=10_000)),
        take: |settings| Value::Number(settings.streams_per_key),
    },
    Key {
        name: "requests_per_minute_per_key",
        doc: "How many requests one client key may make within a minute, so that a program gone astray does not spend a \
              plan. More are refused with 429, and told when to come again. 0: any number.",
        allowed: "a number from 0 to 100000",
        put: |settings, value| put(&mut settings.requests_per_minute_per_key, number(value, 0..=100_000)),
        take: |settings| Value::Number(settings.requests_per_minute_per_key),
    },
    Key {
        name: "grace_seconds",
        doc: "How long running answers may go on after the gateway was told to stop. Then they end with an error. Takes \
              effect at the next start.",
        allowed: "a number from 0 to 3600",
        put: |settings, value| put(&mut settings.grace_seconds, number(value, 0..=3600)),
        take: |settings| Value::Number(settings.grace_seconds),
    },
    Key {
        name: "compress_upstream",
        doc: "Send request bodies to the codex provider zstd-compressed, as its own client does. Saves upload time, \
              costs CPU; never done towards loopback.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.compress_upstream, flag(value)),
        take: |settings| Value::Flag(settings.compress_upstream),
    },
    Key {
        name: "responses_lite",
        doc: "auto: models whose catalogue entry asks for it get requests in the Responses-Lite shape. off: all get \
              the standard shape, which they accept as well and which carries more (images by URL, parallel tools).",
        allowed: "auto or off",
        put: |settings, value| put(&mut settings.responses_lite, value.text().and_then(ResponsesLite::parse)),
        take: |settings| word(settings.responses_lite.as_str()),
    },
    Key {
        name: "websocket",
        doc: "Answer GET /v1/responses with a WebSocket, over which the Codex CLI sends only what is new. Switched off, it \
              is told so (426) and uses HTTP.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.websocket, flag(value)),
        take: |settings| Value::Flag(settings.websocket),
    },
    Key {
        name: "upstream_websocket",
        doc: "For clients that come over a WebSocket, ask plan and codex hosts over one as well: then only what is new in a \
              conversation is sent. What a host does not answer there goes over HTTP by itself. Off, everything does.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.upstream_websocket, flag(value)),
        take: |settings| Value::Flag(settings.upstream_websocket),
    },
    Key {
        name: "passthrough",
        doc: "Send Responses requests of every client as they came, with nothing but what the upstream demands set: what a \
              client of the public API sends and a plan does not take is then refused. Off, only a Codex's are sent so.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.passthrough, flag(value)),
        take: |settings| Value::Flag(settings.passthrough),
    },
    Key {
        name: "remembered_responses_mib",
        doc: "How much is kept in memory of what clients of the Responses dialect were answered, in MiB, so that they can refer \
              to it (previous_response_id, item_reference) for four hours; only of those that do not say store: false. \
              0: nothing.",
        allowed: "a number from 0 to 4096",
        put: |settings, value| put(&mut settings.remembered_responses_mib, number(value, 0..=4096)),
        take: |settings| Value::Number(settings.remembered_responses_mib),
    },
    Key {
        name: "log",
        doc: "How log lines on stderr look: human for people, json for machines. Takes effect at the next start.",
        allowed: "human or json",
        put: |settings, value| put(&mut settings.log, value.text().and_then(LogForm::parse)),
        take: |settings| word(settings.log.as_str()),
    },
    Key {
        name: "log_file",
        doc: "Whether a gateway writes its log to files as well, in the folder logs of the data folder; `codeferry logs` \
              shows them. Takes effect at the next start.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.log_file, flag(value)),
        take: |settings| Value::Flag(settings.log_file),
    },
    Key {
        name: "log_keep_days",
        doc: "Log files of so many days are kept, today's included. Takes effect at the next start.",
        allowed: "a number from 1 to 3650",
        put: |settings, value| put(&mut settings.log_keep_days, number(value, 1..=3650)),
        take: |settings| Value::Number(settings.log_keep_days),
    },
    Key {
        name: "log_max_mib",
        doc: "How large all log files together may get, in MiB. Beyond it the oldest lines go, of the same day if need \
              be. Takes effect at the next start.",
        allowed: "a number from 1 to 65536",
        put: |settings, value| put(&mut settings.log_max_mib, number(value, 1..=65536)),
        take: |settings| Value::Number(settings.log_max_mib),
    },
    Key {
        name: "reasoning_summary",
        doc: "Which summaries of its reasoning the model is asked for; clients show them as its thinking.",
        allowed: "auto, concise, detailed or none",
        put: |settings, value| put(&mut settings.reasoning_summary, value.text().and_then(ReasoningSummary::parse)),
        take: |settings| word(settings.reasoning_summary.as_str()),
    },
    Key {
        name: "reasoning_content",
        doc: "Whether chat answers (/v1/chat/completions) show the model's reasoning as reasoning_content, a member that \
              OpenAI's own endpoint does not have and many programs know. Summaries are asked for then, as \
              reasoning_summary says.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.reasoning_content, flag(value)),
        take: |settings| Value::Flag(settings.reasoning_content),
    },
    Key {
        name: "rotation",
        doc: "Which account pays, if there are several. personal: only the active one; when it is used up, requests are \
              refused until it is back. The others use another account too, whose plan then pays: they begin at the active one, pass \
              over accounts that are paused, rest or need a sign-in, and keep each conversation where it is until its \
              account is blocked. sticky: the active one, and the next only while that is blocked; when \
              all of them rest, requests wait for the first if overall_deadline_seconds allow. round_robin: new \
              conversations take turns. least_in_flight: the one with the fewest requests under way. fill_first: the \
              one of the highest priority until it is used up. Several accounts of one person to get around a limit \
              may break the provider's terms; that is yours to judge.",
        allowed: "personal, sticky, round_robin, least_in_flight or fill_first",
        put: |settings, value| put(&mut settings.rotation, value.text().and_then(Rotation::parse)),
        take: |settings| word(settings.rotation.as_str()),
    },
    Key {
        name: "overall_deadline_seconds",
        doc: "How long after a request came in another attempt upstream may still begin. An attempt that runs is not \
              cut off by it.",
        allowed: "a number from 1 to 3600",
        put: |settings, value| put(&mut settings.overall_deadline_seconds, number(value, 1..=3600)),
        take: |settings| Value::Number(settings.overall_deadline_seconds),
    },
    Key {
        name: "connect_timeout_seconds",
        doc: "How long connecting to the upstream may take, TLS included. Takes effect at the next start.",
        allowed: "a number from 1 to 600",
        put: |settings, value| put(&mut settings.connect_timeout_seconds, number(value, 1..=600)),
        take: |settings| Value::Number(settings.connect_timeout_seconds),
    },
    Key {
        name: "idle_timeout_seconds",
        doc: "How long the upstream may stay silent in the middle of an answer before the answer counts as lost. \
              Models think for minutes without a word; the provider's own client waits 300. Takes effect at \
              the next start.",
        allowed: "a number from 10 to 7200",
        put: |settings, value| put(&mut settings.idle_timeout_seconds, number(value, 10..=7200)),
        take: |settings| Value::Number(settings.idle_timeout_seconds),
    },
    Key {
        name: "first_event_hold_seconds",
        doc: "How long the headers of a streamed answer wait for the first event of the upstream. Until then a failure \
              is a real HTTP status and another attempt is possible; clients give up if it takes too long.",
        allowed: "a number from 0 to 60",
        put: |settings, value| put(&mut settings.first_event_hold_seconds, number(value, 0..=60)),
        take: |settings| Value::Number(settings.first_event_hold_seconds),
    },
    Key {
        name: "request_log",
        doc: "Write down a row for each exchange: when, which client, model and account, tokens, times and how it \
              ended. Nothing of what was said.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.request_log, flag(value)),
        take: |settings| Value::Flag(settings.request_log),
    },
    Key {
        name: "request_log_days",
        doc: "How many days the rows of the request log are kept. Their sums by the hour stay as long as usage_days says.",
        allowed: "a number from 1 to 3650",
        put: |settings, value| put(&mut settings.request_log_days, number(value, 1..=3650)),
        take: |settings| Value::Number(settings.request_log_days),
    },
    Key {
        name: "request_log_mib",
        doc: "How large the request log may become, in MiB. The oldest rows go first; about 2,000 fit into one MiB.",
        allowed: "a number from 1 to 65536",
        put: |settings, value| put(&mut settings.request_log_mib, number(value, 1..=65536)),
        take: |settings| Value::Number(settings.request_log_mib),
    },
    Key {
        name: "usage_days",
        doc: "How many days the sums of the usage by the hour are kept. They are small.",
        allowed: "a number from 1 to 36500",
        put: |settings, value| put(&mut settings.usage_days, number(value, 1..=36500)),
        take: |settings| Value::Number(settings.usage_days),
    },
    Key {
        name: "usage_api_scope",
        doc: "Whose exchanges /v1/usage and /v1/usage/raw tell a client of. own: those made with the client key that \
              asks. all: everybody's.",
        allowed: "own or all",
        put: |settings, value| put(&mut settings.usage_api_scope, value.text().and_then(UsageScope::parse)),
        take: |settings| word(settings.usage_api_scope.as_str()),
    },
    Key {
        name: "clients_on_quit",
        doc: "What becomes of clients that were set up when you quit the app, or when `codeferry serve` ends in order. \
              leave: they stay as they are, and are served again when the gateway is. revert: what stood in their files \
              before comes back; nothing sets them up again but you. An update and the end of your session change nothing.",
        allowed: "leave or revert",
        put: |settings, value| put(&mut settings.clients_on_quit, value.text().and_then(ClientsOnQuit::parse)),
        take: |settings| Value::Text(settings.clients_on_quit.as_str().to_owned()),
    },
    Key {
        name: "compat",
        doc: "Serve the paths of codex-proxy, codaze and codex-completions-api as well, so that scripts written for them go \
              on working: /accounts, /settings, /claude/config, /admin, /verify. They need the control token; /verify needs \
              a client key.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.compat, flag(value)),
        take: |settings| Value::Flag(settings.compat),
    },
    Key {
        name: "compat.open_on_loopback",
        doc: "Let every program on this machine use the old paths without the control token, as the old systems did. \
              Whoever can open a connection to loopback can then see, switch and remove your accounts: other users of the \
              machine and containers in its network, too. Web pages stay refused.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.compat_open_on_loopback, flag(value)),
        take: |settings| Value::Flag(settings.compat_open_on_loopback),
    },
    Key {
        name: "capture_mib",
        doc: "How large all captures together may become, in MiB. The oldest go first. Nothing is captured unless somebody \
              switches it on: `codeferry capture on`.",
        allowed: "a number from 1 to 65536",
        put: |settings, value| put(&mut settings.capture_mib, number(value, 1..=65536)),
        take: |settings| Value::Number(settings.capture_mib),
    },
    Key {
        name: "capture_part_kib",
        doc: "How much a capture keeps of each body and of each stream, in KiB. What is cut off is counted in it.",
        allowed: "a number from 1 to 65536",
        put: |settings, value| put(&mut settings.capture_part_kib, number(value, 1..=65536)),
        take: |settings| Value::Number(settings.capture_part_kib),
    },
    Key {
        name: "capture_keep_hours",
        doc: "How many hours captures are kept.",
        allowed: "a number from 1 to 720",
        put: |settings, value| put(&mut settings.capture_keep_hours, number(value, 1..=720)),
        take: |settings| Value::Number(settings.capture_keep_hours),
    },
    // The reasons for the five defaults are facts of codex-backend.md §8.
    Key {
        name: "route.opus",
        doc: "The model for Claude ids of the family opus. gpt-6.1-sol: the first choice of the provider's own client, \
              with every effort up to max.",
        allowed: TARGET,
        put: |settings, value| put(&mut settings.routes.opus, target(value)),
        take: |settings| word(&settings.routes.opus.to_string()),
    },
    Key {
        name: "route.sonnet",
        doc: "The model for Claude ids of the family sonnet. gpt-6-sol: the same window as route.opus, the step below \
              it, so that the two families stay two choices.",
        allowed: TARGET,
        put: |settings, value| put(&mut settings.routes.sonnet, target(value)),
        take: |settings| word(&settings.routes.sonnet.to_string()),
    },
    Key {
        name: "route.haiku",
        doc: "The model for Claude ids of the family haiku. gpt-6-luna:low: the smallest current model, quick by \
              default, since haiku is asked for small errands.",
        allowed: TARGET,
        put: |settings, value| put(&mut settings.routes.haiku, target(value)),
        take: |settings| word(&settings.routes.haiku.to_string()),
    },
    Key {
        name: "route.fable",
        doc: "The model for Claude ids of the family fable. gpt-6-astra: the largest model of the catalogue for the \
              largest family.",
        allowed: TARGET,
        put: |settings, value| put(&mut settings.routes.fable, target(value)),
        take: |settings| word(&settings.routes.fable.to_string()),
    },
    Key {
        name: "route.default",
        doc: "The model for Claude ids of a family we do not know. gpt-6.1-sol, as for opus: a new family is rather a \
              large one.",
        allowed: TARGET,
        put: |settings, value| put(&mut settings.routes.default, target(value)),
        take: |settings| word(&settings.routes.default.to_string()),
    },
];

pub(super) const TARGET: &str = "a model, or model:effort with one of none, low, medium, high, xhigh, max; the effort is for \
                      requests that ask for none themselves";

/// A key a person named: one of the table, or an alias.
#[derive(Clone, Copy)]
pub(super) enum Named<'a> {
    Key(&'static Key),
    /// `alias.NAME`
    Alias(&'a str),
    /// `price.MODEL`
    Price(&'a str),
}

pub(super) const ALIAS_DOC: &str =
    "A model name of one's own: clients that ask for NAME get this model. Comes before all other rules.";
const ALIAS_PREFIX: &str = "alias.";
const PRICE_DOC: &str = "What a model costs, in US dollars for a million tokens of input, cached input and output. Estimates of \
                         cost use it instead of the built-in list price, for what was recorded before, too.";
const PRICE: &str = "three amounts with a slash between them, like 1.25/0.125/10";
const PRICE_PREFIX: &str = "price.";

/// The key of that name.
pub(super) fn find(name: &str) -> Option<Named<'_>> {
    let sound = |name: &str| !name.is_empty() && name.len() <= 128 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if let Some(alias) = name.strip_prefix(ALIAS_PREFIX) {
        return sound(alias).then_some(Named::Alias(alias));
    }
    if let Some(model) = name.strip_prefix(PRICE_PREFIX) {
        return sound(model).then_some(Named::Price(model));
    }
    keys().find(|key| key.name == name).map(Named::Key)
}

/// Every key with its value.
pub(super) fn values(settings: &Settings) -> impl Iterator<Item = (String, Value)> + '_ {
    let aliases = settings.aliases.keys().map(|alias| Named::Alias(alias));
    let prices = settings.prices.keys().map(|model| Named::Price(model));
    let all = keys().map(Named::Key).chain(aliases).chain(prices);
    all.filter_map(|named| Some((named.name(), named.take(settings)?)))
}

/// The key a person may have meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let near = keys().map(|key| (distance(name, key.name), key.name)).min()?;
    (near.0 <= 2 || near.1.starts_with(name) && !name.is_empty()).then_some(near.1)
}

// === impl Named ===

impl Named<'_> {
    pub(super) fn name(self) -> String {
        match self {
            Self::Key(key) => key.name.to_owned(),
            Self::Alias(alias) => format!("{ALIAS_PREFIX}{alias}"),
            Self::Price(model) => format!("{PRICE_PREFIX}{model}"),
        }
    }

    pub(super) fn doc(self) -> &'static str {
        match self {
            Self::Key(key) => key.doc,
            Self::Alias(_) => ALIAS_DOC,
            Self::Price(_) => PRICE_DOC,
        }
    }

    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Key(key) => key.allowed,
            Self::Alias(_) => TARGET,
            Self::Price(_) => PRICE,
        }
    }

    /// The value in these settings. `None`: there is no such alias, or no such price.
    pub(super) fn take(self, settings: &Settings) -> Option<Value> {
        match self {
            Self::Key(key) => Some((key.take)(settings)),
            Self::Alias(alias) => settings.aliases.get(alias).map(|target| word(&target.to_string())),
            Self::Price(model) => settings.prices.get(model).map(|price| word(&price.to_string())),
        }
    }

    pub(super) fn put(self, settings: &mut Settings, value: &Value) -> bool {
        match self {
            Self::Key(key) => (key.put)(settings, value),
            Self::Alias(alias) => match target(value) {
                Some(target) => {
                    settings.aliases.insert(alias.to_owned(), target);
                    true
                }
                None => false,
            },
            Self::Price(model) => match value.text().and_then(|text| text.parse().ok()) {
                Some(price) => {
                    settings.prices.insert(model.to_owned(), price);
                    true
                }
                None => false,
            },
        }
    }

    /// Read typed text as a value of the right shape; what it says is judged by [`put`](Self::put).
    pub(super) fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Key(key) => (key.take)(&Settings::default()).like(text),
            Self::Alias(_) | Self::Price(_) => Value::Text(String::new()).like(text),
        }
    }
}

fn put<T>(field: &mut T, value: Option<T>) -> bool {
    let sound = value.is_some();
    if let Some(value) = value {
        *field = value;
    }
    sound
}

fn number<T: TryFrom<u64>>(value: &Value, allowed: RangeInclusive<u64>) -> Option<T> {
    match value {
        Value::Number(number) if allowed.contains(number) => T::try_from(*number).ok(),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Flag(flag) => Some(*flag),
        _ => None,
    }
}

fn list(value: &Value, sound: fn(&str) -> bool) -> Option<Vec<String>> {
    match value {
        Value::List(items) if items.iter().all(|item| sound(item)) => Some(items.clone()),
        _ => None,
    }
}

fn target(value: &Value) -> Option<Target> {
    value.text()?.parse().ok()
}

fn word(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A name or an address, no scheme, no port, no pattern.
fn is_host(text: &str) -> bool {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.' || byte == b'_';
    text.parse::<IpAddr>().is_ok() || (!text.is_empty() && text.len() <= 253 && text.bytes().all(name))
}

/// Scheme, host and perhaps a port, exactly as browsers send it: no path, no slash at the end.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let scheme_sound = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let authority_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    scheme_sound && !authority.is_empty() && authority.bytes().all(authority_sound)
}

/// How many letters to change, add or drop between the two (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(from != *to)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}
