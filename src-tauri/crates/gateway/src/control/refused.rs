//! Errors of the control plane: `{"code","message","hint"}`. A front end matches the code, a person reads the rest.

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use codeferry_accounts::{ChooseError, LabelError, NoAccount};
use codeferry_upstream::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sign_in::BeginError;

/// Why the control plane does not do what it was asked.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

/// What was sent as JSON. What cannot be read is refused in the shape of every other refusal.
pub(crate) struct Sent<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(sent)) => Ok(Self(sent)),
            Err(rejection) => {
                let status = Some(rejection.status()).filter(|status| *status != StatusCode::UNPROCESSABLE_ENTITY);
                let status = status.unwrap_or(StatusCode::BAD_REQUEST);
                Err(Refused::new(status, "bad_request", rejection.body_text()))
            }
        }
    }
}

// === impl Refused ===

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

impl From<ChooseError> for Refused {
    fn from(error: ChooseError) -> Self {
        let (status, code) = match &error {
            ChooseError::Unknown { .. } => (StatusCode::NOT_FOUND, "unknown_account"),
            ChooseError::Ambiguous { .. } => (StatusCode::CONFLICT, "ambiguous_account"),
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
            BeginError::NoDevice | BeginError::Demo => (StatusCode::BAD_REQUEST, "bad_method"),
            BeginError::PortsTaken | BeginError::Listen(_) => (StatusCode::CONFLICT, "ports_taken"),
            BeginError::Random(_) => (StatusCode::INTERNAL_SERVER_ERROR, "no_random"),
            BeginError::Upstream(_) => (StatusCode::BAD_GATEWAY, "auth_host_failed"),
        };
        let hint = match &error {
            BeginError::PortsTaken => Some("close the other login, or sign in with a device code"),
            BeginError::Upstream(error) => Some(error.hint()),
            _ => None,
        };
        Self { status, code, message: error.to_string(), hint }
    }
}
