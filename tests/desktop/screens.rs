//! The dashboard in the app's own window, screen by screen. What a click did is asked of the gateway, and of the upstream.
//!
//! The pages are those a browser shows, and are tried there more closely (`ui/e2e`). What is tried here is that they work in
//! this webview, too: keys, lists, dialogs, streams, and files to keep.

use codeferry_demo::{Limits, ResetCredit, Route};
use codeferry_tests::desktop::Desktop;
use codeferry_tests::driver::{Driver, keys};
use codeferry_tests::patience::until;
use reqwest::Method;
use serde_json::{Value, json};

/// Goes to a screen by its link in the sidebar.
async fn go(driver: &Driver, screen: &str) {
    driver.click(&format!("nav a[href='#/{screen}']")).await;
}

/// Waits until the gateway says of a thing what it should say.
async fn told(desktop: &Desktop, path: &str, what: &str, fits: impl Fn(&Value) -> bool) {
    until(what, async || {
        let value = desktop.api(path).await;
        if fits(&value) { Ok(()) } else { Err(value.to_string()) }
    })
    .await;
}

fn account<'a>(list: &'a Value, email: &str) -> &'a Value {
    let list = list["accounts"].as_array().expect("accounts");
    list.iter().find(|account| account["email"] == email).expect("that account")
}

#[tokio::test]
async fn accounts_routes_and_requests_are_steered() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    desktop.sign_in("home").await;
    let mut driver = desktop.drive(&["codeferry://accounts"]).await;
    desktop.gateway().await;
    driver.page().await;

    // Accounts: one rests, and then goes before the other, by the keys.
    let list = desktop.api("/accounts").await;
    let home = account(&list, "home@demo.test")["id"].as_str().expect("an id").to_owned();
    let row = format!("[data-account='{home}']");
    driver.click(&format!("{row} [aria-haspopup=menu]")).await;
    driver.click_text("Pause").await;
    told(&desktop, "/accounts", "a pause", |list| account(list, "home@demo.test")["paused"] == true).await;
    driver.see("Paused").await;
    driver.click_text("Resume").await;
    told(&desktop, "/accounts", "its end", |list| account(list, "home@demo.test")["paused"] == false).await;
    let focus = format!("document.querySelector(\"{row} [data-grip]\").focus()");
    driver.js(&focus).await.expect("a grip");
    driver.press(&[keys::UP]).await;
    driver.see("is now 1 of 2").await;
    let rank = |list: &Value, email: &str| account(list, email)["priority"].as_i64().expect("a rank");
    told(&desktop, "/accounts", "an order", |list| rank(list, "home@demo.test") > rank(list, "work@demo.test")).await;

    // Models and routing: a name of one's own, and where it leads.
    go(&driver, "models").await;
    driver.fill("input[placeholder=fast]", "swift").await;
    driver.click_text("Add").await;
    driver.see("swift").await;
    let swift =
        |list: &Value| list["aliases"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "swift"));
    told(&desktop, "/routes", "the alias", swift).await;
    driver.fill("input[placeholder=claude-sonnet-4-5]", "swift").await;
    driver.click_text("Where does it lead?").await;
    driver.see("Why: ").await;

    // Playground: asks by that name; the answer streams, and the upstream was asked once.
    go(&driver, "playground").await;
    driver.fill("main form input[list]", "swift").await;
    driver.fill("main form textarea", "[[demo:text Both shores.]]").await;
    driver.click("button[title^='Send']").await;
    driver.see("Both shores.").await;
    driver.see("200, begun after").await;
    assert_eq!(desktop.demo.model_requests().len(), 1);

    // Requests: it is there; what is chosen stands in the address, and the way back leads back.
    go(&driver, "requests").await;
    driver.see("playground").await;
    driver.choose("select[aria-label='Outcome']", "refused").await;
    driver.see("No request matches").await;
    driver.js("window.old = true").await.expect("a page");
    assert!(driver.url().await.ends_with("#/requests?outcome=refused"), "{}", driver.url().await);
    // A window that gets another session looks for the same.
    let ended = desktop.control(Method::POST, "/session/end").header("x-codeferry", "1").send().await;
    assert_eq!(ended.expect("an answer").status(), 204);
    until("another page at the same place", async || {
        let url = driver.url().await;
        let old = driver.js("return window.old === true").await?;
        if old == false && url.ends_with("#/requests?outcome=refused") { Ok(()) } else { Err(url) }
    })
    .await;
    driver.see("No request matches").await;
    driver.click_text("Clear filters").await;
    driver.see("swift").await;
    driver.choose("select[aria-label='Client']", "test").await;
    driver.see("No request matches").await;
    driver.js("history.back()").await.expect("a way back");
    driver.see("swift").await;
    driver.click("[role=grid] [role=row][aria-rowindex='2']").await;
    driver.see("Where the time went").await;

    // Usage: it is added up, with a table for each chart.
    go(&driver, "usage").await;
    driver.see("Cost is what these tokens would have cost").await;
    driver.click("button[title='Show as a table']").await;
    driver.click("button[title='Show as a chart']").await;
    let sum = desktop.api("/usage?since=24h&by=model").await;
    assert_eq!(sum["total"]["requests"], 1, "{sum}");
}

