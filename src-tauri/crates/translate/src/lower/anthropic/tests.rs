//! The mapping of `docs/dialects.md`, row by row, and the laws of the history.

#![expect(clippy::disallowed_types, reason = "the tests look into the bodies that were written")]

use codeferry_wire::anthropic::request::Request;
use serde_json::{Value, json};

use super::{Lowered, Refusal, Target, lower};
use crate::conversation::{Conversation, Hints};
use crate::effort::Effort;
use crate::envelope::{Reasoning, seal};
use crate::lower::{ReasoningSpan, cut_out};

fn lower_with(body: &Value, change: impl FnOnce(&mut Target<'_>)) -> Result<Lowered, Refusal> {
    let bytes = body.to_string();
    let request = Request::parse(bytes.as_bytes())?;
    let conversation = Conversation::of_anthropic(&request, Hints { session: Some("s"), agent: None });
    let mut target = Target {
        model: "gpt-x",
        effort: Some(Effort::High),
        summary: Some("auto"),
        lite: false,
        sampling: false,
        conversation: &conversation,
    };
    change(&mut target);
    lower(&request, &target, bytes.len())
}

fn lowered(body: &Value) -> (Value, Lowered) {
    let lowered = lower_with(body, |_| {}).expect("the request can be served");
    let written = serde_json::from_slice(&lowered.body).expect("the body is JSON");
    (written, lowered)
}

/// The input items for a conversation, and the losses by name.
fn input(messages: Value) -> (Value, String) {
    let (mut body, lowered) = lowered(&json!({"model": "m", "messages": messages}));
    (body["input"].take(), lowered.losses.header())
}

fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

fn assistant(content: Value) -> Value {
    json!({"role": "assistant", "content": content})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "Read", "input": {"file_path": "a \"b\""}})
}

fn result(id: &str, content: Value) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn message(role: &str, parts: Value) -> Value {
    json!({"type": "message", "role": role, "content": parts})
}

fn input_text(text: &str) -> Value {
    json!({"type": "input_text", "text": text})
}

#[test]
fn the_frame_of_a_request() {
    let (body, lowered) = lowered(&json!({
        "model": "claude-x", "max_tokens": 5, "stream": true,
        "system": [text("x-anthropic-billing-header: cc_version=1;"), text("You are."), text("Do \"it\".")],
        "messages": [user(json!("hi"))],
        "tools": [{"name": "T", "description": "does", "input_schema": {"type": "object", "properties": {}},
                   "cache_control": {"type": "ephemeral"}, "defer_loading": true, "eager_input_streaming": true}],
        "thinking": {"type": "adaptive"}, "context_management": {"edits": []},
    }));
    assert_eq!(
        body,
        json!({
            "model": "gpt-x",
            "instructions": "You are.\n\nDo \"it\".",
            "tools": [{"type": "function", "name": "T", "description": "does", "strict": false,
                       "parameters": {"type": "object", "properties": {}}}],
            "input": [message("user", json!([input_text("hi")]))],
            "tool_choice": "auto", "parallel_tool_calls": true,
            "reasoning": {"effort": "high", "summary": "auto"},
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": lowered_key(), "store": false, "stream": true,
        })
    );
    assert!(lowered.losses.is_empty(), "{}", lowered.losses.header());
}

fn lowered_key() -> String {
    let request = br#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let request = Request::parse(request).unwrap();
    Conversation::of_anthropic(&request, Hints { session: Some("s"), agent: None }).key
}

#[test]
fn instructions_are_never_empty() {
    let (body, _) = lowered(&json!({"model": "m", "messages": [user(json!("x"))], "system": ""}));
    assert_eq!(body["instructions"], super::DEFAULT_INSTRUCTIONS);
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none());
}

#[test]
fn texts_images_and_documents() {
    let (items, losses) = input(json!([user(json!([
        text("look"), text(""),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO+/="}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}, "title": "Plan", "context": "draft"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}, "title": "Note"},
        {"type": "search_result", "title": "Hit", "source": "https://h", "content": [text("found")]},
    ]))]));
    assert_eq!(
        items,
        json!([message(
            "user",
            json!([
                input_text("look"),
                {"type": "input_image", "image_url": "data:image/png;base64,iVBO+/="},
                {"type": "input_image", "image_url": "https://x/y.png"},
                input_text("draft"),
                {"type": "input_file", "filename": "Plan.pdf", "file_data": "data:application/pdf;base64,JVBE"},
                input_text("Note"), input_text("plain"),
                input_text("Hit"), input_text("https://h"), input_text("found"),
            ])
        )])
    );
    assert_eq!(losses, "");
}

