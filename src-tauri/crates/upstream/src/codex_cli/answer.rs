//! From what the child says about a turn to the events of a Responses stream.
//!
//! A pure machine: notifications in, server-sent events out. The answer is over with the first response of the model:
//! what the CLI would do next (run a tool, ask again) is the client's affair.
//!
//! **Invariant:** only what the model said in *this* turn comes out. Injected history is announced by the child in the
//! same words, before the turn has started or under another turn's id.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::failure::{self, TurnError};
use super::request::{self, Names};
use crate::failure::{Failure, FailureKind};

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The child is done with the turn.
    WithTurn,
    /// The model is done; the child would go on.
    BeforeTurn,
}

/// One answer under way.
#[derive(Debug)]
pub(super) struct Answer {
    names: Names,
    /// When the answer began: what a failure tells of times is counted from here.
    now: Timestamp,
    out: Vec<u8>,
    /// The turn, once it has started.
    turn: Option<String>,
    items: u32,
    open: Option<Open>,
    /// What the child counted, should it not pass on what the upstream counted.
    counted: Option<Box<RawValue>>,
    /// Why it will fail.
    error: Option<TurnError>,
    ended: Option<Ended>,
}

/// An item that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    kind: &'static str,
    id: String,
    index: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    #[serde(borrow)]
    turn_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    turn: Option<Turn<'a>>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    summary_index: Option<u32>,
    content_index: Option<u32>,
    error: Option<TurnError>,
    #[serde(default)]
    will_retry: bool,
    #[serde(borrow)]
    response_id: Option<Cow<'a, str>>,
    usage: Option<Counted>,
    #[serde(borrow)]
    usage_metadata: Option<Metadata<'a>>,
    token_usage: Option<TokenUsage>,
}

#[derive(Deserialize)]
struct Turn<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    error: Option<TurnError>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    call_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<Cow<'a, str>>,
    #[serde(borrow)]
    encrypted_content: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    /// The upstream's own `usage`.
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TokenUsage {
    last: Counted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Counted {
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
    total_tokens: u64,
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a RawValue>,
}

/// A function call as the client gets it.
#[derive(Serialize)]
struct Call<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    call_id: &'a str,
    name: &'a str,
    arguments: &'a str,
}

// === impl Answer ===

impl Answer {
    pub(super) fn new(names: Names, now: Timestamp) -> Self {
        Self { names, now, out: Vec::new(), turn: None, items: 0, open: None, counted: None, error: None, ended: None }
    }

