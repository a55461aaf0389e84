//! `POST /v1/responses` where the answer comes in another language: whole events of this one, from a server that speaks chat.
//! And answers that are passed on, but only as far as `max_output_tokens` allow.

use codeferry_demo::{ChatFlavour, ChatServer, Outcome, Recorded};
use codeferry_tests::responses::{events, fold};
use codeferry_tests::{Setup, World};
use reqwest::Response;
use serde_json::{Value, json};

use crate::named::{LLAMA, add, clean, with_ollama};

fn asking(text: &str) -> Value {
    json!({"model": LLAMA, "input": text, "stream": true})
}

async fn post(world: &World, body: &Value) -> Response {
    world.post("/v1/responses").json(body).send().await.unwrap()
}

/// What a client makes of the stream. All rules are looked at on the way.
async fn streamed(world: &World, body: &Value) -> Value {
    let response = post(world, body).await;
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    fold(&events(&response.text().await.unwrap()))
}

/// The same answer in one piece.
async fn whole(world: &World, body: &Value) -> Value {
    let mut body = body.clone();
    body["stream"] = json!(false);
    post(world, &body).await.json().await.unwrap()
}

/// Without what is new in each answer.
fn plain(mut response: Value) -> Value {
    response["id"] = Value::Null;
    response["created_at"] = Value::Null;
    for item in response["output"].as_array_mut().unwrap() {
        item["id"] = Value::Null;
        item["encrypted_content"] = Value::Null;
    }
    response
}

