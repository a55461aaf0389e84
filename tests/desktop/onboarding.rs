//! The first minute: from nothing to a first answer, in clicks.

use codeferry_tests::desktop::Desktop;
use codeferry_tests::driver::Driver;
use codeferry_tests::patience::until;
use codeferry_tests::world::asking;
use serde_json::{Value, json};

async fn at(driver: &Driver, screen: &str) {
    until(&format!("the screen {screen}"), async || {
        let url = driver.url().await;
        if url.contains(&format!("#/{screen}")) { Ok(()) } else { Err(url) }
    })
    .await;
}

/// The demo account, Claude Code set up, a request by what stands in its settings, and the overview.
#[tokio::test]
async fn four_clicks_to_a_first_answer() {
    let Some(desktop) = Desktop::start().await else { return };
    // Claude Code has run here before.
    std::fs::create_dir(desktop.file("home/.claude")).expect("a folder");
    let mut driver = desktop.drive(&[]).await;
    desktop.gateway().await;
    driver.page().await;
    at(&driver, "onboarding").await;
    driver.see("Welcome aboard").await;

    driver.click_text("Look around with the demo").await;
    driver.see("The built-in demo answers from a script").await;
    at(&driver, "onboarding").await;

    driver.click_text("Set up Claude Code").await;
    driver.see("ANTHROPIC_BASE_URL").await;
    let file = desktop.file("home/.claude/settings.json");
    assert!(!file.exists(), "what is only shown is not written");
    driver.click_text("Change the file").await;
    driver.see("comes here from its next start on").await;
    let settings: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("its settings")).expect("JSON");
    let variable = |name: &str| settings["env"][name].as_str().unwrap_or_default().to_owned();
    let (url, key) = (variable("ANTHROPIC_BASE_URL"), variable("ANTHROPIC_AUTH_TOKEN"));
    assert_eq!(url, format!("http://127.0.0.1:{}", desktop.port), "{settings}");

    driver.see("Waiting for the first request").await;
    let mut body = asking("[[demo:text Ahoy.]]");
    body["stream"] = json!(false);
    let answer = desktop.http.post(format!("{url}/v1/messages")).bearer_auth(key).json(&body).send().await;
    let answer: Value = answer.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["content"][0]["text"], "Ahoy.", "{answer}");
    driver.see("got an answer of").await;

    driver.click_text("Go to the overview").await;
    at(&driver, "overview").await;
    driver.see(&format!("127.0.0.1:{}", desktop.port)).await;
    assert_eq!(desktop.demo.requests().len(), 0, "no other host was asked for anything");
}

/// The shell's own page, while there is no gateway: what is the matter, and what to do about it.
#[tokio::test]
async fn a_stopped_gateway_is_explained_in_the_window() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let mut driver = desktop.drive(&["codeferry://accounts"]).await;
    desktop.gateway().await;
    driver.page().await;
    driver.see("work@demo.test").await;
    desktop.tray().await.click(&["Stop"]).await;
    driver.see("Codeferry is stopped").await;
    assert!(driver.url().await.starts_with("tauri://localhost/"), "{}", driver.url().await);
    driver.click_text("Start").await;
    // Back where the person was.
    driver.see("work@demo.test").await;
    at(&driver, "accounts").await;
}

/// Somebody else has the port: another one is chosen in the window.
#[tokio::test]
async fn another_port_is_chosen_in_the_window() {
    let Some(mut desktop) = Desktop::start().await else { return };
    let _holder = std::net::TcpListener::bind(("127.0.0.1", desktop.port)).expect("a free port");
    let mut driver = desktop.drive(&[]).await;
    driver.page().await;
    driver.see(&format!("Port {} is taken", desktop.port)).await;
    driver.click_text("Use another port").await;
    let other = codeferry_tests::driver::free_port();
    driver.fill("input", &other.to_string()).await;
    driver.click_text("Use this port").await;
    desktop.port = other;
    desktop.gateway().await;
    until("the dashboard", async || {
        let url = driver.url().await;
        if url.starts_with(&format!("http://127.0.0.1:{other}/")) { Ok(()) } else { Err(url) }
    })
    .await;
}
