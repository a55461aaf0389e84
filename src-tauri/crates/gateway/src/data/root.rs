//! What is answered to everybody: `HEAD /`, `GET /`, `GET /health`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::compat::codex_proxy::Summary;
use crate::compat::{Peer, lets_in};
use crate::control::accounts::paying;
use crate::{Gateway, page, ui};

/// As codaze (`ok`) and codex-proxy (`status`) put it; the rest is codex-proxy's, for whoever may know.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    ok: bool,
    status: &'static str,
    version: &'static str,
    #[serde(flatten)]
    summary: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_path: Option<String>,
}

/// `HEAD /` is Claude Code's way to see whether somebody is there (`claude-code.md §1`). A browser gets the dashboard, which
/// needs no session to be shown: it says nothing about anybody until `/api` answers it.
pub(crate) async fn root(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/html") {
        return concat!("codeferry ", env!("CARGO_PKG_VERSION"), "\n").into_response();
    }
    ui::page().unwrap_or_else(|| {
        let message = concat!("Version ", env!("CARGO_PKG_VERSION"), ", built without its dashboard, which takes Node.js.");
        let hint = "Build it with `cargo xtask start`. Until then: codeferry status, codeferry accounts list, codeferry quota.";
        page::show(page::language(&headers), StatusCode::OK, "Codeferry is running", message, hint)
    })
}

/// `GET /health`: to everybody that somebody is there, with the control token how the accounts fare.
pub(crate) async fn health(
    State(gateway): State<Arc<Gateway>>,
    peer: Peer,
    headers: HeaderMap,
    uri: Uri,
) -> impl IntoResponse {
    let mut health =
        Health { ok: true, status: "ok", version: env!("CARGO_PKG_VERSION"), summary: None, config_path: None };
    if gateway.settings.snapshot().compat && lets_in(&gateway, &headers, &uri, peer) {
        health.summary = Some(Summary::of(&gateway, &paying(&gateway).await));
        health.config_path = Some(gateway.settings.path().display().to_string());
    }
    Json(health)
}
