//! A whole Anthropic answer, for clients that do not stream.
//!
//! **Invariant:** the members are those of the streamed frames; a client cannot tell from the content how it was sent.

use super::frame::{Block, Delta, Stop, Usage, citation, put, tool_use};
use crate::json::write_str;

/// A whole answer. The texts are borrowed from whoever collected them.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'a> {
    /// The message's id.
    pub id: &'a str,
    /// The model, by the name the client asked for.
    pub model: &'a str,
    /// Its blocks.
    pub content: Vec<Content<'a>>,
    /// Why it ended.
    pub stop: Option<Stop<'a>>,
    /// What it cost.
    pub usage: Usage,
}

/// A whole block.
#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// `text`
    Text {
        /// The text.
        text: &'a str,
        /// What it cites, as [`Delta::Citation`].
        citations: Vec<Delta<'a>>,
    },
    /// `thinking`
    Thinking {
        /// The text.
        thinking: &'a str,
        /// What comes back with the next request.
        signature: &'a str,
    },
    /// `tool_use`
    ToolUse {
        /// Unique in the conversation.
        id: &'a str,
        /// The tool.
        name: &'a str,
        /// A JSON object.
        input: &'a str,
    },
    /// `server_tool_use`
    ServerToolUse {
        /// Unique in the conversation.
        id: &'a str,
        /// The tool.
        name: &'a str,
        /// A JSON object.
        input: &'a str,
    },
    /// A block that is whole from its start.
    Whole(Block<'a>),
}

// === impl Message ===

impl Message<'_> {
    /// Writes the body of a non-streamed answer.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        put(out, "{\"id\":");
        write_str(out, self.id);
        put(out, ",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
        write_str(out, self.model);
        put(out, ",\"content\":[");
        for (place, block) in self.content.iter().enumerate() {
            if place > 0 {
                put(out, ",");
            }
            block.write(out);
        }
        put(out, "],");
        match &self.stop {
            Some(stop) => stop.write_members(out),
            None => put(out, "\"stop_reason\":null,\"stop_sequence\":null"),
        }
        put(out, ",\"usage\":");
        self.usage.write(out);
        put(out, "}");
    }
}

// === impl Content ===

impl Content<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text { text, citations } => {
                put(out, "{\"type\":\"text\",\"text\":");
                write_str(out, text);
                if !citations.is_empty() {
                    put(out, ",\"citations\":[");
                    let mut first = true;
                    for cited in citations {
                        if let Delta::Citation { url, title, cited_text } = cited {
                            if !std::mem::take(&mut first) {
                                put(out, ",");
                            }
                            citation(out, url, *title, cited_text);
                        }
                    }
                    put(out, "]");
                }
                put(out, "}");
            }
            Self::Thinking { thinking, signature } => {
                put(out, "{\"type\":\"thinking\",\"thinking\":");
                write_str(out, thinking);
                put(out, ",\"signature\":");
                write_str(out, signature);
                put(out, "}");
            }
            Self::ToolUse { id, name, input } => tool_use(out, "tool_use", id, name, input),
            Self::ServerToolUse { id, name, input } => tool_use(out, "server_tool_use", id, name, input),
            Self::Whole(block) => block.write(out),
        }
    }
}

#[cfg(test)]
mod tests;
