//! An answer in the words of Chat Completions.

use std::sync::Arc;

use bytes::Bytes;
use codeferry_translate::collect::chat::Collector;
use codeferry_translate::render::KeepAlive;
use codeferry_translate::render::chat::{Options, Renderer};
use codeferry_translate::turn::TurnEvent;
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::chat::error::ErrorBody;
use codeferry_wire::chat::frame::{Frame, Head};

use crate::reply::openai_words;
use crate::speaker::{Language, Sink, Speaker};

/// What an answer must know of its request.
#[derive(Debug)]
pub(super) struct Voice {
    /// What is the same in all chunks, whoever makes them.
    pub(super) head: Arc<Head>,
    pub(super) options: Options,
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
        frame.write_sse(&self.head, &mut out);
        out.into()
    }
}

impl Language for Voice {
    fn preface(&self) -> Bytes {
        self.written(&Frame::Role)
    }

    fn sign(&self, _level: KeepAlive) -> Bytes {
        self.written(&Frame::KeepAlive)
    }

    fn failure(&self, kind: ErrorKind, message: &str) -> Bytes {
        self.written(&Frame::Error(told(kind, message)))
    }

    fn speaker(&self, _account: &str) -> Box<dyn Speaker> {
        let mut renderer = Renderer::new(self.options.clone());
        // It is the preface, and nothing that is collected.
        renderer.start(&mut |_| {});
        let sink = if self.streamed { Sink::Stream(Vec::new()) } else { Sink::Whole(Box::<Collector>::default()) };
        Box::new(Answer { head: Arc::clone(&self.head), renderer, sink })
    }
}

/// An error of our own, in OpenAI's words.
fn told(kind: ErrorKind, message: &str) -> ErrorBody<'_> {
    let (kind, code) = openai_words(kind);
    ErrorBody { kind, message, param: None, code }
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
        Sink::Stream(out) => frame.write_sse(head, out),
        Sink::Whole(collector) => collector.on(frame),
    }
}
