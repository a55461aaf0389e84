//! A sign-in over the control plane, as a test tool.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use url::Url;

use crate::World;

/// A sign-in that was begun.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its id.
    pub id: String,
    /// Where the browser goes.
    pub url: Url,
    /// Where the browser comes back to.
    pub port: Option<u16>,
    /// What is typed on the device page.
    pub user_code: Option<String>,
}

/// What the browser is shown.
#[derive(Debug, Clone)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// `content-security-policy`
    pub policy: String,
    /// The HTML.
    pub html: String,
    /// Where the browser ended.
    pub url: Url,
}

// === impl Attempt ===

impl Attempt {
    /// A parameter of the address the browser goes to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The address the browser comes back to, with these parameters and the right state.
    pub fn callback(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url: Url = self.parameter("redirect_uri").expect("a redirect").parse().expect("an address");
        url.query_pairs_mut().extend_pairs(parameters).append_pair("state", &self.parameter("state").expect("a state"));
        url
    }

    /// The address, where the auth host answers for this account by itself.
    pub fn allowed_by(&self, name: &str) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("demo", "allow").append_pair("demo_account", name);
        url
    }
}

// === impl Page ===

impl Page {
    async fn of(response: Response) -> Self {
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (status, policy, url) =
            (response.status().as_u16(), header("content-security-policy").to_owned(), response.url().clone());
        Self { status, policy, url, html: response.text().await.expect("a page") }
    }

    /// Fails unless this page shows these words, is one of ours, and can do no harm.
    pub fn assert_ours(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{}", self.html);
        assert!(self.html.contains(words), "{words}: {}", self.html);
        assert!(self.policy.contains("default-src 'none'") && !self.policy.contains("script-src"), "{}", self.policy);
        let html = self.html.to_ascii_lowercase();
        for harm in ["<script", "<img", "<iframe", "<link", "<a ", "<form", "<base", "<object", "url(", "@import"] {
            assert!(!html.contains(harm), "{harm}: {html}");
        }
    }
}

// === impl World ===

impl World {
    /// A request to the control plane that must succeed; its JSON.
    pub async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let response = self.control(method, path).json(&body).send().await.expect("the gateway answers");
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") }
    }

    /// A request to the control plane that must be refused: status and JSON. Every refusal has a code and a sentence.
    pub async fn ask_refused(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let response = self.control(method, path).json(&body).send().await.expect("the gateway answers");
        let status = response.status().as_u16();
        let body: Value = response.json().await.expect("JSON");
        assert!(status >= 400 && body["code"].is_string() && body["message"].is_string(), "{status} {body}");
        (status, body)
    }

    /// Begins a sign-in.
    pub async fn begin(&self, body: Value) -> Attempt {
        let begun = self.ask(Method::POST, "/accounts/sign-in", body).await;
        let text = |name: &str| begun[name].as_str().map(str::to_owned);
        Attempt {
            id: text("id").expect("an id"),
            url: text("url").expect("an address").parse().expect("an address"),
            port: begun["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
            user_code: text("user_code"),
        }
    }

    /// Begins a sign-in in a browser.
    pub async fn begin_browser(&self, kind: &str) -> Attempt {
        self.begin(json!({"kind": kind, "method": "browser"})).await
    }

    /// Where an attempt stands.
    pub async fn stage(&self, attempt: &Attempt) -> Value {
        self.ask(Method::GET, &format!("/accounts/sign-in/{}", attempt.id), json!({})).await
    }

    /// All its stages from now to the end, as they are told.
    pub async fn stages(&self, attempt: &Attempt) -> Vec<Value> {
        let path = format!("/accounts/sign-in/{}/events", attempt.id);
        let response = self.control(Method::GET, &path).send().await.expect("the gateway answers");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let text = response.text().await.expect("a stream that ends");
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
    }

    /// Opens an address as a browser does, and follows it to the page it ends at.
    pub async fn visit(&self, url: Url) -> Page {
        Page::of(self.http.get(url).send().await.expect("a page")).await
    }

    /// Signs an account in from the first page to the last; what the control plane says at the end.
    pub async fn sign_in(&self, kind: &str, name: &str) -> Value {
        let attempt = self.begin_browser(kind).await;
        self.visit(attempt.allowed_by(name)).await;
        self.stage(&attempt).await
    }

    /// The accounts as the control plane lists them.
    pub async fn accounts(&self) -> Vec<Value> {
        let list = self.ask(Method::GET, "/accounts", json!({})).await;
        list["accounts"].as_array().expect("a list").clone()
    }
}

/// Lets so much time pass for everything in this process, and none on the clock at the wall.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
