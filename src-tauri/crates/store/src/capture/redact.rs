//! Takes out of a capture what must not be in it.
//!
//! - [`text`] looks at how things look: keys, tokens, `name=value`; [`forms`] has them all.
//! - [`json`] also knows the name a value stands under, and puts a note in place of pictures and files.
//! - [`frames`] does it for a stream, where a secret may come in pieces.
//! - [`Known`] remembers what was taken out, so that it goes wherever else it stands.
//!
//! **Invariant:** it errs on the side of taking out too much. What is put in place says that something was there.

mod files;
mod forms;
mod frames;
mod json;
mod known;
mod names;

use std::borrow::Cow;

pub(super) use frames::frames;
pub(super) use known::Known;
pub(super) use names::header;

/// What stands in place of a secret. The same word as in a log.
pub(super) const MARK: &str = "«redacted»";

/// How much is taken out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    /// Pictures and files stay.
    pub(super) images: bool,
    /// It goes to others: e-mail addresses and the names in home folders go as well.
    pub(super) leaves: bool,
    /// What was taken out before, by its name or its look.
    pub(super) known: Option<&'a Known>,
}

/// A JSON document in a text is looked into; documents in texts in documents at most so deep.
const DEEPEST: u8 = 4;

/// Any text: a JSON document if it is one, else by the look of its parts.
pub(super) fn text<'t>(text: &'t str, rules: Rules<'_>) -> Cow<'t, str> {
    within(text, rules, 0)
}

fn within<'t>(text: &'t str, rules: Rules<'_>, depth: u8) -> Cow<'t, str> {
    if depth < DEEPEST
        && text.trim_start().starts_with(['{', '['])
        && let Some(redacted) = json::document(text, rules, depth)
    {
        return redacted.into();
    }
    forms::replace(text, rules)
}

#[cfg(test)]
mod tests;
