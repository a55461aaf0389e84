//! What is answered to everybody: `HEAD /`, `GET /`, `GET /health`.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::page;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// `HEAD /` is Claude Code's way to see whether somebody is there (`claude-code.md §1`). A browser gets a page, which
/// needs no session: it says nothing about anybody.
pub(crate) async fn root(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/html") {
        return concat!("codeferry ", env!("CARGO_PKG_VERSION"), "\n").into_response();
    }
    let message = concat!("Version ", env!("CARGO_PKG_VERSION"), ". The dashboard comes here with a later version.");
    let hint = "Until then: codeferry status, codeferry accounts list, codeferry quota.";
    page::show(StatusCode::OK, "Codeferry is running", message, hint)
}

/// `GET /health`
pub(crate) async fn health() -> impl IntoResponse {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}
