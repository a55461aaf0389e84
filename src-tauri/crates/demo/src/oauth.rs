//! The token endpoint: refresh with single-use rotation, and every way it can go wrong (codex-backend.md §1, §12).

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::account::Identity;
use crate::auth::exchange;
use crate::auth::fault::oauth_refusal;
use crate::auth::visit::{Visit, unavailable};
use crate::net::Line;
use crate::record::Route;
use crate::refusal::Refusal;
use crate::strict::Provider;
use crate::tokens::{BadRefresh, Issued};
use crate::world::World;

/// How a refresh goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFault {
    /// This status with a JSON error; the refresh token stays good.
    Status(u16),
    /// A bot check in HTML with status 403; the refresh token stays good.
    Challenge,
    /// No answer until [`Demo::release`](crate::Demo::release); then an ordinary one.
    Hang,
    /// The tokens are rotated, but the connection drops before the answer.
    LostAnswer,
    /// Refused for good with this code, such as `refresh_token_expired`.
    Refuse(String),
    /// An answer without a new refresh token; the old one stays good.
    WithoutRefreshToken,
    /// An answer without an id token.
    WithoutIdToken,
}

/// `POST /oauth/token` and `POST /api/accounts/oauth/token`.
pub(crate) async fn token(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let mut visit = match Visit::read(world, Route::Token, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    match visit.field("grant_type") {
        Some("refresh_token") => refresh(visit).await,
        Some("authorization_code") => exchange::exchange(visit).await,
        _ => visit.refuse(&Refusal::error(
            400,
            "invalid_request_error",
            Some("unsupported_grant_type"),
            None,
            "Unsupported grant type",
        )),
    }
}

async fn refresh(mut visit: Visit) -> Response {
    visit.exchange.played("refresh_token");
    let provider = visit.provider();
    remarks(&visit);
    let fault = {
        let mut state = visit.world.lock();
        state.token_faults.pop_front().or_else(|| state.standing_token_fault.clone())
    };
    match &fault {
        Some(TokenFault::Status(status)) => return visit.refuse(&unavailable(*status)),
        Some(TokenFault::Challenge) => return visit.challenge(),
        Some(TokenFault::Refuse(code)) => {
            return visit.refuse(&dead(provider, code, "Please sign in again.").excused());
        }
        Some(TokenFault::Hang) => visit.releases.next(None).await,
        _ => {}
    }
    let token = visit.field("refresh_token").unwrap_or_default();
    let now = visit.world.now();
    let (who, issued) = match visit.world.issuer.refresh(token, visit.field("client_id"), now) {
        Ok(renewed) => renewed,
        Err(bad) => return visit.refuse(&bad_refresh(provider, bad)),
    };
    visit.exchange.account(&who.account_id);
    if fault == Some(TokenFault::LostAnswer) {
        return visit.hang_up().await;
    }
    let mut answer = answer(&who, &issued, now);
    match fault {
        Some(TokenFault::WithoutRefreshToken) => {
            visit.world.issuer.keep_refresh(token);
            remove(&mut answer, "refresh_token");
        }
        Some(TokenFault::WithoutIdToken) => remove(&mut answer, "id_token"),
        _ => {}
    }
    visit.answer(answer).await
}

fn remove(answer: &mut Value, key: &str) {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove(key);
    }
}

fn remarks(visit: &Visit) {
    let exchange = &visit.exchange;
    if visit.parts.headers.contains_key(http::header::AUTHORIZATION) {
        exchange.violation("a refresh with an Authorization header");
    }
    if visit.field("client_id").is_none() {
        exchange.violation("a refresh without client_id");
    }
    let reason = matches!(visit.field("refresh_reason"), Some("proactive_expiry" | "unauthorized_recovery"));
    match visit.provider() {
        Provider::Codex if visit.json.is_some() && !reason => {
            exchange.violation("a refresh without a known refresh_reason");
        }
        Provider::Plan if visit.field("resource").is_none() => exchange.violation("a plan refresh without resource"),
        _ => {}
    }
}

/// The answer of either token endpoint.
pub(crate) fn answer(who: &Identity, issued: &Issued, now: i64) -> Value {
    let mut answer = json!({
        "access_token": issued.access,
        "refresh_token": issued.refresh,
        "id_token": issued.id,
        "token_type": "Bearer",
        "expires_in": issued.expires_at - now,
        "scope": who.scope,
    });
    if who.is_plan() {
        answer["earliest_refresh_at"] = json!(issued.earliest_refresh_at);
    }
    answer
}

/// A refresh token that gives nothing any more. The codex host says 401 with an error object, the other the OAuth way.
fn dead(provider: Provider, code: &str, message: &str) -> Refusal {
    let status = match provider {
        Provider::Codex => 401,
        Provider::Plan => 400,
    };
    oauth_refusal(provider, status, code, message)
}

fn bad_refresh(provider: Provider, bad: BadRefresh) -> Refusal {
    let plan = provider == Provider::Plan;
    let (code, message) = match bad {
        BadRefresh::Reused => (
            "refresh_token_reused",
            "Your refresh token has already been used to generate a new access token. Please try signing in again.",
        ),
        BadRefresh::FamilyDead => {
            ("refresh_token_invalidated", "Your refresh token has been revoked. Please try signing in again.")
        }
        BadRefresh::TooEarly => ("invalid_grant", "The refresh token was used before earliest_refresh_at."),
        BadRefresh::Unknown if plan => ("invalid_grant", "The refresh token is not valid."),
        BadRefresh::Unknown => {
            ("refresh_token_expired", "Your refresh token has expired. Please try signing in again.")
        }
        BadRefresh::WrongClient => ("invalid_client", "The refresh token belongs to another client."),
    };
    let mut refusal = dead(provider, code, message);
    // What no careful client does.
    refusal.violation = matches!(bad, BadRefresh::Reused | BadRefresh::TooEarly | BadRefresh::WrongClient);
    refusal
}
