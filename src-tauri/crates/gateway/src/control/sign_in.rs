//! `/api/accounts/sign-in`: attempts to sign in.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use codeferry_accounts::Kind;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::sync::watch;
use uuid::Uuid;

use super::accounts::find;
use super::refused::{Refused, Sent};
use crate::Gateway;
use crate::sign_in::{Begun, Delivered, Method, Stage};

/// What is to be begun.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Begin {
    kind: Kind,
    #[serde(default)]
    method: Method,
    /// An account that signs in again.
    account: Option<String>,
}

/// What the person pasted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pasted {
    url_or_code: String,
}

pub(crate) async fn begin(
    State(gateway): State<Arc<Gateway>>,
    Sent(begin): Sent<Begin>,
) -> Result<Json<Begun>, Refused> {
    let again = match &begin.account {
        Some(who) => Some(find(&gateway, who).await?.id),
        None => None,
    };
    Ok(Json(gateway.begin_sign_in(begin.kind, begin.method, again.as_ref()).await?))
}

pub(crate) async fn stage(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<Json<Stage>, Refused> {
    let (_, stages) = watched(&gateway, &id)?;
    let stage = stages.borrow().clone();
    Ok(Json(stage))
}

/// Every stage from now on, the last one included.
pub(crate) async fn events(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refused> {
    let (_, mut stages) = watched(&gateway, &id)?;
    stages.mark_changed();
    let events = stream::unfold(Some(stages), |stages| async move {
        let mut stages = stages?;
        stages.changed().await.ok()?;
        let stage = stages.borrow_and_update().clone();
        let event = Event::default().event("stage").json_data(&stage).unwrap_or_default();
        Some((Ok::<_, Infallible>(event), (!stage.is_end()).then_some(stages)))
    });
    // Nobody is to wait for somebody who looks on.
    let events = events.take_until(gateway.stopping.clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

pub(crate) async fn callback(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    Sent(pasted): Sent<Pasted>,
) -> Result<Json<Stage>, Refused> {
    let (id, _) = watched(&gateway, &id)?;
    match gateway.deliver_pasted(id, &pasted.url_or_code).await {
        Delivered::Ended(stage) => Ok(Json(stage)),
        Delivered::Stale => {
            let message = "this answer belongs to a sign-in that is no longer waited for";
            Err(Refused::new(StatusCode::GONE, "stale_callback", message).hint("start a new sign-in"))
        }
        Delivered::Unreadable(why) => Err(Refused::new(StatusCode::BAD_REQUEST, "unreadable_callback", why)
            .hint("paste the whole address at which the browser ended")),
    }
}

pub(crate) async fn cancel(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let (id, _) = watched(&gateway, &id)?;
    gateway.sign_ins.cancel(id);
    Ok(StatusCode::NO_CONTENT)
}

/// The attempt of that id and its stages.
fn watched(gateway: &Gateway, id: &str) -> Result<(Uuid, watch::Receiver<Stage>), Refused> {
    let found = id.parse().ok().and_then(|id| Some((id, gateway.sign_ins.watch(id)?)));
    found.ok_or_else(|| {
        let message = "there is no such sign-in, or it ended a while ago";
        Refused::new(StatusCode::NOT_FOUND, "unknown_sign_in", message)
    })
}
