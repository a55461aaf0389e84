//! Servers that speak Chat Completions: whatever they send, and however it is cut; whatever they are to be told.

use codeferry_tests::answer::answer;
use codeferry_translate::outbound::chat::{Answer, Reasoning, Shape, write};
use codeferry_translate::stop::Limits;
use proptest::prelude::*;
use serde_json::Value;

use super::lowering::{history, lowered};

fn delta() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec!["", "a", "b c", "é✓", "\\n\\n", "{\\\"k\\\":", "1}", "\\ud800"]);
    let index = prop::sample::select(vec!["", r#""index":0,"#, r#""index":1,"#, r#""index":-1,"#]);
    let id = prop::sample::select(vec!["", r#""id":"x","#, r#""id":"y","#, r#""id":null,"#, r#""id":"","#]);
    let name = prop::sample::select(vec!["", r#""name":"f","#, r#""name":"g","#, r#""name":7,"#]);
    let arguments = prop_oneof![
        text.clone().prop_map(|text| format!("\"{text}\"")),
        Just(r#"{"k":[1]}"#.to_owned()),
        Just("null".to_owned()),
    ];
    let call = (index, id, name, arguments).prop_map(|(index, id, name, arguments)| {
        format!(r#""tool_calls":[{{{index}{id}"function":{{{name}"arguments":{arguments}}}}}]"#)
    });
    let member =
        prop::sample::select(vec!["content", "reasoning", "reasoning_content", "refusal", "tool_calls", "other"]);
    let said = (member, text).prop_map(|(member, text)| format!("\"{member}\":\"{text}\""));
    prop_oneof![2 => said, 2 => call, 1 => Just(String::new())].prop_map(|inside| format!("{{{inside}}}"))
}

fn frame() -> impl Strategy<Value = String> {
    let finish = prop::sample::select(vec![
        "",
        r#","finish_reason":null"#,
        r#","finish_reason":"stop""#,
        r#","finish_reason":"length""#,
    ]);
    let usage =
        prop::sample::select(vec!["", r#","usage":null"#, r#","usage":{"prompt_tokens":9,"completion_tokens":1}"#]);
    let chunk = (delta(), finish, usage).prop_map(|(delta, finish, usage)| {
        format!(r#"data: {{"choices":[{{"index":0,"delta":{delta}{finish}}}]{usage}}}"#)
    });
    prop_oneof![
        12 => chunk,
        1 => Just("data: [DONE]".to_owned()),
        1 => Just(": a comment".to_owned()),
        1 => Just("data: half a".to_owned()),
        1 => Just(r#"data: {"error":{"message":"gone"}}"#.to_owned()),
        1 => Just(r#"data: {"choices":[{"delta":{}}]}"#.to_owned()),
    ]
}

fn stream() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["", "\n\n", "\r\n\r\n", "\n\ndata: [DONE]\n\n"]);
    (prop::collection::vec(frame(), 0..14), end, any::<bool>()).prop_map(|(frames, end, crlf)| {
        let text = frames.join("\n\n") + end;
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

/// What comes of a server's bytes, cut at these places.
fn said(bytes: &[u8], mut cuts: Vec<usize>) -> Vec<u8> {
    let (mut answer, mut out, mut from) = (Answer::new(), Vec::new(), 0);
    cuts.sort_unstable();
    for cut in cuts {
        answer.push(&bytes[from..cut], &mut out);
        from = cut;
    }
    answer.push(&bytes[from..], &mut out);
    answer.eof(&mut out);
    out
}

const WHOLE: &str = r#" {"id":"c","choices":[{"message":{"content":"hi","tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]},"finish_reason":"stop"}]} "#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_chunking_says_the_same(
        stream in prop_oneof![6 => stream(), 1 => Just(WHOLE.to_owned())],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = stream.as_bytes();
        let cuts = cuts.into_iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        prop_assert_eq!(
            String::from_utf8_lossy(&said(bytes, cuts)).into_owned(),
            String::from_utf8_lossy(&said(bytes, Vec::new())).into_owned()
        );
    }

    #[test]
    fn nonsense_obeys_the_grammar(stream in stream()) {
        let out = said(stream.as_bytes(), Vec::new());
        let answer = answer([out.as_slice()], Limits::default());
        prop_assert_eq!(answer.broken, Vec::<String>::new(), "{}", stream);
    }

    #[test]
    fn a_stream_without_an_end_is_cut_off(frames in prop::collection::vec(delta(), 0..8)) {
        let stream: String = frames.iter().map(|delta| format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n")).collect();
        let answer = answer([said(stream.as_bytes(), Vec::new()).as_slice()], Limits::default());
        prop_assert!(answer.message.is_err(), "{}", stream);
    }

    /// Whatever the conversation was, what goes to the server is one that a chat template takes.
    #[test]
    fn every_history_becomes_a_conversation(messages in history(), documents in any::<bool>()) {
        let lowered = lowered(&messages, false);
        let shape = Shape { reasoning: Reasoning::Effort, documents };
        let written = write(&lowered.body, shape).expect("what was lowered can be said");
        let body: Value = serde_json::from_slice(&written.body).expect("what is written is JSON");
        let (mut open, mut seen) = (Vec::new(), Vec::new());
        for (at, message) in body["messages"].as_array().expect("messages").iter().enumerate() {
            let role = message["role"].as_str().expect("a role");
            prop_assert!(role == "tool" || open.is_empty(), "{} stands before the results of {:?}", message, open);
            prop_assert!(role != "system" || at == 0, "instructions stand first: {}", message);
            match role {
                "tool" => {
                    let id = message["tool_call_id"].clone();
                    let waits = open.iter().position(|call| *call == id);
                    prop_assert!(waits.is_some(), "nobody waits for {}", message);
                    open.remove(waits.unwrap_or_default());
                    prop_assert!(message["content"].is_string());
                }
                "assistant" => {
                    for call in message["tool_calls"].as_array().into_iter().flatten() {
                        prop_assert!(!seen.contains(&call["id"]), "twice: {}", call);
                        let arguments = call["function"]["arguments"].as_str().expect("a text");
                        prop_assert!(serde_json::from_str::<Value>(arguments).is_ok(), "{}", call);
                        seen.push(call["id"].clone());
                        open.push(call["id"].clone());
                    }
                    prop_assert!(message["content"].is_string() || message.get("tool_calls").is_some());
                }
                _ => {}
            }
        }
        prop_assert!(open.is_empty(), "without a result: {:?}", open);
        for spare in &written.optional {
            let rest = codeferry_translate::lower::cut_out(&written.body, [&spare.range]);
            let rest: Value = serde_json::from_slice(&rest).expect("without it, it is JSON still");
            prop_assert!(rest.get(spare.param).is_none());
        }
    }
}
