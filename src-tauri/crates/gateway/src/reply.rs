//! Refusals, in the caller's own dialect.
//!
//! Handlers give a [`Problem`]; only this file makes a response of it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use codeferry_wire::anthropic::error::{ErrorBody, ErrorKind};
use codeferry_wire::chat::error::ErrorBody as OpenAiError;
use codeferry_wire::gemini::error::ErrorBody as GoogleError;
use codeferry_wire::json::Open;

use crate::dialect::Shape;

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
    /// `error.details.error_code`, for Anthropic's clients.
    pub(crate) error_code: Option<&'static str>,
    /// `error.code`, for OpenAI's clients, where its kind does not say enough.
    pub(crate) code: Option<&'static str>,
    /// `error.param`, for OpenAI's clients: what of the request is wrong, as in `messages[3].role`.
    pub(crate) param: Option<String>,
    /// When the limit that stands against it ends.
    pub(crate) resets: Option<Box<Resets>>,
}

/// When a limit ends. A Codex shows it (`codex-backend.md §5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resets {
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// Seconds from now.
    pub(crate) after: u64,
}

/// The id of an exchange under the name that OpenAI's clients read (`response._request_id`).
const X_REQUEST_ID: &str = "x-request-id";

/// Puts the id of an exchange into an answer, under the names that clients look for.
pub(crate) fn add_id(headers: &mut HeaderMap, shape: Shape, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        if shape == Shape::OpenAi {
            headers.insert(X_REQUEST_ID, id.clone());
        }
        headers.insert(REQUEST_ID, id);
    }
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
            error_code: None,
            code: None,
            param: None,
            resets: None,
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

    /// With a code and a parameter, for OpenAI's clients.
    pub(crate) fn about(mut self, code: Option<&'static str>, param: Option<String>) -> Self {
        self.code = code.or(self.code);
        self.param = param.or(self.param);
        self
    }

    /// What OpenAI's clients are told. The types are those of platform.openai.com/docs/guides/error-codes.
    pub(crate) fn openai(&self) -> OpenAiError<'_> {
        let (kind, code) = openai_words(self.kind);
        let kind = if self.code == Some(USAGE_LIMIT) { USAGE_LIMIT } else { kind };
        OpenAiError { kind, message: &self.message, param: self.param.as_deref(), code: self.code.or(code) }
    }

    /// The same as a body.
    fn openai_body(&self) -> Vec<u8> {
        let body = self.openai().to_json();
        let Some(Resets { at, after }) = self.resets.as_deref() else { return body };
        let told = Open::read(&body, |_, _| Ok(())).ok().and_then(|mut whole| {
            let mut error = whole.get("error").and_then(Open::of)?;
            error.set("resets_at", at.to_string().into_bytes());
            error.set("resets_in_seconds", after.to_string().into_bytes());
            whole.set("error", error.write().bytes);
            Some(whole.write().bytes)
        });
        told.unwrap_or(body)
    }

    /// What Google's clients are told, and with which status.
    fn google(&self) -> (Vec<u8>, StatusCode) {
        let code = google_code(self.status.as_u16(), self.final_word);
        let known = self.code.or_else(|| openai_words(self.kind).1);
        let reason = known.map(str::to_ascii_uppercase);
        // Where nobody knows when it ends, it is not within the minutes for which they would wait.
        let never = (self.final_word && code == 429).then_some(AN_HOUR);
        let retry_after = self.retry_after.or(self.resets.as_deref().map(|resets| resets.after)).or(never);
        let mut error = GoogleError::new(code, &self.message);
        if code == 400 && self.status.is_server_error() {
            error.status = "FAILED_PRECONDITION";
        }
        let error = GoogleError { field: self.param.as_deref(), reason: reason.as_deref(), retry_after, ..error };
        (error.to_json(), StatusCode::from_u16(code).unwrap_or(self.status))
    }

    /// The response, under the id of its exchange.
    pub(crate) fn into_response(self, shape: Shape, request_id: &str) -> Response {
        let (body, status) = match shape {
            Shape::Anthropic => {
                let (kind, message, code) = (self.kind, &self.message, self.error_code);
                (ErrorBody { kind, message, code, request_id: Some(request_id) }.to_json(), self.status)
            }
            // 529 is a word of Anthropic's.
            Shape::OpenAi if self.status.as_u16() == ErrorKind::Overloaded.status() => {
                (self.openai_body(), StatusCode::SERVICE_UNAVAILABLE)
            }
            Shape::OpenAi => (self.openai_body(), self.status),
            Shape::Google => self.google(),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        add_id(headers, shape, request_id);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.final_word {
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        response
    }
}

/// In seconds.
const AN_HOUR: u64 = 3600;

/// The status that Google's clients are told. They try again upon every 5xx, ten times some of them, and know nothing of
/// `x-should-retry`: what only the person can mend is a 400, which they show at once.
pub(crate) fn google_code(status: u16, final_word: bool) -> u16 {
    match status {
        500.. if final_word => 400,
        // A word of Anthropic's.
        529 => 503,
        other => other,
    }
}

/// The plan is used up: a type of the upstream's own, which its client knows (`codex-backend.md §5`).
pub(crate) const USAGE_LIMIT: &str = "usage_limit_reached";

/// `error.type` and the usual `error.code` for a kind of error.
pub(crate) fn openai_words(kind: ErrorKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ErrorKind::InvalidRequest => ("invalid_request_error", None),
        ErrorKind::Authentication => ("authentication_error", Some("invalid_api_key")),
        ErrorKind::Billing => ("insufficient_quota", Some("insufficient_quota")),
        ErrorKind::Permission => ("permission_error", None),
        ErrorKind::NotFound => ("invalid_request_error", Some("not_found")),
        ErrorKind::RequestTooLarge => ("invalid_request_error", Some("request_entity_too_large")),
        ErrorKind::RateLimit => ("rate_limit_error", Some("rate_limit_exceeded")),
        ErrorKind::Api => ("server_error", None),
        ErrorKind::Timeout => ("timeout_error", Some("timeout")),
        ErrorKind::Overloaded => ("server_error", Some("server_is_overloaded")),
    }
}
