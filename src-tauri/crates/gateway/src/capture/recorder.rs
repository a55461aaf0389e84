//! The recorder of one exchange: gathers what passes by, and hands it over when the last who had it lets go.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode};
use bytes::Bytes;
use codeferry_store::Settings;
use codeferry_store::capture::{Answered, Capture, Captures, Sent, Stream, Try};
use codeferry_store::log::Exchange;
use codeferry_upstream::{Failure, Payload};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

/// Gathers an exchange. The tap has one share, the answer's body another: the end of either may be the last.
pub(crate) struct Recorder {
    captures: Captures,
    begun: Instant,
    /// How much of a stream is kept.
    limit: usize,
    /// Gone once it was handed over.
    capture: Mutex<Option<Capture>>,
}

/// The body of an answer, watched on its way to the client.
struct Watched {
    body: Body,
    recorder: Arc<Recorder>,
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(
        captures: Captures,
        begun: Instant,
        parts: &Parts,
        images: bool,
        version: &'static str,
        settings: Arc<Settings>,
    ) -> Arc<Self> {
        let line = format!("{} {} {:?}", parts.method, parts.uri, parts.version);
        let request = Sent { line, headers: listed(&parts.headers), body: Bytes::new() };
        let capture = Capture {
            version,
            settings,
            images,
            exchange: Exchange::default(),
            request,
            tries: Vec::new(),
            answer: Answered::default(),
        };
        let limit = captures.part_limit();
        Arc::new(Self { captures, begun, limit, capture: Mutex::new(Some(capture)) })
    }

    /// What the client sent, unpacked.
    pub(crate) fn sent(&self, body: Vec<u8>) {
        self.change(|capture, _| capture.request.body = body.into());
    }

    /// Another attempt begins.
    pub(crate) fn tries(&self) {
        self.change(|capture, at_ms| capture.tries.push(Try { at_ms, ..Try::default() }));
    }

    /// The request of this attempt, as it was lowered.
    pub(crate) fn lowered(&self, payload: &Payload) {
        self.change_try(|this, _| this.body = payload.plain().clone());
    }

    /// The upstream accepted.
    pub(crate) fn accepted(&self, headers: &HeaderMap) {
        self.change_try(|this, at_ms| {
            let stream = Stream::default();
            let status = Some(StatusCode::OK.as_u16());
            this.answer = Answered { at_ms, status, headers: listed(headers), stream, whole: None };
        });
    }

    /// A piece of the upstream's stream.
    pub(crate) fn upstream(&self, chunk: &Bytes) {
        self.change_try(|this, at_ms| this.answer.stream.push(at_ms, chunk, self.limit));
    }

    /// The attempt failed, and this is what the upstream said, if it said something.
    pub(crate) fn failed(&self, failure: Option<&Failure>) {
        self.change_try(|this, at_ms| {
            this.failure = Some(failure.map_or_else(|| "empty".to_owned(), |failure| failure.message.clone()));
            if let Some(refusal) = failure.and_then(Failure::refusal) {
                let status = failure.and_then(|failure| failure.status);
                this.answer = Answered { at_ms, status, headers: listed(&refusal.headers), ..Answered::default() };
                this.answer.stream.push(at_ms, &refusal.body, self.limit);
            }
        });
    }

    /// The exchange is over for the log.
    pub(crate) fn ended(&self, exchange: &Exchange) {
        self.change(|capture, _| capture.exchange = exchange.clone());
    }

    /// Watches what the client gets.
    pub(crate) fn watch(self: Arc<Self>, response: Response<Body>) -> Response<Body> {
        self.change(|capture, at_ms| {
            let answer = &mut capture.answer;
            (answer.at_ms, answer.status) = (at_ms, Some(response.status().as_u16()));
            answer.headers = listed(response.headers());
        });
        response.map(|body| Body::new(Watched { body, recorder: self }))
    }

    fn change(&self, change: impl FnOnce(&mut Capture, u64)) {
        let at_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(capture) = self.capture.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            change(capture, at_ms);
        }
    }

    fn change_try(&self, change: impl FnOnce(&mut Try, u64)) {
        self.change(|capture, at_ms| {
            if let Some(last) = capture.tries.last_mut() {
                change(last, at_ms);
            }
        });
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let capture = self.capture.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(capture) = capture {
            self.captures.record(capture);
        }
    }
}

// === impl Watched ===

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(chunk) = frame.data_ref()
        {
            let limit = self.recorder.limit;
            self.recorder.change(|capture, at_ms| capture.answer.stream.push(at_ms, chunk, limit));
        }
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.recorder.change(|capture, _| capture.answer.whole = Some(true));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.recorder.change(|capture, _| capture.answer.whole = Some(capture.answer.whole.unwrap_or(false)));
    }
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
