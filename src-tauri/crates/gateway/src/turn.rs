//! One answer on its way: bytes of the upstream in, bytes for the client out. No IO: the pump and the attempts drive it.
//!
//! Decoder, reducer, stop enforcer and the client's language stand in a row here, each knowing nothing of the others.

use std::sync::Arc;

use bytes::Bytes;
use codeferry_translate::render::KeepAlive;
use codeferry_translate::stop::{Enforcer, Limits};
use codeferry_translate::turn::{Delta, Events, Finish, Note, Reducer, TurnEvent, UpstreamError};
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::json::Raw;
use codeferry_wire::responses::StreamEvent;
use codeferry_wire::responses::event::Usage;
use codeferry_wire::sse::{self, Decoder};

use crate::dialect::Dialect;
use crate::speaker::{Language, Speaker};

/// No record of an upstream is longer: the longest carry the whole answer, or a picture.
const LONGEST_RECORD: usize = 64 * 1024 * 1024;

/// What an answer must know of its request.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The client's language.
    pub(crate) dialect: Dialect,
    /// What the answer must know in that language.
    pub(crate) language: Box<dyn Language>,
    /// The model as the client asked for it.
    pub(crate) asked: String,
    /// The limits the client sets and the upstream does not keep.
    pub(crate) limits: Limits,
    /// Tokens of the prompt, estimated.
    pub(crate) input_estimate: u64,
    /// Who looks on while it is made.
    pub(crate) watch: Option<Watch>,
}

