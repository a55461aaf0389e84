//! Captures: what was sent and what came of it, word for word, for a bug report. Kept only while somebody asks for it.
//!
//! One file for each exchange, compressed, in a folder of their own, for this user alone. Secrets are taken out before
//! anything is written, pictures and files unless they were asked for. Files go when they are old, and the oldest when
//! there are too many.
//!
//! [`Captures::record`] never waits: a thread, started with the first capture, redacts and writes.
//!
//! **Invariant:** no failure here reaches an exchange. A full disk, a damaged file or a capture too large costs that
//! capture, which is counted.

mod document;
mod folder;
mod record;
mod redact;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::SettingsFile;
use crate::log::Now;
use document::Document;
use folder::{Entry, Keep};
pub use record::{Answered, Capture, Sent, Stream, Try};
use redact::Rules;
use write::{Command, Writer};

/// Captures that may wait for the writer, and how much they may hold together.
const QUEUE: usize = 64;
const QUEUED_BYTES: usize = 256 * 1024 * 1024;
/// How long a reader waits for captures that are on their way.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// The captures of a data folder. Clones share them.
#[derive(Clone)]
pub struct Captures {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    settings: SettingsFile,
    now: Now,
    health: Arc<Mutex<CaptureHealth>>,
    /// Bytes that wait for the writer.
    waiting: Arc<AtomicUsize>,
    writer: Mutex<Hand>,
}

/// The one who writes, once there is something to write.
enum Hand {
    Idle,
    Writing(SyncSender<Command>, JoinHandle<()>),
    /// It was closed, or this process only reads.
    Gone,
}

/// How it fares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CaptureHealth {
    /// Captures that were not written, since the start.
    pub dropped: u64,
    /// Why the last one could not be written; gone when one could.
    pub problem: Option<String>,
}

/// What a capture is of, in a few words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The exchange.
    pub id: String,
    /// When it began.
    pub at: Timestamp,
    /// The name of the client key.
    pub client: String,
    /// The client's language.
    pub dialect: String,
    /// The model as asked for, and upstream.
    pub asked: String,
    /// The model upstream.
    pub model: String,
    /// How it ended.
    pub outcome: String,
    /// The HTTP status the client got.
    pub status: Option<u16>,
    /// How often the upstream was asked.
    pub attempts: usize,
    /// Whether pictures and files are in it.
    pub images: bool,
}

/// A capture that lies there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What it is of.
    #[serde(flatten)]
    pub summary: Summary,
    /// When it goes.
    pub expires_at: Timestamp,
    /// On the disk.
    pub bytes: u64,
}

/// All that lie there, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Those that can be read.
    pub captures: Vec<Kept>,
    /// On the disk.
    pub bytes: u64,
    /// Files that cannot be read. They go when their time comes.
    pub damaged: u64,
}

