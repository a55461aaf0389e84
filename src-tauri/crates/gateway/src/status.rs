//! How the gateway fares, for `codeferry status`, the tray and the dashboard.

use std::sync::atomic::{AtomicU64, Ordering};

use codeferry_accounts::{AccountId, AccountStatus, Rotation};
use codeferry_store::log::LogHealth;
use jiff::Timestamp;
use serde::Serialize;

use crate::capture::CaptureState;
use crate::setup::DriftedPlace;
use crate::tap::Outcome;

/// A snapshot.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Our version.
    pub version: &'static str,
    /// The process that serves.
    pub pid: u32,
    /// Since when.
    pub started_at: Timestamp,
    /// Where this machine reaches it.
    pub url: String,
    /// How requests are spread over the accounts.
    pub rotation: Rotation,
    /// The accounts, without secrets.
    pub accounts: Vec<AccountStatus>,
    /// What was served.
    pub exchanges: Exchanges,
    /// The account that was picked last, and why.
    pub last_pick: Option<Pick>,
    /// The last time another account took over.
    pub failed_over: Option<FailedOver>,
    /// How the request log fares.
    pub request_log: LogHealth,
    /// What its owner should know though it serves.
    pub warnings: Vec<&'static str>,
    /// Whether what is said is written down.
    pub capture: CaptureState,
    /// Clients that are not set up as they were. Left out where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drifted: Vec<DriftedPlace>,
}

/// A choice among the accounts.
#[derive(Debug, Clone, Serialize)]
pub struct Pick {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub account: AccountId,
    /// Why this one and none of the others, for people: it names accounts as their owner does.
    pub why: String,
}

/// An account could not go on, and another one, whose plan pays now, took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedOver {
    /// When.
    pub at: Timestamp,
    /// Which one could not go on.
    pub from: AccountId,
    /// Which one took over.
    pub to: AccountId,
    /// Why, for people: one sentence or a part of one, which names accounts as their owner does.
    pub why: String,
    /// When the first one is back, if it rests and that is known.
    pub until: Option<Timestamp>,
}

/// Counts of exchanges since the start.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Exchanges {
    /// Under way.
    pub open: u64,
    /// Answered to the end.
    pub completed: u64,
    /// Refused or failed before the first byte.
    pub refused: u64,
    /// Failed after the first byte.
    pub failed: u64,
    /// Left by the client.
    pub cancelled: u64,
}

/// The counters behind it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    begun: AtomicU64,
    completed: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    /// Exchanges under way, exact at each moment: the sums above are read one after the other.
    open: AtomicU64,
}

// === impl Counters ===

impl Counters {
    /// One more exchange. Whether it is the first one under way.
    pub(crate) fn begin(&self) -> bool {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// One is over. Whether it was the last one under way.
    pub(crate) fn end(&self, outcome: &Outcome) -> bool {
        let counter = match outcome {
            Outcome::Completed => &self.completed,
            Outcome::Refused { .. } => &self.refused,
            Outcome::Failed { .. } => &self.failed,
            Outcome::Cancelled => &self.cancelled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed) == 1
    }

    pub(crate) fn snapshot(&self) -> Exchanges {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut exchanges = Exchanges {
            open: 0,
            completed: read(&self.completed),
            refused: read(&self.refused),
            failed: read(&self.failed),
            cancelled: read(&self.cancelled),
        };
        let ended = exchanges.completed + exchanges.refused + exchanges.failed + exchanges.cancelled;
        exchanges.open = read(&self.begun).saturating_sub(ended);
        exchanges
    }
}
