//! What holds for every Gemini request, whatever history a client makes up.

use std::collections::HashSet;

use codeferry_translate::conversation::Conversation;
use codeferry_translate::lower::gemini::lower;
use codeferry_translate::lower::{Lowered, Target, cut_out};
use codeferry_translate::{Loss, count, envelope};
use codeferry_wire::gemini::request::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A text that nothing else contains.
fn mark() -> impl Strategy<Value = String> {
    any::<u16>().prop_map(|number| format!("mark-{number} \"quoted\" \\ \u{e9}\n"))
}

fn part() -> impl Strategy<Value = Value> {
    let sealed = envelope::seal(envelope::Reasoning { account: "acc_1", encrypted_content: "gAAAA" });
    let signature = prop::sample::select(vec![None, None, Some(envelope::pack(&[sealed])), Some("c2ln".to_owned())]);
    let id = || prop::sample::select(vec![None, None, Some("a"), Some("b")]);
    let name = || prop::sample::select(vec!["f", "g"]);
    let said = prop_oneof![
        4 => mark().prop_map(|text| json!({"text": text})),
        1 => mark().prop_map(|text| json!({"text": text, "thought": true})),
        4 => (id(), name()).prop_map(|(id, name)| json!({"functionCall": {"id": id, "name": name, "args": {"a": 1}}})),
        3 => (id(), name(), mark())
            .prop_map(|(id, name, text)| json!({"functionResponse": {"id": id, "name": name, "response": {"output": text}}})),
        1 => (id(), name())
            .prop_map(|(id, name)| json!({"functionResponse": {"id": id, "name": name, "response": {"x": 1}, "parts": [{"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}]}})),
        1 => Just(json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}})),
        1 => Just(json!({"executableCode": {}})),
    ];
    (said, signature).prop_map(|(mut said, signature)| {
        if let Some(signature) = signature {
            said["thoughtSignature"] = json!(signature);
        }
        said
    })
}

fn contents() -> impl Strategy<Value = Vec<Value>> {
    let role = prop::sample::select(vec!["user", "model", "model", "function"]);
    let content =
        (role, prop::collection::vec(part(), 0..5)).prop_map(|(role, parts)| json!({"role": role, "parts": parts}));
    prop::collection::vec(content, 1..10)
}

fn lowered(contents: &[Value], lite: bool) -> Lowered {
    let body = json!({"contents": contents, "tools": [{"functionDeclarations": [{"name": "f"}]}]}).to_string();
    let request = Request::parse(body.as_bytes()).expect("a request");
    let conversation = Conversation::of_gemini("m", &request);
    let target =
        Target { model: "gpt-x", effort: None, summary: None, lite, sampling: false, conversation: &conversation };
    lower(&request, &target, body.len())
}

/// Every text of a history that the model is to see.
fn marks(contents: &[Value]) -> Vec<&str> {
    let parts = contents.iter().flat_map(|content| content["parts"].as_array().expect("parts"));
    let texts = parts.filter(|part| part["thought"] != true);
    texts.filter_map(|part| part["text"].as_str().or(part["functionResponse"]["response"]["output"].as_str())).collect()
}

/// A whole request in which one member is something else.
fn damaged() -> impl Strategy<Value = Value> {
    let whole = json!({"contents": [{"role": "user", "parts": [{"text": "x"}, {"inlineData": {"mimeType": "image/png", "data": "AA"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "x"}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}],
        "systemInstruction": {"parts": [{"text": "s"}]}, "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}], "googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {"maxOutputTokens": 5, "stopSequences": ["x"], "responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}, "minItems": "1"},
            "thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}, "candidateCount": 1, "temperature": 1}});
    let places = [
        "/contents",
        "/contents/0",
        "/contents/0/role",
        "/contents/0/parts",
        "/contents/0/parts/0",
        "/contents/0/parts/1/inlineData/data",
        "/contents/1/parts/0/functionCall",
        "/contents/1/parts/0/functionCall/args",
        "/contents/1/parts/0/thoughtSignature",
        "/contents/2/parts/0/functionResponse/response",
        "/systemInstruction",
        "/tools",
        "/tools/0/functionDeclarations/0/parameters",
        "/tools/0/functionDeclarations/0/parameters/type",
        "/toolConfig/functionCallingConfig",
        "/generationConfig",
        "/generationConfig/responseSchema/items",
        "/generationConfig/responseSchema/minItems",
        "/generationConfig/stopSequences",
        "/generationConfig/thinkingConfig",
    ];
    let values = vec![
        json!(null),
        json!(7),
        json!(-1.5),
        json!("text"),
        json!([]),
        json!({}),
        json!([null]),
        json!({"type": "X"}),
        json!(true),
    ];
    (prop::sample::select(places.to_vec()), prop::sample::select(values)).prop_map(move |(place, value)| {
        let mut body = whole.clone();
        if let Some(there) = body.pointer_mut(place) {
            *there = value;
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The upstream refuses a result without its call and a call without its result; and nothing that was said is lost.
    #[test]
    fn every_history_is_taken_whole(contents in contents(), lite in any::<bool>()) {
        let lowered = lowered(&contents, lite);
        let body: Value = serde_json::from_slice(&lowered.body).expect("what is written is JSON");
        let (mut calls, mut open) = (HashSet::new(), HashSet::new());
        let mut reasoning = false;
        for item in body["input"].as_array().expect("items") {
            let id = item["call_id"].as_str().unwrap_or_default().to_owned();
            let kind = item["type"].as_str().expect("every item names its type");
            prop_assert!(!reasoning || kind == "reasoning" || kind == "function_call" || item["role"] == "assistant", "reasoning leads to {}", item);
            reasoning = kind == "reasoning";
            match kind {
                "function_call" => prop_assert!(calls.insert(id.clone()) && open.insert(id.clone()), "the call {} again", id),
                "function_call_output" => prop_assert!(open.remove(&id), "an output without call: {}", id),
                _ => {}
            }
        }
        prop_assert!(open.is_empty() && !reasoning, "calls without output: {:?}", open);
        let all = body.to_string();
        for mark in marks(&contents) {
            let escaped = json!(mark).to_string();
            prop_assert!(all.contains(escaped.trim_matches('"')), "{} is not in {}", mark, all);
        }
        let bare = cut_out(&lowered.body, lowered.reasoning.iter().map(|span| &span.range));
        let bare: Value = serde_json::from_slice(&bare).expect("without reasoning, it is JSON still");
        prop_assert!(bare["input"].as_array().expect("items").iter().all(|item| item["type"] != "reasoning"));
        let unknown = contents.iter().any(|content| content["parts"].to_string().contains("executableCode"));
        prop_assert_eq!(lowered.losses.iter().any(|loss| loss == Loss::UnknownBlock), unknown);
    }

    /// Whatever stands where, it is a request or it is refused by the name of what is wrong.
    #[test]
    fn a_damaged_request_is_lowered_or_refused(body in damaged(), lite in any::<bool>()) {
        let text = body.to_string();
        match Request::parse(text.as_bytes()) {
            Ok(request) => {
                let conversation = Conversation::of_gemini("m", &request);
                let target = Target { model: "gpt-x", effort: None, summary: Some("auto"), lite, sampling: true, conversation: &conversation };
                serde_json::from_slice::<Value>(&lower(&request, &target, text.len()).body).expect("what is written is JSON");
                count::roughly_gemini(&request);
            }
            Err(bad) => {
                let param = bad.param().expect("it is JSON, so a member is wrong");
                prop_assert!(!param.is_empty() && !param.contains('?') && !bad.to_string().is_empty(), "{}", bad);
            }
        }
    }
}
