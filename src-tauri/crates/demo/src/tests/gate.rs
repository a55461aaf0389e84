//! Each refusal of codex-backend.md §2, by its sentence.

use serde_json::{Value, json};

use super::{Stage, bash, request, user};

const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The request with one thing changed.
fn but(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = request("hello");
    change(&mut body);
    body
}

fn with(key: &str, value: Value) -> Value {
    but(|body| body[key] = value)
}

fn without(key: &str) -> Value {
    but(|body| drop(body.as_object_mut().expect("an object").remove(key)))
}

fn input(items: Vec<Value>) -> Value {
    with("input", json!(items))
}

fn tool(change: impl FnOnce(&mut Value)) -> Value {
    let mut tool = bash();
    change(&mut tool);
    with("tools", json!([tool]))
}

fn part(part: Value) -> Value {
    input(vec![json!({"type": "message", "role": "user", "content": [part]})])
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "Bash", "arguments": "{}"})
}

fn output(id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": "ok"})
}

fn format(format: Value) -> Value {
    with("text", json!({ "format": format }))
}

async fn refused(cases: Vec<(Value, &str)>) {
    let stage = Stage::open().await;
    let count = cases.len();
    for (body, sentence) in cases {
        let answer = stage.ask(&body).await;
        assert_eq!(answer.status, 400, "{sentence}: {}", answer.text);
        let said = answer.json();
        let said = said["detail"].as_str().or_else(|| said["error"]["message"].as_str()).expect("a sentence");
        assert!(said.contains(sentence), "expected {sentence:?}, got {said:?}");
    }
    assert_eq!(stage.demo.violations().len(), count, "each is on record as a violation");
}

async fn accepted(bodies: Vec<Value>) {
    let stage = Stage::open().await;
    for body in bodies {
        let answer = stage.ask(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.last()["type"], "response.completed");
    }
    assert_eq!(stage.demo.violations(), []);
}

#[tokio::test]
async fn parameters_are_refused_by_their_sentences() {
    let mut cases = vec![
        (without("model"), "Model is required"),
        (without("store"), "Store must be set to false"),
        (with("store", json!(true)), "Store must be set to false"),
        (without("stream"), "Stream must be set to true"),
        (with("stream", json!(false)), "Stream must be set to true"),
        (without("instructions"), "Instructions are required"),
        (with("instructions", json!("")), "Instructions are required"),
        (with("input", json!("hello")), "Input must be a list"),
        (without("input"), "Input must be a list"),
        (with("service_tier", json!("fast")), "Unsupported service_tier: fast"),
        (with("service_tier", json!("auto")), "Unsupported service_tier: auto"),
        (
            with("prompt_cache_key", json!("k".repeat(65))),
            "Invalid 'prompt_cache_key': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
        ),
        (with("include", json!(["file_search_call.results"])), "Invalid value: 'file_search_call.results'."),
        (
            with("reasoning", json!({"effort": "minimal"})),
            "Unsupported value: 'minimal' is not supported with the 'gpt-5.5' model. Supported values are: 'none', 'low', 'medium', 'high', 'xhigh'.",
        ),
        (with("reasoning", json!({"effort": "max"})), "Unsupported value: 'max'"),
        (with("reasoning", json!({"summary": "none"})), "Invalid value: 'none'."),
        (with("reasoning", json!({"budget": 1})), "Unknown parameter: 'reasoning.budget'."),
        (with("parallel_tool_calls", json!("yes")), "Invalid type for 'parallel_tool_calls'"),
        (with("client_metadata", json!({"n": 1})), "Invalid type for 'client_metadata.n'"),
    ];
    for name in [
        "max_output_tokens",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "metadata",
        "user",
        "safety_identifier",
        "previous_response_id",
        "truncation",
        "context_management",
        "prompt_cache_retention",
        "prompt_cache_options",
        "logprobs",
        "stop",
        "n",
        "seed",
        "stream_options",
        "thinking",
    ] {
        cases.push((with(name, json!(1)), Box::leak(format!("Unsupported parameter: {name}").into_boxed_str())));
    }
    refused(cases).await;
}

