//! What went wrong upstream, and what follows from it.
//!
//! A [`Failure`] is decided by structure: status, error type and code, headers. Text is read in three places only, each
//! behind a fact that says the text is the upstream's own: token counts (code `context_length_exceeded`), a delay
//! (code `rate_limit_exceeded`), and FastAPI `detail` sentences, by their exact beginning. Servers of named accounts have
//! little but sentences; those are read apart, in `server`, and for them only.
//!
//! **Invariant:** a word inside a prompt that an error message quotes never changes the kind of a plan's or a Codex
//! account's failure. No IO, and time is an argument.

mod classify;
mod facts;
mod server;
mod text;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use codeferry_accounts::Cooldown;
use codeferry_translate::turn::UpstreamError;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::limits::Limits;

use self::facts::Facts;
pub(crate) use self::facts::{Fields, is_page};
pub(crate) use self::text::tidy;

/// An attempt that did not work.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it was.
    pub kind: FailureKind,
    /// One sentence: the upstream's own where it wrote one, else ours. Never HTML, never longer than a paragraph.
    pub message: String,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// The upstream's name for the request.
    pub request_id: Option<Box<str>>,
    /// When the limit that was hit ends.
    pub resets_at: Option<Timestamp>,
    /// How long the upstream asks to wait.
    pub retry_after: Option<Duration>,
    /// What few ask for. Together, so that results stay small.
    pub(crate) told: Option<Box<Told>>,
}

/// What else an HTTP answer told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    limits: Option<Limits>,
    refusal: Option<Refusal>,
}

/// An HTTP answer that is no success, as it came.
#[derive(Clone, PartialEq)]
pub struct Refusal {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, perhaps cut short.
    pub body: Bytes,
}

/// The kinds of failure, as far as anyone decides on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// The conversation is longer than the model's window. Counts where the upstream gave them.
    ContextOverflow {
        /// Tokens that were sent.
        actual: Option<u32>,
        /// Tokens that fit.
        max: Option<u32>,
    },
    /// The request body as such is too large (413).
    TooLarge,
    /// The account has used up a window. The window by its length, where the headers tell.
    UsageLimit {
        /// Length of the exhausted window.
        window_minutes: Option<u32>,
        /// The account's plan, as the upstream calls it.
        plan: Option<Box<str>>,
    },
    /// The account's plan does not include this kind of use.
    UsageNotIncluded,
    /// Too many requests or tokens per minute. Passes by itself.
    RateLimited,
    /// The model has no capacity, for anyone.
    Overloaded,
    /// The access token was refused.
    Unauthorized,
    /// The account or its workspace is deactivated.
    AccountDead,
    /// The account may not use this route at all (plan sharing not granted, scope missing).
    NotEligible,
    /// Refused for another reason (403).
    Forbidden,
    /// Cloudflare stood in between: says nothing about the account.
    Challenge,
    /// The model is unknown, or not on this account's plan.
    ModelNotFound,
    /// The request is wrong. The parameter where the upstream names it.
    InvalidRequest {
        /// For example `tools[0].name`.
        param: Option<Box<str>>,
    },
    /// Refused by a content policy.
    Policy,
    /// Encrypted reasoning of another account, or damaged: goes through without it.
    ReasoningRejected,
    /// The upstream broke (500).
    Server,
    /// The upstream is not there just now (502, 503, 504).
    Unavailable,
    /// No connection: nothing was sent.
    Connect,
    /// Connected, then silence for longer than we wait.
    Timeout,
    /// The connection ended before the answer did.
    CutOff,
    /// An answer that is not this protocol: a redirect, a page, an unexpected encoding.
    Protocol,
    /// A program on this machine that the account needs is missing, too old, or not signed in. Only a person helps.
    Program,
}

/// What may be done next, before the first byte has gone to the client. Bounds (how often, how long) are the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Renew the access token once, then the same request again.
    RefreshThenRetry,
    /// Another account may do better.
    NextAccount,
    /// The same account again, after a pause.
    SameAccount {
        /// The pause.
        after: Duration,
    },
    /// The same request without encrypted reasoning.
    WithoutReasoning,
    /// Tell the client.
    Stop,
}

/// A longer pause than this is not worth holding a client for; another account is asked instead.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause before another try where the upstream names none.
const PAUSE: Duration = Duration::from_secs(1);
/// Pause after a connection that could not be made or broke.
const SHORT_PAUSE: Duration = Duration::from_millis(300);
/// How long an account rests where the upstream gives no reset time (`codex-backend.md §12`: plan limits never do).
const BLIND_REST: Duration = Duration::from_secs(15 * 60);
/// How long an account rests that was refused as such: only somebody's action changes that.
const LONG_REST: Duration = Duration::from_secs(60 * 60);
/// How long an account rests after a plain 403. It may be the account, the region or the moment.
const SHORT_REST: Duration = Duration::from_secs(60);

// === impl Failure ===

