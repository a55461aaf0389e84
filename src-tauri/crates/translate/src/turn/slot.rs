//! One item of the output, from its first sign to its end.
//!
//! A slot takes in whatever arrives for its item and gives out what may be sent now. It does not know whether it is its
//! turn: that is the queue's business.

use std::borrow::Cow;

use codeferry_wire::responses::event::{Action, Channel, Item, Phase, Source, UrlCitation};

use super::parts::Parts;
use super::{Delta, ItemDone, ItemStart, Note, Payload, Reasoning, Search};

/// The kinds of item that are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Reasoning,
    Function,
    Custom,
    Search,
    Image,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: Option<String>,
    pub(super) output_index: Option<u32>,
    pub(super) kind: Kind,
    /// Its place among the turn's items, once it has begun.
    pub(super) index: Option<u32>,
    /// Nothing more will come.
    pub(super) closed: bool,
    /// The item itself has been seen, not only pieces of it.
    pub(super) described: bool,
    /// What the item held when it began, for upstreams that say it only then.
    initial: Vec<(Channel, String)>,
    parts: Parts,
    body: Body,
}

/// What an item has besides text.
#[derive(Debug)]
enum Body {
    Message { phase: Option<Phase>, citations: Vec<UrlCitation<'static>>, cited: usize },
    Reasoning { encrypted_content: Option<String>, summary: Vec<String> },
    Tool { call_id: Option<String>, name: Option<String> },
    Search { failed: bool, action: Option<Action<'static>> },
    Image { format: Option<String>, size: Option<String>, prompt: Option<String>, made: bool },
}

/// Whether a slot may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// There is something to show.
    Ready,
    /// Not yet.
    Wait,
    /// It is whole, and there is nothing to show. The note says why, if that is worth one.
    Drop(Option<Note>),
}

// === impl Kind ===

impl Kind {
    pub(super) fn of(item: &Item<'_>) -> Option<Self> {
        Some(match item {
            Item::Message(_) => Self::Message,
            Item::Reasoning(_) => Self::Reasoning,
            Item::FunctionCall(_) => Self::Function,
            Item::CustomToolCall(_) => Self::Custom,
            Item::WebSearch(_) => Self::Search,
            Item::Image { .. } => Self::Image,
            Item::Other { .. } => return None,
        })
    }

    pub(super) fn of_channel(channel: Channel) -> Self {
        match channel {
            Channel::Text | Channel::Refusal => Self::Message,
            Channel::Summary | Channel::Reasoning => Self::Reasoning,
            Channel::Arguments => Self::Function,
            Channel::Input => Self::Custom,
        }
    }
}

// === impl Slot ===

impl Slot {
    pub(super) fn new(kind: Kind) -> Self {
        let body = match kind {
            Kind::Message => Body::Message { phase: None, citations: Vec::new(), cited: 0 },
            Kind::Reasoning => Body::Reasoning { encrypted_content: None, summary: Vec::new() },
            Kind::Function | Kind::Custom => Body::Tool { call_id: None, name: None },
            Kind::Search => Body::Search { failed: false, action: None },
            Kind::Image => Body::Image { format: None, size: None, prompt: None, made: false },
        };
        let joiner = if kind == Kind::Reasoning { "\n\n" } else { "" };
        Self {
            id: None,
            output_index: None,
            kind,
            index: None,
            closed: false,
            described: false,
            initial: Vec::new(),
            parts: Parts::new(joiner),
            body,
        }
    }

    pub(super) fn text(&self) -> &str {
        self.parts.text()
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        match self.body {
            Body::Message { phase, .. } => phase,
            _ => None,
        }
    }

    pub(super) fn call_id(&self) -> Option<&str> {
        match &self.body {
            Body::Tool { call_id, .. } => call_id.as_deref(),
            _ => None,
        }
    }

    /// Whether all text so far is out, so that the next piece may go out as it comes.
    pub(super) fn is_live(&self) -> bool {
        self.index.is_some() && self.parts.is_sent()
    }

    /// Takes a piece; false when it comes too late.
    pub(super) fn push(&mut self, channel: Channel, part: u32, piece: &str) -> bool {
        // What began as a summary goes on as one: the reasoning itself would say everything twice.
        if self.kind == Kind::Reasoning && self.parts.channel().is_some_and(|shown| shown != channel) {
            return true;
        }
        self.parts.push(channel, part, piece)
    }

    pub(super) fn mark_sent(&mut self) {
        self.parts.mark_sent();
    }

    pub(super) fn whole_part(&mut self, channel: Channel, part: u32, whole: &str) {
        if self.kind == Kind::Reasoning && self.parts.channel().is_some_and(|shown| shown != channel) {
            return;
        }
        self.parts.whole_part(channel, part, whole);
    }

