//! Setting clients up from the dashboard: by a session, and without the old paths.

use codeferry_tests::World;
use reqwest::Method;
use serde_json::{Value, json};

const CLAUDE: &str = "/clients/claude-code";

async fn state(world: &World) -> Value {
    let listed = world.ask(Method::GET, "/clients", json!({})).await;
    listed["clients"][0].clone()
}

#[tokio::test]
async fn claude_code_is_set_up_from_the_dashboard_and_taken_back() {
    let world = World::start().await;
    // It is not the old paths that do it.
    world.gateway.settings().set("compat", "false").unwrap();
    let file = world.home.path().join("user/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let text = "{\n  \"env\": {\"ANTHROPIC_BASE_URL\": \"https://elsewhere.example\"},\n  \"theme\": \"dark\"\n}\n";
    std::fs::write(&file, text).unwrap();
    let before = state(&world).await;
    assert_eq!((&before["state"], &before["url"]), (&json!("elsewhere"), &json!("https://elsewhere.example")));
    assert_eq!(before["file"], file.display().to_string());

    let connected = world.ask(Method::POST, CLAUDE, json!({})).await;
    assert_eq!(connected["state"], "connected", "{connected}");
    assert!(connected["told"].as_str().unwrap().contains("Claude Code comes to"), "{connected}");
    assert!(!connected.to_string().contains("cf_"), "no key is in the answer: {connected}");
    assert_eq!(state(&world).await["state"], "connected");

    // A key that was revoked opens nothing, whatever the address says.
    world.ask(Method::DELETE, "/keys/claude-code", json!({})).await;
    let refused = state(&world).await;
    assert_eq!(refused["targets"][0]["state"], "broken", "{refused}");
    assert_eq!(world.ask(Method::POST, CLAUDE, json!({})).await["state"], "connected", "it gets another one");

    let restored = world.ask(Method::DELETE, CLAUDE, json!({})).await;
    assert_eq!(restored["state"], "elsewhere", "{restored}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "to the byte");
    let keys = world.ask(Method::GET, "/keys", json!({})).await;
    assert!(!keys.to_string().contains("claude-code"), "{keys}");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_left_alone() {
    let world = World::start().await;
    assert_eq!(state(&world).await["state"], "not_set", "there is no file yet");
    let file = world.home.path().join("user/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "{ \"env\": ").unwrap();
    let found = state(&world).await;
    assert_eq!(found["state"], "unreadable");
    assert!(found["message"].as_str().unwrap().contains("line 1"), "{found}");
    for (method, path, status, code) in
        [(Method::POST, CLAUDE, 422, "unreadable_file"), (Method::POST, "/clients/nobody", 404, "unknown_client")]
    {
        let refused = world.control(method, path).json(&json!({})).send().await.unwrap();
        assert_eq!(refused.status(), status, "{path}");
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], code, "{path}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{ \"env\": ");
}
