//! What holds for every chat request, whatever history a client makes up.

use std::collections::HashSet;

use codeferry_translate::Loss;
use codeferry_translate::conversation::Conversation;
use codeferry_translate::lower::chat::lower;
use codeferry_translate::lower::{Lowered, Target, cut_out};
use codeferry_wire::chat::ask::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A text that nothing else contains.
fn mark() -> impl Strategy<Value = String> {
    any::<u16>().prop_map(|number| format!("mark-{number} \"quoted\" \\ \u{e9}\n"))
}

fn content() -> impl Strategy<Value = Value> {
    let part = prop_oneof![
        4 => mark().prop_map(|text| json!({"type": "text", "text": text})),
        1 => Just(json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}})),
        1 => Just(json!({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}})),
        1 => Just(json!({"type": "file", "file": {"file_id": "f"}})),
        1 => Just(json!({"type": "input_audio"})),
        1 => mark().prop_map(|text| json!({"type": "hologram", "text": text})),
    ];
    prop_oneof![2 => mark().prop_map(Value::from), 1 => prop::collection::vec(part, 0..4).prop_map(Value::from)]
}

fn message() -> impl Strategy<Value = Value> {
    let id =
        || (0..5_u8).prop_map(|id| if id == 4 { format!("call|{}", "x".repeat(90)) } else { format!("call_{id}") });
    let arguments = || prop_oneof![Just(json!("{\"a\":1}")), Just(json!("")), Just(json!({"a": 1}))];
    let call = (id(), arguments()).prop_map(
        |(id, arguments)| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}}),
    );
    prop_oneof![
        4 => (prop::sample::select(vec!["user", "user", "system", "developer"]), content())
            .prop_map(|(role, content)| json!({"role": role, "content": content})),
        4 => (prop_oneof![content(), Just(Value::Null)], prop::collection::vec(call, 0..3))
            .prop_map(|(content, calls)| json!({"role": "assistant", "content": content, "tool_calls": calls})),
        4 => (id(), content()).prop_map(|(id, content)| json!({"role": "tool", "tool_call_id": id, "content": content})),
        1 => arguments().prop_map(|arguments| json!({"role": "assistant", "function_call": {"name": "g", "arguments": arguments}})),
        1 => content().prop_map(|content| json!({"role": "function", "name": "g", "content": content})),
    ]
}

fn lowered(messages: &[Value], lite: bool, sampling: bool) -> Lowered {
    let tool = json!({"type": "function", "function": {"name": "f"}});
    let body = json!({"model": "m", "messages": messages, "tools": [tool], "max_tokens": 5, "temperature": 0.5, "verbosity": "low"});
    let body = body.to_string();
    let request = Request::parse(body.as_bytes()).expect("a request");
    let conversation = Conversation::of_chat(&request, None);
    let target = Target { model: "gpt-x", effort: None, summary: None, lite, sampling, conversation: &conversation };
    lower(&request, &target, false, body.len())
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("what is written is JSON")
}

/// Every text of a history, wherever it stands.
fn marks(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(text.starts_with("mark-").then(|| text.clone())),
        Value::Array(elements) => elements.iter().for_each(|element| marks(element, found)),
        Value::Object(members) => members.values().for_each(|member| marks(member, found)),
        _ => {}
    }
}

proptest! {
    /// The upstream refuses a result without its call and a call without its result; and nothing that was said is lost without a word.
    #[test]
    fn every_history_is_taken_whole(messages in prop::collection::vec(message(), 1..14), lite in any::<bool>()) {
        let lowered = lowered(&messages, lite, false);
        let body = json(&lowered.body);
        let (mut calls, mut open) = (HashSet::new(), HashSet::new());
        for item in body["input"].as_array().expect("items") {
            let id = item["call_id"].as_str().unwrap_or_default().to_owned();
            match item["type"].as_str().expect("every item names its type") {
                "function_call" => {
                    prop_assert!(id.len() <= 64 && calls.insert(id.clone()), "the call {} again", id);
                    let arguments = item["arguments"].as_str().expect("a text");
                    prop_assert!(serde_json::from_str::<Value>(arguments).is_ok(), "{}", item);
                    open.insert(id);
                }
                "function_call_output" => prop_assert!(open.remove(&id), "an output without call: {}", id),
                _ => {}
            }
        }
        prop_assert!(open.is_empty(), "calls without output: {:?}", open);
        let (mut said, mut text) = (Vec::new(), Vec::new());
        marks(&json!(messages), &mut said);
        marks(&body, &mut text);
        let all = text.concat() + &body.to_string();
        for mark in said {
            let escaped = json!(mark).to_string();
            let twice = json!(escaped).to_string();
            let (once, twice) = (&escaped[1..escaped.len() - 1], &twice[3..twice.len() - 3]);
            let named = lowered.losses.iter().any(|loss| loss == Loss::BlockPlace);
            prop_assert!(all.contains(once) || all.contains(twice) || named, "{} is lost in {}", mark, body);
        }
    }

    /// What the upstream's prompt cache lives on: a history that goes on begins with the very bytes it had before.
    #[test]
    fn a_turn_more_keeps_the_earlier_bytes(mut messages in prop::collection::vec(message(), 1..10), lite in any::<bool>()) {
        messages.push(json!({"role": "user", "content": "and now"}));
        let before = lowered(&messages, lite, false);
        messages.push(json!({"role": "assistant", "content": "so", "tool_calls": [{"id": "late", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}));
        messages.push(json!({"role": "tool", "tool_call_id": "late", "content": "done"}));
        messages.push(json!({"role": "user", "content": "further"}));
        let after = lowered(&messages, lite, false);
        let end = before.layout.items.last().expect("an item").range.end;
        prop_assert!(after.body.starts_with(&before.body[..end]), "the beginning changed");
        prop_assert_eq!(&after.layout.items[..before.layout.items.len()], &before.layout.items[..]);
    }

    /// Whatever an upstream will not take can be cut out.
    #[test]
    fn what_is_optional_can_be_cut_out(messages in prop::collection::vec(message(), 1..4), lite in any::<bool>()) {
        let lowered = lowered(&messages, lite, true);
        for optional in &lowered.optional {
            json(&cut_out(&lowered.body, [&optional.range]));
        }
        let rest = json(&cut_out(&lowered.body, lowered.optional.iter().map(|optional| &optional.range)));
        prop_assert!(rest.get("max_output_tokens").is_none() && rest.get("temperature").is_none());
    }
}