#[tokio::test]
async fn tools_are_refused_by_their_sentences() {
    let nested = json!([{"type": "function", "function": {"name": "Bash", "parameters": {"type": "object"}}}]);
    refused(vec![
        (with("tools", nested), "Missing required parameter: 'tools[0].name'."),
        (tool(|tool| tool["name"] = json!("a b")), "Invalid 'tools[0].name': string does not match pattern."),
        (tool(|tool| tool["name"] = json!("n".repeat(65))), "Invalid 'tools[0].name': string too long."),
        (tool(|tool| tool["cache_control"] = json!({"type": "ephemeral"})), "Unknown parameter: 'tools[0].cache_control'."),
        (tool(|tool| tool["input_schema"] = json!({})), "Unknown parameter: 'tools[0].input_schema'."),
        (tool(|tool| tool["parameters"] = json!({})), "Invalid schema for function 'Bash': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
        (tool(|tool| tool["parameters"] = json!({"type": "object"})), "In context=(), object schema missing properties."),
        (
            tool(|tool| tool["parameters"]["anyOf"] = json!([])),
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
        ),
        (
            tool(|tool| tool["parameters"]["properties"]["list"] = json!({"type": "array"})),
            "In context=('properties', 'list'), array schema missing items.",
        ),
        (with("tools", json!([{"type": "web_search_20250305", "name": "web_search"}])), "Invalid value: 'web_search_20250305'."),
        (with("tools", json!([{"type": "web_search_preview"}])), "Invalid value: 'web_search_preview'."),
        (
            but(|body| {
                body["tools"] = json!([bash()]);
                body["tool_choice"] = json!({"type": "function", "function": {"name": "Bash"}});
            }),
            "Unknown parameter: 'tool_choice.function'.",
        ),
        (
            but(|body| {
                body["tools"] = json!([bash()]);
                body["tool_choice"] = json!({"type": "function", "name": "Read"});
            }),
            "Tool choice 'Read' not found in 'tools' parameter.",
        ),
        (with("tool_choice", json!("any")), "Invalid value: 'any'."),
    ])
    .await;
}

#[tokio::test]
async fn items_are_refused_by_their_sentences() {
    let long = "c".repeat(69);
    refused(vec![
        (input(vec![json!({"type": "message", "role": "system", "content": "x"})]), "System messages are not allowed"),
        (input(vec![json!({"type": "message", "role": "tool", "content": "x"})]), "Invalid value: 'tool'."),
        (input(vec![json!({"type": "tool_result", "content": "x"})]), "Invalid value: 'tool_result'."),
        (part(json!({"type": "text", "text": "x"})), "Invalid value: 'text'."),
        (part(json!({"type": "output_text", "text": "x"})), "Invalid value: 'output_text'."),
        (
            part(json!({"type": "input_text", "text": "x", "cache_control": {"type": "ephemeral"}})),
            "Unknown parameter: 'input[0].content[0].cache_control'.",
        ),
        (input(vec![user("x"), json!({"type": "reasoning", "id": "rs_1", "summary": []})]), "Items are not persisted when `store` is set to false."),
        (
            input(vec![user("x"), call(&long), output(&long)]),
            "Invalid 'input[1].call_id': string too long. Expected a string with maximum length 64, but got a string with length 69 instead.",
        ),
        (input(vec![user("x"), output("call_1")]), "No tool call found for function call output with call_id call_1."),
        (input(vec![user("x"), output("call_1"), call("call_1")]), "No tool call found for function call output with call_id call_1."),
        (input(vec![user("x"), call("call_1")]), "No tool output found for function call call_1."),
        (input(vec![user("x"), call("call_1"), call("call_1"), output("call_1")]), "No tool output found for function call call_1."),
        (
            input(vec![json!({"type": "message", "id": "toolu_1", "role": "user", "content": "x"})]),
            "Invalid 'input[0].id': 'toolu_1'. Expected an ID that begins with 'msg'.",
        ),
        (
            input(vec![json!({"type": "message", "id": "msg_a|b", "role": "user", "content": "x"})]),
            "Expected an ID that contains letters, numbers, underscores, or dashes",
        ),
        (
            input(vec![json!({"type": "message", "id": format!("msg_{}", "a".repeat(61)), "role": "user", "content": "x"})]),
            "Invalid 'input[0].id': string too long.",
        ),
        (
            input(vec![
                json!({"type": "message", "id": "msg_1", "role": "user", "content": "x"}),
                json!({"type": "message", "id": "msg_1", "role": "user", "content": "x"}),
            ]),
            "Duplicate item found with id msg_1.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn media_and_formats_are_refused_by_their_sentences() {
    let image = |url: &str| part(json!({"type": "input_image", "image_url": url}));
    let file = |data: &str| part(json!({"type": "input_file", "filename": "a.pdf", "file_data": data}));
    refused(vec![
        (image("nonsense"), "Expected a base64-encoded data URL with an image MIME type"),
        (image("data:image/bmp;base64,AAAA"), "but got unsupported MIME type 'image/bmp'."),
        (image("data:image/png;base64,!!!!"), "but got a value that is not valid base64."),
        (image("data:image/jpeg;base64,AAAA"), "The image data you provided does not represent a valid image."),
        (
            part(json!({"type": "input_image", "image_url": PNG, "detail": "huge"})),
            "Invalid value: 'huge'.",
        ),
        (file("data:text/plain;base64,AAAA"), "but got unsupported MIME type 'text/plain'."),
        (file("data:application/pdf;base64,AAAA"), "but got data that is not a PDF document."),
        (
            format(json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {}}})),
            "Unknown parameter: 'text.format.json_schema'.",
        ),
        (format(json!({"type": "json_schema", "schema": {}})), "Missing required parameter: 'text.format.name'."),
        (
            format(json!({"type": "json_schema", "name": "x", "strict": true, "schema": {"type": "object", "properties": {}}})),
            "In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            format(json!({"type": "json_schema", "name": "x", "strict": true, "schema": {
                "type": "object", "additionalProperties": false, "required": [], "properties": {"a": {"type": "string"}},
            }})),
            "Missing 'a'.",
        ),
        (with("text", json!({"verbosity": "loud"})), "Invalid value: 'loud'."),
    ])
    .await;
}

