//! Choosing one answer and sending it.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use super::{Admitted, drop_line, hash, play, request_id};
use crate::answer::{self, Order};
use crate::assistant;
use crate::catalog;
use crate::conversation::Conversation;
use crate::estimate::Prompt;
use crate::failure::{Circumstances, Failure};
use crate::limits::Limits;
use crate::net::Line;
use crate::recipe::{Ending, FailAt, Item, Place, Recipe};
use crate::record::{Exchange, Outcome};
use crate::routes::refuse;
use crate::scenario::{self, Scene};
use crate::script::Releases;
use crate::strict::Provider;
use crate::world::World;

/// Everything known while one answer is chosen.
pub(super) struct Desk<'a> {
    pub(super) world: &'a Arc<World>,
    pub(super) provider: Provider,
    pub(super) admitted: &'a Admitted,
    pub(super) request: &'a Map<String, Value>,
    /// How often this very body came before: a repeated request is a new answer with new ids.
    pub(super) seen: u64,
}

// === impl Desk ===

impl Desk<'_> {
    fn model(&self) -> &str {
        self.request.get("model").and_then(Value::as_str).unwrap_or_default()
    }

    fn case(&self) -> Circumstances<'_> {
        Circumstances {
            provider: self.provider,
            model: self.model(),
            plan: &self.admitted.who.plan,
            now: self.world.now(),
        }
    }

    pub(super) fn choose(&self, talk: &Conversation<'_>, token: Option<&str>, exchange: &mut Exchange) -> Recipe {
        if self.admitted.passed.overflow {
            exchange.played("overflow");
            let status = self.world.lock().overflow_as_status;
            return if status {
                Recipe { refuse: Some(Failure::Overflow), ..Recipe::default() }
            } else {
                Recipe {
                    ending: Ending::Failed { failure: Failure::Overflow, at: FailAt::Opened },
                    ..Recipe::default()
                }
            };
        }
        let last = self.request.get("input").and_then(Value::as_array).and_then(|input| input.last());
        if last.is_some_and(|item| item["type"] == "compaction_trigger") {
            exchange.played("compaction");
            return Recipe { items: vec![Item::Compaction], ..Recipe::default() };
        }
        // A summary is asked for over a text that may still hold the marker that made it necessary.
        let scene = if talk.compaction { None } else { scenario::scene(talk) };
        let Some(scene) = scene else {
            exchange.played("assistant");
            return assistant::answer(talk, self.request);
        };
        exchange.played(&scene.name);
        self.happens(scene, talk, token)
    }

    /// Leaves out what has happened already, or has no reason to happen.
    fn happens(&self, scene: Scene, talk: &Conversation<'_>, token: Option<&str>) -> Recipe {
        let mut recipe = scene.recipe;
        let failure = match (&recipe.refuse, &recipe.ending) {
            (Some(failure), _) | (None, Ending::Failed { failure, .. }) => Some(failure),
            _ => None,
        };
        let key = self.request.get("prompt_cache_key").and_then(Value::as_str).unwrap_or_default();
        let over = match failure {
            Some(Failure::Overflow) => talk.summarised,
            Some(Failure::Sealed) => {
                let input = self.request.get("input").and_then(Value::as_array);
                !input.is_some_and(|items| items.iter().any(|item| item["type"] == "reasoning"))
            }
            _ => false,
        };
        let over = over
            || scene.once.is_some_and(|once| {
                let what =
                    [&self.admitted.who.account_id, key, &talk.prompt, &talk.rounds.to_string(), &once.0].join("\n");
                !self.world.lock().first_time(what)
            });
        if over {
            recipe.refuse = None;
            recipe.ending = Ending::Completed;
            recipe.silence = None;
            if scene.filler || recipe.items.is_empty() {
                recipe.items = vec![Item::says("This time it worked.")];
            }
        } else if let (Some(Failure::Unauthorized), Some(token)) = (&recipe.refuse, token) {
            // Not a whim of one answer: this token is dead until it is renewed.
            self.world.issuer.revoke(token);
        }
        recipe
    }

    pub(super) async fn serve(
        &self,
        recipe: Recipe,
        mut headers: HeaderMap,
        line: Line,
        mut releases: Releases,
        mut exchange: Exchange,
    ) -> Response {
        if let Some(silence) = recipe.silence.filter(|silence| silence.place == Place::Headers) {
            releases.next(silence.time).await;
        }
        if let Some(failure) = &recipe.refuse {
            if *failure == Failure::Reset {
                return drop_line(&line, &mut exchange).await;
            }
            return self.fail(failure, headers, &mut exchange);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let prompt = Prompt::of(self.request);
        let input_tokens = prompt.tokens();
        let cached_tokens = self.world.lock().cache.ask(&self.admitted.who.account_id, self.request, prompt);
        let events = self.provider == Provider::Codex && self.world.lock().limit_events;
        let who = &self.admitted.who;
        let order = Order {
            limits: events.then(|| self.world.limits(&who.account_id).event(&who.plan, self.world.now())),
            request: self.request,
            seal: &self.world.seal,
            account: &self.admitted.who.account_id,
            case: self.case(),
            input_tokens,
            cached_tokens,
            seed: format!("{}:{}", hash(self.admitted.body.to_string().as_bytes()), self.seen),
        };
        let script = answer::write(recipe, &order);
        play(StatusCode::OK, headers, script, releases, exchange)
    }

    fn fail(&self, failure: &Failure, mut headers: HeaderMap, exchange: &mut Exchange) -> Response {
        let http = failure.http(self.case());
        if let (Failure::Limit(seconds), Provider::Codex) = (failure, self.provider) {
            Limits::used_up(*seconds).write_headers(&mut headers, &self.admitted.who.plan, self.world.now());
        }
        headers.extend(http.headers);
        let mut response = match http.html {
            Some(html) => {
                let status = http.refusal.status;
                exchange.end(Outcome::Refused { status, reason: http.refusal.reason });
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
                let mut response = Response::new(Body::from(html));
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
                response
            }
            None => refuse(&http.refusal, exchange),
        };
        for (name, value) in &headers {
            if !response.headers().contains_key(name) || name == header::CONTENT_TYPE && http.html.is_some() {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }

    /// What the hosts say beside the body (codex-backend.md §4).
    pub(super) fn headers(&self, exchange: &Exchange, sent: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        request_id(self.world, exchange, &mut headers);
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("openai-model", self.model());
        if self.provider == Provider::Codex {
            set("x-models-etag", catalog::ETAG);
            set("x-reasoning-included", "true");
            let session = sent.get("session-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let state = self.world.seal.tag("turn", session.as_bytes());
            set("x-codex-turn-state", &state);
            if let Some(echo) = sent.get("x-codex-turn-state").filter(|echo| *echo != state.as_str()) {
                exchange.violation(format!("x-codex-turn-state is {echo:?}, not the one this session was given"));
            }
            let who = &self.admitted.who;
            self.world.limits(&who.account_id).write_headers(&mut headers, &who.plan, self.world.now());
        }
        headers
    }
}
