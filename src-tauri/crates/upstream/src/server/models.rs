//! Which models a server has. Asked when somebody wants to see them, and then remembered for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codeferry_accounts::{Account, AccountId, Endpoint, Kind, Preset, Secret};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{add_headers, base, hint};
use crate::endpoints::{below, host_of};
use crate::failure::{Failure, FailureKind};
use crate::upstream::{Upstream, Wire, read};

/// How long a list is good for (seed-a.md §12).
const FRESH: Duration = Duration::from_secs(10 * 60);
/// A list is no reason to wait long.
const PATIENCE: Duration = Duration::from_secs(15);
/// OpenRouter's list has some megabytes.
const LONGEST: usize = 32 * 1024 * 1024;

/// Whom to ask, and with what.
#[derive(Debug, Clone, Copy)]
pub struct ServerCall<'a> {
    /// `compatible` or `openai_key`.
    pub kind: Kind,
    /// Where, if it is the account's own affair.
    pub endpoint: Option<&'a Endpoint>,
    /// The key; empty for none.
    pub key: &'a Secret,
}

/// A model of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerModel {
    /// What to ask for.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Tokens it takes.
    pub context_window: Option<u64>,
}

/// The lists at hand.
#[derive(Debug, Default)]
pub(crate) struct Lists(Mutex<Kept>);

/// By account: when it was asked for, and what it said.
type Kept = BTreeMap<AccountId, (Instant, Arc<[ServerModel]>)>;

/// `{"data":[…]}`, as OpenAI lists models.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, alias = "models")]
    data: Vec<&'a RawValue>,
}

/// A model as servers list it; what is not named here is not read.
#[derive(Deserialize)]
struct Entry {
    id: String,
    name: Option<String>,
    /// OpenRouter.
    context_length: Option<u64>,
    /// vLLM.
    max_model_len: Option<u64>,
    /// LM Studio.
    max_context_length: Option<u64>,
    #[serde(rename = "isFree")]
    is_free: Option<bool>,
}

/// What Kilo has without a key, should its list not be had (seed-a.md §12).
const KILO_FALLBACK: [&str; 2] = ["minimax/minimax-m2.5:free", "kilo-auto/free"];

impl Upstream {
    /// Asks a server for its models, however old the list at hand. Also shows whether the server is there and takes the key.
    ///
    /// # Errors
    /// The server was not reached, or refused, or sent no list.
    pub async fn ask_server(&self, call: ServerCall<'_>) -> Result<Vec<ServerModel>, Failure> {
        let preset = call.endpoint.and_then(|endpoint| endpoint.preset);
        if preset == Some(Preset::OpenRouter) {
            // Its list is open to everybody, so it says nothing about the key; this does.
            get(&self.wire, call, "key").await?;
        }
        let body = get(&self.wire, call, "models").await?;
        parse(&body, call.kind, preset).ok_or_else(|| {
            Failure::new(
                FailureKind::Protocol,
                "The server answered, but not with a list of models: is the address right?",
            )
        })
    }

    /// The models of an account's server, asked for at most every ten minutes. What cannot be had now is what was had last.
    pub async fn server_models(&self, account: &Account, key: &Secret) -> Result<Arc<[ServerModel]>, Failure> {
        let known = self.lists.get(&account.id);
        if let Some((at, list)) = &known
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(list));
        }
        let endpoint = account.endpoint.as_ref();
        match self.ask_server(ServerCall { kind: account.kind, endpoint, key }).await {
            Ok(models) => Ok(self.lists.put(&account.id, models)),
            Err(failure) => match known {
                Some((_, old)) => Ok(old),
                None if endpoint.and_then(|endpoint| endpoint.preset) == Some(Preset::Kilo) => {
                    Ok(KILO_FALLBACK.map(ServerModel::named).into())
                }
                None => Err(failure),
            },
        }
    }

    /// What is known of a model of that account's, without asking.
    pub fn known_server_model(&self, account: &AccountId, id: &str) -> Option<ServerModel> {
        self.lists.get(account)?.1.iter().find(|model| model.id == id).cloned()
    }
}

async fn get(wire: &Wire, call: ServerCall<'_>, path: &str) -> Result<bytes::Bytes, Failure> {
    let url = match call.endpoint {
        Some(endpoint) => below(&base(endpoint)?, path),
        None => below(wire.models_host(call.kind)?, path),
    };
    let preset = call.endpoint.and_then(|endpoint| endpoint.preset);
    let host = host_of(&url);
    let mut headers = wire.headers(call.key, "application/json")?;
    add_headers(preset, &mut headers);
    let request = wire.clients.for_url(&url)?.get(url).headers(headers);
    let exchange = async {
        let response = request.send().await.map_err(|error| Failure::from_transport(&error, &host))?;
        let response = wire.accepted(response, &host).await?;
        read(response, LONGEST, &host).await
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| Failure::idle(&host, PATIENCE));
    answer.and_then(|answer| answer).map_err(|failure| failure.of_server(hint(call.endpoint)))
}

/// The models in a list, those that can be asked. `None`: it is no list.
fn parse(body: &[u8], kind: Kind, preset: Option<Preset>) -> Option<Vec<ServerModel>> {
    let list: List<'_> = serde_json::from_slice(body).ok()?;
    let entries = list.data.iter().filter_map(|raw| serde_json::from_str::<Entry>(raw.get()).ok());
    let entries = entries.filter(|entry| !entry.id.is_empty());
    let entries = entries.filter(|entry| match (kind, preset) {
        // seed-a.md §12.
        (_, Some(Preset::Kilo)) => {
            entry.is_free == Some(true) && !entry.id.contains("deprecated") && entry.id != "kilo/auto-free"
        }
        (Kind::OpenaiKey, _) => answers(&entry.id),
        _ => true,
    });
    Some(entries.map(ServerModel::from).collect())
}

/// OpenAI lists models of every trade; those that answer in text are known by how they are called.
fn answers(id: &str) -> bool {
    let o_series = id.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let text = ["gpt-", "codex-", "chatgpt-"].iter().any(|family| id.starts_with(family)) || o_series;
    let other = ["audio", "realtime", "transcribe", "tts", "image", "instruct", "embedding"];
    text && !other.iter().any(|word| id.contains(word))
}

// === impl ServerModel ===

impl ServerModel {
    fn named(id: &str) -> Self {
        Self { id: id.to_owned(), name: None, context_window: None }
    }
}

impl From<Entry> for ServerModel {
    fn from(entry: Entry) -> Self {
        let window = entry.context_length.or(entry.max_model_len).or(entry.max_context_length);
        Self {
            id: entry.id,
            name: entry.name.filter(|name| !name.is_empty()),
            context_window: window.filter(|tokens| *tokens > 0),
        }
    }
}

// === impl Lists ===

impl Lists {
    fn get(&self, account: &AccountId) -> Option<(Instant, Arc<[ServerModel]>)> {
        self.lock().get(account).cloned()
    }

    fn put(&self, account: &AccountId, models: Vec<ServerModel>) -> Arc<[ServerModel]> {
        let models: Arc<[ServerModel]> = models.into();
        self.lock().insert(account.clone(), (Instant::now(), Arc::clone(&models)));
        models
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // The map is whole at every moment: a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
