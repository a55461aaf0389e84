//! The device code: a short code typed into a page, while the client asks again and again (codex-backend.md §1).
//!
//! What is known of the real host: `interval` is a string, 403 and 404 both mean "not yet", `slow_down` may come, and the
//! verifier of the final exchange is the server's. How a refusal by the user and an expired code are told is not known;
//! here both are status 400 with the codes of RFC 8628 §3.5.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::account::{AccountKind, CODEX_CLIENT_ID};
use crate::auth::fault::Endpoint;
use crate::auth::page::{buttons, page, sorry};
use crate::auth::visit::Visit;
use crate::auth::{Code, pkce};
use crate::net::Line;
use crate::record::{Outcome, Route};
use crate::refusal::Refusal;
use crate::world::World;

/// A device code is good for a quarter of an hour.
const LIFETIME: i64 = 900;

/// The device codes of one demo.
pub(crate) struct Devices {
    /// Off: the usercode endpoint answers 404, as for a workspace that does not allow it.
    pub(crate) enabled: bool,
    /// 403 or 404.
    pub(crate) pending_status: u16,
    /// So many polls are told to slow down.
    pub(crate) slow_down: u32,
    entries: HashMap<String, Device>,
}

struct Device {
    user_code: String,
    expires_at: i64,
    polled: Option<Instant>,
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    Pending,
    Approved(String),
    Denied,
    Expired,
    /// The authorization code was handed over.
    Done,
}

type Shared = State<Arc<World>>;

// === impl Devices ===

impl Default for Devices {
    fn default() -> Self {
        Self { enabled: true, pending_status: 403, slow_down: 0, entries: HashMap::new() }
    }
}

impl Devices {
    /// The user codes nobody has decided about, oldest first.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let mut waiting: Vec<_> = self.entries.values().filter(|device| device.stage == Stage::Pending).collect();
        waiting.sort_by_key(|device| device.expires_at);
        waiting.into_iter().map(|device| device.user_code.clone()).collect()
    }

    /// Decides about a pending code; false when there is none.
    pub(crate) fn decide(&mut self, user_code: &str, now: i64, stage: Stage) -> bool {
        let typed = user_code.trim().to_ascii_uppercase();
        let mut pending = self.entries.values_mut().filter(|device| device.stage == Stage::Pending);
        match pending.find(|device| device.user_code == typed && device.expires_at > now) {
            Some(device) => {
                device.stage = stage;
                true
            }
            None => false,
        }
    }
}

