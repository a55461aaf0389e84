//! The paths of codex-proxy, codaze and codex-completions-api: each documented call is replayed, and judged by status and
//! shape. Shapes name the kinds of JSON that may stand in a place, so that a script written for them goes on working.

use std::collections::BTreeSet;

use codeferry_demo::{AccountKind, ChatFlavour, ChatServer};
use codeferry_tests::{Setup, World};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// One call: method, path, body, the status it is answered with, the shape of the answer.
type Call = (&'static str, &'static str, Value, u16, Value);

async fn world(settings: &[(&'static str, &str)]) -> World {
    let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    world.add(AccountKind::Codex, "home").await;
    world
}

fn token(world: &World) -> String {
    codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap().expose()
}

fn request(world: &World, method: &str, path: &str, body: &Value) -> RequestBuilder {
    let method: Method = method.parse().unwrap();
    let request = world.http.request(method, format!("{}{path}", world.url()));
    if body.is_null() { request } else { request.json(body) }
}

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect(&text) };
    (status, body)
}

/// Where a value is not of a shape. `"number|null"` is one of these, `"=x"` this very text, `["+", shape]` at least one
/// of it, `[shape]` perhaps none. Objects may hold more than is named.
fn misfits(place: &str, value: &Value, shape: &Value) -> Vec<String> {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let wrong = || vec![format!("{place} is {value}, not {shape}")];
    match (shape, value) {
        (Value::String(words), _) => match words.strip_prefix('=') {
            Some(exact) if value != exact => wrong(),
            None if !words.split('|').any(|word| word == kind) => wrong(),
            _ => Vec::new(),
        },
        (Value::Object(shape), Value::Object(fields)) => shape
            .iter()
            .flat_map(|(name, shape)| match fields.get(name) {
                Some(value) => misfits(&format!("{place}.{name}"), value, shape),
                None => vec![format!("{place}.{name} is missing")],
            })
            .collect(),
        (Value::Array(shape), Value::Array(items)) => {
            let some = shape.first().is_some_and(|first| first == "+");
            if some && items.is_empty() {
                return wrong();
            }
            let Some(each) = shape.last() else { return if items.is_empty() { Vec::new() } else { wrong() } };
            items.iter().enumerate().flat_map(|(at, item)| misfits(&format!("{place}[{at}]"), item, each)).collect()
        }
        (shape, value) if shape == value => Vec::new(),
        _ => wrong(),
    }
}

