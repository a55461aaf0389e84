//! The answer, step by step, in a grammar that can be trusted.
//!
//! ```text
//! Started · (ItemStarted · Delta* · ItemDone)* · Usage? · (Finished | Failed | CutOff)
//! ```
//!
//! Indices are dense from 0. Items do not interleave: what comes in parallel waits its turn. Deltas concatenate to the
//! content that [`TurnEvent::ItemDone`] repeats. There is exactly one end, and nothing comes after it. One freedom is left,
//! on purpose: [`TurnEvent::Failed`] and [`TurnEvent::CutOff`] may find the last item still open. Closing it would make
//! half a text, or half a tool call, look whole.
//!
//! All that is ugly in upstream streams is known to the [`Reducer`] and to nobody behind it: ends without deltas, ids
//! that come late, text that is repeated, arguments before their item, items that interleave or appear only in
//! `completed.output`. What it could not carry it says in [`Note`]s.

use std::borrow::Cow;

use codeferry_wire::responses::event::{ActionKind, Phase, Source, UrlCitation, Usage};

mod error;
mod note;
mod parts;
mod queue;
mod reducer;
mod slot;
#[cfg(test)]
mod tests;

pub use error::UpstreamError;
pub use note::Note;
pub use reducer::{Events, Reducer};

/// One step of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnEvent<'a> {
    /// The upstream has taken the request. Always the first event.
    Started {
        /// The upstream's id for the response.
        id: Option<Cow<'a, str>>,
        /// The model that answers.
        model: Option<Cow<'a, str>>,
    },
    /// An item begins.
    ItemStarted {
        /// Its place: 0, 1, 2 …
        index: u32,
        /// What kind of item.
        item: ItemStart<'a>,
    },
    /// The open item grows.
    Delta {
        /// The place of the open item.
        index: u32,
        /// By what.
        delta: Delta<'a>,
    },
    /// The open item is whole.
    ItemDone {
        /// Its place.
        index: u32,
        /// All of it.
        item: ItemDone<'a>,
    },
    /// What the answer cost.
    Usage(Usage),
    /// The end: the answer is all there.
    Finished(Finish<'a>),
    /// The end: the upstream says that it failed.
    Failed(Box<UpstreamError>),
    /// The end: the stream stopped without one.
    CutOff,
}

/// The kinds of item, as they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemStart<'a> {
    /// The model talks.
    Message {
        /// Whether it is talk on the way or the answer.
        phase: Option<Phase>,
    },
    /// The model thinks.
    Reasoning,
    /// The model calls a tool of the client's.
    ToolCall {
        /// The id by which the result will refer to the call.
        call_id: Cow<'a, str>,
        /// The tool, by the name that was sent upstream.
        name: Cow<'a, str>,
        /// What the payload is.
        payload: Payload,
    },
    /// The upstream searches the web.
    Search,
    /// The upstream paints a picture.
    Image,
}

/// What a tool call's payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// JSON arguments.
    Json,
    /// Free text, for a custom tool.
    Text,
}

/// What is added to the open item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta<'a> {
    /// More text of a message.
    Text(Cow<'a, str>),
    /// More text of a message, in which the model refuses.
    Refusal(Cow<'a, str>),
    /// A page that the message rests on. It does not count as content.
    Citation(UrlCitation<'a>),
    /// More of the reasoning that may be shown.
    Thinking(Cow<'a, str>),
    /// More of a tool call's payload.
    Payload(Cow<'a, str>),
}

/// A whole item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemDone<'a> {
    /// All the text of a message, refusals included.
    Message {
        /// The text.
        text: Cow<'a, str>,
        /// Whether some of it is a refusal.
        refused: bool,
    },
    /// A piece of reasoning.
    Reasoning(Reasoning<'a>),
    /// A tool call.
    ToolCall {
        /// The whole payload.
        payload: Cow<'a, str>,
    },
    /// A search.
    Search(Search<'a>),
    /// A picture. The picture itself is not carried.
    Image {
        /// `png`, `jpeg`, …
        format: Option<Cow<'a, str>>,
        /// `1024x1024`
        size: Option<Cow<'a, str>>,
        /// What was painted.
        prompt: Option<Cow<'a, str>>,
    },
}

/// A whole piece of reasoning, with what is needed to send it back upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning<'a> {
    /// The upstream's id for the item.
    pub id: Option<Cow<'a, str>>,
    /// The reasoning, sealed by the upstream.
    pub encrypted_content: Option<Cow<'a, str>>,
    /// The parts of the summary as the upstream wrote them.
    pub summary: Vec<Cow<'a, str>>,
    /// What was shown: the summary's parts with blank lines between them, or the reasoning itself.
    pub text: Cow<'a, str>,
}

/// A whole search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search<'a> {
    /// The upstream's id for the item.
    pub id: Option<Cow<'a, str>>,
    /// What was done. Opening a page counts as a step of a search.
    pub kind: ActionKind,
    /// Whether it went wrong.
    pub failed: bool,
    /// The words that were searched for.
    pub queries: Vec<Cow<'a, str>>,
    /// The page that was opened.
    pub url: Option<Cow<'a, str>>,
    /// What was found, if the upstream says so.
    pub sources: Vec<Source<'a>>,
}

/// Why an answer is at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish<'a> {
    /// The model is done, or waits for a tool.
    Complete,
    /// The answer reached its length, the upstream's or the client's.
    Length,
    /// A filter ended it.
    Filtered,
    /// One of the client's stop sequences came up.
    StopSequence(Cow<'a, str>),
}

// === impl TurnEvent ===

impl TurnEvent<'_> {
    /// Whether the gateway commits upon it: there is something to show. `Started` is not enough, an upstream can still
    /// refuse after it; and an end is an outcome, to be judged before anything is sent.
    pub fn worth_sending(&self) -> bool {
        matches!(self, Self::ItemStarted { .. } | Self::Delta { .. } | Self::ItemDone { .. })
    }

    /// Whether it is the end.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Finished(_) | Self::Failed(_) | Self::CutOff)
    }
}
