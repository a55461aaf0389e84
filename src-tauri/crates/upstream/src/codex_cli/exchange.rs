//! One exchange: a thread, its history, its turn, and the answer as it comes.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use codeferry_translate::lower::DEFAULT_INSTRUCTIONS;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{Answer, Ended};
use super::request::{Asked, Tool};
use super::seat::{self, Ready};
use super::session::{Ear, InUse, Named, Note, Started};
use super::{Household, seat::read};
use crate::failure::{Failure, FailureKind};

/// The answer of a child, event by event. Dropping it interrupts the turn, and the child forgets the thread.
#[derive(Debug)]
pub(crate) struct Stream {
    ear: Ear,
    answer: Answer,
    lost: bool,
    /// Last, so that the thread is left before the session is.
    thread: Thread,
}

/// A thread of the child's, left when dropped.
#[derive(Debug)]
struct Thread {
    id: String,
    /// The turn that is under way.
    turn: Option<String>,
    session: InUse,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThreadStart<'a> {
    model: &'a str,
    /// Nothing of it is written to the home of the CLI.
    ephemeral: bool,
    cwd: &'a str,
    sandbox: &'a str,
    approval_policy: &'a str,
    /// Without any the CLI would take its own.
    base_instructions: &'a RawValue,
    developer_instructions: &'a str,
    dynamic_tools: &'a [Tool],
    /// No folder, so no tools that would work in one.
    environments: [(); 0],
    /// The model's items as they are: sealed reasoning, calls, usage.
    experimental_raw_events: bool,
    config: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InjectItems<'a> {
    thread_id: &'a str,
    items: &'a [Box<RawValue>],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TurnStart<'a> {
    thread_id: &'a str,
    /// Everything was injected.
    input: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Interrupt<'a> {
    thread_id: &'a str,
    turn_id: &'a str,
}

#[derive(serde::Deserialize)]
struct TurnStarted {
    turn: Named,
}

/// Asks the child. The answer has not begun when this returns.
pub(super) async fn begin(
    (session, ready): (InUse, &Ready),
    household: &Household,
    model: &str,
    asked: Asked,
    now: Timestamp,
) -> Result<Stream, Failure> {
    // Upstreams refuse a request without any; an empty text would be one.
    let default = RawValue::from_string(format!("\"{DEFAULT_INSTRUCTIONS}\"")).unwrap_or_default();
    let config = with_verbosity(&ready.facts.config, asked.verbosity.as_deref());
    let cwd = household.cwd();
    let start = ThreadStart {
        model,
        ephemeral: true,
        cwd: &cwd.to_string_lossy(),
        sandbox: "read-only",
        approval_policy: "never",
        base_instructions: asked.instructions.as_deref().unwrap_or(&default),
        developer_instructions: "",
        dynamic_tools: &asked.tools,
        environments: [],
        experimental_raw_events: true,
        config: config.as_deref().unwrap_or(&ready.facts.config),
        service_tier: asked.service_tier.as_deref(),
    };
    let started: Started = read("thread/start", &session.ask("thread/start", &start).await?)?;
    // From here on the thread is left whatever happens.
    let mut thread = Thread { id: started.thread.id, turn: None, session };
    let ear = thread.session.listen(&thread.id)?;
    let inject = InjectItems { thread_id: &thread.id, items: &asked.items };
    thread.session.ask("thread/inject_items", &inject).await?;
    let turn = TurnStart {
        thread_id: &thread.id,
        input: [],
        effort: asked.effort.as_deref(),
        summary: asked.summary.as_deref().unwrap_or("none"),
        output_schema: asked.schema.as_deref(),
    };
    let started: TurnStarted = read("turn/start", &thread.session.ask("turn/start", &turn).await?)?;
    thread.turn = Some(started.turn.id);
    Ok(Stream { ear, answer: Answer::new(asked.names, now), lost: false, thread })
}

/// The thread's configuration, with a verbosity where one was asked for.
fn with_verbosity(config: &RawValue, verbosity: Option<&str>) -> Option<Box<RawValue>> {
    let verbosity = serde_json::value::to_raw_value(verbosity?).ok()?;
    let mut config: std::collections::BTreeMap<&str, &RawValue> = serde_json::from_str(config.get()).ok()?;
    config.insert("model_verbosity", &verbosity);
    serde_json::value::to_raw_value(&config).ok()
}

// === impl Stream ===

impl Stream {
    /// The next events; `None` when the answer is over.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        loop {
            if let Some(events) = self.answer.take() {
                return Poll::Ready(Some(Ok(events.into())));
            }
            if let Some(ended) = self.answer.ended() {
                if ended == Ended::WithTurn {
                    self.thread.turn = None;
                }
                self.thread.session.served();
                return Poll::Ready(None);
            }
            if self.lost {
                return Poll::Ready(None);
            }
            let note = ready!(self.ear.notes.poll_recv(cx));
            let failure = match note {
                Some(Note::Said { method, params }) => {
                    self.ear.heard(params.len());
                    match self.answer.on(&method, &params) {
                        Ok(()) => continue,
                        Err(failure) => failure,
                    }
                }
                Some(Note::Lost(why)) => why,
                None => Failure::new(FailureKind::CutOff, "The Codex CLI has gone."),
            };
            self.lost = true;
            return Poll::Ready(Some(Err(failure)));
        }
    }
}

// === impl Thread ===

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(turn) = &self.turn {
            self.session.tell("turn/interrupt", &Interrupt { thread_id: &self.id, turn_id: turn });
        }
        self.session.leave(&self.id);
    }
}

/// What a look at the program found.
pub(super) fn version_in(output: &[u8]) -> Option<String> {
    seat::version_of(String::from_utf8_lossy(output).lines().next()?.trim()).map(str::to_owned)
}
