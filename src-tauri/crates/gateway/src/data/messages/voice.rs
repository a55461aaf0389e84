//! An answer in Anthropic's words.

use bytes::Bytes;
use codeferry_translate::collect::anthropic::Collector;
use codeferry_translate::envelope;
use codeferry_translate::names::Names;
use codeferry_translate::render::KeepAlive;
use codeferry_translate::render::anthropic::{Ids, Options, Renderer, Repair};
use codeferry_translate::turn::{Reasoning, TurnEvent};
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::anthropic::frame::{Frame, Usage};

use crate::speaker::{Language, Sink, Speaker};

/// What an answer must know of its request.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) message_id: String,
    /// The model as the client asked for it.
    pub(super) model: String,
    /// The way back for tool names.
    pub(super) names: Names,
    /// Tool ids of the history.
    pub(super) call_ids: Vec<String>,
    /// Tool arguments that are to be put right.
    pub(super) repairs: Vec<Repair>,
    /// Whether the client can make use of thinking, if only to send it back.
    pub(super) thinking: bool,
    /// Tokens of the prompt, estimated.
    pub(super) input_estimate: u64,
    /// Whether the answer goes out frame by frame.
    pub(super) streamed: bool,
}

struct Answer {
    renderer: Renderer,
    sink: Sink<Collector>,
}

// === impl Voice ===

impl Voice {
    fn renderer(&self, account: &str) -> Renderer {
        let account = account.to_owned();
        Renderer::new(Options {
            id: self.message_id.clone(),
            model: self.model.clone(),
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

impl Language for Voice {
    fn preface(&self) -> Bytes {
        let usage = Usage { input_tokens: self.input_estimate, ..Usage::default() };
        written(&Frame::MessageStart { id: &self.message_id, model: &self.model, usage })
    }

    fn sign(&self, level: KeepAlive) -> Bytes {
        written(&match level {
            KeepAlive::Ping => Frame::Ping,
            KeepAlive::Content => Frame::MessageDelta { stop: None, usage: Usage::default() },
        })
    }

    fn failure(&self, kind: ErrorKind, message: &str) -> Bytes {
        written(&Frame::Error { kind, message })
    }

    fn speaker(&self, account: &str) -> Box<dyn Speaker> {
        let mut renderer = self.renderer(account);
        let mut sink = if self.streamed { Sink::Stream(Vec::new()) } else { Sink::Whole(Box::<Collector>::default()) };
        match &mut sink {
            // It is the preface.
            Sink::Stream(_) => renderer.start(&mut |_| {}),
            Sink::Whole(collector) => renderer.start(&mut |frame| collector.on(frame)),
        }
        Box::new(Answer { renderer, sink })
    }
}

fn written(frame: &Frame<'_>) -> Bytes {
    let mut out = Vec::with_capacity(512);
    frame.write_sse(&mut out);
    out.into()
}

// === impl Answer ===

impl Speaker for Answer {
    fn say(&mut self, event: TurnEvent<'_>) {
        let Self { renderer, sink } = self;
        renderer.on(event, &mut |frame| put(sink, frame));
    }

    fn fail(&mut self, kind: ErrorKind, message: &str) {
        let Self { renderer, sink } = self;
        renderer.fail(kind, message, &mut |frame| put(sink, frame));
    }

    fn keep_alive(&mut self, level: KeepAlive) {
        let Self { renderer, sink } = self;
        renderer.keep_alive(level, &mut |frame| put(sink, frame));
    }

    fn is_empty(&self) -> bool {
        self.renderer.is_empty()
    }

    fn out(&mut self) -> Option<&mut Vec<u8>> {
        self.sink.out()
    }

    fn into_whole(self: Box<Self>) -> Option<Vec<u8>> {
        match self.sink {
            Sink::Whole(collector) => collector.finish().ok(),
            Sink::Stream(_) => None,
        }
    }
}

fn put(sink: &mut Sink<Collector>, frame: Frame<'_>) {
    match sink {
        Sink::Stream(out) => frame.write_sse(out),
        Sink::Whole(collector) => collector.on(frame),
    }
}
