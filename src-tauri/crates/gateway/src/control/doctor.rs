//! `GET /api/doctor`: what is well, and what is not.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::clients::verify::tried;
use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::doctor::{self, Report, Row};
use crate::setup::probe::{self, Depth};
use crate::setup::shape::{Place, Program};
use crate::setup::{Kind, report};

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
    rows.extend(clients(&gateway, live).await);
    let unreached = gateway.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
    rows.extend(doctor::upstream(&gateway.upstream.seen(), unreached.as_ref(), gateway.now()));
    Ok(Json(Report::of(rows)))
}

/// How the clients stand that are started where we were; with `live` what they would do is tried out.
async fn clients(gateway: &Arc<Gateway>, live: bool) -> Vec<Row> {
    let looking = Arc::clone(gateway);
    let looked = tokio::task::spawn_blocking(move || {
        let setup = looking.setup(None)?;
        let programs = setup.list();
        let held = |program: &Program, place: &Place| {
            let kind = Kind::parse(program.client)?;
            let key = setup.key(kind, Some(&place.target));
            place.held.then(|| (kind, report::command(program, place), key))
        };
        let held: Vec<_> = programs
            .iter()
            .flat_map(|program| program.targets.iter().filter_map(|place| held(program, place)).collect::<Vec<_>>())
            .collect();
        Some((report::rows(&programs), held))
    });
    let Some((mut rows, held)) = looked.await.ok().flatten() else { return Vec::new() };
    for (kind, command, key) in held.into_iter().filter(|_| live) {
        let tried = tried(gateway, kind, &command, key.as_deref(), Depth::Live).await;
        rows.extend(tried.into_iter().map(|row| probe::named(kind.label(), row)));
    }
    rows
}

fn address(address: &SocketAddr) -> Row {
    if address.ip().is_loopback() {
        return Row::ok("address", format!("listening on {address}"));
    }
    Row::warn("address", format!("listening on {address}, which other machines reach"))
        .hint("put TLS in front of it, or listen on 127.0.0.1")
}
