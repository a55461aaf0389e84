//! Memory behind one lock, the vault behind it, and the order between the two.

use std::fs::File;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

use super::limits;
use super::state::{Loaded, State};
use crate::status::AccountStatus;
use crate::vault::{Contents, Vault, VaultError};
use crate::{Clock, Refresh};

/// The pool's insides, shared by its handles and its tasks.
pub(super) struct Inner {
    pub(super) vault: Vault,
    pub(super) refresh: Arc<dyn Refresh>,
    pub(super) clock: Clock,
    pub(super) state: Mutex<State>,
    /// Held while the vault is read or written and memory follows: memory sees the files in their order.
    pub(super) file: Mutex<()>,
    /// One reader at a time asks the keychain.
    pub(super) loading: tokio::sync::Mutex<()>,
    pub(super) changed: watch::Sender<Arc<[AccountStatus]>>,
    /// Renewals under way. Whoever ends the process waits for them: [`Pool::settle`](super::Pool::settle).
    pub(super) tasks: TaskTracker,
    /// A task is waiting to write down what was seen of the plans, and may be told to hurry.
    pub(super) noting: AtomicBool,
    pub(super) hurry: Notify,
    /// Whoever flushes has on disk afterwards what was noted before, even if another was at it already.
    pub(super) flushing: tokio::sync::Mutex<()>,
}

// === impl Inner ===

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state whole: every change is a few assignments.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state())
    }

    /// Change memory and tell who watches, if anything they see is different.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let out = change(&mut state);
        // Under the lock, so that watchers see the changes in their order.
        let list = state.list((self.clock)());
        self.changed.send_if_modified(|known| {
            let differs =
                known.len() != list.len() || list.iter().zip(known.iter()).any(|(new, old)| new.is_news_to(old));
            if differs {
                *known = list.into();
            }
            differs
        });
        out
    }

    pub(super) async fn reload(self: &Arc<Self>) -> Result<(), VaultError> {
        let inner = Arc::clone(self);
        blocking(move || {
            let _order = inner.file.lock().unwrap_or_else(PoisonError::into_inner);
            let stamp = inner.vault.stamp();
            match inner.vault.read() {
                Ok((contents, stamp)) => {
                    // What was seen of the plans is no reason to fail: without it there is just nothing to show yet.
                    let quotas = limits::load(inner.vault.folder());
                    inner.change(|state| {
                        state.adopt(&contents, stamp);
                        state.recall(quotas);
                    });
                    Ok(())
                }
                Err(error) => {
                    let at = (inner.clock)();
                    inner.change(|state| {
                        state.tried = Some(stamp);
                        if !matches!(state.vault, Loaded::Read) {
                            state.vault = Loaded::Failed { at, message: error.to_string() };
                        }
                    });
                    Err(error)
                }
            }
        })
        .await
    }

    /// Change the vault, then memory. Runs to its end even when the caller leaves; `locks` are held until then.
    pub(super) async fn write<T, E>(
        self: &Arc<Self>,
        locks: Vec<File>,
        change: impl FnOnce(&mut Contents) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<VaultError> + Send + 'static,
    {
        let inner = Arc::clone(self);
        blocking(move || {
            let _locks = locks;
            let _order = inner.file.lock().unwrap_or_else(PoisonError::into_inner);
            let (out, contents, stamp) = inner.vault.update(change)?;
            inner.change(|state| state.adopt(&contents, stamp));
            Ok(out)
        })
        .await
    }
}

/// Run what blocks (files, locks, the keychain and its dialogs) where blocking is allowed.
pub(super) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<VaultError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(out) => out,
        Err(error) => Err(VaultError::Interrupted(error.to_string()).into()),
    }
}
