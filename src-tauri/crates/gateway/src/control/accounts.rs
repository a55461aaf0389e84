//! `/api/accounts`: the accounts themselves. An account is named by id, label or e-mail address.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_accounts::{AccountId, AccountStatus, Removed, Rotation};
use serde::{Deserialize, Serialize};

use super::refused::Refused;
use crate::Gateway;

#[derive(Serialize)]
pub(crate) struct List {
    accounts: Vec<AccountStatus>,
    rotation: Rotation,
}

#[derive(Deserialize)]
pub(crate) struct Label {
    label: Option<String>,
}

#[derive(Deserialize)]
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
    // What cannot be read now is named by `reload`; the list shows what is known.
    if let Err(error) = gateway.pool.reload_if_changed().await {
        tracing::warn!(%error, "the accounts cannot be read again");
    }
    Json(List { accounts: gateway.pool.list(), rotation: gateway.pool.rotation() })
}

pub(crate) async fn label(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    Json(label): Json<Label>,
) -> Result<StatusCode, Refused> {
    gateway.pool.label(&id, label.label).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn priority(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    Json(priority): Json<Priority>,
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
    let removed = gateway.pool.remove(&id).await?;
    Ok(Json(revoke(&gateway, removed).await))
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
    let revoked = match gateway.upstream.revoke(removed.account.kind, &removed.credential).await {
        Ok(()) => true,
        Err(failure) => {
            tracing::info!(account = %id, failure = failure.kind.name(), "the sign-in could not be ended at the auth host");
            false
        }
    };
    Gone { id, revoked }
}
