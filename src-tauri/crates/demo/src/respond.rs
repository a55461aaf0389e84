//! One model request: read it, let it through the gate, choose an answer, play it.

use std::hash::{DefaultHasher, Hasher as _};
use std::io::Read as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use crate::account::Identity;
use crate::answer::{self, Order};
use crate::assistant;
use crate::catalog;
use crate::conversation::Conversation;
use crate::estimate::Prompt;
use crate::failure::{Circumstances, Failure};
use crate::limits::Limits;
use crate::net::Line;
use crate::recipe::{Ending, FailAt, Item, Place, Recipe};
use crate::record::{Exchange, Outcome, Route};
use crate::refusal::Refusal;
use crate::routes::{authorize, bearer, json_body, refuse};
use crate::scenario::{self, Scene};
use crate::script::{Player, Releases, Script, Step};
use crate::scripted::Scripted;
use crate::strict::{Gate, Passed, Provider, check_headers};
use crate::world::World;

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
    let admitted = match admit(&world, provider, &parts.headers, &raw, &mut exchange) {
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

/// Everything known while one answer is chosen.
struct Desk<'a> {
    world: &'a Arc<World>,
    provider: Provider,
    admitted: &'a Admitted,
    request: &'a Map<String, Value>,
    /// How often this very body came before: a repeated request is a new answer with new ids.
    seen: u64,
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

    fn choose(&self, talk: &Conversation<'_>, token: Option<&str>, exchange: &mut Exchange) -> Recipe {
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

    async fn serve(
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
                return drop_line(&line, exchange).await;
            }
            return self.fail(failure, headers, &mut exchange);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let prompt = Prompt::of(self.request);
        let input_tokens = prompt.tokens();
        let cached_tokens = self.world.lock().cache.ask(&self.admitted.who.account_id, self.request, prompt);
        let order = Order {
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
    fn headers(&self, exchange: &Exchange, sent: &HeaderMap) -> HeaderMap {
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
        return drop_line(&line, exchange).await;
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
pub(crate) async fn drop_line(line: &Line, mut exchange: Exchange) -> Response {
    exchange.end(Outcome::Aborted);
    line.cut();
    std::future::pending::<()>().await;
    json_body(StatusCode::INTERNAL_SERVER_ERROR, &Value::Null)
}
