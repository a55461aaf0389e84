//! Who may come in, what is there, and that a key in an address goes nowhere.

use std::io::Read as _;

use codeferry_tests::World;
use reqwest::Method;
use serde_json::{Value, json};

use super::{STREAM, WHOLE, asking};

#[tokio::test]
async fn a_key_may_come_in_each_of_the_ways() {
    let world = World::start().await;
    let url = |path: &str| format!("{}{path}", world.url());
    let ask = |path: &str| world.http.post(url(path)).json(&asking("[[demo:text ok]]"));
    let joined = if WHOLE.contains('?') { '&' } else { '?' };
    for (request, status) in [
        (ask(WHOLE).header("x-goog-api-key", &world.key), 200),
        (ask(&format!("{WHOLE}{joined}key={}", world.key)), 200),
        (ask(&format!("{STREAM}&key={}", world.key)), 200),
        (ask(WHOLE).bearer_auth(&world.key), 200),
        (ask("/v1/models/gemini-3-pro:generateContent").header("x-goog-api-key", &world.key), 200),
        (ask(WHOLE).header("x-goog-api-key", "cfk_wrong"), 401),
        (ask(&format!("{WHOLE}?key=cfk_wrong")), 401),
        (ask(WHOLE), 401),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        if status == 401 {
            let error: Value = response.json().await.unwrap();
            assert_eq!((&error["error"]["status"], &error["error"]["code"]), (&json!("UNAUTHENTICATED"), &json!(401)));
            assert_eq!(error["error"]["details"][0]["reason"], "INVALID_API_KEY", "{error}");
        }
    }
}

#[tokio::test]
async fn a_key_in_an_address_is_written_down_nowhere() {
    let world = World::start().await;
    world.ask(Method::POST, "/capture", json!({"minutes": 10})).await;
    let url = format!("{}{STREAM}&key={}", world.url(), world.key);
    let response = world.http.post(url).json(&asking("[[demo:text ok]]")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap();
    let folder = world.home.path().join("captures");
    let capture = async || {
        for _ in 0..200 {
            let shown = world.ask(Method::GET, "/capture", json!({})).await;
            if shown["captures"].as_array().is_some_and(|list| !list.is_empty()) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        let mut text = String::new();
        zstd::Decoder::new(std::fs::File::open(file).unwrap()).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let capture = capture().await;
    assert!(capture.contains("streamGenerateContent?alt=sse "), "{capture}");
    assert!(!capture.contains(&world.key), "{capture}");
    let logged = world.ask(Method::GET, "/logs", json!({})).await.to_string();
    assert!(!logged.contains(&world.key), "{logged}");
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_same_shape() {
    let world = World::start().await;
    for (path, status) in [
        ("/v1beta/models/gemini-3-pro:embedContent", 404),
        ("/v1beta/models/llama-9:generateContent", 404),
        ("/v1beta/files", 404),
        ("/v1beta/models", 405),
    ] {
        let response = world.post(path).json(&asking("x")).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["code"], status, "{path}: {error}");
    }
}

#[tokio::test]
async fn models_are_listed_and_tokens_counted() {
    let world = World::start().await;
    let get = async |path: &str| {
        let request = world.http.get(format!("{}{path}", world.url())).header("x-goog-api-key", &world.key);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let names = async |path: &str| {
        let page = get(path).await;
        let names: Vec<_> = page["models"].as_array().unwrap().iter().map(|model| model["name"].clone()).collect();
        (names, page["nextPageToken"].as_str().map(str::to_owned))
    };
    let (mut all, _) = names("/v1beta/models").await;
    assert!(all.contains(&json!("models/gpt-6.1-sol")), "{all:?}");
    loop {
        let (mut paged, mut next) = names("/v1beta/models?pageSize=2").await;
        while let Some(token) = next {
            let (page, behind) = names(&format!("/v1beta/models?pageSize=2&pageToken={token}")).await;
            paged.extend(page);
            next = behind;
        }
        // The account's own list takes the place of the built-in one at some moment, and pages of two lists are none.
        let (now, _) = names("/v1beta/models").await;
        if std::mem::replace(&mut all, now) == all {
            assert_eq!(paged, all);
            break;
        }
    }
    assert!(get("/v1/models").await["models"].is_array(), "newer SDKs ask here");
    let one = get("/v1/models/gemini-3-pro").await;
    assert_eq!(get("/v1beta/models/gemini-3-pro").await, one);
    assert_eq!(one["name"], "models/gemini-3-pro");
    assert_eq!(get("/v1beta/models/llama-9").await["error"]["status"], "NOT_FOUND");
    let path = "/v1beta/models/gemini-3-pro:countTokens";
    for body in [asking("hello world"), json!({"generateContentRequest": asking("hello world")})] {
        let counted: Value = world.post(path).json(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(counted, json!({"totalTokens": 14}));
    }
    let bad: Value = world.post(path).json(&json!({})).send().await.unwrap().json().await.unwrap();
    assert_eq!(bad["error"]["status"], "INVALID_ARGUMENT");
    assert!(world.demo.model_requests().is_empty(), "nothing goes upstream");
}
