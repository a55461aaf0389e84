//! `/api/clients`: the programs that come to us, whether they do, and setting them up.
//!
//! What is done to their files is done by [`Setup`], and told of in `docs/clients.md`.

mod refused;
pub(crate) mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::refused::{Asked, Refused, Sent};
use crate::Gateway;
use crate::compat::sent::Body;
use crate::setup::shape::{Copy, Plan, Program, Settled, Verification};
use crate::setup::{Kind, Offer, Setup, SetupError};

#[derive(Serialize)]
pub(crate) struct List {
    /// Where clients are told to go.
    url: String,
    /// The folder of the person, to show paths below it in short.
    home: Option<String>,
    clients: Vec<Program>,
}

/// What was done, and how it is now.
#[derive(Serialize)]
pub(crate) struct Changed {
    #[serde(flatten)]
    client: Program,
    #[serde(flatten)]
    done: Settled,
}

/// The copies there are.
#[derive(Serialize)]
pub(crate) struct Copies {
    backups: Vec<Copy>,
}

/// One of them, and what bringing it back would change now.
#[derive(Serialize)]
pub(crate) struct CopyDetail {
    #[serde(flatten)]
    copy: Copy,
    /// The unified diff, with secrets masked.
    diff: String,
}

/// Behind the question mark.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    /// Also the settings of that folder.
    project: Option<PathBuf>,
    /// A place by its word.
    target: Option<String>,
    /// What was shown before.
    plan: Option<String>,
    /// What is planned.
    #[serde(default)]
    to: Direction,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    #[default]
    SetUp,
    Revert,
}

/// What is to be done.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    plan: Option<String>,
    target: Option<String>,
    project: Option<PathBuf>,
    /// A short request to each model, too.
    live: bool,
}

/// What is to become of a drift.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drifted {
    target: Option<String>,
    project: Option<PathBuf>,
    #[serde(rename = "do")]
    what: DriftChoice,
    plan: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DriftChoice {
    Keep,
    Reapply,
}

/// `GET /api/clients`. Empty where nobody knows the folder of the person.
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Asked(scope): Asked<Scope>,
) -> Result<Json<List>, Refused> {
    let url = gateway.own_url();
    let found = tokio::task::spawn_blocking(move || {
        let setup = gateway.setup(scope.project.as_deref())?;
        Some((setup.world.home.display().to_string(), setup.list()))
    });
    let (home, programs) = found.await.ok().flatten().unzip();
    Ok(Json(List { url, home, clients: programs.unwrap_or_default() }))
}

/// `GET /api/intent`: what clients are told of the gateway. A command beside it does the rest.
pub(crate) async fn intent(State(gateway): State<Arc<Gateway>>) -> Result<Json<Offer>, Refused> {
    let none = || Refused::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "the gateway does not listen yet");
    gateway.offer().map(Json).ok_or_else(none)
}

/// `GET /api/clients/{client}/plan`: what would be done, before it is.
pub(crate) async fn plan(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
    Asked(scope): Asked<Scope>,
) -> Result<Json<Plan>, Refused> {
    let Scope { project, target, to, .. } = scope;
    let planned = beside(gateway, &client, project, move |setup, kind| match to {
        Direction::SetUp => setup.plan(kind, target.as_deref()),
        Direction::Revert => setup.plan_back(kind, target.as_deref()),
    });
    planned.await.map(Json)
}

