//! Recipes to events: the stream as the real host writes it (codex-backend.md §3 and its recordings), quirks included.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::estimate::text_tokens;
use crate::failure::{Circumstances, Failure};
use crate::recipe::{Ending, FailAt, Item, Place, Quirks, Recipe};
use crate::script::{Run, Script, Step};
use crate::seal::Seal;

mod envelope;
mod frame;
mod items;
mod parts;

use frame::Frames;
use parts::{Deltas, Parts};

/// What is to be answered, to whom.
pub(crate) struct Order<'a> {
    pub(crate) request: &'a Map<String, Value>,
    pub(crate) seal: &'a Seal,
    pub(crate) account: &'a str,
    pub(crate) case: Circumstances<'a>,
    pub(crate) input_tokens: u64,
    pub(crate) cached_tokens: u64,
    /// A `codex.rate_limits` event to begin with.
    pub(crate) limits: Option<Value>,
    /// The same seed gives the same ids.
    pub(crate) seed: String,
}

struct Writer<'a> {
    order: &'a Order<'a>,
    quirks: Quirks,
    frames: Frames,
    steps: Vec<Step>,
    output: Vec<Value>,
    index: u64,
    ids: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    response: Value,
}

/// The events of an answer.
pub(crate) fn write(recipe: Recipe, order: &Order<'_>) -> Script {
    let quirks = recipe.quirks;
    let mut writer = Writer {
        order,
        quirks,
        frames: Frames::new(quirks),
        steps: Vec::new(),
        output: Vec::new(),
        index: 0,
        ids: 0,
        output_tokens: 0,
        reasoning_tokens: 0,
        response: Value::Null,
    };
    writer.response = writer.envelope();
    writer.answer(recipe);
    Script { steps: writer.steps, chunk: quirks.split.then_some(1), pace: None }
}

fn silent(time: Option<Duration>) -> Step {
    time.map_or(Step::Hold, Step::Wait)
}

// === impl Writer ===

impl Writer<'_> {
    fn answer(&mut self, mut recipe: Recipe) {
        let silence = recipe.silence.filter(|silence| silence.place != Place::Headers);
        if let Some(silence) = silence.filter(|silence| silence.place == Place::Start) {
            self.steps.push(silent(silence.time));
        }
        if let Some(limits) = &self.order.limits {
            self.event("codex.rate_limits", limits.clone());
        }
        if let Ending::Failed { failure, at: FailAt::First } = &recipe.ending {
            return self.fail(failure);
        }
        for status in ["response.created", "response.in_progress"] {
            let response = self.response.clone();
            self.event(status, json!({ "response": response }));
        }
        if self.quirks.unknown {
            self.strangers();
        }
        if let Ending::Failed { failure, at: FailAt::Opened } = &recipe.ending {
            return self.fail(failure);
        }
        if matches!(recipe.ending, Ending::Incomplete(_))
            && let Some(last) = recipe.items.last_mut()
        {
            parts::shorten(last);
        }
        let breaks = matches!(recipe.ending, Ending::Cut | Ending::Eof | Ending::Failed { .. });
        let mut groups = self.groups(recipe.items).into_iter().peekable();
        while let Some(group) = groups.next() {
            let last = groups.peek().is_none();
            let pause =
                silence.filter(|silence| last && silence.place == Place::Inside).map(|pause| silent(pause.time));
            self.play(group, pause, last && breaks);
        }
        match &recipe.ending {
            Ending::Completed => self.terminal("completed", Value::Null, Value::Null),
            Ending::Incomplete(reason) => self.terminal("incomplete", Value::Null, json!({ "reason": reason })),
            Ending::Failed { failure, .. } => self.fail(failure),
            Ending::Cut => self.steps.push(Step::Abort),
            Ending::Eof => {}
        }
    }

    /// Items as they are sent: one after the other, or calls that run into each other.
    fn groups(&mut self, items: Vec<Item>) -> Vec<Parts> {
        let mut groups: Vec<(bool, Parts)> = Vec::new();
        for item in items {
            let call = matches!(item, Item::Call { .. });
            let parts = self.parts(item);
            match groups.last_mut() {
                Some((true, group)) if call && self.quirks.interleave => group.interleave(parts),
                _ => groups.push((call, parts)),
            }
        }
        groups.into_iter().map(|(_, parts)| parts).collect()
    }

    fn play(&mut self, parts: Parts, pause: Option<Step>, breaks: bool) {
        let Parts { open, deltas, close, done } = parts;
        let deltas = if self.quirks.no_deltas { Deltas::Events(Vec::new()) } else { deltas };
        let (mut early, mut late) = deltas.halves();
        if self.quirks.early_args {
            early.swap_first(&open, |event| self.event(event.0, event.1.clone()));
        }
        open.into_iter().for_each(|(kind, body)| self.event(kind, body));
        if self.quirks.malformed {
            let frame =
                self.frames.raw("response.output_text.delta", r#"{"type":"response.output_text.delta","delta":"bro"#);
            self.steps.push(Step::Bytes(frame));
        }
        self.deltas(early);
        self.steps.extend(pause);
        if breaks {
            return;
        }
        self.deltas(std::mem::take(&mut late));
        for _ in 0..if self.quirks.repeat { 2 } else { 1 } {
            close.iter().cloned().for_each(|(kind, body)| self.event(kind, body));
        }
        self.output.extend(done);
    }

    fn deltas(&mut self, deltas: Deltas) {
        match deltas {
            Deltas::Events(events) => events.into_iter().for_each(|(kind, body)| self.event(kind, body)),
            Deltas::Run { id, index, from, to, every } => {
                let run = Run {
                    parts: self.frames.run(&id, index),
                    sequence: self.frames.sequence,
                    next: from,
                    count: to,
                    every,
                };
                self.frames.sequence += to - from;
                self.steps.push(Step::Run(run));
            }
        }
    }

    fn event(&mut self, kind: &str, body: Value) {
        let frame = self.frames.event(kind, &body);
        self.steps.push(Step::Bytes(frame));
    }

    fn fail(&mut self, failure: &Failure) {
        let error = failure.in_stream(self.order.case);
        if let Failure::Event { nested } = failure {
            let mut error = error;
            error["param"] = Value::Null;
            let body = if *nested { json!({ "error": error }) } else { error };
            return self.event("error", body);
        }
        self.terminal("failed", error, Value::Null);
    }

    fn next_index(&mut self) -> u64 {
        let index = self.index;
        self.index += 1;
        index
    }

    fn id(&mut self, prefix: &str, length: usize) -> String {
        self.ids += 1;
        format!(
            "{prefix}{}",
            self.order.seal.id(prefix, format!("{}:{}", self.order.seed, self.ids).as_bytes(), length)
        )
    }

    fn spend(&mut self, text: &str) {
        self.output_tokens += text_tokens(text);
    }
}

/// Server-sent events split into their frames, for scripts that are played often.
pub(crate) fn split_frames(body: &Bytes) -> Arc<[Bytes]> {
    let mut frames = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < body.len() {
        let blank = [&b"\n\n"[..], b"\r\n\r\n"].into_iter().find(|blank| body[at..].starts_with(blank));
        match blank {
            Some(blank) => {
                at += blank.len();
                frames.push(body.slice(start..at));
                start = at;
            }
            None => at += 1,
        }
    }
    if start < body.len() {
        frames.push(body.slice(start..));
    }
    frames.into()
}
