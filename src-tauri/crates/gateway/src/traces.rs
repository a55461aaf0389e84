//! What a tracer is told of each exchange, once it is over.
//!
//! **Invariant:** where nobody traces, nothing is kept for it but a `None`.

use std::time::Duration;

use codeferry_store::log::Exchange;

/// An exchange that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Traced<'a> {
    /// As it is written down.
    pub exchange: &'a Exchange,
    /// When each of its attempts began, counted from its own beginning.
    pub tries: &'a [Duration],
    /// The client's `traceparent`: the span this belongs to.
    pub parent: Option<&'a str>,
}

/// Who makes spans of exchanges.
pub trait Traces: Send + Sync {
    /// An exchange has ended. Must not wait.
    fn ended(&self, traced: Traced<'_>);
}

/// What is kept of an exchange for its trace.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) tries: Vec<Duration>,
    pub(crate) parent: Option<String>,
}
