//! What comes back, streamed and whole.

use std::time::Duration;

use codeferry_tests::chat::{check, data, fold, same};
use codeferry_tests::{Setup, World};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{CHAT, asking, chunks, records, send, whole};

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "Bash", "description": "runs", "parameters": {"type": "object", "properties": {"command": {"type": "string"}}}}}])
}

#[tokio::test]
async fn a_text_is_streamed_and_collected_alike() {
    let world = World::start().await;
    let body = asking("[[demo:text Hello there, \"friend\" — 你好]]");
    let streamed = chunks(&world, &body).await;
    let folded = fold(&streamed);
    assert_eq!(folded["message"]["content"], "Hello there, \"friend\" — 你好");
    assert_eq!(folded["finish_reason"], "stop");
    assert_eq!(streamed[0]["model"], "codex-5", "the model by the name it was asked for");
    assert!(streamed[0]["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert!(streamed.iter().all(|chunk| chunk.get("usage").is_none()), "nobody asked for the usage");

    let answer = whole(&world, &body).await;
    same(&streamed, &answer);
    assert_eq!((answer["object"].as_str(), answer["model"].as_str()), (Some("chat.completion"), Some("codex-5")));
    let usage = &answer["usage"];
    let total = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"].as_u64(), Some(total));
    assert!(usage["prompt_tokens_details"]["cached_tokens"].is_u64());
    assert!(usage["completion_tokens_details"]["reasoning_tokens"].is_u64());
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn usage_comes_last_if_it_is_asked_for() {
    let world = World::start().await;
    let mut body = asking("[[demo:reasoning]][[demo:text so]]");
    body["stream_options"] = json!({"include_usage": true});
    let streamed = chunks(&world, &body).await;
    let (last, rest) = streamed.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert!(last["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 0, "{last}");
    assert!(rest.iter().all(|chunk| chunk["usage"].is_null() && chunk.get("usage").is_some()));
}

#[tokio::test]
async fn streams_of_every_manner_come_out_the_same() {
    let world = World::start().await;
    for manner in [
        "split",
        "crlf",
        "bare",
        "comments",
        "done-line",
        "after-end",
        "unknown",
        "malformed",
        "no-deltas",
        "repeat",
        "late-ids",
        "full-output",
    ] {
        let streamed = chunks(&world, &asking(&format!("[[demo:text one two three]][[demo:{manner}]]"))).await;
        assert_eq!(fold(&streamed)["message"]["content"], "one two three", "manner {manner:?}");
    }
}

#[tokio::test]
async fn calls_have_an_index_an_id_and_arguments_that_add_up() {
    let world = World::start().await;
    let mut body = asking("[[demo:parallel 6]][[demo:interleave]][[demo:early-args]]");
    body["tools"] = tools();
    let streamed = chunks(&world, &body).await;
    let folded = fold(&streamed);
    let calls = folded["message"]["tool_calls"].as_array().unwrap();
    assert_eq!((calls.len(), folded["finish_reason"].as_str()), (6, Some("tool_calls")));
    for call in calls {
        assert!(!call["id"].as_str().unwrap().is_empty() && call["function"]["name"] == "Bash", "{call}");
        let arguments = call["function"]["arguments"].as_str().unwrap();
        assert!(serde_json::from_str::<Value>(arguments).unwrap().is_object(), "{arguments}");
    }
    same(&streamed, &whole(&world, &body).await);
}

#[tokio::test]
async fn a_conversation_with_tools_goes_round() {
    let world = World::start().await;
    let mut body = asking("[[demo:tool Bash {\"command\":\"ls\"}]]");
    body["tools"] = tools();
    let first = whole(&world, &body).await;
    let message = first["choices"][0]["message"].clone();
    assert_eq!(message["content"], Value::Null);
    let id = message["tool_calls"][0]["id"].clone();
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(message);
    messages.push(json!({"role": "tool", "tool_call_id": id, "content": "a.txt"}));
    messages.push(json!({"role": "user", "content": "[[demo:text seen]]"}));
    assert_eq!(whole(&world, &body).await["choices"][0]["message"]["content"], "seen");
    let sent = world.last_upstream();
    assert_eq!(sent["input"][1]["type"], "function_call");
    assert_eq!(sent["input"][1]["call_id"], id);
    assert_eq!(sent["input"][1]["arguments"], "{\"command\":\"ls\"}");
    assert_eq!(sent["input"][2], json!({"type": "function_call_output", "call_id": id, "output": "a.txt"}));
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn the_older_form_of_calls_goes_round() {
    let world = World::start().await;
    let mut body = asking("[[demo:tool Bash {\"command\":\"ls\"}]]");
    body["functions"] = json!([tools()[0]["function"]]);
    body["function_call"] = json!({"name": "Bash"});
    let first = whole(&world, &body).await;
    let choice = &first["choices"][0];
    assert_eq!(choice["finish_reason"], "function_call");
    assert_eq!(choice["message"]["function_call"], json!({"name": "Bash", "arguments": "{\"command\":\"ls\"}"}));
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(choice["message"].clone());
    messages.push(json!({"role": "function", "name": "Bash", "content": "a.txt"}));
    messages.push(json!({"role": "user", "content": "[[demo:text seen]]"}));
    body["function_call"] = json!("auto");
    assert_eq!(whole(&world, &body).await["choices"][0]["message"]["content"], "seen");
    let sent = world.last_upstream();
    assert_eq!(sent["input"][1]["call_id"], sent["input"][2]["call_id"]);
    assert_eq!(sent["input"][2]["output"], "a.txt");
    assert_eq!(sent["parallel_tool_calls"], false);
}

#[tokio::test]
async fn lengths_and_stops_are_kept() {
    let world = World::start().await;
    let mut body = asking("[[demo:text one two three four five six seven]]");
    body["stop"] = json!(["four"]);
    let streamed = chunks(&world, &body).await;
    assert_eq!(fold(&streamed)["message"]["content"], "one two three ");
    assert_eq!(fold(&streamed)["finish_reason"], "stop");
    for name in ["max_tokens", "max_completion_tokens"] {
        let mut body = asking("[[demo:text one two three four five six seven]]");
        body[name] = json!(3);
        let answer = whole(&world, &body).await;
        assert_eq!(answer["choices"][0]["finish_reason"], "length", "{name}");
        assert_eq!(answer["choices"][0]["message"]["content"], "one two three", "{name}");
        assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > 0);
    }
    let filtered = whole(&world, &asking("[[demo:text half]][[demo:filter]]")).await;
    assert_eq!(filtered["choices"][0]["finish_reason"], "content_filter");
}

#[tokio::test]
async fn reasoning_is_shown_behind_a_setting() {
    let world = World::start().await;
    let body = asking("[[demo:reasoning]][[demo:text so]]");
    let silent = chunks(&world, &body).await;
    assert!(fold(&silent)["message"].get("reasoning_content").is_none());
    assert!(world.last_upstream()["reasoning"].get("summary").is_none());
    world.gateway.settings().set("reasoning_content", "true").unwrap();
    let shown = chunks(&world, &body).await;
    assert!(!fold(&shown)["message"]["reasoning_content"].as_str().unwrap().is_empty());
    assert_eq!(world.last_upstream()["reasoning"]["summary"], "auto");
    same(&shown, &whole(&world, &body).await);
}

#[tokio::test]
async fn a_refusal_of_the_model_is_told_as_one() {
    let world = World::start().await;
    let streamed = chunks(&world, &asking("[[demo:refusal]]")).await;
    let message = &fold(&streamed)["message"];
    assert!(message["refusal"].as_str().is_some_and(|text| !text.is_empty()), "{message}");
    same(&streamed, &whole(&world, &asking("[[demo:refusal]]")).await);
}

#[tokio::test]
async fn a_search_leaves_its_pages_as_annotations() {
    let world = World::start().await;
    let mut body = asking("[[demo:search]]");
    body["web_search_options"] = json!({});
    let streamed = chunks(&world, &body).await;
    let message = &fold(&streamed)["message"];
    assert!(message["annotations"][0]["url_citation"]["url"].is_string(), "{message}");
    same(&streamed, &whole(&world, &body).await);
}

#[tokio::test]
async fn the_older_endpoint_continues_a_prompt() {
    let world = World::start().await;
    let body =
        json!({"model": "codex-5", "prompt": "[[demo:text once upon a time]]", "stop": "time", "max_tokens": 50});
    let answer: Value = send(&world, "/v1/completions", &body).await.json().await.unwrap();
    assert_eq!(answer["object"], "text_completion");
    assert_eq!(answer["choices"][0]["text"], "once upon a ");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(answer["usage"]["total_tokens"].as_u64().unwrap() > 0);
    let mut records = records(&world, "/v1/completions", &body).await;
    assert_eq!(records.pop().as_deref(), Some("data: [DONE]"));
    let text: String =
        records.iter().map(|record| data(record)["choices"][0]["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(text, "once upon a ");
    assert_eq!(data(records.last().unwrap())["choices"][0]["finish_reason"], "stop");
}

/// Comments keep the connection while the upstream thinks in silence.
#[tokio::test(start_paused = true)]
async fn minutes_of_silence_are_bridged_by_comments() {
    for place in ["headers", "start", "inside"] {
        let world = World::start().await;
        let seconds = if place == "headers" { 100 } else { 200 };
        let mut body = asking(&format!("[[demo:silence {seconds} {place}]][[demo:text after all]]"));
        body["stream"] = json!(true);
        let begun = tokio::time::Instant::now();
        let response = send(&world, CHAT, &body).await;
        assert!(begun.elapsed() <= Duration::from_secs(11), "headers within ten seconds, {place}");
        let mut stream = response.bytes_stream();
        let (mut text, mut last) = (Vec::new(), tokio::time::Instant::now());
        while let Some(chunk) = stream.next().await {
            assert!(last.elapsed() <= Duration::from_secs(16), "{place}: {:?} of silence", last.elapsed());
            last = tokio::time::Instant::now();
            text.extend_from_slice(&chunk.unwrap());
        }
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(": keepalive\n\n"), "{place}");
        assert!(text.ends_with("data: [DONE]\n\n"), "{place}: {text}");
        let chunks: Vec<Value> =
            text.split_terminator("\n\n").filter(|record| record.starts_with("data: {")).map(data).collect();
        check(&chunks);
        assert!(fold(&chunks)["message"]["content"].as_str().unwrap().ends_with("after all"), "{place}");
    }
}

#[tokio::test]
async fn a_shut_down_is_told_as_an_error() {
    let setup = Setup { grace: Duration::from_millis(50), ..Setup::default() };
    let world = World::with(setup).await;
    let mut body = asking("[[demo:drip 100000 5]]");
    body["stream"] = json!(true);
    let response = send(&world, CHAT, &body).await;
    let mut stream = response.bytes_stream();
    let mut text = stream.next().await.unwrap().unwrap().to_vec();
    let World { gateway, .. } = world;
    let (stopped, ()) = tokio::join!(gateway.stop(), async {
        while let Some(Ok(chunk)) = stream.next().await {
            text.extend_from_slice(&chunk);
        }
    });
    stopped.unwrap();
    let text = String::from_utf8(text).unwrap();
    let last = data(text.split_terminator("\n\n").last().unwrap());
    assert!(last["error"]["message"].as_str().unwrap().contains("shutting down"), "{last}");
}
