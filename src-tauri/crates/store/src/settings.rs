//! The settings: typed, with defaults. Each field is the key of the same name; what it means is said in [`table`].

mod desktop;
mod document;
pub(crate) mod file;
mod table;
pub(crate) mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub use self::desktop::{Desktop, LanguageChoice, NotifyAbout, SignInPlace, TrayInk, TrayTitle};
use crate::log::Keep;
use crate::prices::{Price, Prices};

/// All settings, as one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub port: u16,
    /// An IP address, or `localhost`.
    pub host: String,
    pub allowed_hosts: Vec<String>,
    pub allowed_origins: Vec<String>,
    pub body_limit_mib: u64,
    /// 0: any number.
    pub streams_per_key: u64,
    /// 0: any number.
    pub requests_per_minute_per_key: u64,
    pub grace_seconds: u64,
    pub compress_upstream: bool,
    pub responses_lite: ResponsesLite,
    pub passthrough: bool,
    pub websocket: bool,
    pub upstream_websocket: bool,
    /// 0: nothing is remembered.
    pub remembered_responses_mib: u64,
    pub log: LogForm,
    pub log_file: bool,
    pub log_keep_days: u64,
    pub log_max_mib: u64,
    pub reasoning_summary: ReasoningSummary,
    pub reasoning_content: bool,
    pub rotation: Rotation,
    pub overall_deadline_seconds: u64,
    pub connect_timeout_seconds: u64,
    pub idle_timeout_seconds: u64,
    pub first_event_hold_seconds: u64,
    /// `route.*`
    pub routes: Routes,
    pub request_log: bool,
    pub request_log_days: u64,
    pub request_log_mib: u64,
    pub usage_days: u64,
    pub usage_api_scope: UsageScope,
    pub clients_on_quit: ClientsOnQuit,
    pub compat: bool,
    /// `compat.open_on_loopback`
    pub compat_open_on_loopback: bool,
    pub capture_mib: u64,
    pub capture_part_kib: u64,
    pub capture_keep_hours: u64,
    /// `desktop.*`
    pub desktop: Desktop,
    /// `alias.*`
    pub aliases: BTreeMap<String, Target>,
    /// `price.*`
    pub prices: BTreeMap<String, Price>,
}

/// Which upstream model stands for which family of the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    pub opus: Target,
    pub sonnet: Target,
    pub haiku: Target,
    pub fable: Target,
    pub default: Target,
}

/// An upstream model, with the effort for requests that ask for none. Written `model` or `model:effort`; the model of a
/// named account is written `label/model`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub model: String,
    pub effort: Option<Effort>,
}

/// Not a [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a model name, or not one of its efforts")]
pub struct NoTarget;

/// A word of a fixed list, in the settings file and in Rust.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            pub(crate) fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How hard a model thinks. What the upstream refuses (`minimal`) or never sees (`ultra`) is no setting
    /// (codex-backend.md §2).
    Effort { None = "none", Low = "low", Medium = "medium", High = "high", XHigh = "xhigh", Max = "max", }
}

words! {
    /// Whether requests take the Responses-Lite shape (codex-backend.md §0).
    ResponsesLite {
        /// For the models whose catalogue entry asks for it.
        Auto = "auto",
        Off = "off",
    }
}

words! {
    /// How log lines look.
    LogForm { Human = "human", Json = "json", }
}

words! {
    /// Which summaries of its reasoning the model is asked for (codex-backend.md §2).
    ReasoningSummary { Auto = "auto", Concise = "concise", Detailed = "detailed", None = "none", }
}

words! {
    /// Whose exchanges `/v1/usage` tells of.
    UsageScope {
        /// Those of the client key that asks.
        Own = "own",
        All = "all",
    }
}

words! {
    /// What becomes of clients that were set up when a person ends the gateway.
    ClientsOnQuit {
        /// They stay set up: it will be there again.
        Leave = "leave",
        /// What stood there before comes back.
        Revert = "revert",
    }
}

words! {
    /// How requests are spread over several accounts.
    Rotation {
        /// Only the active account is used.
        Personal = "personal",
        Sticky = "sticky",
        RoundRobin = "round_robin",
        LeastInFlight = "least_in_flight",
        FillFirst = "fill_first",
    }
}

// === impl Settings ===

impl Settings {
    /// What the request log keeps.
    pub fn keep(&self) -> Keep {
        Keep {
            on: self.request_log,
            days: self.request_log_days,
            mib: self.request_log_mib,
            sums_days: self.usage_days,
        }
    }

    /// Every key with its value, aliases and prices included.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (String, value::Value)> + '_ {
        table::values(self)
    }

    /// What tokens cost.
    pub fn price_list(&self) -> Prices {
        Prices::new(self.prices.clone())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 8081,
            host: "127.0.0.1".to_owned(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            body_limit_mib: 64,
            streams_per_key: 64,
            requests_per_minute_per_key: 0,
            grace_seconds: 10,
            compress_upstream: true,
            responses_lite: ResponsesLite::Off,
            passthrough: false,
            websocket: true,
            upstream_websocket: true,
            remembered_responses_mib: 32,
            log: LogForm::Human,
            log_file: true,
            log_keep_days: 7,
            log_max_mib: 64,
            reasoning_summary: ReasoningSummary::Auto,
            reasoning_content: false,
            rotation: Rotation::Personal,
            overall_deadline_seconds: 120,
            connect_timeout_seconds: 10,
            idle_timeout_seconds: 300,
            first_event_hold_seconds: 10,
            routes: Routes::default(),
            request_log: true,
            request_log_days: 90,
            request_log_mib: 256,
            usage_days: 1095,
            usage_api_scope: UsageScope::Own,
            clients_on_quit: ClientsOnQuit::Leave,
            compat: true,
            compat_open_on_loopback: false,
            capture_mib: 64,
            capture_part_kib: 1024,
            capture_keep_hours: 24,
            desktop: Desktop::default(),
            aliases: BTreeMap::new(),
            prices: BTreeMap::new(),
        }
    }
}

impl Default for Routes {
    fn default() -> Self {
        let to = |model: &str, effort| Target { model: model.to_owned(), effort };
        Self {
            opus: to("gpt-6.1-sol", None),
            sonnet: to("gpt-6-sol", None),
            haiku: to("gpt-6-luna", Some(Effort::Low)),
            fable: to("gpt-6-astra", None),
            default: to("gpt-6.1-sol", None),
        }
    }
}

// === impl Target ===

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let (model, effort) = match text.rsplit_once(':') {
            Some((model, word)) => match Effort::parse(word) {
                Some(effort) => (model, Some(effort)),
                // Behind a label the model's name is another server's affair, and its names have colons.
                None if text.contains('/') => (text, None),
                None => return Err(NoTarget),
            },
            None => (text, None),
        };
        let named = model.contains('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
        let fits = |byte: u8| plain(byte) || (named && b":@+~".contains(&byte));
        if model.is_empty() || model.len() > 128 || !model.bytes().all(fits) {
            return Err(NoTarget);
        }
        Ok(Self { model: model.to_owned(), effort })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.model)?;
        self.effort.map_or(Ok(()), |effort| write!(f, ":{effort}"))
    }
}

#[cfg(test)]
mod tests;
