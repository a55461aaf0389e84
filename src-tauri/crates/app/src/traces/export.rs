//! How spans leave: by the HTTP client of `upstream`, on the runtime of the gateway.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use codeferry_upstream::Upstream;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// The exporter has a thread of its own without a runtime; the sending is done on ours.
pub(super) struct Way {
    upstream: Arc<Upstream>,
    tasks: TaskTracker,
    runtime: Handle,
    /// The collector took nothing the last time, and that was said.
    refused: AtomicBool,
}

// === impl Way ===

impl Way {
    /// Called on the runtime that is to send.
    pub(super) fn new(upstream: Arc<Upstream>, tasks: TaskTracker) -> Self {
        Self { upstream, tasks, runtime: Handle::current(), refused: AtomicBool::new(false) }
    }

    /// Says what goes wrong once, and that it goes well again.
    fn note(&self, trouble: Option<&str>) {
        let known = self.refused.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(why) if !known => tracing::warn!(why, "traces are not taken; all else goes on"),
            None if known => tracing::info!("traces are taken again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Way {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let upstream = Arc::clone(&self.upstream);
        let sent = self.tasks.spawn_on(async move { upstream.collect(request).await }, &self.runtime).await?;
        match &sent {
            Ok(answer) if answer.status().is_success() => self.note(None),
            Ok(answer) => self.note(Some(answer.status().as_str())),
            Err(failure) => self.note(Some(&failure.message)),
        }
        Ok(sent?)
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").finish_non_exhaustive()
    }
}
