//! The door: one request, one answer.

mod collector;
mod socket;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use codeferry_accounts::{AccountId, Clock, Endpoint, Kind, Lease, Program, Secret};
use codeferry_translate::outbound::chat;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use url::Url;

use crate::catalog::{CLIENT_VERSION, Catalog, Shelf};
use crate::codex_cli::{CodexCli, Household};
use crate::endpoints::{Endpoints, below, host_of, is_loopback};
use crate::failure::{Failure, FailureKind};
use crate::headers;
use crate::limits::Limits;
use crate::line::Seat;
use crate::oauth::OAuth;
use crate::oauth::jwks::KeyCache;
use crate::provider::{Extra, Provider};
use crate::seen::{Seen, Sightings};
use crate::server::{self, Lists};
use crate::transport::body::Body;
use crate::transport::http::Clients;
use crate::transport::payload::Payload;

use self::socket::{Detours, Tried};

/// Who we say we are. Honest: neither the client's name nor that of the backend's own client.
pub(crate) const ORIGINATOR: &str = "codeferry";
/// An error body that is longer is no error body.
const LONGEST_ERROR: usize = 64 * 1024;
/// How long an error body may take. The status alone says enough to go on.
const ERROR_PATIENCE: Duration = Duration::from_secs(10);
/// The catalogue is some hundred kilobytes of prompts nobody here reads.
const LONGEST_CATALOG: usize = 16 * 1024 * 1024;
const CATALOG_PATIENCE: Duration = Duration::from_secs(30);

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Compress request bodies where the provider's own client does. Never towards this machine.
    pub compress: bool,
    /// For the connection alone, TLS included.
    pub connect_timeout: Duration,
    /// The longest silence of an upstream before it takes a request.
    pub idle_timeout: Duration,
    /// The longest silence within a stream. Longer than the above: a model may think for minutes without a word, and a
    /// connection that is dead is noticed sooner by its pings.
    pub silence_timeout: Duration,
    /// `codeferry/<version> (<os>; <arch>)`.
    pub user_agent: String,
    /// Our version.
    pub version: String,
}

/// The way upstream. One for the whole program: it holds the connections.
#[derive(Debug)]
pub struct Upstream {
    pub(crate) wire: Arc<Wire>,
    compress: AtomicBool,
    shelf: Shelf,
    /// `None`: no child is started here.
    codex_cli: Option<CodexCli>,
    /// The models of named accounts' servers.
    pub(crate) lists: Lists,
    /// Where a socket did not answer lately.
    detours: Detours,
}

/// What requests of every kind need.
pub(crate) struct Wire {
    pub(crate) endpoints: Endpoints,
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) clients: Clients,
    /// What the auth host signs with.
    pub(crate) keys: KeyCache,
    pub(crate) sightings: Sightings,
}

/// One request for an answer.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The account's kind chooses the provider.
    pub kind: Kind,
    /// Where to, if that is the account's own affair.
    pub endpoint: Option<&'a Endpoint>,
    /// The bearer.
    pub access_token: &'a Secret,
    /// The workspace that pays.
    pub chatgpt_account_id: Option<&'a str>,
    /// The upstream's slug.
    pub model: &'a str,
    /// The body has the Responses-Lite shape.
    pub lite: bool,
    /// The body, whole. Keep a copy for the next attempt: it shares the bytes and their compressed form.
    pub body: Payload,
    /// Of the conversation.
    pub session_id: &'a str,
    /// Of the conversation or of one of its agents.
    pub thread_id: &'a str,
    /// What an earlier answer *of the same turn* gave in [`Answer::turn_state`].
    pub turn_state: Option<&'a str>,
    /// The account's program, if it is one.
    pub program: Option<&'a Program>,
    /// What a Codex says of its turn.
    pub carried: Carried<'a>,
    /// The client came over a WebSocket, and what goes upstream may as well. `None`: over HTTP.
    pub seat: Option<Seat<'a>>,
}

