//! The observer of an exchange: what came of it, written down once.
//!
//! **Invariant:** nothing of what was said is seen here, only figures and names; what is captured is the recorder's affair,
//! if there is one. Nothing here waits.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use codeferry_accounts::Lease;
use codeferry_store::Settings;
use codeferry_store::log::{Attempt, Exchange, Outcome as Ending, Prefix, Tokens};
use codeferry_translate::Losses;
use codeferry_upstream::Failure;
use codeferry_wire::responses::event::Usage;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::Gateway;
use crate::capture::Recorder;
use crate::limits::Permit;
use crate::reply::Problem;
use crate::traces::{Traced, Trail};

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The whole answer was sent.
    Completed,
    /// An HTTP error was sent instead of an answer.
    Refused {
        /// Its status.
        status: u16,
        /// Its kind, in the words of the client's dialect.
        kind: &'static str,
    },
    /// The answer broke off, and the client was told.
    Failed {
        /// Why.
        why: &'static str,
    },
    /// The client left.
    Cancelled,
}

/// The record of one exchange. Dropped without [`end`](Self::end), it was cancelled.
#[derive(Debug)]
pub(crate) struct Tap {
    gateway: Arc<Gateway>,
    at: Timestamp,
    begun: Instant,
    /// When the attempt that runs began.
    tried: Instant,
    first_byte: Option<Duration>,
    ended: bool,
    /// For the trace, if there is to be one.
    trail: Option<Trail>,
    /// Lets the client have another exchange when this one is over.
    pub(crate) permit: Option<Permit>,
    /// Takes everything down, if somebody asked for that.
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// What is known so far.
    pub(crate) facts: Facts,
}

/// What is known of an exchange.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Our id.
    pub(crate) id: String,
    /// The client's language.
    pub(crate) dialect: &'static str,
    /// What was asked for, below the gateway's address.
    pub(crate) path: &'static str,
    /// The client's name for itself.
    pub(crate) user_agent: Option<String>,
    /// The name of the client key.
    pub(crate) client: String,
    /// The conversation.
    pub(crate) conversation: Option<String>,
    /// The model as asked for.
    pub(crate) asked: String,
    /// The model upstream.
    pub(crate) model: String,
    /// The effort as sent.
    pub(crate) effort: Option<&'static str>,
    /// Why this model.
    pub(crate) route: String,
    /// The account that served, by id.
    pub(crate) account: String,
    /// Whose host served.
    pub(crate) provider: &'static str,
    /// Why this account; ids, no addresses.
    pub(crate) picked: String,
    /// The attempts that were made upstream.
    pub(crate) attempts: Vec<Attempt>,
    /// The upstream's id of the last attempt.
    pub(crate) upstream_id: Option<String>,
    /// Whether the answer was streamed.
    pub(crate) streamed: bool,
    /// What it cost, if the upstream said so.
    pub(crate) usage: Option<Usage>,
    /// What of the request could not be carried.
    pub(crate) losses: Losses,
    /// What of the answer could not be carried, or had to be put right.
    pub(crate) notes: Vec<&'static str>,
    /// What the client was told of a failure.
    pub(crate) message: Option<String>,
    /// How the request continues its conversation.
    pub(crate) prefix: Option<Prefix>,
}

/// The longest sentence of a failure that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;

// === impl Outcome ===

impl Outcome {
    /// In one word, as the request log has it.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// What a problem before the first byte ends in.
    pub(crate) fn of(problem: &Problem) -> Self {
        Self::Refused { status: problem.status.as_u16(), kind: problem.kind.as_str() }
    }
}

// === impl Tap ===

impl Tap {
    /// An exchange in `dialect` begins.
    pub(crate) fn begin(gateway: &Arc<Gateway>, id: &str, dialect: &'static str, path: &'static str) -> Self {
        if gateway.counters.begin() {
            gateway.news.tell();
        }
        let now = Instant::now();
        let facts = Facts { id: id.to_owned(), dialect, path, ..Facts::default() };
        let gateway = Arc::clone(gateway);
        let trail = gateway.traces.is_some().then(Trail::default);
        Self {
            at: gateway.now(),
            gateway,
            begun: now,
            tried: now,
            first_byte: None,
            ended: false,
            trail,
            permit: None,
            recorder: None,
            facts,
        }
    }

