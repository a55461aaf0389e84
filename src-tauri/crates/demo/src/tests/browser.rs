//! A browser and an app for sign-in tests: what they send is what the recordings hold.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::redirect::Policy;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{CODEX_CLIENT_ID, Demo, Options};

pub(super) const HOST_ID: &str = "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7";
pub(super) const PLAN_SCOPE: &str = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct";
pub(super) const RESOURCE: &str = "https://api.openai.com/v1";

/// A demo, and somebody at a browser that shows where it is sent instead of going there.
pub(super) struct Browser {
    pub(super) demo: Demo,
    pub(super) http: reqwest::Client,
}

/// What an app keeps of an attempt, and the query it sends the browser with.
pub(super) struct App {
    pub(super) path: &'static str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) verifier: String,
    pub(super) redirect: String,
}

// === impl Browser ===

impl Browser {
    pub(super) async fn open() -> Self {
        Self::with(Options::default()).await
    }

    pub(super) async fn with(options: Options) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let demo = Demo::start(options).await.expect("a free port");
        let http = reqwest::Client::builder()
            .user_agent("codeferry/0.1.0")
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .expect("a client");
        Self { demo, http }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.demo.auth_url())
    }

    /// Opens a page; its status, where it leads to, and what it shows.
    pub(super) async fn get(&self, url: &str) -> (u16, Option<String>, String) {
        let answer = self.http.get(url).send().await.expect("an answer");
        read(answer).await
    }

    /// Submits a form.
    pub(super) async fn submit(&self, path: &str, form: &[(&str, &str)]) -> (u16, Option<String>, String) {
        let answer = self.http.post(self.at(path)).form(form).send().await.expect("an answer");
        read(answer).await
    }

    /// Opens the app's page, and says yes at once.
    pub(super) async fn agree(&self, app: &App) -> HashMap<String, String> {
        let (status, location, body) = self.get(&app.url(self, "&demo=allow")).await;
        assert_eq!(status, 302, "{body}");
        parameters(&location.expect("a callback"))
    }

    pub(super) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let answer = self.http.post(self.at(path)).form(form).send().await.expect("an answer");
        json(answer).await
    }

    pub(super) async fn post_json(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.http.post(self.at(path)).json(body).send().await.expect("an answer");
        json(answer).await
    }

    /// Exchanges the code of a callback, as the app should.
    pub(super) async fn exchange(&self, app: &App, callback: &HashMap<String, String>) -> (u16, Value) {
        self.exchange_with(app, callback, |_| ()).await
    }

    /// As above, with something changed.
    pub(super) async fn exchange_with(
        &self,
        app: &App,
        callback: &HashMap<String, String>,
        change: impl FnOnce(&mut HashMap<&str, String>),
    ) -> (u16, Value) {
        let plan = app.path.starts_with("/api/accounts");
        let client = callback.get("client_id").cloned().unwrap_or_else(|| CODEX_CLIENT_ID.to_owned());
        let mut form = HashMap::from([
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", client),
            ("code", callback["code"].clone()),
            ("redirect_uri", app.redirect.clone()),
            ("code_verifier", app.verifier.clone()),
        ]);
        if plan {
            form.insert("resource", RESOURCE.to_owned());
        }
        change(&mut form);
        let form: Vec<_> = form.iter().map(|(key, value)| (*key, value.as_str())).collect();
        self.post_form(if plan { "/api/accounts/oauth/token" } else { "/oauth/token" }, &form).await
    }

    pub(super) async fn keys(&self) -> Value {
        json(self.http.get(self.at("/.well-known/jwks.json")).send().await.expect("an answer")).await.1
    }

    /// The violations, as sentences.
    pub(super) fn violations(&self) -> Vec<String> {
        self.demo.violations().into_iter().map(|violation| violation.what).collect()
    }
}

async fn read(answer: reqwest::Response) -> (u16, Option<String>, String) {
    let location = answer.headers().get("location").map(|value| value.to_str().expect("text").to_owned());
    (answer.status().as_u16(), location, answer.text().await.expect("a body"))
}

async fn json(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The query of a callback.
pub(super) fn parameters(url: &str) -> HashMap<String, String> {
    Url::parse(url).expect("a URL").query_pairs().into_owned().collect()
}

/// A hidden field of a page.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let at = page.find(&field).expect("the field is there") + field.len();
    page[at..].split('"').next().expect("a value").to_owned()
}

// === impl App ===

impl App {
    /// The query of codex-backend.md §12, as an installation sends it the first time.
    pub(super) fn plan(number: u8) -> Self {
        let redirect = format!("http://127.0.0.1:{}/auth/callback", 40_000 + u32::from(number));
        Self::new("/api/accounts/authorize", number, redirect, |app| {
            app.set("client_id", "dynamic_agent_client");
            app.set("agent_name_hint", "Codeferry <test>");
            app.set("ext_agent_host_id", HOST_ID);
            app.set("resource", RESOURCE);
            app.set("scope", PLAN_SCOPE);
            app.set("nonce", &format!("a-nonce-of-attempt-{number}"));
        })
    }

    /// The query of the recording `oauth_authorize.json`.
    pub(super) fn codex(number: u8) -> Self {
        Self::new("/oauth/authorize", number, "http://127.0.0.1:1455/auth/callback".to_owned(), |app| {
            app.set("client_id", CODEX_CLIENT_ID);
            app.set("scope", "openid profile email offline_access api.connectors.read api.connectors.invoke");
            app.set("id_token_add_organizations", "true");
            app.set("codex_cli_simplified_flow", "true");
            app.set("originator", "codeferry");
        })
    }

    fn new(path: &'static str, number: u8, redirect: String, more: impl FnOnce(&mut Self)) -> Self {
        let verifier = format!("a-verifier-of-more-than-forty-three-characters-{number}");
        let mut app = Self { path, query: Vec::new(), redirect: redirect.clone(), verifier };
        app.set("response_type", "code");
        app.set("redirect_uri", &redirect);
        app.set("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(app.verifier.as_bytes())));
        app.set("code_challenge_method", "S256");
        app.set("state", &format!("a-state-of-attempt-{number}"));
        more(&mut app);
        app
    }

    pub(super) fn set(&mut self, key: &'static str, value: &str) {
        self.remove(key);
        self.query.push((key, value.to_owned()));
        if key == "redirect_uri" {
            value.clone_into(&mut self.redirect);
        }
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.query.retain(|(name, _)| *name != key);
    }

    pub(super) fn url(&self, browser: &Browser, more: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        format!("{}?{query}{more}", browser.at(self.path))
    }
}

/// The header and the claims of a token, if one of the published keys has signed it with RS256.
pub(super) fn verified(token: &str, keys: &Value) -> Option<(Value, Value)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    let header = part(header)?;
    let key = keys["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
    let public = RsaPublicKeyComponents { n: number("n")?, e: number("e")? };
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).ok()?;
    (header["alg"] == "RS256").then_some((header, part(claims)?))
}

/// The claims, whoever signed them.
pub(super) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON")
}
