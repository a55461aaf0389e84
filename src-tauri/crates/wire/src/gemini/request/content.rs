//! The conversation.

use std::borrow::Cow;

use super::{camel, each, members};
use crate::json::{self, Kind, Raw, Reader, What};
use crate::path::Path;

/// What one of the two says.
#[derive(Debug)]
pub struct Content<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub parts: Vec<Part<'a>>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person, and the client's tools.
    User,
    /// The model.
    Model,
}

/// A piece of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// What it is.
    pub said: Said<'a>,
    /// The model thought this; it is shown to people and not sent to the model.
    pub thought: bool,
    /// What was thought before this, sealed: `thoughtSignature`.
    pub signature: Option<Cow<'a, str>>,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<'a> {
    /// A string literal.
    Text(Raw<'a>),
    /// A picture, a file, sound.
    Data {
        /// `image/png`
        media_type: Cow<'a, str>,
        /// Base64, of either alphabet; what stands between the quotes.
        data: &'a str,
        /// File name, a string literal.
        name: Option<Raw<'a>>,
    },
    /// The same, by address.
    File {
        /// `image/png`
        media_type: Option<Cow<'a, str>>,
        /// Where it is, a string literal.
        uri: Raw<'a>,
    },
    /// The model calls a function.
    Call {
        /// Its id, if it has one.
        id: Option<Cow<'a, str>>,
        /// The function.
        name: Cow<'a, str>,
        /// An object.
        args: Raw<'a>,
    },
    /// What a function gave.
    Result {
        /// The id of the call, if it has one.
        id: Option<Cow<'a, str>>,
        /// The function.
        name: Cow<'a, str>,
        /// An object, usually with an `output` or an `error`.
        response: Raw<'a>,
        /// Pictures and files that belong to it.
        parts: Vec<Part<'a>>,
    },
    /// A part of an unknown kind, as it stood.
    Other(Raw<'a>),
}

pub(super) fn contents<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Vec<Content<'a>>, json::Error> {
    let mut contents = Vec::new();
    each(reader, path, |reader, path| {
        contents.push(content(reader, path)?);
        Ok(())
    })?;
    Ok(contents)
}

pub(super) fn content<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Content<'a>, json::Error> {
    let mut content = Content { role: Role::User, parts: Vec::new() };
    reader.object(|key, reader| {
        let key = camel(key);
        path.push(&key);
        match &*key {
            "role" => {
                let role = reader.value()?;
                content.role = match role.literal() {
                    Some("user" | "function" | "") => Role::User,
                    Some("model") => Role::Model,
                    None if role.is_null() => Role::User,
                    _ => return Err(reader.error(What::Expected("'user' or 'model'"))),
                }
            }
            "parts" => each(reader, path, |reader, path| {
                content.parts.push(part(reader, path)?);
                Ok(())
            })?,
            _ => {}
        }
        path.pop();
        Ok(())
    })?;
    Ok(content)
}

fn part<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Part<'a>, json::Error> {
    const INNER: [&str; 7] =
        ["text", "inlineData", "fileData", "functionCall", "functionResponse", "thought", "thoughtSignature"];
    let raw = reader.value()?;
    if raw.kind() != Kind::Object {
        return Err(reader.error(What::Expected("a part: an object")));
    }
    let [text, data, file, call, result, thought, signature] = members(raw, INNER)?;
    let said = match (text, data, file, call, result) {
        (_, _, _, Some(call), _) => function(call, "functionCall", reader, path)?,
        (_, _, _, _, Some(result)) => function(result, "functionResponse", reader, path)?,
        (_, Some(data), _, _, _) => {
            let [media_type, bytes, name] = members(data, ["mimeType", "data", "displayName"])?;
            let (Some(media_type), Some(bytes)) = (media_type.and_then(Raw::string), bytes.and_then(Raw::literal))
            else {
                path.push("inlineData");
                return Err(reader.error(What::Expected("an object with a mimeType and data")));
            };
            Said::Data { media_type, data: bytes, name: name.filter(is_text) }
        }
        (_, _, Some(file), _, _) => {
            let [media_type, uri] = members(file, ["mimeType", "fileUri"])?;
            let Some(uri) = uri.filter(is_text) else {
                path.push("fileData");
                return Err(reader.error(What::Expected("an object with a fileUri")));
            };
            Said::File { media_type: media_type.and_then(Raw::string), uri }
        }
        (Some(text), _, _, _, _) => {
            if !is_text(&text) {
                path.push("text");
                return Err(reader.error(What::Expected("a string")));
            }
            Said::Text(text)
        }
        // A part that has a signature and nothing else comes behind a text.
        _ if says_nothing(raw)? => Said::Text(Raw::EMPTY_STRING),
        _ => Said::Other(raw),
    };
    Ok(Part {
        said,
        thought: thought.and_then(Raw::bool).unwrap_or(false),
        signature: signature.and_then(Raw::string).filter(|signature| !signature.is_empty()),
    })
}

fn function<'a>(raw: Raw<'a>, kind: &str, reader: &Reader<'a>, path: &mut Path) -> Result<Said<'a>, json::Error> {
    path.push(kind);
    if raw.kind() != Kind::Object {
        return Err(reader.error(What::Expected("an object with a name")));
    }
    let [id, name, args, response, parts] = members(raw, ["id", "name", "args", "response", "parts"])?;
    let Some(name) = name.and_then(Raw::string).filter(|name| !name.is_empty()) else {
        path.push("name");
        return Err(reader.error(What::Expected("a string")));
    };
    let id = id.and_then(Raw::string).filter(|id| !id.is_empty());
    let object = |raw: Option<Raw<'a>>| raw.unwrap_or(Raw::EMPTY_OBJECT);
    let said = if kind == "functionCall" {
        Said::Call { id, name, args: object(args) }
    } else {
        let mut inner = Vec::new();
        if let Some(parts) = parts {
            path.push("parts");
            each(&mut parts.reader(), path, |reader, path| {
                inner.push(part(reader, path)?);
                Ok(())
            })?;
            path.pop();
        }
        Said::Result { id, name, response: object(response), parts: inner }
    };
    path.pop();
    Ok(said)
}

fn says_nothing(part: Raw<'_>) -> Result<bool, json::Error> {
    let mut nothing = true;
    part.reader().object(|key, _| {
        nothing &= matches!(&*camel(key), "thought" | "thoughtSignature");
        Ok(())
    })?;
    Ok(nothing)
}

fn is_text(raw: &Raw<'_>) -> bool {
    raw.kind() == Kind::String
}
