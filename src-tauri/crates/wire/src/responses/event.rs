//! What the upstream says while it answers: the events of a Responses stream (codex-backend.md §3).
//!
//! The set is chosen, not mirrored: events that only repeat what others say become the same variant, and everything else
//! is [`StreamEvent::Other`]. An event is read in one pass over its JSON and borrows from it.
//!
//! Reading is tolerant on purpose. A member that is missing or of the wrong kind is as good as absent; only text that is
//! no JSON object at all is refused. What a sloppy stream means is the reducer's business (`codeferry-translate`).
//!
//! **Invariant:** nothing here depends on what came before. An event is read alone.

use std::borrow::Cow;

use crate::json::{self, Raw, Reader};

mod item;
mod read;
mod response;
#[cfg(test)]
mod tests;

pub use item::{Action, ActionKind, Item, Message, Part, Phase, Reasoning, Search, Source, ToolCall, UrlCitation};
pub use read::{member, tag_of};
pub use response::{ErrorFacts, Response, Usage};

/// Which item an event belongs to. Upstreams sometimes give only one of the two, and sometimes neither.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct At<'a> {
    /// The item's id.
    pub item_id: Option<Cow<'a, str>>,
    /// The item's place in the output.
    pub output_index: Option<u32>,
}

/// One event of a Responses stream.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent<'a> {
    /// `response.created`, `response.in_progress`, `response.queued`.
    Created(Box<Response<'a>>),
    /// `response.output_item.added`: an item begins, often with its content still missing.
    ItemAdded {
        /// Which item.
        at: At<'a>,
        /// The item as far as it is known.
        item: Box<Item<'a>>,
    },
    /// `response.output_item.done`: the item, whole.
    ItemDone {
        /// Which item.
        at: At<'a>,
        /// The whole item.
        item: Box<Item<'a>>,
    },
    /// `response.content_part.added`, `response.reasoning_summary_part.added`.
    PartAdded {
        /// Which item.
        at: At<'a>,
        /// The part's place in the item.
        index: u32,
    },
    /// A piece of a channel: text, refusal, summary, reasoning, arguments or input.
    Delta {
        /// Which item.
        at: At<'a>,
        /// What kind of text it is.
        channel: Channel,
        /// The part of the item it belongs to (`content_index` or `summary_index`).
        part: u32,
        /// The piece.
        text: Cow<'a, str>,
    },
    /// The whole text of a channel's part, repeated at its end (`….done`, `response.content_part.done`).
    Whole {
        /// Which item.
        at: At<'a>,
        /// What kind of text it is.
        channel: Channel,
        /// The part of the item it belongs to.
        part: u32,
        /// The whole text.
        text: Cow<'a, str>,
    },
    /// `response.output_text.annotation.added` with a URL citation.
    Citation {
        /// Which item.
        at: At<'a>,
        /// The citation.
        citation: UrlCitation<'a>,
    },
    /// `response.web_search_call.*`: a hosted search goes on.
    SearchProgress {
        /// Which item.
        at: At<'a>,
    },
    /// `response.image_generation_call.*`: a picture is being made.
    ImageProgress {
        /// Which item.
        at: At<'a>,
    },
    /// `response.completed`.
    Completed(Box<Response<'a>>),
    /// `response.incomplete`: the answer stops early; the response says why.
    Incomplete(Box<Response<'a>>),
    /// `response.failed`, `response.cancelled`.
    Failed(Box<Response<'a>>),
    /// A bare `error`, flat or nested.
    Error(Box<ErrorFacts<'a>>),
    /// `codex.rate_limits`, the whole event.
    RateLimits(Raw<'a>),
    /// `response.metadata`, the whole event: headers that came too late to be headers.
    Metadata(Raw<'a>),
    /// Any other event.
    Other {
        /// Its `type`; empty when it has none.
        tag: Cow<'a, str>,
    },
}

/// The kinds of text that come in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// `response.output_text`
    Text,
    /// `response.refusal`
    Refusal,
    /// `response.reasoning_summary_text`
    Summary,
    /// `response.reasoning_text`: reasoning as it was thought, not summarised.
    Reasoning,
    /// `response.function_call_arguments`
    Arguments,
    /// `response.custom_tool_call_input`
    Input,
}

/// The members of an event that anyone reads, before it is known which event it is: `type` need not come first.
struct Members<'a> {
    tag: Raw<'a>,
    item_id: Raw<'a>,
    output_index: Raw<'a>,
    part_index: Raw<'a>,
    text: Raw<'a>,
    part: Raw<'a>,
    annotation: Raw<'a>,
    item: Option<Box<Item<'a>>>,
    response: Option<Box<Response<'a>>>,
    error: ErrorFacts<'a>,
}

// === impl StreamEvent ===

impl<'a> StreamEvent<'a> {
    /// Reads the `data` of one frame.
    ///
    /// # Errors
    /// When it is not a JSON object. Such an event is to be skipped, not to end the stream (codex-backend.md §3).
    pub fn parse(data: &'a str) -> Result<Self, json::Error> {
        let mut members = Members::new();
        let mut reader = Reader::of(data);
        reader.object(|key, reader| members.take(key, reader))?;
        let raw = reader.since(0);
        reader.finish()?;
        Ok(members.into_event(raw))
    }

    /// Whether nothing that counts comes after it.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed(_) | Self::Incomplete(_) | Self::Failed(_) | Self::Error(_))
    }
}

// === impl Members ===

impl<'a> Members<'a> {
    fn new() -> Self {
        Self {
            tag: Raw::NULL,
            item_id: Raw::NULL,
            output_index: Raw::NULL,
            part_index: Raw::NULL,
            text: Raw::NULL,
            part: Raw::NULL,
            annotation: Raw::NULL,
            item: None,
            response: None,
            error: ErrorFacts::default(),
        }
    }

    fn take(&mut self, key: &str, reader: &mut Reader<'a>) -> Result<(), json::Error> {
        match key {
            "type" => self.tag = reader.value()?,
            "item_id" => self.item_id = reader.value()?,
            "output_index" => self.output_index = reader.value()?,
            "content_index" | "summary_index" => self.part_index = reader.value()?,
            // No event has two of these.
            "delta" | "text" | "refusal" | "arguments" | "input" => self.text = reader.value()?,
            "part" => self.part = reader.value()?,
            "annotation" => self.annotation = reader.value()?,
            "item" => self.item = Some(Box::new(Item::read(reader)?)),
            "response" => self.response = Some(Box::new(Response::read(reader)?)),
            // Errors are flat or nested, and some gateways write `detail` (codex-backend.md §2, §3).
            // The rest is theirs, or nobody's and skipped.
            _ => self.error.take(key, reader)?,
        }
        Ok(())
    }

    fn into_event(mut self, raw: Raw<'a>) -> StreamEvent<'a> {
        use Channel::{Arguments, Input, Reasoning, Refusal, Summary, Text};
        let tag = self.tag.string();
        let Some(name) = tag.as_deref() else {
            // A gateway's error body in place of an event.
            return if self.error.is_empty() {
                StreamEvent::Other { tag: Cow::Borrowed("") }
            } else {
                StreamEvent::Error(Box::new(self.error))
            };
        };
        match name {
            "response.output_text.delta" => self.delta(Text),
            "response.function_call_arguments.delta" => self.delta(Arguments),
            "response.reasoning_summary_text.delta" => self.delta(Summary),
            "response.reasoning_text.delta" => self.delta(Reasoning),
            "response.refusal.delta" => self.delta(Refusal),
            "response.custom_tool_call_input.delta" => self.delta(Input),
            "response.output_text.done" => self.whole(Text),
            "response.function_call_arguments.done" => self.whole(Arguments),
            "response.reasoning_summary_text.done" => self.whole(Summary),
            "response.reasoning_text.done" => self.whole(Reasoning),
            "response.refusal.done" => self.whole(Refusal),
            "response.custom_tool_call_input.done" => self.whole(Input),
            "response.content_part.done" | "response.reasoning_summary_part.done" => self.part_done(),
            "response.content_part.added" | "response.reasoning_summary_part.added" => {
                StreamEvent::PartAdded { at: self.at(), index: self.index() }
            }
            "response.output_item.added" => StreamEvent::ItemAdded { at: self.at(), item: self.item() },
            "response.output_item.done" => StreamEvent::ItemDone { at: self.at(), item: self.item() },
            "response.output_text.annotation.added" => match UrlCitation::of(self.annotation) {
                Some(citation) => StreamEvent::Citation { at: self.at(), citation },
                None => StreamEvent::Other { tag: self.tag() },
            },
            "response.created" | "response.in_progress" | "response.queued" => StreamEvent::Created(self.response()),
            "response.completed" | "response.done" => StreamEvent::Completed(self.response()),
            "response.incomplete" => StreamEvent::Incomplete(self.response()),
            "response.failed" | "response.cancelled" => StreamEvent::Failed(self.response()),
            "error" => StreamEvent::Error(Box::new(self.error)),
            "codex.rate_limits" => StreamEvent::RateLimits(raw),
            "response.metadata" => StreamEvent::Metadata(raw),
            _ if name.starts_with("response.web_search_call.") => StreamEvent::SearchProgress { at: self.at() },
            _ if name.starts_with("response.image_generation_call.") => StreamEvent::ImageProgress { at: self.at() },
            _ => StreamEvent::Other { tag: self.tag() },
        }
    }

    fn tag(&self) -> Cow<'a, str> {
        self.tag.string().unwrap_or_default()
    }

    fn at(&self) -> At<'a> {
        At { item_id: read::name(self.item_id), output_index: read::index(self.output_index) }
    }

    fn index(&self) -> u32 {
        read::index(self.part_index).unwrap_or_default()
    }

    fn item(&mut self) -> Box<Item<'a>> {
        self.item.take().unwrap_or_else(|| Box::new(Item::nothing()))
    }

    fn response(&mut self) -> Box<Response<'a>> {
        self.response.take().unwrap_or_default()
    }

    fn delta(&self, channel: Channel) -> StreamEvent<'a> {
        match self.text.string() {
            Some(text) => StreamEvent::Delta { at: self.at(), channel, part: self.index(), text },
            None => StreamEvent::Other { tag: self.tag() },
        }
    }

    fn whole(&self, channel: Channel) -> StreamEvent<'a> {
        match self.text.string() {
            Some(text) => StreamEvent::Whole { at: self.at(), channel, part: self.index(), text },
            None => StreamEvent::Other { tag: self.tag() },
        }
    }

    fn part_done(&self) -> StreamEvent<'a> {
        let Some((channel, part)) = Part::with_channel(self.part) else {
            return StreamEvent::Other { tag: self.tag() };
        };
        StreamEvent::Whole { at: self.at(), channel, part: self.index(), text: part.text }
    }
}
