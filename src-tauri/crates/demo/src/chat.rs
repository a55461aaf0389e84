//! Servers that speak Chat Completions, as the common ones do: Ollama, OpenRouter, Kilo; and OpenAI's own Responses API
//! for a key. Each refuses what it would choke on, keeps what it was asked, and answers as a marker in the last thing the
//! user said tells it:
//!
//! | marker | what happens |
//! |---|---|
//! | `text WORDS`, `think WORDS`, `refuse WORDS` | the model says, thinks, refuses |
//! | `tool NAME {…}` | it calls a tool; several markers, several calls |
//! | `turns ["STEP", …]` | each step, markers again, in one round of tools |
//! | `then WORDS` | what it says once the tools have answered |
//! | `finish REASON`, `usage` | another end; token details |
//! | `whole`, `crlf`, `split`, `comments`, `no-done`, `no-ids`, `object-args` | liberties real servers take |
//! | `cut`, `late STATUS WORDS` | the stream breaks off, or ends in an error |
//! | `status STATUS WORDS`, `limit SECONDS` | it refuses |
//! | `no-thinking`, `no-sampling`, `no-tools`, `small` | the model cannot think, knows no temperature, cannot call tools, has no room for a long answer |
//!
//! Sources: docs.ollama.com/api/openai-compatibility, openrouter.ai/docs (parameters, streaming, errors, reasoning),
//! platform.openai.com/docs/api-reference, and seed-a.md §12 for Kilo.

mod answer;
mod strict;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::answer::Plan;
use crate::net::{Line, Listener};

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatFlavour {
    /// On the user's machine, without a key.
    Ollama,
    /// A router with a key.
    OpenRouter,
    /// A router with a key for everybody.
    Kilo,
    /// The Responses API with a key.
    OpenAi,
}

/// A running server. Dropping it drops every connection.
pub struct ChatServer {
    room: Arc<Room>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    /// Its path.
    pub path: String,
    /// Its headers, by their names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body; `null` if there was none.
    pub body: Value,
}

struct Room {
    flavour: ChatFlavour,
    key: Option<String>,
    seen: Mutex<Vec<ChatRequest>>,
    wrong: Mutex<Vec<String>>,
}

/// The models of every server.
const MODELS: [&str; 3] = ["llama3.2:3b", "qwen3:8b", "vendor/model:free"];

// === impl ChatServer ===

impl ChatServer {
    /// Binds 127.0.0.1 and serves until [`stop`](Self::stop) or drop. Needs a tokio runtime.
    pub async fn start(flavour: ChatFlavour) -> io::Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = tcp.local_addr()?;
        let key = match flavour {
            ChatFlavour::Ollama => None,
            ChatFlavour::OpenRouter => Some("sk-or-SECRET".to_owned()),
            ChatFlavour::Kilo => Some("anonymous".to_owned()),
            ChatFlavour::OpenAi => Some("sk-SECRET".to_owned()),
        };
        let room = Arc::new(Room { flavour, key, seen: Mutex::default(), wrong: Mutex::default() });
        let base = flavour.base();
        let router = Router::new()
            .route(&format!("{base}/models"), get(models))
            .route(&format!("{base}/key"), get(key_facts))
            .route(&format!("{base}/chat/completions"), post(completions))
            .route(&format!("{base}/responses"), post(responses))
            .with_state(Arc::clone(&room));
        let stop = CancellationToken::new();
        let listener = Listener::new(tcp, stop.clone());
        let service = router.into_make_service_with_connect_info::<Line>();
        let tasks = TaskTracker::new();
        let stopped = stop.clone();
        tasks.spawn(async move {
            tokio::select! {
                _ = axum::serve(listener, service).into_future() => {}
                () = stopped.cancelled() => {}
            }
        });
        tasks.close();
        Ok(Self { room, address, stop, tasks })
    }

    /// The address to give to a client.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.room.flavour.base())
    }

    /// The key that is accepted.
    pub fn key(&self) -> Option<&str> {
        self.room.key.as_deref()
    }

    /// What arrived, in order.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.room.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests for answers among them.
    pub fn asked(&self) -> Vec<Value> {
        let asks =
            |request: &ChatRequest| request.path.ends_with("/completions") || request.path.ends_with("/responses");
        self.requests().into_iter().filter(asks).map(|request| request.body).collect()
    }

    /// What a real server would have choked on.
    pub fn violations(&self) -> Vec<String> {
        self.room.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Drops every connection and frees the port.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for ChatServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl std::fmt::Debug for ChatServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatServer").field("url", &self.url()).finish_non_exhaustive()
    }
}

