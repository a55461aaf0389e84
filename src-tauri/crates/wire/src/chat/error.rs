//! Errors as OpenAI's clients expect them, whichever of its APIs they speak (platform.openai.com/docs/guides/error-codes;
//! `claude-code.md §10`).
//!
//! The SDKs make their exception by the HTTP status, and show `message`, `type`, `code` and `param` as they stand.

use crate::json::write_str;

/// An error, ready to be written as a body or as the data of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorBody<'a> {
    /// `error.type`
    pub kind: &'a str,
    /// In words, for the user.
    pub message: &'a str,
    /// The parameter that is wrong, as in `messages[3].role`.
    pub param: Option<&'a str>,
    /// `error.code`, by which programs tell errors apart.
    pub code: Option<&'a str>,
}

// === impl ErrorBody ===

impl ErrorBody<'_> {
    /// Writes the JSON. All four members always stand there.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"error\":{\"message\":");
        write_str(out, self.message);
        out.extend_from_slice(b",\"type\":");
        write_str(out, self.kind);
        for (name, value) in [(&b",\"param\":"[..], self.param), (b",\"code\":", self.code)] {
            out.extend_from_slice(name);
            match value {
                Some(value) => write_str(out, value),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}}");
    }

    /// The JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.message.len());
        self.write(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorBody;

    #[test]
    fn all_four_members_stand_there() {
        let error = ErrorBody { kind: "invalid_request_error", message: "no \"n\"", param: Some("n"), code: None };
        let json = String::from_utf8(error.to_json()).unwrap();
        assert_eq!(json, r#"{"error":{"message":"no \"n\"","type":"invalid_request_error","param":"n","code":null}}"#);
    }
}
