//! Signing in: in a window of the app's own, which shows the simulated auth host, and in the person's browser.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Uri, header};
use axum::response::IntoResponse;
use codeferry_tests::desktop::Desktop;
use codeferry_tests::display::Window;
use codeferry_tests::driver::Driver;
use codeferry_tests::patience::until;
use codeferry_tests::process::{children, name};

/// A desktop on which the sign-in window can be driven. As people have it, it is private, and no driver gets in.
async fn attachable() -> Option<Desktop> {
    let mut desktop = Desktop::start().await?;
    desktop.display.manage_windows().await;
    desktop.variables = vec![("CODEFERRY_SIGN_IN_ATTACHABLE".to_owned(), "1".to_owned())];
    desktop.demo.set_visitors(&["work", "home"]);
    Some(desktop)
}

/// The sign-in window, by what its title says: the real host.
async fn window(desktop: &Desktop) -> Window {
    let host = desktop.demo.address().to_string();
    desktop.display.window("the sign-in window", |title| title.starts_with(&host)).await
}

/// Clicks on one of the two buttons in the row above the page.
async fn press(desktop: &Desktop, window: &Window, button: &str) {
    let geometry = desktop.display.run("xdotool", &["getwindowgeometry", "--shell", &window.id]).await;
    let width =
        geometry.lines().find_map(|line| line.strip_prefix("WIDTH=")).and_then(|width| width.parse::<i64>().ok());
    let width = width.expect("its width");
    let right = if button == "Cancel" { 35 } else { 150 };
    let at = (width - right).to_string();
    desktop.display.run("xdotool", &["mousemove", "--window", &window.id, &at, "23", "click", "1"]).await;
}

/// Waits until it is closed.
async fn until_it_is_gone(desktop: &Desktop) {
    let host = desktop.demo.address().to_string();
    until("the sign-in window is gone", async || {
        let windows = desktop.display.windows().await;
        if windows.iter().any(|window| window.title.contains(&host)) { Err(format!("{windows:?}")) } else { Ok(()) }
    })
    .await;
}

/// From the tray through the pages of the auth host to an account that pays.
#[tokio::test]
async fn an_account_is_added_in_a_window() {
    let Some(desktop) = attachable().await else { return };
    let mut driver = desktop.drive(&["--hidden"]).await;
    desktop.gateway().await;
    let tray = desktop.tray().await;
    tray.click(&["Add account"]).await;
    driver.page().await;
    driver.see("Codeferry wants to sign you in").await;
    let shown = window(&desktop).await;
    assert!(shown.title.contains("Sign in to ChatGPT"), "{shown:?}");

    // The page has no right to anything of ours.
    let script = "return window.__TAURI_INTERNALS__ \
                  ? window.__TAURI_INTERNALS__.invoke('shell_state').then(() => 'answered', why => 'refused: ' + why) \
                  : 'nothing there'";
    let asked = driver.js(script).await.expect("it runs");
    assert_ne!(asked, "answered", "the page of a foreign host may ask nothing");

    driver.click("#continue-work").await;
    tray.until("the account", |menu| menu.find(&["work@"]).is_some()).await;
    until_it_is_gone(&desktop).await;
    desktop.display.window("the dashboard shows it", |title| title == "Codeferry").await;
    assert_eq!(desktop.api("/accounts").await["accounts"][0]["email"], "work@demo.test");
    let answer = desktop.say("[[demo:text hi]]").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(desktop.opened(), Vec::<String>::new(), "no browser was needed");
    assert_eq!(desktop.demo.violations(), []);
}

