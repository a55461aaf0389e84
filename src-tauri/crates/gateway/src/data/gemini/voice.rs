//! An answer in Gemini's words.

use std::sync::Arc;

use bytes::Bytes;
use codeferry_translate::collect::gemini::Collector;
use codeferry_translate::envelope;
use codeferry_translate::names::Names;
use codeferry_translate::render::KeepAlive;
use codeferry_translate::render::gemini::{Options, Renderer};
use codeferry_translate::turn::{Reasoning, TurnEvent};
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::gemini::error::ErrorBody;
use codeferry_wire::gemini::frame::{Form, Frame, Head};

use crate::reply::google_code;
use crate::speaker::{Language, Sink, Speaker};

/// What an answer must know of its request.
#[derive(Debug)]
pub(super) struct Voice {
    /// What is the same in all chunks, whoever makes them.
    pub(super) head: Arc<Head>,
    /// The way back for tool names.
    pub(super) names: Names,
    /// Whether the client is shown thoughts.
    pub(super) thoughts: bool,
    /// Whether the answer is to be JSON.
    pub(super) structured: bool,
    /// Tokens of the prompt, estimated.
    pub(super) input_estimate: u64,
    /// Whether the answer goes out frame by frame.
    pub(super) streamed: bool,
}

struct Answer {
    head: Arc<Head>,
    renderer: Renderer,
    sink: Sink<Collector>,
}

// === impl Voice ===

impl Voice {
    fn written(&self, frame: &Frame<'_>) -> Bytes {
        let mut out = Vec::with_capacity(512);
        frame.write(&self.head, &mut out);
        out.into()
    }
}

impl Language for Voice {
    fn preface(&self) -> Bytes {
        match self.head.form {
            Form::Sse => Bytes::new(),
            Form::Array => Bytes::from_static(b"["),
        }
    }

    fn sign(&self, _level: KeepAlive) -> Bytes {
        self.written(&Frame::KeepAlive)
    }

    fn failure(&self, kind: ErrorKind, message: &str) -> Bytes {
        self.written(&Frame::Error(told(kind, message)))
    }

    fn speaker(&self, account: &str) -> Box<dyn Speaker> {
        let account = account.to_owned();
        let renderer = Renderer::new(Options {
            names: self.names.clone(),
            seal: Box::new(move |reasoning: &Reasoning<'_>| {
                let encrypted_content = reasoning.encrypted_content.as_deref()?;
                Some(envelope::seal(envelope::Reasoning { account: &account, encrypted_content }))
            }),
            thoughts: self.thoughts,
            structured: self.structured,
            input_estimate: self.input_estimate,
        });
        let sink = if self.streamed { Sink::Stream(Vec::new()) } else { Sink::Whole(Box::<Collector>::default()) };
        Box::new(Answer { head: Arc::clone(&self.head), renderer, sink })
    }

    fn content_type(&self) -> &'static str {
        match self.head.form {
            Form::Sse => "text/event-stream",
            Form::Array => "application/json; charset=UTF-8",
        }
    }
}

/// An error of our own, in Google's words.
fn told(kind: ErrorKind, message: &str) -> ErrorBody<'_> {
    ErrorBody::new(google_code(kind.status(), false), message)
}

// === impl Answer ===

impl Speaker for Answer {
    fn say(&mut self, event: TurnEvent<'_>) {
        let Self { head, renderer, sink } = self;
        renderer.on(event, &mut |frame| put(head, sink, frame));
    }

    fn fail(&mut self, kind: ErrorKind, message: &str) {
        let Self { head, renderer, sink } = self;
        renderer.fail(&told(kind, message), &mut |frame| put(head, sink, frame));
    }

    fn keep_alive(&mut self, _level: KeepAlive) {
        let Self { head, renderer, sink } = self;
        renderer.keep_alive(&mut |frame| put(head, sink, frame));
    }

    fn is_empty(&self) -> bool {
        self.renderer.is_empty()
    }

    fn out(&mut self) -> Option<&mut Vec<u8>> {
        self.sink.out()
    }

    fn into_whole(self: Box<Self>) -> Option<Vec<u8>> {
        match self.sink {
            Sink::Whole(collector) => collector.finish(&self.head).ok(),
            Sink::Stream(_) => None,
        }
    }
}

fn put(head: &Head, sink: &mut Sink<Collector>, frame: Frame<'_>) {
    match sink {
        Sink::Stream(out) => frame.write(head, out),
        Sink::Whole(collector) => collector.on(frame),
    }
}
