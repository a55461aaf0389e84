//! Scenarios that fail, with the shapes of codex-backend.md §5 and §12.

use serde_json::{Value, json};

use super::{Answer, Stage, follow_up, request, user};
use crate::{Limits, Options, Window};

fn code(answer: &Answer) -> Value {
    answer.last()["response"]["error"]["code"].take()
}

#[tokio::test]
async fn a_used_up_plan_says_when_it_starts_again() {
    let stage = Stage::open().await;
    let answer = stage.say("[[demo:limit 7200]]").await;
    assert_eq!(answer.status, 429);
    let error = &answer.json()["error"];
    assert_eq!(error["type"], "usage_limit_reached");
    assert_eq!(error["resets_in_seconds"], 7_200);
    assert_eq!(error.get("code"), None, "one matches on the type");
    assert_eq!(answer.header("x-codex-primary-used-percent"), "100");
    assert_eq!(answer.header("x-codex-primary-reset-after-seconds"), "7200");
    assert_eq!(answer.header("x-codex-primary-reset-at"), error["resets_at"].to_string());

    let first = stage.say("[[demo:limit first]]").await;
    assert_eq!((first.status.as_u16(), first.kinds()), (200, vec!["response.failed".to_owned()]));
    assert_eq!(first.last()["response"]["error"]["resets_in_seconds"], 10_800);

    let plan = stage.ask_plan(&request("[[demo:limit]]")).await;
    assert_eq!(plan.json()["error"]["code"], "subscription_sharing_usage_limit_exceeded");
    assert!(plan.json()["error"].get("resets_at").is_none());
    assert_eq!(
        code(&stage.ask_plan(&request("[[demo:limit event]]")).await),
        "subscription_sharing_usage_limit_exceeded"
    );
}

#[tokio::test]
async fn other_refusals_have_their_status_and_shape() {
    let stage = Stage::open().await;
    let rate = stage.say("[[demo:rate 5]]").await;
    assert_eq!((rate.status.as_u16(), rate.header("retry-after")), (429, "5"));
    assert!(rate.json()["error"]["message"].as_str().expect("a sentence").contains("try again in 5s"));
    let overloaded = stage.say("[[demo:overloaded]]").await;
    assert_eq!(
        (overloaded.status.as_u16(), &overloaded.json()["error"]["code"]),
        (503, &json!("server_is_overloaded"))
    );
    let challenge = stage.say("[[demo:403]]").await;
    assert_eq!((challenge.status.as_u16(), challenge.header("cf-mitigated")), (403, "challenge"));
    assert!(challenge.header("content-type").starts_with("text/html") && challenge.text.contains("Just a moment"));
    assert_eq!(stage.say("[[demo:403 json]]").await.json()["detail"], "workspace_access_denied");
    assert_eq!(stage.say("[[demo:402]]").await.json()["detail"]["code"], "deactivated_workspace");
    assert_eq!(stage.say("[[demo:policy status]]").await.json()["error"]["code"], "cyber_policy");
    assert!(
        stage.say("[[demo:model]]").await.json()["detail"].as_str().expect("a sentence").contains("is not supported")
    );
    assert!(stage.codex().json(&request("[[demo:reset]]")).send().await.is_err());
    assert!(rate.header("x-request-id").starts_with("req_"));
    assert_eq!(stage.demo.violations(), [], "none of it is the client's fault");
}

#[tokio::test]
async fn failures_inside_of_a_stream_stand_where_they_are_put() {
    let stage = Stage::open().await;
    let opened = stage.say("[[demo:overloaded event]]").await;
    assert_eq!(opened.kinds(), ["response.created", "response.in_progress", "response.failed"]);
    let late = stage.say("[[demo:text a b c d]] [[demo:500 late always]]").await;
    assert_eq!((late.said().as_str(), code(&late)), ("a b ", json!("server_error")));
    let flat = stage.say("[[demo:error]]").await.last();
    assert_eq!((&flat["type"], &flat["code"]), (&json!("error"), &json!("server_error")));
    let nested = stage.say("[[demo:error nested]]").await.last();
    assert_eq!((&nested["type"], &nested["error"]["code"]), (&json!("error"), &json!("server_error")));
}

