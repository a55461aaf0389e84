//! `GET /api/events`: everything that happens, as one stream of server-sent events.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use codeferry_store::Value;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::accounts;
use super::caller::Caller;
use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::bus::{More, OpenExchange, Reader, TooMany, Topic, Topics};
use crate::sign_in::Told;
use crate::status::Status;

/// After so long without an event there is a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `?types=exchange,quota`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    types: Option<String>,
}

/// `reset`: how everything stands. What is told later comes on top of it.
#[derive(Serialize)]
struct Snapshot {
    why: &'static str,
    status: Status,
    /// Exchanges under way.
    open: Vec<OpenExchange>,
    sign_ins: Vec<Told>,
    settings: BTreeMap<String, Value>,
}

/// One who listens.
struct Listener {
    gateway: Arc<Gateway>,
    reader: Reader,
    caller: Caller,
    /// Why it has to begin anew, should it have to.
    why: &'static str,
    first: bool,
}

pub(crate) async fn events(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    let topics = Topics::parse(wanted.types.as_deref().unwrap_or_default()).map_err(|unknown| {
        let known = Topic::ALL.map(Topic::as_str).join(", ");
        let message = format!("there are no events of the type {unknown:?}; there are: {known}");
        Refused::new(StatusCode::BAD_REQUEST, "bad_request", message)
    })?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let reader = gateway.bus.listen(topics, last_id).map_err(|TooMany| {
        let message = "there are too many who listen already";
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_readers", message)
    })?;
    let ended = match &caller {
        Caller::Token => CancellationToken::new(),
        Caller::Browser(session) => session.ended.clone(),
    };
    let stopping = gateway.stopping.clone();
    let why = if last_id.is_some() { "missed" } else { "new" };
    let listener = Listener { gateway, reader, caller, why, first: true };
    let events = stream::unfold(listener, |mut listener| async move {
        let next = listener.next().await;
        Some((Ok::<_, Infallible>(next), listener))
    });
    // Nobody is to wait for somebody who looks on.
    let events = events.take_until(stopping.cancelled_owned()).take_until(ended.cancelled_owned());
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy in between is not to collect events.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

// === impl Listener ===

impl Listener {
    async fn next(&mut self) -> Bytes {
        if std::mem::take(&mut self.first) {
            self.gateway.bus.awake().await;
            accounts::known_soon(&self.gateway).await;
            // The headers go out with it, and the browser learns how soon to come back.
            return Bytes::from_static(b"retry: 1000\n\n");
        }
        // Who looks on uses the session.
        if let Caller::Browser(session) = &self.caller {
            self.gateway.sessions.touch(session);
        }
        match tokio::time::timeout(HEARTBEAT, self.reader.more()).await {
            Ok(More::Events(events)) => {
                self.why = "slow";
                events
            }
            Ok(More::Gap) => {
                let why = std::mem::replace(&mut self.why, "slow");
                self.reader.reset(|| Snapshot::of(&self.gateway, why))
            }
            Err(_) => self.reader.heartbeat(),
        }
    }
}

// === impl Snapshot ===

impl Snapshot {
    fn of(gateway: &Gateway, why: &'static str) -> Self {
        let settings = gateway.settings.list().into_iter();
        Self {
            why,
            status: gateway.status(),
            open: gateway.bus.open(),
            sign_ins: gateway.sign_ins.told(),
            settings: settings.map(|listed| (listed.key, listed.value)).collect(),
        }
    }
}
