//! Captures while somebody asks for them: from when until when, of whom, and what goes into them.
//!
//! The wish is kept in memory alone, so a restart ends it. While there is none, an exchange costs one look at a flag.
//!
//! **Invariant:** an exchange never waits for its capture. What passes by is shared, not copied; redacting and writing
//! are the store's, on a thread of its own.

mod recorder;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::request::Parts;
use codeferry_store::Settings;
use codeferry_store::capture::{CaptureHealth, Captures};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Gateway;
use crate::tap::Tap;
pub(crate) use recorder::Recorder;

/// Captures, and whether they are made at present.
pub(crate) struct Capturing {
    /// Whether there is a wish at all.
    on: AtomicBool,
    wish: Mutex<Option<Open>>,
    pub(crate) captures: Captures,
}

/// What is to be captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// Until when.
    pub until: Timestamp,
    /// Only exchanges of the client with the key of this name.
    pub client: Option<String>,
    /// Pictures and files as well.
    pub images: bool,
    /// Exchanges that were taken so far.
    pub captured: u64,
}

/// Whether captures are made, and how that fares.
#[derive(Debug, Clone, Serialize)]
pub struct CaptureState {
    /// Whether they are made at present.
    pub on: bool,
    /// What is wished for, while it is.
    #[serde(flatten)]
    pub wish: Option<Wish>,
    /// How the writing fares.
    #[serde(flatten)]
    pub health: CaptureHealth,
}

struct Open {
    wish: Wish,
    /// Both clocks count: that of the machine may be set back, and this one stands still while the machine sleeps.
    ends: Instant,
    /// Ends the task that waits for the end.
    _waiting: DropGuard,
}

// === impl Capturing ===

impl Capturing {
    pub(crate) fn new(captures: Captures) -> Self {
        Self { on: AtomicBool::new(false), wish: Mutex::default(), captures }
    }

    pub(crate) fn state(&self, now: Timestamp) -> CaptureState {
        self.end_if_over(now);
        let wish = self.lock().as_ref().map(|open| open.wish.clone());
        CaptureState { on: wish.is_some(), wish, health: self.captures.health() }
    }

    /// Ends what is wished for.
    fn end(&self) {
        let ended = {
            let mut open = self.lock();
            // The flag changes under the lock: who begins at the same time must not find it lowered afterwards.
            self.on.store(false, Ordering::Relaxed);
            open.take()
        };
        if let Some(open) = ended {
            tracing::warn!(
                captured = open.wish.captured,
                "capture is off: nothing of what is said is written any more"
            );
        }
    }

    fn begin(&self, wish: Wish, ends: Instant, waiting: DropGuard) {
        tracing::warn!(
            until = %wish.until, client = wish.client, images = wish.images,
            "capture is ON: what clients send and get is written to disk"
        );
        let mut open = self.lock();
        *open = Some(Open { wish, ends, _waiting: waiting });
        self.on.store(true, Ordering::Relaxed);
    }

    fn end_if_over(&self, now: Timestamp) {
        let over = |open: &Open| Instant::now() >= open.ends || now >= open.wish.until;
        if self.lock().as_ref().is_some_and(over) {
            self.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Gateway ===

impl Gateway {
    /// Captures exchanges from now on, for so long. What was wished for before is forgotten.
    pub(crate) fn capture(self: &Arc<Self>, time: Duration, client: Option<String>, images: bool) {
        let until = self.now().checked_add(time).unwrap_or(Timestamp::MAX);
        let ends = Instant::now() + time;
        let waiting = CancellationToken::new();
        let wish = Wish { until, client, images, captured: 0 };
        self.capturing.begin(wish, ends, waiting.clone().drop_guard());
        self.bus.stir();
        // It ends in time, and says so, also when nobody asks.
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep_until(ends) => {
                    gateway.capturing.end_if_over(gateway.now());
                    gateway.bus.stir();
                }
                () = waiting.cancelled() => {}
                () = gateway.stopping.cancelled() => {}
            }
        });
    }

    /// Captures nothing from now on. Exchanges that are under way are captured to their end.
    pub(crate) fn end_capture(&self) {
        self.capturing.end();
        self.bus.stir();
    }

    /// The recorder for an exchange, if it is to be captured.
    pub(crate) fn recorder(&self, tap: &Tap, parts: &Parts, settings: &Arc<Settings>) -> Option<Arc<Recorder>> {
        if !self.capturing.on.load(Ordering::Relaxed) {
            return None;
        }
        let capturing = &self.capturing;
        capturing.end_if_over(self.now());
        let images = {
            let mut open = capturing.lock();
            let wish = &mut open.as_mut()?.wish;
            if wish.client.as_ref().is_some_and(|client| *client != tap.facts.client) {
                return None;
            }
            wish.captured += 1;
            wish.images
        };
        Some(Recorder::new(capturing.captures.clone(), tap.begun(), parts, images, self.version, Arc::clone(settings)))
    }
}
