//! What the demo remembers of its clients, and the other endpoints.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Stage, request};
use crate::{Options, Outcome, Route, Scripted};

#[tokio::test]
async fn requests_are_kept_in_order_with_headers_body_and_outcome() {
    let stage = Stage::open().await;
    stage.say("[[demo:text a]]").await;
    stage.ask(&json!({"model": "gpt-5.5"})).await;
    stage.ask_plan(&request("hello")).await;
    let seen = stage.demo.requests();
    assert_eq!(seen.iter().map(|one| one.seq).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(seen[0].route, Route::CodexResponses);
    assert_eq!(seen[2].route, Route::PlanResponses);
    assert_eq!(seen[0].path, "/backend-api/codex/responses");
    assert_eq!(seen[0].header("originator"), Some("codeferry"));
    assert_eq!(seen[0].account.as_deref(), Some("acc-ann"));
    assert_eq!(seen[0].played, "text");
    assert_eq!(serde_json::from_slice::<Value>(&seen[0].body).expect("JSON"), *seen[0].json());
    assert_eq!(seen[0].outcome, Outcome::Completed);
    assert_eq!(seen[1].outcome, Outcome::Refused { status: 400, reason: "Store must be set to false".to_owned() });
    let debug = format!("{:?}", seen[0].headers);
    assert!(!debug.contains(&stage.account.access_token), "tokens do not end up in test logs");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_has_cancelled() {
    let stage = Stage::open().await;
    let ask = stage.codex().json(&request("[[demo:silence headers]]")).send();
    tokio::select! {
        _ = ask => unreachable!("nobody releases it"),
        _ = stage.demo.wait_for(1) => {}
    }
    let seen = stage.demo.wait_until(|seen| seen[0].outcome != Outcome::Open).await;
    assert_eq!(seen[0].outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn the_peak_counts_answers_given_at_once() {
    let stage = Stage::open().await;
    let asks = async {
        tokio::join!(stage.say("[[demo:silence]]"), stage.say("[[demo:silence]]"), stage.say("[[demo:silence]]"));
    };
    let ((), ()) = tokio::join!(asks, async {
        stage.demo.wait_for(3).await;
        assert_eq!(stage.demo.open_answers(), 3);
        stage.demo.release();
    });
    stage.say("hello").await;
    assert_eq!((stage.demo.concurrent_peak(), stage.demo.open_answers()), (3, 0));
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_the_stream_back() {
    let stage = Stage::open().await;
    let frame = Bytes::from(format!("data: {}\n\n", "x".repeat(60_000)));
    let frames: Arc<[Bytes]> = std::iter::repeat_n(frame, 2_000).collect();
    stage.demo.push(Scripted::frames(frames));
    let mut response = stage.codex().json(&request("x")).send().await.expect("headers");
    response.chunk().await.expect("a chunk").expect("more");
    let mut last = u64::MAX;
    // No clock: as soon as the runtime finds nothing more to do, the sockets are full.
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
        last = stage.demo.requests()[0].sent_bytes();
    }
    assert!(last < 100_000_000, "120 MB were not read, {last} bytes left all the same");
    assert_eq!(stage.demo.requests()[0].outcome, Outcome::Open);
}

#[tokio::test]
async fn the_embedded_demo_keeps_nothing_but_still_counts() {
    let stage = Stage::with(Options::embedded()).await;
    assert!(stage.say("hello").await.said().starts_with("Hello!"));
    assert_eq!(stage.demo.requests().len(), 0);
    stage.demo.wait_for(1).await;
    assert_eq!(stage.demo.concurrent_peak(), 1);
}

#[tokio::test]
async fn the_catalogue_has_a_tag_and_wants_a_token() {
    let stage = Stage::open().await;
    let get = |url: String| stage.http.get(url).bearer_auth(&stage.account.access_token);
    let url = format!("{}/codex/models?client_version=0.1.0", stage.demo.chatgpt_url());
    let answer = get(url.clone()).send().await.expect("an answer");
    let tag = answer.headers()["etag"].clone();
    let models: Value = answer.json().await.expect("JSON");
    let slugs: HashSet<&str> = models["models"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| model["slug"].as_str().expect("a slug"))
        .collect();
    assert!(slugs.contains("gpt-5.5") && slugs.contains("codex-auto-review") && slugs.contains("gpt-6.1-sol"));
    let again = get(url.clone()).header("if-none-match", tag).send().await.expect("an answer");
    assert_eq!(again.status(), 304);
    let plan = get(format!("{}/models", stage.demo.openai_url())).send().await.expect("an answer");
    let plan: Value = plan.json().await.expect("JSON");
    assert!(plan["models"].as_array().expect("a list").iter().all(|model| model["slug"] != "gpt-6.1-sol"));
    assert_eq!(stage.http.get(url).send().await.expect("an answer").status(), 401);
}

#[tokio::test]
async fn unknown_doors_are_closed() {
    let stage = Stage::open().await;
    let status = async |method: &str, path: &str| {
        let method = method.parse().expect("a method");
        let url = stage.demo.url().join(path).expect("a URL");
        stage.http.request(method, url).send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(status("POST", "/v1/chat/completions").await, 404);
    assert_eq!(status("GET", "/v1/responses").await, 405);
    assert_eq!(status("POST", "/backend-api/codex/chat/completions").await, 403);
}

#[tokio::test]
async fn a_stopped_demo_drops_its_lines_and_frees_its_port() {
    let stage = Stage::open().await;
    let mut response = stage.codex().json(&request("[[demo:silence inside]]")).send().await.expect("headers");
    response.chunk().await.expect("a chunk").expect("more");
    stage.demo.stop().await;
    let ended = loop {
        match response.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break "cleanly",
            Err(_) => break "dropped",
        }
    };
    assert_eq!(ended, "dropped");
    assert!(stage.codex().json(&request("x")).send().await.is_err());
    let port = stage.demo.address().port();
    let again = crate::Demo::start(Options { port, ..Options::default() }).await.expect("the port is free again");
    assert_eq!(again.address().port(), port);
}

#[tokio::test]
async fn the_fast_lane_parses_nothing() {
    let stage = Stage::with(Options { keep: 0, ..Options::default() }).await;
    stage.demo.always(Some(Scripted::sse("data: 1\n\ndata: 2\n\n").unchecked()));
    let answer = stage.codex().body("not even JSON").send().await.expect("an answer");
    assert_eq!(answer.text().await.expect("a body"), "data: 1\n\ndata: 2\n\n");
    stage.demo.always(None);
    assert_eq!(stage.say("[[demo:text a]]").await.said(), "a");
}

#[tokio::test]
async fn any_token_will_do_where_the_options_say_so() {
    let stage = Stage::with(Options { any_token: true, ..Options::default() }).await;
    let url = format!("{}/responses", stage.demo.openai_url());
    let answer = stage.http.post(url).bearer_auth("mine").json(&request("hello")).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}
