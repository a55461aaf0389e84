//! The way to a collector of traces: a host the owner of this gateway has named. Nothing of an account goes there.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};

use super::Upstream;
use crate::failure::{Failure, FailureKind};

/// So long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// What it answers is hardly ever more than nothing.
const LONGEST_ANSWER: usize = 64 * 1024;

// === impl Upstream ===

impl Upstream {
    /// Sends a request as it is, through the proxy if the environment names one. Redirects are not followed.
    ///
    /// # Errors
    /// When there is no whole answer in time; never with the address in it, which may hold a key.
    pub async fn collect(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let url = request.uri().to_string().parse();
        let url = url.map_err(|_| Failure::new(FailureKind::Protocol, "the collector's address is none"))?;
        let client = self.wire.clients.for_url(&url)?;
        let failed = |error: reqwest::Error| {
            let kind = if error.is_timeout() { FailureKind::Timeout } else { FailureKind::Connect };
            Failure::new(kind, format!("the collector does not answer: {}", error.without_url()))
        };
        let mut request = reqwest::Request::try_from(request).map_err(failed)?;
        *request.timeout_mut() = Some(PATIENCE);
        let mut answer = client.execute(request).await.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Failure::new(FailureKind::Protocol, "the collector answers with more than it should"));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}
