use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::anthropic::frame::{Block, Delta, Frame, Stop, StopReason, Usage};

use super::{Collector, NoMessage};

fn collect(frames: &[Frame<'_>]) -> Result<String, NoMessage> {
    let mut collector = Collector::new();
    for frame in frames {
        collector.on(*frame);
    }
    collector.finish().map(|json| String::from_utf8(json).expect("UTF-8"))
}

const START: Frame<'_> = Frame::MessageStart {
    id: "msg_1",
    model: "m",
    usage: Usage {
        input_tokens: 9,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 0,
        thinking_tokens: 0,
        web_search_requests: 0,
    },
};

fn end<'a>() -> [Frame<'a>; 2] {
    let usage = Usage { input_tokens: 3, output_tokens: 4, ..Usage::default() };
    [Frame::MessageDelta { stop: Some(Stop::plain(StopReason::ToolUse)), usage }, Frame::MessageStop]
}

#[test]
fn an_input_that_is_no_object_does_not_spoil_the_message() {
    let with_input = |input| {
        let [delta, stop] = end();
        collect(&[
            START,
            Frame::BlockStart { index: 0, block: Block::ToolUse { id: "c", name: "T" } },
            Frame::BlockDelta { index: 0, delta: Delta::InputJson(input) },
            Frame::Ping,
            Frame::BlockStop { index: 0 },
            Frame::MessageDelta { stop: None, usage: Usage::default() },
            delta,
            stop,
        ])
        .expect("a message")
    };
    for (input, wanted) in [
        ("", "{}"),
        (r#"{"a": 1}"#, r#"{"a": 1}"#),
        (r#"{"a": "#, r#"{"__unparsedToolInput":{"raw":"{\"a\": ","len":6}}"#),
        ("[]", r#"{"__unparsedToolInput":{"raw":"[]","len":2}}"#),
        ("{} {}", r#"{"__unparsedToolInput":{"raw":"{} {}","len":5}}"#),
    ] {
        let message = with_input(input);
        assert!(message.contains(&format!(r#""input":{wanted}}}]"#)), "{message}");
        assert!(message.contains(r#""usage":{"input_tokens":3,"#), "the last usage counts: {message}");
    }
}

#[test]
fn a_failure_or_a_missing_end_gives_no_message() {
    assert_eq!(collect(&[START]), Err(NoMessage::Incomplete));
    let error = Frame::Error { kind: ErrorKind::Overloaded, message: "busy" };
    let failed = NoMessage::Failed { kind: ErrorKind::Overloaded, message: "busy".to_owned() };
    assert_eq!(collect(&[START, error]), Err(failed));
}
