//! The control plane: what the command line, the tray and the dashboard ask. Needs the control token or a browser's
//! session.

pub(crate) mod accounts;
pub(crate) mod caller;
pub(crate) mod capture;
pub(crate) mod clients;
pub(crate) mod conversations;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod exchanges;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod models;
pub(crate) mod named;
pub(crate) mod playground;
pub(crate) mod quota;
pub(crate) mod refused;
pub(crate) mod routes;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod table;
pub(crate) mod usage;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::IntoResponse;
use axum::{Json, Router};
use serde::Serialize;

use self::refused::Refused;
use self::table::{ControlRoute, Table};
use crate::Gateway;

/// What a reload found.
#[derive(Serialize)]
struct Reloaded {
    reloaded: bool,
    problems: Vec<String>,
}

/// All that can be asked here and below `/v1`, as OpenAPI says it: written by `cargo xtask types`.
const DESCRIBED: &str = include_str!("../../../../docs/openapi.json");

/// Everything under `/api`. Whoever adds a row describes it in `docs/api.md`, and gives it one in
/// `xtask/src/openapi/table.rs`.
pub(crate) fn table() -> Table {
    Table::default()
        .get("/status", status)
        .post("/reload", reload)
        .post("/shutdown", shutdown)
        .get("/logs", logs::last)
        .get("/doctor", doctor::examine)
        .get("/openapi.json", described)
        .get("/events", events::events)
        .post("/session/link", session::link)
        .post("/session/end", session::end)
        .get("/accounts", accounts::list)
        .post("/accounts", named::add)
        .delete("/accounts", accounts::clear)
        .post("/accounts/sign-in", sign_in::begin)
        .get("/accounts/sign-in/{id}", sign_in::stage)
        .delete("/accounts/sign-in/{id}", sign_in::cancel)
        .get("/accounts/sign-in/{id}/events", sign_in::events)
        .post("/accounts/sign-in/{id}/callback", sign_in::callback)
        .delete("/accounts/{account}", accounts::remove)
        .post("/accounts/{account}/label", accounts::label)
        .post("/accounts/{account}/priority", accounts::priority)
        .post("/accounts/{account}/pause", accounts::pause)
        .post("/accounts/{account}/resume", accounts::resume)
        .post("/accounts/{account}/wake", accounts::wake)
        .post("/accounts/{account}/switch", accounts::switch)
        .post("/accounts/{account}/verify", quota::verify)
        .get("/accounts/{account}/quota", quota::quota)
        .post("/accounts/{account}/quota/refresh", quota::refresh)
        .get("/accounts/{account}/reset-credits", quota::reset_credits)
        .post("/accounts/{account}/reset-credits/consume", quota::consume)
        .get("/quota", quota::all)
        .get("/conversations", conversations::list)
        .get("/conversations/{id}", conversations::one)
        .get("/exchanges", exchanges::list)
        .get("/exchanges.csv", exchanges::csv)
        .get("/exchanges/{id}", exchanges::one)
        .get("/usage", usage::sums)
        .get("/usage.csv", usage::csv)
        .get("/prices", usage::prices)
        .get("/settings", settings::list)
        .patch("/settings", settings::patch)
        .get("/settings/{key}", settings::get)
        .put("/settings/{key}", settings::put)
        .delete("/settings/{key}", settings::delete)
        .get("/capture", capture::show)
        .post("/capture", capture::begin)
        .delete("/capture", capture::end)
        .get("/capture/{id}", capture::one)
        .delete("/capture/{id}", capture::remove)
        .get("/capture/{id}/bundle", capture::bundle)
        .get("/keys", keys::list)
        .post("/keys", keys::create)
        .delete("/keys/{name}", keys::revoke)
        .get("/clients", clients::list)
        .get("/intent", clients::intent)
        .post("/clients/{client}", clients::connect)
        .delete("/clients/{client}", clients::restore)
        .get("/clients/{client}/plan", clients::plan)
        .post("/clients/{client}/verify", clients::verify)
        .post("/clients/{client}/drift", clients::drift)
        .get("/clients/{client}/backups", clients::backups)
        .get("/clients/{client}/backups/{id}", clients::backup)
        .post("/clients/{client}/backups/{id}/restore", clients::restore_backup)
        .get("/models", models::list)
        .get("/routes", routes::list)
        .post("/routes/try", routes::attempt)
        .post("/playground", playground::play)
        .put("/routes/{role}", routes::put_role)
        .delete("/routes/{role}", routes::delete_role)
        .put("/aliases/{name}", routes::put_alias)
        .delete("/aliases/{name}", routes::delete_alias)
}

/// All paths of the control plane.
pub fn control_routes() -> Vec<ControlRoute> {
    table().into_rows()
}

pub(crate) fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    table()
        .into_router()
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(gateway), caller::let_in))
        .layer(middleware::from_fn(refused::in_one_shape))
}

async fn nothing() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "not_found", "the control plane has nothing at this path")
}

async fn wrong_method() -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take that method")
}

/// `GET /api/status`
async fn status(State(gateway): State<Arc<Gateway>>) -> impl IntoResponse {
    accounts::known_soon(&gateway).await;
    Json(gateway.status())
}

/// `GET /api/openapi.json`
async fn described() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIBED)
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
