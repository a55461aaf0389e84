//! An exchange as spans.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use codeferry_gateway::Traced;
use codeferry_store::log::{Attempt, Exchange, Outcome};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;

/// A client may ask for a model by any name; longer ones are cut, in characters.
const LONGEST_NAME: usize = 100;

/// Makes the spans of an exchange, with the times it had.
pub(super) fn make(tracer: &SdkTracer, Traced { exchange, tries, parent }: Traced<'_>) {
    let begun = SystemTime::from(exchange.at);
    let ended = begun + Duration::from_millis(exchange.total_ms);
    let parent = parent.map_or_else(Context::new, context_of);
    let mut span = SpanBuilder::from_name(format!("chat {}", cut(&exchange.asked)))
        .with_kind(SpanKind::Server)
        .with_start_time(begun)
        .with_attributes(of_exchange(exchange))
        .start_with_context(tracer, &parent);
    let within = Context::new().with_remote_span_context(span.span_context().clone());
    for (attempt, after) in exchange.attempts.iter().zip(tries) {
        let begun = begun + *after;
        let answered = begun + Duration::from_millis(attempt.ms);
        let mut try_span = SpanBuilder::from_name(format!("chat {}", cut(&exchange.model)))
            .with_kind(SpanKind::Client)
            .with_start_time(begun)
            .with_attributes(of_attempt(exchange, attempt))
            .start_with_context(tracer, &within);
        if attempt.failure.is_some() {
            try_span.set_status(Status::error(""));
        }
        // One that was answered goes on as long as the answer does.
        try_span.end_with_timestamp(if attempt.failure.is_some() { answered } else { ended.max(answered) });
    }
    if matches!(exchange.outcome, Outcome::Failed) || exchange.status.is_some_and(|status| status >= 500) {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(ended);
}

/// The span a client says it is in. One that cannot be read is none.
fn context_of(traceparent: &str) -> Context {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

fn of_exchange(exchange: &Exchange) -> Vec<KeyValue> {
    let mut all = vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.request.model", cut(&exchange.asked)),
        KeyValue::new("gen_ai.request.stream", exchange.streamed),
        KeyValue::new("http.request.method", "POST"),
        KeyValue::new("url.path", exchange.path.clone()),
        KeyValue::new("codeferry.exchange.id", exchange.id.clone()),
        KeyValue::new("codeferry.dialect", exchange.dialect.clone()),
        KeyValue::new("codeferry.outcome", exchange.outcome.as_str()),
        KeyValue::new("codeferry.attempts", count(exchange.attempts.len() as u64)),
    ];
    let mut text = |name, value: &str| {
        if !value.is_empty() {
            all.push(KeyValue::new(name, value.to_owned()));
        }
    };
    text("gen_ai.response.model", &exchange.model);
    text("gen_ai.provider.name", host(&exchange.provider));
    text("codeferry.client", &exchange.client);
    text("codeferry.account", &exchange.account);
    text("codeferry.effort", exchange.effort.as_deref().unwrap_or_default());
    text("codeferry.losses", &exchange.losses.join(","));
    text("error.type", exchange.error.as_deref().unwrap_or_default());
    let mut figure = |name, value: Option<u64>| all.extend(value.map(|value| KeyValue::new(name, count(value))));
    figure("http.response.status_code", exchange.status.map(u64::from));
    figure("codeferry.first_byte_ms", exchange.first_byte_ms);
    figure("gen_ai.usage.input_tokens", exchange.tokens.map(|tokens| tokens.input));
    figure("gen_ai.usage.cache_read.input_tokens", exchange.tokens.map(|tokens| tokens.cached));
    figure("gen_ai.usage.output_tokens", exchange.tokens.map(|tokens| tokens.output));
    figure("gen_ai.usage.reasoning.output_tokens", exchange.tokens.map(|tokens| tokens.reasoning));
    all
}

fn of_attempt(exchange: &Exchange, attempt: &Attempt) -> Vec<KeyValue> {
    let mut all = vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", host(&attempt.provider).to_owned()),
        KeyValue::new("gen_ai.request.model", exchange.model.clone()),
        KeyValue::new("codeferry.account", attempt.account.clone()),
        KeyValue::new("codeferry.provider", attempt.provider.clone()),
        KeyValue::new("codeferry.answered_ms", count(attempt.ms)),
    ];
    let text = |name, value: &Option<String>| value.clone().map(|value| KeyValue::new(name, value));
    all.extend(text("error.type", &attempt.failure));
    all.extend(text("codeferry.upstream_id", &attempt.upstream_id));
    all.extend(attempt.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
    all
}

/// Whose models they are, in the words of the conventions.
fn host(provider: &str) -> &str {
    match provider {
        "plan" | "codex" | "openai_key" | "codex_cli" => "openai",
        other => other,
    }
}

fn cut(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
