//! Brings log lines to disk, from a thread of its own that follows them like any other reader.
//!
//! **Invariant:** a disk that is slow, full or gone stops nothing but the file. What is lost is counted, and the trouble is
//! said once.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use codeferry_gateway::{LogField, LogFields, LogLevel, LogLine, LogLines};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;

use super::files::Files;

/// No more is written in one go.
const BATCH: usize = 64 * 1024;
/// Between two tries of a disk that refuses.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// How long the last lines may take to be written at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// The thread. Dropped, it writes what was said so far and ends.
#[derive(Debug)]
pub(crate) struct Writer {
    stop: CancellationToken,
    ended: mpsc::Receiver<()>,
}

/// What the thread does, without the thread.
struct Work {
    files: Files,
    lines: LogLines,
    /// Since when the disk refuses.
    refused: Option<Timestamp>,
    /// How many lines are lost since it does.
    lost: u64,
}

// === impl Writer ===

impl Writer {
    /// Writes the lines from now on. Nothing is opened before the first.
    pub(super) fn begin(lines: &LogLines, files: Files) -> Self {
        let stop = CancellationToken::new();
        let (end, ended) = mpsc::sync_channel(1);
        let (_, coming) = lines.follow(0, LogLevel::Error);
        let work = Work::new(files, lines.clone());
        let until = stop.clone();
        let begun = thread::Builder::new().name("log".to_owned()).spawn(move || {
            // Of the runtime only its waiting is used: no timer, no IO. It sleeps while nothing is said.
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() {
                runtime.block_on(work.go_on(coming, until));
            }
            // Nobody may wait for it any more.
            let _ = end.send(());
        });
        if let Err(error) = begun {
            tracing::warn!(%error, "the log is not written to files");
        }
        Self { stop, ended }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.cancel();
        // Late or never: the end does not hang on a disk.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

// === impl Work ===

impl Work {
    fn new(files: Files, lines: LogLines) -> Self {
        Self { files, lines, refused: None, lost: 0 }
    }

    async fn go_on(mut self, mut coming: Receiver<Arc<LogLine>>, stop: CancellationToken) {
        loop {
            let first = tokio::select! {
                biased;
                first = coming.recv() => first,
                () = stop.cancelled() => return,
            };
            match first {
                Ok(line) => self.write(line, &mut coming),
                Err(RecvError::Lagged(missed)) => self.missed(missed),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// This line and those that wait behind it.
    fn write(&mut self, first: Arc<LogLine>, coming: &mut Receiver<Arc<LogLine>>) {
        let at = first.at;
        let (mut batch, mut count) = (Vec::new(), 0);
        let mut next = Ok(first);
        loop {
            match next {
                Ok(line) => {
                    put(&mut batch, &line);
                    count += 1;
                }
                Err(TryRecvError::Lagged(missed)) => {
                    self.missed(missed);
                    put(&mut batch, &gap(at, missed));
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
            if batch.len() >= BATCH {
                break;
            }
            next = coming.try_recv();
        }
        self.bring(&batch, count, at);
    }

    /// To disk, if it takes anything.
    fn bring(&mut self, batch: &[u8], count: u64, at: Timestamp) {
        if self.refused.is_some_and(|since| at.duration_since(since).abs() < AGAIN) {
            self.lost(count);
            return;
        }
        match self.files.write(batch, at) {
            Ok(()) => {
                let lost = std::mem::take(&mut self.lost);
                if self.refused.take().is_some() {
                    tracing::info!(lost, "the log is written to files again");
                }
            }
            Err(error) => {
                let known = self.refused.replace(at).is_some();
                self.lost(count);
                if !known {
                    tracing::warn!(%error, "the log cannot be written to files; all else goes on");
                }
            }
        }
    }

    fn lost(&mut self, count: u64) {
        self.lost += count;
        self.lines.note_dropped(count);
    }

    /// More was said than could be kept waiting.
    fn missed(&self, count: u64) {
        self.lines.note_dropped(count);
    }
}

/// A line in place of those that are missing.
fn gap(at: Timestamp, missed: u64) -> LogLine {
    LogLine {
        at,
        level: LogLevel::Warn,
        target: module_path!().to_owned(),
        message: "lines are missing here: more was said than could be written".to_owned(),
        fields: LogFields(vec![("lines".into(), LogField::Count(missed))]),
    }
}

fn put(batch: &mut Vec<u8>, line: &LogLine) {
    // Nothing in a line cannot be JSON.
    if serde_json::to_writer(&mut *batch, line).is_ok() {
        batch.push(b'\n');
    }
}

#[cfg(test)]
mod tests;
