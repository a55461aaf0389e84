//! `/api/settings`: what can be chosen. Every key is that of `codeferry settings`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_store::{Listed, Problem, SetError, SettingsFile, UnknownKey, Value};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::refused::{Refused, Sent};
use crate::Gateway;

/// All of them.
#[derive(Serialize)]
pub(crate) struct List {
    settings: Vec<Listed>,
    /// Values in the file that cannot be used.
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Put {
    value: Box<RawValue>,
}

pub(crate) async fn list(State(gateway): State<Arc<Gateway>>) -> Json<List> {
    Json(all(&gateway.settings))
}

/// Several at once, `null` for the default: all of them change, or none.
pub(crate) async fn patch(
    State(gateway): State<Arc<Gateway>>,
    Sent(changes): Sent<BTreeMap<String, Box<RawValue>>>,
) -> Result<Json<List>, Refused> {
    let settings = &gateway.settings;
    let read = |(key, raw): (String, Box<RawValue>)| Ok((value(settings, &key, &raw)?, key));
    let changes: Result<Vec<_>, SetError> = changes.into_iter().map(read).collect();
    let changes: Vec<_> = changes?.into_iter().map(|(value, key)| (key, value)).collect();
    change(settings, move |settings| settings.change_all(&changes)).await?;
    Ok(Json(all(settings)))
}

pub(crate) async fn get(State(gateway): State<Arc<Gateway>>, Path(key): Path<String>) -> Result<Json<Listed>, Refused> {
    Ok(Json(gateway.settings.describe(&key)?))
}

pub(crate) async fn put(
    State(gateway): State<Arc<Gateway>>,
    Path(key): Path<String>,
    Sent(put): Sent<Put>,
) -> Result<Json<Listed>, Refused> {
    let settings = &gateway.settings;
    let Some(value) = value(settings, &key, &put.value)? else {
        let message = format!("{key} needs a value; DELETE brings the default back");
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_setting", message));
    };
    let set = key.clone();
    change(settings, move |settings| settings.set_value(&set, value)).await?;
    Ok(Json(settings.describe(&key)?))
}

/// Back to the default; of an alias nothing stays.
pub(crate) async fn delete(
    State(gateway): State<Arc<Gateway>>,
    Path(key): Path<String>,
) -> Result<StatusCode, Refused> {
    change(&gateway.settings, move |settings| settings.unset(&key)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writing waits for the disk, and for other processes that write.
pub(crate) async fn change<T: Send + 'static>(
    settings: &SettingsFile,
    change: impl FnOnce(&SettingsFile) -> Result<T, SetError> + Send + 'static,
) -> Result<T, Refused> {
    let settings = settings.clone();
    match tokio::task::spawn_blocking(move || change(&settings)).await {
        Ok(changed) => Ok(changed?),
        Err(_) => {
            let message = "the change was left in the middle; look what came of it";
            Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "settings_failed", message))
        }
    }
}

fn all(settings: &SettingsFile) -> List {
    List { settings: settings.list(), problems: settings.problems() }
}

/// A value as it was sent; `None` for `null`. One of another shape than values have is none of the allowed ones.
fn value(settings: &SettingsFile, key: &str, raw: &RawValue) -> Result<Option<Value>, SetError> {
    let allowed = settings.allowed(key)?;
    serde_json::from_str(raw.get()).map_err(|_| SetError::BadValue { key: key.to_owned(), allowed })
}

impl From<UnknownKey> for Refused {
    fn from(error: UnknownKey) -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_setting", error.to_string())
    }
}

impl From<SetError> for Refused {
    fn from(error: SetError) -> Self {
        let message = error.to_string();
        match error {
            SetError::UnknownKey(error) => error.into(),
            SetError::BadValue { .. } => Self::new(StatusCode::BAD_REQUEST, "bad_setting", message),
            SetError::File(_) | SetError::Write { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "settings_failed", message)
            }
        }
    }
}
