//! What is folded, and what is not.

use codeferry_wire::chat::error::ErrorBody;
use codeferry_wire::chat::frame::{Form, Frame, Head, Reason, Usage};

use super::{Collector, NoCompletion};

fn collected(frames: &[Frame<'_>]) -> Result<String, NoCompletion> {
    let head = Head::new(Form::Chat, "id".to_owned(), 7, "m".to_owned(), false);
    let mut collector = Collector::new();
    frames.iter().for_each(|frame| collector.on(*frame));
    collector.finish(&head).map(|json| String::from_utf8(json).expect("UTF-8"))
}

#[test]
fn an_answer_without_its_end_is_none() {
    assert_eq!(collected(&[Frame::Role, Frame::Content("a")]), Err(NoCompletion::Incomplete));
    let error = ErrorBody { kind: "server_error", message: "gone", param: None, code: None };
    assert_eq!(collected(&[Frame::Content("a"), Frame::Error(error)]), Err(NoCompletion::Failed("gone".to_owned())));
}

#[test]
fn pieces_become_a_whole() {
    let json = collected(&[
        Frame::Role,
        Frame::Reasoning("hm"),
        Frame::Content("a"),
        Frame::Content("b"),
        Frame::Call { index: 0, id: "c0", name: "f" },
        Frame::Arguments { index: 0, text: "{" },
        Frame::Arguments { index: 0, text: "}" },
        Frame::Finish(Reason::ToolCalls),
        Frame::Usage(Usage { prompt: 1, cached: 0, completion: 2, reasoning: 0 }),
        Frame::Done,
    ])
    .expect("an answer");
    for piece in [
        r#""content":"ab","refusal":null,"reasoning_content":"hm""#,
        r#""tool_calls":[{"id":"c0","type":"function","function":{"name":"f","arguments":"{}"}}]"#,
        r#""finish_reason":"tool_calls""#,
        r#""total_tokens":3"#,
    ] {
        assert!(json.contains(piece), "{piece} in {json}");
    }
}
