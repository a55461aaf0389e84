//! What stands beside the answers of models: `POST /v1/responses/compact`, `/v1/memories/trace_summarize` and
//! `/v1/images/generations|edits`. The body goes to the host as it came, and its answer comes back as it is.
//!
//! Only accounts whose host has it are asked; an exchange is written down as for any other request.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use codeferry_accounts::{self as accounts, AccountId, Lease, NoAccount, Want};
use codeferry_translate::conversation::Conversation;
use codeferry_translate::lower::responses::control;
use codeferry_upstream::pages::Beside;
use codeferry_upstream::{Call, Consequence, Failure, Payload, Provider};
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::json::{Open, Raw};
use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::responses;
use crate::dialect::Shape;
use crate::limits::Allowance;
use crate::reply::{Problem, add_id};
use crate::routing::{Named, Routed};
use crate::tap::{Outcome, Tap};
use crate::{Gateway, account_pages, body, codex, guard, new_request_id, refusal, routing, settle};

/// More than this many attempts help nobody.
const MOST_ATTEMPTS: usize = 4;

/// Sums a conversation up.
pub(crate) async fn compact(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    answer(&gateway, request, Beside::Compact, "/v1/responses/compact").await
}

/// Sums up traces for a memory.
pub(crate) async fn trace_summarize(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    answer(&gateway, request, Beside::TraceSummarize, "/v1/memories/trace_summarize").await
}

/// Makes pictures.
pub(crate) async fn images_generations(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    answer(&gateway, request, Beside::ImagesGenerations, "/v1/images/generations").await
}

/// Changes pictures.
pub(crate) async fn images_edits(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    answer(&gateway, request, Beside::ImagesEdits, "/v1/images/edits").await
}

/// What is asked, and of whom.
struct Question {
    beside: Beside,
    payload: Payload,
    model: String,
    conversation: Conversation,
    said: codex::Said,
    /// Who was asked by name.
    named: Option<AccountId>,
}

async fn answer(gateway: &Arc<Gateway>, request: Request, beside: Beside, path: &'static str) -> Response {
    let id = new_request_id();
    let mut tap = Tap::begin(gateway, &id, "responses", path);
    let answered = match read(gateway, request, beside, &mut tap).await {
        Ok(question) => ask(gateway, &question, &mut tap).await,
        Err(problem) => Err(problem),
    };
    match answered {
        Ok(body) => {
            tap.first_byte();
            tap.end(&Outcome::Completed);
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            add_id(response.headers_mut(), Shape::OpenAi, &id);
            response
        }
        Err(problem) => {
            tap.refuse(&problem);
            problem.into_response(Shape::OpenAi, &id)
        }
    }
}

