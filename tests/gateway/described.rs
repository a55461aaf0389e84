//! What is answered is what `docs/openapi.json` says: status, members, kinds, and nothing besides.

use codeferry_tests::described::{Described, read};
use codeferry_tests::live::{Live, LiveEvent};
use codeferry_tests::world::asking;
use codeferry_tests::{World, events};
use reqwest::Method;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

/// Asks the control plane for a path as the document writes it, with this in its braces.
async fn ask(
    world: &World,
    described: &Described,
    method: Method,
    path: &str,
    inside: &str,
    body: &Value,
) -> (u16, Value) {
    let filled = match path.split_once('{') {
        Some((before, after)) => {
            format!("{before}{inside}{}", after.split_once('}').expect("it is closed").1)
        }
        None => path.to_owned(),
    };
    let mut request = world.control(method.clone(), filled.trim_start_matches("/api"));
    if !body.is_null() {
        request = request.json(body);
    }
    let (status, text) = read(request.send().await.expect("an answer")).await;
    (status, described.told(&method, path, status, &text))
}

#[tokio::test]
async fn the_document_is_served_to_those_who_may() {
    let (world, described) = (World::start().await, Described::read());
    let answer = world.control(Method::GET, "/openapi.json").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.json::<Value>().await.unwrap(), *described.document());
    let stranger = world.http.get(format!("{}/api/openapi.json", world.url())).bearer_auth(&world.key);
    let (status, text) = read(stranger.send().await.unwrap()).await;
    assert_eq!(status, 401);
    described.told(&Method::GET, "/api/openapi.json", status, &text);
}

