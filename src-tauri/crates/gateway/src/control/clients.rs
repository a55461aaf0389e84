//! `/api/clients`: the programs that come to us, whether they do, and setting them up.
//!
//! What is done to their files is done by the code behind the old paths, and told of in `docs/clients.md`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use codeferry_clients::apply::Site;
use codeferry_clients::claude_code;
use serde::Serialize;

use super::refused::Refused;
use crate::Gateway;
use crate::compat::codex_proxy::claude::{self, Direct};
use crate::compat::sent::Body;
use crate::in_process::leads_here;

#[derive(Serialize)]
pub(crate) struct List {
    clients: Vec<Client>,
}

/// A program, and where it goes by its own settings.
#[derive(Serialize)]
pub(crate) struct Client {
    client: &'static str,
    name: &'static str,
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
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>) -> Json<List> {
    Json(List { clients: look(gateway).await.into_iter().collect() })
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
    tokio::task::spawn_blocking(move || {
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
        Some(Client { client: claude_code::NAME, name: "Claude Code", file, state, doubts })
    })
    .await
    .ok()
    .flatten()
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
