//! Folds the frames of an Anthropic answer into one message.
//!
//! **Invariant:** there is no second way to make a message. What a client gets whole is what it would have got in frames.

use std::borrow::Cow;

use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::anthropic::frame::{Block, Delta, Found, Frame, Page, Stop, StopReason, Usage};
use codeferry_wire::anthropic::message::{Content, Message};
use codeferry_wire::json::{self, Kind, Reader};

#[cfg(test)]
mod tests;

/// Takes frames, gives a message.
#[derive(Debug, Default)]
pub struct Collector {
    id: String,
    model: String,
    blocks: Vec<Collected>,
    stop: Option<(StopReason, Option<String>, Option<String>)>,
    usage: Usage,
    error: Option<(ErrorKind, String)>,
    complete: bool,
}

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMessage {
    /// The answer failed.
    #[error("{message}")]
    Failed {
        /// What kind of error.
        kind: ErrorKind,
        /// In words, for the user.
        message: String,
    },
    /// The frames stop before the end.
    #[error("the answer is not complete")]
    Incomplete,
}

/// A block and what was added to it.
#[derive(Debug)]
enum Collected {
    Text { text: String, citations: Vec<Cited> },
    Thinking { thinking: String, signature: String },
    Redacted { data: String },
    Tool { id: String, name: String, input: String, server: bool },
    Search { tool_use_id: String, pages: Option<Vec<(String, String)>> },
}

#[derive(Debug)]
struct Cited {
    url: String,
    title: Option<String>,
    text: String,
}

// === impl Collector ===

impl Collector {
    /// A collector for one answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one frame.
    pub fn on(&mut self, frame: Frame<'_>) {
        match frame {
            Frame::MessageStart { id, model, usage } => {
                id.clone_into(&mut self.id);
                model.clone_into(&mut self.model);
                self.usage = usage;
            }
            Frame::BlockStart { block, .. } => self.blocks.push(Collected::new(block)),
            Frame::BlockDelta { delta, .. } => {
                if let Some(block) = self.blocks.last_mut() {
                    block.add(delta);
                }
            }
            Frame::MessageDelta { stop: Some(stop), usage } => {
                let owned = |text: Option<&str>| text.map(str::to_owned);
                self.stop = Some((stop.reason, owned(stop.sequence), owned(stop.explanation)));
                self.usage = usage;
            }
            Frame::MessageStop => self.complete = true,
            Frame::Error { kind, message } => self.error = Some((kind, message.to_owned())),
            Frame::BlockStop { .. } | Frame::MessageDelta { stop: None, .. } | Frame::Ping => {}
        }
    }

    /// The body of the answer.
    ///
    /// # Errors
    /// When the answer failed or is not at its end.
    pub fn finish(&self) -> Result<Vec<u8>, NoMessage> {
        if let Some((kind, message)) = &self.error {
            return Err(NoMessage::Failed { kind: *kind, message: message.clone() });
        }
        if !self.complete {
            return Err(NoMessage::Incomplete);
        }
        let lent: Vec<_> = self.blocks.iter().map(|block| (block.pages(), block.input())).collect();
        let content =
            self.blocks.iter().zip(&lent).map(|(block, (pages, input))| block.content(pages, input)).collect();
        let stop = self.stop.as_ref().map(|(reason, sequence, explanation)| Stop {
            reason: *reason,
            sequence: sequence.as_deref(),
            explanation: explanation.as_deref(),
        });
        let message = Message { id: &self.id, model: &self.model, content, stop, usage: self.usage };
        let mut out = Vec::new();
        message.write_json(&mut out);
        Ok(out)
    }
}

// === impl Collected ===

