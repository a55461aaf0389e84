//! A client's own way of folding a stream into a message, written without ours: as the SDKs do it, on JSON trees.

use serde_json::{Map, Value, json};

/// The message that a client has at the end of these frames, or the error that ended them.
pub(crate) fn fold(sse: &str) -> Result<Value, Value> {
    let mut message = Value::Null;
    let mut inputs: Vec<String> = Vec::new();
    for record in sse.split_terminator("\n\n") {
        let (event, data) = record.split_once('\n').expect("two lines");
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(event.strip_prefix("event: "), data["type"].as_str(), "the event line repeats the type");
        match data["type"].as_str().expect("a type") {
            "message_start" => message = data["message"].clone(),
            "content_block_start" => {
                message["content"].as_array_mut().expect("a list").push(data["content_block"].clone());
                inputs.push(String::new());
            }
            "content_block_delta" => {
                let index = usize::try_from(data["index"].as_u64().expect("an index")).expect("small");
                add(&mut message["content"][index], &mut inputs[index], &data["delta"]);
            }
            "content_block_stop" => {
                let index = usize::try_from(data["index"].as_u64().expect("an index")).expect("small");
                if !inputs[index].is_empty() {
                    message["content"][index]["input"] = parse(&inputs[index]);
                }
            }
            "message_delta" => {
                for (name, value) in data["delta"].as_object().expect("an object") {
                    message[name] = value.clone();
                }
                for (name, value) in data["usage"].as_object().expect("an object") {
                    message["usage"][name] = value.clone();
                }
            }
            "error" => return Err(data["error"].clone()),
            _ => {}
        }
    }
    for block in message["content"].as_array_mut().into_iter().flatten() {
        // Whole messages leave out what is empty.
        if block["citations"].as_array().is_some_and(Vec::is_empty) {
            block.as_object_mut().map(|block: &mut Map<_, _>| block.remove("citations"));
        }
    }
    Ok(message)
}

fn add(block: &mut Value, input: &mut String, delta: &Value) {
    let mut append = |member: &str, text: &Value| {
        let text = [block[member].as_str().unwrap_or_default(), text.as_str().expect("text")].concat();
        block[member] = Value::String(text);
    };
    match delta["type"].as_str().expect("a type") {
        "text_delta" => append("text", &delta["text"]),
        "thinking_delta" => append("thinking", &delta["thinking"]),
        "signature_delta" => append("signature", &delta["signature"]),
        "input_json_delta" => input.push_str(delta["partial_json"].as_str().expect("text")),
        "citations_delta" => match block["citations"].as_array_mut() {
            Some(citations) => citations.push(delta["citation"].clone()),
            None => block["citations"] = json!([delta["citation"]]),
        },
        other => panic!("an unknown delta: {other}"),
    }
}

/// What Claude Code makes of an input that is no JSON object (claude-code.md §0.6).
fn parse(input: &str) -> Value {
    match serde_json::from_str(input) {
        Ok(Value::Object(input)) => Value::Object(input),
        _ => json!({ "__unparsedToolInput": { "raw": input, "len": input.len() } }),
    }
}
