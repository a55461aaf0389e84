//! Response headers, read tolerantly: a value that is empty or unreadable is absent (`codex-backend.md §4`).

use http::HeaderMap;

/// The upstream's name for the request, the one to quote in a support question.
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "x-oai-request-id", "cf-ray"].into_iter().find_map(|name| text(headers, name))
}

/// The sticky-routing token: goes back on later requests of the same turn, and only there.
pub fn turn_state(headers: &HeaderMap) -> Option<String> {
    text(headers, "x-codex-turn-state")
}

/// The version of the model catalogue the upstream holds now.
pub fn models_etag(headers: &HeaderMap) -> Option<String> {
    text(headers, "x-models-etag")
}

/// The model that really answers, which may not be the one that was asked.
pub fn model(headers: &HeaderMap) -> Option<String> {
    text(headers, "openai-model")
}

/// A header as text, trimmed. Empty counts as absent: the backend sends empty values for what it does not know.
pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A header as a finite number that is not negative.
pub(crate) fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    text(headers, name)?.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// A flag. The backend writes Python's `True` and `False`.
pub(crate) fn flag(headers: &HeaderMap, name: &str) -> Option<bool> {
    let value = text(headers, name)?;
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
