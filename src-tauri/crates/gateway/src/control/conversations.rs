//! `/api/conversations`: what of each came from the prompt cache, and why not more.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::exchanges::{Pairs, names, reading};
use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::history::{ConversationAsk, ConversationDetail, ConversationFound, ConversationList, HistoryError};

pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Asked(pairs): Asked<Pairs>,
) -> Result<Json<ConversationList>, Refused> {
    let ask = ConversationAsk::read(pairs, gateway.now()).map_err(HistoryError::from)?;
    let log = gateway.log.clone();
    Ok(Json(reading(move || Ok(ask.list(&log)?)).await?))
}

pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
) -> Result<Json<ConversationDetail>, Refused> {
    let (names, log, beginning) = (names(&gateway).await, gateway.log.clone(), name.clone());
    match reading(move || Ok(ConversationDetail::find(&log, &names, &beginning)?)).await? {
        ConversationFound::One(detail) => Ok(Json(*detail)),
        ConversationFound::Nothing => {
            let message = format!("the request log has no conversation whose name begins with {name:?}");
            Err(Refused::new(StatusCode::NOT_FOUND, "unknown_conversation", message)
                .hint("see them: codeferry cache --since 7d"))
        }
        ConversationFound::Several(some) => {
            let message = format!("the names of several conversations begin with {name:?}");
            Err(Refused::new(StatusCode::CONFLICT, "ambiguous_conversation", message)
                .hint(format!("give more of the name: {}", some.join(", "))))
        }
    }
}
