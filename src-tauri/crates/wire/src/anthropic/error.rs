//! Errors as Anthropic clients expect them (claude-code.md §6, §10).
//!
//! The SDKs go by the HTTP status, Claude Code also by the kind: `overloaded_error` is retried whatever the status.

use crate::json::write_str;

/// The kinds of error that clients tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is wrong, or too long for the model.
    InvalidRequest,
    /// The client's own key is wrong. Never for an account of ours: clients then sign the user out.
    Authentication,
    /// The plan or the credit is used up.
    Billing,
    /// The key may not do this.
    Permission,
    /// No such model, no such path.
    NotFound,
    /// The body is too large.
    RequestTooLarge,
    /// Too many requests, or a usage limit.
    RateLimit,
    /// Something else went wrong on our side or behind us.
    Api,
    /// The upstream did not answer in time.
    Timeout,
    /// The upstream has too much to do.
    Overloaded,
}

// === impl ErrorKind ===

impl ErrorKind {
    /// The value of `error.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Authentication => "authentication_error",
            Self::Billing => "billing_error",
            Self::Permission => "permission_error",
            Self::NotFound => "not_found_error",
            Self::RequestTooLarge => "request_too_large",
            Self::RateLimit => "rate_limit_error",
            Self::Api => "api_error",
            Self::Timeout => "timeout_error",
            Self::Overloaded => "overloaded_error",
        }
    }

    /// The HTTP status that belongs to it.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Authentication => 401,
            Self::Billing => 402,
            Self::Permission => 403,
            Self::NotFound => 404,
            Self::RequestTooLarge => 413,
            Self::RateLimit => 429,
            Self::Api => 500,
            Self::Timeout => 504,
            Self::Overloaded => 529,
        }
    }
}

/// An error, ready to be written as a body or as the data of an `error` frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorBody<'a> {
    /// What kind of error.
    pub kind: ErrorKind,
    /// In words, for the user.
    pub message: &'a str,
    /// `error.details.error_code`, by which SDKs recognise what they can recover from.
    pub code: Option<&'a str>,
    /// The id under which our log has the exchange.
    pub request_id: Option<&'a str>,
}

// === impl ErrorBody ===

impl<'a> ErrorBody<'a> {
    /// An error without code and id.
    pub fn new(kind: ErrorKind, message: &'a str) -> Self {
        Self { kind, message, code: None, request_id: None }
    }

    /// Writes the JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":\"error\",\"error\":{\"type\":\"");
        out.extend_from_slice(self.kind.as_str().as_bytes());
        out.extend_from_slice(b"\",\"message\":");
        write_str(out, self.message);
        if let Some(code) = self.code {
            out.extend_from_slice(b",\"details\":{\"error_code\":");
            write_str(out, code);
            out.push(b'}');
        }
        out.push(b'}');
        if let Some(id) = self.request_id {
            out.extend_from_slice(b",\"request_id\":");
            write_str(out, id);
        }
        out.push(b'}');
    }

    /// The JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.message.len());
        self.write(&mut out);
        out
    }
}

#[cfg(test)]
mod tests;
