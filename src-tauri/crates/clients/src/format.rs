//! Editors of text. They keep every byte that is not meant, and do no IO.
//!
//! A [`Document`] is a text in one of several languages; places in it are [`Pointer`]s, and what stands there is a [`Value`].
//! Each change gives steps that take it back.
//!
//! **Invariant:** after each change the text is read again, and nothing differs but the value that was meant; otherwise the
//! document stays as it was.

mod env;
mod json;
mod lines;
mod pointer;
mod step;
mod toml;
mod value;
mod yaml;

use serde::{Deserialize, Serialize};

pub use self::pointer::{BadPointer, Pointer};
pub(crate) use self::step::{Before, Step};
pub use self::value::Value;

/// No configuration of a client is larger.
pub const LARGEST: usize = 5 * 1024 * 1024;

/// So many documents are made up for each law.
#[cfg(test)]
const CASES: u32 = 10_000;

const BOM: char = '\u{feff}';

/// The language of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, also with comments and trailing commas.
    #[default]
    Json,
    /// JSON5: besides, names without quotation marks, single ones, and more.
    Json5,
    /// TOML.
    Toml,
    /// Lines of `NAME=value`.
    Env,
    /// YAML in block style, of which one list is changed.
    Yaml,
    /// JSON that is a list of groups with names, in which the models of a group have ids.
    Groups,
}

/// A text that was read, and what is where in it.
#[derive(Clone)]
pub struct Document {
    format: Format,
    inner: Inner,
}

#[derive(Clone)]
enum Inner {
    Json(json::Document),
    Toml(toml::Document),
    Env(env::Document),
    Yaml(yaml::Document),
}

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// It is not in its language.
    #[error("line {line}, column {column}: {what}")]
    Syntax { line: usize, column: usize, what: String },
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
    /// The change would have changed something else as well.
    #[error("the change of {0} would change something else, too")]
    Unsafe(String),
    /// This language has no way to say it.
    #[error("a value like that cannot stand at {0} in such a file")]
    CannotSay(String),
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may hold secrets.
        let bytes = self.text().len();
        f.debug_struct("Document").field("format", &self.format).field("bytes", &bytes).finish_non_exhaustive()
    }
}

// === impl Format ===

impl Format {
    /// What is read where this was put: lines of variables know texts only.
    pub(crate) fn held(self, value: &Value) -> Value {
        match (self, value) {
            (Self::Env, Value::Number(number)) => Value::Text(number.to_string()),
            (Self::Env, Value::Flag(flag)) => Value::Text(flag.to_string()),
            _ => value.clone(),
        }
    }
}

// === impl Document ===

