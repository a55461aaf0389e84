//! `POST /v1/messages`: Anthropic's Messages.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use codeferry_translate::conversation::{Conversation, Hints};
use codeferry_translate::count;
use codeferry_translate::effort;
use codeferry_translate::lower::Lowered;
use codeferry_translate::lower::anthropic::{Refusal, lower};
use codeferry_translate::render::anthropic::Repair;
use codeferry_translate::stop::Limits;
use codeferry_wire::anthropic::request as wire;

use super::exchange::{self, Prepared, Scene, mended};
use crate::Gateway;
use crate::dialect::Dialect;
use crate::reply::Problem;
use crate::tap::Tap;
use crate::turn::Recipe;
use voice::Voice;

mod voice;

/// Answers `POST /v1/messages`.
pub(crate) async fn messages(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    exchange::answer(&gateway, Dialect::Anthropic, request, None).await
}

/// Reads a request, and says what is to be tried.
pub(super) fn read(scene: &Scene<'_>, bytes: &[u8], tap: &mut Tap) -> Result<Prepared, Problem> {
    let request = parse(bytes)?;
    if !request.lone_surrogate {
        return prepare(scene, &request, bytes.len(), tap);
    }
    let mended = mended(bytes);
    let mut request = parse(&mended)?;
    request.lone_surrogate = true;
    prepare(scene, &request, mended.len(), tap)
}

fn parse(bytes: &[u8]) -> Result<wire::Request<'_>, Problem> {
    wire::Request::parse(bytes).map_err(|bad| Problem::bad_request(bad.to_string()))
}

fn prepare(scene: &Scene<'_>, request: &wire::Request<'_>, size: usize, tap: &mut Tap) -> Result<Prepared, Problem> {
    let way = scene.route(&request.model, request.stream, tap)?;
    let hints =
        Hints { session: scene.header("x-claude-code-session-id"), agent: scene.header("x-claude-code-agent-id") };
    let conversation = Conversation::of_anthropic(request, hints);
    let (wanted, _) = effort::wanted(request, way.route.named, way.route.routed);
    let target = scene.target(&way, wanted, &conversation, tap);
    let mut lowered = lower(request, &target, size).map_err(refused)?;
    // Claude Code's subagents think unseen, yet carry sealed reasoning along from call to call (`claude-code.md §4`);
    // without it each step of theirs would begin from nothing. Other clients get no block they did not ask for.
    let carries = hints.session.is_some() && request.tools.iter().any(|tool| tool.input_schema.is_some());
    let recipe = recipe(scene, request, &mut lowered, carries);
    scene.plan(way, conversation, lowered, recipe, tap)
}

fn recipe(scene: &Scene<'_>, request: &wire::Request<'_>, lowered: &mut Lowered, carries: bool) -> Recipe {
    let input_estimate = count::roughly(request);
    let voice = Voice {
        message_id: format!("msg_{}", scene.id.trim_start_matches("req_")),
        model: request.model.clone().into_owned(),
        names: std::mem::take(&mut lowered.names),
        call_ids: std::mem::take(&mut lowered.call_ids),
        repairs: repairs(request),
        thinking: lowered.thinking || carries,
        input_estimate,
        streamed: request.stream,
    };
    Recipe {
        dialect: scene.dialect,
        asked: request.model.clone().into_owned(),
        limits: Limits {
            stop_sequences: request.stop_sequences.iter().map(|stop| stop.clone().into_owned()).collect(),
            max_tokens: request.max_tokens,
            thinking: lowered.thinking,
        },
        input_estimate,
        language: Box::new(voice),
        watch: scene.watch.clone(),
    }
}

fn repairs(request: &wire::Request<'_>) -> Vec<Repair> {
    request.tools.iter().filter_map(|tool| Repair::for_tool(&tool.name, tool.input_schema?)).collect()
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Bad(bad) => Problem::bad_request(bad.to_string()),
        // Upon this code the SDK's tool runner sends the whole history (issue text: anthropic SDK 2.10).
        Refusal::Thread => {
            let mut problem = Problem::bad_request(refusal.to_string());
            problem.error_code = Some("thread_unsupported_request");
            problem
        }
        Refusal::UnknownTool(_) => Problem::bad_request(refusal.to_string()),
    }
}
