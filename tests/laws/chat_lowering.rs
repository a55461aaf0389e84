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

/// Any JSON, and what stands in requests.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3.0..3.0_f64).prop_map(Value::from),
        prop::sample::select(vec!["", "auto", "required", "user", "text", "function", "json_schema", "\u{e9}", "low"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop::sample::select(vec![
            "type",
            "role",
            "content",
            "name",
            "function",
            "id",
            "text",
            "url",
            "image_url",
            "effort",
            "schema",
            "x",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// A whole request in which one thing is something else.
fn damaged() -> impl Strategy<Value = Value> {
    let whole = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 5, "n": 1, "stop": ["x"],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "functions": [{"name": "g"}], "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": true,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}, "reasoning": {"effort": "low"},
        "temperature": 1, "top_p": 1, "seed": 1, "logit_bias": {}, "service_tier": "auto", "web_search_options": {}, "prompt": "p",
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}, {"type": "file", "file": {}}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "r"}]});
    let mut places = Vec::new();
    pointers(&whole, &mut String::new(), &mut places);
    (prop::collection::vec((prop::sample::select(places), anything()), 1..3)).prop_map(move |changes| {
        let mut body = whole.clone();
        for (place, value) in changes {
            if let Some(there) = body.pointer_mut(&place) {
                *there = value;
            }
        }
        body
    })
}

/// Every place of a tree.
fn pointers(value: &Value, at: &mut String, found: &mut Vec<String>) {
    found.push(at.clone());
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in inner {
        let long = at.len();
        at.push('/');
        at.push_str(&name);
        pointers(value, at, found);
        at.truncate(long);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever stands where, it is a request or it is refused by the name of what is wrong.
    #[test]
    fn a_damaged_request_is_lowered_or_refused(body in damaged(), lite in any::<bool>(), sampling in any::<bool>()) {
        let text = body.to_string();
        for request in [Request::parse(text.as_bytes()), Request::parse_prompt(text.as_bytes())] {
            match request {
                Ok(request) => {
                    let conversation = Conversation::of_chat(&request, None);
                    let target = Target { model: "gpt-x", effort: None, summary: Some("auto"), lite, sampling, conversation: &conversation };
                    json(&lower(&request, &target, true, text.len()).body);
                    codeferry_translate::count::roughly_chat(&request);
                }
                Err(bad) => {
                    let param = bad.param().expect("it is JSON, so a member is wrong");
                    prop_assert!(!param.is_empty() && !bad.to_string().is_empty(), "{}", bad);
                }
            }
        }
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
