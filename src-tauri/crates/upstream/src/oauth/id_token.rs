//! Is an id token what it says it is (OpenID Connect Core §3.1.3.7)? Pure: keys and time are arguments.
//!
//! **Invariant:** RS256 and nothing else. What the token says of its own algorithm only ever leads to a refusal.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use codeferry_accounts::Secret;
use jiff::Timestamp;
use ring::rsa::PublicKeyComponents;
use ring::signature::RSA_PKCS1_2048_8192_SHA256;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::jwks::KeySet;
use crate::sign_in::{Unverified, same};

/// How far the two clocks may be apart, in seconds.
const LEEWAY: f64 = 60.0;
/// A kilobyte or two is usual.
const LONGEST: usize = 64 * 1024;

/// What this token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a Secret,
    pub(super) now: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 §4.1.11). We understand none.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: Option<String>,
    aud: Audience,
    /// Among several audiences, the one it was issued to.
    azp: Option<String>,
    exp: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Signature first; a claim of a token that nobody signed is nobody's.
pub(super) fn verify(token: &Secret, keys: &KeySet, expected: &Expected<'_>) -> Result<(), Unverified> {
    let token = token.expose();
    if token.len() > LONGEST {
        return Err(Unverified::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Unverified::Malformed);
    };
    let parsed: Header = part(header)?;
    if parsed.alg != "RS256" {
        return Err(Unverified::Algorithm);
    }
    if parsed.crit.is_some() {
        return Err(Unverified::Malformed);
    }
    let key = keys.find(parsed.kid.as_deref()).ok_or(Unverified::UnknownKey)?;
    let signature = bytes(signature)?;
    let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
    PublicKeyComponents { n: &key.modulus, e: &key.exponent }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed, &signature)
        .map_err(|_| Unverified::Signature)?;
    part::<Claims>(payload)?.check(expected)
}

// === impl Claims ===

impl Claims {
    fn check(&self, expected: &Expected<'_>) -> Result<(), Unverified> {
        let now = expected.now.as_second() as f64;
        if self.iss != expected.issuer {
            return Err(Unverified::Issuer);
        }
        if !self.is_for(expected.client_id) {
            return Err(Unverified::Audience);
        }
        if self.exp + LEEWAY <= now {
            return Err(Unverified::Expired);
        }
        if self.nbf.is_some_and(|from| from > now + LEEWAY) {
            return Err(Unverified::NotYet);
        }
        if !self.nonce.as_deref().is_some_and(|nonce| same(expected.nonce.expose(), nonce)) {
            return Err(Unverified::Nonce);
        }
        match self.sub.as_deref() {
            Some(sub) if !sub.is_empty() => Ok(()),
            _ => Err(Unverified::NoUser),
        }
    }

    fn is_for(&self, client_id: &str) -> bool {
        let named = match &self.aud {
            Audience::One(one) => one == client_id,
            Audience::Several(several) => several.iter().any(|one| one == client_id),
        };
        named && self.azp.as_deref().is_none_or(|issued_for| issued_for == client_id)
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, Unverified> {
    serde_json::from_slice(&bytes(text)?).map_err(|_| Unverified::Malformed)
}

fn bytes(text: &str) -> Result<Vec<u8>, Unverified> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Unverified::Malformed)
}

#[cfg(test)]
mod tests;
