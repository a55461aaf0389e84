//! The frames of an Anthropic answer, typed, and how they are written.
//!
//! What is written here is what the SDKs' own types ask for, no more (claude-code.md §10). Each frame has its `event:`
//! line: clients drop frames without it (claude-code.md §0.7).
//!
//! **Invariant:** a frame is written alone. Which frame may follow which is the renderer's business.

use super::error::{ErrorBody, ErrorKind};
use crate::json::write_str;

#[cfg(test)]
mod tests;

/// One frame of a streamed answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame<'a> {
    /// `message_start`: the answer begins.
    MessageStart {
        /// The message's id.
        id: &'a str,
        /// The model, by the name the client asked for.
        model: &'a str,
        /// What is known of the cost: the input, estimated.
        usage: Usage,
    },
    /// `content_block_start`
    BlockStart {
        /// The block's place: 0, 1, 2 …
        index: u32,
        /// The block, empty yet.
        block: Block<'a>,
    },
    /// `content_block_delta`
    BlockDelta {
        /// The block that is open.
        index: u32,
        /// What is added to it.
        delta: Delta<'a>,
    },
    /// `content_block_stop`
    BlockStop {
        /// The block that is open.
        index: u32,
    },
    /// `message_delta`: why the answer ends, and what it cost. Without a reason it says nothing, and is how a client that
    /// counts only content is kept waiting (claude-code.md §6).
    MessageDelta {
        /// Why the answer ends.
        stop: Option<Stop<'a>>,
        /// What it cost.
        usage: Usage,
    },
    /// `message_stop`
    MessageStop,
    /// `ping`
    Ping,
    /// `error`: the answer fails after it has begun.
    Error {
        /// What kind of error.
        kind: ErrorKind,
        /// In words, for the user.
        message: &'a str,
    },
}

/// A content block as it stands in `content_block_start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block<'a> {
    /// `text`
    Text,
    /// `thinking`
    Thinking,
    /// `redacted_thinking`
    RedactedThinking {
        /// What comes back with the next request.
        data: &'a str,
    },
    /// `tool_use`. The input is always `{}` here; it counts only when it comes as deltas (claude-code.md §0.8).
    ToolUse {
        /// Unique in the conversation.
        id: &'a str,
        /// The tool, by the client's name for it.
        name: &'a str,
    },
    /// `server_tool_use`: a tool that was run behind us.
    ServerToolUse {
        /// Unique in the conversation.
        id: &'a str,
        /// `web_search`
        name: &'a str,
    },
    /// `web_search_tool_result`
    SearchResult {
        /// The search it belongs to.
        tool_use_id: &'a str,
        /// What was found, or why nothing was.
        found: Found<'a>,
    },
}

/// The outcome of a web search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// These pages.
    Pages(&'a [Page<'a>]),
    /// The search went wrong: `web_search_tool_result_error` with the code `unavailable`.
    Unavailable,
}

/// A page that a web search has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// Where it is.
    pub url: &'a str,
    /// Its title.
    pub title: &'a str,
}

