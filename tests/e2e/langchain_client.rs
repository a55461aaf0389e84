//! LangChain, a library on top of the openai SDK. What it must see stands in `langchain_client.py`.

use codeferry_tests::{World, script};

use crate::{asked, items};

/// Plays one scenario of `langchain_client.py`. False if there is no LangChain, which is said.
async fn plays(world: &World, scenario: &str) -> bool {
    script::python(world, ("CODEFERRY_TEST_LANGCHAIN", "LangChain"), "langchain_client.py", scenario).await
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