/// The window goes to the auth host and nowhere else; where it does not go is said, with the browser as the way out.
#[tokio::test]
async fn it_goes_nowhere_else() {
    let Some(desktop) = attachable().await else { return };
    let mut driver = desktop.drive(&["--hidden"]).await;
    desktop.gateway().await;
    desktop.tray().await.click(&["Add account"]).await;
    driver.page().await;
    driver.see("Codeferry wants to sign you in").await;
    let before = driver.url().await;
    // A page that leads away, as a link or a script of it does.
    driver.js("location.href = 'https://login.acme.example/start'").await.expect("it runs");
    let question = |title: &str| title.contains("in your browser only");
    let dialog = desktop.display.window("a question", question).await;
    assert_eq!(driver.url().await, before, "the window stays where it was");
    // Return is the first answer: the browser.
    desktop.display.run("wmctrl", &["-i", "-a", &dialog.id]).await;
    desktop.display.run("xdotool", &["key", "--clearmodifiers", "Return"]).await;
    until("the browser", async || {
        let opened = desktop.opened();
        if opened.len() == 1 { Ok(()) } else { Err(format!("{opened:?}")) }
    })
    .await;
    let address = desktop.opened().remove(0);
    assert!(address.starts_with(&desktop.demo.auth_url()), "the sign-in from its beginning: {address}");
    until_it_is_gone(&desktop).await;

    // There the person goes on.
    let done = desktop.http.get(format!("{address}&demo=allow&demo_account=home")).send().await.expect("a page");
    assert!(done.status().is_success());
    desktop.tray().await.until("the account", |menu| menu.find(&["home@"]).is_some()).await;
}

/// Both ways out that stand above the page.
#[tokio::test]
async fn the_ways_out_are_in_the_window() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    let tray = desktop.tray().await;
    tray.click(&["Add account"]).await;
    let shown = window(&desktop).await;
    press(&desktop, &shown, "Cancel").await;
    until_it_is_gone(&desktop).await;
    assert_eq!(desktop.opened(), Vec::<String>::new());

    tray.click(&["Add account"]).await;
    let shown = window(&desktop).await;
    press(&desktop, &shown, "Use my browser instead").await;
    until_it_is_gone(&desktop).await;
    until("the browser", async || desktop.opened().pop().ok_or_else(String::new)).await;
}

/// A page may not open windows, and is asked about before it runs into a provider that refuses such windows.
#[tokio::test]
async fn popups_stay_in_the_window_and_google_is_for_the_browser() {
    let Some(desktop) = attachable().await else { return };
    let mut driver = desktop.drive(&["--hidden"]).await;
    desktop.gateway().await;
    desktop.tray().await.click(&["Add account"]).await;
    driver.page().await;
    driver.see("Codeferry wants to sign you in").await;
    let link = |id: &str, to: &str| {
        format!(
            "document.body.insertAdjacentHTML('afterbegin', '<a id={id} target=_blank href=\"{to}\">{id}</a>'); return 1"
        )
    };
    driver.js(&link("google", "https://accounts.google.com/o/oauth2/v2/auth")).await.expect("it runs");
    driver.click("#google").await;
    let dialog = desktop.display.window("a question", |title| title == "This works in your browser only").await;
    desktop.display.run("wmctrl", &["-i", "-a", &dialog.id]).await;
    desktop.display.run("xdotool", &["key", "--clearmodifiers", "Escape"]).await;
    window(&desktop).await;
    assert_eq!(desktop.opened(), Vec::<String>::new(), "the person stays");

    driver.js(&link("more", "/somewhere/else")).await.expect("it runs");
    driver.click("#more").await;
    until("the same window is there", async || {
        let url = driver.url().await;
        if url.ends_with("/somewhere/else") { Ok(()) } else { Err(url) }
    })
    .await;
    let windows = desktop.display.windows().await;
    assert_eq!(windows.len(), 1, "{windows:?}");
}

/// What pages of the auth host have seen of earlier visits.
type Seen = Arc<Mutex<Vec<String>>>;

