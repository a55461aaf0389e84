//! The tray, read and clicked as a panel does.

use std::time::{Duration, Instant};

use codeferry_demo::AccountKind;
use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::{stays, until};
use codeferry_tests::tray::{Entry, Tray};
use reqwest::Method;

/// More lines nobody reads.
const LINES: usize = 12;

#[tokio::test]
async fn it_says_how_it_stands() {
    let Some(desktop) = Desktop::start().await else { return };
    let _app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    let address = format!("127.0.0.1:{}", desktop.port);
    let menu = tray.until("that nobody is signed in", |menu| menu.entries[0].label.contains("No account yet")).await;
    assert!(menu.entries[0].label.contains(&address) && !menu.entries[0].enabled, "{menu}");
    for line in ["Stop", "Copy base URL", "Add account", "Open dashboard", "Settings", "Quit"] {
        assert!(menu.find(&[line]).is_some_and(|entry| entry.enabled), "{line}: {menu}");
    }
    assert!(menu.find(&["Restart to update"]).is_none(), "nothing to update to: {menu}");
    assert!(tray.icon().await.is_file(), "there is a picture");
}

/// What a request told of the windows stands beside the account; with many accounts the menu stays short.
#[tokio::test]
async fn accounts_stand_with_what_is_left() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work", "home"]).await else { return };
    desktop.served_by("[[demo:text hi]]").await;
    let menu = tray.until("the windows", |menu| label(menu, "work@").contains("5 h 12 %")).await;
    assert!(label(&menu, "work@").contains("week 34 %") && menu.lines() <= LINES, "{menu}");
    let account = menu.find(&["work@"]).expect("it is there");
    assert!(account.to_string().contains("resets"), "when they begin anew: {menu}");

    for name in ["one", "two", "three", "four", "five", "six"] {
        let account = desktop.demo.sign_in(AccountKind::Codex, name);
        let file = desktop.file(name);
        account.write(&file).expect("a sign-in file");
    }
    // As a person does beside the running app.
    if let Some(program) = codeferry_tests::client("CODEFERRY_BIN", "the codeferry binary") {
        for name in ["one", "two", "three", "four", "five", "six"] {
            let mut import = tokio::process::Command::new(&program);
            desktop.prepare(&mut import);
            let import = import.args(["accounts", "import"]).arg(desktop.file(name)).output().await.expect("it starts");
            assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
        }
        let menu = tray.until("eight accounts", |menu| menu.to_string().matches("@demo.test").count() == 8).await;
        assert!(menu.lines() <= LINES, "{menu}");
        assert!(menu.find(&["work@"]).is_some(), "who pays is always to be seen: {menu}");
    }
}

fn label(menu: &Entry, begin: &str) -> String {
    menu.find(&[begin]).map(|entry| entry.label.clone()).unwrap_or_default()
}

/// The mark moves, and the next request is paid by the other plan.
#[tokio::test]
async fn a_click_switches_the_account_that_pays() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work", "home"]).await else { return };
    assert_eq!(desktop.served_by("[[demo:text hi]]").await, "acc-work");
    for (name, other) in [("home", "work"), ("work", "home")] {
        tray.click(&[&format!("{name}@"), "Use this account"]).await;
        tray.until("the mark", |menu| {
            menu.ticked(&[&format!("{name}@"), "Use this account"])
                && !menu.ticked(&[&format!("{other}@"), "Use this account"])
        })
        .await;
        assert_eq!(desktop.served_by("[[demo:text hi]]").await, format!("acc-{name}"));
    }
    tray.click(&["work@", "Pause"]).await;
    tray.until("that it is paused", |menu| label(menu, "work@").contains("paused")).await;
    tray.click(&["work@", "Resume"]).await;
    tray.until("that it is not", |menu| menu.find(&["work@", "Pause"]).is_some()).await;
}

#[tokio::test]
async fn stop_closes_the_port_and_start_opens_it() {
    let Some((desktop, mut app, tray)) = Desktop::in_tray(&["work"]).await else { return };
    tray.click(&["Stop"]).await;
    desktop.until_port(false).await;
    tray.until("that it stands", |menu| menu.entries[0].label.contains("Stopped")).await;
    tray.click(&["Start"]).await;
    desktop.gateway().await;
    tray.until("that it runs", |menu| menu.find(&["Stop"]).is_some()).await;
    assert_eq!(desktop.served_by("[[demo:text hi]]").await, "acc-work");
    tray.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));
    assert!(!desktop.port_is_open().await);
}

