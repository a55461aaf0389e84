//! Turn events as the frames of a chat answer (`claude-code.md §10`; `seed-b.md §2.5`).
//!
//! Frames leave through a sink as they are made. Whatever the model says, in however many items, is one message here: texts
//! follow each other with a blank line between.
//!
//! **Invariant:** an answer has one end. A failure is an error and nothing else: no finish, no usage, no `[DONE]`.

use codeferry_wire::chat::error::ErrorBody;
use codeferry_wire::chat::frame::{Frame, Reason, Usage};
use codeferry_wire::json;
use codeferry_wire::responses::event::{Phase, UrlCitation};

use super::describe_image;
use crate::names::Names;
use crate::tokens::Estimate;
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, TurnEvent, UpstreamError};

#[cfg(test)]
mod tests;

/// What the renderer has to know of the exchange.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The way back from tool names that were shortened.
    pub names: Names,
    /// Whether reasoning is shown, as `reasoning_content`: a member that OpenAI's own endpoint does not have.
    pub reasoning: bool,
    /// Calls are told in the older form, as `function_call`.
    pub legacy_functions: bool,
    /// The answer is to be JSON: what the model says on the way to it would make it none, and is left out.
    pub structured: bool,
    /// What the input comes to, estimated: an answer that we cut has no other figure.
    pub input_estimate: u64,
}

/// Turns the steps of one answer into frames.
#[derive(Debug)]
pub struct Renderer {
    options: Options,
    started: bool,
    ended: bool,
    /// The index of the next call.
    calls: u32,
    /// How the payload of the open call is told.
    open: Option<Open>,
    citations: Vec<UrlCitation<'static>>,
    /// Texts before the open item, in characters; citations count from the beginning of the answer.
    chars: u64,
    /// A text came, and another item would follow it without a break.
    said: bool,
    /// The same for reasoning.
    thought: bool,
    refused: bool,
    /// The break before the next text was not sent yet.
    due: bool,
    /// The open message is left out.
    left_out: bool,
    usage: Option<Usage>,
    written: Estimate,
}

/// The open call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    /// It is a second call, and there is room for one only.
    silent: bool,
    /// The payload is put into a JSON string.
    quoted: bool,
}

/// What stands between two texts.
const BREAK: &str = "\n\n";

// === impl Renderer ===

