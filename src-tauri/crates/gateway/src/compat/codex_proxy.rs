//! codex-proxy's paths (`seed-a.md §2`): `/accounts…`, `/settings/…`, `/claude/config…`, `/api/logs/stream`, and what it
//! told of itself under `/health`.

mod accounts;
pub(crate) mod claude;
pub(crate) mod logs;
mod quota;
mod settings;
mod sign_in;
mod view;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

pub(crate) use self::view::Summary;
use crate::control::refused::Refused;
use crate::control::table::Table;

#[derive(Serialize)]
struct Failed<'a> {
    success: bool,
    error: &'a str,
    message: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// `{"success":true,"message"}`
#[derive(Serialize)]
struct Done {
    success: bool,
    message: String,
}

pub(super) fn add(table: Table) -> Table {
    table
        .get("/accounts", accounts::list)
        .get("/accounts/status", accounts::status)
        .get("/accounts/quota", quota::one)
        .get("/accounts/quota/all", quota::all)
        .get("/accounts/usage", quota::usage)
        .get("/accounts/models", accounts::models)
        .post("/accounts/add", sign_in::begin)
        .post("/accounts/add/manual", sign_in::pasted)
        .post("/accounts/oauth/cleanup", sign_in::give_up)
        .post("/accounts/switch", accounts::switch)
        .post("/accounts/import", accounts::import)
        .post("/accounts/refresh", accounts::refresh_active)
        .post("/accounts/refresh/all", accounts::refresh_all)
        .post("/accounts/{email}/refresh", accounts::refresh)
        .delete("/accounts/{email}", accounts::remove)
        .get("/settings/haiku-model", settings::kilo)
        .post("/settings/haiku-model", settings::set_kilo)
        .get("/settings/kilo-models", settings::kilo_models)
        .get("/settings/account-strategy", settings::strategy)
        .post("/settings/account-strategy", settings::set_strategy)
        .get("/settings/model-mappings", settings::mappings)
        .post("/settings/model-mappings", settings::set_mappings)
        .get("/settings/claude-proxy", claude::on_startup)
        .post("/settings/claude-proxy", claude::set_on_startup)
        .get("/claude/config", claude::config)
        .post("/claude/config/proxy", claude::proxy)
        .post("/claude/config/direct", claude::direct)
        .post("/claude/config/set", claude::set)
        .get("/api/logs/stream", logs::stream)
}

/// A refusal as codex-proxy writes it: `{"success":false,"error"}`; `/accounts/switch` put the sentence into `message`.
pub(super) fn refusal(refused: &Refused) -> Response {
    let (message, code) = (refused.message(), refused.code());
    let failed = Failed { success: false, error: message, message, code, hint: refused.hint_text() };
    (refused.status(), Json(failed)).into_response()
}

// === impl Done ===

impl Done {
    fn new(message: impl Into<String>) -> Json<Self> {
        Json(Self { success: true, message: message.into() })
    }
}
