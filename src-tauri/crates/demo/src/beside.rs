//! What the codex host has beside the answers of models: summing up, and pictures (codex-backend.md §0.7, §7).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::record::{Exchange, Outcome, Route};
use crate::refusal::Refusal;
use crate::routes::{authorize, json_body, refuse};
use crate::strict::{Provider, check_account_headers};
use crate::world::World;

/// One dot.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

type Shared = State<Arc<World>>;

pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/backend-api/codex/responses/compact", post(compact))
        .route("/backend-api/codex/memories/trace_summarize", post(trace_summarize))
        .route("/backend-api/codex/images/generations", post(images))
        .route("/backend-api/codex/images/edits", post(images))
}

async fn compact(State(world): Shared, parts: Parts, body: Bytes) -> Response {
    answer(&world, &parts, &body, |world, account, _| {
        let id = format!("cmp_{}", world.seal.id("compact", account.as_bytes(), 40));
        json!({"output": [{"type": "compaction", "id": id, "encrypted_content": world.seal.reasoning(account, &id)}]})
    })
}

async fn trace_summarize(State(world): Shared, parts: Parts, body: Bytes) -> Response {
    answer(
        &world,
        &parts,
        &body,
        |_, _, _| json!({"output": [{"trace_summary": "Nothing of note.", "memory_summary": ""}]}),
    )
}

async fn images(State(world): Shared, parts: Parts, body: Bytes) -> Response {
    answer(
        &world,
        &parts,
        &body,
        |world, _, body| json!({"created": world.now(), "data": [{"b64_json": PIXEL, "revised_prompt": body["prompt"]}]}),
    )
}

fn answer(world: &World, parts: &Parts, body: &Bytes, tell: impl FnOnce(&World, &str, &Value) -> Value) -> Response {
    let mut exchange = world.recorder.begin(Route::Other, parts);
    match admit(world, parts, body, &mut exchange) {
        Ok((account, body)) => {
            exchange.end(Outcome::Completed);
            json_body(StatusCode::OK, &tell(world, &account, &body))
        }
        Err(refusal) => refuse(&refusal, &mut exchange),
    }
}

fn admit(world: &World, parts: &Parts, body: &Bytes, exchange: &mut Exchange) -> Result<(String, Value), Refusal> {
    let parsed = serde_json::from_slice::<Value>(body).map(Arc::new);
    exchange.body(body, parsed.as_ref().ok());
    let who = authorize(world, Provider::Codex, &parts.headers)?;
    exchange.account(&who.account_id);
    for remark in check_account_headers(&parts.headers, &who.account_id) {
        exchange.violation(remark);
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind != "application/json" {
        return Err(Refusal::detail(400, "Unsupported content type"));
    }
    let body = parsed.map_err(|error| Refusal::detail(400, format!("Request body is not valid JSON: {error}")))?;
    if parts.uri.path().ends_with("/compact") && !body["input"].is_array() {
        return Err(Refusal::detail(400, "Input must be a list"));
    }
    Ok((who.account_id, Value::clone(&body)))
}
