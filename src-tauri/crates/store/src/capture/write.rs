//! The writer: redacts, compresses, writes, and tidies up.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::document::Document;
use super::folder::{self, Keep};
use super::{Capture, CaptureHealth, lock};
use crate::SettingsFile;
use crate::log::Now;

/// What the writer is told.
pub(super) enum Command {
    /// A capture, and what it holds.
    Write(Box<Capture>, usize),
    /// Everything before this is to be written; the sender is dropped when it is.
    Flush(#[expect(dead_code, reason = "to drop it is the message")] SyncSender<()>),
}

pub(super) struct Writer {
    pub(super) folder: PathBuf,
    pub(super) settings: SettingsFile,
    pub(super) now: Now,
    pub(super) health: Arc<Mutex<CaptureHealth>>,
    pub(super) waiting: Arc<AtomicUsize>,
    /// A disk that is full.
    #[cfg(test)]
    pub(super) full: bool,
}

/// Files are looked after at least so often while there are any: the settings may have changed, and the clock.
const LONGEST_NAP: Duration = Duration::from_secs(60 * 60);

// === impl Writer ===

impl Writer {
    /// Until nobody is left who could tell it anything. Sleeps while there is nothing to do.
    pub(super) fn run(self, commands: &Receiver<Command>) {
        if self.folder.exists()
            && let Err(error) = folder::sweep(&self.folder)
        {
            self.complain(&error);
        }
        let mut nap = self.tidy();
        loop {
            let command = match nap {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(nap) => commands.recv_timeout(nap),
            };
            match command {
                Ok(Command::Write(capture, size)) => {
                    self.write(*capture);
                    self.waiting.fetch_sub(size, Ordering::AcqRel);
                }
                Ok(Command::Flush(_)) => continue,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            nap = self.tidy();
        }
    }

    /// Removes what is too old. How long until there is more to remove; `None`: nothing is left.
    fn tidy(&self) -> Option<Duration> {
        let (keep, now) = (Keep::of(&self.settings.snapshot()), (self.now)());
        match folder::prune(&self.folder, &keep, now, 0) {
            Ok(next) => {
                let ms = next?.saturating_sub(now.as_millisecond());
                Some(Duration::from_millis(u64::try_from(ms).unwrap_or_default()).min(LONGEST_NAP))
            }
            Err(error) => {
                self.complain(&error);
                Some(LONGEST_NAP)
            }
        }
    }

    fn write(&self, capture: Capture) {
        let id = capture.exchange.id.clone();
        // What a client sends must not be able to end the writer.
        let written = catch_unwind(AssertUnwindSafe(|| self.try_write(capture)));
        match written.unwrap_or_else(|_| Err(io::Error::other("it could not be understood"))) {
            Ok(bytes) => {
                lock(&self.health).problem = None;
                tracing::info!(id, bytes, "captured");
            }
            Err(error) => {
                lock(&self.health).dropped += 1;
                self.complain(&error);
            }
        }
    }

    fn try_write(&self, capture: Capture) -> io::Result<usize> {
        let (at, id) = (capture.exchange.at, capture.exchange.id.clone());
        let keep = Keep::of(&self.settings.snapshot());
        let packed = Document::of(capture, keep.part).packed()?;
        #[cfg(test)]
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let room = packed.len() as u64;
        if room > keep.total {
            return Err(io::Error::other("it is larger than all captures together may be (setting capture_mib)"));
        }
        folder::prune(&self.folder, &keep, (self.now)(), room)?;
        folder::write(&self.folder, at, &id, &packed)?;
        Ok(packed.len())
    }

    fn complain(&self, error: &io::Error) {
        let problem = format!("{}: {error}", self.folder.display());
        let mut health = lock(&self.health);
        if health.problem.as_ref() != Some(&problem) {
            tracing::warn!(error = problem, dropped = health.dropped, "a capture cannot be written");
        }
        health.problem = Some(problem);
    }
}
