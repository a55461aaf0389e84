//! The conversation, item by item.

use std::ops::Range;

use codeferry_wire::chat::ask::{Call, Message, Part as Said, Role as Speaker};
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::{Array, Output, Part, Role};

use super::parts::{push_input, push_output};
use crate::fingerprint::Piece;
use crate::loss::Loss;
use crate::lower::{Lowered, NO_RESULT};
use crate::names::tool_name;
use crate::pairing::Pairing;

/// Writes messages as items.
pub(super) struct History<'w, 'o, 'a> {
    input: &'w mut Array<'o>,
    pairing: &'w Pairing<'a>,
    lowered: &'w mut Lowered,
    /// How many tool calls and results were written.
    calls: usize,
    results: usize,
    /// Calls of this turn that nobody answers.
    unanswered: Vec<usize>,
}

// === impl History ===

impl<'w, 'o, 'a> History<'w, 'o, 'a> {
    pub(super) fn new(input: &'w mut Array<'o>, pairing: &'w Pairing<'a>, lowered: &'w mut Lowered) -> Self {
        Self { input, pairing, lowered, calls: 0, results: 0, unanswered: Vec::new() }
    }

    pub(super) fn write(mut self, messages: &[Message<'_>]) {
        for message in messages {
            match message.role {
                Speaker::Tool | Speaker::Function => self.result(&message.content),
                Speaker::Assistant => {
                    self.end_of_turn();
                    let mut parts = Vec::with_capacity(message.content.len());
                    message.content.iter().for_each(|said| push_output(&mut parts, said, &mut self.lowered.losses));
                    self.message(Role::Assistant, &parts);
                }
                Speaker::User | Speaker::System => {
                    self.end_of_turn();
                    let role = if message.role == Speaker::User { Role::User } else { Role::Developer };
                    let parts = self.input_parts(&message.content);
                    self.message(role, &parts);
                }
            }
            // Whoever makes them: the pairing has counted them.
            message.calls.iter().for_each(|call| self.call(call));
        }
        self.end_of_turn();
    }

    fn input_parts<'m>(&mut self, content: &[Said<'m>]) -> Vec<Part<'m>> {
        let mut parts = Vec::with_capacity(content.len());
        content.iter().for_each(|said| push_input(&mut parts, said, &mut self.lowered.losses));
        parts
    }

    fn message(&mut self, role: Role, parts: &[Part<'_>]) {
        if !parts.is_empty() {
            self.item(role == Role::Assistant, |items| items.message(role, parts));
        }
    }

    fn call(&mut self, call: &Call<'_>) {
        let Some(known) = self.pairing.calls.get(self.calls) else { return };
        if !known.answered {
            self.unanswered.push(self.calls);
        }
        self.calls += 1;
        let name = tool_name(&call.name);
        match call.arguments.literal() {
            Some("") => {
                self.item(true, |items| items.function_call_as_said(&known.id, &name, Raw::EMPTY_OBJECT_TEXT));
            }
            Some(_) => {
                self.item(true, |items| items.function_call_as_said(&known.id, &name, call.arguments));
            }
            None => {
                self.item(true, |items| items.function_call(&known.id, &name, call.arguments));
            }
        }
    }

    fn result(&mut self, content: &[Said<'_>]) {
        let call = self.pairing.results.get(self.results).copied().flatten();
        self.results += 1;
        let parts = self.input_parts(content);
        let Some(call) = call.and_then(|index| self.pairing.calls.get(index)) else {
            // What the tool said is of use all the same.
            self.lowered.losses.add(Loss::OrphanResult);
            return self.message(Role::User, &parts);
        };
        let output = match &parts[..] {
            [] => Output::Note(""),
            [Part::InputText(text)] => Output::Text(*text),
            _ => Output::Parts(&parts),
        };
        self.item(false, |items| items.function_call_output(&call.id, &output));
    }

    /// No call may be left without a result.
    fn end_of_turn(&mut self) {
        for index in std::mem::take(&mut self.unanswered) {
            if let Some(call) = self.pairing.calls.get(index) {
                self.lowered.losses.add(Loss::MissingResult);
                self.item(false, |items| items.function_call_output(&call.id, &Output::Note(NO_RESULT)));
            }
        }
    }

    /// Writes one item, and notes where it stands.
    fn item(&mut self, by_model: bool, write: impl FnOnce(&mut Array<'o>)) -> Range<usize> {
        let start = self.input.position();
        write(self.input);
        let range = start..self.input.position();
        self.lowered.layout.items.push(Piece { range: range.clone(), by_model });
        range
    }
}
