//! Trying out what a client would do, without leaving this process: the requests go the way of any other, through the router.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, HOST, USER_AGENT};
use http_body_util::{BodyExt as _, Limited};
use tokio::time::{Instant, timeout};
use tower_service::Service as _;

use super::beside;
use crate::Gateway;
use crate::control::refused::Refused;
use crate::doctor::{Report, Row};
use crate::setup::Kind;
use crate::setup::handshake;
use crate::setup::probe::{self, Answer, Depth, PATIENCE, Probe};
use crate::setup::report;
use crate::setup::shape::{Program, Verification};

/// No answer to a probe is longer.
const LONGEST: usize = 4 * 1024 * 1024;

pub(super) async fn verify(
    gateway: Arc<Gateway>,
    client: &str,
    project: Option<PathBuf>,
    target: Option<String>,
    live: bool,
) -> Result<Verification, Refused> {
    let looked = beside(Arc::clone(&gateway), client, project, move |setup, kind| {
        let (_, place) = setup.place_of(kind, target.as_deref())?;
        let program = setup.program(kind).unwrap_or_else(|| Program::unknown(kind));
        let key = setup.key(kind, Some(&place.id));
        Ok((kind, program, place.id, key))
    });
    let (kind, program, target, key) = looked.await?;
    let place = program.targets.iter().find(|place| place.target == target);
    let mut rows = place.map(|place| report::of_place(&program, place)).unwrap_or_default();
    let command = place.map(|place| report::command(&program, place)).unwrap_or_default();
    let depth = if live { Depth::Live } else { Depth::Free };
    rows.extend(tried(&gateway, kind, &command, key.as_deref(), depth).await);
    Ok(Verification { client: kind.name(), target, report: Report::of(rows) })
}

/// The rows of what was tried with that key.
pub(crate) async fn tried(
    gateway: &Arc<Gateway>,
    kind: Kind,
    command: &str,
    key: Option<&str>,
    depth: Depth,
) -> Vec<Row> {
    let Some(offer) = gateway.offer() else { return Vec::new() };
    let Some(key) = key else {
        return vec![probe::no_key(command)];
    };
    let mut rows = Vec::new();
    for probe in probe::probes(kind, &offer, depth) {
        let answer = match probe.knocks() {
            true => handshake::knock(&offer.url, probe.path, key).await,
            false => send(gateway, &probe, key).await,
        };
        rows.push(probe::judge(command, &probe, answer.as_ref().map_err(String::as_str)));
    }
    rows
}

async fn send(gateway: &Arc<Gateway>, probe: &Probe, key: &str) -> Result<Answer, String> {
    let begun = Instant::now();
    let body = probe.body.clone().map_or_else(Body::empty, Body::from);
    let mut request = Request::builder()
        .method(probe.method)
        .uri(probe.path)
        .header(HOST, format!("127.0.0.1:{}", gateway.port()))
        .header(USER_AGENT, "codeferry-verify")
        .header(AUTHORIZATION, format!("Bearer {key}"));
    for (name, value) in probe.headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body).map_err(|error| error.to_string())?;
    let answered = async {
        let mut router = gateway.router();
        // A router is ready at any time, and answers whatever comes.
        let response = match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|_| "the answer broke off".to_owned())?.to_bytes().to_vec();
        Ok(Answer { status, body, took: begun.elapsed() })
    };
    match timeout(PATIENCE, answered).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("none within {} seconds", PATIENCE.as_secs())),
    }
}
