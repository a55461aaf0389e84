//! Answers a test writes itself: recordings, broken bodies, delays, dropped lines.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::answer::split_frames;
use crate::script::{Script, Step};

/// One answer, to be [pushed](crate::Demo::push) or made the [standing](crate::Demo::always) one.
#[derive(Debug, Clone)]
pub struct Scripted {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Before the response headers.
    pub(crate) before: Vec<Step>,
    pub(crate) script: Script,
    pub(crate) reset: bool,
    pub(crate) checked: bool,
    /// Only for requests whose last user text contains this.
    pub(crate) when: Option<String>,
}

// === impl Scripted ===

impl Scripted {
    /// A stream: status 200, and the body of a recording, one chunk per frame.
    pub fn sse(body: impl Into<Bytes>) -> Self {
        Self::frames(split_frames(&body.into()))
    }

    /// A stream of prebuilt frames; cheap to play many times at once.
    pub fn frames(frames: Arc<[Bytes]>) -> Self {
        let mut answer = Self::empty(StatusCode::OK, "text/event-stream; charset=utf-8");
        answer.script.steps.push(Step::Shared(frames));
        answer
    }

    /// A status with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::status(status, "application/json", body.to_string())
    }

    /// A status with any body. A status that is none becomes 500.
    pub fn status(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer =
            Self::empty(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), content_type);
        answer.script.steps.push(Step::Bytes(body.into()));
        answer
    }

    /// The connection drops before any answer.
    pub fn reset() -> Self {
        Self { reset: true, ..Self::empty(StatusCode::OK, "text/plain") }
    }

    fn empty(status: StatusCode, content_type: &'static str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, before: Vec::new(), script: Script::default(), reset: false, checked: true, when: None }
    }

    /// Adds a response header; one that is not a header is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Nothing, not even headers, for so long.
    pub fn delayed(mut self, time: Duration) -> Self {
        self.before.push(Step::Wait(time));
        self
    }

    /// Nothing, not even headers, until [`release`](crate::Demo::release).
    pub fn held(mut self) -> Self {
        self.before.push(Step::Hold);
        self
    }

    /// After so many frames (0: before the first), silence until [`release`](crate::Demo::release).
    pub fn held_after(self, frames: usize) -> Self {
        self.insert(frames, Step::Hold)
    }

    /// After so many frames, silence for so long or until [`release`](crate::Demo::release).
    pub fn silent_after(self, frames: usize, time: Duration) -> Self {
        self.insert(frames, Step::Wait(time))
    }

    fn insert(mut self, frames: usize, step: Step) -> Self {
        let mut steps = self.unrolled();
        let at = frames.min(steps.len());
        steps.insert(at, step);
        self.script.steps = steps;
        self
    }

    fn unrolled(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for step in &self.script.steps {
            match step {
                Step::Shared(frames) => steps.extend(frames.iter().cloned().map(Step::Bytes)),
                other => steps.push(other.clone()),
            }
        }
        steps
    }

    /// After the body the connection drops instead of ending well.
    pub fn aborted(mut self) -> Self {
        self.script.steps.push(Step::Abort);
        self
    }

    /// Only the first bytes of the body.
    pub fn first_bytes(mut self, count: usize) -> Self {
        let mut left = count;
        let mut kept = Vec::new();
        for step in self.unrolled() {
            match step {
                Step::Bytes(bytes) if bytes.len() <= left => {
                    left -= bytes.len();
                    kept.push(Step::Bytes(bytes));
                }
                Step::Bytes(bytes) => {
                    kept.push(Step::Bytes(bytes.slice(..left)));
                    break;
                }
                other => kept.push(other),
            }
        }
        self.script.steps = kept;
        self
    }

    /// Chunks of so many bytes, wherever frames begin.
    pub fn chunks_of(mut self, bytes: usize) -> Self {
        self.script.chunk = Some(bytes);
        self
    }

    /// A pause after each chunk.
    pub fn paced(mut self, pause: Duration) -> Self {
        self.script.pace = Some(pause);
        self
    }

    /// Played even for a request the gate would refuse.
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Waits in the queue for a request whose last user text contains this.
    pub fn when(mut self, text: &str) -> Self {
        self.when = Some(text.to_owned());
        self
    }
}