/// What a Codex client says of its turn beside the body, in headers of its own backend: without the first of them, for
/// example, that does not sum conversations up (`codex-backend.md §0.7, §2`). These and no others are carried, and only
/// to that backend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried<'a> {
    /// `x-codex-beta-features`
    pub beta_features: Option<&'a str>,
    /// `x-codex-window-id`
    pub window_id: Option<&'a str>,
    /// `x-codex-turn-metadata`
    pub turn_metadata: Option<&'a str>,
    /// `x-codex-parent-thread-id`
    pub parent_thread_id: Option<&'a str>,
    /// `x-openai-subagent`
    pub subagent: Option<&'a str>,
    /// `x-openai-memgen-request`
    pub memgen_request: Option<&'a str>,
}

/// A request for the model catalogue.
#[derive(Debug, Clone, Copy)]
pub struct ModelsCall<'a> {
    /// Whose catalogue: plans differ.
    pub account: &'a AccountId,
    /// The account's kind chooses the provider.
    pub kind: Kind,
    /// The bearer.
    pub access_token: &'a Secret,
    /// The workspace that pays.
    pub chatgpt_account_id: Option<&'a str>,
    /// The account's program, if it is one.
    pub program: Option<&'a Program>,
}

impl<'a> From<&'a Lease> for ModelsCall<'a> {
    fn from(lease: &'a Lease) -> Self {
        Self {
            account: &lease.account.id,
            kind: lease.account.kind,
            access_token: &lease.access_token,
            chatgpt_account_id: lease.account.chatgpt_account_id.as_deref(),
            program: lease.account.program.as_ref(),
        }
    }
}

/// The catalogue, as far as it is news.
#[derive(Debug, Clone, PartialEq)]
pub enum Fetched {
    /// The one we have is right.
    Unchanged,
    /// A new one, already on the shelf.
    New(Arc<Catalog>),
}

/// The upstream accepted: headers, and a body to read.
#[derive(Debug)]
pub struct Answer {
    /// The upstream's name for the request.
    pub request_id: Option<String>,
    /// To be given back on later requests of the same turn.
    pub turn_state: Option<String>,
    /// The version of the catalogue; see [`Upstream::is_stale`].
    pub models_etag: Option<String>,
    /// The model that really answers, where the upstream says.
    pub model: Option<String>,
    /// All of them. Those of a handshake come with the first answer of a connection alone.
    pub headers: HeaderMap,
    /// What was sent over a WebSocket; the body of the call, if it went over HTTP.
    pub message: Option<Bytes>,
    /// The event stream.
    pub body: Body,
}

// === impl Options ===

impl Options {
    /// The usual ones, under this version.
    pub fn new(version: &str) -> Self {
        Self {
            compress: true,
            connect_timeout: Duration::from_secs(15),
            // As the Codex CLI (`codex-backend.md §3`).
            idle_timeout: Duration::from_secs(300),
            silence_timeout: Duration::from_secs(600),
            user_agent: format!("codeferry/{version} ({}; {})", std::env::consts::OS, std::env::consts::ARCH),
            version: version.to_owned(),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new(env!("CARGO_PKG_VERSION"))
    }
}

// === impl Upstream ===

impl Upstream {
    /// Makes no connection and reads no file yet.
    pub fn new(endpoints: Endpoints, options: Options, clock: Clock) -> Self {
        let compress = AtomicBool::new(options.compress);
        let clients = Clients::new(options.connect_timeout);
        Self {
            wire: Arc::new(Wire {
                endpoints,
                options,
                clock,
                clients,
                keys: KeyCache::default(),
                sightings: Sightings::default(),
            }),
            compress,
            shelf: Shelf::default(),
            lists: Lists::default(),
            detours: Detours::default(),
            codex_cli: None,
        }
    }

    /// The same, and children may be started in this household.
    #[must_use]
    pub fn with_codex_cli(self, household: Household) -> Self {
        Self { codex_cli: Some(CodexCli::new(household)), ..self }
    }

    /// The way to the Codex CLI.
    pub fn codex_cli(&self) -> Result<&CodexCli, Failure> {
        let nowhere = || Failure::new(FailureKind::Program, "The Codex CLI is not started from here.");
        self.codex_cli.as_ref().ok_or_else(nowhere)
    }

