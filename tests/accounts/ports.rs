//! The codex login, which may come back to two ports only, and who else is on them.

use std::time::Duration;

use codeferry_demo::Route;
use codeferry_tests::sse::text;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::{end, nobody_home};

/// There is one of each port on a machine.
pub(crate) static PORTS: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn a_codex_account_from_the_first_page_to_the_first_answer() {
    let _ports = PORTS.lock().await;
    let world = nobody_home().await;
    let attempt = world.begin_browser("codex").await;
    assert_eq!(attempt.port, Some(1455));
    for (name, value) in [
        ("client_id", codeferry_demo::CODEX_CLIENT_ID),
        ("redirect_uri", "http://localhost:1455/auth/callback"),
        ("code_challenge_method", "S256"),
    ] {
        let given = attempt.parameter(name).unwrap().replace("127.0.0.1", "localhost");
        assert_eq!(given, value, "{name}");
    }
    world.visit(attempt.allowed_by("work")).await.assert_ours(200, "Signed in");
    let done = world.stage(&attempt).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(text(&world.say("[[demo:text paid by codex]]").await), "paid by codex");
    assert_eq!(world.demo.model_requests()[0].route, Route::CodexResponses);

    // A plan sign-in of the same person is another account, and both can be under way at once.
    let (codex, plan) = tokio::join!(world.begin_browser("codex"), world.begin_browser("plan"));
    world.visit(plan.allowed_by("work")).await.assert_ours(200, "Signed in");
    world.visit(codex.allowed_by("work")).await.assert_ours(200, "Signed in");
    let (codex, plan) = (world.stage(&codex).await, world.stage(&plan).await);
    assert_eq!((&codex["account"], &codex["again"]), (&done["account"], &json!(true)));
    assert_ne!(plan["account"], codex["account"]);
    end(world).await;
}

#[tokio::test]
async fn a_bare_code_will_do_for_codex() {
    let _ports = PORTS.lock().await;
    let world = nobody_home().await;
    let attempt = world.begin_browser("codex").await;
    let far = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let location =
        far.get(attempt.allowed_by("work")).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
    let location: url::Url = location.parse().unwrap();
    let code = location.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    let path = format!("/accounts/sign-in/{}/callback", attempt.id);
    let done = world.ask(Method::POST, &path, json!({"url_or_code": code})).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(world.accounts().await.len(), 1);

    // A code that was used, or that is none, ends the attempt with a sentence.
    let attempt = world.begin_browser("codex").await;
    let path = format!("/accounts/sign-in/{}/callback", attempt.id);
    let failed = world.ask(Method::POST, &path, json!({"url_or_code": code})).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed["message"].as_str().unwrap().contains("used before"), "{failed}");
    crate::end_with_violations(world).await;
}

#[tokio::test]
async fn another_login_on_the_port_is_asked_to_go() {
    let _ports = PORTS.lock().await;
    let world = nobody_home().await;
    let other = TcpListener::bind("127.0.0.1:1455").await.unwrap();
    // As the login of the Codex CLI: told to cancel, it says goodbye and closes.
    let goes = async move {
        let (mut stream, _) = other.accept().await.unwrap();
        let mut request = vec![0; 1024];
        let length = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\nLogin cancelled").await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    };
    let (attempt, request) = tokio::join!(world.begin_browser("codex"), goes);
    assert!(request.starts_with("GET /cancel HTTP/1.1\r\n"), "{request}");
    assert_eq!(attempt.port, Some(1455));
    world.visit(attempt.allowed_by("work")).await.assert_ours(200, "Signed in");
    end(world).await;
}

#[tokio::test]
async fn we_go_when_another_login_asks() {
    let _ports = PORTS.lock().await;
    let world = nobody_home().await;
    let attempt = world.begin_browser("codex").await;
    let said = world.http.get("http://127.0.0.1:1455/cancel").send().await.unwrap();
    assert_eq!((said.status().as_u16(), said.text().await.unwrap().as_str()), (200, "Login cancelled"));
    assert_eq!(world.stages(&attempt).await, [json!({"state": "cancelled"})]);
    // The port is free, as soon as the listener has closed.
    let freed = async {
        while TcpListener::bind("127.0.0.1:1455").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), freed).await.expect("the port is free");
    end(world).await;
}

