//! A whole answer, for clients that do not stream.

use super::frame::{End, Grounding, Head, Part, Reason, Usage};

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The parts of the content.
    pub parts: Vec<Owned>,
    /// Why it ended, once it has.
    pub reason: Option<Reason>,
    /// What it cost.
    pub usage: Usage,
    /// What it rests on.
    pub grounding: Option<Grounding>,
}

/// A [`Part`] that borrows from nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    /// Text, and what was thought before it, sealed.
    Text(String, Option<String>),
    /// A thought.
    Thought(String),
    /// A function call.
    Call {
        /// Its id.
        id: String,
        /// The function.
        name: String,
        /// A JSON object.
        args: String,
        /// What was thought before it, sealed.
        signature: Option<String>,
    },
}

// === impl Answer ===

impl Answer {
    /// Adds a part. Text follows text, unless it begins a part of its own.
    pub fn add(&mut self, part: Part<'_>) {
        let owned = |text: &str| text.to_owned();
        match (part, self.parts.last_mut()) {
            (Part::Text { text, signature: None }, Some(Owned::Text(so_far, _))) => so_far.push_str(text),
            (Part::Text { text, signature }, _) => {
                self.parts.push(Owned::Text(owned(text), signature.map(owned)));
            }
            (Part::Thought(text), _) => self.parts.push(Owned::Thought(owned(text))),
            (Part::Call { id, name, args, signature }, _) => {
                let (id, name, args) = (owned(id), owned(name), owned(args));
                self.parts.push(Owned::Call { id, name, args, signature: signature.map(owned) });
            }
        }
    }

    /// The JSON, under this head.
    pub fn to_json(&self, head: &Head) -> Vec<u8> {
        let mut out = b"{\"candidates\":[{\"content\":{\"parts\":[".to_vec();
        for (place, part) in self.parts.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            part.borrowed().write(&mut out);
        }
        out.extend_from_slice(b"],\"role\":\"model\"}");
        let reason = self.reason.unwrap_or(Reason::Stop);
        End { reason, usage: self.usage, grounding: self.grounding.as_ref() }.write(&mut out);
        head.write_tail(&mut out);
        out
    }
}

// === impl Owned ===

impl Owned {
    fn borrowed(&self) -> Part<'_> {
        match self {
            Self::Text(text, signature) => Part::Text { text, signature: signature.as_deref() },
            Self::Thought(text) => Part::Thought(text),
            Self::Call { id, name, args, signature } => Part::Call { id, name, args, signature: signature.as_deref() },
        }
    }
}
