//! `/metrics`: what is counted, in the text format of OpenMetrics that Prometheus scrapes.
//!
//! Counted is once, at the end of an exchange; what stands somewhere anyway (accounts, quota, drops) is read when somebody
//! asks. Every name is in the table of `docs/operations.md`, which a test compares with the output.
//!
//! **Invariant:** the number of series is bounded: a label holds a word of ours, a model of the catalogue, or the id of an
//! account.

mod now;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use codeferry_upstream::Catalog;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::Gateway;
use crate::guard::Nearby;
use crate::reply::Problem;
use crate::tap::{Facts, Outcome};
use codeferry_wire::anthropic::error::ErrorKind;

pub(crate) use now::Now;

/// Seconds to the first byte: models think before they speak.
const FIRST_BYTE: [f64; 13] = [0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0];
/// Seconds for a whole exchange: some go on for half an hour.
const WHOLE: [f64; 12] = [0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];

/// A model that no catalogue names. Clients may ask for anything.
const OTHER: &str = "other";

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    exchanges: Family<ExchangeLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    retries: Counter,
    first_byte: Family<DialectLabels, Histogram, fn() -> Histogram>,
    whole: Family<DialectLabels, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExchangeLabels {
    dialect: &'static str,
    model: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    model: String,
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    provider: String,
    result: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DialectLabels {
    dialect: &'static str,
}

/// `GET /metrics`: for this machine, or with the control token.
pub(crate) async fn metrics(State(gateway): State<Arc<Gateway>>, nearby: Nearby) -> Response {
    if nearby.only(()).is_none() {
        let message = "metrics are for this machine; from elsewhere send the control token as a bearer";
        return Problem::new(ErrorKind::Permission, message)
            .final_word()
            .into_response(crate::dialect::Shape::Anthropic, &crate::new_request_id());
    }
    match gateway.metrics.text() {
        Some(text) => {
            let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

// === impl Metrics ===

impl Metrics {
    /// Nothing counted so far.
    pub(crate) fn new(now: Now) -> Self {
        let mut registry = Registry::default();
        let (exchanges, tokens, attempts) = (Family::default(), Family::default(), Family::default());
        let retries = Counter::default();
        let histogram = |new: fn() -> Histogram| Family::new_with_constructor(new);
        let first_byte = histogram(|| Histogram::new(FIRST_BYTE));
        let whole = histogram(|| Histogram::new(WHOLE));
        let ours = registry.sub_registry_with_prefix("codeferry");
        ours.register("exchanges", "Exchanges that have ended", exchanges.clone());
        ours.register("tokens", "Tokens as the upstream counted them", tokens.clone());
        ours.register("upstream_attempts", "Attempts upstream and what came of them", attempts.clone());
        ours.register("retries", "Attempts after the first of an exchange", retries.clone());
        ours.register("first_byte_seconds", "Time until the first byte of an answer", first_byte.clone());
        ours.register("exchange_seconds", "Time until the end of an exchange", whole.clone());
        registry.register_collector(Box::new(now));
        Self { registry, exchanges, tokens, attempts, retries, first_byte, whole }
    }

    /// An exchange is over.
    pub(crate) fn note(
        &self,
        facts: &Facts,
        outcome: &Outcome,
        catalog: &Catalog,
        first_byte: Option<Duration>,
        whole: Duration,
    ) {
        let model = catalog.get(&facts.model).map_or(OTHER, |model| model.slug.as_str());
        let labels = ExchangeLabels { dialect: facts.dialect, model: model.to_owned(), outcome: outcome.as_str() };
        self.exchanges.get_or_create(&labels).inc();
        let dialect = DialectLabels { dialect: facts.dialect };
        if let Some(first_byte) = first_byte {
            self.first_byte.get_or_create(&dialect).observe(first_byte.as_secs_f64());
        }
        self.whole.get_or_create(&dialect).observe(whole.as_secs_f64());
        if let Some(usage) = &facts.usage {
            for (direction, count) in [
                ("input", usage.input_tokens),
                ("cached", usage.cached_tokens),
                ("output", usage.output_tokens),
                ("reasoning", usage.reasoning_tokens),
            ] {
                self.tokens.get_or_create(&TokenLabels { model: model.to_owned(), direction }).inc_by(count);
            }
        }
        for attempt in &facts.attempts {
            let result = attempt.failure.clone().unwrap_or_else(|| "answered".to_owned());
            self.attempts.get_or_create(&AttemptLabels { provider: attempt.provider.clone(), result }).inc();
        }
        self.retries.inc_by((facts.attempts.len() as u64).saturating_sub(1));
    }

    fn text(&self) -> Option<String> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).ok()?;
        Some(out)
    }
}