async fn read(gateway: &Gateway, request: Request, beside: Beside, tap: &mut Tap) -> Result<Question, Problem> {
    let settings = gateway.settings.snapshot();
    let (parts, body) = request.into_parts();
    tap.heard(&parts.headers);
    tap.facts.client = guard::client_of(&parts.headers, &gateway.keys)?;
    tap.permit = Some(gateway.limits.admit(&tap.facts.client, Allowance::of(&settings), Instant::now())?);
    let bytes = body::read(&parts.headers, body, routing::body_limit(&settings)).await?;
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("multipart/") {
        let message = "forms are not taken here: send JSON, with pictures as data URLs in `images`";
        return Err(Problem::bad_request(message).with_status(axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let mut open = Open::read(&bytes, |_, _| Ok(()))
        .map_err(|error| Problem::bad_request(format!("the request body is not a JSON object: {error}")))?;
    let session = control::read(open.get("_gateway")).map_err(responses::refused)?;
    open.remove("_gateway");
    let mut question = Question {
        beside,
        payload: Payload::from(Bytes::new()),
        model: String::new(),
        conversation: Conversation::of_responses(codex::hints(&parts.headers), None, std::iter::once(&bytes[..])),
        said: codex::Said::of(&parts.headers).or(session),
        named: None,
    };
    // Pictures have models of their own, which no table leads to; what an account is called is told from its name.
    if let Some(asked) = open.get("model").and_then(Raw::string) {
        asked.as_ref().clone_into(&mut tap.facts.asked);
        let is_named = asked.contains('/');
        if matches!(beside, Beside::Compact | Beside::TraceSummarize) || is_named {
            let Routed { route, account } = Named::of(gateway).await.resolve(gateway, &settings, &asked)?;
            tap.facts.route.clone_from(&route.why);
            if route.model != *asked {
                open.set_str("model", &route.model);
            }
            question.model = route.model;
            question.named = account.map(|account| account.id.clone());
        } else {
            question.model = asked.into_owned();
        }
        tap.facts.model.clone_from(&question.model);
    }
    question.payload = open.write().bytes.into();
    Ok(question)
}

async fn ask(gateway: &Gateway, question: &Question, tap: &mut Tap) -> Result<Bytes, Problem> {
    tap.opens();
    let (mut excluded, mut refreshed, mut last) = (Vec::new(), Vec::new(), None);
    let mut lease: Option<Lease> = None;
    loop {
        let current = match lease.take() {
            Some(lease) => lease,
            None => match leased(gateway, question, &mut excluded).await {
                Ok(lease) => lease,
                Err(problem) => return Err(last.unwrap_or(problem)),
            },
        };
        tap.tries(&current);
        gateway.note_pick(&current);
        let failure = match gateway.upstream.ask(call(question, &current), question.beside).await {
            Ok((_, body)) => {
                tap.answered();
                gateway.pool.ended(&current, accounts::End::Served);
                return Ok(body);
            }
            Err(failure) => failure,
        };
        tap.failed(Some(&failure));
        let problem = account_pages::problem(gateway, &current, &failure);
        settle::note(&gateway.pool, &current, &failure, gateway.now());
        if tap.facts.attempts.len() >= MOST_ATTEMPTS || question.named.is_some() {
            return Err(problem);
        }
        lease = next(gateway, current, &failure, &mut excluded, &mut refreshed).await.map_err(|()| problem.clone())?;
        last = Some(problem);
    }
}

/// The account to go on with; `None`: another one. An error is the end.
async fn next(
    gateway: &Gateway,
    current: Lease,
    failure: &Failure,
    excluded: &mut Vec<AccountId>,
    refreshed: &mut Vec<AccountId>,
) -> Result<Option<Lease>, ()> {
    let id = current.account.id.clone();
    match failure.consequence() {
        Consequence::Stop | Consequence::WithoutReasoning => Err(()),
        Consequence::RefreshThenRetry if !refreshed.contains(&id) => {
            refreshed.push(id.clone());
            let renewed = gateway.pool.recover(&current).await.ok();
            if renewed.is_none() {
                excluded.push(id);
            }
            Ok(renewed)
        }
        Consequence::RefreshThenRetry | Consequence::NextAccount => {
            excluded.push(id);
            Ok(None)
        }
        Consequence::SameAccount { after } => {
            tokio::time::sleep(after).await;
            Ok(Some(current))
        }
    }
}

/// An account whose host has what is asked for.
async fn leased(gateway: &Gateway, question: &Question, excluded: &mut Vec<AccountId>) -> Result<Lease, Problem> {
    let mut passed_over = false;
    loop {
        let want = Want { conversation: Some(&question.conversation.key), excluded, named: question.named.as_ref() };
        let lease = match gateway.pool.lease_for(want).await {
            Ok(lease) => lease,
            Err(NoAccount::Excluded { .. } | NoAccount::None) if passed_over => return Err(nobody(question.beside)),
            Err(none) => return Err(refusal::of_no_account(&none, gateway.now(), &TimeZone::system())),
        };
        if Provider::of(lease.account.kind).has_beside() {
            return Ok(lease);
        }
        if question.named.is_some() {
            return Err(nobody(question.beside));
        }
        passed_over = true;
        excluded.push(lease.account.id.clone());
    }
}

fn nobody(beside: Beside) -> Problem {
    let message = format!(
        "no account here has /v1/{}: it takes one of the kind codex (codeferry accounts add --kind codex)",
        beside.path()
    );
    Problem::new(ErrorKind::NotFound, message).final_word()
}

fn call<'a>(question: &'a Question, lease: &'a Lease) -> Call<'a> {
    let account = &lease.account;
    Call {
        kind: account.kind,
        endpoint: account.endpoint.as_ref(),
        access_token: &lease.access_token,
        chatgpt_account_id: account.chatgpt_account_id.as_deref(),
        model: &question.model,
        lite: false,
        body: question.payload.clone(),
        session_id: &question.conversation.session_id,
        thread_id: &question.conversation.thread_id,
        turn_state: question.said.turn_state(&account.id),
        program: account.program.as_ref(),
        carried: question.said.carried(),
        seat: None,
    }
}
