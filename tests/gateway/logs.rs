//! `GET /api/logs`.

use codeferry_app::LogLevel;
use codeferry_tests::World;
use reqwest::Method;
use serde_json::{Value, json};

async fn ask(world: &World, query: &str) -> (u16, Value) {
    let answer = world.control(Method::GET, &format!("/logs{query}")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_last_lines_are_told_to_whoever_holds_the_token() {
    let world = World::start().await;
    for (level, message) in [(LogLevel::Info, "one"), (LogLevel::Warn, "two"), (LogLevel::Info, "three")] {
        world.log_line(level, message);
    }
    let messages = |answer: &Value| -> Vec<String> {
        let lines = answer["lines"].as_array().unwrap();
        lines.iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    };
    let (status, all) = ask(&world, "").await;
    assert_eq!((status, messages(&all)), (200, vec!["one".into(), "two".into(), "three".into()]));
    assert_eq!(
        all["lines"][1],
        json!({"at": "2026-11-20T07:30:00Z", "level": "warn", "target": "codeferry_app::running", "message": "two",
               "fields": {}})
    );
    assert_eq!(messages(&ask(&world, "?lines=2").await.1), ["two", "three"]);
    assert_eq!(messages(&ask(&world, "?level=warn").await.1), ["two"]);
    for bad in ["?level=loud", "?lines=-1"] {
        let (status, refused) = ask(&world, bad).await;
        assert_eq!((status, refused["code"].as_str()), (400, Some("bad_request")), "{refused}");
    }
    let keyed = world.http.get(format!("{}/api/logs", world.url())).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(keyed.status(), 401, "a client key does not open this door");
}
