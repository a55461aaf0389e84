//! JSON: what stands under which name.
//!
//! Everything that is kept is kept as it was written, blanks and the order of keys included: such things are what a bug
//! report is about.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::files::{self, fingerprint};
use super::names::{Class, PERSON_MARK, class, is_secret};
use super::{MARK, Rules, forms, within};

/// A text that came under the name `delta`, or within it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Pieces of the same thread belong together.
    pub(super) thread: String,
    pub(super) text: String,
}

struct Walker<'a> {
    text: &'a str,
    rules: Rules<'a>,
    depth: u8,
    out: String,
    /// Up to here the text is in `out`.
    copied: usize,
    levels: Vec<Level>,
    /// The texts that came in pieces: how many were met, what some are to be replaced by, and all of them if wanted.
    met: usize,
    replaced: &'a [Option<String>],
    pieces: Option<Vec<(String, String)>>,
    /// What tells one thread of pieces from another.
    identity: String,
}

/// An object or an array that is open.
struct Level {
    object: bool,
    /// The next string of an object is a key.
    key_next: bool,
    /// The name the present value stands under: for an array that of the array itself.
    name: String,
    class: Class,
    delta: bool,
}

/// A sealed text is not shortened below this.
const SEALED: usize = 96;
/// So much of it stays.
const STAYS: usize = 24;
/// What sets one thread of pieces apart from another. <https://platform.openai.com/docs/api-reference/responses-streaming>
const IDENTITY: &[&str] = &["index", "output_index", "content_index", "summary_index", "item_id"];

/// The document without secrets. `None`: it is no JSON.
pub(super) fn document(text: &str, rules: Rules<'_>, depth: u8) -> Option<String> {
    with(text, rules, depth, &[])
}

/// The same, with other texts for some of its [`pieces`].
pub(super) fn with(text: &str, rules: Rules<'_>, depth: u8, replaced: &[Option<String>]) -> Option<String> {
    let mut walker = Walker::new(text, rules, depth)?;
    walker.replaced = replaced;
    walker.walk();
    walker.copy(text.len());
    Some(walker.out)
}

/// The texts of a document that continue those of the document before.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let rules = Rules { images: true, leaves: false, known: None };
    let Some(mut walker) = Walker::new(text, rules, 0) else { return Vec::new() };
    walker.pieces = Some(Vec::new());
    walker.walk();
    let (pieces, identity) = (walker.pieces.unwrap_or_default(), walker.identity);
    pieces.into_iter().map(|(path, text)| Piece { thread: format!("{path} {identity}"), text }).collect()
}

// === impl Walker ===

impl<'a> Walker<'a> {
    fn new(text: &'a str, rules: Rules<'a>, depth: u8) -> Option<Self> {
        // What follows may rely on it.
        serde_json::from_str::<&RawValue>(text).ok()?;
        Some(Self {
            text,
            rules,
            depth,
            out: String::new(),
            copied: 0,
            levels: Vec::new(),
            met: 0,
            replaced: &[],
            pieces: None,
            identity: String::new(),
        })
    }

    fn walk(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            at += 1;
            match bytes[start] {
                b'"' => {
                    while bytes.get(at).is_some_and(|byte| *byte != b'"') {
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                    at = (at + 1).min(bytes.len());
                    self.string(start, at);
                }
                open @ (b'{' | b'[') => self.open(open == b'{'),
                b'}' | b']' => drop(self.levels.pop()),
                b',' => {
                    if let Some(level) = self.levels.last_mut() {
                        level.key_next = level.object;
                    }
                }
                b'-' | b'0'..=b'9' => {
                    let more = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                    while bytes.get(at).is_some_and(more) {
                        at += 1;
                    }
                    self.number(start, at);
                }
                _ => {}
            }
        }
    }

    fn open(&mut self, object: bool) {
        let level = match self.levels.last() {
            None => Level { object, key_next: object, name: String::new(), class: Class::Plain, delta: false },
            Some(outer) => {
                let delta = outer.delta || outer.name == "delta";
                // A list stands under its name; the values of an object have names of their own.
                let class = if object { Class::Plain } else { outer.class };
                Level { object, key_next: object, name: outer.name.clone(), class, delta }
            }
        };
        self.levels.push(level);
    }

    fn string(&mut self, start: usize, end: usize) {
        let raw = &self.text[start..end];
        if let Some(level) = self.levels.last_mut()
            && std::mem::take(&mut level.key_next)
        {
            let name = decoded(raw);
            let shown = forms::replace(&name, self.rules);
            level.class = class(&name);
            level.name = name.clone().into_owned();
            if shown != name {
                let shown = encoded(&shown);
                self.put(start, end, &shown);
            }
            return;
        }
        let value = decoded(raw);
        let (class, name) = self.levels.last().map_or((Class::Plain, ""), |level| (level.class, level.name.as_str()));
        if self.levels.len() == 1 && name == "type" || IDENTITY.contains(&name) {
            self.identity += &value;
            self.identity.push(' ');
        }
        if self.levels.last().is_some_and(|level| level.delta || level.name == "delta") {
            self.met += 1;
            if let Some(pieces) = &mut self.pieces {
                let path: Vec<_> = self.levels.iter().map(|level| level.name.as_str()).collect();
                pieces.push((path.join("."), value.into_owned()));
                return;
            }
            if let Some(Some(other)) = self.replaced.get(self.met - 1) {
                let other = encoded(other);
                return self.put(start, end, &other);
            }
        }
        if self.pieces.is_none()
            && let Some(other) = self.other(&value, class)
        {
            self.put(start, end, &other);
        }
    }

    /// What is to stand in place of a string, as JSON.
    fn other(&self, value: &str, class: Class) -> Option<String> {
        if is_secret(class, value) {
            if let Some(known) = self.rules.known {
                known.note(value);
            }
            return Some(encoded(MARK));
        }
        if class == Class::Person && self.rules.leaves && !value.is_empty() {
            return Some(encoded(PERSON_MARK));
        }
        if let Some(file) = files::whole(value, class == Class::File)
            && class != Class::Sealed
        {
            return (!self.rules.images).then(|| file.to_json());
        }
        let sealed = class == Class::Sealed || value.starts_with("codeferry.1.");
        if sealed && value.len() > SEALED {
            let head: String = value.chars().take(STAYS).collect();
            let head = forms::replace(&head, self.rules);
            return Some(encoded(&format!("{head}…«{} bytes, sha256 {}»", value.len(), fingerprint(value))));
        }
        match within(value, self.rules, self.depth + 1) {
            Cow::Owned(other) if other != value => Some(encoded(&other)),
            _ => None,
        }
    }

    fn number(&mut self, start: usize, end: usize) {
        let Some(level) = self.levels.last() else { return };
        if IDENTITY.contains(&level.name.as_str()) {
            self.identity += &self.text[start..end];
            self.identity.push(' ');
        }
        if level.class == Class::Secret {
            self.put(start, end, &encoded(MARK));
        }
    }

    fn put(&mut self, start: usize, end: usize, other: &str) {
        self.copy(start);
        self.out += other;
        self.copied = end;
    }

    fn copy(&mut self, end: usize) {
        self.out += &self.text[self.copied..end];
        self.copied = end;
    }
}

/// What a JSON string says. One that says nothing sound (half of a surrogate pair) is taken as it is written.
fn decoded(raw: &str) -> Cow<'_, str> {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return inner.into();
    }
    serde_json::from_str::<String>(raw).map_or_else(|_| inner.into(), Cow::Owned)
}

fn encoded(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| format!("\"{MARK}\""))
}