    /// Ends what was begun beside us. Nothing is begun afterwards.
    pub async fn stop(&self) {
        if let Some(codex_cli) = &self.codex_cli {
            codex_cli.stop().await;
        }
    }

    /// Renews tokens, over the same connections.
    pub fn oauth(&self) -> OAuth {
        OAuth::new(Arc::clone(&self.wire))
    }

    /// Follows the setting while running.
    pub fn set_compress(&self, compress: bool) {
        self.compress.store(compress, Ordering::Relaxed);
    }

    /// The catalogues at hand.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// When each host last answered.
    pub fn seen(&self) -> BTreeMap<String, Seen> {
        self.wire.sightings.all()
    }

    /// Sends one request. `Ok` means that the upstream accepted and an event stream follows. Dropping the future, or
    /// later the body, cancels it.
    ///
    /// For a server that speaks Chat Completions the body is a chat request already; what comes back is an event stream of
    /// Responses all the same.
    pub async fn respond(&self, call: Call<'_>) -> Result<Answer, Failure> {
        if call.kind == Kind::CodexCli {
            return self.respond_by_codex_cli(&call).await;
        }
        let (keyed, hint) = (call.kind.takes_key(), server::hint(call.endpoint));
        self.send(call).await.map_err(|failure| if keyed { failure.of_server(hint) } else { failure })
    }

    async fn send(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let wire = &*self.wire;
        let provider = Provider::of(call.kind);
        let url = match call.endpoint {
            Some(endpoint) => below(&server::base(endpoint)?, provider.responses),
            None => below(wire.models_host(call.kind)?, provider.responses),
        };
        let host: Arc<str> = host_of(&url).into();
        let Some(seat) = self.seat(&call, &host) else { return self.post(&call, url, host).await };
        match self.by_socket(&call, seat, &url, &host).await {
            Tried::Done(answered) => *answered,
            Tried::Elsewhere(why) => {
                let answered = self.post(&call, url, Arc::clone(&host)).await;
                // If HTTP fares no better, it was not the socket's fault.
                if answered.is_ok() {
                    tracing::info!(target: "codeferry::exchange", account = %seat.account, %why, "HTTP instead of a WebSocket");
                    self.detours.begin(&host, seat.account);
                }
                answered
            }
        }
    }

    async fn post(&self, call: &Call<'_>, url: Url, host: Arc<str>) -> Result<Answer, Failure> {
        let wire = &*self.wire;
        let provider = Provider::of(call.kind);
        let chat = call.kind == Kind::Compatible;
        let accept = if chat { "text/event-stream, application/json" } else { "text/event-stream" };
        let mut headers = wire.headers(call.access_token, accept)?;
        server::add_headers(call.endpoint.and_then(|endpoint| endpoint.preset), &mut headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        wire.add_identity(provider, call.chatgpt_account_id, &mut headers);
        call.add_conversation(provider, &mut headers);
        let compress = provider.compress && self.compress.load(Ordering::Relaxed) && !is_loopback(&url);
        let packed = if compress { call.body.zstd().await } else { None };
        if packed.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
        }
        let body = packed.unwrap_or_else(|| call.body.plain().clone());

        let request = wire.clients.for_url(&url)?.post(url).headers(headers).body(body);
        let idle = wire.options.idle_timeout;
        // Connecting and sending the body are within it, too: together they take a fraction of it.
        let response = match tokio::time::timeout(idle, request.send()).await {
            Ok(sent) => sent.map_err(|error| Failure::from_transport(&error, &host))?,
            Err(_) => return Err(Failure::idle(&host, idle)),
        };
        let response = wire.accepted(response, &host).await?;
        // A chat server that does not stream answers with one object; the translation tells the two apart.
        if !chat {
            expect_events(response.headers(), &host)?;
        }
        let headers = response.headers().clone();
        let translate = chat.then(chat::Answer::new);
        Ok(Answer {
            request_id: headers::request_id(&headers),
            turn_state: headers::turn_state(&headers),
            models_etag: headers::models_etag(&headers),
            model: headers::model(&headers),
            headers,
            message: None,
            body: Body::new(response.into(), host, wire.options.silence_timeout).translated(translate),
        })
    }