#[tokio::test]
async fn the_control_plane_answers_as_is_said() {
    let (world, described) = (World::start().await, Described::read());
    world.say("[[demo:text hello]]").await;
    let get = async |path: &str, inside: &str| {
        let (status, body) = ask(&world, &described, Method::GET, path, inside, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    };
    let exchanges = loop {
        let page = get("/api/exchanges", "").await;
        if page["exchanges"].as_array().is_some_and(|rows| !rows.is_empty()) {
            break page;
        }
        tokio::task::yield_now().await;
    };
    let row = &exchanges["exchanges"][0];
    get("/api/exchanges/{id}", row["id"].as_str().unwrap()).await;
    let account = get("/api/accounts", "").await["accounts"][0]["id"].as_str().unwrap().to_owned();
    if let Some(conversation) = row["conversation"].as_str() {
        get("/api/conversations/{name}", conversation).await;
    }
    for path in ["/api/status", "/api/doctor", "/api/logs", "/api/quota", "/api/conversations", "/api/usage"] {
        get(path, "").await;
    }
    for path in ["/api/prices", "/api/settings", "/api/capture", "/api/keys", "/api/clients", "/api/intent"] {
        get(path, "").await;
    }
    for path in ["/api/models", "/api/routes", "/healthz", "/livez", "/readyz", "/health"] {
        if path.starts_with("/api") {
            get(path, "").await;
        } else {
            let (status, text) = read(world.http.get(format!("{}{path}", world.url())).send().await.unwrap()).await;
            described.told(&Method::GET, path, status, &text);
        }
    }
    get("/api/accounts/{account}/quota", &account).await;
    get("/api/accounts/{account}/reset-credits", &account).await;
    get("/api/settings/{key}", "body_limit_mib").await;
    get("/api/clients/{client}/plan", "codex").await;
    get("/api/clients/{client}/backups", "codex").await;
    for (path, inside, body, expected) in [
        ("/api/keys", "", json!({"name": "another"}), 201),
        ("/api/keys", "", json!({"name": "another"}), 409),
        ("/api/keys", "", json!({"name": "another", "more": 1}), 400),
        ("/api/reload", "", Value::Null, 200),
        ("/api/session/link", "", Value::Null, 200),
        ("/api/routes/try", "", json!({"model": "opus"}), 200),
        ("/api/accounts/{account}/verify", account.as_str(), Value::Null, 200),
        ("/api/accounts/{account}/verify", "nobody", Value::Null, 404),
        ("/api/clients/{client}/verify", "codex", json!({}), 200),
        ("/api/capture", "", json!({"minutes": 1}), 200),
    ] {
        let (status, body) = ask(&world, &described, Method::POST, path, inside, &body).await;
        assert_eq!(status, expected, "{path}: {body}");
    }
}

#[tokio::test]
async fn changes_and_refusals_are_answered_as_is_said() {
    let (world, described) = (World::start().await, Described::read());
    let nothing = Value::Null;
    for (method, path, inside, body) in [
        (Method::PATCH, "/api/settings", "", json!({"body_limit_mib": 32})),
        (Method::PATCH, "/api/settings", "", json!({"body_limit_mib": "many"})),
        (Method::PUT, "/api/settings/{key}", "body_limit_mib", json!({"value": 16})),
        (Method::GET, "/api/settings/{key}", "nothing", nothing.clone()),
        (Method::GET, "/api/exchanges/{id}", "nothing", nothing.clone()),
        (Method::GET, "/api/conversations/{name}", "nothing", nothing.clone()),
        (Method::DELETE, "/api/keys/{name}", "nothing", nothing.clone()),
        (Method::DELETE, "/api/accounts/{account}", "nothing", nothing.clone()),
        (Method::PUT, "/api/routes/{role}", "nothing", json!({"model": "gpt-5.5"})),
        (Method::DELETE, "/api/aliases/{name}", "nothing", nothing.clone()),
        (Method::GET, "/api/capture/{id}", "nothing", nothing.clone()),
        (Method::GET, "/api/clients/{client}/plan", "nothing", nothing.clone()),
        (Method::GET, "/api/accounts/sign-in/{id}", "nothing", nothing.clone()),
        (Method::POST, "/api/playground", "", json!({"dialect": "latin", "request": {}})),
        (Method::POST, "/api/accounts", "", json!({"kind": "strange"})),
    ] {
        let (status, _) = ask(&world, &described, method.clone(), path, inside, &body).await;
        let changes = body == json!({"body_limit_mib": 32}) || body == json!({"value": 16});
        assert_eq!(status == 200, changes, "{method} {path} {body}: {status}");
    }
}

#[tokio::test]
async fn events_are_told_as_is_said() {
    let (world, described) = (World::start().await, Described::read());
    let mut live = Live::open(world.control(Method::GET, "/events")).await;
    let told = |event: &LiveEvent| {
        let broken = described.event(&Method::GET, "/api/events", &event.name, &event.data);
        assert!(broken.is_empty(), "{}\n{:#}", broken.join("\n"), event.data);
        event.name.clone()
    };
    // Who has been told how everything stands misses nothing of what comes.
    let mut seen = vec![told(&live.next().await.expect("how everything stands"))];
    world.say("[[demo:500]][[demo:text hello]]").await;
    ask(&world, &described, Method::PATCH, "/api/settings", "", &json!({"body_limit_mib": 32})).await;
    while !(seen.contains(&"exchange.done".to_owned()) && seen.contains(&"settings".to_owned())) {
        seen.push(told(&live.next().await.expect("there is more")));
    }
    for name in ["reset", "exchange.started", "exchange.attempt", "exchange.first_token"] {
        assert!(seen.contains(&name.to_owned()), "{name}: {seen:?}");
    }
}

#[tokio::test]
async fn clients_of_models_are_answered_as_is_said() {
    let (world, described) = (World::start().await, Described::read());
    let chat = |text: &str| json!({"model": "codex-5", "messages": [{"role": "user", "content": text}]});
    let responses = |text: &str| json!({"model": "gpt-6.1-sol", "input": text});
    let gemini = |text: &str| json!({"contents": [{"parts": [{"text": text}]}]});
    let text = "[[demo:text hello]]";
    for (path, body) in [
        ("/v1/messages", asking(text)),
        ("/v1/messages", json!({"model": "nothing-at-all", "messages": []})),
        ("/v1/messages", json!({"model": 1})),
        ("/v1/messages/count_tokens", asking(text)),
        (CHAT, chat(text)),
        (CHAT, json!({"model": "codex-5", "messages": null})),
        (CHAT, json!({"model": "nothing-at-all", "messages": [{"role": "user", "content": "hello"}]})),
        ("/v1/completions", json!({"model": "codex-5", "prompt": text})),
        ("/v1/responses", responses(text)),
        ("/v1/responses", json!({"model": "gpt-6.1-sol", "input": text, "previous_response_id": "resp_1"})),
    ] {
        let (status, text) = read(world.post(path).json(&body).send().await.unwrap()).await;
        described.told(&Method::POST, path, status, &text);
    }
    for body in [gemini(text), json!({"contents": 7})] {
        let path = "/v1beta/models/gemini-3-pro:generateContent";
        let (status, text) = read(world.post(path).json(&body).send().await.unwrap()).await;
        described.told(&Method::POST, "/v1beta/models/{id}", status, &text);
    }
    for (path, header) in [
        ("/v1beta/models", "x-nothing"),
        ("/v1/models", "x-nothing"),
        ("/v1/models", "anthropic-version"),
        ("/v1/usage", "x-nothing"),
        ("/v1/usage/raw", "x-nothing"),
        ("/backend-api/wham/usage", "x-nothing"),
        ("/backend-api/wham/accounts/check", "x-nothing"),
    ] {
        let request = world.http.get(format!("{}{path}", world.url())).header(header, "2023-06-01");
        let (status, text) = read(request.try_clone().unwrap().bearer_auth(&world.key).send().await.unwrap()).await;
        assert_eq!(status, 200, "{path}: {text}");
        described.told(&Method::GET, path, status, &text);
        let (status, text) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 401, "{path}: {text}");
        described.told(&Method::GET, path, status, &text);
    }
}

#[tokio::test]
async fn streams_are_told_as_is_said() {
    let (world, described) = (World::start().await, Described::read());
    let text = "[[demo:text hello]]";
    let mut whole = Vec::new();
    for event in world.say(text).await {
        whole.extend(described.event(&Method::POST, "/v1/messages", &event.name, &event.data));
    }
    let body = json!({"model": "gpt-6.1-sol", "input": text, "stream": true});
    let answer = world.post("/v1/responses").json(&body).send().await.unwrap().text().await.unwrap();
    for event in events(&answer) {
        whole.extend(described.event(&Method::POST, "/v1/responses", &event.name, &event.data));
    }
    let (chat, prompt) = (json!([{"role": "user", "content": text}]), json!(text));
    for (path, name, said) in [(CHAT, "messages", chat), ("/v1/completions", "prompt", prompt)] {
        let mut body = json!({"model": "codex-5", "stream": true, "stream_options": {"include_usage": true}});
        body[name] = said;
        let answer = world.post(path).json(&body).send().await.unwrap().text().await.unwrap();
        let data = answer.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
        let chunks: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
        assert!(chunks.len() > 2, "{answer}");
        for chunk in chunks {
            whole.extend(described.event(&Method::POST, path, "", &chunk));
        }
    }
    assert!(whole.is_empty(), "{}", whole.join("\n"));
}
