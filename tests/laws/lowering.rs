//! What holds for every request, whatever history a client makes up.

use std::collections::HashSet;
use std::ops::Range;

use codeferry_translate::conversation::{Conversation, Hints};
use codeferry_translate::envelope::{Reasoning, seal};
use codeferry_translate::fingerprint::{Fingerprint, Key, compare};
use codeferry_translate::lower::anthropic::lower;
use codeferry_translate::lower::{Lowered, Target, cut_out};
use codeferry_wire::anthropic::request::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A text that nothing else contains.
fn marked(number: u16) -> Value {
    json!({"type": "text", "text": format!("mark-{number} \"quoted\" \\ \u{e9}\n")})
}

fn block() -> impl Strategy<Value = Value> {
    let id = (0..6_u8).prop_map(|id| if id == 5 { format!("call|{}", "x".repeat(90)) } else { format!("call_{id}") });
    let content = prop_oneof![
        any::<u16>().prop_map(|n| json!(format!("mark-{n}"))),
        prop::collection::vec(any::<u16>().prop_map(marked), 0..3).prop_map(Value::from),
        Just(json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}])),
        Just(Value::Null),
    ];
    let sealed = seal(Reasoning { account: "acc_1", encrypted_content: "AAA" });
    prop_oneof![
        4 => any::<u16>().prop_map(marked),
        4 => id.clone().prop_map(|id| json!({"type": "tool_use", "id": id, "name": "Read", "input": {"a": "b\"c"}})),
        4 => (id, content, any::<bool>()).prop_map(|(id, content, failed)| {
            json!({"type": "tool_result", "tool_use_id": id, "content": content, "is_error": failed})
        }),
        2 => prop_oneof![Just(sealed), Just("foreign".to_owned()), Just(String::new())]
            .prop_map(|signature| json!({"type": "thinking", "thinking": "t", "signature": signature})),
        1 => Just(json!({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}})),
        1 => any::<u16>().prop_map(|n| json!({"type": "hologram", "text": format!("mark-{n}")})),
        1 => any::<u16>().prop_map(|n| json!({"type": "search_result", "title": format!("mark-{n}"), "source": "https://s", "content": [marked(n)]})),
        1 => Just(json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}})),
    ]
}

pub(super) fn history() -> impl Strategy<Value = Vec<Value>> {
    let role = prop_oneof![4 => Just("user"), 4 => Just("assistant"), 1 => Just("system")];
    let message = (role, prop::collection::vec(block(), 0..5))
        .prop_map(|(role, content)| json!({"role": role, "content": content}));
    prop::collection::vec(message, 1..10)
}

pub(super) fn lowered(messages: &[Value], lite: bool) -> Lowered {
    let body = json!({"model": "m", "messages": messages, "tools": [{"name": "Read"}]}).to_string();
    let request = Request::parse(body.as_bytes()).expect("a request");
    let conversation = Conversation::of_anthropic(&request, Hints::default());
    let target =
        Target { model: "gpt-x", effort: None, summary: None, lite, sampling: false, conversation: &conversation };
    lower(&request, &target, body.len()).expect("nothing in it is refused")
}

fn fingerprint(lowered: &Lowered) -> Fingerprint {
    Fingerprint::of(&lowered.body, &lowered.layout, "gpt-x", &Key::new(1))
}

fn items(lowered: &[u8]) -> Vec<Value> {
    let body: Value = serde_json::from_slice(lowered).expect("what is written is JSON");
    body["input"].as_array().expect("items").clone()
}