    pub(super) fn cite(&mut self, citation: UrlCitation<'_>) {
        if let Body::Message { citations, .. } = &mut self.body {
            let citation = own_citation(citation);
            if !citations.contains(&citation) {
                citations.push(citation);
            }
        }
    }

    /// Takes what the item says of itself at its beginning. Its content, if there is some, is only kept: an upstream that
    /// sends it here most likely sends it again.
    pub(super) fn begin(&mut self, item: &Item<'_>) {
        self.describe(item);
        let mut keep = |channel, text: &str| {
            if !text.is_empty() {
                self.initial.push((channel, text.to_owned()));
            }
        };
        match item {
            Item::Message(message) => {
                for part in &message.parts {
                    keep(if part.refusal { Channel::Refusal } else { Channel::Text }, &part.text);
                }
            }
            Item::FunctionCall(call) => keep(Channel::Arguments, call.payload.as_deref().unwrap_or_default()),
            Item::CustomToolCall(call) => keep(Channel::Input, call.payload.as_deref().unwrap_or_default()),
            _ => {}
        }
    }

    /// The answer is over, and the item was never said to be whole.
    pub(super) fn close(&mut self) {
        self.closed = true;
        if self.parts.is_empty() {
            let whole: Vec<_> = self.initial.iter().map(|(channel, text)| (*channel, text.as_str())).collect();
            self.parts.reconcile(&whole);
        }
    }

    fn describe(&mut self, item: &Item<'_>) {
        self.described = true;
        match (item, &mut self.body) {
            (Item::Message(message), Body::Message { phase, .. }) => *phase = message.phase.or(*phase),
            (Item::FunctionCall(call) | Item::CustomToolCall(call), Body::Tool { call_id, name }) => {
                replace(call_id, &call.call_id);
                // A tool in a namespace is called `namespace.name` nowhere but here; we never send one.
                replace(name, &call.name);
            }
            _ => {}
        }
    }

    /// Takes the whole item. False when it contradicts what has been sent.
    pub(super) fn finish(&mut self, item: Item<'_>) -> bool {
        self.describe(&item);
        self.closed = true;
        match item {
            Item::Message(message) => {
                let whole: Vec<_> = message
                    .parts
                    .iter()
                    .map(|part| (if part.refusal { Channel::Refusal } else { Channel::Text }, part.text.as_ref()))
                    .collect();
                let agrees = self.parts.reconcile(&whole);
                for citation in message.parts.into_iter().flat_map(|part| part.citations) {
                    self.cite(citation);
                }
                agrees
            }
            Item::Reasoning(reasoning) => {
                if let Body::Reasoning { encrypted_content, summary } = &mut self.body {
                    replace(encrypted_content, &reasoning.encrypted_content);
                    *summary = reasoning.summary.iter().map(|part| part.as_ref().to_owned()).collect();
                }
                let shown = self.parts.channel();
                let (channel, texts) = match shown {
                    Some(Channel::Reasoning) => (Channel::Reasoning, &reasoning.content),
                    None if reasoning.summary.iter().all(|text| text.is_empty()) => {
                        (Channel::Reasoning, &reasoning.content)
                    }
                    _ => (Channel::Summary, &reasoning.summary),
                };
                let whole: Vec<_> = texts.iter().map(|text| (channel, text.as_ref())).collect();
                self.parts.reconcile(&whole)
            }
            Item::FunctionCall(call) => {
                self.parts.reconcile(&[(Channel::Arguments, call.payload.as_deref().unwrap_or_default())])
            }
            Item::CustomToolCall(call) => {
                self.parts.reconcile(&[(Channel::Input, call.payload.as_deref().unwrap_or_default())])
            }
            Item::WebSearch(search) => {
                self.body = Body::Search { failed: search.failed, action: search.action.map(own_action) };
                true
            }
            Item::Image { format, size, prompt, made, .. } => {
                self.body = Body::Image { format: own(format), size: own(size), prompt: own(prompt), made };
                true
            }
            Item::Other { .. } => true,
        }
    }

    /// Whether the item may begin.
    pub(super) fn readiness(&self) -> Readiness {
        let (something, note) = match &self.body {
            Body::Message { .. } => (!self.parts.is_empty(), None),
            Body::Reasoning { encrypted_content, .. } => {
                (!self.parts.is_empty() || self.closed && encrypted_content.is_some(), None)
            }
            // Without an id of its own a call gets one, but only when none can come any more.
            Body::Tool { call_id, name } => {
                (name.is_some() && (call_id.is_some() || self.closed), Some(Note::Nameless))
            }
            Body::Search { .. } => (true, None),
            Body::Image { made, .. } => (self.closed && *made, None),
        };
        match (something, self.closed) {
            (true, _) => Readiness::Ready,
            (false, false) => Readiness::Wait,
            (false, true) => Readiness::Drop(note),
        }
    }

