use proptest::prelude::*;

use super::{Action, ActionKind, Channel, ErrorFacts, Item, Phase, Source, StreamEvent, Usage};

fn parse(data: &str) -> StreamEvent<'_> {
    StreamEvent::parse(data).expect("a JSON object")
}

#[test]
fn each_delta_has_its_channel() {
    let table = [
        ("response.output_text.delta", Channel::Text),
        ("response.refusal.delta", Channel::Refusal),
        ("response.reasoning_summary_text.delta", Channel::Summary),
        ("response.reasoning_text.delta", Channel::Reasoning),
        ("response.function_call_arguments.delta", Channel::Arguments),
        ("response.custom_tool_call_input.delta", Channel::Input),
    ];
    for (tag, wanted) in table {
        let data = format!(r#"{{"type":"{tag}","item_id":"i","output_index":3,"content_index":1,"delta":"a\nb"}}"#);
        let StreamEvent::Delta { at, channel, part, text } = parse(&data) else { panic!("{tag} is a delta") };
        assert_eq!((channel, part, text.as_ref()), (wanted, 1, "a\nb"));
        assert_eq!((at.item_id.as_deref(), at.output_index), (Some("i"), Some(3)));
    }
}

#[test]
fn what_repeats_a_channel_at_its_end_is_one_variant() {
    let table = [
        (r#"{"type":"response.output_text.done","text":"t"}"#, Channel::Text),
        (r#"{"type":"response.refusal.done","refusal":"t"}"#, Channel::Refusal),
        (r#"{"type":"response.reasoning_summary_text.done","text":"t"}"#, Channel::Summary),
        (r#"{"type":"response.reasoning_text.done","text":"t"}"#, Channel::Reasoning),
        (r#"{"type":"response.function_call_arguments.done","arguments":"t"}"#, Channel::Arguments),
        (r#"{"type":"response.custom_tool_call_input.done","input":"t"}"#, Channel::Input),
        (r#"{"type":"response.content_part.done","part":{"type":"output_text","text":"t"}}"#, Channel::Text),
        (r#"{"type":"response.content_part.done","part":{"type":"refusal","refusal":"t"}}"#, Channel::Refusal),
        (r#"{"type":"response.content_part.done","part":{"type":"reasoning_text","text":"t"}}"#, Channel::Reasoning),
        (
            r#"{"type":"response.reasoning_summary_part.done","part":{"type":"summary_text","text":"t"}}"#,
            Channel::Summary,
        ),
    ];
    for (data, wanted) in table {
        let StreamEvent::Whole { channel, text, .. } = parse(data) else { panic!("{data} is whole") };
        assert_eq!((channel, text.as_ref()), (wanted, "t"), "{data}");
    }
}

#[test]
fn the_type_need_not_come_first() {
    let event = parse(r#"{"delta":"x","output_index":0,"type":"response.output_text.delta"}"#);
    assert!(matches!(event, StreamEvent::Delta { channel: Channel::Text, .. }));
}

#[test]
fn members_of_the_wrong_kind_are_as_good_as_absent() {
    let event =
        parse(r#"{"type":"response.output_text.delta","item_id":7,"output_index":"0","content_index":-1,"delta":"x"}"#);
    let StreamEvent::Delta { at, part, .. } = event else { panic!("a delta") };
    assert_eq!((at.item_id, at.output_index, part), (None, None, 0));

    let other = [
        r#"{"type":"response.output_text.delta","delta":{"not":"text"}}"#,
        r#"{"type":"response.output_text.delta"}"#,
        r#"{"type":"response.output_text.annotation.added","annotation":{"type":"file_citation"}}"#,
        r#"{"type":"response.content_part.done","part":null}"#,
        r#"{"type":"response.future_thing.delta","delta":{"not":"a string"},"item_id":null}"#,
        r#"{"type":7}"#,
        "{}",
    ];
    for data in other {
        assert!(matches!(parse(data), StreamEvent::Other { .. }), "{data}");
    }
    for data in [
        r#"{"type":"response.completed","response":"no"}"#,
        r#"{"type":"response.completed","response":{"id":1,"usage":[],"output":{},"error":7,"incomplete_details":"x"}}"#,
        r#"{"type":"response.completed"}"#,
    ] {
        let StreamEvent::Completed(response) = parse(data) else { panic!("{data} ends the stream") };
        assert_eq!((response.id.as_deref(), response.usage, response.output().len()), (None, None, 0));
    }
    let StreamEvent::ItemDone { item, .. } = parse(r#"{"type":"response.output_item.done","item":[1]}"#) else {
        panic!("an item")
    };
    assert!(matches!(*item, Item::Other { .. }));
}

#[test]
fn what_is_no_object_is_refused() {
    for data in ["", "[DONE]", "[]", "1", "{\"type\":", r#"{"type":"x"} {}"#] {
        assert!(StreamEvent::parse(data).is_err(), "{data:?}");
    }
}

#[test]
fn a_message_item_is_read_whole() {
    let StreamEvent::ItemDone { item, .. } = parse(
        r#"{"type":"response.output_item.done","item":{"id":"msg_1","type":"message","phase":"final_answer","content":[
            {"type":"output_text","text":"a","annotations":[{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":1}]},
            {"type":"refusal","refusal":"no"},{"type":"future"}]}}"#,
    ) else {
        panic!("an item")
    };
    let Item::Message(message) = *item else { panic!("a message") };
    assert_eq!(message.phase, Some(Phase::FinalAnswer));
    let parts: Vec<_> =
        message.parts.iter().map(|part| (part.refusal, part.text.as_ref(), part.citations.len())).collect();
    assert_eq!(parts, [(false, "a", 1), (true, "no", 0)]);
}

#[test]
fn a_search_says_what_it_did() {
    let StreamEvent::ItemDone { item, .. } = parse(
        r#"{"type":"response.output_item.done","item":{"id":"ws_1","type":"web_search_call","status":"completed","action":
            {"type":"search","query":"q","queries":["q","r"],"sources":[{"type":"url","url":"u"},{"type":"x"}]}}}"#,
    ) else {
        panic!("an item")
    };
    let Item::WebSearch(search) = *item else { panic!("a search") };
    assert!(!search.failed);
    assert_eq!(
        search.action,
        Some(Action {
            kind: ActionKind::Search,
            queries: vec!["q".into(), "r".into()],
            url: None,
            sources: vec![Source { url: "u".into(), title: None }],
        })
    );
}

#[test]
fn an_unknown_item_is_kept_as_it_stood() {
    let data = r#"{"type":"response.output_item.added","item":{"id":"x","type":"hologram_call","payload":[1, 2]}}"#;
    let StreamEvent::ItemAdded { item, .. } = parse(data) else { panic!("an item") };
    let Item::Other { tag, id, raw } = *item else { panic!("an unknown item") };
    assert_eq!((tag.as_ref(), id.as_deref()), ("hologram_call", Some("x")));
    assert_eq!(raw.as_slice_str(), r#"{"id":"x","type":"hologram_call","payload":[1, 2]}"#);
}

#[test]
fn the_end_carries_usage_and_reason() {
    let StreamEvent::Incomplete(response) = parse(
        r#"{"type":"response.incomplete","response":{"id":"resp_1","model":"gpt-5.5","status":"incomplete","tools":[{"x":"y"}],
            "incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":70,"input_tokens_details":
            {"cached_tokens":60.0,"cache_write_tokens":4},"output_tokens":76,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":146}}}"#,
    ) else {
        panic!("incomplete")
    };
    assert_eq!(response.incomplete_reason.as_deref(), Some("max_output_tokens"));
    assert_eq!(response.model.as_deref(), Some("gpt-5.5"));
    let usage =
        Usage { input_tokens: 70, cached_tokens: 60, cache_write_tokens: 4, output_tokens: 76, reasoning_tokens: 64 };
    assert_eq!(response.usage, Some(usage));
}

#[test]
fn errors_are_read_flat_and_nested_and_from_gateways() {
    let wanted = ErrorFacts {
        code: Some("usage_limit".into()),
        kind: Some("usage_limit_reached".into()),
        message: Some("The usage limit has been reached".into()),
        plan_type: Some("plus".into()),
        resets_at: Some(1_795_143_981),
        resets_in_seconds: Some(60),
        ..ErrorFacts::default()
    };
    let inner = r#""code":"usage_limit","message":"The usage limit has been reached","plan_type":"plus","resets_at":1795143981.5,"resets_in_seconds":60"#;
    let kind = r#""type":"usage_limit_reached""#;

    let nested = format!(r#"{{"type":"error","status":429,"error":{{{kind},{inner}}}}}"#);
    assert_eq!(parse(&nested), StreamEvent::Error(Box::new(ErrorFacts { status: Some(429), ..wanted.clone() })));
    let flat = format!(r#"{{"type":"error",{inner},"error":null}}"#);
    assert_eq!(parse(&flat), StreamEvent::Error(Box::new(ErrorFacts { kind: None, ..wanted.clone() })));
    let failed = format!(r#"{{"type":"response.failed","response":{{"error":{{{kind},{inner}}}}}}}"#);
    let StreamEvent::Failed(response) = parse(&failed) else { panic!("failed") };
    assert_eq!(response.error, Some(wanted));
    let gateway = parse(r#"{"detail":"Unauthorized"}"#);
    assert_eq!(
        gateway,
        StreamEvent::Error(Box::new(ErrorFacts { message: Some("Unauthorized".into()), ..ErrorFacts::default() }))
    );
}

#[test]
fn side_events_are_kept_whole() {
    let data = r#" {"type":"codex.rate_limits","rate_limits":{}} "#;
    let StreamEvent::RateLimits(raw) = parse(data) else { panic!("limits") };
    assert_eq!(raw.as_slice_str(), data.trim());
    assert!(matches!(parse(r#"{"type":"response.metadata","headers":{}}"#), StreamEvent::Metadata(_)));
}

proptest! {
    /// Whatever stands in an event, reading it gives an event or an error.
    #[test]
    fn no_json_is_too_strange(
        tag in prop::sample::select(vec![
            "response.completed", "response.output_item.done", "response.output_text.delta", "error", "response.content_part.done",
            "response.output_text.annotation.added", "response.created", "codex.rate_limits",
        ]),
        members in prop::collection::vec((
            prop::sample::select(vec![
                "item", "response", "delta", "part", "annotation", "error", "output_index", "item_id", "usage", "output", "content",
                "summary", "action", "type", "id", "status", "code",
            ]),
            prop::sample::select(vec![
                "null", "1", "-1.5e3", "\"x\"", "\"\\ud800\"", "[]", "[[1],{}]", "{}", "{\"type\":\"message\",\"content\":[{}]}",
                "{\"type\":\"reasoning\",\"summary\":{}}", "{\"type\":[]}", "true",
            ]),
        ), 0..8),
    ) {
        let members: Vec<_> = members.into_iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
        let data = format!("{{\"type\":\"{tag}\"{}}}", members.concat());
        let event = StreamEvent::parse(&data);
        prop_assert!(event.is_ok(), "{}: {:?}", data, event);
    }
}
