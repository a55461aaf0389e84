//! `POST /v1/chat/completions`: OpenAI's Chat Completions; and on top of it `POST /v1/completions`, which has a prompt in
//! place of a conversation.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use codeferry_translate::conversation::Conversation;
use codeferry_translate::lower::Lowered;
use codeferry_translate::lower::chat::lower;
use codeferry_translate::render::chat::Options;
use codeferry_translate::stop::Limits;
use codeferry_translate::{count, effort};
use codeferry_wire::chat::ask::{self, BadRequest};
use codeferry_wire::chat::frame::{Form, Head};

use super::exchange::{self, Prepared, Scene, mended};
use crate::Gateway;
use crate::dialect::Dialect;
use crate::reply::Problem;
use crate::tap::Tap;
use crate::turn::Recipe;
use voice::Voice;

mod voice;

/// Answers `POST /v1/chat/completions`.
pub(crate) async fn chat(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    exchange::answer(&gateway, Dialect::Chat, request, None).await
}

/// Answers `POST /v1/completions`.
pub(crate) async fn completions(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    exchange::answer(&gateway, Dialect::Completions, request, None).await
}

/// Reads a request of this form, and says what is to be tried.
pub(super) fn read(scene: &Scene<'_>, form: Form, bytes: &[u8], tap: &mut Tap) -> Result<Prepared, Problem> {
    let request = parse(form, bytes)?;
    if !request.lone_surrogate {
        return prepare(scene, form, &request, bytes.len(), tap);
    }
    let mended = mended(bytes);
    let mut request = parse(form, &mended)?;
    request.lone_surrogate = true;
    prepare(scene, form, &request, mended.len(), tap)
}

fn parse(form: Form, bytes: &[u8]) -> Result<ask::Request<'_>, Problem> {
    let request = match form {
        Form::Chat => ask::Request::parse(bytes),
        Form::Text => ask::Request::parse_prompt(bytes),
    };
    request.map_err(|bad: BadRequest| {
        let param = bad.param().map(str::to_owned);
        Problem::bad_request(bad.to_string()).about(Some(bad.code()), param)
    })
}

fn prepare(
    scene: &Scene<'_>,
    form: Form,
    request: &ask::Request<'_>,
    size: usize,
    tap: &mut Tap,
) -> Result<Prepared, Problem> {
    let way = scene.route(&request.model, request.stream, tap)?;
    let session = ["session_id", "session-id", "x-session-id"].into_iter().find_map(|name| scene.header(name));
    let conversation = Conversation::of_chat(request, session);
    let wanted = effort::wanted_by_chat(request.effort.as_deref(), way.route.named, way.route.routed);
    let target = scene.target(&way, wanted, &conversation, tap);
    let thinking = form == Form::Chat && scene.settings.reasoning_content;
    let mut lowered = lower(request, &target, thinking, size);
    let recipe = recipe(scene, form, request, &mut lowered);
    scene.plan(way, conversation, lowered, recipe, tap)
}

fn recipe(scene: &Scene<'_>, form: Form, request: &ask::Request<'_>, lowered: &mut Lowered) -> Recipe {
    let input_estimate = count::roughly_chat(request);
    let prefix = if form == Form::Chat { "chatcmpl" } else { "cmpl" };
    let id = format!("{prefix}-{}", scene.id.trim_start_matches("req_"));
    let (asked, now) = (request.model.clone().into_owned(), scene.gateway.now().as_second());
    let voice = Voice {
        head: Arc::new(Head::new(form, id, now, asked.clone(), request.include_usage)),
        options: Options {
            names: std::mem::take(&mut lowered.names),
            reasoning: lowered.thinking,
            legacy_functions: request.legacy_functions,
            structured: request.format != ask::Format::Text,
            input_estimate,
        },
        streamed: request.stream,
    };
    Recipe {
        dialect: scene.dialect,
        asked,
        limits: Limits {
            stop_sequences: request.stop.iter().map(|stop| stop.clone().into_owned()).collect(),
            max_tokens: request.max_tokens,
            thinking: lowered.thinking,
        },
        input_estimate,
        language: Box::new(voice),
        watch: scene.watch.clone(),
    }
}
