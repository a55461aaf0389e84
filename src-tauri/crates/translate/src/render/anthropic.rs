//! Turn events as the frames of an Anthropic answer (claude-code.md §0, §5, §6).
//!
//! Frames leave through a sink as they are made; nothing is kept but the few facts that later frames need. Block indices
//! are dense from 0, and one block is open at a time, because the reducer's items are so.
//!
//! **Invariant:** the renderer never ends an answer that has nothing in it: clients take that for a success.

use codeferry_wire::anthropic::frame::{Block, Delta as FrameDelta, Found, Page, Stop, StopReason, Usage};
use codeferry_wire::anthropic::{ErrorKind, Frame};
use codeferry_wire::json;
use codeferry_wire::responses::event::{ActionKind, UrlCitation};

use super::{KeepAlive, describe_image};
use crate::names::Names;
use crate::tokens::Estimate;
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, Reasoning, Search, TurnEvent, UpstreamError};
use crate::usage;

mod ids;
mod repair;
#[cfg(test)]
mod tests;

pub use ids::Ids;
pub use repair::Repair;

/// Anthropic quotes up to so many characters of what is cited.
const QUOTE: usize = 150;

/// Puts a piece of reasoning into the envelope that the client carries for us; `None` when there is nothing to carry.
/// Implemented by whoever knows the account, with [`crate::envelope`].
pub type Seal = Box<dyn Fn(&Reasoning<'_>) -> Option<String> + Send + Sync>;

/// What the renderer has to know of the exchange.
pub struct Options {
    /// The message's id, `msg_…`.
    pub id: String,
    /// The model by the name the client asked for.
    pub model: String,
    /// What the input comes to, estimated. The true figure replaces it at the end.
    pub input_estimate: u64,
    /// The way back from tool names that were shortened.
    pub names: Names,
    /// The tool ids of the conversation so far.
    pub ids: Ids,
    /// Seals reasoning.
    pub seal: Seal,
    /// Whether the client wants to see thinking. SDK programs that did not ask for it trip over it.
    pub thinking: bool,
    /// Arguments to be put right, tool by tool.
    pub repairs: Vec<Repair>,
}

/// Turns the steps of one answer into frames.
pub struct Renderer {
    options: Options,
    started: bool,
    ended: bool,
    /// The index of the next block.
    next: u32,
    open: Option<Open>,
    /// Arguments that are held until they are whole, to be put right.
    held: Option<Repair>,
    citations: Vec<UrlCitation<'static>>,
    /// Searches whose results are not known yet: most upstreams name the pages only where the text cites them.
    searches: Vec<String>,
    search_count: u64,
    called_tool: bool,
    refusal: Option<String>,
    has_content: bool,
    usage: Option<Usage>,
    written: Estimate,
}

/// The open block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
    /// The payload goes out as it comes.
    Json,
    /// The payload is put into a JSON string.
    Quoted,
}

// === impl Renderer ===

