//! The body of an answer, chunk by chunk.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use tokio::time::{Instant, Sleep};

use crate::failure::Failure;

/// What the upstream sends. Dropping it cancels the request: the stream is reset, or the connection closed.
///
/// Nothing is read ahead of the one who polls, so a slow reader holds back the upstream.
pub struct Body {
    /// Gone once it ended, failed or fell silent.
    inner: Option<reqwest::Body>,
    host: Arc<str>,
    idle: Duration,
    /// Since when the reader has been waiting. Time during which nobody asked for a chunk is not the upstream's.
    waiting: Option<Instant>,
    /// Rings at the earliest when the idle time is over. It is wound up only when it rings, not at each chunk.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Body {
    pub(crate) fn new(inner: reqwest::Body, host: Arc<str>, idle: Duration) -> Self {
        Self { inner: Some(inner), host, idle, waiting: None, alarm: None }
    }

    /// The next chunk, never empty; `None` at the end. After a failure there is only the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// [`chunk`](Self::chunk), for those who poll.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            let Some(inner) = &mut self.inner else { return Poll::Ready(Ok(None)) };
            let Poll::Ready(frame) = Pin::new(inner).poll_frame(cx) else {
                ready!(self.poll_silence(cx));
                self.inner = None;
                return Poll::Ready(Err(Failure::idle(&self.host, self.idle)));
            };
            self.waiting = None;
            match frame {
                // Trailers and empty chunks tell nothing.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Ok(Some(data))),
                    _ => {}
                },
                Some(Err(error)) => {
                    self.inner = None;
                    return Poll::Ready(Err(Failure::from_transport(&error, &self.host)));
                }
                None => {
                    self.inner = None;
                    return Poll::Ready(Ok(None));
                }
            }
        }
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

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("host", &self.host).field("open", &self.inner.is_some()).finish_non_exhaustive()
    }
}
