//! Refusals and failures, as OpenAI's clients expect them.

use codeferry_tests::World;
use codeferry_tests::chat::data;
use serde_json::{Value, json};

use super::{CHAT, asking, records, send, whole};

/// status, `error.type`, `error.code`, whether trying again is no use
type Row = (&'static str, u16, &'static str, Option<&'static str>, bool);

#[tokio::test]
async fn before_the_first_byte() {
    let table: [Row; 13] = [
        ("[[demo:overflow]]", 400, "invalid_request_error", Some("context_length_exceeded"), false),
        ("[[demo:limit 10800]]", 429, "usage_limit_reached", Some("usage_limit_reached"), true),
        ("[[demo:limit 30]]", 429, "usage_limit_reached", Some("usage_limit_reached"), false),
        ("[[demo:not-included]]", 429, "rate_limit_error", Some("usage_not_included"), true),
        ("[[demo:overloaded]]", 503, "server_error", Some("server_is_overloaded"), false),
        ("[[demo:401 always]]", 503, "server_error", None, true),
        ("[[demo:402]]", 503, "server_error", None, true),
        ("[[demo:403]]", 503, "server_error", None, true),
        ("[[demo:model]]", 404, "invalid_request_error", Some("model_not_found"), true),
        ("[[demo:policy]]", 400, "invalid_request_error", Some("content_policy_violation"), false),
        ("[[demo:500 always]]", 502, "server_error", None, false),
        ("[[demo:reset]]", 502, "server_error", None, false),
        ("[[demo:error]]", 502, "server_error", None, false),
    ];
    for (marker, status, kind, code, is_final) in table {
        for streamed in [true, false] {
            let world = World::start().await;
            let mut body = asking(marker);
            body["stream"] = json!(streamed);
            let response = send(&world, CHAT, &body).await;
            assert_eq!(response.status(), status, "{marker}");
            let retry = response.headers().get("x-should-retry").is_some_and(|value| value == "false");
            assert_eq!(retry, is_final, "{marker}");
            assert!(response.headers().contains_key("x-request-id"));
            let error: Value = response.json().await.unwrap();
            assert_eq!(error["error"]["type"], kind, "{marker}: {error}");
            assert_eq!(error["error"]["code"].as_str(), code, "{marker}: {error}");
            assert!(error["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
        }
    }
}

/// A failure after the first chunk is an error, and no finish and no `[DONE]` disguise it.
#[tokio::test]
async fn after_the_first_byte() {
    for (marker, code) in [
        ("[[demo:overloaded late]]", "server_is_overloaded"),
        ("[[demo:error late]]", ""),
        ("[[demo:cut 3]]", ""),
        ("[[demo:eof 3]]", "stream_broken"),
        ("[[demo:limit 10800 late]]", "usage_limit_reached"),
    ] {
        let world = World::start().await;
        let records = records(&world, CHAT, &asking(&format!("[[demo:long 4000]]{marker}"))).await;
        let (last, rest) = records.split_last().unwrap();
        let error = data(last);
        assert!(error["error"]["message"].is_string(), "{marker}: {last}");
        if !code.is_empty() {
            assert_eq!(error["error"]["code"], code, "{marker}: {last}");
        }
        for record in rest.iter().filter(|record| !record.starts_with(':')) {
            assert!(data(record)["choices"][0]["finish_reason"].is_null(), "{marker}: {record}");
        }
    }
}

#[tokio::test]
async fn an_empty_answer_is_no_answer() {
    let world = World::start().await;
    let response = send(&world, CHAT, &asking("[[demo:empty]]")).await;
    assert_eq!(response.status(), 502);
    let error: Value = response.json().await.unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("without an answer"), "{error}");
}

/// `seed-b.md §2.4`: status, type, code and param; and the process lives.
#[tokio::test]
async fn bad_input_is_refused_by_its_name() {
    let world = World::start().await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (body, code, param) in [
        ("{".to_owned(), "invalid_json", None),
        (String::new(), "invalid_json", None),
        (deep.clone(), "invalid_value", Some("body")),
        (format!(r#"{{"model":"codex-5","metadata":{deep},"messages":[]}}"#), "invalid_json", None),
        (r#"{"messages":[{"role":"user","content":"x"}]}"#.to_owned(), "model_required", Some("model")),
        (r#"{"model":7,"messages":[{"role":"user","content":"x"}]}"#.to_owned(), "invalid_value", Some("model")),
        (r#"{"model":"codex-5","messages":null}"#.to_owned(), "invalid_value", Some("messages")),
        (
            r#"{"model":"codex-5","messages":[{"role":"x","content":"x"}]}"#.to_owned(),
            "invalid_value",
            Some("messages[0].role"),
        ),
        (
            r#"{"model":"codex-5","n":3,"messages":[{"role":"user","content":"x"}]}"#.to_owned(),
            "unsupported_value",
            Some("n"),
        ),
        (
            r#"{"model":"codex-5","logprobs":true,"messages":[{"role":"user","content":"x"}]}"#.to_owned(),
            "unsupported_parameter",
            Some("logprobs"),
        ),
        (
            r#"{"model":"codex-5","tools":[{"type":"function"}],"messages":[{"role":"user","content":"x"}]}"#
                .to_owned(),
            "invalid_value",
            Some("tools[0].function"),
        ),
    ] {
        let response = world.post(CHAT).body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body:.80}");
        assert_eq!(response.headers()["content-type"], "application/json");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["type"], "invalid_request_error", "{error}");
        assert_eq!((error["error"]["code"].as_str(), error["error"]["param"].as_str()), (Some(code), param), "{error}");
    }
    assert!(world.demo.model_requests().is_empty());
    assert_eq!(whole(&world, &asking("[[demo:text alive]]")).await["choices"][0]["message"]["content"], "alive");
}

#[tokio::test]
async fn doors_are_shut_in_the_same_shape() {
    let world = World::start().await;
    let url = format!("{}{CHAT}", world.url());
    let told = async |response: reqwest::Response| {
        let status = response.status().as_u16();
        let error: Value = response.json().await.unwrap();
        (
            status,
            error["error"]["type"].as_str().unwrap().to_owned(),
            error["error"]["code"].as_str().map(str::to_owned),
        )
    };
    let stranger = world.http.post(&url).json(&asking("x")).send().await.unwrap();
    assert_eq!(told(stranger).await, (401, "authentication_error".into(), Some("invalid_api_key".into())));
    let mut unknown = asking("x");
    unknown["model"] = json!("llama-9");
    let response = send(&world, CHAT, &unknown).await;
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["code"], "model_not_found");
    assert_eq!(error["error"]["param"], "model");
    assert!(error["error"]["message"].as_str().unwrap().starts_with("The model llama-9 does not exist"), "{error}");
    unknown["model"] = json!("x".repeat(100_000));
    let long = send(&world, CHAT, &unknown).await;
    assert_eq!(long.status(), 404);
    assert!(long.text().await.unwrap().len() < 1000, "it is not repeated in full");
    let packed = world.post(CHAT).header("content-encoding", "lzma").body("x").send().await.unwrap();
    assert_eq!(told(packed).await, (415, "invalid_request_error".into(), Some("unsupported_encoding".into())));
    world.gateway.settings().set("body_limit_mib", "1").unwrap();
    let large = world.post(CHAT).body("x".repeat(2 << 20)).send().await.unwrap();
    assert_eq!(told(large).await, (413, "invalid_request_error".into(), Some("request_entity_too_large".into())));
    let wrong = world.http.get(&url).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(told(wrong).await.0, 405);
}
