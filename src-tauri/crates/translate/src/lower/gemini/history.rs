//! The conversation, item by item.

use std::borrow::Cow;

use codeferry_wire::gemini::request::{self as gemini, Content, Role as Speaker, Said};
use codeferry_wire::json::{Kind, Raw};
use codeferry_wire::responses::request::{Array, Output, Part, Role};

use super::parts::push_input;
use crate::envelope;
use crate::loss::Loss;
use crate::lower::chat::parts::SHORT;
use crate::lower::items::Items;
use crate::lower::{FAILED, Lowered};
use crate::names::tool_name;
use crate::pairing::Pairing;

/// What Google tells clients to send in place of a signature they do not have (ai.google.dev/gemini-api/docs/thought-signatures).
const NO_SIGNATURE: [&str; 2] = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

/// Writes contents as items.
pub(super) struct History<'w, 'o, 'a> {
    items: Items<'w, 'o>,
    /// Content of the message being gathered, and whose it is.
    parts: Vec<Part<'a>>,
    speaker: Role,
    /// What must follow the results of the content: files that cannot stand inside a result.
    after: Vec<Part<'a>>,
    /// Reasoning, in its envelopes, waits for what it led to; alone it is refused.
    reasoning: Vec<String>,
}

// === impl History ===

impl<'w, 'o, 'a> History<'w, 'o, 'a> {
    pub(super) fn new(input: &'w mut Array<'o>, pairing: &'w Pairing<'w>, lowered: &'w mut Lowered) -> Self {
        Self {
            items: Items::new(input, pairing, lowered),
            parts: Vec::new(),
            speaker: Role::User,
            after: Vec::new(),
            reasoning: Vec::new(),
        }
    }

