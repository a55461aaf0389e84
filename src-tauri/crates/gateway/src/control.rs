//! The control plane: what the command line, the tray and the dashboard ask. Needs the control token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::{Gateway, guard};

/// An error of the control plane.
#[derive(Serialize)]
struct Refused {
    code: &'static str,
    message: String,
    hint: &'static str,
}

/// What a reload found.
#[derive(Serialize)]
struct Reloaded {
    reloaded: bool,
    problems: Vec<String>,
}

/// `GET /api/status`
pub(crate) async fn status(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    allowed(&gateway, &headers).map_or_else(|refused| refused, |()| Json(gateway.status()).into_response())
}

/// `POST /api/reload`: reads settings, keys and accounts again, so that what the command line changed on disk counts at
/// once. What cannot be read stays as it was, and is named.
pub(crate) async fn reload(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    if let Err(refused) = allowed(&gateway, &headers) {
        return refused;
    }
    let problems = gateway.reload().await;
    Json(Reloaded { reloaded: problems.is_empty(), problems }).into_response()
}

/// `POST /api/shutdown`: as SIGTERM.
pub(crate) async fn shutdown(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    if let Err(refused) = allowed(&gateway, &headers) {
        return refused;
    }
    gateway.stop_requested.cancel();
    StatusCode::ACCEPTED.into_response()
}

#[expect(clippy::result_large_err, reason = "the error is the response, made once")]
fn allowed(gateway: &Gateway, headers: &HeaderMap) -> Result<(), Response> {
    if guard::is_control(headers, &gateway.control_token) {
        return Ok(());
    }
    let refused = Refused {
        code: "control_token_needed",
        message: "the control plane needs the control token as a bearer".to_owned(),
        hint: "print it with: codeferry token",
    };
    Err((StatusCode::UNAUTHORIZED, Json(refused)).into_response())
}
