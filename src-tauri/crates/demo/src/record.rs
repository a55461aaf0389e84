//! What arrived, in order, and how each request ended. Tests read it; the embedded demo account keeps nothing.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::sync::watch;

/// Which door a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `POST /v1/responses`, the plan provider.
    PlanResponses,
    /// `POST /backend-api/codex/responses`, the codex provider.
    CodexResponses,
    /// The handshake of a WebSocket at either. Its messages are on record as the requests they stand for.
    Socket,
    /// Either models endpoint.
    Models,
    /// Either sign-in page.
    Authorize,
    /// The click on a sign-in page.
    Consent,
    /// Either token endpoint: refreshes and codes. [`Recorded::played`] is the grant type.
    Token,
    /// `POST /api/accounts/deviceauth/usercode`.
    DeviceCode,
    /// `POST /api/accounts/deviceauth/token`.
    DevicePoll,
    /// The page a device code is typed into.
    DevicePage,
    /// Either revoke endpoint.
    Revoke,
    /// `GET /.well-known/jwks.json`.
    Keys,
    /// `GET /.well-known/openid-configuration`.
    Discovery,
    /// `GET /backend-api/wham/usage`.
    Usage,
    /// `GET /backend-api/wham/rate-limit-reset-credits`.
    ResetCredits,
    /// `POST /backend-api/wham/rate-limit-reset-credits/consume`.
    ConsumeResetCredit,
    /// `GET /backend-api/wham/accounts/check`.
    AccountsCheck,
    /// Anything else; answered 404 or 405.
    Other,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Still being answered.
    Open,
    /// The answer was handed over whole.
    Completed,
    /// The client went away first.
    Cancelled,
    /// Answered with an error status; the reason is the sentence the client was given.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The sentence.
        reason: String,
    },
    /// The script dropped the connection.
    Aborted,
}

/// One request as it was received. `Debug` shows neither tokens nor codes: of the auth host's requests only field names.
#[derive(Clone)]
pub struct Recorded {
    /// Rises with arrival, from 0.
    pub seq: u64,
    /// Which endpoint.
    pub route: Route,
    /// The HTTP method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// All headers; `authorization` is marked sensitive, so that `Debug` hides it.
    pub headers: HeaderMap,
    /// The body after content decoding. Empty until it has been read.
    pub body: Bytes,
    /// The body as JSON, when it is JSON.
    pub json: Option<Arc<Value>>,
    /// The account the bearer token belongs to.
    pub account: Option<String>,
    /// What was played: a scenario, `scripted`, `assistant` …
    pub played: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The handshake it came after, by its number: then `body` is the message as it came, and `json` the request that it stands
    /// for, whole.
    pub socket: Option<u64>,
    sent: Arc<Sent>,
}

/// Something a client did that the real upstream refuses, or that it should not have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The request it was found in.
    pub seq: u64,
    /// What is wrong, in one sentence.
    pub what: String,
}

/// A message of a WebSocket, and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    /// The record of its handshake.
    pub(crate) connection: u64,
    pub(crate) message: Bytes,
}

/// Counts what left for the client; shared so that the streaming path takes no lock.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    chunks: AtomicU64,
    bytes: AtomicU64,
}

/// The log. Cheap to share.
pub(crate) struct Recorder {
    keep: usize,
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    entries: VecDeque<Recorded>,
    next: u64,
    answers: u64,
    open: u64,
    peak: u64,
    violations: Vec<Violation>,
}

/// One request being answered. Dropped before its end, it was cancelled by the client.
pub(crate) struct Exchange {
    recorder: Arc<Recorder>,
    pub(crate) seq: u64,
    pub(crate) sent: Arc<Sent>,
    ended: bool,
    model: bool,
}

// === impl Recorded ===

impl Recorded {
    /// The parsed body, or `null`.
    pub fn json(&self) -> &Value {
        self.json.as_deref().unwrap_or(&Value::Null)
    }

