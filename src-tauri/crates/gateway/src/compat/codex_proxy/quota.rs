//! `/accounts/quota` and `/accounts/usage`: what is left.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use codeferry_accounts::{AccountStatus, Kind};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::accounts::meant;
use super::view::{Measured, Usage, name};
use crate::Gateway;
use crate::control::accounts::paying;
use crate::control::quota::{glance, look};
use crate::control::refused::{Asked, Refused};

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    email: Option<String>,
    refresh: Option<String>,
}

#[derive(Serialize)]
pub(super) struct One {
    success: bool,
    email: String,
    quota: Option<Measured>,
    /// Nobody was asked just now.
    cached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

#[derive(Serialize)]
pub(super) struct All {
    accounts: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    email: String,
    quota: Option<Measured>,
}

#[derive(Serialize)]
pub(super) struct Live {
    success: bool,
    email: String,
    usage: Usage,
}

/// As it was last seen; asked for if that is older than five minutes, or if it is to be new.
pub(super) async fn one(
    State(gateway): State<Arc<Gateway>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<One>, Refused> {
    let account = meant(&gateway, wanted.email.as_deref()).await?;
    let before = seen(&gateway, &account).map(|quota| quota.last_checked);
    let mut warning = None;
    if wanted.refresh.as_deref() == Some("true") {
        if let Err(refused) = fresh(&gateway, &account).await {
            if before.is_none() {
                return Err(refused);
            }
            warning = Some(format!("Using cached data due to fetch error: {}", refused.message()));
        }
    } else {
        glance(&gateway, &account).await;
    }
    let quota = seen(&gateway, &account);
    let cached = quota.as_ref().map(|quota| quota.last_checked) == before;
    Ok(Json(One { success: true, email: name(&account), quota, cached, warning }))
}

/// A look at all of them, as the documents of codex-proxy promised.
pub(super) async fn all(State(gateway): State<Arc<Gateway>>) -> Json<All> {
    let accounts = paying(&gateway).await;
    join_all(accounts.iter().map(|account| glance(&gateway, account))).await;
    let entry = |account| Entry { email: name(account), quota: seen(&gateway, account) };
    Json(All { accounts: accounts.iter().map(entry).collect() })
}

/// As of now.
pub(super) async fn usage(
    State(gateway): State<Arc<Gateway>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Live>, Refused> {
    let account = meant(&gateway, wanted.email.as_deref()).await?;
    fresh(&gateway, &account).await?;
    let none = || Refused::new(StatusCode::NOT_FOUND, "no_usage", "the host of this account gives no figures");
    let measured = seen(&gateway, &account).ok_or_else(none)?;
    Ok(Json(Live { success: true, email: name(&account), usage: measured.usage }))
}

/// Asks the host, where it has something to tell.
async fn fresh(gateway: &Gateway, account: &AccountStatus) -> Result<(), Refused> {
    if account.kind != Kind::Codex {
        return Ok(());
    }
    let lease = gateway.pool.lease_of(&account.id).await?;
    Ok(look(gateway, &lease).await?)
}

fn seen(gateway: &Gateway, account: &AccountStatus) -> Option<Measured> {
    gateway.pool.quota(&account.id).and_then(|quota| Measured::of(&quota, gateway.now()))
}
