//! An upstream that costs next to nothing: it looks for an order at the end of the body and plays it.
//!
//! The demo upstream checks what it is sent, which takes as long as what is measured here; on two cores it would
//! disturb the clock. This one says the same events.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::serve::ListenerExt as _;
use futures_util::{SinkExt as _, StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until};

use crate::body::Order;
use crate::say;

/// Serves until killed; prints its address first.
///
/// With `sockets` it has a WebSocket as well, as the real hosts do. Without, what comes over one upstream goes over HTTP.
pub(crate) async fn serve(sockets: bool) -> Result<()> {
    let app = if sockets { Router::new().route("/v1/responses", any(upgraded)) } else { Router::new() };
    let app = app.fallback(answer).layer(DefaultBodyLimit::max(256 * 1024 * 1024));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say::data(&format!("http://{}", listener.local_addr()?));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app).await.context("the upstream ended")
}

async fn answer(body: Bytes) -> Response {
    let Some(order) = Order::find(&body) else {
        // The model catalogue is asked for as well; without one the built-in list serves.
        return (StatusCode::NOT_FOUND, "no order in the body").into_response();
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(play(order))).into_response()
}

async fn upgraded(upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>, body: Bytes) -> Response {
    match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(speak),
        Err(_) => answer(body).await,
    }
}

/// Answers one message after the other, each event a message.
async fn speak(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let Some(order) = message.to_text().ok().and_then(|text| Order::find(text.as_bytes())) else { continue };
        let mut chunks = std::pin::pin!(play(order));
        while let Some(Ok(chunk)) = chunks.next().await {
            let text = String::from_utf8_lossy(&chunk);
            for event in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
                if socket.feed(Message::text(event)).await.is_err() {
                    return;
                }
            }
            if socket.flush().await.is_err() {
                return;
            }
        }
    }
}

/// One chunk for each event when it is paced, as it comes from a model; otherwise a few dozen together.
fn play(order: Order) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    let begun = Instant::now();
    let at_once = if order.pace.is_zero() { 50 } else { 1 };
    stream::unfold(0, move |sent| async move {
        if sent > order.events {
            return None;
        }
        let mut chunk = Vec::with_capacity(4096);
        if sent == 0 {
            chunk.extend_from_slice(head().as_bytes());
        } else if !order.pace.is_zero() {
            sleep_until(begun + order.pace.saturating_mul(u32::try_from(sent).unwrap_or(u32::MAX))).await;
        }
        let until = (sent + at_once).min(order.events);
        for number in sent..until {
            delta(&mut chunk, number);
        }
        if until == order.events {
            chunk.extend_from_slice(tail(order.events).as_bytes());
            return Some((Ok(chunk.into()), order.events + 1));
        }
        Some((Ok(chunk.into()), until))
    })
}

const ITEM: &str = "msg_0a1b2c3d4e5f60718293a4b5c6d7e8f901";
const DELTA: &str = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"content_index\":0,\"delta\":\" several words\",\"item_id\":\"msg_0a1b2c3d4e5f60718293a4b5c6d7e8f901\",\"logprobs\":[],\"obfuscation\":\"aXh2wQ9\",\"output_index\":0,\"sequence_number\":";

fn delta(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(DELTA.as_bytes());
    out.extend_from_slice((number + 4).to_string().as_bytes());
    out.extend_from_slice(b"}\n\n");
}

fn head() -> String {
    let response = r#"{"id":"resp_0a1b2c3d4e5f60718293a4b5c6d7e8f901","object":"response","created_at":1700000000,"status":"in_progress","model":"gpt-5.5","output":[],"usage":null}"#;
    let item = format!(r#"{{"id":"{ITEM}","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#);
    let part = r#"{"type":"output_text","annotations":[],"logprobs":[],"text":""}"#;
    [
        event("response.created", &format!(r#""sequence_number":0,"response":{response}"#)),
        event("response.in_progress", &format!(r#""sequence_number":1,"response":{response}"#)),
        event("response.output_item.added", &format!(r#""sequence_number":2,"output_index":0,"item":{item}"#)),
        event(
            "response.content_part.added",
            &format!(r#""sequence_number":3,"item_id":"{ITEM}","output_index":0,"content_index":0,"part":{part}"#),
        ),
    ]
    .concat()
}

fn tail(events: usize) -> String {
    let text = " several words".repeat(events);
    let item = format!(
        r#"{{"id":"{ITEM}","type":"message","status":"completed","content":[{{"type":"output_text","annotations":[],"logprobs":[],"text":"{text}"}}],"role":"assistant"}}"#
    );
    let usage = format!(
        r#"{{"input_tokens":1000,"input_tokens_details":{{"cached_tokens":512}},"output_tokens":{events},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{}}}"#,
        1000 + events
    );
    let response = format!(
        r#"{{"id":"resp_0a1b2c3d4e5f60718293a4b5c6d7e8f901","object":"response","created_at":1700000000,"status":"completed","model":"gpt-5.5","output":[],"usage":{usage}}}"#
    );
    let at = format!(r#""item_id":"{ITEM}","output_index":0,"content_index":0"#);
    [
        event("response.output_text.done", &format!(r#""sequence_number":{},{at},"text":"{text}""#, events + 4)),
        event(
            "response.output_item.done",
            &format!(r#""sequence_number":{},"output_index":0,"item":{item}"#, events + 5),
        ),
        event("response.completed", &format!(r#""sequence_number":{},"response":{response}"#, events + 6)),
    ]
    .concat()
}

fn event(name: &str, fields: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{fields}}}\n\n")
}

/// How long the answer to this order takes at least.
pub(crate) fn length(order: Order) -> Duration {
    order.pace.saturating_mul(u32::try_from(order.events).unwrap_or(u32::MAX))
}
