//! `GET /api/doctor`: what is well, and what is not.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::doctor::{self, Report, Row};

/// `?live=true` asks the upstream, too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    live: bool,
}

pub(crate) async fn examine(
    State(gateway): State<Arc<Gateway>>,
    Asked(Wanted { live }): Asked<Wanted>,
) -> Result<Json<Report>, Refused> {
    let house = Arc::clone(&gateway.house);
    // It looks at the disk.
    let mut rows = tokio::task::spawn_blocking(move || house()).await.unwrap_or_default();
    rows.extend(doctor::settings(&gateway.settings));
    rows.push(doctor::vault(&gateway.pool).await);
    rows.extend(doctor::accounts(&gateway.pool.list()));
    rows.push(doctor::keys(&gateway.keys));
    rows.extend(gateway.bound.get().map(address));
    rows.push(doctor::request_log(&gateway.log.health()));
    rows.extend(doctor::capture(&gateway.capturing.state(gateway.now())));
    if live {
        rows.extend(doctor::live(&gateway.pool, &gateway.upstream).await);
    }
    let unreached = gateway.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
    rows.extend(doctor::upstream(&gateway.upstream.seen(), unreached.as_ref(), gateway.now()));
    Ok(Json(Report::of(rows)))
}

fn address(address: &SocketAddr) -> Row {
    if address.ip().is_loopback() {
        return Row::ok("address", format!("listening on {address}"));
    }
    Row::warn("address", format!("listening on {address}, which other machines reach"))
        .hint("put TLS in front of it, or listen on 127.0.0.1")
}
