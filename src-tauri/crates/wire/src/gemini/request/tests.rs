//! What is taken, and what is refused with which member.

use super::{BadRequest, Choice, Format, Request, Role, Said, camel};

fn with(rest: &str) -> String {
    format!(r#"{{"contents":[{{"parts":[{{"text":"hi"}}]}}]{rest}}}"#)
}

fn refused(body: &str) -> (String, &'static str) {
    let bad: BadRequest = Request::parse(body.as_bytes()).expect_err(body);
    (bad.param().unwrap_or_default().to_owned(), bad.code())
}

fn config(inside: &str) -> String {
    with(&format!(r#","generationConfig":{{{inside}}}"#))
}

#[test]
fn what_is_wrong_is_named() {
    let part = |part: &str| format!(r#"{{"contents":[{{"role":"user","parts":[{part}]}}]}}"#);
    for (body, field, code) in [
        ("{", "", "invalid_json"),
        ("[]", "body", "invalid_value"),
        ("{}", "contents", "invalid_value"),
        (r#"{"contents":[]}"#, "contents", "invalid_value"),
        (r#"{"contents":"hi"}"#, "contents", "invalid_value"),
        (r#"{"contents":[7]}"#, "contents[0]", "invalid_value"),
        (r#"{"contents":[{"role":"system","parts":[]}]}"#, "contents[0].role", "invalid_value"),
        (r#"{"contents":[{"parts":"hi"}]}"#, "contents[0].parts", "invalid_value"),
        (&part("7"), "contents[0].parts[0]", "invalid_value"),
        (&part(r#"{"text":7}"#), "contents[0].parts[0].text", "invalid_value"),
        (&part(r#"{"inlineData":{"data":"AA"}}"#), "contents[0].parts[0].inlineData", "invalid_value"),
        (&part(r#"{"file_data":{}}"#), "contents[0].parts[0].fileData", "invalid_value"),
        (&part(r#"{"functionCall":{"args":{}}}"#), "contents[0].parts[0].functionCall.name", "invalid_value"),
        (&part(r#"{"functionResponse":{}}"#), "contents[0].parts[0].functionResponse.name", "invalid_value"),
        (&with(r#","cachedContent":"cachedContents/x""#), "cachedContent", "unsupported_parameter"),
        (
            &with(r#","tools":[{"functionDeclarations":[{"name":""}]}]"#),
            "tools[0].functionDeclarations[0].name",
            "invalid_value",
        ),
        (
            &with(r#","toolConfig":{"functionCallingConfig":{"mode":"SOMETIMES"}}"#),
            "toolConfig.functionCallingConfig.mode",
            "invalid_value",
        ),
        (
            &with(r#","toolConfig":{"functionCallingConfig":{"mode":"ANY"}}"#),
            "toolConfig.functionCallingConfig",
            "invalid_value",
        ),
        (&config(r#""candidateCount":2"#), "generationConfig.candidateCount", "unsupported_value"),
        (&config(r#""responseModalities":["IMAGE"]"#), "generationConfig.responseModalities", "unsupported_value"),
        (&config(r#""responseMimeType":"text/x.enum""#), "generationConfig.responseMimeType", "unsupported_value"),
        (&config(r#""responseLogprobs":true"#), "generationConfig.responseLogprobs", "unsupported_parameter"),
        (&config(r#""maxOutputTokens":0"#), "generationConfig.maxOutputTokens", "invalid_value"),
        (&config(r#""temperature":3"#), "generationConfig.temperature", "invalid_value"),
        (&config(r#""stopSequences":7"#), "generationConfig.stopSequences", "invalid_value"),
        (
            &config(r#""thinkingConfig":{"thinkingLevel":"DEEP"}"#),
            "generationConfig.thinkingConfig.thinkingLevel",
            "invalid_value",
        ),
    ] {
        assert_eq!(refused(body), (field.to_owned(), code), "{body}");
    }
}

#[test]
fn both_spellings_and_single_elements_are_taken() {
    let body = r#"{"contents":{"parts":{"text":"hi"}},"system_instruction":{"parts":{"text":"be brief"}},
        "tools":[{"function_declarations":[{"name":"f","parameters_json_schema":{"type":"object"},"parameters":{}}]},{"google_search":{}},{"codeExecution":{}}],
        "tool_config":{"function_calling_config":{"mode":"any","allowed_function_names":["f"]}},
        "generation_config":{"max_output_tokens":"12","stop_sequences":["x"],"topP":0.9,"topK":64,"seed":1,"response_mime_type":"application/json",
            "responseJsonSchema":{"type":"OBJECT"},"thinking_config":{"thinking_budget":-1,"thinkingLevel":"HIGH","include_thoughts":true},"speechConfig":{}},
        "safetySettings":[],"mystery":1,"cachedContent":null}"#;
    let request = Request::parse(body.as_bytes()).expect("a request");
    assert_eq!((request.contents.len(), request.system.len(), request.tools.len()), (1, 1, 1));
    assert_eq!(request.contents[0].role, Role::User);
    assert_eq!(request.tools[0].parameters.map(|raw| raw.as_slice_str()), Some(r#"{"type":"object"}"#));
    assert!(request.search && request.hosted);
    assert_eq!(request.choice, Some(Choice { required: true, names: vec!["f".into()] }));
    let config = &request.config;
    assert_eq!((config.max_tokens, &config.stop[..], config.top_p), (Some(12), &["x".into()][..], Some(0.9)));
    assert_eq!((config.budget, config.level.as_deref(), config.thoughts), (Some(-1), Some("high"), true));
    assert!(matches!(config.format, Format::Schema(_)));
    assert_eq!((&config.sampling[..], &config.unknown[..]), (&["seed"][..], &["speechConfig".to_owned()][..]));
    assert_eq!(config.top_k, Some(64.0));
    assert_eq!(request.unknown, ["mystery"]);
}

#[test]
fn parts() {
    let body = r#"{"contents":[
        {"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"},{"thoughtSignature":"x"}]},
        {"role":"function","parts":[{"functionResponse":{"id":"i","name":"f","response":{"output":"ok"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA"}}]}}]},
        {"role":"user","parts":[{"executableCode":{"code":"1"}},{"fileData":{"fileUri":"https://a/b.png","mimeType":"image/png"}}]}]}"#;
    let request = Request::parse(body.as_bytes()).expect("a request");
    let [model, function, user] = &request.contents[..] else { panic!("three") };
    assert_eq!((model.role, function.role), (Role::Model, Role::User));
    assert!(model.parts[0].thought);
    assert!(matches!(&model.parts[1].said, Said::Call { id: None, name, .. } if name == "f"));
    assert_eq!(model.parts[1].signature.as_deref(), Some("c2ln"));
    assert!(matches!(model.parts[2].said, Said::Text(text) if text.literal() == Some("")));
    let Said::Result { id, parts, .. } = &function.parts[0].said else { panic!("a result") };
    assert_eq!((id.as_deref(), parts.len()), (Some("i"), 1));
    assert!(matches!(user.parts[0].said, Said::Other(_)));
    assert!(matches!(&user.parts[1].said, Said::File { media_type: Some(kind), .. } if kind == "image/png"));
}

#[test]
fn what_is_to_be_counted_may_be_a_whole_request() {
    let whole = format!(r#"{{"generateContentRequest":{}}}"#, with(r#","model":"models/gemini-3-pro""#));
    for body in [with(""), whole] {
        assert_eq!(Request::parse_to_count(body.as_bytes()).expect("a request").contents.len(), 1, "{body}");
    }
    let bad = Request::parse_to_count(br#"{"generateContentRequest":{"contents":7}}"#).expect_err("no contents");
    assert_eq!(bad.param(), Some("generateContentRequest.contents"));
}

#[test]
fn names() {
    for (key, name) in
        [("contents", "contents"), ("system_instruction", "systemInstruction"), ("_x", "x"), ("a__b", "aB")]
    {
        assert_eq!(camel(key), name);
    }
}
