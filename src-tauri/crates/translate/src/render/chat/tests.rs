//! One answer after another, as the client is told it.

use std::borrow::Cow;

use codeferry_wire::chat::frame::{Form, Frame, Head};
use codeferry_wire::responses::event::{Phase, UrlCitation, Usage};

use super::{Options, Renderer};
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, TurnEvent, UpstreamError};

/// The deltas and ends of an answer, without what is the same in all chunks.
fn rendered(options: Options, events: Vec<TurnEvent<'_>>) -> Vec<String> {
    let head = Head::new(Form::Chat, "id".to_owned(), 7, "m".to_owned(), true);
    let mut renderer = Renderer::new(options);
    let mut out = Vec::new();
    for event in events {
        renderer.on(event, &mut |frame: Frame<'_>| frame.write_sse(&head, &mut out));
    }
    let text = String::from_utf8(out).expect("UTF-8");
    let around = r#"data: {"id":"id","object":"chat.completion.chunk","created":7,"model":"m","choices":["#;
    text.split_terminator("\n\n")
        .map(|record| {
            record.trim_start_matches(around).replace(r#","logprobs":null,"finish_reason":null}],"usage":null}"#, "")
        })
        .collect()
}

fn message<'a>(index: u32, text: &'a str) -> Vec<TurnEvent<'a>> {
    vec![
        TurnEvent::ItemStarted { index, item: ItemStart::Message { phase: None } },
        TurnEvent::Delta { index, delta: Delta::Text(text.into()) },
        TurnEvent::ItemDone { index, item: ItemDone::Message { text: text.into(), refused: false } },
    ]
}