/// A piece of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delta<'a> {
    /// `text_delta`
    Text(&'a str),
    /// `thinking_delta`
    Thinking(&'a str),
    /// `signature_delta`
    Signature(&'a str),
    /// `input_json_delta`
    InputJson(&'a str),
    /// `citations_delta` with a `web_search_result_location`.
    Citation {
        /// The page.
        url: &'a str,
        /// Its title.
        title: Option<&'a str>,
        /// The words that rest on it.
        cited_text: &'a str,
    },
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop<'a> {
    /// The reason.
    pub reason: StopReason,
    /// Which of the client's stop sequences came up.
    pub sequence: Option<&'a str>,
    /// What a refusal says, for [`StopReason::Refusal`].
    pub explanation: Option<&'a str>,
}

/// The reasons that clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The model is done.
    EndTurn,
    /// The model waits for a tool.
    ToolUse,
    /// The answer reached its length.
    MaxTokens,
    /// One of the client's stop sequences came up.
    StopSequence,
    /// The model does not want to.
    Refusal,
}

/// What an answer cost, as Anthropic counts: the cached part is not in `input_tokens`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input that was neither read from nor written to the cache.
    pub input_tokens: u64,
    /// Input written to the cache.
    pub cache_creation_input_tokens: u64,
    /// Input read from the cache.
    pub cache_read_input_tokens: u64,
    /// All output.
    pub output_tokens: u64,
    /// The part of the output that was reasoning.
    pub thinking_tokens: u64,
    /// Searches made behind us.
    pub web_search_requests: u64,
}

// === impl Frame ===

impl Frame<'_> {
    /// The value of the `event:` line and of `type`.
    pub fn event(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::BlockStart { .. } => "content_block_start",
            Self::BlockDelta { .. } => "content_block_delta",
            Self::BlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
            Self::Ping => "ping",
            Self::Error { .. } => "error",
        }
    }

    /// Writes the frame as one record of an event stream.
    pub fn write_sse(&self, out: &mut Vec<u8>) {
        put(out, "event: ");
        put(out, self.event());
        put(out, "\ndata: ");
        self.write_json(out);
        put(out, "\n\n");
    }

    /// Writes what stands behind `data:`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::MessageStart { id, model, usage } => {
                put(out, "{\"type\":\"message_start\",\"message\":{\"id\":");
                write_str(out, id);
                put(out, ",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
                write_str(out, model);
                put(out, ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":");
                usage.write(out);
                put(out, "}}");
            }
            Self::BlockStart { index, block } => {
                put(out, "{\"type\":\"content_block_start\",\"index\":");
                number(out, u64::from(*index));
                put(out, ",\"content_block\":");
                block.write(out);
                put(out, "}");
            }
            Self::BlockDelta { index, delta } => {
                put(out, "{\"type\":\"content_block_delta\",\"index\":");
                number(out, u64::from(*index));
                put(out, ",\"delta\":");
                delta.write(out);
                put(out, "}");
            }
            Self::BlockStop { index } => {
                put(out, "{\"type\":\"content_block_stop\",\"index\":");
                number(out, u64::from(*index));
                put(out, "}");
            }
            Self::MessageDelta { stop: None, usage } => {
                put(
                    out,
                    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null,\"stop_sequence\":null},\"usage\":",
                );
                put(out, "{\"output_tokens\":");
                number(out, usage.output_tokens);
                put(out, "}}");
            }
            Self::MessageDelta { stop: Some(stop), usage } => {
                put(out, "{\"type\":\"message_delta\",\"delta\":{");
                stop.write_members(out);
                put(out, "},\"usage\":");
                usage.write(out);
                put(out, "}");
            }
            Self::MessageStop => put(out, "{\"type\":\"message_stop\"}"),
            Self::Ping => put(out, "{\"type\":\"ping\"}"),
            Self::Error { kind, message } => ErrorBody::new(*kind, message).write(out),
        }
    }
}

// === impl Block ===

impl Block<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text => put(out, "{\"type\":\"text\",\"text\":\"\"}"),
            Self::Thinking => put(out, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"),
            Self::RedactedThinking { data } => {
                put(out, "{\"type\":\"redacted_thinking\",\"data\":");
                write_str(out, data);
                put(out, "}");
            }
            Self::ToolUse { id, name } => tool_use(out, "tool_use", id, name, "{}"),
            Self::ServerToolUse { id, name } => tool_use(out, "server_tool_use", id, name, "{}"),
            Self::SearchResult { tool_use_id, found } => {
                put(out, "{\"type\":\"web_search_tool_result\",\"tool_use_id\":");
                write_str(out, tool_use_id);
                put(out, ",\"content\":");
                found.write(out);
                put(out, "}");
            }
        }
    }
}

/// A `tool_use` or `server_tool_use` block; `input` is JSON.
pub(super) fn tool_use(out: &mut Vec<u8>, kind: &str, id: &str, name: &str, input: &str) {
    put(out, "{\"type\":\"");
    put(out, kind);
    put(out, "\",\"id\":");
    write_str(out, id);
    put(out, ",\"name\":");
    write_str(out, name);
    put(out, ",\"input\":");
    put(out, input);
    put(out, "}");
}