/// Every output has its call before it, every call its output, and no id stands for two calls.
fn check_pairs(items: &[Value]) {
    let (mut calls, mut open) = (HashSet::new(), HashSet::new());
    for item in items {
        let id = item["call_id"].as_str().unwrap_or_default();
        match item["type"].as_str().expect("every item names its type") {
            "function_call" => {
                assert!(calls.insert(id.to_owned()) && id.len() <= 64, "the call {id} again");
                open.insert(id.to_owned());
            }
            "function_call_output" => assert!(open.remove(id), "an output without call: {id}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "calls without output: {open:?}");
}

/// Reasoning leads to something the model said or did; alone it is refused.
fn check_reasoning(items: &[Value]) {
    for pair in items.windows(2) {
        if pair[0]["type"] == "reasoning" {
            let led_to = &pair[1];
            assert!(
                led_to["type"] == "function_call" || led_to["type"] == "reasoning" || led_to["role"] == "assistant",
                "reasoning before {led_to}"
            );
        }
    }
    assert!(items.last().is_none_or(|last| last["type"] != "reasoning"));
}

/// What a turn adds to a history: the model's answer, and the person's next words. It answers no call of an earlier turn.
fn turn() -> impl Strategy<Value = Vec<Value>> {
    let sealed = seal(Reasoning { account: "acc_1", encrypted_content: "BBB" });
    let thinking = json!({"type": "thinking", "thinking": "", "signature": sealed});
    let call = json!({"type": "tool_use", "id": "late", "name": "Read", "input": {}});
    let result = json!({"type": "tool_result", "tool_use_id": "late", "content": "done"});
    (any::<bool>(), any::<bool>(), any::<u16>()).prop_map(move |(thinks, calls, word)| {
        let (mut answer, mut next) = (vec![], vec![]);
        if thinks {
            answer.push(thinking.clone());
        }
        answer.push(marked(word));
        if calls {
            answer.push(call.clone());
            next.push(result.clone());
        }
        next.push(marked(word.wrapping_add(1)));
        vec![json!({"role": "assistant", "content": answer}), json!({"role": "user", "content": next})]
    })
}

proptest! {
    /// What the upstream's prompt cache lives on: a history that goes on begins with the very bytes it had before.
    #[test]
    fn a_turn_more_keeps_the_earlier_bytes(mut messages in history(), turn in turn(), lite in any::<bool>()) {
        messages.push(json!({"role": "user", "content": "and now"}));
        let before = lowered(&messages, lite);
        messages.extend(turn);
        let after = lowered(&messages, lite);
        let end = before.layout.items.last().expect("an item").range.end;
        prop_assert!(after.body.starts_with(&before.body[..end]), "the beginning changed");
        prop_assert_eq!(&after.layout.items[..before.layout.items.len()], &before.layout.items[..]);
        let found = compare(&fingerprint(&before), &fingerprint(&after));
        prop_assert_eq!((found.change, found.common), (None, before.layout.items.len()));
    }

    /// The layout says where each item stands, and whose it is.
    #[test]
    fn the_layout_is_true(messages in history(), lite in any::<bool>()) {
        let lowered = lowered(&messages, lite);
        let body: Value = serde_json::from_slice(&lowered.body).expect("what is written is JSON");
        let read = |range: &Range<usize>| {
            let text = std::str::from_utf8(&lowered.body[range.clone()]).expect("UTF-8");
            text.strip_prefix(',').unwrap_or(text)
        };
        let items: Vec<Value> = lowered.layout.items.iter()
            .map(|piece| serde_json::from_str(read(&piece.range)).expect("an item")).collect();
        let whole = body["input"].as_array().expect("items");
        let ahead = whole.len() - items.len();
        prop_assert_eq!(&whole[ahead..], &items[..]);
        for (item, piece) in items.iter().zip(&lowered.layout.items) {
            let kind = item["type"].as_str().expect("a type");
            let by_model = kind == "function_call" || kind == "reasoning" || item["role"] == "assistant";
            prop_assert_eq!(by_model, piece.by_model, "{}", item);
        }
        for span in &lowered.reasoning {
            prop_assert_eq!(&lowered.layout.items[span.item].range, &span.range);
        }
        let (tools, instructions) = (read(&lowered.layout.tools), read(&lowered.layout.instructions));
        if lite {
            prop_assert_eq!(ahead, 2);
            prop_assert!(tools.starts_with(r#"{"type":"additional_tools""#) && tools.ends_with('}'), "{tools}");
            prop_assert!(instructions.contains(r#""role":"developer""#) && instructions.ends_with('}'), "{instructions}");
        } else {
            prop_assert_eq!(ahead, 0);
            prop_assert!(tools.starts_with(r#""tools":["#) && tools.ends_with(']'), "{tools}");
            prop_assert!(instructions.starts_with(r#""instructions":""#) && instructions.ends_with('"'), "{instructions}");
        }
    }

    #[test]
    fn calls_and_outputs_are_paired(messages in history(), lite in any::<bool>()) {
        let lowered = lowered(&messages, lite);
        let items = items(&lowered.body);
        check_pairs(&items);
        check_reasoning(&items);
    }

    #[test]
    fn cutting_out_reasoning_leaves_the_rest(messages in history()) {
        let lowered = lowered(&messages, false);
        let mut expected = items(&lowered.body);
        expected.retain(|item| item["type"] != "reasoning");
        prop_assert_eq!(items(&cut_out(&lowered.body, lowered.reasoning.iter().map(|span| &span.range))), expected);
        prop_assert_eq!(cut_out(&lowered.body, []), lowered.body);
    }

    #[test]
    fn the_same_request_gives_the_same_bytes(messages in history()) {
        prop_assert_eq!(lowered(&messages, false).body, lowered(&messages, false).body);
    }

    /// What was said arrives, or a loss says that it does not.
    #[test]
    fn whatever_is_dropped_is_listed(messages in history()) {
        let lowered = lowered(&messages, false);
        let text = String::from_utf8(lowered.body.clone()).expect("UTF-8");
        let whole = Value::from(messages).to_string();
        let missing = whole
            .match_indices("mark-")
            .map(|(at, _)| whole[at..].split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default())
            .find(|mark| !text.contains(mark));
        prop_assert!(missing.is_none() || !lowered.losses.is_empty(), "{missing:?} is gone without a word");
    }
}
