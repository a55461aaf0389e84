//! `/api/accounts`: the accounts themselves. An account is named by id, label or e-mail address.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_accounts::{AccountId, AccountStatus, Removed, Rotation};
use serde::{Deserialize, Serialize};

use super::refused::{Refused, Sent};
use crate::Gateway;

#[derive(Serialize)]
pub(crate) struct List {
    accounts: Vec<AccountStatus>,
    rotation: Rotation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    label: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Priority {
    priority: i32,
}

/// An account that is gone.
#[derive(Serialize)]
pub(crate) struct Gone {
    id: AccountId,
    /// Whether the auth host has ended the sign-in too.
    revoked: bool,
}

pub(crate) async fn list(State(gateway): State<Arc<Gateway>>) -> Json<List> {
    Json(List::of(&gateway, known(&gateway).await))
}

// === impl List ===

impl List {
    pub(crate) fn of(gateway: &Gateway, accounts: Vec<AccountStatus>) -> Self {
        Self { accounts, rotation: gateway.pool.rotation() }
    }
}

/// The accounts as they are on disk now. What cannot be read is named by `reload`; then this is what is known.
pub(crate) async fn known(gateway: &Gateway) -> Vec<AccountStatus> {
    if let Err(error) = gateway.pool.reload_if_changed().await {
        tracing::warn!(%error, "the accounts cannot be read again");
    }
    gateway.pool.list()
}

/// The same for who does not wait for a keychain that asks its owner first.
pub(crate) async fn known_soon(gateway: &Gateway) {
    let _ = tokio::time::timeout(Duration::from_secs(1), gateway.pool.reload_if_changed()).await;
}

/// Those of them that pay for requests which name none. The old systems knew no others.
pub(crate) async fn paying(gateway: &Gateway) -> Vec<AccountStatus> {
    known(gateway).await.into_iter().filter(|account| !account.named).collect()
}

/// The account of that id, label or e-mail address.
pub(crate) async fn find(gateway: &Gateway, who: &str) -> Result<AccountStatus, Refused> {
    let is = |account: &AccountStatus| {
        account.id.to_string() == who || account.label.as_deref() == Some(who) || account.email.as_deref() == Some(who)
    };
    let mut found = known(gateway).await.into_iter().filter(is);
    match (found.next(), found.next()) {
        (Some(account), None) => Ok(account),
        (None, _) => Err(Refused::new(StatusCode::NOT_FOUND, "unknown_account", "there is no such account")),
        (Some(_), Some(_)) => {
            let message = "more than one account is called so; use its id";
            Err(Refused::new(StatusCode::CONFLICT, "ambiguous_account", message))
        }
    }
}

pub(crate) async fn label(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    Sent(label): Sent<Label>,
) -> Result<StatusCode, Refused> {
    gateway.pool.label(&id, label.label).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn priority(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    Sent(priority): Sent<Priority>,
) -> Result<StatusCode, Refused> {
    gateway.pool.set_priority(&id, priority.priority).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn pause(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    gateway.pool.pause(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn resume(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    gateway.pool.resume(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn wake(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    gateway.pool.wake(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn switch(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    gateway.pool.switch(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Wipes an account, then tells the auth host. Wiped first: a sign-in that cannot be ended there must not stay here.
pub(crate) async fn remove(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<Json<Gone>, Refused> {
    Ok(Json(take_away(&gateway, &id).await?))
}

/// The same for whoever has another shape for it.
pub(crate) async fn take_away(gateway: &Gateway, who: &str) -> Result<Gone, Refused> {
    let removed = gateway.pool.remove(who).await?;
    Ok(revoke(gateway, removed).await)
}

pub(crate) async fn clear(State(gateway): State<Arc<Gateway>>) -> Result<Json<Vec<Gone>>, Refused> {
    let mut gone = Vec::new();
    for removed in gateway.pool.clear().await? {
        gone.push(revoke(&gateway, removed).await);
    }
    Ok(Json(gone))
}

async fn revoke(gateway: &Gateway, removed: Removed) -> Gone {
    let id = removed.account.id.clone();
    if removed.read_only || removed.account.kind.is_named() {
        // The sign-in is another program's, and goes on there; a key is ended by whoever issued it.
        return Gone { id, revoked: false };
    }
    let revoked = match gateway.upstream.revoke(removed.account.kind, &removed.credential).await {
        Ok(()) => true,
        Err(failure) => {
            tracing::info!(account = %id, failure = failure.kind.name(), "the sign-in could not be ended at the auth host");
            false
        }
    };
    Gone { id, revoked }
}