    /// The events that are ready.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        (!self.out.is_empty()).then(|| std::mem::take(&mut self.out))
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// Takes a notification in. What cannot be read is passed over: there are many kinds, and more with each version.
    pub(super) fn on(&mut self, method: &str, params: &str) -> Result<(), Failure> {
        let known = matches!(
            method,
            "turn/started"
                | "turn/completed"
                | "item/started"
                | "item/agentMessage/delta"
                | "item/reasoning/summaryPartAdded"
                | "item/reasoning/summaryTextDelta"
                | "item/reasoning/textDelta"
                | "rawResponseItem/completed"
                | "rawResponse/completed"
                | "thread/tokenUsage/updated"
                | "error"
        );
        if !known || self.ended.is_some() {
            return Ok(());
        }
        let Ok(params) = serde_json::from_str::<Params<'_>>(params) else {
            tracing::debug!(target: "codeferry::codex_cli", method, "a notification cannot be read");
            return Ok(());
        };
        if method == "turn/started" {
            self.turn = params.turn.map(|turn| turn.id.into_owned());
            return Ok(());
        }
        let its = params.turn_id.as_deref().or(params.turn.as_ref().map(|turn| &*turn.id));
        if self.turn.is_none() || its != self.turn.as_deref() {
            return Ok(());
        }
        match method {
            "item/started" => self.item_started(params.item),
            "item/agentMessage/delta" => self.delta("message", "response.output_text.delta", &params),
            "item/reasoning/summaryTextDelta" => {
                self.delta("reasoning", "response.reasoning_summary_text.delta", &params);
            }
            "item/reasoning/textDelta" => self.delta("reasoning", "response.reasoning_text.delta", &params),
            "item/reasoning/summaryPartAdded" => {
                if let Some(open) = self.open("reasoning") {
                    let kind = "response.reasoning_summary_part.added";
                    let event = Event { summary_index: params.summary_index, ..open.event(kind) };
                    self.put(&event);
                }
            }
            "rawResponseItem/completed" => self.item_done(params.item),
            "rawResponse/completed" => self.response_done(&params),
            "thread/tokenUsage/updated" => {
                self.counted = params.token_usage.and_then(|usage| usage.last.as_responses());
            }
            "error" => return self.error(params),
            "turn/completed" => return self.turn_done(params.turn),
            _ => {}
        }
        Ok(())
    }

    fn open(&self, kind: &str) -> Option<Open> {
        self.open.clone().filter(|open| open.kind == kind)
    }

    fn item_started(&mut self, item: Option<&RawValue>) {
        let Some(item) = item.and_then(|raw| serde_json::from_str::<Item<'_>>(raw.get()).ok()) else { return };
        let kind = match &*item.kind {
            "agentMessage" => "message",
            "reasoning" => "reasoning",
            _ => return,
        };
        self.begin(kind, item.id.as_deref().unwrap_or_default());
    }

    /// Opens an item, of which nothing is known yet but its kind.
    fn begin(&mut self, kind: &'static str, id: &str) {
        let open = Open { kind, id: id.to_owned(), index: self.next_index() };
        #[derive(Serialize)]
        struct Shell<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
            id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            role: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            content: Option<[&'a str; 0]>,
            #[serde(skip_serializing_if = "Option::is_none")]
            summary: Option<[&'a str; 0]>,
        }
        let said = kind == "message";
        let shell = Shell {
            kind,
            id,
            role: said.then_some("assistant"),
            content: said.then_some([]),
            summary: (!said).then_some([]),
        };
        if let Ok(item) = serde_json::value::to_raw_value(&shell) {
            self.put(&Event { item: Some(&item), ..open.event("response.output_item.added") });
        }
        self.open = Some(open);
    }

    fn next_index(&mut self) -> u32 {
        let index = self.items;
        self.items += 1;
        index
    }

    fn delta(&mut self, of: &'static str, kind: &str, params: &Params<'_>) {
        if self.open(of).is_none() {
            self.begin(of, "");
        }
        let Some(open) = self.open(of) else { return };
        let summary = kind == "response.reasoning_summary_text.delta";
        let event = Event {
            delta: params.delta,
            summary_index: summary.then(|| params.summary_index.unwrap_or(0)),
            content_index: (!summary).then(|| params.content_index.unwrap_or(0)),
            ..open.event(kind)
        };
        self.put(&event);
    }

    /// An item of the model, whole.
    fn item_done(&mut self, raw: Option<&RawValue>) {
        let Some(raw) = raw else { return };
        let Ok(item) = serde_json::from_str::<Item<'_>>(raw.get()) else { return };
        match (&*item.kind, item.role.as_deref()) {
            ("message", Some("assistant")) | ("reasoning", _) => {
                let of = if item.kind == "message" { "message" } else { "reasoning" };
                let sealed = item.encrypted_content.as_deref().zip(item.id.as_deref());
                let sealed = sealed.and_then(|(sealed, id)| with_sealed(raw, &request::with_id(id, sealed)));
                let raw = sealed.as_deref().unwrap_or(raw);
                let index = match self.open.take().filter(|open| open.kind == of) {
                    Some(open) => open.index,
                    None => self.next_index(),
                };
                let event =
                    Event { output_index: Some(index), item: Some(raw), ..Event::of("response.output_item.done") };
                self.put(&event);
            }
            ("function_call", _) => {
                let call = Call {
                    kind: "function_call",
                    id: item.id.as_deref().unwrap_or_default(),
                    call_id: item.call_id.as_deref().unwrap_or_default(),
                    name: self.names.ours(item.name.as_deref().unwrap_or_default()),
                    arguments: item.arguments.as_deref().unwrap_or("{}"),
                };
                let Ok(call) = serde_json::value::to_raw_value(&call) else { return };
                let index = Some(self.next_index());
                let event = Event { output_index: index, item: Some(&call), ..Event::of("response.output_item.done") };
                self.put(&event);
            }
            // What the child says to the model, and what it does by itself.
            _ => {}
        }
    }

    /// The model is done.
    fn response_done(&mut self, params: &Params<'_>) {
        let theirs = params.usage_metadata.as_ref().and_then(|usage| usage.metadata);
        let theirs = theirs.filter(|usage| usage.get().contains("\"input_tokens\"")).map(ToOwned::to_owned);
        let usage = theirs.or_else(|| params.usage.as_ref().and_then(Counted::as_responses));
        self.complete("response.completed", params.response_id.as_deref(), usage.as_deref(), None);
        // A turn with calls would wait for their outputs.
        self.ended = Some(Ended::BeforeTurn);
    }

    fn complete(&mut self, kind: &str, id: Option<&str>, usage: Option<&RawValue>, incomplete: Option<&str>) {
        #[derive(Serialize)]
        struct Response<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
            status: &'a str,
            output: [&'a str; 0],
            #[serde(skip_serializing_if = "Option::is_none")]
            usage: Option<&'a RawValue>,
            #[serde(skip_serializing_if = "Option::is_none")]
            incomplete_details: Option<Reason<'a>>,
        }
        #[derive(Serialize)]
        struct Reason<'a> {
            reason: &'a str,
        }
        let status = kind.trim_start_matches("response.");
        let incomplete_details = incomplete.map(|reason| Reason { reason });
        let response = Response { id, status, output: [], usage, incomplete_details };
        if let Ok(response) = serde_json::value::to_raw_value(&response) {
            self.put(&Event { response: Some(&response), ..Event::of(kind) });
        }
    }

    fn error(&mut self, params: Params<'_>) -> Result<(), Failure> {
        let Some(error) = params.error else { return Ok(()) };
        if params.will_retry && self.items > 0 {
            // The child would begin the answer anew; what was sent of it cannot be taken back.
            return Err(Failure::new(FailureKind::CutOff, error.message));
        }
        if params.will_retry {
            tracing::debug!(target: "codeferry::codex_cli", "the child tries again");
        } else {
            self.error = Some(error);
        }
        Ok(())
    }

    /// The turn ended without a whole response: it failed, or this version does not tell of responses.
    fn turn_done(&mut self, turn: Option<Turn<'_>>) -> Result<(), Failure> {
        let Some(turn) = turn else { return Ok(()) };
        self.ended = Some(Ended::WithTurn);
        if turn.status == "completed" {
            let counted = self.counted.take();
            self.complete("response.completed", None, counted.as_deref(), None);
            return Ok(());
        }
        let error = turn.error.or_else(|| self.error.take()).unwrap_or_default();
        if let Some(reason) = error.incomplete() {
            let counted = self.counted.take();
            self.complete("response.incomplete", None, counted.as_deref(), Some(reason));
            return Ok(());
        }
        Err(failure::of_turn(&error, &turn.status, self.now))
    }

    fn put(&mut self, event: &Event<'_>) {
        let Ok(json) = serde_json::to_string(event) else { return };
        self.out.extend_from_slice(b"data: ");
        self.out.extend_from_slice(json.as_bytes());
        self.out.extend_from_slice(b"\n\n");
    }
}

