//! Shortcuts that work whatever program is in front, on X11: asked for when they are set, given back when they are not.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::time::Duration;

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::{stays, until};
use reqwest::Method;
use serde_json::json;

/// Changes a setting while the app runs.
async fn set(desktop: &Desktop, key: &str, value: &str) {
    let changed = desktop.control(Method::PUT, &format!("/settings/{key}")).json(&json!({"value": value}));
    let answer = changed.send().await.expect("the gateway answers");
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
}

async fn press(desktop: &Desktop, keys: &str) {
    desktop.display.run("xdotool", &["key", keys]).await;
}

/// The window, as soon as these keys open one: when the system gives them to us is not told.
async fn opens(desktop: &Desktop, keys: &str) {
    until(&format!("a window by {keys}"), async || {
        press(desktop, keys).await;
        let windows = desktop.display.windows().await;
        if windows.iter().any(|window| window.title.contains("Codeferry")) {
            Ok(())
        } else {
            Err(format!("{windows:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn keys_open_the_dashboard_from_the_moment_they_are_set() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    press(&desktop, "ctrl+alt+k").await;
    set(&desktop, "desktop.shortcut.dashboard", "Ctrl+Alt+K").await;
    opens(&desktop, "ctrl+alt+k").await;

    // Other keys, and the old ones are given back.
    let window = desktop.display.window("the dashboard", |title| title.contains("Codeferry")).await;
    desktop.display.close(&window).await;
    desktop.display.no_window().await;
    set(&desktop, "desktop.shortcut.dashboard", "Ctrl+Alt+J").await;
    opens(&desktop, "ctrl+alt+j").await;
    let window = desktop.display.window("the dashboard", |title| title.contains("Codeferry")).await;
    desktop.display.close(&window).await;
    desktop.display.no_window().await;
    stays("no window by old keys", Duration::from_secs(1), async || {
        press(&desktop, "ctrl+alt+k").await;
        let windows = desktop.display.windows().await;
        if windows.is_empty() { Ok(()) } else { Err(format!("{windows:?}")) }
    })
    .await;
    assert_eq!(desktop.notifications.with("does not work"), []);
}

#[tokio::test]
async fn keys_switch_to_the_next_account_and_say_so() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    desktop.sign_in("home").await;
    desktop.set("desktop.shortcut.switch", "CmdOrCtrl+Shift+F7");
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    assert_eq!(desktop.served_by("[[demo:text hi]]").await, "acc-work");
    until("the other account", async || {
        press(&desktop, "ctrl+shift+F7").await;
        let told = desktop.notifications.with("home@demo.test is active");
        if told.is_empty() { Err(desktop.log()) } else { Ok(()) }
    })
    .await;
    // More than one press may be under way; what was told last is so.
    until("what is so", async || {
        let accounts = desktop.api("/accounts").await;
        let active = accounts["accounts"].as_array().expect("a list").iter().find(|account| account["active"] == true);
        let told = desktop.notifications.all();
        let last = told.last().map(|notice| notice.summary.clone()).unwrap_or_default();
        let email = active.and_then(|account| account["email"].as_str()).unwrap_or_default();
        if last == format!("{email} is active") { Ok(()) } else { Err(format!("{last}; {email}")) }
    })
    .await;
}

#[tokio::test]
async fn keys_that_another_program_has_are_said_to_be_taken() {
    let Some(first) = Desktop::start().await else { return };
    let Some(mut second) = Desktop::start().await else { return };
    // The same screen, and sessions of their own: two programs that know nothing of one another.
    second.variables = vec![("DISPLAY".to_owned(), first.display.name().to_owned())];
    for desktop in [&first, &second] {
        desktop.set("desktop.shortcut.dashboard", "Ctrl+Alt+K");
    }
    let _one = first.launch(&["--hidden"]).await;
    first.gateway().await;
    until("the keys", async || if first.log().contains("shortcut keys=") { Ok(()) } else { Err(first.log()) }).await;
    let _other = second.launch(&["--hidden"]).await;
    let notice = second.notifications.wait("Ctrl+Alt+K does not work").await;
    assert!(notice.body.contains("Another program has Ctrl+Alt+K"), "{notice:?}");
    assert_eq!(first.notifications.with("does not work"), []);
}

#[tokio::test]
async fn on_wayland_the_way_around_is_named() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.variables = vec![("XDG_SESSION_TYPE".to_owned(), "wayland".to_owned())];
    desktop.set("desktop.shortcut.dashboard", "Ctrl+Alt+K");
    let _app = desktop.launch(&["--hidden"]).await;
    let notice = desktop.notifications.wait("does not work").await;
    assert!(notice.body.contains("Wayland") && notice.body.contains("codeferry-desktop"), "{notice:?}");
}
