//! Requests that Claude Code makes beside its main conversation: subagents and web searches.

use codeferry_tests::World;
use codeferry_tests::claude::Claude;
use serde_json::{Value, json};

use crate::{asked, calling, items, playing};

#[tokio::test]
async fn two_subagents_at_once() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let agent = |kind: &str, name: &str| {
        let prompt = format!("[[demo:silence start]][[demo:text {name} is back.]]");
        calling("Agent", &json!({"description": name, "subagent_type": kind, "prompt": prompt}))
    };
    let both = agent("general-purpose", "Ada") + &agent("Explore", "Bob");
    let prompt = playing(&[&both, "[[demo:text Both are back.]]"]);
    let waits = |world: &World| world.demo.model_requests().iter().filter(|it| it.played.contains("silence")).count();
    // Neither is answered before both have asked.
    let (run, _) = tokio::join!(claude.run(&prompt, &[]), async {
        world.demo.wait_until(|_| waits(&world) == 2).await;
        world.demo.release();
    });

    assert_eq!(run.text(), "Both are back.");
    assert!(world.demo.concurrent_peak() >= 2);
    let asked = asked(&world);
    assert_eq!(asked.len(), 4, "main, two subagents, main again");
    let key = |request: &Value| request["prompt_cache_key"].as_str().unwrap().to_owned();
    let main = key(&asked[0]);
    assert_eq!(key(&asked[3]), main);
    let mut keys = vec![main, key(&asked[1]), key(&asked[2])];
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 3, "each of them has a cache of its own");
    let mut models: Vec<_> = asked[1..3].iter().map(|request| request["model"].as_str().unwrap()).collect();
    models.sort_unstable();
    assert_eq!(models, ["gpt-6-luna", "gpt-6.1-sol"], "an Explore agent runs on the small model");
    let reports = items(&asked[3], "function_call_output");
    for (call, name) in items(&asked[3], "function_call").iter().zip(["Ada", "Bob"]) {
        let report = reports.iter().find(|report| report["call_id"] == call["call_id"]).expect("each is answered");
        assert!(report["output"].to_string().contains(&format!("{name} is back.")), "{call} {report}");
    }
}

#[tokio::test]
async fn a_web_search_is_counted_and_its_pages_are_named() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let prompt = playing(&[&calling("WebSearch", &json!({"query": "car ferries"})), "[[demo:text Found some.]]"]);
    let run = claude.run(&prompt, &[]).await;

    assert_eq!(run.text(), "Found some.");
    let notes = run.tool_notes();
    assert_eq!(notes[0]["searchCount"], 1, "{notes:?}");
    let pages: Vec<_> = notes[0]["results"][0]["content"].as_array().unwrap().iter().map(|page| &page["url"]).collect();
    assert_eq!(pages, ["https://example.com/one", "https://example.com/two"]);
    let models = run.result()["modelUsage"].as_object().unwrap();
    assert_eq!(models.values().map(|model| model["webSearchRequests"].as_u64().unwrap()).sum::<u64>(), 1);

    let asked = asked(&world);
    assert_eq!(asked.len(), 3, "main, the search, main again");
    let tools = asked[1]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0]["type"], "web_search");
    assert_eq!(asked[1]["tool_choice"], "required", "the search is made, not talked about");
    let found = items(&asked[2], "function_call_output")[0]["output"].as_str().unwrap();
    assert!(found.contains("https://example.com/one") && found.contains("According to the web"), "{found}");
}
