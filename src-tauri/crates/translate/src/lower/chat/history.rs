//! The conversation, item by item.

use codeferry_wire::chat::ask::{Call, Message, Part as Said, Role as Speaker};
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::{Array, Output, Part, Role};

use super::parts::{push_input, push_output};
use crate::loss::Loss;
use crate::lower::Lowered;
use crate::lower::items::Items;
use crate::names::tool_name;
use crate::pairing::Pairing;

/// Writes messages as items.
pub(super) struct History<'w, 'o> {
    items: Items<'w, 'o>,
}

// === impl History ===

impl<'w, 'o> History<'w, 'o> {
    pub(super) fn new(input: &'w mut Array<'o>, pairing: &'w Pairing<'w>, lowered: &'w mut Lowered) -> Self {
        Self { items: Items::new(input, pairing, lowered) }
    }

    pub(super) fn write(mut self, messages: &[Message<'_>]) {
        for message in messages {
            match message.role {
                Speaker::Tool | Speaker::Function => self.result(&message.content),
                Speaker::Assistant => {
                    self.items.end_of_turn();
                    let mut parts = Vec::with_capacity(message.content.len());
                    message
                        .content
                        .iter()
                        .for_each(|said| push_output(&mut parts, said, &mut self.items.lowered.losses));
                    self.message(Role::Assistant, &parts);
                }
                Speaker::User | Speaker::System => {
                    self.items.end_of_turn();
                    let role = if message.role == Speaker::User { Role::User } else { Role::Developer };
                    let parts = self.input_parts(&message.content);
                    self.message(role, &parts);
                }
            }
            // Whoever makes them: the pairing has counted them.
            message.calls.iter().for_each(|call| self.call(call));
        }
        self.items.end_of_turn();
    }

    fn input_parts<'m>(&mut self, content: &[Said<'m>]) -> Vec<Part<'m>> {
        let mut parts = Vec::with_capacity(content.len());
        content.iter().for_each(|said| push_input(&mut parts, said, &mut self.items.lowered.losses));
        parts
    }

    fn message(&mut self, role: Role, parts: &[Part<'_>]) {
        if !parts.is_empty() {
            self.items.write(role == Role::Assistant, |items| items.message(role, parts));
        }
    }

    fn call(&mut self, call: &Call<'_>) {
        let Some(known) = self.items.call() else { return };
        let name = tool_name(&call.name);
        match call.arguments.literal() {
            Some("") => {
                self.items.write(true, |items| items.function_call_as_said(&known.id, &name, Raw::EMPTY_OBJECT_TEXT));
            }
            Some(_) => {
                self.items.write(true, |items| items.function_call_as_said(&known.id, &name, call.arguments));
            }
            None => {
                self.items.write(true, |items| items.function_call(&known.id, &name, call.arguments));
            }
        }
    }

    fn result(&mut self, content: &[Said<'_>]) {
        let parts = self.input_parts(content);
        let Some(call) = self.items.result() else {
            // What the tool said is of use all the same.
            self.items.lowered.losses.add(Loss::OrphanResult);
            return self.message(Role::User, &parts);
        };
        let output = match &parts[..] {
            [] => Output::Note(""),
            [Part::InputText(text)] => Output::Text(*text),
            _ => Output::Parts(&parts),
        };
        self.items.write(false, |items| items.function_call_output(&call.id, &output));
    }
}
