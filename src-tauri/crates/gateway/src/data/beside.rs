//! What stands beside the answers of models: `POST /v1/responses/compact`, `/v1/memories/trace_summarize` and
//! `/v1/images/generations|edits`. The body goes to the host as it came, and its answer comes back as it is; a form becomes
//! JSON, and a stream of pictures is made here.
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
use codeferry_translate::lower::responses::{control, items_of};
use codeferry_upstream::pages::Beside;
use codeferry_upstream::{Call, Consequence, Failure, Payload, Provider};
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::json::{Kind, Open, Raw};
use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::images::{self, Streamed};
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
    is_codex: bool,
    /// Who was asked by name.
    named: Option<AccountId>,
    /// The answer is to be a stream.
    streamed: Option<Streamed>,
}

async fn answer(gateway: &Arc<Gateway>, request: Request, beside: Beside, path: &'static str) -> Response {
    let id = new_request_id();
    let mut tap = Tap::begin(gateway, &id, "responses", path);
    let answered = match read(gateway, request, beside, &mut tap).await {
        Ok(question) => ask(gateway, &question, &mut tap).await.map(|body| match &question.streamed {
            Some(streamed) => (Bytes::from(streamed.events(&body)), "text/event-stream; charset=utf-8"),
            None => (body, "application/json"),
        }),
        Err(problem) => Err(problem),
    };
    match answered {
        Ok((body, kind)) => {
            tap.first_byte();
            tap.end(&Outcome::Completed);
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
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
    let form = if beside == Beside::ImagesEdits { images::json_of_form(&parts.headers, &bytes)? } else { None };
    let bytes = form.unwrap_or(bytes);
    let mut open = Open::read(&bytes, |_, _| Ok(()))
        .map_err(|error| Problem::bad_request(format!("the request body is not a JSON object: {error}")))
        .map_err(|problem| problem.about(Some("invalid_json"), None))?;
    let session = control::read(open.get("_gateway")).map_err(responses::refused)?;
    open.remove("_gateway");
    let is_codex = codex::is_codex(&parts.headers);
    if beside == Beside::Compact && !is_codex {
        put_right(&mut open);
    }
    let mut question = Question {
        beside,
        payload: Payload::from(Bytes::new()),
        model: String::new(),
        conversation: Conversation::of_responses(codex::hints(&parts.headers), None, std::iter::once(&bytes[..])),
        said: codex::Said::of(&parts.headers).or(session),
        is_codex,
        named: None,
        streamed: images::take_stream(beside, &mut open),
    };
    // Pictures have models of their own, which no table leads to; what an account is called is told from its name.
    if let Some(asked) = open.get("model").and_then(Raw::string) {
        asked.as_ref().clone_into(&mut tap.facts.asked);
        let is_named = asked.contains('/');
        if matches!(beside, Beside::Compact | Beside::TraceSummarize) || is_named {
            let routed = Named::of(gateway).await.resolve(gateway, &settings, &asked);
            let Routed { route, account } = routed.map_err(|problem| refusal::unroutable(&asked, problem))?;
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

/// As clients of the public API send it, and the host does not take it (`seed-c.md`, C-044, C-046).
fn put_right(open: &mut Open<'_>) {
    if let Some(input) = open.get("input").filter(|input| input.kind() == Kind::String) {
        open.set("input", [b"[".as_slice(), &items_of(Some(input)), b"]"].concat());
    }
    if open.get("instructions").is_none_or(Raw::is_null) {
        open.set_str("instructions", "");
    }
}

/// The public API calls an item otherwise that the host names by an older name (`seed-c.md`, C-024).
fn renamed(body: Bytes) -> Bytes {
    let Ok(mut open) = Open::read(&body, |_, _| Ok(())) else { return body };
    let Some(list) = open.get("output").filter(|output| output.kind() == Kind::Array) else { return body };
    let (mut items, mut changed) = (Vec::new(), false);
    let read = list.reader().array(|reader| {
        let item = reader.value()?;
        items.push(if items.is_empty() { b'[' } else { b',' });
        match Open::of(item).filter(|_| item.get("type").and_then(Raw::literal) == Some("compaction_summary")) {
            Some(mut item) => {
                changed = true;
                item.set_str("type", "compaction");
                items.extend(item.write().bytes);
            }
            None => items.extend_from_slice(item.as_slice_str().as_bytes()),
        }
        Ok(())
    });
    if read.is_err() || !changed {
        return body;
    }
    items.push(b']');
    open.set("output", items);
    open.write().bytes.into()
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
                return Ok(if question.is_codex { body } else { renamed(body) });
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use codeferry_wire::json::Open;

    use super::{put_right, renamed};

    #[test]
    fn what_is_asked_is_put_right() {
        for (given, sent) in [
            (
                r#"{"model":"m","input":"say \"hi\"","x":1}"#,
                r#"{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"say \"hi\""}]}],"x":1,"instructions":""}"#,
            ),
            (r#"{"input":[ 1 ],"instructions":"i"}"#, r#"{"input":[ 1 ],"instructions":"i"}"#),
            (r#"{"input":[],"instructions":null}"#, r#"{"input":[],"instructions":""}"#),
        ] {
            let mut open = Open::read(given.as_bytes(), |_, _| Ok(())).expect("an object");
            put_right(&mut open);
            assert_eq!(String::from_utf8(open.write().bytes).expect("a text"), sent);
        }
    }

    #[test]
    fn an_older_name_is_told_as_the_newer() {
        for (given, told) in [
            (
                r#"{"output":[{"type":"message"}, {"id":"c","type":"compaction_summary","x":[1]}],"usage":{}}"#,
                r#"{"output":[{"type":"message"},{"id":"c","type":"compaction","x":[1]}],"usage":{}}"#,
            ),
            (r#"{"output":[ {"type":"compaction"} ]}"#, r#"{"output":[ {"type":"compaction"} ]}"#),
            (r#"{"data":[]}"#, r#"{"data":[]}"#),
            ("no JSON", "no JSON"),
        ] {
            assert_eq!(renamed(Bytes::from_static(given.as_bytes())), told.as_bytes());
        }
    }
}
