//! Errors of the control plane: `{"code","message","hint"}`. A front end matches the code, a person reads the rest.

use std::borrow::Cow;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use codeferry_accounts::{ChooseError, LabelError, NoAccount};
use codeferry_upstream::Failure;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::reply::Problem;
use crate::sign_in::BeginError;

/// Why the control plane does not do what it was asked.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Refused {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<Cow<'static, str>>,
}

/// What was sent as JSON. What cannot be read is refused in the shape of every other refusal.
pub(crate) struct Sent<T>(pub(crate) T);

/// What stands behind the question mark.
pub(crate) struct Asked<T>(pub(crate) T);

/// Nothing that is sent here is longer.
const LONGEST: usize = 1024 * 1024;

// === impl Sent ===

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        if !is_json(request.headers()) {
            return Err(json_needed());
        }
        let bytes = body(request).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| match error.classify() {
            // It is JSON, and something else than what is wanted here.
            Category::Data => Refused::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string()),
            Category::Syntax | Category::Eof | Category::Io => {
                Refused::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body is no JSON: {error}"))
            }
        })
    }
}

/// The whole body.
pub(crate) async fn body(request: Request) -> Result<Bytes, Refused> {
    match Limited::new(request.into_body(), LONGEST).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the body is longer than {} KiB", LONGEST / 1024);
            Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message))
        }
        Err(_) => Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", "the body broke off")),
    }
}

/// For a body that does not say that it is JSON.
pub(crate) fn json_needed() -> Refused {
    let message = "what is sent here is JSON, and has to say so";
    Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json_needed", message)
        .hint("send the header Content-Type: application/json")
}

/// Whether the body says that it is JSON. A form or a text of a foreign page cannot.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

// === impl Asked ===

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let read = Query::try_from_uri(&parts.uri);
        read.map(|Query(asked)| Self(asked))
            .map_err(|error| Refused::new(StatusCode::BAD_REQUEST, "bad_request", error.body_text()))
    }
}

/// Gives every answer of the control plane the headers it needs, and every refusal its one shape, whoever wrote it.
pub(crate) async fn in_one_shape(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && !is_json(response.headers()) {
        let text = Limited::new(std::mem::take(response.body_mut()), LONGEST).collect().await;
        let text = text.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
        let message = if text.is_empty() { status.to_string() } else { text };
        response = Refused::new(status, "bad_request", message).into_response();
    }
    let headers = response.headers_mut();
    // Nothing of this is to lie in a cache, and nothing of it is a page.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

// === impl Refused ===

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // Whoever has another shape for refusals finds it here.
        let mut response = (self.status, Json(&self)).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What the guard says before the control plane is asked.
impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let code = if problem.status == StatusCode::FORBIDDEN { "foreign_request" } else { "bad_request" };
        Self::new(problem.status, code, problem.message)
    }
}

impl From<ChooseError> for Refused {
    fn from(error: ChooseError) -> Self {
        let (status, code) = match &error {
            ChooseError::Unknown { .. } => (StatusCode::NOT_FOUND, "unknown_account"),
            ChooseError::Ambiguous { .. } => (StatusCode::CONFLICT, "ambiguous_account"),
            ChooseError::Named { .. } => (StatusCode::CONFLICT, "named_account"),
            ChooseError::Busy { .. } => (StatusCode::CONFLICT, "account_busy"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "vault_failed"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<LabelError> for Refused {
    fn from(error: LabelError) -> Self {
        match error {
            LabelError::Choose(error) => error.into(),
            error => Self::new(StatusCode::BAD_REQUEST, "bad_label", error.to_string()),
        }
    }
}

impl From<NoAccount> for Refused {
    fn from(error: NoAccount) -> Self {
        Self::new(StatusCode::CONFLICT, "no_account", error.to_string())
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, failure.kind.name(), failure.message)
    }
}

impl From<BeginError> for Refused {
    fn from(error: BeginError) -> Self {
        let (status, code) = match &error {
            BeginError::NoDevice | BeginError::Demo | BeginError::Named(_) => (StatusCode::BAD_REQUEST, "bad_method"),
            BeginError::PortsTaken | BeginError::Listen(_) => (StatusCode::CONFLICT, "ports_taken"),
            BeginError::Random(_) => (StatusCode::INTERNAL_SERVER_ERROR, "no_random"),
            BeginError::Upstream(_) => (StatusCode::BAD_GATEWAY, "auth_host_failed"),
        };
        let hint = match &error {
            BeginError::PortsTaken => Some("close the other login, or sign in with a device code".into()),
            BeginError::Upstream(error) => Some(error.hint().into()),
            _ => None,
        };
        Self { status, code, message: error.to_string(), hint }
    }
}
