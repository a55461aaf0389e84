//! The answer side as one pipe, from the upstream's bytes to the client's, with a judge at each joint.
//!
//! The gateway puts the same parts in the same row; here there is no network, so that laws can be tried a thousand times.

use codeferry_translate::collect::anthropic::{Collector, NoMessage};
use codeferry_translate::collect::chat::{self as collect_chat, NoCompletion};
use codeferry_translate::collect::gemini::{self as collect_gemini, NoAnswer};
use codeferry_translate::envelope;
use codeferry_translate::lower::responses::flat::Tools;
use codeferry_translate::names::Names;
use codeferry_translate::render::anthropic::{Ids, Options, Renderer};
use codeferry_translate::render::chat as render_chat;
use codeferry_translate::render::gemini as render_gemini;
use codeferry_translate::render::responses as render_responses;
use codeferry_translate::stop::{Cut, Enforcer, Limits};
use codeferry_translate::turn::{Note, Reducer, TurnEvent};
use codeferry_wire::anthropic::Frame;
use codeferry_wire::chat::frame::{self as chat, Form, Head};
use codeferry_wire::gemini::frame as gemini;
use codeferry_wire::responses::StreamEvent;
use codeferry_wire::sse::Decoder;

mod blocks;
mod chunks;
mod grammar;
mod pieces;

pub use blocks::Blocks;
pub use chunks::Chunks;
pub use grammar::Grammar;
pub use pieces::Pieces;

/// What came out of the pipe.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The frames, as they go to the client.
    pub sse: String,
    /// The same, collected.
    pub message: Result<String, NoMessage>,
    /// The frames as a chat client gets them.
    pub chat: String,
    /// The same, collected.
    pub completion: Result<String, NoCompletion>,
    /// The events as a client of the Responses dialect gets them, where there is nothing to pass on.
    pub responses: String,
    /// The same, collected.
    pub response: Option<String>,
    /// The frames as a Gemini client gets them.
    pub gemini: String,
    /// The same, collected.
    pub candidate: Result<String, NoAnswer>,
    /// What the reducer noted.
    pub notes: Vec<Note>,
    /// Whether a limit of the client's cut it.
    pub cut: Option<Cut>,
    /// What broke a rule, between reducer and enforcer, behind the enforcer, or in the frames.
    pub broken: Vec<String>,
}

/// The pipe.
pub struct Pipe {
    reducer: Reducer,
    reduced: Grammar,
    back: Back,
}

/// Everything behind the reducer.
struct Back {
    enforcer: Enforcer,
    enforced: Grammar,
    renderer: Renderer,
    blocks: Blocks,
    sse: Vec<u8>,
    collector: Collector,
    chat: Chat,
    told: render_responses::Renderer,
    responses: Vec<u8>,
    gemini: Gemini,
}

/// The same answer for a chat client.
struct Chat {
    head: Head,
    renderer: render_chat::Renderer,
    chunks: Chunks,
    sse: Vec<u8>,
    collector: collect_chat::Collector,
}

/// The same answer for a Gemini client.
struct Gemini {
    head: gemini::Head,
    renderer: render_gemini::Renderer,
    pieces: Pieces,
    sse: Vec<u8>,
    collector: collect_gemini::Collector,
}

/// What the renderer knows in tests.
pub fn options() -> Options {
    Options {
        id: "msg_test".to_owned(),
        model: "claude-sonnet-5".to_owned(),
        input_estimate: 40,
        names: Names::default(),
        ids: Ids::default(),
        seal: Box::new(|reasoning| {
            let encrypted_content = reasoning.encrypted_content.as_deref()?;
            Some(envelope::seal(envelope::Reasoning { account: "acc_test", encrypted_content }))
        }),
        thinking: true,
        repairs: Vec::new(),
    }
}

fn told() -> render_responses::Renderer {
    render_responses::Renderer::new(render_responses::Options {
        listener: render_responses::Listener::Public,
        id: "test".to_owned(),
        model: "codex-5".to_owned(),
        created_at: 1_795_100_000,
        echo: Vec::new(),
        calls: Ids::default(),
        tools: Tools::default(),
        input_estimate: 40,
    })
}

/// An upstream's stream, cut into these chunks, through the whole pipe.
pub fn answer<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limits: Limits) -> Answer {
    let mut decoder = Decoder::new(16 * 1024 * 1024);
    let mut pipe = Pipe::new(limits);
    for chunk in chunks {
        decoder.push(chunk);
        while let Ok(Some(frame)) = decoder.next_frame() {
            if let Ok(event) = StreamEvent::parse(&frame.data) {
                pipe.event(event);
            }
        }
    }
    pipe.finish()
}

// === impl Pipe ===

