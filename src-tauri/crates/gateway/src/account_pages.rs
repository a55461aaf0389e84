//! What a Codex asks about its account beside the answers of models, answered for the account that serves
//! (`codex-backend.md §7`): `/backend-api/wham/*` and `/api/codex/*`, with a client key like everything a client asks.
//!
//! **Invariant:** an account's token and ids stay here. A client is told of windows and plans, and of itself what it says.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use codeferry_accounts::{AccountStatus, Kind, Lease};
use codeferry_upstream::Failure;
use codeferry_upstream::pages::AccountPage;
use codeferry_wire::json::{Open, Raw};
use codeferry_wire::responses::request::Object;
use jiff::tz::TimeZone;

use crate::dialect::Shape;
use crate::refusal::{self, Circumstances};
use crate::reply::Problem;
use crate::{Gateway, attempt, guard, new_request_id};

/// Stands for "no routing of its own" (`codex-backend.md §7`).
const NO_CONSTRAINT: &str = "NO_CONSTRAINT";

/// What stands for whoever owns an account.
const SOMEBODY: &str = "codeferry";

/// What is left.
pub(crate) async fn usage(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    told(of_active(&gateway, &headers, AccountPage::Usage).await)
}

/// Credits that reset a window. Using one is not offered here: it cannot be taken back, and the dashboard asks twice.
pub(crate) async fn reset_credits(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    told(of_active(&gateway, &headers, AccountPage::ResetCredits).await)
}

/// The workspaces. There is one, whatever the client calls it, and its models are here.
pub(crate) async fn accounts(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    told(check(&gateway, &headers).await)
}

/// A lease of the account that serves now; of whoever's turn it is where none is marked so.
pub(crate) async fn active(gateway: &Gateway) -> Result<Lease, Problem> {
    let is_active = |account: &AccountStatus| account.active && !account.paused;
    // Only who has read the vault knows whom it holds.
    let ready = gateway.pool.ready().await;
    let active = gateway.pool.list().into_iter().find(is_active);
    let leased = match (ready, active) {
        (Ok(()), Some(active)) => gateway.pool.lease_of(&active.id).await,
        (Ok(()), None) => gateway.pool.lease(&[]).await,
        (Err(none), _) => Err(none),
    };
    leased.map_err(|none| refusal::of_no_account(&none, gateway.now(), &TimeZone::system()))
}

/// What a failure means for who asked.
pub(crate) fn problem(gateway: &Gateway, lease: &Lease, failure: &Failure) -> Problem {
    let around = Circumstances {
        account: attempt::name_of(&lease.account),
        asked: "",
        model: "",
        input_tokens: 0,
        context_window: None,
        shape: Shape::OpenAi,
        keyed: lease.account.kind.takes_key(),
        now: gateway.now(),
        zone: TimeZone::system(),
    };
    refusal::of_failure(failure, &around)
}

async fn of_active(gateway: &Gateway, headers: &HeaderMap, page: AccountPage) -> Result<Bytes, Problem> {
    guard::client_of(headers, &gateway.keys)?;
    let lease = active(gateway).await?;
    if lease.account.kind == Kind::Plan {
        return Ok(unknown(&lease, page));
    }
    let body = gateway.upstream.account_page((&lease).into(), page).await;
    let body = body.map_err(|failure| problem(gateway, &lease, &failure))?;
    Ok(without_ids(body))
}

/// Whose it is stays here, though a Codex wants to read something there. What is not JSON goes on as it is.
fn without_ids(body: Bytes) -> Bytes {
    let Ok(mut open) = Open::read(&body, |_, _| Ok(())) else { return body };
    for name in ["user_id", "account_id", "email"] {
        if open.get(name).is_some() {
            open.set_str(name, SOMEBODY);
        }
    }
    if open.is_changed() { open.write().bytes.into() } else { body }
}

/// The plans' host tells nobody what is left (`codex-backend.md §12`).
fn unknown(lease: &Lease, page: AccountPage) -> Bytes {
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    match page {
        AccountPage::Usage => {
            object.string("plan_type", plan(lease)).raw("rate_limit", Raw::NULL).raw("credits", Raw::NULL);
        }
        AccountPage::ResetCredits => {
            object.raw("available_count", Raw::ZERO).array("credits", |_| {});
        }
    }
    object.end();
    out.into()
}

/// A Codex goes where this answer sends it, so it sends it nowhere else.
async fn check(gateway: &Gateway, headers: &HeaderMap) -> Result<Bytes, Problem> {
    guard::client_of(headers, &gateway.keys)?;
    let lease = active(gateway).await?;
    let claimed = headers.get("chatgpt-account-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let id = claimed.unwrap_or(SOMEBODY);
    // It takes an HTTPS address and no other, though it then asks where its settings say. So it is told of a place that is no
    // one else's: better that it fails there than that it takes a key of ours elsewhere.
    let origin = gateway.own_url().replacen("http:", "https:", 1);
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    object.array("accounts", |accounts| {
        accounts.object(|account| {
            account.string("id", id).string("name", "Codeferry").string("structure", "personal");
            account.string("plan_type", plan(&lease)).raw("profile_picture_url", Raw::NULL);
            account.bool("is_deactivated", false).bool("can_access_with_session", true);
            account.raw("sso_connection_name", Raw::NULL).bool("is_fedramp_compliant_workspace", false);
            account.string("workspace_backend_origin", &origin);
            account.string("account_routing_override", NO_CONSTRAINT);
        });
    });
    object.array("account_ordering", |order| {
        order.string(id);
    });
    object.string("default_account_id", id);
    object.end();
    Ok(out.into())
}

fn plan(lease: &Lease) -> &str {
    lease.account.plan.as_deref().unwrap_or("plus")
}

fn told(page: Result<Bytes, Problem>) -> Response {
    match page {
        Ok(body) => {
            let mut response = Response::new(Body::from(body));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(problem) => problem.into_response(Shape::OpenAi, &new_request_id()),
    }
}
