//! Turn events as the events of a Responses stream: for answers that come in another language, so that there is nothing to
//! pass on (`codex-backend.md §3`; the SDKs' types, `openai` 3.52 for Python).
//!
//! The answer in one piece is the response object of the end. Its items are the bytes that went out when each was whole.
//!
//! **Invariant:** the numbers of the events rise by one, an item has one id from its first event to its last, and an answer
//! has one end. A failure leaves the open item open: closing it would make half a text look whole.

use std::borrow::Cow;

use codeferry_wire::json::Raw;
use codeferry_wire::responses::event::{ActionKind, Phase, Usage};
use codeferry_wire::responses::request::Object;

use super::{Failure, Listener};
use crate::lower::responses::flat::{Tool, Tools};
use crate::render::anthropic::Ids;
use crate::render::describe_image;
use crate::tokens::Estimate;
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, Reasoning, Search, TurnEvent, UpstreamError};
pub(super) use message::Message;
pub(super) use stream::{Place, Stream, number};

mod message;
mod stream;
#[cfg(test)]
mod tests;

/// What the renderer has to know of the exchange.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whom the events are for.
    pub listener: Listener,
    /// What the ids of the response and of its items are made of: no other answer has it.
    pub id: String,
    /// The model by the name the client asked for.
    pub model: String,
    /// When the answer was begun, in seconds since 1970.
    pub created_at: i64,
    /// Members of the request that the response repeats.
    pub echo: Vec<(&'static str, Vec<u8>)>,
    /// The ids of calls that the conversation has: some servers repeat theirs.
    pub calls: Ids,
    /// The way back to tools that were told as plain functions.
    pub tools: Tools,
    /// What the input comes to, estimated: an answer that we cut has no other figure.
    pub input_estimate: u64,
}

/// Turns the steps of one answer into events.
#[derive(Debug)]
pub struct Renderer {
    options: Options,
    stream: Stream,
    started: bool,
    ended: bool,
    /// A limit ends the answer, and with it the open item.
    cut: bool,
    /// There is something that counts as an answer.
    shown: bool,
    /// The whole items, with commas between them.
    output: Vec<u8>,
    /// The place of the open item, or of the next one.
    index: u32,
    open: Option<Open>,
    usage: Option<Usage>,
    written: Estimate,
    /// The response object of the end.
    last: Option<Vec<u8>>,
}

/// The open item.
#[derive(Debug)]
enum Open {
    Message(Message),
    Reasoning {
        id: String,
        /// A part of the summary has begun.
        begun: bool,
    },
    Call(Call),
    Search {
        id: String,
    },
    /// It is told when it is whole.
    Image,
}

#[derive(Debug)]
struct Call {
    id: String,
    call_id: String,
    name: String,
    namespace: Option<String>,
    payload: Payload,
    /// The text is the one argument of a function: it is told when it is whole.
    wrapped: bool,
}

