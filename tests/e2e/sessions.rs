//! Conversations that outlive a process, or their model's window.

use codeferry_tests::World;
use codeferry_tests::claude::Claude;
use serde_json::{Value, json};

use crate::{asked, calling, items, playing};

#[tokio::test]
async fn a_conversation_goes_on_after_a_restart() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let step = format!("[[demo:reasoning One.]]{}", calling("Bash", &json!({"command": "echo hi > hi.txt"})));
    let run = claude.run(&playing(&[&step, "[[demo:reasoning Two.]][[demo:text First.]]"]), &[]).await;
    assert_eq!(run.text(), "First.");
    assert_eq!(claude.read("hi.txt"), "hi\n");

    let world = world.restart().await;
    let claude = claude.moved_to(&world);
    assert_eq!(claude.run("[[demo:text Second.]]", &["--continue"]).await.text(), "Second.");

    let asked = asked(&world);
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[2]["prompt_cache_key"], asked[0]["prompt_cache_key"], "it is the same conversation");
    let kinds: Vec<_> = asked[2]["input"].as_array().unwrap()[2..].iter().map(|item| &item["type"]).collect();
    let expected = ["reasoning", "function_call", "function_call_output", "reasoning", "message", "message"];
    assert_eq!(kinds, expected, "all of it comes back, sealed reasoning included");
    let before = asked[1]["input"].as_array().unwrap();
    assert_eq!(&asked[2]["input"].as_array().unwrap()[..before.len()], before, "byte for byte");
}

/// The token runs out while nobody looks, and another account pays from then on: nobody notices, and what one account
/// has sealed is not shown to the other.
#[tokio::test]
async fn a_conversation_goes_on_with_a_new_token_and_with_another_account() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    assert_eq!(claude.run("[[demo:reasoning]][[demo:text First.]]", &[]).await.text(), "First.");
    world.demo.expire_access_tokens();
    assert_eq!(claude.run("[[demo:text Second.]]", &["--continue"]).await.text(), "Second.");
    assert_eq!(world.demo.refresh_count(), 1);
    let sealed = |request: &Value| items(request, "reasoning").len();
    assert_eq!(sealed(&world.last_upstream()), 1, "a new token is the same account");

    let (paths, environment) = (
        codeferry_app::Paths::at(world.home.path()),
        codeferry_tests::world::environment(&world.demo, world.home.path()),
    );
    codeferry_tests::world::import(&paths, &environment, &world.demo.account("home")).await;
    world.gateway.pool().switch("home@demo.test").await.unwrap();
    assert_eq!(claude.run("[[demo:text Third.]]", &["--continue"]).await.text(), "Third.");
    assert_eq!(world.demo.model_requests().last().unwrap().account.as_deref(), Some("acc-home"));
    assert_eq!(sealed(&world.last_upstream()), 0);
    let said = items(&world.last_upstream(), "message").len();
    assert!(said >= 5, "the rest of the history stays: {said}");
    asked(&world);
}

/// The history grows out of the window; Claude Code sums it up and goes on (`claude-code.md §0.4`).
#[tokio::test]
async fn an_overflow_is_compacted_and_the_work_goes_on() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    // Two outputs of about 7,000 tokens each; the window takes one of them, but not both.
    let long = calling("Bash", &json!({"command": "seq 1 6000", "description": "Count"}));
    assert_eq!(claude.run(&playing(&[&long, "[[demo:text Counted.]]"]), &[]).await.text(), "Counted.");
    world.demo.set_context_window(Some(29_000));
    let run = claude.run(&playing(&[&long, "[[demo:text Counted again.]]"]), &["--continue"]).await;

    // What the prompt said is in the summary now; the demo sees a tool's answer and sums it up.
    let text = run.text();
    assert!(text.starts_with("Done, one tool answered."), "{text}");
    let boundary = run.notices("compact_boundary").next().expect("it was compacted");
    let size = |name: &str| boundary["compact_metadata"][name].as_u64().unwrap();
    assert!(size("post_tokens") < size("pre_tokens"), "{boundary}");
    let played: Vec<_> = world.demo.model_requests().into_iter().map(|request| request.played).collect();
    let overflows = played.iter().filter(|what| *what == "overflow").count();
    assert_eq!(overflows, 1, "{played:?}");
    assert_eq!(run.notices("api_retry").count(), 0, "an overflow is not tried again");

    let asked = asked(&world);
    let sums_up = |request: &&Value| request.to_string().contains("CRITICAL: Respond with TEXT ONLY");
    assert_eq!(asked.iter().filter(sums_up).count(), 1);
    let last = asked.last().unwrap();
    assert!(last.to_string().contains("Summary by the built-in demo"), "the summary takes the place of the history");
    assert_eq!(items(last, "function_call_output").len(), 1, "what came last is kept");

    assert_eq!(claude.run("[[demo:text Still here.]]", &["--continue"]).await.text(), "Still here.");
}
