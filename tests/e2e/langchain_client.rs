//! LangChain, a library on top of the openai SDK. What it must see stands in `langchain_client.py`.

use std::process::Stdio;

use codeferry_tests::World;
use tokio::process::Command;

use crate::{asked, items};

/// Plays one scenario of `langchain_client.py`. False if there is no LangChain, which is said.
async fn plays(world: &World, scenario: &str) -> bool {
    let Some(python) = codeferry_tests::client("CODEFERRY_TEST_LANGCHAIN", "LangChain") else {
        return false;
    };
    let output = Command::new(python)
        .args(["-B", concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/langchain_client.py"), scenario])
        .env("CODEFERRY_URL", world.url())
        .env("CODEFERRY_KEY", &world.key)
        .env("NO_PROXY", "*")
        .env("LANGSMITH_TRACING", "false")
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = output.await.expect("Python starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario}:\n{said}");
    true
}

#[tokio::test]
async fn text_and_objects_in_both_dialects() {
    let world = World::start().await;
    if plays(&world, "text").await && plays(&world, "structured").await {
        let asked = asked(&world);
        let formats = asked.iter().filter(|request| request["text"]["format"]["type"] == "json_schema");
        assert_eq!((asked.len(), formats.count()), (4 + 2, 2));
    }
}

#[tokio::test]
async fn tools_in_both_dialects() {
    let world = World::start().await;
    if plays(&world, "tools").await {
        let asked = asked(&world);
        assert_eq!(asked.len(), 2 * 3);
        for last in [&asked[2], &asked[5]] {
            let outputs: Vec<_> = items(last, "function_call_output").iter().map(|item| &item["output"]).collect();
            assert_eq!(outputs, ["It is windy in Ærø."; 2]);
        }
    }
}
