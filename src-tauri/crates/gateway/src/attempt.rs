//! Tries upstream until an answer begins: step 6 to 11 of a request's way.
//!
//! An [`attempt`] is open until the upstream has said the first thing worth sending; then it is [`Committed`], and there is
//! no way back from that type: nothing can be retried once the client has seen a byte. What follows from a failure is
//! decided by its type ([`Failure::consequence`]), how often and how long is bounded here.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use codeferry_accounts::{
    self as accounts, Account, AccountId, Clock, Kind, Lease, NoAccount, Pool, Rotation, Want, WindowsSeen,
};
use codeferry_translate::Loss;
use codeferry_translate::conversation::Conversation;
use codeferry_translate::fingerprint::Fingerprint;
use codeferry_translate::lower::{Optional, ReasoningSpan, cut_out};
use codeferry_translate::turn::UpstreamError;
use codeferry_upstream::{Body, Call, Consequence, Failure, FailureKind, Limits, Line, Payload, Provider, Seat};
use codeferry_wire::anthropic::error::ErrorKind;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::codex::Said;
use crate::failover;
use crate::refusal::{self, Circumstances};
use crate::reply::Problem;
use crate::settle;
use crate::tap::Tap;
use crate::turn::{End, OnLimits, Recipe, Turn};
use crate::{Gateway, named};

/// More than this many attempts help nobody: clients retry as well.
const MOST_ATTEMPTS: usize = 4;

/// Clocks differ: whoever asks at the very moment of a reset may come too early.
const AFTER_A_REST: Duration = Duration::from_millis(500);

/// All that is needed to try, however often.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The body, written once.
    pub(crate) payload: Payload,
    /// What the upstream's prompt cache sees of it.
    pub(crate) fingerprint: Fingerprint,
    /// Where sealed reasoning stands in it.
    pub(crate) reasoning: Vec<ReasoningSpan>,
    /// What it can do without.
    pub(crate) optional: Vec<Optional>,
    pub(crate) conversation: Conversation,
    /// The account that was asked for by name: it answers, or nobody does.
    pub(crate) named: Option<AccountId>,
    /// It is a server with a key, and no plan is behind it.
    pub(crate) keyed: bool,
    /// The model upstream.
    pub(crate) model: String,
    pub(crate) lite: bool,
    /// What a Codex says of its turn.
    pub(crate) said: Said,
    /// What the client's own WebSocket has upstream; `None`: it came without one, or goes over HTTP all the same.
    pub(crate) line: Option<Arc<Line>>,
    pub(crate) context_window: Option<u64>,
    /// How the answer is to be read and rendered.
    pub(crate) recipe: Arc<Recipe>,
    /// All attempts together may take so long to begin an answer.
    pub(crate) patience: Duration,
}

/// An answer that has begun.
pub(crate) struct Committed {
    /// Who pays. It counts as under way until the answer is over.
    pub(crate) lease: Lease,
    /// Where to say so, should the answer end with a refusal of the account.
    pub(crate) pool: Arc<Pool>,
    pub(crate) clock: Clock,
    /// What the upstream answered with.
    pub(crate) headers: HeaderMap,
    /// What is still to come. Dropping it cancels the request upstream.
    pub(crate) body: Body,
    /// What has come, read and rendered.
    pub(crate) turn: Turn,
}

