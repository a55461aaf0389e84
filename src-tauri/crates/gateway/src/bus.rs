//! Live events: what happens, told to whoever looks on.
//!
//! Events lie in short rings, one for each [`Topic`], and have one numbering. Readers have no queue: each remembers how far
//! it has read, and reads on when something was added. So a reader that is too slow, or was away, costs no memory; when what
//! it has not read yet is gone, it is told to begin anew.
//!
//! **Invariant:** who publishes never waits, and does nothing at all while nobody listens. An event is published after
//! what it tells has happened, so that a snapshot taken later shows it.

mod exchange;
mod lane;
mod topic;
mod watch;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{Notify, watch as cell};
use tokio::time::Instant;

pub(crate) use self::exchange::OpenExchange;
use self::lane::Lane;
pub(crate) use self::topic::{Topic, Topics};
pub(crate) use self::watch::watch;

/// Events go on being kept for so long after the last reader has left: it may be back at once.
const LINGER: Duration = Duration::from_secs(60);
/// So many events are handed out at once.
const BATCH: usize = 256;
/// So many readers there may be.
const MOST_READERS: usize = 64;

/// Where events are published and read.
#[derive(Debug)]
pub(crate) struct Bus {
    /// Part of each id: those of an earlier run mean nothing now.
    run: String,
    /// Nobody listens, and nobody has for a while.
    idle: AtomicBool,
    held: Mutex<Held>,
    /// The number of the last event.
    last: cell::Sender<u64>,
    readers: cell::Sender<usize>,
    /// [`watch()`] is at work.
    awake: cell::Sender<bool>,
    /// Something the status shows has changed.
    stirred: Notify,
    /// Exchanges under way, by id.
    open: Mutex<BTreeMap<String, OpenExchange>>,
}

#[derive(Debug)]
struct Held {
    /// The number of the next event.
    next: u64,
    lanes: [Lane; Topic::ALL.len()],
    /// When the last reader left.
    left: Instant,
}

/// Somebody who listens. Dropped, it has left.
#[derive(Debug)]
pub(crate) struct Reader {
    bus: Arc<Bus>,
    topics: Topics,
    /// What to read next.
    next: u64,
    seen: cell::Receiver<u64>,
}

/// What there is to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// Some events, as they go out.
    Events(Bytes),
    /// Something was missed: only a snapshot helps.
    Gap,
}

/// There are too many readers already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

// === impl Bus ===

impl Bus {
    /// `nonce` tells this run from all others.
    pub(crate) fn new(nonce: u32) -> Arc<Self> {
        let held = Held { next: 1, lanes: Default::default(), left: Instant::now() };
        Arc::new(Self {
            run: format!("{nonce:08x}"),
            idle: AtomicBool::new(true),
            held: Mutex::new(held),
            last: cell::Sender::new(0),
            readers: cell::Sender::new(0),
            awake: cell::Sender::new(false),
            stirred: Notify::new(),
            open: Mutex::default(),
        })
    }

