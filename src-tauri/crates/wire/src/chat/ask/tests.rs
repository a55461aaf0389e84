//! What is taken, and what is refused with which parameter.

use super::{BadRequest, Choice, Format, Part, Request, Role};

fn with(rest: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}]{rest}}}"#)
}

fn refused(body: &str) -> (String, &'static str) {
    let bad = Request::parse(body.as_bytes()).expect_err(body);
    (bad.param().unwrap_or_default().to_owned(), bad.code())
}

/// The rows of `seed-b.md §2.4`.
#[test]
fn what_is_wrong_is_named() {
    for (body, param, code) in [
        ("{", "", "invalid_json"),
        ("[]", "body", "invalid_value"),
        (r#"{"messages":[{"role":"user","content":"x"}]}"#, "model", "model_required"),
        (r#"{"model":5,"messages":[{"role":"user","content":"x"}]}"#, "model", "invalid_value"),
        (r#"{"model":"m"}"#, "messages", "invalid_value"),
        (r#"{"model":"m","messages":[]}"#, "messages", "invalid_value"),
        (r#"{"model":"m","messages":null}"#, "messages", "invalid_value"),
        (r#"{"model":"m","messages":[null]}"#, "messages[0]", "invalid_value"),
        (r#"{"model":"m","messages":[{"content":"x"}]}"#, "messages[0].role", "invalid_value"),
        (r#"{"model":"m","messages":[{"role":"wizard","content":"x"}]}"#, "messages[0].role", "invalid_value"),
        (r#"{"model":"m","messages":[{"role":"user","content":null}]}"#, "messages[0].content", "invalid_value"),
        (r#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "messages[0].content", "invalid_value"),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
            "messages[0].content[0].text",
            "invalid_value",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            "messages[0].content[0].image_url.url",
            "invalid_value",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"a.png"}}]}]}"#,
            "messages[0].content[0].image_url.url",
            "invalid_value",
        ),
        (r#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#, "messages[0].tool_call_id", "invalid_value"),
        (
            r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}"#,
            "messages[0].tool_calls[0].function",
            "invalid_value",
        ),
        (
            r#"{"model":"m","messages":[{"role":"assistant","content":"x","tool_calls":{"id":"a"}}]}"#,
            "messages[0].tool_calls",
            "invalid_value",
        ),
        (
            r#"{"model":"m","messages":[{"role":"assistant","content":"x","function_call":"f"}]}"#,
            "messages[0].function_call",
            "invalid_value",
        ),
    ] {
        assert_eq!(refused(body), (param.to_owned(), code), "{body}");
    }
    for (rest, param, code) in [
        (r#","temperature":2.5"#, "temperature", "invalid_value"),
        (r#","temperature":"hot""#, "temperature", "invalid_value"),
        (r#","top_p":0"#, "top_p", "invalid_value"),
        (r#","max_tokens":0"#, "max_tokens", "invalid_value"),
        (r#","max_completion_tokens":-1"#, "max_completion_tokens", "invalid_value"),
        (r#","n":2"#, "n", "unsupported_value"),
        (r#","n":0"#, "n", "invalid_value"),
        (r#","logprobs":true"#, "logprobs", "unsupported_parameter"),
        (r#","top_logprobs":3"#, "top_logprobs", "unsupported_parameter"),
        (r#","seed":1.5"#, "seed", "invalid_value"),
        (r#","stream":"yes""#, "stream", "invalid_value"),
        (r#","stop":5"#, "stop", "invalid_value"),
        (r#","modalities":["text","audio"]"#, "modalities", "unsupported_value"),
        (r#","tools":[{"type":"function"}]"#, "tools[0].function", "invalid_value"),
        (r#","tools":[{"type":"function","function":{}}]"#, "tools[0].function.name", "invalid_value"),
        (r#","tools":[{"type":"browser"}]"#, "tools[0].type", "invalid_value"),
        (
            r#","tools":[{"type":"function","function":{"name":"f","parameters":"x"}}]"#,
            "tools[0].function.parameters",
            "invalid_value",
        ),
        (
            r#","tools":[{"type":"function","function":{"name":"f","parameters":[1]}}]"#,
            "tools[0].function.parameters",
            "invalid_value",
        ),
        (
            r#","tools":[{"type":"function","function":{"name":"f","description":7}}]"#,
            "tools[0].function.description",
            "invalid_value",
        ),
        (
            r#","tools":[{"type":"function","function":{"name":"f","strict":"yes"}}]"#,
            "tools[0].function.strict",
            "invalid_value",
        ),
        (r#","functions":[{"name":"f","parameters":7}]"#, "functions[0].parameters", "invalid_value"),
        (r#","stream_options":"usage""#, "stream_options", "invalid_value"),
        (r#","stream_options":{"include_usage":"yes"}"#, "stream_options.include_usage", "invalid_value"),
        (r#","web_search_options":true"#, "web_search_options", "invalid_value"),
        (r#","verbosity":"chatty""#, "verbosity", "invalid_value"),
        (r#","tool_choice":"some""#, "tool_choice", "invalid_value"),
        (r#","tool_choice":"required""#, "tool_choice", "invalid_value"),
        (r#","tool_choice":{"type":"function","function":{"name":"gone"}}"#, "tool_choice", "invalid_value"),
        (r#","parallel_tool_calls":1"#, "parallel_tool_calls", "invalid_value"),
        (r#","response_format":{"type":"yaml"}"#, "response_format.type", "invalid_value"),
        (r#","response_format":{"type":"json_schema"}"#, "response_format.json_schema", "invalid_value"),
        (
            r#","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":"x"}}"#,
            "response_format.json_schema.schema",
            "invalid_value",
        ),
        (
            r#","response_format":{"type":"json_schema","json_schema":{"name":7,"schema":{}}}"#,
            "response_format.json_schema.name",
            "invalid_value",
        ),
        (r#","reasoning":"high""#, "reasoning", "invalid_value"),
        (r#","reasoning_effort":"extreme""#, "reasoning_effort", "invalid_value"),
        (r#","reasoning":{"effort":"extreme"}"#, "reasoning.effort", "invalid_value"),
    ] {
        assert_eq!(refused(&with(rest)), (param.to_owned(), code), "{rest}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_recursed_into() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refused(&with(&format!(r#","metadata":{deep}"#))).1, "invalid_json");
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{deep}}}]}}"#);
    assert!(matches!(Request::parse(body.as_bytes()), Err(BadRequest::Json(_) | BadRequest::Field { .. })));
}

#[test]
fn harmless_members_are_no_loss() {
    let body = with(
        r#","n":1,"logprobs":false,"temperature":1,"top_p":null,"presence_penalty":0,"logit_bias":{},"user":"u","metadata":{},"store":false,"max_tokens":null,"max_completion_tokens":9,"stop":null,"tool_choice":"none","reasoning":null,"stream_options":null,"verbosity":null,"tools":[{"type":"function","function":{"name":"f","parameters":[],"description":null,"strict":null}}]"#,
    );
    let request = Request::parse(body.as_bytes()).expect("a request");
    assert_eq!((request.sampling.len(), request.unknown.len(), request.max_tokens), (0, 0, Some(9)));
}

#[test]
fn everything_a_request_may_have() {
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},
        "messages":[
            {"role":"developer","content":[{"type":"text","text":"be kind"}]},
            {"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"https://x","detail":"low"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA"}},{"type":"file","file":{"file_id":"f"}},{"type":"input_audio","input_audio":{}},{"type":"hologram"}]},
            {"role":"assistant","content":null,"refusal":"no","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c","content":"done"},
            {"role":"assistant","function_call":{"name":"g","arguments":"{}"}},
            {"role":"function","name":"g","content":null}],
        "functions":[{"name":"g","parameters":{"type":"object"}}],
        "tools":[{"type":"function","function":{"name":"f","description":"d","strict":true}}],
        "function_call":{"name":"g"},
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{},"strict":true}},
        "reasoning":{"effort":"low"},"stop":"END","seed":4,"frequency_penalty":0.5,"mystery":1}"#;
    let request = Request::parse(body.as_bytes()).expect("a request");
    assert!(request.stream && request.include_usage && request.legacy_functions);
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool, Role::Assistant, Role::Function]);
    assert!(matches!(
        request.messages[1].content[..],
        [
            Part::Text(_),
            Part::Image { detail: Some(_), .. },
            Part::File { name: Some(_), data: Some(_) },
            Part::File { data: None, .. },
            Part::Audio,
            Part::Other(_)
        ]
    ));
    assert!(matches!(request.messages[2].content[..], [Part::Refusal(_)]));
    assert_eq!(request.messages[2].calls[0].id.as_deref(), Some("c"));
    assert_eq!(request.messages[4].calls[0].id, None);
    assert_eq!(request.tool_choice, Some(Choice::Named("g".into())));
    assert!(matches!(request.format, Format::JsonSchema { strict: true, schema: Some(_), .. }));
    assert_eq!(request.effort.as_deref(), Some("low"));
    assert_eq!(request.stop, ["END"]);
    assert_eq!(request.sampling, ["seed", "penalty"]);
    assert_eq!(request.unknown, ["mystery"]);
}

#[test]
fn prompts() {
    for prompt in [r#""once""#, r#"["once"]"#] {
        let body = format!(r#"{{"model":"m","prompt":{prompt},"echo":false,"max_tokens":5}}"#);
        let request = Request::parse_prompt(body.as_bytes()).expect("a request");
        let [Part::Text(text)] = request.messages[0].content[..] else { panic!("one text") };
        assert_eq!(text.literal(), Some("once"));
    }
    for (body, param) in [
        (r#"{"model":"m"}"#, "prompt"),
        (r#"{"model":"m","prompt":["a","b"]}"#, "prompt"),
        (r#"{"model":"m","prompt":[1,2]}"#, "prompt"),
        (r#"{"model":"m","prompt":"a","suffix":"b"}"#, "suffix"),
        (r#"{"model":"m","prompt":"a","best_of":2}"#, "best_of"),
        (r#"{"model":"m","prompt":"a","logprobs":0}"#, "logprobs"),
        (r#"{"prompt":"a"}"#, "model"),
    ] {
        let bad = Request::parse_prompt(body.as_bytes()).expect_err(body);
        assert_eq!(bad.param(), Some(param), "{body}");
    }
}
