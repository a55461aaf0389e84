use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::json::Reader;
use codeferry_wire::responses::event::{ActionKind, Source, UrlCitation, Usage};

use super::{Ids, KeepAlive, Options, Renderer, Repair};
use crate::names::Names;
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, Reasoning, Search, TurnEvent, UpstreamError};

fn options() -> Options {
    Options {
        id: "msg_1".to_owned(),
        model: "claude-x".to_owned(),
        input_estimate: 7,
        names: Names::default(),
        ids: Ids::default(),
        seal: Box::new(|reasoning| reasoning.encrypted_content.as_deref().map(|sealed| format!("env:{sealed}"))),
        thinking: true,
        repairs: Vec::new(),
    }
}

/// The data of the frames, without the `message_start`, in short: type and what is peculiar.
fn frames(options: Options, events: Vec<TurnEvent<'_>>) -> Vec<String> {
    let mut renderer = Renderer::new(options);
    let mut frames = Vec::new();
    for event in events {
        renderer.on(event, &mut |frame| {
            let mut json = Vec::new();
            frame.write_json(&mut json);
            frames.push(String::from_utf8(json).expect("UTF-8"));
        });
    }
    assert!(frames.remove(0).starts_with(r#"{"type":"message_start""#));
    frames
}

fn shown(events: Vec<TurnEvent<'_>>) -> Vec<String> {
    frames(options(), events)
}

fn text(index: u32, text: &str) -> Vec<TurnEvent<'_>> {
    vec![
        TurnEvent::ItemStarted { index, item: ItemStart::Message { phase: None } },
        TurnEvent::Delta { index, delta: Delta::Text(text.into()) },
        TurnEvent::ItemDone { index, item: ItemDone::Message { text: text.into(), refused: false } },
    ]
}

fn call<'a>(index: u32, id: &'a str, name: &'a str, payload: &'a str) -> Vec<TurnEvent<'a>> {
    let item = ItemStart::ToolCall { call_id: id.into(), name: name.into(), payload: Payload::Json };
    vec![
        TurnEvent::ItemStarted { index, item },
        TurnEvent::Delta { index, delta: Delta::Payload(payload.into()) },
        TurnEvent::ItemDone { index, item: ItemDone::ToolCall { payload: payload.into() } },
    ]
}

fn finished<'a>() -> Vec<TurnEvent<'a>> {
    vec![TurnEvent::Finished(Finish::Complete)]
}