    /// Whether nobody would read what is published now.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire)
    }

    /// Tells that something has happened. `event` is built only if somebody may read it.
    pub(crate) fn publish<T: Serialize>(&self, topic: Topic, name: &str, event: impl FnOnce() -> T) {
        if self.is_idle() {
            return;
        }
        let Ok(data) = serde_json::to_string(&event()) else { return };
        let mut held = self.held();
        let number = held.next;
        held.next += 1;
        let frame = self.frame(number, name, &data);
        held.lanes[topic as usize].push(number, frame, topic);
        // Under the lock, so that the numbers only grow.
        self.last.send_replace(number);
    }

    /// One record of the stream.
    fn frame(&self, number: u64, name: &str, data: &str) -> Bytes {
        format!("id: {}-{number}\nevent: {name}\ndata: {data}\n\n", self.run).into()
    }

    /// Something the status shows has changed.
    pub(crate) fn stir(&self) {
        if !self.is_idle() {
            self.stirred.notify_one();
        }
    }

    /// Begins to read these topics: behind the event of that id if it is known what came after it, else at a gap.
    pub(crate) fn listen(self: &Arc<Self>, topics: Topics, last_id: Option<&str>) -> Result<Reader, TooMany> {
        let held = self.held();
        if *self.readers.borrow() >= MOST_READERS {
            return Err(TooMany);
        }
        self.idle.store(false, Ordering::Release);
        self.readers.send_modify(|readers| *readers += 1);
        let after = last_id.and_then(|id| {
            let (run, number) = id.split_once('-')?;
            number.parse::<u64>().ok().filter(|number| run == self.run && *number < held.next)
        });
        drop(held);
        // Number 0 is nobody's, and whoever asks for it has missed something.
        let next = after.map_or(0, |number| number + 1);
        Ok(Reader { bus: Arc::clone(self), topics, next, seen: self.last.subscribe() })
    }

    /// Returns when everything that is not published where it happens is watched.
    pub(crate) async fn awake(&self) {
        // Whoever could end this wait with an error holds the bus.
        let _ = self.awake.subscribe().wait_for(|awake| *awake).await;
    }

    /// What there is from `from` on, and from where to go on.
    fn read(&self, from: u64, topics: Topics) -> Option<(Vec<Bytes>, u64)> {
        let held = self.held();
        let wanted = || topics.iter().map(|topic| &held.lanes[topic as usize]);
        if from == 0 || wanted().any(|lane| lane.has_lost(from)) {
            return None;
        }
        let mut found: Vec<_> = wanted().flat_map(|lane| lane.from(from)).collect();
        found.sort_unstable_by_key(|(number, _)| *number);
        let next = match found.get(BATCH) {
            Some((number, _)) => *number,
            None => held.next,
        };
        Some((found.into_iter().take(BATCH).map(|(_, frame)| frame.clone()).collect(), next))
    }

    /// Events of that topic were lost before they could be published.
    fn missed(&self, topic: Topic) {
        let mut held = self.held();
        let gap = held.next;
        held.next += 1;
        held.lanes[topic as usize].forget(gap);
        self.last.send_replace(gap);
    }

    /// Stops keeping events, if nobody listens. Whoever comes back later has missed something.
    fn rest(&self) -> bool {
        let mut held = self.held();
        if *self.readers.borrow() > 0 {
            return false;
        }
        let gap = held.next;
        held.next += 1;
        held.lanes.iter_mut().for_each(|lane| lane.forget(gap));
        self.idle.store(true, Ordering::Release);
        self.awake.send_replace(false);
        true
    }

    /// Returns when nobody has listened for a while.
    async fn deserted(&self) {
        let mut readers = self.readers.subscribe();
        loop {
            if readers.wait_for(|readers| *readers == 0).await.is_err() {
                return;
            }
            let until = self.held().left + LINGER;
            if Instant::now() >= until {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                _ = readers.wait_for(|readers| *readers > 0) => {}
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Reader ===

impl Reader {
    /// What comes next, as soon as there is something. Dropping the future loses nothing.
    pub(crate) async fn more(&mut self) -> More {
        loop {
            self.seen.mark_unchanged();
            let Some((frames, next)) = self.bus.read(self.next, self.topics) else { return More::Gap };
            self.next = next;
            match frames.as_slice() {
                [] => {}
                [frame] => return More::Events(frame.clone()),
                frames => return More::Events(frames.concat().into()),
            }
            if self.seen.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Begins anew: what `snapshot` shows from here on is followed by all that happens after it.
    pub(crate) fn reset<T: Serialize>(&mut self, snapshot: impl FnOnce() -> T) -> Bytes {
        self.next = self.bus.held().next;
        let data = serde_json::to_string(&snapshot()).unwrap_or_else(|_| "{}".to_owned());
        self.bus.frame(self.next - 1, "reset", &data)
    }

    /// A sign of life, with the number of what was passed over.
    pub(crate) fn heartbeat(&self) -> Bytes {
        format!(": still here\nid: {}-{}\n\n", self.bus.run, self.next.saturating_sub(1)).into()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.bus.held().left = Instant::now();
        self.bus.readers.send_modify(|readers| *readers -= 1);
    }
}

#[cfg(test)]
mod tests;