#[tokio::test]
async fn what_the_real_host_accepts_is_accepted() {
    let sealed = {
        // Reasoning of this account comes back as it was given.
        let stage = Stage::open().await;
        let items = stage.say("[[demo:reasoning]]").await.items();
        items[0].clone()
    };
    accepted(vec![
        request("hello"),
        input(vec![user("x"), sealed, user("y")]),
        but(|body| {
            body["instructions"] = json!("");
            body["input"] = json!([{"type": "message", "role": "developer", "content": "x"}, user("y")]);
        }),
        with("service_tier", json!("priority")),
        with("client_metadata", json!({"session_id": "s"})),
        with("tools", json!([bash(), {"type": "web_search", "external_web_access": true}])),
        part(json!({"type": "input_image", "image_url": PNG, "detail": "original"})),
        part(json!({"type": "input_image", "image_url": "https://example.com/a.png"})),
        part(json!({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQK"})),
        // Parallel calls answered in another order, and an id used again after it was answered.
        input(vec![user("x"), call("a"), call("b"), output("b"), output("a"), call("a"), output("a")]),
        input(vec![user("x"), json!({"type": "message", "role": "assistant", "phase": "final_answer", "content": [{"type": "output_text", "text": "y"}]}), user("z")]),
    ])
    .await;
}

#[tokio::test]
async fn an_item_without_a_type_is_unprocessable() {
    let stage = Stage::open().await;
    let answer = stage.ask(&input(vec![json!({"role": "user", "content": "x"})])).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["detail"][0]["loc"], json!(["body", "input", 0, "type"]));
}

#[tokio::test]
async fn reasoning_of_another_account_or_edited_reasoning_is_refused_without_blame() {
    let stage = Stage::open().await;
    let mut item = stage.say("[[demo:reasoning]]").await.items().remove(0);
    let body = |item: &Value| input(vec![user("x"), item.clone(), user("y")]);
    let bob = stage.demo.account("bob");
    let mut request = stage.codex().json(&body(&item)).build().expect("a request");
    request.headers_mut().insert("authorization", format!("Bearer {}", bob.access_token).parse().expect("a value"));
    request.headers_mut().insert("chatgpt-account-id", bob.account_id.parse().expect("a value"));
    let answer = super::Answer::of(stage.http.execute(request).await.expect("an answer")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"]["code"].clone()),
        (400, json!("invalid_encrypted_content"))
    );

    let sealed = item["encrypted_content"].as_str().expect("sealed").replace('A', "B");
    item["encrypted_content"] = json!(sealed);
    let answer = stage.ask(&body(&item)).await;
    assert_eq!(answer.json()["error"]["code"], "invalid_encrypted_content");
    assert_eq!(stage.demo.violations(), []);
}

#[tokio::test]
async fn the_two_hosts_differ_where_the_real_ones_do() {
    let stage = Stage::open().await;
    let unknown = with("model", json!("gpt-4o"));
    let codex = stage.ask(&unknown).await;
    assert_eq!(codex.json()["detail"], "The 'gpt-4o' model is not supported when using Codex with a ChatGPT account.");
    let plan = stage.ask_plan(&unknown).await;
    assert_eq!(plan.json()["error"]["code"], "model_not_found");
    let metadata = stage.ask_plan(&with("client_metadata", json!({}))).await;
    assert_eq!(metadata.json()["detail"], "Unsupported parameter: client_metadata");
    let image = with("tools", json!([{"type": "image_generation"}]));
    assert_eq!(stage.ask(&image).await.status, 200);
    assert_eq!(stage.ask_plan(&image).await.json()["error"]["code"], "subscription_sharing_unsupported_capability");
    assert!(stage.ask(&request("x")).await.headers.contains_key("x-codex-primary-used-percent"));
    assert!(!stage.ask_plan(&request("x")).await.headers.contains_key("x-codex-primary-used-percent"));
}

#[tokio::test]
async fn responses_lite_wants_its_own_shape() {
    let stage = Stage::open().await;
    let mut body = json!({
        "model": "gpt-6.1-sol", "stream": true, "store": false, "parallel_tool_calls": false,
        "reasoning": {"effort": "low", "context": "all_turns"},
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [
                {"type": "namespace", "name": "functions", "description": "", "tools": [bash()]},
            ]},
            {"type": "message", "role": "developer", "content": "Be brief."},
            user("run date"),
        ],
    });
    let lite = |body: &Value| stage.codex().header("x-openai-internal-codex-responses-lite", "true").json(body);
    let answer = super::Answer::of(lite(&body).send().await.expect("an answer")).await;
    assert_eq!(answer.items()[0]["name"], "Bash", "the tools of the namespace are offered: {}", answer.text);
    body["instructions"] = json!("x");
    let answer = super::Answer::of(lite(&body).send().await.expect("an answer")).await;
    assert_eq!(answer.json()["detail"], "Instructions are not allowed with Responses-Lite");
}

