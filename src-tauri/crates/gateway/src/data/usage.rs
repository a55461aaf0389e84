//! `GET /v1/usage` and `GET /v1/usage/raw`, in the shapes of codex-completions-api.
//!
//! The names end in `_est` there because tokens are estimated; here they are what the upstream counted, under the same
//! names, so that scripts go on working. Errors have OpenAI's shape.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use codeferry_store::UsageScope;
use codeferry_store::log::{By, Filter, Found, Log, Totals, UsageQuery};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::history::{BadParameter, HistoryError, Params};
use crate::reply::Problem;
use crate::{Gateway, guard};

/// How many events, where nobody says how many; and how many at most.
const USUAL: usize = 200;
const MOST: usize = 10_000;
/// So many rows are read at a time.
const STEP: usize = 1000;

/// `GET /v1/usage`. Times are milliseconds since 1970.
#[derive(Serialize)]
struct Sums {
    start: i64,
    end: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'static str>,
    total_requests: i64,
    #[serde(flatten)]
    tokens: UsedTokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    buckets: Option<Vec<Bucket>>,
}

/// An hour or a day, and when it begins.
#[derive(Serialize)]
struct Bucket {
    ts: i64,
    requests: i64,
    #[serde(flatten)]
    tokens: UsedTokens,
}

#[derive(Serialize)]
struct UsedTokens {
    prompt_tokens_est: i64,
    completion_tokens_est: i64,
    total_tokens_est: i64,
}

/// `GET /v1/usage/raw`
#[derive(Serialize)]
struct Events {
    count: usize,
    /// The oldest first.
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Event {
    ts: i64,
    req_id: String,
    route: String,
    method: &'static str,
    requested_model: String,
    effective_model: String,
    stream: bool,
    #[serde(flatten)]
    tokens: UsedTokens,
    duration_ms: u64,
    status: Option<u16>,
    user_agent: Option<String>,
}

/// An error in OpenAI's shape.
#[derive(Serialize)]
struct Wrong {
    error: Inner,
}

#[derive(Serialize)]
struct Inner {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<String>,
    code: &'static str,
}

/// Why there is no answer.
enum Refusal {
    Client(Problem),
    Query(QueryRejection),
    History(HistoryError),
}

type Asked = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// Sums of `[start, end)`.
pub(crate) async fn sums(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, asked: Asked) -> Response {
    sums_of(&gateway, &headers, asked).await.map_or_else(Refusal::into_response, |sums| Json(sums).into_response())
}

/// The last ones.
pub(crate) async fn events(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, asked: Asked) -> Response {
    events_of(&gateway, &headers, asked)
        .await
        .map_or_else(Refusal::into_response, |events| Json(events).into_response())
}

async fn sums_of(gateway: &Gateway, headers: &HeaderMap, asked: Asked) -> Result<Sums, Refusal> {
    let client = whose(gateway, headers)?;
    let params = Params::read(asked?.0, &["start", "end", "group"], gateway.now())?;
    let zone = TimeZone::system();
    let start = params.moment("start", &zone)?.unwrap_or(Timestamp::UNIX_EPOCH);
    // Everything up to now, this millisecond among it.
    let now = gateway.now().as_millisecond() + 1;
    let end = params.moment("end", &zone)?.or_else(|| Timestamp::from_millisecond(now).ok());
    let by = match params.text("group") {
        None => None,
        Some("hour") => Some(By::Hour),
        Some("day") => Some(By::Day),
        Some(other) => return Err(BadParameter::new("group", format!("{other:?} is neither hour nor day")).into()),
    };
    let query = UsageQuery {
        since: Some(start),
        until: end,
        by: by.into_iter().collect(),
        client,
        zone: Some(zone),
        ..UsageQuery::default()
    };
    let log = gateway.log.clone();
    let usage = reading(move || log.usage(&query)).await?;
    let bucket = |sum: &codeferry_store::log::Sum| {
        // With the offset of its zone, or in UTC: an instant in any case.
        let ts = sum.key.first().and_then(|at| at.parse::<Timestamp>().ok()).unwrap_or_default().as_millisecond();
        Bucket { ts, requests: sum.totals.requests, tokens: UsedTokens::of(&sum.totals) }
    };
    let mut buckets: Vec<_> = usage.sums.iter().map(bucket).collect();
    buckets.sort_by_key(|bucket| bucket.ts);
    Ok(Sums {
        start: start.as_millisecond(),
        end: end.map_or(now, Timestamp::as_millisecond),
        group: by.map(By::as_str),
        total_requests: usage.total.requests,
        tokens: UsedTokens::of(&usage.total),
        buckets: by.map(|_| buckets),
    })
}

async fn events_of(gateway: &Gateway, headers: &HeaderMap, asked: Asked) -> Result<Events, Refusal> {
    let client = whose(gateway, headers)?;
    let params = Params::read(asked?.0, &["limit"], gateway.now())?;
    let limit = params.number("limit", i64::MIN..=i64::MAX)?.map_or(USUAL, |limit| {
        // What is out of bounds is brought within them, as it was there.
        usize::try_from(limit).unwrap_or_default().clamp(1, MOST)
    });
    let (log, filter) = (gateway.log.clone(), Filter { client, ..Filter::default() });
    let found = reading(move || last(&log, &filter, limit)).await?;
    let events: Vec<_> = found.into_iter().rev().map(Event::of).collect();
    Ok(Events { count: events.len(), events })
}

/// The last rows, the newest first.
fn last(log: &Log, filter: &Filter, limit: usize) -> Result<Vec<Found>, codeferry_store::log::LogError> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = log.page(filter, before, STEP.min(limit - rows.len()))?;
        rows.extend(page.exchanges);
        before = page.next;
        if before.is_none() || rows.len() >= limit {
            return Ok(rows);
        }
    }
}