/// How a response stands.
#[derive(Debug, Clone, Copy)]
enum Standing<'a> {
    InProgress,
    Completed,
    Incomplete(&'static str),
    Failed(&'a UpstreamError),
}

// === impl Renderer ===

impl Renderer {
    /// A renderer for one answer.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            stream: Stream::default(),
            started: false,
            ended: false,
            cut: false,
            shown: false,
            output: Vec::new(),
            index: 0,
            open: None,
            usage: None,
            written: Estimate::default(),
            last: None,
        }
    }

    /// Renders one step.
    pub fn on(&mut self, event: TurnEvent<'_>, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        self.start(out);
        match event {
            TurnEvent::Started { .. } => {}
            TurnEvent::ItemStarted { item, .. } => self.on_item_started(item, out),
            TurnEvent::Delta { delta, .. } => self.on_delta(&delta, out),
            TurnEvent::ItemDone { item, .. } => self.on_item_done(&item, out),
            TurnEvent::Usage(usage) => self.usage = Some(usage),
            TurnEvent::Finished(finish) => self.on_finished(&finish, out),
            TurnEvent::Failed(error) => self.end("response.failed", Standing::Failed(&error), out),
            TurnEvent::CutOff => {
                let message = "the stream of the upstream ended before the answer did";
                self.fail(Failure { code: "server_error", message }, out);
            }
        }
    }

    /// A limit ends the answer: the open item will not be whole when it is closed.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// Ends the answer with an error of our own.
    pub fn fail(&mut self, failure: Failure<'_>, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if self.options.listener == Listener::Codex {
            let (code, message) = (Some(failure.code.to_owned()), failure.message.to_owned());
            let error = UpstreamError { code, message, ..UpstreamError::default() };
            return self.end("response.failed", Standing::Failed(&error), out);
        }
        self.ended = true;
        self.stream.event("error", out, |event| {
            event.string("code", failure.code).string("message", failure.message).raw("param", Raw::NULL);
        });
    }

    /// Whether nothing has been shown yet but perhaps thinking: such an answer is to be tried again, not ended.
    pub fn is_empty(&self) -> bool {
        !self.shown
    }

    /// Whether the end was told.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The response object of the end, once that was told.
    pub fn told(&self) -> Option<&[u8]> {
        self.last.as_deref()
    }

    /// The answer in one piece, if it has come to its end.
    pub fn into_response(self) -> Option<Vec<u8>> {
        self.last
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.started, true) {
            self.tell("response.created", Standing::InProgress, out);
            self.tell("response.in_progress", Standing::InProgress, out);
        }
    }

    fn on_item_started(&mut self, item: ItemStart<'_>, out: &mut Vec<u8>) {
        let open = match item {
            ItemStart::Message { phase } => Open::Message(Message::new(self.id("msg"), phase)),
            ItemStart::Reasoning => Open::Reasoning { id: self.id("rs"), begun: false },
            ItemStart::ToolCall { call_id, name, payload } => {
                self.shown = true;
                let call_id = self.options.calls.unique(&call_id).into_owned();
                let known = self.options.tools.of(&name).cloned();
                let known = known.unwrap_or_else(|| Tool { name: name.into_owned(), namespace: None, free: false });
                let wrapped = known.free && payload == Payload::Json;
                let payload = if wrapped { Payload::Text } else { payload };
                let id = self.id(if payload == Payload::Text { "ctc" } else { "fc" });
                Open::Call(Call { id, call_id, name: known.name, namespace: known.namespace, payload, wrapped })
            }
            ItemStart::Search => Open::Search { id: self.id("ws") },
            ItemStart::Image => Open::Image,
        };
        let Self { stream, index, .. } = self;
        match &open {
            Open::Message(message) => {
                stream.added(*index, out, |item| message.write("in_progress", item));
            }
            Open::Reasoning { id, .. } => {
                stream.added(*index, out, |item| reasoning(id, &Reasoning::default(), item));
            }
            Open::Call(call) => stream.added(*index, out, |item| call.write("in_progress", "", item)),
            Open::Search { id } => {
                stream.added(*index, out, |item| search(id, "in_progress", &Search::default(), item));
                let place = Place { id, index: *index };
                stream.of("response.web_search_call.in_progress", place, out, |_| {});
                stream.of("response.web_search_call.searching", place, out, |_| {});
            }
            Open::Image => {}
        }
        self.open = Some(open);
    }

    fn on_delta(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let Self { stream, index, open, written, shown, .. } = self;
        match (delta, open) {
            (Delta::Text(text) | Delta::Refusal(text), Some(Open::Message(message))) if !text.is_empty() => {
                *shown = true;
                written.add(text);
                message.say(matches!(delta, Delta::Refusal(_)), text, *index, stream, out);
            }
            (Delta::Citation(citation), Some(Open::Message(message))) => message.cite(citation, *index, stream, out),
            (Delta::Thinking(text), Some(Open::Reasoning { id, begun })) => {
                written.add(text);
                let place = Place { id, index: *index };
                if !std::mem::replace(begun, true) {
                    stream.of("response.reasoning_summary_part.added", place, out, |event| {
                        event.raw("summary_index", Raw::ZERO).object("part", |part| summary_part("", part));
                    });
                }
                stream.of("response.reasoning_summary_text.delta", place, out, |event| {
                    event.raw("summary_index", Raw::ZERO).string("delta", text);
                });
            }
            (Delta::Payload(text), Some(Open::Call(call))) => {
                written.add(text);
                if !call.wrapped {
                    call.grow(text, *index, stream, out);
                }
            }
            _ => {}
        }
    }

    fn on_item_done(&mut self, item: &ItemDone<'_>, out: &mut Vec<u8>) {
        let (index, from) = (self.index, self.output.len());
        if from > 0 {
            self.output.push(b',');
        }
        let mut whole = Object::begin(&mut self.output);
        let stream = &mut self.stream;
        match (self.open.take(), item) {
            (Some(Open::Message(mut message)), ItemDone::Message { .. }) => {
                message.close(index, stream, out);
                message.write(if self.cut { "incomplete" } else { "completed" }, &mut whole);
            }
            (Some(Open::Reasoning { id, begun }), ItemDone::Reasoning(thought)) => {
                if begun {
                    let place = Place { id: &id, index };
                    stream.of("response.reasoning_summary_text.done", place, out, |event| {
                        event.raw("summary_index", Raw::ZERO).string("text", &thought.text);
                    });
                    stream.of("response.reasoning_summary_part.done", place, out, |event| {
                        event.raw("summary_index", Raw::ZERO).object("part", |part| summary_part(&thought.text, part));
                    });
                }
                reasoning(&id, thought, &mut whole);
            }
            (Some(Open::Call(call)), ItemDone::ToolCall { payload }) => {
                let payload = if call.wrapped { Tools::text_of(payload) } else { Cow::Borrowed(&**payload) };
                if call.wrapped && !payload.is_empty() {
                    call.grow(&payload, index, stream, out);
                }
                let name = call.event("response.function_call_arguments.done", "response.custom_tool_call_input.done");
                stream.of(name, Place { id: &call.id, index }, out, |event| {
                    if call.payload == Payload::Json {
                        event.string("name", &call.name);
                    }
                    event.string(call.member(), &payload);
                });
                call.write("completed", &payload, &mut whole);
            }
            (Some(Open::Search { id }), ItemDone::Search(found)) => {
                let status = if found.failed { "failed" } else { "completed" };
                stream.of("response.web_search_call.completed", Place { id: &id, index }, out, |_| {});
                search(&id, status, found, &mut whole);
            }
            // The picture itself is not carried; what can be said of it is said.
            (Some(Open::Image), ItemDone::Image { format, size, prompt }) => {
                let id = format!("msg_{}_{index}", self.options.id);
                let mut message = Message::new(id, None);
                let text = describe_image(format.as_deref(), size.as_deref(), prompt.as_deref());
                stream.added(index, out, |item| message.write("in_progress", item));
                message.say(false, &text, index, stream, out);
                message.close(index, stream, out);
                message.write("completed", &mut whole);
                self.shown = true;
            }
            // The grammar knows no item that ends as another.
            _ => {
                whole.end();
                self.output.truncate(from);
                return;
            }
        }
        whole.end();
        let written = &self.output[from + usize::from(from > 0)..];
        stream.event("response.output_item.done", out, |event| {
            number(event, "output_index", index.into());
            event.key("item").extend_from_slice(written);
        });
        self.index += 1;
    }

    fn on_finished(&mut self, finish: &Finish<'_>, out: &mut Vec<u8>) {
        match finish {
            Finish::Complete if self.is_empty() => {
                self.fail(Failure { code: "server_error", message: "the model gave an empty answer" }, out);
            }
            Finish::Complete | Finish::StopSequence(_) => self.end("response.completed", Standing::Completed, out),
            Finish::Length => self.end("response.incomplete", Standing::Incomplete("max_output_tokens"), out),
            Finish::Filtered => self.end("response.incomplete", Standing::Incomplete("content_filter"), out),
        }
    }

    fn end(&mut self, name: &'static str, standing: Standing<'_>, out: &mut Vec<u8>) {
        self.ended = true;
        if !matches!(standing, Standing::Failed(_)) {
            let mut whole = Vec::with_capacity(self.output.len() + 1024);
            let mut response = Object::begin(&mut whole);
            self.response(standing, &mut response);
            response.end();
            self.last = Some(whole);
        }
        self.tell(name, standing, out);
    }

    /// An event about the response itself.
    fn tell(&mut self, name: &'static str, standing: Standing<'_>, out: &mut Vec<u8>) {
        let mut stream = std::mem::take(&mut self.stream);
        stream.event(name, out, |event| match &self.last {
            Some(whole) => event.key("response").extend_from_slice(whole),
            None => {
                event.object("response", |response| self.response(standing, response));
            }
        });
        self.stream = stream;
    }

    fn response(&self, standing: Standing<'_>, response: &mut Object<'_>) {
        let Options { id, created_at, model, echo, .. } = &self.options;
        let status = match standing {
            Standing::InProgress => "in_progress",
            Standing::Completed => "completed",
            Standing::Incomplete(_) => "incomplete",
            Standing::Failed(_) => "failed",
        };
        response.string("id", &format!("resp_{id}")).string("object", "response");
        response.key("created_at").extend_from_slice(created_at.to_string().as_bytes());
        response.string("status", status).bool("background", false);
        match standing {
            Standing::Failed(error) => response.object("error", |out| write_error(error, out)),
            _ => response.raw("error", Raw::NULL),
        };
        match standing {
            Standing::Incomplete(reason) => response.object("incomplete_details", |details| {
                details.string("reason", reason);
            }),
            _ => response.raw("incomplete_details", Raw::NULL),
        };
        response.string("model", model);
        let output = response.key("output");
        output.push(b'[');
        output.extend_from_slice(&self.output);
        output.push(b']');
        match standing {
            Standing::InProgress | Standing::Failed(_) => {
                response.raw("usage", Raw::NULL);
            }
            Standing::Completed | Standing::Incomplete(_) => {
                // An answer that we cut has no usage: the upstream was not asked to the end.
                let usage = self.usage.unwrap_or_else(|| Usage {
                    input_tokens: self.options.input_estimate,
                    output_tokens: self.written.tokens(),
                    ..Usage::default()
                });
                response.object("usage", |out| write_usage(usage, out));
            }
        }
        response.bool("store", false);
        for (name, value) in echo {
            response.key(name).extend_from_slice(value);
        }
    }

    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.options.id, self.index)
    }
}

