//! The body of a streamed answer: pulls from the upstream when the client pulls from us.
//!
//! There is no task and no channel in between. A client that does not read holds back the upstream; a client that leaves
//! drops the pump, and with it the request upstream. What the pump adds is life: Claude Code gives a stream up after
//! 300 s without a frame that it counts, and pings do not count (`claude-code.md §6`).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use codeferry_translate::render::KeepAlive;
use codeferry_upstream::Failure;
use codeferry_wire::anthropic::error::ErrorKind;
use http_body::Body as HttpBody;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::attempt::Committed;
use crate::reply::Problem;
use crate::settle;
use crate::tap::{Outcome, Tap};
use crate::turn::{End, Recipe};

/// After so long without anything a ping is sent.
const PING_AFTER: Duration = Duration::from_secs(15);
/// After so long without anything that clients count, a frame they count is sent.
const COUNTED_AFTER: Duration = Duration::from_secs(60);

/// The attempts, still under way, and the record they are written into.
pub(crate) type Opening = Pin<Box<dyn Future<Output = (Result<Committed, Problem>, Tap)> + Send>>;

/// The body of a streamed answer.
pub(crate) struct Pump {
    state: State,
    /// Cancelled when the grace period of a shutdown is over.
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    alarm: Pin<Box<Sleep>>,
    /// When a frame was last sent, and when one that counts.
    sent: Instant,
    counted: Instant,
}

enum State {
    /// No answer yet, though the headers are out. What is to be sent first is still to be taken.
    Opening { opening: Opening, recipe: Arc<Recipe>, preface: Option<Bytes> },
    /// The answer comes.
    Open(Box<Open>),
    /// Everything was sent.
    Done,
}

struct Open {
    committed: Committed,
    tap: Tap,
}

// === impl Pump ===

impl Pump {
    /// For an answer that has begun.
    pub(crate) fn open(committed: Committed, tap: Tap, closing: WaitForCancellationFutureOwned) -> Self {
        Self::new(State::Open(Box::new(Open { committed, tap })), closing)
    }

    /// For an answer that is still awaited.
    pub(crate) fn opening(opening: Opening, recipe: Arc<Recipe>, closing: WaitForCancellationFutureOwned) -> Self {
        let preface = Some(recipe.language.preface()).filter(|preface| !preface.is_empty());
        Self::new(State::Opening { opening, recipe, preface }, closing)
    }

    fn new(state: State, closing: WaitForCancellationFutureOwned) -> Self {
        let now = Instant::now();
        let alarm = Box::pin(tokio::time::sleep_until(now + PING_AFTER));
        Self { state, closing: Box::pin(closing), alarm, sent: now, counted: now }
    }

    /// What goes out next; `None` when all was sent.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let next = match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Opening { opening, recipe, preface } => {
                    if let Some(preface) = preface.take() {
                        return Poll::Ready(Some(self.note(preface, true)));
                    }
                    match opening.as_mut().poll(cx) {
                        Poll::Pending => None,
                        // The preface has begun the message already.
                        Poll::Ready((Ok(committed), tap)) => {
                            self.state = State::Open(Box::new(Open { committed, tap }));
                            continue;
                        }
                        Poll::Ready((Err(problem), mut tap)) => {
                            tap.facts.message = Some(problem.message.clone());
                            tap.end(&Outcome::Failed { why: problem.kind.as_str() });
                            let failure = recipe.language.failure(problem.kind, &problem.message);
                            self.state = State::Done;
                            Some(failure)
                        }
                    }
                }
                State::Open(open) => match poll_answer(open, cx) {
                    Poll::Pending => None,
                    Poll::Ready(frames) => {
                        // Nothing more is wanted from upstream: letting go of the body cancels what still runs there.
                        if open.committed.turn.end().is_some() {
                            self.state = State::Done;
                        }
                        frames
                    }
                },
            };
            if let Some(frames) = next {
                return Poll::Ready(Some(self.note(frames, true)));
            }
            if self.closing.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(self.close()));
            }
            ready!(self.alarm.as_mut().poll(cx));
            if let Some(frames) = self.keep_alive() {
                return Poll::Ready(Some(frames));
            }
        }
    }

    /// The alarm rang: either something is due, or it was set before the last frame went out.
    fn keep_alive(&mut self) -> Option<Bytes> {
        let now = Instant::now();
        let level = if now >= self.counted + COUNTED_AFTER {
            KeepAlive::Content
        } else if now >= self.sent + PING_AFTER {
            KeepAlive::Ping
        } else {
            self.set_alarm();
            return None;
        };
        let frames = match &mut self.state {
            State::Open(open) => open.committed.turn.keep_alive(level)?,
            State::Opening { recipe, .. } => recipe.language.sign(level),
            State::Done => return None,
        };
        Some(self.note(frames, level == KeepAlive::Content))
    }

    fn note(&mut self, frames: Bytes, counts: bool) -> Bytes {
        self.sent = Instant::now();
        if counts {
            self.counted = self.sent;
        }
        frames
    }

    /// The alarm is not set anew for each frame; when it rings too early it is set again.
    fn set_alarm(&mut self) {
        let next = (self.sent + PING_AFTER).min(self.counted + COUNTED_AFTER);
        self.alarm.as_mut().reset(next);
    }

    /// The gateway stops: the client is told, since a stream that just ends looks like a whole answer
    /// (`claude-code.md §6`).
    fn close(&mut self) -> Bytes {
        const WHY: &str = "the gateway is shutting down; send the request again when it is back";
        match std::mem::replace(&mut self.state, State::Done) {
            State::Open(mut open) => {
                open.tap.end(&Outcome::Failed { why: "shutdown" });
                open.committed.turn.fail(ErrorKind::Overloaded, WHY);
                open.committed.turn.take().unwrap_or_default()
            }
            State::Opening { recipe, .. } => recipe.language.failure(ErrorKind::Overloaded, WHY),
            State::Done => Bytes::new(),
        }
    }
}

/// The next frames of an answer. The last come together with its end.
fn poll_answer(open: &mut Open, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
    let Open { committed: Committed { lease, pool, clock, body, turn, .. }, tap } = open;
    loop {
        let frames = turn.take();
        if let Some(end) = turn.end() {
            if let End::Failed(error) = end {
                tap.facts.message = Some(error.message.clone());
                // Too late for this answer; the next request is spared it.
                let now = clock();
                settle::note(pool, lease, &Failure::from_event(error, now), now);
            }
            tap.facts.usage = turn.usage();
            tap.facts.notes = turn.notes();
            tap.end(&outcome(end));
            return Poll::Ready(frames);
        }
        if frames.is_some() {
            tap.first_byte();
            return Poll::Ready(frames);
        }
        match ready!(body.poll_chunk(cx)) {
            Ok(Some(bytes)) => {
                tap.upstream(&bytes);
                turn.feed(&bytes);
            }
            Ok(None) => turn.eof(),
            Err(failure) => {
                let message = late(&failure);
                turn.fail(ErrorKind::Api, &message);
                tap.facts.message = Some(message);
            }
        }
    }
}

fn outcome(end: &End) -> Outcome {
    match end {
        End::Finished => Outcome::Completed,
        End::Empty => Outcome::Failed { why: "empty answer" },
        End::Failed(_) => Outcome::Failed { why: "upstream failed" },
        End::CutOff => Outcome::Failed { why: "upstream cut off" },
    }
}

/// A failure after the first byte, in one sentence.
fn late(failure: &Failure) -> String {
    format!("the answer broke off: {}", failure.message)
}

impl HttpBody for Pump {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.poll_next(cx).map(|next| next.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}