/// A codex account whose window is used up: seen when somebody looks, and begun anew for a credit, once.
#[tokio::test]
async fn what_is_left_is_looked_up_and_begun_anew() {
    let Some(desktop) = Desktop::start().await else { return };
    let account = desktop.sign_in("work").await;
    desktop.demo.set_limits(&account.account_id, Limits::used_up(4_000));
    desktop.demo.set_reset_credits(&account.account_id, vec![ResetCredit::new("credit-1")]);
    let mut driver = desktop.drive(&["codeferry://accounts"]).await;
    desktop.gateway().await;
    driver.page().await;
    driver.click_text("Look now").await;
    driver.see("What is left of work@demo.test was looked up").await;
    driver.see("100%").await;

    driver.click("[data-account] [aria-haspopup=menu]").await;
    driver.click_text("Reset credits…").await;
    driver.see("Rate limit reset").await;
    driver.click_text("Use this one").await;
    driver.see("This cannot be taken back").await;
    driver.click_text("Use it for good").await;
    driver.see("begun anew").await;
    driver.see("This account has none at the moment").await;
    let requests = desktop.demo.requests();
    assert_eq!(requests.iter().filter(|recorded| recorded.route == Route::ConsumeResetCredit).count(), 1);
    driver.click_text("Close").await;
    until("windows that begin anew", async || {
        let text = driver.text().await;
        if text.contains("0%") && !text.contains("100%") { Ok(()) } else { Err(text) }
    })
    .await;
}

/// A client is set up after a look at what changes, checked, and taken back so that nothing of it is left.
#[tokio::test]
async fn a_client_comes_here_and_goes_again() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let file = desktop.file("home/.claude/settings.json");
    std::fs::create_dir(desktop.file("home/.claude")).expect("a folder");
    let mine = "{\r\n\t\"model\": \"opus\"\r\n}\r\n";
    std::fs::write(&file, mine).expect("a file");
    let stands = || std::fs::read_to_string(&file).expect("the file");
    let mut driver = desktop.drive(&["codeferry://clients"]).await;
    desktop.gateway().await;
    driver.page().await;

    driver.click("[data-client=claude-code] button").await;
    driver.see("ANTHROPIC_BASE_URL").await;
    assert_eq!(stands(), mine, "what is only shown is not written");
    driver.click_text("Change the file").await;
    driver.see("Claude Code is set up").await;
    driver.see("It would be served").await;
    let url = format!("http://127.0.0.1:{}", desktop.port);
    assert!(stands().contains(&url) && stands().contains("\t\"model\": \"opus\",\r\n"), "{}", stands());
    driver.click_text("Done").await;

    // A link leads to the one client, as the tray does.
    assert_eq!(desktop.launch(&["codeferry://clients/claude-code"]).await.code().await.0, Some(0));
    driver.see("Sessions that run keep what they started with").await;
    driver.click_text("Undo…").await;
    driver.click_text("Change the file").await;
    driver.see("Claude Code is as it was before").await;
    assert_eq!(stands(), mine);
    driver.click_text("Done").await;
    driver.see("Goes its own way").await;
}

