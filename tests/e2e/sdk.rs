//! The anthropic Python SDK. What it must see stands in `sdk.py`; what the upstream must see stands here.

use codeferry_tests::{World, script};
use serde_json::Value;

use crate::{asked, items};

/// Plays one scenario of `sdk.py`. False if there is no SDK, which is said.
async fn plays(world: &World, scenario: &str) -> bool {
    script::python(world, ("CODEFERRY_TEST_PYTHON", "the anthropic Python SDK"), "sdk.py", scenario).await
}

#[tokio::test]
async fn text_whole_and_streamed() {
    let world = World::start().await;
    if plays(&world, "text").await {
        assert_eq!(asked(&world)[0]["instructions"], "Be brief.");
    }
}

#[tokio::test]
async fn limits_of_the_client_are_kept() {
    let world = World::start().await;
    if plays(&world, "limits").await {
        assert_eq!(asked(&world).len(), 2);
    }
}

#[tokio::test]
async fn tools_and_their_results() {
    let world = World::start().await;
    if plays(&world, "tools").await {
        let asked = asked(&world);
        let answered: Vec<_> =
            asked.iter().filter(|request| !items(request, "function_call_output").is_empty()).collect();
        assert_eq!(answered.len(), 2, "once for the whole answer, once for the streamed one");
        for request in answered {
            let (call, output) = (items(request, "function_call")[0], items(request, "function_call_output")[0]);
            assert_eq!(call["call_id"], output["call_id"]);
            let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
            assert_eq!(arguments, serde_json::json!({"place": "Ærø", "days": [1, 2]}));
        }
    }
}

#[tokio::test]
async fn thinking_goes_there_and_back() {
    let world = World::start().await;
    if plays(&world, "thinking").await {
        let asked = asked(&world);
        assert_eq!(asked.iter().filter(|request| items(request, "reasoning").len() == 1).count(), 2);
        assert_eq!(asked[0]["reasoning"]["effort"], "low", "a budget of 2048 is little");
    }
}

#[tokio::test]
async fn web_searches_with_citations() {
    let world = World::start().await;
    if plays(&world, "web_search").await {
        asked(&world);
    }
}

#[tokio::test]
async fn structured_output() {
    let world = World::start().await;
    if plays(&world, "structured").await {
        assert_eq!(asked(&world)[0]["text"]["format"]["type"], "json_schema");
    }
}

#[tokio::test]
async fn counts_and_models() {
    let world = World::start().await;
    if plays(&world, "count_tokens").await && plays(&world, "models").await {
        assert_eq!(asked(&world).len(), 0, "no model is asked");
    }
}

#[tokio::test]
async fn errors_are_of_the_right_class() {
    let world = World::start().await;
    world.gateway.settings().set("body_limit_mib", "1").unwrap();
    plays(&world, "errors").await;
}

#[tokio::test]
async fn what_is_final_is_not_tried_again() {
    let world = World::start().await;
    if plays(&world, "retries").await {
        assert_eq!(world.demo.model_requests().len(), 1);
    }
}

/// The runner asks for a thread on the server and sends only what is new; refused, it replays the whole history
/// (`claude-code.md §10`).
#[tokio::test]
async fn the_tool_runner_keeps_the_history() {
    for scenario in ["tool_runner", "tool_runner_streamed"] {
        let world = World::start().await;
        if plays(&world, scenario).await {
            let asked = asked(&world);
            assert_eq!(asked.len(), 3, "{scenario}: what is refused does not reach the upstream");
            let outputs: Vec<_> = items(&asked[2], "function_call_output").iter().map(|item| &item["output"]).collect();
            assert_eq!(outputs, ["It is windy in Ærø.", "It is windy in Fur."], "{scenario}");
        }
    }
}

#[tokio::test]
async fn thirty_streams_at_once() {
    let world = World::start().await;
    if plays(&world, "many_at_once").await {
        assert_eq!(asked(&world).len(), 30);
        assert!(world.demo.concurrent_peak() >= 10, "{}", world.demo.concurrent_peak());
    }
}
