//! What one client key may ask for, and what it is told of the plan.

use codeferry_tests::World;
use codeferry_tests::world::{Refusal, asking};
use serde_json::json;

#[tokio::test]
async fn so_many_answers_at_once() {
    let world = World::start().await;
    world.gateway.settings().set("streams_per_key", "1").unwrap();
    let mut slow = asking("[[demo:silence 60]] [[demo:text late]]");
    slow["stream"] = json!(true);
    world.gateway.settings().set("first_event_hold_seconds", "0").unwrap();
    let first = world.post("/v1/messages").json(&slow).send().await.unwrap();
    assert_eq!(first.status(), 200);
    let refusal = world.refused("[[demo:text hi]]").await;
    assert_eq!((refusal.status, refusal.kind.as_str()), (429, "rate_limit_error"), "{refusal:?}");
    assert!(refusal.message.contains("streams_per_key") && refusal.retry_after.as_deref() == Some("2"), "{refusal:?}");
    assert_eq!(world.demo.model_requests().len(), 1, "no plan was asked");
    let other = world.gateway.keys().create("other", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let ask = |key: &str| world.http.post(format!("{}/v1/messages", world.url())).bearer_auth(key);
    let answer = ask(&other.key).json(&asking("[[demo:text hi]]")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "another key has its own");
    drop(first);
    for _ in 0..100 {
        let again = world.post("/v1/messages").json(&asking("[[demo:text hi]]")).send().await.unwrap();
        if again.status() == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the client has left, and its place is not free");
}

#[tokio::test]
async fn so_many_a_minute() {
    let world = World::start().await;
    world.gateway.settings().set("requests_per_minute_per_key", "2").unwrap();
    for _ in 0..2 {
        world.say("[[demo:text hi]]").await;
    }
    let refused = Refusal::of(world.post("/v1/messages").json(&asking("x")).send().await.unwrap()).await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.retry_after.unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let log = world.gateway.log().clone();
    tokio::task::spawn_blocking(move || log.flush()).await.unwrap();
    let rows = world.control(reqwest::Method::GET, "/exchanges").send().await.unwrap();
    let rows: serde_json::Value = rows.json().await.unwrap();
    assert_eq!((&rows["exchanges"][0]["status"], &rows["exchanges"][0]["client"]), (&json!(429), &json!("test")));
    world.gateway.settings().set("requests_per_minute_per_key", "0").unwrap();
    world.say("[[demo:text hi]]").await;
}

/// What is left of the plan that paid stands in the headers, under the names of Anthropic's own service.
#[tokio::test]
async fn the_windows_of_the_account_that_served() {
    let world = World::start().await;
    for streamed in [false, true] {
        let mut body = asking("[[demo:text hi]]");
        body["stream"] = json!(streamed);
        let answer = world.post("/v1/messages").json(&body).send().await.unwrap();
        let told = |name: &str| {
            let value = answer.headers().get(format!("anthropic-ratelimit-unified-{name}"));
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let windows = (told("5h-utilization"), told("7d-utilization"), told("representative-claim"));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(windows, (text("0.12"), text("0.34"), text("seven_day")), "streamed: {streamed}");
        assert_eq!(told("status"), text("allowed"));
        assert!(told("5h-reset").unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    }
}
