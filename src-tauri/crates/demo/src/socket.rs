//! The WebSocket of the model hosts (codex-backend.md §6, §12): one connection, many responses, one after the other.
//!
//! Each message is a request like one over HTTP and is answered by the same desk. What is added here is what the real hosts
//! add: a beta header at the handshake, the last response kept in the connection, errors as events, binary messages refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, BodyDataStream};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts as _, Request};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::catalog;
use crate::conversation::Conversation;
use crate::limits::Limits;
use crate::marker;
use crate::net::Line;
use crate::record::{Framed, Outcome, Route};
use crate::refusal::Refusal;
use crate::respond;
use crate::routes::{authorize, refuse};
use crate::script::Releases;
use crate::strict::Provider;
use crate::world::World;

mod records;

use records::Records;

/// As much as over HTTP.
const LONGEST: usize = 256 << 20;
/// One event more than any client of these hosts takes.
const HUGE: usize = (64 << 20) + 1;
/// Without it there is no socket (codex-backend.md §6).
const BETA: &str = "responses_websockets=2026-02-06";
/// Stands in `client_metadata` for a header that belongs to one request.
const LITE: &str = "ws_request_header_x_openai_internal_codex_responses_lite";

/// What can be wrong with every handshake, see [`Demo::fail_handshakes`](crate::Demo::fail_handshakes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeFault {
    /// An HTTP answer with this status and a `detail`.
    Status(u16),
    /// 429: the plan's window is used up, with its headers.
    Limit,
    /// The connection drops.
    Reset,
    /// No answer at all.
    Silence,
    /// The upgrade is answered with a page, as by somebody in between.
    Page,
}

/// One connection.
struct Session {
    world: Arc<World>,
    provider: Provider,
    line: Line,
    /// Of the handshake.
    parts: Parts,
    /// The record of the handshake.
    number: u64,
    /// The last response, and all items up to its end.
    last: Option<(String, Vec<Value>)>,
}

/// What a marker does to a message: on a socket alone.
struct Trick {
    what: String,
    late: bool,
}

/// The connection is over.
struct Over;

pub(crate) async fn open(world: Arc<World>, provider: Provider, line: Line, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        let mut exchange = world.recorder.begin(Route::Other, &parts);
        return refuse(&Refusal::detail(405, "Method Not Allowed"), &mut exchange);
    };
    let mut exchange = world.recorder.begin(Route::Socket, &parts);
    let mut releases = Releases::new(world.releases.subscribe());
    let fault = world.lock().handshake_fault;
    match fault {
        None => {}
        Some(HandshakeFault::Reset) => return respond::drop_line(&line, &mut exchange).await,
        Some(HandshakeFault::Silence) => releases.next(None).await,
        Some(HandshakeFault::Status(status)) => {
            return refuse(&Refusal::detail(status, "No WebSocket here").excused(), &mut exchange);
        }
        Some(HandshakeFault::Page) => {
            exchange.end(Outcome::Refused { status: 200, reason: "a page".to_owned() });
            return Response::new(Body::from("<html>Sign in to this network</html>"));
        }
        Some(HandshakeFault::Limit) => {
            let mut response =
                refuse(&Refusal::detail(429, "The usage limit has been reached").excused(), &mut exchange);
            Limits::used_up(10_800).write_headers(response.headers_mut(), "plus", world.now());
            return response;
        }
    }
    let beta = parts.headers.get("openai-beta").and_then(|beta| beta.to_str().ok());
    if provider == Provider::Codex && !beta.is_some_and(|beta| beta.split(',').any(|one| one.trim() == BETA)) {
        return refuse(&Refusal::detail(400, format!("The header openai-beta must name {BETA}")), &mut exchange);
    }
    let who = match authorize(&world, provider, &parts.headers) {
        Ok(who) => who,
        Err(refusal) => return refuse(&refusal, &mut exchange),
    };
    exchange.account(&who.account_id);
    for name in ["content-type", "content-encoding", "x-openai-internal-codex-responses-lite"] {
        if parts.headers.contains_key(name) {
            exchange.violation(format!("the header {name} in a handshake"));
        }
    }
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("x-request-id", &format!("req_{}", world.seal.id("request", exchange.seq.to_string().as_bytes(), 32)));
    if provider == Provider::Codex {
        set("x-models-etag", catalog::ETAG);
        set("x-reasoning-included", "true");
        let session = parts.headers.get("session-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
        set("x-codex-turn-state", &world.seal.tag("turn", session.as_bytes()));
        world.limits(&who.account_id).write_headers(&mut headers, &who.plan, world.now());
    }
    let number = exchange.seq;
    let opened = Arc::clone(&world.sockets.opened);
    let session = Session { world, provider, line, parts, number, last: None };
    let mut response = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).on_upgrade(move |socket| async move {
        opened.fetch_add(1, Ordering::Relaxed);
        let over = session.serve(socket).await;
        opened.fetch_sub(1, Ordering::Relaxed);
        exchange.end(over);
    });
    response.headers_mut().extend(headers);
    response
}

