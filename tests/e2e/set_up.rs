//! Claude Code, set up by a request instead of by hand.

use codeferry_tests::World;
use codeferry_tests::claude::Claude;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::asked;

/// The file alone leads it here, and afterwards it is what it was.
#[tokio::test]
async fn claude_code_finds_here_by_its_file_alone_and_back() {
    let world = World::start().await;
    let Some(claude) = Claude::of_person(&world) else { return };
    let file = world.home.path().join("user/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let original = "{\n  \"permissions\": {\"allow\": [\"Read\"]},\n  \"env\": {\"ANTHROPIC_API_KEY\": \"sk-ant-mine\"},\n  \
                    \"includeCoAuthoredBy\": false\n}\n";
    std::fs::write(&file, original).unwrap();
    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap().expose();
    let post = async |path: &str, body: Value| {
        let request = world.http.post(format!("{}/claude/config/{path}", world.url()));
        let response = request.header(AUTHORIZATION, format!("Bearer {token}")).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    };
    post("proxy", json!({})).await;
    let run = claude.run("[[demo:text Here.]]", &[]).await;
    assert_eq!(run.text(), "Here.");
    assert_eq!(asked(&world).len(), 1, "one request, and it came here");
    let log = world.control(reqwest::Method::GET, "/exchanges").send().await.unwrap().text().await.unwrap();
    assert!(log.contains("claude-code"), "by the key that was made for it: {log}");
    post("direct", json!({"apiKey": "sk-ant-mine"})).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), original);
}
