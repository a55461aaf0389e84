//! Pure tests. No IO, no async.

use codeferry_wire::responses::StreamEvent;
use codeferry_wire::sse::Decoder;

use super::{Answer, Reasoning, Shape, write};
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Reducer, TurnEvent};

const LOCAL: Shape = Shape { reasoning: Reasoning::Effort, documents: false };
const ROUTER: Shape = Shape { reasoning: Reasoning::Object, documents: true };

/// What a server's bytes come to, one line for each step.
fn turn(bytes: &str) -> Vec<String> {
    let mut answer = Answer::new();
    let mut out = Vec::new();
    answer.push(bytes.as_bytes(), &mut out);
    answer.eof(&mut out);
    let mut decoder = Decoder::new(1 << 20);
    decoder.push(&out);
    let mut reducer = Reducer::new();
    let mut lines = Vec::new();
    while let Ok(Some(frame)) = decoder.next_frame() {
        let event = StreamEvent::parse(&frame.data).expect("what we write can be read");
        lines.extend(reducer.on_event(event).into_iter().filter_map(say));
    }
    lines.extend(reducer.on_eof().into_iter().filter_map(say));
    lines
}

fn say(event: TurnEvent<'_>) -> Option<String> {
    Some(match event {
        TurnEvent::Started { .. } => return None,
        TurnEvent::ItemStarted { index, item } => match item {
            ItemStart::Message { .. } => format!("{index} message"),
            ItemStart::Reasoning => format!("{index} thought"),
            ItemStart::ToolCall { call_id, name, .. } => format!("{index} call {name} {call_id}"),
            other => format!("{index} {other:?}"),
        },
        TurnEvent::Delta { delta, .. } => match delta {
            Delta::Text(text) | Delta::Thinking(text) | Delta::Payload(text) => format!("+{text}"),
            Delta::Refusal(text) => format!("!{text}"),
            Delta::Citation(_) => return None,
        },
        TurnEvent::ItemDone { item, .. } => match item {
            ItemDone::Message { text, refused } => format!("={text}{}", if refused { " (refused)" } else { "" }),
            ItemDone::Reasoning(reasoning) => format!("={}", reasoning.text),
            ItemDone::ToolCall { payload } => format!("={payload}"),
            other => format!("={other:?}"),
        },
        TurnEvent::Usage(usage) => {
            format!(
                "{} in, {} cached, {} out, {} thought",
                usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens
            )
        }
        TurnEvent::Finished(Finish::Complete) => "complete".to_owned(),
        TurnEvent::Finished(Finish::Length) => "length".to_owned(),
        TurnEvent::Finished(Finish::Filtered) => "filtered".to_owned(),
        TurnEvent::Finished(Finish::StopSequence(_)) => "stop".to_owned(),
        TurnEvent::Failed(error) => format!("failed: {error}"),
        TurnEvent::CutOff => "cut off".to_owned(),
    })
}

/// A stream of these deltas, with that reason at the end.
fn stream(deltas: &[&str], finish: &str) -> String {
    let mut text = ": PROCESSING\n\n".to_owned();
    for delta in deltas {
        text += &format!("data: {{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n");
    }
    text + &format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{finish}\"}}]}}\n\n")
        + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n"
}

#[test]
fn thought_text_and_a_call() {
    let deltas = [
        r#"{"role":"assistant","content":"","reasoning":"hm"}"#,
        r#"{"reasoning":"m."}"#,
        r#"{"content":"\n\n"}"#,
        r#"{"content":"Look"}"#,
        r#"{"content":"ing."}"#,
        r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"read","arguments":""}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"p\":"}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#,
    ];
    let expected = [
        "0 thought",
        "+hm",
        "+m.",
        "=hmm.",
        "1 message",
        "+Look",
        "+ing.",
        "=\n\nLooking.",
        "2 call read call_a",
        "+{\"p\":",
        "+1}",
        "={\"p\":1}",
        "9 in, 0 cached, 4 out, 0 thought",
        "complete",
    ];
    let got: Vec<String> = turn(&stream(&deltas, "tool_calls"))
        .join("\u{1}")
        .replace("+\n\n\u{1}+Look", "+Look")
        .split('\u{1}')
        .map(str::to_owned)
        .collect();
    assert_eq!(got, expected);
}

