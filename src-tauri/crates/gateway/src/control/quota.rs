//! `/api/accounts/{id}/quota` and what belongs to it: how much is left.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_accounts::{AccountId, AccountStatus, Kind, Lease, Quota};
use codeferry_upstream::{Failure, FailureKind};
use codeferry_upstream::{
    ServerCall,
    reset_credits::{Redeemed, ResetCredits},
};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::{self, find};
use super::refused::{Refused, Sent};
use crate::Gateway;

/// Where the plan's own page is, for accounts whose host gives no figures (`codex-backend.md §12`).
const USAGE_PAGE: &str = "https://chatgpt.com/settings/usage";

/// How long somebody who looks waits for news.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of an account's limits.
#[derive(Serialize)]
pub(crate) struct Known {
    id: AccountId,
    quota: Option<Quota>,
    /// Why there are no figures, and where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

/// What a look at an account found.
#[derive(Serialize)]
pub(crate) struct Verified {
    id: AccountId,
    pub(crate) ok: bool,
    pub(crate) message: String,
}

/// Which credit is to be used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consume {
    /// It cannot be taken back, so it has to be said.
    confirm: bool,
    credit_id: Option<String>,
    /// The same id twice uses one credit.
    request_id: Option<Uuid>,
}

/// All accounts, as they are listed.
#[derive(Serialize)]
pub(crate) struct All {
    accounts: Vec<Known>,
}

/// What is known. Somebody looks, so the usage endpoint is asked first, but no more often than every five minutes, and not
/// for longer than a person waits.
pub(crate) async fn quota(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<Json<Known>, Refused> {
    let account = find(&gateway, &id).await?;
    Ok(Json(glance(&gateway, &account).await))
}

/// The same of all accounts, looked at side by side.
pub(crate) async fn all(State(gateway): State<Arc<Gateway>>) -> Json<All> {
    let accounts = accounts::known(&gateway).await;
    Json(All { accounts: join_all(accounts.iter().map(|account| glance(&gateway, account))).await })
}

pub(crate) async fn glance(gateway: &Gateway, account: &AccountStatus) -> Known {
    if account.kind == Kind::Codex && gateway.looks.claim(&account.id) {
        let looked = async {
            let lease = gateway.pool.lease_as_is(&account.id).await.map_err(|_| "no token")?;
            look(gateway, &lease).await.map_err(|failure| failure.kind.name())
        };
        if let Err(problem) = tokio::time::timeout(PATIENCE, looked).await.unwrap_or(Err("no answer in time")) {
            tracing::info!(account = %account.id, problem, "the usage could not be read");
        }
    }
    known(gateway, account)
}

/// Asks the usage endpoint. Plan accounts have none.
pub(crate) async fn refresh(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Json<Known>, Refused> {
    let account = find(&gateway, &id).await?;
    if account.kind == Kind::Codex {
        let lease = gateway.pool.lease_of(&account.id).await?;
        look(&gateway, &lease).await?;
    }
    Ok(Json(known(&gateway, &account)))
}

/// Looks whether the account can be used, without spending a refresh token: the token it has is shown to the usage
/// endpoint.
pub(crate) async fn verify(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Json<Verified>, Refused> {
    look_closer(&gateway, &id).await.map(Json)
}

/// The same for whoever asks within this process.
pub(crate) async fn look_closer(gateway: &Gateway, who: &str) -> Result<Verified, Refused> {
    let account = find(gateway, who).await?;
    let lease = gateway.pool.lease_as_is(&account.id).await?;
    let looked = match account.kind {
        Kind::Codex => look(gateway, &lease).await.map(|()| "the upstream knows this account"),
        // The plan's host has no usage page; its list of models is open to whoever may use them.
        // It knows by itself who is signed in.
        Kind::CodexCli => look_at_codex_cli(gateway, &lease).await.map(|()| "the Codex CLI starts and is signed in"),
        Kind::Plan | Kind::Demo => {
            gateway.upstream.models((&lease).into()).await.map(|_| "the upstream lists models for this account")
        }
        Kind::Compatible | Kind::OpenaiKey => {
            let endpoint = lease.account.endpoint.as_ref();
            let call = ServerCall { kind: account.kind, endpoint, key: &lease.access_token };
            gateway.upstream.ask_server(call).await.map(|_| "the server lists its models for this account")
        }
    };
    let (ok, message) = match looked {
        Ok(message) => (true, message.to_owned()),
        Err(failure) if account.named && failure.kind == FailureKind::Unauthorized => {
            (false, format!("the server does not accept the key: {}", failure.message))
        }
        Err(failure) if failure.kind == FailureKind::Unauthorized => (
            false,
            format!(
                "the access token is refused; it is renewed with the next request, or needs sign-in ({})",
                failure.message
            ),
        ),
        Err(failure) => (false, failure.message),
    };
    Ok(Verified { id: account.id, ok, message })
}

async fn look_at_codex_cli(gateway: &Gateway, lease: &Lease) -> Result<(), Failure> {
    let Some(program) = &lease.account.program else { return Ok(()) };
    gateway.upstream.codex_cli()?.look(program).await.map(drop)
}

pub(crate) async fn reset_credits(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Json<ResetCredits>, Refused> {
    let lease = codex_lease(&gateway, &id).await?;
    Ok(Json(gateway.upstream.reset_credits((&lease).into()).await?))
}

pub(crate) async fn consume(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    Sent(consume): Sent<Consume>,
) -> Result<Json<Redeemed>, Refused> {
    if !consume.confirm {
        let message = "using a reset credit cannot be taken back";
        return Err(
            Refused::new(StatusCode::BAD_REQUEST, "confirmation_needed", message).hint("send {\"confirm\": true}")
        );
    }
    let lease = codex_lease(&gateway, &id).await?;
    let request_id = consume.request_id.unwrap_or_else(Uuid::new_v4);
    let redeemed =
        gateway.upstream.consume_reset_credit((&lease).into(), request_id, consume.credit_id.as_deref()).await?;
    // What is left now is news; if it cannot be had, the credit was used all the same.
    if let Err(failure) = look(&gateway, &lease).await {
        tracing::info!(failure = failure.kind.name(), "the usage after a reset could not be read");
    }
    Ok(Json(redeemed))
}

async fn codex_lease(gateway: &Gateway, id: &str) -> Result<Lease, Refused> {
    let account = find(gateway, id).await?;
    if account.kind != Kind::Codex {
        let message = "only codex accounts have reset credits";
        return Err(Refused::new(StatusCode::BAD_REQUEST, "no_reset_credits", message));
    }
    Ok(gateway.pool.lease_of(&account.id).await?)
}

/// Reads the usage page into what is known.
pub(crate) async fn look(gateway: &Gateway, lease: &Lease) -> Result<(), Failure> {
    gateway.looks.look(&gateway.pool, &gateway.upstream, lease, gateway.now()).await
}

fn known(gateway: &Gateway, account: &AccountStatus) -> Known {
    let notice = (account.kind == Kind::Plan).then(|| format!("the plan's host gives no figures; see {USAGE_PAGE}"));
    Known { id: account.id.clone(), quota: gateway.pool.quota(&account.id), notice }
}