impl Pipe {
    /// A pipe for one answer.
    pub fn new(limits: Limits) -> Self {
        Self {
            reducer: Reducer::new(),
            reduced: Grammar::default(),
            back: Back {
                enforcer: Enforcer::new(limits),
                enforced: Grammar::default(),
                renderer: Renderer::new(options()),
                blocks: Blocks::default(),
                sse: Vec::new(),
                collector: Collector::new(),
                chat: Chat::new(),
                told: told(),
                responses: Vec::new(),
                gemini: Gemini::new(),
            },
        }
    }

    /// One event of the upstream's.
    pub fn event(&mut self, event: StreamEvent<'_>) {
        for event in self.reducer.on_event(event) {
            self.reduced.take(&event);
            self.back.take(event);
        }
    }

    /// The upstream's stream is over.
    pub fn finish(mut self) -> Answer {
        for event in self.reducer.on_eof() {
            self.reduced.take(&event);
            self.back.take(event);
        }
        // A second end must change nothing.
        if !self.reducer.on_eof().is_empty() {
            self.reduced.broken.push("a second end".to_owned());
        }
        let Back { enforcer, enforced, blocks, sse, collector, chat, gemini, told, responses, .. } = self.back;
        let broken = [
            ("reduced", self.reduced.finish()),
            ("enforced", enforced.finish()),
            ("frames", blocks.finish()),
            ("chunks", chat.chunks.finish()),
            ("pieces", gemini.pieces.finish()),
        ];
        let broken = broken
            .into_iter()
            .flat_map(|(place, broken)| broken.into_iter().map(move |rule| format!("{place}: {rule}")))
            .collect();
        Answer {
            sse: String::from_utf8_lossy(&sse).into_owned(),
            message: collector.finish().map(|json| String::from_utf8_lossy(&json).into_owned()),
            chat: String::from_utf8_lossy(&chat.sse).into_owned(),
            completion: chat.collector.finish(&chat.head).map(|json| String::from_utf8_lossy(&json).into_owned()),
            responses: String::from_utf8_lossy(&responses).into_owned(),
            response: told.into_response().map(|json| String::from_utf8_lossy(&json).into_owned()),
            gemini: String::from_utf8_lossy(&gemini.sse).into_owned(),
            candidate: gemini.collector.finish(&gemini.head).map(|json| String::from_utf8_lossy(&json).into_owned()),
            notes: self.reducer.notes().to_vec(),
            cut: enforcer.cut(),
            broken,
        }
    }
}

// === impl Back ===

impl Back {
    fn take(&mut self, event: TurnEvent<'_>) {
        for event in self.enforcer.on_event(event) {
            self.enforced.take(&event);
            self.chat.take(event.clone());
            self.told.on(event.clone(), &mut self.responses);
            self.gemini.take(event.clone());
            let Self { blocks, sse, collector, .. } = self;
            self.renderer.on(event, &mut |frame: Frame<'_>| {
                blocks.take(&frame);
                frame.write_sse(sse);
                collector.on(frame);
            });
        }
    }
}

// === impl Chat ===

impl Chat {
    fn new() -> Self {
        let options = render_chat::Options { reasoning: true, input_estimate: 40, ..render_chat::Options::default() };
        Self {
            head: Head::new(Form::Chat, "chatcmpl-test".to_owned(), 1_795_100_000, "codex-5".to_owned(), true),
            renderer: render_chat::Renderer::new(options),
            chunks: Chunks::default(),
            sse: Vec::new(),
            collector: collect_chat::Collector::new(),
        }
    }

    fn take(&mut self, event: TurnEvent<'_>) {
        let Self { head, renderer, chunks, sse, collector } = self;
        renderer.on(event, &mut |frame: chat::Frame<'_>| {
            chunks.take(&frame);
            frame.write_sse(head, sse);
            collector.on(frame);
        });
    }
}

// === impl Gemini ===

impl Gemini {
    fn new() -> Self {
        let options = render_gemini::Options {
            names: Names::default(),
            seal: options().seal,
            thoughts: true,
            structured: false,
            input_estimate: 40,
        };
        Self {
            head: gemini::Head { id: "test".to_owned(), model: "gemini-3-pro".to_owned(), form: gemini::Form::Sse },
            renderer: render_gemini::Renderer::new(options),
            pieces: Pieces::default(),
            sse: Vec::new(),
            collector: collect_gemini::Collector::new(),
        }
    }

    fn take(&mut self, event: TurnEvent<'_>) {
        let Self { head, renderer, pieces, sse, collector } = self;
        renderer.on(event, &mut |frame: gemini::Frame<'_>| {
            pieces.take(&frame);
            frame.write(head, sse);
            collector.on(frame);
        });
    }
}