/// `POST /api/clients/{client}`: it comes here, with a client key made for it.
pub(crate) async fn connect(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Changed>, Refused> {
    let Wanted { plan, target, project, .. } = wanted;
    change(gateway, &client, project, move |setup, kind| setup.apply(kind, target.as_deref(), plan.as_deref())).await
}

/// `DELETE /api/clients/{client}`: what stood there before comes back.
pub(crate) async fn restore(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
    Asked(scope): Asked<Scope>,
) -> Result<Json<Changed>, Refused> {
    let Scope { project, target, plan, .. } = scope;
    change(gateway, &client, project, move |setup, kind| setup.revert(kind, target.as_deref(), plan.as_deref())).await
}

/// `POST /api/clients/{client}/drift`: what somebody else wrote stays, or ours comes back.
pub(crate) async fn drift(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
    Sent(drifted): Sent<Drifted>,
) -> Result<Json<Changed>, Refused> {
    let Drifted { target, project, what, plan } = drifted;
    let target = move || target.clone();
    change(gateway, &client, project, move |setup, kind| match what {
        DriftChoice::Keep => setup.keep(kind, target().as_deref()),
        DriftChoice::Reapply => setup.apply(kind, target().as_deref(), plan.as_deref()),
    })
    .await
}

/// `POST /api/clients/{client}/verify`: as the client would do it.
pub(crate) async fn verify(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Verification>, Refused> {
    let Wanted { target, project, live, .. } = wanted;
    verify::verify(gateway, &client, project, target, live).await.map(Json)
}

/// `GET /api/clients/{client}/backups`
pub(crate) async fn backups(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
) -> Result<Json<Copies>, Refused> {
    let backups = beside(gateway, &client, None, |setup, kind| Ok(setup.copies(kind))).await?;
    Ok(Json(Copies { backups }))
}

/// `GET /api/clients/{client}/backups/{id}`
pub(crate) async fn backup(
    State(gateway): State<Arc<Gateway>>,
    Path((client, id)): Path<(String, String)>,
) -> Result<Json<CopyDetail>, Refused> {
    let (copy, diff) = beside(gateway, &client, None, move |setup, kind| setup.copy(kind, &id)).await?;
    Ok(Json(CopyDetail { copy, diff }))
}

/// `POST /api/clients/{client}/backups/{id}/restore`
pub(crate) async fn restore_backup(
    State(gateway): State<Arc<Gateway>>,
    Path((client, id)): Path<(String, String)>,
) -> Result<Json<Changed>, Refused> {
    change(gateway, &client, None, move |setup, kind| setup.restore(kind, &id)).await
}

pub(super) fn known(client: &str) -> Result<Kind, Refused> {
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "unknown_client", "there is no such client");
    // As it is listed, not as it may be typed.
    Kind::ALL.into_iter().find(|kind| kind.name() == client && kind.client().is_some()).ok_or_else(unknown)
}

/// Files are read and written beside the requests.
pub(super) async fn beside<T: Send + 'static>(
    gateway: Arc<Gateway>,
    client: &str,
    project: Option<PathBuf>,
    work: impl FnOnce(&Setup, Kind) -> Result<T, SetupError> + Send + 'static,
) -> Result<T, Refused> {
    let kind = known(client)?;
    let done = tokio::task::spawn_blocking(move || {
        let setup = gateway.setup(project.as_deref()).ok_or_else(nowhere)?;
        work(&setup, kind).map_err(Refused::from)
    });
    done.await.unwrap_or_else(|_| {
        let message = "the change was left in the middle; look what came of it";
        Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "client_files_failed", message))
    })
}

fn nowhere() -> Refused {
    let message = "it is not known here where clients keep their settings: there is no home folder";
    Refused::new(StatusCode::NOT_FOUND, "no_home", message)
}

async fn change(
    gateway: Arc<Gateway>,
    client: &str,
    project: Option<PathBuf>,
    work: impl FnOnce(&Setup, Kind) -> Result<Settled, SetupError> + Send + 'static,
) -> Result<Json<Changed>, Refused> {
    let told = Arc::clone(&gateway);
    let changed = beside(gateway, client, project, |setup, kind| {
        let done = work(setup, kind)?;
        let program = setup.program(kind).unwrap_or_else(|| Program::unknown(kind));
        Ok(Changed { client: program, done })
    });
    let changed = changed.await?;
    // The tray shows whether it comes here.
    told.watched.nudge();
    told.news.tell();
    Ok(Json(changed))
}
