//! The real Codex CLI as an upstream, `codex-cli/MODEL`, with the fake host behind it.

use codeferry_demo::Recorded;
use codeferry_tests::claude::Claude;
use codeferry_tests::codex::Codex;
use codeferry_tests::codex_client::CodexClient;
use codeferry_tests::world::Refusal;
use codeferry_tests::{World, script, sse};
use serde_json::{Value, json};

use crate::{calling, items, playing};

const MODEL: &str = "codex-cli/gpt-6-sol";

fn asking(messages: &Value) -> Value {
    json!({
        "model": MODEL,
        "max_tokens": 64_000,
        "system": "Answer as told.",
        "messages": messages,
        "thinking": {"type": "adaptive"},
        "tools": [tool("Read"), tool("mcp__hub__issue")],
    })
}

fn saying(text: &str) -> Value {
    asking(&json!([{"role": "user", "content": text}]))
}

fn tool(name: &str) -> Value {
    json!({"name": name, "description": name, "input_schema": {
        "type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"],
    }})
}

/// What the Codex CLI asked its host; nothing of it may have broken a rule.
fn asked_by(codex: &Codex, world: &World) -> Vec<Value> {
    assert_eq!(world.demo.violations(), [], "the upstream has nothing to complain about");
    let own = |request: &Recorded| request.account.as_deref() == Some(codex.account.account_id.as_str());
    world.demo.model_requests().iter().filter(|request| own(request)).map(|request| request.json().clone()).collect()
}

/// The content of an answer that is not streamed.
async fn answer(world: &World, body: &Value) -> Value {
    let response = world.messages(body).await;
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn blocks<'a>(answer: &'a Value, kind: &str) -> Vec<&'a Value> {
    answer["content"].as_array().unwrap().iter().filter(|block| block["type"] == kind).collect()
}

#[tokio::test]
async fn a_text_streams_and_nothing_of_it_stays_in_the_home_of_the_cli() {
    let world = World::start().await;
    let Some(codex) = Codex::at(&world).await else { return };
    let before = codex.files();
    let events = world.stream(&saying("[[demo:reasoning Hm.]][[demo:text SPOKEN WORDS]]")).await;
    sse::check_grammar(&events);
    assert_eq!(sse::text(&events), "SPOKEN WORDS");
    assert!(sse::outline(&events).len() > 6, "piece by piece: {:?}", sse::outline(&events));

    let asked = asked_by(&codex, &world);
    assert_eq!((asked.len(), &asked[0]["model"]), (1, &json!("gpt-6-sol")));
    let said = items(&asked[0], "message");
    let roles: Vec<(&Value, &Value)> = said.iter().map(|item| (&item["role"], &item["content"][0]["text"])).collect();
    let prompt = json!("[[demo:reasoning Hm.]][[demo:text SPOKEN WORDS]]");
    assert_eq!(
        roles,
        [(&json!("developer"), &json!("Answer as told.")), (&json!("user"), &prompt)],
        "what the client said, and neither the words of the CLI nor those of the person's settings"
    );
    let tools: Vec<&Value> = items(&asked[0], "additional_tools")[0]["tools"][0]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(tools, ["Read", "mcp--hub__issue"], "the client's tools and no others");

    let after = codex.files();
    assert_eq!(
        after.get("config.toml".as_ref() as &std::path::Path),
        before.get("config.toml".as_ref() as &std::path::Path)
    );
    for (path, content) in &after {
        let name = path.to_string_lossy();
        assert!(!name.starts_with("sessions") && !name.contains("history") && name != "auth.json", "{name}");
        let holds = |needle: &str| content.windows(needle.len()).any(|window| window == needle.as_bytes());
        assert!(!holds("SPOKEN WORDS") && !holds("Answer as told."), "{name} holds what was said");
    }
}

