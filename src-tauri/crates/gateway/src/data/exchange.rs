//! The way of a request that is translated, from the client's bytes to the answer's: the same for every dialect.
//!
//! A dialect reads its own requests ([`Scene::read`]); who may ask, which account and model serve, how the answer is
//! opened, pumped and written down is decided here, once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use codeferry_accounts::{Account, Kind};
use codeferry_store::Settings;
use codeferry_translate::conversation::Conversation;
use codeferry_translate::effort::Effort;
use codeferry_translate::lower::{Lowered, Target};
use codeferry_translate::route::Route;
use codeferry_upstream::codex_cli::CodexCli;
use codeferry_upstream::{Catalog, Line, Model};
use codeferry_wire::chat::frame::Form;
use codeferry_wire::json;
use tokio::time::Instant;

use super::collect::collect;
use super::{chat, gemini, messages, responses};
use crate::attempt::{self, Plan};
use crate::codex::Said;
use crate::dialect::{Dialect, Shape};
use crate::limits::Allowance;
use crate::pump::{Opening, Pump};
use crate::reply::{Problem, add_id, add_losses};
use crate::routing::{Named, Routed};
use crate::tap::Tap;
use crate::turn::{Recipe, Watch};
use crate::{Gateway, body, guard, named, new_request_id, refusal, routing, windows};

/// Somebody who was let in by another door, and needs no key here.
pub(crate) struct Visitor {
    /// Under which name it is written down.
    pub(crate) client: &'static str,
    /// Is told of each step of the answer.
    pub(crate) watch: Watch,
}

/// Answers a request, from wherever it comes.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    dialect: Dialect,
    request: Request,
    visitor: Option<Visitor>,
) -> Response {
    let id = new_request_id();
    let mut tap = Tap::begin(gateway, &id, dialect.as_str(), dialect.path());
    let prepared = prepare(gateway, dialect, request, visitor, &id, &mut tap).await;
    let recorder = tap.recorder.clone();
    let served = match prepared {
        Ok(prepared) if prepared.streamed => stream(gateway, prepared, tap).await,
        Ok(prepared) => collect(gateway, &prepared.plan, tap).await,
        Err(problem) => Err((problem, tap)),
    };
    let response = match served {
        Ok(mut response) => {
            add_id(response.headers_mut(), dialect.shape(), &id);
            response
        }
        Err((problem, mut tap)) => {
            tap.refuse(&problem);
            problem.into_response(dialect.shape(), &id)
        }
    };
    match recorder {
        Some(recorder) => recorder.watch(response),
        None => response,
    }
}

/// A request that is ready to be tried upstream.
pub(crate) struct Prepared {
    pub(crate) plan: Plan,
    pub(crate) streamed: bool,
    /// How long to wait for the outcome before the headers go out.
    pub(crate) hold: Duration,
}

/// Reads, routes and lowers. The client's bytes are gone afterwards, unless they are captured: what goes upstream is all
/// that is kept.
async fn prepare(
    gateway: &Gateway,
    dialect: Dialect,
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
    if watch.is_none() {
        let permit = gateway.limits.admit(&tap.facts.client, Allowance::of(&settings), Instant::now())?;
        tap.permit = Some(permit);
    }
    tap.capture(&parts, &settings);
    let bytes = body::read(&parts.headers, body, routing::body_limit(&settings)).await?;
    let named = Named::of(gateway).await;
    let headers = &parts.headers;
    let call = parts.extensions.get();
    let scene = Scene { gateway, dialect, settings: &settings, named: &named, headers, call, id, watch };
    let mut prepared = scene.read(&bytes, tap);
    if let Ok(prepared) = &mut prepared
        && settings.upstream_websocket
    {
        prepared.plan.line = parts.extensions.get::<Arc<Line>>().cloned();
    }
    if let Some(recorder) = &tap.recorder {
        recorder.sent(bytes);
    }
    prepared
}

/// What is known around a request.
pub(crate) struct Scene<'s> {
    pub(crate) gateway: &'s Gateway,
    pub(crate) dialect: Dialect,
    pub(crate) settings: &'s Settings,
    pub(crate) named: &'s Named,
    pub(crate) headers: &'s HeaderMap,
    /// What its path says, where that says more than the dialect.
    pub(crate) call: Option<&'s gemini::Call>,
    /// Of the exchange.
    pub(crate) id: &'s str,
    pub(crate) watch: Option<Watch>,
}

/// Who serves a request, and with which model.
pub(crate) struct Way {
    pub(crate) route: Route,
    /// Who was asked for by name.
    pub(crate) account: Option<Arc<Account>>,
    pub(crate) catalog: Arc<Catalog>,
    /// The Codex CLI serves. It has a plan behind it as well, and its own shape for what goes there.
    pub(crate) codex_cli: bool,
    /// Whether it goes out in the Responses-Lite shape.
    pub(crate) lite: bool,
}

// === impl Scene ===

