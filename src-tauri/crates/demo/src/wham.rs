//! What the codex host says about an account beside its answers: usage, reset credits, workspaces (codex-backend.md §7).
//!
//! There is nothing of the kind for plan accounts: their tokens are refused here, and asking is a violation.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::account::Identity;
use crate::auth::authorize::is_uuid;
use crate::auth::fault::Endpoint;
use crate::auth::visit::Visit;
use crate::net::Line;
use crate::record::Route;
use crate::refusal::Refusal;
use crate::routes::authorize;
use crate::strict::{Provider, check_account_headers};
use crate::world::World;

/// A credit that starts the windows of an account anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetCredit {
    /// What a client names to use this one.
    pub id: String,
    /// Its display name.
    pub title: String,
    /// Until when it can be used, RFC 3339; none: forever.
    pub expires_at: Option<String>,
}

/// How the host describes the workspace of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its display name.
    pub name: String,
    /// `personal` or `workspace`.
    pub structure: String,
    /// Nobody may use it any more.
    pub deactivated: bool,
    /// `https://host`, or `NO_CONSTRAINT`.
    pub backend_origin: String,
    /// `us`, `us_cr` or `NO_CONSTRAINT`.
    pub routing_override: String,
}

/// What is remembered of the accounts, by `chatgpt_account_id`.
#[derive(Default)]
pub(crate) struct Accounts {
    pub(crate) reset_credits: HashMap<String, Vec<ResetCredit>>,
    pub(crate) workspaces: HashMap<String, Workspace>,
    /// `accounts/check` answers with a map instead of a list; both are seen.
    pub(crate) as_map: bool,
    redeemed: HashSet<String>,
}

type Shared = State<Arc<World>>;

// === impl Workspace ===

impl Default for Workspace {
    fn default() -> Self {
        Self {
            name: "Personal".to_owned(),
            structure: "personal".to_owned(),
            deactivated: false,
            backend_origin: "NO_CONSTRAINT".to_owned(),
            routing_override: "NO_CONSTRAINT".to_owned(),
        }
    }
}

// === impl ResetCredit ===

impl ResetCredit {
    /// A credit with this id, for any time.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), title: "Rate limit reset".to_owned(), expires_at: None }
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "status": "available",
            "title": self.title,
            "reset_type": "rate_limit",
            "expires_at": self.expires_at,
        })
    }
}

/// Reads a request, lets faults happen, and finds out who asks.
async fn enter(
    world: Arc<World>,
    route: Route,
    endpoint: Endpoint,
    line: Line,
    request: Request,
) -> Result<(Visit, Identity), Response> {
    let mut visit = Visit::read(world, route, line, request).await?;
    if let Some(response) = visit.misfortune(endpoint).await {
        return Err(response);
    }
    // The wham endpoints have a sentence of their own (codex-backend.md §5).
    let unreadable = Refusal::detail(401, "Could not parse your authentication token. Please try signing in again.");
    let who = match authorize(&visit.world, Provider::Codex, &visit.parts.headers) {
        Ok(who) => who,
        Err(refusal) => return Err(visit.refuse(&Refusal { body: unreadable.body, ..refusal })),
    };
    if who.is_plan() {
        return Err(visit.blame(unreadable));
    }
    visit.exchange.account(&who.account_id);
    for remark in check_account_headers(&visit.parts.headers, &who.account_id) {
        visit.exchange.violation(remark);
    }
    Ok((visit, who))
}

/// `GET /wham/usage`. Status 200 while the account is limited, too.
pub(crate) async fn usage(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let (visit, who) = match enter(world, Route::Usage, Endpoint::Usage, line, request).await {
        Ok(entered) => entered,
        Err(response) => return response,
    };
    let now = visit.world.now();
    let credits = visit.world.lock().accounts.reset_credits.get(&who.account_id).map_or(0, Vec::len);
    let body = visit.world.limits(&who.account_id).usage(&who, credits, now);
    visit.answer(body).await
}

/// `GET /wham/rate-limit-reset-credits`.
pub(crate) async fn reset_credits(
    State(world): Shared,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (visit, who) = match enter(world, Route::ResetCredits, Endpoint::ResetCredits, line, request).await {
        Ok(entered) => entered,
        Err(response) => return response,
    };
    let credits = visit.world.lock().accounts.reset_credits.get(&who.account_id).cloned().unwrap_or_default();
    let list: Vec<Value> = credits.iter().map(ResetCredit::json).collect();
    visit.answer(json!({"available_count": list.len(), "credits": list})).await
}

/// `POST /wham/rate-limit-reset-credits/consume`: uses one up, once per `redeem_request_id`.
pub(crate) async fn consume(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let entered = enter(world, Route::ConsumeResetCredit, Endpoint::ConsumeResetCredit, line, request).await;
    let (mut visit, who) = match entered {
        Ok(entered) => entered,
        Err(response) => return response,
    };
    if !visit.is_json() {
        return visit.blame(Refusal::detail(422, "The body must be JSON."));
    }
    let known = ["redeem_request_id", "credit_id"];
    let body = visit.json.clone().unwrap_or_default();
    if let Some(key) =
        body.as_object().into_iter().flatten().map(|(key, _)| key).find(|key| !known.contains(&key.as_str()))
    {
        visit.exchange.violation(format!("consume: no field is called {key}"));
    }
    let Some(redeem) = visit.field("redeem_request_id").filter(|id| is_uuid(id)) else {
        return visit.blame(Refusal::detail(422, "redeem_request_id must be a UUID."));
    };
    let (code, reset) = redeem_one(&visit.world, &who.account_id, redeem, visit.field("credit_id"));
    visit.answer(json!({"code": code, "windows_reset": reset})).await
}

fn redeem_one(world: &World, account: &str, redeem: &str, credit: Option<&str>) -> (&'static str, usize) {
    let mut state = world.lock();
    let state = &mut *state;
    if state.accounts.redeemed.contains(redeem) {
        return ("already_redeemed", 0);
    }
    let credits = state.accounts.reset_credits.entry(account.to_owned()).or_default();
    let Some(at) = credits.iter().position(|one| credit.is_none_or(|id| one.id == id)) else {
        return ("no_credit", 0);
    };
    let limits = state.limits.entry(account.to_owned()).or_default();
    if !limits.touched() {
        return ("nothing_to_reset", 0);
    }
    credits.remove(at);
    state.accounts.redeemed.insert(redeem.to_owned());
    ("reset", limits.reset())
}

/// `GET /wham/accounts/check`.
pub(crate) async fn accounts(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let (visit, who) = match enter(world, Route::AccountsCheck, Endpoint::AccountsCheck, line, request).await {
        Ok(entered) => entered,
        Err(response) => return response,
    };
    let (workspace, as_map) = {
        let state = visit.world.lock();
        (state.accounts.workspaces.get(&who.account_id).cloned().unwrap_or_default(), state.accounts.as_map)
    };
    let entry = json!({
        "id": who.account_id,
        "name": workspace.name,
        "structure": workspace.structure,
        "plan_type": who.plan,
        "profile_picture_url": null,
        "is_deactivated": workspace.deactivated,
        "can_access_with_session": true,
        "sso_connection_name": null,
        "is_fedramp_compliant_workspace": false,
        "workspace_backend_origin": workspace.backend_origin,
        "account_routing_override": workspace.routing_override,
    });
    let accounts = if as_map { json!({ who.account_id.as_str(): entry }) } else { json!([entry]) };
    let body = json!({
        "accounts": accounts,
        "account_ordering": [who.account_id],
        "default_account_id": who.account_id,
    });
    visit.answer(body).await
}