impl Renderer {
    /// A renderer for one answer.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            started: false,
            ended: false,
            calls: 0,
            open: None,
            citations: Vec::new(),
            chars: 0,
            said: false,
            thought: false,
            refused: false,
            due: false,
            left_out: false,
            usage: None,
            written: Estimate::default(),
        }
    }

    /// Begins the message, if it has not begun: also before the upstream has said anything.
    pub fn start(&mut self, sink: &mut impl FnMut(Frame<'_>)) {
        if !std::mem::replace(&mut self.started, true) {
            sink(Frame::Role);
        }
    }

    /// Renders one step.
    pub fn on(&mut self, event: TurnEvent<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if self.ended {
            return;
        }
        self.start(sink);
        match event {
            TurnEvent::Started { .. } => {}
            TurnEvent::ItemStarted { item, .. } => self.on_item_started(&item, sink),
            TurnEvent::Delta { delta, .. } => self.on_delta(delta, sink),
            TurnEvent::ItemDone { item, .. } => self.on_item_done(&item, sink),
            TurnEvent::Usage(usage) => {
                self.usage = Some(Usage {
                    prompt: usage.input_tokens,
                    cached: usage.cached_tokens.min(usage.input_tokens),
                    completion: usage.output_tokens,
                    reasoning: usage.reasoning_tokens.min(usage.output_tokens),
                });
            }
            TurnEvent::Finished(finish) => self.on_finished(&finish, sink),
            TurnEvent::Failed(error) => self.on_failed(&error, sink),
            TurnEvent::CutOff => {
                self.fail(&broken("The upstream closed the stream before the answer was complete."), sink);
            }
        }
    }

    /// Ends the answer with an error.
    pub fn fail(&mut self, error: &ErrorBody<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if !std::mem::replace(&mut self.ended, true) {
            sink(Frame::Error(*error));
        }
    }

    /// Tells the client that the answer is still coming. Nothing after the end.
    pub fn keep_alive(&self, sink: &mut impl FnMut(Frame<'_>)) {
        if !self.ended {
            sink(Frame::KeepAlive);
        }
    }

    /// Whether nothing has been shown yet but perhaps thinking: such an answer is to be tried again, not ended.
    pub fn is_empty(&self) -> bool {
        !self.said && !self.refused && self.calls == 0
    }

    fn on_item_started(&mut self, item: &ItemStart<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        match item {
            ItemStart::ToolCall { call_id, name, payload } => {
                let (index, name) = (self.calls, self.options.names.restore(name));
                let open =
                    Open { silent: self.options.legacy_functions && index > 0, quoted: *payload == Payload::Text };
                self.calls += 1;
                match self.options.legacy_functions {
                    true if open.silent => {}
                    true => sink(Frame::Function { name }),
                    false => sink(Frame::Call { index, id: call_id, name }),
                }
                self.open = Some(open);
                if open.quoted {
                    self.payload("{\"input\":\"", sink);
                }
            }
            ItemStart::Message { phase } => {
                self.due = self.said;
                self.left_out = self.options.structured && *phase == Some(Phase::Commentary);
            }
            ItemStart::Reasoning => self.due = self.thought,
            ItemStart::Search | ItemStart::Image => {}
        }
    }

    fn on_delta(&mut self, delta: Delta<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        match delta {
            Delta::Text(_) | Delta::Refusal(_) | Delta::Citation(_) if self.left_out => {}
            Delta::Text(text) => self.text(&text, sink),
            Delta::Refusal(text) => {
                self.refused = true;
                self.written.add(&text);
                sink(Frame::Refusal(&text));
            }
            Delta::Thinking(text) => {
                if self.options.reasoning {
                    self.thought = true;
                    self.written.add(&text);
                    if std::mem::take(&mut self.due) {
                        sink(Frame::Reasoning(BREAK));
                    }
                    sink(Frame::Reasoning(&text));
                }
            }
            Delta::Payload(text) => {
                self.written.add(&text);
                if self.open.is_some_and(|open| open.quoted) {
                    let mut escaped = Vec::with_capacity(text.len() + 8);
                    json::write_escaped(&mut escaped, &text);
                    self.payload(&String::from_utf8_lossy(&escaped), sink);
                } else {
                    self.payload(&text, sink);
                }
            }
            Delta::Citation(citation) => self.citations.push(UrlCitation {
                url: citation.url.into_owned().into(),
                title: citation.title.map(|title| title.into_owned().into()),
                start: citation.start,
                end: citation.end,
            }),
        }
    }

    fn text(&mut self, text: &str, sink: &mut impl FnMut(Frame<'_>)) {
        if text.is_empty() {
            return;
        }
        self.said = true;
        self.written.add(text);
        if std::mem::take(&mut self.due) {
            self.chars += BREAK.len() as u64;
            sink(Frame::Content(BREAK));
        }
        sink(Frame::Content(text));
    }

    fn payload(&self, text: &str, sink: &mut impl FnMut(Frame<'_>)) {
        match self.open {
            Some(open) if open.silent => {}
            _ if self.options.legacy_functions => sink(Frame::FunctionArguments(text)),
            _ => sink(Frame::Arguments { index: self.calls.saturating_sub(1), text }),
        }
    }

    fn on_item_done(&mut self, item: &ItemDone<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        match item {
            ItemDone::Message { text, refused } => {
                for citation in std::mem::take(&mut self.citations) {
                    let title = citation.title.as_deref().unwrap_or(&citation.url);
                    let place = |chars: Option<u32>| self.chars + u64::from(chars.unwrap_or_default());
                    let (start, end) = (place(citation.start), place(citation.end));
                    sink(Frame::Citation { url: &citation.url, title, start, end });
                }
                if !std::mem::take(&mut self.left_out) && !refused {
                    self.chars += text.chars().count() as u64;
                }
            }
            ItemDone::ToolCall { .. } => {
                if self.open.is_some_and(|open| open.quoted) {
                    self.payload("\"}", sink);
                }
                self.open = None;
            }
            ItemDone::Image { format, size, prompt } => {
                self.due = self.said;
                let text = describe_image(format.as_deref(), size.as_deref(), prompt.as_deref());
                self.text(&text, sink);
                self.chars += text.chars().count() as u64;
            }
            ItemDone::Reasoning(_) | ItemDone::Search(_) => {}
        }
    }

    fn on_finished(&mut self, finish: &Finish<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if *finish == Finish::Complete && self.is_empty() {
            return self.fail(&broken("The model gave an empty answer."), sink);
        }
        let reason = match finish {
            Finish::Length => Reason::Length,
            Finish::Filtered => Reason::ContentFilter,
            Finish::Complete if self.calls > 0 && self.options.legacy_functions => Reason::FunctionCall,
            Finish::Complete if self.calls > 0 => Reason::ToolCalls,
            Finish::Complete | Finish::StopSequence(_) => Reason::Stop,
        };
        // An answer that we cut has no usage: the upstream was not asked to the end.
        let usage = self.usage.unwrap_or_else(|| Usage {
            prompt: self.options.input_estimate,
            completion: self.written.tokens(),
            ..Usage::default()
        });
        self.ended = true;
        sink(Frame::Finish(reason));
        sink(Frame::Usage(usage));
        sink(Frame::Done);
    }

    /// A late failure, in the upstream's own words: it speaks the same dialect of errors.
    fn on_failed(&mut self, error: &UpstreamError, sink: &mut impl FnMut(Frame<'_>)) {
        let message = error.to_string();
        let kind = match error.code.as_deref().or(error.kind.as_deref()).unwrap_or_default() {
            "context_length_exceeded"
            | "invalid_prompt"
            | "cyber_policy"
            | "bio_policy"
            | "content_policy_violation" => "invalid_request_error",
            "rate_limit_exceeded" | "insufficient_quota" => "rate_limit_error",
            "usage_limit_reached" | "subscription_sharing_usage_limit_exceeded" => "usage_limit_reached",
            _ => "server_error",
        };
        let (code, param) = (error.code.as_deref().or(error.kind.as_deref()), error.param.as_deref());
        self.fail(&ErrorBody { kind, message: &message, param, code }, sink);
    }
}

/// Nobody's fault but ours and the upstream's.
fn broken(message: &str) -> ErrorBody<'_> {
    ErrorBody { kind: "server_error", message, param: None, code: Some("stream_broken") }
}
