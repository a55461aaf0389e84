//! `POST /v1/chat/completions` and `/v1/completions`: what goes upstream, and what comes back.

use codeferry_tests::World;
use codeferry_tests::chat::{check, data};
use reqwest::Response;
use serde_json::{Value, json};

#[path = "chat/failures.rs"]
mod failures;
#[path = "chat/named.rs"]
mod named;
#[path = "chat/requests.rs"]
mod requests;
#[path = "chat/stream.rs"]
mod stream;

const CHAT: &str = "/v1/chat/completions";

/// A request in which the person says one thing.
fn asking(text: &str) -> Value {
    json!({"model": "codex-5", "messages": [{"role": "user", "content": text}]})
}

async fn send(world: &World, path: &str, body: &Value) -> Response {
    world.post(path).json(body).send().await.expect("the gateway answers")
}

/// The answer in one piece.
async fn whole(world: &World, body: &Value) -> Value {
    let response = send(world, CHAT, body).await;
    let status = response.status();
    let text = response.text().await.expect("a body");
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// The records of a stream.
async fn records(world: &World, path: &str, body: &Value) -> Vec<String> {
    let mut body = body.clone();
    body["stream"] = json!(true);
    let response = send(world, path, &body).await;
    let status = response.status();
    let text = response.text().await.expect("a body");
    assert_eq!(status, 200, "{text}");
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text}");
    text.split_terminator("\n\n").map(str::to_owned).collect()
}

/// The chunks of a stream that is at its end, as it must be.
async fn chunks(world: &World, body: &Value) -> Vec<Value> {
    let mut records = records(world, CHAT, body).await;
    assert_eq!(records.pop().as_deref(), Some("data: [DONE]"));
    let chunks: Vec<Value> =
        records.iter().filter(|record| !record.starts_with(':')).map(|record| data(record)).collect();
    check(&chunks);
    chunks
}
