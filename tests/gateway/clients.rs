//! Setting clients up from the dashboard: by a session, and without the old paths.

use codeferry_tests::World;
use codeferry_tests::patience::until;
use reqwest::Method;
use serde_json::{Value, json};

const CLAUDE: &str = "/clients/claude-code";

/// Waits for the catalogue of the account: what clients are told of models is another one then.
pub(crate) async fn models_known(world: &World) {
    until("the models of the account", async || {
        let models = world.ask(Method::GET, "/models", json!({})).await;
        if models["builtin"] == false { Ok(()) } else { Err("only those compiled in".to_owned()) }
    })
    .await;
}

async fn state(world: &World) -> Value {
    let listed = world.ask(Method::GET, "/clients", json!({})).await;
    listed["clients"][0]["targets"][0].clone()
}

#[tokio::test]
async fn claude_code_is_set_up_from_the_dashboard_and_taken_back() {
    let world = World::start().await;
    models_known(&world).await;
    // It is not the old paths that do it.
    world.gateway.settings().set("compat", "false").unwrap();
    let file = world.home.path().join("user/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let text = "{\n  \"env\": {\"ANTHROPIC_BASE_URL\": \"https://elsewhere.example\"},\n  \"theme\": \"dark\"\n}\n";
    std::fs::write(&file, text).unwrap();
    let before = state(&world).await;
    assert_eq!((&before["state"], &before["url"]), (&json!("elsewhere"), &json!("https://elsewhere.example")));
    assert_eq!(before["files"][0], file.display().to_string());

    let connected = world.ask(Method::POST, CLAUDE, json!({})).await;
    assert_eq!(connected["targets"][0]["state"], "ours", "{connected}");
    assert!(connected["told"].as_str().unwrap().contains("Claude Code comes to"), "{connected}");
    assert!(!connected.to_string().contains("cf_"), "no key is in the answer: {connected}");
    assert_eq!(state(&world).await["state"], "ours");

    // A key that was revoked opens nothing, whatever the address says.
    world.ask(Method::DELETE, "/keys/claude-code", json!({})).await;
    let refused = state(&world).await;
    assert_eq!(refused["state"], "broken", "{refused}");
    let again = world.ask(Method::POST, CLAUDE, json!({})).await;
    assert_eq!(again["targets"][0]["state"], "ours", "it gets another one");

    let restored = world.ask(Method::DELETE, CLAUDE, json!({})).await;
    assert_eq!(restored["targets"][0]["state"], "elsewhere", "{restored}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "to the byte");
    let keys = world.ask(Method::GET, "/keys", json!({})).await;
    assert!(!keys.to_string().contains("claude-code"), "{keys}");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_left_alone() {
    let world = World::start().await;
    models_known(&world).await;
    assert_eq!(state(&world).await["state"], "not_installed", "there is no file yet");
    let file = world.home.path().join("user/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "{ \"env\": ").unwrap();
    let found = state(&world).await;
    assert_eq!(found["state"], "broken");
    assert!(found["why"].as_str().unwrap().contains("line 1"), "{found}");
    for (method, path, status, code) in
        [(Method::POST, CLAUDE, 422, "unreadable_file"), (Method::POST, "/clients/nobody", 404, "unknown_client")]
    {
        let refused = world.control(method, path).json(&json!({})).send().await.unwrap();
        assert_eq!(refused.status(), status, "{path}");
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], code, "{path}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{ \"env\": ");
}

/// What is shown is what is done, or nothing is.
#[tokio::test]
async fn a_plan_holds_only_for_what_it_was_made_for() {
    let world = World::start().await;
    models_known(&world).await;
    let file = world.home.path().join("user/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "{}\n").unwrap();
    let plan = world.ask(Method::GET, "/clients/claude-code/plan", json!({})).await;
    assert_eq!((&plan["changes"], &plan["files"][0]["will"]), (&json!(true), &json!("change")), "{plan}");
    assert!(plan["files"][0]["diff"].as_str().unwrap().contains("ANTHROPIC_BASE_URL"), "{plan}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}\n", "looking writes nothing");

    std::fs::write(&file, "{\"theme\": \"dark\"}\n").unwrap();
    let refused = world.control(Method::POST, CLAUDE).json(&json!({"plan": plan["plan"]})).send().await.unwrap();
    assert_eq!(refused.status(), 409);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "changed_meanwhile");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"theme\": \"dark\"}\n");
    let keys = world.ask(Method::GET, "/keys", json!({})).await;
    assert!(!keys.to_string().contains("claude-code"), "no key was made in vain: {keys}");

    let plan = world.ask(Method::GET, "/clients/claude-code/plan", json!({})).await;
    world.ask(Method::POST, CLAUDE, json!({"plan": plan["plan"], "target": "user"})).await;
    let verified = world.ask(Method::POST, "/clients/claude-code/verify", json!({"live": true})).await;
    assert_eq!(verified["verdict"], "ok", "{verified}");
    let rows = verified["rows"].as_array().unwrap();
    let models = rows.iter().filter(|row| row["check"] == "model").count();
    assert_eq!(models, 4, "each family: {verified}");
    let doctor = world.ask(Method::GET, "/doctor", json!({})).await;
    assert!(doctor.to_string().contains("Claude Code comes here"), "{doctor}");

    // Somebody else's word stands, if that is said.
    let changed = std::fs::read_to_string(&file).unwrap().replace("\"900000\"", "\"5\"");
    std::fs::write(&file, &changed).unwrap();
    assert_eq!(state(&world).await["state"], "drifted");
    let kept = world.ask(Method::POST, "/clients/claude-code/drift", json!({"do": "keep"})).await;
    assert_eq!(kept["changed"], false, "{kept}");
    let place = state(&world).await;
    assert!(place["state"] == "ours" || place["accepted"] == true, "{place}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), changed);

    let copies = world.ask(Method::GET, "/clients/claude-code/backups", json!({})).await;
    let id = copies["backups"][0]["id"].as_str().unwrap();
    let copy = world.ask(Method::GET, &format!("/clients/claude-code/backups/{id}"), json!({})).await;
    assert!(copy["diff"].as_str().unwrap().contains("ANTHROPIC_BASE_URL"), "{copy}");
    world.ask(Method::POST, &format!("/clients/claude-code/backups/{id}/restore"), json!({})).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"theme\": \"dark\"}\n");
}

/// What the Codex CLI would do is tried as it does it: it opens a WebSocket, where its file says so.
#[tokio::test]
async fn a_codex_is_verified_to_its_socket() {
    let world = World::start().await;
    models_known(&world).await;
    std::fs::create_dir_all(world.home.path().join("user/.codex")).unwrap();
    let plan = world.ask(Method::GET, "/clients/codex/plan", json!({})).await;
    world.ask(Method::POST, "/clients/codex", json!({"plan": plan["plan"]})).await;
    let socket = async || {
        let verified = world.ask(Method::POST, "/clients/codex/verify", json!({})).await;
        let rows = verified["rows"].as_array().unwrap();
        rows.iter().find(|row| row["check"] == "websocket").map(|row| row["verdict"].as_str().unwrap().to_owned())
    };
    assert_eq!(socket().await.as_deref(), Some("ok"));
    world.gateway.settings().set("websocket", "false").unwrap();
    assert_eq!(socket().await, None, "what is not offered is not tried");
}
