//! What comes back: streams and whole messages.

use codeferry_tests::sse::{check_grammar, outline, text};
use codeferry_tests::world::asking;
use codeferry_tests::{Setup, World};
use serde_json::{Value, json};

async fn whole(world: &World, body: &Value) -> Value {
    let response = world.messages(body).await;
    assert_eq!(response.status(), 200);
    response.json().await.expect("a message")
}

#[tokio::test]
async fn a_text_is_streamed_and_collected_alike() {
    let world = World::start().await;
    let events = world.say("[[demo:text Hello there, \"friend\" — 你好]]").await;
    check_grammar(&events);
    assert_eq!(
        outline(&events),
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert_eq!(text(&events), "Hello there, \"friend\" — 你好");
    assert_eq!(events[0].data["message"]["model"], "claude-opus-4-8");
    assert!(events[0].data["message"]["usage"]["input_tokens"].as_u64().unwrap() > 0, "an estimate at once");
    let end = &events[events.len() - 2].data;
    assert_eq!(end["delta"]["stop_reason"], "end_turn");

    let message = whole(&world, &asking("[[demo:text Hello there, \"friend\" — 你好]]")).await;
    assert_eq!(message["content"], json!([{"type": "text", "text": "Hello there, \"friend\" — 你好"}]));
    assert_eq!(message["stop_reason"], "end_turn");
    assert_eq!(message["usage"]["output_tokens"], end["usage"]["output_tokens"]);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn streams_of_every_manner_come_out_the_same() {
    let world = World::start().await;
    for manner in [
        "",
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
        let marker = if manner.is_empty() { String::new() } else { format!("[[demo:{manner}]]") };
        let events = world.say(&format!("[[demo:text one two three]]{marker}")).await;
        check_grammar(&events);
        assert_eq!(text(&events), "one two three", "manner {manner:?}");
    }
}

#[tokio::test]
async fn tools_come_as_deltas_with_unique_ids() {
    let world = World::start().await;
    let mut body = asking("[[demo:parallel 6]][[demo:interleave]][[demo:same-ids]][[demo:early-args]]");
    body["tools"] =
        json!([{"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}]);
    let events = world.stream(&body).await;
    check_grammar(&events);
    let starts: Vec<&Value> = events
        .iter()
        .filter(|event| event.name == "content_block_start")
        .map(|event| &event.data["content_block"])
        .filter(|block| block["type"] == "tool_use")
        .collect();
    assert_eq!(starts.len(), 6);
    let mut ids: Vec<_> = starts.iter().map(|block| block["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6, "ids are unique");
    for block in starts {
        assert_eq!(block["input"], json!({}), "input only counts as deltas");
        let index =
            events.iter().find(|event| event.data["content_block"]["id"] == block["id"]).unwrap().data["index"].clone();
        let json: String = events
            .iter()
            .filter(|event| event.data["index"] == index)
            .filter_map(|event| event.data["delta"]["partial_json"].as_str())
            .collect();
        assert!(serde_json::from_str::<Value>(&json).unwrap().is_object(), "{json}");
    }
    assert_eq!(events[events.len() - 2].data["delta"]["stop_reason"], "tool_use");
}

#[tokio::test]
async fn thinking_travels_back_to_its_account_and_only_there() {
    let world = World::start().await;
    let events = world.say("[[demo:reasoning]][[demo:text so]]").await;
    check_grammar(&events);
    let message = whole(&world, &asking("[[demo:reasoning]][[demo:text so]]")).await;
    let thinking = &message["content"][0];
    assert_eq!(thinking["type"], "thinking");
    assert!(thinking["signature"].as_str().unwrap().starts_with("codeferry.1.acc_"));
    assert!(!thinking["thinking"].as_str().unwrap().is_empty());

    let mut next = asking("x");
    next["messages"] = json!([
        {"role": "user", "content": "think"},
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "[[demo:text ok]]"}]);
    world.stream(&next).await;
    let sent = world.last_upstream();
    assert_eq!(sent["input"][1]["type"], "reasoning");
    assert!(sent["input"][1]["encrypted_content"].as_str().is_some_and(|sealed| !sealed.is_empty()));

    // Another account made it: it would be refused, so it does not go.
    let signature = thinking["signature"].as_str().unwrap().replace("acc_", "acc_0");
    next["messages"][1]["content"][0]["signature"] = json!(signature);
    world.stream(&next).await;
    assert!(world.last_upstream()["input"].as_array().unwrap().iter().all(|item| item["type"] != "reasoning"));
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn a_client_that_does_not_ask_for_thinking_gets_none() {
    let world = World::start().await;
    let mut body = asking("[[demo:reasoning]][[demo:text so]]");
    body.as_object_mut().unwrap().remove("thinking");
    let message = whole(&world, &body).await;
    assert!(message["content"].as_array().unwrap().iter().all(|block| block["type"] == "text"), "{message}");
}

/// A subagent of Claude Code does not show thinking, but carries it.
#[tokio::test]
async fn a_subagent_gets_its_thinking_sealed() {
    let world = World::start().await;
    let mut body = asking("[[demo:reasoning]][[demo:text so]]");
    body["thinking"] = json!({"type": "disabled"});
    body["tools"] = json!([{"name": "Read", "input_schema": {"type": "object", "properties": {}}}]);
    let request =
        world.post("/v1/messages").header("x-claude-code-session-id", "s").header("x-claude-code-agent-id", "a");
    let message: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(message["content"][0]["type"], "redacted_thinking", "{message}");
    assert_eq!(world.last_upstream()["reasoning"].get("summary"), None);
}

#[tokio::test]
async fn an_answer_cut_before_its_first_word_is_an_answer() {
    let world = World::start().await;
    let mut body = asking("[[demo:text END of it]]");
    body["stop_sequences"] = json!(["END"]);
    let message = whole(&world, &body).await;
    assert_eq!((&message["stop_reason"], &message["content"]), (&json!("stop_sequence"), &json!([])));
    assert_eq!(world.demo.model_requests().len(), 1);
}

#[tokio::test]
async fn searches_are_shown_with_pages_counts_and_citations() {
    let world = World::start().await;
    let mut body = asking("[[demo:search rust sse]]");
    body["tools"] = json!([{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}]);
    body["tool_choice"] = json!({"type": "tool", "name": "web_search"});
    let message = whole(&world, &body).await;
    let kinds: Vec<_> =
        message["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert!(kinds.starts_with(&["server_tool_use", "web_search_tool_result"]), "{kinds:?}");
    assert_eq!(message["content"][0]["input"]["query"], "rust sse");
    assert!(!message["content"][1]["content"].as_array().unwrap().is_empty());
    let cited = message["content"]
        .as_array()
        .unwrap()
        .iter()
        .any(|block| block["citations"].as_array().is_some_and(|list| !list.is_empty()));
    assert!(cited, "{message}");
    assert_eq!(message["usage"]["server_tool_use"]["web_search_requests"], 1);
    assert_eq!(message["stop_reason"], "end_turn");
}

#[tokio::test]
async fn stop_sequences_and_length_are_kept_by_us() {
    let world = World::start().await;
    let mut body = asking("[[demo:text one two END three]]");
    body["stop_sequences"] = json!(["END", "never"]);
    let events = world.stream(&body).await;
    check_grammar(&events);
    assert_eq!(text(&events), "one two ");
    let end = &events[events.len() - 2].data["delta"];
    assert_eq!((&end["stop_reason"], &end["stop_sequence"]), (&json!("stop_sequence"), &json!("END")));

    let mut body = asking("[[demo:drip 100000 1]]");
    body["max_tokens"] = json!(5);
    let events = world.stream(&body).await;
    check_grammar(&events);
    assert_eq!(events[events.len() - 2].data["delta"]["stop_reason"], "max_tokens");
    let cancelled = world
        .demo
        .wait_until(|all| all.iter().any(|request| request.outcome == codeferry_demo::Outcome::Cancelled))
        .await;
    assert!(!cancelled.is_empty(), "the upstream is cancelled when the answer is cut");
}

#[tokio::test]
async fn ends_of_every_kind() {
    let world = World::start().await;
    for (marker, reason) in
        [("[[demo:incomplete]]", "max_tokens"), ("[[demo:filter]]", "refusal"), ("[[demo:refusal]]", "refusal")]
    {
        let message = whole(&world, &asking(marker)).await;
        assert_eq!(message["stop_reason"], reason, "{marker}");
    }
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_again_and_then_an_error() {
    let world = World::start().await;
    assert!(!text(&world.say("[[demo:empty once]]").await).is_empty());
    let refusal = world.refused("[[demo:empty]]").await;
    assert_eq!((refusal.status, refusal.kind.as_str()), (502, "api_error"));
    assert!(refusal.message.contains("without an answer"), "{}", refusal.message);
    assert_eq!(world.demo.model_requests().len(), 4, "each was asked twice");
}

#[tokio::test]
async fn cached_tokens_are_told_apart() {
    let world = World::start().await;
    let history = |last: &str| {
        json!({"model": "claude-opus-4-8", "max_tokens": 100, "system": "be ".repeat(3000),
        "metadata": {"user_id": "{\"session_id\":\"75452b9c-221b-45bb-92f8-434671d1d509\"}"},
        "messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}, {"role": "user", "content": last}]})
    };
    whole(&world, &history("[[demo:text a]]")).await;
    let usage = whole(&world, &history("[[demo:text b]]")).await["usage"].clone();
    let (fresh, cached) = (usage["input_tokens"].as_u64().unwrap(), usage["cache_read_input_tokens"].as_u64().unwrap());
    assert!(cached > 500 && fresh < cached, "{usage}");
}

#[tokio::test]
async fn the_plan_provider_answers_as_well() {
    let world = World::with(Setup { kind: codeferry_demo::AccountKind::Plan, ..Setup::default() }).await;
    assert_eq!(text(&world.say("[[demo:text from the plan]]").await), "from the plan");
    let asked = world.demo.model_requests();
    assert_eq!(asked[0].route, codeferry_demo::Route::PlanResponses);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}
