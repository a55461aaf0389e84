//! Settings, client keys, models and routes over the control plane; and what it says to those who ask badly.

use codeferry_tests::World;
use codeferry_tests::world::asking;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn settings_are_listed_changed_and_brought_back() {
    let world = World::start().await;
    let list = world.ask(Method::GET, "/settings", json!({})).await;
    let keys: Vec<_> = list["settings"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"route.opus") && keys.contains(&"body_limit_mib"), "{keys:?}");
    assert!(
        list["settings"].as_array().unwrap().iter().all(|one| one["doc"].is_string() && one["allowed"].is_string())
    );

    let put = world.ask(Method::PUT, "/settings/body_limit_mib", json!({"value": 1})).await;
    assert_eq!((&put["value"], &put["set"], &put["default"]), (&json!(1), &json!(true), &json!(64)));
    assert_eq!(world.refused(&"x".repeat(1_100_000)).await.status, 413, "it counts at once");
    world.ask(Method::DELETE, "/settings/body_limit_mib", json!({})).await;
    let one = world.ask(Method::GET, "/settings/body_limit_mib", json!({})).await;
    assert_eq!((&one["value"], &one["set"]), (&json!(64), &json!(false)));

    let changes =
        json!({"grace_seconds": 3, "allowed_hosts": ["box.lan"], "alias.mine": "gpt-6-luna:low", "port": null});
    let list = world.ask(Method::PATCH, "/settings", changes).await;
    let find = |key: &str| list["settings"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone();
    assert_eq!(find("grace_seconds")["value"], 3);
    assert_eq!(find("alias.mine")["value"], "gpt-6-luna:low");
    assert_eq!(find("allowed_hosts")["value"], json!(["box.lan"]));
}

#[tokio::test]
async fn of_several_settings_all_change_or_none() {
    let world = World::start().await;
    let file = world.home.path().join("settings.json");
    for (changes, code, word) in [
        (json!({"grace_seconds": 3, "prot": 1}), "unknown_setting", "did you mean port?"),
        (json!({"grace_seconds": 3, "port": 70_000}), "bad_setting", "port must be"),
        (json!({"grace_seconds": 3, "port": "8081"}), "bad_setting", "port must be"),
        (json!({"grace_seconds": 3, "port": {"a": 1}}), "bad_setting", "port must be"),
        (json!({"grace_seconds": 3, "port": -1.5}), "bad_setting", "port must be"),
        (json!({"grace_seconds": 3, "route.opus": "gpt-6:extreme"}), "bad_setting", "route.opus must be"),
        (json!(["grace_seconds"]), "bad_request", "expected a map"),
    ] {
        let (status, refused) = world.ask_refused(Method::PATCH, "/settings", changes.clone()).await;
        assert!(matches!(status, 400 | 404), "{changes}: {status}");
        assert_eq!(refused["code"], code, "{changes}");
        assert!(refused["message"].as_str().unwrap().contains(word), "{refused}");
        assert!(!file.exists(), "{changes}: nothing is written");
    }
    assert_eq!(world.gateway.settings().snapshot().grace_seconds, 10);
    for (method, path, body, status, code) in [
        (Method::GET, "/settings/prot", json!({}), 404, "unknown_setting"),
        (Method::PUT, "/settings/prot", json!({"value": 1}), 404, "unknown_setting"),
        (Method::PUT, "/settings/port", json!({"value": null}), 400, "bad_setting"),
        (Method::PUT, "/settings/port", json!({}), 400, "bad_request"),
        (Method::PUT, "/settings/port", json!({"value": 1, "force": true}), 400, "bad_request"),
        (Method::DELETE, "/settings/prot", json!({}), 404, "unknown_setting"),
    ] {
        let (got, refused) = world.ask_refused(method.clone(), path, body).await;
        assert_eq!((got, refused["code"].as_str().unwrap()), (status, code), "{method} {path}: {refused}");
    }
}

