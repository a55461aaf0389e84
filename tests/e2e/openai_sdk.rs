//! The openai SDKs for Python and for npm. What they must see stands in `openai_sdk.py` and `.mjs`; what the upstream must see stands here.

use codeferry_demo::{ChatFlavour, ChatServer};
use codeferry_tests::{World, script};
use reqwest::Method;
use serde_json::json;

use crate::{asked, items};

/// Plays one scenario of `openai_sdk.py`. False if there is no SDK, which is said.
async fn plays(world: &World, scenario: &str) -> bool {
    let sdk = ("CODEFERRY_TEST_OPENAI_PYTHON", "the openai Python SDK");
    script::python(world, sdk, "openai_sdk.py", scenario).await
}

/// The same for `openai_sdk.mjs`.
async fn plays_in_node(world: &World, scenario: &str) -> bool {
    let sdk = ("CODEFERRY_TEST_OPENAI_NPM", "the openai SDK for npm");
    script::node(world, sdk, "openai_sdk.mjs", scenario).await
}

#[tokio::test]
async fn chat_whole_and_streamed() {
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
        }
    }
}

#[tokio::test]
async fn the_older_form_of_tools() {
    let world = World::start().await;
    if plays(&world, "functions").await {
        assert_eq!(asked(&world)[0]["parallel_tool_calls"], false, "there is room for one call");
    }
}

#[tokio::test]
async fn answers_are_parsed() {
    let world = World::start().await;
    if plays(&world, "parse").await && plays(&world, "responses_parse").await {
        let asked = asked(&world);
        let formats = asked.iter().filter(|request| request["text"]["format"]["type"] == "json_schema");
        assert_eq!(formats.count(), 4, "whole and streamed, in both dialects");
    }
}

#[tokio::test]
async fn prompts_in_place_of_conversations() {
    let world = World::start().await;
    if plays(&world, "completions").await {
        assert_eq!(asked(&world).len(), 2);
    }
}

#[tokio::test]
async fn responses_whole_and_streamed() {
    let world = World::start().await;
    if plays(&world, "responses").await {
        let asked = asked(&world);
        assert!(asked.iter().all(|request| request["stream"] == json!(true)), "upstream streams only");
        assert!(asked.iter().all(|request| request["store"] == json!(false)), "and keeps nothing");
        assert_eq!(items(asked.last().unwrap(), "reasoning").len(), 1, "what was thought comes back");
    }
}

/// A world with a server that speaks chat beside the plan.
async fn with_ollama() -> (World, ChatServer) {
    let (world, server) = (World::start().await, ChatServer::start(ChatFlavour::Ollama).await.unwrap());
    let new = json!({"kind": "compatible", "preset": "ollama", "url": server.url()});
    assert_eq!(world.control(Method::POST, "/accounts").json(&new).send().await.unwrap().status(), 201);
    (world, server)
}

#[tokio::test]
async fn responses_of_a_server_that_speaks_chat() {
    let (world, server) = with_ollama().await;
    if plays(&world, "responses_told").await && plays_in_node(&world, "told").await {
        assert_eq!(server.violations(), [] as [&str; 0]);
        assert!(world.demo.model_requests().is_empty(), "the plan was not asked");
    }
}

#[tokio::test]
async fn responses_are_no_longer_than_was_asked_for() {
    let (world, _server) = with_ollama().await;
    plays(&world, "responses_length").await;
}

#[tokio::test]
async fn pictures_are_made_and_changed() {
    let world = World::start().await;
    if plays(&world, "pictures").await {
        let edits = world.demo.requests().into_iter().filter(|request| request.path.ends_with("/images/edits"));
        let pictures: Vec<_> = edits.map(|edit| edit.json()["images"].as_array().unwrap().len()).collect();
        assert_eq!(pictures, [1, 2, 1], "as JSON, with pictures in it");
        assert_eq!(world.demo.violations(), []);
    }
}

#[tokio::test]
async fn models_are_listed() {
    let world = World::start().await;
    if plays(&world, "models").await {
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
        assert_eq!(world.demo.model_requests().len(), 1, "neither by the SDK nor by the gateway");
    }
}

/// LangChain's environment has the SDK with what it takes for WebSockets.
#[tokio::test]
async fn on_a_connection() {
    let world = World::start().await;
    let sdk = ("CODEFERRY_TEST_LANGCHAIN", "the openai Python SDK with WebSockets");
    if script::python(&world, sdk, "openai_socket.py", "conversation").await {
        assert_eq!(asked(&world).len(), 3);
        script::python(&world, sdk, "openai_socket.py", "errors").await;
    }
}

#[tokio::test]
async fn javascript_chats_and_runs_tools() {
    let world = World::start().await;
    if plays_in_node(&world, "chat").await && plays_in_node(&world, "tools").await {
        let asked = asked(&world);
        assert_eq!(asked.len(), 2 + 6);
        assert_eq!(items(asked.last().unwrap(), "function_call_output").len(), 2);
    }
}

/// It sends answers back with what it read out of them, which no upstream takes.
#[tokio::test]
async fn javascript_sends_its_own_objects_back() {
    let world = World::start().await;
    if plays_in_node(&world, "responses").await {
        let asked = asked(&world);
        assert_eq!(asked.len(), 4);
        assert_eq!(items(&asked[3], "reasoning").len(), 1, "what was thought comes back");
    }
}

#[tokio::test]
async fn errors_are_of_the_right_class_in_javascript() {
    let world = World::start().await;
    plays_in_node(&world, "errors").await;
}
