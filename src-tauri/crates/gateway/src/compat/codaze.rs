//! codaze's `/admin/…` (`seed-c.md §10`): accounts in its words, and the routing policy.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use codeferry_accounts::{AccountState, AccountStatus, Cooldown, ImportError, ImportOutcome, Rotation, import};
use codeferry_store::Value;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sent::Body;
use crate::Gateway;
use crate::control::accounts::{find, paying, take_away};
use crate::control::refused::Refused;
use crate::control::settings::change;
use crate::control::table::Table;

#[derive(Serialize)]
struct Wrapped<'a> {
    error: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// An account as codaze shows it. What we do not know is `null`, which it was allowed to be there.
#[derive(Serialize)]
struct View {
    id: String,
    label: Option<String>,
    email: Option<String>,
    routing_state: &'static str,
    blocked_reason: Option<&'static str>,
    blocked_source: Option<&'static str>,
    blocked_until: Option<Timestamp>,
    account_id: Option<String>,
    plan_type: Option<String>,
    refresh_in_flight: bool,
    in_flight_requests: usize,
    access_token_expires_at: Option<Timestamp>,
    last_refresh_at: Option<Timestamp>,
    last_selected_at: Option<Timestamp>,
    last_success_at: Option<Timestamp>,
    last_error_at: Option<Timestamp>,
    last_error: Option<String>,
}

#[derive(Serialize)]
struct List {
    accounts: Vec<View>,
}

#[derive(Default, Deserialize, Serialize)]
struct Import {
    refresh_token: Option<String>,
    label: Option<String>,
    email: Option<String>,
}

#[derive(Serialize)]
struct Imported {
    account: View,
    already_exists: bool,
}

#[derive(Serialize)]
struct Woken {
    disposition: &'static str,
    account: View,
}

#[derive(Serialize)]
struct AllWoken {
    woken: usize,
    skipped_auth_invalid: usize,
    accounts: Vec<Woken>,
}

#[derive(Default, Deserialize, Serialize)]
struct Policy {
    routing_policy: Option<String>,
}

pub(super) fn add(table: Table) -> Table {
    table
        .get("/admin/accounts", list)
        .post("/admin/accounts/import", import_one)
        .post("/admin/accounts/wake", wake_all)
        .post("/admin/accounts/{id}/wake", wake)
        .delete("/admin/accounts/{id}", remove)
        .get("/admin/routing/policy", policy)
        .put("/admin/routing/policy", put_policy)
}

async fn list(State(gateway): State<Arc<Gateway>>) -> Json<List> {
    let mut accounts = paying(&gateway).await;
    accounts.sort_by(|a, b| a.id.cmp(&b.id));
    Json(List { accounts: accounts.iter().map(|account| View::of(&gateway, account)).collect() })
}

/// A token that was spent here is refused, not written over the one that came of it. The vault follows who the account
/// is, not the token, so the same account stays one.
async fn import_one(
    State(gateway): State<Arc<Gateway>>,
    Body(sent): Body<Import>,
) -> Result<(StatusCode, Json<Imported>), Refused> {
    if sent.refresh_token.as_deref().is_none_or(|token| token.trim().is_empty()) {
        return Err(bad_request("refresh_token must not be empty"));
    }
    let form = serde_json::to_vec(&sent).map_err(|_| bad_request("this cannot be read"))?;
    let (_, entries) = import::read_all(&form, gateway.now()).map_err(|error| bad_request(error.to_string()))?;
    let entry = entries.into_iter().next().ok_or_else(|| bad_request("there is no account in it"))?;
    let imported = entry.result.map_err(|error| bad_request(error.to_string()))?;
    let done = gateway.pool.import(imported).await.map_err(|error| match error {
        ImportError::Older { .. } => Refused::new(StatusCode::CONFLICT, "older_sign_in", error.to_string()),
        ImportError::Busy { .. } => Refused::new(StatusCode::CONFLICT, "account_busy", error.to_string()),
        error => Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "vault_failed", error.to_string()),
    })?;
    let already_exists = done.outcome != ImportOutcome::Added;
    let label = sent.label.filter(|label| already_exists && !label.trim().is_empty());
    if label.is_some() {
        gateway.pool.label(done.id.as_str(), label).await?;
    }
    let account = View::of(&gateway, &find(&gateway, done.id.as_str()).await?);
    let status = if already_exists { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(Imported { account, already_exists })))
}