/// Why one attempt gave no answer.
enum Unanswered {
    Failed(Failure),
    /// The upstream finished without saying anything.
    Empty,
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What was tried already for this request.
#[derive(Default)]
struct Tried {
    excluded: Vec<AccountId>,
    /// The accounts whose token was renewed for this request: once each, and once more after a wait.
    refreshed: Vec<AccountId>,
    /// The account that could not go on, and why.
    left: Option<(AccountId, String)>,
    empty: bool,
    without: Without,
}

/// What of the body the upstream would not take.
#[derive(Debug, Clone, Default)]
struct Without {
    reasoning: bool,
    params: Vec<&'static str>,
}

/// Tries until an answer begins or nothing more can be done.
pub(crate) async fn open(gateway: &Gateway, plan: &Plan, tap: &mut Tap) -> Result<Committed, Problem> {
    tap.opens();
    let deadline = Instant::now() + plan.patience;
    let mut tried = Tried::default();
    if let Some(named) = &plan.named {
        tried.without.params = gateway.refusals.of(named, &plan.model);
    }
    let mut last: Option<Problem> = None;
    let mut lease = None;
    loop {
        let current = match lease.take() {
            Some(lease) => lease,
            None => match gateway.pool.lease_for(plan.want(&tried.excluded)).await {
                Ok(lease) => lease,
                Err(none) => {
                    if let Some(rest) = worth_waiting(&none, gateway.pool.rotation(), gateway.now())
                        && rest < deadline.saturating_duration_since(Instant::now())
                    {
                        tokio::time::sleep(rest).await;
                        // What was tried before says nothing about now. What the body must do without stays.
                        tried.excluded.clear();
                        tried.refreshed.clear();
                        continue;
                    }
                    let all = refusal::of_no_account(&none, gateway.now(), &TimeZone::system());
                    // Where one account was tried, why it failed says more. Where several were, each has its reason, and
                    // the first of them may be back soon.
                    let several = tried.excluded.len() > 1 && matches!(none, NoAccount::CoolingDown { .. });
                    return Err(last.filter(|_| !several).unwrap_or(all));
                }
            },
        };
        tap.tries(&current);
        failover::note(gateway, &current, tried.left.take());
        gateway.note_pick(&current);
        let unanswered = match attempt(gateway, plan, &current, &tried.without, tap).await {
            Ok(committed) => {
                tap.answered();
                plan.note_prefix(gateway, &committed.lease.account, &tried.without, tap);
                return Ok(committed);
            }
            Err(unanswered) => unanswered,
        };
        tap.failed(match &unanswered {
            Unanswered::Failed(failure) => Some(failure),
            Unanswered::Empty => None,
        });
        let failure = match unanswered {
            Unanswered::Failed(failure) => failure,
            Unanswered::Empty if !std::mem::replace(&mut tried.empty, true) => {
                lease = Some(current);
                continue;
            }
            Unanswered::Empty => return Err(empty(&plan.model)),
        };
        tracing::warn!(target: "codeferry::exchange", id = %tap.facts.id, attempt = tap.facts.attempts.len(),
            account = %current.account.id, failure = failure.kind.name(), status = failure.status, "attempt failed");
        let problem = refusal::of_failure(&failure, &plan.circumstances(gateway, name_of(&current.account)));
        settle::note(&gateway.pool, &current, &failure, gateway.now());
        if tap.facts.attempts.len() >= MOST_ATTEMPTS {
            return Err(problem);
        }
        let account = current.account.id.clone();
        last = Some(match next(gateway, plan, &failure, current, &mut tried, deadline).await {
            Next::Same(same) => {
                lease = Some(same);
                problem
            }
            Next::Another(why) => {
                let problem = why.unwrap_or(problem);
                tried.left = Some((account, problem.message.clone()));
                problem
            }
            Next::Nobody => return Err(problem),
        });
    }
}

/// How long to wait for an account, should that be better than to refuse.
///
/// Who chose `sticky` wants the accounts to be waited for as codex-proxy did (`seed-a.md §11`), as long as another attempt
/// may still begin. In the other modes the client learns from `retry-after` how long to wait, and decides.
fn worth_waiting(none: &NoAccount, rotation: Rotation, now: Timestamp) -> Option<Duration> {
    let NoAccount::CoolingDown { earliest, .. } = none else { return None };
    let rest = Duration::try_from(earliest.duration_since(now)).unwrap_or_default();
    (rotation == Rotation::Sticky).then(|| rest.saturating_add(AFTER_A_REST))
}

/// What a failure leads to.
enum Next {
    /// Another try with the same account.
    Same(Lease),
    /// Another account. With a reason that says more than the failure, if there is one.
    Another(Option<Problem>),
    /// The end.
    Nobody,
}

async fn next(
    gateway: &Gateway,
    plan: &Plan,
    failure: &Failure,
    current: Lease,
    tried: &mut Tried,
    deadline: Instant,
) -> Next {
    if let Some(param) = plan.dispensable(failure, &tried.without) {
        tried.without.params.push(param);
        return Next::Same(current);
    }
    match failure.consequence() {
        Consequence::Stop => Next::Nobody,
        Consequence::WithoutReasoning if !std::mem::replace(&mut tried.without.reasoning, true) => Next::Same(current),
        Consequence::WithoutReasoning => Next::Nobody,
        // A key is what it is, and nobody stands in for a named account.
        Consequence::RefreshThenRetry | Consequence::NextAccount if plan.named.is_some() => Next::Nobody,
        Consequence::RefreshThenRetry if !tried.refreshed.contains(&current.account.id) => {
            tried.refreshed.push(current.account.id.clone());
            match gateway.pool.recover(&current).await {
                Ok(renewed) => Next::Same(renewed),
                Err(error) => {
                    tried.excluded.push(current.account.id.clone());
                    Next::Another(Some(refusal::of_recover_error(&error, gateway.now(), &TimeZone::system())))
                }
            }
        }
        // A fresh token was refused as well: time will not mend that.
        Consequence::RefreshThenRetry => {
            gateway.pool.needs_sign_in(&current.account.id, &failure.message);
            tried.excluded.push(current.account.id.clone());
            Next::Another(None)
        }
        Consequence::NextAccount => {
            tried.excluded.push(current.account.id.clone());
            Next::Another(None)
        }
        Consequence::SameAccount { after } => {
            if Instant::now() + after >= deadline {
                return Next::Nobody;
            }
            tokio::time::sleep(after).await;
            Next::Same(current)
        }
    }
}

async fn attempt(
    gateway: &Gateway,
    plan: &Plan,
    lease: &Lease,
    without: &Without,
    tap: &mut Tap,
) -> Result<Committed, Unanswered> {
    let account = &lease.account;
    let body = plan.payload_for(account, without);
    for loss in plan.lost(without) {
        tap.facts.losses.add(loss);
    }
    if let Some(recorder) = &tap.recorder {
        recorder.lowered(&body);
    }
    let call = Call {
        kind: account.kind,
        endpoint: account.endpoint.as_ref(),
        access_token: &lease.access_token,
        chatgpt_account_id: account.chatgpt_account_id.as_deref(),
        model: &plan.model,
        lite: plan.lite,
        body,
        session_id: &plan.conversation.session_id,
        thread_id: &plan.conversation.thread_id,
        turn_state: plan.said.turn_state(&account.id),
        program: account.program.as_ref(),
        carried: plan.said.carried(),
        seat: plan.line.as_ref().map(|line| Seat { line, account: &account.id }),
    };
    let mut answer = gateway.upstream.respond(call).await?;
    if let Some(recorder) = &tap.recorder {
        if let Some(message) = answer.message.take() {
            recorder.lowered(&message.into());
        }
        recorder.accepted(&answer.headers);
    }
    let limits = WindowsSeen::from(&answer.limits(gateway.now()));
    gateway.pool.note_limits(&account.id, &limits, gateway.now());
    if gateway.upstream.is_stale(&account.id, &answer) {
        gateway.stale.notify_one();
    }
    tap.facts.upstream_id = answer.request_id.take();
    let mut turn = Turn::new(&plan.recipe, &account.id.to_string(), limits_of(gateway, &account.id));
    while !turn.is_worth_sending() {
        match turn.end() {
            None => {}
            Some(End::Failed(error)) => return Err(failure_of(account, error, gateway.now()).into()),
            Some(End::CutOff) => return Err(Failure::cut_off().into()),
            Some(End::Empty) => return Err(Unanswered::Empty),
            // Cut before its first word: an answer all the same.
            Some(End::Finished) => break,
        }
        match answer.body.chunk().await? {
            Some(bytes) => {
                tap.upstream(&bytes);
                turn.feed(&bytes);
            }
            None => turn.eof(),
        }
    }
    if plan.named.is_some() {
        gateway.refusals.note(&account.id, &plan.model, &without.params);
    }
    gateway.pool.ended(lease, accounts::End::Served);
    Ok(Committed {
        lease: lease.clone(),
        pool: Arc::clone(&gateway.pool),
        clock: Arc::clone(&gateway.clock),
        headers: answer.headers,
        body: answer.body,
        turn,
    })
}

/// What an error event means, said by the upstream of that account.
pub(crate) fn failure_of(account: &Account, error: &UpstreamError, now: Timestamp) -> Failure {
    let failure = Failure::from_event(error, now);
    if account.kind.takes_key() { failure.of_server("") } else { failure }
}

/// Where what the stream tells of the account's limits goes.
fn limits_of(gateway: &Gateway, account: &AccountId) -> OnLimits {
    let (pool, clock, account) = (Arc::clone(&gateway.pool), Arc::clone(&gateway.clock), account.clone());
    Box::new(move |event| {
        let now = clock();
        pool.note_limits(&account, &WindowsSeen::from(&Limits::from_event(event, now)), now);
    })
}

/// What people call an account.
pub(crate) fn name_of(account: &Account) -> &str {
    account.label.as_deref().or(account.email.as_deref()).unwrap_or("the account")
}

pub(crate) fn empty(model: &str) -> Problem {
    let message = format!("the model {model} finished without an answer, twice");
    Problem::new(ErrorKind::Api, message).with_status(StatusCode::BAD_GATEWAY)
}

/// Whether accounts of that kind are sent a parameter that can be left out. Of a plan's hosts it is known beforehand.
fn is_taken(kind: Kind, param: &str) -> bool {
    kind.is_named() || param.contains('.') || Provider::of(kind).allowed.parameters.contains(&param)
}

// === impl Plan ===

impl Plan {
    /// The account this is to be paid by: the one the conversation is with, if it can.
    fn want<'a>(&'a self, excluded: &'a [AccountId]) -> Want<'a> {
        Want { conversation: Some(&self.conversation.key), excluded, named: self.named.as_ref() }
    }

