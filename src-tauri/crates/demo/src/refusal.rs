//! How the real hosts say no: FastAPI's `detail` at the gate, `error` objects behind it (codex-backend.md §2, §5, §12).

use serde_json::{Value, json};

/// An HTTP error answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// The sentence, for the log.
    pub(crate) reason: String,
    /// The client should have known better; the real host would have refused this from anybody.
    pub(crate) violation: bool,
}

// === impl Refusal ===

impl Refusal {
    /// A refusal of the gate: `{"detail": sentence}`.
    pub(crate) fn detail(status: u16, sentence: impl Into<String>) -> Self {
        let reason = sentence.into();
        Self { status, body: json!({ "detail": reason }), reason, violation: status == 400 || status == 422 }
    }

    /// A refusal of the model level: 400 with a standard error object.
    pub(crate) fn invalid(param: &str, code: &str, message: impl Into<String>) -> Self {
        Self::error(400, "invalid_request_error", Some(code), Some(param), message)
    }

    pub(crate) fn error(
        status: u16,
        kind: &str,
        code: Option<&str>,
        param: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        let reason = message.into();
        let body = json!({"error": {"message": reason, "type": kind, "param": param, "code": code}});
        Self { status, body, reason, violation: status == 400 }
    }

    /// Not the client's fault: the account, the size of the prompt, or the weather.
    pub(crate) fn excused(mut self) -> Self {
        self.violation = false;
        self
    }

    pub(crate) fn unknown_parameter(path: &str) -> Self {
        Self::invalid(path, "unknown_parameter", format!("Unknown parameter: '{path}'."))
    }

    pub(crate) fn missing(path: &str) -> Self {
        Self::invalid(path, "missing_required_parameter", format!("Missing required parameter: '{path}'."))
    }

    pub(crate) fn invalid_type(path: &str, expected: &str, got: &Value) -> Self {
        let got = match got {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        Self::invalid(
            path,
            "invalid_type",
            format!("Invalid type for '{path}': expected {expected}, but got {got} instead."),
        )
    }

    pub(crate) fn invalid_value(path: &str, got: &str, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|value| format!("'{value}'")).collect();
        Self::invalid(
            path,
            "invalid_value",
            format!("Invalid value: '{got}'. Supported values are: {}.", supported.join(", ")),
        )
    }

    pub(crate) fn too_long(path: &str, limit: usize, length: usize) -> Self {
        Self::invalid(
            path,
            "string_above_max_length",
            format!(
                "Invalid '{path}': string too long. Expected a string with maximum length {limit}, but got a string \
                 with length {length} instead."
            ),
        )
    }
}
