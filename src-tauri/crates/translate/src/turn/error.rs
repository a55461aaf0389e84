//! What an upstream says when it fails in the middle of a stream.

use std::borrow::Cow;

use codeferry_wire::responses::event::ErrorFacts;

/// The facts of a failure, as the upstream gave them. What follows from them is decided in `codeferry-upstream`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamError {
    /// `context_length_exceeded`, `server_is_overloaded`, …
    pub code: Option<String>,
    /// The error's `type`; a usage limit has only this (codex-backend.md §5).
    pub kind: Option<String>,
    /// In words; empty when the upstream gave none.
    pub message: String,
    /// The parameter that was wrong.
    pub param: Option<String>,
    /// When a limit ends, in seconds since 1970.
    pub resets_at: Option<i64>,
    /// In how many seconds a limit ends.
    pub resets_in_seconds: Option<u64>,
    /// The account's plan.
    pub plan_type: Option<String>,
    /// The HTTP status that belongs to it.
    pub status: Option<u16>,
}

// === impl UpstreamError ===

impl From<&ErrorFacts<'_>> for UpstreamError {
    fn from(facts: &ErrorFacts<'_>) -> Self {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Self {
            code: owned(&facts.code),
            kind: owned(&facts.kind),
            message: owned(&facts.message).unwrap_or_default(),
            param: owned(&facts.param),
            resets_at: facts.resets_at,
            resets_in_seconds: facts.resets_in_seconds,
            plan_type: owned(&facts.plan_type),
            status: facts.status,
        }
    }
}

impl std::fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.message.as_str(), self.code.as_deref().or(self.kind.as_deref())) {
            ("", None) => f.write_str("the upstream failed without saying why"),
            ("", Some(code)) => f.write_str(code),
            (message, _) => f.write_str(message),
        }
    }
}