    async fn respond_by_codex_cli(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let (codex_cli, now) = (self.codex_cli()?, (self.wire.clock)());
        let body = codex_cli.respond(program(call.program)?, call.model, call.body.plain(), now).await?;
        let (headers, request_id, turn_state, models_etag, model) = Default::default();
        Ok(Answer { request_id, turn_state, models_etag, model, headers, message: None, body })
    }

    /// Asks for an account's catalogue and puts it on the shelf. On a failure the shelf stays as it is.
    pub async fn models(&self, call: ModelsCall<'_>) -> Result<Fetched, Failure> {
        if call.kind == Kind::CodexCli {
            let catalog = self.codex_cli()?.models(program(call.program)?).await?;
            return Ok(Fetched::New(self.shelf.put(call.account.clone(), catalog)));
        }
        let wire = &*self.wire;
        let provider = Provider::of(call.kind);
        let mut url = below(wire.models_host(call.kind)?, provider.models);
        url.query_pairs_mut().append_pair("client_version", CLIENT_VERSION);
        let host = host_of(&url);
        let mut headers = wire.headers(call.access_token, "application/json")?;
        wire.add_identity(provider, call.chatgpt_account_id, &mut headers);
        let held = self.shelf.of(call.account);
        insert(&mut headers, "if-none-match", held.as_ref().and_then(|catalog| catalog.etag()));

        let request = wire.clients.for_url(&url)?.get(url).headers(headers);
        let exchange = async {
            let response = request.send().await.map_err(|error| Failure::from_transport(&error, &host))?;
            if response.status() == StatusCode::NOT_MODIFIED && held.is_some() {
                return Ok(None);
            }
            let response = wire.accepted(response, &host).await?;
            let etag = headers::text(response.headers(), header::ETAG.as_str());
            Ok(Some((read(response, LONGEST_CATALOG, &host).await?, etag)))
        };
        let answer = tokio::time::timeout(CATALOG_PATIENCE, exchange).await;
        let Some((body, etag)) = answer.map_err(|_| Failure::idle(&host, CATALOG_PATIENCE))?? else {
            return Ok(Fetched::Unchanged);
        };
        let catalog = Catalog::parse(&body, etag).map_err(|error| {
            Failure::new(FailureKind::Protocol, format!("{host} sent no model catalogue: {error}."))
        })?;
        Ok(Fetched::New(self.shelf.put(call.account.clone(), catalog)))
    }

    /// An answer named another version of this account's catalogue than the one on the shelf
    /// (`codex-backend.md §4`, `x-models-etag`): time to ask for it.
    pub fn is_stale(&self, account: &AccountId, answer: &Answer) -> bool {
        let Some(current) = answer.models_etag.as_deref() else { return false };
        self.shelf.of(account).is_none_or(|held| held.etag() != Some(current))
    }
}

/// Accounts of that kind have one.
fn program(program: Option<&Program>) -> Result<&Program, Failure> {
    program.ok_or_else(|| Failure::new(FailureKind::Program, "The account names no program."))
}

// === impl Answer ===

impl Answer {
    /// What the headers tell of the account's windows.
    pub fn limits(&self, now: jiff::Timestamp) -> Limits {
        Limits::from_headers(&self.headers, now)
    }
}

// === impl Call ===

impl Call<'_> {
    /// What a provider wants to know of the conversation (`codex-backend.md §2`).
    pub(crate) fn add_conversation(&self, provider: &Provider, headers: &mut HeaderMap) {
        for extra in provider.headers {
            match extra {
                Extra::Account | Extra::Originator | Extra::Version => {}
                Extra::Session => insert(headers, "session-id", Some(self.session_id)),
                Extra::Thread => insert(headers, "thread-id", Some(self.thread_id)),
                Extra::ClientRequest => insert(headers, "x-client-request-id", Some(self.thread_id)),
                Extra::TurnState => insert(headers, "x-codex-turn-state", self.turn_state),
                Extra::RoutingHint => insert(headers, "x-codex-routing-hint", Some(&format!("model={}", self.model))),
                Extra::Lite => {
                    insert(headers, Extra::LITE, self.lite.then_some("true"));
                }
                Extra::Carried => self.carried.add(headers),
            }
        }
    }
}