/// A file that somebody broke by hand is not written over.
#[tokio::test]
async fn a_damaged_settings_file_is_left_alone() {
    let world = World::start().await;
    let file = world.home.path().join("settings.json");
    std::fs::write(&file, "{\"port\": 80").unwrap();
    let (status, refused) = world.ask_refused(Method::PATCH, "/settings", json!({"grace_seconds": 3})).await;
    assert_eq!((status, refused["code"].as_str().unwrap()), (500, "settings_failed"));
    assert!(refused["message"].as_str().unwrap().contains("damaged at line 1"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"port\": 80");
}

#[tokio::test]
async fn a_key_is_shown_once_and_revoked_at_once() {
    let world = World::start().await;
    let created = world.control(Method::POST, "/keys").json(&json!({"name": "laptop"})).send().await.unwrap();
    assert_eq!((created.status().as_u16(), created.headers()["cache-control"].to_str().unwrap()), (201, "no-store"));
    let created: Value = created.json().await.unwrap();
    let key = created["key"].as_str().unwrap().to_owned();
    let say = async || {
        let request = world.http.post(format!("{}/v1/messages", world.url())).bearer_auth(&key);
        request.json(&asking("[[demo:text hi]]")).send().await.unwrap().status().as_u16()
    };
    assert_eq!(say().await, 200);
    let list = world.control(Method::GET, "/keys").send().await.unwrap().text().await.unwrap();
    assert!(list.contains("laptop") && !list.contains(&key), "{list}");
    for (method, path, body, status, code) in [
        (Method::POST, "/keys", json!({"name": "laptop"}), 409, "name_taken"),
        (Method::POST, "/keys", json!({"name": "../x"}), 400, "bad_name"),
        (Method::POST, "/keys", json!({"nome": "x"}), 400, "bad_request"),
        (Method::DELETE, "/keys/nobody", json!({}), 404, "unknown_key"),
    ] {
        let (got, refused) = world.ask_refused(method.clone(), path, body).await;
        assert_eq!((got, refused["code"].as_str().unwrap()), (status, code), "{method} {path}: {refused}");
    }
    world.ask(Method::DELETE, "/keys/laptop", json!({})).await;
    assert_eq!(say().await, 401);
}

#[tokio::test]
async fn models_say_what_they_take() {
    let world = World::start().await;
    world.say("[[demo:text hi]]").await;
    // The catalogue is fetched in the background.
    let models = loop {
        let models = world.ask(Method::GET, "/models", json!({})).await;
        if models["builtin"] == false {
            break models["models"].as_array().unwrap().clone();
        }
        tokio::task::yield_now().await;
    };
    let model = models.iter().find(|model| model["visible"] == true).unwrap();
    assert_eq!(model["providers"], json!(["codex"]), "{model}");
    assert!(model["context_window"].as_u64().unwrap() > 100_000, "{model}");
    assert!(model["efforts"].as_array().unwrap().contains(&json!("high")), "{model}");
}

#[tokio::test]
async fn routes_are_set_tried_and_followed() {
    let world = World::start().await;
    let ask = async |name: &str| world.ask(Method::POST, "/routes/try", json!({"model": name})).await;
    let because = |tried: &Value, why: &str| assert!(tried["reason"].as_str().unwrap().starts_with(why), "{tried}");
    because(&ask("claude-opus-4-8").await, "route.opus; the model's own effort is");
    world.ask(Method::PUT, "/routes/opus", json!({"model": "gpt-6-luna", "effort": "high"})).await;
    let tried = ask("claude-opus-4-8").await;
    assert_eq!((&tried["model"], &tried["effort"]), (&json!("gpt-6-luna"), &json!("high")), "{tried}");
    world.say("[[demo:text hi]]").await;
    assert_eq!(world.last_upstream()["model"], "gpt-6-luna", "as it was said");
    assert_eq!(world.last_upstream()["reasoning"]["effort"], "high");

    world.ask(Method::PUT, "/aliases/team%2Ffast", json!({"model": "gpt-6-luna", "effort": null})).await;
    let table = world.ask(Method::GET, "/routes", json!({})).await;
    let opus = table["roles"].as_array().unwrap().iter().find(|role| role["role"] == "opus").unwrap();
    assert_eq!(
        (&opus["model"], &opus["effort"], &opus["set"], &opus["listed"], &opus["default"]),
        (&json!("gpt-6-luna"), &json!("high"), &json!(true), &json!(true), &json!("gpt-6.1-sol"))
    );
    assert_eq!(table["aliases"], json!([{"name": "team/fast", "model": "gpt-6-luna", "effort": null, "listed": true}]));
    because(&ask("team/fast").await, "alias team/fast; the model's own effort is");
    let tried = world.ask(Method::POST, "/routes/try", json!({"model": "team/fast", "effort": "ultra"})).await;
    assert!(tried["reason"].as_str().unwrap().contains("nearest on offer"), "{tried}");

    world.ask(Method::DELETE, "/routes/opus", json!({})).await;
    world.ask(Method::DELETE, "/aliases/team%2Ffast", json!({})).await;
    for (method, path, body, status, code) in [
        (Method::POST, "/routes/try", json!({"model": "llama"}), 404, "unknown_model"),
        (Method::POST, "/routes/try", json!({"model": "opus", "effort": "huge"}), 400, "bad_effort"),
        (Method::PUT, "/routes/opus", json!({"model": "gpt-6-luna", "effort": "huge"}), 400, "bad_setting"),
        (Method::PUT, "/routes/opus", json!({"model": ""}), 400, "bad_setting"),
        (Method::PUT, "/routes/emperor", json!({"model": "gpt-6-luna"}), 404, "unknown_role"),
        (Method::DELETE, "/routes/emperor", json!({}), 404, "unknown_role"),
        (Method::PUT, "/aliases/two%20words", json!({"model": "gpt-6-luna"}), 400, "bad_alias"),
        (Method::DELETE, "/aliases/team%2Ffast", json!({}), 404, "unknown_alias"),
        (Method::PUT, "/routes/try", json!({"model": "gpt-6-luna"}), 405, "method_not_allowed"),
    ] {
        let (got, refused) = world.ask_refused(method.clone(), path, body).await;
        assert_eq!((got, refused["code"].as_str().unwrap()), (status, code), "{method} {path}: {refused}");
    }
}

#[tokio::test]
async fn quota_of_all_accounts_at_once() {
    let world = World::start().await;
    world.add(codeferry_demo::AccountKind::Plan, "home").await;
    let all = world.ask(Method::GET, "/quota", json!({})).await;
    let accounts = all["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 2);
    assert!(accounts[0]["quota"]["windows"].as_array().is_some_and(|windows| !windows.is_empty()), "{all}");
    assert!(accounts[1]["notice"].as_str().unwrap().contains("usage"), "{all}");
}

/// Whatever is sent, and wherever it goes wrong: one shape.
#[tokio::test]
async fn bad_input_is_refused_in_one_shape() {
    let world = World::start().await;
    let send = async |path: &str, kind: Option<&str>, body: Vec<u8>| {
        let mut request = world.control(Method::POST, path).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")), "no CORS, ever");
        let refused: Value = response.json().await.unwrap();
        assert!(refused["code"].is_string() && refused["message"].is_string(), "{refused}");
        (status, refused)
    };
    let json = Some("application/json");
    for (path, kind, body, status, code, word) in [
        ("/keys", json, b"{\"name\": nope}".to_vec(), 400, "bad_json", "line 1 column 11"),
        ("/keys", json, b"".to_vec(), 400, "bad_json", "EOF"),
        ("/keys", json, b"{\"name\":\"\xff\"}".to_vec(), 400, "bad_json", "unicode"),
        ("/keys", json, b"{\"name\":\"a\"} {}".to_vec(), 400, "bad_json", "trailing"),
        ("/keys", json, b"{}".to_vec(), 400, "bad_request", "missing field `name`"),
        ("/keys", json, b"{\"name\":\"a\",\"admin\":true}".to_vec(), 400, "bad_request", "unknown field `admin`"),
        ("/keys", json, b"{\"name\":7}".to_vec(), 400, "bad_request", "expected a string at line 1"),
        ("/keys", Some("text/plain"), b"{\"name\":\"a\"}".to_vec(), 415, "json_needed", "JSON"),
        ("/keys", Some("application/x-www-form-urlencoded"), b"name=a".to_vec(), 415, "json_needed", "JSON"),
        ("/keys", None, b"{\"name\":\"a\"}".to_vec(), 415, "json_needed", "JSON"),
        ("/keys", json, vec![b' '; 1_100_000], 413, "too_large", "1024 KiB"),
        ("/nothing", json, b"{}".to_vec(), 404, "not_found", "nothing"),
        ("/status", json, b"{}".to_vec(), 405, "method_not_allowed", "method"),
        // Not even text once it is decoded.
        ("/accounts/%ff/pause", json, b"{}".to_vec(), 400, "bad_request", "UTF-8"),
    ] {
        let (got, refused) = send(path, kind, body).await;
        assert_eq!((got, refused["code"].as_str().unwrap()), (status, code), "{path}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains(word), "{word}: {refused}");
    }
    assert_eq!(world.gateway.keys().list().unwrap().len(), 1, "no key was made");

    // What the guard refuses has the shape of where it was meant to go.
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let response = world.control(Method::GET, "/status").header(name, value).send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!((status, response.json::<Value>().await.unwrap()["code"].as_str()), (403, Some("foreign_request")));
    }
    let preflight = world.control(Method::OPTIONS, "/status").header("access-control-request-method", "GET");
    let preflight = preflight.send().await.unwrap();
    assert_eq!(preflight.status(), 405);
    assert!(!preflight.headers().keys().any(|name| name.as_str().starts_with("access-control")));
}
