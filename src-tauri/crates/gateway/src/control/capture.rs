//! `/api/capture`: whole exchanges, word for word, for a bug report.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use codeferry_store::capture::{CaptureError, Captures, Listing};
use serde::{Deserialize, Serialize};

use super::refused::{Refused, Sent};
use crate::Gateway;
use crate::capture::CaptureState;

/// The state, and what there is.
#[derive(Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    state: CaptureState,
    #[serde(flatten)]
    listing: Listing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Begin {
    minutes: u64,
    client: Option<String>,
    #[serde(default)]
    images: bool,
}

/// Four hours: who forgets it does not find a day's work on the disk.
const LONGEST: u64 = 240;

pub(crate) async fn show(State(gateway): State<Arc<Gateway>>) -> Result<Json<Shown>, Refused> {
    let listing = files(&gateway, Captures::list).await?;
    Ok(Json(Shown { state: gateway.capturing.state(gateway.now()), listing }))
}

pub(crate) async fn begin(
    State(gateway): State<Arc<Gateway>>,
    Sent(Begin { minutes, client, images }): Sent<Begin>,
) -> Result<Json<CaptureState>, Refused> {
    if !(1..=LONGEST).contains(&minutes) {
        let message = format!("minutes is {minutes}: a number from 1 to {LONGEST} is needed");
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", message));
    }
    if let Some(client) = &client
        && !gateway.keys.list()?.iter().any(|key| key.name == *client)
    {
        let message = format!("no client key is called {client:?}");
        return Err(Refused::new(StatusCode::NOT_FOUND, "unknown_key", message).hint("see them: codeferry keys list"));
    }
    gateway.capture(Duration::from_secs(minutes * 60), client, images);
    Ok(Json(gateway.capturing.state(gateway.now())))
}

pub(crate) async fn end(State(gateway): State<Arc<Gateway>>) -> StatusCode {
    gateway.end_capture();
    StatusCode::NO_CONTENT
}

pub(crate) async fn one(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<Response, Refused> {
    let document = files(&gateway, move |captures| captures.read(&id)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], document).into_response())
}

pub(crate) async fn bundle(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<Response, Refused> {
    let name = format!("attachment; filename=\"{}\"", Captures::bundle_name(&id));
    let packed = files(&gateway, move |captures| captures.bundle(&id)).await?;
    let mut response = ([(header::CONTENT_TYPE, "application/gzip")], packed).into_response();
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

pub(crate) async fn remove(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    files(&gateway, move |captures| captures.remove(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Files are read and unpacked beside the streams, not between them.
async fn files<T: Send + 'static>(
    gateway: &Gateway,
    ask: impl FnOnce(&Captures) -> Result<T, CaptureError> + Send + 'static,
) -> Result<T, Refused> {
    let captures = gateway.capturing.captures.clone();
    match tokio::task::spawn_blocking(move || ask(&captures)).await {
        Ok(answer) => Ok(answer?),
        Err(_) => {
            let message = "the captures could not be looked at";
            Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "capture_failed", message))
        }
    }
}

impl From<CaptureError> for Refused {
    fn from(error: CaptureError) -> Self {
        let (status, code) = match &error {
            CaptureError::Unknown(_) => (StatusCode::NOT_FOUND, "unknown_capture"),
            CaptureError::Damaged(_) => (StatusCode::INTERNAL_SERVER_ERROR, "capture_damaged"),
            CaptureError::Files { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "capture_failed"),
        };
        Self::new(status, code, error.to_string())
    }
}
