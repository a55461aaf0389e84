//! The question, and what a yes gives: a code, and for a new installation a client of its own.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::StatusCode;

use crate::account::{AccountKind, PLAN_USAGE};
use crate::auth::authorize::{Asked, DYNAMIC_CLIENT, redirect, refusal, with_query};
use crate::auth::page::{self, buttons, escape};
use crate::auth::visit::Visit;
use crate::auth::{Code, MEMORY};
use crate::net::Line;
use crate::record::{Outcome, Route};
use crate::world::World;

/// Codes are good for ten minutes.
const CODE_LIFETIME: i64 = 600;

/// What the person at the browser said.
pub(crate) enum Decision {
    Allow { account: String, plan_usage: bool },
    Cancel,
}

/// The page with the question.
pub(crate) fn ask(world: &World, asked: Asked) -> Response {
    let mut auth = world.auth.lock();
    let mut visitors = auth.visitors.clone();
    if let Some(hint) = &asked.login_hint {
        visitors.sort_by_key(|name| format!("{name}@demo.test") != *hint);
    }
    let number = auth.next();
    let ticket = world.seal.tag("ticket", format!("{number}:{}", asked.state).as_bytes());
    let plan_usage = match asked.kind {
        AccountKind::Codex => String::new(),
        AccountKind::Plan => {
            let checked = if auth.plan_usage { " checked" } else { "" };
            format!(
                "<p><label><input type=\"checkbox\" id=\"plan-usage\" name=\"plan_usage\" value=\"yes\"{checked}> \
                 Let it use my ChatGPT plan</label></p>"
            )
        }
    };
    let body = format!(
        "<p>{} wants to sign you in with your ChatGPT account.</p><form method=\"post\" action=\"/demo/consent\">\
         <input type=\"hidden\" name=\"ticket\" value=\"{ticket}\">{plan_usage}{}</form>",
        escape(&asked.app),
        buttons(&visitors),
    );
    if auth.tickets.len() > MEMORY {
        auth.tickets.clear();
    }
    auth.tickets.insert(ticket, asked);
    drop(auth);
    page::page(StatusCode::OK, "Sign in with ChatGPT", &body)
}

/// `POST /demo/consent`: the click on a button of that page.
pub(crate) async fn decide(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let mut visit = match Visit::read(world, Route::Consent, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    let ticket = visit.field("ticket").unwrap_or_default();
    let asked = visit.world.auth.lock().tickets.remove(ticket);
    let Some(asked) = asked else {
        let reason = "This page was answered before.".to_owned();
        let response = page::sorry(StatusCode::BAD_REQUEST, "This page is over", &reason);
        visit.exchange.end(Outcome::Refused { status: 400, reason });
        return response;
    };
    let decision = match visit.field("account") {
        Some(account) => {
            let plan_usage = visit.field("plan_usage").is_some();
            Decision::Allow { account: account.to_owned(), plan_usage }
        }
        None => Decision::Cancel,
    };
    let location = callback(&visit.world, &asked, &decision);
    visit.send(redirect(StatusCode::SEE_OTHER, &location)).await
}

/// Where the browser is sent with the decision.
pub(crate) fn callback(world: &World, asked: &Asked, decision: &Decision) -> String {
    let Decision::Allow { account, plan_usage } = decision else {
        return refusal(&asked.redirect_uri, "access_denied", "The user cancelled the sign-in.", &asked.state);
    };
    let now = world.now();
    let mut who = world.identity(asked.kind, account);
    who.scope = granted(&asked.scope, *plan_usage);
    let mut auth = world.auth.lock();
    let number = auth.next();
    who.client_id = match &asked.host_id {
        Some(host) if asked.client_id == DYNAMIC_CLIENT => register(world, host, number),
        _ => asked.client_id.clone(),
    };
    let tag = world.seal.tag("code", format!("{number}:{now}:{}", asked.state).as_bytes());
    let code = format!("ac_{}", world.seal.id("code", tag.as_bytes(), 32));
    let mut pairs = vec![("code", code.as_str()), ("scope", &who.scope), ("state", &asked.state)];
    if asked.kind == AccountKind::Plan {
        pairs.push(("client_id", &who.client_id));
    }
    let location = with_query(&asked.redirect_uri, &pairs);
    let entry = Code {
        redirect_uri: asked.redirect_uri.clone(),
        challenge: asked.challenge.clone(),
        nonce: asked.nonce.clone(),
        expires_at: now + CODE_LIFETIME,
        who,
    };
    auth.put_code(code, entry);
    location
}

/// The scopes without the one that was refused.
fn granted(scope: &str, plan_usage: bool) -> String {
    let kept: Vec<&str> = scope.split(' ').filter(|word| plan_usage || *word != PLAN_USAGE).collect();
    kept.join(" ")
}

/// A client of its own for this installation. The id proves itself, so that a restarted demo still knows it.
fn register(world: &World, host: &str, number: u64) -> String {
    let salt = world.seal.id("salt", format!("{host}:{number}:{}", world.now()).as_bytes(), 16);
    let proof = proof(world, &salt, host);
    format!("oaiapp_{salt}{proof}")
}

/// Whether this client was issued to this installation.
pub(crate) fn is_registered(world: &World, client_id: &str, host: &str) -> bool {
    let Some((salt, given)) = client_id.strip_prefix("oaiapp_").and_then(|id| id.split_at_checked(16)) else {
        return false;
    };
    proof(world, salt, host) == given
}

fn proof(world: &World, salt: &str, host: &str) -> String {
    let tag = world.seal.tag("client", format!("{salt}:{host}").as_bytes());
    world.seal.id("client", tag.as_bytes(), 16)
}
