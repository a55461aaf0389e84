//! What the pool hands out, and what it says when it cannot.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use jiff::Timestamp;

use crate::cooldown::{Cooldown, Hint};
use crate::pick::Picked;

use crate::{Account, AccountId, Secret};

/// What a lease is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Want<'a> {
    /// The client's name for the conversation: it stays with one account while that can serve.
    pub conversation: Option<&'a str>,
    /// The accounts tried for this request already.
    pub excluded: &'a [AccountId],
    /// The [named](crate::Kind::is_named) account that was asked for: this one or none.
    pub named: Option<&'a AccountId>,
}

/// An account lent for one attempt.
///
/// It counts as under way until the lease and all its copies are dropped. How the attempt ended is told with
/// [`Pool::ended`](crate::Pool::ended); a lease that is dropped without a word was only given back.
#[derive(Debug, Clone)]
pub struct Lease {
    pub account: Arc<Account>,
    pub access_token: Secret,
    /// Which token this is: [`Pool::recover`](crate::Pool::recover) renews only the token that was refused.
    pub generation: u64,
    /// Why this account, for people: `work: active`. It names accounts as their owner does, perhaps by e-mail address.
    pub why: String,
    /// The same for the log, with ids for names.
    pub why_logged: String,
    /// The account this conversation was with until now. What is bound to an account (encrypted reasoning, the turn
    /// state) does not move with it.
    pub moved_from: Option<AccountId>,
    out: Arc<Out>,
}

/// That a lease is out, and whether it was settled. Shared by its copies.
#[derive(Debug)]
pub(crate) struct Out {
    count: Arc<AtomicUsize>,
    since: Timestamp,
    /// The gravest end told so far: [`End::gravity`].
    ended: AtomicU8,
}

/// How an attempt ended, as far as the account is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The upstream answered: the account is fine.
    Served,
    /// The connection could not be made, broke, or stayed silent. One account alone is never put to rest for that.
    Broken,
    /// The upstream turned the account away.
    Refused { why: Cooldown, hint: Hint },
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
    #[error("no account is signed in: add one with `codeferry accounts add`, or import one")]
    None,
    #[error("none of the accounts is active: choose one with `codeferry accounts switch` ({})", list(.accounts))]
    NoneActive { accounts: Vec<Blocked> },
    #[error("sign-in needed: {}", list(.accounts))]
    NeedsSignIn { accounts: Vec<Blocked> },
    #[error("cooling down until {earliest}: {}", list(.accounts))]
    CoolingDown { earliest: Timestamp, accounts: Vec<Blocked> },
    /// All are paused, or rest until somebody wakes them.
    #[error(
        "no account may be used: resume one with `codeferry accounts resume`, wake it with `codeferry accounts wake`, or \
         switch to another ({})",
        list(.accounts)
    )]
    Unusable { accounts: Vec<Blocked> },
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

// === impl Lease ===

impl Lease {
    pub(crate) fn new(
        account: Arc<Account>,
        access_token: Secret,
        generation: u64,
        picked: Picked,
        out: Arc<Out>,
    ) -> Self {
        let Picked { why, why_logged, moved_from, .. } = picked;
        Self { account, access_token, generation, why, why_logged, moved_from, out }
    }

    /// The same account with another token, for the same request: it is counted once.
    pub(crate) fn again(&self, account: Arc<Account>, access_token: Secret, generation: u64) -> Self {
        Self {
            account,
            access_token,
            generation,
            why: format!("{}; token renewed", self.why),
            why_logged: format!("{}; token renewed", self.why_logged),
            moved_from: self.moved_from.clone(),
            out: Arc::clone(&self.out),
        }
    }

    pub(crate) fn out(&self) -> &Out {
        &self.out
    }
}

// === impl End ===

impl End {
    /// A lease may be good for several tries: one that broke may then be served, and one that was answered refused. What
    /// was said counts until something graver is.
    fn gravity(&self) -> u8 {
        match self {
            Self::Broken => 1,
            Self::Served => 2,
            Self::Refused { .. } => 3,
        }
    }
}

// === impl Out ===

impl Out {
    pub(crate) fn new(count: &Arc<AtomicUsize>, since: Timestamp) -> Arc<Self> {
        count.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { count: Arc::clone(count), since, ended: AtomicU8::new(0) })
    }

    /// When the lease was taken.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    /// Settle it. `false`: that was done already, with an end as grave.
    pub(crate) fn end(&self, end: &End) -> bool {
        self.ended.fetch_max(end.gravity(), Ordering::Relaxed) < end.gravity()
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
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