#[tokio::test]
async fn once_means_once_and_always_means_always() {
    let stage = Stage::open().await;
    let statuses = async |text: &str| {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(stage.say(text).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses("[[demo:500]]").await, [500, 200, 200]);
    assert_eq!(statuses("[[demo:500 always]]").await, [500, 500, 500]);
    assert_eq!(statuses("[[demo:limit once]]").await, [429, 200, 200]);
}

#[tokio::test]
async fn an_access_token_that_was_refused_once_stays_refused() {
    let mut stage = Stage::open().await;
    assert_eq!(stage.say("[[demo:401]]").await.json()["error"]["code"], "token_expired");
    assert_eq!(
        stage.say("[[demo:401]]").await.json()["error"]["code"],
        "token_invalidated",
        "sending it again does not help"
    );
    stage.account = stage.demo.account("ann");
    assert_eq!(stage.say("[[demo:401]]").await.said(), "This time it worked.");
    assert_eq!(stage.say("[[demo:401 always]]").await.status, 401);
    stage.account = stage.demo.account("ann");
    assert_eq!(stage.say("[[demo:401 always]]").await.status, 401);
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_overflows_as_the_real_one_does() {
    let stage = Stage::with(Options { context_window: Some(100), ..Options::default() }).await;
    let answer = stage.say(&"word ".repeat(200)).await;
    assert_eq!((answer.status.as_u16(), code(&answer)), (200, json!("context_length_exceeded")));
    stage.demo.set_overflow_as_status(true);
    let answer = stage.say(&"word ".repeat(200)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (400, &json!("context_length_exceeded")));
    assert_eq!(stage.say("short").await.status, 200);
    stage.demo.set_context_window(None);
    assert_eq!(stage.say(&"word ".repeat(200)).await.last()["type"], "response.completed");
    assert_eq!(stage.demo.violations(), []);
}

#[tokio::test]
async fn an_overflow_on_demand_ends_with_the_summary() {
    let stage = Stage::open().await;
    let mut body = request("[[demo:overflow]]");
    assert_eq!(code(&stage.ask(&body).await), "context_length_exceeded");
    body["input"][0]["content"]
        .as_array_mut()
        .expect("parts")
        .push(json!({"type": "input_text", "text": "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools."}));
    let summary = stage.ask(&body).await.said();
    assert!(summary.starts_with("<analysis>") && summary.contains("<summary>"));
    body["input"] = json!([user(&format!("This goes on from before: {summary}")), user("[[demo:overflow]]")]);
    assert_eq!(stage.ask(&body).await.said(), "This time it worked.");
}

#[tokio::test]
async fn sealed_reasoning_is_refused_until_it_is_left_out() {
    let stage = Stage::open().await;
    let mut body = request("[[demo:reasoning]] [[demo:text a]]");
    let answer = stage.ask(&body).await;
    follow_up(&mut body, &answer);
    body["input"].as_array_mut().expect("a list").push(user("[[demo:sealed]]"));
    assert_eq!(stage.ask(&body).await.json()["error"]["code"], "invalid_encrypted_content");
    body["input"].as_array_mut().expect("a list").retain(|item| item["type"] != "reasoning");
    assert_eq!(stage.ask(&body).await.said(), "This time it worked.");
}

#[tokio::test]
async fn usage_and_limits() {
    let stage = Stage::open().await;
    stage.demo.set_limits("acc-ann", Limits { primary: Some(Window::five_hours(55.5, 60)), ..Limits::default() });
    assert_eq!(stage.say("x").await.header("x-codex-primary-used-percent"), "55.5");
    let url = format!("{}/wham/usage", stage.demo.chatgpt_url());
    let usage = stage.http.get(&url).bearer_auth(&stage.account.access_token).send().await.expect("an answer");
    let usage: Value = usage.json().await.expect("JSON");
    assert_eq!(usage["rate_limit"]["primary_window"]["used_percent"], 55.5);
    assert_eq!(usage["rate_limit"]["primary_window"]["limit_window_seconds"], 18_000);
    let refused = stage.http.get(&url).bearer_auth("nonsense").send().await.expect("an answer");
    assert_eq!(refused.status(), 401);
}
