//! The items of a history, for every dialect: where each stands, which call and which result is next, and what may not be left open.
//!
//! **Invariant:** each call and each result of the history is taken once, in its order, as the pairing has counted them.

use std::ops::Range;

use codeferry_wire::responses::request::{Array, Output};

use super::{Lowered, NO_RESULT, ReasoningSpan};
use crate::envelope::Reasoning;
use crate::fingerprint::Piece;
use crate::loss::Loss;
use crate::pairing::{Call, Pairing};

/// Writes items, and keeps book of them.
pub(super) struct Items<'w, 'o> {
    input: &'w mut Array<'o>,
    pairing: &'w Pairing<'w>,
    pub(super) lowered: &'w mut Lowered,
    /// How many calls and results were taken.
    calls: usize,
    results: usize,
    /// Calls of this turn that nobody answers.
    unanswered: Vec<usize>,
}

// === impl Items ===

impl<'w, 'o> Items<'w, 'o> {
    pub(super) fn new(input: &'w mut Array<'o>, pairing: &'w Pairing<'w>, lowered: &'w mut Lowered) -> Self {
        Self { input, pairing, lowered, calls: 0, results: 0, unanswered: Vec::new() }
    }

    /// Takes the next call, which is now to be written.
    pub(super) fn call(&mut self) -> Option<&'w Call<'w>> {
        let call = self.pairing.calls.get(self.calls)?;
        if !call.answered {
            self.unanswered.push(self.calls);
        }
        self.calls += 1;
        Some(call)
    }

    /// Takes the next result: the call that it answers. `None`: it is an orphan.
    pub(super) fn result(&mut self) -> Option<&'w Call<'w>> {
        let call = self.pairing.results.get(self.results).copied().flatten();
        self.results += 1;
        call.and_then(|index| self.pairing.calls.get(index))
    }

    /// Gives the calls of this turn that nobody answers a result: none may be left without.
    pub(super) fn end_of_turn(&mut self) {
        for index in std::mem::take(&mut self.unanswered) {
            if let Some(call) = self.pairing.calls.get(index) {
                self.lowered.losses.add(Loss::MissingResult);
                self.write(false, |items| items.function_call_output(&call.id, &Output::Note(NO_RESULT)));
            }
        }
    }

    /// Writes reasoning, and notes whose it is.
    pub(super) fn reasoning(&mut self, reasoning: &Reasoning<'_>) {
        let item = self.lowered.layout.items.len();
        let range = self.write(true, |items| items.reasoning(reasoning.encrypted_content));
        self.lowered.reasoning.push(ReasoningSpan { range, item, account: reasoning.account.to_owned() });
    }

    /// Writes one item, and notes where it stands.
    pub(super) fn write(&mut self, by_model: bool, write: impl FnOnce(&mut Array<'o>)) -> Range<usize> {
        let start = self.input.position();
        write(self.input);
        let range = start..self.input.position();
        self.lowered.layout.items.push(Piece { range: range.clone(), by_model });
        range
    }
}
