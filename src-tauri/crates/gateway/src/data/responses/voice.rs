//! An answer in the upstream's words.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use codeferry_accounts::AccountId;
use codeferry_translate::render::KeepAlive;
use codeferry_translate::render::responses::{Bound, Failure, Heard, Listener, Options, Relay, sign};
use codeferry_translate::turn::TurnEvent;
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::json::Raw;
use codeferry_wire::sse;
use tokio::time::Instant;

use super::told::Told;
use crate::codex;
use crate::kept::Keeping;
use crate::reply::openai_words;
use crate::seals::Seals;
use crate::speaker::{Language, Speaker};

/// What an answer must know of its request.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) listener: Listener,
    /// Whether the answer goes out record by record.
    pub(super) streamed: bool,
    /// Seconds since 1970.
    pub(super) created_at: i64,
    /// Takes down whose reasoning is whose.
    pub(super) seals: Arc<Seals>,
    /// The upstream speaks another language, so that there are no records to pass on.
    pub(super) told: Option<Options>,
    /// The length of the answer, where the upstream does not see to it, and an estimate of its input.
    pub(super) bound: Option<(u64, u64)>,
    /// Remembers the answer, if the client may refer to it.
    pub(super) keeping: Option<Keeping>,
}

struct Answer {
    relay: Relay,
    listener: Listener,
    streamed: bool,
    out: Vec<u8>,
    seals: Arc<Seals>,
    keeping: Option<Keeping>,
    account: Arc<str>,
}

/// What a Codex reads of an answer's headers beside the windows (`codex-backend.md §4`).
const TOLD: [&str; 3] = ["openai-model", "x-models-etag", "x-reasoning-included"];
/// What is left of the account that served, and what belongs to it.
const WINDOWS: &str = "x-codex-";
const TURN_STATE: &str = "x-codex-turn-state";

// === impl Voice ===

impl Language for Voice {
    fn preface(&self) -> Bytes {
        Bytes::new()
    }

    fn sign(&self, level: KeepAlive) -> Bytes {
        Bytes::from_static(sign(self.listener, level == KeepAlive::Content))
    }

    fn failure(&self, kind: ErrorKind, message: &str) -> Bytes {
        let mut out = Vec::new();
        Relay::new(self.listener, self.streamed, self.created_at).fail(failure(kind, message), &mut out);
        out.into()
    }

    fn speaker(&self, account: &str) -> Box<dyn Speaker> {
        if let Some(options) = &self.told {
            let (seals, keeping) = (Arc::clone(&self.seals), self.keeping.clone());
            return Box::new(Told::new(options.clone(), self.streamed, seals, keeping, account));
        }
        let relay = Relay::new(self.listener, self.streamed, self.created_at);
        Box::new(Answer {
            relay: match self.bound {
                Some((limit, input_estimate)) => relay.bounded(Bound::new(limit, input_estimate)),
                None => relay,
            },
            listener: self.listener,
            streamed: self.streamed,
            out: Vec::new(),
            seals: Arc::clone(&self.seals),
            keeping: self.keeping.clone(),
            account: account.into(),
        })
    }

    fn head(&self, upstream: &HeaderMap, account: &AccountId, headers: &mut HeaderMap) {
        if self.listener != Listener::Codex {
            return;
        }
        for name in TOLD {
            if let Some(value) = upstream.get(name) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        for (name, value) in upstream.iter().filter(|(name, _)| name.as_str().starts_with(WINDOWS)) {
            headers.insert(name, value.clone());
        }
        let state = upstream.get(TURN_STATE).and_then(|state| state.to_str().ok());
        match state.and_then(|state| HeaderValue::from_str(&codex::turn_state(account, state)).ok()) {
            Some(state) => headers.insert(TURN_STATE, state),
            None => headers.remove(TURN_STATE),
        };
    }
}

/// A code that a Codex knows what to do about: it sends a request again that failed on the way, and does not when the model is
/// overloaded (`codex-backend.md §3`).
pub(super) fn failure(kind: ErrorKind, message: &str) -> Failure<'_> {
    let code = match kind {
        ErrorKind::Api | ErrorKind::Timeout => "server_error",
        kind => openai_words(kind).1.unwrap_or("invalid_request_error"),
    };
    Failure { code, message }
}

// === impl Answer ===

impl Answer {
    fn heard(&mut self) {
        if let Some(response) = self.relay.told()
            && let Some(keeping) = self.keeping.take()
        {
            keeping.end(response, Instant::now());
        }
        // What is collected needs no record of the way there.
        if !self.streamed {
            self.out.clear();
        }
    }
}

impl Speaker for Answer {
    fn hear(&mut self, frame: &sse::Frame<'_>) {
        if let Heard::Item(item) = self.relay.hear(frame, &mut self.out)
            && let Some(seal) = item.get("encrypted_content").and_then(Raw::literal)
        {
            self.seals.note(seal, &self.account);
        }
        self.heard();
    }

    fn passes_on(&self) -> bool {
        true
    }

    fn has_begun(&self) -> bool {
        self.relay.has_begun()
    }

    fn cut(&mut self, rest: &str) {
        self.relay.cut(rest, &mut self.out);
        self.heard();
    }

    fn say(&mut self, event: TurnEvent<'_>) {
        if matches!(event, TurnEvent::CutOff) {
            self.fail(ErrorKind::Api, "the stream of the upstream ended before the answer did");
        }
    }

    fn fail(&mut self, kind: ErrorKind, message: &str) {
        self.relay.fail(failure(kind, message), &mut self.out);
    }

    fn keep_alive(&mut self, level: KeepAlive) {
        self.out.extend_from_slice(sign(self.listener, level == KeepAlive::Content));
    }

    /// What the upstream calls an answer is one, even if there is nothing in it that we know.
    fn is_empty(&self) -> bool {
        false
    }

    fn out(&mut self) -> Option<&mut Vec<u8>> {
        self.streamed.then_some(&mut self.out)
    }

    fn into_whole(self: Box<Self>) -> Option<Vec<u8>> {
        self.relay.into_response()
    }
}
