//! `/api/routes` and `/api/aliases`: which upstream model a name means. They are settings; this is their shape for people.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_store::{Settings, Target, Value};
use codeferry_translate::route::UnknownModel;
use codeferry_upstream::Effort;
use serde::{Deserialize, Serialize};

use super::refused::{Refused, Sent};
use super::settings::change;
use crate::Gateway;
use crate::routing::{Destination, explain};

/// The families of the client's models.
pub(crate) const ROLES: [&str; 5] = ["opus", "sonnet", "haiku", "fable", "default"];

#[derive(Serialize)]
pub(crate) struct Table {
    roles: Vec<Role>,
    aliases: Vec<Alias>,
}

#[derive(Serialize)]
pub(crate) struct Role {
    role: &'static str,
    #[serde(flatten)]
    to: To,
    /// It stands in the settings, and is not just the default.
    set: bool,
    /// `model` or `model:effort`
    default: String,
}

#[derive(Serialize)]
pub(crate) struct Alias {
    name: String,
    #[serde(flatten)]
    to: To,
}

/// Where a name leads.
#[derive(Serialize)]
pub(crate) struct To {
    model: String,
    effort: Option<&'static str>,
    /// Whether the catalogue lists the model.
    listed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Put {
    model: String,
    effort: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Try {
    model: String,
    effort: Option<String>,
}

pub(crate) async fn list(State(gateway): State<Arc<Gateway>>) -> Json<Table> {
    let (settings, default) = (gateway.settings.snapshot(), Settings::default());
    let roles = ROLES.iter().filter_map(|role| {
        let set = gateway.settings.describe(&format!("route.{role}")).is_ok_and(|listed| listed.set);
        let to = To::of(&gateway, target(&settings, role)?);
        Some(Role { role, to, set, default: target(&default, role)?.to_string() })
    });
    let aliases = settings.aliases.iter();
    let aliases = aliases.map(|(name, target)| Alias { name: name.clone(), to: To::of(&gateway, target) });
    Json(Table { roles: roles.collect(), aliases: aliases.collect() })
}

pub(crate) async fn put_role(
    State(gateway): State<Arc<Gateway>>,
    Path(role): Path<String>,
    Sent(put): Sent<Put>,
) -> Result<StatusCode, Refused> {
    if !ROLES.contains(&role.as_str()) {
        return Err(unknown_role(&role));
    }
    set(&gateway, format!("route.{role}"), put).await
}

/// Back to the default.
pub(crate) async fn delete_role(
    State(gateway): State<Arc<Gateway>>,
    Path(role): Path<String>,
) -> Result<StatusCode, Refused> {
    if !ROLES.contains(&role.as_str()) {
        return Err(unknown_role(&role));
    }
    change(&gateway.settings, move |settings| settings.unset(&format!("route.{role}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn put_alias(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    Sent(put): Sent<Put>,
) -> Result<StatusCode, Refused> {
    let key = format!("alias.{name}");
    if gateway.settings.allowed(&key).is_err() {
        let message = "an alias is 1 to 128 visible ASCII characters";
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_alias", message));
    }
    set(&gateway, key, put).await
}

pub(crate) async fn delete_alias(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refused> {
    if !gateway.settings.snapshot().aliases.contains_key(&name) {
        return Err(Refused::new(StatusCode::NOT_FOUND, "unknown_alias", "there is no such alias"));
    }
    change(&gateway.settings, move |settings| settings.unset(&format!("alias.{name}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a request would go. Nothing is sent.
pub(crate) async fn attempt(
    State(gateway): State<Arc<Gateway>>,
    Sent(Try { model, effort }): Sent<Try>,
) -> Result<Json<Destination>, Refused> {
    let effort = match &effort {
        None => None,
        Some(name) => Some(Effort::parse(name).ok_or_else(|| {
            let message = format!("{name:?} is no effort; use one of {}", Effort::ALL.map(Effort::as_str).join(", "));
            Refused::new(StatusCode::BAD_REQUEST, "bad_effort", message)
        })?),
    };
    // What cannot be read has no labels; a name that needs one is refused then.
    let _ = gateway.pool.ready().await;
    let labels: Vec<_> = gateway.pool.all_named().iter().filter_map(|account| account.label.clone()).collect();
    let found = explain(&gateway.settings.snapshot(), &gateway.upstream.shelf().all(), &labels, &model, effort);
    found.map(Json).map_err(|unknown| match unknown {
        UnknownModel::Name(name) => {
            Refused::new(StatusCode::NOT_FOUND, "unknown_model", format!("no upstream model is meant by {name:?}"))
                .hint("give it a target: PUT /api/aliases/{name}")
        }
        UnknownModel::Label { label, .. } => {
            Refused::new(StatusCode::NOT_FOUND, "unknown_account", format!("no account is called {label:?}"))
                .hint("see them all: GET /api/accounts")
        }
    })
}

async fn set(gateway: &Gateway, key: String, Put { model, effort }: Put) -> Result<StatusCode, Refused> {
    let target = match effort {
        Some(effort) => format!("{model}:{effort}"),
        None => model,
    };
    change(&gateway.settings, move |settings| settings.set_value(&key, Value::Text(target))).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn target<'s>(settings: &'s Settings, role: &str) -> Option<&'s Target> {
    let routes = &settings.routes;
    match role {
        "opus" => Some(&routes.opus),
        "sonnet" => Some(&routes.sonnet),
        "haiku" => Some(&routes.haiku),
        "fable" => Some(&routes.fable),
        "default" => Some(&routes.default),
        _ => None,
    }
}

fn unknown_role(role: &str) -> Refused {
    let message = format!("there is no role {role:?}; there are: {}", ROLES.join(", "));
    Refused::new(StatusCode::NOT_FOUND, "unknown_role", message)
}

// === impl To ===

impl To {
    fn of(gateway: &Gateway, target: &Target) -> Self {
        let listed = gateway.upstream.shelf().all().get(&target.model).is_some();
        Self { model: target.model.clone(), effort: target.effort.map(codeferry_store::Effort::as_str), listed }
    }
}
