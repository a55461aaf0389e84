use codeferry_wire::sse::Decoder;
use proptest::prelude::*;

use codeferry_wire::responses::event::tag_of;

use super::{Kept, Message, headers_of, record};

const ITEM: &str = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","text":"b"}}"#;
const END: &str = r#"{"type":"response.completed","response":{"id":"resp_1","output":[]}}"#;

fn write(body: &str, kept: Option<&Kept>) -> Message {
    Message::write(body.as_bytes(), false, kept).unwrap()
}

/// What is kept after `body` was answered with one item.
fn after(body: &str) -> Kept {
    let mut asked = write(body, None).asked;
    for event in [r#"{"type":"response.output_text.delta","delta":"b"}"#, ITEM] {
        asked.hear(&tag_of(event), event);
    }
    asked.end(END).unwrap()
}

const FIRST: &str =
    r#"{"model":"m","input":[{"a":1}, {"b":"\u00e9"}],"store":false,"client_metadata":{"turn_id":"1"}}"#;

#[test]
fn the_first_message_brings_everything() {
    let message = write(FIRST, None);
    assert_eq!(message.text, FIRST.replacen('{', r#"{"type":"response.create","#, 1));
    assert!(!message.shortened);
    assert_eq!(write("{}", None).text, r#"{"type":"response.create"}"#);
    assert!(Message::write(b"[]", false, None).is_err());
}

#[test]
fn what_the_host_has_is_left_out() {
    let kept = after(FIRST);
    let next = r#"{"model":"m","input":[{"a":1},{"b":"\u00e9"},{"type":"message","text":"b"},{"c":2}],"store":false,"client_metadata":{"turn_id":"2"}}"#;
    let message = write(next, Some(&kept));
    assert!(message.shortened);
    assert_eq!(
        message.text,
        r#"{"type":"response.create","model":"m","input":[{"c":2}],"store":false,"client_metadata":{"turn_id":"2"},"previous_response_id":"resp_1"}"#
    );
    // And what is kept of it is as if all had been sent.
    let whole = write(next, None).asked;
    assert!(whole.items.is(&message.asked.items) && whole.rest == message.asked.rest);
}

#[test]
fn whatever_differs_brings_everything_again() {
    let kept = after(FIRST);
    let same = r#"{"a":1},{"b":"\u00e9"},{"type":"message","text":"b"}"#;
    for (why, body) in [
        ("another model", format!(r#"{{"model":"n","input":[{same},{{"c":2}}],"store":false}}"#)),
        ("a tool more", format!(r#"{{"model":"m","input":[{same},{{"c":2}}],"store":false,"tools":[{{}}]}}"#)),
        ("nothing new", format!(r#"{{"model":"m","input":[{same}],"store":false}}"#)),
        ("the answer is missing", r#"{"model":"m","input":[{"a":1},{"b":"\u00e9"},{"c":2}],"store":false}"#.to_owned()),
        (
            "the answer was changed",
            format!(r#"{{"model":"m","input":[{}],"store":false}}"#, same.replace("\"b\"}", "\"x\"},{}")),
        ),
        (
            "the question was changed",
            format!(r#"{{"model":"m","input":[{}],"store":false}}"#, same.replace("1}", "2}")),
        ),
        (
            "other bytes for the same",
            format!(r#"{{"model":"m","input":[{},{{}}],"store":false}}"#, same.replace("\\u00e9", "é")),
        ),
        ("a text", r#"{"model":"m","input":"hello","store":false}"#.to_owned()),
        ("none", r#"{"model":"m","store":false}"#.to_owned()),
    ] {
        let message = write(&body, Some(&kept));
        assert!(!message.shortened && !message.text.contains("previous_response_id"), "{why}: {}", message.text);
    }
}

#[test]
fn a_text_is_no_beginning_of_a_list() {
    let kept = after(r#"{"model":"m","input":"hello"}"#);
    let next = r#"{"model":"m","input":[{"type":"message","text":"b"},{"c":2}]}"#;
    assert!(!write(next, Some(&kept)).shortened);
}

#[test]
fn an_end_without_an_id_is_nothing_to_go_on_from() {
    for end in [r#"{"type":"response.completed","response":{}}"#, r#"{"type":"response.completed"}"#, "x"] {
        assert!(write(FIRST, None).asked.end(end).is_none(), "{end}");
    }
}

#[test]
fn the_lite_shape_is_said_beside_the_turn() {
    let mark = r#""ws_request_header_x_openai_internal_codex_responses_lite":"true""#;
    for (body, expected) in [
        (r#"{"input":[]}"#, format!(r#"{{"type":"response.create","input":[],"client_metadata":{{{mark}}}}}"#)),
        (
            r#"{"input":[],"client_metadata":{ "turn_id":"t" }}"#,
            format!(r#"{{"type":"response.create","input":[],"client_metadata":{{{mark}, "turn_id":"t" }}}}"#),
        ),
    ] {
        assert_eq!(Message::write(body.as_bytes(), true, None).unwrap().text, expected);
    }
}

/// As a stream over HTTP would have had it, whatever white space the event has.
#[test]
fn an_event_becomes_a_record() {
    for event in
        [END, "{\"type\":\"response.completed\",\r\n\"response\":\n{\"id\":\"resp_1\",\"output\":[]}}", "nonsense", ""]
    {
        let mut out = Vec::new();
        record(&tag_of(event), event, &mut out);
        let mut decoder = Decoder::new(10_000);
        decoder.push(&out);
        let frame = decoder.next_frame().unwrap();
        let said = |text: &str| text.split_ascii_whitespace().collect::<String>();
        match frame {
            Some(frame) => assert_eq!(said(&frame.data), said(event)),
            None => assert_eq!(event, "", "an empty event is none"),
        }
    }
    assert_eq!(tag_of(r#"{"sequence_number":1,"type":"response.c\u0072eated"}"#), "response.created");
    assert_eq!(tag_of("[]"), "");
}

#[test]
fn headers_of_an_error() {
    let headers = headers_of(
        r#"{"type":"error","status":429,"headers":{"X-Codex-Primary-Used-Percent":"100","retry-after":7,"bad name":"x","x-two":"a\nb"}}"#,
    );
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!((text("x-codex-primary-used-percent"), text("retry-after"), headers.len()), (Some("100"), Some("7"), 2));
    assert!(headers_of(r#"{"headers":[]}"#).is_empty() && headers_of("x").is_empty());
}

proptest! {
    /// What is kept and what is sent are the whole request, whatever was said before.
    #[test]
    fn what_is_left_out_is_what_went_before(
        sent in prop::collection::vec(0..3u8, 0..4),
        answered in prop::collection::vec(0..3u8, 0..3),
        next in prop::collection::vec(0..3u8, 0..8),
    ) {
        let list = |items: &[u8]| items.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let body = |items: &[u8]| format!(r#"{{"model":"m","input":[{}]}}"#, list(items));
        let mut asked = write(&body(&sent), None).asked;
        for item in &answered {
            asked.hear("response.output_item.done", &format!(r#"{{"item":{item}}}"#));
        }
        let before = [sent, answered].concat();
        let message = write(&body(&next), asked.end(END).as_ref());
        prop_assert_eq!(message.shortened, next.len() > before.len() && next.starts_with(&before));
        let expected = if message.shortened { &next[before.len()..] } else { &next };
        let input = format!(r#""input":[{}]"#, list(expected));
        prop_assert!(message.text.contains(&input), "{}", message.text);
    }
}
