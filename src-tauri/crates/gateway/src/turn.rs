//! One answer on its way: bytes of the upstream in, bytes for the client out. No IO: the pump and the attempts drive it.
//!
//! Decoder, reducer, stop enforcer and renderer stand in a row here, each knowing nothing of the others.

use std::sync::Arc;

use bytes::Bytes;
use codeferry_translate::collect::anthropic::Collector;
use codeferry_translate::envelope;
use codeferry_translate::names::Names;
use codeferry_translate::render::anthropic::{Ids, KeepAlive, Options, Renderer, Repair};
use codeferry_translate::stop::{Enforcer, Limits};
use codeferry_translate::turn::{Finish, Note, Reasoning, Reducer, TurnEvent, UpstreamError};
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::anthropic::frame::{self, Frame};
use codeferry_wire::json::Raw;
use codeferry_wire::responses::StreamEvent;
use codeferry_wire::responses::event::Usage;
use codeferry_wire::sse::Decoder;

/// No record of an upstream is longer: the longest carry the whole answer, or a picture.
const LONGEST_RECORD: usize = 64 * 1024 * 1024;

/// What an answer must know of its request.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The message's id.
    pub(crate) message_id: String,
    /// The model as the client asked for it.
    pub(crate) asked: String,
    /// The way back for tool names.
    pub(crate) names: Names,
    /// Tool ids of the history.
    pub(crate) call_ids: Vec<String>,
    /// Tool arguments that are to be put right.
    pub(crate) repairs: Vec<Repair>,
    /// Whether the client can make use of thinking, if only to send it back.
    pub(crate) thinking: bool,
    /// The limits the client sets and the upstream does not keep.
    pub(crate) limits: Limits,
    /// Tokens of the prompt, estimated.
    pub(crate) input_estimate: u64,
    /// Whether the answer goes out frame by frame.
    pub(crate) streamed: bool,
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
    renderer: Renderer,
    sink: Sink,
    on_limits: OnLimits,
    watch: Option<Watch>,
    worth: bool,
    end: Option<End>,
    usage: Option<Usage>,
}

/// Where frames go.
enum Sink {
    Stream(Vec<u8>),
    Message(Box<Collector>),
}

// === impl Recipe ===

impl Recipe {
    /// The first frame of the message.
    pub(crate) fn message_start(&self) -> Bytes {
        let usage = frame::Usage { input_tokens: self.input_estimate, ..frame::Usage::default() };
        let mut out = Vec::with_capacity(512);
        Frame::MessageStart { id: &self.message_id, model: &self.asked, usage }.write_sse(&mut out);
        out.into()
    }

    fn renderer(&self, account: String) -> Renderer {
        Renderer::new(Options {
            id: self.message_id.clone(),
            model: self.asked.clone(),
            input_estimate: self.input_estimate,
            names: self.names.clone(),
            ids: self.call_ids.iter().collect::<Ids>(),
            seal: Box::new(move |reasoning: &Reasoning<'_>| {
                let encrypted_content = reasoning.encrypted_content.as_deref()?;
                Some(envelope::seal(envelope::Reasoning { account: &account, encrypted_content }))
            }),
            thinking: self.thinking,
            repairs: self.repairs.clone(),
        })
    }
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
    pub(crate) fn new(recipe: &Arc<Recipe>, account: String, on_limits: OnLimits) -> Self {
        let mut renderer = recipe.renderer(account);
        let mut sink = if recipe.streamed { Sink::Stream(Vec::new()) } else { Sink::Message(Box::default()) };
        // The head of a stream is sent by whoever commits, perhaps before there was an answer.
        match &mut sink {
            Sink::Stream(_) => renderer.start(&mut |_| {}),
            Sink::Message(collector) => renderer.start(&mut |frame| collector.on(frame)),
        }
        let enforcer = Enforcer::new(recipe.limits.clone());
        let rest = Rest {
            reducer: Reducer::new(),
            enforcer,
            renderer,
            sink,
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
                Ok(Some(frame)) => self.rest.on_frame(&frame.data),
                Ok(None) => return,
                Err(too_long) => return self.fail(&too_long.to_string()),
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
    pub(crate) fn fail(&mut self, message: &str) {
        if self.rest.end.is_none() {
            self.rest.end = Some(End::CutOff);
            let Rest { renderer, sink, .. } = &mut self.rest;
            renderer.fail(ErrorKind::Api, message, &mut |frame| sink.put(frame));
        }
    }

    /// Whether the upstream has said anything that the client is to see.
    pub(crate) fn is_worth_sending(&self) -> bool {
        self.rest.worth
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

    /// Puts the head of the message before what is to be sent.
    pub(crate) fn prepend(&mut self, head: &Bytes) {
        if let Sink::Stream(out) = &mut self.rest.sink {
            out.splice(0..0, head.iter().copied());
        }
    }

    /// The frames that are ready to be sent.
    pub(crate) fn take(&mut self) -> Option<Bytes> {
        match &mut self.rest.sink {
            Sink::Stream(out) if !out.is_empty() => Some(std::mem::take(out).into()),
            Sink::Stream(_) | Sink::Message(_) => None,
        }
    }

    /// A sign of life.
    pub(crate) fn keep_alive(&mut self, level: KeepAlive) -> Option<Bytes> {
        let Rest { renderer, sink, .. } = &mut self.rest;
        renderer.keep_alive(level, &mut |frame| sink.put(frame));
        self.take()
    }

    /// The whole answer, of one that was not streamed.
    pub(crate) fn into_message(self) -> Option<Vec<u8>> {
        match self.rest.sink {
            Sink::Message(collector) => collector.finish().ok(),
            Sink::Stream(_) => None,
        }
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("end", &self.rest.end).finish_non_exhaustive()
    }
}

// === impl Rest ===

impl Rest {
    /// A frame that is no event is skipped: the upstream's own client does the same (`codex-backend.md §3`).
    fn on_frame(&mut self, data: &str) {
        let Ok(event) = StreamEvent::parse(data) else {
            tracing::debug!(target: "codeferry::exchange", bytes = data.len(), "a malformed event was skipped");
            return;
        };
        if let StreamEvent::RateLimits(limits) = &event {
            (self.on_limits)(*limits);
        }
        for event in self.reducer.on_event(event) {
            self.on_event(event);
        }
    }

    fn on_event(&mut self, event: TurnEvent<'_>) {
        for event in self.enforcer.on_event(event) {
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
            TurnEvent::Finished(Finish::Complete) if self.renderer.is_empty() => Some(End::Empty),
            TurnEvent::Finished(_) => Some(End::Finished),
            TurnEvent::Failed(error) => Some(End::Failed(error.clone())),
            TurnEvent::CutOff => Some(End::CutOff),
            _ => None,
        };
        if let TurnEvent::Usage(usage) = &event {
            self.usage = Some(*usage);
        }
        let sink = &mut self.sink;
        self.renderer.on(event, &mut |frame| sink.put(frame));
    }
}

// === impl Sink ===

impl Sink {
    fn put(&mut self, frame: Frame<'_>) {
        match self {
            Self::Stream(out) => frame.write_sse(out),
            Self::Message(collector) => collector.on(frame),
        }
    }
}
