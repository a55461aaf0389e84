//! Pure tests. No IO, no async.

use std::borrow::Cow;

use super::{CallPiece, Chunk, Trouble, Usage};

fn read(data: &str) -> Chunk<'_> {
    Chunk::parse(data).expect(data)
}

#[test]
fn text_has_one_place_and_reasoning_three() {
    let delta = |delta: &str| format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#);
    for (delta, content, reasoning) in [
        (delta(r#"{"role":"assistant","content":"hi"}"#), Some("hi"), None),
        (delta(r#"{"content":""}"#), None, None),
        (delta(r#"{"content":null,"reasoning":"a"}"#), None, Some("a")),
        (delta(r#"{"reasoning_content":"a"}"#), None, Some("a")),
        (
            delta(
                r#"{"reasoning":"a","reasoning_content":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}]}"#,
            ),
            None,
            Some("a"),
        ),
        (
            delta(
                r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"a"},{"type":"reasoning.encrypted","data":"x"},{"text":"b"}]}"#,
            ),
            None,
            Some("ab"),
        ),
        (
            delta(
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"x"}]}"#,
            ),
            Some("x"),
            Some("t"),
        ),
        (r#"{"choices":[{"index":1,"delta":{"content":"another choice"}}]}"#.to_owned(), None, None),
        (r#"{"choices":[{"message":{"content":"whole"}}]}"#.to_owned(), Some("whole"), None),
        (r#"{"choices":[{"text":"old"}]}"#.to_owned(), Some("old"), None),
        (r#"{"choices":null,"usage":7}"#.to_owned(), None, None),
    ] {
        let chunk = read(&delta);
        let got = (chunk.delta.content.as_deref(), chunk.delta.reasoning.as_deref());
        assert_eq!(got, (content, reasoning), "{delta}");
        assert_eq!((chunk.error, chunk.usage), (None, None), "{delta}");
    }
}

#[test]
fn calls_come_in_many_shapes() {
    let calls = |calls: &str| {
        let data = format!(r#"{{"choices":[{{"delta":{{"tool_calls":{calls}}}}}]}}"#);
        let calls = read(&data).delta.tool_calls;
        let own = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        let own = |call: CallPiece<'_>| CallPiece {
            index: call.index,
            id: own(call.id),
            name: own(call.name),
            arguments: own(call.arguments),
        };
        calls.into_iter().map(own).collect::<Vec<CallPiece<'static>>>()
    };
    let piece = |index, id: Option<&'static str>, name: Option<&'static str>, arguments: Option<&'static str>| {
        CallPiece { index, id: id.map(Into::into), name: name.map(Into::into), arguments: arguments.map(Into::into) }
    };
    assert_eq!(
        calls(r#"[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]"#),
        [piece(Some(0), Some("c"), Some("f"), None)]
    );
    assert_eq!(calls(r#"[{"index":0,"function":{"arguments":"{\"a"}}]"#), [piece(Some(0), None, None, Some("{\"a"))]);
    assert_eq!(
        calls(r#"[{"function":{"name":"f","arguments":{"a": 1}}},{"id":"","function":null}]"#),
        [piece(None, None, Some("f"), Some(r#"{"a": 1}"#)), piece(None, None, None, None)]
    );
    let old =
        r#"{"choices":[{"delta":{"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}]}"#;
    assert_eq!(read(old).delta.tool_calls, [piece(Some(0), None, Some("f"), Some("{}"))]);
    assert_eq!(read(old).finish_reason.as_deref(), Some("function_call"));
}

#[test]
fn usage_counts_what_was_cached_and_thought() {
    let usage = |usage: &str| read(&format!(r#"{{"choices":[],"usage":{usage}}}"#)).usage;
    assert_eq!(usage("null"), None);
    assert_eq!(usage(r#"{"cost":0}"#), None);
    let details = r#"{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4},
        "completion_tokens_details":{"reasoning_tokens":3}}"#;
    assert_eq!(usage(details), Some(Usage { prompt: 9, cached: 4, completion: 5, reasoning: 3 }));
    let deepseek = r#"{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":99}"#;
    assert_eq!(usage(deepseek), Some(Usage { prompt: 9, cached: 9, completion: 5, reasoning: 0 }));
}

#[test]
fn errors_are_errors_however_they_are_dressed() {
    let trouble = |data: &str| {
        let trouble = read(data).error.expect(data);
        (trouble.message.map(Cow::into_owned), trouble.status, trouble.code.or(trouble.kind).map(Cow::into_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    // OpenRouter, in the middle of a stream.
    let data = r#"{"id":"g","choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"gone"}}"#;
    assert_eq!(trouble(data), (some("gone"), Some(502), None));
    assert_eq!(trouble(r#"{"error":"model 'x' not found"}"#), (some("model 'x' not found"), None, None));
    let vllm = r#"{"object":"error","message":"no","type":"BadRequestError","param":null,"code":400}"#;
    assert_eq!(trouble(vllm), (some("no"), Some(400), some("BadRequestError")));
    assert_eq!(trouble(r#"{"detail":"Not Found"}"#), (some("Not Found"), None, None));
    for fine in [r#"{"error":null,"choices":[]}"#, r#"{"error":{},"choices":[]}"#, r#"{"choices":[]}"#, "{}"] {
        assert_eq!(read(fine).error, None::<Trouble<'_>>, "{fine}");
    }
    Chunk::parse("[DONE]").expect_err("the end is no chunk");
}
