//! A gateway with everything around it.

use std::path::Path;
use std::time::Duration;

use codeferry_accounts::KeySource;
use codeferry_app::{
    Environment, Folders, LogFields, LogLevel, LogLine, Options, Otel, Paths, Running, client_keys, start, vault_pool,
};
use codeferry_demo::{AccountKind, Demo, DemoAccount};
use codeferry_upstream::Endpoints;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Event, events};

/// How a world is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Which provider the account is of.
    pub kind: AccountKind,
    /// Settings other than the defaults.
    pub settings: Vec<(&'static str, String)>,
    /// Whether an account is signed in.
    pub signed_in: bool,
    /// Grace period at the end.
    pub grace: Duration,
    /// Where traces go, if anywhere.
    pub traces: Option<Otel>,
    /// How the upstream is set up.
    pub demo: codeferry_demo::Options,
    /// Where OpenAI's public API is, if not at the upstream.
    pub openai: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            kind: AccountKind::Codex,
            settings: Vec::new(),
            signed_in: true,
            grace: Duration::ZERO,
            traces: None,
            demo: codeferry_demo::Options::default(),
            openai: None,
        }
    }
}

/// A gateway, its upstream, its folder, and a client with a key.
pub struct World {
    /// The gateway.
    pub gateway: Running,
    /// The upstream.
    pub demo: Demo,
    /// The data folder; gone with the world.
    pub home: TempDir,
    /// The signed-in account.
    pub account: Option<DemoAccount>,
    /// The key of a client named `test`.
    pub key: String,
    /// An HTTP client without proxies.
    pub http: Client,
}

impl World {
    /// A world with a codex account.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A world of one's own.
    pub async fn with(setup: Setup) -> Self {
        codeferry_app::install_crypto_provider();
        let demo = Demo::start(setup.demo.clone()).await.expect("the fake upstream starts");
        let home = tempfile::tempdir().expect("a folder");
        let paths = Paths::at(home.path());
        let mut environment = Environment { otel: setup.traces.clone(), ..environment(&demo, home.path()) };
        if let Some(openai) = &setup.openai {
            environment.endpoints.openai = openai.parse().expect("an address");
        }
        paths.make().expect("a data folder");
        let settings = codeferry_app::settings(&paths).expect("settings");
        for (key, value) in &setup.settings {
            settings.set(key, value).expect("a setting");
        }
        let keys = client_keys(&paths).expect("keys");
        let key = keys.create("test", jiff::Timestamp::now()).expect("a key").key;
        let account = setup.signed_in.then(|| demo.sign_in(setup.kind, "work"));
        if let Some(account) = &account {
            import(&paths, &environment, account).await;
        }
        let options = Options { port: Some(0), grace: Some(setup.grace), ..Options::default() };
        let gateway = start(options, &paths, &environment).await.expect("the gateway starts");
        Self { gateway, demo, home, account, key, http: http() }
    }

    /// The same folder and upstream, a new gateway.
    pub async fn restart(self) -> Self {
        let Self { gateway, demo, home, account, key, http } = self;
        gateway.stop().await.expect("the gateway stops");
        let (paths, environment) = (Paths::at(home.path()), environment(&demo, home.path()));
        let options = Options { port: Some(0), grace: Some(Duration::ZERO), ..Options::default() };
        let gateway = start(options, &paths, &environment).await.expect("the gateway starts again");
        Self { gateway, demo, home, account, key, http }
    }

    /// The address of the gateway.
    pub fn url(&self) -> &str {
        self.gateway.url()
    }

