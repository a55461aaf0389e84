//! What a client still has to say when it was answered early: it said the wrong key, or too much.
//!
//! A connection on which something is left to be read cannot be used again. hyper closes it then, after the answer and without
//! a word: the next request of a client that keeps its connections is lost, and one that is still sending may never come to
//! read why it was refused. So the rest is read and thrown away, as long as that is little; else the answer says that the
//! connection ends with it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// More is not read for nothing. A conversation that is refused for its size is smaller (`body_limit_mib`).
const MOST: u64 = 256 * 1024 * 1024;
/// Nor for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Leaves the connection as the next request needs it.
pub(super) async fn heed(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    // Who asks first is told "no", and sends nothing.
    let asks_first = parts.headers.contains_key(header::EXPECT);
    let version = parts.version;
    let left = Arc::new(Mutex::new(None));
    let body = Body::new(Kept { body: Some(body), left: Arc::clone(&left) });
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let left = left.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(body) = left else { return response };
    let is_free = !asks_first && is_read(body).await;
    if !is_free && version <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads what is left, and says whether that was all of it.
async fn is_read(mut body: Body) -> bool {
    if body.size_hint().lower() > MOST {
        return false;
    }
    let reading = async {
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if read > MOST {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or(false)
}

/// A body of which it is known whether it was read to its end.
struct Kept {
    /// Until its end.
    body: Option<Body>,
    /// Where it goes if it is dropped before.
    left: Arc<Mutex<Option<Body>>>,
}

// === impl Kept ===

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
