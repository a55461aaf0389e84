//! What becomes of each member of a request.

#![expect(clippy::disallowed_types, reason = "tests look at what was written as JSON")]

use codeferry_wire::chat::ask::Request;
use serde_json::{Value, json};

use super::lower;
use crate::conversation::Conversation;
use crate::effort::Effort;
use crate::loss::Loss;
use crate::lower::{Lowered, Target, cut_out};

fn lowered(body: &Value, lite: bool, sampling: bool) -> Lowered {
    let text = body.to_string();
    let request = Request::parse(text.as_bytes()).expect("a request");
    let conversation = Conversation::of_chat(&request, None);
    let effort = Some(Effort::Low);
    let target = Target { model: "gpt-x", effort, summary: Some("auto"), lite, sampling, conversation: &conversation };
    lower(&request, &target, false, text.len())
}

fn body(lowered: &Lowered) -> Value {
    serde_json::from_slice(&lowered.body).expect("what is written is JSON")
}

fn saying(rest: Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
    body
}

fn losses(lowered: &Lowered) -> Vec<Loss> {
    lowered.losses.iter().collect()
}

#[test]
fn the_least_request() {
    let out = body(&lowered(&saying(json!({})), false, false));
    let key = out["prompt_cache_key"].clone();
    assert_eq!(
        out,
        json!({"model": "gpt-x", "instructions": "You are a helpful assistant.",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": key, "store": false, "stream": true})
    );
}

#[test]
fn instructions_stand_in_front_and_only_there() {
    let request = json!({"model": "m", "messages": [
        {"role": "system", "content": "a"}, {"role": "developer", "content": [{"type": "text", "text": "b"}]},
        {"role": "user", "content": "x"}, {"role": "system", "content": "c"}]});
    let out = body(&lowered(&request, false, false));
    assert_eq!(out["instructions"], "a\n\nb");
    assert_eq!(out["input"][1]["role"], "developer");
    let alone =
        json!({"model": "m", "messages": [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}]});
    let alone = body(&lowered(&alone, false, false));
    assert_eq!((alone["instructions"].as_str(), alone["input"][0]["role"].as_str()), (Some("a"), Some("developer")));
    let lite = body(&lowered(&request, true, false));
    assert!(lite.get("instructions").is_none());
    assert_eq!(lite["input"][0]["content"].as_array().map(Vec::len), Some(2));
}

#[test]
fn strict_schemas_stay_strict_and_others_are_not_called_so() {
    let strict = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let tool =
        |schema: &Value| json!({"type": "function", "function": {"name": "f", "strict": true, "parameters": schema}});
    let out = lowered(&saying(json!({"tools": [tool(&strict)]})), false, false);
    assert_eq!(body(&out)["tools"][0], json!({"type": "function", "name": "f", "strict": true, "parameters": strict}));
    assert_eq!(losses(&out), []);
    let loose = lowered(&saying(json!({"tools": [tool(&json!({"type": "object"}))]})), false, false);
    assert_eq!(body(&loose)["tools"][0]["strict"], false);
    assert_eq!(losses(&loose), [Loss::StrictTool]);
}

#[test]
fn lite_models_take_tools_as_the_first_item() {
    let out = body(&lowered(&saying(json!({"tools": [{"type": "function", "function": {"name": "f"}}]})), true, false));
    assert_eq!(out["input"][0]["type"], "additional_tools");
    assert_eq!(out["input"][0]["tools"][0]["tools"][0]["name"], "f");
    assert_eq!((out["tool_choice"].as_str(), out["parallel_tool_calls"].as_bool()), (Some("auto"), Some(false)));
}

#[test]
fn a_key_of_ones_own_takes_more() {
    let asked = saying(json!({"temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "service_tier": "flex"}));
    let own = lowered(&asked, false, true);
    let out = body(&own);
    assert_eq!(
        (out["temperature"].as_f64(), out["top_p"].as_f64(), out["max_output_tokens"].as_u64()),
        (Some(0.5), Some(0.9), Some(7))
    );
    assert_eq!(out["service_tier"], "flex");
    assert_eq!(losses(&own), []);
    // Each of them can be left out, and so can all.
    for optional in &own.optional {
        let rest: Value = serde_json::from_slice(&cut_out(&own.body, [&optional.range])).expect("JSON still");
        let (outer, inner) = optional.param.split_once('.').unwrap_or((optional.param, ""));
        assert!(
            rest.get(outer).and_then(|value| if inner.is_empty() { Some(value) } else { value.get(inner) }).is_none()
        );
    }
    let all = own.optional.iter().map(|optional| &optional.range);
    assert!(serde_json::from_slice::<Value>(&cut_out(&own.body, all)).is_ok());
    let plan = lowered(&asked, false, false);
    assert_eq!(losses(&plan), [Loss::ServiceTier, Loss::Temperature, Loss::TopP]);
}

#[test]
fn pictures_of_other_kinds_and_files_without_data_leave_notes() {
    let request = json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AA"}},
        {"type": "image_url", "image_url": "https://x/y.png"},
        {"type": "file", "file": {"file_id": "f"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "hologram", "x": 1}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "so"}]},
        {"role": "user", "content": "x"}]});
    let out = lowered(&request, false, false);
    assert_eq!(body(&out)["input"][1]["content"], json!([{"type": "output_text", "text": "so"}]));
    let parts = body(&out)["input"][0]["content"].clone();
    assert_eq!(parts[0]["text"], "[An image of type image/tiff, which cannot be shown here.]");
    assert_eq!(parts[1], json!({"type": "input_image", "image_url": "https://x/y.png"}));
    assert_eq!(parts[3]["filename"], "document.pdf");
    assert_eq!(parts[5]["text"], r#"{"type":"hologram","x":1}"#);
    assert_eq!(
        losses(&out),
        [Loss::Audio, Loss::FileSource, Loss::ForeignThinking, Loss::ImageType, Loss::UnknownBlock]
    );
}

#[test]
fn functions_of_the_older_form_find_their_results_by_name() {
    let call =
        |name: &str| json!({"role": "assistant", "content": null, "function_call": {"name": name, "arguments": "{}"}});
    let request = json!({"model": "m", "functions": [{"name": "f"}], "messages": [
        {"role": "user", "content": "go"}, call("f"), {"role": "function", "name": "f", "content": "1"},
        call("f"), {"role": "function", "name": "f", "content": "2"}]});
    let out = lowered(&request, false, false);
    let input = body(&out)["input"].clone();
    assert_eq!((input[1]["call_id"].clone(), input[2]["output"].as_str()), (input[2]["call_id"].clone(), Some("1")));
    assert_eq!((input[3]["call_id"].clone(), input[4]["output"].as_str()), (input[4]["call_id"].clone(), Some("2")));
    assert_ne!(input[1]["call_id"], input[3]["call_id"]);
    assert_eq!(losses(&out), []);
}
