//! What the pool hands out, and what it says when it cannot.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::{Account, AccountId, Secret};

/// An account lent for one attempt.
#[derive(Debug, Clone)]
pub struct Lease {
    pub account: Arc<Account>,
    pub access_token: Secret,
    /// Which token this is: [`Pool::recover`](crate::Pool::recover) renews only the token that was refused.
    pub generation: u64,
    /// Why this account, for people: `work: active`. It names the account as its owner does, perhaps by e-mail address;
    /// what must not hold addresses says [`Account::id`] instead.
    pub why: String,
}

/// Why an account rests for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cooldown {
    /// The plan's window is used up.
    UsageLimit,
    /// Too many requests at once.
    RateLimit,
    /// The upstream turned this account away and may not do so next time.
    Unavailable,
    /// The access token was refused and may not be renewed yet.
    RefreshTooEarly,
}

/// One account that cannot serve, and why. `name` may be an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    pub id: AccountId,
    pub name: String,
    pub why: String,
}

/// Nobody can serve this request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    #[error("no account is signed in: add one with `codeferry accounts import`")]
    None,
    #[error("none of the accounts is active: choose one with `codeferry accounts switch` ({})", list(.accounts))]
    NoneActive { accounts: Vec<Blocked> },
    #[error("sign-in needed: {}", list(.accounts))]
    NeedsSignIn { accounts: Vec<Blocked> },
    #[error("cooling down until {earliest}: {}", list(.accounts))]
    CoolingDown { earliest: Timestamp, accounts: Vec<Blocked> },
    /// Every account that could serve was tried for this request already.
    #[error("every account was tried already: {}", list(.accounts))]
    Excluded { accounts: Vec<Blocked> },
    /// The token ran out, and the auth host gave no new one. Trying again later may help.
    #[error("the sign-in of {} could not be renewed: {}", .account.name, .account.why)]
    RefreshFailed { account: Blocked },
    /// The vault cannot be read or written.
    #[error("{message}")]
    Vault { message: String },
}

/// A refused token could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    #[error("{} needs sign-in: {}", .account.name, .account.why)]
    NeedsSignIn { account: Blocked },
    /// Renewing is not allowed before `at`; the account cools down until then.
    #[error("the token of {} was refused and may not be renewed before {at}", .account.name)]
    TooEarly { account: Blocked, at: Timestamp },
    #[error("the sign-in of {} could not be renewed: {}", .account.name, .account.why)]
    RefreshFailed { account: Blocked },
    #[error("the account was removed meanwhile")]
    Removed,
}

// === impl Cooldown ===

impl fmt::Display for Cooldown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UsageLimit => "usage limit reached",
            Self::RateLimit => "too many requests",
            Self::Unavailable => "turned away by the upstream",
            Self::RefreshTooEarly => "token refused, renewal not allowed yet",
        })
    }
}

// === impl Blocked ===

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.why)
    }
}

fn list(accounts: &[Blocked]) -> String {
    accounts.iter().map(Blocked::to_string).collect::<Vec<_>>().join("; ")
}
