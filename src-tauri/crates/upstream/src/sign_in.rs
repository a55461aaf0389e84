//! Signing in at the auth host (`codex-backend.md §1, §12`).
//!
//! With a browser: [`Upstream::begin_sign_in`] gives an [`Attempt`] with an address to open, [`Upstream::read_callback`]
//! reads what comes back, [`Upstream::finish_sign_in`] turns it into a [`SignedIn`]. With a device code:
//! [`Upstream::begin_device`], then [`Upstream::poll_device`] until it is done. Who listens, waits and shows a page is
//! somebody else's trade; so is the clock, and so are the random numbers.
//!
//! **Invariant:** a verifier, a state, a nonce, a code or a token appears in no error and in no `Debug`.

mod attempt;
mod callback;
mod error;

use std::fmt;

use codeferry_accounts::{Account, Credential, Kind};

pub use self::attempt::{Attempt, Entropy, KnownClient};
pub(crate) use self::attempt::{challenge, same};
pub use self::callback::Callback;
pub use self::error::{CallbackError, SignInError, Unverified};
pub use crate::oauth::device::{DeviceCode, DevicePoll};
use crate::oauth::{codex_login, device, siwc};
use crate::upstream::Upstream;

/// The ports the Codex sign-in may come back to, in the order to try (`codex-backend.md §1`). The plan takes any.
pub const CODEX_PORTS: [u16; 2] = [1455, 1457];

/// Somebody signed in: the same that an import of the tokens would give, the account's id included.
#[derive(Clone)]
pub struct SignedIn {
    /// Who.
    pub account: Account,
    /// With what.
    pub credential: Credential,
    /// The person allowed the use of their plan. Without it the account cannot be used (`codex-backend.md §12`,
    /// `chatgpt.tokens.use.direct`). Always so for codex.
    pub plan_usage_granted: bool,
}

// === impl SignedIn ===

impl fmt::Debug for SignedIn {
    /// Without the e-mail address, which does not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("id", &self.account.id.as_str())
            .field("kind", &self.account.kind)
            .field("plan_usage_granted", &self.plan_usage_granted)
            .finish_non_exhaustive()
    }
}

// === impl Upstream ===

impl Upstream {
    /// Builds an attempt. Nothing is sent.
    ///
    /// `host_id` is this installation, `urn:uuid:…`, the same for all its plan accounts; `known` is the client of an
    /// earlier plan sign-in of the same account. Codex needs neither. The demo account needs no sign-in at all: asked
    /// for one, this is the one of codex. So do named accounts, for which nobody asks.
    pub fn begin_sign_in(
        &self,
        kind: Kind,
        redirect_port: u16,
        host_id: &str,
        known: Option<KnownClient>,
        entropy: &Entropy,
    ) -> Attempt {
        let auth = &self.wire.endpoints.auth;
        // Exact: an address on `localhost` is another one (`codex-backend.md §0.8`).
        let redirect_uri = format!("http://127.0.0.1:{redirect_port}/auth/callback");
        match kind {
            Kind::Plan => siwc::begin(auth, redirect_uri, host_id, known, entropy),
            Kind::Codex | Kind::Demo | Kind::Compatible | Kind::OpenaiKey | Kind::CodexCli => {
                codex_login::begin(auth, redirect_uri, entropy)
            }
        }
    }

    /// Reads the query of a callback, or a whole address that somebody pasted.
    ///
    /// # Errors
    /// Of [`CallbackError`], only [`Refused`](CallbackError::Refused) ends the attempt.
    pub fn read_callback(&self, attempt: &Attempt, query: &str) -> Result<Callback, CallbackError> {
        callback::read(attempt, query)
    }

    /// Exchanges the code for tokens and checks whose they are. Takes the attempt with it: a code works once.
    ///
    /// # Errors
    /// [`SignInError`]. Nothing is kept then.
    pub async fn finish_sign_in(&self, attempt: Attempt, callback: Callback) -> Result<SignedIn, SignInError> {
        match attempt.kind {
            Kind::Plan => siwc::finish(&self.wire, &attempt, &callback).await,
            Kind::Codex | Kind::Demo | Kind::Compatible | Kind::OpenaiKey | Kind::CodexCli => {
                let redeem = codex_login::Redeem {
                    code: &callback.code,
                    redirect_uri: &attempt.redirect_uri,
                    verifier: &attempt.verifier,
                };
                codex_login::exchange(&self.wire, redeem).await
            }
        }
    }

    /// Asks for a device code. Only for codex.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn begin_device(&self) -> Result<DeviceCode, SignInError> {
        device::begin(&self.wire).await
    }

    /// Asks once whether somebody has typed the code, and if so, signs in. The caller waits between two polls for
    /// [`DeviceCode::interval`], and longer after [`DevicePoll::SlowDown`].
    ///
    /// # Errors
    /// [`SignInError`]. After a [transient](SignInError::is_transient) one the next poll may still succeed.
    pub async fn poll_device(&self, code: &DeviceCode) -> Result<DevicePoll, SignInError> {
        device::poll(&self.wire, code).await
    }
}

#[cfg(test)]
mod tests;
