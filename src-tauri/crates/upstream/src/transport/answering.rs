//! One response as it comes over a socket, turned into the records that HTTP would have brought.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use codeferry_wire::responses::event::{member, tag_of};

use crate::continuation::{Asked, Kept, headers_of, record};
use crate::failure::{Failure, FailureKind};
use crate::line::{Held, Key, Line, is_aside};
use crate::transport::socket::{Broken, Connection};

/// So many bytes of records go on together, if they are there already.
const TOGETHER: usize = 16 * 1024;

/// A response on its way. At its end the connection goes back to the line; dropped before, it hangs up, which is the one way to
/// tell the host that nobody listens.
pub(crate) struct Answering {
    open: Option<Open>,
    /// Records that came before anybody asked.
    ready: VecDeque<Bytes>,
    /// How it broke off, behind the last records.
    failed: Option<Failure>,
}

struct Open {
    connection: Connection,
    line: Arc<Line>,
    key: Key,
    request_id: Option<String>,
    asked: Asked,
}

/// What a response begins with.
pub(crate) enum First {
    /// An answer.
    Begun(Box<Answering>),
    /// An error with the status it would have had over HTTP. The connection stays as it is.
    Refused { status: StatusCode, event: Utf8Bytes, connection: Box<Connection> },
    /// Nothing at all.
    Broken(Broken),
}

// === impl First ===

impl First {
    /// Waits for the beginning of the response. What `before` has left on the connection is passed over.
    pub(crate) async fn of(
        mut connection: Connection,
        before: Option<&Kept>,
        key: Key,
        line: &Arc<Line>,
        request_id: Option<String>,
        asked: Asked,
    ) -> Self {
        let mut ready = VecDeque::new();
        loop {
            let event = match std::future::poll_fn(|cx| connection.poll_text(cx)).await {
                Ok(event) => event,
                Err(broken) => return Self::Broken(broken),
            };
            let tag = tag_of(&event);
            if let Some(status) = status_of(&tag, &event) {
                return Self::Refused { status, event: event.clone(), connection: Box::new(connection) };
            }
            let aside = is_aside(&tag);
            if !aside && before.is_some_and(|before| is_left(&tag, &event, before)) {
                continue;
            }
            if aside {
                ready.push_back(as_record(&tag, &event));
                continue;
            }
            let open = Open { connection, line: Arc::clone(line), key, request_id, asked };
            let mut answering = Answering { open: Some(open), ready, failed: None };
            let mut out = Vec::new();
            answering.take_in(&event, &mut out);
            answering.ready.push_back(out.into());
            return Self::Begun(Box::new(answering));
        }
    }
}

/// An error that is told with a status is a refusal, as far as nothing came before it.
fn status_of(tag: &str, event: &str) -> Option<StatusCode> {
    if tag != "error" {
        return None;
    }
    let status = ["status", "status_code"].into_iter().find_map(|name| member(event, name)?.u64())?;
    StatusCode::from_u16(u16::try_from(status).ok()?).ok().filter(|status| !status.is_success())
}

/// Whether an event is still of the response before: some hosts go on behind an end.
fn is_left(tag: &str, event: &str, before: &Kept) -> bool {
    match tag {
        "response.created" | "response.queued" | "response.in_progress" | "error" => false,
        "response.completed" | "response.done" | "response.incomplete" | "response.failed" | "response.cancelled" => {
            let id = member(event, "response").and_then(|response| response.get("id")?.string());
            id.is_some_and(|id| id == before.id())
        }
        _ => true,
    }
}

fn as_record(tag: &str, event: &str) -> Bytes {
    let mut out = Vec::with_capacity(event.len() + tag.len() + 16);
    record(tag, event, &mut out);
    out.into()
}

/// The refusal as HTTP would have told it.
pub(crate) fn refusal(status: StatusCode, event: &str, now: jiff::Timestamp) -> Failure {
    let (headers, body) = (headers_of(event), Bytes::copy_from_slice(event.as_bytes()));
    Failure::from_http(status, &headers, &body, now).with_answer(headers, body)
}

/// `error.code` of an error event.
pub(crate) fn code_of(event: &str) -> Option<String> {
    let code = member(event, "error").and_then(|error| error.get("code")).or_else(|| member(event, "code"))?;
    code.string().map(std::borrow::Cow::into_owned)
}

// === impl Broken ===

impl Broken {
    /// In the middle of a response. What was sent is in vain, but nothing is wrong with the account.
    fn failure(&self, host: &str) -> Failure {
        match self {
            Self::Gone(why) => Failure::new(FailureKind::CutOff, format!("The connection to {host} broke: {why}.")),
            Self::Wrong(what) => {
                Failure::new(FailureKind::CutOff, format!("{host} sent what no client can read: {what}."))
            }
        }
    }
}

// === impl Answering ===

impl Answering {
    /// The next records.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        if let Some(ready) = self.ready.pop_front() {
            return Poll::Ready(Some(Ok(ready)));
        }
        if let Some(failure) = self.failed.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        let mut out = Vec::new();
        while let Some(open) = &mut self.open {
            match open.connection.poll_text(cx) {
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(Ok(event)) => self.take_in(&event, &mut out),
                Poll::Ready(Err(broken)) => {
                    let failure = broken.failure(&open.connection.host);
                    self.open = None;
                    if out.is_empty() {
                        return Poll::Ready(Some(Err(failure)));
                    }
                    self.failed = Some(failure);
                }
            }
            if out.len() > TOGETHER {
                break;
            }
        }
        Poll::Ready((!out.is_empty()).then(|| Ok(out.into())))
    }

    fn take_in(&mut self, event: &str, out: &mut Vec<u8>) {
        let tag = tag_of(event);
        record(&tag, event, out);
        match &*tag {
            "response.completed" | "response.done" | "response.incomplete" => {
                if let Some(open) = self.open.take() {
                    open.back(event);
                }
            }
            // What a host keeps after a failure nobody knows, so nothing is built on it.
            "response.failed" | "response.cancelled" | "error" => self.open = None,
            _ => {
                if let Some(open) = &mut self.open {
                    open.asked.hear(&tag, event);
                }
            }
        }
    }
}

// === impl Open ===

impl Open {
    /// The response is whole: the connection is kept for the next.
    fn back(self, event: &str) {
        let Self { connection, line, key, request_id, asked } = self;
        let kept = asked.end(event);
        line.put(Held { key, connection, request_id, kept, since: Instant::now() });
    }
}
