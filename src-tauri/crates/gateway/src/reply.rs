//! Refusals, in the caller's own dialect.
//!
//! Handlers give a [`Problem`]; only this file makes a response of it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use codeferry_wire::anthropic::error::{ErrorBody, ErrorKind};

/// The id of an exchange, as it stands in the `request-id` header, in errors and in the log.
pub(crate) const REQUEST_ID: &str = "request-id";

/// Why a request is not served. Everything the client is told, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// The kind, in Anthropic's words.
    pub(crate) kind: ErrorKind,
    /// What happened and what can be done, for a person. Never a secret, never a prompt.
    pub(crate) message: String,
    /// Seconds after which another try makes sense.
    pub(crate) retry_after: Option<u64>,
    /// Another try of the same request cannot help: clients that understand `x-should-retry` stop at once
    /// (`claude-code.md §0.5`).
    pub(crate) final_word: bool,
    /// `error.details.error_code`
    pub(crate) code: Option<&'static str>,
}

/// `codeferry-losses`: what could not be carried, by name.
pub(crate) fn add_losses(headers: &mut HeaderMap, losses: &str) {
    if !losses.is_empty()
        && let Ok(value) = HeaderValue::from_str(losses)
    {
        headers.insert("codeferry-losses", value);
    }
}

// === impl Problem ===

impl Problem {
    /// A problem with the usual status of its kind.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            kind,
            message: message.into(),
            retry_after: None,
            final_word: false,
            code: None,
        }
    }

    /// The request itself is wrong.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// Another status than the usual one.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Trying again is no use.
    pub(crate) fn final_word(mut self) -> Self {
        self.final_word = true;
        self
    }

    /// The response, under the id of its exchange.
    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let body = ErrorBody { kind: self.kind, message: &self.message, code: self.code, request_id: Some(request_id) };
        let mut response = Response::new(Body::from(body.to_json()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.final_word {
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        response
    }
}
