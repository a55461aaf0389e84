//! An auth host's hand: signs id tokens, and publishes the keys.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

/// One key and its id.
pub(crate) struct Signer {
    pair: RsaKeyPair,
    id: &'static str,
}

impl Signer {
    pub(crate) fn first() -> Self {
        Self::read("key-1", include_str!("../oauth/testdata/first.key.pem"))
    }

    pub(crate) fn second() -> Self {
        Self::read("key-2", include_str!("../oauth/testdata/second.key.pem"))
    }

    /// The same key under another name.
    pub(crate) fn named(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    fn read(id: &'static str, pem: &str) -> Self {
        let inner = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
        let base64: String = inner.take_while(|line| !line.starts_with("-----END")).collect();
        Self { pair: RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap(), id }
    }

    /// A token with the usual header.
    pub(crate) fn token(&self, claims: &str) -> String {
        self.token_with(&format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{}"}}"#, self.id), claims)
    }

    /// A token whose signature is right, whatever its header says.
    pub(crate) fn token_with(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.pair.public())
    }

    /// The key as the host publishes it.
    pub(crate) fn jwk(&self) -> String {
        let PublicKeyComponents { n, e } = self.public();
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        format!(r#"{{"kty":"RSA","use":"sig","alg":"RS256","kid":"{}","n":"{n}","e":"{e}"}}"#, self.id)
    }
}

/// What `/.well-known/jwks.json` answers.
pub(crate) fn jwks(keys: &[&Signer]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}