#[tokio::test]
async fn a_stream_has_every_event_and_comes_to_the_whole() {
    let (world, server) = with_ollama().await;
    for manner in ["", "whole", "split", "crlf", "comments", "no-done", "no-ids", "object-args"] {
        let mut body = asking(&format!(
            "[[demo:think let me see]][[demo:text Hello — 你好]][[demo:tool Read {{\"path\":\"a b\"}}]][[demo:usage]][[demo:{manner}]]"
        ));
        body["tools"] =
            json!([{"type": "function", "name": "Read", "parameters": {"type": "object"}, "strict": false}]);
        let response = streamed(&world, &body).await;
        let kinds: Vec<&Value> = response["output"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
        assert_eq!(kinds, ["reasoning", "message", "function_call"], "{manner}: {response}");
        assert_eq!(response["output"][0]["summary"][0]["text"], "let me see", "{manner}");
        assert_eq!(response["output"][1]["content"][0]["text"], "Hello — 你好", "{manner}");
        assert_eq!(response["output"][2]["arguments"], "{\"path\":\"a b\"}", "{manner}");
        assert_eq!((&response["model"], &response["tools"]), (&json!(LLAMA), &body["tools"]), "it is repeated");
        assert_eq!(
            (&response["usage"]["total_tokens"], &response["store"]),
            (&json!(150), &json!(false)),
            "{response}"
        );
        assert_eq!(plain(whole(&world, &body).await), plain(response), "{manner}");
    }
    clean(&server);
}

#[tokio::test]
async fn calls_of_a_conversation_have_ids_of_their_own() {
    let (world, server) = with_ollama().await;
    let asks = "[[demo:no-ids]][[demo:turns [\"[[demo:no-ids]][[demo:tool Read {}]]\",\"[[demo:no-ids]][[demo:tool Read {}]]\",\"[[demo:text Done.]]\"]]]";
    let mut body = asking(asks);
    body["input"] = json!([{"role": "user", "content": asks}]);
    body["tools"] = json!([{"type": "function", "name": "Read", "parameters": {"type": "object"}}]);
    let mut ids = Vec::new();
    for round in 0..2 {
        let response = streamed(&world, &body).await;
        let input = body["input"].as_array_mut().unwrap();
        for item in response["output"].as_array().unwrap() {
            input.push(item.clone());
            if item["type"] == "function_call" {
                input.push(json!({"type": "function_call_output", "call_id": item["call_id"], "output": "read"}));
                ids.push(item["call_id"].clone());
            }
        }
        assert_eq!(ids.len(), round + 1, "{response}");
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(streamed(&world, &body).await["output"][0]["content"][0]["text"], "Done.");
    clean(&server);
}

#[tokio::test]
async fn ends_are_told_as_they_are() {
    let (world, server) = with_ollama().await;
    for (ask, reason) in [
        ("[[demo:text so]][[demo:finish length]]", "max_output_tokens"),
        ("[[demo:text so]][[demo:finish content_filter]]", "content_filter"),
    ] {
        let response = streamed(&world, &asking(ask)).await;
        assert_eq!(
            (&response["status"], &response["incomplete_details"]["reason"]),
            (&json!("incomplete"), &json!(reason))
        );
    }
    let refused = streamed(&world, &asking("[[demo:refuse No.]]")).await;
    assert_eq!(refused["output"][0]["content"][0], json!({"type": "refusal", "refusal": "No."}));
    for (ask, last) in [
        ("[[demo:text so far]][[demo:cut]]", "error"),
        ("[[demo:text so far]][[demo:late 502 upstream went away]]", "response.failed"),
    ] {
        let told = events(&post(&world, &asking(ask)).await.text().await.unwrap());
        assert_eq!((fold(&told), &told.last().unwrap()["type"]), (Value::Null, &json!(last)), "{ask}");
        let problem = whole(&world, &asking(ask)).await;
        assert!(problem["error"]["message"].is_string(), "in one piece it is a refusal: {problem}");
    }
    let forgotten = post(&world, &json!({"model": LLAMA, "input": "x", "previous_response_id": "resp_1"})).await;
    assert_eq!(forgotten.status(), 400);
    clean(&server);
}

const LONG: &str = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";

#[tokio::test]
async fn a_length_is_kept_where_the_server_does_not() {
    let (world, server) = with_ollama().await;
    let mut body = asking(&format!("[[demo:text {LONG}]]"));
    body["max_output_tokens"] = json!(5);
    let response = streamed(&world, &body).await;
    assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens", "{response}");
    assert_eq!(response["output"][0]["content"][0]["text"], "one two three four five");
    assert_eq!(response["output"][0]["status"], "incomplete", "it is not all of it");
    assert_eq!(server.asked().last().unwrap()["max_tokens"], 5, "it is told, too");
}

#[tokio::test]
async fn a_length_is_kept_of_what_is_passed_on() {
    let world = World::start().await;
    let mut body =
        json!({"model": "gpt-6.1-sol", "input": format!("[[demo:reasoning]][[demo:text {LONG}]]"), "stream": true});
    for limit in [3, 12, 10_000] {
        body["max_output_tokens"] = json!(limit);
        let response = post(&world, &body).await;
        assert!(!response.headers().contains_key("codeferry-losses"), "{:?}", response.headers());
        let told = events(&response.text().await.unwrap());
        let last = &told.last().unwrap()["response"];
        let expected = if limit == 10_000 { "completed" } else { "incomplete" };
        assert_eq!(last["status"], expected, "{last}");
        let numbers: Vec<u64> = told.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        // Each item that began is whole, and says what its pieces said.
        for (at, item) in last["output"].as_array().unwrap().iter().enumerate() {
            let of = |name: &str| {
                let its = |event: &&Value| event["type"] == name && event["output_index"] == at;
                told.iter().filter(its).map(|event| event["delta"].as_str().unwrap_or_default()).collect::<String>()
            };
            let text = item["content"][0]["text"].as_str().unwrap_or_default();
            assert_eq!(text, of("response.output_text.delta"), "{item}");
        }
        assert_eq!(plain(whole(&world, &body).await)["output"], plain(last.clone())["output"]);
        if limit != 10_000 {
            assert_eq!(
                (&last["incomplete_details"]["reason"], &last["usage"]["output_tokens"]),
                (&json!("max_output_tokens"), &json!(limit))
            );
        }
    }
    assert!(world.demo.model_requests().iter().all(|request| request.json().get("max_output_tokens").is_none()));
    // The upstream is not kept talking.
    body["input"] = json!("[[demo:drip 1000 20]]");
    body["max_output_tokens"] = json!(5);
    assert!(post(&world, &body).await.text().await.unwrap().contains("response.incomplete"));
    let cancelled = |all: &[Recorded]| all.iter().any(|request| request.outcome == Outcome::Cancelled);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), world.demo.wait_until(cancelled));
    waited.await.expect("it is cancelled");
    assert_eq!(world.demo.violations(), []);
}