impl Renderer {
    /// A renderer for one answer.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            started: false,
            ended: false,
            next: 0,
            open: None,
            held: None,
            citations: Vec::new(),
            searches: Vec::new(),
            search_count: 0,
            called_tool: false,
            refusal: None,
            has_content: false,
            usage: None,
            written: Estimate::default(),
        }
    }

    /// Begins the message, if it has not begun: also before the upstream has said anything.
    pub fn start(&mut self, sink: &mut impl FnMut(Frame<'_>)) {
        if !std::mem::replace(&mut self.started, true) {
            let usage = Usage { input_tokens: self.options.input_estimate, ..Usage::default() };
            sink(Frame::MessageStart { id: &self.options.id, model: &self.options.model, usage });
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
            TurnEvent::Usage(usage) => self.usage = Some(usage::to_anthropic(usage, 0)),
            TurnEvent::Finished(finish) => self.on_finished(&finish, sink),
            TurnEvent::Failed(error) => {
                let (kind, message) = explain(&error);
                self.fail(kind, &message, sink);
            }
            TurnEvent::CutOff => {
                self.fail(ErrorKind::Api, "The upstream closed the stream before the answer was complete.", sink);
            }
        }
    }

    /// Ends the answer with an error. Open blocks stay open: a client must not take half a block for a whole one.
    pub fn fail(&mut self, kind: ErrorKind, message: &str, sink: &mut impl FnMut(Frame<'_>)) {
        if !std::mem::replace(&mut self.ended, true) {
            sink(Frame::Error { kind, message });
        }
    }

    /// Tells the client that the answer is still coming (claude-code.md §6). Nothing before the start and after the end.
    pub fn keep_alive(&self, level: KeepAlive, sink: &mut impl FnMut(Frame<'_>)) {
        if !self.started || self.ended {
            return;
        }
        let index = self.next.saturating_sub(1);
        match (level, self.open) {
            (KeepAlive::Ping, _) => sink(Frame::Ping),
            (KeepAlive::Content, None) => sink(Frame::MessageDelta { stop: None, usage: Usage::default() }),
            (KeepAlive::Content, Some(open)) => sink(Frame::BlockDelta {
                index,
                delta: match open {
                    Open::Text => FrameDelta::Text(""),
                    Open::Thinking => FrameDelta::Thinking(""),
                    Open::Json | Open::Quoted => FrameDelta::InputJson(""),
                },
            }),
        }
    }

    /// Whether nothing has been shown yet but perhaps thinking: such an answer is to be tried again, not ended.
    pub fn is_empty(&self) -> bool {
        !self.has_content
    }

    /// Whether the end has been sent.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn on_item_started(&mut self, item: &ItemStart<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        // Text and thinking open their block with their first word: an empty text block cannot be sent back.
        if let ItemStart::ToolCall { call_id, name, payload } = item {
            let id = self.options.ids.unique(call_id);
            let name = self.options.names.restore(name);
            self.held = self.options.repairs.iter().find(|repair| repair.tool == name).cloned();
            let block = Block::ToolUse { id: &id, name };
            sink(Frame::BlockStart { index: self.next, block });
            self.next += 1;
            self.called_tool = true;
            self.has_content = true;
            self.open = Some(if *payload == Payload::Text { Open::Quoted } else { Open::Json });
            if *payload == Payload::Text {
                self.delta(FrameDelta::InputJson("{\"input\":\""), sink);
            }
        }
    }

    fn on_delta(&mut self, delta: Delta<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        match delta {
            Delta::Text(text) | Delta::Refusal(text) => {
                self.open_block(Open::Text, Block::Text, sink);
                self.has_content = true;
                self.written.add(&text);
                self.delta(FrameDelta::Text(&text), sink);
            }
            Delta::Thinking(text) => {
                if self.options.thinking {
                    self.open_block(Open::Thinking, Block::Thinking, sink);
                    self.written.add(&text);
                    self.delta(FrameDelta::Thinking(&text), sink);
                }
            }
            Delta::Payload(text) => {
                self.written.add(&text);
                if self.open == Some(Open::Quoted) {
                    let mut escaped = Vec::with_capacity(text.len() + 8);
                    json::write_escaped(&mut escaped, &text);
                    self.delta(FrameDelta::InputJson(&String::from_utf8_lossy(&escaped)), sink);
                } else if self.held.is_none() {
                    self.delta(FrameDelta::InputJson(&text), sink);
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

    fn on_item_done(&mut self, item: &ItemDone<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        match item {
            ItemDone::Message { text, refused } => {
                let citations = std::mem::take(&mut self.citations);
                if self.open.is_some() {
                    for citation in &citations {
                        let (url, title) = (citation.url.as_ref(), citation.title.as_deref());
                        self.delta(FrameDelta::Citation { url, title, cited_text: quote(text, citation) }, sink);
                    }
                }
                self.close_block(sink);
                if *refused {
                    self.refusal = Some(text.as_ref().to_owned());
                }
                if !citations.is_empty() {
                    self.show_found(&citations, sink);
                }
            }
            ItemDone::Reasoning(reasoning) if self.options.thinking => self.close_thinking(reasoning, sink),
            ItemDone::Reasoning(_) => {}
            ItemDone::ToolCall { payload } => {
                if let Some(repair) = self.held.take() {
                    self.delta(FrameDelta::InputJson(&repair.apply(payload)), sink);
                }
                if self.open == Some(Open::Quoted) {
                    self.delta(FrameDelta::InputJson("\"}"), sink);
                }
                self.close_block(sink);
            }
            ItemDone::Search(search) => self.show_search(search, sink),
            ItemDone::Image { format, size, prompt } => {
                let text = describe_image(format.as_deref(), size.as_deref(), prompt.as_deref());
                self.open_block(Open::Text, Block::Text, sink);
                self.has_content = true;
                self.delta(FrameDelta::Text(&text), sink);
                self.close_block(sink);
            }
        }
    }

    fn close_thinking(&mut self, reasoning: &Reasoning<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        let sealed = (self.options.seal)(reasoning);
        match (self.open, sealed) {
            (Some(_), sealed) => {
                if let Some(signature) = sealed {
                    self.delta(FrameDelta::Signature(&signature), sink);
                }
                self.close_block(sink);
            }
            (None, Some(data)) => self.whole_block(Block::RedactedThinking { data: &data }, sink),
            (None, None) => {}
        }
    }

    /// A search is a block for the question and a block for what was found. Looking into a page that a search has found
    /// is no search, and has no block that the client would know.
    fn show_search(&mut self, search: &Search<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if search.kind != ActionKind::Search {
            return;
        }
        let name = search.id.as_deref().map_or_else(|| self.search_count.to_string(), str::to_owned);
        let id = self.options.ids.unique(&format!("srvtoolu_{name}")).into_owned();
        self.search_count += 1;
        self.has_content = true;

        let mut input = b"{\"query\":".to_vec();
        json::write_str(&mut input, search.queries.first().map_or("", |query| query.as_ref()));
        input.push(b'}');
        self.open_block(Open::Json, Block::ServerToolUse { id: &id, name: "web_search" }, sink);
        self.delta(FrameDelta::InputJson(&String::from_utf8_lossy(&input)), sink);
        self.close_block(sink);

        if search.failed {
            self.whole_block(Block::SearchResult { tool_use_id: &id, found: Found::Unavailable }, sink);
        } else if search.sources.is_empty() {
            self.searches.push(id);
        } else {
            let pages: Vec<_> = search
                .sources
                .iter()
                .map(|source| Page { url: &source.url, title: source.title.as_deref().unwrap_or(&source.url) })
                .collect();
            self.whole_block(Block::SearchResult { tool_use_id: &id, found: Found::Pages(&pages) }, sink);
        }
    }

    /// The searches that were waiting for their results get them: the last one what was cited, the ones before it nothing,
    /// for it is not said which search found which page.
    fn show_found(&mut self, citations: &[UrlCitation<'_>], sink: &mut impl FnMut(Frame<'_>)) {
        let mut pages: Vec<Page<'_>> = Vec::new();
        for citation in citations {
            if !pages.iter().any(|page| page.url == citation.url) {
                pages.push(Page { url: &citation.url, title: citation.title.as_deref().unwrap_or(&citation.url) });
            }
        }
        let searches = std::mem::take(&mut self.searches);
        for (place, id) in searches.iter().enumerate() {
            let pages: &[Page<'_>] = if place + 1 == searches.len() { &pages } else { &[] };
            self.whole_block(Block::SearchResult { tool_use_id: id, found: Found::Pages(pages) }, sink);
        }
    }

    fn on_finished(&mut self, finish: &Finish<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if *finish == Finish::Complete && self.is_empty() {
            return self.fail(ErrorKind::Api, "The model gave an empty answer.", sink);
        }
        self.show_found(&[], sink);
        let stop = match finish {
            Finish::Complete if self.called_tool => Stop::plain(StopReason::ToolUse),
            Finish::Complete if self.refusal.is_some() => {
                Stop { explanation: self.refusal.as_deref(), ..Stop::plain(StopReason::Refusal) }
            }
            Finish::Complete => Stop::plain(StopReason::EndTurn),
            Finish::Length => Stop::plain(StopReason::MaxTokens),
            Finish::Filtered => Stop {
                explanation: Some("The upstream's content filter ended the answer."),
                ..Stop::plain(StopReason::Refusal)
            },
            Finish::StopSequence(sequence) => {
                Stop { sequence: Some(sequence), ..Stop::plain(StopReason::StopSequence) }
            }
        };
        // An answer that we cut has no usage: the upstream was not asked to the end.
        let usage = self.usage.unwrap_or_else(|| Usage {
            input_tokens: self.options.input_estimate,
            output_tokens: self.written.tokens(),
            ..Usage::default()
        });
        self.ended = true;
        let usage = Usage { web_search_requests: self.search_count, ..usage };
        sink(Frame::MessageDelta { stop: Some(stop), usage });
        sink(Frame::MessageStop);
    }

    fn open_block(&mut self, open: Open, block: Block<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if self.open.is_none() {
            sink(Frame::BlockStart { index: self.next, block });
            self.next += 1;
            self.open = Some(open);
        }
    }

    fn close_block(&mut self, sink: &mut impl FnMut(Frame<'_>)) {
        if self.open.take().is_some() {
            sink(Frame::BlockStop { index: self.next - 1 });
        }
    }

    fn whole_block(&mut self, block: Block<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        sink(Frame::BlockStart { index: self.next, block });
        sink(Frame::BlockStop { index: self.next });
        self.next += 1;
    }

    fn delta(&self, delta: FrameDelta<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        sink(Frame::BlockDelta { index: self.next.saturating_sub(1), delta });
    }
}

/// What a late failure is to the client. Before the first byte the gateway answers with a real status instead.
fn explain(error: &UpstreamError) -> (ErrorKind, String) {
    let message = error.to_string();
    match error.code.as_deref().or(error.kind.as_deref()).unwrap_or_default() {
        // The words upon which Claude Code compacts, also in the middle of a stream (claude-code.md §0.4).
        "context_length_exceeded" => (ErrorKind::InvalidRequest, format!("prompt is too long: {message}")),
        "invalid_prompt" | "cyber_policy" | "bio_policy" | "content_policy_violation" => {
            (ErrorKind::InvalidRequest, message)
        }
        "rate_limit_exceeded"
        | "usage_limit_reached"
        | "insufficient_quota"
        | "subscription_sharing_usage_limit_exceeded" => (ErrorKind::RateLimit, message),
        "server_is_overloaded" | "slow_down" => (ErrorKind::Overloaded, message),
        _ => (ErrorKind::Api, message),
    }
}

/// The words of the answer that rest on a page. The upstream counts characters.
fn quote<'a>(text: &'a str, citation: &UrlCitation<'_>) -> &'a str {
    let (Some(start), Some(end)) = (citation.start, citation.end) else { return "" };
    let offset = |chars: u32| text.char_indices().nth(chars as usize).map_or(text.len(), |(offset, _)| offset);
    let quoted = text.get(offset(start)..offset(end)).unwrap_or_default();
    quoted.char_indices().nth(QUOTE).map_or(quoted, |(cut, _)| &quoted[..cut])
}