#[tokio::test]
async fn two_tools_are_called_and_their_results_come_back() {
    let world = World::start().await;
    let Some(codex) = Codex::at(&world).await else { return };
    let both = format!(
        "[[demo:reasoning Think.]]{}{}",
        calling("Read", &json!({"path": "a"})),
        calling("mcp__hub__issue", &json!({"path": "b"}))
    );
    let mut messages = json!([{"role": "user", "content": playing(&[&both, "[[demo:text Both are here.]]"])}]);
    let first = answer(&world, &asking(&messages)).await;
    assert_eq!(first["stop_reason"], "tool_use", "{first:#}");
    let calls = blocks(&first, "tool_use");
    assert_eq!(calls.iter().map(|call| &call["name"]).collect::<Vec<_>>(), ["Read", "mcp__hub__issue"]);
    assert_eq!(calls[1]["input"], json!({"path": "b"}));
    assert!(first["usage"]["output_tokens"].as_u64().unwrap() > 0, "{first:#}");

    let results: Vec<Value> = calls
        .iter()
        .map(
            |call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": format!("of {}", call["name"])}),
        )
        .collect();
    messages.as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": first["content"]}),
        json!({"role": "user", "content": results}),
    ]);
    let second = answer(&world, &asking(&messages)).await;
    assert_eq!(blocks(&second, "text")[0]["text"], "Both are here.");

    let asked = asked_by(&codex, &world);
    assert_eq!(asked.len(), 2, "the interrupted turn asked nothing more");
    let (made, outputs) = (items(&asked[1], "function_call"), items(&asked[1], "function_call_output"));
    assert_eq!((made.len(), outputs.len()), (2, 2));
    for (made, output) in made.iter().zip(&outputs) {
        assert_eq!(made["call_id"], output["call_id"]);
    }
    assert_eq!(made[1]["name"], "mcp--hub__issue", "under one name throughout");
    assert!(outputs[0]["output"].as_str().unwrap().contains("of"), "{outputs:#?}");
    assert_eq!(items(&asked[1], "reasoning").len(), 1, "its reasoning goes back to it");
    let (before, after) = (asked[0]["input"].as_array().unwrap(), asked[1]["input"].as_array().unwrap());
    let plain = |item: &Value| json!([item["type"], item["role"], item["content"], item["tools"]]);
    assert_eq!(
        before.iter().map(plain).collect::<Vec<_>>(),
        after[..before.len()].iter().map(plain).collect::<Vec<_>>(),
        "the history only grows"
    );
}

