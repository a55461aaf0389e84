//! Answers, tools, and many at once.

use super::*;

#[tokio::test]
async fn an_answer_streams_and_the_child_is_kept_for_the_next() {
    let stage = Stage::new("");
    let events = stage.say("hello").await.unwrap();
    assert_eq!(text(&events), "Be brief.|1|hello");
    let end = events.last().unwrap();
    assert_eq!(end["type"], "response.completed");
    assert_eq!(end["response"]["usage"]["input_tokens_details"]["cached_tokens"], 40);

    let longer = json!({"input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "first"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "sealed"},
        {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "the file"},
    ]});
    let events = read(stage.ask(&longer).await.unwrap()).await.unwrap();
    assert_eq!(
        text(&events),
        "You are a helpful assistant.|4|the file",
        "the history is there, and nothing of the exchange before"
    );
    assert_eq!(stage.heard("thread/inject_items")[1]["params"]["items"], longer["input"], "as it was");
    assert_eq!(stage.noted("pids").len(), 1, "one child for both");
    stage.hears("thread/unsubscribe", 2).await;
}

#[tokio::test]
async fn a_thread_is_plain_and_leaves_nothing() {
    // Any will do.
    let secret = std::env::vars_os().map(|(name, _)| name).find(|name| name != "PATH").unwrap();
    let stage = Stage::with("", |household| household.kept_secret = vec![secret.clone()]);
    stage.say("hello").await.unwrap();
    let thread = &stage.heard("thread/start")[0]["params"];
    assert_eq!(thread["ephemeral"], true);
    assert_eq!(thread["environments"], json!([]));
    assert_eq!((&thread["sandbox"], &thread["approvalPolicy"]), (&json!("read-only"), &json!("never")));
    assert_eq!(
        thread["config"],
        json!({"mcp_servers": {"own": {"enabled": false}}}),
        "the person's own servers are off"
    );
    assert_eq!(thread["dynamicTools"][1]["name"], "mcp--hub__issue");
    let turn = &stage.heard("turn/start")[0]["params"];
    assert_eq!((&turn["effort"], &turn["summary"], &turn["input"]), (&json!("low"), &json!("auto"), &json!([])));

    let cwd = stage.noted("cwd").remove(0);
    assert!(cwd.ends_with("codex-cli/empty"), "{cwd}");
    assert_eq!(std::fs::read_dir(&cwd).unwrap().count(), 0);
    let environment = stage.noted("environment").remove(0);
    let given: Vec<&str> = environment.split(' ').collect();
    assert!(!given.contains(&&*secret.to_string_lossy()) && given.contains(&"PATH"), "{given:?}");
    let args = stage.noted("args").remove(0);
    let catalog = args.split("model_catalog_json=\"").nth(1).unwrap().trim_end_matches('"');
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(catalog).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let catalog = std::fs::read_to_string(catalog).unwrap();
    assert!(catalog.contains(r#""tool_mode":"direct""#), "{catalog}");
    assert!(Path::new(&cwd).starts_with(stage.folder.path().canonicalize().unwrap()));
}

#[tokio::test]
async fn calls_end_the_answer_and_the_turn_is_interrupted() {
    let stage = Stage::new("");
    let events = stage.say("call read mcp--hub__issue").await.unwrap();
    let calls: Vec<&Value> =
        events.iter().map(|event| &event["item"]).filter(|item| item["type"] == "function_call").collect();
    let names: Vec<&str> = calls.iter().map(|call| call["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["read", "mcp__hub__issue"], "under the client's names");
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    stage.hears("turn/interrupt", 1).await;
    stage.hears("thread/unsubscribe", 1).await;
    let order: Vec<String> = stage
        .noted("heard")
        .iter()
        .map(|line| line.split("\"method\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
        .collect();
    assert_eq!(order[order.len() - 2..], ["turn/interrupt", "thread/unsubscribe"], "{order:?}");
}

#[tokio::test]
async fn who_leaves_interrupts_the_turn() {
    let stage = Stage::new("");
    let mut begun = stage.ask(&saying("slow")).await.unwrap();
    assert!(begun.chunk().await.unwrap().is_some());
    drop(begun);
    stage.hears("turn/interrupt", 1).await;
    assert_eq!(text(&stage.say("still there?").await.unwrap()), "Be brief.|1|still there?");
    assert_eq!(stage.noted("pids").len(), 1);
}

#[tokio::test]
async fn many_conversations_share_one_child() {
    let stage = Stage::new("");
    let said: Vec<String> = (0..12).map(|n| format!("number {n}")).collect();
    let answers = futures_util::future::join_all(said.iter().map(|text| stage.say(text))).await;
    for (said, answer) in said.iter().zip(answers) {
        assert_eq!(text(&answer.unwrap()), format!("Be brief.|1|{said}"));
    }
    assert_eq!(stage.noted("pids").len(), 1, "all waited for the same start");
}

#[tokio::test]
async fn a_look_says_who_is_signed_in_and_which_models_there_are() {
    let stage = Stage::new("");
    let found = stage.cli.look(&stage.program).await.unwrap();
    assert_eq!((found.version.as_str(), found.unknown), ("0.169.0", false));
    assert_eq!((found.sign_in.as_deref(), found.email.as_deref()), (Some("chatgpt"), Some("me@example.com")));
    let models = stage.cli.models(&stage.program).await.unwrap();
    assert!(models.get("fake-1").is_some());
}

#[tokio::test]
async fn losses_are_named() {
    let stage = Stage::new("");
    let mut body = saying("hello");
    body["tool_choice"] = json!("required");
    body["tools"].as_array_mut().unwrap().push(json!({"type": "web_search"}));
    let losses = CodexCli::losses(body.to_string().as_bytes());
    assert_eq!(losses.iter().map(|loss| loss.name()).collect::<Vec<_>>(), ["hosted_tool", "tool_choice"]);
    assert!(read(stage.ask(&body).await.unwrap()).await.is_ok());
}