// === impl Call ===

impl Call {
    fn event(&self, json: &'static str, text: &'static str) -> &'static str {
        if self.payload == Payload::Text { text } else { json }
    }

    /// More of the payload.
    fn grow(&self, text: &str, index: u32, stream: &mut Stream, out: &mut Vec<u8>) {
        let name = self.event("response.function_call_arguments.delta", "response.custom_tool_call_input.delta");
        stream.of(name, Place { id: &self.id, index }, out, |event| {
            event.string("delta", text);
        });
    }

    /// Where the payload stands.
    fn member(&self) -> &'static str {
        self.event("arguments", "input")
    }

    fn write(&self, status: &str, payload: &str, item: &mut Object<'_>) {
        item.string("id", &self.id).string("type", self.event("function_call", "custom_tool_call"));
        // An item of this kind has no status in the public API.
        if self.payload == Payload::Json {
            item.string("status", status);
        }
        item.string("call_id", &self.call_id).string("name", &self.name);
        if let Some(namespace) = &self.namespace {
            item.string("namespace", namespace);
        }
        item.string(self.member(), payload);
    }
}

fn summary_part(text: &str, part: &mut Object<'_>) {
    part.string("type", "summary_text").string("text", text);
}

/// What was thought is told as one summary: what clients show is that.
fn reasoning(id: &str, thought: &Reasoning<'_>, item: &mut Object<'_>) {
    item.string("id", id).string("type", "reasoning");
    item.array("summary", |summary| {
        if !thought.text.is_empty() {
            summary.object(|part| summary_part(&thought.text, part));
        }
    });
    if let Some(sealed) = &thought.encrypted_content {
        item.string("encrypted_content", sealed);
    }
}