/// A capture cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It is not there, or not any more.
    #[error("there is no capture of {0:?}; they go when they are old or too many")]
    Unknown(String),
    /// Its file is not what was written.
    #[error("the capture {} is damaged", .0.display())]
    Damaged(PathBuf),
    /// The system does not let us.
    #[error("cannot use the captures in {}: {source}", .folder.display())]
    Files {
        /// The folder.
        folder: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

// === impl Captures ===

impl Captures {
    /// Captures that can be written. What is too old goes at once, and later when its time comes.
    pub fn open(folder: PathBuf, settings: SettingsFile, now: Now) -> Self {
        let captures = Self::new(folder, settings, now, Hand::Idle);
        if captures.shared.folder.exists() {
            captures.hand();
        }
        captures
    }

    /// Captures to look at, beside their owner or without one.
    pub fn look(folder: PathBuf, settings: SettingsFile, now: Now) -> Self {
        Self::new(folder, settings, now, Hand::Gone)
    }

    fn new(folder: PathBuf, settings: SettingsFile, now: Now, hand: Hand) -> Self {
        let (health, waiting) = (Arc::default(), Arc::default());
        Self { shared: Arc::new(Shared { folder, settings, now, health, waiting, writer: Mutex::new(hand) }) }
    }

    /// Where they lie.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// How much of a body or of a stream is kept, in bytes.
    pub fn part_limit(&self) -> usize {
        Keep::of(&self.shared.settings.snapshot()).part
    }

    /// Writes a capture, soon. Never waits.
    pub fn record(&self, capture: Capture) {
        let (size, waiting) = (capture.size(), &self.shared.waiting);
        let fits = waiting.fetch_add(size, Ordering::AcqRel) <= QUEUED_BYTES;
        let sent = match self.hand().filter(|_| fits) {
            Some(queue) => match queue.try_send(Command::Write(Box::new(capture), size)) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            },
            None => false,
        };
        if !sent {
            waiting.fetch_sub(size, Ordering::AcqRel);
            lock(&self.shared.health).dropped += 1;
        }
    }

    /// How it fares.
    pub fn health(&self) -> CaptureHealth {
        lock(&self.shared.health).clone()
    }

    /// All that lie there. Those that are too old go.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Listing, CaptureError> {
        self.flush();
        let keep = Keep::of(&self.shared.settings.snapshot());
        self.files(folder::prune(self.folder(), &keep, (self.shared.now)(), 0))?;
        let mut listing = Listing::default();
        for entry in self.files(folder::entries(self.folder()))?.into_iter().rev() {
            listing.bytes += entry.bytes;
            match Document::summary(&entry.path) {
                Some(summary) => {
                    listing.captures.push(Kept { summary, expires_at: expiry(&entry, &keep), bytes: entry.bytes });
                }
                None => listing.damaged += 1,
            }
        }
        Ok(listing)
    }

    /// One of them, as JSON for people to read.
    ///
    /// # Errors
    /// When it is not there, or damaged.
    pub fn read(&self, id: &str) -> Result<Vec<u8>, CaptureError> {
        let entry = self.find(id)?;
        let document = Document::read(&entry.path).ok_or_else(|| CaptureError::Damaged(entry.path.clone()))?;
        Ok(document.to_pretty())
    }

    /// The same for others: without e-mail addresses and the names of people's folders, gzip-compressed.
    ///
    /// # Errors
    /// When it is not there, or damaged.
    pub fn bundle(&self, id: &str) -> Result<Vec<u8>, CaptureError> {
        let entry = self.find(id)?;
        let document = Document::read(&entry.path).ok_or_else(|| CaptureError::Damaged(entry.path.clone()))?;
        let rules = Rules { images: document.images(), leaves: true, known: None };
        let packed = document::gzip(&document.redacted(rules).to_pretty());
        self.files(packed)
    }

    /// Removes one.
    ///
    /// # Errors
    /// When it is not there, or stays.
    pub fn remove(&self, id: &str) -> Result<(), CaptureError> {
        let entry = self.find(id)?;
        self.files(folder::remove(&entry.path))
    }

    /// Removes all, damaged ones too; how many.
    ///
    /// # Errors
    /// When one stays.
    pub fn clear(&self) -> Result<usize, CaptureError> {
        self.flush();
        let entries = self.files(folder::entries(self.folder()))?;
        for entry in &entries {
            self.files(folder::remove(&entry.path))?;
        }
        Ok(entries.len())
    }

    /// Waits until what was recorded before is written, or for two seconds.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(0);
        let queue = match &*lock(&self.shared.writer) {
            Hand::Writing(queue, _) => queue.clone(),
            Hand::Idle | Hand::Gone => return,
        };
        if queue.try_send(Command::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(FLUSH_PATIENCE);
        }
    }

    /// Writes what is left, and ends. What is recorded later is dropped.
    pub fn close(&self) {
        self.shared.close();
    }

    /// The name of its bundle.
    pub fn bundle_name(id: &str) -> String {
        format!("codeferry-{id}.json.gz")
    }

    fn find(&self, id: &str) -> Result<Entry, CaptureError> {
        self.flush();
        let entries = self.files(folder::entries(self.folder()))?;
        entries.into_iter().find(|entry| entry.id == id).ok_or_else(|| CaptureError::Unknown(id.to_owned()))
    }

    fn files<T>(&self, done: io::Result<T>) -> Result<T, CaptureError> {
        done.map_err(|source| CaptureError::Files { folder: self.folder().to_owned(), source })
    }

    /// The way to the writer, who is called when first needed.
    fn hand(&self) -> Option<SyncSender<Command>> {
        let shared = &*self.shared;
        let mut hand = lock(&shared.writer);
        match &*hand {
            Hand::Writing(queue, _) => return Some(queue.clone()),
            Hand::Gone => return None,
            Hand::Idle => {}
        }
        let (queue, commands) = sync_channel(QUEUE);
        let writer = Writer {
            folder: shared.folder.clone(),
            settings: shared.settings.clone(),
            now: Arc::clone(&shared.now),
            health: Arc::clone(&shared.health),
            waiting: Arc::clone(&shared.waiting),
            #[cfg(test)]
            full: false,
        };
        let started = std::thread::Builder::new().name("captures".to_owned()).spawn(move || writer.run(&commands));
        match started {
            Ok(thread) => {
                *hand = Hand::Writing(queue.clone(), thread);
                Some(queue)
            }
            Err(error) => {
                lock(&shared.health).problem = Some(format!("no thread to write with: {error}"));
                None
            }
        }
    }
}

impl std::fmt::Debug for Captures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captures").field("folder", &self.shared.folder).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    fn close(&self) {
        let hand = std::mem::replace(&mut *lock(&self.writer), Hand::Gone);
        if let Hand::Writing(queue, thread) = hand {
            drop(queue);
            if thread.join().is_err() {
                tracing::warn!("the writer of the captures broke off");
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

fn expiry(entry: &Entry, keep: &Keep) -> Timestamp {
    entry.at.checked_add(SignedDuration::from_millis(keep.age_ms)).unwrap_or(Timestamp::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
