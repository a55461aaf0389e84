//! What comes back, streamed and whole.

use codeferry_tests::World;
use serde_json::{Value, json};

use super::{ARRAY, STREAM, asking, calls, chunks, parts, send, text, tools, whole};

#[tokio::test]
async fn a_text_is_streamed_and_collected_alike() {
    let world = World::start().await;
    let said = "Hello there, \"friend\" — 你好\u{2028}!";
    let body = asking(&format!("[[demo:text {said}]]"));
    let streamed = chunks(&world, &body).await;
    assert_eq!(text(&streamed), said);
    assert!(streamed.len() > 2, "it comes in pieces");
    let answer = whole(&world, &body).await;
    assert_eq!(parts(std::slice::from_ref(&answer)), [json!({"text": said})]);
    assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
    assert_eq!(answer["modelVersion"], "gemini-3-pro", "the model by the name it was asked for");
    let usage = &answer["usageMetadata"];
    let total = usage["promptTokenCount"].as_u64().unwrap() + usage["candidatesTokenCount"].as_u64().unwrap();
    assert_eq!(usage["totalTokenCount"].as_u64(), Some(total));
    assert_eq!(world.last_upstream()["model"], "gpt-6.1-sol");
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn without_alt_a_stream_is_an_array() {
    let world = World::start().await;
    let body = asking("[[demo:text one two three]]");
    let response = send(&world, ARRAY, &body).await;
    assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
    let array: Vec<Value> = response.json().await.unwrap();
    assert_eq!(text(&array), "one two three");
    assert_eq!(array.last().unwrap()["candidates"][0]["finishReason"], "STOP");
}

/// The SDK of the Gemini CLI takes a line break of Unicode for the end of a record.
#[tokio::test]
async fn no_record_has_a_line_break_inside() {
    let world = World::start().await;
    let sent = send(&world, STREAM, &asking("[[demo:text a\u{2028}b\u{2029}c]]")).await.text().await.unwrap();
    assert!(!sent.contains(['\u{2028}', '\u{2029}']), "{sent}");
}

#[tokio::test]
async fn streams_of_every_manner_come_out_the_same() {
    let world = World::start().await;
    for manner in ["split", "crlf", "unknown", "malformed", "no-deltas", "repeat", "late-ids", "full-output"] {
        let streamed = chunks(&world, &asking(&format!("[[demo:text one two three]][[demo:{manner}]]"))).await;
        assert_eq!(text(&streamed), "one two three", "manner {manner:?}");
    }
}

#[tokio::test]
async fn calls_come_whole() {
    let world = World::start().await;
    let mut body = asking("[[demo:parallel 6]][[demo:interleave]][[demo:early-args]]");
    body["tools"] = tools();
    let streamed = calls(&chunks(&world, &body).await);
    assert_eq!(streamed.len(), 6);
    for call in &streamed {
        assert!(!call["id"].as_str().unwrap().is_empty() && call["name"] == "Bash", "{call}");
        assert!(call["args"].is_object(), "{call}");
    }
    let whole = calls(&[whole(&world, &body).await]);
    assert_eq!(
        whole.iter().map(|call| &call["args"]).collect::<Vec<_>>(),
        streamed.iter().map(|call| &call["args"]).collect::<Vec<_>>()
    );
    let declared = &world.last_upstream()["tools"][0];
    assert_eq!(declared["parameters"]["type"], "object");
    assert_eq!(declared["parameters"]["properties"]["command"]["type"], "string");
}

/// With the id that the call has, and without: some clients leave it out.
#[tokio::test]
async fn a_conversation_with_tools_goes_round_and_reasoning_with_it() {
    for with_id in [true, false] {
        let world = World::start().await;
        let mut body = asking("[[demo:reasoning]][[demo:tool Bash {\"command\":\"ls\"}]]");
        body["tools"] = tools();
        let first = whole(&world, &body).await;
        let mut content = first["candidates"][0]["content"].clone();
        let call = content["parts"].as_array_mut().unwrap().last_mut().unwrap();
        let id = call["functionCall"]["id"].clone();
        assert!(call["thoughtSignature"].is_string(), "{call}");
        let mut response = json!({"name": "Bash", "response": {"output": "a.txt"}});
        if with_id {
            response["id"] = id.clone();
        } else {
            call["functionCall"].as_object_mut().unwrap().remove("id");
        }
        let contents = body["contents"].as_array_mut().unwrap();
        contents.push(content);
        contents
            .push(json!({"role": "user", "parts": [{"functionResponse": response}, {"text": "[[demo:text seen]]"}]}));
        assert_eq!(text(&[whole(&world, &body).await]), "seen");
        let sent = world.last_upstream();
        let input = sent["input"].as_array().unwrap();
        let kinds: Vec<_> = input.iter().map(|item| item["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["message", "reasoning", "function_call", "function_call_output", "message"]);
        assert_eq!(input[2]["arguments"], "{\"command\":\"ls\"}");
        assert_eq!(input[2]["call_id"], input[3]["call_id"]);
        assert_eq!(input[3]["output"], "a.txt");
        if with_id {
            assert_eq!(input[2]["call_id"], id);
        }
        assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
    }
}

#[tokio::test]
async fn thoughts_are_shown_to_who_asks() {
    let world = World::start().await;
    let mut body = asking("[[demo:reasoning]][[demo:text so]]");
    let silent = chunks(&world, &body).await;
    assert!(parts(&silent).iter().all(|part| part.get("thought").is_none()));
    assert!(parts(&silent)[0]["thoughtSignature"].is_string(), "reasoning goes on all the same");
    assert!(world.last_upstream()["reasoning"].get("summary").is_none());
    body["generationConfig"] = json!({"thinkingConfig": {"includeThoughts": true}});
    let shown = chunks(&world, &body).await;
    assert!(parts(&shown).iter().any(|part| part["thought"] == true && part["text"] != ""), "{shown:?}");
    assert_eq!(world.last_upstream()["reasoning"]["summary"], "auto");
    assert_eq!(text(&shown), "so");
    let usage = &shown.last().unwrap()["usageMetadata"];
    assert!(usage["thoughtsTokenCount"].as_u64().unwrap() > 0, "{usage}");
}

#[tokio::test]
async fn lengths_and_stops_are_kept() {
    let world = World::start().await;
    let mut body = asking("[[demo:text one two three four five six seven]]");
    body["generationConfig"] = json!({"stopSequences": ["four"]});
    let streamed = chunks(&world, &body).await;
    assert_eq!(text(&streamed), "one two three ");
    assert_eq!(streamed.last().unwrap()["candidates"][0]["finishReason"], "STOP");
    body["generationConfig"] = json!({"maxOutputTokens": 3});
    let answer = whole(&world, &body).await;
    assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(text(&[answer]), "one two three");
    let filtered = whole(&world, &asking("[[demo:text half]][[demo:filter]]")).await;
    assert_eq!(filtered["candidates"][0]["finishReason"], "SAFETY");
}