/// Looks on while an answer is made: is told of each step, just before the client's frames for it are written. Most
/// answers have nobody who does, and pay one look at an empty field for it.
#[derive(Clone)]
pub(crate) struct Watch(pub(crate) Arc<dyn Fn(&TurnEvent<'_>) + Send + Sync>);

/// Takes the JSON of a `codex.rate_limits` event, which may come at any place of a stream.
pub(crate) type OnLimits = Box<dyn Fn(Raw<'_>) + Send + Sync>;

/// How an answer came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// It is whole.
    Finished,
    /// It is whole, and there is nothing in it.
    Empty,
    /// The upstream says that it failed.
    Failed(Box<UpstreamError>),
    /// The stream stopped without an end.
    CutOff,
}

/// One answer on its way.
pub(crate) struct Turn {
    decoder: Decoder,
    rest: Rest,
}

/// Everything behind the decoder, whose frames are borrowed while the rest works on them.
struct Rest {
    reducer: Reducer,
    enforcer: Enforcer,
    speaker: Box<dyn Speaker>,
    on_limits: OnLimits,
    watch: Option<Watch>,
    /// Records are passed on, but only as long as the client's limit allows.
    bounded: bool,
    worth: bool,
    end: Option<End>,
    usage: Option<Usage>,
}

// === impl Watch ===

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

// === impl Turn ===

impl Turn {
    /// An answer that `account` pays for.
    pub(crate) fn new(recipe: &Recipe, account: &str, on_limits: OnLimits) -> Self {
        let speaker = recipe.language.speaker(account);
        let rest = Rest {
            reducer: Reducer::new(),
            enforcer: Enforcer::new(recipe.limits.clone()),
            bounded: speaker.passes_on() && recipe.limits.max_tokens.is_some(),
            speaker,
            on_limits,
            watch: recipe.watch.clone(),
            worth: false,
            end: None,
            usage: None,
        };
        Self { decoder: Decoder::new(LONGEST_RECORD), rest }
    }

    /// Takes in what the upstream sent.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
        while self.rest.end.is_none() {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => self.rest.on_frame(&frame),
                Ok(None) => return,
                Err(too_long) => return self.fail(ErrorKind::Api, &too_long.to_string()),
            }
        }
    }

    /// The upstream's stream is over.
    pub(crate) fn eof(&mut self) {
        for event in self.rest.reducer.on_eof() {
            self.rest.on_event(event);
        }
    }

    /// Ends the answer with an error of our own.
    pub(crate) fn fail(&mut self, kind: ErrorKind, message: &str) {
        if self.rest.end.is_none() {
            self.rest.end = Some(End::CutOff);
            self.rest.speaker.fail(kind, message);
        }
    }

    /// Whether the upstream has said anything that the client is to see.
    pub(crate) fn is_worth_sending(&self) -> bool {
        self.rest.worth || self.rest.speaker.has_begun()
    }

    /// How it ended, once it has.
    pub(crate) fn end(&self) -> Option<&End> {
        self.rest.end.as_ref()
    }

    /// What it cost; known at the end, if the upstream says so.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.rest.usage
    }

    /// What could not be carried, or had to be put right, by name.
    pub(crate) fn notes(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.rest.reducer.notes().iter().map(Note::name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Puts what stands before every answer before what is to be sent.
    pub(crate) fn prepend(&mut self, preface: &Bytes) {
        if let Some(out) = self.rest.speaker.out() {
            out.splice(0..0, preface.iter().copied());
        }
    }

    /// The frames that are ready to be sent.
    pub(crate) fn take(&mut self) -> Option<Bytes> {
        let out = self.rest.speaker.out()?;
        (!out.is_empty()).then(|| std::mem::take(out).into())
    }

    /// A sign of life.
    pub(crate) fn keep_alive(&mut self, level: KeepAlive) -> Option<Bytes> {
        self.rest.speaker.keep_alive(level);
        self.take()
    }

    /// The whole answer, of one that was not streamed.
    pub(crate) fn into_whole(self) -> Option<Vec<u8>> {
        self.rest.speaker.into_whole()
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("end", &self.rest.end).finish_non_exhaustive()
    }
}

/// Whether an event may be one that is about the answer rather than a part of it.
fn tells_how_it_stands(data: &str) -> bool {
    const PARTS: [&str; 11] = [
        "output_text.",
        "output_item.",
        "content_part.",
        "reasoning_",
        "refusal.",
        "function_call_arguments.",
        "custom_tool_call_input.",
        "web_search_call.",
        "image_generation_call.",
        "mcp_",
        "audio.",
    ];
    // All upstreams write the type first; where it stands elsewhere, the event is read.
    let part = data.strip_prefix("{\"type\":\"response.");
    !part.is_some_and(|rest| PARTS.iter().any(|part| rest.starts_with(part)))
}

// === impl Rest ===

impl Rest {
    /// A frame that is no event is skipped: the upstream's own client does the same (`codex-backend.md §3`).
    fn on_frame(&mut self, frame: &sse::Frame<'_>) {
        if self.bounded {
            return self.on_bounded(frame);
        }
        self.speaker.hear(frame);
        // Records that are passed on need not be understood, but for those that say how the answer stands.
        if self.speaker.passes_on() && self.watch.is_none() && !tells_how_it_stands(&frame.data) {
            return;
        }
        let Ok(event) = StreamEvent::parse(&frame.data) else {
            tracing::debug!(target: "codeferry::exchange", bytes = frame.data.len(), "a malformed event was skipped");
            return;
        };
        if let StreamEvent::RateLimits(limits) = &event {
            (self.on_limits)(*limits);
        }
        for event in self.reducer.on_event(event) {
            self.on_event(event);
        }
    }

    /// Here a record is understood before it is passed on, for it may be the one that is too long.
    fn on_bounded(&mut self, frame: &sse::Frame<'_>) {
        let Ok(event) = StreamEvent::parse(&frame.data) else { return self.speaker.hear(frame) };
        if let StreamEvent::RateLimits(limits) = &event {
            (self.on_limits)(*limits);
        }
        let mut events = Events::new();
        for event in self.reducer.on_event(event) {
            events.extend(self.enforcer.on_event(event));
        }
        if self.enforcer.cut().is_none() {
            self.speaker.hear(frame);
        } else if self.end.is_none() {
            let rest = events.iter().find_map(|event| match event {
                TurnEvent::Delta {
                    delta: Delta::Text(rest) | Delta::Refusal(rest) | Delta::Thinking(rest), ..
                } => Some(rest),
                _ => None,
            });
            self.speaker.cut(rest.map_or("", |rest| rest));
        }
        for event in events {
            self.show(event);
        }
    }

    fn on_event(&mut self, event: TurnEvent<'_>) {
        let events = self.enforcer.on_event(event);
        if self.enforcer.cut().is_some() && self.end.is_none() {
            self.speaker.cut("");
        }
        for event in events {
            self.show(event);
        }
    }

    fn show(&mut self, event: TurnEvent<'_>) {
        if self.end.is_some() {
            return;
        }
        if let Some(Watch(tell)) = &self.watch {
            tell(&event);
        }
        self.worth |= event.worth_sending();
        self.end = match &event {
            // An answer that was cut before its first word is whole all the same.
            TurnEvent::Finished(Finish::Complete) if self.speaker.is_empty() => Some(End::Empty),
            TurnEvent::Finished(_) => Some(End::Finished),
            TurnEvent::Failed(error) => Some(End::Failed(error.clone())),
            TurnEvent::CutOff => Some(End::CutOff),
            _ => None,
        };
        if let TurnEvent::Usage(usage) = &event {
            self.usage = Some(*usage);
        }
        self.speaker.say(event);
    }
}