    /// A model's contents may follow each other: an SDK keeps each chunk of a stream as one. They are one message.
    pub(super) fn write(mut self, contents: &'a [Content<'a>]) {
        for content in contents {
            match content.role {
                Speaker::Model => {
                    self.speak(Role::Assistant);
                    content.parts.iter().for_each(|part| self.model(part));
                }
                Speaker::User => {
                    self.speak(Role::User);
                    content.parts.iter().for_each(|part| self.user(part));
                    self.parts.append(&mut self.after);
                    self.flush();
                }
            }
        }
        self.flush();
        self.end_of_turn();
    }

    /// Somebody speaks, perhaps another than before.
    fn speak(&mut self, role: Role) {
        if role != self.speaker || role == Role::User {
            self.flush();
        }
        if role == Role::User {
            self.end_of_turn();
        }
        self.speaker = role;
    }

    fn model(&mut self, part: &'a gemini::Part<'a>) {
        if let Some(signature) = &part.signature {
            self.signature(signature);
        }
        match &part.said {
            // Told to people. What the model needs of it is in the signature.
            Said::Text(_) if part.thought => {}
            Said::Text(text) => self.say(*text),
            Said::Call { name, args, .. } => self.call(name, *args),
            Said::Result { response, parts, .. } => self.result(*response, parts),
            Said::Other(raw) => {
                self.items.lowered.losses.add(Loss::UnknownBlock);
                if raw.as_slice_str().len() <= SHORT {
                    self.parts.push(Part::OutputNote(Cow::Borrowed(raw.as_slice_str())));
                }
            }
            // The model makes no pictures and no files here.
            Said::Data { .. } | Said::File { .. } => self.items.lowered.losses.add(Loss::BlockPlace),
        }
    }

    fn user(&mut self, part: &'a gemini::Part<'a>) {
        match &part.said {
            Said::Result { response, parts, .. } => self.result(*response, parts),
            // The pairing has counted it, so it must be written.
            Said::Call { name, args, .. } => {
                self.flush();
                self.call(name, *args);
                self.end_of_turn();
            }
            said => push_input(&mut self.parts, said, None, self.items.lowered),
        }
    }

    /// Pieces of one text follow each other.
    fn say(&mut self, text: Raw<'a>) {
        let Some(said) = text.literal().filter(|said| !said.is_empty()) else { return };
        match self.parts.last_mut() {
            Some(last @ Part::OutputText(_)) => {
                let before = if let Part::OutputText(before) = last { before.string() } else { None };
                let mut whole = before.unwrap_or_default().into_owned();
                whole.push_str(&text.string().unwrap_or(Cow::Borrowed(said)));
                *last = Part::OutputNote(Cow::Owned(whole));
            }
            Some(Part::OutputNote(Cow::Owned(whole))) => whole.push_str(&text.string().unwrap_or_default()),
            _ => self.parts.push(Part::OutputText(text)),
        }
    }

    fn signature(&mut self, signature: &str) {
        if NO_SIGNATURE.contains(&signature) {
            return;
        }
        let envelopes = envelope::unpack(signature);
        if envelopes.is_empty() {
            return self.items.lowered.losses.add(Loss::ForeignThinking);
        }
        self.flush();
        self.reasoning.extend(envelopes);
    }

    fn call(&mut self, name: &str, args: Raw<'a>) {
        self.flush();
        self.release_reasoning();
        let Some(call) = self.items.call() else { return };
        self.items.write(true, |items| items.function_call(&call.id, &tool_name(name), args));
    }

    fn result(&mut self, response: Raw<'a>, more: &'a [gemini::Part<'a>]) {
        let Some(call) = self.items.result() else {
            // What the function gave is of use all the same.
            self.items.lowered.losses.add(Loss::OrphanResult);
            self.parts.push(match outcome(response) {
                Outcome::Text(text) | Outcome::Failed(text) => Part::InputText(text),
                Outcome::Json(json) => Part::InputNote(Cow::Borrowed(json)),
            });
            return more.iter().for_each(|part| push_input(&mut self.parts, &part.said, None, self.items.lowered));
        };
        self.flush();
        if more.is_empty() {
            let output = match outcome(response) {
                Outcome::Text(text) => Output::Text(text),
                Outcome::Failed(text) => Output::Marked(FAILED, text),
                Outcome::Json(json) => Output::Note(json),
            };
            self.items.write(false, |items| items.function_call_output(&call.id, &output));
            return;
        }
        let mut parts = match outcome(response) {
            Outcome::Text(text) => vec![Part::InputText(text)],
            Outcome::Failed(text) => vec![Part::InputNote(Cow::Borrowed(FAILED)), Part::InputText(text)],
            Outcome::Json("{}") => Vec::new(),
            Outcome::Json(json) => vec![Part::InputNote(Cow::Borrowed(json))],
        };
        for part in more {
            push_input(&mut parts, &part.said, Some(&mut self.after), self.items.lowered);
        }
        self.items.write(false, |items| items.function_call_output(&call.id, &Output::Parts(&parts)));
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
    fn flush(&mut self) {
        if self.parts.is_empty() {
            return;
        }
        let role = self.speaker;
        if role == Role::Assistant {
            self.release_reasoning();
        }
        let parts = std::mem::take(&mut self.parts);
        self.items.write(role == Role::Assistant, |items| items.message(role, &parts));
    }

    fn release_reasoning(&mut self) {
        for sealed in std::mem::take(&mut self.reasoning) {
            if let Some(reasoning) = envelope::open(&sealed) {
                self.items.reasoning(&reasoning);
            }
        }
    }
}

/// What a function gave.
enum Outcome<'a> {
    /// A string literal.
    Text(Raw<'a>),
    /// A string literal that says what went wrong.
    Failed(Raw<'a>),
    /// Anything else.
    Json(&'a str),
}

/// `output` is what the function gave and `error` what went wrong; with other members, all of it is what it gave
/// (`FunctionResponse.response` in Google's documents).
fn outcome(response: Raw<'_>) -> Outcome<'_> {
    let (mut count, mut only) = (0_u32, None);
    let _ = response.reader().object(|key, reader| {
        count += 1;
        only = Some((key == "error", key == "output", reader.value()?));
        Ok(())
    });
    match only.filter(|_| count == 1) {
        Some((true, _, text)) if text.kind() == Kind::String => Outcome::Failed(text),
        Some((_, true, text)) if text.kind() == Kind::String => Outcome::Text(text),
        Some((_, true, value)) => Outcome::Json(value.as_slice_str()),
        _ => Outcome::Json(response.as_slice_str()),
    }
}
