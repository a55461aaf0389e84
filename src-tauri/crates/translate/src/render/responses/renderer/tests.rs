use codeferry_wire::responses::event::{ActionKind, Source, UrlCitation, Usage};

use super::{Options, Renderer, Tools};
use crate::lower::responses::Asked;
use crate::render::anthropic::Ids;
use crate::render::responses::{Failure, Listener};
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, Reasoning, Search, TurnEvent, UpstreamError};

fn renderer(listener: Listener) -> Renderer {
    Renderer::new(Options {
        listener,
        id: "x".to_owned(),
        model: "m".to_owned(),
        created_at: 7,
        echo: vec![("tools", b"[]".to_vec())],
        calls: ["call_1"].into_iter().collect::<Ids>(),
        tools: Tools::default(),
        input_estimate: 9,
    })
}

/// The data of the events of these steps.
fn told(renderer: &mut Renderer, events: Vec<TurnEvent<'_>>) -> Vec<String> {
    let mut out = Vec::new();
    for event in events {
        renderer.on(event, &mut out);
    }
    let text = String::from_utf8(out).expect("text");
    text.split_terminator("\n\n").map(|record| record.split_once("\ndata: ").expect("data").1.to_owned()).collect()
}

/// Their types, without what all of them begin with.
fn types(records: &[String]) -> Vec<&str> {
    let named = records.iter().filter_map(|record| record.split('"').nth(3));
    named.map(|name| name.trim_start_matches("response.")).collect()
}

