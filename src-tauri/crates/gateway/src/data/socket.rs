//! `GET /v1/responses` with an upgrade: many responses over one WebSocket, one after the other (`codex-backend.md §6`).
//!
//! Each `response.create` is an exchange like any other and goes the way of [`exchange`]: keys, routing, failover, the log.
//! What the connection adds is in [`create`] (one frame as a request) and [`memory`] (the last response), and it may have one
//! of its own upstream ([`Line`]). This file moves frames between the two sides.
//!
//! **Invariant:** one response runs at a time; what a client asks meanwhile waits. A client that leaves takes its response
//! with it. The connection ends with a close frame whenever somebody is there to read it.

mod create;
mod memory;
mod words;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::response::Response;
use codeferry_upstream::Line;
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::sse::Decoder;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, MissedTickBehavior};

use self::create::{Create, Wrong};
use self::memory::{Growing, Memory};
use super::exchange;
use crate::dialect::{Dialect, Shape};
use crate::reply::Problem;
use crate::{Gateway, guard, new_request_id, routing, serve};

/// How long the provider keeps a connection (`codex-backend.md §6`). Clients are made for that.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// A sign of life in silence.
const PING: Duration = Duration::from_secs(25);
/// Who has not answered so many of them is gone.
const SILENCE: Duration = Duration::from_secs(90);
/// What a client may ask for while a response runs.
const WAITING: usize = 8;
/// How many connections there may be.
pub(crate) const CONNECTIONS: usize = 256;
/// No record of our own answers is longer.
const LONGEST_RECORD: usize = 64 * 1024 * 1024;
/// No refusal is longer.
const LONGEST_REFUSAL: usize = 1024 * 1024;

/// What of a handshake is not said again in the requests that follow.
const OF_THE_HANDSHAKE: [HeaderName; 6] = [
    header::CONNECTION,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::CONTENT_TYPE,
];

/// Sticky routing within a turn, see [`codex`](crate::codex).
const TURN_STATE: &str = "x-codex-turn-state";

/// Answers `GET /v1/responses`.
pub(crate) async fn socket(
    State(gateway): State<Arc<Gateway>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let mut response = serve::wrong_method(method, uri, headers).await;
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    };
    match let_in(&gateway, &headers) {
        Ok(place) => {
            let limit = routing::body_limit(&gateway.settings.snapshot());
            let tracker = gateway.sockets.clone();
            let (headers, memory, line) = (said(headers), Memory::default(), Arc::default());
            let link = Link { gateway, headers, limit, memory, turn_state: None, line };
            upgrade.max_message_size(limit).max_frame_size(limit).on_upgrade(move |socket| {
                tracker.track_future(async move {
                    let _place = place;
                    link.serve(socket).await;
                })
            })
        }
        Err(problem) => problem.into_response(Shape::OpenAi, &new_request_id()),
    }
}

fn let_in(gateway: &Gateway, headers: &HeaderMap) -> Result<tokio::sync::OwnedSemaphorePermit, Problem> {
    guard::client_of(headers, &gateway.keys)?;
    if !gateway.settings.snapshot().websocket {
        // Upon this status the Codex CLI goes on over HTTP at once (`codex-backend.md §0`).
        let message = "WebSockets are switched off here (setting websocket); use POST /v1/responses";
        return Err(Problem::bad_request(message).with_status(StatusCode::UPGRADE_REQUIRED).final_word());
    }
    let place = Arc::clone(&gateway.socket_places).try_acquire_owned();
    place.map_err(|_| Problem::new(ErrorKind::Overloaded, "there are too many connections; use POST /v1/responses"))
}

