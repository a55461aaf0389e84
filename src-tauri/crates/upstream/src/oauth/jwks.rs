//! The keys an auth host signs with, as it publishes them (RFC 7517). Its discovery document names
//! `/.well-known/jwks.json`.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ask::persistently;
use crate::endpoints::{below, host_of};
use crate::failure::Failure;
use crate::sign_in::SignInError;
use crate::upstream::Wire;

/// Keys that were withdrawn must not count for long.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// A host has two or three.
const MOST_KEYS: usize = 32;

/// RSA keys for signatures.
#[derive(Debug, Default)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// Big-endian, without leading zeros.
    pub(super) modulus: Vec<u8>,
    pub(super) exponent: Vec<u8>,
}

/// The keys at hand.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(ArcSwapOption<Held>);

#[derive(Debug)]
struct Held {
    keys: Arc<KeySet>,
    since: Timestamp,
}

#[derive(Deserialize)]
struct Document<'a> {
    /// Each on its own: one that we cannot read is no reason to lose the others.
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

// === impl KeySet ===

impl KeySet {
    /// `None` when it is no key set at all. Keys for other purposes are left out.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let document: Document<'_> = serde_json::from_slice(body).ok()?;
        let key = |raw: &&RawValue| Key::of(serde_json::from_str(raw.get()).ok()?);
        Some(Self(document.keys.iter().take(MOST_KEYS).filter_map(key).collect()))
    }

    /// The key of that id. A token that names none can only mean the only one.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.0.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

// === impl Key ===

impl Key {
    fn of(jwk: Jwk) -> Option<Self> {
        let fits = |value: Option<&str>, wanted| value.is_none_or(|value| value == wanted);
        if jwk.kty != "RSA" || !fits(jwk.purpose.as_deref(), "sig") || !fits(jwk.alg.as_deref(), "RS256") {
            return None;
        }
        Some(Self { id: jwk.kid, modulus: number(&jwk.n?)?, exponent: number(&jwk.e?)? })
    }
}

/// A big number (RFC 7518 §6.3.1). Some writers put a zero in front.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[zeros..].to_vec()).filter(|bytes| !bytes.is_empty())
}

// === impl KeyCache ===

impl KeyCache {
    /// The keys at hand, or fetched.
    pub(super) async fn current(&self, wire: &Wire) -> Result<Arc<KeySet>, SignInError> {
        let now = (wire.clock)();
        match self.0.load_full() {
            // A clock that was set back must not keep them forever.
            Some(held) if now.duration_since(held.since).abs() < FRESH => Ok(Arc::clone(&held.keys)),
            _ => self.renewed(wire).await,
        }
    }

    /// Fetched now.
    pub(super) async fn renewed(&self, wire: &Wire) -> Result<Arc<KeySet>, SignInError> {
        let url = below(&wire.endpoints.auth, ".well-known/jwks.json");
        let host = host_of(&url);
        let request = wire.clients.for_url(&url)?.get(url).headers(wire.introduction());
        let reply = persistently(request, &host).await?;
        let now = (wire.clock)();
        if !reply.status.is_success() {
            // Whatever the status: nobody was refused, the keys are not to be had.
            let failure = Failure::from_http(reply.status, &reply.headers, &reply.body, now);
            let message = format!("{host} does not give its signing keys: {}", failure.message);
            return Err(SignInError::Transient { message });
        }
        let Some(keys) = KeySet::parse(&reply.body).filter(|keys| !keys.0.is_empty()) else {
            let message = format!("{host} answered with something that holds no signing keys.");
            return Err(SignInError::Transient { message });
        };
        let keys = Arc::new(keys);
        self.0.store(Some(Arc::new(Held { keys: Arc::clone(&keys), since: now })));
        Ok(keys)
    }
}

#[cfg(test)]
mod tests;