#[test]
fn system_messages_keep_their_place() {
    let (items, _) =
        input(json!([user(json!("a")), {"role": "system", "content": "b"}, assistant(json!("c")), user(json!("d"))]));
    assert_eq!(
        items,
        json!([
            message("user", json!([input_text("a")])),
            message("developer", json!([input_text("b")])),
            message("assistant", json!([{"type": "output_text", "text": "c"}])),
            message("user", json!([input_text("d")])),
        ])
    );
}

#[test]
fn tool_results_of_every_kind() {
    let (items, losses) = input(json!([
        assistant(json!([text("on it"), call("1"), call("2"), call("3"), call("4")])),
        user(json!([
            result("2", json!("plain")),
            {"type": "tool_result", "tool_use_id": "1", "content": "no such file", "is_error": true},
            result("4", json!([text("see"), {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AA"}},
                              {"type": "tool_reference", "tool_name": "X"},
                              {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "BB"}}])),
            {"type": "tool_result", "tool_use_id": "3"},
            text("go on"),
        ])),
    ]));
    let called = |id: &str| json!({"type": "function_call", "call_id": id, "name": "Read", "arguments": r#"{"file_path":"a \"b\""}"#});
    let output = |id: &str, output: Value| json!({"type": "function_call_output", "call_id": id, "output": output});
    assert_eq!(
        items,
        json!([
            message("assistant", json!([{"type": "output_text", "text": "on it"}])),
            called("1"),
            called("2"),
            called("3"),
            called("4"),
            output("2", json!("plain")),
            output("1", json!("The tool reported an error:\nno such file")),
            output(
                "4",
                json!([
                    input_text("see"), {"type": "input_image", "image_url": "data:image/jpeg;base64,AA"},
                    input_text("Tool available: X"), input_text("[The document follows.]"),
                ])
            ),
            output("3", json!("")),
            message(
                "user",
                json!([
                    input_text("go on"),
                    {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,BB"},
                ])
            ),
        ])
    );
    assert_eq!(losses, "");
}

#[test]
fn no_call_goes_without_result_and_no_result_without_call() {
    let (items, losses) = input(json!([
        user(json!([result("gone", json!("kept as text"))])),
        assistant(json!([call("open")])),
        user(json!("never mind")),
    ]));
    assert_eq!(items[0], message("user", json!([input_text("kept as text")])));
    assert_eq!(items[1]["call_id"], "open");
    assert_eq!(items[2]["type"], "function_call_output");
    assert_eq!(items[3], message("user", json!([input_text("never mind")])));
    assert_eq!(losses, "missing_result, orphan_result");
}

#[test]
fn long_ids_and_names_are_shortened_alike_on_both_sides() {
    let (id, name) = (format!("call|{}", "x".repeat(270)), format!("mcp__{}", "long".repeat(30)));
    let (body, lowered) = lowered(&json!({"model": "m",
        "messages": [
            user(json!("go")),
            assistant(json!([{"type": "tool_use", "id": id, "name": name, "input": {}}])),
            user(json!([result(&id, json!("ok"))]))],
        "tools": [{"name": name, "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "tool", "name": name, "disable_parallel_tool_use": true}}));
    let short = body["tools"][0]["name"].as_str().unwrap();
    assert!(short.len() <= 64);
    assert_eq!(body["input"][1]["name"], short);
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": short}));
    assert_eq!(body["parallel_tool_calls"], false);
    assert_eq!(body["input"][1]["call_id"], body["input"][2]["call_id"]);
    assert!(body["input"][1]["call_id"].as_str().unwrap().len() <= 64);
    assert_eq!(lowered.names.restore(short), name);
    assert_eq!(lowered.call_ids, [id]);
}

#[test]
fn thinking_travels_in_its_envelope() {
    let ours = |account, sealed| seal(Reasoning { account, encrypted_content: sealed });
    let thinking = |signature: &str| json!({"type": "thinking", "thinking": "summary", "signature": signature});
    let body = json!({"model": "m", "messages": [
        user(json!("go")),
        assistant(json!([thinking(&ours("acc_1", "AAA=")), call("1")])),
        user(json!([result("1", json!("ok"))])),
        assistant(json!([
            thinking("EqQBforeign"), {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "redacted_thinking", "data": ours("acc_2", "BBB")}, text("done")])),
        user(json!("more")),
        assistant(json!([thinking(&ours("acc_1", "CCC"))])),
    ]});
    let (written, lowered) = lowered(&body);
    let sealed = |content: &str| json!({"type": "reasoning", "summary": [], "encrypted_content": content});
    assert_eq!(written["input"][1], sealed("AAA="));
    assert_eq!(written["input"][2]["type"], "function_call");
    assert_eq!(written["input"][4], sealed("BBB"));
    assert_eq!(written["input"][5]["role"], "assistant");
    assert_eq!(written["input"].as_array().unwrap().len(), 7, "reasoning that led to nothing is left out");
    assert_eq!(lowered.losses.header(), "foreign_thinking, trailing_thinking");

    let kept: Value = serde_json::from_slice(&without(&lowered, |span| span.account == "acc_1")).unwrap();
    let mut expected = written;
    expected["input"].as_array_mut().unwrap().remove(4);
    assert_eq!(kept, expected);
    let none: Value = serde_json::from_slice(&without(&lowered, |_| false)).unwrap();
    expected["input"].as_array_mut().unwrap().remove(1);
    assert_eq!(none, expected);
}

fn without(lowered: &Lowered, keep: impl Fn(&ReasoningSpan) -> bool) -> Vec<u8> {
    cut_out(&lowered.body, lowered.reasoning.iter().filter(|span| !keep(span)).map(|span| &span.range))
}

#[test]
fn reasoning_at_the_head_of_the_list_is_cut_out_cleanly() {
    let signature = seal(Reasoning { account: "acc_1", encrypted_content: "AAA" });
    let (mut expected, lowered) = lowered(&json!({"model": "m", "messages": [
        assistant(json!([{"type": "thinking", "thinking": "", "signature": signature}, text("hi")])), user(json!("x"))]}));
    expected["input"].as_array_mut().unwrap().remove(0);
    let without: Value = serde_json::from_slice(&without(&lowered, |_| false)).unwrap();
    assert_eq!(without, expected);
}

#[test]
fn tool_choice_in_all_forms() {
    let choose = |choice: Value| {
        lowered(&json!({"model": "m", "messages": [user(json!("x"))], "tool_choice": choice,
            "tools": [{"name": "T"}, {"type": "web_search_20250305", "name": "web_search"}]}))
        .0["tool_choice"]
            .clone()
    };
    assert_eq!(choose(json!({"type": "auto"})), "auto");
    assert_eq!(choose(json!({"type": "any"})), "required");
    assert_eq!(choose(json!({"type": "none"})), "none");
    assert_eq!(choose(json!({"type": "tool", "name": "T"})), json!({"type": "function", "name": "T"}));
    assert_eq!(choose(json!({"type": "tool", "name": "web_search"})), json!({"type": "web_search"}));
    let unknown = lower_with(
        &json!({"model": "m", "messages": [user(json!("x"))], "tools": [{"name": "T"}], "tool_choice": {"type": "tool", "name": "U"}}),
        |_| {},
    );
    assert_eq!(unknown.err(), Some(Refusal::UnknownTool("U".into())));
}

#[test]
fn web_search_and_the_tools_models_know_by_heart() {
    let (body, lowered) = lowered(&json!({"model": "m", "messages": [user(json!("x"))],
        "tool_choice": {"type": "tool", "name": "web_search"},
        "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 8, "allowed_domains": ["a.org"],
                   "user_location": {"type": "approximate", "country": "DE"}}]}));
    assert_eq!(
        body["tools"],
        json!([{"type": "web_search", "external_web_access": true, "filters": {"allowed_domains": ["a.org"]},
               "user_location": {"type": "approximate", "country": "DE"}}])
    );
    assert_eq!(body["tool_choice"], "required");
    assert_eq!(body["include"], json!(["reasoning.encrypted_content", "web_search_call.action.sources"]));
    assert_eq!(lowered.losses.header(), "max_uses");

    let (body, lowered) = self::lowered(&json!({"model": "m", "messages": [user(json!("x"))],
        "tools": [{"type": "bash_20250124", "name": "bash"}, {"type": "code_execution_20250825", "name": "code_execution"}]}));
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(body["tools"][0]["name"], "bash");
    assert!(body["tools"][0]["parameters"]["properties"]["command"].is_object());
    assert_eq!(lowered.losses.header(), "server_tool");
}

#[test]
fn a_json_schema_for_the_answer() {
    let strict = json!({"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"], "additionalProperties": false});
    let (body, _) = lowered(&json!({"model": "m", "messages": [user(json!("x"))], "thinking": {"type": "disabled"},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": strict}}}));
    assert_eq!(
        body["text"],
        json!({"format": {"type": "json_schema", "name": "output", "strict": true, "schema": strict}})
    );
    assert_eq!(body["reasoning"], json!({"effort": "high"}), "no summary for a client that shows no thinking");
}

#[test]
fn what_upstreams_may_refuse_can_be_cut_out() {
    let body = json!({"model": "m", "messages": [user(json!("x"))], "thinking": {"type": "adaptive"}});
    for (effort, lite) in [(Some(Effort::Low), false), (None, false), (None, true)] {
        let lowered = lower_with(&body, |target| (target.effort, target.lite) = (effort, lite)).unwrap();
        let mut expected: Value = serde_json::from_slice(&lowered.body).unwrap();
        for optional in &lowered.optional {
            let (parent, name) =
                optional.param.rsplit_once('.').map_or(("", optional.param), |(parent, name)| (parent, name));
            let parent = if parent.is_empty() { &mut expected } else { &mut expected[parent] };
            assert!(parent.as_object_mut().unwrap().remove(name).is_some(), "{}", optional.param);
        }
        let ranges = lowered.optional.iter().map(|optional| &optional.range);
        let cut: Value = serde_json::from_slice(&cut_out(&lowered.body, ranges)).unwrap();
        assert_eq!(cut, expected);
        assert_eq!(lowered.optional.len(), 2);
    }
}

#[test]
fn the_lite_shape() {
    let body = json!({"model": "m", "system": "be", "messages": [user(json!("x"))], "tools": [{"name": "T"}]});
    let lowered = lower_with(&body, |target| target.lite = true).unwrap();
    let body: Value = serde_json::from_slice(&lowered.body).unwrap();
    assert!(body.get("tools").is_none() && body.get("instructions").is_none());
    assert_eq!(body["input"][0]["type"], "additional_tools");
    assert_eq!(body["input"][0]["tools"][0]["tools"][0]["name"], "T");
    assert_eq!(body["input"][1], message("developer", json!([input_text("be")])));
    assert_eq!(body["parallel_tool_calls"], false);
    assert_eq!(body["reasoning"]["context"], "all_turns");
}

#[test]
fn what_cannot_be_carried_is_named() {
    let (_, lowered) = lowered(&json!({"model": "m", "temperature": 0.3, "top_p": 0.9, "top_k": 5,
        "mcp_servers": [{"url": "x"}], "brand_new": 1, "max_tokens": 5, "stop_sequences": ["a"],
        "messages": [user(json!([
            {"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": "AA"}},
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            {"type": "hologram"}])), assistant(json!("I say"))]}));
    assert_eq!(
        lowered.losses.header(),
        "file_source, image_type, mcp_servers, prefill, temperature, top_k, top_p, unknown_block, unknown_member"
    );
    let (_, lowered) = self::lowered(&json!({"model": "m", "temperature": 1, "messages": [user(json!("x"))]}));
    assert!(lowered.losses.is_empty());
}

#[test]
fn threads_are_refused_so_that_the_client_replays() {
    let body = json!({"model": "m", "messages": [user(json!("x"))], "thread": {"type": "create"}});
    assert_eq!(lower_with(&body, |_| {}).err(), Some(Refusal::Thread));
}

/// The law the prompt cache lives on: a longer history begins with the bytes of the shorter one.
#[test]
fn the_same_history_gives_the_same_bytes() {
    let turns = [
        user(json!([text("a"), {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}])),
        assistant(json!([text("t"), call("1")])),
        user(json!([result("1", json!("r"))])),
        assistant(json!("done")),
        user(json!("next")),
    ];
    let lower_first = |count: usize| {
        let body = json!({"model": "m", "system": [text(&format!("x-anthropic-billing-header: {count}")), text("s")],
            "messages": turns[..count], "tools": [{"name": "Read"}], "max_tokens": count * 100});
        String::from_utf8(lower_with(&body, |_| {}).unwrap().body).unwrap()
    };
    let history = |body: &str| body[..body.find("],\"tool_choice\"").unwrap()].to_owned();
    for count in [1, 3, 5] {
        let (shorter, longer) = (history(&lower_first(count)), history(&lower_first(5)));
        assert!(longer.starts_with(&shorter), "{shorter}\nis no prefix of\n{longer}");
    }
}

#[test]
fn every_captured_request_is_lowered_without_loss() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fixtures/claude");
    let mut lost = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the captured requests") {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let trace: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if !trace["body"].is_object() {
            continue;
        }
        let (body, lowered) = lowered(&trace["body"]);
        let mut open = std::collections::HashSet::new();
        for item in body["input"].as_array().unwrap() {
            match item["type"].as_str().unwrap() {
                "function_call" => assert!(open.insert(item["call_id"].clone()), "{name}: a call id twice"),
                "function_call_output" => assert!(open.remove(&item["call_id"]), "{name}: a result without call"),
                _ => {}
            }
        }
        assert!(open.is_empty(), "{name}: calls without results");
        let losses = lowered.losses.header();
        if !losses.is_empty() {
            lost.push((name, losses));
        }
    }
    lost.sort();
    // What is really lost: a search limited to 8 uses, and thinking that another service signed.
    let foreign = ["02-tools-last-turn.json", "15-continue-resume.json", "16-compact-request.json"];
    let mut expected = foreign.map(|name| (name.to_owned(), "foreign_thinking".to_owned())).to_vec();
    expected.insert(1, ("08-websearch-server-tool.json".into(), "max_uses".into()));
    assert_eq!(lost, expected);
}
