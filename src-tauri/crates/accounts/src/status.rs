//! An account as people see it: no secrets, ready to be sent to a dashboard.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::quota::Quota;
use crate::{AccountId, Cooldown, Kind};

/// One account and how it fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountStatus {
    pub id: AccountId,
    pub kind: Kind,
    pub email: Option<String>,
    pub label: Option<String>,
    pub plan: Option<String>,
    /// It serves the requests.
    pub active: bool,
    /// It serves only who asks for `LABEL/MODEL`, and is never the active one.
    pub named: bool,
    /// Where its server is, if that is the account's own affair.
    pub url: Option<String>,
    /// It lives in this process only and is never stored.
    pub ephemeral: bool,
    #[serde(flatten)]
    pub state: AccountState,
    /// When the access token runs out; it is renewed by itself before that.
    pub expires_at: Option<Timestamp>,
    pub last_refresh: Option<Timestamp>,
    /// Its owner wants it left alone. Says nothing about whether it could serve.
    pub paused: bool,
    /// Higher goes first.
    pub priority: i32,
    /// The file of another program that its token comes from. That program renews it; we only read.
    pub read_only: Option<PathBuf>,
    /// Requests under way.
    pub in_flight: usize,
    /// What of its plan is used, as last seen.
    pub quota: Option<Quota>,
    /// What its owner should know though it serves: a token that is not stored yet, a file that cannot be read.
    pub warning: Option<String>,
}

/// Whether an account can serve. As JSON: `"state": "cooling_down", "until": …, "why": …`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    Ready,
    CoolingDown {
        until: Timestamp,
        why: Cooldown,
    },
    /// It rests until somebody wakes it, or there is evidence that it can serve.
    Blocked {
        why: Cooldown,
    },
    NeedsSignIn {
        why: String,
    },
}

// === impl AccountStatus ===

impl AccountStatus {
    /// Whether anybody who looks on should be told. Counts of requests and forecasts change with every look.
    pub(crate) fn is_news_to(&self, known: &Self) -> bool {
        let still = |status: &Self| {
            let mut status = Self { in_flight: 0, ..status.clone() };
            status.quota.iter_mut().flat_map(|quota| &mut quota.windows).for_each(|window| window.forecast = None);
            status
        };
        still(self) != still(known)
    }
}
