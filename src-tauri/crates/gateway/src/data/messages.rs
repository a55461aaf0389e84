//! `POST /v1/messages`: the way of a request, from the client's bytes to the answer's.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use codeferry_accounts::Kind;
use codeferry_store::Settings;
use codeferry_translate::conversation::{Conversation, Hints};
use codeferry_translate::count;
use codeferry_translate::effort::{self, Effort};
use codeferry_translate::lower::anthropic::{Lowered, Refusal, Target, lower};
use codeferry_translate::render::anthropic::Repair;
use codeferry_translate::route::Route;
use codeferry_translate::stop::Limits;
use codeferry_upstream::codex_cli::CodexCli;
use codeferry_wire::anthropic::request as wire;
use codeferry_wire::json;

use super::collect::collect;
use crate::attempt::{self, Plan};
use crate::pump::{Opening, Pump};
use crate::reply::{Problem, REQUEST_ID, add_losses};
use crate::routing::{Named, Routed};
use crate::tap::Tap;
use crate::turn::{Recipe, Watch};
use crate::{Gateway, body, guard, named, new_request_id, routing};

/// Answers `POST /v1/messages`.
pub(crate) async fn messages(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    answer(&gateway, request, None).await
}

/// Somebody who was let in by another door, and needs no key here.
pub(crate) struct Visitor {
    /// Under which name it is written down.
    pub(crate) client: &'static str,
    /// Is told of each step of the answer.
    pub(crate) watch: Watch,
}

/// The one way of a message, from wherever it comes.
pub(crate) async fn answer(gateway: &Arc<Gateway>, request: Request, visitor: Option<Visitor>) -> Response {
    let id = new_request_id();
    let mut tap = Tap::begin(gateway, &id, "anthropic", "/v1/messages");
    let prepared = prepare(gateway, request, visitor, &id, &mut tap).await;
    let recorder = tap.recorder.clone();
    let served = match prepared {
        Ok(prepared) if prepared.streamed => stream(gateway, prepared, tap).await,
        Ok(prepared) => collect(gateway, &prepared.plan, tap).await,
        Err(problem) => Err((problem, tap)),
    };
    let response = match served {
        Ok(mut response) => {
            if let Ok(id) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            response
        }
        Err((problem, mut tap)) => {
            tap.refuse(&problem);
            problem.into_response(&id)
        }
    };
    match recorder {
        Some(recorder) => recorder.watch(response),
        None => response,
    }
}

/// A request that is ready to be tried upstream.
struct Prepared {
    plan: Plan,
    streamed: bool,
    /// How long to wait for the outcome before the headers go out.
    hold: Duration,
}

/// Reads, routes and lowers. The client's bytes are gone afterwards, unless they are captured: what goes upstream is all
/// that is kept.
async fn prepare(
    gateway: &Gateway,
    request: Request,
    visitor: Option<Visitor>,
    id: &str,
    tap: &mut Tap,
) -> Result<Prepared, Problem> {
    let settings = gateway.settings.snapshot();
    let (parts, body) = request.into_parts();
    tap.heard(&parts.headers);
    let (client, watch) = match visitor {
        Some(visitor) => (visitor.client.to_owned(), Some(visitor.watch)),
        None => (guard::client_of(&parts.headers, &gateway.keys)?, None),
    };
    tap.facts.client = client;
    tap.capture(&parts, &settings);
    let bytes = body::read(&parts.headers, body, routing::body_limit(&settings)).await?;
    let named = Named::of(gateway).await;
    let scene = Scene { gateway, settings: &settings, named: &named, hints: hints(&parts.headers), id, watch };
    let prepared = scene.read(&bytes, tap);
    if let Some(recorder) = &tap.recorder {
        recorder.sent(bytes);
    }
    prepared
}

fn parse(bytes: &[u8]) -> Result<wire::Request<'_>, Problem> {
    wire::Request::parse(bytes).map_err(|bad| Problem::bad_request(bad.to_string()))
}

/// What is known around a request.
struct Scene<'s> {
    gateway: &'s Gateway,
    settings: &'s Settings,
    named: &'s Named,
    hints: Hints<'s>,
    id: &'s str,
    watch: Option<Watch>,
}

