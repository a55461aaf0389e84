//! The window under test: WebDriver, spoken with WebKitWebDriver, which starts the application and sees the first page it
//! shows (<https://www.w3.org/TR/webdriver2/>).
//!
//! The webview lets itself be driven only where `TAURI_WEBVIEW_AUTOMATION` is set, which the driver passes on.

use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::patience::{PATIENCE, until};
use crate::process::{self, Ending};
use crate::world::http;

/// Keys that have no letter (WebDriver, §17.4.2).
pub mod keys {
    /// Enter.
    pub const ENTER: &str = "\u{E007}";
    /// Control.
    pub const CONTROL: &str = "\u{E009}";
    /// Arrow up.
    pub const UP: &str = "\u{E013}";
}

/// By this name an element is told (WebDriver, §12.3).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A driver, and the application it has started. Dropped, both end.
pub struct Driver {
    http: Client,
    url: String,
    session: Option<JoinHandle<Result<String, String>>>,
    id: String,
    application: Ending,
    _driver: Child,
}

// === impl Driver ===

impl Driver {
    /// Starts the program with these arguments, in the environment that `prepare` gives. Its page is there after
    /// [`page`](Self::page).
    pub async fn start(program: &Path, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let port = free_port();
        let mut command = Command::new("WebKitWebDriver");
        prepare(&mut command);
        command.args([format!("--port={port}"), "--host=127.0.0.1".to_owned()]);
        command.env("TAURI_WEBVIEW_AUTOMATION", "true");
        command.stdin(Stdio::null()).kill_on_drop(true);
        let driver = command.spawn().expect("WebKitWebDriver starts");
        let pid = driver.id().expect("it runs");
        let (http, url) = (http(), format!("http://127.0.0.1:{port}"));
        until("the driver", async || {
            let status = http.get(format!("{url}/status")).send().await;
            status.map(drop).map_err(|error| error.to_string())
        })
        .await;
        let options = json!({"binary": program, "args": arguments});
        let wanted = json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}});
        let asking = call(http.clone(), Method::POST, format!("{url}/session"), Some(wanted));
        // It answers when there is a page, which may be long after the application has come up.
        let session = tokio::spawn(async move {
            let value = asking.await?;
            value["sessionId"].as_str().map(str::to_owned).ok_or_else(|| value.to_string())
        });
        let application = until("the application", async || {
            let name = process_name(program);
            let children = process::children(pid);
            children.iter().copied().find(|child| process::name(*child) == name).ok_or_else(|| format!("{children:?}"))
        })
        .await;
        let application = Ending(application);
        Self { http, url, session: Some(session), id: String::new(), application, _driver: driver }
    }

    /// The process of the application.
    pub fn pid(&self) -> u32 {
        self.application.0
    }

    /// Waits for the first page.
    pub async fn page(&mut self) -> &Self {
        if let Some(session) = self.session.take() {
            let session = tokio::time::timeout(PATIENCE, session).await.expect("a page within a minute");
            self.id = session.expect("it is asked").expect("a session");
        }
        self
    }

    /// Where the page is.
    pub async fn url(&self) -> String {
        self.get("/url").await
    }

    /// The page's title.
    pub async fn title(&self) -> String {
        self.get("/title").await
    }

    /// Goes to an address, as typed by hand.
    pub async fn go(&self, url: &str) -> Result<(), String> {
        self.command(Method::POST, "/url", Some(json!({"url": url}))).await.map(drop)
    }

    /// Clicks on the first element that fits, as soon as it is there and can be clicked.
    pub async fn click(&self, css: &str) {
        until(&format!("to click on {css}"), async || {
            let element = self.find(css).await?;
            self.command(Method::POST, &format!("/element/{element}/click"), Some(json!({}))).await.map(drop)
        })
        .await;
    }

    /// Clicks on the button or link that says this.
    pub async fn click_text(&self, words: &str) {
        until(&format!("to click on {words:?}"), async || {
            let found = json!({"using": "xpath", "value": format!(
                "//*[self::button or self::a or @role='button' or @role='tab' or @role='menuitem']\
                 [contains(normalize-space(.), \"{words}\")]"
            )});
            let element = self.command(Method::POST, "/element", Some(found)).await?;
            let element = element[ELEMENT].as_str().ok_or("no element")?.to_owned();
            self.command(Method::POST, &format!("/element/{element}/click"), Some(json!({}))).await.map(drop)
        })
        .await;
    }

    /// Types into the first element that fits, instead of what stands there.
    pub async fn fill(&self, css: &str, text: &str) {
        until(&format!("to type into {css}"), async || {
            let element = self.find(css).await?;
            self.command(Method::POST, &format!("/element/{element}/clear"), Some(json!({}))).await?;
            let keys = Some(json!({"text": text}));
            self.command(Method::POST, &format!("/element/{element}/value"), keys).await.map(drop)
        })
        .await;
    }

    /// Chooses in the first list that fits, by the value of what is chosen.
    pub async fn choose(&self, css: &str, value: &str) {
        until(&format!("to choose {value} in {css}"), async || {
            self.find(css).await?;
            let script = format!(
                "const list = document.querySelector({css:?}); list.value = {value:?};\
                 list.dispatchEvent(new Event('change', {{ bubbles: true }})); return list.value"
            );
            let chosen = self.js(&script).await?;
            if chosen == value { Ok(()) } else { Err(chosen.to_string()) }
        })
        .await;
    }

    /// Holds keys down one after the other, as a person does for a shortcut, and lets go of them. Where the focus is.
    pub async fn press(&self, keys: &[&str]) {
        let step = |kind: &str, key: &str| json!({"type": kind, "value": key});
        let down = keys.iter().map(|key| step("keyDown", key));
        let up = keys.iter().rev().map(|key| step("keyUp", key));
        let steps: Vec<Value> = down.chain(up).collect();
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": steps}]});
        self.command(Method::POST, "/actions", Some(actions)).await.expect("keys are pressed");
    }

    /// Waits until this stands on the page.
    pub async fn see(&self, words: &str) {
        until(&format!("{words:?} on the page"), async || {
            let text = self.try_text().await?;
            if text.contains(words) { Ok(()) } else { Err(text) }
        })
        .await;
    }

    /// What can be read on the page.
    pub async fn text(&self) -> String {
        until("a page with text", async || self.try_text().await).await
    }

    /// What a script returns, run from outside.
    pub async fn js(&self, script: &str) -> Result<Value, String> {
        self.command(Method::POST, "/execute/sync", Some(json!({"script": script, "args": []}))).await
    }

    /// A picture of the page.
    pub async fn picture(&self, path: &Path) {
        let png = STANDARD.decode(self.get("/screenshot").await).expect("base64");
        std::fs::write(path, png).expect("a file");
    }

    async fn try_text(&self) -> Result<String, String> {
        let text = self.js("return document.body ? document.body.innerText : ''").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    async fn find(&self, css: &str) -> Result<String, String> {
        let wanted = json!({"using": "css selector", "value": css});
        let element = self.command(Method::POST, "/element", Some(wanted)).await?;
        element[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| element.to_string())
    }

    async fn get(&self, path: &str) -> String {
        let value = self.command(Method::GET, path, None).await.expect("the driver answers");
        value.as_str().expect("a text").to_owned()
    }

    async fn command(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        call(self.http.clone(), method, format!("{}/session/{}{path}", self.url, self.id), body).await
    }
}

async fn call(http: Client, method: Method, url: String, body: Option<Value>) -> Result<Value, String> {
    let mut request = http.request(method, url).timeout(PATIENCE);
    if let Some(body) = &body {
        request = request.json(body);
    }
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let ok = answer.status().is_success();
    let value: Value = answer.json().await.map_err(|error| error.to_string())?;
    let value = value["value"].clone();
    if ok { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
}

/// The kernel keeps fifteen characters.
fn process_name(program: &Path) -> String {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    name.chars().take(15).collect()
}

/// A port nobody has now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
