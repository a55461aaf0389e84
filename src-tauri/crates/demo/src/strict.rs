//! The gate: refuses what the real upstream refuses, with its sentences (codex-backend.md §2, §12).
//!
//! The order is the real one where it is known: parameters, then items, then what only the model level can see.
//! Where a sentence is not recorded in codex-backend.md it is the one the public Responses API gives.

use serde_json::{Map, Value};

use crate::estimate;
use crate::refusal::Refusal;
use crate::seal::Seal;

mod headers;
mod items;
mod media;
mod pairing;
mod params;
mod schema;
mod tools;

pub(crate) use headers::{check as check_headers, check_account as check_account_headers};
pub(crate) use params::unknown_model;

/// Which of the two hosts is being played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Plan,
    Codex,
}

/// What the gate must know beside the body.
pub(crate) struct Gate<'a> {
    pub(crate) provider: Provider,
    /// The Responses-Lite header was sent (codex-backend.md §0.1).
    pub(crate) lite: bool,
    pub(crate) account: &'a str,
    pub(crate) seal: &'a Seal,
    /// Instead of the model's own context window.
    pub(crate) window: Option<u64>,
}

/// What the gate found out on the way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passed {
    /// Accepted, but wrong to send.
    pub(crate) remarks: Vec<String>,
    /// The prompt does not fit; how that is said is the caller's choice.
    pub(crate) overflow: bool,
    pub(crate) input_tokens: u64,
}

// === impl Gate ===

impl Gate<'_> {
    /// Refuses the request, or lets it through with remarks.
    pub(crate) fn check(&self, body: &Value) -> Result<Passed, Refusal> {
        let Some(request) = body.as_object() else {
            return Err(Refusal::detail(400, "Request body must be a JSON object"));
        };
        let mut passed = Passed::default();
        let model = params::check(self, request)?;
        if request.get("instructions").and_then(Value::as_str).is_some_and(|text| text.contains(BILLING)) {
            passed.remarks.push("instructions: the client's billing header reached the upstream".to_owned());
        }
        let input = items::list(request)?;
        tools::check(self, request, input, &mut passed.remarks)?;
        items::check(self, input, &mut passed.remarks)?;
        pairing::check(input)?;
        passed.input_tokens = estimate::prompt_tokens(request);
        passed.overflow = passed.input_tokens > self.window.unwrap_or(model.context_window);
        Ok(passed)
    }
}

/// Claude Code's first system block; it changes with each prompt and spoils the cache (claude-code.md §3).
const BILLING: &str = "x-anthropic-billing-header";

/// The first key that is not in the list.
fn stray<'a>(object: &'a Map<String, Value>, allowed: &[&str]) -> Option<&'a str> {
    object.keys().map(String::as_str).find(|key| !allowed.contains(key))
}

fn only(object: &Map<String, Value>, allowed: &[&str], path: &str) -> Result<(), Refusal> {
    match stray(object, allowed) {
        Some(key) if path.is_empty() => Err(Refusal::unknown_parameter(key)),
        Some(key) => Err(Refusal::unknown_parameter(&format!("{path}.{key}"))),
        None => Ok(()),
    }
}

/// A string that must be there.
fn text<'a>(object: &'a Map<String, Value>, key: &str, path: &str) -> Result<&'a str, Refusal> {
    match object.get(key) {
        None => Err(Refusal::missing(&format!("{path}.{key}"))),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(Refusal::invalid_type(&format!("{path}.{key}"), "a string", other)),
    }
}

/// A string from a list, if it is there at all.
fn choice(object: &Map<String, Value>, key: &str, path: &str, allowed: &[&str]) -> Result<(), Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(value)) if allowed.contains(&value.as_str()) => Ok(()),
        Some(Value::String(value)) => Err(Refusal::invalid_value(&format!("{path}.{key}"), value, allowed)),
        Some(other) => Err(Refusal::invalid_type(&format!("{path}.{key}"), "a string", other)),
    }
}
