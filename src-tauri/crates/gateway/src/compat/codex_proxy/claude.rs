//! `/claude/config…`: what Claude Code is set up with. Looked at, and changed only by the three requests that say so.

#![expect(clippy::disallowed_types, reason = "somebody else's file of any shape, shown to its owner")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use codeferry_clients::apply::{FileDone as Done, Site, Wish};
use codeferry_clients::claude_code;
use codeferry_clients::format::Document;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

use super::super::sent::Body;
use crate::Gateway;
use crate::control::refused::Refused;
use crate::setup::{Kind, Setup};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    config_path: String,
    config: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Direct {
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

/// The file with its secrets redacted. One that cannot be read is an error: codex-proxy took it for empty, and wrote over
/// it.
pub(super) async fn config(State(gateway): State<Arc<Gateway>>) -> Result<Json<Config>, Refused> {
    beside(gateway, |_, _, site| shown(site, site.look()?.document(), None)).await
}

/// It comes to us, with a client key made for it.
pub(super) async fn proxy(State(gateway): State<Arc<Gateway>>) -> Result<Json<Config>, Refused> {
    beside(gateway, |gateway, setup, site| {
        let done = setup.apply(Kind::ClaudeCode, None, None)?;
        // The tray shows whether it comes here.
        gateway.watched.nudge();
        gateway.news.tell();
        shown(site, site.look()?.document(), Some(sentences(done.told, done.notes)))
    })
    .await
}

/// It goes where it went before, and if a key is sent, with that.
pub(super) async fn direct(
    State(gateway): State<Arc<Gateway>>,
    Body(Direct { api_key }): Body<Direct>,
) -> Result<Json<Config>, Refused> {
    let api_key = api_key.map(|key| usable(&key)).transpose()?;
    beside(gateway, move |gateway, setup, site| {
        let done = change(gateway, setup, site, &claude_code::direct(api_key.as_deref()))?;
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
    beside(gateway, move |gateway, setup, site| {
        let done = change(gateway, setup, site, &claude_code::to(&url, &key))?;
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
    work: impl FnOnce(&Gateway, &Setup, &Site) -> Result<Config, Refused> + Send + 'static,
) -> Result<Json<Config>, Refused> {
    let unknown = || {
        let message = "the folder of Claude Code is not known here";
        Refused::new(StatusCode::NOT_FOUND, "no_claude_config", message)
    };
    let done = tokio::task::spawn_blocking(move || {
        let setup = gateway.setup(None).ok_or_else(unknown)?;
        let (_, place) = setup.place_of(Kind::ClaudeCode, None)?;
        let site = Site::new(claude_code::NAME, place.file().ok_or_else(unknown)?, setup.data.clone());
        work(&gateway, &setup, &site)
    });
    match done.await {
        Ok(done) => done.map(Json),
        Err(_) => {
            let message = "the change was left in the middle; look what came of it";
            Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "client_files_failed", message))
        }
    }
}

fn change(gateway: &Gateway, setup: &Setup, site: &Site, wishes: &[Wish]) -> Result<Done, Refused> {
    let done = site.change(site.look()?, wishes, gateway.now())?;
    setup.retire(done.retired.iter());
    // The tray shows whether it comes here.
    gateway.watched.nudge();
    gateway.news.tell();
    Ok(done)
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
    let begun = |note: String| note[..1].to_uppercase() + &note[1..];
    std::iter::once(told).chain(notes.into_iter().map(begun)).collect::<Vec<_>>().join(". ")
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