fn calls() -> Vec<Call> {
    let none = Value::Null;
    let usage = json!({
        "totalTokenUsage": "number", "limit": 100, "remaining": "number", "percentage": "number",
        "resetAt": "string|null", "resetAfterSeconds": "number|null", "limitWindowSeconds": "number",
        "planType": "string|null", "limitReached": "bool", "allowed": "bool",
    });
    let quota = json!({"usage": usage, "account": "object|null", "fetchedAt": "string", "lastChecked": "string"});
    let short = json!({
        "email": "string", "planType": "string", "isActive": "bool", "tokenExpired": "bool",
        "lastUsed": "string|null", "quota": "object|null",
    });
    let summary = json!({"total": 2, "active": "=work@demo.test", "accounts": ["+", short]});
    let done = json!({"success": true, "message": "string"});
    let failed = json!({"success": false, "error": "string"});
    let refreshed = json!({"email": "string", "success": true, "message": "string"});
    let view = json!({
        "id": "string", "label": "string|null", "email": "string|null", "routing_state": "string",
        "blocked_reason": "string|null", "blocked_source": "string|null", "blocked_until": "string|null",
        "account_id": "string|null", "plan_type": "string|null", "refresh_in_flight": "bool",
        "in_flight_requests": "number", "access_token_expires_at": "string|null", "last_refresh_at": "string|null",
        "last_selected_at": "string|null", "last_success_at": "string|null", "last_error_at": "string|null",
        "last_error": "string|null",
    });
    let wrapped = json!({"error": {"message": "string"}});
    let mappings = json!({
        "success": true, "aliases": ["+", "string"], "models": ["+", {"id": "string", "name": "string"}],
        "reasoningLevels": ["+", {"id": "string", "name": "string"}],
        "defaults": {"opus": "string", "sonnet": "string", "haiku": "string"},
        "reasoningDefaults": {"opus": "string", "sonnet": "string", "haiku": "string"},
        "modelMappings": {"opus": "string", "sonnet": "string", "haiku": "string"},
        "reasoningMappings": {"opus": "string", "sonnet": "string", "haiku": "string"},
    });
    let mapped = json!({
        "success": true, "modelMappings": {"opus": "=gpt-6-luna"}, "reasoningMappings": {"opus": "=high"},
    });
    let strategy = |name: &str, on: bool| json!({"success": true, "accountStrategy": name, "rotationEnabled": on});
    let kilo = json!({"success": true, "haikuKiloModel": "=minimax/minimax-m2.5:free", "kiloEnabled": false});
    let policy = |name: &str| json!({"routing_policy": name});
    let cached = |cached: &str| json!({"success": true, "email": "string", "quota": quota, "cached": cached});
    let level = json!({"effort": "string"});
    let model = json!({
        "id": "string", "name": "string", "description": "string|null", "defaultReasoningLevel": "string|null",
        "supportedReasoningLevels": [level], "supportedInApi": "bool", "visibility": "string",
    });
    let account = json!({
        "email": "string", "accountId": "string", "planType": "string", "addedAt": "string",
        "lastUsed": "string|null", "isActive": "bool", "tokenExpired": false, "quota": "object|null",
    });
    let set_up = json!({"success": true, "message": "string", "configPath": "string", "config": {"env": "object"}});
    vec![
        // codex-proxy: seed-a.md §2.1 to §2.3.
        ("GET", "/health", none.clone(), 200, {
            let mut whole = summary.clone();
            whole["status"] = json!("=ok");
            whole["configPath"] = json!("string");
            whole
        }),
        (
            "GET",
            "/accounts",
            none.clone(),
            200,
            json!({"accounts": ["+", account], "activeAccount": "=work@demo.test", "total": 2}),
        ),
        ("GET", "/accounts/status", none.clone(), 200, summary),
        ("GET", "/accounts/quota", none.clone(), 200, cached("bool")),
        ("GET", "/accounts/quota?email=home@demo.test&refresh=true", none.clone(), 200, cached("bool")),
        ("GET", "/accounts/quota?email=nobody@demo.test", none.clone(), 404, failed.clone()),
        (
            "GET",
            "/accounts/quota/all",
            none.clone(),
            200,
            json!({"accounts": ["+", {"email": "string", "quota": quota}]}),
        ),
        (
            "GET",
            "/accounts/models",
            none.clone(),
            200,
            json!({"success": true, "email": "=work@demo.test", "models": ["+", model]}),
        ),
        ("GET", "/accounts/models?email=nobody", none.clone(), 404, failed.clone()),
        (
            "GET",
            "/accounts/usage?email=work@demo.test",
            none.clone(),
            200,
            json!({"success": true, "email": "string", "usage": usage}),
        ),
        ("GET", "/accounts/usage?email=nobody", none.clone(), 404, failed.clone()),
        ("POST", "/accounts/add/manual", json!({}), 400, failed.clone()),
        ("POST", "/accounts/add/manual", json!({"code": "ac_0123456789"}), 400, failed.clone()),
        (
            "POST",
            "/accounts/add/manual",
            json!({"code": "http://localhost:1455/auth/callback?code=x&state=y", "verifier": "v", "port": 1455}),
            400,
            failed.clone(),
        ),
        ("POST", "/accounts/oauth/cleanup", none.clone(), 200, done.clone()),
        ("POST", "/accounts/switch", json!({"email": "home@demo.test"}), 200, done.clone()),
        ("POST", "/accounts/switch", json!({"email": "work@demo.test"}), 200, done.clone()),
        ("POST", "/accounts/switch", json!({}), 400, json!({"success": false, "message": "string"})),
        ("POST", "/accounts/switch", json!({"email": "nobody@demo.test"}), 404, failed.clone()),
        ("POST", "/accounts/import", none.clone(), 404, failed.clone()),
        ("POST", "/accounts/refresh", none.clone(), 200, refreshed.clone()),
        ("POST", "/accounts/refresh/all", none.clone(), 200, json!(["+", refreshed])),
        ("POST", "/accounts/home%40demo.test/refresh", none.clone(), 200, refreshed),
        ("POST", "/accounts/nobody/refresh", none.clone(), 404, failed.clone()),
        ("GET", "/settings/haiku-model", none.clone(), 200, kilo),
        ("POST", "/settings/haiku-model", json!({"haikuKiloModel": 5}), 400, failed.clone()),
        ("POST", "/settings/haiku-model", json!({}), 400, failed.clone()),
        ("POST", "/settings/haiku-model", json!({"haikuKiloModel": "minimax-2.5"}), 403, failed.clone()),
        (
            "GET",
            "/settings/kilo-models",
            none.clone(),
            200,
            json!({"success": true, "enabled": false, "models": [], "current": "string"}),
        ),
        ("GET", "/settings/account-strategy", none.clone(), 200, strategy("=sticky", false)),
        ("POST", "/settings/account-strategy", json!({"accountStrategy": "sticky"}), 200, strategy("=sticky", false)),
        ("POST", "/settings/account-strategy", json!({"accountStrategy": "round-robin"}), 409, failed.clone()),
        ("POST", "/settings/account-strategy", json!({"accountStrategy": "random"}), 400, failed.clone()),
        ("GET", "/settings/model-mappings", none.clone(), 200, mappings),
        (
            "POST",
            "/settings/model-mappings",
            json!({"modelMappings": {"opus": "gpt-6-luna"}, "reasoningMappings": {"opus": "high"}}),
            200,
            mapped.clone(),
        ),
        ("POST", "/settings/model-mappings", json!({"modelMappings": {"opus": "gpt-4o"}}), 400, failed.clone()),
        ("POST", "/settings/model-mappings", json!({"reasoningMappings": {"opus": "huge"}}), 400, failed.clone()),
        ("POST", "/settings/model-mappings", json!({"modelMappings": {"fable": "gpt-6-luna"}}), 400, failed.clone()),
        ("POST", "/settings/model-mappings", json!({}), 400, failed.clone()),
        ("GET", "/settings/model-mappings", none.clone(), 200, mapped),
        (
            "GET",
            "/settings/claude-proxy",
            none.clone(),
            200,
            json!({"success": true, "configureClaudeOnStartup": false}),
        ),
        (
            "POST",
            "/settings/claude-proxy",
            json!({"configureClaudeOnStartup": false}),
            200,
            json!({"success": true, "configureClaudeOnStartup": false}),
        ),
        ("POST", "/settings/claude-proxy", json!({"configureClaudeOnStartup": true}), 501, failed.clone()),
        ("POST", "/settings/claude-proxy", json!({}), 400, failed.clone()),
        (
            "GET",
            "/claude/config",
            none.clone(),
            200,
            json!({"success": true, "configPath": "string", "config": "object"}),
        ),
        ("POST", "/claude/config/proxy", none.clone(), 200, set_up.clone()),
        ("POST", "/claude/config/direct", json!({"apiKey": "sk-ant"}), 200, set_up.clone()),
        ("POST", "/claude/config/direct", json!({"apiKey": ""}), 400, failed.clone()),
        ("POST", "/claude/config/set", json!({"apiUrl": "http://localhost:8081", "apiKey": "x"}), 200, set_up),
        ("POST", "/claude/config/set", json!({"apiUrl": "https://example.com", "apiKey": "x"}), 400, failed.clone()),
        ("POST", "/claude/config/set", json!({"apiKey": "x"}), 400, failed.clone()),
        (
            "GET",
            "/api/logs",
            none.clone(),
            200,
            json!({
                "status": "=ok", "lines": "array",
                "logs": [{"timestamp": "string", "level": "string", "message": "string", "icon": "string"}],
            }),
        ),
        // codaze: seed-c.md §10.
        ("GET", "/admin/accounts", none.clone(), 200, json!({"accounts": ["+", view]})),
        ("POST", "/admin/accounts/import", json!({"refresh_token": " "}), 400, wrapped.clone()),
        ("POST", "/admin/accounts/import", json!({}), 400, wrapped.clone()),
        (
            "POST",
            "/admin/accounts/import",
            json!({"refresh_token": "rt-of-codaze", "label": "spare", "email": "ann@demo.test"}),
            201,
            json!({"account": view, "already_exists": false}),
        ),
        (
            "POST",
            "/admin/accounts/import",
            json!({"refresh_token": "rt-of-codaze", "label": "other"}),
            200,
            json!({"account": {"label": "=other"}, "already_exists": true}),
        ),
        (
            "POST",
            "/admin/accounts/wake",
            none.clone(),
            200,
            json!({"woken": 3, "skipped_auth_invalid": 0, "accounts": ["+", {"disposition": "=woken", "account": view}]}),
        ),
        ("POST", "/admin/accounts/other/wake", none.clone(), 200, json!({"disposition": "=woken", "account": view})),
        (
            "POST",
            "/admin/accounts/nobody/wake",
            none.clone(),
            404,
            json!({"error": {"message": "=unknown account `nobody`"}}),
        ),
        ("DELETE", "/admin/accounts/other", none.clone(), 204, none.clone()),
        (
            "DELETE",
            "/admin/accounts/other",
            none.clone(),
            404,
            json!({"error": {"message": "=unknown account `other`"}}),
        ),
        ("GET", "/admin/routing/policy", none.clone(), 200, policy("=personal")),
        ("PUT", "/admin/routing/policy", json!({"routing_policy": "fill_first"}), 200, policy("=fill_first")),
        ("PUT", "/admin/routing/policy", json!({}), 400, json!({"error": {"message": "=missing routing_policy"}})),
        ("PUT", "/admin/routing/policy", json!({"routing_policy": "bad"}), 400, wrapped),
        // Rotation is on now, and so is what codex-proxy called a strategy.
        (
            "POST",
            "/settings/account-strategy",
            json!({"accountStrategy": "round-robin"}),
            200,
            strategy("=round-robin", true),
        ),
        ("GET", "/settings/account-strategy", none.clone(), 200, strategy("=round-robin", true)),
        ("DELETE", "/accounts/home%40demo.test", none.clone(), 200, done),
        ("DELETE", "/accounts/home%40demo.test", none, 404, failed),
    ]
}

