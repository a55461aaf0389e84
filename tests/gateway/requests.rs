//! What goes upstream: whole, honest, and the same each time.

use codeferry_tests::world::asking;
use codeferry_tests::{Setup, World};
use serde_json::{Value, json};

fn fixtures() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/claude");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap())
        })
        .filter(|(_, trace)| trace["body"].is_object() && trace["request"].as_str().unwrap().contains("/v1/messages?"))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.iter_mut().for_each(|(_, trace)| whole_pictures(trace));
    all
}

/// The captures keep only the head of large pictures; here they get a small whole one.
fn whole_pictures(value: &mut Value) {
    const JPEG: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==";
    match value {
        Value::Object(members) if members.get("media_type").is_some_and(|kind| kind == "image/jpeg") => {
            members.insert("data".to_owned(), json!(JPEG));
        }
        Value::Object(members) => members.values_mut().for_each(whole_pictures),
        Value::Array(elements) => elements.iter_mut().for_each(whole_pictures),
        _ => {}
    }
}

/// Every request the real client was seen to send is taken by an upstream that refuses what the real one refuses.
#[tokio::test]
async fn every_captured_request_is_accepted_upstream() {
    for kind in [codeferry_demo::AccountKind::Codex, codeferry_demo::AccountKind::Plan] {
        let world = World::with(Setup { kind, ..Setup::default() }).await;
        let mut sent = 0;
        for (name, trace) in fixtures() {
            let mut request = world.post("/v1/messages?beta=true").json(&trace["body"]);
            for header in ["anthropic-beta", "X-Claude-Code-Session-Id", "User-Agent", "x-app"] {
                if let Some(value) = trace["headers"][header].as_str() {
                    request = request.header(header, value);
                }
            }
            let response = request.send().await.unwrap();
            let status = response.status();
            let text = response.text().await.unwrap();
            assert_eq!(status, 200, "{name}: {text}");
            sent += 1;
        }
        assert!(sent > 30, "only {sent} captures");
        assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
    }
}

#[tokio::test]
async fn nothing_of_the_client_leaks() {
    let world = World::start().await;
    let request = world
        .post("/v1/messages")
        .header("user-agent", "claude-cli/2.1.197")
        .header("x-stainless-os", "Linux")
        .header("x-app", "cli")
        .header("cookie", "secret=1")
        .header("anthropic-beta", "something")
        .header("x-claude-code-session-id", "75452b9c-221b-45bb-92f8-434671d1d509")
        .json(&asking("[[demo:text hi]]"));
    assert_eq!(request.send().await.unwrap().status(), 200);
    let seen = &world.demo.model_requests()[0];
    let mut names: Vec<_> = seen.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "authorization",
            "chatgpt-account-id",
            "content-length",
            "content-type",
            "host",
            "originator",
            "session-id",
            "thread-id",
            "user-agent",
            "version",
            "x-client-request-id",
            "x-codex-routing-hint"
        ]
    );
    assert_eq!(seen.header("originator"), Some("codeferry"));
    assert!(seen.header("user-agent").unwrap().starts_with("codeferry/"));
    assert_eq!(seen.header("session-id"), Some("75452b9c-221b-45bb-92f8-434671d1d509"));
    assert!(seen.header("authorization").unwrap() != format!("Bearer {}", world.key));
    let body = seen.json().to_string();
    assert!(!body.contains(&world.key) && !body.contains("claude-cli"), "{body}");
}

#[tokio::test]
async fn main_thread_and_subagent_have_keys_of_their_own() {
    let world = World::start().await;
    let session = "75452b9c-221b-45bb-92f8-434671d1d509";
    for agent in [None, Some("agent-1"), Some("agent-2")] {
        let mut request =
            world.post("/v1/messages").header("x-claude-code-session-id", session).json(&asking("[[demo:text hi]]"));
        if let Some(agent) = agent {
            request = request.header("x-claude-code-agent-id", agent);
        }
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let seen = world.demo.model_requests();
    let mut keys: Vec<_> =
        seen.iter().map(|request| request.json()["prompt_cache_key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys[0], session);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3);
    assert!(seen.iter().all(|request| request.header("session-id") == Some(session)));
}

#[tokio::test]
async fn losses_are_named() {
    let world = World::start().await;
    let mut body = asking("[[demo:text hi]]");
    body["temperature"] = json!(0.2);
    body["top_k"] = json!(5);
    body["from_the_future"] = json!({"x": 1});
    let response = world.messages(&body).await;
    assert_eq!(response.headers()["codeferry-losses"], "temperature, top_k, unknown_member");
    let response = world.messages(&asking("[[demo:text hi]]")).await;
    assert!(!response.headers().contains_key("codeferry-losses"));
}

#[tokio::test]
async fn a_text_cut_inside_a_character_goes_through() {
    let world = World::start().await;
    let body = br#"{"model":"claude-opus-4-8","max_tokens":9,"messages":[{"role":"user","content":"half \ud83d [[demo:text hi]]"}]}"#;
    let response = world.post("/v1/messages").body(body.to_vec()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["codeferry-losses"], "lone_surrogate");
    assert_eq!(world.last_upstream()["input"][0]["content"][0]["text"], "half \u{fffd} [[demo:text hi]]");
}

#[tokio::test]
async fn efforts_reach_the_model() {
    let world = World::start().await;
    for (model, effort, sent) in [
        ("claude-opus-4-8", Some("high"), Some("high")),
        ("claude-opus-4-8", Some("max"), Some("max")),
        ("gpt-5.5", Some("max"), Some("xhigh")),
        ("gpt-6.1-sol-low", Some("high"), Some("low")),
        ("claude-haiku-4-5", None, Some("low")),
        ("claude-opus-4-8", None, None),
    ] {
        let mut body = asking("[[demo:text hi]]");
        body["model"] = json!(model);
        if let Some(effort) = effort {
            body["output_config"] = json!({"effort": effort});
        }
        assert_eq!(world.messages(&body).await.status(), 200, "{model}");
        assert_eq!(world.last_upstream()["reasoning"]["effort"].as_str(), sent, "{model} {effort:?}");
    }
}

/// What is written upstream stays within what the provider is known to take.
#[tokio::test]
async fn only_allowed_parameters_are_sent() {
    let world = World::start().await;
    for (name, trace) in fixtures() {
        assert_eq!(world.messages(&trace["body"]).await.status(), 200, "{name}");
        for kind in [codeferry_accounts::Kind::Codex, codeferry_accounts::Kind::Plan] {
            let allowed = &codeferry_upstream::Provider::of(kind).allowed;
            for key in world.last_upstream().as_object().unwrap().keys() {
                assert!(allowed.parameters.contains(&key.as_str()), "{name}: {key} is not allowed for {kind}");
            }
        }
    }
}