/// What the client said of itself, for each request on its connection.
fn said(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_THE_HANDSHAKE {
        headers.remove(name);
    }
    let of_sockets = |name: &&HeaderName| name.as_str().starts_with("sec-websocket-");
    for name in headers.keys().filter(of_sockets).cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// One connection.
struct Link {
    gateway: Arc<Gateway>,
    /// For each request.
    headers: HeaderMap,
    /// The largest request, in bytes.
    limit: usize,
    memory: Memory,
    /// The turn, and what the upstream wants to hear in it.
    turn_state: Option<(String, HeaderValue)>,
    /// What is kept open upstream.
    line: Arc<Line>,
}

type Sink = SplitSink<WebSocket, Message>;

/// A response under way.
struct Running {
    stage: Stage,
    response: Growing,
    /// The turn it belongs to.
    turn: Option<String>,
    /// What the upstream wants to hear again in that turn.
    turn_state: Option<HeaderValue>,
}

enum Stage {
    /// The exchange has not answered yet.
    Opening(Pin<Box<dyn Future<Output = Response> + Send>>),
    /// It answers.
    Streaming { body: BodyDataStream, decoder: Decoder },
}

/// What happens next to a response.
enum Step {
    /// Frames for the client, perhaps none.
    Frames(Vec<Utf8Bytes>),
    /// Nothing more comes.
    Over,
    /// It was refused, and this says why.
    Refused(Utf8Bytes),
}

/// The client is gone, or was sent away.
struct Gone;

// === impl Link ===

impl Link {
    async fn serve(mut self, socket: WebSocket) {
        let (mut sink, mut stream) = socket.split();
        if let Some(close) = self.converse(&mut sink, &mut stream).await {
            let farewell = async {
                let _ = sink.send(Message::Close(Some(close))).await;
                // The other side says so as well, and only then is the connection closed in order.
                while let Some(Ok(_)) = stream.next().await {}
            };
            let _ = tokio::time::timeout(Duration::from_secs(2), farewell).await;
        }
        self.line.close().await;
    }

    /// Until somebody leaves. What is to be said then, if anybody is there to hear it.
    async fn converse(&mut self, sink: &mut Sink, stream: &mut SplitStream<WebSocket>) -> Option<CloseFrame> {
        let (stopping, closing) = (self.gateway.stopping.clone(), self.gateway.closing.clone());
        let line = Arc::clone(&self.line);
        let mut end_of_life = std::pin::pin!(tokio::time::sleep(LIFETIME));
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let mut waiting: VecDeque<Utf8Bytes> = VecDeque::new();
        let mut running: Option<Running> = None;
        loop {
            if running.is_none()
                && let Some(text) = waiting.pop_front()
            {
                running = self.begin(&text, end_of_life.is_elapsed(), sink).await.ok()?;
                continue;
            }
            let idle = running.is_none();
            tokio::select! {
                biased;
                () = closing.cancelled() => return Some(farewell(close_code::RESTART, "the gateway is stopping")),
                () = stopping.cancelled(), if idle => return Some(farewell(close_code::RESTART, "the gateway is stopping")),
                message = stream.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(_))) if waiting.len() == WAITING => {
                            let message = format!("{WAITING} requests wait already; only one response runs at a time");
                            let problem = Problem::new(ErrorKind::RateLimit, message);
                            deliver(sink, &closing, [words::problem(&problem)]).await.ok()?;
                        }
                        Some(Ok(Message::Text(text))) => waiting.push_back(text),
                        Some(Ok(Message::Binary(_))) => {
                            return Some(farewell(close_code::UNSUPPORTED, "messages are texts"));
                        }
                        // Pings are answered by the library.
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    }
                }
                step = next(&mut running), if !idle => {
                    let Some(current) = &mut running else { continue };
                    match step {
                        Step::Frames(frames) if frames.is_empty() => {
                            deliver_ping(sink, &closing).await.ok()?;
                        }
                        Step::Frames(frames) => deliver(sink, &closing, frames).await.ok()?,
                        Step::Refused(frame) => {
                            running = None;
                            self.memory = Memory::default();
                            deliver(sink, &closing, [frame]).await.ok()?;
                        }
                        Step::Over => {
                            if !current.response.has_ended() {
                                let problem = Problem::new(ErrorKind::Api, "the answer broke off");
                                deliver(sink, &closing, [words::problem(&problem)]).await.ok()?;
                            }
                            if let Some(Running { response, turn, turn_state, .. }) = running.take() {
                                self.turn_state = turn.zip(turn_state).or(self.turn_state.take());
                                self.memory.settle(response);
                            }
                        }
                    }
                }
                never = line.tend(), if idle => match never {},
                () = &mut end_of_life, if idle => {
                    return Some(farewell(close_code::NORMAL, "60 minutes are over; create a new connection"));
                }
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return None;
                    }
                    deliver_ping(sink, &closing).await.ok()?;
                }
            }
        }
    }

    /// Begins a response, or says why there is none.
    async fn begin(&mut self, text: &str, is_old: bool, sink: &mut Sink) -> Result<Option<Running>, Gone> {
        let closing = self.gateway.closing.clone();
        if is_old {
            deliver(sink, &closing, [words::too_old()]).await?;
            return Ok(None);
        }
        let create = match Create::read(text, &self.memory) {
            Ok(create) => create,
            Err(Wrong { code, param, message }) => {
                let problem = Problem::bad_request(message).about(code, param.map(str::to_owned));
                deliver(sink, &closing, [words::problem(&problem)]).await?;
                return Ok(None);
            }
        };
        if !create.generates {
            return self.warm_up(create, sink).await.map(|()| None);
        }
        let Create { body, items, turn, headers, .. } = create;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static("/v1/responses");
        request.headers_mut().clone_from(&self.headers);
        if let Some((_, state)) = self.turn_state.as_ref().filter(|(of, _)| turn.as_ref() == Some(of)) {
            request.headers_mut().insert(TURN_STATE, state.clone());
        }
        request.headers_mut().extend(headers);
        request.extensions_mut().insert(Arc::clone(&self.line));
        let gateway = Arc::clone(&self.gateway);
        let opening = async move { exchange::answer(&gateway, Dialect::Responses, request, None).await };
        let response = Growing::new(items, self.limit);
        Ok(Some(Running { stage: Stage::Opening(Box::pin(opening)), response, turn, turn_state: None }))
    }

    /// There is nothing to warm: what would be sent ahead is remembered here and goes up with the first request.
    async fn warm_up(&mut self, create: Create, sink: &mut Sink) -> Result<(), Gone> {
        let closing = self.gateway.closing.clone();
        if let Err(problem) = guard::client_of(&self.headers, &self.gateway.keys) {
            return deliver(sink, &closing, [words::problem(&problem)]).await;
        }
        let id = format!("resp_{}", uuid::Uuid::now_v7().simple());
        let frames = words::warm(&id, &create.model, self.gateway.now().as_second());
        self.memory.keep(id, create.items);
        deliver(sink, &closing, frames).await
    }
}

