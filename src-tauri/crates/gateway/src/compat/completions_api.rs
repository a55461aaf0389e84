//! codex-completions-api's `/verify`: who stands in front of us (Traefik's ForwardAuth) asks whether a client may come in
//! (`seed-b.md`, B-062).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::codaze::refusal;
use crate::control::refused::Refused;
use crate::{Gateway, guard};

#[derive(Serialize)]
struct Verified {
    ok: bool,
}

/// `GET /verify`: the same keys as for the data plane, each of them.
pub(super) async fn verify(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let mut response = match guard::client_of(&headers, &gateway.keys) {
        Ok(_) => Json(Verified { ok: true }).into_response(),
        Err(problem) => {
            let refused = Refused::new(StatusCode::UNAUTHORIZED, "client_key_needed", problem.message);
            let mut response = refusal(&refused);
            let realm = HeaderValue::from_static("Bearer realm=api");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
            response
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `OPTIONS /verify`: whoever asks first is told nothing. A page of a foreign origin does not come this far.
pub(super) async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}