// === impl Found ===

impl Found<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let pages = match self {
            Self::Unavailable => {
                return put(out, "{\"type\":\"web_search_tool_result_error\",\"error_code\":\"unavailable\"}");
            }
            Self::Pages(pages) => pages,
        };
        put(out, "[");
        for (place, page) in pages.iter().enumerate() {
            if place > 0 {
                put(out, ",");
            }
            put(out, "{\"type\":\"web_search_result\",\"url\":");
            write_str(out, page.url);
            put(out, ",\"title\":");
            write_str(out, page.title);
            // There is nothing to decrypt: the pages' texts stay upstream.
            put(out, ",\"encrypted_content\":\"\",\"page_age\":null}");
        }
        put(out, "]");
    }
}

// === impl Delta ===

impl Delta<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => string_delta(out, "{\"type\":\"text_delta\",\"text\":", text),
            Self::Thinking(text) => string_delta(out, "{\"type\":\"thinking_delta\",\"thinking\":", text),
            Self::Signature(text) => string_delta(out, "{\"type\":\"signature_delta\",\"signature\":", text),
            Self::InputJson(text) => string_delta(out, "{\"type\":\"input_json_delta\",\"partial_json\":", text),
            Self::Citation { url, title, cited_text } => {
                put(out, "{\"type\":\"citations_delta\",\"citation\":");
                citation(out, url, *title, cited_text);
                put(out, "}");
            }
        }
    }
}

fn string_delta(out: &mut Vec<u8>, head: &str, text: &str) {
    put(out, head);
    write_str(out, text);
    put(out, "}");
}

pub(super) fn citation(out: &mut Vec<u8>, url: &str, title: Option<&str>, cited_text: &str) {
    put(out, "{\"type\":\"web_search_result_location\",\"url\":");
    write_str(out, url);
    put(out, ",\"title\":");
    match title {
        Some(title) => write_str(out, title),
        None => put(out, "null"),
    }
    put(out, ",\"encrypted_index\":\"\",\"cited_text\":");
    write_str(out, cited_text);
    put(out, "}");
}

// === impl Stop ===

impl<'a> Stop<'a> {
    /// A reason that needs no more words.
    pub fn plain(reason: StopReason) -> Self {
        Self { reason, sequence: None, explanation: None }
    }

    pub(super) fn write_members(&self, out: &mut Vec<u8>) {
        put(out, "\"stop_reason\":\"");
        put(out, self.reason.as_str());
        put(out, "\",\"stop_sequence\":");
        match self.sequence {
            Some(sequence) => write_str(out, sequence),
            None => put(out, "null"),
        }
        if self.reason == StopReason::Refusal {
            put(out, ",\"stop_details\":{\"type\":\"refusal\",\"category\":null,\"explanation\":");
            match self.explanation {
                Some(explanation) => write_str(out, explanation),
                None => put(out, "null"),
            }
            put(out, "}");
        }
    }
}

// === impl StopReason ===

impl StopReason {
    /// The value of `stop_reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::ToolUse => "tool_use",
            Self::MaxTokens => "max_tokens",
            Self::StopSequence => "stop_sequence",
            Self::Refusal => "refusal",
        }
    }
}

// === impl Usage ===

impl Usage {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (head, count) in [
            ("{\"input_tokens\":", self.input_tokens),
            (",\"cache_creation_input_tokens\":", self.cache_creation_input_tokens),
            (",\"cache_read_input_tokens\":", self.cache_read_input_tokens),
            (",\"output_tokens\":", self.output_tokens),
        ] {
            put(out, head);
            number(out, count);
        }
        if self.thinking_tokens > 0 {
            put(out, ",\"output_tokens_details\":{\"thinking_tokens\":");
            number(out, self.thinking_tokens);
            put(out, "}");
        }
        if self.web_search_requests > 0 {
            put(out, ",\"server_tool_use\":{\"web_search_requests\":");
            number(out, self.web_search_requests);
            put(out, ",\"web_fetch_requests\":0}");
        }
        put(out, "}");
    }
}

// === small writers ===

pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
