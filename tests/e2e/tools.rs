//! Claude Code's tools: one after the other, many at once, one that fails, one that is the answer.

use codeferry_demo::AccountKind;
use codeferry_tests::claude::Claude;
use codeferry_tests::{Setup, World};
use serde_json::json;

use crate::{asked, calling, items, playing};

#[tokio::test]
async fn three_turns_of_tools_change_files_and_carry_reasoning_back() {
    for kind in [AccountKind::Codex, AccountKind::Plan] {
        three_turns_of_tools(&World::with(Setup { kind, ..Setup::default() }).await).await;
    }
}

async fn three_turns_of_tools(world: &World) {
    let Some(claude) = Claude::at(world) else { return };
    let file = claude.file("greeting.txt", "hello moon\n");
    let prompt = playing(&[
        &format!("[[demo:reasoning Look.]]{}", calling("Read", &json!({"file_path": file}))),
        &format!(
            "[[demo:reasoning Change.]]{}",
            calling("Edit", &json!({"file_path": file, "old_string": "moon", "new_string": "world"}))
        ),
        &format!(
            "[[demo:reasoning Check.]]{}",
            calling("Bash", &json!({"command": "cat greeting.txt > proof.txt", "description": "Copy it"}))
        ),
        "[[demo:reasoning Done.]][[demo:text The greeting is \"fixed\" — 好.]]",
    ]);
    let run = claude.run(&prompt, &[]).await;

    assert_eq!(run.text(), "The greeting is \"fixed\" — 好.");
    assert_eq!(claude.read("greeting.txt"), "hello world\n");
    assert_eq!(claude.read("proof.txt"), "hello world\n");
    let tools: Vec<_> = run.tool_uses().into_iter().map(|(name, _)| name).collect();
    assert_eq!(tools, ["Read", "Edit", "Bash"]);

    let asked = asked(world);
    assert_eq!(asked.len(), 4, "one request per round");
    for (round, request) in asked.iter().enumerate() {
        let sealed = items(request, "reasoning");
        assert_eq!(sealed.len(), round, "the reasoning of each earlier round comes back");
        assert!(sealed.iter().all(|item| item["encrypted_content"].as_str().is_some_and(|text| !text.is_empty())));
        assert_eq!(items(request, "function_call_output").len(), round);
        assert_eq!(request["prompt_cache_key"], asked[0]["prompt_cache_key"], "one conversation, one key");
        assert_eq!(request["instructions"], asked[0]["instructions"], "nothing before the history changes");
        assert_eq!(request["tools"], asked[0]["tools"]);
        let before = asked[round.saturating_sub(1)]["input"].as_array().unwrap();
        assert_eq!(&request["input"].as_array().unwrap()[..before.len()], before, "the history only grows");
    }
    let read = items(&asked[1], "function_call_output")[0]["output"].as_str().unwrap();
    assert!(read.contains("hello moon"), "{read}");

    // The prompt is counted once: the estimate at the start does not stay beside the figures at the end.
    let usage = &run.result()["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap();
    assert!(count("cache_read_input_tokens") > 10_000, "{usage}");
    assert!(count("input_tokens") < 1_000, "{usage}");
}

#[tokio::test]
async fn six_tools_at_once_of_which_one_fails() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let bash = |command: &str| calling("Bash", &json!({"command": command, "description": command}));
    // The first is the slowest: results come back in another order than they were asked for.
    let calls = [
        bash("sleep 0.4; echo one"),
        bash("echo two"),
        calling("Read", &json!({"file_path": claude.file("alpha.txt", "alpha\n")})),
        calling("Read", &json!({"file_path": claude.path("missing.txt")})),
        calling("Write", &json!({"file_path": claude.path("beta.txt"), "content": "beta"})),
        bash("echo six"),
    ];
    let prompt = playing(&[&format!("[[demo:interleave]]{}", calls.concat()), "[[demo:text All six.]]"]);
    let run = claude.run(&prompt, &[]).await;

    assert_eq!(run.text(), "All six.");
    assert_eq!(claude.read("beta.txt"), "beta");
    let results = run.tool_results();
    assert_eq!(results.len(), 6);
    let failed: Vec<_> = results.iter().filter(|result| result["is_error"] == true).collect();
    assert_eq!(failed.len(), 1, "{results:#?}");
    assert!(failed[0]["content"].as_str().unwrap().contains("does not exist"), "{failed:#?}");

    let asked = asked(&world);
    assert_eq!(asked.len(), 2);
    let (made, outputs) = (items(&asked[1], "function_call"), items(&asked[1], "function_call_output"));
    assert_eq!((made.len(), outputs.len()), (6, 6));
    let expected = ["one", "two", "alpha", "The tool reported an error:\nFile does not exist", "created", "six"];
    for (call, expected) in made.iter().zip(expected) {
        let output = outputs.iter().find(|output| output["call_id"] == call["call_id"]).expect("each call is answered");
        assert!(output["output"].as_str().unwrap().contains(expected), "{call} {output}");
    }
    let order = |items: &[&serde_json::Value]| items.iter().map(|item| item["call_id"].clone()).collect::<Vec<_>>();
    assert_ne!(order(&made), order(&outputs), "they came back as they were done");
}

/// An upstream that gives each call the same id: to Claude Code they are calls of their own (`claude-code.md §0.9`).
#[tokio::test]
async fn ids_that_repeat_are_told_apart() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let bash = |word: &str| calling("Bash", &json!({"command": format!("echo {word}"), "description": word}));
    let both = bash("one") + &bash("two");
    let prompt = playing(&[&both, &bash("three"), "[[demo:text Three.]]"])
        .replace("[[demo:turns", "[[demo:same-ids]][[demo:turns");
    let run = claude.run(&prompt, &[]).await;

    assert_eq!(run.text(), "Three.");
    let asked = asked(&world);
    let (made, outputs) = (items(&asked[2], "function_call"), items(&asked[2], "function_call_output"));
    assert_eq!((made.len(), outputs.len()), (3, 3));
    for (call, expected) in made.iter().zip(["one", "two", "three"]) {
        let answers: Vec<_> = outputs.iter().filter(|output| output["call_id"] == call["call_id"]).collect();
        assert_eq!(answers.len(), 1, "{call} {outputs:?}");
        assert_eq!(answers[0]["output"], expected);
    }
}

/// The answer in a schema is a tool of Claude Code's own (`claude-code.md §3`).
#[tokio::test]
async fn an_answer_that_fits_a_schema() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "count": {"type": "integer", "minimum": 3},
            "kind": {"anyOf": [{"enum": ["boat"]}, {"type": "null"}]},
        },
        "required": ["name", "count", "kind"],
        "additionalProperties": false,
    });
    let run = claude.run("Describe a ferry.", &["--json-schema", &schema.to_string()]).await;

    run.text();
    let answer = &run.result()["structured_output"];
    assert_eq!((&answer["count"], &answer["kind"]), (&json!(3), &json!("boat")), "{answer}");
    assert!(answer["name"].is_string(), "{answer}");

    let asked = asked(&world);
    assert_eq!(asked.len(), 1, "the call is the answer");
    let tools = asked[0]["tools"].as_array().unwrap();
    let tool = tools.iter().find(|tool| tool["name"] == "StructuredOutput").expect("the schema travels as a tool");
    for part in ["properties", "required", "additionalProperties"] {
        assert_eq!(tool["parameters"][part], schema[part], "{part} of the schema is kept whole");
    }
}
