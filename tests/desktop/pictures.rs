//! The pictures of README and docs, taken of the app as it is: `cargo xtask shots`. Elsewhere nothing is written.

use std::path::{Path, PathBuf};

use codeferry_demo::{Limits, Window};
use codeferry_tests::bus::Bus;
use codeferry_tests::desktop::Desktop;
use codeferry_tests::driver::{Driver, free_port};
use codeferry_tests::patience::until;
use codeferry_tests::process;
use codeferry_tests::world::asking;
use reqwest::Method;
use serde_json::json;

/// Where pictures go, if they are wanted.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("CODEFERRY_SHOTS").map(PathBuf::from);
    match &folder {
        Some(folder) => std::fs::create_dir_all(folder).expect("a folder"),
        None => {
            println!("skipped: no pictures are wanted (CODEFERRY_SHOTS is not set); `cargo xtask shots` takes them");
        }
    }
    folder
}

/// A desktop whose gateway has the usual port where it can.
async fn desktop() -> Option<Desktop> {
    let mut desktop = Desktop::start().await?;
    let usual = std::net::TcpListener::bind(("127.0.0.1", 8081)).is_ok();
    desktop.port = if usual { 8081 } else { free_port() };
    desktop.set("port", &desktop.port.to_string());
    desktop.display.manage_windows().await;
    desktop.display.run("display", &["-window", "root", "-size", "1280x800", "xc:#3b4654"]).await;
    Some(desktop)
}

/// A client's key of that name.
async fn client(desktop: &Desktop, name: &str) -> String {
    let made = desktop.control(Method::POST, "/keys").json(&json!({"name": name})).send().await.expect("an answer");
    let made: serde_json::Value = made.json().await.expect("JSON");
    made["key"].as_str().expect("a key").to_owned()
}

/// Somebody asks a model; the answer is read to its end, elsewhere.
fn ask(desktop: &Desktop, key: &str, model: &str, text: &str) -> tokio::task::JoinHandle<()> {
    let mut body = asking(text);
    body["stream"] = json!(true);
    body["model"] = json!(model);
    let request =
        desktop.http.post(format!("http://127.0.0.1:{}/v1/messages", desktop.port)).bearer_auth(key).json(&body);
    tokio::spawn(async move {
        if let Ok(answer) = request.send().await {
            let _ = answer.bytes().await;
        }
    })
}

/// Two accounts, of which one has used much of its windows, and a few exchanges.
async fn some_traffic(desktop: &Desktop) {
    let [work, home] = [desktop.demo.account("work"), desktop.demo.account("home")];
    let limits = |five, week| Limits {
        primary: Some(Window::five_hours(five, 6_420)),
        secondary: Some(Window::weekly(week, 230_000)),
        ..Limits::default()
    };
    desktop.demo.set_limits(&work.account_id, limits(62.0, 31.0));
    desktop.demo.set_limits(&home.account_id, limits(8.0, 74.0));
    let claude = client(desktop, "claude-code").await;
    let script = client(desktop, "nightly-review").await;
    for (key, model, text) in [
        (&claude, "claude-opus-4-8", "[[demo:text Ahoy.]]"),
        (&claude, "claude-opus-4-8", "[[demo:long 40]]"),
        (&claude, "claude-haiku-4-5", "[[demo:json]]"),
        (&script, "claude-sonnet-4-6", "[[demo:drip 6 60]]"),
        (&claude, "claude-opus-4-8", "[[demo:reasoning]] [[demo:long 30]]"),
    ] {
        ask(desktop, key, model, text).await.expect("it ends");
    }
    let switch = async |name: &str| {
        let path = format!("/accounts/{name}@demo.test/switch");
        desktop.control(Method::POST, &path).send().await.expect("an answer");
    };
    switch("home").await;
    ask(desktop, &script, "claude-sonnet-4-6", "[[demo:long 20]]").await.expect("it ends");
    switch("work").await;
    // And two that go on while the pictures are taken.
    drop(ask(desktop, &claude, "claude-opus-4-8", "[[demo:drip 1500 100]]"));
    drop(ask(desktop, &script, "claude-sonnet-4-6", "[[demo:drip 1500 100]]"));
    until("two under way", async || {
        let open = desktop.api("/status").await["exchanges"]["open"].clone();
        if open == 2 { Ok(()) } else { Err(open.to_string()) }
    })
    .await;
}

/// Whether a picture, or a part of it such as `[520x600+0+100]`, shows something.
async fn shows_something(desktop: &Desktop, picture: &Path, part: &str) -> Result<(), String> {
    let what = format!("{}{part}", picture.display());
    let colours = desktop.display.run("identify", &["-format", "%k", &what]).await;
    if colours.trim().parse::<u32>().unwrap_or_default() > 40 {
        Ok(())
    } else {
        Err(format!("{what}: {colours} colours"))
    }
}

/// The page, as soon as it is drawn: that it has words comes first. The folder of the test is nobody's home.
async fn page(desktop: &Desktop, driver: &Driver, picture: &Path) {
    let home = desktop.file("home").display().to_string();
    let script = format!(
        "const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
         while (all.nextNode()) all.currentNode.data = all.currentNode.data.replace('{home}', '/home/ada');"
    );
    // What is drawn lags behind what the page holds.
    let drawn =
        "return new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 900))";
    until("a drawn page", async || {
        driver.js(&script).await?;
        driver.js(drawn).await?;
        driver.picture(picture).await;
        shows_something(desktop, picture, "[700x300+300+60]").await
    })
    .await;
}

