//! The icon, what stands beside it, and that the menu is never taken away to be changed.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::{stays, until};
use codeferry_tests::process;
use codeferry_tests::tray::{Entry, Tray};
use reqwest::Method;
use serde_json::json;

/// The pixels of the picture that is shown.
async fn picture(tray: &Tray) -> (PathBuf, Vec<u8>) {
    until("a picture", async || {
        let file = tray.icon().await;
        // It may be replaced while we look.
        std::fs::read(&file).map(|bytes| (file, bytes)).map_err(|error| error.to_string())
    })
    .await
}

async fn set(desktop: &Desktop, key: &str, value: serde_json::Value) {
    let put = desktop.control(Method::PUT, &format!("/settings/{key}")).json(&json!({ "value": value }));
    assert!(put.send().await.expect("an answer").status().is_success(), "{key}");
}

/// Bars, ink and the text follow the settings at once; while nothing changes, nothing is drawn.
#[tokio::test]
async fn the_icon_and_its_text_follow_the_settings() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work"]).await else { return };
    desktop.served_by("[[demo:text hi]]").await;
    tray.until("the windows", |menu| menu.to_string().contains("5 h 12 % · week 34 %")).await;
    assert_eq!(tray.title().await, "", "nothing unless somebody wants it");

    for (choice, text) in [("both", "12 % · 34 %"), ("5h", "12 %"), ("week", "34 %"), ("worst", "34 %"), ("off", "")] {
        set(&desktop, "desktop.tray_title", json!(choice)).await;
        until(&format!("the text for {choice}"), async || {
            let title = tray.title().await;
            if title == text { Ok(()) } else { Err(title) }
        })
        .await;
    }

    let mut seen = vec![picture(&tray).await.1];
    for (key, value) in
        [("desktop.tray_bars", json!(true)), ("desktop.tray_ink", json!("dark")), ("desktop.tray_ink", json!("light"))]
    {
        set(&desktop, key, value).await;
        let new = until(key, async || {
            let (_, pixels) = picture(&tray).await;
            if seen.contains(&pixels) { Err("the same picture".to_owned()) } else { Ok(pixels) }
        })
        .await;
        seen.push(new);
    }

    let (file, _) = picture(&tray).await;
    stays("the picture", Duration::from_secs(1), async || {
        let now = tray.icon().await;
        if now == file { Ok(()) } else { Err(now.display().to_string()) }
    })
    .await;
}

/// The picture while a request is under way is another one, and so is that of a gateway that does not run.
#[tokio::test]
async fn the_icon_tells_the_state() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work"]).await else { return };
    tray.until("that it runs", |menu| menu.entries[0].label.starts_with('●')).await;
    let idle = picture(&tray).await.1;
    let other = async |than: &[Vec<u8>]| {
        until("another picture", async || {
            let (_, pixels) = picture(&tray).await;
            if than.contains(&pixels) { Err("the same picture".to_owned()) } else { Ok(pixels) }
        })
        .await
    };

    let answer = desktop.say("[[demo:drip 30 100]]").send().await.expect("the gateway answers");
    let busy = other(std::slice::from_ref(&idle)).await;
    answer.text().await.expect("the whole answer");
    until("the quiet picture", async || {
        let (_, pixels) = picture(&tray).await;
        if pixels == idle { Ok(()) } else { Err("still another".to_owned()) }
    })
    .await;
    tray.click(&["Stop"]).await;
    tray.until("that it stands", |menu| menu.entries[0].label.contains("Stopped")).await;
    other(&[idle, busy]).await;
}

/// A panel that shows the menu would lose the line under the pointer if it were drawn anew.
#[tokio::test]
async fn labels_change_in_place() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work", "home"]).await else { return };
    let known = |menu: &Entry, begins: &str| menu.find(&[begins]).map(|entry| (entry.id, entry.label.clone()));
    let menu = tray.until("the accounts", |menu| menu.find(&["home@"]).is_some()).await;
    let ids: Vec<_> = menu.entries.iter().map(|entry| entry.id).collect();
    let (account, label) = known(&menu, "work@").expect("it is there");
    let family = menu.find(&["Models and effort", "Haiku"]).expect("it is there").id;

    desktop.served_by("[[demo:text hi]]").await;
    let menu = tray.until("the windows", |menu| known(menu, "work@").is_some_and(|(_, now)| now != label)).await;
    assert_eq!(known(&menu, "work@").map(|(id, _)| id), Some(account), "another label of the same line");
    set(&desktop, "route.haiku", json!("gpt-6-sol:high")).await;
    let leads = ["Models and effort", "Haiku: gpt-6-sol · high"];
    let menu = tray.until("where haiku leads", |menu| menu.find(&leads).is_some()).await;
    assert_eq!(menu.find(&leads).map(|entry| entry.id), Some(family));

    // With signs that mean something to toolkits.
    for name in ["R&D_team", "a__b && <c>"] {
        let accounts = desktop.api("/accounts").await;
        let id =
            accounts["accounts"].as_array().unwrap().iter().find(|one| one["active"] == true).unwrap()["id"].clone();
        let path = format!("/accounts/{}/label", id.as_str().unwrap());
        let named = desktop.control(Method::POST, &path).json(&json!({ "label": name }));
        assert!(named.send().await.expect("an answer").status().is_success());
        let menu = tray.until(name, |menu| menu.find(&[name]).is_some()).await;
        assert_eq!(known(&menu, name).map(|(id, _)| id), Some(account));
    }
    let now: Vec<_> = tray.menu().await.entries.iter().map(|entry| entry.id).collect();
    assert_eq!(now, ids, "no line was made anew");
}

/// What a test of an account came to is told, whether it is good or bad.
#[tokio::test]
async fn a_test_of_an_account_is_told() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work"]).await else { return };
    tray.click(&["work@", "Test now"]).await;
    let told = desktop.notifications.wait("works").await;
    assert!(told.summary.contains("work@demo.test works"), "{told:?}");
}

/// The tick follows Claude Code's own file, whoever changes it.
#[tokio::test]
async fn claude_code_is_ticked_while_it_comes_here() {
    let Some(desktop) = Desktop::start().await else { return };
    let _app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    desktop.gateway().await;
    let claude = ["Set up clients", "Claude Code"];
    tray.until("a place for the tick", |menu| menu.find(&claude).is_some() && !menu.ticked(&claude)).await;
    let ask = async |path: &str| {
        // An old path: it is not under `/api`.
        let mut request = desktop.control(Method::POST, "").build().expect("a request");
        request.url_mut().set_path(path);
        let done = desktop.http.execute(request).await.expect("an answer");
        assert!(done.status().is_success(), "{path}");
    };
    ask("/claude/config/proxy").await;
    tray.until("the tick", |menu| menu.ticked(&claude)).await;
    ask("/claude/config/direct").await;
    tray.until("that it is gone", |menu| !menu.ticked(&claude)).await;
}

#[tokio::test]
async fn the_address_can_be_pasted() {
    let Some(desktop) = Desktop::start().await else { return };
    if process::on_path("xclip").is_none() {
        return eprintln!("skipped: xclip is not there (Debian: xclip)");
    }
    let _app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    let url = desktop.gateway().await;
    tray.click(&["Copy base URL"]).await;
    until("the address on the clipboard", async || {
        let mut paste = desktop.display.command("xclip");
        let pasted = paste
            .args(["-o", "-selection", "clipboard"])
            .stdout(Stdio::piped())
            .output()
            .await
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&pasted.stdout).into_owned();
        if text == url { Ok(()) } else { Err(text) }
    })
    .await;
}
