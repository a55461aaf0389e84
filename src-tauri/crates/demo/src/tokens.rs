//! Access, refresh and id tokens: shaped like the real ones, rotated like the real ones.
//!
//! Refresh tokens are single use (codex-backend.md §1): the second use of one is answered as the real host answers it,
//! and its whole family is dead from then on. The tokens carry their own state, so a restarted demo takes over the
//! families it finds; what it must remember is only which generation is the current one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::account::Identity;
use crate::auth::keys::{IdTokenFault, Keys};
use crate::seal::Seal;

mod ending;

/// A plan token may be renewed this long before it expires, and no earlier (codex-backend.md §12).
const EARLIEST_BEFORE_EXPIRY: i64 = 5 * 60;

/// What one sign-in or one refresh gives.
pub(crate) struct Issued {
    pub(crate) family: String,
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
    /// `iss` of the id tokens.
    pub(crate) name: String,
    pub(crate) keys: Keys,
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
    /// Faults of id tokens that are still to be given out.
    spoiled: VecDeque<IdTokenFault>,
}

struct Claims {
    identity: Identity,
    serial: u64,
    family: String,
    expires_at: i64,
}

struct Family {
    account: String,
    current: u64,
    dead: bool,
    /// Signed out: not even the access tokens are good any more.
    revoked: bool,
    earliest: i64,
}

/// How the id token of an answer is made.
#[derive(Default)]
struct IdToken<'a> {
    nonce: Option<&'a str>,
    fault: Option<IdTokenFault>,
}

// === impl Issuer ===

impl Issuer {
    pub(crate) fn new(name: String, keys: Keys, seal: Seal, lifetime: Duration) -> Self {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX / 4);
        Self { name, keys, seal, lifetime, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh sign-in: a new family.
    pub(crate) fn sign_in(&self, who: &Identity, now: i64) -> Issued {
        self.begin(&mut self.lock(), who, now, IdToken::default())
    }

    /// A fresh sign-in by way of a code.
    pub(crate) fn exchange(&self, who: &Identity, nonce: Option<&str>, now: i64) -> Issued {
        let mut state = self.lock();
        let fault = state.spoiled.pop_front();
        self.begin(&mut state, who, now, IdToken { nonce, fault })
    }

    fn begin(&self, state: &mut State, who: &Identity, now: i64, id: IdToken<'_>) -> Issued {
        state.issued += 1;
        // `now` keeps families of two runs with the same seed apart.
        let family = self.seal.id("family", format!("{}:{now}:{}", who.account_id, state.issued).as_bytes(), 16);
        self.issue(state, who, (&family, 0), now, id)
    }

    fn issue(
        &self,
        state: &mut State,
        who: &Identity,
        (family, generation): (&str, u64),
        now: i64,
        id: IdToken<'_>,
    ) -> Issued {
        let serial = state.serial;
        state.serial += 1;
        let expires_at = now + self.lifetime;
        let earliest_refresh_at = (expires_at - EARLIEST_BEFORE_EXPIRY).max(now);
        let entry = Family {
            account: who.account_id.clone(),
            current: generation,
            dead: false,
            revoked: false,
            earliest: earliest_refresh_at,
        };
        state.families.insert(family.to_owned(), entry);
        let refresh = self.seal.close("refresh", &json!({"who": who.to_json(), "family": family, "n": generation}));
        Issued {
            family: family.to_owned(),
            access: self.jwt(&who.access_claims(serial, family, now, expires_at)),
            refresh: format!("rt_{refresh}"),
            id: self.id_token(who, &id, now, expires_at),
            expires_at,
            earliest_refresh_at,
        }
    }

    fn id_token(&self, who: &Identity, id: &IdToken<'_>, now: i64, expires_at: i64) -> String {
        let mut claims = who.id_claims(&self.name, id.nonce, now, expires_at);
        match id.fault {
            Some(IdTokenFault::Issuer) => claims["iss"] = json!("https://auth.example.com"),
            Some(IdTokenFault::Audience) => claims["aud"] = json!(["app_somebody_else"]),
            Some(IdTokenFault::Nonce) => claims["nonce"] = json!("the nonce of another attempt"),
            Some(IdTokenFault::Expired) => {
                claims["iat"] = json!(now - 7_200);
                claims["exp"] = json!(now - 3_600);
            }
            Some(IdTokenFault::NoNonce) => drop(claims.as_object_mut().and_then(|claims| claims.remove("nonce"))),
            Some(IdTokenFault::NoSubject) => drop(claims.as_object_mut().and_then(|claims| claims.remove("sub"))),
            _ => {}
        }
        self.keys.sign(&claims, id.fault)
    }

    /// The next id token of an answer goes wrong.
    pub(crate) fn spoil(&self, fault: IdTokenFault) {
        self.lock().spoiled.push_back(fault);
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
        let signed_out = state.families.get(&claims.family).is_some_and(|family| family.revoked);
        if signed_out || state.revoked.contains(&claims.serial) {
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
        let (who, family, generation) = self.read_refresh(token).ok_or(BadRefresh::Unknown)?;
        if client_id.is_some_and(|client| client != who.client_id) {
            return Err(BadRefresh::WrongClient);
        }
        let mut state = self.lock();
        // A family of an earlier run with the same seed: taken over as it comes.
        let known = state.families.entry(family.clone()).or_insert_with(|| Family::found(&who.account_id, generation));
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
        let fault = state.spoiled.pop_front();
        let issued = self.issue(&mut state, &who, (&family, generation + 1), now, IdToken { nonce: None, fault });
        Ok((who, issued))
    }

    /// Whose refresh token this is, and of which family and generation.
    fn read_refresh(&self, token: &str) -> Option<(Identity, String, u64)> {
        let payload = token.strip_prefix("rt_").and_then(|rest| self.seal.open("refresh", rest))?;
        let who = Identity::from_json(&payload["who"])?;
        Some((who, payload["family"].as_str()?.to_owned(), payload["n"].as_u64()?))
    }

    /// Whether a refresh with this token would be answered with new ones, as far as the token goes.
    pub(crate) fn is_live(&self, token: &str) -> bool {
        let Some((_, family, generation)) = self.read_refresh(token) else { return false };
        self.lock().families.get(&family).is_none_or(|known| !known.dead && known.current == generation)
    }

    /// Undoes the last rotation: an answer that leaves `refresh_token` out keeps the old one valid.
    pub(crate) fn keep_refresh(&self, token: &str) {
        if let Some((_, family, generation)) = self.read_refresh(token)
            && let Some(known) = self.lock().families.get_mut(&family)
        {
            known.current = generation;
        }
    }

    /// Successful refreshes so far.
    pub(crate) fn refreshed(&self) -> u64 {
        self.lock().refreshed
    }
}

// === impl Family ===

impl Family {
    /// Of an earlier run: as far as it is known here.
    fn found(account: &str, current: u64) -> Self {
        Self { account: account.to_owned(), current, dead: false, revoked: false, earliest: i64::MIN }
    }
}
