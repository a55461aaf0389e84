//! `POST /v1/responses`: the upstream's own language, passed on as it comes.
//!
//! Nothing here knows how the bytes of a request came or how its records go out: what is known of the caller stands in its
//! headers, and those of a handshake do as well.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use codeferry_accounts::Kind;
use codeferry_translate::conversation::Conversation;
use codeferry_translate::effort::Effort;
use codeferry_translate::loss::Loss;
use codeferry_translate::lower::responses::flat::Tools;
use codeferry_translate::lower::responses::{Asked, BadRequest, Host, Target};
use codeferry_translate::render::responses::{Listener, Options};
use codeferry_translate::stop::Limits;
use codeferry_wire::anthropic::ErrorKind;
use tokio::time::Instant;

use super::exchange::{self, Prepared, Scene, Way, mended};
use crate::dialect::{Dialect, Shape};
use crate::kept::{Keeping, Own};
use crate::reply::Problem;
use crate::tap::Tap;
use crate::turn::Recipe;
use crate::{Gateway, codex, guard, named, new_request_id, routing};
use voice::Voice;

mod told;
mod voice;

/// Answers `POST /v1/responses`.
pub(crate) async fn responses(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    exchange::answer(&gateway, Dialect::Responses, request, None).await
}

/// Answers all that asks for a response that was: none is kept.
pub(crate) async fn kept(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    path: Result<Path<Vec<String>>, PathRejection>,
) -> Response {
    let problem = match guard::client_of(&headers, &gateway.keys) {
        Err(problem) => problem,
        Ok(_) => {
            // What is no text is no id either.
            let id = path.as_ref().ok().and_then(|path| path.first()).map_or("", String::as_str);
            let message =
                format!("Response with id '{id}' not found. (Responses cannot be fetched from this gateway.)");
            Problem::new(ErrorKind::NotFound, message).final_word()
        }
    };
    problem.into_response(Shape::OpenAi, &new_request_id())
}

/// Reads a request, and says what is to be tried.
pub(super) fn read(scene: &Scene<'_>, bytes: &[u8], tap: &mut Tap) -> Result<Prepared, Problem> {
    let asked = Asked::read(bytes).map_err(refused)?;
    if !asked.saw_lone_surrogate() {
        return prepare(scene, asked, bytes.len(), tap);
    }
    let mended = mended(bytes);
    let prepared = prepare(scene, Asked::read(&mended).map_err(refused)?, mended.len(), tap)?;
    tap.facts.losses.add(Loss::LoneSurrogate);
    Ok(prepared)
}