// === impl Carried ===

impl Carried<'_> {
    fn add(&self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("x-codex-beta-features", self.beta_features),
            ("x-codex-window-id", self.window_id),
            ("x-codex-turn-metadata", self.turn_metadata),
            ("x-codex-parent-thread-id", self.parent_thread_id),
            ("x-openai-subagent", self.subagent),
            ("x-openai-memgen-request", self.memgen_request),
        ] {
            insert(headers, name, value);
        }
    }
}

// === impl Wire ===

impl Wire {
    pub(crate) fn models_host(&self, kind: Kind) -> Result<&Url, Failure> {
        self.endpoints.models_host(kind).ok_or_else(|| match kind {
            Kind::Demo => Failure::new(FailureKind::Unavailable, "The demo upstream is not running."),
            kind => Failure::new(FailureKind::Protocol, format!("This {kind} account has no address to send to.")),
        })
    }

    /// What every provider gets. Servers that ask for no key are sent none.
    pub(crate) fn headers(&self, token: &Secret, accept: &'static str) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        if !token.expose().is_empty() {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
                Failure::new(FailureKind::Unauthorized, "The access token holds characters that no header can carry.")
            })?;
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        insert(&mut headers, header::USER_AGENT.as_str(), Some(&self.options.user_agent));
        Ok(headers)
    }

    /// What a provider wants to know of us and of the account (`codex-backend.md §2, §7`).
    pub(crate) fn add_identity(&self, provider: &Provider, account: Option<&str>, headers: &mut HeaderMap) {
        for extra in provider.headers {
            match extra {
                Extra::Account => insert(headers, "chatgpt-account-id", account),
                Extra::Originator => insert(headers, "originator", Some(ORIGINATOR)),
                Extra::Version => insert(headers, "version", Some(&self.options.version)),
                _ => {}
            }
        }
    }

    /// The response if it is a success, else what is wrong with it.
    pub(crate) async fn accepted(&self, response: reqwest::Response, host: &str) -> Result<reqwest::Response, Failure> {
        let status = response.status();
        self.sightings.note(host, response.headers(), (self.clock)());
        if status.is_success() {
            return match headers::text(response.headers(), header::CONTENT_ENCODING.as_str()) {
                Some(encoding) if !encoding.eq_ignore_ascii_case("identity") => {
                    let message = format!("{host} compressed its answer ({encoding}), though it was asked not to.");
                    Err(Failure::new(FailureKind::Protocol, message))
                }
                _ => Ok(response),
            };
        }
        if status.is_redirection() {
            return Err(Failure::redirected(status, host));
        }
        let headers = response.headers().clone();
        // However the body ends, the status stands.
        let body = tokio::time::timeout(ERROR_PATIENCE, read(response, LONGEST_ERROR, host)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        Err(Failure::from_http(status, &headers, &body, (self.clock)()).with_answer(headers, body))
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("endpoints", &self.endpoints)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Adds a header. A value no header can carry (ids come from clients) is left out rather than the request refused.
pub(crate) fn insert(headers: &mut HeaderMap, name: &'static str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()).and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// A body, up to `limit` bytes; what comes after is not read.
pub(crate) async fn read(mut response: reqwest::Response, limit: usize, host: &str) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::from_transport(&error, host))? {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        if body.len() == limit {
            break;
        }
    }
    Ok(body.into())
}

/// A page with status 200 is somebody in between (a captive portal, a proxy). No type at all is let through.
fn expect_events(headers: &HeaderMap, host: &str) -> Result<(), Failure> {
    match headers::text(headers, header::CONTENT_TYPE.as_str()) {
        Some(kind) if !kind.to_ascii_lowercase().starts_with("text/event-stream") => {
            Err(Failure::new(FailureKind::Protocol, format!("{host} answered with {kind} instead of an event stream.")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