    /// The item's beginning. Asked once, when it is [`Readiness::Ready`].
    pub(super) fn start(&self) -> ItemStart<'static> {
        match &self.body {
            Body::Message { phase, .. } => ItemStart::Message { phase: *phase },
            Body::Reasoning { .. } => ItemStart::Reasoning,
            Body::Tool { call_id, name } => ItemStart::ToolCall {
                // The item's own id is unique in the answer; without one, the place is.
                call_id: Cow::Owned(
                    call_id
                        .clone()
                        .or_else(|| self.id.clone())
                        .unwrap_or_else(|| format!("call_{}", self.output_index.unwrap_or_default())),
                ),
                name: Cow::Owned(name.clone().unwrap_or_default()),
                payload: if self.kind == Kind::Custom { Payload::Text } else { Payload::Json },
            },
            Body::Search { .. } => ItemStart::Search,
            Body::Image { .. } => ItemStart::Image,
        }
    }

    /// The next delta that has not been sent.
    pub(super) fn take_delta(&mut self) -> Option<Delta<'static>> {
        if let Some((channel, text)) = self.parts.take_pending() {
            return Some(delta(channel, Cow::Owned(text.to_owned())));
        }
        match &mut self.body {
            Body::Message { citations, cited, .. } if *cited < citations.len() => {
                *cited += 1;
                Some(Delta::Citation(citations[*cited - 1].clone()))
            }
            _ => None,
        }
    }

    /// The item's end. Everything must have been sent.
    pub(super) fn done(self) -> ItemDone<'static> {
        let Self { id, parts, body, .. } = self;
        match body {
            Body::Message { .. } => {
                ItemDone::Message { refused: parts.has_channel(Channel::Refusal), text: Cow::Owned(parts.into_text()) }
            }
            Body::Reasoning { encrypted_content, summary } => {
                let summary = if summary.is_empty() && parts.channel() == Some(Channel::Summary) {
                    parts.split().map(|part| Cow::Owned(part.to_owned())).collect()
                } else {
                    summary.into_iter().map(Cow::Owned).collect()
                };
                ItemDone::Reasoning(Reasoning {
                    id: id.map(Cow::Owned),
                    encrypted_content: encrypted_content.map(Cow::Owned),
                    summary,
                    text: Cow::Owned(parts.into_text()),
                })
            }
            Body::Tool { .. } => ItemDone::ToolCall { payload: Cow::Owned(parts.into_text()) },
            Body::Search { failed, action } => {
                let action = action.unwrap_or_default();
                ItemDone::Search(Search {
                    id: id.map(Cow::Owned),
                    kind: action.kind,
                    failed,
                    queries: action.queries,
                    url: action.url,
                    sources: action.sources,
                })
            }
            Body::Image { format, size, prompt, .. } => ItemDone::Image {
                format: format.map(Cow::Owned),
                size: size.map(Cow::Owned),
                prompt: prompt.map(Cow::Owned),
            },
        }
    }
}

/// A piece of a channel, as the turn says it.
pub(super) fn delta(channel: Channel, text: Cow<'_, str>) -> Delta<'_> {
    match channel {
        Channel::Text => Delta::Text(text),
        Channel::Refusal => Delta::Refusal(text),
        Channel::Summary | Channel::Reasoning => Delta::Thinking(text),
        Channel::Arguments | Channel::Input => Delta::Payload(text),
    }
}

/// What comes later is better, but nothing is not.
fn replace(place: &mut Option<String>, with: &Option<Cow<'_, str>>) {
    if let Some(text) = with {
        *place = Some(text.as_ref().to_owned());
    }
}

fn own(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}

fn own_cow(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn own_citation(citation: UrlCitation<'_>) -> UrlCitation<'static> {
    UrlCitation {
        url: own_cow(citation.url),
        title: citation.title.map(own_cow),
        start: citation.start,
        end: citation.end,
    }
}

fn own_action(action: Action<'_>) -> Action<'static> {
    Action {
        kind: action.kind,
        queries: action.queries.into_iter().map(own_cow).collect(),
        url: action.url.map(own_cow),
        sources: action
            .sources
            .into_iter()
            .map(|source| Source { url: own_cow(source.url), title: source.title.map(own_cow) })
            .collect(),
    }
}
