//! The paths of the systems people come from: codex-proxy, codaze and codex-completions-api.
//!
//! Only names and shapes are theirs. What is done is done by the functions of the control plane, and where the old system
//! had a defect, this one does the right thing: `docs/migrating.md` has a row for each path.
//!
//! **Invariant:** there is no other way to a handler here than past `door::let_in`, or past the client key for `/verify`.

pub(crate) mod codaze;
pub(crate) mod codex_proxy;
mod completions_api;
mod door;
pub(crate) mod sent;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use axum::response::Response;
use codeferry_store::Settings;

pub(crate) use self::door::{Peer, lets_in};
use crate::Gateway;
use crate::control::refused::Refused;
use crate::control::table::{ControlRoute, Table};
use crate::reply::Problem;

/// The paths that need the control token. Whoever adds a row gives it one in `docs/migrating.md`.
fn table() -> Table {
    codaze::add(codex_proxy::add(Table::at_root()))
}

/// The paths that a client key opens.
fn client_table() -> Table {
    Table::at_root().get("/verify", completions_api::verify).options("/verify", completions_api::preflight)
}

/// All old paths.
pub fn compat_routes() -> Vec<ControlRoute> {
    let mut rows = table().into_rows();
    rows.extend(client_table().into_rows());
    rows
}

pub(crate) fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    let guarded = table().into_router().layer(middleware::from_fn_with_state(Arc::clone(gateway), door::let_in));
    let open = client_table().into_router().layer(middleware::from_fn_with_state(Arc::clone(gateway), door::if_on));
    guarded.merge(open).method_not_allowed_fallback(wrong_method)
}

/// What is to be said of the old paths wherever somebody may see it.
pub fn open_warning(settings: &Settings) -> Option<&'static str> {
    let open = settings.compat && settings.compat_open_on_loopback;
    open.then_some(
        "compat.open_on_loopback is set: every program and every user of this machine can see, switch and remove the \
         accounts over the old paths, without the control token",
    )
}

/// A refusal of the guard, in the shape of whoever owned that path. `None`: nobody did.
pub(crate) fn refuse(uri: &Uri, problem: &Problem) -> Option<Response> {
    let refused = || Refused::new(problem.status, "foreign_request", problem.message.clone());
    is_ours(uri.path()).then(|| in_shape(uri.path(), &refused()))
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    in_shape(uri.path(), &Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message))
}

/// Whether the path is one of these, served or not.
fn is_ours(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "accounts" | "settings" | "claude" | "admin" | "verify") || path == "/api/logs/stream"
}

/// A refusal as the owner of the path would write it.
fn in_shape(path: &str, refused: &Refused) -> Response {
    match path.split('/').nth(1) {
        Some("admin" | "verify") => codaze::refusal(refused),
        _ => codex_proxy::refusal(refused),
    }
}
