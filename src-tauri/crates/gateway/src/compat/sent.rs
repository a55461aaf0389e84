//! Bodies as the old systems took them: one that is missing has nothing in it, and what is unknown in it is passed over.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::control::refused::{self, Refused, is_json};

/// What was sent, or nothing.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        let json = is_json(request.headers());
        let bytes = refused::body(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !json {
            return Err(refused::json_needed());
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Refused::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body cannot be read: {error}"))
        })
    }
}
