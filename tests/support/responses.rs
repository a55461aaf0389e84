//! A client's own way with the events of a Responses stream, written without ours: as the SDKs do it, on JSON trees.

use serde_json::{Value, json};

/// The events of a stream.
pub fn events(sse: &str) -> Vec<Value> {
    let record = |record: &str| {
        let (name, data) = record.split_once('\n').expect("two lines");
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect(record);
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str(), "the event line repeats the type");
        data
    };
    sse.split_terminator("\n\n").filter(|record| !record.starts_with(':')).map(record).collect()
}

/// What a client makes of the events, piece by piece; no whole piece is looked at. It holds them against the rules on the
/// way, and every whole piece against what the pieces before it came to.
pub fn fold(events: &[Value]) -> Value {
    let mut response = events[0]["response"].clone();
    assert_eq!((&events[0]["type"], &events[1]["type"]), (&json!("response.created"), &json!("response.in_progress")));
    let mut open: Option<Value> = None;
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "numbers rise by one: {event}");
        let name = event["type"].as_str().expect("a type").trim_start_matches("response.");
        if let Some(index) = event["output_index"].as_u64() {
            assert_eq!(index, response["output"].as_array().expect("a list").len() as u64, "places are dense: {event}");
        }
        if let (Some(id), Some(item)) = (event["item_id"].as_str(), &open) {
            assert_eq!(item["id"], id, "an item keeps its id: {event}");
        }
        match name {
            "output_item.added" => {
                assert!(open.is_none(), "one at a time: {event}");
                open = Some(event["item"].clone());
            }
            "output_item.done" => {
                let mut item = open.take().expect("an open item");
                if item["status"] == "in_progress" {
                    item["status"] = event["item"]["status"].clone();
                }
                // What is known only when it is whole.
                for member in ["action", "encrypted_content"] {
                    if let Some(value) = event["item"].get(member) {
                        item[member] = value.clone();
                    }
                }
                assert_eq!(item, event["item"], "the whole is what the pieces came to");
                response["output"].as_array_mut().expect("a list").push(item);
            }
            "completed" | "incomplete" => {
                let whole = &event["response"];
                assert_eq!(whole["output"], response["output"], "so is all of it");
                assert_eq!(number + 1, events.len(), "nothing comes after the end");
                assert_eq!(whole["status"], name);
                for member in ["id", "model", "created_at", "object"] {
                    assert_eq!(whole[member], response[member], "{member} is the same throughout");
                }
                return whole.clone();
            }
            "failed" | "error" => {
                assert_eq!(number + 1, events.len(), "nothing comes after the end");
                return Value::Null;
            }
            "created" | "in_progress" => {}
            _ => grow(open.as_mut().expect("an open item"), name, event),
        }
    }
    panic!("no end: {events:?}")
}

fn grow(item: &mut Value, name: &str, event: &Value) {
    let place = |member: &str| usize::try_from(event[member].as_u64().expect(member)).expect("small");
    let add =
        |to: &mut Value| *to = json!(to.as_str().expect("text").to_owned() + event["delta"].as_str().expect("text"));
    match name {
        "content_part.added" => item["content"].as_array_mut().expect("a list").push(event["part"].clone()),
        "content_part.done" => assert_eq!(item["content"][place("content_index")], event["part"]),
        "output_text.delta" => add(&mut item["content"][place("content_index")]["text"]),
        "output_text.done" => assert_eq!(item["content"][place("content_index")]["text"], event["text"]),
        "refusal.delta" => add(&mut item["content"][place("content_index")]["refusal"]),
        "refusal.done" => assert_eq!(item["content"][place("content_index")]["refusal"], event["refusal"]),
        "output_text.annotation.added" => {
            let list = item["content"][place("content_index")]["annotations"].as_array_mut().expect("a list");
            assert_eq!(list.len(), place("annotation_index"));
            list.push(event["annotation"].clone());
        }
        "reasoning_summary_part.added" => item["summary"].as_array_mut().expect("a list").push(event["part"].clone()),
        "reasoning_summary_part.done" => assert_eq!(item["summary"][place("summary_index")], event["part"]),
        "reasoning_summary_text.delta" => add(&mut item["summary"][place("summary_index")]["text"]),
        "reasoning_summary_text.done" => assert_eq!(item["summary"][place("summary_index")]["text"], event["text"]),
        "function_call_arguments.delta" => add(&mut item["arguments"]),
        "function_call_arguments.done" => assert_eq!(item["arguments"], event["arguments"]),
        "custom_tool_call_input.delta" => add(&mut item["input"]),
        "custom_tool_call_input.done" => assert_eq!(item["input"], event["input"]),
        "web_search_call.in_progress" | "web_search_call.searching" | "web_search_call.completed" => {}
        other => panic!("an unknown event: {other}"),
    }
}
