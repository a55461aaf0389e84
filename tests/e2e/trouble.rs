//! What Claude Code shows when something goes wrong, and how soon.

use std::process::Command;
use std::time::{Duration, Instant};

use codeferry_demo::Outcome;
use codeferry_tests::claude::Claude;
use codeferry_tests::{Setup, World};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::asked;

/// Left to itself it tries a refusal for about three minutes (`claude-code.md §0.5`). This is well below.
const AT_ONCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_used_up_plan_is_said_at_once_with_its_reset() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let run = claude.run("[[demo:limit 10800]]", &[]).await;

    let message = run.failure();
    assert!(message.contains("Request rejected (429)"), "{message}");
    assert!(message.contains("work@demo.test has reached the 5-hour limit"), "{message}");
    assert!(message.contains("it resets at ") && message.contains("(in 3 h 0 min)"), "{message}");
    assert_eq!(world.demo.model_requests().len(), 1, "the upstream is asked once");
    assert_eq!(run.notices("api_retry").count(), 0);
    assert!(run.took < AT_ONCE, "{:?}", run.took);
}

#[tokio::test]
async fn nobody_signed_in_is_said_at_once_with_what_to_do() {
    let world = World::with(Setup { signed_in: false, ..Setup::default() }).await;
    let Some(claude) = Claude::at(&world) else { return };
    let run = claude.run("hello", &[]).await;

    let message = run.failure();
    assert!(message.contains("no account is signed in"), "{message}");
    assert!(message.contains("codeferry accounts "), "{message}");
    assert_eq!(run.notices("api_retry").count(), 0);
    assert!(run.took < AT_ONCE, "{:?}", run.took);
}

#[tokio::test]
async fn a_wrong_key_is_the_clients_own_matter() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let run = claude.env("ANTHROPIC_AUTH_TOKEN", "cf_wrong").env("CLAUDE_CODE_MAX_RETRIES", "1").run("hi", &[]).await;
    run.failure();
    assert_eq!(world.demo.requests().iter().filter(|request| request.is_model_call()).count(), 0);
}

/// An answer of which something was shown breaks off: that is an error, never a short answer.
#[tokio::test]
async fn an_upstream_that_dies_mid_text_is_a_visible_error() {
    for marker in ["cut", "eof", "500 always late", "overloaded late"] {
        let world = World::start().await;
        let Some(claude) = Claude::at(&world) else { return };
        let prompt = format!("[[demo:{marker}]][[demo:reasoning]][[demo:text A long answer, of which half arrives.]]");
        let run = claude.run(&prompt, &[]).await;

        let message = run.failure();
        assert!(message.starts_with("API Error: ") && message.len() > 30, "{marker}: {message}");
        assert_eq!(world.demo.model_requests().len(), 1, "{marker}: what was shown is not asked for again");
        asked(&world);
    }
}

/// Before a block is finished, Claude Code asks again for the whole answer at once (`claude-code.md §0.3`).
#[tokio::test]
async fn a_text_that_breaks_off_once_is_fetched_whole() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let whole = "A long answer, of which all arrives in the end.";
    let run = claude.run(&format!("[[demo:cut once]][[demo:text {whole}]]"), &[]).await;
    assert_eq!(run.text(), whole);
    assert_eq!(asked(&world).len(), 2);

    let world = World::start().await;
    let claude = claude.moved_to(&world).env("CLAUDE_CODE_MAX_RETRIES", "0");
    let message = claude.run(&format!("[[demo:cut]][[demo:text {whole}]]"), &[]).await.failure().to_owned();
    assert!(message.starts_with("API Error: 502 "), "and if it always does, it is an error: {message}");
}

/// Headers and a beginning go out after ten seconds, whatever the upstream does.
#[tokio::test]
async fn twelve_seconds_without_headers_are_no_error() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let run = claude.run("[[demo:silence 12 headers]][[demo:text Late, but here.]]", &[]).await;
    assert_eq!(run.text(), "Late, but here.");
    assert!(run.took > Duration::from_secs(12), "{:?}", run.took);
    let first = run.result()["ttft_stream_ms"].as_u64().unwrap();
    assert!(first < 12_000, "the stream began before the upstream did: {first} ms");
    assert_eq!(asked(&world).len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_client_cancels_the_upstream() {
    for signal in ["INT", "KILL"] {
        let world = World::start().await;
        let Some(claude) = Claude::at(&world) else { return };
        let mut session = claude.start("[[demo:drip 100000 5]]", &["--include-partial-messages"]).await;
        let mut lines = BufReader::new(session.child.stdout.take().unwrap()).lines();
        while !lines.next_line().await.unwrap().expect("it is still talking").contains("text_delta") {}

        let process = session.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &process]).status().unwrap().success());
        let draining = async { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} };
        let (ended, ()) = tokio::join!(session.child.wait(), draining);
        ended.unwrap();
        let gone = Instant::now();
        let cancelled = world.demo.wait_until(|all| all.iter().any(|request| request.outcome == Outcome::Cancelled));
        tokio::time::timeout(Duration::from_secs(60), cancelled).await.expect("the upstream is cancelled");
        assert!(gone.elapsed() < Duration::from_secs(1), "SIG{signal}: {:?}", gone.elapsed());
        assert_eq!(asked(&world).len(), 1);
    }
}
