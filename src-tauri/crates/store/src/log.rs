//! The request log: one row for each exchange, and their sums by the hour.
//!
//! [`Log::record`] never waits: rows go through a bounded queue to one thread, which writes them in batches. What does not
//! fit is dropped and counted. Readers have connections of their own and see whole batches.
//!
//! **Invariant:** no failure here reaches an exchange. A damaged file is put aside and a new one begun; a full disk or a
//! file that others hold costs rows, which are counted.

mod conversations;
mod db;
mod find;
mod record;
mod sums;
mod write;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::prices::Prices;
pub use conversations::{ConversationFilter, ConversationSum};
pub use find::{Filter, Found, Page};
pub use record::{Attempt, Exchange, Outcome, Prefix, Tokens};
pub use sums::{By, Sum, Totals, Usage, UsageQuery};
use write::Writer;

/// Rows that may wait for the writer. Behind them more are dropped: at a thousand exchanges a second that is four seconds
/// of a disk that does not answer.
const QUEUE: usize = 4096;
/// Readers keep so many connections at hand.
const IDLE_READERS: usize = 2;
/// How long a reader waits for rows that are on their way.
const FLUSH_PATIENCE: Duration = Duration::from_millis(500);

/// The time, from the composition root.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What is kept, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Whether rows are written at all.
    pub on: bool,
    /// Rows older than this go.
    pub days: u64,
    /// The oldest rows go when the file is larger than this, in MiB.
    pub mib: u64,
    /// Sums older than this go.
    pub sums_days: u64,
}

/// How the log fares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHealth {
    /// Rows that were not written, since the start.
    pub dropped: u64,
    /// Why the last batch could not be written; gone when one could.
    pub problem: Option<String>,
    /// Where a damaged file was put aside, since the start.
    pub put_aside: Option<PathBuf>,
}

/// The log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// What the database said.
    #[error("the request log {} cannot be read: {source}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// It was written by a newer version.
    #[error("the request log {} was written by a newer version (schema {found}, known {known})", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
}

/// The request log of a data folder. Clones share it.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    /// `None`: this process only reads.
    queue: Option<SyncSender<Command>>,
    health: Arc<Mutex<LogHealth>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    readers: Mutex<Readers>,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    /// The file that was put aside when these were opened.
    of: Option<PathBuf>,
}

/// What the writer is told.
enum Command {
    Row(Box<Exchange>),
    Keep(Keep),
    Prices(Prices),
    /// Everything before this is to be written; the sender is dropped when it is.
    Flush(SyncSender<()>),
    Stop,
}

// === impl Log ===

impl Log {
    /// A log that can be written. Nothing is opened before the first row: that is the writer's affair, on its own thread.
    pub fn open(path: PathBuf, keep: Keep, prices: Prices, now: Now) -> Self {
        let (queue, commands) = sync_channel(QUEUE);
        let health = Arc::default();
        let writer = Writer::new(path.clone(), keep, prices, now, Arc::clone(&health));
        let thread = spawn(writer, commands, &health);
        let shared = Shared { path, queue: Some(queue), health, thread: Mutex::new(thread), readers: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// A log to look into, beside its owner or without one.
    pub fn look(path: PathBuf) -> Self {
        let shared =
            Shared { path, queue: None, health: Arc::default(), thread: Mutex::default(), readers: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Writes an exchange down, soon. Never waits.
    pub fn record(&self, exchange: Exchange) {
        let Some(queue) = &self.shared.queue else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            queue.try_send(Command::Row(Box::new(exchange)))
        {
            lock(&self.shared.health).dropped += 1;
        }
    }

    /// From now on, keep this. Like [`set_prices`](Self::set_prices), it waits for a place in the queue: not for the
    /// path of an exchange.
    pub fn set_keep(&self, keep: Keep) {
        self.tell(Command::Keep(keep));
    }

    /// From now on, these prices count; for what was recorded, too.
    pub fn set_prices(&self, prices: Prices) {
        self.tell(Command::Prices(prices));
    }

    /// How it fares.
    pub fn health(&self) -> LogHealth {
        lock(&self.shared.health).clone()
    }

    /// Waits until what was recorded before is written, or for half a second.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(0);
        if let Some(queue) = &self.shared.queue
            && queue.try_send(Command::Flush(done)).is_ok()
        {
            let _ = wait.recv_timeout(FLUSH_PATIENCE);
        }
    }

    /// Writes what is left, and ends. What is recorded later is dropped.
    pub fn close(&self) {
        self.tell(Command::Stop);
        let thread = lock(&self.shared.thread).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::warn!("the writer of the request log broke off");
        }
    }

    fn tell(&self, command: Command) {
        if let Some(queue) = &self.shared.queue {
            let _ = queue.send(command);
        }
    }

    /// Reads with a connection of its own. `None` for the connection: there is no file yet.
    fn read<T: Default>(&self, ask: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, LogError> {
        self.flush();
        let path = &self.shared.path;
        let current = lock(&self.shared.health).put_aside.clone();
        let idle = {
            let mut readers = lock(&self.shared.readers);
            if readers.of != current {
                *readers = Readers { idle: Vec::new(), of: current.clone() };
            }
            readers.idle.pop()
        };
        let connection = match idle {
            Some(connection) => connection,
            None => match db::open_to_read(path)? {
                Some(connection) => connection,
                None => return Ok(T::default()),
            },
        };
        let answer = ask(&connection).map_err(|source| LogError::Database { path: path.clone(), source })?;
        let mut readers = lock(&self.shared.readers);
        if readers.idle.len() < IDLE_READERS && readers.of == current {
            readers.idle.push(connection);
        }
        Ok(answer)
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    /// The queue goes with it; the writer sees that, writes what is left, and ends.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

/// Starts the writer. Without a thread nothing is written, and that is said.
fn spawn(writer: Writer, commands: Receiver<Command>, health: &Arc<Mutex<LogHealth>>) -> Option<JoinHandle<()>> {
    let started = std::thread::Builder::new().name("request-log".to_owned()).spawn(move || writer.run(&commands));
    started.map_err(|error| lock(health).problem = Some(format!("no thread to write with: {error}"))).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
