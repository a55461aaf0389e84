//! An account as people see it: no secrets, ready to be sent to a dashboard.

use jiff::Timestamp;
use serde::Serialize;

use crate::{AccountId, Cooldown, Kind};

/// One account and how it fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountStatus {
    pub id: AccountId,
    pub kind: Kind,
    pub email: Option<String>,
    pub label: Option<String>,
    pub plan: Option<String>,
    /// It serves the requests.
    pub active: bool,
    /// It lives in this process only and is never stored.
    pub ephemeral: bool,
    #[serde(flatten)]
    pub state: AccountState,
    /// When the access token runs out; it is renewed by itself before that.
    pub expires_at: Option<Timestamp>,
    pub last_refresh: Option<Timestamp>,
}

/// Whether an account can serve. As JSON: `"state": "cooling_down", "until": …, "why": …`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    Ready,
    CoolingDown { until: Timestamp, why: Cooldown },
    NeedsSignIn { why: String },
}