impl Collected {
    fn new(block: Block<'_>) -> Self {
        match block {
            Block::Text => Self::Text { text: String::new(), citations: Vec::new() },
            Block::Thinking => Self::Thinking { thinking: String::new(), signature: String::new() },
            Block::RedactedThinking { data } => Self::Redacted { data: data.to_owned() },
            Block::ToolUse { id, name } | Block::ServerToolUse { id, name } => Self::Tool {
                id: id.to_owned(),
                name: name.to_owned(),
                input: String::new(),
                server: matches!(block, Block::ServerToolUse { .. }),
            },
            Block::SearchResult { tool_use_id, found } => Self::Search {
                tool_use_id: tool_use_id.to_owned(),
                pages: match found {
                    Found::Unavailable => None,
                    Found::Pages(pages) => {
                        Some(pages.iter().map(|page| (page.url.to_owned(), page.title.to_owned())).collect())
                    }
                },
            },
        }
    }

    fn add(&mut self, delta: Delta<'_>) {
        match (self, delta) {
            (Self::Text { text, .. }, Delta::Text(more)) => text.push_str(more),
            (Self::Text { citations, .. }, Delta::Citation { url, title, cited_text }) => citations.push(Cited {
                url: url.to_owned(),
                title: title.map(str::to_owned),
                text: cited_text.to_owned(),
            }),
            (Self::Thinking { thinking, .. }, Delta::Thinking(more)) => thinking.push_str(more),
            (Self::Thinking { signature, .. }, Delta::Signature(more)) => signature.push_str(more),
            (Self::Tool { input, .. }, Delta::InputJson(more)) => input.push_str(more),
            // The renderer puts no such delta into such a block; a client would not take it either.
            _ => {}
        }
    }

    fn pages(&self) -> Vec<Page<'_>> {
        match self {
            Self::Search { pages: Some(pages), .. } => pages.iter().map(|(url, title)| Page { url, title }).collect(),
            _ => Vec::new(),
        }
    }

    fn input(&self) -> Cow<'_, str> {
        match self {
            Self::Tool { input, .. } => object(input),
            _ => Cow::Borrowed(""),
        }
    }

    fn content<'a>(&'a self, pages: &'a [Page<'a>], input: &'a str) -> Content<'a> {
        match self {
            Self::Text { text, citations } => Content::Text {
                text,
                citations: citations
                    .iter()
                    .map(|cited| Delta::Citation {
                        url: &cited.url,
                        title: cited.title.as_deref(),
                        cited_text: &cited.text,
                    })
                    .collect(),
            },
            Self::Thinking { thinking, signature } => Content::Thinking { thinking, signature },
            Self::Redacted { data } => Content::Whole(Block::RedactedThinking { data }),
            Self::Tool { id, name, server: false, .. } => Content::ToolUse { id, name, input },
            Self::Tool { id, name, server: true, .. } => Content::ServerToolUse { id, name, input },
            Self::Search { tool_use_id, pages: None } => {
                Content::Whole(Block::SearchResult { tool_use_id, found: Found::Unavailable })
            }
            Self::Search { tool_use_id, pages: Some(_) } => {
                Content::Whole(Block::SearchResult { tool_use_id, found: Found::Pages(pages) })
            }
        }
    }
}

/// The input as it can stand in a message. A model sometimes writes what is no JSON; in a stream that is the client's to
/// find out, here it would spoil the whole answer, so it is wrapped as Claude Code itself does it (claude-code.md §0.6).
fn object(input: &str) -> Cow<'_, str> {
    if input.is_empty() {
        return Cow::Borrowed("{}");
    }
    let mut reader = Reader::of(input);
    if reader.peek() == Ok(Kind::Object) && reader.value().is_ok() && reader.finish().is_ok() {
        return Cow::Borrowed(input);
    }
    let mut wrapped = b"{\"__unparsedToolInput\":{\"raw\":".to_vec();
    json::write_str(&mut wrapped, input);
    wrapped.extend_from_slice(format!(",\"len\":{}}}}}", input.len()).as_bytes());
    Cow::Owned(String::from_utf8_lossy(&wrapped).into_owned())
}