#[test]
fn blank_text_alone_is_no_message() {
    let deltas = [
        r#"{"reasoning":"hm"}"#,
        r#"{"content":"\n\n"}"#,
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
    ];
    let lines = turn(&stream(&deltas, "tool_calls"));
    assert!(!lines.iter().any(|line| line.contains("message")), "{lines:?}");
    assert!(lines.contains(&"1 call f a".to_owned()), "{lines:?}");
}

#[test]
fn calls_without_numbers_or_ids_are_told_apart() {
    for (calls, expected) in [
        // Whole calls that are all number 0 (some Gemini gateways).
        (
            &[
                r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#,
                r#"[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}]"#,
            ][..],
            "f a ={} f b ={}",
        ),
        // Ids and no numbers, the second named while the first goes on.
        (
            &[
                r#"[{"id":"a","function":{"name":"f","arguments":"{"}},{"id":"b","function":{"name":"g","arguments":"["}}]"#,
                r#"[{"id":"b","function":{"arguments":"]"}},{"id":"a","function":{"arguments":"}"}}]"#,
            ],
            "f a ={} g b =[]",
        ),
        // Neither, and arguments as an object (Ollama's own form).
        (
            &[r#"[{"function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"g","arguments":{}}}]"#],
            "f call_0 ={\"a\":1} g call_1 ={}",
        ),
        // No arguments at all.
        (&[r#"[{"index":0,"id":"a","function":{"name":"f"}}]"#], "f a ={}"),
        // The id comes late, the name comes again.
        (
            &[
                r#"[{"index":0,"function":{"name":"f"}}]"#,
                r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#,
            ],
            "f a ={}",
        ),
        // A call without a name cannot be made.
        (&[r#"[{"index":0,"id":"a","function":{"arguments":"{}"}}]"#], ""),
    ] {
        let deltas: Vec<String> = calls.iter().map(|calls| format!("{{\"tool_calls\":{calls}}}")).collect();
        let lines = turn(&stream(&deltas.iter().map(String::as_str).collect::<Vec<_>>(), "tool_calls"));
        let told: Vec<&str> = lines
            .iter()
            .filter_map(|line| {
                line.split_once(" call ").map(|(_, call)| call).or_else(|| line.starts_with('=').then_some(line))
            })
            .collect();
        assert_eq!(told.join(" "), expected, "{lines:?}");
        assert_eq!(lines.last().map(String::as_str), Some("complete"));
    }
}

#[test]
fn every_end_is_the_end_it_is() {
    let hi = r#"{"content":"hi"}"#;
    for (bytes, last) in [
        (stream(&[hi], "stop"), "complete"),
        (stream(&[hi], "eos"), "complete"),
        (stream(&[hi], "length"), "length"),
        (stream(&[hi], "content_filter"), "filtered"),
        (stream(&[hi], "error"), "failed: the server stopped with an error and did not say which"),
        (stream(&[hi], "stop").replace("data: [DONE]\n\n", ""), "complete"),
        (stream(&[hi], "stop").replace("\"stop\"", "null"), "complete"),
        (stream(&[hi], "stop").replace("\"stop\"", "null").replace("data: [DONE]\n\n", ""), "cut off"),
        (stream(&[hi], "stop").replace('\n', "\r\n"), "complete"),
        ("data: {\"error\":{\"code\":429,\"message\":\"slow down\"}}\n\n".to_owned(), "failed: slow down"),
        ("data: {\"error\":\"out of memory\"}\n\n".to_owned(), "failed: out of memory"),
        ("data: half\n\n".to_owned(), "cut off"),
        (String::new(), "cut off"),
        ("\u{feff}\n".to_owned() + &stream(&[hi], "stop"), "complete"),
        ("<html>no".to_owned(), "failed: the server answered with something that is no completion"),
        (r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#.to_owned(), "length"),
        (r#"{"choices":[{"message":{"content":"hi"}}]}"#.to_owned(), "complete"),
        (r#"{"error":{"message":"no such model","type":"not_found_error"}}"#.to_owned(), "failed: no such model"),
        (r#"{"models":[]}"#.to_owned(), "failed: the server answered with JSON that is no completion"),
        (r#"{"choices":[{"message":{"con"#.to_owned(), "cut off"),
    ] {
        assert_eq!(turn(&bytes).last().map(String::as_str), Some(last), "{bytes}");
    }
    let refused = turn(&stream(&[r#"{"refusal":"I will not."}"#], "stop"));
    assert!(refused.contains(&"=I will not. (refused)".to_owned()), "{refused:?}");
    let details = r#"{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}}"#;
    let usage = stream(&[hi], "stop").replace(r#"{"prompt_tokens":9,"completion_tokens":4}"#, details);
    assert!(turn(&usage).contains(&"9 in, 5 cached, 4 out, 3 thought".to_owned()));
}

fn chat(items: &str, rest: &str, shape: Shape) -> (String, String, Vec<&'static str>) {
    let body =
        format!(r#"{{"model":"m","instructions":"Be good.","input":[{items}]{rest},"store":false,"stream":true}}"#);
    let written = write(body.as_bytes(), shape).expect("a request");
    let text = String::from_utf8(written.body).expect("text");
    for spare in &written.optional {
        assert!(text[spare.range.clone()].contains(&format!("\"{}\":", spare.param)), "{text}");
    }
    (text, written.losses.header(), written.optional.iter().map(|spare| spare.param).collect())
}

fn messages(items: &str) -> String {
    let (text, ..) = chat(items, "", LOCAL);
    let from = text.find("\"messages\":").expect("there are messages") + 11;
    let to = text.rfind(",\"stream\"").expect("and more");
    text[from..to].to_owned()
}

#[test]
fn a_turn_is_one_message_with_its_results_right_behind() {
    let call =
        |id: &str| format!(r#"{{"type":"function_call","call_id":"{id}","name":"f","arguments":"{{\"a\":1}}"}}"#);
    let result = |id: &str| format!(r#"{{"type":"function_call_output","call_id":"{id}","output":"r{id}"}}"#);
    let says = |role: &str, text: &str| {
        let kind = if role == "assistant" { "output_text" } else { "input_text" };
        format!(r#"{{"type":"message","role":"{role}","content":[{{"type":"{kind}","text":"{text}"}}]}}"#)
    };
    let written =
        |id: &str| format!(r#"{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{\"a\":1}}"}}}}"#);
    let tool = |id: &str, text: &str| format!(r#"{{"role":"tool","tool_call_id":"{id}","content":"{text}"}}"#);
    let user = |text: &str| format!(r#"{{"role":"user","content":"{text}"}}"#);
    let system = r#"{"role":"system","content":"Be good."}"#;

    // The person speaks between the calls and their results; the results come in another order.
    let items = [
        says("user", "go"),
        r#"{"type":"reasoning","summary":[],"encrypted_content":"x"}"#.into(),
        says("assistant", "ok"),
        call("1"),
        call("2"),
        says("user", "wait"),
        result("2"),
        result("1"),
        says("assistant", "done"),
    ];
    let calls = format!(r#"{{"role":"assistant","content":"ok","tool_calls":[{},{}]}}"#, written("1"), written("2"));
    let done = r#"{"role":"assistant","content":"done"}"#.to_owned();
    let expected = [system.to_owned(), user("go"), calls, tool("1", "r1"), tool("2", "r2"), user("wait"), done];
    assert_eq!(messages(&items.join(",")), format!("[{}]", expected.join(",")));

    // Call upon call: each answered one is a turn of its own, and nothing is said in it.
    let items = [says("user", "go"), call("1"), result("1"), call("2"), result("2")];
    let alone = |id: &str| format!(r#"{{"role":"assistant","content":null,"tool_calls":[{}]}}"#, written(id));
    let expected = [system.to_owned(), user("go"), alone("1"), tool("1", "r1"), alone("2"), tool("2", "r2")];
    assert_eq!(messages(&items.join(",")), format!("[{}]", expected.join(",")));

    // What has no partner: a call gets a result that says so, a result becomes words.
    let (text, losses, _) = chat(&[says("user", "go"), result("9"), call("1")].join(","), "", LOCAL);
    assert_eq!(losses, "missing_result, orphan_result");
    assert!(
        text.contains(&user("r9")) && text.contains(&tool("1", "No result: the tool call was interrupted.")),
        "{text}"
    );
}

#[test]
fn instructions_stand_at_the_head_and_later_ones_are_words() {
    let developer = |text: &str| {
        format!(r#"{{"type":"message","role":"developer","content":[{{"type":"input_text","text":"{text}"}}]}}"#)
    };
    let user = r#"{"type":"message","role":"user","content":"hi"}"#;
    let (text, losses, _) =
        chat(&[developer("And brief."), user.to_owned(), developer("Now stop.")].join(","), "", LOCAL);
    assert!(
        text.contains(r#"[{"role":"system","content":"Be good.\n\nAnd brief."},{"role":"user","content":"hi"},"#),
        "{text}"
    );
    assert!(text.contains(r#"{"role":"user","content":"[Instruction of the application:]\n\nNow stop."}"#), "{text}");
    assert_eq!(losses, "system_place");
}

#[test]
fn pictures_and_documents_go_where_they_are_read() {
    let user = r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:image/png;base64,AA=="},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BB=="}]}"#;
    let (text, losses, _) = chat(user, "", LOCAL);
    assert!(text.contains(r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}"#), "{text}");
    assert!(text.contains("[A document that this server cannot read.]") && losses == "document", "{text} {losses}");
    let (text, losses, _) = chat(user, "", ROUTER);
    assert!(
        text.contains(r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,BB=="}}"#),
        "{text}"
    );
    assert_eq!(losses, "");
    // A tool's picture follows all the results.
    let items = r#"{"type":"function_call","call_id":"1","name":"f","arguments":""},{"type":"function_call_output","call_id":"1","output":[{"type":"input_text","text":"shot"},{"type":"input_image","image_url":"https://x/y.png"}]}"#;
    let written = messages(items);
    assert!(written.contains(r#""arguments":"{}""#), "{written}");
    assert!(written.ends_with(r#"{"role":"tool","tool_call_id":"1","content":"shot\n[The image follows.]"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]"#), "{written}");
}

#[test]
fn members_are_said_in_the_servers_words() {
    let rest = r#","tools":[{"type":"function","name":"f","description":"does","strict":false,"parameters":{"type":"object"}},{"type":"web_search"}],
        "tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,"max_output_tokens":7,"temperature":0.5,"reasoning":{"effort":"max"},
        "text":{"format":{"type":"json_schema","name":"out","strict":true,"schema":{"a":1}}}"#;
    let (text, losses, optional) = chat("", rest, LOCAL);
    for part in [
        r#""tools":[{"type":"function","function":{"name":"f","description":"does","parameters":{"type":"object"}}}]"#,
        r#""tool_choice":{"type":"function","function":{"name":"f"}}"#,
        r#""response_format":{"type":"json_schema","json_schema":{"name":"out","schema":{"a":1},"strict":true}}"#,
        r#""parallel_tool_calls":false"#,
        r#""max_tokens":7"#,
        r#""temperature":0.5"#,
        r#""reasoning_effort":"high""#,
        r#""stream":true,"stream_options":{"include_usage":true}}"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(losses, "server_tool");
    assert_eq!(optional, ["parallel_tool_calls", "max_tokens", "temperature", "reasoning_effort", "stream_options"]);
    let (text, ..) = chat("", rest, ROUTER);
    assert!(text.contains(r#""reasoning":{"effort":"xhigh"}"#) && !text.contains("reasoning_effort"), "{text}");
    let (text, ..) = chat(
        "",
        r#","tools":[{"type":"function","name":"f"}],"tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"effort":"none"}"#,
        LOCAL,
    );
    assert!(!["tool_choice", "parallel", "reasoning"].iter().any(|word| text.contains(word)), "{text}");
    assert!(write(b"[]", LOCAL).is_err());
}
