//! A credential: what signs an account in, when it runs out, and how it is renewed.

use std::pin::Pin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{Kind, Secret};

/// Where "now" comes from. Only the composition root reads the real clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The tokens of one account.
///
/// The refresh token is single-use: spending it yields the next one (codex-backend.md §1). Whoever loses the next one
/// has lost the sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The OAuth client the tokens were issued to; `None` means the provider's own.
    pub client_id: Option<String>,
    pub access_token: Secret,
    pub refresh_token: Option<Secret>,
    pub id_token: Option<Secret>,
    /// When the access token runs out.
    pub expires_at: Option<Timestamp>,
    /// A refresh before this moment may spend the refresh token for nothing (codex-backend.md §12).
    pub earliest_refresh_at: Option<Timestamp>,
    pub last_refresh: Option<Timestamp>,
}

/// Why a token is renewed. The auth host is told (`refresh_reason`, codex-backend.md §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshReason {
    ProactiveExpiry,
    UnauthorizedRecovery,
}

/// What the auth host answered. Absent means: keep the old one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewed {
    pub access_token: Option<Secret>,
    pub refresh_token: Option<Secret>,
    pub id_token: Option<Secret>,
    pub expires_at: Option<Timestamp>,
    pub earliest_refresh_at: Option<Timestamp>,
}

/// Why no new token came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshFailure {
    /// The refresh token is spent or revoked: only a new sign-in helps.
    #[error("{message} ({code})")]
    Dead { code: String, message: String },
    /// The auth host did not manage this time.
    #[error("{message}")]
    Transient { message: String },
}

/// The future of [`Refresh::refresh`].
pub type Renewing<'a> = Pin<Box<dyn Future<Output = Result<Renewed, RefreshFailure>> + Send + 'a>>;

/// Spends a refresh token at the auth host. Implemented by the crate that has the HTTP client.
///
/// The pool calls it once at a time per account, over all processes. The future must end by itself (a timeout is its
/// own affair): it is never dropped half-way, because an answer on its way may hold the only valid token.
pub trait Refresh: Send + Sync + 'static {
    fn refresh<'a>(&'a self, kind: Kind, credential: &'a Credential, reason: RefreshReason) -> Renewing<'a>;
}

/// An access token this close to its end is renewed before use, as the Codex CLI does (codex-backend.md §1).
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// Without an expiry the age decides (codex-backend.md §1).
const MAX_AGE: SignedDuration = SignedDuration::from_hours(8 * 24);
/// Tokens that live shorter than [`MARGIN`] would otherwise be renewed at every request.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_secs(30);

// === impl Credential ===

impl Credential {
    /// A key that does not run out and that nobody renews; empty where a server asks for none.
    pub fn key(key: Secret) -> Self {
        Self {
            client_id: None,
            access_token: key,
            refresh_token: None,
            id_token: None,
            expires_at: None,
            earliest_refresh_at: None,
            last_refresh: None,
        }
    }

    /// The access token is past its end, as far as we know.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// A refresh is allowed now: there is a token to spend, and the auth host wants no later moment.
    pub fn refreshable(&self, now: Timestamp) -> bool {
        self.refresh_token.is_some() && self.earliest_refresh_at.is_none_or(|earliest| earliest <= now)
    }

    /// Renew before the next use.
    ///
    /// An expired token whose [`earliest_refresh_at`](Self::earliest_refresh_at) lies ahead is *not* due: it is used as
    /// it is. The two clocks may differ, so the upstream knows better than we do whether it still counts; should it
    /// answer 401, the account rests until the refresh is allowed. Spending the refresh token early could end the
    /// sign-in for good, which is the worse bargain.
    pub fn due(&self, now: Timestamp) -> bool {
        let ending = match (self.expires_at, self.last_refresh) {
            (Some(end), _) => end <= now.saturating_add(MARGIN).unwrap_or(Timestamp::MAX),
            (None, Some(last)) => now.duration_since(last) >= MAX_AGE,
            (None, None) => false,
        };
        let just_renewed = self.last_refresh.is_some_and(|last| now.duration_since(last) < MIN_INTERVAL);
        ending && self.refreshable(now) && (self.expired(now) || !just_renewed)
    }

    /// This credential after the auth host answered.
    #[must_use]
    pub fn renewed(&self, renewed: Renewed, now: Timestamp) -> Self {
        let new_access = renewed.access_token.is_some();
        let access_token = renewed.access_token.unwrap_or_else(|| self.access_token.clone());
        let expires_at = renewed
            .expires_at
            .or_else(|| crate::claims::expiry(access_token.expose()))
            // An opaque token with no stated end: the old end says nothing about it.
            .or(if new_access { None } else { self.expires_at });
        Self {
            client_id: self.client_id.clone(),
            access_token,
            refresh_token: renewed.refresh_token.or_else(|| self.refresh_token.clone()),
            id_token: renewed.id_token.or_else(|| self.id_token.clone()),
            expires_at,
            earliest_refresh_at: renewed.earliest_refresh_at.or(self.earliest_refresh_at),
            last_refresh: Some(now),
        }
    }
}