fn prepare(scene: &Scene<'_>, asked: Asked<'_>, size: usize, tap: &mut Tap) -> Result<Prepared, Problem> {
    let gateway = scene.gateway;
    let is_codex = codex::is_codex(scene.headers);
    let mut way = scene.route(&asked.model, asked.streamed, tap)?;
    let host = host(&way);
    let translated = matches!(host, Host::Chat | Host::Program);
    // A Codex knows what it asked.
    let echo = if is_codex || !translated { Vec::new() } else { asked.echo() };
    let client: Arc<str> = tap.facts.client.as_str().into();
    // OpenAI's own host remembers by itself.
    let refers = host != Host::Api && asked.refers();
    let whole = if refers { Some(resolved(gateway, &client, asked.clone())?) } else { None };
    let asked = match &whole {
        Some(whole) => Asked::read(whole).map_err(refused)?,
        None => asked,
    };
    let size = whole.as_ref().map_or(size, Vec::len);
    let normal = !is_codex && !scene.settings.passthrough;
    let limit = routing::remembered(scene.settings);
    let keeping = (normal && asked.stored && host != Host::Api && limit > 0).then(|| Keeping {
        kept: Arc::clone(&gateway.kept),
        client,
        before: asked.items().into(),
        limit,
    });
    // Who does not speak this language knows plain functions alone.
    let flattened = if translated { asked.flattened() } else { None };
    let (asked, tools) = match &flattened {
        Some((bytes, tools)) => (Asked::read(bytes).map_err(refused)?, tools.clone()),
        None => (asked, Tools::default()),
    };
    way.lite = asked.lite;
    let conversation =
        Conversation::of_responses(codex::hints(scene.headers), asked.cache_key.as_deref(), asked.beginning());
    let effort = effort(&asked, &way, is_codex);
    tap.facts.conversation = Some(conversation.key.clone());
    tap.facts.effort = effort.or(asked.effort).map(Effort::as_str);
    let owner = |seal: &str| gateway.seals.owner(seal);
    let target = Target { model: &way.route.model, effort, host, normal, conversation: &conversation, owner: &owner };
    let listener = if is_codex { Listener::Codex } else { Listener::Public };
    let (created_at, input_estimate) = (gateway.now().as_second(), size as u64 / BYTES_PER_TOKEN);
    let told = translated.then(|| Options {
        listener,
        id: scene.id.trim_start_matches("req_").to_owned(),
        model: asked.model.clone().into_owned(),
        created_at,
        echo,
        calls: asked.calls().collect(),
        tools,
        input_estimate,
    });
    // A Codex sets none, and the public API keeps it by itself.
    let ours = told.is_some() || (normal && host == Host::Plan);
    let limits = Limits { max_tokens: asked.max_output_tokens.filter(|_| ours), ..THINKING_COUNTS };
    let bound = limits.max_tokens.map(|limit| (limit, input_estimate));
    let voice = Voice {
        listener,
        streamed: asked.streamed,
        created_at,
        seals: Arc::clone(&gateway.seals),
        told,
        bound,
        keeping,
    };
    let recipe = Recipe {
        dialect: scene.dialect,
        asked: asked.model.clone().into_owned(),
        limits,
        input_estimate,
        language: Box::new(voice),
        watch: scene.watch.clone(),
    };
    let session = asked.session.clone();
    let lowered = asked.lower(&target).map_err(refused)?;
    let mut prepared = scene.plan(way, conversation, lowered, recipe, tap)?;
    prepared.plan.said = codex::Said::of(scene.headers).or(session);
    Ok(prepared)
}

/// As in the public API: what is thought is output, too.
const THINKING_COUNTS: Limits = Limits { stop_sequences: Vec::new(), max_tokens: None, thinking: true };

/// Good enough for the one sentence that names a size, should the upstream name none.
const BYTES_PER_TOKEN: u64 = 4;

fn host(way: &Way) -> Host {
    match way.account.as_ref().map(|account| account.kind) {
        Some(Kind::OpenaiKey) => Host::Api,
        Some(Kind::Compatible) => Host::Chat,
        Some(Kind::CodexCli) => Host::Program,
        Some(Kind::Plan | Kind::Codex | Kind::Demo) | None => Host::Plan,
    }
}

/// The effort, if it is to be another than the request's. What a request says of it counts before what the model's name does,
/// and that before the routing table. A Codex knows what its model takes.
fn effort(asked: &Asked<'_>, way: &Way, is_codex: bool) -> Option<Effort> {
    let nearest = |wanted| named::nearest_effort(way.account.as_deref(), &way.catalog, &way.route.model, wanted);
    if asked.names_effort {
        return asked.effort.filter(|_| !is_codex).map(nearest);
    }
    way.route.named.or(way.route.routed).map(nearest)
}

pub(super) fn refused(bad: BadRequest) -> Problem {
    Problem::bad_request(bad.message).about(bad.code, bad.param)
}

/// What this client was answered lately, in place of what only refers to it.
fn resolved(gateway: &Gateway, client: &str, asked: Asked<'_>) -> Result<Vec<u8>, Problem> {
    asked.resolved(&Own { kept: &gateway.kept, client, now: Instant::now() }).map_err(refused)
}
