//! `GET /v1/models`, in the shape of whoever asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use codeferry_wire::anthropic::error::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::dialect::Shape;
use crate::refusal::{MODEL_NOT_FOUND, no_such_model};
use crate::reply::Problem;
use crate::routing::Named;
use crate::{Gateway, codex, guard, named, new_request_id};

mod for_codex;
pub(crate) mod for_gemini;

/// Claude Code shows only ids that begin like this in its picker (`claude-code.md §1`).
const PREFIX: &str = "claude/";
/// No catalogue says when a model was made; clients want a date all the same.
const MADE: &str = "2026-01-01T00:00:00Z";
const MADE_EPOCH: i64 = 1_767_225_600;

/// `?limit=`, and from where on: a client that is told of more asks for what comes after the last id it got.
#[derive(Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    after_id: Option<String>,
    /// Google's words for both.
    #[serde(rename = "pageSize")]
    page_size: Option<usize>,
    #[serde(rename = "pageToken")]
    page_token: Option<String>,
    /// A Codex's own.
    client_version: Option<String>,
}

#[derive(Serialize)]
struct AnthropicModel {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    display_name: String,
    created_at: &'static str,
    lifecycle: &'static str,
}

#[derive(Serialize)]
struct AnthropicList {
    data: Vec<AnthropicModel>,
    has_more: bool,
    first_id: Option<String>,
    last_id: Option<String>,
}

#[derive(Serialize)]
struct OpenAiModel {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct OpenAiList {
    object: &'static str,
    data: Vec<OpenAiModel>,
}

/// The list.
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Response {
    let client = guard::client_of(&headers, &gateway.keys);
    let page = client.and_then(|_| {
        page.map_err(|_| {
            Problem::bad_request("limit: expected a whole number")
                .about(Some("invalid_value"), Some("limit".to_owned()))
        })
    });
    let page = match page {
        Ok(Query(page)) => page,
        Err(problem) => return problem.into_response(shape(&headers), &new_request_id()),
    };
    if codex::is_codex(&headers) {
        let listed = for_codex::list(&gateway, &headers, page.client_version.as_deref()).await;
        return listed.unwrap_or_else(|problem| problem.into_response(Shape::OpenAi, &new_request_id()));
    }
    if shape(&headers) == Shape::Google {
        return for_gemini::told(&gateway, page.page_size, page.page_token.as_deref()).await;
    }
    let catalog = gateway.upstream.shelf().all();
    let named = of_named(&gateway).await;
    let limit = page.limit.unwrap_or(usize::MAX);
    if is_anthropic(&headers) {
        let own = catalog.visible().map(|model| (model.slug.as_str(), model.display_name.as_str()));
        let named = named.iter().map(|(id, name)| (id.as_str(), name.as_str()));
        let mut data: Vec<_> = own
            .chain(named)
            .flat_map(|(id, name)| [anthropic(name, format!("{PREFIX}{id}")), anthropic(name, id.to_owned())])
            .collect();
        if let Some(after) = &page.after_id {
            let known = data.iter().position(|model| model.id == *after).map_or(data.len(), |at| at + 1);
            data.drain(..known);
        }
        let has_more = data.len() > limit;
        data.truncate(limit);
        let id = |model: Option<&AnthropicModel>| model.map(|model| model.id.clone());
        let (first_id, last_id) = (id(data.first()), id(data.last()));
        return Json(AnthropicList { data, has_more, first_id, last_id }).into_response();
    }
    let own = catalog.visible().map(|model| openai(model.slug.clone()));
    let named = named.into_iter().map(|(id, _)| OpenAiModel { owned_by: "codeferry", ..openai(id) });
    let data = own.chain(named).take(limit).collect();
    Json(OpenAiList { object: "list", data }).into_response()
}

/// One model, by any name that is routed somewhere.
pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    // What is no text is no name of a model either.
    let id = path.map(|Path(id)| id).unwrap_or_default();
    if let Err(problem) = guard::client_of(&headers, &gateway.keys) {
        return problem.into_response(shape(&headers), &new_request_id());
    }
    if codex::is_codex(&headers) {
        let found = for_codex::one(&gateway, &id).await;
        return found.unwrap_or_else(|problem| problem.into_response(Shape::OpenAi, &new_request_id()));
    }
    let Some(name) = named_one(&gateway, &id).await else {
        let message = match shape(&headers) {
            Shape::OpenAi => no_such_model(&id),
            Shape::Anthropic | Shape::Google => format!("model: {id}"),
        };
        return Problem::new(ErrorKind::NotFound, message)
            .about(Some(MODEL_NOT_FOUND), Some("model".to_owned()))
            .into_response(shape(&headers), &new_request_id());
    };
    match shape(&headers) {
        Shape::Anthropic => Json(anthropic(&name, id)).into_response(),
        Shape::OpenAi => Json(openai(id)).into_response(),
        Shape::Google => for_gemini::told_one(&id, name),
    }
}

/// What the model is called that a name leads to.
async fn named_one(gateway: &Gateway, id: &str) -> Option<String> {
    let routed = Named::of(gateway).await.resolve(gateway, &gateway.settings.snapshot(), id).ok()?;
    let catalog = gateway.upstream.shelf().all();
    match routed.account {
        // What a server does not list it may have all the same.
        Some(account) => Some(
            gateway
                .upstream
                .known_server_model(&account.id, &routed.route.model)
                .and_then(|model| model.name)
                .unwrap_or(routed.route.model),
        ),
        None => catalog.get(&routed.route.model).map(|model| model.display_name.clone()),
    }
}

fn is_anthropic(headers: &HeaderMap) -> bool {
    headers.contains_key("anthropic-version")
}

fn shape(headers: &HeaderMap) -> Shape {
    match (is_anthropic(headers), headers.contains_key(guard::GOOGLE_KEY)) {
        (true, _) => Shape::Anthropic,
        // Its newer SDKs ask for `/v1/models`, too (`@google/genai` 3.1).
        (false, true) => Shape::Google,
        (false, false) => Shape::OpenAi,
    }
}

/// The models of the named accounts' servers, as `LABEL/MODEL` and with their names. A server that does not answer soon is
/// left out: the list of all others does not wait for it.
async fn of_named(gateway: &Gateway) -> Vec<(String, String)> {
    let accounts = Named::of(gateway).await.into_accounts();
    let lists = accounts.iter().filter(|account| account.kind.takes_key());
    let lists = lists.map(|account| async move { Some((account, named::models(gateway, account).await?)) });
    let mut found = Vec::new();
    for (account, models) in futures_util::future::join_all(lists).await.into_iter().flatten() {
        let label = account.name();
        for model in models.iter() {
            let name = model.name.as_deref().unwrap_or(&model.id);
            found.push((format!("{label}/{}", model.id), format!("{name} ({label})")));
        }
    }
    found
}

fn anthropic(name: &str, id: String) -> AnthropicModel {
    AnthropicModel { kind: "model", id, display_name: name.to_owned(), created_at: MADE, lifecycle: "active" }
}

fn openai(id: String) -> OpenAiModel {
    OpenAiModel { id, object: "model", created: MADE_EPOCH, owned_by: "openai" }
}