    /// What the client says of itself: who it is, and which span it is in.
    pub(crate) fn heard(&mut self, headers: &HeaderMap) {
        self.facts.user_agent = user_agent(headers);
        if let Some(trail) = &mut self.trail {
            trail.parent =
                headers.get("traceparent").and_then(|parent: &HeaderValue| parent.to_str().ok()).map(str::to_owned);
        }
    }

    /// What is asked is known, and attempts begin.
    pub(crate) fn opens(&self) {
        if self.facts.attempts.is_empty() {
            self.gateway.bus.started(&self.facts, self.at);
        }
    }

    /// When the exchange began.
    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// Takes everything down from here on, if somebody asked for that.
    pub(crate) fn capture(&mut self, parts: &Parts, settings: &Arc<Settings>) {
        self.recorder = self.gateway.recorder(self, parts, settings);
    }

    /// Another attempt begins, and this account is to pay for it.
    pub(crate) fn tries(&mut self, lease: &Lease) {
        self.tried = Instant::now();
        if let Some(trail) = &mut self.trail {
            trail.tries.push(self.tried.duration_since(self.begun));
        }
        let facts = &mut self.facts;
        facts.account = lease.account.id.to_string();
        facts.provider = lease.account.kind.as_str();
        facts.picked.clone_from(&lease.why_logged);
        facts.upstream_id = None;
        let attempt =
            Attempt { account: facts.account.clone(), provider: facts.provider.to_owned(), ..Attempt::default() };
        facts.attempts.push(attempt);
        self.gateway.bus.tries(&self.facts);
        if let Some(recorder) = &self.recorder {
            recorder.tries();
        }
    }

    /// A piece of the upstream's answer.
    pub(crate) fn upstream(&self, chunk: &Bytes) {
        if let Some(recorder) = &self.recorder {
            recorder.upstream(chunk);
        }
    }

    /// The attempt that runs was answered.
    pub(crate) fn answered(&mut self) {
        let (ms, id) = (millis(self.tried.elapsed()), self.facts.upstream_id.clone());
        if let Some(attempt) = self.facts.attempts.last_mut() {
            attempt.ms = ms;
            attempt.upstream_id = id;
        }
    }

    /// The attempt that runs failed; `None`: it was answered with nothing.
    pub(crate) fn failed(&mut self, failure: Option<&Failure>) {
        self.gateway.note_failure(failure);
        if let Some(id) = failure.and_then(|failure| failure.request_id.as_deref()) {
            self.facts.upstream_id = Some(id.to_owned());
        }
        self.answered();
        if let Some(recorder) = &self.recorder {
            recorder.failed(failure);
        }
        if let Some(attempt) = self.facts.attempts.last_mut() {
            attempt.failure = Some(failure.map_or("empty", |failure| failure.kind.name()).to_owned());
            attempt.status = failure.and_then(|failure| failure.status);
        }
    }

    /// The first byte of the answer goes out.
    pub(crate) fn first_byte(&mut self) {
        if self.first_byte.is_none() {
            let elapsed = *self.first_byte.insert(self.begun.elapsed());
            self.gateway.bus.first_token(&self.facts.id, millis(elapsed));
        }
    }

    /// The exchange is over, and this is what the client was told.
    pub(crate) fn refuse(&mut self, problem: &Problem) {
        self.facts.message = Some(problem.message.clone());
        self.end(&Outcome::of(problem));
    }

