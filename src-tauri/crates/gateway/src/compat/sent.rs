//! Bodies as the old systems took them: one that is missing has nothing in it, and what is unknown in it is passed over.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::control::refused::{Refused, is_json};

/// What was sent, or nothing.
pub(super) struct Body<T>(pub(super) T);

/// Nothing that is sent here is longer.
const LONGEST: usize = 1024 * 1024;

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        let json = is_json(request.headers());
        let bytes = match Limited::new(request.into_body(), LONGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let message = format!("the body is longer than {} KiB", LONGEST / 1024);
                return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message));
            }
            Err(_) => return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", "the body broke off")),
        };
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !json {
            let message = "what is sent here is JSON, and has to say so";
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json_needed", message)
                .hint("send the header Content-Type: application/json"));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Refused::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body cannot be read: {error}"))
        })
    }
}
