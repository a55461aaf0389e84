//! Who comes in, by which path, and what they are told otherwise.

use codeferry_tests::World;
use codeferry_tests::world::{Refusal, asking};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

#[tokio::test]
async fn only_clients_with_a_key() {
    let world = World::start().await;
    let url = format!("{}/v1/messages", world.url());
    let ask = || world.http.post(&url).json(&asking("[[demo:text hi]]"));
    for request in [ask(), ask().bearer_auth("cf_wrong"), ask().header("x-api-key", "")] {
        let refusal = Refusal::of(request.send().await.unwrap()).await;
        assert_eq!(
            (refusal.status, refusal.kind.as_str(), refusal.should_retry.as_deref()),
            (401, "authentication_error", Some("false"))
        );
    }
    for request in [ask().bearer_auth(&world.key), ask().header("x-api-key", &world.key)] {
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    assert_eq!(world.demo.model_requests().len(), 2, "what is refused does not go upstream");
    assert_eq!(world.http.get(format!("{}/v1/models", world.url())).send().await.unwrap().status(), 401);
    world.gateway.keys().revoke("test").unwrap();
    assert_eq!(ask().bearer_auth(&world.key).send().await.unwrap().status(), 401, "a revoked key is refused at once");
}

#[tokio::test]
async fn only_under_our_own_name() {
    let world = World::start().await;
    for (header, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")] {
        let refusal =
            Refusal::of(world.post("/v1/messages").header(header, value).json(&asking("x")).send().await.unwrap())
                .await;
        assert_eq!((refusal.status, refusal.kind.as_str()), (403, "permission_error"), "{header}: {value}");
    }
    assert!(world.demo.model_requests().is_empty());
}

#[tokio::test]
async fn every_path_that_clients_use() {
    let world = World::start().await;
    for path in ["/v1/messages", "/v1/messages?beta=true", "/v1/v1/messages?beta=true"] {
        assert_eq!(world.post(path).json(&asking("[[demo:text hi]]")).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(world.http.head(format!("{}/", world.url())).send().await.unwrap().status(), 200);
    let health: Value = world.http.get(format!("{}/health", world.url())).send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
    let asked = world.post("/v1/nothing").header("anthropic-version", "2023-06-01").send().await.unwrap();
    let refusal = Refusal::of(asked).await;
    assert_eq!((refusal.status, refusal.kind.as_str()), (404, "not_found_error"));
    let other = world.post("/v1/embeddings").send().await.unwrap();
    assert_eq!(other.status(), 404);
    let other: Value = other.json().await.unwrap();
    assert_eq!(other["error"]["type"], "invalid_request_error", "{other}");
    assert_eq!(other["error"]["code"], "not_found", "{other}");
    let wrong = world.http.get(format!("{}/v1/messages", world.url())).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(Refusal::of(wrong).await.status, 405);
}

#[tokio::test]
async fn models_in_the_shape_of_whoever_asks() {
    let world = World::start().await;
    let get = |path: &str| world.http.get(format!("{}{path}", world.url())).bearer_auth(&world.key);
    let anthropic: Value = get("/v1/models?limit=1000")
        .header("anthropic-version", "2023-06-01")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let ids: Vec<_> =
        anthropic["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.iter().any(|id| id.starts_with("claude/gpt-")), "{ids:?}");
    assert_eq!((&anthropic["data"][0]["type"], &anthropic["has_more"]), (&json!("model"), &json!(false)));
    let first: Value =
        get("/v1/models?limit=1").header("anthropic-version", "2023-06-01").send().await.unwrap().json().await.unwrap();
    assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (1, &json!(true)));
    let openai: Value = get("/v1/models").send().await.unwrap().json().await.unwrap();
    assert_eq!(openai["object"], "list");
    assert!(openai["data"].as_array().unwrap().iter().all(|model| model["object"] == "model"));
    let one: Value = get("/v1/models/claude-opus-4-8")
        .header("anthropic-version", "2023-06-01")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(one["id"], "claude-opus-4-8");
    let one: Value = get(&format!("/v1/models/{}", ids[0])).send().await.unwrap().json().await.unwrap();
    assert_eq!(one["id"], ids[0].as_str());
    assert_eq!(get("/v1/models/llama").send().await.unwrap().status(), 404);
}

/// Not by a failure of the server's own, and in the shape of whoever asks.
#[tokio::test]
async fn questions_about_models_that_make_no_sense() {
    let world = World::start().await;
    for (path, status, code, param) in [
        ("/v1/models?limit=many", 400, "invalid_value", json!("limit")),
        ("/v1/models?limit=-1", 400, "invalid_value", json!("limit")),
        ("/v1/models/%FF", 404, "model_not_found", json!("model")),
        ("/v1/models/none", 404, "model_not_found", json!("model")),
        ("/v1/responses/%FF", 404, "not_found", Value::Null),
    ] {
        let response = world.http.get(format!("{}{path}", world.url())).bearer_auth(&world.key).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let error: Value = response.json().await.unwrap();
        assert_eq!((&error["error"]["code"], &error["error"]["param"]), (&json!(code), &param), "{path}: {error}");
        assert_eq!(error["error"]["type"], "invalid_request_error", "{path}");
    }
    let anthropic = world.http.get(format!("{}/v1/models?limit=many", world.url())).bearer_auth(&world.key);
    let refusal = Refusal::of(anthropic.header("anthropic-version", "2023-06-01").send().await.unwrap()).await;
    assert_eq!((refusal.status, refusal.kind.as_str()), (400, "invalid_request_error"));
}

#[tokio::test]
async fn slashes_that_are_too_many() {
    let world = World::start().await;
    for path in ["/v1/models/", "//v1/models", "//v1/models/?limit=1"] {
        let response = world.http.get(format!("{}{path}", world.url())).bearer_auth(&world.key).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    let said = world.post("//v1/messages/").json(&asking("[[demo:text hi]]")).send().await.unwrap();
    assert_eq!(said.status(), 200);
    let nobody = world.http.get(format!("{}//v1/models/", world.url())).send().await.unwrap();
    assert_eq!(nobody.status(), 401, "they open no door");
    let page = world.post("//v1/messages").header("origin", "https://evil.example").json(&asking("x"));
    assert_eq!(page.send().await.unwrap().status(), 403);
    let nothing = world.post("//v1/nothing/").send().await.unwrap();
    assert_eq!(nothing.status(), 404);
}

#[tokio::test]
async fn tokens_are_counted_without_going_upstream() {
    let world = World::start().await;
    let count = async |body: &Value| -> u64 {
        let answer = world.post("/v1/messages/count_tokens?beta=true").json(body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["input_tokens"].as_u64().expect("a number")
    };
    let small = count(&json!({"model": "m", "messages": [{"role": "user", "content": "foo"}]})).await;
    let large =
        count(&json!({"model": "m", "messages": [{"role": "user", "content": "今天天气很好".repeat(100)}]})).await;
    assert!(small < 30 && (300..700).contains(&large), "{small} {large}");
    assert!(world.demo.model_requests().is_empty());
}

#[tokio::test]
async fn bad_bodies_are_explained() {
    let world = World::start().await;
    let ask = async |body: Vec<u8>| {
        Refusal::of(
            world.post("/v1/messages").header("content-type", "application/json").body(body).send().await.unwrap(),
        )
        .await
    };
    let table: [(&[u8], &str); 5] = [
        (b"", "unexpected end of JSON at byte 0"),
        (b"{\"model\": nope}", "at byte 10"),
        (b"{\"model\":\"\xff\"}", "invalid UTF-8 at byte 10"),
        (b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":7}]}", "messages.0.content: expected"),
        (
            b"{\"model\":\"llama\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
            "model: llama",
        ),
    ];
    for (body, part) in table {
        let refusal = ask(body.to_vec()).await;
        let expected = if part == "model: llama" { 404 } else { 400 };
        assert_eq!(refusal.status, expected, "{refusal:?}");
        assert!(refusal.message.contains(part), "{refusal:?}");
    }
    let deep = format!("{{\"model\":\"m\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(ask(deep.into_bytes()).await.message.contains("nested too deeply"));
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused() {
    let setup = codeferry_tests::Setup { settings: vec![("body_limit_mib", "1".to_owned())], ..Default::default() };
    let world = World::with(setup).await;
    let refusal = world.refused(&"x".repeat(1_100_000)).await;
    assert_eq!((refusal.status, refusal.kind.as_str()), (413, "request_too_large"));
}

/// Who says the wrong key, or too much, is told so when all was said, and goes on over the same connection.
#[tokio::test]
async fn a_refusal_costs_no_connection() {
    let setup = codeferry_tests::Setup { settings: vec![("body_limit_mib", "1".to_owned())], ..Default::default() };
    let world = World::with(setup).await;
    let address = world.url().strip_prefix("http://").unwrap();
    let post = |key: &str, more: &str| {
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n{more}\r\n\r\n"
        )
    };
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    let long = vec![b' '; 8 << 20];
    for (key, status) in [("cf_wrong", "401"), (world.key.as_str(), "413")] {
        stream.write_all(post(key, &format!("content-length: {}", long.len())).as_bytes()).await.unwrap();
        stream.write_all(&long).await.unwrap();
        assert_eq!(status_and_head(&mut stream).await.0, status);
    }
    stream.write_all(format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(status_and_head(&mut stream).await.0, "200");

    // Who asks first need not say it at all, and what has no end is not listened to.
    for more in ["expect: 100-continue\r\ncontent-length: 9000", "content-length: 1000000000000"] {
        let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        stream.write_all(post("cf_wrong", more).as_bytes()).await.unwrap();
        let (status, head) = status_and_head(&mut stream).await;
        assert_eq!(status, "401", "{head}");
        assert!(head.contains("connection: close\r\n"), "{head}");
    }
}

/// The status of the next answer, and its head. Its body is read as well.
async fn status_and_head(stream: &mut BufReader<TcpStream>) -> (String, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.unwrap(), 0, "the connection ended: {head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    stream.read_exact(&mut vec![0; length.parse().unwrap()]).await.unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), head)
}

#[tokio::test]
async fn the_control_plane_has_its_own_token() {
    let world = World::start().await;
    let url = format!("{}/api/status", world.url());
    assert_eq!(world.http.get(&url).bearer_auth(&world.key).send().await.unwrap().status(), 401);
    let paths = codeferry_app::Paths::at(world.home.path());
    let token = codeferry_app::control_token(&paths).unwrap().expose();
    world.say("[[demo:text hi]]").await;
    let status: Value = world.http.get(&url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(status["exchanges"]["completed"], 1);
    assert!(status["last_pick"]["why"].as_str().is_some_and(|why| why.ends_with(": active")), "{status}");
    assert_eq!(status["accounts"].as_array().unwrap().len(), 1);
    let refused = world
        .http
        .post(format!("{}/v1/messages", world.url()))
        .bearer_auth(&token)
        .json(&asking("x"))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401, "the control token is no client key");
}