/// The next step of the response that runs.
async fn next(running: &mut Option<Running>) -> Step {
    let Some(running) = running else { return std::future::pending().await };
    loop {
        match &mut running.stage {
            Stage::Opening(opening) => {
                let response = opening.await;
                if response.status() != StatusCode::OK {
                    return Step::Refused(refusal(response).await);
                }
                running.turn_state = response.headers().get(TURN_STATE).cloned();
                let body = response.into_body().into_data_stream();
                running.stage = Stage::Streaming { body, decoder: Decoder::new(LONGEST_RECORD) };
            }
            Stage::Streaming { body, decoder } => {
                let Some(Ok(bytes)) = body.next().await else { return Step::Over };
                decoder.push(&bytes);
                let mut frames = Vec::new();
                // Longer records than this were refused on their way here.
                while let Ok(Some(frame)) = decoder.next_frame() {
                    running.response.hear(&frame);
                    let failed = (frame.event == Some("error")).then(|| words::failure(&frame.data)).flatten();
                    frames.push(failed.unwrap_or_else(|| Utf8Bytes::from(frame.data.into_owned())));
                }
                return Step::Frames(frames);
            }
        }
    }
}

async fn refusal(response: Response) -> Utf8Bytes {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST_REFUSAL).await.unwrap_or_default();
    words::refusal(parts.status.as_u16(), &parts.headers, &body)
}

/// Sends messages, unless the gateway closes meanwhile: a client that does not read must not keep us alive.
async fn deliver(
    sink: &mut Sink,
    closing: &tokio_util::sync::CancellationToken,
    frames: impl IntoIterator<Item = Utf8Bytes>,
) -> Result<(), Gone> {
    let sending = async {
        for frame in frames {
            sink.feed(Message::Text(frame)).await?;
        }
        sink.flush().await
    };
    tokio::select! {
        sent = sending => sent.map_err(|_| Gone),
        () = closing.cancelled() => Err(Gone),
    }
}

async fn deliver_ping(sink: &mut Sink, closing: &tokio_util::sync::CancellationToken) -> Result<(), Gone> {
    tokio::select! {
        sent = sink.send(Message::Ping(bytes::Bytes::new())) => sent.map_err(|_| Gone),
        () = closing.cancelled() => Err(Gone),
    }
}

fn farewell(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from_static(reason) }
}