/// One click on what stands still, and the mark it makes. A list that is put into another order under the pointer is another
/// matter: the catalogue is there once the menu has stayed as it is for a second.
async fn choose(tray: &Tray, path: &[&str]) {
    let mut seen = tray.menu().await.to_string();
    let mut since = Instant::now();
    until("a menu that stands still", async || {
        let now = tray.menu().await.to_string();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        if since.elapsed() >= Duration::from_secs(1) { Ok(()) } else { Err(seen.clone()) }
    })
    .await;
    tray.click(path).await;
    tray.until("the mark", |menu| menu.ticked(path)).await;
}

/// The model that Claude Code's names lead to, and its effort.
#[tokio::test]
async fn a_click_changes_model_and_effort() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work"]).await else { return };
    desktop.served_by("[[demo:text hi]]").await;
    let menu = tray.until("models", |menu| menu.find(&["Models and effort", "Opus"]).is_some()).await;
    let models = &menu.find(&["Models and effort", "Opus"]).expect("it is there").entries;
    let other = models.iter().find(|entry| entry.enabled && entry.checked == Some(false)).expect("another model");
    let name = other.label.clone();
    choose(&tray, &["Models and effort", "Opus", &name]).await;
    is_set(&desktop, &name).await;
    desktop.served_by("[[demo:text hi]]").await;
    let asked = desktop.demo.model_requests().last().expect("a request").json()["model"].clone();
    assert_eq!(asked, name.as_str());
    choose(&tray, &["Models and effort", "Opus", "low"]).await;
    is_set(&desktop, "low").await;
}

/// Waits until the route says so: a toolkit turns a tick over before anything has happened.
async fn is_set(desktop: &Desktop, words: &str) {
    until("the setting", async || {
        let route = desktop.api("/settings/route.opus").await["value"].to_string();
        if route.contains(words) { Ok(()) } else { Err(route) }
    })
    .await;
}

/// An answer runs: whoever quits is asked, may stay, or lets it finish.
#[tokio::test]
async fn quit_asks_while_an_answer_runs_and_lets_it_finish() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    desktop.sign_in("work").await;
    let mut app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    desktop.gateway().await;
    let answer = desktop.say("[[demo:drip 60 100]]").send().await.expect("the gateway answers");
    assert_eq!(answer.status(), 200);
    let asked = |title: &str| title.contains("Quit Codeferry");

    tray.click(&["Quit"]).await;
    let window = desktop.display.window("a question", asked).await;
    desktop.display.close(&window).await;
    desktop.display.no_window().await;
    stays("it stays", Duration::from_millis(500), async || {
        if desktop.port_is_open().await { Ok(()) } else { Err("it has left".to_owned()) }
    })
    .await;

    tray.click(&["Quit"]).await;
    let window = desktop.display.window("a question", asked).await;
    desktop.display.run("wmctrl", &["-i", "-a", &window.id]).await;
    desktop.display.run("xdotool", &["key", "--clearmodifiers", "Return"]).await;
    desktop.until_port(false).await;
    assert!(app.runs(), "the answer is under way");
    let text = answer.text().await.expect("the whole answer");
    assert!(text.contains("message_stop") && !text.contains("event: error"), "{text}");
    assert_eq!(app.code().await.0, Some(0));
}

/// What other programs change is seen here, and in place: an open menu is not taken away.
#[tokio::test]
async fn it_follows_what_others_change() {
    let Some((desktop, _app, tray)) = Desktop::in_tray(&["work"]).await else { return };
    tray.until("the account", |menu| menu.find(&["work@"]).is_some()).await;
    let pause = desktop.control(Method::POST, "/accounts/work@demo.test/pause").send().await.expect("an answer");
    assert!(pause.status().is_success());
    tray.until("that it is paused", |menu| label(menu, "work@").contains("paused")).await;
    let remove = desktop.control(Method::DELETE, "/accounts/work@demo.test").send().await.expect("an answer");
    assert!(remove.status().is_success());
    tray.until("that it is gone", |menu| menu.find(&["work@"]).is_none()).await;
    until("the state line", async || {
        let line = tray.menu().await.entries[0].label.clone();
        if line.contains("No account yet") { Ok(()) } else { Err(line) }
    })
    .await;
}
