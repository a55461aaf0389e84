//! `/api/keys`: who may use the data plane.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_store::{ClientKeys, KeyError, KeyInfo};
use serde::{Deserialize, Serialize};

use super::refused::{Refused, Sent};
use crate::Gateway;

#[derive(Serialize)]
pub(crate) struct List {
    keys: Vec<KeyInfo>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    name: String,
}

/// A key, this once.
#[derive(Serialize)]
pub(crate) struct Created {
    name: String,
    key: String,
}

pub(crate) async fn list(State(gateway): State<Arc<Gateway>>) -> Result<Json<List>, Refused> {
    Ok(Json(List { keys: gateway.keys.list()? }))
}

pub(crate) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Sent(Create { name }): Sent<Create>,
) -> Result<(StatusCode, Json<Created>), Refused> {
    let now = gateway.now();
    let made = change(&gateway.keys, move |keys| keys.create(&name, now)).await?;
    Ok((StatusCode::CREATED, Json(Created { name: made.name, key: made.key })))
}

pub(crate) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refused> {
    change(&gateway.keys, move |keys| keys.revoke(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writing waits for the disk, and for other processes that write.
async fn change<T: Send + 'static>(
    keys: &ClientKeys,
    change: impl FnOnce(&ClientKeys) -> Result<T, KeyError> + Send + 'static,
) -> Result<T, Refused> {
    let keys = keys.clone();
    match tokio::task::spawn_blocking(move || change(&keys)).await {
        Ok(changed) => Ok(changed?),
        Err(_) => {
            let message = "the change was left in the middle; look what came of it";
            Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "keys_failed", message))
        }
    }
}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        let (status, code) = match &error {
            KeyError::NameTaken(_) => (StatusCode::CONFLICT, "name_taken"),
            KeyError::BadName(_) => (StatusCode::BAD_REQUEST, "bad_name"),
            KeyError::Unknown { .. } => (StatusCode::NOT_FOUND, "unknown_key"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "keys_failed"),
        };
        Self::new(status, code, error.to_string())
    }
}
