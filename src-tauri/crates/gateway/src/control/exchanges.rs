//! `/api/exchanges`: what happened, row by row.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use codeferry_store::log::Log;
use futures_util::{StreamExt as _, stream};

use super::accounts;
use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::history::{Detail, ExchangePage, ExchangeQuery, HistoryError, Names, exchange_header, exchange_line};

/// Names and values, as they stand behind the question mark.
pub(crate) type Pairs = Vec<(String, String)>;

pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Asked(pairs): Asked<Pairs>,
) -> Result<Json<ExchangePage>, Refused> {
    let names = names(&gateway).await;
    let query = ExchangeQuery::read(pairs, &names, gateway.now()).map_err(HistoryError::from)?;
    let log = gateway.log.clone();
    Ok(Json(reading(move || Ok(query.page(&log, &names)?)).await?))
}

pub(crate) async fn one(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<Json<Detail>, Refused> {
    let (names, log) = (names(&gateway).await, gateway.log.clone());
    let found = reading(move || Ok(Detail::find(&log, &names, &id)?)).await?;
    found.map(Json).ok_or_else(|| {
        let message = "the request log has no exchange of that id";
        Refused::new(StatusCode::NOT_FOUND, "unknown_exchange", message)
            .hint("a row is written when its answer has ended, and goes after a while")
    })
}

/// All of them, or the newest `limit`. No more than a page is held at a time.
pub(crate) async fn csv(State(gateway): State<Arc<Gateway>>, Asked(pairs): Asked<Pairs>) -> Result<Response, Refused> {
    let names = names(&gateway).await;
    let query = ExchangeQuery::read_all(pairs, &names, gateway.now()).map_err(HistoryError::from)?;
    let table = Table { log: gateway.log.clone(), names, query };
    // The first page goes before the headers: what cannot be read is refused, and not cut off.
    let (first, table) = match table.more().await? {
        Some((lines, table)) => (lines, Some(table)),
        None => (String::new(), None),
    };
    let first = stream::once(async move { Ok(exchange_header() + &first) });
    let rest = stream::try_unfold(table, |table| async move {
        let Some(table) = table else { return Ok(None) };
        let more = table.more().await?;
        Ok::<_, HistoryError>(more.map(|(lines, table)| (lines, Some(table))))
    });
    Ok((spreadsheet("exchanges.csv"), Body::from_stream(first.chain(rest))).into_response())
}

/// Where a table is being read.
struct Table {
    log: Log,
    names: Names,
    query: ExchangeQuery,
}

// === impl Table ===

impl Table {
    /// The next lines, and what comes after them.
    async fn more(mut self) -> Result<Option<(String, Self)>, HistoryError> {
        reading(move || {
            let rows = self.query.next(&self.log, &self.names)?;
            Ok(rows.map(|rows| (rows.iter().map(exchange_line).collect(), self)))
        })
        .await
    }
}

pub(super) async fn names(gateway: &Gateway) -> Names {
    Names::of(&accounts::known(gateway).await)
}

/// Reads on a thread where waiting for a disk holds nobody up.
pub(super) async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, HistoryError> + Send + 'static,
) -> Result<T, HistoryError> {
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(HistoryError::Broken))
}

/// Headers of a file for a spreadsheet.
pub(super) fn spreadsheet(name: &'static str) -> [(HeaderName, HeaderValue); 2] {
    let file = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (header::CONTENT_DISPOSITION, file.unwrap_or(HeaderValue::from_static("attachment"))),
    ]
}

impl From<HistoryError> for Refused {
    fn from(error: HistoryError) -> Self {
        let message = error.to_string();
        match error {
            HistoryError::Parameter(bad) => {
                let refused = Self::new(StatusCode::BAD_REQUEST, "bad_parameter", message);
                match bad.hint {
                    Some(hint) => refused.hint(hint),
                    None => refused,
                }
            }
            HistoryError::Log(_) | HistoryError::Broken => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "request_log_failed", message)
            }
        }
    }
}
