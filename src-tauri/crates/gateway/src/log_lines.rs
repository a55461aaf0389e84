//! The last lines of the log, kept in memory for whoever looks: the control plane, the command line, the log files.
//!
//! Filled by the composition root, which decides what is said at all; here nothing is filtered but by level.
//!
//! **Invariant:** saying a line never waits: not for a reader, not for a disk. A follower that is too slow is told how many
//! lines it missed.

mod fields;

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

pub use fields::{LogField, LogFields};

/// So many lines are kept.
pub const KEPT_LINES: usize = 1000;
/// So many lines may wait for a follower before it misses the first.
const WAITING_LINES: usize = 4096;

/// How bad a line is. The worst comes first, so `<=` means "at least as bad".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Something is not as it should be.
    Warn,
    /// Something happened.
    Info,
    /// For whoever looks for a mistake.
    Debug,
    /// Every step.
    Trace,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How bad it is.
    pub level: LogLevel,
    /// Which part of the program says it.
    pub target: String,
    /// What happened.
    pub message: String,
    /// The figures and names that belong to it.
    #[serde(default)]
    pub fields: LogFields,
}

/// The last lines, and a way to follow those to come. Clones are the same.
#[derive(Debug, Clone)]
pub struct LogLines(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    last: Mutex<VecDeque<Arc<LogLine>>>,
    coming: broadcast::Sender<Arc<LogLine>>,
    dropped: AtomicU64,
}

// === impl LogLines ===

impl LogLines {
    /// None so far.
    pub fn new() -> Self {
        let (coming, _) = broadcast::channel(WAITING_LINES);
        Self(Arc::new(Inner { last: Mutex::default(), coming, dropped: AtomicU64::new(0) }))
    }

    /// One more line.
    pub fn push(&self, line: LogLine) {
        let line = Arc::new(line);
        // Told while the lock is held, so that who begins to follow sees each line once.
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == KEPT_LINES {
            last.pop_front();
        }
        last.push_back(Arc::clone(&line));
        // Nobody follows: no failure.
        let _ = self.0.coming.send(line);
    }

    /// The last lines that are at least this bad, `most` of them, the oldest first.
    pub fn last(&self, most: usize, level: LogLevel) -> Vec<Arc<LogLine>> {
        let last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        newest(&last, most, level)
    }

    /// The same, and all lines from here on: none is missing between the two, none comes twice.
    pub fn follow(&self, most: usize, level: LogLevel) -> (Vec<Arc<LogLine>>, broadcast::Receiver<Arc<LogLine>>) {
        let last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        (newest(&last, most, level), self.0.coming.subscribe())
    }

    /// So many lines more did not come to where they were to be kept.
    pub fn note_dropped(&self, lines: u64) {
        self.0.dropped.fetch_add(lines, Ordering::Relaxed);
    }

    /// How many lines did not come to where they were to be kept.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl Default for LogLines {
    fn default() -> Self {
        Self::new()
    }
}

fn newest(lines: &VecDeque<Arc<LogLine>>, most: usize, level: LogLevel) -> Vec<Arc<LogLine>> {
    let fitting = lines.iter().rev().filter(|line| line.level <= level).take(most);
    let mut newest: Vec<_> = fitting.cloned().collect();
    newest.reverse();
    newest
}

// === impl LogLevel ===

impl LogLevel {
    /// As it stands in a line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl FromStr for LogLevel {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let all = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];
        all.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(word)).ok_or(())
    }
}

#[cfg(test)]
mod tests;
