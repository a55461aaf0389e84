//! An answer as a list of steps, and the body that plays it.
//!
//! A prebuilt script is cheap to play: its frames are shared, nothing is formatted or copied on the way out.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::record::{Exchange, Outcome};

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Bytes, as one body chunk.
    Bytes(Bytes),
    /// Many chunks that other answers share.
    Shared(Arc<[Bytes]>),
    /// Frames that are made when they are due.
    Run(Run),
    /// Silence: until so much time has passed or somebody calls `release`.
    Wait(Duration),
    /// Silence until somebody calls `release`.
    Hold,
    /// The connection is dropped; what was sent before arrives.
    Abort,
}

/// `count` text deltas that differ only in their numbers, `every` so often.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Before and after the sequence number, and after the text.
    pub(crate) parts: [String; 3],
    pub(crate) sequence: u64,
    pub(crate) next: u64,
    pub(crate) count: u64,
    pub(crate) every: Option<Duration>,
}

/// A whole answer body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    /// Cut everything into chunks of so many bytes.
    pub(crate) chunk: Option<usize>,
    /// Pause after each chunk.
    pub(crate) pace: Option<Duration>,
}

/// Waits for time to pass or for a `release`, whichever is first.
pub(crate) struct Releases {
    calls: watch::Receiver<u64>,
    seen: u64,
}

/// The body of one answer.
pub(crate) struct Player {
    steps: VecDeque<Step>,
    /// The rest of a chunk that is being cut into small ones, or of a shared list.
    rest: Bytes,
    shared: usize,
    chunk: Option<usize>,
    pace: Option<Duration>,
    /// A silence, or none.
    silence: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// The pause between two chunks; one timer for the whole stream.
    tick: Option<Pin<Box<Sleep>>>,
    ticking: bool,
    /// Hyper writes what it has only when the body has nothing more to say: before the end with a bang, say nothing once.
    flushed: bool,
    releases: Releases,
    exchange: Exchange,
}

// === impl Run ===

impl Run {
    /// What the `n`th delta says.
    pub(crate) fn text(n: u64) -> String {
        format!("word {n} ")
    }

    fn frame(&self) -> Bytes {
        let [head, middle, tail] = &self.parts;
        Bytes::from(format!("{head}{}{middle}{}{tail}", self.sequence, Self::text(self.next)))
    }

    fn advance(&mut self) {
        self.next += 1;
        self.sequence += 1;
    }
}

// === impl Releases ===

impl Releases {
    /// Counts only releases after this moment.
    pub(crate) fn new(calls: watch::Receiver<u64>) -> Self {
        let seen = *calls.borrow();
        Self { calls, seen }
    }

    /// Done when the next `release` has come, or the time is over.
    pub(crate) fn next(&mut self, limit: Option<Duration>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut calls = self.calls.clone();
        let seen = self.seen;
        self.seen += 1;
        let released = async move {
            // A closed channel means the demo is gone, and with it every connection.
            drop(calls.wait_for(|count| *count > seen).await);
        };
        match limit {
            None => Box::pin(released),
            Some(limit) => Box::pin(async move {
                tokio::select! {
                    () = released => {}
                    () = tokio::time::sleep(limit) => {}
                }
            }),
        }
    }
}

// === impl Player ===

impl Player {
    pub(crate) fn new(script: Script, releases: Releases, exchange: Exchange) -> Self {
        Self {
            steps: script.steps.into(),
            rest: Bytes::new(),
            shared: 0,
            chunk: script.chunk.map(|size| size.max(1)),
            pace: script.pace,
            silence: None,
            tick: None,
            ticking: false,
            flushed: false,
            releases,
            exchange,
        }
    }

    /// The next whole chunk, before it is cut.
    fn next_chunk(&mut self) -> Option<Bytes> {
        match self.steps.front_mut()? {
            Step::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.steps.pop_front();
                Some(bytes)
            }
            Step::Shared(frames) => {
                let frame = frames.get(self.shared).cloned();
                self.shared += 1;
                if self.shared >= frames.len() {
                    self.steps.pop_front();
                    self.shared = 0;
                }
                frame
            }
            Step::Run(run) if run.next < run.count => {
                let frame = run.frame();
                run.advance();
                if let Some(every) = run.every {
                    self.pause(every);
                }
                Some(frame)
            }
            Step::Run(_) | Step::Wait(_) | Step::Hold | Step::Abort => None,
        }
    }

    fn pause(&mut self, time: Duration) {
        self.ticking = true;
        match &mut self.tick {
            Some(tick) => tick.as_mut().reset(Instant::now() + time),
            None => self.tick = Some(Box::pin(tokio::time::sleep(time))),
        }
    }

    /// Whether a pause or a silence is over, or was none.
    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ticking
            && let Some(tick) = &mut self.tick
        {
            ready!(tick.as_mut().poll(cx));
            self.ticking = false;
            self.flushed = true;
        }
        if let Some(silence) = &mut self.silence {
            ready!(silence.as_mut().poll(cx));
            self.silence = None;
            self.flushed = true;
        }
        Poll::Ready(())
    }

    fn hand_over(&mut self, bytes: Bytes) -> Poll<Option<io::Result<Bytes>>> {
        self.exchange.count(bytes.len());
        self.flushed = false;
        if let Some(pace) = self.pace {
            self.pause(pace);
        }
        if self.steps.is_empty() && self.rest.is_empty() {
            // A client may leave as soon as it has read the last event; that is not a cancellation.
            self.exchange.end(Outcome::Completed);
        }
        Poll::Ready(Some(Ok(bytes)))
    }
}

impl Stream for Player {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            ready!(this.poll_quiet(cx));
            if let (false, Some(size)) = (this.rest.is_empty(), this.chunk) {
                let size = size.min(this.rest.len());
                let bytes = this.rest.split_to(size);
                return this.hand_over(bytes);
            }
            if let Some(bytes) = this.next_chunk() {
                if bytes.is_empty() {
                    continue;
                }
                if this.chunk.is_some() {
                    this.rest = bytes;
                    continue;
                }
                return this.hand_over(bytes);
            }
            match this.steps.front() {
                None => {
                    this.exchange.end(Outcome::Completed);
                    return Poll::Ready(None);
                }
                Some(Step::Wait(time)) => this.silence = Some(this.releases.next(Some(*time))),
                Some(Step::Hold) => this.silence = Some(this.releases.next(None)),
                Some(Step::Abort) if !this.flushed => {
                    this.flushed = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Abort) => {
                    this.exchange.end(Outcome::Aborted);
                    return Poll::Ready(Some(Err(io::Error::other("the script drops the connection here"))));
                }
                Some(_) => {}
            }
            this.steps.pop_front();
        }
    }
}
