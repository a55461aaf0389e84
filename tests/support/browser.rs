//! A real browser, as a test tool: headless Chromium, driven over a pipe with the DevTools protocol.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than a page takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What it is called, here and there.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// One window. Dropped, it is closed.
pub struct Browser {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    last: u64,
    session: Option<String>,
    /// Every address a page has asked for.
    pub requests: Vec<String>,
    /// Pages that were loaded and not waited for yet.
    loaded: u32,
    /// Where the window goes, and where it has arrived.
    heading: String,
    arrived: String,
    _child: Child,
    _profile: TempDir,
}

// === impl Browser ===

impl Browser {
    /// A window of its own; `None` where there is no Chromium, which is said. It reaches loopback and nothing else.
    #[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
    pub async fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: there is no Chromium here (Debian: chromium); `cargo xtask test` brings it");
            return None;
        };
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        // The protocol comes in at 3 and goes out at 4. Null bytes end its messages.
        let script = "exec 3<&0 4>&1 0</dev/null 1>&2; exec \"$0\" \"$@\"";
        command.args(["-c", script]).arg(program).args([
            "--headless",
            "--remote-debugging-pipe",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-extensions",
            "--disable-background-networking",
            "--no-first-run",
            "--no-proxy-server",
            "--hide-scrollbars",
            "--window-size=900,600",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        command.env("HOME", profile.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("Chromium starts");
        let to = child.stdin.take().expect("a pipe");
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut browser = Self {
            to,
            from,
            last: 0,
            session: None,
            requests: Vec::new(),
            loaded: 0,
            heading: String::new(),
            arrived: String::new(),
            _child: child,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.call("Page.enable", json!({})).await;
        browser.call("Network.enable", json!({})).await;
        Some(browser)
    }

    /// Opens an address and waits for the page it ends at.
    pub async fn go(&mut self, url: &str) {
        self.loaded = 0;
        let went = self.call("Page.navigate", json!({"url": url})).await;
        assert_eq!(went["errorText"], Value::Null, "{url}");
        self.page_loaded().await;
    }

    /// Waits for a page that others lead to by themselves.
    pub async fn arrive(&mut self, url: &str) {
        while self.arrived != url {
            self.next().await;
        }
    }

    /// Clicks on an element, as a hand does, and waits for the page this leads to.
    pub async fn click(&mut self, selector: &str) {
        let place = format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect();
               return [box.x + box.width / 2, box.y + box.height / 2] }})()",
            Value::from(selector)
        );
        let place = self.evaluate(&place).await;
        self.loaded = 0;
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", click).await;
        }
        self.page_loaded().await;
    }

    /// What a person reads on the page.
    pub async fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").await.as_str().expect("a text").to_owned()
    }

    /// Waits until these words are on the page.
    pub async fn wait_for(&mut self, words: &str) {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(tokio::time::Instant::now() < until, "{words:?} does not come:\n{text}");
            tokio::task::yield_now().await;
        }
    }

    /// Where the window is.
    pub async fn url(&mut self) -> String {
        self.evaluate("location.href").await.as_str().expect("an address").to_owned()
    }

    /// What a script says, or promises and then says. It is run from outside: the page's own policy does not matter.
    pub async fn evaluate(&mut self, script: &str) -> Value {
        let result = self
            .call("Runtime.evaluate", json!({"expression": script, "returnByValue": true, "awaitPromise": true}))
            .await;
        assert_eq!(result["exceptionDetails"], Value::Null, "{script}");
        result["result"]["value"].clone()
    }

    /// A picture of the page.
    pub async fn picture(&mut self, path: &Path) {
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        let png = STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(path, png).expect("a file");
    }

    /// Light or dark, as the person likes it.
    pub async fn prefer(&mut self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features).await;
    }

    async fn page_loaded(&mut self) {
        while self.loaded == 0 {
            self.next().await;
        }
        self.loaded = 0;
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).await.expect("the browser listens");
        self.to.flush().await.expect("the browser listens");
        loop {
            let answer = self.next().await;
            if answer["id"] == id {
                assert_eq!(answer["error"], Value::Null, "{method}");
                return answer["result"].clone();
            }
        }
    }

    async fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.from.read_until(0, &mut bytes)).await;
        let length = read.expect("the browser answers in a minute").expect("the browser runs");
        assert!(length > 0, "the browser has ended");
        bytes.pop();
        let message: Value = serde_json::from_slice(&bytes).expect("JSON");
        match message["method"].as_str() {
            Some("Page.loadEventFired") => {
                self.loaded += 1;
                self.arrived.clone_from(&self.heading);
            }
            Some("Page.frameNavigated") if message["params"]["frame"]["parentId"].is_null() => {
                let url = message["params"]["frame"]["url"].as_str();
                self.heading = url.unwrap_or_default().to_owned();
            }
            Some("Network.requestWillBeSent") => {
                let url = &message["params"]["request"]["url"];
                self.requests.extend(url.as_str().map(str::to_owned));
            }
            _ => {}
        }
        message
    }
}

fn program() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}
