//! Errors as Google's clients expect them (cloud.google.com/apis/design/errors; google/rpc/error_details.proto).
//!
//! The SDKs make their exception by `code`. The Gemini CLI waits for as long as `RetryInfo` says, and gives up at once where
//! that is more than 300 s; without it, it tries again and again (`retryWithBackoff`, measured with 0.61.0).

use crate::json::write_str;

/// An error, ready to be written as a body or as the last record of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorBody<'a> {
    /// `error.code`, an HTTP status.
    pub code: u16,
    /// In words, for the user.
    pub message: &'a str,
    /// `error.status`, as in `INVALID_ARGUMENT`.
    pub status: &'a str,
    /// The member that is wrong, as in `contents[0].parts[1]`.
    pub field: Option<&'a str>,
    /// What kind of error it is, where its status does not say enough, as in `API_KEY_INVALID`.
    pub reason: Option<&'a str>,
    /// After how many seconds another try makes sense.
    pub retry_after: Option<u64>,
}

// === impl ErrorBody ===

impl<'a> ErrorBody<'a> {
    /// An error with this code, in these words.
    pub fn new(code: u16, message: &'a str) -> Self {
        Self { code, message, status: status(code), field: None, reason: None, retry_after: None }
    }

    /// Writes the JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{{\"error\":{{\"code\":{},\"message\":", self.code).as_bytes());
        write_str(out, self.message);
        out.extend_from_slice(b",\"status\":");
        write_str(out, self.status);
        let mut first = true;
        let mut detail = |kind: &str, out: &mut Vec<u8>| {
            let before = if std::mem::replace(&mut first, false) { ",\"details\":[" } else { "," };
            out.extend_from_slice(format!("{before}{{\"@type\":\"type.googleapis.com/google.rpc.{kind}\",").as_bytes());
        };
        if let Some(field) = self.field {
            detail("BadRequest", out);
            out.extend_from_slice(b"\"fieldViolations\":[{\"field\":");
            write_str(out, field);
            out.extend_from_slice(b",\"description\":");
            write_str(out, self.message);
            out.extend_from_slice(b"}]}");
        }
        if let Some(reason) = self.reason {
            detail("ErrorInfo", out);
            out.extend_from_slice(b"\"reason\":");
            write_str(out, reason);
            out.extend_from_slice(b",\"domain\":\"codeferry\"}");
        }
        if let Some(seconds) = self.retry_after {
            detail("RetryInfo", out);
            out.extend_from_slice(format!("\"retryDelay\":\"{seconds}s\"}}").as_bytes());
        }
        out.extend_from_slice(if first { b"}}" } else { b"]}}" });
    }

    /// The JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.message.len());
        self.write(&mut out);
        out
    }
}

/// The name of an HTTP status (google/rpc/code.proto).
fn status(code: u16) -> &'static str {
    match code {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        code if code < 500 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorBody;

    fn json(error: &ErrorBody<'_>) -> String {
        String::from_utf8(error.to_json()).unwrap()
    }

    #[test]
    fn details_stand_there_only_if_there_are_any() {
        let bare = ErrorBody::new(404, "no \"x\"");
        assert_eq!(json(&bare), r#"{"error":{"code":404,"message":"no \"x\"","status":"NOT_FOUND"}}"#);
        let full = ErrorBody { field: Some("contents"), reason: Some("R"), retry_after: Some(7), ..bare };
        let details = r#""details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents","description":"no \"x\""}]},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R","domain":"codeferry"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]"#;
        assert_eq!(
            json(&full),
            format!(r#"{{"error":{{"code":404,"message":"no \"x\"","status":"NOT_FOUND",{details}}}}}"#)
        );
    }
}
