//! A capture as it is gathered: everything still in it, nothing of it to be shown.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::Settings;
use crate::log::Exchange;

/// What went to and fro in one exchange. Times are milliseconds since it began.
pub struct Capture {
    /// Our version.
    pub version: &'static str,
    /// What was chosen at that time.
    pub settings: Arc<Settings>,
    /// Whether pictures and files are wanted.
    pub images: bool,
    /// The row of the request log.
    pub exchange: Exchange,
    /// What the client sent.
    pub request: Sent,
    /// Each time the upstream was asked.
    pub tries: Vec<Try>,
    /// What the client got.
    pub answer: Answered,
}

/// A request.
#[derive(Default)]
pub struct Sent {
    /// `POST /v1/messages HTTP/1.1`
    pub line: String,
    /// In their order.
    pub headers: Vec<(String, String)>,
    /// After unpacking.
    pub body: Bytes,
}

/// One attempt upstream.
#[derive(Default)]
pub struct Try {
    /// When it began.
    pub at_ms: u64,
    /// The request as it was lowered for this attempt.
    pub body: Bytes,
    /// What came back.
    pub answer: Answered,
    /// Why it gave no answer, in a sentence.
    pub failure: Option<String>,
}

/// An answer.
#[derive(Default)]
pub struct Answered {
    /// When its head came.
    pub at_ms: u64,
    /// HTTP status.
    pub status: Option<u16>,
    /// In their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub stream: Stream,
    /// Whether it came to its end, where that is known.
    pub whole: Option<bool>,
}

/// What came, piece by piece.
#[derive(Default)]
pub struct Stream {
    pub(super) chunks: Vec<(u64, Bytes)>,
    pub(super) kept: usize,
    /// Bytes that came after the limit.
    pub(super) cut: u64,
}

// === impl Stream ===

impl Stream {
    /// Another piece, at that time. Nothing is copied; what comes once the limit is reached is only counted.
    pub fn push(&mut self, at_ms: u64, chunk: &Bytes, limit: usize) {
        if self.kept >= limit {
            self.cut += chunk.len() as u64;
        } else {
            self.kept += chunk.len();
            self.chunks.push((at_ms, chunk.clone()));
        }
    }
}

// === impl Capture ===

impl Capture {
    /// What it holds in memory, about.
    pub(super) fn size(&self) -> usize {
        let tries = self.tries.iter().map(|each| each.body.len() + each.answer.stream.kept);
        self.request.body.len() + tries.sum::<usize>() + self.answer.stream.kept
    }
}

/// The figures alone: it holds what people write, and secrets.
impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capture({}, {} bytes)", self.exchange.id, self.size())
    }
}