impl Document {
    /// Reads it. White space alone, or nothing, is a document without a value.
    ///
    /// # Errors
    /// When it cannot be read, with the place.
    pub fn read(format: Format, bytes: &[u8]) -> Result<Self, Bad> {
        if bytes.len() > LARGEST {
            return Err(Bad::Large);
        }
        let text = match str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let (line, column) = place(&before, before.len());
                return Err(Bad::Encoding { line, column });
            }
        };
        let inner = match format {
            Format::Json => Inner::Json(json::Document::of(text, json::Flavour::Plain)?),
            Format::Toml => Inner::Toml(toml::Document::of(text)?),
            Format::Env => Inner::Env(env::Document::of(text)?),
            Format::Json5 => Inner::Json(json::Document::of(text, json::Flavour::Five)?),
            Format::Groups => Inner::Json(json::Document::of(text, json::Flavour::Groups)?),
            Format::Yaml => Inner::Yaml(yaml::Document::of(text)?),
        };
        Ok(Self { format, inner })
    }

    /// One with nothing in it.
    pub(crate) fn nothing(format: Format) -> Self {
        let inner = match format {
            Format::Json => Inner::Json(json::Document::nothing(json::Flavour::Plain)),
            Format::Json5 => Inner::Json(json::Document::nothing(json::Flavour::Five)),
            Format::Groups => Inner::Json(json::Document::nothing(json::Flavour::Groups)),
            Format::Toml => Inner::Toml(toml::Document::nothing()),
            Format::Env => Inner::Env(env::Document::nothing()),
            Format::Yaml => Inner::Yaml(yaml::Document::nothing()),
        };
        Self { format, inner }
    }

    /// Its language.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        match &self.inner {
            Inner::Json(json) => json.text(),
            Inner::Toml(toml) => toml.text(),
            Inner::Env(env) => env.text(),
            Inner::Yaml(yaml) => yaml.text(),
        }
    }

    /// The same in strict JSON: without a BOM, with blanks for comments and trailing commas; `{}` for nothing at all.
    /// `None`: it is in another language.
    pub fn strict(&self) -> Option<String> {
        match &self.inner {
            Inner::Json(json) if self.format != Format::Json5 => Some(json.strict()),
            Inner::Json(_) | Inner::Toml(_) | Inner::Env(_) | Inner::Yaml(_) => None,
        }
    }

    /// The value at that place; `None`: there is none.
    ///
    /// # Errors
    /// When the way there is not clear: a name twice, or something else than an object.
    pub fn value(&self, pointer: &Pointer) -> Result<Option<Value>, Bad> {
        match &self.inner {
            Inner::Json(json) => json.value(pointer),
            Inner::Toml(toml) => toml.value(pointer),
            Inner::Env(env) => env.value(pointer),
            Inner::Yaml(yaml) => yaml.value(pointer),
        }
    }

    /// The string at that place; `None`: there is none, or something else.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn string(&self, pointer: &Pointer) -> Result<Option<String>, Bad> {
        Ok(self.value(pointer)?.and_then(|value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        }))
    }

    /// Whether anything stands at that place. Where the way there is not clear, nothing does.
    pub fn holds(&self, pointer: &Pointer) -> bool {
        self.raw(pointer).ok().flatten().is_some()
    }

    /// Where every value stands that has none in it, with the names (and, in lists, numbers) that lead there.
    pub fn leaves(&self) -> Vec<(Pointer, std::ops::Range<usize>)> {
        match &self.inner {
            Inner::Json(json) => json.leaves(),
            Inner::Toml(toml) => toml.leaves(),
            Inner::Env(env) => env.leaves(),
            Inner::Yaml(yaml) => yaml.leaves(),
        }
    }

    /// The text of the value at that place, or another that stands for it; `None`: there is none.
    pub(crate) fn raw(&self, pointer: &Pointer) -> Result<Option<String>, Bad> {
        match &self.inner {
            Inner::Json(json) => Ok(json.raw(pointer)?.map(str::to_owned)),
            Inner::Toml(toml) => toml.raw(pointer),
            Inner::Env(env) => Ok(env.raw(pointer)?.map(str::to_owned)),
            Inner::Yaml(yaml) => Ok(yaml.raw(pointer)?.map(str::to_owned)),
        }
    }

    /// Puts a value at that place; objects on the way that are missing are made. The steps, first one first.
    pub(crate) fn set(&mut self, pointer: &Pointer, value: &Value) -> Result<Vec<Step>, Bad> {
        match &mut self.inner {
            Inner::Json(json) => json.set(pointer, value),
            Inner::Toml(toml) => toml.set(pointer, value),
            Inner::Env(env) => env.set(pointer, &self.format.held(value)),
            Inner::Yaml(yaml) => yaml.set(pointer, value),
        }
    }

    /// Takes the value at that place out. `None`: there was none.
    pub(crate) fn delete(&mut self, pointer: &Pointer) -> Result<Option<Step>, Bad> {
        match &mut self.inner {
            Inner::Json(json) => json.delete(pointer),
            Inner::Toml(toml) => toml.delete(pointer),
            Inner::Env(env) => env.delete(pointer),
            Inner::Yaml(yaml) => yaml.delete(pointer),
        }
    }

    /// Takes a step back. Where the text around it has changed since, the value comes back and the surroundings stay.
    pub(crate) fn undo(&mut self, step: &Step) -> Result<(), Bad> {
        match &mut self.inner {
            Inner::Json(json) => json.undo(step),
            Inner::Toml(toml) => toml.undo(step),
            Inner::Env(env) => env.undo(step),
            Inner::Yaml(yaml) => yaml.undo(step),
        }
    }

    /// Whether there is an object at that place with nothing in it, not even a comment.
    pub(crate) fn is_bare(&self, pointer: &Pointer) -> Result<bool, Bad> {
        match &self.inner {
            Inner::Json(json) => json.is_bare(pointer),
            Inner::Toml(toml) => Ok(toml.is_bare(pointer)),
            Inner::Env(_) => Ok(false),
            Inner::Yaml(yaml) => Ok(yaml.is_bare(pointer)),
        }
    }
}

fn unsafe_at(pointer: &Pointer) -> Bad {
    Bad::Unsafe(pointer.to_string())
}

/// The text with these pieces replaced; they stand in order.
fn spliced(text: &str, pieces: &[(std::ops::Range<usize>, &str)]) -> String {
    let mut new = String::with_capacity(text.len() + pieces.iter().map(|(_, piece)| piece.len()).sum::<usize>());
    let mut at = 0;
    for (range, piece) in pieces {
        new.push_str(&text[at..range.start]);
        new.push_str(piece);
        at = range.end;
    }
    new.push_str(&text[at..]);
    new
}

/// Line and column of a byte, both from one; columns count characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().filter(|char| *char != BOM).count() + 1)
}
