//! The same in a real browser, which reaches loopback and nothing else: pages that need the network would show it.

use std::path::PathBuf;

use codeferry_demo::Route;
use codeferry_tests::World;
use codeferry_tests::browser::Browser;
use reqwest::Method;
use serde_json::json;

use crate::{end, nobody_home, ports};

/// A picture for whoever wants to look: in `CODEFERRY_TEST_PICTURES`, or nowhere.
async fn picture(browser: &mut Browser, name: &str) {
    let Some(folder) = std::env::var_os("CODEFERRY_TEST_PICTURES").map(PathBuf::from) else { return };
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        browser.picture(&folder.join(format!("{name}-{scheme}.png"))).await;
    }
}

/// It ended at our page, which says this, and nothing was asked of anybody else.
async fn ends_at_ours(browser: &mut Browser, words: &str) {
    let (text, url) = (browser.text().await, browser.url().await);
    assert!(text.contains(words), "{words}: {text}");
    assert!(url.contains("/auth/callback?"), "{url}");
    assert!(browser.requests.iter().all(|url| url.starts_with("http://127.0.0.1:")), "{:?}", browser.requests);
    // It lies on the screen as a whole.
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth <= innerWidth").await, true);
}

#[tokio::test]
async fn plan_in_a_browser() {
    let Some(mut browser) = Browser::start().await else { return };
    let world = nobody_home().await;
    world.demo.set_visitors(&["work", "home"]);

    let attempt = world.begin_browser("plan").await;
    browser.go(attempt.url.as_str()).await;
    assert!(browser.text().await.contains("Codeferry wants to sign you in"), "{}", browser.text().await);
    browser.click("#continue-home").await;
    ends_at_ours(&mut browser, "Signed in").await;
    picture(&mut browser, "done").await;
    let done = world.stage(&attempt).await;
    assert_eq!(done["state"], "done");
    assert_eq!(world.accounts().await[0]["email"], "home@demo.test");

    // Back and forth again: the page says that it is over.
    let url = browser.url().await;
    browser.go(&url).await;
    ends_at_ours(&mut browser, "Too late").await;
    picture(&mut browser, "late").await;

    // The person changes their mind.
    let attempt = world.begin_browser("plan").await;
    browser.go(attempt.url.as_str()).await;
    browser.click("#cancel").await;
    ends_at_ours(&mut browser, "The user cancelled the sign-in").await;
    picture(&mut browser, "failed").await;
    assert_eq!(world.stage(&attempt).await["state"], "failed");

    // The box that lets us use the plan is not ticked.
    let attempt = world.begin_browser("plan").await;
    browser.go(attempt.url.as_str()).await;
    browser.evaluate("document.querySelector('#plan-usage').checked = false").await;
    browser.click("#continue-work").await;
    ends_at_ours(&mut browser, "did not allow the use of the plan").await;
    picture(&mut browser, "not-granted").await;
    assert!(world.stage(&attempt).await["notice"].is_string());
    end(world).await;
}

#[tokio::test]
async fn codex_in_a_browser() {
    let Some(mut browser) = Browser::start().await else { return };
    let _ports = ports::PORTS.lock().await;
    let world = nobody_home().await;
    let attempt = world.begin_browser("codex").await;
    browser.go(attempt.url.as_str()).await;
    browser.click("#continue-work").await;
    ends_at_ours(&mut browser, "Signed in").await;
    assert_eq!(world.stage(&attempt).await["state"], "done");
    end(world).await;
}

/// The page of the device code is the host's own; it is typed there by hand.
#[tokio::test]
async fn a_device_code_in_a_browser() {
    let Some(mut browser) = Browser::start().await else { return };
    let world: World = nobody_home().await;
    let attempt = world.begin(json!({"kind": "codex", "method": "device"})).await;
    browser.go(attempt.url.as_str()).await;
    let code = attempt.user_code.clone().unwrap();
    browser.evaluate(&format!("document.querySelector('input[type=text]').value = '{code}'")).await;
    browser.click("#continue-work").await;
    crate::device::next_poll(&world).await;
    let stages = world.stages(&attempt).await;
    assert_eq!(stages.last().unwrap()["state"], "done", "{stages:?}");
    assert!(world.demo.requests().iter().any(|request| request.route == Route::DevicePage));
    end(world).await;
}

/// What a hostile page puts into the callback is text on ours: nothing of it runs, and nothing is fetched for it.
#[tokio::test]
async fn nothing_runs_on_our_page() {
    let Some(mut browser) = Browser::start().await else { return };
    let world = nobody_home().await;
    let attempt = world.begin_browser("plan").await;
    let hostile =
        "<script>document.title='pwned'</script><img src='http://127.0.0.1:9/x' onerror=\"document.title='pwned'\">";
    let url = attempt.callback(&[("error", "server_error"), ("error_description", hostile)]);
    browser.go(url.as_str()).await;
    ends_at_ours(&mut browser, "<script>document.title='pwned'</script>").await;
    picture(&mut browser, "hostile").await;
    assert_eq!(browser.evaluate("document.title").await, "The sign-in did not work · Codeferry");
    assert!(!browser.requests.iter().any(|url| url.contains(":9/")), "{:?}", browser.requests);
    let deleted = world.control(Method::DELETE, &format!("/accounts/sign-in/{}", attempt.id)).send().await.unwrap();
    assert_eq!(deleted.status(), 204, "an attempt that has ended can be given up all the same");
    assert_eq!(world.stage(&attempt).await["state"], "failed");
    end(world).await;
}