impl Failure {
    /// A failure that we found ourselves.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            request_id: None,
            resets_at: None,
            retry_after: None,
            told: None,
        }
    }

    /// The stream ended before its terminal event (`codex-backend.md §3`).
    pub fn cut_off() -> Self {
        Self::new(FailureKind::CutOff, "The upstream closed the stream before the answer was complete.")
    }

    /// Reads an HTTP answer that is no success (`codex-backend.md §5, §12`). `body` may be cut short by the caller.
    pub fn from_http(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Self {
        let facts = Facts::from_http(status, headers, body, now);
        classify::http(facts, Limits::from_failure_body(headers, body, now))
    }

    /// Reads the error of a `response.failed` or `error` event (`codex-backend.md §3`).
    pub fn from_event(error: &UpstreamError, now: Timestamp) -> Self {
        classify::event(Facts::from_event(error, now))
    }

    /// What may be done about it.
    pub fn consequence(&self) -> Consequence {
        use FailureKind as K;
        match self.kind {
            K::Unauthorized => Consequence::RefreshThenRetry,
            K::ReasoningRejected => Consequence::WithoutReasoning,
            K::UsageLimit { .. }
            | K::UsageNotIncluded
            | K::AccountDead
            | K::NotEligible
            | K::Forbidden
            | K::Challenge
            // Which models an account has depends on its plan.
            | K::ModelNotFound => Consequence::NextAccount,
            K::RateLimited => match self.retry_after {
                Some(after) if after > PATIENCE => Consequence::NextAccount,
                after => Consequence::SameAccount { after: after.unwrap_or(PAUSE) },
            },
            K::Server | K::Unavailable => match self.retry_after {
                // The host is down for every account.
                Some(after) if after > PATIENCE => Consequence::Stop,
                after => Consequence::SameAccount { after: after.unwrap_or(PAUSE) },
            },
            K::Connect | K::CutOff => Consequence::SameAccount { after: SHORT_PAUSE },
            // Capacity is the model's, not the account's: clients wait and fall back on their own when they are told.
            K::Overloaded
            // The request may well be running: sent again it would be paid twice, after minutes of silence already.
            | K::Timeout
            | K::ContextOverflow { .. }
            | K::TooLarge
            | K::InvalidRequest { .. }
            | K::Policy
            | K::Protocol
            | K::Program => Consequence::Stop,
        }
    }

    /// Until when the account that met this failure should not be picked, and why. `None`: the account is not at fault.
    ///
    /// An account that needs a person ([`Unauthorized`](FailureKind::Unauthorized) after a refresh) is not a matter of
    /// time and not answered here.
    pub fn cooldown(&self, now: Timestamp) -> Option<(Timestamp, Cooldown)> {
        use FailureKind as K;
        let (rest, why) = match self.kind {
            K::UsageLimit { .. } => match self.resets_at {
                Some(at) => return (at > now).then_some((at, Cooldown::UsageLimit)),
                None => (self.retry_after.unwrap_or(BLIND_REST), Cooldown::UsageLimit),
            },
            K::RateLimited => (self.retry_after.filter(|after| *after > PATIENCE)?, Cooldown::RateLimit),
            K::UsageNotIncluded | K::AccountDead | K::NotEligible => (LONG_REST, Cooldown::Unavailable),
            K::Forbidden => (SHORT_REST, Cooldown::Unavailable),
            _ => return None,
        };
        Some((now.checked_add(rest).ok()?, why))
    }

    /// The same, with the answer it was read from.
    pub(crate) fn with_answer(mut self, headers: HeaderMap, body: Bytes) -> Self {
        self.told.get_or_insert_default().refusal = Some(Refusal { headers, body });
        self
    }

    /// What the refusal tells of the account's windows.
    pub fn limits(&self) -> Option<&Limits> {
        self.told.as_ref()?.limits.as_ref()
    }

    /// The refusal itself, where there was an HTTP answer. For captures: nobody decides by it.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.told.as_ref()?.refusal.as_ref()
    }

    fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status.as_u16());
        self
    }
}

// === impl Refusal ===

/// The size alone: an error may quote what people write.
impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Refusal({} bytes)", self.body.len())
    }
}

// === impl FailureKind ===

impl FailureKind {
    /// The stable name, for logs and for front ends to match on.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ContextOverflow { .. } => "context_overflow",
            Self::TooLarge => "too_large",
            Self::UsageLimit { .. } => "usage_limit",
            Self::UsageNotIncluded => "usage_not_included",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Unauthorized => "unauthorized",
            Self::AccountDead => "account_dead",
            Self::NotEligible => "not_eligible",
            Self::Forbidden => "forbidden",
            Self::Challenge => "challenge",
            Self::ModelNotFound => "model_not_found",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::Policy => "policy",
            Self::ReasoningRejected => "reasoning_rejected",
            Self::Server => "server",
            Self::Unavailable => "unavailable",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::CutOff => "cut_off",
            Self::Protocol => "protocol",
            Self::Program => "program",
        }
    }
}

#[cfg(test)]
mod tests;
