use super::{Block, Delta, Found, Frame, Page, Stop, StopReason, Usage};
use crate::anthropic::ErrorKind;

fn sse(frame: Frame<'_>) -> String {
    let mut out = Vec::new();
    frame.write_sse(&mut out);
    String::from_utf8(out).expect("frames are UTF-8")
}

#[test]
fn each_frame_is_one_record_with_its_event_line() {
    let pages = [Page { url: "https://a.test/?q=\"", title: "A" }];
    let usage = Usage { input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 7, ..Usage::default() };
    let table = [
        (
            Frame::MessageStart { id: "msg_1", model: "m\"1", usage: Usage { input_tokens: 3, ..Usage::default() } },
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m\"1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}"#,
        ),
        (
            Frame::BlockStart { index: 0, block: Block::Text },
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
        (
            Frame::BlockStart { index: 12, block: Block::Thinking },
            r#"{"type":"content_block_start","index":12,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        ),
        (
            Frame::BlockStart { index: 1, block: Block::RedactedThinking { data: "x" } },
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"x"}}"#,
        ),
        (
            Frame::BlockStart { index: 1, block: Block::ToolUse { id: "call_1", name: "Read" } },
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_1","name":"Read","input":{}}}"#,
        ),
        (
            Frame::BlockStart { index: 1, block: Block::ServerToolUse { id: "s", name: "web_search" } },
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
        ),
        (
            Frame::BlockStart {
                index: 2,
                block: Block::SearchResult { tool_use_id: "s", found: Found::Pages(&pages) },
            },
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"https://a.test/?q=\"","title":"A","encrypted_content":"","page_age":null}]}}"#,
        ),
        (
            Frame::BlockStart { index: 2, block: Block::SearchResult { tool_use_id: "s", found: Found::Unavailable } },
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result","tool_use_id":"s","content":{"type":"web_search_tool_result_error","error_code":"unavailable"}}}"#,
        ),
        (
            Frame::BlockDelta { index: 0, delta: Delta::Text("a\n\u{1}é") },
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\n\u0001é"}}"#,
        ),
        (
            Frame::BlockDelta { index: 0, delta: Delta::InputJson("{\"a\":") },
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
        ),
        (
            Frame::BlockDelta { index: 0, delta: Delta::Thinking("t") },
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"t"}}"#,
        ),
        (
            Frame::BlockDelta { index: 0, delta: Delta::Signature("s") },
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}"#,
        ),
        (
            Frame::BlockDelta { index: 0, delta: Delta::Citation { url: "u", title: None, cited_text: "c" } },
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"u","title":null,"encrypted_index":"","cited_text":"c"}}}"#,
        ),
        (Frame::BlockStop { index: 4_294_967_295 }, r#"{"type":"content_block_stop","index":4294967295}"#),
        (
            Frame::MessageDelta { stop: Some(Stop::plain(StopReason::EndTurn)), usage },
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":90,"output_tokens":7}}"#,
        ),
        (
            Frame::MessageDelta {
                stop: Some(Stop { sequence: Some("\n\n"), ..Stop::plain(StopReason::StopSequence) }),
                usage: Usage { thinking_tokens: 5, web_search_requests: 2, ..usage },
            },
            r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"\n\n"},"usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":90,"output_tokens":7,"output_tokens_details":{"thinking_tokens":5},"server_tool_use":{"web_search_requests":2,"web_fetch_requests":0}}}"#,
        ),
        (
            Frame::MessageDelta {
                stop: Some(Stop { explanation: Some("no"), ..Stop::plain(StopReason::Refusal) }),
                usage: Usage::default(),
            },
            r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":"no"}},"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}"#,
        ),
        (
            Frame::MessageDelta { stop: None, usage: Usage::default() },
            r#"{"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},"usage":{"output_tokens":0}}"#,
        ),
        (Frame::MessageStop, r#"{"type":"message_stop"}"#),
        (Frame::Ping, r#"{"type":"ping"}"#),
        (
            Frame::Error { kind: ErrorKind::Overloaded, message: "busy" },
            r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#,
        ),
    ];
    for (frame, json) in table {
        assert_eq!(sse(frame), format!("event: {}\ndata: {json}\n\n", frame.event()));
        let parsed: serde_json::Map<_, _> = serde_json::from_str(json).expect("a frame is a JSON object");
        assert_eq!(parsed["type"], frame.event(), "clients trust either name");
    }
}
