//! What a client asks: the body of `generateContent`, `streamGenerateContent` and `countTokens`.
//!
//! Read in one pass; texts, arguments, schemas and pictures stay raw. What would change the meaning of the answer is refused
//! with the name of the member; members this file does not know are counted by name and otherwise ignored.

use std::borrow::Cow;

use crate::json::{self, Kind, Raw, Reader, What};
pub use crate::path::BadRequest;
use crate::path::{self, Path};

mod config;
mod content;
#[cfg(test)]
mod tests;
mod tools;

pub use config::{Config, Format};
pub use content::{Content, Part, Role, Said};
pub use tools::{Choice, Tool};

/// A request.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// Instructions: `systemInstruction`.
    pub system: Vec<Part<'a>>,
    /// The conversation.
    pub contents: Vec<Content<'a>>,
    /// The functions on offer.
    pub tools: Vec<Tool<'a>>,
    /// The model's host may search the web: `googleSearch`.
    pub search: bool,
    /// Other tools that Google's servers would run.
    pub hosted: bool,
    /// How the model may use the functions.
    pub choice: Option<Choice<'a>>,
    /// `generationConfig`
    pub config: Config<'a>,
    /// Members nobody here knows, in the order they came.
    pub unknown: Vec<String>,
    /// A text was cut inside a surrogate pair somewhere: see [`json::repair_surrogates`].
    pub lone_surrogate: bool,
}

// === impl Request ===

impl<'a> Request<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// When the body is not JSON, or when a member is missing or wrong without which the answer would mean something else.
    /// A text in such an error never repeats the content of the request.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadRequest> {
        let mut request = Self::default();
        request.lone_surrogate = path::read(bytes, |key, reader, path| request.member(&camel(key), reader, path))?;
        request.check()
    }

    /// Reads a body of `countTokens`: contents alone, or a whole request as `generateContentRequest`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_to_count(bytes: &'a [u8]) -> Result<Self, BadRequest> {
        let mut request = Self::default();
        request.lone_surrogate = path::read(bytes, |key, reader, path| match &*camel(key) {
            "generateContentRequest" => reader.object(|key, reader| {
                let key = camel(key);
                path.push(&key);
                request.member(&key, reader, path)?;
                path.pop();
                Ok(())
            }),
            other => request.member(other, reader, path),
        })?;
        request.check()
    }

    fn member(&mut self, key: &str, reader: &mut Reader<'a>, path: &mut Path) -> Result<(), json::Error> {
        match key {
            "contents" => self.contents = content::contents(reader, path)?,
            "systemInstruction" => {
                if reader.peek()? != Kind::Null {
                    self.system = content::content(reader, path)?.parts;
                }
            }
            "tools" => tools::tools(self, reader, path)?,
            "toolConfig" => self.choice = tools::config(reader, path)?,
            "generationConfig" => self.config = config::config(reader, path)?,
            "cachedContent" => {
                if !matches!(reader.value()?.literal(), None | Some("")) {
                    path.code = "unsupported_parameter";
                    return Err(reader.error(What::Expected("nothing: no content is kept here, send all of it")));
                }
            }
            // What the host may filter, and what it may keep: neither is ours to say. The model stands in the path.
            "safetySettings" | "labels" | "model" | "store" => {}
            other => {
                let value = reader.value()?;
                if !value.is_null() {
                    self.unknown.push(other.to_owned());
                }
            }
        }
        Ok(())
    }

    fn check(self) -> Result<Self, BadRequest> {
        if self.contents.is_empty() {
            return Err(BadRequest::field("contents", "at least one content is needed"));
        }
        let offered = |name: &Cow<'a, str>| self.tools.iter().any(|tool| tool.name == *name);
        let sound = match &self.choice {
            Some(Choice { required, names }) => {
                names.iter().all(offered) && (!*required || !self.tools.is_empty() || self.search)
            }
            None => true,
        };
        let wrong = "the function is not among the tools of this request";
        if sound { Ok(self) } else { Err(BadRequest::field("toolConfig.functionCallingConfig", wrong)) }
    }
}

/// A member's name as Google's documents have it. Its servers take `inline_data` for `inlineData`.
fn camel(key: &str) -> Cow<'_, str> {
    if !key.contains('_') {
        return Cow::Borrowed(key);
    }
    let mut name = String::with_capacity(key.len());
    let mut raise = false;
    for letter in key.chars() {
        match letter {
            '_' => raise = !name.is_empty(),
            letter if raise => {
                name.push(letter.to_ascii_uppercase());
                raise = false;
            }
            letter => name.push(letter),
        }
    }
    Cow::Owned(name)
}

/// The members of an object, by their names in camel case.
fn members<'a, const N: usize>(raw: Raw<'a>, names: [&str; N]) -> Result<[Option<Raw<'a>>; N], json::Error> {
    let mut found = [None; N];
    raw.reader().object(|key, reader| {
        let key = camel(key);
        if let Some(place) = names.iter().position(|name| *name == key) {
            found[place] = Some(reader.value()?).filter(|value| !value.is_null());
        }
        Ok(())
    })?;
    Ok(found)
}

/// Reads a list. Where one element stands alone, it is taken for a list of one, as Google's servers do.
fn each<'a>(
    reader: &mut Reader<'a>,
    path: &mut Path,
    mut one: impl FnMut(&mut Reader<'a>, &mut Path) -> Result<(), json::Error>,
) -> Result<(), json::Error> {
    match reader.peek()? {
        Kind::Null => reader.value().map(|_| ()),
        Kind::Object => one(reader, path),
        _ => {
            let mut place = 0;
            reader.array(|reader| {
                path.push_index(place);
                one(reader, path)?;
                path.pop();
                place += 1;
                Ok(())
            })
        }
    }
}
