//! Requests of clients become requests to the Responses API.
//!
//! What is the same for every dialect stands here: what a request is lowered for, what comes of it, and how it is told
//! what to think.

use std::ops::Range;

use codeferry_wire::responses::request::Object;

use crate::conversation::Conversation;
use crate::effort::Effort;
use crate::fingerprint::Layout;
use crate::loss::Losses;
use crate::names::Names;

pub mod anthropic;
pub mod chat;
pub mod gemini;
mod items;
pub mod responses;

/// What stands in `instructions` when the client gives no system prompt: the upstream refuses a request without
/// (`codex-backend.md §2`).
pub const DEFAULT_INSTRUCTIONS: &str = "You are a helpful assistant.";

/// Before the text of a tool result that reports a failure: the upstream has no flag for it.
const FAILED: &str = "The tool reported an error:\n";
/// In place of a result that never came.
const NO_RESULT: &str = "No result: the tool call was interrupted.";

/// What the request is lowered for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'t> {
    /// The model upstream.
    pub model: &'t str,
    /// The effort, already one the model offers. `None` leaves it to the model.
    pub effort: Option<Effort>,
    /// How reasoning is to be summed up for people: `auto`, `concise`, `detailed`. `None` for not at all.
    pub summary: Option<&'t str>,
    /// The Responses-Lite shape (`codex-backend.md §0.1`).
    pub lite: bool,
    /// The upstream takes what the plans' hosts refuse: `max_output_tokens`, `temperature`, `top_p`. Which of them a model
    /// takes, it says by refusing the rest by name.
    pub sampling: bool,
    /// The conversation the request belongs to.
    pub conversation: &'t Conversation,
}

/// A request ready to be sent, and what its answer needs to be read.
#[derive(Debug)]
pub struct Lowered {
    /// The body.
    pub body: Vec<u8>,
    /// Where in the body that stands which the upstream's prompt cache goes by.
    pub layout: Layout,
    /// Where in the body sealed reasoning stands, and whose it is.
    pub reasoning: Vec<ReasoningSpan>,
    /// Members the request can do without, in the order they stand. Reports differ on who takes them
    /// (`codex-backend.md §2`, §12).
    pub optional: Vec<Optional>,
    /// What could not be carried.
    pub losses: Losses,
    /// The way back for tool names.
    pub names: Names,
    /// The ids of the tool calls in the history. The answer must not use one again (`claude-code.md §0.9`).
    pub call_ids: Vec<String>,
    /// Whether the client asked for thinking, and so can make use of it.
    pub thinking: bool,
    /// Bytes of base64 in the body; they are no text, so they do not count as tokens.
    pub base64_bytes: usize,
}

/// A member of a body that can be cut out, should the upstream refuse it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Optional {
    /// The parameter, as upstreams name it.
    pub param: &'static str,
    /// Its bytes, with the comma before it.
    pub range: Range<usize>,
}

/// A reasoning item in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasoningSpan {
    /// Its bytes, with the comma before it.
    pub range: Range<usize>,
    /// Which item of the layout it is.
    pub item: usize,
    /// The account that can open it; empty where nobody knows.
    pub account: String,
}

// === impl Lowered ===

impl Lowered {
    /// Nothing yet, with room for a request of so many bytes.
    fn with_room_for(size_hint: usize) -> Self {
        Self {
            body: Vec::with_capacity(size_hint + size_hint / 16 + 4096),
            layout: Layout::default(),
            reasoning: Vec::new(),
            optional: Vec::new(),
            losses: Losses::default(),
            names: Names::default(),
            call_ids: Vec::new(),
            thinking: false,
            base64_bytes: 0,
        }
    }
}

/// A summary is asked for only if the client shows thinking: nobody else reads it.
fn write_reasoning(object: &mut Object<'_>, target: &Target<'_>, thinking: bool, optional: &mut Vec<Optional>) {
    let summary = target.summary.filter(|_| thinking && target.effort != Some(Effort::None));
    if target.effort.is_none() && summary.is_none() && !target.lite {
        return;
    }
    object.object("reasoning", |reasoning| {
        if let Some(effort) = target.effort {
            let from = reasoning.position();
            reasoning.string("effort", effort.as_str());
            // Models that do not reason are to be had there as well.
            if target.sampling {
                optional.push(Optional { param: "reasoning.effort", range: from..reasoning.position() });
            }
        }
        if let Some(summary) = summary {
            let from = reasoning.position();
            reasoning.string("summary", summary);
            optional.push(Optional { param: "reasoning.summary", range: from..reasoning.position() });
        }
        if target.lite {
            reasoning.string("context", "all_turns");
        }
    });
}

/// What is asked for beside the answer, and what the upstream's prompt cache knows the conversation by.
fn write_include_and_key(object: &mut Object<'_>, target: &Target<'_>, searches: bool, optional: &mut Vec<Optional>) {
    let from = object.position();
    object.array("include", |include| {
        include.string("reasoning.encrypted_content");
        if searches {
            include.string("web_search_call.action.sources");
        }
    });
    if target.sampling {
        optional.push(Optional { param: "include", range: from..object.position() });
    }
    let from = object.position();
    object.string("prompt_cache_key", &target.conversation.key);
    optional.push(Optional { param: "prompt_cache_key", range: from..object.position() });
}

/// A lowered body without some of its pieces, given by their ranges in ascending order, each with the comma before it.
/// The rest stays byte for byte.
pub fn cut_out<'r>(body: &[u8], ranges: impl IntoIterator<Item = &'r Range<usize>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut from = 0;
    for range in ranges {
        // The comma before it may have gone with the piece before it.
        out.extend_from_slice(&body[from..range.start.max(from)]);
        from = range.end;
        // At the head of a list the comma stands behind the piece.
        if matches!(out.last(), Some(b'[' | b'{')) && body.get(from) == Some(&b',') {
            from += 1;
        }
    }
    out.extend_from_slice(&body[from..]);
    out
}
