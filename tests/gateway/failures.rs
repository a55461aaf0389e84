//! The failure table: before the first byte a real status, after it an error event, never a clean early end.

use codeferry_demo::Outcome;
use codeferry_tests::sse::{check_grammar, text};
use codeferry_tests::world::{Refusal, asking};
use codeferry_tests::{Setup, World};
use serde_json::json;

/// status, kind, retry-after present, x-should-retry: false, a part of the message, how often the upstream was asked
type Row = (&'static str, u16, &'static str, bool, bool, &'static str, usize);

#[tokio::test]
async fn before_the_first_byte() {
    let table: [Row; 17] = [
        ("[[demo:overflow]]", 400, "invalid_request_error", false, false, "prompt is too long: ", 1),
        ("[[demo:overflow status]]", 400, "invalid_request_error", false, false, " maximum", 1),
        ("[[demo:limit 10800]]", 429, "rate_limit_error", false, true, "has reached the", 1),
        ("[[demo:limit 10800 first]]", 429, "rate_limit_error", false, true, "it resets at", 1),
        ("[[demo:limit 30]]", 429, "rate_limit_error", true, false, "it resets at", 1),
        ("[[demo:not-included]]", 429, "rate_limit_error", false, true, "does not include", 1),
        ("[[demo:overloaded]]", 529, "overloaded_error", false, false, "overloaded", 1),
        ("[[demo:overloaded event]]", 529, "overloaded_error", false, false, "overloaded", 1),
        ("[[demo:401 always]]", 503, "api_error", false, true, "does not accept the account", 2),
        ("[[demo:402]]", 503, "api_error", false, true, "does not accept the account", 1),
        ("[[demo:403]]", 503, "api_error", false, true, "browser check", 1),
        ("[[demo:403 json]]", 503, "api_error", false, true, "does not accept the account", 1),
        ("[[demo:model]]", 404, "not_found_error", false, true, "model: claude-opus-4-8", 1),
        ("[[demo:policy]]", 400, "invalid_request_error", false, false, "content policy", 1),
        ("[[demo:500 always]]", 502, "api_error", false, false, "the upstream failed", 4),
        ("[[demo:reset]]", 502, "api_error", false, false, "", 4),
        ("[[demo:error]]", 502, "api_error", false, false, "", 4),
    ];
    for (marker, status, kind, waits, is_final, part, asked) in table {
        // A fresh world for each: a limit or a refused account is remembered.
        let world = World::start().await;
        let refusal = world.refused(marker).await;
        assert_eq!((refusal.status, refusal.kind.as_str()), (status, kind), "{marker}: {refusal:?}");
        assert_eq!(refusal.retry_after.is_some(), waits, "{marker}: {refusal:?}");
        assert_eq!(refusal.should_retry.as_deref() == Some("false"), is_final, "{marker}: {refusal:?}");
        assert!(refusal.message.contains(part), "{marker}: {refusal:?}");
        assert_eq!(world.demo.model_requests().len(), asked, "{marker}");
    }
}

#[tokio::test]
async fn what_mends_itself_is_not_seen() {
    for marker in ["[[demo:401]]", "[[demo:500]]", "[[demo:rate 1]]"] {
        let world = World::start().await;
        let marker = if marker.contains("rate") { "[[demo:rate 1 once]]" } else { marker };
        let events = world.say(&format!("{marker}[[demo:text well]]")).await;
        check_grammar(&events);
        assert_eq!(text(&events), "well", "{marker}");
        assert_eq!(world.demo.refresh_count(), u64::from(marker.contains("401")), "{marker}");
    }
}

#[tokio::test]
async fn refused_reasoning_is_left_out_and_the_rest_goes_through() {
    let world = World::start().await;
    let first =
        world.messages(&asking("[[demo:reasoning]][[demo:text so]]")).await.json::<serde_json::Value>().await.unwrap();
    let mut next = asking("x");
    next["messages"] = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": "[[demo:sealed]][[demo:text on]]"}]);
    assert_eq!(text(&world.stream(&next).await), "on");
    assert_eq!(world.demo.model_requests().len(), 3);
}

#[tokio::test]
async fn what_an_upstream_does_not_know_is_left_out() {
    let world = World::start().await;
    let refused = json!({"error": {"type": "invalid_request_error", "code": "unsupported_parameter", "param": "reasoning.summary",
        "message": "Unsupported parameter: 'reasoning.summary'"}});
    world.demo.push(codeferry_demo::Scripted::json(400, &refused));
    let refused = json!({"detail": "Unsupported parameter: prompt_cache_key"});
    world.demo.push(codeferry_demo::Scripted::json(400, &refused));
    assert_eq!(text(&world.say("[[demo:text fine]]").await), "fine");
    let asked = world.demo.model_requests();
    assert_eq!(asked[0].json()["reasoning"]["summary"], "auto");
    assert_eq!(asked[1].json()["reasoning"].get("summary"), None);
    assert!(asked[1].json()["prompt_cache_key"].is_string());
    assert_eq!(asked[2].json().get("prompt_cache_key"), None);
}

#[tokio::test]
async fn after_the_first_byte_the_client_is_told() {
    for marker in
        ["[[demo:cut]]", "[[demo:eof]]", "[[demo:500 late]]", "[[demo:overloaded late]]", "[[demo:limit 10800 late]]"]
    {
        let world = World::start().await;
        let events = world.say(marker).await;
        check_grammar(&events);
        let last = events.last().unwrap();
        assert_eq!(last.name, "error", "{marker}: {last:?}");
        assert!(!last.data["error"]["message"].as_str().unwrap().is_empty(), "{marker}");
        assert!(!text(&events).is_empty(), "{marker}: something was shown before");
        assert_eq!(world.demo.model_requests().len(), 1, "{marker}: nothing is retried after the first byte");
    }
}

#[tokio::test]
async fn a_whole_answer_may_be_tried_again_when_it_breaks_off() {
    let world = World::start().await;
    let answer = world.messages(&asking("[[demo:cut once]]")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(world.demo.model_requests().len(), 2);
    let refusal = Refusal::of(world.messages(&asking("[[demo:cut]]")).await).await;
    assert_eq!((refusal.status, refusal.kind.as_str()), (502, "api_error"));
}

#[tokio::test]
async fn a_limit_is_remembered_and_not_asked_about_again() {
    let world = World::start().await;
    world.refused("[[demo:limit 10800]]").await;
    let refusal = world.refused("[[demo:text hi]]").await;
    assert_eq!((refusal.status, refusal.should_retry.as_deref()), (429, Some("false")), "{refusal:?}");
    assert_eq!(world.demo.model_requests().len(), 1);
}

#[tokio::test]
async fn nobody_signed_in() {
    let world = World::with(Setup { signed_in: false, ..Setup::default() }).await;
    let refusal = world.refused("hi").await;
    assert_eq!((refusal.status, refusal.should_retry.as_deref()), (503, Some("false")));
    assert!(refusal.message.contains("codeferry accounts "), "{}", refusal.message);
}

#[tokio::test]
async fn threads_are_refused_by_their_code() {
    let world = World::start().await;
    for kind in ["create", "continue"] {
        let mut body = asking("hi");
        body["thread"] = json!({"type": kind});
        let answer = world.messages(&body).await;
        assert_eq!(answer.status(), 400);
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["details"]["error_code"], "thread_unsupported_request");
    }
}

#[tokio::test]
async fn a_prompt_that_talks_of_limits_is_no_limit() {
    let world = World::start().await;
    let events = world.say("[[demo:text fine]] usage_limit_reached context_length_exceeded token_expired").await;
    assert_eq!(text(&events), "fine");
    let answered = world.demo.model_requests();
    assert_eq!(answered[0].outcome, Outcome::Completed);
}
