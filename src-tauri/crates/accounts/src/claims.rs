//! What a token says about itself: the payload of a JWT, read and not verified.
//!
//! Nothing is decided on trust here: the claims name the account and the expiry, and the upstream checks the token
//! itself (codex-backend.md §1, "Claims").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

/// The claims we use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) email: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) chatgpt_account_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) issued_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Payload {
    sub: Option<String>,
    email: Option<String>,
    exp: Option<f64>,
    iat: Option<f64>,
    #[serde(rename = "https://api.openai.com/auth")]
    auth: Option<Auth>,
    #[serde(rename = "https://api.openai.com/profile")]
    profile: Option<Profile>,
}

#[derive(Default, Deserialize)]
struct Auth {
    chatgpt_account_id: Option<String>,
    chatgpt_plan_type: Option<String>,
    chatgpt_user_id: Option<String>,
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Profile {
    email: Option<String>,
}

/// The claims of a token, or `None` when it is no JWT (tokens may be opaque).
pub(crate) fn read(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let payload: Payload = serde_json::from_slice(&payload).ok()?;
    let auth = payload.auth.unwrap_or_default();
    Some(Claims {
        email: payload.email.or_else(|| payload.profile.and_then(|profile| profile.email)),
        plan: auth.chatgpt_plan_type,
        chatgpt_account_id: auth.chatgpt_account_id,
        user_id: auth.chatgpt_user_id.or(auth.user_id).or(payload.sub),
        expires_at: payload.exp.and_then(moment),
        issued_at: payload.iat.and_then(moment),
    })
}

/// When the token runs out, if it says so.
pub(crate) fn expiry(token: &str) -> Option<Timestamp> {
    read(token)?.expires_at
}

/// Seconds since 1970, with or without a fraction, as JWTs write dates. A date beyond the calendar is no date.
fn moment(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_second(seconds as i64).ok()
}