    /// The exchange is over.
    pub(crate) fn end(&mut self, outcome: &Outcome) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if self.gateway.counters.end(outcome) {
            self.gateway.news.tell();
        }
        let catalog = self.gateway.upstream.shelf().all();
        self.gateway.metrics.note(&self.facts, outcome, &catalog, self.first_byte, self.begun.elapsed());
        self.log_line(outcome);
        let exchange = self.exchange(outcome);
        if let (Some(traces), Some(Trail { tries, parent })) = (&self.gateway.traces, &self.trail) {
            traces.ended(Traced { exchange: &exchange, tries, parent: parent.as_deref() });
        }
        self.gateway.bus.done(&exchange);
        if let Some(recorder) = &self.recorder {
            recorder.ended(&exchange);
        }
        self.gateway.log.record(exchange);
    }

    fn log_line(&self, outcome: &Outcome) {
        let facts = &self.facts;
        let (name, detail) = match outcome {
            Outcome::Completed => ("completed", String::new()),
            Outcome::Refused { status, .. } => ("refused", status.to_string()),
            Outcome::Failed { why } => ("failed", (*why).to_owned()),
            Outcome::Cancelled => ("left by the client", String::new()),
        };
        tracing::info!(
            target: "codeferry::exchange",
            id = %facts.id, why = some(&detail), client = %facts.client, asked = %facts.asked, model = %facts.model,
            effort = facts.effort, route = some(&facts.route), account = some(&facts.account),
            picked = some(&facts.picked), attempts = facts.attempts.len(), upstream_id = facts.upstream_id,
            streamed = facts.streamed, prompt_tokens = facts.usage.map(|usage| usage.input_tokens),
            cached_tokens = facts.usage.map(|usage| usage.cached_tokens),
            output_tokens = facts.usage.map(|usage| usage.output_tokens),
            first_byte_ms = self.first_byte.map(millis), total_ms = millis(self.begun.elapsed()),
            losses = some(&facts.losses.header()), notes = some(&facts.notes.join(", ")), "{name}"
        );
    }

    /// The row of the request log. The facts go into it; nobody asks for them later.
    fn exchange(&mut self, outcome: &Outcome) -> Exchange {
        let facts = std::mem::take(&mut self.facts);
        let (outcome, status, error) = match outcome {
            Outcome::Completed => (Ending::Completed, Some(200), None),
            Outcome::Refused { status, kind } => (Ending::Refused, Some(*status), Some((*kind).to_owned())),
            Outcome::Failed { why } => (Ending::Failed, Some(200), Some((*why).to_owned())),
            Outcome::Cancelled => (Ending::Cancelled, self.first_byte.map(|_| 200), None),
        };
        Exchange {
            id: facts.id,
            at: self.at,
            client: facts.client,
            dialect: facts.dialect.to_owned(),
            path: facts.path.to_owned(),
            user_agent: facts.user_agent,
            conversation: facts.conversation,
            asked: facts.asked,
            model: facts.model,
            effort: facts.effort.map(str::to_owned),
            route: Some(facts.route).filter(|route| !route.is_empty()),
            provider: facts.provider.to_owned(),
            account: facts.account,
            picked: Some(facts.picked).filter(|picked| !picked.is_empty()),
            streamed: facts.streamed,
            tokens: facts.usage.map(|usage| Tokens {
                input: usage.input_tokens,
                cached: usage.cached_tokens,
                output: usage.output_tokens,
                reasoning: usage.reasoning_tokens,
            }),
            first_byte_ms: self.first_byte.map(millis),
            total_ms: millis(self.begun.elapsed()),
            outcome,
            status,
            error,
            message: facts.message.map(|message| message.chars().take(LONGEST_MESSAGE).collect()),
            losses: facts.losses.iter().map(|loss| loss.name().to_owned()).collect(),
            notes: facts.notes.into_iter().map(str::to_owned).collect(),
            attempts: facts.attempts,
            upstream_id: facts.upstream_id,
            prefix: facts.prefix,
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.end(&Outcome::Cancelled);
    }
}

/// The longest name of a client that is kept, in bytes.
const LONGEST_AGENT: usize = 120;

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    // Only ASCII comes this far.
    Some(agent.get(..LONGEST_AGENT).unwrap_or(agent).to_owned())
}

/// What is empty is left out of the line.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
