//! `POST /api/playground`: a request of the page's own, shown from both sides: the frames a client gets, beside the steps of
//! the answer from which they are made.
//!
//! **Invariant:** it goes the way of any request of a client, through the same function; only whoever asks is known by the
//! session and not by a key. It is written down like any other, under the name `playground`.

mod step;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::caller::Caller;
use super::refused::{Refused, Sent};
use crate::Gateway;
use crate::data::exchange::{self, Visitor};
use crate::dialect::Dialect;
use crate::reply::REQUEST_ID;
use crate::turn::Watch;
use step::Step;

/// Under this name its exchanges stand in the request log.
const CLIENT: &str = "playground";
/// What it says of itself to the gateway.
const AGENT: &str = "codeferry-playground";
/// The languages it speaks, by the names of the request log.
const DIALECTS: [Dialect; 3] = [Dialect::Anthropic, Dialect::Chat, Dialect::Responses];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    dialect: String,
    /// The body of the request, as a client would send it; it goes on as it was written.
    request: Box<RawValue>,
}

/// What is told, and how many milliseconds after it was asked.
#[derive(Serialize)]
struct Record {
    at_ms: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum What {
    /// The head of the answer.
    Head { status: u16, headers: Vec<(String, String)> },
    /// A frame of the answer, or all of one that is not streamed.
    Frame { text: String },
    /// A step of the answer.
    Turn(Step),
    /// It is over. What came of it is in the request log, under this id.
    End { id: Option<String> },
}

/// A request on its way. Whoever drops it leaves as a client does.
struct Play {
    begun: Instant,
    stage: Stage,
    /// Steps, each with its moment.
    steps: mpsc::UnboundedReceiver<(Instant, Step)>,
    told: VecDeque<Record>,
    id: Option<String>,
}

enum Stage {
    /// There is no answer yet.
    Asked(Pin<Box<dyn Future<Output = Response> + Send>>),
    /// The answer comes.
    Answered { body: Body, frames: Frames },
    /// All was told.
    Over,
}

/// Parts a body into the frames of a stream, or takes it whole.
struct Frames {
    streamed: bool,
    rest: Vec<u8>,
}

pub(crate) async fn play(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Sent(ask): Sent<Ask>,
) -> Result<Response, Refused> {
    let Some(dialect) = DIALECTS.into_iter().find(|dialect| dialect.as_str() == ask.dialect) else {
        let message =
            format!("{:?} is not spoken here; there is: {}", ask.dialect, DIALECTS.map(Dialect::as_str).join(", "));
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_dialect", message));
    };
    let ended = match caller {
        Caller::Token => CancellationToken::new(),
        Caller::Browser(session) => session.ended,
    };
    let play = Play::begin(gateway, dialect, ask.request);
    let records = stream::unfold(play, |mut play| async move {
        let bytes = play.next().await?;
        Some((Ok::<_, Infallible>(bytes), play))
    });
    let mut response = Response::new(Body::from_stream(records.take_until(ended.cancelled_owned())));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy in between is not to collect records.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// As a client sends it.
fn request(dialect: Dialect, body: &RawValue) -> Request {
    let mut request = Request::new(Body::from(body.get().to_owned()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(dialect.path());
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    if dialect == Dialect::Anthropic {
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));
    }
    request
}

// === impl Play ===

impl Play {
    fn begin(gateway: Arc<Gateway>, dialect: Dialect, body: Box<RawValue>) -> Self {
        // It holds what the page has not yet taken of this one answer, which is pulled no faster than the page takes it.
        let (tell, steps) = mpsc::unbounded_channel();
        let watch = Watch(Arc::new(move |event| {
            let _ = tell.send((Instant::now(), Step::of(event)));
        }));
        let visitor = Visitor { client: CLIENT, watch };
        let asked = async move { exchange::answer(&gateway, dialect, request(dialect, &body), Some(visitor)).await };
        let stage = Stage::Asked(Box::pin(asked));
        Self { begun: Instant::now(), stage, steps, told: VecDeque::new(), id: None }
    }

    /// All records that are due, as one piece of the stream; `None`: that was all.
    async fn next(&mut self) -> Option<Bytes> {
        while self.told.is_empty() {
            if matches!(self.stage, Stage::Over) {
                return None;
            }
            self.wait().await;
        }
        let mut out = Vec::new();
        for record in self.told.drain(..) {
            out.extend_from_slice(b"data: ");
            // Texts and numbers: nothing here cannot be written.
            let _ = serde_json::to_writer(&mut out, &record);
            out.extend_from_slice(b"\n\n");
        }
        Some(out.into())
    }

    /// Until something happens.
    async fn wait(&mut self) {
        let happened = tokio::select! {
            biased;
            Some(step) = self.steps.recv() => Happened::Step(step),
            happened = self.stage.next() => happened,
        };
        // A step is told before the frames that are made of it.
        if let Happened::Step(step) = happened {
            return self.step(step);
        }
        while let Ok(step) = self.steps.try_recv() {
            self.step(step);
        }
        match happened {
            Happened::Step(_) => {}
            Happened::Head(response) => self.head(response),
            Happened::Frames(frames) => frames.into_iter().for_each(|text| self.tell(What::Frame { text })),
            Happened::End(rest) => {
                rest.into_iter().for_each(|text| self.tell(What::Frame { text }));
                let id = self.id.take();
                self.tell(What::End { id });
                self.stage = Stage::Over;
            }
        }
    }

    fn head(&mut self, response: Response) {
        let (parts, body) = response.into_parts();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers: Vec<_> =
            parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        self.id = parts.headers.get(REQUEST_ID).map(text);
        self.stage = Stage::Answered { body, frames: Frames::of(&parts.headers) };
        self.tell(What::Head { status: parts.status.as_u16(), headers });
    }

    fn step(&mut self, (at, step): (Instant, Step)) {
        self.record(at, What::Turn(step));
    }

    fn tell(&mut self, what: What) {
        self.record(Instant::now(), what);
    }

    fn record(&mut self, at: Instant, what: What) {
        let at_ms = u64::try_from(at.duration_since(self.begun).as_millis()).unwrap_or(u64::MAX);
        self.told.push_back(Record { at_ms, what });
    }
}

enum Happened {
    Step((Instant, Step)),
    Head(Response),
    Frames(Vec<String>),
    /// With what was left.
    End(Option<String>),
}

// === impl Stage ===

impl Stage {
    async fn next(&mut self) -> Happened {
        match self {
            Self::Asked(answer) => Happened::Head(answer.await),
            Self::Answered { body, frames } => match body.frame().await {
                Some(Ok(frame)) => {
                    Happened::Frames(frame.data_ref().map(|bytes| frames.feed(bytes)).unwrap_or_default())
                }
                Some(Err(_)) | None => Happened::End(frames.rest()),
            },
            Self::Over => Happened::End(None),
        }
    }
}

// === impl Frames ===

impl Frames {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        Self { streamed: kind.starts_with("text/event-stream"), rest: Vec::new() }
    }

    /// The frames that are whole now.
    fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while self.streamed
            && let Some(end) = self.rest.windows(2).position(|pair| pair == b"\n\n")
        {
            let frame: Vec<u8> = self.rest.drain(..end + 2).collect();
            frames.push(String::from_utf8_lossy(&frame[..end]).into_owned());
        }
        frames
    }

    fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Frames;

    fn frames(kind: &'static str) -> Frames {
        Frames::of(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]))
    }

    #[test]
    fn a_stream_is_parted_wherever_it_was_cut() {
        let whole = "event: a\ndata: {\"text\":\"ä\"}\n\nevent: b\ndata: 2\n\nhalf".as_bytes();
        for at in 0..=whole.len() {
            let mut frames = frames("text/event-stream; charset=utf-8");
            let mut found = frames.feed(&whole[..at]);
            found.extend(frames.feed(&whole[at..]));
            assert_eq!(found, ["event: a\ndata: {\"text\":\"ä\"}", "event: b\ndata: 2"], "cut at {at}");
            assert_eq!(frames.rest().as_deref(), Some("half"));
        }
    }

    #[test]
    fn what_is_no_stream_is_one_piece() {
        let mut frames = frames("application/json");
        assert!(frames.feed(b"{\n\n").is_empty() && frames.feed(b"}").is_empty());
        assert_eq!(frames.rest().as_deref(), Some("{\n\n}"));
        assert_eq!(frames.rest(), None);
    }
}