    /// The body for an account: reasoning that it cannot open would be refused (`codex-backend.md §2`).
    fn payload_for(&self, account: &Account, without: &Without) -> Payload {
        let reasoning = self.reasoning_cut_for(account, without);
        let optional = self
            .optional
            .iter()
            .filter(|optional| without.params.contains(&optional.param) || !is_taken(account.kind, optional.param));
        let optional = optional.map(|optional| &optional.range);
        let mut ranges: Vec<_> = reasoning.map(|span| &span.range).chain(optional).collect();
        if ranges.is_empty() {
            return self.payload.clone();
        }
        ranges.sort_unstable_by_key(|range| range.start);
        Payload::from(cut_out(self.payload.plain(), ranges))
    }

    /// Reasoning that is not sent to an account: what others made, or all of it.
    fn reasoning_cut_for(&self, account: &Account, without: &Without) -> impl Iterator<Item = &ReasoningSpan> {
        let (own, all) = (account.id.to_string(), without.reasoning);
        // Where nobody knows whose it is, the account may try.
        self.reasoning.iter().filter(move |span| all || (span.account != own && !span.account.is_empty()))
    }

    /// Remembers what `account` was sent and has begun to answer: its cache knows it from now on. A request that is
    /// answered twice, because the first answer broke off, is told as it was the first time.
    fn note_prefix(&self, gateway: &Gateway, account: &Account, without: &Without, tap: &mut Tap) {
        let cut = self.reasoning_cut_for(account, without).map(|span| span.item);
        let prefix = gateway.prefixes.note(&self.conversation.key, &self.fingerprint, &account.id.to_string(), cut);
        tap.facts.prefix.get_or_insert(prefix);
    }

    /// What is lost with the parameters that are left out.
    fn lost<'p>(&'p self, without: &'p Without) -> impl Iterator<Item = Loss> + 'p {
        let said = self.optional.iter().filter(|optional| without.params.contains(&optional.param));
        said.filter_map(|optional| named::lost_with(optional.param))
    }

    /// The refused parameter, if it is one the request can do without and has not done without so far.
    fn dispensable(&self, failure: &Failure, without: &Without) -> Option<&'static str> {
        let FailureKind::InvalidRequest { param: Some(refused) } = &failure.kind else { return None };
        let optional = self.optional.iter().find(|optional| optional.param == &**refused)?;
        (!without.params.contains(&optional.param)).then_some(optional.param)
    }

    /// What is known around a failure, for the sentence about it.
    pub(crate) fn circumstances<'a>(&'a self, gateway: &Gateway, account: &'a str) -> Circumstances<'a> {
        Circumstances {
            account,
            asked: &self.recipe.asked,
            model: &self.model,
            input_tokens: self.recipe.input_estimate,
            context_window: self.context_window,
            shape: self.recipe.dialect.shape(),
            keyed: self.keyed,
            now: gateway.now(),
            zone: TimeZone::system(),
        }
    }
}