#[tokio::test]
async fn the_second_port_and_then_none() {
    let _ports = PORTS.lock().await;
    let world = nobody_home().await;
    // It takes no notice.
    let first = std::net::TcpListener::bind("127.0.0.1:1455").unwrap();
    let attempt = world.begin_browser("codex").await;
    assert_eq!(attempt.port, Some(1457));
    assert!(attempt.parameter("redirect_uri").unwrap().ends_with(":1457/auth/callback"));
    world.visit(attempt.allowed_by("work")).await.assert_ours(200, "Signed in");
    let world = {
        // What is said when both are taken is said by another gateway: this one still has its port.
        let other = nobody_home().await;
        let second = std::net::TcpListener::bind("127.0.0.1:1457");
        let (status, body) =
            other.ask_refused(Method::POST, "/accounts/sign-in", json!({"kind": "codex", "method": "browser"})).await;
        assert_eq!((status, body["code"].as_str().unwrap()), (409, "ports_taken"));
        assert!(body["message"].as_str().unwrap().contains("1455 and 1457"), "{body}");
        assert!(body["hint"].as_str().unwrap().contains("device code"), "{body}");
        drop(second);
        end(other).await;
        world
    };
    drop(first);
    end(world).await;
}

/// codex-proxy's scripts begin a login, send somebody to the address, and paste what comes of it.
#[tokio::test]
async fn a_login_over_the_old_paths() {
    let _ports = PORTS.lock().await;
    let world = nobody_home().await;
    let ask = async |path: &str, body: serde_json::Value| {
        let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap().expose();
        let call = world.http.post(format!("{}{path}", world.url())).bearer_auth(token).json(&body);
        let response = call.send().await.unwrap();
        (response.status().as_u16(), response.json::<serde_json::Value>().await.unwrap())
    };
    let begin = async || {
        let (status, begun) = ask("/accounts/add", json!({"port": 1455})).await;
        assert_eq!(
            (status, &begun["status"], &begun["callback_port"]),
            (200, &json!("oauth_url"), &json!(1455)),
            "{begun}"
        );
        assert!(begun.get("verifier").is_none() && begun.get("state").is_none(), "secrets stay here: {begun}");
        begun["oauth_url"].as_str().unwrap().to_owned()
    };
    let far = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let ended_at = async |url: &str, who: &str| {
        let page = far.get(format!("{url}&demo=allow&demo_account={who}")).send().await.unwrap();
        page.headers()["location"].to_str().unwrap().to_owned()
    };

    // The whole address, as the dashboard asked for it.
    let callback = ended_at(&begin().await, "work").await;
    let (status, done) = ask("/accounts/add/manual", json!({"code": callback})).await;
    assert_eq!((status, &done["success"]), (200, &json!(true)), "{done}");
    assert_eq!(done["message"], "Account work@demo.test added successfully");
    let (status, again) = ask("/accounts/add/manual", json!({"code": callback})).await;
    assert_eq!((status, &again["success"]), (400, &json!(false)), "a callback is good for once: {again}");

    // The code alone: there must be no doubt whose it is.
    let url = begin().await;
    let callback = ended_at(&url, "home").await;
    let callback: url::Url = callback.parse().unwrap();
    let code = callback.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    begin().await;
    let (status, refused) = ask("/accounts/add/manual", json!({"code": code, "verifier": "x"})).await;
    assert_eq!(status, 400, "two wait: {refused}");
    assert_eq!(ask("/accounts/oauth/cleanup", json!({})).await.0, 200);
    let (status, refused) = ask("/accounts/add/manual", json!({"code": callback.as_str()})).await;
    assert_eq!(status, 400, "given up: {refused}");
    let url = begin().await;
    let callback: url::Url = ended_at(&url, "home").await.parse().unwrap();
    let code = callback.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    let (status, done) = ask("/accounts/add/manual", json!({"code": code})).await;
    assert_eq!(status, 200, "{done}");
    assert!(done["message"].as_str().unwrap().contains("another account pays until you switch"), "{done}");
    assert_eq!(world.accounts().await.len(), 2);
    end(world).await;
}