/// How many connections are open.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    pub(crate) opened: Arc<AtomicU64>,
}

// === impl Session ===

impl Session {
    /// Until somebody leaves.
    async fn serve(mut self, mut socket: WebSocket) -> Outcome {
        while let Some(Ok(message)) = socket.recv().await {
            let answered = match message {
                Message::Text(text) => self.answer(&mut socket, &text).await,
                Message::Binary(_) => {
                    self.violation("a binary message");
                    let reason = Utf8Bytes::from_static("messages are texts");
                    let close = CloseFrame { code: close_code::UNSUPPORTED, reason };
                    let _ = socket.send(Message::Close(Some(close))).await;
                    Err(Over)
                }
                Message::Ping(_) | Message::Pong(_) => Ok(()),
                Message::Close(_) => return Outcome::Completed,
            };
            if answered.is_err() {
                return Outcome::Aborted;
            }
        }
        Outcome::Cancelled
    }

    fn violation(&self, what: &str) {
        self.world.recorder.violation(self.number, what);
    }

    async fn answer(&mut self, socket: &mut WebSocket, text: &Utf8Bytes) -> Result<(), Over> {
        let asked = serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
        if asked.get("type").and_then(Value::as_str) != Some("response.create") {
            self.violation("a message that is no response.create");
            let refusal = Refusal::invalid("type", "invalid_value", "The type of a message must be response.create");
            return self.refuse(socket, 400, &HeaderMap::new(), &refusal.body).await;
        }
        let Some(request) = self.resolved(asked.clone()) else {
            return self.forgotten(socket, &asked).await;
        };
        if asked.get("generate") == Some(&Value::Bool(false)) {
            return self.warm(socket, &request).await;
        }
        let trick = self.trick(&request);
        if let Some(Trick { what, late: false }) = &trick {
            match what.as_str() {
                "expired" => {
                    let message = "Responses websocket connection limit reached (60 minutes). Create a new websocket \
                                   connection to continue.";
                    let code = Some("websocket_connection_limit_reached");
                    let refusal = Refusal::error(400, "invalid_request_error", code, None, message);
                    return self.refuse(socket, 400, &HeaderMap::new(), &refusal.body).await;
                }
                "forgotten" => {
                    self.last = None;
                    if asked.contains_key("previous_response_id") {
                        return self.forgotten(socket, &asked).await;
                    }
                }
                what => return self.misbehave(socket, what).await,
            }
        }
        let items = request.get("input").and_then(Value::as_array).cloned().unwrap_or_default();
        let response = self.ask(&request, text).await;
        self.play(socket, response, items, trick.filter(|trick| trick.late)).await
    }

    /// The request as it would be over HTTP. `None`: it goes on from another response than the last.
    fn resolved(&self, mut request: Map<String, Value>) -> Option<Map<String, Value>> {
        request.remove("type");
        request.remove("generate");
        if let Some(previous) = request.remove("previous_response_id").filter(|previous| !previous.is_null()) {
            let (id, before) = self.last.as_ref()?;
            if previous != *id {
                return None;
            }
            let mut items = before.clone();
            items.extend(request.get("input").and_then(Value::as_array).cloned().unwrap_or_default());
            request.insert("input".to_owned(), Value::Array(items));
        }
        Some(request)
    }

    async fn forgotten(&mut self, socket: &mut WebSocket, asked: &Map<String, Value>) -> Result<(), Over> {
        let id = asked.get("previous_response_id").and_then(Value::as_str).unwrap_or_default();
        let message = format!("Previous response with id '{id}' not found.");
        let refusal = Refusal::invalid("previous_response_id", "previous_response_not_found", message);
        self.world.recorder.forgot(self.number);
        self.refuse(socket, 400, &HeaderMap::new(), &refusal.body).await
    }

    /// Nothing is generated, and the next message may go on from it.
    async fn warm(&mut self, socket: &mut WebSocket, request: &Map<String, Value>) -> Result<(), Over> {
        let items = request.get("input").and_then(Value::as_array).cloned().unwrap_or_default();
        let id = format!("resp_{}", self.world.seal.id("warm", json!(request).to_string().as_bytes(), 32));
        for (kind, status) in [("response.created", "in_progress"), ("response.completed", "completed")] {
            let response = json!({"id": id, "object": "response", "status": status, "output": []});
            say(socket, &json!({"type": kind, "response": response})).await?;
        }
        self.last = Some((id, items));
        Ok(())
    }

    fn trick(&self, request: &Map<String, Value>) -> Option<Trick> {
        let talk = Conversation::read(request);
        let (markers, _) = marker::read(&talk.prompt);
        let marker = markers.into_iter().find(|marker| marker.name == "socket")?;
        if marker.has("once") && !self.world.lock().first_time(format!("socket {}", talk.prompt)) {
            return None;
        }
        let what = marker.words().next()?.to_owned();
        Some(Trick { what, late: marker.has("late") })
    }