async fn wake(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<Json<Woken>, Refused> {
    let account = find(&gateway, &id).await.map_err(|refused| unknown(refused, &id))?;
    Ok(Json(wake_one(&gateway, account).await?))
}

async fn wake_all(State(gateway): State<Arc<Gateway>>) -> Result<Json<AllWoken>, Refused> {
    let mut accounts = Vec::new();
    for account in paying(&gateway).await {
        accounts.push(wake_one(&gateway, account).await?);
    }
    let woken = accounts.iter().filter(|one| one.disposition == WOKEN).count();
    Ok(Json(AllWoken { woken, skipped_auth_invalid: accounts.len() - woken, accounts }))
}

const WOKEN: &str = "woken";

async fn wake_one(gateway: &Gateway, account: AccountStatus) -> Result<Woken, Refused> {
    if matches!(account.state, AccountState::NeedsSignIn { .. }) {
        return Ok(Woken { disposition: "skipped_auth_invalid", account: View::of(gateway, &account) });
    }
    gateway.pool.wake(account.id.as_str()).await?;
    let account = find(gateway, account.id.as_str()).await?;
    Ok(Woken { disposition: WOKEN, account: View::of(gateway, &account) })
}

async fn remove(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    take_away(&gateway, &id).await.map_err(|refused| unknown(refused, &id))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn policy(State(gateway): State<Arc<Gateway>>) -> Json<Policy> {
    Json(Policy { routing_policy: Some(gateway.pool.rotation().to_string()) })
}

/// Kept over restarts, as every setting is.
async fn put_policy(State(gateway): State<Arc<Gateway>>, Body(sent): Body<Policy>) -> Result<Json<Policy>, Refused> {
    let wanted = sent.routing_policy.ok_or_else(|| bad_request("missing routing_policy"))?;
    let rotation: Rotation = wanted.parse().map_err(|_| {
        let names = Rotation::ALL.map(Rotation::as_str).join(", ");
        bad_request(format!("unsupported routing policy `{wanted}`; expected one of: {names}"))
    })?;
    change(&gateway.settings, move |settings| settings.set_value("rotation", Value::Text(rotation.to_string())))
        .await?;
    Ok(Json(Policy { routing_policy: Some(rotation.to_string()) }))
}

/// A refusal as codaze writes it: `{"error":{"message"}}`.
pub(super) fn refusal(refused: &Refused) -> Response {
    let error = Message { code: refused.code(), message: refused.message(), hint: refused.hint_text() };
    (refused.status(), Json(Wrapped { error })).into_response()
}

fn bad_request(message: impl Into<String>) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, "bad_request", message)
}

/// In codaze's words.
fn unknown(refused: Refused, id: &str) -> Refused {
    match refused.status() {
        StatusCode::NOT_FOUND => {
            Refused::new(StatusCode::NOT_FOUND, "unknown_account", format!("unknown account `{id}`"))
        }
        _ => refused,
    }
}

// === impl View ===

impl View {
    fn of(gateway: &Gateway, account: &AccountStatus) -> Self {
        let now = gateway.now();
        let who = gateway.pool.account(&account.id);
        let no_token = account.expires_at.is_some_and(|at| at <= now);
        let (routing_state, blocked_reason, blocked_until, last_error) = match &account.state {
            AccountState::NeedsSignIn { why } => ("auth_invalid", Some("auth_invalid"), None, Some(why.clone())),
            AccountState::CoolingDown { until, why } => {
                let (state, reason) = in_its_words(*why);
                (state, Some(reason), Some(*until), Some(why.to_string()))
            }
            AccountState::Blocked { why } => {
                let (state, reason) = in_its_words(*why);
                (state, Some(reason), None, Some(why.to_string()))
            }
            AccountState::Ready if account.paused => {
                (UNAVAILABLE.0, Some(UNAVAILABLE.1), None, Some("paused by its owner".to_owned()))
            }
            AccountState::Ready if no_token => ("cold", None, None, None),
            AccountState::Ready => ("ready", None, None, None),
        };
        Self {
            id: account.id.to_string(),
            label: account.label.clone(),
            email: account.email.clone(),
            routing_state,
            blocked_reason,
            blocked_source: None,
            blocked_until,
            account_id: who.and_then(|who| who.chatgpt_account_id.clone()),
            plan_type: account.plan.clone(),
            refresh_in_flight: false,
            in_flight_requests: account.in_flight,
            access_token_expires_at: account.expires_at,
            last_refresh_at: account.last_refresh,
            last_selected_at: gateway.last_pick_of(&account.id),
            last_success_at: None,
            last_error_at: None,
            last_error,
        }
    }
}

const UNAVAILABLE: (&str, &str) = ("temporarily_unavailable", "temporarily_unavailable");

/// The state and the reason.
fn in_its_words(why: Cooldown) -> (&'static str, &'static str) {
    match why {
        Cooldown::UsageLimit => ("cooldown", "quota_exhausted"),
        Cooldown::RateLimit => ("cooldown", "rate_limited"),
        Cooldown::Challenge => ("risk_controlled", "risk_controlled"),
        _ => UNAVAILABLE,
    }
}
