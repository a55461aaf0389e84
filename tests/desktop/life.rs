//! From the start to the end: hidden or not, once or twice, and how it leaves.

use std::time::Duration;

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::{stays, until};
use codeferry_tests::process::{self, Memory};

/// The whole life of a window: none at the start, one by the tray, none after it was closed, and one again.
#[tokio::test]
async fn a_window_comes_and_goes_while_the_tray_stays() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let mut app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    desktop.gateway().await;
    assert_eq!(desktop.display.windows().await, [], "started hidden");
    assert_eq!(web(app.pid()), None, "no page before there is a window");

    tray.click(&["Open dashboard"]).await;
    let window = desktop.display.window("the dashboard", |title| title.contains("Codeferry")).await;
    // Loaded, that is; the process alone is small.
    until("a page", async || {
        let web = web(app.pid()).map(Memory::of).unwrap_or_default();
        if web.rss > 60 * 1024 { Ok(()) } else { Err(format!("{web:?}")) }
    })
    .await;
    // Once more is the same window.
    tray.click(&["Open dashboard"]).await;

    let with_window = Memory::with_children(app.pid());
    desktop.display.close(&window).await;
    desktop.display.no_window().await;
    until("the web process is gone", async || web(app.pid()).map_or(Ok(()), |pid| Err(pid.to_string()))).await;
    let after = Memory::with_children(app.pid());
    assert!(after.pss < with_window.pss, "memory falls: {with_window:?}, then {after:?}");
    assert!(app.runs() && desktop.port_is_open().await, "the tray stays, and the gateway serves");

    tray.click(&["Open dashboard"]).await;
    desktop.display.window("the dashboard again", |title| title.contains("Codeferry")).await;
    desktop.tray().await.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));
}

/// The process that shows a page of this one.
fn web(pid: u32) -> Option<u32> {
    process::children(pid).into_iter().find(|child| process::name(*child).starts_with("WebKitWebProc"))
}

#[tokio::test]
async fn a_second_launch_raises_the_window_of_the_first() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let mut first = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;

    // As at login: it is there already, and nobody wants to see it.
    assert_eq!(desktop.launch(&["--hidden"]).await.code().await.0, Some(0));
    assert_eq!(desktop.display.windows().await, []);

    assert_eq!(desktop.launch(&[]).await.code().await.0, Some(0));
    let window = desktop.display.window("the dashboard", |title| title.contains("Codeferry")).await;

    // Behind another window it is raised.
    let mut other = desktop.display.command("xmessage");
    let other = other.args(["-title", "In front", "hello"]).kill_on_drop(true).spawn();
    if other.is_ok() {
        let front = desktop.display.window("another window", |title| title == "In front").await;
        desktop.display.run("wmctrl", &["-i", "-a", &front.id]).await;
        is_active(&desktop, &front.id).await;
    }
    assert_eq!(desktop.launch(&[]).await.code().await.0, Some(0));
    is_active(&desktop, &window.id).await;
    let windows = desktop.display.windows().await;
    assert_eq!(windows.iter().filter(|it| it.title.contains("Codeferry")).count(), 1, "{windows:?}");
    assert!(first.runs());
    assert_eq!(desktop.panel.owners().len(), 1, "one icon");
}

async fn is_active(desktop: &Desktop, id: &str) {
    until("the window in front", async || {
        let active = desktop.display.active().await;
        if active == id { Ok(()) } else { Err(active) }
    })
    .await;
}

#[tokio::test]
async fn sigterm_lets_an_answer_finish() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let mut app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;

    let answer = desktop.say("[[demo:drip 20 100]]").send().await.expect("the gateway answers");
    assert_eq!(answer.status(), 200);
    app.signal("TERM");
    desktop.until_port(false).await;
    let text = match answer.text().await {
        Ok(text) => text,
        Err(error) => panic!("{error}: {:?}\n{}", app.ends().await, app.log()),
    };
    assert!(text.contains("message_stop") && !text.contains("event: error"), "{text}");
    assert_eq!(app.code().await.0, Some(0));
    assert_eq!(desktop.demo.violations(), []);
}