    /// A header as text, or nothing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A field of the body (JSON or form), or of the query.
    pub fn field(&self, name: &str) -> Option<String> {
        if let Some(value) = self.json().get(name) {
            return value.as_str().map_or_else(|| Some(value.to_string()), |text| Some(text.to_owned()));
        }
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = url::form_urlencoded::parse(&self.body).chain(url::form_urlencoded::parse(query.as_bytes()));
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether this asked a model for an answer.
    pub fn is_model_call(&self) -> bool {
        self.route.is_model_call()
    }

    /// Body chunks handed to the socket so far; on a held-back stream this stops rising.
    pub fn sent_chunks(&self) -> u64 {
        self.sent.chunks.load(Ordering::Relaxed)
    }

    /// Body bytes handed to the socket so far.
    pub fn sent_bytes(&self) -> u64 {
        self.sent.bytes.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Recorded");
        shown.field("seq", &self.seq).field("route", &self.route).field("method", &self.method);
        if self.route.is_secret() {
            let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
            let names = |bytes: &[u8]| -> Vec<String> {
                url::form_urlencoded::parse(bytes).map(|(key, _)| key.into_owned()).collect()
            };
            let fields = match self.json().as_object() {
                Some(fields) => fields.keys().cloned().collect(),
                None => names(&self.body),
            };
            shown.field("path", &path).field("query", &names(query.as_bytes())).field("fields", &fields);
        } else {
            shown.field("path", &self.path).field("body", &self.body);
        }
        shown
            .field("headers", &self.headers)
            .field("account", &self.account)
            .field("played", &self.played)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

impl Route {
    /// Its requests are made of tokens, codes and states.
    fn is_secret(self) -> bool {
        !matches!(self, Self::PlanResponses | Self::CodexResponses | Self::Models | Self::Usage)
    }

    pub(crate) fn is_model_call(self) -> bool {
        matches!(self, Self::PlanResponses | Self::CodexResponses)
    }
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new(keep: usize) -> Arc<Self> {
        Arc::new(Self { keep, inner: Mutex::default(), changed: watch::Sender::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn begin(self: &Arc<Self>, route: Route, parts: &http::request::Parts) -> Exchange {
        let sent = Arc::new(Sent::default());
        let model = route.is_model_call();
        let mut inner = self.lock();
        let seq = inner.next;
        inner.next += 1;
        if model {
            inner.answers += 1;
            inner.open += 1;
            inner.peak = inner.peak.max(inner.open);
        }
        if self.keep > 0 {
            let mut headers = parts.headers.clone();
            if let Some(value) = headers.get_mut(http::header::AUTHORIZATION) {
                value.set_sensitive(true);
            }
            inner.entries.push_back(Recorded {
                seq,
                route,
                method: parts.method.clone(),
                path: parts.uri.path_and_query().map_or_else(String::new, |path| path.as_str().to_owned()),
                headers,
                body: Bytes::new(),
                json: None,
                account: None,
                played: String::new(),
                outcome: Outcome::Open,
                socket: None,
                sent: Arc::clone(&sent),
            });
            if inner.entries.len() > self.keep {
                inner.entries.pop_front();
            }
        }
        drop(inner);
        self.touch();
        Exchange { recorder: Arc::clone(self), seq, sent, ended: false, model }
    }

    fn edit(&self, seq: u64, edit: impl FnOnce(&mut Recorded)) {
        if self.keep > 0 {
            let mut inner = self.lock();
            if let Some(entry) = inner.entries.iter_mut().rev().find(|entry| entry.seq == seq) {
                edit(entry);
            }
            drop(inner);
            self.touch();
        }
    }

    pub(crate) fn violation(&self, seq: u64, what: impl Into<String>) {
        // Bounded, because the embedded demo account runs for weeks.
        let mut inner = self.lock();
        if inner.violations.len() < 10_000 {
            inner.violations.push(Violation { seq, what: what.into() });
        }
    }

    /// A connection was asked to go on from a response it does not know.
    pub(crate) fn forgot(&self, connection: u64) {
        self.edit(connection, |entry| "forgotten".clone_into(&mut entry.played));
    }

    pub(crate) fn entries(&self) -> Vec<Recorded> {
        self.lock().entries.iter().cloned().collect()
    }

    pub(crate) fn answers(&self) -> u64 {
        self.lock().answers
    }

    pub(crate) fn peak(&self) -> u64 {
        self.lock().peak
    }

    pub(crate) fn open(&self) -> u64 {
        self.lock().open
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.lock().violations.clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

// === impl Exchange ===

impl Exchange {
    pub(crate) fn body(&self, body: &Bytes, json: Option<&Arc<Value>>) {
        self.recorder.edit(self.seq, |entry| {
            entry.body = body.clone();
            entry.json = json.cloned();
        });
    }

    pub(crate) fn framed(&self, framed: &Framed) {
        self.recorder.edit(self.seq, |entry| {
            entry.body = framed.message.clone();
            entry.socket = Some(framed.connection);
        });
    }

    pub(crate) fn account(&self, account: &str) {
        self.recorder.edit(self.seq, |entry| entry.account = Some(account.to_owned()));
    }

    pub(crate) fn played(&self, what: &str) {
        self.recorder.edit(self.seq, |entry| what.clone_into(&mut entry.played));
    }

    pub(crate) fn violation(&self, what: impl Into<String>) {
        self.recorder.violation(self.seq, what);
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if self.model {
            self.recorder.lock().open -= 1;
        }
        self.recorder.edit(self.seq, |entry| entry.outcome = outcome);
        self.recorder.touch();
    }

    pub(crate) fn count(&self, bytes: usize) {
        self.sent.chunks.fetch_add(1, Ordering::Relaxed);
        self.sent.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end(Outcome::Cancelled);
    }
}
