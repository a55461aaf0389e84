//! `/api/clients`: the programs that come to us, whether they do, and setting them up.
//!
//! What is done to their files is done by the code behind the old paths, and told of in `docs/clients.md`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_clients::apply::Site;
use codeferry_clients::claude_code;
use serde::{Deserialize, Serialize};

use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::compat::codex_proxy::claude::{self, Direct};
use crate::compat::sent::Body;
use crate::in_process::leads_here;
use crate::setup::shape::{Program, Standing};
use crate::setup::{Kind, Offer};

/// `?project=` also looks at the settings of that folder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    project: Option<PathBuf>,
}

#[derive(Serialize)]
pub(crate) struct List {
    /// Where clients are told to go.
    url: String,
    clients: Vec<Client>,
}

/// A program, and where it goes by its own settings: the places of `targets` say it one by one, the rest of the first of them.
#[derive(Serialize)]
pub(crate) struct Client {
    #[serde(flatten)]
    program: Program,
    /// The file that says so.
    file: String,
    #[serde(flatten)]
    state: Where,
    /// What in the same file may lead it elsewhere all the same.
    doubts: Vec<String>,
}

/// Where it goes.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Where {
    /// Here, with a key that opens.
    Connected,
    /// Here, and it would be turned away: its key is missing or was revoked.
    KeyRefused,
    /// To another address.
    Elsewhere { url: String },
    /// Its own way: nothing is set.
    NotSet,
    /// Nobody knows: the file cannot be read.
    Unreadable { message: String },
}

/// What was done, and how it is now.
#[derive(Serialize)]
pub(crate) struct Changed {
    #[serde(flatten)]
    client: Client,
    /// What was done, in sentences.
    told: Option<String>,
}

/// `GET /api/clients`. One whose folder nobody knows is not there.
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, Asked(scope): Asked<Scope>) -> Json<List> {
    let url = gateway.own_url();
    let known = look(Arc::clone(&gateway)).await;
    let mut clients: Vec<_> = known.into_iter().collect();
    let setup = beside(gateway, move |gateway| Some(gateway.setup(scope.project.as_deref())?.list())).await;
    for program in setup.flatten().unwrap_or_default() {
        match clients.iter_mut().find(|client| client.program.client == program.client) {
            Some(client) => client.program = program,
            None => clients.push(Client::of(program)),
        }
    }
    Json(List { url, clients })
}

/// `GET /api/intent`: what clients are told of the gateway. A command beside it does the rest.
pub(crate) async fn intent(State(gateway): State<Arc<Gateway>>) -> Result<Json<Offer>, Refused> {
    let none = || Refused::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "the gateway does not listen yet");
    gateway.offer().map(Json).ok_or_else(none)
}

/// Files are read and written beside the requests.
async fn beside<T: Send + 'static>(
    gateway: Arc<Gateway>,
    work: impl FnOnce(&Gateway) -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(move || work(&gateway)).await.ok()
}

/// `POST /api/clients/{client}`: it comes here, with a client key made for it.
pub(crate) async fn connect(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
) -> Result<Json<Changed>, Refused> {
    known(&client)?;
    let Json(done) = claude::proxy(State(Arc::clone(&gateway))).await?;
    changed(gateway, done.message).await
}

/// `DELETE /api/clients/{client}`: what stood there before comes back.
pub(crate) async fn restore(
    State(gateway): State<Arc<Gateway>>,
    Path(client): Path<String>,
) -> Result<Json<Changed>, Refused> {
    known(&client)?;
    let Json(done) = claude::direct(State(Arc::clone(&gateway)), Body(Direct::default())).await?;
    changed(gateway, done.message).await
}

fn known(client: &str) -> Result<(), Refused> {
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "unknown_client", "there is no such client");
    (client == claude_code::NAME).then_some(()).ok_or_else(unknown)
}

async fn changed(gateway: Arc<Gateway>, told: Option<String>) -> Result<Json<Changed>, Refused> {
    let gone =
        || Refused::new(StatusCode::NOT_FOUND, "no_claude_config", "the folder of Claude Code is not known here");
    let client = look(gateway).await.ok_or_else(gone)?;
    Ok(Json(Changed { client, told }))
}

/// Claude Code. Files are read beside the requests.
async fn look(gateway: Arc<Gateway>) -> Option<Client> {
    let looked = beside(gateway, |gateway| {
        let site = Site::new(claude_code::NAME, gateway.claude_settings()?, gateway.others.data.clone());
        let (state, doubts) = match site.look() {
            Ok(seen) => {
                let document = seen.document();
                let opens = claude_code::token(document).is_some_and(|token| gateway.keys.verify(&token).is_some());
                let state = goes(claude_code::base_url(document), gateway.port(), opens);
                (state, claude_code::doubts(document))
            }
            Err(trouble) => (Where::Unreadable { message: trouble.to_string() }, Vec::new()),
        };
        let file = site.file().display().to_string();
        let setup = gateway.setup(None);
        let program = setup.and_then(|setup| setup.program(Kind::ClaudeCode));
        let program = program.unwrap_or_else(|| Program::unknown(Kind::ClaudeCode));
        Some(Client { program, file, state, doubts })
    });
    looked.await.flatten()
}

// === impl Client ===

impl Client {
    fn of(program: Program) -> Self {
        let place = program.targets.first();
        let file = place.and_then(|place| place.files.first().cloned()).unwrap_or_default();
        let doubts = place.map(|place| place.conflicts.iter().map(|conflict| conflict.what.clone()).collect());
        let state = match place.map(|place| &place.standing) {
            None | Some(Standing::NotInstalled | Standing::Clean) => Where::NotSet,
            Some(Standing::Ours | Standing::Drifted { .. }) => Where::Connected,
            Some(Standing::Elsewhere { url }) => Where::Elsewhere { url: url.clone() },
            Some(Standing::Broken { why }) => Where::Unreadable { message: why.clone() },
        };
        Self { program, file, state, doubts: doubts.unwrap_or_default() }
    }
}

/// Where a client goes whose settings name that address and a key that opens here, or not.
fn goes(url: Option<String>, port: u16, opens: bool) -> Where {
    match url {
        None => Where::NotSet,
        Some(url) if !leads_here(&url, port) => Where::Elsewhere { url },
        Some(_) if opens => Where::Connected,
        Some(_) => Where::KeyRefused,
    }
}

#[cfg(test)]
mod tests {
    use super::{Where, goes};

    #[test]
    fn an_address_of_ours_is_not_enough() {
        let here = || Some("http://127.0.0.1:8081".to_owned());
        assert_eq!(goes(here(), 8081, true), Where::Connected);
        assert_eq!(goes(here(), 8081, false), Where::KeyRefused);
        assert_eq!(goes(here(), 8082, true), Where::Elsewhere { url: "http://127.0.0.1:8081".to_owned() });
        assert_eq!(goes(None, 8081, true), Where::NotSet);
    }
}