    async fn misbehave(&self, socket: &mut WebSocket, what: &str) -> Result<(), Over> {
        match what {
            "binary" => {
                socket.send(Message::Binary(Bytes::from_static(b"{}"))).await.map_err(|_| Over)?;
                self.linger(socket).await
            }
            "huge" => {
                let event = json!({"type": "response.output_text.delta", "delta": "x".repeat(HUGE)}).to_string();
                // Nobody reads it to its end.
                let _ = socket.send(Message::text(event)).await;
                Err(Over)
            }
            "drop" => {
                self.line.cut();
                Err(Over)
            }
            "silent" => self.linger(socket).await,
            _ => {
                let close = CloseFrame { code: close_code::ERROR, reason: Utf8Bytes::from_static("no reason") };
                let _ = socket.send(Message::Close(Some(close))).await;
                Err(Over)
            }
        }
    }

    /// Nothing is said until the other side has enough of it.
    async fn linger(&self, socket: &mut WebSocket) -> Result<(), Over> {
        while let Some(Ok(_)) = socket.recv().await {}
        Err(Over)
    }

    /// Asks the desk, as if it had come over HTTP.
    async fn ask(&self, request: &Map<String, Value>, frame: &Utf8Bytes) -> Response {
        let lite = request.get("client_metadata").is_some_and(|metadata| metadata[LITE] == "true");
        let mut inner = Request::new(Body::from(json!(request).to_string()));
        *inner.method_mut() = Method::POST;
        *inner.uri_mut() = self.parts.uri.clone();
        inner.headers_mut().clone_from(&self.parts.headers);
        if lite {
            let name = HeaderName::from_static("x-openai-internal-codex-responses-lite");
            inner.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        let message = Bytes::copy_from_slice(frame.as_bytes());
        inner.extensions_mut().insert(Framed { connection: self.number, message });
        respond::respond(Arc::clone(&self.world), self.provider, self.line.clone(), inner).await
    }

    /// Sends the answer event by event. A client that leaves takes it along.
    async fn play(
        &mut self,
        socket: &mut WebSocket,
        response: Response,
        mut items: Vec<Value>,
        mut late: Option<Trick>,
    ) -> Result<(), Over> {
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            let bytes = axum::body::to_bytes(body, LONGEST).await.map_err(|_| Over)?;
            // A bot check stands before the host, and knows no events.
            let Ok(body) = serde_json::from_slice(&bytes) else {
                let _ = socket.send(Message::Close(None)).await;
                return Err(Over);
            };
            self.last = None;
            return self.refuse(socket, parts.status.as_u16(), &parts.headers, &body).await;
        }
        let mut records = Records::default();
        let mut stream = body.into_data_stream();
        let mut id = None;
        while let Some(chunk) = next(socket, &mut stream).await? {
            for event in records.push(&chunk) {
                let value: Value = serde_json::from_str(&event).unwrap_or_default();
                match value["type"].as_str() {
                    Some("response.output_item.done") => items.push(value["item"].clone()),
                    Some("response.completed" | "response.incomplete") => {
                        id = value["response"]["id"].as_str().map(str::to_owned);
                    }
                    _ => {}
                }
                let delta = value["type"] == "response.output_text.delta";
                socket.send(Message::text(event)).await.map_err(|_| Over)?;
                if let Some(trick) = late.take_if(|_| delta) {
                    return self.misbehave(socket, &trick.what).await;
                }
            }
        }
        self.last = id.map(|id| (id, items));
        if records.ended { Ok(()) } else { self.misbehave(socket, "close").await }
    }

    async fn refuse(&self, socket: &mut WebSocket, status: u16, headers: &HeaderMap, body: &Value) -> Result<(), Over> {
        let told = headers.iter().filter_map(|(name, value)| {
            let kept = name.as_str().starts_with("x-") || name == http::header::RETRY_AFTER;
            Some((name.to_string(), json!(value.to_str().ok().filter(|_| kept)?)))
        });
        let told: Map<String, Value> = told.collect();
        let mut event = json!({"type": "error", "status": status, "headers": told});
        for (name, value) in body.as_object().into_iter().flatten().filter(|(name, _)| *name != "status") {
            event[name] = value.clone();
        }
        say(socket, &event).await
    }
}

async fn say(socket: &mut WebSocket, event: &Value) -> Result<(), Over> {
    socket.send(Message::text(event.to_string())).await.map_err(|_| Over)
}

/// The next piece of an answer, unless the client leaves first.
async fn next(socket: &mut WebSocket, stream: &mut BodyDataStream) -> Result<Option<Bytes>, Over> {
    loop {
        tokio::select! {
            chunk = stream.next() => return chunk.transpose().map_err(|_| Over),
            message = socket.recv() => match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                // A second request while one runs is more than the real hosts take, too.
                _ => return Err(Over),
            },
        }
    }
}
