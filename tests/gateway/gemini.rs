//! `/v1beta/models/…`: what goes upstream, and what comes back.

use codeferry_tests::World;
use reqwest::Response;
use serde_json::{Value, json};

#[path = "gemini/doors.rs"]
mod doors;
#[path = "gemini/failures.rs"]
mod failures;
#[path = "gemini/requests.rs"]
mod requests;
#[path = "gemini/stream.rs"]
mod stream;

const WHOLE: &str = "/v1beta/models/gemini-3-pro:generateContent";
const STREAM: &str = "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse";
const ARRAY: &str = "/v1beta/models/gemini-3-pro:streamGenerateContent";

/// A request in which the person says one thing.
fn asking(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

fn tools() -> Value {
    json!([{"functionDeclarations": [{"name": "Bash", "description": "runs", "parameters": {"type": "OBJECT", "properties": {"command": {"type": "STRING"}}}}]}])
}

async fn send(world: &World, path: &str, body: &Value) -> Response {
    world.post(path).json(body).send().await.expect("the gateway answers")
}

/// The answer in one piece.
async fn whole(world: &World, body: &Value) -> Value {
    let response = send(world, WHOLE, body).await;
    let status = response.status();
    let text = response.text().await.expect("a body");
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// The chunks of a stream that is at its end, as it must be: the same in both forms.
async fn chunks(world: &World, body: &Value) -> Vec<Value> {
    let response = send(world, STREAM, body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.expect("a body");
    assert!(text.ends_with("\r\n\r\n"), "{text}");
    let records = text.split("\r\n\r\n").filter(|record| !record.is_empty());
    let chunks: Vec<Value> = records
        .map(|record| serde_json::from_str(record.strip_prefix("data: ").expect(record)).expect(record))
        .collect();
    let (last, rest) = chunks.split_last().expect("chunks");
    assert!(last["candidates"][0]["finishReason"].is_string() && last["usageMetadata"].is_object(), "{last}");
    for chunk in rest {
        assert!(chunk["candidates"][0].get("finishReason").is_none(), "{chunk}");
        assert_eq!(chunk["responseId"], last["responseId"]);
    }
    chunks
}

/// The parts of an answer, or of all chunks of one.
fn parts(answers: &[Value]) -> Vec<Value> {
    let parts =
        answers.iter().flat_map(|answer| answer["candidates"][0]["content"]["parts"].as_array().expect("parts"));
    parts.filter(|part| **part != json!({"text": ""})).cloned().collect()
}

/// What a client shows.
fn text(answers: &[Value]) -> String {
    let parts = parts(answers);
    parts.iter().filter(|part| part["thought"] != true).filter_map(|part| part["text"].as_str()).collect()
}

fn calls(answers: &[Value]) -> Vec<Value> {
    parts(answers).iter().filter_map(|part| part.get("functionCall").cloned()).collect()
}