/// `POST /api/accounts/deviceauth/usercode`.
pub(crate) async fn usercode(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let mut visit = match Visit::read(world, Route::DeviceCode, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    if let Some(response) = visit.misfortune(Endpoint::DeviceCode).await {
        return response;
    }
    if !visit.is_json() {
        return visit.blame(refusal(400, "invalid_request", "The body must be JSON."));
    }
    if visit.field("client_id") != Some(CODEX_CLIENT_ID) {
        return visit.blame(refusal(400, "invalid_client", "No app is registered under this id."));
    }
    if !visit.world.auth.lock().devices.enabled {
        return visit.refuse(&Refusal::detail(404, "Not Found"));
    }
    let now = visit.world.now();
    let (id, user_code) = {
        let mut auth = visit.world.auth.lock();
        let seed = visit.world.seal.tag("device", format!("{}:{now}", auth.next()).as_bytes());
        let id = format!("deviceauth_{}", visit.world.seal.id("device", seed.as_bytes(), 32));
        let letters = visit.world.seal.id("user", seed.as_bytes(), 9).to_ascii_uppercase();
        let user_code = format!("{}-{}", &letters[..4], &letters[4..]);
        let device =
            Device { user_code: user_code.clone(), expires_at: now + LIFETIME, polled: None, stage: Stage::Pending };
        let devices = &mut auth.devices;
        if devices.entries.len() > super::MEMORY {
            devices.entries.clear();
        }
        devices.entries.insert(id.clone(), device);
        (id, user_code)
    };
    let expires_at = jiff::Timestamp::from_second(now + LIFETIME).map(|at| at.to_string()).unwrap_or_default();
    let interval = visit.world.options.device_interval.to_string();
    visit
        .answer(json!({"device_auth_id": id, "user_code": user_code, "interval": interval, "expires_at": expires_at}))
        .await
}

/// `POST /api/accounts/deviceauth/token`.
pub(crate) async fn poll(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let mut visit = match Visit::read(world, Route::DevicePoll, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    if let Some(response) = visit.misfortune(Endpoint::DevicePoll).await {
        return response;
    }
    if !visit.is_json() {
        return visit.blame(refusal(400, "invalid_request", "The body must be JSON."));
    }
    let (Some(id), Some(user_code)) = (visit.field("device_auth_id"), visit.field("user_code")) else {
        return visit.blame(refusal(400, "invalid_request", "device_auth_id and user_code are both needed."));
    };
    match next(&visit, id, user_code) {
        Err((refusal, early)) => {
            if early {
                visit.exchange.violation("a device code was asked for before its interval was over");
            }
            visit.refuse(&refusal)
        }
        Ok(account) => {
            let body = authorize(&visit.world, &account);
            visit.answer(body).await
        }
    }
}

/// The account that was chosen, or what to say instead; true where the client was too eager.
fn next(visit: &Visit, id: &str, user_code: &str) -> Result<String, (Refusal, bool)> {
    let now = visit.world.now();
    let interval = Duration::from_secs(visit.world.options.device_interval);
    let mut auth = visit.world.auth.lock();
    let devices = &mut auth.devices;
    let status = devices.pending_status;
    let plain = |refusal: Refusal| (refusal.excused(), false);
    let Some(device) = devices.entries.get_mut(id).filter(|device| device.user_code == user_code) else {
        let mut unknown = refusal(400, "invalid_grant", "There is no such device code.");
        unknown.violation = true;
        return Err((unknown, false));
    };
    // A tenth of patience: timers are not exact.
    let early = device.polled.replace(Instant::now()).is_some_and(|last| last.elapsed() < interval.mul_f64(0.9));
    if device.stage == Stage::Expired || device.expires_at <= now {
        return Err(plain(refusal(400, "expired_token", "The device code has expired.")));
    }
    if early || devices.slow_down > 0 {
        devices.slow_down = devices.slow_down.saturating_sub(1);
        let slower = refusal(status, "slow_down", "You are polling too fast.").excused();
        return Err((slower, early));
    }
    match std::mem::replace(&mut device.stage, Stage::Done) {
        Stage::Approved(account) => Ok(account),
        Stage::Done => {
            let mut over = refusal(400, "invalid_grant", "The device code was used before.");
            over.violation = true;
            Err((over, false))
        }
        stage => {
            let answer = match stage {
                Stage::Denied => refusal(400, "access_denied", "The user cancelled the sign-in."),
                _ => refusal(status, "deviceauth_authorization_pending", "Device authorization is pending."),
            };
            device.stage = stage;
            Err(plain(answer))
        }
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Refusal {
    Refusal::error(status, "invalid_request_error", Some(code), None, message)
}

/// A code whose verifier is the server's.
fn authorize(world: &World, account: &str) -> serde_json::Value {
    let who = world.identity(AccountKind::Codex, account);
    let now = world.now();
    let mut auth = world.auth.lock();
    let seed = world.seal.tag("device-code", format!("{}:{now}", auth.next()).as_bytes());
    let code = format!("ac_{}", world.seal.id("code", seed.as_bytes(), 32));
    // 64 hexadecimal characters, as long as the recorded one.
    let verifier = world.seal.id("verifier", seed.as_bytes(), 64);
    let challenge = pkce::challenge(&verifier);
    let entry = Code {
        who,
        redirect_uri: format!("{}/deviceauth/callback", world.auth_url),
        challenge: challenge.clone(),
        nonce: None,
        expires_at: now + LIFETIME,
    };
    auth.put_code(code.clone(), entry);
    json!({"authorization_code": code, "code_challenge": challenge, "code_verifier": verifier})
}

/// `GET /codex/device`: where the user types the code.
pub(crate) async fn form(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let visit = match Visit::read(world, Route::DevicePage, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    let visitors = visit.world.auth.lock().visitors.clone();
    let body = format!(
        "<p>Type the code that your device shows.</p><form method=\"post\" action=\"/codex/device\">\
         <p><input type=\"text\" id=\"user-code\" name=\"user_code\" autocomplete=\"off\" required></p>{}</form>",
        buttons(&visitors)
    );
    let response = page(StatusCode::OK, "Sign in on your device", &body);
    visit.send(response).await
}

/// `POST /codex/device`: the click.
pub(crate) async fn decide(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let mut visit = match Visit::read(world, Route::DevicePage, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    let stage = visit.field("account").map_or(Stage::Denied, |account| Stage::Approved(account.to_owned()));
    let allowed = stage != Stage::Denied;
    let now = visit.world.now();
    let user_code = visit.field("user_code").unwrap_or_default();
    let known = visit.world.auth.lock().devices.decide(user_code, now, stage);
    if !known {
        let reason = "There is no such code, or it has expired.".to_owned();
        visit.exchange.end(Outcome::Refused { status: 400, reason: reason.clone() });
        return sorry(StatusCode::BAD_REQUEST, "That code does not work", &reason);
    }
    let sentence = if allowed { "You can go back to your device." } else { "The sign-in was cancelled." };
    visit.send(sorry(StatusCode::OK, "Done", sentence)).await
}
