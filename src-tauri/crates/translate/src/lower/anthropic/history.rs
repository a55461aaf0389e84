//! The conversation, item by item.

use std::borrow::Cow;

use codeferry_wire::anthropic::request::{Block, Content, Message, Role};
use codeferry_wire::responses::request::{self as responses, Array, Output, Part};

use super::parts::{Side, push_part};
use crate::envelope::{self, Reasoning};
use crate::loss::Loss;
use crate::lower::items::Items;
use crate::lower::{FAILED, Lowered};
use crate::names::tool_name;
use crate::pairing::Pairing;

/// Writes messages as items.
pub(super) struct History<'w, 'o, 'a> {
    items: Items<'w, 'o>,
    /// Content of the message being gathered.
    parts: Vec<Part<'a>>,
    /// What must follow the tool results of the message: documents that cannot stand inside a result.
    after: Vec<Part<'a>>,
    /// Reasoning waits for what it led to; alone it is refused.
    reasoning: Vec<Reasoning<'a>>,
}

// === impl History ===

impl<'w, 'o, 'a> History<'w, 'o, 'a> {
    pub(super) fn new(input: &'w mut Array<'o>, pairing: &'w Pairing<'w>, lowered: &'w mut Lowered) -> Self {
        Self { items: Items::new(input, pairing, lowered), parts: Vec::new(), after: Vec::new(), reasoning: Vec::new() }
    }

    pub(super) fn write(mut self, messages: &'a [Message<'a>]) {
        for message in messages {
            match message.role {
                Role::Assistant => self.assistant(&message.content),
                Role::User => self.user(&message.content),
                Role::System => self.system(&message.content),
            }
        }
        self.end_of_turn();
    }

    fn assistant(&mut self, content: &'a [Block<'a>]) {
        for block in content {
            match block {
                Block::Thinking { signature } => self.thinking(signature),
                Block::RedactedThinking { data } => self.thinking(data),
                Block::ToolUse { name, input, .. } => {
                    self.flush(responses::Role::Assistant);
                    self.release_reasoning();
                    let Some(call) = self.items.call() else { continue };
                    self.items.write(true, |items| items.function_call(&call.id, &tool_name(name), *input));
                }
                // A result the client put into the model's mouth; it still answers its call.
                Block::ToolResult { content, is_error, .. } => {
                    self.result(content, *is_error, responses::Role::Assistant);
                }
                other => push_part(&mut self.parts, other, Side::Assistant, self.items.lowered),
            }
        }
        self.flush(responses::Role::Assistant);
    }

    fn user(&mut self, content: &'a [Block<'a>]) {
        self.end_of_turn();
        for block in content {
            match block {
                Block::ToolResult { content, is_error, .. } => self.result(content, *is_error, responses::Role::User),
                Block::ToolUse { .. } => self.misplaced_call(block, responses::Role::User),
                other => push_part(&mut self.parts, other, Side::User, self.items.lowered),
            }
        }
        self.parts.append(&mut self.after);
        self.flush(responses::Role::User);
    }

    fn system(&mut self, content: &'a [Block<'a>]) {
        self.end_of_turn();
        for block in content {
            match block {
                Block::ToolUse { .. } => self.misplaced_call(block, responses::Role::Developer),
                Block::ToolResult { content, is_error, .. } => {
                    self.result(content, *is_error, responses::Role::Developer);
                }
                other => push_part(&mut self.parts, other, Side::User, self.items.lowered),
            }
        }
        self.flush(responses::Role::Developer);
    }

    /// A call outside of the model's messages. The pairing has counted it, so it must be written.
    fn misplaced_call(&mut self, block: &'a Block<'a>, side: responses::Role) {
        self.flush(side);
        self.assistant(std::slice::from_ref(block));
        self.end_of_turn();
    }

    fn thinking(&mut self, envelope: &'a str) {
        self.flush(responses::Role::Assistant);
        match envelope::open(envelope) {
            Some(reasoning) => self.reasoning.push(reasoning),
            // An empty one is our own keep-alive, or a block without signature: nothing is lost.
            None if envelope.is_empty() => {}
            None => self.items.lowered.losses.add(Loss::ForeignThinking),
        }
    }

    fn result(&mut self, content: &'a Content<'a>, is_error: bool, side: responses::Role) {
        let Some(call) = self.items.result() else {
            self.orphan(content);
            return;
        };
        self.flush(side);
        let mut parts = Vec::new();
        let output = match content {
            Content::Text(text) if is_error => Output::Marked(FAILED, *text),
            Content::Text(text) => Output::Text(*text),
            Content::Blocks(blocks) => {
                if is_error {
                    parts.push(Part::InputNote(Cow::Borrowed(FAILED)));
                }
                for block in blocks {
                    push_part(&mut parts, block, Side::Result { after: &mut self.after }, self.items.lowered);
                }
                match &parts[..] {
                    [] => Output::Note(""),
                    [Part::InputText(text)] => Output::Text(*text),
                    _ => Output::Parts(&parts),
                }
            }
        };
        self.items.write(false, |items| items.function_call_output(&call.id, &output));
    }

    /// A result whose call was compacted away still holds what the tool said.
    fn orphan(&mut self, content: &'a Content<'a>) {
        self.items.lowered.losses.add(Loss::OrphanResult);
        match content {
            Content::Text(text) => self.parts.push(Part::InputText(*text)),
            Content::Blocks(blocks) => {
                for block in blocks {
                    push_part(&mut self.parts, block, Side::User, self.items.lowered);
                }
            }
        }
    }

    /// Ends the model's turn: no reasoning may be left over, and no call without a result.
    fn end_of_turn(&mut self) {
        if !self.reasoning.is_empty() {
            self.items.lowered.losses.add(Loss::TrailingThinking);
            self.reasoning.clear();
        }
        self.items.end_of_turn();
    }

    /// Writes the message gathered so far, if there is any.
    fn flush(&mut self, role: responses::Role) {
        if self.parts.is_empty() {
            return;
        }
        if role == responses::Role::Assistant {
            self.release_reasoning();
        }
        let parts = std::mem::take(&mut self.parts);
        self.items.write(role == responses::Role::Assistant, |items| items.message(role, &parts));
        // The next message needs room, too.
        self.parts = parts;
        self.parts.clear();
    }

    fn release_reasoning(&mut self) {
        for reasoning in std::mem::take(&mut self.reasoning) {
            self.items.reasoning(&reasoning);
        }
    }
}
