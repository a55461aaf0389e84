//! Clients of the real app: what the tray says of them, where a click leads, and what becomes of their files when it quits.

use std::path::PathBuf;

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::until;
use codeferry_tests::tray::Entry;
use reqwest::Method;
use serde_json::json;

/// As somebody keeps it: tabs, Windows line ends, no end of the last line.
const MINE: &str = "{\r\n\t\"model\": \"opus\",\r\n\t\"env\": {\"FOO\": 1}\r\n}";
const CLAUDE_CODE: [&str; 2] = ["Set up clients", "Claude Code"];

/// Claude Code's settings on that desktop, as [`MINE`].
fn settings(desktop: &Desktop) -> PathBuf {
    let folder = desktop.file("home/.claude");
    std::fs::create_dir(&folder).expect("a folder");
    let file = folder.join("settings.json");
    std::fs::write(&file, MINE).expect("a file");
    file
}

fn stands(file: &PathBuf) -> String {
    std::fs::read_to_string(file).expect("the file")
}

/// As the dashboard and the command line do it.
async fn set_up(desktop: &Desktop) {
    let done = desktop.control(Method::POST, "/clients/claude-code").json(&json!({})).send().await.expect("an answer");
    let (status, text) = (done.status(), done.text().await.expect("a body"));
    assert!(status.is_success(), "{text}");
}

fn comes_here(menu: &Entry) -> bool {
    menu.ticked(&CLAUDE_CODE)
}

/// Quit in the tray's menu takes back what is ours, if that was chosen; otherwise, and when it is the session that ends, nothing
/// is touched.
#[tokio::test]
async fn quitting_does_to_clients_what_was_chosen() {
    for (choice, by_menu) in [("revert", true), ("leave", true), ("revert", false)] {
        let Some(desktop) = Desktop::start().await else { return };
        desktop.set("clients_on_quit", choice);
        let file = settings(&desktop);
        let mut app = desktop.launch(&["--hidden"]).await;
        let tray = desktop.tray().await;
        desktop.gateway().await;
        set_up(&desktop).await;
        let ours = stands(&file);
        assert!(ours.contains(&format!("http://127.0.0.1:{}", desktop.port)), "{ours}");
        tray.until("the tick", comes_here).await;

        if by_menu {
            tray.click(&["Quit"]).await;
        } else {
            app.signal("TERM");
        }
        assert_eq!(app.code().await.0, Some(0), "{choice}: {}", app.log());
        let expected = if choice == "revert" && by_menu { MINE } else { &ours };
        assert_eq!(stands(&file), expected, "{choice}, {by_menu}: {}", app.log());
        let keys = std::fs::read_to_string(desktop.data().join("keys.json")).expect("the keys");
        assert_eq!(keys.contains("claude-code"), expected == ours, "its key goes with it: {keys}");

        // The next start sets nothing up again.
        let mut app = desktop.launch(&["--hidden"]).await;
        desktop.gateway().await;
        let here = expected == ours;
        desktop
            .tray()
            .await
            .until("the menu", |menu| menu.find(&CLAUDE_CODE).is_some() && comes_here(menu) == here)
            .await;
        assert_eq!(stands(&file), expected, "{choice}, {by_menu}: after a start");
        app.signal("TERM");
        assert_eq!(app.code().await.0, Some(0));
    }
}

/// A click on a client in the tray shows its page; only what is clicked there changes its file. The tick says where it goes, not
/// that it was clicked.
#[tokio::test]
async fn a_click_on_a_client_leads_to_its_page() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let file = settings(&desktop);
    let mut driver = desktop.drive(&["codeferry://usage"]).await;
    desktop.gateway().await;
    driver.page().await;
    let tray = desktop.tray().await;
    let at = async |end: &str| {
        until(&format!("the page at {end}"), async || {
            let url = driver.url().await;
            if url.ends_with(end) { Ok(()) } else { Err(url) }
        })
        .await;
    };

    tray.until("a client that goes its own way", |menu| menu.find(&CLAUDE_CODE).is_some() && !comes_here(menu)).await;
    tray.click(&CLAUDE_CODE).await;
    at("/#/clients/claude-code").await;
    driver.see("Goes its own way").await;
    tray.until("no tick", |menu| !comes_here(menu)).await;
    assert_eq!(stands(&file), MINE, "a click shows, and writes nothing");

    driver.click_text("Set up…").await;
    driver.see("ANTHROPIC_BASE_URL").await;
    driver.click_text("Change the file").await;
    driver.see("Claude Code is set up").await;
    // The button moves when the checks come.
    driver.see("Check again").await;
    driver.click_text("Done").await;
    tray.until("the tick", comes_here).await;

    // Somebody else leads it away: the tray says so, and the same click shows what differs.
    let ours = stands(&file);
    let away = ours.replace(&desktop.port.to_string(), "9");
    std::fs::write(&file, &away).expect("the file");
    let changed = |menu: &Entry| menu.find(&CLAUDE_CODE).is_some_and(|entry| entry.label.ends_with("(changed since)"));
    tray.until("that it has changed", changed).await;
    tray.click(&["Set up clients", "All clients…"]).await;
    at("/#/clients").await;
    tray.click(&CLAUDE_CODE).await;
    at("/#/clients/claude-code").await;
    driver.see("http://127.0.0.1:9").await;
    assert_eq!(stands(&file), away, "a look changes nothing");
    driver.click_text("Set up again…").await;
    driver.click_text("Change the file").await;
    driver.see("Claude Code is set up").await;
    // The button moves when the checks come.
    driver.see("Check again").await;
    driver.click_text("Done").await;
    assert_eq!(stands(&file), ours);

    driver.click_text("Undo…").await;
    driver.click_text("Change the file").await;
    driver.see("Claude Code is as it was before").await;
    // What somebody else had put there meanwhile is what stood there before.
    let theirs = "{\"FOO\": 1, \"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:9\"}";
    assert_eq!(stands(&file), MINE.replace("{\"FOO\": 1}", theirs));
    tray.until("no tick", |menu| menu.find(&CLAUDE_CODE).is_some() && !comes_here(menu)).await;
}