fn stop_of(frames: &[String]) -> &str {
    let delta = frames.iter().find(|frame| frame.contains("message_delta")).expect("an end");
    let from = delta.find(r#""delta":"#).expect("a delta") + 8;
    &delta[from..delta.find(r#","usage""#).expect("usage")]
}

#[test]
fn thinking_is_signed_and_reasoning_without_summary_is_redacted() {
    let reasoning = |text: &'static str, sealed: Option<&'static str>| {
        ItemDone::Reasoning(Reasoning {
            encrypted_content: sealed.map(Into::into),
            text: text.into(),
            ..Reasoning::default()
        })
    };
    let start = |index| TurnEvent::ItemStarted { index, item: ItemStart::Reasoning };
    let events = || {
        [
            vec![
                start(0),
                TurnEvent::Delta { index: 0, delta: Delta::Thinking("hm".into()) },
                TurnEvent::ItemDone { index: 0, item: reasoning("hm", Some("A")) },
                start(1),
                TurnEvent::ItemDone { index: 1, item: reasoning("", Some("B")) },
                start(2),
                TurnEvent::ItemDone { index: 2, item: reasoning("", None) },
                start(3),
                TurnEvent::Delta { index: 3, delta: Delta::Thinking("so".into()) },
                TurnEvent::ItemDone { index: 3, item: reasoning("so", None) },
            ],
            text(4, "x"),
        ]
        .concat()
    };
    assert_eq!(
        shown(events()),
        [
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"env:A"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"env:B"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"thinking_delta","thinking":"so"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"x"}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
        ]
    );
    let hidden = frames(Options { thinking: false, ..options() }, events());
    assert_eq!(hidden.len(), 3, "only the text is left: {hidden:#?}");
}

#[test]
fn a_tool_id_is_used_once_in_a_conversation_and_names_are_restored() {
    let mut names = Names::default();
    let long = "x".repeat(100);
    let short = names.lower(&long).into_owned();
    let options = Options { names, ids: ["call_1"].into_iter().collect(), ..options() };
    let events =
        [call(0, "call_1", &short, "{}"), call(1, "call_1", "Read", "{}"), call(2, "call_2", "Read", "{}")].concat();
    let starts: Vec<_> =
        frames(options, events).into_iter().filter(|frame| frame.contains("content_block_start")).collect();
    assert!(starts[0].contains(&format!(r#""id":"call_1_2","name":"{long}","input":{{}}"#)), "{starts:#?}");
    assert!(starts[1].contains(r#""id":"call_1_3""#), "{starts:#?}");
    assert!(starts[2].contains(r#""id":"call_2""#), "{starts:#?}");
}

#[test]
fn a_custom_tools_text_becomes_a_json_string() {
    let item = ItemStart::ToolCall { call_id: "c".into(), name: "patch".into(), payload: Payload::Text };
    let shown = shown(vec![
        TurnEvent::ItemStarted { index: 0, item },
        TurnEvent::Delta { index: 0, delta: Delta::Payload("a\"b".into()) },
        TurnEvent::Delta { index: 0, delta: Delta::Payload("\n".into()) },
        TurnEvent::ItemDone { index: 0, item: ItemDone::ToolCall { payload: "a\"b\n".into() } },
    ]);
    let json: String = shown
        .iter()
        .filter_map(|frame| {
            let frame = Reader::of(frame).value().expect("JSON");
            Some(frame.get("delta")?.get("partial_json")?.string()?.into_owned())
        })
        .collect();
    assert_eq!(json, r#"{"input":"a\"b\n"}"#);
}

#[test]
fn arguments_with_a_known_fault_are_held_and_put_right() {
    let schema = Reader::of(r#"{"properties":{"pages":{}}}"#).value().expect("JSON");
    let repairs = vec![Repair::for_tool("Read", schema).expect("known")];
    let events = [call(0, "a", "Read", r#"{"f":1,"pages":""}"#), call(1, "b", "Write", r#"{"pages":""}"#)].concat();
    let deltas: Vec<_> = frames(Options { repairs, ..options() }, events)
        .into_iter()
        .filter(|frame| frame.contains("partial_json"))
        .collect();
    assert!(deltas[0].contains(r#""partial_json":"{\"f\":1}""#), "{deltas:#?}");
    assert!(deltas[1].contains(r#""partial_json":"{\"pages\":\"\"}""#), "{deltas:#?}");
}

fn search(index: u32, search: Search<'_>) -> Vec<TurnEvent<'_>> {
    vec![
        TurnEvent::ItemStarted { index, item: ItemStart::Search },
        TurnEvent::ItemDone { index, item: ItemDone::Search(search) },
    ]
}

#[test]
fn a_search_shows_its_sources_or_waits_for_what_is_cited() {
    let asked = |id: &'static str| Search { id: Some(id.into()), queries: vec!["q\"".into()], ..Search::default() };
    let source = Source { url: "https://a.test".into(), title: None };
    let citation = |start, end| UrlCitation {
        url: "https://b.test".into(),
        title: Some("B".into()),
        start: Some(start),
        end: Some(end),
    };
    let events = [
        search(0, Search { sources: vec![source], ..asked("1") }),
        search(1, Search { failed: true, ..asked("2") }),
        search(2, Search { kind: ActionKind::OpenPage, url: Some("u".into()), ..Search::default() }),
        search(3, asked("3")),
        search(4, asked("4")),
        vec![
            TurnEvent::ItemStarted { index: 5, item: ItemStart::Message { phase: None } },
            TurnEvent::Delta { index: 5, delta: Delta::Text("äb cd".into()) },
            TurnEvent::Delta { index: 5, delta: Delta::Citation(citation(0, 2)) },
            TurnEvent::Delta { index: 5, delta: Delta::Citation(citation(4, 999)) },
            TurnEvent::ItemDone { index: 5, item: ItemDone::Message { text: "äb cd".into(), refused: false } },
        ],
        search(6, asked("5")),
        finished(),
    ]
    .concat();
    let shown: Vec<_> = shown(events)
        .into_iter()
        .filter(|frame| !frame.contains("block_stop") && !frame.contains("partial_json"))
        .map(|frame| frame.replace(r#""type":"#, ""))
        .collect();
    let page = |url: &str, title: &str| {
        format!(r#"{{"web_search_result","url":"{url}","title":"{title}","encrypted_content":"","page_age":null}}"#)
    };
    let asked = |index: u32, id: u32| {
        format!(
            r#"{{"content_block_start","index":{index},"content_block":{{"server_tool_use","id":"srvtoolu_{id}","name":"web_search","input":{{}}}}}}"#
        )
    };
    let found = |index: u32, id: u32, content: String| {
        format!(
            r#"{{"content_block_start","index":{index},"content_block":{{"web_search_tool_result","tool_use_id":"srvtoolu_{id}","content":{content}}}}}"#
        )
    };
    let cited = |text: &str| {
        format!(
            r#"{{"content_block_delta","index":6,"delta":{{"citations_delta","citation":{{"web_search_result_location","url":"https://b.test","title":"B","encrypted_index":"","cited_text":"{text}"}}}}}}"#
        )
    };
    assert_eq!(
        shown[..shown.len() - 2],
        [
            asked(0, 1),
            found(1, 1, format!("[{}]", page("https://a.test", "https://a.test"))),
            asked(2, 2),
            found(3, 2, r#"{"web_search_tool_result_error","error_code":"unavailable"}"#.to_owned()),
            asked(4, 3),
            asked(5, 4),
            r#"{"content_block_start","index":6,"content_block":{"text","text":""}}"#.to_owned(),
            r#"{"content_block_delta","index":6,"delta":{"text_delta","text":"äb cd"}}"#.to_owned(),
            cited("äb"),
            cited("d"),
            found(7, 3, "[]".to_owned()),
            found(8, 4, format!("[{}]", page("https://b.test", "B"))),
            asked(9, 5),
            found(10, 5, "[]".to_owned()),
        ]
    );
    assert!(shown[shown.len() - 2].contains(r#""web_search_requests":5"#));
}

#[test]
fn the_reason_of_the_end() {
    let refused = vec![
        TurnEvent::ItemStarted { index: 0, item: ItemStart::Message { phase: None } },
        TurnEvent::Delta { index: 0, delta: Delta::Refusal("No.".into()) },
        TurnEvent::ItemDone { index: 0, item: ItemDone::Message { text: "No.".into(), refused: true } },
    ];
    let end = |finish| vec![TurnEvent::Finished(finish)];
    let plain = |reason: &str| format!(r#"{{"stop_reason":"{reason}","stop_sequence":null}}"#);
    let refusal = |words: &str| {
        format!(
            r#"{{"stop_reason":"refusal","stop_sequence":null,"stop_details":{{"type":"refusal","category":null,"explanation":"{words}"}}}}"#
        )
    };
    for (events, wanted) in [
        ([text(0, "x"), finished()].concat(), plain("end_turn")),
        ([text(0, "x"), call(1, "c", "T", "{}"), finished()].concat(), plain("tool_use")),
        ([text(0, "x"), end(Finish::Length)].concat(), plain("max_tokens")),
        (end(Finish::Length), plain("max_tokens")),
        (
            [text(0, "x"), end(Finish::StopSequence("\n".into()))].concat(),
            r#"{"stop_reason":"stop_sequence","stop_sequence":"\n"}"#.to_owned(),
        ),
        ([refused, finished()].concat(), refusal("No.")),
        ([text(0, "x"), end(Finish::Filtered)].concat(), refusal("The upstream's content filter ended the answer.")),
    ] {
        assert_eq!(stop_of(&shown(events)), wanted);
    }
}

#[test]
fn an_answer_with_nothing_in_it_never_ends_well() {
    let thought = vec![
        TurnEvent::ItemStarted { index: 0, item: ItemStart::Reasoning },
        TurnEvent::Delta { index: 0, delta: Delta::Thinking("hm".into()) },
        TurnEvent::ItemDone { index: 0, item: ItemDone::Reasoning(Reasoning::default()) },
    ];
    for events in [finished(), [thought, finished()].concat()] {
        let shown = shown(events);
        let error = r#"{"type":"error","error":{"type":"api_error","message":"The model gave an empty answer."}}"#;
        assert_eq!(shown.last().map(String::as_str), Some(error));
        assert!(!shown.iter().any(|frame| frame.contains("message_stop")));
    }
}

#[test]
fn usage_is_the_upstreams_or_an_estimate() {
    let usage = Usage { input_tokens: 50, cached_tokens: 40, output_tokens: 9, ..Usage::default() };
    let told = shown([text(0, "x"), vec![TurnEvent::Usage(usage)], finished()].concat());
    assert!(told[3].contains(
        r#""usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":40,"output_tokens":9}"#
    ));
    let untold = shown([text(0, "a word or two"), finished()].concat());
    assert!(untold[3].contains(r#""input_tokens":7,"#), "the estimate: {}", untold[3]);
    assert!(!untold[3].contains(r#""output_tokens":0"#), "not nothing: {}", untold[3]);
}

#[test]
fn a_late_failure_is_an_error_frame_and_blocks_stay_open() {
    for (code, wanted) in [
        ("context_length_exceeded", r#"{"type":"invalid_request_error","message":"prompt is too long: m"}"#),
        ("rate_limit_exceeded", r#"{"type":"rate_limit_error","message":"m"}"#),
        ("server_is_overloaded", r#"{"type":"overloaded_error","message":"m"}"#),
        ("cyber_policy", r#"{"type":"invalid_request_error","message":"m"}"#),
        ("anything", r#"{"type":"api_error","message":"m"}"#),
    ] {
        let error = UpstreamError { code: Some(code.to_owned()), message: "m".to_owned(), ..UpstreamError::default() };
        let mut events = text(0, "x");
        events.truncate(2);
        events.push(TurnEvent::Failed(Box::new(error)));
        events.extend(text(1, "never"));
        assert_eq!(shown(events)[2..], [format!(r#"{{"type":"error","error":{wanted}}}"#)]);
    }
    let cut = shown(vec![TurnEvent::CutOff]);
    assert!(cut[0].contains("api_error"), "{cut:?}");
}

#[test]
fn a_sign_of_life_is_what_the_client_counts() {
    let mut renderer = Renderer::new(options());
    let sign = |renderer: &Renderer, level| {
        let mut shown = Vec::new();
        renderer.keep_alive(level, &mut |frame| frame.write_json(&mut shown));
        String::from_utf8(shown).expect("UTF-8")
    };
    assert_eq!(sign(&renderer, KeepAlive::Content), "", "nothing before the start");
    renderer.start(&mut |_| {});
    renderer.start(&mut |_| panic!("a message starts once"));
    assert_eq!(sign(&renderer, KeepAlive::Ping), r#"{"type":"ping"}"#);
    let waiting =
        r#"{"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},"usage":{"output_tokens":0}}"#;
    assert_eq!(sign(&renderer, KeepAlive::Content), waiting);

    let empty =
        |index: u32, delta: &str| format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#);
    let table = [
        (TurnEvent::ItemStarted { index: 0, item: ItemStart::Reasoning }, waiting.to_owned()),
        (
            TurnEvent::Delta { index: 0, delta: Delta::Thinking("x".into()) },
            empty(0, r#"{"type":"thinking_delta","thinking":""}"#),
        ),
        (TurnEvent::ItemDone { index: 0, item: ItemDone::Reasoning(Reasoning::default()) }, waiting.to_owned()),
        (TurnEvent::Delta { index: 1, delta: Delta::Text("x".into()) }, empty(1, r#"{"type":"text_delta","text":""}"#)),
        (
            TurnEvent::ItemDone { index: 1, item: ItemDone::Message { text: "x".into(), refused: false } },
            waiting.to_owned(),
        ),
        (call(2, "c", "T", "{")[0].clone(), empty(2, r#"{"type":"input_json_delta","partial_json":""}"#)),
    ];
    for (event, wanted) in table {
        renderer.on(event, &mut |_| {});
        assert_eq!(sign(&renderer, KeepAlive::Content), wanted);
    }
    assert!(!renderer.is_empty());
    renderer.fail(ErrorKind::Api, "m", &mut |_| {});
    assert!(renderer.has_ended());
    assert_eq!(sign(&renderer, KeepAlive::Ping), "", "nothing after the end");
}

#[test]
fn a_picture_is_told_in_words() {
    let item = ItemDone::Image { format: Some("png".into()), size: None, prompt: Some("a boat".into()) };
    let shown = shown(vec![
        TurnEvent::ItemStarted { index: 0, item: ItemStart::Image },
        TurnEvent::ItemDone { index: 0, item },
    ]);
    assert!(shown[1].contains("[A picture was made (png): a boat. It cannot be shown here.]"), "{shown:?}");
}