impl Scene<'_> {
    fn read(&self, bytes: &[u8], tap: &mut Tap) -> Result<Prepared, Problem> {
        match self.dialect {
            Dialect::Anthropic => messages::read(self, bytes, tap),
            Dialect::Chat => chat::read(self, Form::Chat, bytes, tap),
            Dialect::Completions => chat::read(self, Form::Text, bytes, tap),
            Dialect::Responses => responses::read(self, bytes, tap),
            Dialect::Gemini => gemini::read(self, bytes, tap),
        }
    }

    /// What a client says in a header, unless it is empty.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
    }

    /// Finds who serves a request for `asked`.
    pub(crate) fn route(&self, asked: &str, streamed: bool, tap: &mut Tap) -> Result<Way, Problem> {
        let asked = within(asked, LONGEST_NAME);
        tap.facts.asked = asked.to_owned();
        tap.facts.streamed = streamed;
        let routed = self.named.resolve(self.gateway, self.settings, asked);
        let Routed { route, account } = routed.map_err(|problem| match self.dialect.shape() {
            Shape::OpenAi => refusal::unroutable(asked, problem),
            _ => problem,
        })?;
        tap.facts.route.clone_from(&route.why);
        tap.facts.model.clone_from(&route.model);
        let codex_cli = account.as_ref().is_some_and(|account| account.kind == Kind::CodexCli);
        let mut way = Way { route, account, catalog: self.gateway.upstream.shelf().all(), codex_cli, lite: false };
        way.lite = way.account.is_none() && routing::lite(self.settings) && way.model().is_some_and(|model| model.lite);
        Ok(way)
    }

    /// What the request is lowered for. The effort is what the client wants, of which the nearest on offer is taken.
    pub(crate) fn target<'t>(
        &self,
        way: &'t Way,
        wanted: Option<Effort>,
        conversation: &'t Conversation,
        tap: &mut Tap,
    ) -> Target<'t> {
        let account = way.account.as_deref();
        let effort = wanted.map(|wanted| named::nearest_effort(account, &way.catalog, &way.route.model, wanted));
        tap.facts.conversation = Some(conversation.key.clone());
        tap.facts.effort = effort.map(Effort::as_str);
        Target {
            model: &way.route.model,
            effort,
            summary: routing::summary(self.settings),
            lite: way.lite,
            sampling: named::takes_sampling(account),
            conversation,
        }
    }

    /// All that is needed to try.
    pub(crate) fn plan(
        &self,
        way: Way,
        conversation: Conversation,
        mut lowered: Lowered,
        recipe: Recipe,
        tap: &mut Tap,
    ) -> Result<Prepared, Problem> {
        let account = way.account.as_deref();
        if way.codex_cli {
            CodexCli::losses(&lowered.body).into_iter().for_each(|loss| lowered.losses.add(loss));
        }
        let fingerprint = self.gateway.prefixes.fingerprint(&lowered.body, &lowered.layout, &way.route.model);
        named::translate(account, &mut lowered)?;
        tap.facts.losses = std::mem::take(&mut lowered.losses);
        let window = match account {
            Some(account) => self.gateway.upstream.known_server_model(&account.id, &way.route.model),
            None => None,
        };
        let window = window.and_then(|known| known.context_window);
        let window = window.or(way.model().and_then(|model| model.context_window));
        let plan = Plan {
            fingerprint,
            payload: lowered.body.into(),
            reasoning: lowered.reasoning,
            optional: lowered.optional,
            conversation,
            named: account.map(|account| account.id.clone()),
            keyed: account.is_some_and(|account| account.kind.takes_key()),
            lite: way.lite,
            said: Said::default(),
            line: None,
            context_window: window,
            model: way.route.model,
            recipe: Arc::new(recipe),
            patience: routing::patience(self.settings),
        };
        Ok(Prepared { plan, streamed: tap.facts.streamed, hold: routing::hold(self.settings) })
    }
}

// === impl Way ===

impl Way {
    /// What the catalogue says of the model. It is said of the plans' models, not of another server's of the same name.
    pub(crate) fn model(&self) -> Option<&Model> {
        self.catalog.get(&self.route.model).filter(|_| self.account.is_none() || self.codex_cli)
    }
}

/// No model's name is longer. Of a longer one no more is looked up, repeated in an answer, or written down.
const LONGEST_NAME: usize = 256;

/// At most so many characters of a text.
fn within(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// The same request without texts that were cut inside a surrogate pair. They are JSON, but the upstream refuses them. Rare,
/// so reading twice does not matter.
pub(crate) fn mended(bytes: &[u8]) -> Vec<u8> {
    json::repair_surrogates(&String::from_utf8_lossy(bytes)).into_bytes()
}

/// Sends the headers when the outcome is known, or after `hold`: then the answer is begun on trust, so that the client
/// does not give up (`claude-code.md §6`).
async fn stream(gateway: &Arc<Gateway>, prepared: Prepared, tap: Tap) -> Result<Response, (Problem, Tap)> {
    let mut losses = tap.facts.losses.header();
    let mut left = HeaderMap::new();
    let closing = gateway.closing.clone().cancelled_owned();
    let recipe = Arc::clone(&prepared.plan.recipe);
    let content_type = HeaderValue::from_static(recipe.language.content_type());
    let mut opening: Opening = {
        let gateway = Arc::clone(gateway);
        let plan = prepared.plan;
        let mut tap = tap;
        Box::pin(async move {
            let opened = attempt::open(&gateway, &plan, &mut tap).await;
            (opened, tap)
        })
    };
    let mut head = HeaderMap::new();
    let pump = tokio::select! {
        (opened, tap) = &mut opening => match opened {
            Ok(mut committed) => {
                left = windows::of(recipe.dialect, &committed);
                committed.turn.prepend(&recipe.language.preface());
                recipe.language.head(&committed.headers, &committed.lease.account.id, &mut head);
                // What was left out on the way is lost as well.
                losses = tap.facts.losses.header();
                Pump::open(committed, tap, closing)
            }
            Err(problem) => return Err((problem, tap)),
        },
        () = tokio::time::sleep(prepared.hold) => Pump::opening(opening, recipe, closing),
    };
    let mut response = Response::new(Body::new(pump));
    let headers = response.headers_mut();
    headers.extend(head);
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.extend(left);
    add_losses(headers, &losses);
    Ok(response)
}
