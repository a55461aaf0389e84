//! The window's session: it ends like a browser's, and the window is let in again.

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::until;
use reqwest::Method;

#[tokio::test]
async fn a_session_that_has_ended_is_renewed_where_the_window_is() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("ada").await;
    let mut driver = desktop.drive(&["codeferry://accounts"]).await;
    desktop.gateway().await;
    driver.page().await.see("Add account").await;
    driver.js("window.old = true").await.expect("a page");
    let ended = desktop.control(Method::POST, "/session/end").header("x-codeferry", "1").send().await;
    assert_eq!(ended.expect("an answer").status(), 204);
    until("another page at the same place", async || {
        let old = driver.js("return window.old === true").await?;
        if old == false { Ok(()) } else { Err("the old page".to_owned()) }
    })
    .await;
    driver.see("Add account").await;
    assert!(driver.url().await.ends_with("/#/accounts"), "{}", driver.url().await);
    assert!(!driver.text().await.contains("session has ended"));
    assert!(desktop.opened().is_empty(), "nothing was opened elsewhere: {:?}", desktop.opened());
}
