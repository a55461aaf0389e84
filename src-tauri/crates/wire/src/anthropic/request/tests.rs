//! Shapes the real client sends (`claude-code.md §3`), and bodies that are none.

#![expect(clippy::disallowed_types, reason = "the tests compare with serde_json")]

use super::{BadRequest, Block, ChoiceMode, Content, Request, Role, Source, Thinking};

fn parse(text: &str) -> Request<'_> {
    Request::parse(text.as_bytes()).expect("the body is a request")
}

fn refused(text: &str) -> String {
    Request::parse(text.as_bytes()).expect_err("the body is no request").to_string()
}

#[test]
fn a_turn_with_everything_in_it() {
    let request = parse(
        r#"{"messages":[
            {"content":"hi","role":"user"},
            {"role":"system","content":"be brief"},
            {"role":"assistant","content":[
                {"thinking":"hm","signature":"s","type":"thinking"},
                {"type":"text","text":"a\nb","cache_control":{"type":"ephemeral"}},
                {"type":"tool_use","id":"t1","name":"Read","input":{"a":1}}]},
            {"role":"user","content":[
                {"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[
                    {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
                    {"type":"tool_reference","tool_name":"X"}]},
                {"type":"hologram","x":[1]}]}],
          "system":[{"type":"text","text":"sys"}],"model":"m","max_tokens":10,
          "tools":[{"name":"Read","description":"reads","input_schema":{"type":"object"}}],
          "tool_choice":{"type":"tool","name":"Read","disable_parallel_tool_use":true},
          "thinking":{"type":"enabled","budget_tokens":31999},
          "output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object"}}},
          "stop_sequences":["END"],"brand_new":1,"stream":true}"#,
    );
    assert_eq!(
        request.messages.iter().map(|message| message.role).collect::<Vec<_>>(),
        [Role::User, Role::System, Role::Assistant, Role::User]
    );
    assert!(matches!(&request.messages[2].content[..], [
        Block::Thinking { signature },
        Block::Text { text },
        Block::ToolUse { id, name, input },
    ] if signature == "s" && text.as_slice_str() == r#""a\nb""# && id == "t1" && name == "Read" && input.as_slice_str() == r#"{"a":1}"#));
    let Block::ToolResult { content: Content::Blocks(blocks), is_error: true, .. } = &request.messages[3].content[0]
    else {
        panic!("not a failed tool result with blocks");
    };
    assert!(matches!(&blocks[..], [
        Block::Image { source: Source::Base64 { media_type, data: "AAAA" } },
        Block::ToolReference { name },
    ] if media_type == "image/png" && name == "X"));
    assert!(matches!(&request.messages[3].content[1], Block::Other { tag, raw }
        if tag == "hologram" && raw.as_slice_str() == r#"{"type":"hologram","x":[1]}"#));
    assert_eq!(request.thinking, Thinking::Enabled { budget: Some(31999) });
    let choice = request.tool_choice.as_ref().unwrap();
    assert_eq!((&choice.mode, choice.no_parallel), (&ChoiceMode::Tool("Read".into()), true));
    assert_eq!(request.format.unwrap().as_slice_str(), r#"{"type":"object"}"#);
    assert_eq!((request.stream, request.max_tokens, request.effort.as_deref()), (true, Some(10), Some("high")));
    assert_eq!((request.stop_sequences.len(), &request.unknown[..]), (1, &["brand_new".to_owned()][..]));
}

#[test]
fn stream_is_off_unless_asked_for() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    assert!(!parse(body).stream);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let table = [
        (r#"{"model":"m"}"#, "messages: Field required"),
        (r#"{"messages":[{"role":"user","content":"x"}]}"#, "model: Field required"),
        (r#"{"model":"m","messages":[]}"#, "messages: at least one message is required"),
        (r#"{"model":1,"messages":[]}"#, "model: expected a string (byte 10)"),
        (
            r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"owner","content":"x"}]}"#,
            "messages.1.role: expected 'user', 'assistant' or 'system' (byte 70)",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
            "messages.0.content.0: expected 'text', a string (byte 66)",
        ),
        (r#"[]"#, "body: expected an object (byte 0)"),
        (r#"{"model":"m","#, "the request body is not valid JSON: unexpected end of JSON at byte 13"),
        (r#"{"model":"m","messages":[]} x"#, "the request body is not valid JSON: trailing characters at byte 28"),
    ];
    for (body, message) in table {
        assert_eq!(refused(body), message, "for {body}");
    }
    assert!(matches!(Request::parse(b"\xff"), Err(BadRequest::Json(_))));
}

#[test]
fn every_captured_shape_is_read_without_unknown_blocks() {
    let mut read = 0;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fixtures/claude");
    for entry in std::fs::read_dir(folder).expect("the captured requests are in tests/fixtures/claude") {
        let path = entry.unwrap().path();
        let trace: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if !trace["body"].is_object() {
            continue;
        }
        let body = serde_json::to_vec(&trace["body"]).unwrap();
        let request = Request::parse(&body).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(request.unknown.is_empty(), "{}: unknown members {:?}", path.display(), request.unknown);
        for block in request.messages.iter().flat_map(|message| &message.content) {
            assert!(!matches!(block, Block::Other { .. }), "{}: {block:?}", path.display());
        }
        read += 1;
    }
    assert!(read > 30, "only {read} captures were found");
}
