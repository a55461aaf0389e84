//! JSON, and JSON with comments and trailing commas, changed in place.
//!
//! A change is a splice of the text: comments, order, indentation, line ends, a BOM and the final newline stay what they
//! are. Each change gives a [`Step`] that takes it back, to the byte as long as nobody changed the text around it.
//!
//! **Invariant:** after each splice the text is read again, and nothing differs but the value that was meant; otherwise the
//! document stays as it was.

mod check;
mod edit;
mod layout;
mod pointer;
mod scan;
mod step;
#[cfg(test)]
mod tests;

pub use self::pointer::{BadPointer, Pointer};
use self::scan::{Kind, Member, Node};
pub use self::step::{Before, Step};

/// No configuration of a client is larger.
pub const LARGEST: usize = 5 * 1024 * 1024;

const BOM: char = '\u{feff}';

/// A text that was read, and what is where in it.
#[derive(Clone)]
pub struct Document {
    text: String,
    /// `None`: there is nothing but white space.
    root: Option<Node>,
    /// Comments and trailing commas: what strict JSON does not have.
    extra: Vec<std::ops::Range<usize>>,
}

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// It is no JSON.
    #[error("line {line}, column {column}: {what}")]
    Syntax { line: usize, column: usize, what: &'static str },
    /// Its bytes are no text.
    #[error("line {line}, column {column}: this is not UTF-8")]
    Encoding { line: usize, column: usize },
    /// Larger than [`LARGEST`].
    #[error("it is larger than {} MiB", LARGEST / 1024 / 1024)]
    Large,
    /// A name on the way to the value stands there twice, so that readers disagree about what holds.
    #[error("line {line}, column {column}: {name:?} stands here a second time")]
    Twice { line: usize, column: usize, name: String },
    /// Something else stands where an object has to be.
    #[error("line {line}, column {column}: {place} has to be an object here")]
    NotObject { line: usize, column: usize, place: String },
    /// The splice would have changed something else as well.
    #[error("the change of {0} would change something else, too")]
    Unsafe(String),
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may hold secrets.
        f.debug_struct("Document").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

// === impl Document ===

impl Document {
    /// Reads it. White space alone, or nothing, is a document without a value.
    ///
    /// # Errors
    /// When it cannot be read, with the place.
    pub fn read(bytes: &[u8]) -> Result<Self, Bad> {
        if bytes.len() > LARGEST {
            return Err(Bad::Large);
        }
        match str::from_utf8(bytes) {
            Ok(text) => Self::of(text.to_owned()),
            Err(error) => {
                let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let (line, column) = place(&before, before.len());
                Err(Bad::Encoding { line, column })
            }
        }
    }

    fn of(text: String) -> Result<Self, Bad> {
        let (root, extra) = scan::scan(&text)?;
        Ok(Self { text, root, extra })
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same in strict JSON: without a BOM, with blanks for comments and trailing commas; `{}` for nothing at all.
    pub fn strict(&self) -> String {
        if self.root.is_none() {
            return "{}".to_owned();
        }
        let mut strict = String::with_capacity(self.text.len());
        let mut at = if self.text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
        for extra in &self.extra {
            strict.push_str(&self.text[at..extra.start]);
            strict.push(' ');
            at = extra.end;
        }
        strict.push_str(&self.text[at..]);
        strict
    }

    /// The text of the value at that place; `None`: there is none.
    ///
    /// # Errors
    /// When the way there is not clear: a name twice, or something else than an object.
    pub fn raw(&self, pointer: &Pointer) -> Result<Option<&str>, Bad> {
        let Some(name) = pointer.name() else {
            return Ok(self.root.as_ref().map(|root| &self.text[root.span.clone()]));
        };
        let Some((_, members)) = self.object(pointer.parent())? else { return Ok(None) };
        Ok(self.member(members, name)?.map(|at| &self.text[members[at].value.span.clone()]))
    }

    /// The string at that place; `None`: there is none, or something else.
    ///
    /// # Errors
    /// As [`raw`](Self::raw).
    pub fn string(&self, pointer: &Pointer) -> Result<Option<String>, Bad> {
        Ok(self.raw(pointer)?.and_then(|raw| serde_json::from_str(raw).ok()))
    }

    /// The object at that place, with its members; `None`: there is none.
    fn object(&self, names: &[String]) -> Result<Option<(&Node, &[Member])>, Bad> {
        let Some(mut node) = self.root.as_ref() else { return Ok(None) };
        let mut passed = 0;
        loop {
            let Kind::Object(members) = &node.kind else {
                let (line, column) = place(&self.text, node.span.start);
                let place = names[..passed].last().map_or_else(|| "the whole".to_owned(), |name| format!("{name:?}"));
                return Err(Bad::NotObject { line, column, place });
            };
            let Some(name) = names.get(passed) else { return Ok(Some((node, members))) };
            let Some(at) = self.member(members, name)? else { return Ok(None) };
            node = &members[at].value;
            passed += 1;
        }
    }

    /// Which member is called so. Two of them are a fault.
    fn member(&self, members: &[Member], name: &str) -> Result<Option<usize>, Bad> {
        let mut found = members.iter().enumerate().filter(|(_, member)| member.name == name);
        let first = found.next().map(|(at, _)| at);
        match found.next() {
            None => Ok(first),
            Some((_, second)) => {
                let (line, column) = place(&self.text, second.key.start);
                Err(Bad::Twice { line, column, name: name.to_owned() })
            }
        }
    }
}

/// Line and column of a byte, both from one; columns count characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().filter(|char| *char != BOM).count() + 1)
}