#[tokio::test]
async fn without_a_display_it_names_what_serves_without_one() {
    let Some(mut desktop) = Desktop::start().await else { return };
    for display in ["", ":4711"] {
        desktop.variables = vec![("DISPLAY".to_owned(), display.to_owned())];
        let mut app = desktop.launch(&[]).await;
        assert_eq!(app.code().await.0, Some(2), "{display:?}: {}", app.log());
        assert!(app.log().contains("codeferry serve"), "{}", app.log());
        std::fs::remove_file(desktop.file("app.log")).expect("a log");
    }
}

/// Somebody else has the port: it is said, and had as soon as they let go.
#[tokio::test]
async fn a_taken_port_is_shown_and_had_when_it_is_free() {
    let Some(desktop) = Desktop::start().await else { return };
    let holder = std::net::TcpListener::bind(("127.0.0.1", desktop.port)).expect("a free port");
    let _app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    let port = desktop.port.to_string();
    tray.until("the taken port in the tray", |menu| menu.entries[0].label.contains(&format!("port {port}"))).await;
    let notice = desktop.notifications.wait(&port).await;
    drop(holder);
    desktop.gateway().await;
    tray.until("that it runs", |menu| menu.find(&["Stop"]).is_some()).await;
    assert_eq!(desktop.notifications.with(&port), [notice], "it was said once");
}

/// Another gateway serves this folder: nothing is broken, and when it leaves we take its place.
#[tokio::test]
async fn a_folder_that_is_served_already_is_shown() {
    let Some(desktop) = Desktop::start().await else { return };
    let Some(server) = codeferry_tests::client("CODEFERRY_BIN", "the codeferry binary") else { return };
    let mut serve = tokio::process::Command::new(server);
    desktop.prepare(&mut serve);
    let mut serve =
        serve.arg("serve").stderr(std::process::Stdio::null()).kill_on_drop(true).spawn().expect("it starts");
    desktop.gateway().await;

    let mut app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    let whose = format!("another Codeferry serves at 127.0.0.1:{}", desktop.port);
    tray.until("whose it is", |menu| menu.entries[0].label.contains(&whose)).await;
    assert!(app.runs());
    process::signal(serve.id().expect("it runs"), "TERM");
    serve.wait().await.expect("it ends");
    tray.until("that it runs", |menu| menu.find(&["Stop"]).is_some()).await;
    desktop.gateway().await;
}

/// Idle it does nothing: see also the figures in `frugal`.
#[tokio::test]
async fn a_hidden_start_shows_no_window_later_either() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    stays("no window", Duration::from_secs(2), async || {
        let windows = desktop.display.windows().await;
        if windows.is_empty() { Ok(()) } else { Err(format!("{windows:?}")) }
    })
    .await;
}

/// Serving breaks off by itself: that is shown, and it begins anew, while the app stays.
#[tokio::test]
async fn a_broken_gateway_is_shown_and_comes_back() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let mut driver = desktop.drive(&[]).await;
    desktop.gateway().await;
    let pid = desktop.api("/status").await["pid"].clone();
    driver.page().await;
    let since = desktop.api("/status").await["started_at"].clone();
    process::signal(driver.pid(), "USR2");
    let tray = desktop.tray().await;
    tray.until("that it broke off", |menu| menu.entries[0].label.contains("broke off")).await;
    tray.until("that it runs", |menu| menu.find(&["Stop"]).is_some()).await;
    desktop.gateway().await;
    let status = desktop.api("/status").await;
    assert_eq!(status["pid"], pid, "the same process");
    assert_ne!(status["started_at"], since, "another gateway");
    assert_eq!(desktop.served_by("[[demo:text hi]]").await, "acc-work");
    until("the dashboard", async || {
        let url = driver.url().await;
        if url.starts_with("http://127.0.0.1:") { Ok(()) } else { Err(url) }
    })
    .await;
}
