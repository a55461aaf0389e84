//! `POST /api/accounts`: adding an account that is asked for by name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use codeferry_accounts::{AccountId, Endpoint, ImportOutcome, Kind, NamedAccount, NamedError, Preset, Secret};
use codeferry_upstream::{BadUrl, ServerCall, server};
use serde::{Deserialize, Serialize};

use super::refused::{Refused, Sent};
use crate::Gateway;

/// What is to be added. It holds a key, so it has no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    kind: String,
    label: Option<String>,
    url: Option<String>,
    preset: Option<String>,
    key: Option<String>,
    #[serde(default)]
    allow_http: bool,
    /// Ask the server before anything is kept.
    #[serde(default = "yes")]
    verify: bool,
}

/// What was added.
#[derive(Serialize)]
pub(crate) struct Added {
    id: AccountId,
    kind: Kind,
    label: String,
    url: Option<String>,
    outcome: &'static str,
    /// How many models its server lists; `None` if it was not asked.
    models: Option<usize>,
    /// What its owner should know.
    notice: Option<String>,
}

/// A checked form of [`New`].
struct Checked {
    kind: Kind,
    label: String,
    endpoint: Option<Endpoint>,
    key: Secret,
}

fn yes() -> bool {
    true
}

pub(crate) async fn add(
    State(gateway): State<Arc<Gateway>>,
    Sent(new): Sent<New>,
) -> Result<(StatusCode, Json<Added>), Refused> {
    let verify = new.verify;
    let Checked { kind, label, endpoint, key } = check(new)?;
    let models = if verify {
        let call = ServerCall { kind, endpoint: endpoint.as_ref(), key: &key };
        let asked = gateway.upstream.ask_server(call).await;
        Some(asked.map_err(|failure| Refused::from(failure).hint(NOT_ADDED))?.len())
    } else {
        None
    };
    let notice = notice(kind, &label, endpoint.as_ref());
    let url = endpoint.as_ref().map(|endpoint| endpoint.url.clone());
    let done =
        gateway.pool.add_named(NamedAccount { kind, label: label.clone(), endpoint, program: None, key }).await?;
    let (status, outcome) = match done.outcome {
        ImportOutcome::Added => (StatusCode::CREATED, "added"),
        ImportOutcome::Updated => (StatusCode::OK, "updated"),
        ImportOutcome::Unchanged => (StatusCode::OK, "unchanged"),
    };
    Ok((status, Json(Added { id: done.id, kind, label, url, outcome, models, notice })))
}

const NOT_ADDED: &str = "nothing was added; --no-verify (\"verify\": false) adds it without asking the server";

fn check(new: New) -> Result<Checked, Refused> {
    let bad = |code, message: String| Refused::new(StatusCode::BAD_REQUEST, code, message);
    let Ok(kind @ (Kind::Compatible | Kind::OpenaiKey)) = new.kind.parse() else {
        let message = format!("an account of the kind {:?} is not added so: use compatible or openai_key", new.kind);
        return Err(bad("bad_kind", message));
    };
    let preset = new.preset.as_deref().map(str::parse::<Preset>).transpose();
    let preset = preset.map_err(|error| bad("bad_preset", error.to_string()))?;
    let label = new.label.or_else(|| preset.map(|preset| preset.as_str().to_owned()));
    let label = codeferry_accounts::named::label(label.as_deref().unwrap_or_default())
        .map_err(|error| bad("bad_label", error.to_string()))?;
    let endpoint = match kind {
        Kind::OpenaiKey if new.url.is_some() || preset.is_some() => {
            let message = "an openai_key account speaks to api.openai.com: for another server use the kind compatible";
            return Err(bad("bad_url", message.to_owned()));
        }
        Kind::OpenaiKey => None,
        _ => {
            let Some(url) = new.url.as_deref().or(preset.map(Preset::url)) else {
                return Err(bad(
                    "bad_url",
                    "a compatible account needs the address of its server, or a preset".to_owned(),
                ));
            };
            Some(server::endpoint(url, preset, new.allow_http)?)
        }
    };
    let key = new.key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
    let key = key.or_else(|| preset.and_then(Preset::anonymous_key).map(str::to_owned));
    let needed = kind == Kind::OpenaiKey || preset.is_some_and(Preset::needs_key);
    if needed && key.is_none() {
        return Err(bad("key_needed", format!("{label} cannot be used without a key")));
    }
    let key = key.unwrap_or_default();
    if HeaderValue::from_str(&key).is_err() || key.contains(char::is_whitespace) {
        return Err(bad("bad_key", "the key holds characters that no key has".to_owned()));
    }
    Ok(Checked { kind, label, endpoint, key: Secret::new(key) })
}

/// Who is paid, and who reads along.
fn notice(kind: Kind, label: &str, endpoint: Option<&Endpoint>) -> Option<String> {
    if kind == Kind::OpenaiKey {
        return Some(format!(
            "every request to {label}/… is paid per token, at the prices of OpenAI's API; a ChatGPT plan does not cover it"
        ));
    }
    let url: url::Url = endpoint?.url.parse().ok()?;
    let host = url.host_str()?;
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    (!here).then(|| format!("whatever is asked of {label}/… goes to {host}, and is subject to its terms and prices"))
}

impl From<BadUrl> for Refused {
    fn from(error: BadUrl) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_url", error.to_string())
    }
}

impl From<NamedError> for Refused {
    fn from(error: NamedError) -> Self {
        let (status, code) = match &error {
            NamedError::Label(_) => (StatusCode::BAD_REQUEST, "bad_label"),
            NamedError::Taken { .. } => (StatusCode::CONFLICT, "label_taken"),
            NamedError::NotNamed(_) => (StatusCode::BAD_REQUEST, "bad_kind"),
            NamedError::Vault(_) => (StatusCode::INTERNAL_SERVER_ERROR, "vault_failed"),
        };
        Self::new(status, code, error.to_string())
    }
}
