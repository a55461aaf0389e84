//! Bodies that no client means to send: whatever it is, it is answered, or refused in OpenAI's shape, and never by a failure of
//! ours.

#![expect(clippy::panic, reason = "the body that broke it has to be told")]

use std::future::ready;

use codeferry_tests::World;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

/// How many of each dialect.
const MANY: u64 = 1_000;

/// The same numbers every time (Knuth's constants for a linear generator of 64 bits).
struct Dice(u64);

// === impl Dice ===

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn value(&mut self) -> Value {
        let values = json!([
            null, true, false, 0, -1, 1.5, 1e300, 18_446_744_073_709_551_615_u64, "", "x", "auto", "user", "\u{0}", "🛳",
            [], [null], [[]], {}, {"type": "text"}, {"type": null}, {"role": "user"}, {"name": 7}, [{"type": "function"}]
        ]);
        values[self.below(values.as_array().unwrap().len())].clone()
    }

    /// Somewhere in the tree something else stands.
    fn graft(&mut self, tree: &mut Value) {
        let deeper = self.below(4) > 0;
        match tree {
            Value::Object(members) if deeper && !members.is_empty() => {
                let name = members.keys().nth(self.below(members.len())).unwrap().clone();
                if self.below(8) == 0 {
                    let taken = members.remove(&name).unwrap();
                    members.insert(format!("{name}_"), taken);
                } else {
                    self.graft(&mut members[&name]);
                }
            }
            Value::Array(items) if deeper && !items.is_empty() => {
                let at = self.below(items.len());
                match self.below(8) {
                    0 => drop(items.remove(at)),
                    1 => items.push(items[at].clone()),
                    _ => self.graft(&mut items[at]),
                }
            }
            other => *other = self.value(),
        }
    }

    /// Somewhere in the text a byte is another, is missing, or is the last.
    fn scratch(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"{}[],:\"\\\0\xff"[self.below(10)]),
            _ => bytes[at] = u8::try_from(self.below(256)).unwrap(),
        }
    }

    fn mutated(&mut self, body: &Value) -> Vec<u8> {
        let mut body = body.clone();
        for _ in 0..self.below(4) {
            self.graft(&mut body);
        }
        let mut bytes = body.to_string().into_bytes();
        for _ in 0..self.below(2) {
            self.scratch(&mut bytes);
        }
        bytes
    }
}

/// Whether it was more than refused.
async fn is_answered(world: &World, path: &str, bytes: Vec<u8>) -> bool {
    let said = String::from_utf8_lossy(&bytes).into_owned();
    let request = world.post(path).header("content-type", "application/json").body(bytes);
    let response = request.send().await.unwrap_or_else(|error| panic!("no answer ({error}) to {said}"));
    let status = response.status();
    let text = response.text().await.unwrap_or_else(|error| panic!("a torn answer ({error}) to {said}"));
    assert!(!status.is_server_error(), "{status} {text}\nto {said}");
    if status.is_success() {
        assert!(!text.is_empty(), "nothing to {said}");
        return true;
    }
    let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}\nto {said}"));
    for member in ["message", "type"] {
        assert!(error["error"][member].as_str().is_some_and(|word| !word.is_empty()), "{status} {text}\nto {said}");
    }
    let whole = ["param", "code"].iter().all(|member| error["error"].get(member).is_some());
    assert!(whole, "{status} {text}\nto {said}");
    false
}

async fn all_are_answered(path: &str, body: &Value) {
    let world = World::start().await;
    let all = (0..MANY).map(|seed| is_answered(&world, path, Dice(seed << 20 | 0x5eed).mutated(body)));
    let answered = stream::iter(all).buffer_unordered(16).filter(|answered| ready(*answered)).count().await;
    assert!((100..900).contains(&answered), "{answered}: some are still good, some are not");
    let well = world.post(path).json(body).send().await.unwrap();
    assert_eq!(well.status(), 200, "and it goes on: {}", well.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mutated_chats() {
    let parameters = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    all_are_answered("/v1/chat/completions", &json!({
        "model": "gpt-6.1-sol", "stream": true, "stream_options": {"include_usage": true},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "hello"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"n\":1}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "user", "content": "and on"}],
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": parameters}}],
        "tool_choice": "auto", "parallel_tool_calls": true, "max_completion_tokens": 100, "stop": ["END"],
        "reasoning_effort": "low", "temperature": 1, "metadata": {"a": "b"}, "response_format": {"type": "text"}
    })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mutated_responses() {
    let parameters = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    all_are_answered(
        "/v1/responses",
        &json!({
            "model": "gpt-6.1-sol", "stream": true, "instructions": "Be brief.", "store": false,
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hello"}]},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]},
                {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"n\":1}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "one"},
                {"role": "user", "content": "and on"}],
            "tools": [{"type": "function", "name": "f", "description": "d", "parameters": parameters, "strict": false}],
            "tool_choice": "auto", "parallel_tool_calls": true, "reasoning": {"effort": "low", "summary": "auto"},
            "include": ["reasoning.encrypted_content"], "text": {"verbosity": "low"}, "metadata": {"a": "b"}
        }),
    )
    .await;
}
