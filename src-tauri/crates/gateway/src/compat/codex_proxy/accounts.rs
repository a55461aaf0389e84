//! `/accounts`: who there is, who pays, and tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_accounts::{AccountStatus, ImportOutcome, Kind, import as forms};
use codeferry_upstream::Model;
use serde::{Deserialize, Serialize};

use super::super::sent::Body;
use super::Done;
use super::view::{Account, Summary, name};
use crate::Gateway;
use crate::control::accounts::{find, paying, take_away};
use crate::control::refused::{Asked, Refused};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    accounts: Vec<Account>,
    active_account: Option<String>,
    total: usize,
}

/// `{"email"}`, in a body or behind the question mark.
#[derive(Default, Deserialize)]
pub(super) struct Who {
    email: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Models {
    success: bool,
    email: String,
    models: Vec<Listed>,
}

/// A model as the Codex backend's list has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    name: String,
    description: Option<String>,
    default_reasoning_level: Option<&'static str>,
    supported_reasoning_levels: Vec<Level>,
    supported_in_api: bool,
    visibility: &'static str,
}

#[derive(Serialize)]
struct Level {
    effort: &'static str,
}

/// What became of a token.
#[derive(Serialize)]
pub(super) struct Refreshed {
    email: String,
    success: bool,
    message: String,
}

pub(super) async fn list(State(gateway): State<Arc<Gateway>>) -> Json<List> {
    let accounts = paying(&gateway).await;
    Json(List {
        active_account: accounts.iter().find(|account| account.active).map(name),
        total: accounts.len(),
        accounts: accounts.iter().map(|account| Account::of(&gateway, account)).collect(),
    })
}

pub(super) async fn status(State(gateway): State<Arc<Gateway>>) -> Json<Summary> {
    Json(Summary::of(&gateway, &paying(&gateway).await))
}

/// The models its own host offers it, from the list at hand or from the host.
pub(super) async fn models(
    State(gateway): State<Arc<Gateway>>,
    Asked(who): Asked<Who>,
) -> Result<Json<Models>, Refused> {
    let account = meant(&gateway, who.email.as_deref()).await?;
    let at_hand = || gateway.upstream.shelf().of(&account.id);
    if at_hand().is_none() {
        let lease = gateway.pool.lease_of(&account.id).await?;
        gateway.upstream.models((&lease).into()).await?;
    }
    let models = at_hand().map(|catalog| catalog.models().iter().map(Listed::of).collect()).unwrap_or_default();
    Ok(Json(Models { success: true, email: name(&account), models }))
}

/// codex-proxy said yes to every address; here it has to be one of ours.
pub(super) async fn switch(State(gateway): State<Arc<Gateway>>, Body(who): Body<Who>) -> Result<Json<Done>, Refused> {
    let Some(email) = who.email.filter(|email| !email.is_empty()) else {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", "Email is required"));
    };
    gateway.pool.switch(&email).await?;
    Ok(Done::new(format!("Switched to account: {email}")))
}

/// Takes over what the Codex CLI is signed in with, read-only: the CLI goes on renewing it, and is not logged out by us as
/// it was by codex-proxy.
pub(super) async fn import(State(gateway): State<Arc<Gateway>>) -> Result<Json<Done>, Refused> {
    let refused = |status, message: String| Refused::new(status, "no_codex_sign_in", message);
    let Some(path) = gateway.others.codex_auth.clone() else {
        return Err(refused(StatusCode::NOT_FOUND, "the folder of the Codex CLI is not known here".to_owned()));
    };
    let shown = path.display().to_string();
    let file = path.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
    let bytes = match read.map_err(std::io::Error::other).flatten() {
        Ok(bytes) => bytes,
        Err(error) => return Err(refused(StatusCode::NOT_FOUND, format!("cannot read {shown}: {error}"))),
    };
    let imported = forms::read(Kind::Codex, &bytes, gateway.now())
        .map_err(|error| refused(StatusCode::UNPROCESSABLE_ENTITY, format!("{shown}: {error}")))?;
    let who = imported.account.name().to_owned();
    let done = gateway.pool.add_read_only(imported, path).await;
    let done = done.map_err(|error| refused(StatusCode::CONFLICT, error.to_string()))?;
    let outcome = match done.outcome {
        ImportOutcome::Added => "Imported",
        ImportOutcome::Updated => "Updated",
        ImportOutcome::Unchanged => "Nothing new for",
    };
    Ok(Done::new(format!("{outcome} account: {who}; its token is read from {shown} and never renewed by Codeferry")))
}

pub(super) async fn refresh_active(State(gateway): State<Arc<Gateway>>) -> Result<Json<Refreshed>, Refused> {
    let account = meant(&gateway, None).await?;
    Ok(Json(renewed(&gateway, &account).await))
}

pub(super) async fn refresh(
    State(gateway): State<Arc<Gateway>>,
    Path(email): Path<String>,
) -> Result<Json<Refreshed>, Refused> {
    let account = meant(&gateway, Some(&email)).await?;
    Ok(Json(renewed(&gateway, &account).await))
}

pub(super) async fn refresh_all(State(gateway): State<Arc<Gateway>>) -> Json<Vec<Refreshed>> {
    let mut all = Vec::new();
    for account in paying(&gateway).await {
        all.push(renewed(&gateway, &account).await);
    }
    Json(all)
}

pub(super) async fn remove(
    State(gateway): State<Arc<Gateway>>,
    Path(email): Path<String>,
) -> Result<Json<Done>, Refused> {
    let was_active = find(&gateway, &email).await?.active;
    take_away(&gateway, &email).await?;
    let others = !paying(&gateway).await.is_empty();
    let next = if was_active && others { "; no other account steps in by itself: switch to one" } else { "" };
    Ok(Done::new(format!("Removed account: {email}{next}")))
}

/// The account of that name, or the active one.
pub(super) async fn meant(gateway: &Gateway, email: Option<&str>) -> Result<AccountStatus, Refused> {
    match email.filter(|email| !email.is_empty()) {
        Some(email) => find(gateway, email).await.map_err(|refused| match refused.status() {
            StatusCode::NOT_FOUND => {
                Refused::new(StatusCode::NOT_FOUND, "unknown_account", format!("Account not found: {email}"))
            }
            _ => refused,
        }),
        None => {
            let active = paying(gateway).await.into_iter().find(|account| account.active);
            active.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "no_account", "No active account"))
        }
    }
}

/// Renews a token that is near its end, and no other: a refresh token is good for one renewal, and each that is spent
/// without need is one more that can be lost.
async fn renewed(gateway: &Gateway, account: &AccountStatus) -> Refreshed {
    let email = name(account);
    match gateway.pool.lease_of(&account.id).await {
        Ok(_) => {
            let now = gateway.pool.list().into_iter().find(|listed| listed.id == account.id);
            let until = now.and_then(|account| account.expires_at);
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            Refreshed { success: true, message: format!("The token of {email} is good{until}"), email }
        }
        Err(none) => Refreshed { success: false, message: none.to_string(), email },
    }
}

// === impl Listed ===

impl Listed {
    fn of(model: &Model) -> Self {
        Self {
            id: model.slug.clone(),
            name: model.display_name.clone(),
            description: model.description.clone(),
            default_reasoning_level: model.default_effort.map(|effort| effort.as_str()),
            supported_reasoning_levels: model.efforts.iter().map(|effort| Level { effort: effort.as_str() }).collect(),
            // What is listed here can be asked for here.
            supported_in_api: true,
            visibility: if model.visible { "list" } else { "hide" },
        }
    }
}
