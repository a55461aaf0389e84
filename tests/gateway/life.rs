//! Silence, leaving, slow readers, shutting down.

use std::time::Duration;

use codeferry_demo::Outcome;
use codeferry_tests::sse::{check_grammar, text};
use codeferry_tests::world::{Refusal, asking};
use codeferry_tests::{Setup, World, events};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::Instant;

fn streaming(text: &str) -> serde_json::Value {
    let mut body = asking(text);
    body["stream"] = json!(true);
    body
}

/// Six minutes in which the upstream says nothing: the client is kept, by frames that it counts.
#[tokio::test(start_paused = true)]
async fn six_minutes_of_silence() {
    for place in ["headers", "start", "inside"] {
        let world = World::start().await;
        let begun = Instant::now();
        let marker =
            if place == "headers" { "[[demo:silence 290 headers]]" } else { &format!("[[demo:silence 360 {place}]]") };
        let response = world.messages(&streaming(&format!("{marker}[[demo:text after all]]"))).await;
        assert!(begun.elapsed() <= Duration::from_secs(11), "headers within ten seconds, {place}");
        let mut stream = response.bytes_stream();
        let (mut body, mut last, mut longest, mut counted) =
            (Vec::new(), Instant::now(), Duration::ZERO, Instant::now());
        let mut longest_counted = Duration::ZERO;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.unwrap();
            longest = longest.max(last.elapsed());
            last = Instant::now();
            if !chunk.starts_with(b"event: ping") {
                longest_counted = longest_counted.max(counted.elapsed());
                counted = Instant::now();
            }
            body.extend_from_slice(&chunk);
        }
        let events = events(&String::from_utf8(body).unwrap());
        check_grammar(&events);
        assert!(text(&events).ends_with("after all"), "{place}");
        assert!(longest <= Duration::from_secs(16), "{place}: a ping at least each 15 s, not {longest:?}");
        assert!(
            longest_counted <= Duration::from_secs(76),
            "{place}: something that counts each minute, not {longest_counted:?}"
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_upstream() {
    let world = World::start().await;
    let response = world.messages(&streaming("[[demo:drip 100000 5]]")).await;
    let mut stream = response.bytes_stream();
    stream.next().await.unwrap().unwrap();
    let left = std::time::Instant::now();
    drop(stream);
    world.demo.wait_until(|all| all.iter().any(|request| request.outcome == Outcome::Cancelled)).await;
    assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels_too() {
    let world = World::start().await;
    let body = streaming("[[demo:silence 600 start]]");
    let asking = world.messages(&body);
    let waiting = world.demo.wait_until(|all| all.iter().any(|request| request.is_model_call()));
    tokio::select! {
        _ = asking => panic!("there is no answer yet"),
        _ = waiting => {}
    }
    let left = std::time::Instant::now();
    world.demo.wait_until(|all| all.iter().any(|request| request.outcome == Outcome::Cancelled)).await;
    assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
}

/// A client that does not read holds back the upstream; nothing piles up in between.
#[tokio::test]
async fn a_slow_reader_holds_back_the_upstream() {
    let world = World::start().await;
    let mut body = streaming("[[demo:long 400000]]");
    body["max_tokens"] = json!(100_000_000);
    let response = world.messages(&body).await;
    let mut stream = response.bytes_stream();
    stream.next().await.unwrap().unwrap();
    let sent = |world: &World| world.demo.model_requests()[0].sent_bytes();
    // When two looks a moment apart see the same figure, everybody waits for the reader.
    let stuck = loop {
        let before = sent(&world);
        tokio::time::sleep(Duration::from_millis(300)).await;
        if sent(&world) == before {
            break before;
        }
    };
    assert!(stuck < 32 * 1024 * 1024, "{stuck} bytes were taken although nobody reads");
    let mut read = 0;
    while let Some(chunk) = stream.next().await {
        read += chunk.unwrap().len();
    }
    assert!(read > 20_000_000, "the whole answer comes once it is read: {read}");
}

#[tokio::test]
async fn a_shutdown_tells_those_who_wait() {
    let world = World::with(Setup { grace: Duration::from_millis(50), ..Setup::default() }).await;
    let response = world.messages(&streaming("[[demo:drip 100000 5]]")).await;
    let mut stream = response.bytes_stream();
    let first = stream.next().await.unwrap().unwrap();
    let World { gateway, demo: _demo, home: _home, .. } = world;
    let stopping = tokio::spawn(gateway.stop());
    let mut body = first.to_vec();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.unwrap());
    }
    let events = events(&String::from_utf8(body).unwrap());
    assert_eq!(events.last().unwrap().name, "error");
    assert!(events.last().unwrap().data["error"]["message"].as_str().unwrap().contains("shutting down"));
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn settings_count_at_once() {
    let world = World::start().await;
    world.gateway.settings().set("body_limit_mib", "1").unwrap();
    assert_eq!(world.refused(&"x".repeat(1_100_000)).await.status, 413);
    world.gateway.settings().set("alias.mine", "gpt-6-luna:low").unwrap();
    let mut body = asking("[[demo:text hi]]");
    body["model"] = json!("mine");
    assert_eq!(world.messages(&body).await.status(), 200);
    assert_eq!(world.last_upstream()["model"], "gpt-6-luna");
}

/// Forty requests at once with a token that has just run out: it is renewed once, and nobody notices.
#[tokio::test]
async fn a_storm_renews_a_token_once() {
    let world = World::start().await;
    world.say("[[demo:text warm]]").await;
    world.demo.expire_access_tokens();
    let before = world.demo.refresh_count();
    let asked = (0..40).map(|_| async { world.messages(&asking("[[demo:text hi]]")).await.status().as_u16() });
    let statuses = futures_util::future::join_all(asked).await;
    assert_eq!(statuses, [200; 40]);
    assert_eq!(world.demo.refresh_count(), before + 1);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn a_dead_login_says_what_to_do() {
    let world = World::start().await;
    world.demo.expire_access_tokens();
    world.demo.fail_refreshes(Some(codeferry_demo::TokenFault::Refuse("refresh_token_expired".to_owned())));
    for _ in 0..2 {
        let refusal: Refusal = world.refused("hi").await;
        assert_eq!((refusal.status, refusal.should_retry.as_deref()), (503, Some("false")), "{refusal:?}");
        assert!(refusal.message.contains("sign-in"), "{}", refusal.message);
    }
}

/// Somebody who looks on at a sign-in does not hold up the end.
#[tokio::test]
async fn a_shutdown_does_not_wait_for_lookers_on() {
    let world = World::with(Setup { grace: Duration::from_secs(60), ..Setup::default() }).await;
    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap().expose();
    let url = format!("{}/api/accounts/sign-in", world.url());
    let begun = world.http.post(&url).bearer_auth(&token).json(&json!({"kind": "plan", "method": "browser"}));
    let begun: serde_json::Value = begun.send().await.unwrap().json().await.unwrap();
    let looking = world.http.get(format!("{url}/{}/events", begun["id"].as_str().unwrap())).bearer_auth(&token);
    let mut events = looking.send().await.unwrap().bytes_stream();
    assert!(events.next().await.unwrap().unwrap().starts_with(b"event: stage"));
    let World { gateway, demo: _demo, home: _home, .. } = world;
    let stopped = tokio::time::timeout(Duration::from_secs(10), gateway.stop()).await;
    stopped.expect("long before the grace period is over").unwrap();
}