/// An auth host whose page marks its visitors in every way it can; where it is, and what it sees.
async fn marking_host() -> (String, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let page = async move |uri: Uri, headers: HeaderMap| {
        let cookie = headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok()).unwrap_or("none");
        match uri.path() {
            "/seen" => noted.lock().unwrap().push(format!("stored {}", uri.query().unwrap_or_default())),
            path if path.ends_with("authorize") => noted.lock().unwrap().push(format!("cookie {cookie}")),
            _ => {}
        }
        let script = "const before = localStorage.mark || 'none'; localStorage.mark = 'mark'; fetch('/seen?' + before)";
        let marks = [(header::SET_COOKIE, "mark=mark; Max-Age=99999; Path=/"), (header::CONTENT_TYPE, "text/html")];
        (marks, format!("<!doctype html><p>Marked</p><script>{script}</script>")).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::task::spawn(async move { axum::serve(listener, Router::new().fallback(page)).await });
    (url, seen)
}

/// What a page stores belongs to its window and goes with it, and so do the engine's processes.
#[tokio::test]
async fn a_window_keeps_nothing() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let (url, seen) = marking_host().await;
    desktop.variables = vec![("CODEFERRY_AUTH_URL".to_owned(), url)];
    let app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    let tray = desktop.tray().await;
    for visit in 1..=3 {
        tray.click(&["Add account"]).await;
        let shown = desktop.display.window("the sign-in window", |title| title.starts_with("127.0.0.1:")).await;
        until("it was marked", async || {
            let seen = seen.lock().unwrap().clone();
            if seen.len() == 2 * visit { Ok(()) } else { Err(format!("{seen:?}")) }
        })
        .await;
        desktop.display.close(&shown).await;
        desktop.display.no_window().await;
    }
    let seen = seen.lock().unwrap().clone();
    assert!(seen.iter().all(|seen| seen.ends_with("none")), "nobody is known from before: {seen:?}");
    until("what the engine has written is gone", async || {
        let left = desktop.data().join("sign-in/engine");
        if left.exists() { Err(left.display().to_string()) } else { Ok(()) }
    })
    .await;
    // One for the network stays, for the next time.
    until("the processes are gone", async || {
        let names: Vec<String> = children(app.pid()).into_iter().map(name).collect();
        let web = names.iter().filter(|name| name.starts_with("WebKit")).count();
        if web <= 1 { Ok(()) } else { Err(format!("{names:?}")) }
    })
    .await;
}

/// From the dashboard: the window beside it, the person's own browser instead, and the account in the list.
#[tokio::test]
async fn the_dashboard_follows_a_sign_in_to_its_end() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    let mut driver = desktop.drive(&["codeferry://accounts"]).await;
    desktop.gateway().await;
    driver.page().await;
    driver.click_text("Add account").await;
    driver.click_text("Continue with ChatGPT").await;
    driver.see("Waiting for you in the sign-in window").await;
    let shown = window(&desktop).await;

    // Closed without an answer: given up, and said.
    desktop.display.close(&shown).await;
    driver.see("The sign-in was given up").await;
    driver.click_text("Try again").await;
    window(&desktop).await;
    driver.click_text("Use my browser instead").await;
    let address = until("the browser", async || desktop.opened().pop().ok_or_else(String::new)).await;
    until_it_is_gone(&desktop).await;
    driver.see("Waiting for you in your browser").await;
    let done = desktop.http.get(format!("{address}&demo=allow&demo_account=home")).send().await.expect("a page");
    assert!(done.status().is_success());
    driver.see("Signed in").await;
    driver.click_text("Done").await;
    driver.see("home@demo.test").await;
    assert_ipc(&driver).await;
}

/// What the dashboard itself may ask of the shell: what is listed, and nothing else.
async fn assert_ipc(driver: &Driver) {
    let ask = async |command: &str| {
        let script = format!(
            "return window.__TAURI_INTERNALS__.invoke('{command}').then(() => 'answered', why => 'refused: ' + why)"
        );
        driver.js(&script).await.expect("it runs").as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(ask("shell_state").await, "answered");
    for command in ["plugin:shell|execute", "plugin:opener|open_path", "plugin:autostart|enable", "plugin:window|close"]
    {
        let answer = ask(command).await;
        assert!(answer.starts_with("refused"), "{command}: {answer}");
    }
}
