//! The observer of an exchange: what came of it, written down once.
//!
//! **Invariant:** nothing of what was said is seen here, only figures and names.

use std::sync::Arc;
use std::time::Duration;

use codeferry_translate::Losses;
use codeferry_wire::anthropic::frame::Usage;
use tokio::time::Instant;

use crate::status::Counters;

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The whole answer was sent.
    Completed,
    /// An HTTP error was sent instead of an answer.
    Refused {
        /// Its status.
        status: u16,
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
    counters: Arc<Counters>,
    begun: Instant,
    first_byte: Option<Duration>,
    ended: bool,
    /// What is known so far.
    pub(crate) facts: Facts,
}

/// What is known of an exchange.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Our id.
    pub(crate) id: String,
    /// The name of the client key.
    pub(crate) client: String,
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
    /// Why this account; ids, no addresses.
    pub(crate) picked: String,
    /// How many attempts were made upstream.
    pub(crate) attempts: u32,
    /// The upstream's id of the last attempt.
    pub(crate) upstream_id: Option<String>,
    /// Whether the answer was streamed.
    pub(crate) streamed: bool,
    /// What it cost.
    pub(crate) usage: Usage,
    /// What of the request could not be carried.
    pub(crate) losses: Losses,
    /// What of the answer could not be carried, or had to be put right.
    pub(crate) notes: Vec<&'static str>,
}

// === impl Tap ===

impl Tap {
    pub(crate) fn begin(counters: &Arc<Counters>, id: &str) -> Self {
        counters.begin();
        let facts = Facts { id: id.to_owned(), ..Facts::default() };
        Self { counters: Arc::clone(counters), begun: Instant::now(), first_byte: None, ended: false, facts }
    }

    /// The first byte of the answer goes out.
    pub(crate) fn first_byte(&mut self) {
        self.first_byte.get_or_insert_with(|| self.begun.elapsed());
    }

    /// The exchange is over.
    pub(crate) fn end(&mut self, outcome: &Outcome) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.counters.end(outcome);
        let facts = &self.facts;
        let (name, detail) = match outcome {
            Outcome::Completed => ("completed", String::new()),
            Outcome::Refused { status } => ("refused", status.to_string()),
            Outcome::Failed { why } => ("failed", (*why).to_owned()),
            Outcome::Cancelled => ("left by the client", String::new()),
        };
        let usage = &facts.usage;
        let prompt = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
        tracing::info!(
            target: "codeferry::exchange",
            id = %facts.id, why = some(&detail), client = %facts.client, asked = %facts.asked, model = %facts.model,
            effort = facts.effort, route = some(&facts.route), account = some(&facts.account), picked = some(&facts.picked), attempts = facts.attempts,
            upstream_id = facts.upstream_id, streamed = facts.streamed, prompt_tokens = prompt,
            cached_tokens = usage.cache_read_input_tokens, output_tokens = usage.output_tokens,
            first_byte_ms = self.first_byte.map(millis), total_ms = millis(self.begun.elapsed()),
            losses = some(&facts.losses.header()), notes = some(&facts.notes.join(", ")), "{name}"
        );
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.end(&Outcome::Cancelled);
    }
}

/// What is empty is left out of the line.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