/// Whoever has a key of the public API speaks with it.
#[tokio::test]
async fn a_key_of_the_public_api_takes_what_it_takes() {
    let server = ChatServer::start(ChatFlavour::OpenAi).await.unwrap();
    let world = World::with(Setup { openai: Some(server.url()), ..Setup::default() }).await;
    add(&world, &json!({"kind": "openai_key", "label": "paid", "key": server.key().unwrap()})).await;
    let mut body = json!({
        "model": "paid/gpt-6-sol",
        "instructions": "Be brief.",
        "input": [{"role": "system", "content": "s", "tomorrow": 1}, {"type": "item_reference", "id": "msg_0"}],
        "previous_response_id": "resp_0",
        "store": true,
        "metadata": {"a": "b"},
        "max_output_tokens": 16,
        "max_tool_calls": 2,
        "temperature": 0.5,
        "top_p": 0.5,
        "top_logprobs": 3,
        "truncation": "auto",
        "user": "u",
        "safety_identifier": "s",
        "prompt": {"id": "pmpt_1"},
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "service_tier": "flex",
        "include": ["file_search_call.results"],
        "tools": [{"type": "web_search_preview"}, {"type": "file_search", "vector_store_ids": ["vs_1"]}],
        "background": false,
    });
    for (streamed, more) in
        [(true, json!({})), (false, json!({"input": null})), (true, json!({"conversation": "conv_1", "input": null}))]
    {
        body["stream"] = json!(streamed);
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let response = world.post("/v1/responses").header("cookie", "secret").json(&body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        assert!(!response.headers().contains_key("codeferry-losses"), "{:?}", response.headers());
        let mut expected = body.clone();
        expected["model"] = json!("gpt-6-sol");
        expected["stream"] = json!(true);
        assert_eq!(server.asked().pop().unwrap(), expected, "nothing is dropped, nothing is added");
    }
    clean(&server);
    assert_eq!(world.demo.model_requests().len(), 0);
}

/// The Codex CLI groups tools in namespaces and has some that take free text; a server that speaks chat knows functions.
#[tokio::test]
async fn tools_of_all_forms_are_called_as_the_client_knows_them() {
    let (world, server) = with_ollama().await;
    let patch = json!({"input": "*** Begin Patch\n*** End Patch"});
    let mut body = asking("");
    let asks = format!(
        "[[demo:tool mcp__own__snap {{\"place\":\"pier\"}}]][[demo:tool apply_patch {patch}]][[demo:then Done.]]"
    );
    body["input"] = json!([{"role": "user", "content": asks}]);
    body["tools"] = json!([
        {"type": "namespace", "name": "mcp__own", "description": "d", "tools": [
            {"type": "function", "name": "snap", "description": "s", "parameters": {"type": "object"}, "strict": false},
        ]},
        {"type": "custom", "name": "apply_patch", "description": "Edits files."},
        {"type": "web_search"},
    ]);
    for originator in ["codex_exec", "an-app"] {
        let request = world.post("/v1/responses").header("originator", originator).json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["codeferry-losses"], "server_tool", "the search alone");
        let told = fold(&events(&response.text().await.unwrap()));
        let output = told["output"].as_array().unwrap();
        assert_eq!(output.len(), 2, "{output:?}");
        assert_eq!((&output[0]["name"], &output[0]["namespace"]), (&json!("snap"), &json!("mcp__own")));
        assert_eq!((&output[1]["type"], &output[1]["input"]), (&json!("custom_tool_call"), &patch["input"]));
        let mut next = body.clone();
        let input = next["input"].as_array_mut().unwrap();
        for (call, output) in output.iter().zip(["function_call_output", "custom_tool_call_output"]) {
            input.push(call.clone());
            input.push(json!({"type": output, "call_id": call["call_id"], "output": "ok"}));
        }
        // Who is remembered need not say it all again.
        if originator == "an-app" {
            let input = next["input"].as_array_mut().unwrap();
            input.retain(|item| item["type"].as_str().is_some_and(|kind| kind.ends_with("_output")));
            next["previous_response_id"] = told["id"].clone();
        }
        assert_eq!(streamed(&world, &next).await["output"][0]["content"][0]["text"], "Done.");
        let sent = server.asked().pop().unwrap();
        let names: Vec<&Value> =
            sent["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
        assert_eq!(names, ["mcp__own__snap", "apply_patch"]);
        let messages = sent["messages"].as_array().unwrap().iter();
        let calls = messages.flat_map(|message| message["tool_calls"].as_array().into_iter().flatten());
        let calls: Vec<_> =
            calls.map(|call| (call["function"]["name"].clone(), call["function"]["arguments"].clone())).collect();
        let expected = [("mcp__own__snap", r#"{"place":"pier"}"#.to_owned()), ("apply_patch", patch.to_string())];
        assert_eq!(calls, expected.map(|(name, arguments)| (json!(name), json!(arguments))));
    }
    clean(&server);
}
