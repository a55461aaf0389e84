//! What goes upstream, and what is said of the rest.

use codeferry_tests::World;
use serde_json::{Value, json};

use super::{CHAT, asking, send, whole};

async fn losses(world: &World, body: &Value) -> String {
    let response = send(world, CHAT, body).await;
    assert_eq!(response.status(), 200);
    response.headers().get("codeferry-losses").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn the_conversation_arrives_as_it_was_said() {
    let world = World::start().await;
    let body = json!({"model": "codex-5", "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "developer", "content": [{"type": "text", "text": "and kind"}]},
        {"role": "user", "content": [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}]},
        {"role": "assistant", "content": "seen"},
        {"role": "system", "content": "from now on in verse"},
        {"role": "user", "content": "[[demo:text ok]]"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "verse", "strict": true,
            "schema": {"type": "object", "properties": {"t": {"type": "string"}}, "required": ["t"], "additionalProperties": false}}},
        "reasoning_effort": "high", "verbosity": "low", "service_tier": "priority"});
    whole(&world, &body).await;
    let sent = world.last_upstream();
    assert_eq!(sent["instructions"], "be brief\n\nand kind");
    let parts = &sent["input"][0]["content"];
    assert_eq!(parts[0], json!({"type": "input_text", "text": "look"}));
    assert_eq!((parts[1]["type"].as_str(), parts[1]["detail"].as_str()), (Some("input_image"), Some("low")));
    assert_eq!(parts[2], json!({"type": "input_image", "image_url": "https://example.org/a.png"}));
    assert_eq!(parts[3]["filename"], "a.pdf");
    assert_eq!(sent["input"][1]["content"], json!([{"type": "output_text", "text": "seen"}]));
    assert_eq!(sent["input"][2]["role"], "developer");
    assert_eq!(sent["text"]["format"]["name"], "verse");
    assert_eq!(
        (sent["text"]["format"]["strict"].as_bool(), sent["text"]["verbosity"].as_str()),
        (Some(true), Some("low"))
    );
    assert_eq!((sent["reasoning"]["effort"].as_str(), sent["service_tier"].as_str()), (Some("high"), Some("priority")));
    assert_eq!(sent["store"], false);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn every_form_of_tool_choice_is_taken() {
    let world = World::start().await;
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    for (choice, sent) in [
        (json!("auto"), json!("auto")),
        (json!("none"), json!("none")),
        (json!("required"), json!("required")),
        (tool("b"), json!({"type": "function", "name": "b"})),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [tool("a")]}}),
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "a"}]}),
        ),
    ] {
        let mut body = asking("[[demo:text ok]]");
        body["tools"] = json!([tool("a"), tool("b")]);
        body["tool_choice"] = choice.clone();
        body["parallel_tool_calls"] = json!(false);
        let response = send(&world, CHAT, &body).await;
        assert_eq!(response.status(), 200, "{choice}: {}", response.text().await.unwrap());
        assert_eq!(world.last_upstream()["tool_choice"], sent, "{choice}");
        assert_eq!(world.last_upstream()["parallel_tool_calls"], false);
    }
}

#[tokio::test]
async fn what_cannot_be_carried_is_named() {
    let world = World::start().await;
    let mut body = asking("[[demo:text ok]]");
    for (member, value) in [
        ("temperature", json!(0.2)),
        ("top_p", json!(0.9)),
        ("seed", json!(7)),
        ("presence_penalty", json!(0.5)),
        ("logit_bias", json!({"50256": -100})),
        ("service_tier", json!("flex")),
        ("mystery", json!(1)),
        ("prediction", json!({"type": "content", "content": "x"})),
    ] {
        body[member] = value;
    }
    body["messages"][0]["name"] = json!("Ann");
    let told = losses(&world, &body).await;
    assert_eq!(
        told,
        "logit_bias, penalty, prediction, seed, service_tier, speaker_name, temperature, top_p, unknown_member"
    );
    assert_eq!(losses(&world, &asking("[[demo:text ok]]")).await, "");
}

#[tokio::test]
async fn calls_without_results_and_results_without_calls() {
    let world = World::start().await;
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": ""}});
    let body = json!({"model": "codex-5", "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "on it", "tool_calls": [call("a"), call("b")]},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "done"}]},
        {"role": "tool", "tool_call_id": "gone", "content": "lost"},
        {"role": "user", "content": "[[demo:text ok]]"}]});
    assert_eq!(losses(&world, &body).await, "missing_result, orphan_result");
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn names_and_efforts() {
    let world = World::start().await;
    for (name, asked, effort) in [
        ("codex-5-high", None, Some("high")),
        ("codex-5-high", Some("low"), Some("low")),
        ("codex-5-XHIGH", None, Some("xhigh")),
        ("codex/codex-5-low", None, Some("low")),
    ] {
        let mut body = asking("[[demo:text ok]]");
        body["model"] = json!(name);
        if let Some(asked) = asked {
            body["reasoning"] = json!({"effort": asked});
        }
        assert_eq!(whole(&world, &body).await["model"], name);
        assert_eq!(world.last_upstream()["reasoning"]["effort"].as_str(), effort, "{name} {asked:?}");
    }
}

/// The log, the metrics and the playground know the dialect.
#[tokio::test]
async fn it_is_written_down_as_a_chat() {
    let world = World::start().await;
    let response = send(&world, CHAT, &asking("[[demo:text ok]]")).await;
    let id = response.headers()["request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.headers()["x-request-id"].to_str().unwrap(), id);
    let path = format!("/exchanges/{id}");
    let row = world.control(reqwest::Method::GET, &path).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!((row["dialect"].as_str(), row["path"].as_str()), (Some("chat"), Some(CHAT)), "{row}");
    assert_eq!(row["outcome"], "completed");
    let metrics = world.http.get(format!("{}/metrics", world.url())).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("dialect=\"chat\""), "{metrics}");
}