    /// A request with the client's key.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url())).bearer_auth(&self.key)
    }

    /// A request to the control plane, as `/api{path}`.
    pub fn control(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let token = codeferry_app::control_token(&Paths::at(self.home.path())).expect("a control token").expose();
        self.http.request(method, format!("{}/api{path}", self.url())).bearer_auth(token)
    }

    /// Signs another account in, as `codeferry accounts import` does beside a running gateway.
    pub async fn add(&self, kind: AccountKind, name: &str) -> DemoAccount {
        let account = self.demo.sign_in(kind, name);
        import(&Paths::at(self.home.path()), &environment(&self.demo, self.home.path()), &account).await;
        self.gateway.pool().reload().await.expect("the vault opens");
        account
    }

    /// Has the gateway log a line, as one of its own.
    pub fn log_line(&self, level: LogLevel, message: &str) {
        self.gateway.gateway().log_lines().push(LogLine {
            at: "2026-11-20T07:30:00Z".parse().expect("a time"),
            level,
            target: "codeferry_app::running".to_owned(),
            message: message.to_owned(),
            fields: LogFields::default(),
        });
    }

    /// Sends a message request.
    pub async fn messages(&self, body: &Value) -> Response {
        self.post("/v1/messages").json(body).send().await.expect("the gateway answers")
    }

    /// Says something, and reads the answer as a stream.
    pub async fn say(&self, text: &str) -> Vec<Event> {
        self.stream(&asking(text)).await
    }

    /// Sends a request with `stream`, and reads the whole answer.
    pub async fn stream(&self, body: &Value) -> Vec<Event> {
        let mut body = body.clone();
        body["stream"] = json!(true);
        let response = self.messages(&body).await;
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert_eq!(status, 200, "{text}");
        events(&text)
    }

    /// Says something, expecting a refusal: status, headers of interest, body.
    pub async fn refused(&self, text: &str) -> Refusal {
        let mut body = asking(text);
        body["stream"] = json!(true);
        Refusal::of(self.messages(&body).await).await
    }

    /// The body of the last request the upstream got.
    pub fn last_upstream(&self) -> Value {
        self.demo.model_requests().last().expect("the upstream was asked").json().clone()
    }
}

/// A refusal as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `error.type`
    pub kind: String,
    /// `error.message`
    pub message: String,
    /// `retry-after`
    pub retry_after: Option<String>,
    /// `x-should-retry`
    pub should_retry: Option<String>,
}

impl Refusal {
    /// Reads a refusal. It must have Anthropic's shape and an id that is the same in header and body.
    pub async fn of(response: Response) -> Self {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let (id, retry_after, should_retry) = (header("request-id"), header("retry-after"), header("x-should-retry"));
        let text = response.text().await.expect("a body");
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(body["type"], "error", "{text}");
        assert_eq!(body["request_id"].as_str(), id.as_deref(), "the id is the same in header and body");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, message) = (text(&body["error"]["type"]), text(&body["error"]["message"]));
        Self { status, kind, message, retry_after, should_retry }
    }
}

/// A request in which the person says one thing.
pub fn asking(text: &str) -> Value {
    json!({
        "model": "claude-opus-4-8",
        "max_tokens": 64_000,
        "messages": [{"role": "user", "content": text}],
        "thinking": {"type": "adaptive"},
    })
}

/// An HTTP client that goes nowhere but loopback.
pub fn http() -> Client {
    Client::builder().no_proxy().build().expect("an HTTP client")
}

/// The environment of a gateway whose every host is the demo.
pub fn environment(demo: &Demo, home: &Path) -> Environment {
    let url = |text: String| text.parse().expect("an address");
    let endpoints = Endpoints {
        auth: url(demo.auth_url()),
        chatgpt: url(demo.chatgpt_url()),
        openai: url(demo.openai_url()),
        demo: None,
    };
    let user = home.join("user");
    let folders = Folders { codex: Some(user.join(".codex")), claude: Some(user.join(".claude")), user: Some(user) };
    let search = std::env::var_os("PATH");
    let home = Some(home.to_owned());
    Environment { home, vault: KeySource::File, endpoints, folders, search, ..Environment::default() }
}

/// Puts an account into the vault, as `codeferry accounts import` does.
pub async fn import(paths: &Paths, environment: &Environment, account: &DemoAccount) {
    let kind = match account.kind {
        AccountKind::Plan => codeferry_accounts::Kind::Plan,
        AccountKind::Codex => codeferry_accounts::Kind::Codex,
    };
    let file = account.import_json().to_string();
    let imported = codeferry_accounts::import::read(kind, file.as_bytes(), jiff::Timestamp::now()).expect("an account");
    vault_pool(paths, environment).import(imported).await.expect("the vault takes it");
}
