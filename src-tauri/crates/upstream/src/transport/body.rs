//! The body of an answer, chunk by chunk.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use codeferry_translate::outbound::chat;
use http_body::Body as _;
use tokio::time::{Instant, Sleep};

use crate::codex_cli;
use crate::failure::Failure;
use crate::transport::answering::Answering;

/// What the upstream sends. Dropping it cancels the request: the stream is reset, or the connection closed.
///
/// Nothing is read ahead of the one who polls, so a slow reader holds back the upstream.
pub struct Body {
    /// Gone once it ended, failed or fell silent.
    inner: Option<Source>,
    host: Arc<str>,
    idle: Duration,
    /// Since when the reader has been waiting. Time during which nobody asked for a chunk is not the upstream's.
    waiting: Option<Instant>,
    /// Rings at the earliest when the idle time is over. It is wound up only when it rings, not at each chunk.
    alarm: Option<Pin<Box<Sleep>>>,
    /// For an upstream that speaks another language than Responses.
    translate: Option<Box<chat::Answer>>,
}

/// Where chunks come from.
enum Source {
    Http(reqwest::Body),
    CodexCli(Box<codex_cli::Stream>),
    Socket(Box<Answering>),
}

// === impl Body ===

impl Body {
    pub(crate) fn new(inner: reqwest::Body, host: Arc<str>, idle: Duration) -> Self {
        Self::of(Source::Http(inner), host, idle)
    }

    /// The answer of a Codex CLI.
    pub(crate) fn of_codex_cli(stream: codex_cli::Stream, idle: Duration) -> Self {
        Self::of(Source::CodexCli(Box::new(stream)), "the Codex CLI".into(), idle)
    }

    /// A response over a WebSocket.
    pub(crate) fn of_socket(answering: Box<Answering>, host: Arc<str>, idle: Duration) -> Self {
        Self::of(Source::Socket(answering), host, idle)
    }

    /// The same body, its bytes turned into those of a Responses stream.
    pub(crate) fn translated(self, translate: Option<chat::Answer>) -> Self {
        Self { translate: translate.map(Box::new), ..self }
    }

    fn of(inner: Source, host: Arc<str>, idle: Duration) -> Self {
        Self { inner: Some(inner), host, idle, waiting: None, alarm: None, translate: None }
    }

    /// The next chunk, never empty; `None` at the end. After a failure there is only the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// [`chunk`](Self::chunk), for those who poll.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            let Some(inner) = &mut self.inner else { return Poll::Ready(Ok(None)) };
            let Poll::Ready(chunk) = inner.poll_chunk(cx, &self.host) else {
                ready!(self.poll_silence(cx));
                self.inner = None;
                return Poll::Ready(Err(Failure::idle(&self.host, self.idle)));
            };
            self.waiting = None;
            match chunk {
                // Empty chunks tell nothing.
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => {
                    if let Some(data) = self.said(data) {
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
                Some(Err(failure)) => {
                    self.inner = None;
                    return Poll::Ready(Err(failure));
                }
                None => {
                    self.inner = None;
                    let last = self.translate.take().and_then(|mut translate| {
                        let mut out = Vec::new();
                        translate.eof(&mut out);
                        (!out.is_empty()).then_some(out)
                    });
                    return Poll::Ready(Ok(last.map(Bytes::from)));
                }
            }
        }
    }

    /// What a chunk says, in Responses' words. `None`: nothing so far.
    fn said(&mut self, data: Bytes) -> Option<Bytes> {
        let Some(translate) = &mut self.translate else { return Some(data) };
        let mut out = Vec::new();
        translate.push(&data, &mut out);
        (!out.is_empty()).then(|| out.into())
    }

    /// Ready when the reader has been waiting for the whole idle time.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let due = *self.waiting.get_or_insert_with(Instant::now) + self.idle;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        loop {
            ready!(alarm.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            // It was wound up for an earlier wait.
            alarm.as_mut().reset(due);
        }
    }
}

// === impl Source ===

impl Source {
    fn poll_chunk(&mut self, cx: &mut Context<'_>, host: &str) -> Poll<Option<Result<Bytes, Failure>>> {
        match self {
            // Trailers become an empty chunk.
            Self::Http(body) => Pin::new(body).poll_frame(cx).map(|frame| {
                let frame = frame?.map_err(|error| Failure::from_transport(&error, host));
                Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
            }),
            Self::CodexCli(stream) => stream.poll_next(cx),
            Self::Socket(answering) => answering.poll_next(cx),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("host", &self.host).field("open", &self.inner.is_some()).finish_non_exhaustive()
    }
}
