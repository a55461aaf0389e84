//! Whether it works, and whether a request would be served: for supervisors and load balancers.

use codeferry_demo::AccountKind;
use codeferry_tests::World;
use codeferry_tests::world::Setup;
use reqwest::Method;
use serde_json::{Value, json};

async fn ask(world: &World, path: &str) -> (u16, Value) {
    let answer = world.http.get(format!("{}{path}", world.url())).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What `/readyz` says, when it is the one reason there is.
async fn reason(world: &World) -> Value {
    let (status, body) = ask(world, "/readyz").await;
    assert_eq!((status, &body["ready"]), (503, &json!(false)), "{body}");
    let reasons = body["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 1, "{body}");
    assert!(reasons[0]["message"].is_string(), "{body}");
    let (status, whole) = ask(world, "/healthz").await;
    assert_eq!(
        (status, &whole["ok"], &whole["live"], &whole["ready"]),
        (200, &json!(false), &json!(true), &json!(false))
    );
    assert_eq!(whole["reasons"], body["reasons"]);
    assert_eq!(ask(world, "/livez").await, (200, json!({"live": true, "reasons": []})), "a restart would not help");
    reasons[0].clone()
}

#[tokio::test]
async fn a_gateway_that_can_serve() {
    let world = World::start().await;
    world.say("[[demo:text hi]]").await;
    assert_eq!(ask(&world, "/livez").await, (200, json!({"live": true, "reasons": []})));
    assert_eq!(ask(&world, "/readyz").await, (200, json!({"ready": true, "reasons": []})));
    let version = env!("CARGO_PKG_VERSION");
    let whole = json!({"ok": true, "live": true, "ready": true, "version": version, "reasons": []});
    assert_eq!(ask(&world, "/healthz").await, (200, whole));
    for path in ["/healthz", "/livez", "/readyz"] {
        let answer = world.http.head(format!("{}{path}", world.url())).send().await.unwrap();
        assert_eq!(answer.status(), 200, "HEAD {path}");
        assert_eq!(answer.text().await.unwrap(), "");
        let foreign = world.http.get(format!("{}{path}", world.url())).header("host", "evil.example");
        assert_eq!(foreign.send().await.unwrap().status(), 403, "{path} under another name");
    }
}

#[tokio::test]
async fn no_account() {
    let world = World::with(Setup { signed_in: false, ..Setup::default() }).await;
    world.gateway.pool().reload().await.unwrap();
    assert_eq!(reason(&world).await["code"], "no_account");
    let account = world.add(AccountKind::Codex, "late").await;
    assert_eq!(ask(&world, "/readyz").await.0, 200, "{account:?} can serve");
}

#[tokio::test]
async fn an_account_that_rests_says_until_when() {
    let world = World::start().await;
    world.refused("[[demo:limit 60]]").await;
    let reason = reason(&world).await;
    assert_eq!(reason["code"], "resting");
    let until: jiff::Timestamp = reason["until"].as_str().unwrap().parse().unwrap();
    let rest = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((1..=60).contains(&rest), "{rest} s");
    let id = world.gateway.pool().list()[0].id.to_string();
    assert!(world.control(Method::POST, &format!("/accounts/{id}/wake")).send().await.unwrap().status().is_success());
    assert_eq!(ask(&world, "/readyz").await.0, 200);
}

#[tokio::test]
async fn an_account_that_needs_to_sign_in_or_is_paused() {
    let world = World::start().await;
    world.say("[[demo:text hi]]").await;
    let id = world.gateway.pool().list()[0].id.clone();
    assert!(world.control(Method::POST, &format!("/accounts/{id}/pause")).send().await.unwrap().status().is_success());
    assert_eq!(reason(&world).await["code"], "unusable");
    assert!(world.control(Method::POST, &format!("/accounts/{id}/resume")).send().await.unwrap().status().is_success());
    world.gateway.pool().needs_sign_in(&id, "work@demo.test has gone");
    let reason = reason(&world).await;
    assert_eq!(reason["code"], "needs_sign_in");
    assert!(!reason.to_string().contains("demo.test"), "nobody is named: {reason}");
}

#[tokio::test]
async fn settings_that_cannot_be_read() {
    let world = World::start().await;
    world.say("[[demo:text hi]]").await;
    std::fs::write(world.home.path().join("settings.json"), "{").unwrap();
    let found = reason(&world).await;
    assert_eq!(found["code"], "settings_unreadable");
    assert!(!found.to_string().contains(world.home.path().to_str().unwrap()), "no path: {found}");
    world.say("[[demo:text hi]]").await;
    std::fs::write(world.home.path().join("settings.json"), "{}").unwrap();
    assert_eq!(ask(&world, "/readyz").await.0, 200);
}

/// A stop lets answers that run finish; who has a connection may still ask.
#[tokio::test]
async fn a_gateway_that_stops_is_alive_and_not_ready() {
    let world = World::with(Setup { grace: std::time::Duration::from_secs(60), ..Setup::default() }).await;
    world.say("[[demo:text hi]]").await;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut early = tokio::net::TcpStream::connect(world.gateway.address()).await.unwrap();
    // Half a request: the connection is not idle, so the stop leaves it open.
    early.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    // The gateway has taken the connection once it has answered one that was opened later.
    assert_eq!(ask(&world, "/readyz").await.0, 200);
    assert_eq!(world.control(Method::POST, "/shutdown").send().await.unwrap().status(), 202);
    early.write_all(b"\r\n").await.unwrap();
    let mut answer = String::new();
    early.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains(r#""code":"shutting_down""#), "{answer}");
}

/// Behind a proxy everybody comes from loopback. They learn good or bad, and no more.
#[tokio::test]
async fn from_elsewhere_without_reasons() {
    let world = World::with(Setup { signed_in: false, ..Setup::default() }).await;
    world.gateway.pool().reload().await.unwrap();
    let forwarded =
        |path: &str| world.http.get(format!("{}{path}", world.url())).header("x-forwarded-for", "203.0.113.7");
    let answer = forwarded("/readyz").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"ready": false}));
    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap();
    let answer: Value = forwarded("/healthz").bearer_auth(token.expose()).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["reasons"][0]["code"], "no_account");
}
