//! Google's SDK for npm. What it must see stands in `gemini_sdk.mjs`; what the upstream must see stands here.

use codeferry_tests::{World, script};

use crate::{asked, items};

async fn plays(world: &World, scenario: &str) -> bool {
    let sdk = ("CODEFERRY_TEST_GEMINI_NPM", "Google's SDK for npm");
    script::node(world, sdk, "gemini_sdk.mjs", scenario).await
}

#[tokio::test]
async fn texts_whole_and_streamed() {
    let world = World::start().await;
    if plays(&world, "text").await {
        assert_eq!(asked(&world)[0]["instructions"], "Be brief.");
    }
}

#[tokio::test]
async fn a_chat_with_functions_keeps_what_was_thought() {
    let world = World::start().await;
    if plays(&world, "chat").await {
        let asked = asked(&world);
        let answered = asked.last().unwrap();
        assert_eq!(items(answered, "reasoning").len(), 1);
        assert_eq!(
            items(answered, "function_call")[0]["call_id"],
            items(answered, "function_call_output")[0]["call_id"]
        );
        assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
    }
}

#[tokio::test]
async fn limits_models_and_errors() {
    let world = World::start().await;
    if plays(&world, "limits").await && plays(&world, "models").await {
        assert_eq!(asked(&world).len(), 3);
        plays(&world, "errors").await;
    }
}

#[tokio::test]
async fn a_late_failure_is_thrown_and_the_cloud_address_works() {
    let world = World::start().await;
    if plays(&world, "late").await {
        plays(&world, "vertex").await;
    }
}
