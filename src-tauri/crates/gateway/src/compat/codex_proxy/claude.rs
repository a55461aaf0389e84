//! `/claude/config…`: what Claude Code is set up with. Looked at here, and not changed.

#![expect(clippy::disallowed_types, reason = "somebody else's file of any shape, shown to its owner")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::sent::Body;
use crate::Gateway;
use crate::control::refused::Refused;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    success: bool,
    config_path: String,
    config: Value,
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

/// The file with its secrets redacted. One that cannot be read is an error: codex-proxy took it for empty, and wrote over
/// it.
pub(super) async fn config(State(gateway): State<Arc<Gateway>>) -> Result<Json<Config>, Refused> {
    let refused = |status, message: String| Refused::new(status, "no_claude_config", message);
    let Some(path) = gateway.others.claude_settings.clone() else {
        return Err(refused(StatusCode::NOT_FOUND, "the folder of Claude Code is not known here".to_owned()));
    };
    let config_path = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    let mut config: Value = match read.map_err(std::io::Error::other).flatten() {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = format!("{config_path} is no JSON at line {line}, column {column}; it was left as it is");
            refused(StatusCode::UNPROCESSABLE_ENTITY, message)
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Value::Object(serde_json::Map::new()),
        Err(error) => {
            return Err(refused(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot read {config_path}: {error}")));
        }
    };
    redact(&mut config);
    Ok(Json(Config { success: true, config_path, config }))
}

/// Not yet: a file of somebody else's is not changed before that can be taken back.
pub(super) async fn set_up() -> Refused {
    let message = "setting Claude Code up is not served yet; nothing was changed";
    Refused::new(StatusCode::NOT_IMPLEMENTED, "not_yet", message)
        .hint("set ANTHROPIC_BASE_URL to this gateway's address and ANTHROPIC_AUTH_TOKEN to a client key (codeferry keys create NAME)")
}

pub(super) async fn on_startup() -> Json<OnStartup> {
    Json(OnStartup { success: true, configure_claude_on_startup: false })
}

pub(super) async fn set_on_startup(Body(sent): Body<SetOnStartup>) -> Result<Json<OnStartup>, Refused> {
    match sent.configure_claude_on_startup {
        Some(false) => Ok(on_startup().await),
        Some(true) => Err(set_up().await),
        None => {
            let message = "configureClaudeOnStartup is required and must be true or false";
            Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", message))
        }
    }
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

    use super::redact;

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
}
