//! `GET /v1beta/models`, as Google's clients read it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use codeferry_wire::anthropic::error::ErrorKind;
use serde::{Deserialize, Serialize};

use super::{named_one, of_named};
use crate::data::gemini::with_key_in_header;
use crate::dialect::Shape;
use crate::reply::Problem;
use crate::{Gateway, guard, new_request_id};

/// What can be asked of every model.
const METHODS: [&str; 3] = ["generateContent", "streamGenerateContent", "countTokens"];

/// `?pageSize=`, and from where on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    page_size: Option<usize>,
    page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    models: Vec<Model>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    name: String,
    version: &'static str,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_token_limit: Option<u64>,
    supported_generation_methods: [&'static str; 3],
}

/// The list.
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, page: Query<Page>, request: Request) -> Response {
    if let Err(problem) = guard::client_of(with_key_in_header(request).headers(), &gateway.keys) {
        return problem.into_response(Shape::Google, &new_request_id());
    }
    told(&gateway, page.page_size, page.page_token.as_deref()).await
}

/// The same for whoever was let in.
pub(super) async fn told(gateway: &Gateway, most: Option<usize>, after: Option<&str>) -> Response {
    let catalog = gateway.upstream.shelf().all();
    let own = catalog.visible().map(|known| Model {
        description: known.description.clone(),
        input_token_limit: known.context_window,
        ..model(&known.slug, known.display_name.clone())
    });
    let named = of_named(gateway).await;
    let mut models: Vec<_> = own.chain(named.into_iter().map(|(id, name)| model(&id, name))).collect();
    if let Some(after) = after {
        let known = models.iter().position(|model| model.name == after).map_or(models.len(), |at| at + 1);
        models.drain(..known);
    }
    let most = most.filter(|most| *most > 0).unwrap_or(usize::MAX);
    let more = models.len() > most;
    models.truncate(most);
    let next_page_token = models.last().filter(|_| more).map(|last| last.name.clone());
    Json(List { models, next_page_token }).into_response()
}

/// One model, by any name that is routed somewhere.
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What is no text is no name of a model either.
    let id = path.map(|Path(id)| id).unwrap_or_default();
    if let Err(problem) = guard::client_of(with_key_in_header(request).headers(), &gateway.keys) {
        return problem.into_response(Shape::Google, &new_request_id());
    }
    match named_one(&gateway, &id).await {
        Some(name) => told_one(&id, name),
        None => {
            Problem::new(ErrorKind::NotFound, format!("model: {id}")).into_response(Shape::Google, &new_request_id())
        }
    }
}

/// One model, by the name that was asked for.
pub(super) fn told_one(id: &str, name: String) -> Response {
    Json(model(id, name)).into_response()
}

fn model(id: &str, display_name: String) -> Model {
    Model {
        name: format!("models/{id}"),
        version: "1",
        display_name,
        description: None,
        input_token_limit: None,
        supported_generation_methods: METHODS,
    }
}
