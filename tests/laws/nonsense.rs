//! Events that no upstream would send, in any order: the grammar holds all the same.

use codeferry_tests::answer::{Answer, Pipe};
use codeferry_tests::chat::{check, data, same};
use codeferry_tests::responses;
use codeferry_translate::stop::Limits;
use codeferry_wire::responses::StreamEvent;
use proptest::prelude::*;
use serde_json::Value;

use super::fold::fold;

/// Few ids and few places, so that events meet by chance.
fn address() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec![
        "",
        r#""item_id":"a","#,
        r#""item_id":"b","#,
        r#""item_id":"c","#,
        r#""item_id":7,"#,
    ]);
    let place = prop::sample::select(vec!["", r#""output_index":0,"#, r#""output_index":1,"#, r#""output_index":2,"#]);
    let part = prop::sample::select(vec!["", r#""content_index":1,"#, r#""summary_index":2,"#]);
    (id, place, part).prop_map(|(id, place, part)| format!("{id}{place}{part}"))
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "a",
        "ab",
        "b",
        "x y",
        "é✓",
        "{\\\"k\\\":",
        "1}",
        "{}",
        "STOP",
        "ST",
        "OP",
        "\\n\\n",
        "\\ud800",
    ])
    .prop_map(str::to_owned)
}

fn item() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec!["", r#","id":"a""#, r#","id":"b""#, r#","id":"d""#]);
    let body = prop_oneof![
        (text(), text(), prop::sample::select(vec!["", r#","phase":"commentary""#, r#","phase":"final_answer""#])).prop_map(
            |(text, refusal, phase)| format!(
                r#""type":"message"{phase},"content":[{{"type":"output_text","text":"{text}","annotations":[{{"type":"url_citation","url":"u","start_index":1,"end_index":900}}]}},{{"type":"refusal","refusal":"{refusal}"}}]"#
            )
        ),
        Just(r#""type":"message","content":[]"#.to_owned()),
        (text(), text()).prop_map(|(one, two)| format!(
            r#""type":"reasoning","encrypted_content":"e","summary":[{{"text":"{one}"}},{{"text":"{two}"}}],"content":[{{"text":"raw"}}]"#
        )),
        Just(r#""type":"reasoning","summary":[]"#.to_owned()),
        text().prop_map(|text| format!(r#""type":"function_call","call_id":"call","name":"f","arguments":"{text}""#)),
        text().prop_map(|text| format!(r#""type":"function_call","name":"f","arguments":"{text}""#)),
        Just(r#""type":"function_call","call_id":"nameless""#.to_owned()),
        text().prop_map(|text| format!(r#""type":"custom_tool_call","call_id":"call","name":"g","input":"{text}""#)),
        Just(r#""type":"web_search_call","action":{"type":"search","query":"q"}"#.to_owned()),
        Just(r#""type":"web_search_call","action":{"type":"search","queries":["q"],"sources":[{"url":"u"}]}"#.to_owned()),
        Just(r#""type":"web_search_call","status":"failed""#.to_owned()),
        Just(r#""type":"web_search_call","action":{"type":"open_page","url":"u"}"#.to_owned()),
        Just(r#""type":"image_generation_call","result":"AA","size":"1x1""#.to_owned()),
        Just(r#""type":"hologram_call""#.to_owned()),
        Just(r#""nothing":1"#.to_owned()),
    ];
    (body, id).prop_map(|(body, id)| format!("{{{body}{id}}}"))
}

fn event() -> impl Strategy<Value = String> {
    let delta = prop::sample::select(vec![
        ("response.output_text.delta", "delta"),
        ("response.output_text.done", "text"),
        ("response.refusal.delta", "delta"),
        ("response.refusal.done", "refusal"),
        ("response.reasoning_summary_text.delta", "delta"),
        ("response.reasoning_summary_text.done", "text"),
        ("response.reasoning_text.delta", "delta"),
        ("response.function_call_arguments.delta", "delta"),
        ("response.function_call_arguments.done", "arguments"),
        ("response.custom_tool_call_input.delta", "delta"),
        ("response.custom_tool_call_input.done", "input"),
    ]);
    prop_oneof![
        8 => (delta, address(), text())
            .prop_map(|((tag, member), address, text)| format!(r#"{{"type":"{tag}",{address}"{member}":"{text}"}}"#)),
        4 => (prop::sample::select(vec!["added", "done"]), address(), item())
            .prop_map(|(step, address, item)| format!(r#"{{"type":"response.output_item.{step}",{address}"item":{item}}}"#)),
        1 => address().prop_map(|address| format!(
            r#"{{"type":"response.output_text.annotation.added",{address}"annotation":{{"type":"url_citation","url":"u","title":"t"}}}}"#
        )),
        1 => (prop::sample::select(vec!["web_search_call.searching", "image_generation_call.generating", "content_part.added"]), address())
            .prop_map(|(tag, address)| format!(r#"{{{address}"type":"response.{tag}"}}"#)),
        1 => Just(r#"{"type":"response.created","response":{"id":"r","model":"m"}}"#.to_owned()),
    ]
}

/// The end, if there is one.
fn end() -> impl Strategy<Value = Option<String>> {
    let response = (prop::collection::vec(item(), 0..4), any::<bool>()).prop_map(|(items, usage)| {
        let usage = if usage { r#""usage":{"input_tokens":9,"output_tokens":5},"# } else { "" };
        format!(r#"{usage}"output":[{}]"#, items.join(","))
    });
    let response = response.boxed();
    prop_oneof![
        1 => Just(None),
        6 => response.clone().prop_map(|response| Some(format!(r#"{{"type":"response.completed","response":{{{response}}}}}"#))),
        2 => (response, prop::sample::select(vec!["max_output_tokens", "content_filter", "boredom"])).prop_map(|(response, reason)| {
            Some(format!(r#"{{"type":"response.incomplete","response":{{"incomplete_details":{{"reason":"{reason}"}},{response}}}}}"#))
        }),
        1 => Just(Some(r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"m"}}}"#.to_owned())),
        1 => Just(Some(r#"{"type":"error","code":"slow_down"}"#.to_owned())),
    ]
}

fn run(events: &[String], limits: Limits) -> Answer {
    let mut pipe = Pipe::new(limits);
    for event in events {
        pipe.event(StreamEvent::parse(event).expect("what is generated is JSON"));
    }
    pipe.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_grammar_holds_for_any_events(
        events in prop::collection::vec(event(), 0..24),
        end in end(),
        after in prop::collection::vec(event(), 0..3),
        stop in prop::option::of(Just("STOP".to_owned())),
        max_tokens in prop::option::of(0_u64..12),
        thinking in any::<bool>(),
    ) {
        let events: Vec<_> = events.into_iter().chain(end).chain(after).collect();
        let limits = Limits { stop_sequences: stop.into_iter().collect(), max_tokens, thinking };
        let answer = run(&events, limits);
        prop_assert_eq!(&answer.broken, &Vec::<String>::new(), "{:#?}", events);

        // And what is collected is what the stream comes to.
        match (&answer.message, fold(&answer.sse)) {
            (Ok(message), Ok(folded)) => {
                let message: Value = serde_json::from_str(message).expect("JSON");
                prop_assert_eq!(message, folded);
            }
            (Err(_), Err(_)) => {}
            other => prop_assert!(false, "one is an answer and the other is none: {:?}", other),
        }
        // The same for a chat.
        let chunks: Vec<Value> = answer.chat.split_terminator("\n\n").filter(|record| *record != "data: [DONE]").map(data).collect();
        match &answer.completion {
            Ok(whole) => {
                check(&chunks);
                let whole: Value = serde_json::from_str(whole).expect("JSON");
                same(&chunks, &whole);
                prop_assert_eq!(&chunks.last().expect("the usage")["usage"], &whole["usage"]);
            }
            Err(_) => prop_assert!(chunks.last().is_some_and(|last| last["error"]["message"].is_string()), "{}", answer.chat),
        }
        // And for a client of the upstream's own language.
        let folded = responses::fold(&responses::events(&answer.responses));
        let whole: Value = answer.response.as_deref().map_or(Value::Null, |whole| serde_json::from_str(whole).expect("JSON"));
        prop_assert_eq!(folded, whole);
    }
}
