//! A desktop of the test's own, and the real application on it: screen, session bus, panel, notifications, a home, and an
//! upstream that is the demo. Nothing of the machine's real session is used, and everything ends with the test.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use codeferry_app::{Paths, client_keys};
use codeferry_demo::{AccountKind, Demo, DemoAccount};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::bus::Bus;
use crate::display::Display;
use crate::driver::{Driver, free_port};
use crate::notifications::Notifications;
use crate::patience::{PATIENCE, until};
use crate::process::{self, Ending};
use crate::tray::{Panel, Tray};
use crate::world::{asking, environment, http, import};

/// What a test of the desktop cannot do without, and the Debian packages that bring it.
const NEEDED: [(&str, &str); 6] = [
    ("Xvfb", "xvfb"),
    ("dbus-daemon", "dbus"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
    ("openbox", "openbox"),
    ("wmctrl", "wmctrl"),
    ("xdotool", "xdotool"),
];

/// A desktop.
pub struct Desktop {
    program: PathBuf,
    /// Every host there is.
    pub demo: Demo,
    /// The screen.
    pub display: Display,
    /// The session bus.
    pub bus: Bus,
    /// The panel with the tray.
    pub panel: Panel,
    /// What was said.
    pub notifications: Notifications,
    /// A client's key.
    pub key: String,
    /// The port of the gateway.
    pub port: u16,
    /// Without proxies.
    pub http: Client,
    /// Variables of a test's own, over all others.
    pub variables: Vec<(String, String)>,
    temp: TempDir,
}

/// The application, started as a person or the session does.
pub struct App {
    child: Child,
    _ending: Ending,
    log: PathBuf,
}

// === impl Desktop ===

impl Desktop {
    /// A desktop on which nothing runs yet; `None` where there can be none, which is said.
    #[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
    pub async fn start() -> Option<Self> {
        let program = crate::client("CODEFERRY_DESKTOP_BIN", "the desktop app")?;
        for (name, package) in NEEDED {
            if process::on_path(name).is_none() {
                eprintln!("skipped: {name} is not there (Debian: {package}); `cargo xtask test` brings it");
                return None;
            }
        }
        codeferry_app::install_crypto_provider();
        let demo = Demo::start(codeferry_demo::Options::default()).await.expect("the fake hosts start");
        let temp = tempfile::tempdir().expect("a folder");
        for name in ["home", "run", "config", "cache", "share"] {
            let folder = temp.path().join(name);
            std::fs::create_dir(&folder).expect("a folder");
            // The runtime folder must be nobody else's.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(folder, mode).expect("our folder");
        }
        browser(temp.path());
        let bus = Bus::start(&temp.path().join("run")).await;
        let (panel, notifications) = (Panel::start(&bus).await, Notifications::start(&bus).await);
        let display = Display::start().await;
        let paths = Paths::at(temp.path().join("data"));
        paths.make().expect("a data folder");
        let keys = client_keys(&paths).expect("keys");
        let key = keys.create("test", jiff::Timestamp::now()).expect("a key").key;
        let (port, http, variables) = (free_port(), http(), Vec::new());
        let desktop = Self { program, demo, display, bus, panel, notifications, key, port, http, variables, temp };
        desktop.set("port", &port.to_string());
        Some(desktop)
    }

    /// The program under test.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Another copy of it from here on.
    pub fn use_program(&mut self, program: PathBuf) {
        self.program = program;
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// A place in the folder of the test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// `~/.config`.
    pub fn config(&self) -> PathBuf {
        self.temp.path().join("config")
    }

    /// Changes a setting before the application runs.
    pub fn set(&self, key: &str, value: &str) {
        let settings = codeferry_app::settings(&Paths::at(self.data())).expect("settings");
        settings.set(key, value).unwrap_or_else(|error| panic!("{key}: {error}"));
    }

    /// Signs an account in before the application runs.
    pub async fn sign_in(&self, name: &str) -> DemoAccount {
        let account = self.demo.sign_in(AccountKind::Codex, name);
        import(&Paths::at(self.data()), &environment(&self.demo, &self.data()), &account).await;
        account
    }

    /// Gives a command the environment of a program of this session.
    pub fn prepare(&self, command: &mut Command) {
        let at = |name: &str| self.temp.path().join(name);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(at("bin")).chain(std::env::split_paths(&path));
        command
            .env_clear()
            .env("PATH", std::env::join_paths(path).expect("folders"))
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("DISPLAY", self.display.name())
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            .env("HOME", at("home"))
            .env("XDG_RUNTIME_DIR", at("run"))
            .env("XDG_CONFIG_HOME", at("config"))
            .env("XDG_CACHE_HOME", at("cache"))
            .env("XDG_DATA_HOME", at("share"))
            .env("NO_AT_BRIDGE", "1")
            .env("GTK_THEME", "Adwaita")
            .env("CODEFERRY_HOME", self.data())
            .env("CODEFERRY_VAULT", "file")
            .env("CODEFERRY_LOG", "codeferry=debug,info")
            .env("CODEFERRY_AUTH_URL", self.demo.auth_url())
            .env("CODEFERRY_CHATGPT_URL", self.demo.chatgpt_url())
            .env("CODEFERRY_OPENAI_URL", self.demo.openai_url())
            .stdin(Stdio::null());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
    }

    /// Starts the application.
    pub async fn launch(&self, arguments: &[&str]) -> App {
        let log = self.file("app.log");
        let open = || std::fs::File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = Command::new(&self.program);
        self.prepare(&mut command);
        command.args(arguments).stdout(open()).stderr(open());
        let child = command.spawn().expect("the app starts");
        let pid = child.id().expect("it runs");
        App { child, _ending: Ending(pid), log }
    }

    /// The app in the tray, serving from accounts of these names. `None` where [`Desktop::start`] has none to give.
    pub async fn in_tray(names: &[&str]) -> Option<(Self, App, Tray)> {
        let desktop = Self::start().await?;
        for name in names {
            desktop.sign_in(name).await;
        }
        let app = desktop.launch(&["--hidden"]).await;
        let tray = desktop.tray().await;
        desktop.gateway().await;
        Some((desktop, app, tray))
    }

    /// Starts it under a driver, to look into its first page.
    pub async fn drive(&self, arguments: &[&str]) -> Driver {
        let log = self.file("app.log");
        let open = || std::fs::File::options().create(true).append(true).open(&log).expect("a log");
        Driver::start(&self.program, arguments, |command| {
            self.prepare(command);
            command.stdout(open()).stderr(open());
        })
        .await
    }

    /// The addresses that were opened in the person's browser, in order.
    pub fn opened(&self) -> Vec<String> {
        let opened = std::fs::read_to_string(self.file("opened")).unwrap_or_default();
        opened.lines().map(str::to_owned).collect()
    }

    /// What the application has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.file("app.log")).unwrap_or_default()
    }

    /// The icon in the tray.
    pub async fn tray(&self) -> Tray {
        self.panel.tray().await
    }

    /// Where the gateway is, once it answers.
    pub async fn gateway(&self) -> String {
        let url = format!("http://127.0.0.1:{}", self.port);
        until("the gateway", async || {
            let answer = self.http.get(format!("{url}/livez")).send().await;
            let answer = answer.map_err(|error| format!("{error}\n{}", self.log()))?;
            if answer.status().is_success() { Ok(url.clone()) } else { Err(answer.status().to_string()) }
        })
        .await
    }

    /// Whether somebody listens on the gateway's port.
    pub async fn port_is_open(&self) -> bool {
        tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
    }

    /// Waits until nobody does, or somebody does.
    pub async fn until_port(&self, open: bool) {
        until(
            "the port",
            async || {
                if self.port_is_open().await == open { Ok(()) } else { Err(format!("open: {}", !open)) }
            },
        )
        .await;
    }

    /// A request to the control plane, as `/api{path}`.
    pub fn control(&self, method: Method, path: &str) -> RequestBuilder {
        let token = codeferry_app::control_token(&Paths::at(self.data())).expect("a control token").expose();
        self.http.request(method, format!("http://127.0.0.1:{}/api{path}", self.port)).bearer_auth(token)
    }

    /// What the control plane answers.
    pub async fn api(&self, path: &str) -> Value {
        let answer = self.control(Method::GET, path).send().await.expect("the gateway answers");
        let status = answer.status();
        let value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {status} {value}");
        value
    }

    /// A client says something; the answer as it comes.
    pub fn say(&self, text: &str) -> RequestBuilder {
        let mut body = asking(text);
        body["stream"] = json!(true);
        self.http.post(format!("http://127.0.0.1:{}/v1/messages", self.port)).bearer_auth(&self.key).json(&body)
    }

    /// A client says something and gets an answer; whose account it was, as the upstream saw it.
    pub async fn served_by(&self, text: &str) -> String {
        let answer = self.say(text).send().await.expect("the gateway answers");
        let (status, body) = (answer.status(), answer.text().await.expect("a body"));
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("message_stop"), "{body}");
        let requests = self.demo.model_requests();
        let account = requests.last().and_then(|request| request.header("chatgpt-account-id").map(str::to_owned));
        account.expect("the upstream was told whose account it is")
    }
}

impl Drop for Desktop {
    #[expect(clippy::print_stderr, reason = "whoever reads a failure wants to know what the app said")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the app said:\n{}", self.log());
        }
    }
}

/// In place of a browser something that notes what it should open.
fn browser(folder: &Path) {
    let bin = folder.join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n", folder.join("opened").display());
    let program = bin.join("xdg-open");
    std::fs::write(&program, script).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(program, mode).expect("our file");
}

// === impl App ===

impl App {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Waits until it ends by itself.
    pub async fn ends(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("it does not end\n{}", self.log())).expect("its status")
    }

    /// Waits until it ends, and gives its exit code and how long that took.
    pub async fn code(&mut self) -> (Option<i32>, Duration) {
        let since = Instant::now();
        (self.ends().await.code(), since.elapsed())
    }

    /// It has not ended.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }

    /// Sends it a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        process::signal(self.pid(), name);
    }

    /// What it, and others on the same desktop, have said on stdout and stderr.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