#[tokio::test]
async fn a_picture_is_passed_on_and_a_document_is_named_as_lost() {
    const PIXEL: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let world = World::start().await;
    let Some(codex) = Codex::at(&world).await else { return };
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}});
    let text = json!({"type": "text", "text": "[[demo:text Seen.]]"});
    let seen = answer(&world, &asking(&json!([{"role": "user", "content": [image, text]}]))).await;
    assert_eq!(blocks(&seen, "text")[0]["text"], "Seen.");
    let asked = asked_by(&codex, &world);
    assert!(asked[0]["input"].to_string().contains(&format!("data:image/png;base64,{PIXEL}")), "{:#}", asked[0]);

    let pdf = json!({"type": "document", "title": "a.pdf",
                     "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}});
    let response = world.messages(&asking(&json!([{"role": "user", "content": [pdf, text]}]))).await;
    let losses = response.headers()["codeferry-losses"].to_str().unwrap().to_owned();
    assert_eq!((response.status().as_u16(), losses.as_str()), (200, "document"));
}

#[tokio::test]
async fn its_failures_are_told_as_what_they_are() {
    let world = World::start().await;
    let Some(_codex) = Codex::at(&world).await else { return };
    let refused = async |text: &str| Refusal::of(world.messages(&saying(text)).await).await;
    let overflow = refused("[[demo:overflow status]]").await;
    assert_eq!(overflow.status, 400);
    assert!(overflow.message.starts_with("prompt is too long: "), "{overflow:?}");
    let model = refused("[[demo:model]]").await;
    assert_eq!((model.status, model.kind.as_str()), (404, "not_found_error"), "{model:?}");
    let policy = refused("[[demo:policy]]").await;
    assert_eq!(policy.status, 400, "{policy:?}");
    let limit = refused("[[demo:limit]]").await;
    assert_eq!((limit.status, limit.kind.as_str()), (429, "rate_limit_error"), "{limit:?}");
    let before = world.demo.model_requests().len();
    let resting = refused("hello").await;
    assert_eq!(resting.status, 429, "it rests, and nobody stands in for it: {resting:?}");
    assert_eq!(world.demo.model_requests().len(), before);
    assert_eq!(sse::text(&world.say("[[demo:text The others go on.]]").await), "The others go on.");
}

#[tokio::test]
async fn a_cli_that_is_not_signed_in_says_what_to_do() {
    let world = World::start().await;
    let Some(codex) = Codex::at(&world).await else { return };
    // Its own provider is the one that needs a sign-in.
    let nowhere = "check_for_update_on_startup = false\nchatgpt_base_url = \"http://127.0.0.1:9\"\n";
    std::fs::write(codex.home.path().join("config.toml"), nowhere).unwrap();
    let refusal = Refusal::of(world.messages(&saying("hello")).await).await;
    assert_eq!((refusal.status, refusal.should_retry.as_deref()), (503, Some("false")), "{refusal:?}");
    assert!(refusal.message.contains("codex login"), "{refusal:?}");
}

#[tokio::test]
async fn claude_code_works_through_it() {
    let world = World::start().await;
    let Some(codex) = Codex::at(&world).await else { return };
    let Some(claude) = Claude::at(&world) else { return };
    let file = claude.file("greeting.txt", "hello moon\n");
    let prompt = playing(&[
        &format!("[[demo:reasoning Look.]]{}", calling("Read", &json!({"file_path": file}))),
        &calling("Edit", &json!({"file_path": file, "old_string": "moon", "new_string": "world"})),
        "[[demo:text The greeting is fixed.]]",
    ]);
    let run = claude.run(&prompt, &["--model", MODEL]).await;
    assert_eq!(run.text(), "The greeting is fixed.");
    assert_eq!(claude.read("greeting.txt"), "hello world\n");
    let asked = asked_by(&codex, &world);
    assert_eq!(asked.len(), 3, "one request per round");
    assert_eq!(items(&asked[2], "function_call_output").len(), 2);
    assert_eq!(items(&asked[2], "reasoning").len(), 1);
}

#[tokio::test]
async fn clients_of_responses_are_told_all_of_it_anew() {
    let world = World::start().await;
    let Some(codex) = Codex::at(&world).await else { return };
    world.gateway.settings().set("alias.gpt-6.1-sol", MODEL).unwrap();
    let sdk = ("CODEFERRY_TEST_OPENAI_PYTHON", "the openai Python SDK");
    for scenario in ["responses", "responses_parse"] {
        script::python(&world, sdk, "openai_sdk.py", scenario).await;
    }
    let asked = asked_by(&codex, &world);
    assert_eq!(asked.len(), world.demo.model_requests().len(), "nobody else was asked");
}

/// It has but one tool of its own for the models of today, which takes a program as free text and stands in a namespace.
#[tokio::test]
async fn another_codex_works_through_it() {
    let world = World::start().await;
    let Some(upstream) = Codex::at(&world).await else { return };
    let Some(codex) = CodexClient::at(&world) else { return };
    let program =
        r#"const run = await tools.exec_command({cmd: "echo hello > greeting.txt; cat greeting.txt"}); text(run);"#;
    let prompt = playing(&[
        &format!("[[demo:reasoning Look.]]{}", calling("functions__exec", &json!({"input": program}))),
        "[[demo:text It says hello.]]",
    ]);
    let run = codex.exec(&["-m", MODEL, &prompt]).await;
    assert_eq!(run.text(), "It says hello.", "{}\n{}", run.stdout, run.stderr);
    assert_eq!(codex.read("greeting.txt"), "hello\n");
    let asked = asked_by(&upstream, &world);
    assert_eq!(asked.len(), 2, "one request per round");
    assert_eq!(items(&asked[1], "reasoning").len(), 1, "its reasoning goes back to it");
    let (calls, results) = (items(&asked[1], "function_call"), items(&asked[1], "function_call_output"));
    assert_eq!(calls[0]["name"], "functions__exec", "{calls:#?}");
    assert!(calls[0]["arguments"].as_str().unwrap().contains("tools.exec_command"), "{calls:#?}");
    assert!(results[0]["output"].to_string().contains("hello"), "{results:#?}");
    assert_eq!(asked.len(), world.demo.model_requests().len(), "nobody else was asked");
}
