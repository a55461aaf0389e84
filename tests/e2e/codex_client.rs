//! The real Codex CLI as a client, over HTTP.

use base64::Engine as _;
use codeferry_demo::{ChatFlavour, ChatServer, Scripted};
use codeferry_tests::World;
use codeferry_tests::codex_client::CodexClient;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{asked, calling, items, playing};

#[tokio::test]
async fn a_first_turn_in_both_shapes() {
    let world = World::start().await;
    let Some(codex) = CodexClient::at(&world) else { return };
    for (model, lite) in [("gpt-6.1-sol", true), ("gpt-5.5", false)] {
        let run = codex.exec(&["-m", model, "[[demo:reasoning]][[demo:text It is here.]]"]).await;
        assert_eq!(run.text(), "It is here.");
        let asked = asked(&world).pop().unwrap();
        assert_eq!(asked["model"], model);
        assert_eq!(asked.get("tools").is_none(), lite, "{model}");
        assert_eq!(!items(&asked, "additional_tools").is_empty(), lite);
        assert!(asked["client_metadata"].is_object(), "what we do not know stays");
    }
}

#[tokio::test]
async fn a_command_is_run_and_the_conversation_is_resumed() {
    let world = World::start().await;
    let Some(codex) = CodexClient::at(&world) else { return };
    let prompt = playing(&[
        &format!(
            "[[demo:reasoning]]{}",
            calling("exec_command", &json!({"cmd": "echo hello > greeting.txt; cat greeting.txt"}))
        ),
        "[[demo:text It says hello.]]",
    ]);
    let run = codex.exec(&["-m", "gpt-5.5", &prompt]).await;
    assert_eq!(run.text(), "It says hello.");
    assert_eq!(codex.read("greeting.txt"), "hello\n");
    let all = asked(&world);
    assert_eq!(all.len(), 2, "one request per round");
    let output = items(&all[1], "function_call_output")[0]["output"].to_string();
    assert!(output.contains("hello"), "{output}");
    assert_eq!(items(&all[1], "reasoning").len(), 1, "its reasoning goes back");

    let run = codex.exec(&["-m", "gpt-5.5", "resume", run.thread(), "[[demo:text Still here.]]"]).await;
    assert_eq!(run.text(), "Still here.");
    let all = asked(&world);
    let said: Vec<&Value> = items(&all[2], "message").into_iter().filter(|item| item["role"] == "assistant").collect();
    assert!(said.iter().any(|item| item.to_string().contains("It says hello.")), "{said:?}");
    assert_eq!(items(&all[2], "function_call_output").len(), 1);
    let key = |request: &Value| request["prompt_cache_key"].clone();
    assert_eq!(key(&all[0]), key(&all[2]), "it is the same conversation");
}

/// A server of tools that says everything louder. The CLI looks for its tools when the model does, and has them in a namespace.
const LOUD: &str = r#"
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const text = { type: "string" };
  const tool = { name: "shout", description: "Says it louder.", inputSchema: { type: "object", properties: { text } } };
  const result = {
    initialize: () => ({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "loud", version: "1" } }),
    "tools/list": () => ({ tools: [tool] }),
    "tools/call": () => ({ content: [{ type: "text", text: params.arguments.text.toUpperCase() }] }),
  }[method]?.() ?? {};
  console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
}
"#;

/// A stream with one finished item.
fn saying(item: &Value) -> Scripted {
    let events = [
        json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}),
    ];
    let record = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    Scripted::sse(events.iter().map(record).collect::<String>())
}

