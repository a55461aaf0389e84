//! Spending a refresh token (`codex-backend.md §1` and §12).
//!
//! A refresh token is single-use, so an answer that gets lost may have taken the sign-in with it. Nothing is sent twice
//! from here: whether to try again is decided where it is known what the disk holds.
//!
//! **Invariant:** tokens appear in no message, log or error.

use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{Credential, Kind, Refresh, RefreshFailure, RefreshReason, Renewed, Renewing, Secret};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::endpoints::{below, host_of};
use crate::failure::{Failure, FailureKind, Fields};
use crate::provider::{Provider, RenewalShape};
use crate::upstream::{ORIGINATOR, Wire, insert, read};

/// Connect, send, and the whole answer. The pool waits for it with every request of the account, so not forever; and
/// never cancels it, so it must end.
const PATIENCE: Duration = Duration::from_secs(45);
/// Tokens are a few kilobytes.
const LONGEST_ANSWER: usize = 256 * 1024;

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
        let mut headers = HeaderMap::new();
        insert(&mut headers, "user-agent", Some(&self.wire.options.user_agent));
        insert(&mut headers, "originator", Some(ORIGINATOR));
        insert(&mut headers, "accept", Some("application/json"));
        insert(&mut headers, "accept-encoding", Some("identity"));

        let client = self.wire.clients.for_url(&url).map_err(|failure| transient(failure.message))?;
        let request = client.post(url).headers(headers);
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
        let exchange = async {
            let response = request.send().await.map_err(|error| Failure::from_transport(&error, &host))?;
            let (status, headers) = (response.status(), response.headers().clone());
            Ok((status, headers, read(response, LONGEST_ANSWER, &host).await?))
        };
        let (status, headers, body) = match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return Err(lost(&failure)),
            Err(_) => return Err(lost(&Failure::idle(&host, PATIENCE))),
        };
        let now = (self.wire.clock)();
        if status.is_success() { renewed(&body, now, &host) } else { Err(refused(status, &headers, &body, now)) }
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
    let Some(answer) = Fields::parse(body) else {
        return Err(transient(format!("{host} answered a refresh with something that is no JSON. {spent}")));
    };
    let secret = |name| answer.text(name).map(Secret::new);
    let renewed = Renewed {
        access_token: secret("access_token"),
        refresh_token: secret("refresh_token"),
        id_token: secret("id_token"),
        // The pool reads the access token's own `exp` where this is absent. This one does not depend on whether the
        // two clocks agree.
        expires_at: answer.whole("expires_in").and_then(|seconds| after(now, seconds)),
        earliest_refresh_at: moment(&answer, "earliest_refresh_at", now),
    };
    if renewed.access_token.is_none() && renewed.refresh_token.is_none() && renewed.id_token.is_none() {
        return Err(transient(format!("{host} answered a refresh without any token. {spent}")));
    }
    Ok(renewed)
}

/// The auth host said no. Only a code on the list, or a plain 401 of its own, ends the sign-in.
fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> RefreshFailure {
    let code = code_of(body);
    let failure = Failure::from_http(status, headers, body, now);
    let refusal = matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    match code {
        Some(code) if refusal && TERMINAL.contains(&code.as_str()) => dead(&code, failure.message),
        // As its own client: a 401 with a reason it does not know is final too. Without a reason it may be anyone's.
        Some(code) if status == StatusCode::UNAUTHORIZED => dead(&code, failure.message),
        _ => transient(failure.message),
    }
}

/// `{"error": {"code"}}`, `{"error": "code"}`, or `{"detail": {"code" | "error_code"}}`.
fn code_of(body: &[u8]) -> Option<String> {
    let body = Fields::parse(body)?;
    let detail = body.object("detail");
    let in_detail = |name| detail.as_ref().and_then(|detail| detail.text(name));
    let in_error = body.object("error").and_then(|error| error.text("code"));
    in_error.or_else(|| body.text("error")).or_else(|| in_detail("code")).or_else(|| in_detail("error_code"))
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

/// Epoch seconds, RFC 3339, or (too small to be a date of this century) a distance in seconds.
fn moment(answer: &Fields<'_>, name: &str, now: Timestamp) -> Option<Timestamp> {
    const EARLIEST_DATE: i64 = 1_000_000_000;
    match answer.whole(name) {
        Some(seconds) if seconds < EARLIEST_DATE => after(now, seconds),
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => answer.text(name)?.parse().ok(),
    }
}

fn after(now: Timestamp, seconds: i64) -> Option<Timestamp> {
    now.checked_add(SignedDuration::from_secs(seconds.max(0))).ok()
}

fn dead(code: &str, message: impl Into<String>) -> RefreshFailure {
    RefreshFailure::Dead { code: code.to_owned(), message: message.into() }
}

fn transient(message: impl Into<String>) -> RefreshFailure {
    RefreshFailure::Transient { message: message.into() }
}

#[cfg(test)]
mod tests;