/// The item with this sealed content in place of its own.
fn with_sealed(item: &RawValue, sealed: &str) -> Option<Box<RawValue>> {
    let sealed = serde_json::value::to_raw_value(sealed).ok()?;
    let mut open: BTreeMap<&str, &RawValue> = serde_json::from_str(item.get()).ok()?;
    open.insert("encrypted_content", &sealed);
    serde_json::value::to_raw_value(&open).ok()
}

// === impl Open ===

impl Open {
    fn event<'a>(&'a self, kind: &'a str) -> Event<'a> {
        Event { item_id: Some(&self.id), output_index: Some(self.index), ..Event::of(kind) }
    }
}

// === impl Event ===

impl<'a> Event<'a> {
    fn of(kind: &'a str) -> Self {
        Self {
            kind,
            item_id: None,
            output_index: None,
            content_index: None,
            summary_index: None,
            delta: None,
            item: None,
            response: None,
        }
    }
}

// === impl Counted ===

impl Counted {
    /// The same in the upstream's words.
    fn as_responses(&self) -> Option<Box<RawValue>> {
        RawValue::from_string(format!(
            r#"{{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{}}},"output_tokens":{},"output_tokens_details":{{"reasoning_tokens":{}}},"total_tokens":{}}}"#,
            self.input_tokens,
            self.cached_input_tokens,
            self.output_tokens,
            self.reasoning_output_tokens,
            self.total_tokens
        ))
        .ok()
    }
}

#[cfg(test)]
mod tests;
