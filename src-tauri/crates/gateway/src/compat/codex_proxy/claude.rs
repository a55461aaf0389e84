//! `/claude/config…`: what Claude Code is set up with. Looked at, and changed only by the three requests that say so.

#![expect(clippy::disallowed_types, reason = "somebody else's file of any shape, shown to its owner")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use codeferry_clients::apply::{FileDone as Done, Retired, Site, Trouble, Wish};
use codeferry_clients::claude_code;
use codeferry_clients::format::Document;
use codeferry_store::KeyError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

use super::super::sent::Body;
use crate::Gateway;
use crate::control::refused::Refused;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    config_path: String,
    config: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Direct {
    api_key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Set {
    api_url: Option<String>,
    api_key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnStartup {
    success: bool,
    configure_claude_on_startup: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetOnStartup {
    configure_claude_on_startup: Option<bool>,
}

/// Words in a name that make its value a secret (`seed-a.md §13`).
const SECRET: [&str; 8] =
    ["api_key", "auth_token", "access_token", "refresh_token", "id_token", "secret", "password", "apikey"];
const REDACTED: &str = "[redacted]";
const TOKEN_WINS: &str = "ANTHROPIC_AUTH_TOKEN is set too, and is sent instead of the key";
/// Nobody has so many keys for one client.
const NAMES: u32 = 1000;

/// The file with its secrets redacted. One that cannot be read is an error: codex-proxy took it for empty, and wrote over
/// it.
pub(super) async fn config(State(gateway): State<Arc<Gateway>>) -> Result<Json<Config>, Refused> {
    beside(gateway, |_, site| shown(site, site.look()?.document(), None)).await
}

/// It comes to us, with a client key made for it.
pub(crate) async fn proxy(State(gateway): State<Arc<Gateway>>) -> Result<Json<Config>, Refused> {
    beside(gateway, |gateway, site| {
        let url = gateway.own_url();
        let seen = site.look()?;
        // Before a key is made: whether the file can take it.
        site.check(&seen, &claude_code::to_us(&url, "", None))?;
        let valid = claude_code::token(seen.document()).filter(|token| gateway.keys.verify(token).is_some());
        let (key, made) = match valid {
            Some(key) => (key, None),
            None => {
                let made = new_key(gateway)?;
                (made.key, Some(made.name))
            }
        };
        let done = match site.change(seen, &claude_code::to_us(&url, &key, made.as_deref()), gateway.now()) {
            Ok(done) => done,
            Err(trouble) => {
                // It stands nowhere; one that cannot be revoked opens nothing for anybody.
                if let Some(name) = made
                    && let Err(error) = gateway.keys.revoke(&name)
                {
                    tracing::warn!(key = %name, %error, "a client key that was made in vain still counts");
                }
                return Err(trouble.into());
            }
        };
        settle(gateway, &done);
        let told = match done.changed {
            true => format!("Claude Code comes to {url} from its next start on"),
            false => format!("Claude Code comes to {url} already; nothing was written"),
        };
        let mut notes = notes(site, &done);
        notes.extend(claude_code::doubts(&done.document));
        shown(site, &done.document, Some(sentences(told, notes)))
    })
    .await
}

/// It goes where it went before, and if a key is sent, with that.
pub(crate) async fn direct(
    State(gateway): State<Arc<Gateway>>,
    Body(Direct { api_key }): Body<Direct>,
) -> Result<Json<Config>, Refused> {
    let api_key = api_key.map(|key| usable(&key)).transpose()?;
    beside(gateway, move |gateway, site| {
        let done = change(gateway, site, &claude_code::direct(api_key.as_deref()))?;
        let told = match (done.removed, done.changed) {
            (true, _) => "nothing but ours was in the file, so it is gone".to_owned(),
            (_, true) => "Claude Code goes its own way from its next start on".to_owned(),
            (_, false) => "nothing of ours was there; nothing was written".to_owned(),
        };
        let mut notes = notes(site, &done);
        if api_key.is_some() && claude_code::token(&done.document).is_some() {
            notes.push(TOKEN_WINS.to_owned());
        }
        notes.extend(
            claude_code::base_url(&done.document).map(|url| format!("ANTHROPIC_BASE_URL still leads to {url}")),
        );
        shown(site, &done.document, Some(sentences(told, notes)))
    })
    .await
}

/// It goes to an address on this machine, with a key.
pub(super) async fn set(
    State(gateway): State<Arc<Gateway>>,
    Body(Set { api_url, api_key }): Body<Set>,
) -> Result<Json<Config>, Refused> {
    let (Some(url), Some(key)) = (api_url, api_key) else {
        return Err(bad_request("apiUrl and apiKey are required"));
    };
    let (url, key) = (address(&url, gateway.port())?, usable(&key)?);
    beside(gateway, move |gateway, site| {
        let done = change(gateway, site, &claude_code::to(&url, &key))?;
        let told = match done.changed {
            true => format!("Claude Code goes to {url} from its next start on"),
            false => format!("Claude Code goes to {url} already; nothing was written"),
        };
        let mut notes = notes(site, &done);
        if claude_code::token(&done.document).is_some() {
            notes.push(TOKEN_WINS.to_owned());
        }
        notes.extend(claude_code::doubts(&done.document));
        shown(site, &done.document, Some(sentences(told, notes)))
    })
    .await
}

/// Never: a file of somebody else's is changed when somebody asks for it, and at no other time.
fn at_startup() -> Refused {
    let message = "the settings of Claude Code are not changed at the start; nothing was changed";
    Refused::new(StatusCode::NOT_IMPLEMENTED, "not_at_startup", message)
        .hint("POST /claude/config/proxy does it now, and once is enough")
}

pub(super) async fn on_startup() -> Json<OnStartup> {
    Json(OnStartup { success: true, configure_claude_on_startup: false })
}

pub(super) async fn set_on_startup(Body(sent): Body<SetOnStartup>) -> Result<Json<OnStartup>, Refused> {
    match sent.configure_claude_on_startup {
        Some(false) => Ok(on_startup().await),
        Some(true) => Err(at_startup()),
        None => Err(bad_request("configureClaudeOnStartup is required and must be true or false")),
    }
}

/// Files are read and written beside the requests.
async fn beside(
    gateway: Arc<Gateway>,
    work: impl FnOnce(&Gateway, &Site) -> Result<Config, Refused> + Send + 'static,
) -> Result<Json<Config>, Refused> {
    let Some(file) = gateway.others.claude_settings.clone() else {
        let message = "the folder of Claude Code is not known here";
        return Err(Refused::new(StatusCode::NOT_FOUND, "no_claude_config", message));
    };
    let site = Site::new(claude_code::NAME, file, gateway.others.data.clone());
    match tokio::task::spawn_blocking(move || work(&gateway, &site)).await {
        Ok(done) => done.map(Json),
        Err(_) => {
            let message = "the change was left in the middle; look what came of it";
            Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "claude_config_failed", message))
        }
    }
}

fn change(gateway: &Gateway, site: &Site, wishes: &[Wish]) -> Result<Done, Refused> {
    let done = site.change(site.look()?, wishes, gateway.now())?;
    settle(gateway, &done);
    Ok(done)
}

/// What follows from a change of the file.
fn settle(gateway: &Gateway, done: &Done) {
    retire(gateway, &done.retired);
    // The tray shows whether it comes here.
    gateway.news.tell();
}

/// A client key for it. A name that is taken is somebody's, so the next one is tried.
fn new_key(gateway: &Gateway) -> Result<codeferry_store::NewKey, KeyError> {
    let mut at = 1;
    loop {
        let name = match at {
            1 => claude_code::NAME.to_owned(),
            _ => format!("{}-{at}", claude_code::NAME),
        };
        match gateway.keys.create(&name, gateway.now()) {
            Err(KeyError::NameTaken(_)) if at < NAMES => at += 1,
            made => return made,
        }
    }
}

/// Keys that were made for the file and stand there no more are nobody's.
fn retire(gateway: &Gateway, keys: &[Retired]) {
    for Retired { name, sha256 } in keys {
        match gateway.keys.revoke_this(name, sha256) {
            Ok(true) => tracing::info!(key = %name, "a client key that Claude Code has no more was revoked"),
            Ok(false) => {}
            Err(error) => tracing::warn!(key = %name, %error, "a client key that Claude Code has no more still counts"),
        }
    }
}

/// Loopback only. What `localhost` means is the resolver's choice, and we listen on 127.0.0.1.
fn address(text: &str, port: u16) -> Result<String, Refused> {
    let url: Url =
        text.trim().parse().map_err(|_| bad_request("apiUrl must be an address like http://127.0.0.1:8081"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !loopback || !plain || !matches!(url.scheme(), "http" | "https") {
        return Err(bad_request(
            "apiUrl must lead to this machine: http://127.0.0.1:PORT, without user, query or fragment",
        ));
    }
    let mut url = url;
    if url.domain() == Some("localhost") && url.port_or_known_default() == Some(port) {
        // It is a special scheme with a host, so this does not fail.
        let _ = url.set_host(Some("127.0.0.1"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A key that a header can carry.
fn usable(key: &str) -> Result<String, Refused> {
    let key = key.trim();
    match !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(key.to_owned()),
        false => Err(bad_request("apiKey must be a key: visible ASCII, and not nothing")),
    }
}

fn bad_request(message: &'static str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, "bad_request", message)
}

/// What is to be known after a change.
fn notes(site: &Site, done: &Done) -> Vec<String> {
    let mut notes: Vec<String> = done
        .kept
        .iter()
        .map(|place| format!("{place} was changed by somebody else since and stays as it is"))
        .collect();
    if let Some(mode) = done.exposed.filter(|_| done.changed) {
        notes.push(format!("Others on this machine can read {} (mode {mode:o})", site.file().display()));
    }
    notes
}

fn sentences(told: String, notes: Vec<String>) -> String {
    [told].into_iter().chain(notes).collect::<Vec<_>>().join(". ")
}

fn shown(site: &Site, document: &Document, message: Option<String>) -> Result<Config, Refused> {
    let mut config: Value = serde_json::from_str(&document.strict().unwrap_or_default()).map_err(|_| {
        let message = format!("{} cannot be shown", site.file().display());
        Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "no_claude_config", message)
    })?;
    redact(&mut config);
    Ok(Config { success: true, message, config_path: site.file().display().to_string(), config })
}

/// Every value whose name says that it is a secret, however deep it lies.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_ascii_lowercase();
                // `apiKeyHelper` names a program.
                let secret = SECRET.iter().any(|word| name.contains(word)) && name != "apikeyhelper";
                if secret && !value.is_null() {
                    *value = Value::String(REDACTED.to_owned());
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        let (status, code) = match &trouble {
            Trouble::Bad { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "no_claude_config"),
            Trouble::Changed { .. } => (StatusCode::CONFLICT, "changed_meanwhile"),
            Trouble::ReadOnly { .. } => (StatusCode::CONFLICT, "read_only"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "claude_config_failed"),
        };
        Self::new(status, code, trouble.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{address, redact};

    #[test]
    fn secrets_go_wherever_they_lie() {
        let mut config = json!({
            "env": {"ANTHROPIC_API_KEY": "sk-1", "ANTHROPIC_AUTH_TOKEN": "t", "ANTHROPIC_BASE_URL": "http://x", "DB_PASSWORD": null},
            "mcpServers": [{"headers": {"clientSecret": {"a": "b"}}, "apiKey": "sk-2"}],
            "apiKeyHelper": "/bin/helper",
        });
        redact(&mut config);
        assert_eq!(
            config,
            json!({
                "env": {"ANTHROPIC_API_KEY": "[redacted]", "ANTHROPIC_AUTH_TOKEN": "[redacted]", "ANTHROPIC_BASE_URL": "http://x", "DB_PASSWORD": null},
                "mcpServers": [{"headers": {"clientSecret": "[redacted]"}, "apiKey": "[redacted]"}],
                "apiKeyHelper": "/bin/helper",
            })
        );
    }

    #[test]
    fn only_addresses_of_this_machine_are_set() {
        for (text, taken) in [
            ("http://127.0.0.1:9/", "http://127.0.0.1:9"),
            ("http://localhost:8081", "http://127.0.0.1:8081"),
            ("http://localhost:9//", "http://localhost:9"),
            ("http://[::1]:8081/base/", "http://[::1]:8081/base"),
            ("https://127.0.0.2", "https://127.0.0.2"),
        ] {
            assert_eq!(address(text, 8081).expect(text), taken);
        }
        for text in [
            "",
            "localhost:8081",
            "127.0.0.1:8081",
            "http://example.com",
            "http://127.0.0.1.nip.io",
            "http://localhost.example",
            "http://127.0.0.1@example.com",
            "http://user:pass@127.0.0.1",
            "http://127.0.0.1/?x=1",
            "http://0.0.0.0:8081",
            "file:///etc/passwd",
            "ftp://127.0.0.1",
        ] {
            assert!(address(text, 8081).is_err(), "{text}");
        }
    }
}