/// Whose exchanges the client may see; `None`: everybody's.
fn whose(gateway: &Gateway, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let client = guard::client_of(headers, &gateway.keys).map_err(Refusal::Client)?;
    Ok(match gateway.settings.snapshot().usage_api_scope {
        UsageScope::Own => Some(client),
        UsageScope::All => None,
    })
}

async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, codeferry_store::log::LogError> + Send + 'static,
) -> Result<T, HistoryError> {
    Ok(tokio::task::spawn_blocking(read).await.map_err(|_| HistoryError::Broken)??)
}

// === impl UsedTokens ===

impl UsedTokens {
    fn of(totals: &Totals) -> Self {
        Self::new(totals.input, totals.output)
    }

    fn new(input: i64, output: i64) -> Self {
        let total = input.saturating_add(output);
        Self { prompt_tokens_est: input, completion_tokens_est: output, total_tokens_est: total }
    }
}

// === impl Event ===

impl Event {
    fn of(found: Found) -> Self {
        let x = found.exchange;
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let tokens = x.tokens.unwrap_or_default();
        Self {
            ts: x.at.as_millisecond(),
            req_id: x.id,
            route: x.path,
            // Whatever is written down was posted.
            method: "POST",
            requested_model: x.asked,
            effective_model: x.model,
            stream: x.streamed,
            tokens: UsedTokens::new(count(tokens.input), count(tokens.output)),
            duration_ms: x.total_ms,
            status: x.status,
            user_agent: x.user_agent,
        }
    }
}

// === impl Refusal ===

impl Refusal {
    fn into_response(self) -> Response {
        let request = |message: String, param: Option<String>| {
            let error = Inner { message, kind: "invalid_request_error", param, code: "invalid_parameter" };
            (StatusCode::BAD_REQUEST, error)
        };
        let (status, error) = match self {
            Self::Client(problem) => {
                // As the clients of that API know it.
                let (kind, code) = ("authentication_error", "invalid_api_key");
                (problem.status, Inner { message: problem.message, kind, param: None, code })
            }
            Self::Query(error) => request(error.body_text(), None),
            Self::History(HistoryError::Parameter(bad)) => {
                let hint = bad.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                request(format!("{}{hint}", bad.message), Some(bad.name))
            }
            Self::History(error) => {
                let (kind, code) = ("server_error", "request_log_failed");
                let error = Inner { message: error.to_string(), kind, param: None, code };
                (StatusCode::INTERNAL_SERVER_ERROR, error)
            }
        };
        (status, Json(Wrong { error })).into_response()
    }
}

impl From<QueryRejection> for Refusal {
    fn from(error: QueryRejection) -> Self {
        Self::Query(error)
    }
}

impl<E: Into<HistoryError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::History(error.into())
    }
}
