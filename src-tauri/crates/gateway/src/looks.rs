//! Looks at the usage page: one clock for all who look, whether a person asks or an account rests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use codeferry_accounts::{AccountId, Lease, Pool, WindowsSeen};
use codeferry_upstream::{Failure, Upstream};
use jiff::Timestamp;
use tokio::time::Instant;

/// When each account was last looked at.
#[derive(Debug, Default)]
pub struct Looks(Mutex<BTreeMap<AccountId, Instant>>);

// === impl Looks ===

impl Looks {
    /// Looks that nobody asked for by name are at least so far apart.
    pub const APART: Duration = Duration::from_secs(5 * 60);

    /// Whether it is time to look again. If it is, the look counts from now, whatever comes of it.
    pub fn claim(&self, id: &AccountId) -> bool {
        let now = Instant::now();
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looks.get(id).is_none_or(|last| now >= *last + Self::APART);
        if due {
            looks.insert(id.clone(), now);
        }
        due
    }

    /// Reads the usage page into what the pool knows. Evidence of quota ends a rest; that is the pool's to see.
    ///
    /// # Errors
    ///
    /// The host did not answer, or not with figures. What was known stays.
    pub async fn look(&self, pool: &Pool, upstream: &Upstream, lease: &Lease, now: Timestamp) -> Result<(), Failure> {
        let id = &lease.account.id;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Instant::now());
        let limits = upstream.usage(lease.into()).await?;
        pool.note_limits(id, &WindowsSeen::from(&limits), now);
        Ok(())
    }
}
