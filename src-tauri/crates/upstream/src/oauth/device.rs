//! Sign-in with a device code (`codex-backend.md §1`, "Device code"). Only codex has it.

use std::fmt;
use std::time::Duration;

use codeferry_accounts::Secret;
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::ask::{PATIENCE, Reply, code_of, once, persistently};
use super::codex_login::{self, Redeem};
use super::tokens::moment;
use crate::endpoints::{below, host_of};
use crate::failure::{Fields, tidy};
use crate::provider::CODEX_CLIENT;
use crate::sign_in::{SignInError, SignedIn};
use crate::upstream::Wire;

/// How long a code lives where the host does not say, and at most.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Between two polls, where the host does not say.
const INTERVAL: Duration = Duration::from_secs(5);
/// However slow the host wants us: the person has typed the code and waits.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// A code to type on another device.
#[derive(Clone)]
pub struct DeviceCode {
    /// What to type.
    pub user_code: String,
    /// Where to type it.
    pub verification_url: Url,
    /// The pause between two polls.
    pub interval: Duration,
    /// How long the code lives, from when it was given.
    pub expires_in: Duration,
    expires_at: Timestamp,
    device_auth_id: Secret,
}

/// What a poll told.
#[derive(Debug)]
pub enum DevicePoll {
    /// Nobody has typed the code yet.
    Pending,
    /// Nobody has, and the host wants to be asked less often: five seconds more from now on (RFC 8628 §3.5).
    SlowDown,
    /// Somebody has.
    Done(Box<SignedIn>),
}

#[derive(Serialize)]
struct Usercode {
    client_id: &'static str,
}

/// In the order of the recording `device_token_poll.json`.
#[derive(Serialize)]
struct Poll<'a> {
    device_auth_id: &'a str,
    user_code: &'a str,
}

// === impl DeviceCode ===

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("verification_url", &self.verification_url.as_str())
            .field("interval", &self.interval)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn begin(wire: &Wire) -> Result<DeviceCode, SignInError> {
    let auth = &wire.endpoints.auth;
    let url = below(auth, "api/accounts/deviceauth/usercode");
    let host = host_of(&url);
    let body = Usercode { client_id: CODEX_CLIENT };
    let request = wire.clients.for_url(&url)?.post(url).headers(wire.introduction()).json(&body);
    let reply = persistently(request, &host).await?;
    let now = (wire.clock)();
    match reply.status {
        StatusCode::NOT_FOUND => return Err(SignInError::NoDeviceCodes),
        status if !status.is_success() => return Err(reply.refusal(&host, now, &[])),
        _ => {}
    }
    let nothing =
        || SignInError::Transient { message: format!("{host} answered with something that is no device code.") };
    let answer = Fields::parse(&reply.body).ok_or_else(nothing)?;
    let device_auth_id = answer.text("device_auth_id").ok_or_else(nothing)?;
    let user_code = answer.text("user_code").or_else(|| answer.text("usercode")).ok_or_else(nothing)?;
    // A string, in the real one.
    let interval = answer.whole("interval").and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    let life = moment(&answer, "expires_at", now)
        .or_else(|| moment(&answer, "expires_in", now))
        .and_then(|end| Duration::try_from(end.duration_since(now)).ok());
    let expires_in = life.map_or(LIFE, |life| life.min(LIFE));
    Ok(DeviceCode {
        user_code: tidy(&user_code),
        verification_url: below(auth, "codex/device"),
        interval: interval.unwrap_or(INTERVAL).clamp(Duration::from_secs(1), LONGEST_INTERVAL),
        expires_in,
        expires_at: now.checked_add(expires_in).unwrap_or(Timestamp::MAX),
        device_auth_id: Secret::new(device_auth_id),
    })
}

pub(crate) async fn poll(wire: &Wire, code: &DeviceCode) -> Result<DevicePoll, SignInError> {
    if (wire.clock)() >= code.expires_at {
        return Err(SignInError::Expired);
    }
    let auth = &wire.endpoints.auth;
    let url = below(auth, "api/accounts/deviceauth/token");
    let host = host_of(&url);
    let body = Poll { device_auth_id: code.device_auth_id.expose(), user_code: &code.user_code };
    let request = wire.clients.for_url(&url)?.post(url).headers(wire.introduction()).json(&body);
    let reply = once(request, &host, PATIENCE).await?;
    if !reply.status.is_success() {
        return waiting(&reply, &host, (wire.clock)(), &[body.device_auth_id, body.user_code]);
    }
    let nothing = || SignInError::Transient { message: format!("{host} answered with something that holds no code.") };
    let answer = Fields::parse(&reply.body).ok_or_else(nothing)?;
    let secret = |name| answer.text(name).map(Secret::new).ok_or_else(nothing);
    // The verifier is the server's: it made the challenge, and the code comes over our own connection.
    let (authorization_code, verifier) = (secret("authorization_code")?, secret("code_verifier")?);
    let redirect_uri = below(auth, "deviceauth/callback");
    let redeem = Redeem { code: &authorization_code, redirect_uri: redirect_uri.as_str(), verifier: &verifier };
    Ok(DevicePoll::Done(Box::new(codex_login::exchange(wire, redeem).await?)))
}

/// Not yet, or never. The host says "not yet" with a 403 or a 404, with or without a reason.
fn waiting(reply: &Reply, host: &str, now: Timestamp, secrets: &[&str]) -> Result<DevicePoll, SignInError> {
    let not_yet = matches!(reply.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
    match code_of(&reply.body).as_deref() {
        Some("slow_down") => Ok(DevicePoll::SlowDown),
        Some("deviceauth_authorization_pending" | "authorization_pending") => Ok(DevicePoll::Pending),
        Some(
            "access_denied" | "authorization_declined" | "deviceauth_denied" | "expired_token" | "deviceauth_expired",
        ) => Err(reply.refusal(host, now, secrets)),
        // A page is Cloudflare or a proxy. It may pass, but it is no "not yet".
        _ if not_yet && !reply.is_page() => Ok(DevicePoll::Pending),
        _ => Err(reply.refusal(host, now, secrets)),
    }
}