#[tokio::test]
async fn settings_are_changed_and_kept() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let mut driver = desktop.drive(&["codeferry://settings"]).await;
    desktop.gateway().await;
    driver.page().await;

    // A key: made, shown once, good, and revoked.
    let keys_named =
        |list: &Value, name: &str| list["keys"].as_array().is_some_and(|all| all.iter().any(|key| key["name"] == name));
    driver.fill("form input[maxlength='64']", "spare").await;
    driver.click_text("Create key").await;
    driver.see("The key for spare. It is shown this once").await;
    told(&desktop, "/keys", "the key", |list| keys_named(list, "spare")).await;
    let key = driver.js("return document.querySelector('[role=status] code').textContent").await.expect("a key");
    let body =
        json!({"model": "sonnet", "max_tokens": 64, "messages": [{"role": "user", "content": "[[demo:text Ahoy.]]"}]});
    let url = format!("http://127.0.0.1:{}/v1/messages", desktop.port);
    let ask = async || {
        let asked = desktop.http.post(&url).bearer_auth(key.as_str().expect("a text")).json(&body).send().await;
        asked.expect("an answer").status().as_u16()
    };
    assert_eq!(ask().await, 200, "the key opens");
    driver.click_text("I have kept it").await;
    driver.click("[data-key=spare] button").await;
    driver.click_text("Revoke key").await;
    told(&desktop, "/keys", "no key", |list| !keys_named(list, "spare")).await;
    assert_eq!(ask().await, 401, "the key opens nothing any more");

    // Any setting, by its name.
    driver.fill("input[type=search]", "capture hours").await;
    driver.fill("[data-setting=capture_keep_hours] input", "12").await;
    driver.press(&[keys::ENTER]).await;
    told(&desktop, "/settings/capture_keep_hours", "twelve hours", |setting| setting["value"] == 12).await;

    // What is well, as a file to keep. This desktop has no folder for downloads.
    driver.click_text("Run the checks").await;
    driver.see("request_log").await;
    driver.click_text("Export…").await;
    driver.see("Without keys, e-mail addresses and home folders").await;
    driver.click_text("Save file").await;
    let home = desktop.file("home");
    let text = until("the file", async || {
        let files = std::fs::read_dir(&home).expect("a home").flatten();
        let names: Vec<_> = files.map(|file| file.path()).collect();
        let file = names.iter().find(|path| path.to_string_lossy().contains("diagnostics"));
        let file = file.ok_or_else(|| format!("{names:?}"))?;
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
        if text.trim_end().ends_with('}') { Ok(text) } else { Err(text) }
    })
    .await;
    let file: Value = serde_json::from_str(&text).expect("JSON");
    assert!(file["doctor"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{text}");
    assert!(!text.contains("work@demo.test"), "{text}");

    // The palette leads anywhere and does things; what the person likes outlives the page.
    driver.press(&[keys::CONTROL, "k"]).await;
    driver.fill("dialog [role=combobox]", "theme dark").await;
    driver.press(&[keys::ENTER]).await;
    let theme = "return document.documentElement.dataset.theme ?? ''";
    until("a dark page", async || match driver.js(theme).await? {
        theme if theme == "dark" => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    driver.press(&[keys::CONTROL, "k"]).await;
    driver.fill("dialog [role=combobox]", "usage").await;
    driver.press(&[keys::ENTER]).await;
    until("another screen", async || {
        let url = driver.url().await;
        if url.ends_with("#/usage") { Ok(()) } else { Err(url) }
    })
    .await;
    go(&driver, "settings").await;
    driver.choose("select[id$='-language']", "zh").await;
    driver.see("设置").await;
    driver.js("location.reload()").await.expect("the page anew");
    driver.see("设置").await;
    assert_eq!(driver.js(theme).await, Ok(json!("dark")));
}
