//! One question to an auth host, and its whole answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use reqwest::RequestBuilder;

use crate::failure::{Failure, FailureKind, Fields, is_page};
use crate::sign_in::SignInError;
use crate::upstream::{ORIGINATOR, Wire, insert, read};

/// Tokens are a few kilobytes.
pub(super) const LONGEST_ANSWER: usize = 256 * 1024;
/// A step of a sign-in. Somebody sits there and waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// A connection that cannot be made is tried this often: a code is worth more than a moment.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(400);

/// What an auth host answered, whatever it was.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Sends a request once. The answer is read up to [`LONGEST_ANSWER`].
pub(super) async fn once(request: RequestBuilder, host: &str, patience: Duration) -> Result<Reply, Failure> {
    let exchange = async {
        let response = request.send().await.map_err(|error| Failure::from_transport(&error, host))?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Reply { status, headers, body: read(response, LONGEST_ANSWER, host).await? })
    };
    tokio::time::timeout(patience, exchange).await.unwrap_or_else(|_| Err(Failure::idle(host, patience)))
}

/// The same, but a connection that could not be made is tried again: nothing was sent, so nothing is spent.
pub(super) async fn persistently(request: RequestBuilder, host: &str) -> Result<Reply, Failure> {
    for _ in 1..TRIES {
        let Some(again) = request.try_clone() else { break };
        match once(again, host, PATIENCE).await {
            Err(failure) if failure.kind == FailureKind::Connect => tokio::time::sleep(PAUSE).await,
            answered => return answered,
        }
    }
    once(request, host, PATIENCE).await
}

impl Wire {
    /// The headers of a question to an auth host.
    pub(super) fn introduction(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        insert(&mut headers, "user-agent", Some(&self.options.user_agent));
        insert(&mut headers, "accept", Some("application/json"));
        insert(&mut headers, "accept-encoding", Some("identity"));
        headers
    }

    /// The same with our name, where the Codex CLI gives its own (`codex-backend.md §1`).
    pub(super) fn named_introduction(&self) -> HeaderMap {
        let mut headers = self.introduction();
        insert(&mut headers, "originator", Some(ORIGINATOR));
        headers
    }
}

// === impl Reply ===

impl Reply {
    /// A web page, so not the host's own word.
    pub(super) fn is_page(&self) -> bool {
        is_page(&self.headers, &self.body)
    }

    /// What the host meant by an answer that is no success. `secrets` are what was sent: should the host repeat one, it
    /// goes no further.
    pub(super) fn refusal(&self, host: &str, now: Timestamp, secrets: &[&str]) -> SignInError {
        if self.status.is_redirection() {
            return Failure::redirected(self.status, host).into();
        }
        let mut failure = Failure::from_http(self.status, &self.headers, &self.body, now);
        failure.message = redacted(failure.message, secrets);
        // A refusal is written in JSON and has a name. All the rest is a bad moment, or somebody in between.
        let passes = matches!(self.status.as_u16(), 408 | 425 | 429 | 500..);
        match code_of(&self.body).filter(|_| !passes) {
            Some(code) => SignInError::of_host(&redacted(code, secrets), Some(failure.message)),
            None => failure.into(),
        }
    }
}

/// `{"error": {"code"}}`, `{"error": "code"}`, or `{"detail": {"code" | "error_code"}}`.
pub(super) fn code_of(body: &[u8]) -> Option<String> {
    let body = Fields::parse(body)?;
    let detail = body.object("detail");
    let in_detail = |name| detail.as_ref().and_then(|detail| detail.text(name));
    let in_error = body.object("error").and_then(|error| error.text("code"));
    in_error.or_else(|| body.text("error")).or_else(|| in_detail("code")).or_else(|| in_detail("error_code"))
}

/// A text without these words.
pub(super) fn redacted(text: String, secrets: &[&str]) -> String {
    // A short one would blot out half a sentence; none of ours is.
    const SHORTEST: usize = 8;
    let hide = |text: String, secret: &&str| text.replace(*secret, "«redacted»");
    secrets.iter().filter(|secret| secret.len() >= SHORTEST).fold(text, hide)
}
