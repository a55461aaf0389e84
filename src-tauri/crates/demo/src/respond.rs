//! One model request: read it, let it through the gate, choose an answer, play it.

use std::hash::{DefaultHasher, Hasher as _};
use std::io::Read as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::account::Identity;
use crate::conversation::Conversation;
use crate::net::Line;
use crate::record::{Exchange, Framed, Outcome, Route};
use crate::refusal::Refusal;
use crate::routes::{authorize, bearer, json_body, refuse};
use crate::script::{Player, Releases, Script, Step};
use crate::scripted::Scripted;
use crate::strict::{Gate, Passed, Provider, check_headers};
use crate::world::World;

mod desk;

use desk::Desk;

/// The real hosts stop somewhere too; this is more than our own gateway lets through.
const BODY_LIMIT: usize = 256 << 20;

/// A request that has been read and let through.
struct Admitted {
    who: Identity,
    body: Arc<Value>,
    passed: Passed,
}

pub(crate) async fn respond(world: Arc<World>, provider: Provider, line: Line, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let route = match provider {
        Provider::Plan => Route::PlanResponses,
        Provider::Codex => Route::CodexResponses,
    };
    let mut exchange = world.recorder.begin(route, &parts);
    let releases = Releases::new(world.releases.subscribe());
    let Ok(raw) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return refuse(&Refusal::detail(413, "Request body too large").excused(), &mut exchange);
    };
    // The fast lane of benchmarks: nothing is parsed.
    let standing = world.lock().standing.clone().filter(|answer| !answer.checked);
    if let Some(answer) = standing {
        return scripted(&answer, HeaderMap::new(), line, releases, exchange).await;
    }
    let admitted = admit(&world, provider, &parts.headers, &raw, &mut exchange);
    if let Some(framed) = parts.extensions.get::<Framed>() {
        exchange.framed(framed);
    }
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            let mut response = refuse(&refusal, &mut exchange);
            request_id(&world, &exchange, response.headers_mut());
            return response;
        }
    };
    let Some(request) = admitted.body.as_object() else {
        return refuse(&Refusal::detail(400, "Request body must be a JSON object"), &mut exchange);
    };
    let desk = Desk { world: &world, provider, admitted: &admitted, request, seen: world.lock().seen(hash(&raw)) };
    let headers = desk.headers(&exchange, &parts.headers);
    let talk = Conversation::read(request);
    let pushed = world.lock().next_answer(&talk.prompt);
    if let Some(answer) = pushed {
        return scripted(&answer, headers, line, releases, exchange).await;
    }
    let recipe = desk.choose(&talk, bearer(&parts.headers), &mut exchange);
    desk.serve(recipe, headers, line, releases, exchange).await
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn admit(
    world: &World,
    provider: Provider,
    headers: &HeaderMap,
    raw: &Bytes,
    exchange: &mut Exchange,
) -> Result<Admitted, Refusal> {
    let decoded = decode(provider, headers, raw);
    let body = decoded.as_ref().unwrap_or(raw);
    let parsed = serde_json::from_slice::<Value>(body).map(Arc::new);
    exchange.body(body, parsed.as_ref().ok());
    let who = authorize(world, provider, headers)?;
    exchange.account(&who.account_id);
    decoded?;
    let body = parsed.map_err(|error| Refusal::detail(400, format!("Request body is not valid JSON: {error}")))?;
    let gate = Gate {
        provider,
        lite: headers.get("x-openai-internal-codex-responses-lite").is_some_and(|value| value == "true"),
        account: &who.account_id,
        seal: &world.seal,
        window: world.lock().context_window,
    };
    let passed = gate.check(&body)?;
    for remark in passed.remarks.iter().cloned().chain(check_headers(provider, headers, &who.account_id)) {
        exchange.violation(remark);
    }
    Ok(Admitted { who, body, passed })
}

/// The codex host takes zstd, as its own client sends it; the plan host takes plain bodies (codex-backend.md §0.6).
fn decode(provider: Provider, headers: &HeaderMap, raw: &Bytes) -> Result<Bytes, Refusal> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    match encoding {
        None | Some("identity") => Ok(raw.clone()),
        Some("zstd") if provider == Provider::Codex => {
            let mut body = Vec::new();
            zstd::stream::read::Decoder::new(&raw[..])
                .and_then(|decoder| decoder.take(BODY_LIMIT as u64).read_to_end(&mut body))
                .map_err(|error| Refusal::detail(400, format!("Request body is not valid zstd: {error}")))?;
            Ok(Bytes::from(body))
        }
        Some(other) => Err(Refusal::detail(400, format!("Unsupported content encoding: {other}"))),
    }
}

fn request_id(world: &World, exchange: &Exchange, headers: &mut HeaderMap) {
    let id = format!("req_{}", world.seal.id("request", exchange.seq.to_string().as_bytes(), 32));
    if let Ok(value) = HeaderValue::try_from(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

/// Plays an answer a test has written.
async fn scripted(
    answer: &Scripted,
    mut headers: HeaderMap,
    line: Line,
    mut releases: Releases,
    mut exchange: Exchange,
) -> Response {
    exchange.played("scripted");
    for step in &answer.before {
        match step {
            Step::Wait(time) => releases.next(Some(*time)).await,
            Step::Hold => releases.next(None).await,
            Step::Bytes(_) | Step::Shared(_) | Step::Run(_) | Step::Abort => {}
        }
    }
    if answer.reset {
        return drop_line(&line, &mut exchange).await;
    }
    headers.extend(answer.headers.clone());
    if !answer.status.is_success() {
        let status = answer.status.as_u16();
        exchange.end(Outcome::Refused { status, reason: "scripted".to_owned() });
    }
    play(answer.status, headers, answer.script.clone(), releases, exchange)
}

fn play(status: StatusCode, headers: HeaderMap, script: Script, releases: Releases, exchange: Exchange) -> Response {
    let mut response = Response::new(Body::from_stream(Player::new(script, releases, exchange)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Hangs up. The task that runs this handler is gone with the connection.
pub(crate) async fn drop_line(line: &Line, exchange: &mut Exchange) -> Response {
    exchange.end(Outcome::Aborted);
    line.cut();
    std::future::pending::<()>().await;
    json_body(StatusCode::INTERNAL_SERVER_ERROR, &Value::Null)
}
