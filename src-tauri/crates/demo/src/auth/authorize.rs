//! `GET /api/accounts/authorize` and `GET /oauth/authorize`: what a sign-in may ask for (codex-backend.md §1, §12).
//!
//! A request whose client or redirect URI is wrong gets a page, because nobody may be sent anywhere by it. Everything
//! else that is wrong comes back to the callback as `error`. Both are violations: a browser only carries what our own
//! code has written.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use crate::account::AccountKind;
use crate::auth::consent::{self, Decision};
use crate::auth::fault::Endpoint;
use crate::auth::page;
use crate::auth::visit::Visit;
use crate::net::Line;
use crate::record::{Outcome, Route};
use crate::world::World;

mod query;

use query::Query;
pub(crate) use query::is_uuid;

/// The client every installation begins with; it is never the client of an exchange.
pub(crate) const DYNAMIC_CLIENT: &str = "dynamic_agent_client";
/// What plan tokens are for.
pub(crate) const RESOURCE: &str = "https://api.openai.com/v1";
/// Parameters of this demo, not of the real host: they skip the page.
const OWN: [&str; 2] = ["demo", "demo_account"];
const PLAN_PARAMETERS: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "resource",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "ext_agent_host_id",
    "agent_name_hint",
    "id_token_hint",
    "login_hint",
    "prompt",
];
const CODEX_PARAMETERS: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "id_token_add_organizations",
    "codex_cli_simplified_flow",
    "originator",
    "allowed_workspace_id",
    "current_workspace_id",
    "login_hint",
    "prompt",
];
/// A sign-in somebody was asked to agree to.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) kind: AccountKind,
    pub(crate) client_id: String,
    /// Plan: which installation this is.
    pub(crate) host_id: Option<String>,
    /// What the page calls the app.
    pub(crate) app: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: String,
    pub(crate) scope: String,
    /// The address the app expects.
    pub(crate) login_hint: Option<String>,
}

/// Why a sign-in is not even asked about.
enum Wrong {
    /// Said on a page.
    Page(String),
    /// Said to the app, by way of its callback.
    Callback { url: String, message: String },
}

type Shared = State<Arc<World>>;

pub(crate) async fn plan(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    authorize(world, AccountKind::Plan, line, request).await
}

pub(crate) async fn codex(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    authorize(world, AccountKind::Codex, line, request).await
}

async fn authorize(world: Arc<World>, kind: AccountKind, line: Line, request: Request) -> Response {
    let mut visit = match Visit::read(world, Route::Authorize, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    let asked = match Query::of(&visit).asked(kind, &visit.world) {
        Ok(asked) => asked,
        Err(wrong) => return turn_away(visit, wrong),
    };
    for remark in remarks(&visit, &asked) {
        visit.exchange.violation(remark);
    }
    let refused = visit.world.auth.lock().faults.take_refusal(Endpoint::Authorize);
    if let Some(code) = refused {
        let location = refusal(&asked.redirect_uri, &code, "The request was refused.", &asked.state);
        return visit.send(redirect(StatusCode::FOUND, &location)).await;
    }
    if let Some(response) = visit.misfortune(Endpoint::Authorize).await {
        return response;
    }
    let (visitor, auto, plan_usage) = {
        let auth = visit.world.auth.lock();
        (auth.visitors.first().cloned().unwrap_or_default(), auth.auto_consent, auth.plan_usage)
    };
    let decision = match visit.field("demo") {
        Some("deny") => Some(Decision::Cancel),
        Some("allow") => {
            let account = visit.field("demo_account").map_or(visitor, str::to_owned);
            Some(Decision::Allow { account, plan_usage })
        }
        _ if auto => Some(Decision::Allow { account: visitor, plan_usage }),
        _ => None,
    };
    let response = match decision {
        Some(decision) => redirect(StatusCode::FOUND, &consent::callback(&visit.world, &asked, &decision)),
        None => consent::ask(&visit.world, asked),
    };
    visit.send(response).await
}

fn turn_away(mut visit: Visit, wrong: Wrong) -> Response {
    let (response, status, reason) = match wrong {
        Wrong::Page(message) => {
            (page::sorry(StatusCode::BAD_REQUEST, "This sign-in cannot start", &message), 400, message)
        }
        Wrong::Callback { url, message } => (redirect(StatusCode::FOUND, &url), 302, message),
    };
    visit.exchange.violation(reason.clone());
    visit.exchange.end(Outcome::Refused { status, reason });
    response
}

/// Sends the browser somewhere.
pub(crate) fn redirect(status: StatusCode, location: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The callback with an error, in the words of RFC 6749 §4.1.2.1.
pub(crate) fn refusal(redirect_uri: &str, error: &str, message: &str, state: &str) -> String {
    with_query(redirect_uri, &[("error", error), ("error_description", message), ("state", state)])
}

pub(crate) fn with_query(redirect_uri: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(key, value);
    }
    format!("{redirect_uri}?{}", query.finish())
}

/// Accepted, but wrong to send.
fn remarks(visit: &Visit, asked: &Asked) -> Vec<String> {
    let mut remarks = Vec::new();
    let known = match asked.kind {
        AccountKind::Plan => PLAN_PARAMETERS,
        AccountKind::Codex => CODEX_PARAMETERS,
    };
    let stray = visit.fields.keys().filter(|key| !known.contains(&key.as_str()) && !OWN.contains(&key.as_str()));
    remarks.extend(stray.map(|key| format!("authorize: no parameter is called {key}")));
    let mut auth = visit.world.auth.lock();
    if !auth.first_use(format!("state {}", asked.state)) {
        remarks.push("authorize: the state of another attempt".to_owned());
    }
    if let Some(nonce) = &asked.nonce
        && !auth.first_use(format!("nonce {nonce}"))
    {
        remarks.push("authorize: the nonce of another attempt".to_owned());
    }
    if !auth.first_use(format!("challenge {}", asked.challenge)) {
        remarks.push("authorize: the code_challenge of another attempt".to_owned());
    }
    if asked.kind == AccountKind::Plan && asked.client_id != DYNAMIC_CLIENT && visit.field("agent_name_hint").is_some()
    {
        remarks.push("authorize: agent_name_hint with a registered client".to_owned());
    }
    if asked.client_id == DYNAMIC_CLIENT && visit.field("id_token_hint").is_some() {
        remarks.push("authorize: id_token_hint without the client it was issued to".to_owned());
    }
    if let Some(hint) = visit.field("id_token_hint")
        && visit.world.issuer.keys.read(hint).is_none()
    {
        remarks.push("authorize: id_token_hint is none of our id tokens".to_owned());
    }
    remarks
}
