//! Access, refresh and id tokens: shaped like the real ones, rotated like the real ones.
//!
//! Refresh tokens are single use (codex-backend.md §1): the second use of one is answered as the real host answers it,
//! and its whole family is dead from then on. The tokens carry their own state, so a restarted demo takes over the
//! families it finds; what it must remember is only which generation is the current one.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::account::Identity;
use crate::seal::Seal;

/// A plan token may be renewed this long before it expires, and no earlier (codex-backend.md §12).
const EARLIEST_BEFORE_EXPIRY: i64 = 5 * 60;

/// What one sign-in or one refresh gives.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) id: String,
    pub(crate) expires_at: i64,
    pub(crate) earliest_refresh_at: i64,
}

/// Why a bearer token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadAccess {
    Expired,
    Revoked,
    Unknown,
}

/// Why a refresh token gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadRefresh {
    Unknown,
    Reused,
    /// An earlier reuse killed the family.
    FamilyDead,
    /// A plan token, before `earliest_refresh_at`. The token is spent all the same.
    TooEarly,
    WrongClient,
}

/// The token office.
pub(crate) struct Issuer {
    seal: Seal,
    lifetime: i64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    serial: u64,
    /// Access tokens with a lower serial count as expired.
    expired_below: u64,
    revoked: HashSet<u64>,
    families: HashMap<String, Family>,
    issued: u64,
    refreshed: u64,
}

struct Claims {
    identity: Identity,
    serial: u64,
    family: String,
    expires_at: i64,
}

struct Family {
    current: u64,
    dead: bool,
    earliest: i64,
}

// === impl Issuer ===

impl Issuer {
    pub(crate) fn new(seal: Seal, lifetime: Duration) -> Self {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX / 4);
        Self { seal, lifetime, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh sign-in: a new family.
    pub(crate) fn sign_in(&self, who: &Identity, now: i64) -> Issued {
        let mut state = self.lock();
        state.issued += 1;
        // `now` keeps families of two runs with the same seed apart.
        let family = self.seal.id("family", format!("{}:{now}:{}", who.account_id, state.issued).as_bytes(), 16);
        self.issue(&mut state, who, &family, 0, now)
    }

    fn issue(&self, state: &mut State, who: &Identity, family: &str, generation: u64, now: i64) -> Issued {
        let serial = state.serial;
        state.serial += 1;
        let expires_at = now + self.lifetime;
        let earliest_refresh_at = (expires_at - EARLIEST_BEFORE_EXPIRY).max(now);
        state
            .families
            .insert(family.to_owned(), Family { current: generation, dead: false, earliest: earliest_refresh_at });
        let refresh = self.seal.close("refresh", &json!({"who": who.to_json(), "family": family, "n": generation}));
        Issued {
            access: self.jwt(&who.access_claims(serial, family, now, expires_at)),
            refresh: format!("rt_{refresh}"),
            id: self.jwt(&who.id_claims(now, expires_at)),
            expires_at,
            earliest_refresh_at,
        }
    }

    fn jwt(&self, claims: &Value) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT","kid":"demo"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.seal.tag("jwt", signed.as_bytes());
        format!("{signed}.{signature}")
    }

    /// The claims of a bearer token that this demo issued and that is still good.
    pub(crate) fn check_access(&self, token: &str, now: i64) -> Result<Identity, BadAccess> {
        let claims = self.read_access(token).ok_or(BadAccess::Unknown)?;
        let state = self.lock();
        if state.revoked.contains(&claims.serial) {
            Err(BadAccess::Revoked)
        } else if claims.expires_at <= now || claims.serial < state.expired_below {
            Err(BadAccess::Expired)
        } else {
            Ok(claims.identity)
        }
    }

    fn read_access(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        if self.seal.tag("jwt", signed.as_bytes()) != signature {
            return None;
        }
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?).ok()?;
        Some(Claims {
            identity: Identity::from_json(claims.get("https://codeferry.demo/who")?)?,
            serial: claims["https://codeferry.demo/serial"].as_u64()?,
            family: claims["https://codeferry.demo/family"].as_str()?.to_owned(),
            expires_at: claims["exp"].as_i64()?,
        })
    }

    /// One refresh. The old refresh token is spent, whatever comes of it.
    pub(crate) fn refresh(
        &self,
        token: &str,
        client_id: Option<&str>,
        now: i64,
    ) -> Result<(Identity, Issued), BadRefresh> {
        let payload =
            token.strip_prefix("rt_").and_then(|rest| self.seal.open("refresh", rest)).ok_or(BadRefresh::Unknown)?;
        let who = Identity::from_json(&payload["who"]).ok_or(BadRefresh::Unknown)?;
        let (Some(family), Some(generation)) = (payload["family"].as_str(), payload["n"].as_u64()) else {
            return Err(BadRefresh::Unknown);
        };
        if client_id.is_some_and(|client| client != who.client_id()) {
            return Err(BadRefresh::WrongClient);
        }
        let mut state = self.lock();
        // A family of an earlier run with the same seed: taken over as it comes.
        let known = state.families.entry(family.to_owned()).or_insert(Family {
            current: generation,
            dead: false,
            earliest: i64::MIN,
        });
        if known.dead {
            return Err(BadRefresh::FamilyDead);
        }
        if known.current != generation {
            known.dead = true;
            return Err(BadRefresh::Reused);
        }
        if who.is_plan() && now < known.earliest {
            known.current += 1;
            return Err(BadRefresh::TooEarly);
        }
        state.refreshed += 1;
        let issued = self.issue(&mut state, &who, family, generation + 1, now);
        Ok((who, issued))
    }

    /// Undoes the last rotation: an answer that leaves `refresh_token` out keeps the old one valid.
    pub(crate) fn keep_refresh(&self, token: &str) {
        if let Some(payload) = token.strip_prefix("rt_").and_then(|rest| self.seal.open("refresh", rest))
            && let (Some(family), Some(generation)) = (payload["family"].as_str(), payload["n"].as_u64())
            && let Some(known) = self.lock().families.get_mut(family)
        {
            known.current = generation;
        }
    }

    /// Every access token issued until now is expired from here on, whatever its `exp` says.
    ///
    /// Plan tokens may be refreshed at once: their time has come.
    pub(crate) fn expire_all(&self) {
        let mut state = self.lock();
        state.expired_below = state.serial;
        for family in state.families.values_mut() {
            family.earliest = i64::MIN;
        }
    }

    /// This one access token is refused from here on; its family may be refreshed at once.
    pub(crate) fn revoke(&self, token: &str) {
        if let Some(claims) = self.read_access(token) {
            let mut state = self.lock();
            // Bounded, because the embedded demo account runs for weeks.
            if state.revoked.len() > 10_000 {
                state.revoked.clear();
            }
            state.revoked.insert(claims.serial);
            if let Some(family) = state.families.get_mut(&claims.family) {
                family.earliest = i64::MIN;
            }
        }
    }

    /// Successful refreshes so far.
    pub(crate) fn refreshed(&self) -> u64 {
        self.lock().refreshed
    }
}
