//! Spending a refresh token (`codex-backend.md §1` and §12).
//!
//! A refresh token is single-use, so an answer that gets lost may have taken the sign-in with it. Nothing is sent twice
//! from here: whether to try again is decided where it is known what the disk holds.
//!
//! **Invariant:** tokens appear in no message, log or error.

use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{Credential, Kind, Refresh, RefreshFailure, RefreshReason, Renewed, Renewing};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use super::ask::{Reply, code_of, once, redacted};
use super::tokens::Tokens;
use crate::endpoints::{below, host_of};
use crate::failure::{Failure, FailureKind};
use crate::provider::{Provider, RenewalShape};
use crate::upstream::Wire;

/// Connect, send, and the whole answer. The pool waits for it with every request of the account, so not forever; and
/// never cancels it, so it must end.
const PATIENCE: Duration = Duration::from_secs(45);

/// Codes after which only a new sign-in helps (`codex-backend.md §1, §12`).
const TERMINAL: &[&str] = &[
    "refresh_token_reused",
    "refresh_token_expired",
    "refresh_token_invalidated",
    "refresh_token_revoked",
    "invalid_refresh_token",
    "invalid_grant",
    "token_expired",
    "token_revoked",
    "token_invalidated",
    // The client itself is unknown or may not do this: its tokens will never renew.
    "invalid_client",
    "unauthorized_client",
];

/// Renews tokens at the auth host of their provider.
#[derive(Debug)]
pub struct OAuth {
    wire: Arc<Wire>,
}

/// The body of a refresh of the Codex sign-in, in the order of the recording `oauth_refresh.json`.
#[derive(Serialize)]
struct JsonRefresh<'a> {
    client_id: &'a str,
    grant_type: &'static str,
    refresh_reason: &'static str,
    refresh_token: &'a str,
}

#[derive(Serialize)]
struct FormRefresh<'a> {
    client_id: &'a str,
    grant_type: &'static str,
    refresh_token: &'a str,
    resource: &'static str,
}

impl OAuth {
    pub(crate) fn new(wire: Arc<Wire>) -> Self {
        Self { wire }
    }

    async fn renew(&self, kind: Kind, held: &Credential, reason: RefreshReason) -> Result<Renewed, RefreshFailure> {
        let renewal = Provider::of(kind).renewal;
        let Some(token) = &held.refresh_token else {
            return Err(dead(
                "refresh_token_missing",
                "The sign-in came without a refresh token, so it cannot be renewed",
            ));
        };
        let Some(base) = self.wire.endpoints.auth_host(kind) else {
            return Err(transient("The demo upstream is not running"));
        };
        let url = below(base, renewal.path);
        let host = host_of(&url);
        let client = self.wire.clients.for_url(&url).map_err(|failure| transient(failure.message))?;
        let request = client.post(url).headers(self.wire.named_introduction());
        let request = match renewal.shape {
            RenewalShape::Json { client_id } => request.json(&JsonRefresh {
                client_id: held.client_id.as_deref().unwrap_or(client_id),
                grant_type: "refresh_token",
                refresh_reason: match reason {
                    RefreshReason::ProactiveExpiry => "proactive_expiry",
                    RefreshReason::UnauthorizedRecovery => "unauthorized_recovery",
                },
                refresh_token: token.expose(),
            }),
            RenewalShape::Form { resource } => {
                // Every installation has a client of its own: there is none to fall back on.
                let Some(client_id) = held.client_id.as_deref() else {
                    return Err(dead(
                        "client_id_missing",
                        "The sign-in came without its client id, so it cannot be renewed",
                    ));
                };
                request.form(&FormRefresh {
                    client_id,
                    grant_type: "refresh_token",
                    refresh_token: token.expose(),
                    resource,
                })
            }
        };
        let reply = once(request, &host, PATIENCE).await.map_err(|failure| lost(&failure))?;
        let now = (self.wire.clock)();
        if reply.status.is_success() {
            renewed(&reply.body, now, &host)
        } else {
            Err(refused(&reply, token.expose(), now))
        }
    }
}

impl Refresh for OAuth {
    fn refresh<'a>(&'a self, kind: Kind, credential: &'a Credential, reason: RefreshReason) -> Renewing<'a> {
        Box::pin(self.renew(kind, credential, reason))
    }
}

/// Reads the tokens. Any of them may be absent, but not all.
fn renewed(body: &[u8], now: Timestamp, host: &str) -> Result<Renewed, RefreshFailure> {
    let spent = "The refresh token may be spent already";
    let Some(tokens) = Tokens::read(body, now) else {
        return Err(transient(format!("{host} answered a refresh with something that is no JSON. {spent}")));
    };
    let renewed = Renewed {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        id_token: tokens.id_token,
        // The pool reads the access token's own `exp` where this is absent.
        expires_at: tokens.expires_at,
        earliest_refresh_at: tokens.earliest_refresh_at,
    };
    if renewed.access_token.is_none() && renewed.refresh_token.is_none() && renewed.id_token.is_none() {
        return Err(transient(format!("{host} answered a refresh without any token. {spent}")));
    }
    Ok(renewed)
}

/// The auth host said no. Only a code on the list, or a plain 401 of its own, ends the sign-in.
fn refused(reply: &Reply, spent: &str, now: Timestamp) -> RefreshFailure {
    let status = reply.status;
    let message = redacted(Failure::from_http(status, &reply.headers, &reply.body, now).message, &[spent]);
    let refusal = matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    match code_of(&reply.body) {
        Some(code) if refusal && TERMINAL.contains(&code.as_str()) => dead(&code, message),
        // As its own client: a 401 with a reason it does not know is final too. Without a reason it may be anyone's.
        Some(code) if status == StatusCode::UNAUTHORIZED => dead(&redacted(code, &[spent]), message),
        _ => transient(message),
    }
}

/// No answer. Unless nothing was sent, the token may have been spent on the other side.
fn lost(failure: &Failure) -> RefreshFailure {
    match failure.kind {
        FailureKind::Connect => transient(&failure.message),
        _ => transient(format!(
            "{} The answer to a refresh was lost, so the refresh token may be spent already",
            failure.message
        )),
    }
}

fn dead(code: &str, message: impl Into<String>) -> RefreshFailure {
    RefreshFailure::Dead { code: code.to_owned(), message: message.into() }
}

fn transient(message: impl Into<String>) -> RefreshFailure {
    RefreshFailure::Transient { message: message.into() }
}

#[cfg(test)]
mod tests;