async fn at(driver: &Driver, screen: &str, words: &str) {
    driver.js(&format!("location.hash = '#/{screen}'")).await.expect("it goes there");
    driver.see(words).await;
    // Fonts, and whatever moves into its place.
    let still = "return Promise.all([document.fonts.ready, ...document.getAnimations().filter(it => \
                 it.effect.getTiming().iterations !== Infinity).map(it => it.finished)]).then(() => true)";
    driver.js(still).await.expect("it comes to rest");
}

#[tokio::test]
async fn of_the_window() {
    let Some(folder) = folder() else { return };
    for (look, theme) in [("light", "Adwaita"), ("dark", "Adwaita:dark")] {
        let Some(mut desktop) = desktop().await else { return };
        desktop.set("grace_seconds", "0");
        desktop.variables.push(("GTK_THEME".to_owned(), theme.to_owned()));
        let settings = desktop.file("home/.claude");
        std::fs::create_dir(&settings).expect("a folder");
        let mine = "{\n  \"model\": \"opus\",\n  \"env\": {\n    \"EDITOR\": \"vim\"\n  },\n  \"hooks\": {}\n}\n";
        std::fs::write(settings.join("settings.json"), mine).expect("a file");
        let mut driver = desktop.drive(&[]).await;
        desktop.gateway().await;
        driver.page().await;
        at(&driver, "onboarding", "Set up Claude Code").await;
        page(&desktop, &driver, &folder.join(format!("first-steps-{look}.png"))).await;
        at(&driver, "clients", "On this machine").await;
        driver.click("[data-client=claude-code] button").await;
        driver.see("ANTHROPIC_BASE_URL").await;
        page(&desktop, &driver, &folder.join(format!("clients-{look}.png"))).await;
        driver.click_text("Cancel").await;

        for name in ["work", "home"] {
            let begin = json!({"kind": "codex", "method": "browser"});
            let begun =
                desktop.control(Method::POST, "/accounts/sign-in").json(&begin).send().await.expect("an answer");
            let begun: serde_json::Value = begun.json().await.expect("JSON");
            let url = format!("{}&demo=allow&demo_account={name}", begun["url"].as_str().expect("an address"));
            assert!(desktop.http.get(url).send().await.expect("a page").status().is_success());
        }
        desktop.control(Method::POST, "/accounts/work@demo.test/switch").send().await.expect("an answer");
        some_traffic(&desktop).await;
        at(&driver, "overview", "nightly-review").await;
        driver.see("74%").await;
        driver.see("Answering 2 requests").await;
        page(&desktop, &driver, &folder.join(format!("overview-{look}.png"))).await;
        at(&driver, "accounts", "home@demo.test").await;
        page(&desktop, &driver, &folder.join(format!("accounts-{look}.png"))).await;
    }
}

#[tokio::test]
async fn of_signing_in() {
    let Some(folder) = folder() else { return };
    let Some(desktop) = desktop().await else { return };
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    desktop.tray().await.click(&["Add account"]).await;
    let host = desktop.demo.address().to_string();
    let window = desktop.display.window("the sign-in window", |title| title.starts_with(&host)).await;
    // Until it is drawn. Nobody can look into this window but with the eyes.
    let picture = folder.join("sign-in.png");
    until("a drawn page", async || {
        desktop.display.run("import", &["-frame", "-window", &window.id, &picture.to_string_lossy()]).await;
        shows_something(&desktop, &picture, "[500x500+10+100]").await
    })
    .await;
}

/// In a panel that shows icons the old way, since only that one opens menus for a pointer without a whole desktop.
#[tokio::test]
async fn of_the_tray() {
    let Some(folder) = folder() else { return };
    let Some(mut desktop) = desktop().await else { return };
    if process::on_path("trayer").is_none() {
        println!("skipped: there is no trayer here (Debian: trayer)");
        return;
    }
    desktop.sign_in("work").await;
    desktop.sign_in("home").await;
    let place = desktop.file("another-bus");
    std::fs::create_dir(&place).expect("a folder");
    let bus = Bus::start(&place).await;
    desktop.variables = vec![("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus.address().to_owned())];
    let mut panel = desktop.display.command("trayer");
    panel.args(["--edge", "top", "--align", "right", "--widthtype", "request", "--height", "28", "--tint", "0x20262d"]);
    panel.args(["--transparent", "true", "--alpha", "0"]);
    let _panel = panel.kill_on_drop(true).spawn().expect("a panel");
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    some_traffic(&desktop).await;

    // As a hand does it, which is slow: a menu opens under the pointer, and the keys go down to the accounts.
    let pointer = ["mousemove", "900", "500", "sleep", "0.3", "mousemove", "1266", "14", "sleep", "0.5", "click", "3"];
    desktop.display.run("xdotool", &pointer).await;
    desktop.display.run("xdotool", &["sleep", "1.5"]).await;
    for key in ["Down", "Down", "Down", "Right"] {
        desktop.display.run("xdotool", &["key", key, "sleep", "0.3"]).await;
    }
    let picture = folder.join("tray.png");
    until("an open menu", async || {
        let part =
            ["-window", "root", "-crop", "860x400+420+0", "+repage", &*picture.to_string_lossy()].map(str::to_owned);
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        desktop.display.run("import", &part).await;
        shows_something(&desktop, &picture, "[300x200+520+40]").await
    })
    .await;
}