fn started(item: ItemStart<'static>) -> TurnEvent<'static> {
    TurnEvent::ItemStarted { index: 0, item }
}

fn delta(delta: Delta<'static>) -> TurnEvent<'static> {
    TurnEvent::Delta { index: 0, delta }
}

fn done(item: ItemDone<'static>) -> TurnEvent<'static> {
    TurnEvent::ItemDone { index: 0, item }
}

fn message(text: &'static str) -> [TurnEvent<'static>; 3] {
    [
        started(ItemStart::Message { phase: None }),
        delta(Delta::Text(text.into())),
        done(ItemDone::Message { text: text.into(), refused: false }),
    ]
}

fn call(id: &'static str, payload: Payload) -> [TurnEvent<'static>; 3] {
    [
        started(ItemStart::ToolCall { call_id: id.into(), name: "f".into(), payload }),
        delta(Delta::Payload("{}".into())),
        done(ItemDone::ToolCall { payload: "{}".into() }),
    ]
}

#[test]
fn a_message_has_all_its_events() {
    let mut renderer = renderer(Listener::Public);
    let mut events = vec![TurnEvent::Started { id: None, model: None }];
    events.extend([
        started(ItemStart::Message { phase: None }),
        delta(Delta::Text("a\"".into())),
        delta(Delta::Citation(UrlCitation { url: "u".into(), title: None, start: Some(0), end: Some(1) })),
        delta(Delta::Refusal("no".into())),
        done(ItemDone::Message { text: "a\"no".into(), refused: true }),
        TurnEvent::Usage(Usage { input_tokens: 5, output_tokens: 3, reasoning_tokens: 9, ..Usage::default() }),
        TurnEvent::Finished(Finish::Complete),
    ]);
    let records = told(&mut renderer, events);
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(types(&records), expected);
    for (at, record) in records.iter().enumerate() {
        assert!(record.contains(&format!("\"sequence_number\":{at},")), "{record}");
    }
    let annotation = r#"{"type":"url_citation","url":"u","title":"u","start_index":0,"end_index":1}"#;
    let item = format!(
        r#"{{"id":"msg_x_0","type":"message","status":"completed","role":"assistant","content":[{{"type":"output_text","text":"a\"","annotations":[{annotation}],"logprobs":[]}},{{"type":"refusal","refusal":"no"}}]}}"#
    );
    assert_eq!(
        records[12],
        format!(r#"{{"type":"response.output_item.done","sequence_number":12,"output_index":0,"item":{item}}}"#)
    );
    let usage = r#"{"input_tokens":5,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":8}"#;
    let whole = format!(
        r#"{{"id":"resp_x","object":"response","created_at":7,"status":"completed","background":false,"error":null,"incomplete_details":null,"model":"m","output":[{item}],"usage":{usage},"store":false,"tools":[]}}"#
    );
    assert_eq!(records[13], format!(r#"{{"type":"response.completed","sequence_number":13,"response":{whole}}}"#));
    assert_eq!(renderer.into_response().map(|bytes| String::from_utf8(bytes).expect("text")), Some(whole));
}

#[test]
fn calls_have_ids_that_the_conversation_has_not() {
    let mut renderer = renderer(Listener::Codex);
    let records = told(&mut renderer, [call("call_1", Payload::Json), call("call_1", Payload::Text)].concat());
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ];
    assert_eq!(types(&records), expected);
    assert!(records[5].contains(
        r#""item":{"id":"fc_x_0","type":"function_call","status":"completed","call_id":"call_1_2","name":"f","arguments":"{}"}"#
    ));
    assert!(records[9].contains(
        r#""output_index":1,"item":{"id":"ctc_x_1","type":"custom_tool_call","call_id":"call_1_3","name":"f","input":"{}"}"#
    ));
    assert!(!renderer.is_empty());
}

#[test]
fn tools_are_called_as_the_client_knows_them() {
    let body = br#"{"model":"m","input":[],"tools":[{"type":"custom","name":"f"},
        {"type":"namespace","name":"n","tools":[{"type":"function","name":"g"}]}]}"#;
    let (_, tools) = Asked::read(body).expect("a request").flattened().expect("it has such tools");
    let mut renderer = renderer(Listener::Codex);
    renderer.options.tools = tools;
    let payload = r#"{"input":"a\nb"}"#;
    let records = told(
        &mut renderer,
        vec![
            started(ItemStart::ToolCall { call_id: "c1".into(), name: "f".into(), payload: Payload::Json }),
            delta(Delta::Payload(payload[..5].into())),
            delta(Delta::Payload(payload[5..].into())),
            done(ItemDone::ToolCall { payload: payload.into() }),
            started(ItemStart::ToolCall { call_id: "c2".into(), name: "n__g".into(), payload: Payload::Json }),
            done(ItemDone::ToolCall { payload: "{}".into() }),
        ],
    );
    assert!(types(&records).contains(&"custom_tool_call_input.delta"));
    assert!(
        records[5]
            .contains(r#""item":{"id":"ctc_x_0","type":"custom_tool_call","call_id":"c1","name":"f","input":"a\nb"}"#),
        "{}",
        records[5]
    );
    assert!(records[8].contains(
        r#""item":{"id":"fc_x_1","type":"function_call","status":"completed","call_id":"c2","name":"g","namespace":"n","arguments":"{}"}"#
    ), "{}", records[8]);
}

#[test]
fn what_was_thought_is_a_summary_and_keeps_its_seal() {
    let mut renderer = renderer(Listener::Public);
    let thought = Reasoning { text: "hm".into(), encrypted_content: Some("sealed".into()), ..Reasoning::default() };
    let records = told(
        &mut renderer,
        vec![
            started(ItemStart::Reasoning),
            delta(Delta::Thinking("hm".into())),
            done(ItemDone::Reasoning(thought)),
            started(ItemStart::Reasoning),
            done(ItemDone::Reasoning(Reasoning::default())),
        ],
    );
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "output_item.done",
    ];
    assert_eq!(types(&records), expected);
    assert!(records[7].contains(
        r#"{"id":"rs_x_0","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"sealed"}"#
    ));
    assert!(records[9].contains(r#"{"id":"rs_x_1","type":"reasoning","summary":[]}"#));
    assert!(renderer.is_empty(), "thinking alone is no answer");
}

#[test]
fn searches_and_pictures_are_told_as_far_as_they_are_known() {
    let mut renderer = renderer(Listener::Public);
    let sources = vec![Source { url: "u".into(), title: None }];
    let found = Search { queries: vec!["q".into()], sources, ..Search::default() };
    let opened = Search { kind: ActionKind::OpenPage, url: Some("p".into()), ..Search::default() };
    let mut events = Vec::new();
    for search in [found, opened] {
        events.extend([started(ItemStart::Search), done(ItemDone::Search(search))]);
    }
    events.extend([
        started(ItemStart::Image),
        done(ItemDone::Image { format: Some("png".into()), size: None, prompt: None }),
    ]);
    let records = told(&mut renderer, events);
    assert!(
        records[6]
            .contains(r#""action":{"type":"search","query":"q","queries":["q"],"sources":[{"type":"url","url":"u"}]}"#),
        "{}",
        records[6]
    );
    assert!(records[11].contains(r#""action":{"type":"open_page","url":"p"}"#), "{}", records[11]);
    assert!(
        records.last().is_some_and(|last| last.contains("\"id\":\"msg_x_2\"") && last.contains("[A picture")),
        "{records:?}"
    );
}

#[test]
fn ends_are_told_as_they_are() {
    for (finish, name, part) in [
        (Finish::Complete, "completed", r#""incomplete_details":null"#),
        (Finish::Length, "incomplete", r#""incomplete_details":{"reason":"max_output_tokens"}"#),
        (Finish::Filtered, "incomplete", r#""incomplete_details":{"reason":"content_filter"}"#),
    ] {
        let mut renderer = renderer(Listener::Public);
        let records = told(&mut renderer, message("so").into_iter().chain([TurnEvent::Finished(finish)]).collect());
        let last = records.last().expect("an end");
        assert_eq!(types(&records).last(), Some(&name));
        assert!(last.contains(part) && last.contains(&format!("\"status\":\"{name}\"")), "{last}");
        assert!(last.contains("\"input_tokens\":9"), "an estimate is better than nothing: {last}");
        assert!(renderer.into_response().is_some());
    }
    let limit =
        UpstreamError { kind: Some("usage_limit_reached".to_owned()), resets_at: Some(5), ..UpstreamError::default() };
    let mut renderer = renderer(Listener::Codex);
    let records = told(&mut renderer, message("so").into_iter().chain([TurnEvent::Failed(Box::new(limit))]).collect());
    assert!(records.last().is_some_and(|last| last.contains(
        r#""status":"failed","background":false,"error":{"code":"usage_limit_reached","message":"usage_limit_reached","type":"usage_limit_reached","resets_at":5}"#
    )), "{records:?}");
    assert_eq!(renderer.into_response(), None);
}

#[test]
fn our_own_end_is_one_of_the_language() {
    let failure = Failure { code: "server_error", message: "gone" };
    for (listener, name) in [(Listener::Codex, "response.failed"), (Listener::Public, "error")] {
        let mut renderer = renderer(listener);
        told(&mut renderer, message("so").to_vec());
        let mut out = Vec::new();
        renderer.fail(failure, &mut out);
        renderer.fail(failure, &mut out);
        renderer.on(TurnEvent::CutOff, &mut out);
        let text = String::from_utf8(out).expect("text");
        assert!(text.starts_with(&format!("event: {name}\n")) && text.matches("event: ").count() == 1, "{text}");
        assert!(text.contains(r#""code":"server_error","message":"gone""#), "{text}");
        assert!(renderer.has_ended());
    }
    let mut renderer = renderer(Listener::Public);
    let records = told(&mut renderer, vec![TurnEvent::Finished(Finish::Complete)]);
    assert_eq!(types(&records), ["created", "in_progress", "error"], "nothing is no answer");
}
