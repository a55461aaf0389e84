//! `GET /api/accounts/authorize` and `GET /oauth/authorize`: what a sign-in may ask for (codex-backend.md §1, §12).
//!
//! A request whose client or redirect URI is wrong gets a page, because nobody may be sent anywhere by it. Everything
//! else that is wrong comes back to the callback as `error`. Both are violations: a browser only carries what our own
//! code has written.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use url::Url;

use crate::account::{AccountKind, CODEX_CLIENT_ID, CODEX_SCOPE, PLAN_CLIENT_ID, PLAN_SCOPE};
use crate::auth::consent::{self, Decision};
use crate::auth::fault::Endpoint;
use crate::auth::page;
use crate::auth::pkce;
use crate::auth::visit::Visit;
use crate::net::Line;
use crate::record::{Outcome, Route};
use crate::world::World;

/// The client every installation begins with; it is never the client of an exchange.
pub(crate) const DYNAMIC_CLIENT: &str = "dynamic_agent_client";
/// What plan tokens are for.
pub(crate) const RESOURCE: &str = "https://api.openai.com/v1";
/// The two URIs the codex client is registered with. The list is exact.
const CODEX_REDIRECTS: [&str; 2] = ["http://127.0.0.1:1455/auth/callback", "http://127.0.0.1:1457/auth/callback"];

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
/// Scopes the codex client may ask for beside the usual ones.
const CODEX_EXTRA: [&str; 2] = ["api.connectors.read", "api.connectors.invoke"];

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

/// The query, read strictly.
struct Query<'a> {
    visit: &'a Visit,
}

impl<'a> Query<'a> {
    fn of(visit: &'a Visit) -> Self {
        Self { visit }
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.visit.field(key).filter(|value| !value.is_empty())
    }

    fn repeated(&self) -> Option<String> {
        let mut seen = std::collections::HashSet::new();
        let query = self.visit.parts.uri.query().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, _)| key.into_owned())
            .find(|key| !seen.insert(key.clone()))
    }

    fn asked(&self, kind: AccountKind, world: &World) -> Result<Asked, Wrong> {
        let page = |message: String| Wrong::Page(message);
        if let Some(key) = self.repeated() {
            return Err(page(format!("The parameter {key} is there twice.")));
        }
        let client_id = self.get("client_id").ok_or_else(|| page("client_id is missing.".to_owned()))?;
        let host_id = self.get("ext_agent_host_id");
        let known = match kind {
            AccountKind::Codex => client_id == CODEX_CLIENT_ID,
            AccountKind::Plan => {
                client_id == DYNAMIC_CLIENT || client_id == PLAN_CLIENT_ID || client_id.starts_with("oaiapp_")
            }
        };
        if !known {
            return Err(page(format!("No app is registered as {client_id}.")));
        }
        let redirect_uri = self.get("redirect_uri").ok_or_else(|| page("redirect_uri is missing.".to_owned()))?;
        let allowed = match kind {
            AccountKind::Codex => CODEX_REDIRECTS.contains(&redirect_uri),
            AccountKind::Plan => is_loopback(redirect_uri),
        };
        if !allowed {
            return Err(page(format!("The redirect_uri {redirect_uri} is not registered for this app.")));
        }
        let state = self.get("state").unwrap_or_default();
        let wrong = |error: &'static str, message: &str| Wrong::Callback {
            url: refusal(redirect_uri, error, message, state),
            message: message.to_owned(),
        };
        let invalid = |message: &str| wrong("invalid_request", message);
        if state.len() < 16 {
            return Err(invalid("state is missing, or too short to be unguessable."));
        }
        if self.get("response_type") != Some("code") {
            return Err(wrong("unsupported_response_type", "response_type must be code."));
        }
        if self.get("code_challenge_method") != Some("S256") {
            return Err(invalid("code_challenge_method must be S256."));
        }
        let challenge = self.get("code_challenge").filter(|text| pkce::is_challenge(text));
        let challenge = challenge.ok_or_else(|| invalid("code_challenge is missing, or no SHA-256."))?;
        let scope = self.get("scope").unwrap_or_default();
        let (standard, extra) = match kind {
            AccountKind::Plan => (PLAN_SCOPE, &[][..]),
            AccountKind::Codex => (CODEX_SCOPE, &CODEX_EXTRA[..]),
        };
        let strange =
            scope.split(' ').find(|word| !standard.split(' ').any(|one| one == *word) && !extra.contains(word));
        if let Some(strange) = strange {
            return Err(wrong("invalid_scope", &format!("There is no scope \"{strange}\" for this app.")));
        }
        if let Some(missing) = standard.split(' ').find(|one| !scope.split(' ').any(|word| word == *one)) {
            return Err(wrong("invalid_scope", &format!("The scope {missing} is missing.")));
        }
        let nonce = self.get("nonce");
        let app = match kind {
            AccountKind::Codex => self.get("originator").ok_or_else(|| invalid("originator is missing."))?.to_owned(),
            AccountKind::Plan => self.agent(client_id, host_id, world).map_err(invalid)?,
        };
        if kind == AccountKind::Plan && nonce.is_none_or(|nonce| nonce.len() < 16) {
            return Err(invalid("nonce is missing, or too short to be unguessable."));
        }
        if kind == AccountKind::Plan && self.get("resource") != Some(RESOURCE) {
            return Err(wrong("invalid_target", "resource must be https://api.openai.com/v1."));
        }
        Ok(Asked {
            kind,
            client_id: client_id.to_owned(),
            host_id: host_id.map(str::to_owned),
            app,
            redirect_uri: redirect_uri.to_owned(),
            state: state.to_owned(),
            nonce: nonce.map(str::to_owned),
            challenge: challenge.to_owned(),
            scope: scope.to_owned(),
            login_hint: self.get("login_hint").map(str::to_owned),
        })
    }

    /// The name of the app, once it is certain which installation asks.
    fn agent(&self, client_id: &str, host_id: Option<&str>, world: &World) -> Result<String, &'static str> {
        let Some(host_id) = host_id.filter(|id| is_uuid_urn(id)) else {
            return Err("ext_agent_host_id must be urn:uuid: and a random UUID.");
        };
        if client_id == DYNAMIC_CLIENT {
            return self.get("agent_name_hint").map(str::to_owned).ok_or("agent_name_hint is missing.");
        }
        if client_id != PLAN_CLIENT_ID && !consent::is_registered(world, client_id, host_id) {
            return Err("This client was issued to another installation.");
        }
        Ok("this app".to_owned())
    }
}

/// `http://127.0.0.1:<port>/auth/callback`, and nothing else.
fn is_loopback(uri: &str) -> bool {
    let port = uri.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/auth/callback"));
    let port = port.filter(|port| !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit()));
    port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0)) && Url::parse(uri).is_ok()
}

/// `urn:uuid:` and a version 4 UUID in lower case.
fn is_uuid_urn(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(|uuid| is_uuid(uuid) && uuid.as_bytes()[14] == b'4')
}

/// Any UUID, in lower case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}
