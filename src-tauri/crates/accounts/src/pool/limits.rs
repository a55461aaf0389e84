//! What is left of each plan: noted as it is seen, kept beside the vault, there again after a restart with its age.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Pool;
use super::inner::Inner;
use crate::AccountId;
use crate::quota::{Ledger, Quota, WindowsSeen};
use crate::vault::disk::{self, RealDisk};

/// What was seen of the plans is not on disk. Nothing else depends on it.
#[derive(Debug, thiserror::Error)]
#[error("cannot save {}: {source}", .path.display())]
pub struct FlushError {
    path: PathBuf,
    source: io::Error,
}

/// Every answer tells something; written down is it once in a while.
const WRITE_AFTER: Duration = Duration::from_secs(5);
/// What nobody has seen for so long, of accounts we do not know, is dropped from the file. The longest window is a month.
const STALE: SignedDuration = SignedDuration::from_hours(35 * 24);
const FILE: &str = "quota.json";
const LOCK: &str = "quota.lock";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    accounts: BTreeMap<AccountId, Ledger>,
}

// === impl Pool ===

impl Pool {
    /// Take in what an answer, an event or a page told about an account's limits at `now`.
    ///
    /// If it shows quota, a cooldown for the usage limit ends that began before.
    pub fn note_limits(&self, id: &AccountId, seen: &WindowsSeen, now: Timestamp) {
        if *seen == WindowsSeen::default() {
            return;
        }
        let keep = self.0.change(|state| {
            let Some(held) = state.held_mut(id) else { return false };
            let ephemeral = held.ephemeral;
            let before = held.rest.is_none_or(|rest| rest.since < now);
            if before && seen.is_evidence_of_quota() {
                held.has_quota(now);
            }
            state.quotas.entry(id.clone()).or_default().note(seen, now);
            state.quotas_changed |= !ephemeral;
            !ephemeral
        });
        if keep {
            self.flush_soon();
        }
    }

    /// What is known of an account's limits, as of now.
    pub fn quota(&self, id: &AccountId) -> Option<Quota> {
        let now = (self.0.clock)();
        self.0.look(|state| state.quotas.get(id).and_then(|ledger| ledger.view(now)))
    }

    /// Write down what was seen of the plans, if anything is new. Happens by itself some seconds after it was seen.
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.0.flush().await
    }

    fn flush_soon(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.0.noting.swap(true, Ordering::SeqCst) {
            return;
        }
        let inner = Arc::clone(&self.0);
        let task = async move {
            tokio::select! {
                () = tokio::time::sleep(WRITE_AFTER) => {}
                () = inner.hurry.notified() => {}
            }
            // Before the writing: what is noted meanwhile gets a task of its own.
            inner.noting.store(false, Ordering::SeqCst);
            if let Err(error) = inner.flush().await {
                tracing::warn!(%error, "what is left of the plans is not stored; it is tried again with the next answer");
            }
        };
        self.0.tasks.spawn_on(task, &runtime);
    }
}

// === impl Inner ===

impl Inner {
    pub(super) async fn flush(self: &Arc<Self>) -> Result<(), FlushError> {
        let _one_at_a_time = self.flushing.lock().await;
        let taken = self.change(|state| {
            let changed = std::mem::take(&mut state.quotas_changed);
            let kept = |id: &AccountId| state.held(id).is_some_and(|held| !held.ephemeral);
            let ours = state.quotas.iter().filter(|(id, _)| kept(id));
            changed.then(|| (ours.map(|(id, ledger)| (id.clone(), ledger.clone())).collect(), state.forgotten.clone()))
        });
        let Some((ours, forgotten)) = taken else { return Ok(()) };
        let (folder, now) = (self.vault.folder().to_owned(), (self.clock)());
        let path = folder.join(FILE);
        let work = move || -> io::Result<BTreeMap<AccountId, Ledger>> {
            let nothing = |ours: &BTreeMap<_, _>| ours.is_empty() && !folder.join(FILE).exists();
            if nothing(&ours) {
                return Ok(ours);
            }
            disk::make_folder(&folder)?;
            // Another process may write too; together they lose nothing.
            let lock = disk::open_lock(&folder.join(LOCK))?;
            lock.lock()?;
            let mut accounts = load(&folder);
            accounts.retain(|id, ledger| {
                let fresh = ledger.seen_at().is_some_and(|seen| now.duration_since(seen) < STALE);
                !forgotten.contains(id) && (fresh || ours.contains_key(id))
            });
            for (id, ledger) in ours {
                accounts.entry(id).or_default().merge(&ledger);
            }
            let json = serde_json::to_vec(&File { version: VERSION, accounts: accounts.clone() })?;
            disk::replace(&RealDisk, &folder.join(FILE), &json)?;
            Ok(accounts)
        };
        let written = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        self.change(|state| match written {
            Ok(accounts) => {
                state.recall(accounts);
                Ok(())
            }
            Err(source) => {
                state.quotas_changed = true;
                Err(FlushError { path, source })
            }
        })
    }
}

/// What is written there. What cannot be read is not there: it comes again with the next answers.
pub(super) fn load(folder: &Path) -> BTreeMap<AccountId, Ledger> {
    let path = folder.join(FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(path = %path.display(), %error, "what is left of the plans cannot be read");
            }
            return BTreeMap::new();
        }
    };
    match serde_json::from_slice::<File>(&bytes) {
        Ok(file) if file.version == VERSION => file.accounts,
        Ok(file) => {
            tracing::warn!(path = %path.display(), version = file.version, "of another version, left out");
            BTreeMap::new()
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "what is left of the plans cannot be read");
            BTreeMap::new()
        }
    }
}
