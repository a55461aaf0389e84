use super::{Content, Message};
use crate::anthropic::frame::{Block, Delta, Stop, StopReason, Usage};

#[test]
fn a_message_has_the_members_the_sdks_ask_for() {
    let message = Message {
        id: "msg_1",
        model: "m",
        content: vec![
            Content::Thinking { thinking: "hm", signature: "s" },
            Content::Text {
                text: "a",
                citations: vec![Delta::Citation { url: "u", title: Some("t"), cited_text: "a" }],
            },
            Content::Text { text: "b", citations: vec![] },
            Content::ToolUse { id: "call_1", name: "Read", input: r#"{"a":1}"# },
            Content::ServerToolUse { id: "s_1", name: "web_search", input: "{}" },
            Content::Whole(Block::RedactedThinking { data: "x" }),
        ],
        stop: Some(Stop::plain(StopReason::ToolUse)),
        usage: Usage { input_tokens: 1, output_tokens: 2, ..Usage::default() },
    };
    let mut out = Vec::new();
    message.write_json(&mut out);
    assert_eq!(
        String::from_utf8(out).expect("UTF-8"),
        concat!(
            r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":["#,
            r#"{"type":"thinking","thinking":"hm","signature":"s"},"#,
            r#"{"type":"text","text":"a","citations":[{"type":"web_search_result_location","url":"u","title":"t","encrypted_index":"","cited_text":"a"}]},"#,
            r#"{"type":"text","text":"b"},"#,
            r#"{"type":"tool_use","id":"call_1","name":"Read","input":{"a":1}},"#,
            r#"{"type":"server_tool_use","id":"s_1","name":"web_search","input":{}},"#,
            r#"{"type":"redacted_thinking","data":"x"}],"#,
            r#""stop_reason":"tool_use","stop_sequence":null,"#,
            r#""usage":{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}"#
        )
    );
}
