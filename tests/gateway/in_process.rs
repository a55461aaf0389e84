//! What the desktop shell asks within the process: the same as over HTTP.

use std::time::Duration;

use codeferry_app::{Effort, Target};
use codeferry_tests::World;
use reqwest::Method;
use serde_json::Value;

async fn get(world: &World, path: &str) -> Value {
    world.control(Method::GET, path).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn families_are_shown_and_led_elsewhere() {
    let world = World::start().await;
    let gateway = world.gateway.gateway();
    let roles = gateway.roles();
    let shown = get(&world, "/routes").await;
    assert_eq!(shown["roles"].as_array().unwrap().len(), roles.len());
    for (role, shown) in roles.iter().zip(shown["roles"].as_array().unwrap()) {
        assert_eq!(
            (role.name, role.to.model.as_str()),
            (shown["role"].as_str().unwrap(), shown["model"].as_str().unwrap())
        );
    }
    let models = gateway.models();
    assert!(models.iter().any(|choice| choice.model == "gpt-6-luna" && choice.efforts.contains(&Effort::Max)));

    let to = Target { model: "gpt-6-luna".to_owned(), effort: Some(Effort::High) };
    gateway.set_role("opus", &to).await.unwrap();
    let shown = get(&world, "/routes").await;
    assert_eq!((&shown["roles"][0]["model"], &shown["roles"][0]["effort"]), (&"gpt-6-luna".into(), &"high".into()));

    let refused = gateway.set_role("moon", &to).await.unwrap_err();
    assert!(refused.contains("route.moon"), "{refused}");
    world.gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_account_is_tested() {
    let world = World::start().await;
    let gateway = world.gateway.gateway();
    let id = get(&world, "/accounts").await["accounts"][0]["id"].as_str().unwrap().to_owned();
    let tested = gateway.test_account(&id).await.unwrap();
    assert!(tested.ok, "{}", tested.message);
    let refused = gateway.test_account("nobody").await.unwrap_err();
    assert!(refused.contains("no such account"), "{refused}");
    world.gateway.stop().await.unwrap();
}

#[tokio::test]
async fn it_is_known_whether_claude_code_comes_here() {
    let world = World::start().await;
    let gateway = world.gateway.gateway();
    assert!(!gateway.claude_code_comes_here(), "there is no file");
    let mut changes = gateway.changes();

    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap().expose();
    let set_up = world.http.post(format!("{}/claude/config/proxy", world.url())).bearer_auth(token);
    assert!(set_up.send().await.unwrap().status().is_success());
    tokio::time::timeout(Duration::from_secs(5), changes.next()).await.expect("whoever shows it is told");
    assert!(gateway.claude_code_comes_here());
    let file = gateway.claude_settings().unwrap();
    assert!(file.starts_with(world.home.path()), "not the real one");

    world.gateway.keys().revoke("claude-code").unwrap();
    assert!(!gateway.claude_code_comes_here(), "a key that opens nothing");
    std::fs::write(file, "{ not json").unwrap();
    assert!(!gateway.claude_code_comes_here(), "a file that cannot be read");
    world.gateway.stop().await.unwrap();
}
