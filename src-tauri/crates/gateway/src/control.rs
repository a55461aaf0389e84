//! The control plane: what the command line, the tray and the dashboard ask. Needs the control token.

pub(crate) mod accounts;
pub(crate) mod logs;
pub(crate) mod quota;
pub(crate) mod refused;
pub(crate) mod sign_in;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Serialize;

use self::refused::Refused;
use crate::{Gateway, guard};

/// What a reload found.
#[derive(Serialize)]
struct Reloaded {
    reloaded: bool,
    problems: Vec<String>,
}

/// Everything under `/api`.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    Router::new()
        .route("/status", get(status))
        .route("/logs", get(logs::last))
        .route("/reload", post(reload))
        .route("/shutdown", post(shutdown))
        .route("/accounts", get(accounts::list).delete(accounts::clear))
        .route("/accounts/sign-in", post(sign_in::begin))
        .route("/accounts/sign-in/{id}", get(sign_in::stage).delete(sign_in::cancel))
        .route("/accounts/sign-in/{id}/events", get(sign_in::events))
        .route("/accounts/sign-in/{id}/callback", post(sign_in::callback))
        .route("/accounts/{id}", delete(accounts::remove))
        .route("/accounts/{id}/label", post(accounts::label))
        .route("/accounts/{id}/priority", post(accounts::priority))
        .route("/accounts/{id}/pause", post(accounts::pause))
        .route("/accounts/{id}/resume", post(accounts::resume))
        .route("/accounts/{id}/wake", post(accounts::wake))
        .route("/accounts/{id}/switch", post(accounts::switch))
        .route("/accounts/{id}/verify", post(quota::verify))
        .route("/accounts/{id}/quota", get(quota::quota))
        .route("/accounts/{id}/quota/refresh", post(quota::refresh))
        .route("/accounts/{id}/reset-credits", get(quota::reset_credits))
        .route("/accounts/{id}/reset-credits/consume", post(quota::consume))
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(gateway), needs_token))
}

async fn needs_token(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    if guard::is_control(request.headers(), &gateway.control_token) {
        return next.run(request).await;
    }
    Refused::new(
        StatusCode::UNAUTHORIZED,
        "control_token_needed",
        "the control plane needs the control token as a bearer",
    )
    .hint("print it with: codeferry token")
    .into_response()
}

async fn nothing() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "not_found", "the control plane has nothing at this path")
}

async fn wrong_method() -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take that method")
}

/// `GET /api/status`
async fn status(State(gateway): State<Arc<Gateway>>) -> impl IntoResponse {
    Json(gateway.status())
}

/// `POST /api/reload`: reads settings, keys and accounts again, so that what the command line changed on disk counts at
/// once. What cannot be read stays as it was, and is named.
async fn reload(State(gateway): State<Arc<Gateway>>) -> impl IntoResponse {
    let problems = gateway.reload().await;
    Json(Reloaded { reloaded: problems.is_empty(), problems })
}

/// `POST /api/shutdown`: as SIGTERM.
async fn shutdown(State(gateway): State<Arc<Gateway>>) -> StatusCode {
    gateway.stopping.cancel();
    StatusCode::ACCEPTED
}