// === impl ChatFlavour ===

impl ChatFlavour {
    fn base(self) -> &'static str {
        match self {
            Self::Ollama | Self::OpenAi => "/v1",
            Self::OpenRouter => "/api/v1",
            Self::Kilo => "/api/openrouter",
        }
    }
}

// === impl ChatRequest ===

impl ChatRequest {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

// === impl Room ===

impl Room {
    /// Keeps a request. The refusal, if its key is wrong.
    fn take(&self, path: String, headers: &HeaderMap, body: Value) -> Option<Response> {
        let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let kept: Vec<_> = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let request = ChatRequest { path, headers: kept, body };
        for wrong in strict::headers(&request, self.flavour) {
            self.note(wrong);
        }
        let sent = request.header("authorization").map(str::to_owned);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        match (&self.key, sent) {
            (None, None) => None,
            (None, Some(sent)) => {
                self.note(format!("a key for a server that asks for none: {sent}"));
                None
            }
            (Some(key), Some(sent)) if sent == format!("Bearer {key}") => None,
            (Some(_), _) => Some(refusal(401, "Incorrect API key provided", "invalid_request_error")),
        }
    }

    fn note(&self, wrong: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(wrong);
    }

    fn unknown_model(&self, model: &str) -> Option<Response> {
        if MODELS.contains(&model) || (self.flavour == ChatFlavour::OpenAi && model.starts_with("gpt-")) {
            return None;
        }
        Some(match self.flavour {
            ChatFlavour::Ollama => {
                refusal(404, &format!("model \"{model}\" not found, try pulling it first"), "not_found_error")
            }
            _ => refusal(400, &format!("{model} is not a valid model ID"), "invalid_request_error"),
        })
    }
}

async fn models(State(room): State<Arc<Room>>, headers: HeaderMap) -> Response {
    // A router's list is open to everybody.
    let open = room.flavour == ChatFlavour::OpenRouter;
    if let Some(refused) = room.take(format!("{}/models", room.flavour.base()), &headers, Value::Null)
        && !open
    {
        return refused;
    }
    let data: Vec<Value> = match room.flavour {
        ChatFlavour::Kilo => vec![
            json!({"id": "vendor/model:free", "name": "A free model", "isFree": true, "context_length": 131_072}),
            json!({"id": "vendor/deprecated-model:free", "isFree": true}),
            json!({"id": "kilo/auto-free", "isFree": true}),
            json!({"id": "vendor/paid", "isFree": false}),
            json!({"id": "vendor/unsaid"}),
        ],
        ChatFlavour::OpenAi => ["gpt-6-sol", "gpt-6-realtime", "whisper-1", "o3"].map(|id| json!({"id": id})).to_vec(),
        _ => MODELS.map(|id| json!({"id": id, "object": "model", "owned_by": "library"})).to_vec(),
    };
    answer_json(200, &json!({"object": "list", "data": data}))
}

async fn key_facts(State(room): State<Arc<Room>>, headers: HeaderMap) -> Response {
    match room.take(format!("{}/key", room.flavour.base()), &headers, Value::Null) {
        None => answer_json(200, &json!({"data": {"label": "a key", "limit": null}})),
        Some(refused) => refused,
    }
}

async fn completions(State(room): State<Arc<Room>>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if let Some(refused) = room.take(format!("{}/chat/completions", room.flavour.base()), &headers, body.clone()) {
        return refused;
    }
    let wrong = strict::body(&body, room.flavour);
    if let Some(first) = wrong.first().cloned() {
        wrong.into_iter().for_each(|wrong| room.note(wrong));
        return refusal(400, &first, "invalid_request_error");
    }
    let model = body["model"].as_str().unwrap_or_default();
    if let Some(unknown) = room.unknown_model(model) {
        return unknown;
    }
    Plan::of(&body, room.flavour).answer(model)
}

async fn responses(State(room): State<Arc<Room>>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if let Some(refused) = room.take(format!("{}/responses", room.flavour.base()), &headers, body.clone()) {
        return refused;
    }
    for wrong in strict::responses(&body) {
        room.note(wrong);
    }
    let model = body["model"].as_str().unwrap_or_default();
    if let Some(unknown) = room.unknown_model(model) {
        return unknown;
    }
    answer::responses(&body)
}

fn refusal(status: u16, message: &str, kind: &str) -> Response {
    answer_json(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": null}}))
}

fn answer_json(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
