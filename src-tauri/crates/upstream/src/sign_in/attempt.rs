//! What one attempt has to remember from the way out to the way back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use codeferry_accounts::{Kind, Secret};
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

/// Bytes of the PKCE verifier, as the Codex CLI has it (`codex-backend.md §1`).
const VERIFIER: usize = 64;
/// Bytes of the state and of the nonce.
const MARK: usize = 32;
/// The longest code a person may paste. The host's own have 35 characters.
const LONGEST_CODE: usize = 2048;

/// The randomness of one attempt. It comes from outside, so that building an address is pure.
pub struct Entropy(Zeroizing<[u8; Self::LEN]>);

/// The client the plan's auth host registered for an account, and a token that says which account
/// (`codex-backend.md §12`).
#[derive(Debug, Clone)]
pub struct KnownClient {
    /// `oaiapp_…`
    pub client_id: String,
    /// The last id token of that account.
    pub id_token_hint: Option<Secret>,
}

/// A sign-in on its way: where the browser goes, and what proves that it came back from there.
pub struct Attempt {
    /// Plan or codex.
    pub kind: Kind,
    /// For the browser. Not for logs: it carries the state.
    pub authorize_url: Url,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// The client as it is known before the browser comes back; the plan's first sign-in has none.
    pub(crate) client_id: Option<String>,
    pub(crate) state: Secret,
    pub(crate) verifier: Secret,
    /// Only where the id token is checked.
    pub(crate) nonce: Option<Secret>,
}

// === impl Entropy ===

impl Entropy {
    /// How many random bytes an attempt takes.
    pub const LEN: usize = VERIFIER + 2 * MARK;

    /// From the system's generator. Never the same bytes twice.
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn verifier(&self) -> Secret {
        encoded(&self.0[..VERIFIER])
    }

    pub(crate) fn state(&self) -> Secret {
        encoded(&self.0[VERIFIER..VERIFIER + MARK])
    }

    pub(crate) fn nonce(&self) -> Secret {
        encoded(&self.0[VERIFIER + MARK..])
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(«redacted»)")
    }
}

// === impl Attempt ===

impl Attempt {
    /// Whether a callback with this state is the answer to this attempt. Takes as long for a near miss as for a far one.
    pub(crate) fn owns(&self, state: &str) -> bool {
        same(self.state.expose(), state)
    }

    /// What a person pasted, as the query of a callback, if it is a bare code. The state is then ours: the person, not
    /// a web page, chose the attempt, and the host gives no tokens for a code of another attempt's verifier.
    ///
    /// `None` where a bare code cannot do: the first sign-in of a plan needs the client id beside it.
    pub fn with_bare_code(&self, pasted: &str) -> Option<String> {
        let code = pasted.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if code.is_empty() || code.len() > LONGEST_CODE || !code.chars().all(plain) || self.client_id.is_none() {
            return None;
        }
        let mut query = Serializer::new(String::new());
        query.append_pair("code", code).append_pair("state", self.state.expose());
        Some(query.finish())
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("kind", &self.kind)
            .field("host", &self.authorize_url.host_str())
            .field("redirect_uri", &self.redirect_uri)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// `S256` (RFC 7636 §4.2).
pub(crate) fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()))
}

/// Equal, in constant time for equal lengths.
pub(crate) fn same(ours: &str, theirs: &str) -> bool {
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}

fn encoded(bytes: &[u8]) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}