#[tokio::test]
async fn a_tool_of_a_server_is_found_and_called() {
    let world = World::start().await;
    let Some(codex) = CodexClient::at(&world) else { return };
    let script = codex.home.path().join("loud.mjs");
    std::fs::write(&script, LOUD).unwrap();
    let file = codex.home.path().join("config.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let server = format!("{config}\n[mcp_servers.loud]\ncommand = \"node\"\nargs = [\"{}\"]\n", script.display());
    std::fs::write(&file, server).unwrap();
    world
        .demo
        .push(saying(&json!({"type": "tool_search_call", "id": "tsc_1", "call_id": "call_1", "execution": "client",
        "status": "completed", "arguments": {"query": "shout"}})));
    world
        .demo
        .push(saying(&json!({"type": "function_call", "id": "fc_2", "call_id": "call_2", "namespace": "mcp__loud",
        "name": "shout", "status": "completed", "arguments": "{\"text\":\"hello\"}"})));
    let run = codex.exec(&["-m", "gpt-5.5", "[[demo:text It shouted.]]"]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let asked = asked(&world);
    let found = items(asked.last().unwrap(), "tool_search_output")[0].to_string();
    assert!(found.contains("Says it louder."), "{found}");
    let call = items(asked.last().unwrap(), "function_call")[0];
    assert_eq!(call["namespace"], "mcp__loud", "it comes back as it went");
    let output = items(asked.last().unwrap(), "function_call_output")[0].to_string();
    assert!(output.contains("HELLO"), "{output}");
}

/// `codex review`, an answer by a schema, and a picture.
#[tokio::test]
async fn what_else_it_is_used_for() {
    let world = World::start().await;
    let Some(codex) = CodexClient::at(&world) else { return };
    let schema = codex.home.path().join("schema.json");
    std::fs::write(
        &schema,
        r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#,
    )
    .unwrap();
    let schema = schema.display().to_string();
    let run = codex.exec(&["-m", "gpt-5.5", "--output-schema", &schema, r#"[[demo:text {"a":"b"}]]"#]).await;
    assert_eq!(run.text(), r#"{"a":"b"}"#);
    assert_eq!(asked(&world)[0]["text"]["format"]["type"], "json_schema");

    let picture = codex.home.path().join("dot.png");
    std::fs::write(&picture, base64::engine::general_purpose::STANDARD.decode(DOT).unwrap()).unwrap();
    let run = codex.exec(&["-m", "gpt-5.5", "-i", &picture.display().to_string(), "--", "[[demo:text seen]]"]).await;
    assert_eq!(run.text(), "seen");
    assert!(asked(&world)[1]["input"].to_string().contains(r#""type":"input_image""#));

    let review =
        codex.exec(&["-m", "gpt-5.5", "-c", "review_model=gpt-5.5", "review", "[[demo:text All is well.]]"]).await;
    assert_eq!(review.text(), "All is well.");
    let asked = world.demo.model_requests();
    assert_eq!(asked.last().unwrap().headers["x-openai-subagent"], "review", "the backend is told what it is");
}

/// One dot.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test]
async fn failures_are_told_in_words_that_it_knows() {
    let world = World::start().await;
    let Some(codex) = CodexClient::at(&world) else { return };
    let failure = codex.exec(&["-m", "gpt-5.5", "[[demo:policy]]"]).await.failure().to_owned();
    assert!(!failure.is_empty(), "{failure}");
    let failure = codex.exec(&["-m", "gpt-5.5", "[[demo:text words]][[demo:cut]]"]).await.failure().to_owned();
    assert!(failure.contains("broke off") || failure.contains("ended"), "{failure}");
    let failure = codex.exec(&["-m", "gpt-5.5", "[[demo:limit]]"]).await.failure().to_owned();
    assert!(failure.contains("usage limit. Try again at"), "it knows when: {failure}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_conversation_is_summed_up_and_goes_on() {
    let world = World::start().await;
    let Some(codex) = CodexClient::at(&world) else { return };
    sums_up(&world, &codex).await;
    let summed = world.demo.model_requests().into_iter().find(|request| request.played == "compaction").unwrap();
    assert_eq!(summed.headers["x-codex-beta-features"], "remote_compaction_v2", "the backend is told that it may");
}

/// A person has a conversation summed up and goes on with it.
#[cfg(target_os = "linux")]
pub(crate) async fn sums_up(world: &World, codex: &CodexClient) {
    // A provider of another name it asks for a summary in words.
    let file = codex.home.path().join("config.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("name = \"Codeferry\"", "name = \"OpenAI\"")).unwrap();
    let mut terminal = codex.sit_down("--no-alt-screen '[[demo:text Well.]]'").await;
    terminal.shows("Worked").await;
    terminal.types("/compact").await;
    terminal.shows("summarize").await;
    terminal.types("\r").await;
    terminal.shows("compacted").await;
    terminal.types("[[demo:text Afterwards.]]").await;
    terminal.shows("Afterwards.").await;
    terminal.types("\r").await;
    let answered = world.demo.wait_until(|all| {
        all.iter()
            .any(|request| request.played == "text" && request.json()["input"].to_string().contains("\"compaction\""))
    });
    let answered = tokio::time::timeout(std::time::Duration::from_secs(8), answered).await;
    answered.expect("it goes on");
    let all = asked(world);
    assert_eq!(all.iter().filter(|request| !items(request, "compaction_trigger").is_empty()).count(), 1);
}

/// With what stands for a ChatGPT account here it asks the gateway for its models, its workspace and what is left.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn its_status_shows_what_is_left_of_the_account_that_serves() {
    let world = World::start().await;
    let Some(codex) = CodexClient::signed_in(&world) else { return };
    let mut terminal = codex.sit_down("--no-alt-screen '[[demo:text Well.]]'").await;
    terminal.shows("Worked").await;
    terminal.types("/status").await;
    terminal.shows("configuration").await;
    terminal.types("\r").await;
    terminal.shows("person@example.com").await;
    for word in ["5h", "88%", "Weekly", "66%"] {
        terminal.shows(word).await;
    }
    assert_eq!(world.demo.violations(), []);
    let keys = world.demo.requests().iter().filter(|request| request.path.contains(&world.key)).count();
    assert_eq!(keys, 0);
}

/// A server that speaks chat has no events of this language: all of them are told anew.
#[tokio::test]
async fn it_works_with_tools_at_an_ollama() {
    let world = World::start().await;
    for provider in ["", "supports_websockets = true"] {
        let Some(codex) = CodexClient::with(&world, provider) else { return };
        let server = ChatServer::start(ChatFlavour::Ollama).await.unwrap();
        let new = json!({"kind": "compatible", "preset": "ollama", "url": server.url()});
        assert_eq!(world.control(Method::POST, "/accounts").json(&new).send().await.unwrap().status(), 201);
        let command = json!({"cmd": "echo hello > greeting.txt; cat greeting.txt"});
        let prompt = playing(&[
            &format!("[[demo:think I should look.]][[demo:text Looking.]]{}", calling("exec_command", &command)),
            &format!("[[demo:no-ids]]{}", calling("exec_command", &json!({"cmd": "cat greeting.txt"}))),
            "[[demo:think Well.]][[demo:text It says hello.]]",
        ]);
        let run = codex.exec(&["-m", "ollama/qwen3:8b", &prompt]).await;
        assert_eq!(run.text(), "It says hello.", "{}\n{}", run.stdout, run.stderr);
        assert_eq!(codex.read("greeting.txt"), "hello\n");
        assert!(run.stdout.contains("I should look."), "what it thought is shown: {}", run.stdout);
        let asked = server.asked();
        assert_eq!(asked.len(), 3, "one request per round");
        let results = asked[2]["messages"].as_array().unwrap().iter().filter(|message| message["role"] == "tool");
        assert_eq!(results.filter(|result| result.to_string().contains("hello")).count(), 2, "{:#}", asked[2]);
        let run = codex.exec(&["-m", "ollama/qwen3:8b", "resume", run.thread(), "[[demo:text Still here.]]"]).await;
        assert_eq!(run.text(), "Still here.");
        assert_eq!(server.violations(), [] as [&str; 0], "nothing that a chat template would choke on");
        assert_eq!(world.control(Method::DELETE, "/accounts/ollama").send().await.unwrap().status(), 200);
    }
    assert!(world.demo.model_requests().is_empty(), "the plan was not asked");
}

/// It groups the tools of MCP servers in namespaces, of which such a server knows nothing.
#[tokio::test]
async fn tools_of_mcp_servers_are_called_at_an_ollama() {
    const PIXEL: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let world = World::start().await;
    let Some(codex) = CodexClient::at(&world) else { return };
    let server = ChatServer::start(ChatFlavour::Ollama).await.unwrap();
    let new = json!({"kind": "compatible", "preset": "ollama", "url": server.url()});
    assert_eq!(world.control(Method::POST, "/accounts").json(&new).send().await.unwrap().status(), 201);
    codex.give_mcp_server(PIXEL);
    let prompt = playing(&[&calling("mcp__own__snapshot", &json!({"place": "the pier"})), "[[demo:text Seen.]]"]);
    let run = codex.exec(&["-m", "ollama/qwen3:8b", &prompt]).await;
    assert_eq!(run.text(), "Seen.", "{}\n{}", run.stdout, run.stderr);
    let asked = server.asked();
    let messages = asked[1]["messages"].as_array().unwrap();
    let result = messages.iter().find(|message| message["role"] == "tool").unwrap();
    assert!(result["content"].as_str().unwrap().contains("This is the pier."), "{result}");
    assert!(messages.last().unwrap().to_string().contains(PIXEL), "the picture follows");
    let called = messages.iter().find_map(|message| message["tool_calls"][0]["function"]["name"].as_str());
    assert_eq!(called, Some("mcp__own__snapshot"), "the history calls it what the list does");
    assert_eq!(server.violations(), [] as [&str; 0]);
}