fn call<'a>(index: u32, id: &'a str, pieces: &[&'a str], payload: Payload) -> Vec<TurnEvent<'a>> {
    let item = ItemStart::ToolCall { call_id: id.into(), name: "f".into(), payload };
    let mut events = vec![TurnEvent::ItemStarted { index, item }];
    events.extend(pieces.iter().map(|piece| TurnEvent::Delta { index, delta: Delta::Payload((*piece).into()) }));
    events.push(TurnEvent::ItemDone { index, item: ItemDone::ToolCall { payload: pieces.concat().into() } });
    events
}

const ROLE: &str = r#"{"index":0,"delta":{"role":"assistant","content":"","refusal":null}"#;
const DONE: &str = "data: [DONE]";

fn finish(reason: &str) -> String {
    format!(r#"{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"{reason}"}}],"usage":null}}"#)
}

#[test]
fn arguments_come_in_pieces_and_calls_are_numbered() {
    let mut events = vec![TurnEvent::Started { id: None, model: None }];
    events.extend(call(0, "a", &["{\"x\":", "1}"], Payload::Json));
    events.extend(call(1, "b", &["{}"], Payload::Json));
    events.push(TurnEvent::Usage(Usage {
        input_tokens: 9,
        cached_tokens: 4,
        output_tokens: 5,
        reasoning_tokens: 2,
        ..Usage::default()
    }));
    events.push(TurnEvent::Finished(Finish::Complete));
    let begin = |index: u32, id: &str| {
        format!(
            r#"{{"index":0,"delta":{{"tool_calls":[{{"index":{index},"id":"{id}","type":"function","function":{{"name":"f","arguments":""}}}}]}}"#
        )
    };
    let more = |index: u32, text: &str| {
        format!(r#"{{"index":0,"delta":{{"tool_calls":[{{"index":{index},"function":{{"arguments":"{text}"}}}}]}}"#)
    };
    let found = rendered(Options::default(), events);
    assert_eq!(
        found[..7],
        [
            ROLE.to_owned(),
            begin(0, "a"),
            more(0, r#"{\"x\":"#),
            more(0, "1}"),
            begin(1, "b"),
            more(1, "{}"),
            finish("tool_calls"),
        ]
    );
    assert!(
        found[7].contains(
            r#""prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4"#
        ),
        "{}",
        found[7]
    );
    assert!(found[7].contains(r#""reasoning_tokens":2"#), "{}", found[7]);
    assert_eq!(found[8..], [DONE]);
}

#[test]
fn the_older_form_has_one_call() {
    let mut events = call(0, "a", &["{}"], Payload::Json);
    events.extend(call(1, "b", &["{}"], Payload::Json));
    events.push(TurnEvent::Finished(Finish::Complete));
    let found = rendered(Options { legacy_functions: true, ..Options::default() }, events);
    assert_eq!(found[1], r#"{"index":0,"delta":{"function_call":{"name":"f","arguments":""}}"#);
    assert_eq!(found[2], r#"{"index":0,"delta":{"function_call":{"arguments":"{}"}}"#);
    assert_eq!(found[3], finish("function_call"));
}

#[test]
fn free_text_for_a_tool_becomes_json() {
    let mut events = call(0, "a", &["say \"hi\"\n"], Payload::Text);
    events.push(TurnEvent::Finished(Finish::Complete));
    let found = rendered(Options::default(), events).concat();
    assert!(found.contains(r#"{\"input\":\""#) && found.contains(r#"say \\\"hi\\\"\\n"#), "{found}");
}

#[test]
fn two_messages_are_parted_and_citations_count_on() {
    let mut events = message(0, "é one");
    let mut second = message(1, "two");
    let citation = UrlCitation { url: "https://x".into(), title: None, start: Some(0), end: Some(3) };
    second.insert(2, TurnEvent::Delta { index: 1, delta: Delta::Citation(citation) });
    events.extend(second);
    events.push(TurnEvent::Finished(Finish::StopSequence(Cow::Borrowed("END"))));
    let found = rendered(Options::default(), events);
    let content = |text: &str| format!(r#"{{"index":0,"delta":{{"content":"{text}"}}"#);
    assert_eq!(found[..4], [ROLE.to_owned(), content("é one"), content(r"\n\n"), content("two")]);
    assert!(
        found[4].contains(r#""start_index":7,"end_index":10,"title":"https://x","url":"https://x""#),
        "{}",
        found[4]
    );
    assert_eq!(found[5], finish("stop"));
}

#[test]
fn talk_on_the_way_does_not_spoil_json() {
    let mut events = message(0, "let me see");
    events[0] = TurnEvent::ItemStarted { index: 0, item: ItemStart::Message { phase: Some(Phase::Commentary) } };
    events.extend(message(1, "{}"));
    events.push(TurnEvent::Finished(Finish::Complete));
    let plain = rendered(Options::default(), events.clone()).concat();
    assert!(plain.contains("let me see"), "{plain}");
    let found = rendered(Options { structured: true, ..Options::default() }, events);
    assert_eq!(found[..3], [ROLE.to_owned(), r#"{"index":0,"delta":{"content":"{}"}"#.to_owned(), finish("stop")]);
}

#[test]
fn reasoning_is_shown_to_those_who_want_it() {
    let events = || {
        let mut events = vec![
            TurnEvent::ItemStarted { index: 0, item: ItemStart::Reasoning },
            TurnEvent::Delta { index: 0, delta: Delta::Thinking("hm".into()) },
        ];
        events.extend(message(1, "so"));
        events.push(TurnEvent::Finished(Finish::Length));
        events
    };
    let without = rendered(Options::default(), events());
    assert!(!without.concat().contains("hm"));
    let with = rendered(Options { reasoning: true, ..Options::default() }, events());
    assert_eq!(with[1], r#"{"index":0,"delta":{"reasoning_content":"hm"}"#);
    assert_eq!(with[3], finish("length"));
}

#[test]
fn a_failure_is_an_error_and_nothing_else() {
    let failed = UpstreamError {
        code: Some("context_length_exceeded".into()),
        message: "too long".into(),
        ..UpstreamError::default()
    };
    for (end, wanted) in [
        (
            TurnEvent::Failed(Box::new(failed)),
            r#"data: {"error":{"message":"too long","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}"#,
        ),
        (
            TurnEvent::CutOff,
            r#"data: {"error":{"message":"The upstream closed the stream before the answer was complete.","type":"server_error","param":null,"code":"stream_broken"}}"#,
        ),
    ] {
        let mut events = message(0, "half");
        events.push(end);
        events.push(TurnEvent::Finished(Finish::Complete));
        let found = rendered(Options::default(), events);
        assert_eq!(found.last().map(String::as_str), Some(wanted));
        assert_eq!(found.len(), 3, "{found:?}");
    }
    let empty = rendered(Options::default(), vec![TurnEvent::Finished(Finish::Complete)]);
    assert!(empty[1].contains("empty answer"), "{empty:?}");
}
