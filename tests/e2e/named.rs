//! The real Claude Code at a server that speaks Chat Completions.

use codeferry_demo::{ChatFlavour, ChatServer};
use codeferry_tests::World;
use codeferry_tests::claude::Claude;
use reqwest::Method;
use serde_json::json;

use crate::{calling, playing};

#[tokio::test]
async fn claude_code_works_with_tools_at_an_ollama() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let server = ChatServer::start(ChatFlavour::Ollama).await.unwrap();
    let new = json!({"kind": "compatible", "preset": "ollama", "url": server.url()});
    assert_eq!(world.control(Method::POST, "/accounts").json(&new).send().await.unwrap().status(), 201);

    let file = claude.file("greeting.txt", "hello moon\n");
    let edit = json!({"file_path": file, "old_string": "moon", "new_string": "world"});
    let shell = json!({"command": "cat greeting.txt > proof.txt; cat proof.txt", "description": "Copy it"});
    let prompt = playing(&[
        &format!("[[demo:think I should look.]][[demo:text Looking.]]{}", calling("Read", &json!({"file_path": file}))),
        // Two at once, without numbers or ids, arguments as objects.
        &format!("[[demo:no-ids]][[demo:object-args]]{}{}", calling("Edit", &edit), calling("Bash", &shell)),
        "[[demo:think Well.]][[demo:text The greeting is \"fixed\" — 好.]]",
    ]);
    let run = claude.run(&prompt, &["--model", "ollama/qwen3:8b"]).await;

    assert_eq!(run.text(), "The greeting is \"fixed\" — 好.");
    assert_eq!(claude.read("greeting.txt"), "hello world\n");
    assert_eq!(claude.read("proof.txt"), "hello world\n");
    let tools: Vec<_> = run.tool_uses().into_iter().map(|(name, _)| name).collect();
    assert_eq!(tools, ["Read", "Edit", "Bash"]);
    assert_eq!(server.violations(), [] as [&str; 0], "nothing that a chat template would choke on");
    let asked: Vec<_> = server.asked().into_iter().filter(|body| body["model"] == "qwen3:8b").collect();
    assert_eq!(asked.len(), 3, "one request per round");
    let read = asked[1]["messages"].as_array().unwrap().iter().find(|message| message["role"] == "tool").unwrap();
    assert!(read["content"].as_str().unwrap().contains("hello moon"), "{read}");
    assert_eq!(asked[0]["messages"][0], asked[2]["messages"][0], "nothing before the history changes");
    assert!(asked[0]["messages"][0]["content"].as_str().unwrap().len() > 1_000, "its own system prompt");
}

#[tokio::test]
async fn claude_code_is_told_what_is_wrong_with_a_server() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let server = ChatServer::start(ChatFlavour::Ollama).await.unwrap();
    let new = json!({"kind": "compatible", "preset": "ollama", "url": server.url()});
    assert_eq!(world.control(Method::POST, "/accounts").json(&new).send().await.unwrap().status(), 201);
    let unknown = claude.run("hi", &["--model", "ollama/nope"]).await;
    assert!(unknown.failure().contains("ollama/nope"), "{}", unknown.failure());
    let gone = claude.run("hi", &["--model", "lmstudio/qwen3:8b"]).await;
    assert!(gone.failure().contains("lmstudio/qwen3:8b"), "{}", gone.failure());
    assert!(world.demo.model_requests().is_empty(), "and the plan is not asked instead");
}
