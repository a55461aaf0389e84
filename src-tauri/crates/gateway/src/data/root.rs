//! What is answered to everybody: `HEAD /`, `GET /`, `GET /health`.

use axum::Json;
use axum::response::IntoResponse;
use serde::Serialize;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// `HEAD /` is Claude Code's way to see whether somebody is there (`claude-code.md §1`).
pub(crate) async fn root() -> &'static str {
    concat!("codeferry ", env!("CARGO_PKG_VERSION"), "\n")
}

/// `GET /health`
pub(crate) async fn health() -> impl IntoResponse {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}