fn search(id: &str, status: &str, found: &Search<'_>, item: &mut Object<'_>) {
    item.string("id", id).string("type", "web_search_call").string("status", status);
    item.object("action", |action| match found.kind {
        ActionKind::Search => {
            action.string("type", "search").string("query", found.queries.first().map_or("", |query| query));
            action.array("queries", |queries| found.queries.iter().for_each(|query| queries.string(query)));
            if !found.sources.is_empty() {
                action.array("sources", |sources| {
                    for source in &found.sources {
                        sources.object(|out| {
                            out.string("type", "url").string("url", &source.url);
                        });
                    }
                });
            }
        }
        ActionKind::OpenPage => {
            action.string("type", "open_page").string("url", found.url.as_deref().unwrap_or_default());
        }
        ActionKind::FindInPage => {
            action.string("type", "find_in_page").string("url", found.url.as_deref().unwrap_or_default());
            action.string("pattern", found.queries.first().map_or("", |query| query));
        }
    });
}

fn write_error(error: &UpstreamError, out: &mut Object<'_>) {
    out.string("code", error.code.as_deref().or(error.kind.as_deref()).unwrap_or("server_error"));
    out.string("message", &error.to_string());
    // By these a Codex knows when to come back (`codex-backend.md §5`).
    for (name, value) in [("type", &error.kind), ("plan_type", &error.plan_type)] {
        if let Some(value) = value {
            out.string(name, value);
        }
    }
    if let Some(at) = error.resets_at {
        out.key("resets_at").extend_from_slice(at.to_string().as_bytes());
    }
}

pub(super) fn write_usage(usage: Usage, out: &mut Object<'_>) {
    number(out, "input_tokens", usage.input_tokens);
    out.object("input_tokens_details", |details| {
        number(details, "cached_tokens", usage.cached_tokens.min(usage.input_tokens));
        number(details, "cache_write_tokens", usage.cache_write_tokens.min(usage.input_tokens));
    });
    number(out, "output_tokens", usage.output_tokens);
    out.object("output_tokens_details", |details| {
        number(details, "reasoning_tokens", usage.reasoning_tokens.min(usage.output_tokens));
    });
    number(out, "total_tokens", usage.input_tokens.saturating_add(usage.output_tokens));
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Commentary => "commentary",
        Phase::FinalAnswer => "final_answer",
    }
}
