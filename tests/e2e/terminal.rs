//! Claude Code in a terminal, with somebody before it.

use std::time::{Duration, Instant};

use codeferry_demo::Outcome;
use codeferry_tests::World;
use codeferry_tests::claude::Claude;

use crate::{asked, items};

#[tokio::test]
async fn esc_cancels_the_upstream_and_the_conversation_goes_on() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let mut terminal = claude.sit_down().await;
    terminal.shows("shortcuts").await;
    let prompt = "[[demo:drip 100000 5]]";
    terminal.types(prompt).await;
    terminal.shows("drip").await;
    terminal.types("\r").await;
    terminal.shows("word").await;

    terminal.types("\u{1b}").await;
    let pressed = Instant::now();
    let ended = |played: &'static str, outcome: Outcome| {
        move |request: &codeferry_demo::Recorded| request.played == played && request.outcome == outcome
    };
    let cancelled = world.demo.wait_until(|all| all.iter().any(ended("drip", Outcome::Cancelled)));
    tokio::time::timeout(Duration::from_secs(60), cancelled).await.expect("the upstream is cancelled");
    assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
    terminal.shows("Interrupted").await;

    terminal.types("[[demo:text Listening.]]").await;
    terminal.shows("Listening.").await;
    terminal.types("\r").await;
    let answered = world.demo.wait_until(|all| all.iter().any(ended("text", Outcome::Completed)));
    tokio::time::timeout(Duration::from_secs(60), answered).await.expect("it goes on");

    let titles: Vec<_> =
        world.demo.model_requests().into_iter().filter(|it| !it.json()["text"]["format"].is_null()).collect();
    assert_eq!(titles.len(), 1, "the conversation is given a title");
    assert_eq!(titles[0].outcome, Outcome::Completed);
    assert_eq!(titles[0].json()["text"]["format"]["schema"]["required"][0], "title");
    let last = asked(&world).pop().unwrap();
    let said: Vec<_> = items(&last, "message")
        .iter()
        .filter(|item| item["role"] == "assistant")
        .map(|item| item.to_string())
        .collect();
    assert!(said.iter().any(|text| text.contains("word 1 word 2")), "what was said before Esc stays: {said:?}");
}
