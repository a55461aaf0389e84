//! The token endpoint: refresh with single-use rotation, and every way it can go wrong (codex-backend.md §1, §12).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::account::Identity;
use crate::failure::{Circumstances, Failure};
use crate::net::Line;
use crate::record::{Exchange, Outcome, Route};
use crate::refusal::Refusal;
use crate::respond::drop_line;
use crate::routes::{json_body, refuse};
use crate::script::Releases;
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

pub(crate) async fn token(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut exchange = world.recorder.begin(Route::Token, &parts);
    let mut releases = Releases::new(world.releases.subscribe());
    let Ok(raw) = axum::body::to_bytes(body, 1 << 20).await else {
        return refuse(&Refusal::detail(413, "Request body too large"), &mut exchange);
    };
    let json = serde_json::from_slice::<Value>(&raw).ok().map(Arc::new);
    exchange.body(&raw, json.as_ref());
    let provider = if parts.uri.path().starts_with("/api/accounts") { Provider::Plan } else { Provider::Codex };
    let fields = fields(&parts.headers, json.as_deref(), &raw);
    let field = |name: &str| fields.get(name).map(|value| value.as_ref());
    if field("grant_type") != Some("refresh_token") {
        let refusal = Refusal::error(
            400,
            "invalid_request_error",
            Some("unsupported_grant_type"),
            None,
            "Unsupported grant type",
        );
        return refuse(&refusal, &mut exchange);
    }
    remarks(provider, &parts.headers, json.is_some(), &field, &exchange);
    let fault = {
        let mut state = world.lock();
        state.token_faults.pop_front().or_else(|| state.standing_token_fault.clone())
    };
    match &fault {
        Some(TokenFault::Status(status)) => {
            let refusal =
                Refusal::error(*status, "server_error", Some("server_error"), None, "Please try again later.");
            return refuse(&refusal.excused(), &mut exchange);
        }
        Some(TokenFault::Challenge) => return challenge(provider, &mut exchange),
        Some(TokenFault::Refuse(code)) => {
            return refuse(&dead(provider, code, "Please sign in again.").excused(), &mut exchange);
        }
        Some(TokenFault::Hang) => releases.next(None).await,
        _ => {}
    }
    let token = field("refresh_token").unwrap_or_default();
    let (who, issued) = match world.issuer.refresh(token, field("client_id"), world.now()) {
        Ok(renewed) => renewed,
        Err(bad) => return refuse(&bad_refresh(provider, bad), &mut exchange),
    };
    exchange.account(&who.account_id);
    if fault == Some(TokenFault::LostAnswer) {
        return drop_line(&line, exchange).await;
    }
    let mut answer = answer(&who, &issued, world.now());
    match fault {
        Some(TokenFault::WithoutRefreshToken) => {
            world.issuer.keep_refresh(token);
            remove(&mut answer, "refresh_token");
        }
        Some(TokenFault::WithoutIdToken) => remove(&mut answer, "id_token"),
        _ => {}
    }
    exchange.end(Outcome::Completed);
    let mut response = json_body(StatusCode::OK, &answer);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn remove(answer: &mut Value, key: &str) {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove(key);
    }
}

/// JSON from the Codex CLI, a form from everybody else.
fn fields<'a>(headers: &HeaderMap, json: Option<&'a Value>, raw: &'a [u8]) -> HashMap<String, Cow<'a, str>> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return url::form_urlencoded::parse(raw).map(|(key, value)| (key.into_owned(), value)).collect();
    }
    let fields = json.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), Cow::Borrowed(value.as_str()?)))).collect()
}

fn remarks<'a>(
    provider: Provider,
    headers: &HeaderMap,
    json: bool,
    field: &impl Fn(&str) -> Option<&'a str>,
    exchange: &Exchange,
) {
    if headers.contains_key(header::AUTHORIZATION) {
        exchange.violation("a refresh with an Authorization header");
    }
    if field("client_id").is_none() {
        exchange.violation("a refresh without client_id");
    }
    let reason = matches!(field("refresh_reason"), Some("proactive_expiry" | "unauthorized_recovery"));
    match provider {
        Provider::Codex if json && !reason => exchange.violation("a refresh without a known refresh_reason"),
        Provider::Plan if field("resource").is_none() => exchange.violation("a plan refresh without resource"),
        _ => {}
    }
}

fn answer(who: &Identity, issued: &Issued, now: i64) -> Value {
    let mut answer = json!({
        "access_token": issued.access,
        "refresh_token": issued.refresh,
        "id_token": issued.id,
        "token_type": "Bearer",
        "expires_in": issued.expires_at - now,
        "scope": "openid profile email offline_access",
    });
    if who.is_plan() {
        answer["scope"] = json!("openid profile email offline_access resource.invoke chatgpt.tokens.use.direct");
        answer["earliest_refresh_at"] = json!(issued.earliest_refresh_at);
    }
    answer
}

/// A refresh token that gives nothing any more. The codex host says 401 with an error object, the other the OAuth way.
fn dead(provider: Provider, code: &str, message: &str) -> Refusal {
    match provider {
        Provider::Codex => Refusal::error(401, "invalid_request_error", Some(code), None, message),
        Provider::Plan => {
            let mut refusal = Refusal::detail(400, message);
            refusal.body = json!({"error": code, "error_description": message});
            refusal
        }
    }
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

fn challenge(provider: Provider, exchange: &mut Exchange) -> Response {
    let http = Failure::Challenge.http(Circumstances { provider, model: "", plan: "", now: 0 });
    exchange.end(Outcome::Refused { status: 403, reason: http.refusal.reason });
    let mut response = Response::new(Body::from(http.html.unwrap_or_default()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    *response.headers_mut() = http.headers;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    response
}
