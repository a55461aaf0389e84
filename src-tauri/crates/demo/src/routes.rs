//! The doors: both providers, the auth host, and what little else a client asks.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::account::Identity;
use crate::auth::{self, authorize as pages, device, discovery, revoke};
use crate::beside;
use crate::catalog;
use crate::failure::{invalidated, not_granted, unauthorized};
use crate::net::Line;
use crate::oauth;
use crate::record::{Outcome, Route};
use crate::refusal::Refusal;
use crate::respond;
use crate::socket;
use crate::strict::Provider;
use crate::tokens::BadAccess;
use crate::wham;
use crate::world::World;

type Shared = State<Arc<World>>;

pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/v1/responses", post(plan).get(plan_socket).fallback(wrong_method))
        .route("/backend-api/codex/responses", post(codex).get(codex_socket).fallback(wrong_method))
        .route("/v1/models", get(plan_models).fallback(wrong_method))
        .route("/backend-api/codex/models", get(codex_models).fallback(wrong_method))
        .merge(auth_host())
        .merge(accounts())
        .merge(beside::router())
        .route("/backend-api/codex/chat/completions", any(forbidden))
        .fallback(not_found)
        .layer(DefaultBodyLimit::disable())
        .with_state(world)
}

/// The auth host, and the pages a browser sees.
fn auth_host() -> Router<Arc<World>> {
    Router::new()
        .route("/oauth/authorize", get(pages::codex).fallback(wrong_method))
        .route("/api/accounts/authorize", get(pages::plan).fallback(wrong_method))
        .route("/demo/consent", post(auth::decide).fallback(wrong_method))
        .route("/oauth/token", post(oauth::token).fallback(wrong_method))
        .route("/api/accounts/oauth/token", post(oauth::token).fallback(wrong_method))
        .route("/oauth/revoke", post(revoke::revoke).fallback(wrong_method))
        .route("/api/accounts/oauth/revoke", post(revoke::revoke).fallback(wrong_method))
        .route("/api/accounts/deviceauth/usercode", post(device::usercode).fallback(wrong_method))
        .route("/api/accounts/deviceauth/token", post(device::poll).fallback(wrong_method))
        .route("/codex/device", get(device::form).post(device::decide).fallback(wrong_method))
        .route("/.well-known/jwks.json", get(discovery::keys).fallback(wrong_method))
        .route("/.well-known/openid-configuration", get(discovery::openid).fallback(wrong_method))
}

/// What the codex host knows about an account.
fn accounts() -> Router<Arc<World>> {
    const CREDITS: &str = "/backend-api/wham/rate-limit-reset-credits";
    Router::new()
        .route("/backend-api/wham/usage", get(wham::usage).fallback(wrong_method))
        .route("/backend-api/codex/usage", get(wham::usage).fallback(wrong_method))
        .route(CREDITS, get(wham::reset_credits).fallback(wrong_method))
        .route(&format!("{CREDITS}/consume"), post(wham::consume).fallback(wrong_method))
        .route("/backend-api/wham/accounts/check", get(wham::accounts).fallback(wrong_method))
}

async fn plan(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    respond::respond(world, Provider::Plan, line, request).await
}

async fn codex(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    respond::respond(world, Provider::Codex, line, request).await
}

async fn plan_socket(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    socket::open(world, Provider::Plan, line, request).await
}

async fn codex_socket(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    socket::open(world, Provider::Codex, line, request).await
}

async fn plan_models(State(world): Shared, request: Request) -> Response {
    models(&world, Provider::Plan, request)
}

async fn codex_models(State(world): Shared, request: Request) -> Response {
    models(&world, Provider::Codex, request)
}

/// The catalogue with its entity tag; 304 for who has it already (codex-backend.md §7).
fn models(world: &World, provider: Provider, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut exchange = world.recorder.begin(Route::Models, &parts);
    match authorize(world, provider, &parts.headers) {
        Ok(who) => exchange.account(&who.account_id),
        Err(refusal) => return refuse(&refusal, &mut exchange),
    }
    let query = parts.uri.query().unwrap_or_default();
    let version = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "client_version");
    if provider == Provider::Codex && version.is_none() {
        exchange.violation("GET /codex/models without client_version");
    }
    exchange.end(Outcome::Completed);
    let known = parts.headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == catalog::ETAG);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        json_body(StatusCode::OK, &catalog::listing(version.as_ref().map(|(_, value)| value.as_ref())))
    };
    response.headers_mut().insert(header::ETAG, HeaderValue::from_static(catalog::ETAG));
    response
}

/// Only this host's own paths exist, and this one is closed to subscriptions (codex-backend.md §2).
async fn forbidden(State(world): Shared, request: Request) -> Response {
    other(&world, request, 403, "Forbidden")
}

async fn not_found(State(world): Shared, request: Request) -> Response {
    other(&world, request, 404, "Not Found")
}

async fn wrong_method(State(world): Shared, request: Request) -> Response {
    other(&world, request, 405, "Method Not Allowed")
}

fn other(world: &World, request: Request, status: u16, detail: &str) -> Response {
    let (parts, _) = request.into_parts();
    let mut exchange = world.recorder.begin(Route::Other, &parts);
    refuse(&Refusal::detail(status, detail), &mut exchange)
}

/// Whose bearer token this is. Faults of an account are told in the words of the provider that was asked.
pub(crate) fn authorize(world: &World, provider: Provider, headers: &HeaderMap) -> Result<Identity, Refusal> {
    let token = bearer(headers).ok_or_else(|| Refusal::detail(401, "Unauthorized"))?;
    let mut who = world.issuer.check_access(token, world.now()).or_else(|bad| match bad {
        _ if world.options.any_token => Ok(Identity::named(crate::account::AccountKind::Codex, "anyone")),
        BadAccess::Expired => Err(unauthorized(provider)),
        BadAccess::Revoked | BadAccess::Unknown => Err(invalidated(provider)),
    })?;
    if !who.may_use_plan() {
        return Err(not_granted());
    }
    // A plan can change while a token lives.
    if let Some(plan) = world.lock().plans.get(&who.account_id) {
        who.plan.clone_from(plan);
    }
    Ok(who)
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Sends a refusal and puts it on record.
pub(crate) fn refuse(refusal: &Refusal, exchange: &mut crate::record::Exchange) -> Response {
    if refusal.violation {
        exchange.violation(refusal.reason.clone());
    }
    exchange.end(Outcome::Refused { status: refusal.status, reason: refusal.reason.clone() });
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_body(status, &refusal.body)
}

pub(crate) fn json_body(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
