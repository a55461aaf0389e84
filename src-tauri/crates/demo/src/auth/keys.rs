//! The keys id tokens are signed with, and the set a client checks them against.
//!
//! Both keys are fixtures of this crate and protect nothing (`fixtures/README.md`). They take turns: each rotation
//! publishes the other one under a new `kid` and keeps the last one published, as a host does whose tokens live on.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

const FIXTURES: [&[u8]; 2] = [
    include_bytes!("../../fixtures/test-only-signing-key-1.pk8"),
    include_bytes!("../../fixtures/test-only-signing-key-2.pk8"),
];

/// How an id token is wrong. A client must refuse each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdTokenFault {
    /// Signed with another key than its `kid` names.
    Signature,
    /// Signed under a `kid` that is not published.
    UnknownKey,
    /// `alg: none`, and nothing behind the last dot.
    Unsigned,
    /// `alg: HS256`, keyed with what everybody can read: the published modulus.
    Symmetric,
    /// Another issuer.
    Issuer,
    /// Another client's token.
    Audience,
    /// The nonce of another attempt.
    Nonce,
    /// No nonce at all.
    NoNonce,
    /// Expired an hour ago.
    Expired,
    /// No `sub`: nobody is named.
    NoSubject,
}

/// Signs, publishes, recognises.
pub(crate) struct Keys {
    pairs: [RsaKeyPair; 2],
    turn: AtomicU64,
}

// === impl Keys ===

impl Keys {
    pub(crate) fn load() -> io::Result<Self> {
        let pair =
            |index: usize| RsaKeyPair::from_pkcs8(FIXTURES[index]).map_err(|error| io::Error::other(error.to_string()));
        Ok(Self { pairs: [pair(0)?, pair(1)?], turn: AtomicU64::new(0) })
    }

    /// From here on the other key signs, under a new name.
    pub(crate) fn rotate(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    fn turn(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
    }

    fn pair(&self, turn: u64) -> &RsaKeyPair {
        &self.pairs[usize::from(!turn.is_multiple_of(2))]
    }

    /// The claims as a signed token; the claims themselves are the caller's to spoil.
    pub(crate) fn sign(&self, claims: &Value, fault: Option<IdTokenFault>) -> String {
        let turn = self.turn();
        let (alg, name) = match fault {
            Some(IdTokenFault::Unsigned) => ("none", kid(turn)),
            Some(IdTokenFault::Symmetric) => ("HS256", kid(turn)),
            Some(IdTokenFault::UnknownKey) => ("RS256", "demo-unpublished".to_owned()),
            _ => ("RS256", kid(turn)),
        };
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "JWT", "kid": name}).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = match fault {
            Some(IdTokenFault::Unsigned) => Vec::new(),
            Some(IdTokenFault::Symmetric) => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.public(turn).n);
                ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Some(IdTokenFault::Signature) => rsa(self.pair(turn + 1), signed.as_bytes()),
            _ => rsa(self.pair(turn), signed.as_bytes()),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn public(&self, turn: u64) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.pair(turn).public())
    }

    /// `jwks.json`: the key that signs now, and the one before it.
    pub(crate) fn published(&self) -> Value {
        let now = self.turn();
        let entry = |turn: u64| {
            let public = self.public(turn);
            json!({
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid(turn),
                "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
            })
        };
        let keys: Vec<Value> = [Some(now), now.checked_sub(1)].into_iter().flatten().map(entry).collect();
        json!({ "keys": keys })
    }

    /// The claims of a token one of the two keys has signed, expired or not.
    pub(crate) fn read(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let ours = [0, 1]
            .into_iter()
            .any(|turn| self.public(turn).verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok());
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        if ours { serde_json::from_slice(&claims).ok() } else { None }
    }
}

fn kid(turn: u64) -> String {
    format!("demo-{}", turn + 1)
}

fn rsa(pair: &RsaKeyPair, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public().modulus_len()];
    match pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
        Ok(()) => signature,
        // Only a buffer of the wrong length or a machine without randomness; nobody will take it for a signature.
        Err(_) => Vec::new(),
    }
}
