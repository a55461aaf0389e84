//! `/api/usage` and `/api/prices`: what was used, and what it would cost.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::exchanges::{Pairs, names, reading, spreadsheet};
use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::history::{HistoryError, PriceList, UsageAsk, UsageReport, usage_text};

pub(crate) async fn sums(
    State(gateway): State<Arc<Gateway>>,
    Asked(pairs): Asked<Pairs>,
) -> Result<Json<UsageReport>, Refused> {
    Ok(Json(report(&gateway, pairs).await?))
}

pub(crate) async fn csv(State(gateway): State<Arc<Gateway>>, Asked(pairs): Asked<Pairs>) -> Result<Response, Refused> {
    let report = report(&gateway, pairs).await?;
    Ok((spreadsheet("usage.csv"), usage_text(&report)).into_response())
}

pub(crate) async fn prices(State(gateway): State<Arc<Gateway>>) -> Json<PriceList> {
    Json(PriceList::of(&gateway.settings.snapshot().price_list(), gateway.now()))
}

async fn report(gateway: &Gateway, pairs: Pairs) -> Result<UsageReport, HistoryError> {
    let names = names(gateway).await;
    let ask = UsageAsk::read(pairs, &names, gateway.now())?;
    let log = gateway.log.clone();
    reading(move || Ok(ask.report(&log, &names)?)).await
}