#[tokio::test]
async fn documented_calls_are_answered_as_they_were() {
    let world = world(&[]).await;
    let (token, mut wrong) = (token(&world), Vec::new());
    for (at, (method, path, body, status, shape)) in calls().into_iter().enumerate() {
        let call = request(&world, method, path, &body);
        // The old header does as well as ours.
        let call = match at % 2 {
            0 => call.bearer_auth(&token),
            _ => call.header("X-Codex-Proxy-Admin-Token", &token),
        };
        // `/api` is older than these paths, and takes the bearer only where nothing old is asked for.
        let (got, answer) = read(call.send().await.unwrap()).await;
        if got != status {
            wrong.push(format!("{method} {path} {body}: {got}, not {status}: {answer}"));
            continue;
        }
        wrong.extend(misfits("it", &answer, &shape).into_iter().map(|why| format!("{method} {path} {body}: {why}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.gateway.settings().snapshot().rotation, codeferry_store::Rotation::RoundRobin);
    assert_eq!(world.gateway.settings().snapshot().routes.opus.to_string(), "gpt-6-luna:high");
    assert_eq!(world.demo.refresh_count(), 0, "no refresh token was spent by looking");
}

/// Nothing is served without a row above, but for what other tests show.
#[test]
fn every_old_path_is_replayed() {
    let elsewhere = ["POST /accounts/add", "GET /api/logs/stream", "GET /verify", "OPTIONS /verify"];
    let calls = calls();
    let asked: Vec<(&str, Vec<&str>)> = calls
        .iter()
        .map(|(method, path, ..)| (*method, path.split('?').next().unwrap().split('/').collect()))
        .collect();
    let is = |route: &str, path: &[&str]| {
        let route: Vec<_> = route.split('/').collect();
        route.len() == path.len() && route.iter().zip(path).all(|(a, b)| a == b || a.starts_with('{'))
    };
    let missing: Vec<_> = codeferry_gateway::compat_routes()
        .into_iter()
        .filter(|route| !elsewhere.contains(&format!("{} {}", route.method, route.path).as_str()))
        .filter(|route| !asked.iter().any(|(method, path)| *method == route.method.as_str() && is(&route.path, path)))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// codex-proxy's model name `kilo` leads to the account of that label, once there is one.
#[tokio::test]
async fn the_kilo_model_is_a_model_of_the_account_called_so() {
    let world = world(&[]).await;
    let server = ChatServer::start(ChatFlavour::Kilo).await.unwrap();
    let new = json!({"kind": "compatible", "preset": "kilo", "url": server.url()});
    assert_eq!(world.control(Method::POST, "/accounts").json(&new).send().await.unwrap().status(), 201);
    let ask = async |method: &str, path: &str, body: Value| {
        read(request(&world, method, path, &body).bearer_auth(token(&world)).send().await.unwrap()).await
    };
    let (_, models) = ask("GET", "/settings/kilo-models", Value::Null).await;
    assert_eq!(
        (&models["enabled"], &models["models"][0]["id"]),
        (&json!(true), &json!("vendor/model:free")),
        "{models}"
    );
    let choose = |model: &str| json!({"haikuKiloModel": model});
    let (status, refused) = ask("POST", "/settings/haiku-model", choose("vendor/paid")).await;
    assert!(status == 400 && refused["error"].as_str().unwrap().contains("vendor/model:free"), "{refused}");
    let (status, chosen) = ask("POST", "/settings/haiku-model", choose("vendor/model:free")).await;
    assert_eq!((status.as_u16(), &chosen["kiloEnabled"]), (200, &json!(true)), "{chosen}");
    assert_eq!(ask("GET", "/settings/haiku-model", Value::Null).await.1, chosen);
    let mut body = codeferry_tests::world::asking("[[demo:text free]]");
    body["model"] = json!("kilo");
    assert_eq!(codeferry_tests::sse::text(&world.stream(&body).await), "free");
    assert!(world.demo.model_requests().is_empty(), "no plan paid for it");
    // Those who pay for requests that name nobody are listed, and no others.
    assert_eq!(ask("GET", "/accounts", Value::Null).await.1["total"], 2);
}

/// Each path by itself: nobody without the token, no page of another site even with it.
#[tokio::test]
async fn strangers_and_pages_stay_out() {
    // What is let in to the data plane is let in there.
    let world = world(&[("allowed_origins", "https://ok.example")]).await;
    let token = token(&world);
    let before = std::fs::read(world.home.path().join("vault.bin")).unwrap();
    let mut seen = BTreeSet::new();
    for route in codeferry_gateway::compat_routes().into_iter().filter(|route| route.path != "/verify") {
        let path = route.path.replace("{email}", "work@demo.test").replace("{id}", "work@demo.test");
        let call = || request(&world, route.method.as_str(), &path, &json!({"email": "home@demo.test"}));
        let wrong = format!("{token}x");
        for (call, status) in [
            (call(), 401),
            (call().bearer_auth(&world.key), 401),
            (call().bearer_auth(&wrong), 401),
            (call().header("X-Codex-Proxy-Admin-Token", &wrong), 401),
            // Whoever shows a wrong token is not saved by a right one beside it.
            (call().bearer_auth(&wrong).header("X-Codex-Proxy-Admin-Token", &token), 401),
            (call().bearer_auth(&token).header("origin", "https://evil.example"), 403),
            (call().bearer_auth(&token).header("origin", "null"), 403),
            (call().bearer_auth(&token).header("origin", "https://ok.example"), 403),
            (call().bearer_auth(&token).header("host", "evil.example"), 403),
            (call().bearer_auth(&token).header("sec-fetch-site", "cross-site"), 403),
            (call().bearer_auth(&token).header("sec-fetch-site", "same-site"), 403),
        ] {
            let response = call.send().await.unwrap();
            assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")), "no CORS");
            let (got, answer) = read(response).await;
            assert_eq!(got, status, "{} {path}: {answer}", route.method);
            let shape = match path.starts_with("/admin") {
                true => json!({"error": {"message": "string"}}),
                false => json!({"success": false, "error": "string"}),
            };
            assert_eq!(misfits("it", &answer, &shape), [""; 0], "{} {path}", route.method);
        }
        seen.insert(path);
    }
    assert!(seen.len() > 25, "{seen:?}");
    assert_eq!(std::fs::read(world.home.path().join("vault.bin")).unwrap(), before, "nothing was changed");
    let (status, answer) = read(world.http.get(format!("{}/api/logs", world.url())).send().await.unwrap()).await;
    assert_eq!((status.as_u16(), &answer["code"]), (401, &json!("control_token_needed")));
}

#[tokio::test]
async fn health_tells_strangers_nothing_about_anybody() {
    let world = world(&[]).await;
    let health = async |call: RequestBuilder| read(call.send().await.unwrap()).await.1;
    let call = || request(&world, "GET", "/health", &Value::Null);
    let told = health(call()).await;
    let keys: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["ok", "status", "version"], "{told}");
    assert_eq!((&told["ok"], &told["status"]), (&json!(true), &json!("ok")));
    assert!(health(call().bearer_auth(&world.key)).await["accounts"].is_null(), "a client key is no control token");
    assert_eq!(health(call().bearer_auth(token(&world))).await["total"], 2);
}

#[tokio::test]
async fn on_loopback_the_token_can_be_lifted() {
    let world = world(&[("compat.open_on_loopback", "true"), ("allowed_origins", "https://ok.example")]).await;
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut call = request(&world, method, path, &Value::Null);
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        call.send().await.unwrap().status().as_u16()
    };
    for path in ["/accounts", "/admin/accounts", "/settings/account-strategy", "/api/logs", "/health"] {
        assert_eq!(ask("GET", path, &[]).await, 200, "{path}");
    }
    assert_eq!(ask("POST", "/admin/accounts/wake", &[]).await, 200);
    let shown = read(request(&world, "GET", "/health", &Value::Null).send().await.unwrap()).await.1;
    assert_eq!(shown["active"], "work@demo.test");
    // Whatever a browser or a proxy brings along is as far away as ever.
    for (headers, status) in [
        (&[("origin", "https://evil.example")][..], 403),
        (&[("origin", "http://localhost:3000")], 403),
        (&[("origin", "https://ok.example")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("host", "evil.example")], 403),
        (&[("x-forwarded-for", "10.0.0.7")], 401),
        (&[("forwarded", "for=10.0.0.7")], 401),
        (&[("via", "1.1 proxy")], 401),
        (&[("authorization", "Bearer wrong")], 401),
        (&[("x-codex-proxy-admin-token", "wrong")], 401),
    ] {
        for path in ["/accounts", "/admin/accounts"] {
            assert_eq!(ask("GET", path, headers).await, status, "{path} {headers:?}");
        }
        assert_eq!(ask("DELETE", "/accounts/work@demo.test", headers).await, status, "{headers:?}");
    }
    // What is ours needs the token as before.
    for path in ["/api/accounts", "/api/settings", "/api/status"] {
        assert_eq!(ask("GET", path, &[]).await, 401, "{path}");
    }
    let status = world.ask(Method::GET, "/status", json!({})).await;
    assert!(status["warnings"][0].as_str().unwrap().contains("compat.open_on_loopback"), "{status}");

    // Names that a person allowed are no loopback.
    world.ask(Method::PATCH, "/settings", json!({"allowed_hosts": ["box.lan"]})).await;
    assert_eq!(ask("GET", "/accounts", &[("host", "box.lan")]).await, 401);
    world.ask(Method::DELETE, "/settings/compat.open_on_loopback", json!({})).await;
    assert_eq!(ask("GET", "/accounts", &[]).await, 401, "it counts at once");
    assert_eq!(world.ask(Method::GET, "/status", json!({})).await["warnings"], json!([]));
}

#[tokio::test]
async fn all_of_it_can_be_switched_off() {
    let world = world(&[("compat", "false"), ("compat.open_on_loopback", "true")]).await;
    let token = token(&world);
    for route in codeferry_gateway::compat_routes() {
        let path = route.path.replace("{email}", "work@demo.test").replace("{id}", "work@demo.test");
        let call = request(&world, route.method.as_str(), &path, &Value::Null).bearer_auth(&token);
        assert_eq!(call.send().await.unwrap().status(), 404, "{} {path}", route.method);
    }
    let logs = world.ask(Method::GET, "/logs", json!({})).await;
    assert!(logs["lines"].is_array() && logs["logs"].is_null(), "{logs}");
    let health = request(&world, "GET", "/health", &Value::Null).bearer_auth(&token).send().await.unwrap();
    assert!(read(health).await.1["accounts"].is_null());
    let header = request(&world, "GET", "/api/logs", &Value::Null).header("X-Codex-Proxy-Admin-Token", &token);
    assert_eq!(header.send().await.unwrap().status(), 401);
}

/// Traefik's ForwardAuth: the client's own headers, to us.
#[tokio::test]
async fn whoever_stands_in_front_asks_for_a_client() {
    let world = world(&[]).await;
    let ask = |method: &str| request(&world, method, "/verify", &Value::Null);
    let response = ask("GET").bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(read(response).await, (StatusCode::OK, json!({"ok": true})));
    let scheme = ask("GET").header("authorization", format!("bearer {}", world.key)).send().await.unwrap();
    assert_eq!(scheme.status(), 200, "a scheme has no case");
    for call in [ask("GET"), ask("GET").bearer_auth("cf_wrong"), ask("GET").bearer_auth(token(&world))] {
        let response = call.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer realm=api");
        let (status, answer) = read(response).await;
        assert_eq!(status, 401);
        assert_eq!(misfits("it", &answer, &json!({"error": {"message": "string"}})), [""; 0]);
    }
    assert_eq!(ask("OPTIONS").send().await.unwrap().status(), 204);
    assert_eq!(
        ask("GET").bearer_auth(&world.key).header("origin", "https://evil.example").send().await.unwrap().status(),
        403
    );
    assert_eq!(ask("POST").bearer_auth(&world.key).send().await.unwrap().status(), 405);
}

/// A line for each thing that is said, those before it first.
#[tokio::test]
async fn the_log_is_followed_as_before() {
    let world = world(&[]).await;
    let line = |message: &str| codeferry_app::LogLine {
        at: "2026-02-14T10:00:00Z".parse().unwrap(),
        level: codeferry_app::LogLevel::Warn,
        target: "codeferry".into(),
        message: message.into(),
        fields: codeferry_app::LogFields(vec![("account".into(), codeferry_app::LogField::Text("acc_1".into()))]),
    };
    let lines = world.gateway.gateway().log_lines().clone();
    lines.push(line("before"));
    let open = async |query: &str| {
        let call = request(&world, "GET", &format!("/api/logs/stream{query}"), &Value::Null);
        call.bearer_auth(token(&world)).send().await.unwrap()
    };
    let (with, without) = (open("?history=true").await, open("").await);
    assert_eq!(with.headers()["content-type"], "text/event-stream");
    lines.push(line("after"));
    world.gateway.stop().await.unwrap();
    let said = |text: &str| -> Vec<Value> {
        text.lines().filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap())).collect()
    };
    let (with, without) = (said(&with.text().await.unwrap()), said(&without.text().await.unwrap()));
    let expected = |message: &str| json!({"timestamp": "2026-02-14 10:00:00", "level": "WARN", "message": format!("{message} | account=acc_1"), "icon": "⚠"});
    assert!(with.contains(&expected("before")) && with.contains(&expected("after")), "{with:?}");
    assert!(!without.contains(&expected("before")) && without.contains(&expected("after")), "{without:?}");
}

/// Asks one of the `/claude/config` paths.
async fn claude(world: &World, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let call = request(world, method, &format!("/claude/config{path}"), &body).bearer_auth(token(world));
    read(call.send().await.unwrap()).await
}

/// The settings of Claude Code, in the home of this world.
fn claude_settings(world: &World, text: &str) -> std::path::PathBuf {
    let file = world.home.path().join("user/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

/// What Claude Code has in its file is shown without its secrets.
#[tokio::test]
async fn the_settings_of_claude_code_are_shown_without_secrets() {
    let world = world(&[]).await;
    let text = "{\n  // mine\n  \"env\": {\"ANTHROPIC_API_KEY\": \"sk-ant-proxy\", \"ANTHROPIC_BASE_URL\": \"http://localhost:8081\",},\n}";
    let file = claude_settings(&world, text);
    let (_, shown) = claude(&world, "GET", "", Value::Null).await;
    assert_eq!(shown["configPath"], file.display().to_string());
    assert_eq!(
        shown["config"]["env"],
        json!({"ANTHROPIC_API_KEY": "[redacted]", "ANTHROPIC_BASE_URL": "http://localhost:8081"})
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let on_startup = request(&world, "POST", "/settings/claude-proxy", &json!({"configureClaudeOnStartup": true}));
    assert_eq!(on_startup.bearer_auth(token(&world)).send().await.unwrap().status(), 501);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing is written unless somebody says so now");
}

/// codex-proxy took a file it could not read for empty, and wrote over it.
#[tokio::test]
async fn settings_of_claude_code_that_cannot_be_read_are_not_written() {
    let world = world(&[]).await;
    let text = "{\n  \"env\": {\"KEY\": \"sk-secret\"}\n  \"hooks\": {}}";
    let file = claude_settings(&world, text);
    for (method, path, body) in [
        ("GET", "", Value::Null),
        ("POST", "/proxy", Value::Null),
        ("POST", "/direct", json!({"apiKey": "sk-ant"})),
        ("POST", "/set", json!({"apiUrl": "http://127.0.0.1:1", "apiKey": "x"})),
    ] {
        let (status, refused) = claude(&world, method, path, body).await;
        assert_eq!((status.as_u16(), &refused["success"]), (422, &json!(false)), "{path}");
        let error = refused["error"].as_str().unwrap();
        assert!(error.contains("line 3, column 3") && !refused.to_string().contains("sk-secret"), "{refused}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let keys = world.ask(Method::GET, "/keys", json!({})).await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1, "and no key was made for it");
}

/// Ours goes in by three keys and comes out again; everything else in the file is as it was, to the byte.
#[tokio::test]
async fn claude_code_is_set_up_and_everything_comes_back() {
    let world = world(&[]).await;
    crate::clients::models_known(&world).await;
    let text = "{\r\n\t\"permissions\": {\"allow\": [\"Bash(git:*)\"]}, // mine\r\n\t\"env\": {\r\n\t\t\"ANTHROPIC_API_KEY\": \
                \"sk-mine\", // the old one\r\n\t\t\"MAX_THINKING_TOKENS\": 31999,\r\n\t}\r\n}\r\n";
    let file = claude_settings(&world, text);
    let (status, done) = claude(&world, "POST", "/proxy", Value::Null).await;
    assert_eq!(status, 200, "{done}");
    let env = &done["config"]["env"];
    assert_eq!((&env["ANTHROPIC_BASE_URL"], &env["MAX_THINKING_TOKENS"]), (&json!(world.url()), &json!(31999)));
    assert!(world.url().starts_with("http://127.0.0.1:"), "localhost may be another address");
    assert_eq!((&env["ANTHROPIC_AUTH_TOKEN"], env.get("ANTHROPIC_API_KEY")), (&json!("[redacted]"), None));
    assert!(!done.to_string().contains("cf_") && !done.to_string().contains("sk-mine"), "{done}");
    // The key that stands there opens the data plane.
    let written = std::fs::read_to_string(&file).unwrap();
    let key = written.split('"').find(|word| word.starts_with("cf_")).unwrap().to_owned();
    let models = world.http.get(format!("{}/v1/models", world.url()));
    assert_eq!(models.bearer_auth(&key).send().await.unwrap().status(), 200);
    let names = async || {
        let keys = world.ask(Method::GET, "/keys", json!({})).await;
        keys["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["test", "claude-code"]);
    // Once more changes nothing, and makes no second key.
    let (_, again) = claude(&world, "POST", "/proxy", json!({})).await;
    assert!(again["message"].as_str().unwrap().contains("nothing was written"), "{again}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
    assert_eq!(names().await.len(), 2);
    // Set to another address of this machine, the token that would win over its key goes, and its client key ends.
    let (_, set) = claude(&world, "POST", "/set", json!({"apiUrl": "http://127.0.0.1:9/", "apiKey": "x"})).await;
    let env = &set["config"]["env"];
    assert_eq!((&env["ANTHROPIC_BASE_URL"], env.get("ANTHROPIC_AUTH_TOKEN")), (&json!("http://127.0.0.1:9"), None));
    assert_eq!(names().await, ["test"]);
    claude(&world, "POST", "/proxy", Value::Null).await;
    // Somebody writes the file meanwhile; what is not ours stays.
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, written.replace("Bash(git:*)", "WebFetch")).unwrap();
    let (_, back) = claude(&world, "POST", "/direct", Value::Null).await;
    assert_eq!(back["config"]["env"], json!({"ANTHROPIC_API_KEY": "[redacted]", "MAX_THINKING_TOKENS": 31999}));
    let restored = std::fs::read_to_string(&file).unwrap();
    assert!(
        restored.contains("WebFetch") && restored.contains("sk-mine") && restored.contains("// the old one"),
        "{restored}"
    );
    assert_eq!(names().await, ["test"]);
    // There and straight back, with the key that was there before: the same bytes.
    std::fs::write(&file, text).unwrap();
    claude(&world, "POST", "/proxy", Value::Null).await;
    let (_, back) = claude(&world, "POST", "/direct", json!({"apiKey": "sk-mine"})).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "{back}");
    let folder = std::fs::read_dir(world.home.path().join("backups/claude-code")).unwrap().next().unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("first")).unwrap(), text, "the first copy is the original");
}

/// A key is known by what it is: somebody may have made another one of that name.
#[tokio::test]
async fn a_key_of_somebody_else_outlives_the_setting_up() {
    let world = world(&[]).await;
    claude_settings(&world, "{}");
    claude(&world, "POST", "/proxy", Value::Null).await;
    let gone = world.control(Method::DELETE, "/keys/claude-code").send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let made = world.control(Method::POST, "/keys").json(&json!({"name": "claude-code"})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    // The key in the file is no good any more, so it gets another one.
    claude(&world, "POST", "/proxy", Value::Null).await;
    let names = async || {
        let keys = world.ask(Method::GET, "/keys", json!({})).await;
        keys["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["test", "claude-code", "claude-code-2"]);
    claude(&world, "POST", "/direct", Value::Null).await;
    assert_eq!(names().await, ["test", "claude-code"]);
}

/// What somebody else has put in our place stays, and is said.
#[tokio::test]
async fn what_somebody_else_set_for_claude_code_is_kept_and_told() {
    let world = world(&[]).await;
    let file = claude_settings(&world, "");
    claude(&world, "POST", "/proxy", Value::Null).await;
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, written.replace(world.url(), "https://gateway.example")).unwrap();
    let (_, back) = claude(&world, "POST", "/direct", json!({"apiKey": "sk-new"})).await;
    let message = back["message"].as_str().unwrap();
    assert!(message.contains("/env/ANTHROPIC_BASE_URL") && message.contains("https://gateway.example"), "{message}");
    assert_eq!(
        back["config"]["env"],
        json!({"ANTHROPIC_BASE_URL": "https://gateway.example", "ANTHROPIC_API_KEY": "[redacted]"})
    );
}

/// The Codex CLI keeps its sign-in; codex-proxy spent its refresh token.
#[tokio::test]
async fn what_the_codex_cli_is_signed_in_with_is_used_and_not_renewed() {
    let world = world(&[]).await;
    let file = world.home.path().join("user/.codex/auth.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let ann = world.demo.sign_in(AccountKind::Codex, "ann");
    std::fs::write(&file, ann.import_json().to_string()).unwrap();
    let ask = async |path: &str| {
        read(request(&world, "POST", path, &Value::Null).bearer_auth(token(&world)).send().await.unwrap()).await
    };
    let (status, done) = ask("/accounts/import").await;
    assert_eq!(status, 200, "{done}");
    assert!(done["message"].as_str().unwrap().contains("ann@demo.test"), "{done}");
    let accounts = world.ask(Method::GET, "/accounts", json!({})).await;
    let ann = accounts["accounts"].as_array().unwrap().iter().find(|one| one["email"] == "ann@demo.test").unwrap();
    assert_eq!((ann["read_only"].as_str(), &ann["active"]), (Some(file.to_str().unwrap()), &json!(false)));
    assert_eq!(ask("/accounts/refresh/all").await.1.as_array().unwrap().len(), 3);
    assert_eq!(world.demo.refresh_count(), 0);
    std::fs::write(&file, r#"{"OPENAI_API_KEY": "sk-secret"}"#).unwrap();
    let (status, refused) = ask("/accounts/import").await;
    assert!(status == 422 && !refused.to_string().contains("sk-secret"), "{refused}");
}

/// A token that was spent here does not come back by the old door (codaze wrote it over the new one).
#[tokio::test]
async fn a_spent_token_is_not_imported_over_its_successor() {
    let world = world(&[]).await;
    let spent = world.account.as_ref().unwrap().refresh_token.clone();
    world.demo.expire_access_tokens();
    world.say("[[demo:text hi]]").await;
    assert_eq!(world.demo.refresh_count(), 1);
    let call = request(&world, "POST", "/admin/accounts/import", &json!({"refresh_token": spent}));
    let (status, refused) = read(call.bearer_auth(token(&world)).send().await.unwrap()).await;
    assert_eq!((status.as_u16(), &refused["error"]["code"]), (409, &json!("older_sign_in")), "{refused}");
    world.say("[[demo:text hi]]").await;
}
