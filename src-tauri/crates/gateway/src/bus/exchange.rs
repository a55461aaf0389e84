//! Exchanges under way: what is told of them, and what is shown to who comes in the middle.

use std::sync::PoisonError;

use codeferry_store::log::Exchange;
use jiff::Timestamp;
use serde::Serialize;

use super::{Bus, Topic};
use crate::tap::Facts;

/// An exchange under way, as `exchange.started` tells it and as a snapshot lists it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OpenExchange {
    id: String,
    at: Timestamp,
    client: String,
    dialect: &'static str,
    asked: String,
    model: String,
    effort: Option<&'static str>,
    streamed: bool,
    /// Who is to pay, from the first attempt on.
    account: Option<String>,
    /// How many attempts were begun.
    attempts: usize,
    first_byte_ms: Option<u64>,
}

/// `exchange.attempt`
#[derive(Serialize)]
struct Attempt<'e> {
    id: &'e str,
    attempt: usize,
    account: &'e str,
    provider: &'e str,
    /// Why the attempt before failed.
    after: Option<&'e str>,
}

/// `exchange.first_token`
#[derive(Serialize)]
struct FirstToken<'e> {
    id: &'e str,
    first_byte_ms: u64,
}

// === impl Bus ===

impl Bus {
    /// It is known what is asked of which model; upstream was not asked yet.
    pub(crate) fn started(&self, facts: &Facts, at: Timestamp) {
        let exchange = OpenExchange {
            id: facts.id.clone(),
            at,
            client: facts.client.clone(),
            dialect: facts.dialect,
            asked: facts.asked.clone(),
            model: facts.model.clone(),
            effort: facts.effort,
            streamed: facts.streamed,
            account: None,
            attempts: 0,
            first_byte_ms: None,
        };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(facts.id.clone(), exchange.clone());
        self.publish(Topic::Exchange, "exchange.started", || exchange);
        self.stir();
    }

    /// Another attempt was begun.
    pub(crate) fn tries(&self, facts: &Facts) {
        let attempt = facts.attempts.len();
        self.change(&facts.id, |open| {
            open.account = Some(facts.account.clone());
            open.attempts = attempt;
        });
        let before = attempt.checked_sub(2).and_then(|at| facts.attempts.get(at));
        self.publish(Topic::Exchange, "exchange.attempt", || Attempt {
            id: &facts.id,
            attempt,
            account: &facts.account,
            provider: facts.provider,
            after: before.and_then(|before| before.failure.as_deref()),
        });
    }

    /// The answer begins.
    pub(crate) fn first_token(&self, id: &str, first_byte_ms: u64) {
        self.change(id, |open| open.first_byte_ms = Some(first_byte_ms));
        self.publish(Topic::Exchange, "exchange.first_token", || FirstToken { id, first_byte_ms });
    }

    /// It is over. The event is the row of the request log.
    pub(crate) fn done(&self, exchange: &Exchange) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&exchange.id);
        self.publish(Topic::Exchange, "exchange.done", || exchange);
        self.stir();
    }

    /// Those under way, in the order in which they came.
    pub(crate) fn open(&self) -> Vec<OpenExchange> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut OpenExchange)) {
        if let Some(open) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
            change(open);
        }
    }
}
