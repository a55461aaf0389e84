//! What is kept open upstream between two requests of one client's connection.
//!
//! **Invariant:** one connection, of one account, for one conversation and one model: whatever a handshake has said holds for
//! all that goes over it. Two lines never share one.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use codeferry_accounts::AccountId;
use tokio::time::Instant;

use codeferry_wire::responses::event::tag_of;

use crate::continuation::Kept;
use crate::transport::socket::Connection;

/// The host keeps a connection for an hour (`codex-backend.md §6`). A response takes minutes, so none is begun in the last.
const LIFETIME: Duration = Duration::from_secs(55 * 60);
/// After so long without a request it is given up: the host should not keep a conversation for nobody.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// One client's connection, seen from here. Dropping it hangs up.
#[derive(Debug, Default)]
pub struct Line {
    held: Mutex<Option<Held>>,
}

/// Whose request goes over which line.
#[derive(Debug, Clone, Copy)]
pub struct Seat<'a> {
    /// The client's connection.
    pub line: &'a Arc<Line>,
    /// Who pays.
    pub account: &'a AccountId,
}

/// What a handshake has said.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) account: AccountId,
    pub(crate) url: String,
    pub(crate) session: String,
    pub(crate) thread: String,
    pub(crate) model: String,
    /// SHA-256 of the bearer: a renewed one asks for another connection.
    pub(crate) bearer: Vec<u8>,
}

/// A connection between two responses.
pub(crate) struct Held {
    pub(crate) key: Key,
    pub(crate) connection: Connection,
    /// The host's name for the handshake.
    pub(crate) request_id: Option<String>,
    /// What the host has of the conversation.
    pub(crate) kept: Option<Kept>,
    pub(crate) since: Instant,
}

// === impl Line ===

impl Line {
    /// The connection, if it is the one for this. Any other is given up.
    pub(crate) fn take(&self, key: &Key) -> Option<Held> {
        let held = self.lock().take()?;
        let now = Instant::now();
        let fits = held.key == *key && now < held.connection.opened + LIFETIME && now < held.since + IDLE;
        fits.then_some(held)
    }

    /// A response is over, and the next may go on from it.
    pub(crate) fn put(&self, held: Held) {
        *self.lock() = Some(held);
    }

    /// Looks after what is kept open: answers the host's pings, sends our own, and notices when it is gone. For whoever waits
    /// for the client's next request; it never ends, and may be dropped at any time.
    pub async fn tend(&self) -> Infallible {
        poll_fn(|cx| self.poll_tend(cx)).await
    }

    fn poll_tend(&self, cx: &mut Context<'_>) -> Poll<Infallible> {
        let mut slot = self.lock();
        while let Some(held) = slot.as_mut() {
            match held.connection.poll_text(cx) {
                // It wakes us for the next ping, which is often enough to look at the time.
                Poll::Pending if Instant::now() < held.since + IDLE => break,
                // Windows and timings may come late.
                Poll::Ready(Ok(text)) if is_aside(&tag_of(&text)) => {}
                _ => *slot = None,
            }
        }
        Poll::Pending
    }

    /// The client has left.
    pub async fn close(&self) {
        let held = self.lock().take();
        if let Some(held) = held {
            held.connection.close().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an event is about no answer in particular.
pub(crate) fn is_aside(tag: &str) -> bool {
    tag.starts_with("codex.") || tag.starts_with("responsesapi.") || tag == "response.metadata"
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("account", &self.key.account).finish_non_exhaustive()
    }
}