#[tokio::test]
async fn wrong_headers_are_remarked_upon_but_not_refused() {
    let stage = Stage::open().await;
    let answer = stage.codex().header("anthropic-version", "2023-06-01").header("x-api-key", "k").json(&request("x"));
    assert_eq!(answer.send().await.expect("an answer").status(), 200);
    let plan = stage.plan().header("chatgpt-account-id", "acc-ann").json(&request("x"));
    assert_eq!(plan.send().await.expect("an answer").status(), 200);
    let said: Vec<String> = stage.demo.violations().into_iter().map(|violation| violation.what).collect();
    assert_eq!(
        said,
        [
            "the client's header anthropic-version reached the upstream",
            "the client's header x-api-key reached the upstream",
            "chatgpt-account-id sent to the plan host",
        ]
    );
}

#[tokio::test]
async fn broken_bodies_and_encodings() {
    let stage = Stage::open().await;
    let json = stage.codex().header("content-type", "application/json");
    let answer = json.body("{\"model\":").send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
    let packed = zstd::encode_all(request("hello").to_string().as_bytes(), 3).expect("packed");
    let zstd = stage.codex().header("content-encoding", "zstd").body(packed.clone());
    assert_eq!(zstd.send().await.expect("an answer").status(), 200);
    let seen = stage.demo.model_requests().pop().expect("a request");
    assert_eq!(seen.json()["model"], "gpt-5.5", "the record holds the body unpacked");
    let plan = stage.plan().header("content-encoding", "zstd").body(packed);
    assert_eq!(plan.send().await.expect("an answer").status(), 400);
    let gzip = stage.codex().header("content-encoding", "gzip").body("x");
    assert_eq!(gzip.send().await.expect("an answer").status(), 400);
}
