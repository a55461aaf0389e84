//! A client's own way with chat chunks, written without ours: as the SDKs do it, on JSON trees.

use serde_json::{Value, json};

/// The JSON of a record that is a chunk.
pub fn data(record: &str) -> Value {
    serde_json::from_str(record.strip_prefix("data: ").expect(record)).expect(record)
}

/// The rules that hold for every stream (`seed-b.md`, B-140, B-141).
pub fn check(chunks: &[Value]) {
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
pub fn fold(chunks: &[Value]) -> Value {
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
pub fn same(chunks: &[Value], whole: &Value) {
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
