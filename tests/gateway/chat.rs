//! `POST /v1/chat/completions` and `/v1/completions`: what goes upstream, and what comes back.

use codeferry_tests::World;
use reqwest::Response;
use serde_json::{Value, json};

#[path = "chat/failures.rs"]
mod failures;
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

fn data(record: &str) -> Value {
    serde_json::from_str(record.strip_prefix("data: ").expect(record)).expect(record)
}

/// The rules that hold for every stream (`seed-b.md`, B-140, B-141).
fn check(chunks: &[Value]) {
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant", "the role comes first");
    for chunk in chunks {
        for member in ["id", "created", "model"] {
            assert_eq!(chunk[member], chunks[0][member], "{member} is the same throughout");
        }
        assert_eq!(chunk["object"], "chat.completion.chunk");
    }
    let finishes: Vec<usize> =
        (0..chunks.len()).filter(|at| chunks[*at]["choices"][0]["finish_reason"].is_string()).collect();
    assert_eq!(finishes.len(), 1, "exactly one finish: {chunks:?}");
    let behind = &chunks[finishes[0] + 1..];
    assert!(
        behind.len() <= 1 && behind.iter().all(|chunk| chunk["choices"] == json!([]) && chunk["usage"].is_object())
    );
}

/// What a client makes of the chunks, by its own way of adding.
fn fold(chunks: &[Value]) -> Value {
    let mut message = json!({"role": "assistant", "content": null, "refusal": null});
    let mut finish = Value::Null;
    for choice in chunks.iter().filter_map(|chunk| chunk["choices"].get(0)) {
        let delta = &choice["delta"];
        for member in ["content", "refusal", "reasoning_content"] {
            if let Some(text) = delta[member].as_str().filter(|text| !text.is_empty()) {
                message[member] = json!(message[member].as_str().unwrap_or_default().to_owned() + text);
            }
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().expect("an index")).expect("small");
            if message["tool_calls"].is_null() {
                message["tool_calls"] = json!([]);
            }
            let calls = message["tool_calls"].as_array_mut().expect("a list");
            if index == calls.len() {
                calls.push(json!({"id": call["id"], "type": "function", "function": {"name": call["function"]["name"], "arguments": ""}}));
            }
            let so_far = calls[index]["function"]["arguments"].as_str().expect("text").to_owned();
            calls[index]["function"]["arguments"] =
                json!(so_far + call["function"]["arguments"].as_str().unwrap_or_default());
        }
        for cited in delta["annotations"].as_array().into_iter().flatten() {
            if message["annotations"].is_null() {
                message["annotations"] = json!([]);
            }
            message["annotations"].as_array_mut().expect("a list").push(cited.clone());
        }
        if choice["finish_reason"].is_string() {
            finish = choice["finish_reason"].clone();
        }
    }
    json!({"message": message, "finish_reason": finish})
}

/// The same answer in both ways.
fn same(chunks: &[Value], whole: &Value) {
    let folded = fold(chunks);
    let mut message = whole["choices"][0]["message"].clone();
    // Ids are made anew for each answer.
    let forget = |message: &mut Value| {
        for call in message["tool_calls"].as_array_mut().into_iter().flatten() {
            call["id"] = Value::Null;
        }
    };
    let mut streamed = folded["message"].clone();
    forget(&mut streamed);
    forget(&mut message);
    for side in [&mut streamed, &mut message] {
        side.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    }
    assert_eq!(streamed, message);
    assert_eq!(folded["finish_reason"], whole["choices"][0]["finish_reason"]);
}