impl Scene<'_> {
    fn read(&self, bytes: &[u8], tap: &mut Tap) -> Result<Prepared, Problem> {
        let request = parse(bytes)?;
        if !request.lone_surrogate {
            return self.prepare(&request, bytes.len(), tap);
        }
        // A text cut inside a surrogate pair is JSON, but the upstream refuses it. Rare, so reading twice does not matter.
        let mended = json::repair_surrogates(&String::from_utf8_lossy(bytes)).into_bytes();
        let mut request = parse(&mended)?;
        request.lone_surrogate = true;
        self.prepare(&request, mended.len(), tap)
    }

    fn prepare(&self, request: &wire::Request<'_>, size: usize, tap: &mut Tap) -> Result<Prepared, Problem> {
        let settings = self.settings;
        tap.facts.asked = request.model.clone().into_owned();
        tap.facts.streamed = request.stream;
        let Routed { route: routed, account } = self.named.resolve(self.gateway, settings, &request.model)?;
        let catalog = self.gateway.upstream.shelf().all();
        let account = account.as_deref();
        // What the catalogue says is said of the plans' models, not of another server's of the same name. The Codex CLI has
        // a plan behind it as well, and its own shape for what goes there.
        let codex_cli = account.is_some_and(|account| account.kind == Kind::CodexCli);
        let model = catalog.get(&routed.model).filter(|_| account.is_none() || codex_cli);
        let effort =
            effort_for(request, &routed, |wanted| named::nearest_effort(account, &catalog, &routed.model, wanted));
        let lite = account.is_none() && routing::lite(settings) && model.is_some_and(|model| model.lite);
        let conversation = Conversation::of_anthropic(request, self.hints);
        tap.facts.conversation = Some(conversation.key.clone());
        tap.facts.effort = effort.map(Effort::as_str);
        tap.facts.route.clone_from(&routed.why);
        tap.facts.model.clone_from(&routed.model);

        let target = Target {
            model: &routed.model,
            effort,
            summary: routing::summary(settings),
            lite,
            sampling: named::takes_sampling(account),
            conversation: &conversation,
        };
        let mut lowered = lower(request, &target, size).map_err(refused)?;
        if codex_cli {
            CodexCli::losses(&lowered.body).into_iter().for_each(|loss| lowered.losses.add(loss));
        }
        let recipe = Arc::new(self.recipe(request, &mut lowered));
        let fingerprint = self.gateway.prefixes.fingerprint(&lowered.body, &lowered.layout, &routed.model);
        named::translate(account, &mut lowered)?;
        tap.facts.losses = std::mem::take(&mut lowered.losses);
        let window = match account {
            Some(account) => self.gateway.upstream.known_server_model(&account.id, &routed.model),
            None => None,
        };
        let window = window.and_then(|known| known.context_window);
        let plan = Plan {
            fingerprint,
            payload: lowered.body.into(),
            reasoning: lowered.reasoning,
            optional: lowered.optional,
            conversation,
            named: account.map(|account| account.id.clone()),
            keyed: account.is_some_and(|account| account.kind.takes_key()),
            lite,
            context_window: window.or(model.and_then(|model| model.context_window)),
            model: routed.model,
            recipe,
            patience: routing::patience(settings),
        };
        Ok(Prepared { plan, streamed: request.stream, hold: routing::hold(settings) })
    }

    fn recipe(&self, request: &wire::Request<'_>, lowered: &mut Lowered) -> Recipe {
        // Claude Code's subagents think unseen, yet carry sealed reasoning along from call to call (`claude-code.md §4`);
        // without it each step of theirs would begin from nothing. Other clients get no block they did not ask for.
        let carries = self.hints.session.is_some() && request.tools.iter().any(|tool| tool.input_schema.is_some());
        Recipe {
            message_id: format!("msg_{}", self.id.trim_start_matches("req_")),
            asked: request.model.clone().into_owned(),
            names: std::mem::take(&mut lowered.names),
            call_ids: std::mem::take(&mut lowered.call_ids),
            thinking: lowered.thinking || carries,
            limits: Limits {
                stop_sequences: request.stop_sequences.iter().map(|stop| stop.clone().into_owned()).collect(),
                max_tokens: request.max_tokens,
                thinking: lowered.thinking,
            },
            repairs: repairs(request),
            streamed: request.stream,
            input_estimate: count::roughly(request),
            watch: self.watch.clone(),
        }
    }
}

/// Sends the headers when the outcome is known, or after `hold`: then the answer is begun on trust, so that the client
/// does not give up (`claude-code.md §6`).
async fn stream(gateway: &Arc<Gateway>, prepared: Prepared, tap: Tap) -> Result<Response, (Problem, Tap)> {
    let mut losses = tap.facts.losses.header();
    let closing = gateway.closing.clone().cancelled_owned();
    let recipe = Arc::clone(&prepared.plan.recipe);
    let mut opening: Opening = {
        let gateway = Arc::clone(gateway);
        let plan = prepared.plan;
        let mut tap = tap;
        Box::pin(async move {
            let opened = attempt::open(&gateway, &plan, &mut tap).await;
            (opened, tap)
        })
    };
    let pump = tokio::select! {
        (opened, tap) = &mut opening => match opened {
            Ok(mut committed) => {
                committed.turn.prepend(&recipe.message_start());
                // What was left out on the way is lost as well.
                losses = tap.facts.losses.header();
                Pump::open(committed, tap, closing)
            }
            Err(problem) => return Err((problem, tap)),
        },
        () = tokio::time::sleep(prepared.hold) => Pump::opening(opening, recipe.message_start(), closing),
    };
    let mut response = Response::new(Body::new(pump));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    add_losses(headers, &losses);
    Ok(response)
}

fn hints(headers: &HeaderMap) -> Hints<'_> {
    let text =
        |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).filter(|text| !text.is_empty());
    Hints { session: text("x-claude-code-session-id"), agent: text("x-claude-code-agent-id") }
}

fn effort_for(request: &wire::Request<'_>, routed: &Route, offered: impl Fn(Effort) -> Effort) -> Option<Effort> {
    let (wanted, _) = effort::wanted(request, routed.named, routed.routed);
    wanted.map(offered)
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
            problem.code = Some("thread_unsupported_request");
            problem
        }
        Refusal::UnknownTool(_) => Problem::bad_request(refusal.to_string()),
    }
}
