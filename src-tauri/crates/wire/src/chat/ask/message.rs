//! The conversation.

use std::borrow::Cow;

use crate::json::{self, Kind, Raw, Reader, What};
use crate::path::{Path, nullable};

/// One message of the conversation.
#[derive(Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said; a string counts as one text.
    pub content: Vec<Part<'a>>,
    /// The tools that the model called.
    pub calls: Vec<Call<'a>>,
    /// Which call a tool's result is for.
    pub call_id: Option<Cow<'a, str>>,
    /// Of the function whose result this is, or of whoever speaks.
    pub name: Option<Cow<'a, str>>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions: `system` or `developer`.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool.
    Tool,
    /// A tool, in the days when they were called functions: its call is known by the name.
    Function,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// A string literal.
    Text(Raw<'a>),
    /// The model refuses; a string literal.
    Refusal(Raw<'a>),
    /// A picture.
    Image {
        /// Address or data URL, a string literal.
        url: Raw<'a>,
        /// How closely to look, a string literal.
        detail: Option<Raw<'a>>,
    },
    /// A file.
    File {
        /// A string literal.
        name: Option<Raw<'a>>,
        /// A data URL, a string literal. `None`: it is named by an id that only its host can resolve.
        data: Option<Raw<'a>>,
    },
    /// Something that was said, as sound.
    Audio,
    /// What a model thought, as other services tell it.
    Thinking,
    /// A part of an unknown type, as it stood.
    Other(Raw<'a>),
}

/// A call of a tool.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its id. Calls of functions, in the days when tools were called so, have none.
    pub id: Option<Cow<'a, str>>,
    /// The function.
    pub name: Cow<'a, str>,
    /// JSON inside a string literal; some clients write the object itself.
    pub arguments: Raw<'a>,
}

// === impl Message ===

impl Message<'_> {
    pub(super) fn of(role: Role) -> Self {
        Self { role, content: Vec::new(), calls: Vec::new(), call_id: None, name: None }
    }
}

pub(super) fn messages<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Vec<Message<'a>>, json::Error> {
    let mut messages = Vec::new();
    reader.array(|reader| {
        path.push_index(messages.len());
        messages.push(message(reader, path)?);
        path.pop();
        Ok(())
    })?;
    Ok(messages)
}

fn message<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Message<'a>, json::Error> {
    let mut message = Message::of(Role::User);
    let (mut role, mut content) = (None, None);
    reader.object(|key, reader| {
        path.push(key);
        match key {
            "role" => {
                role = Some(match reader.value()?.literal() {
                    Some("system" | "developer") => Role::System,
                    Some("user") => Role::User,
                    Some("assistant") => Role::Assistant,
                    Some("tool") => Role::Tool,
                    Some("function") => Role::Function,
                    _ => {
                        let roles = "'system', 'developer', 'user', 'assistant', 'tool' or 'function'";
                        return Err(reader.error(What::Expected(roles)));
                    }
                });
            }
            "content" => content = contents(reader, path)?,
            "refusal" => {
                let said = reader.value()?;
                message.content.extend(said.literal().filter(|said| !said.is_empty()).map(|_| Part::Refusal(said)));
            }
            "tool_calls" | "function_call" if reader.peek()? == Kind::Null => {}
            "tool_calls" => {
                reader.array(|reader| {
                    path.push_index(message.calls.len());
                    message.calls.push(call(reader, path)?);
                    path.pop();
                    Ok(())
                })?;
            }
            "function_call" => {
                let raw = reader.value()?;
                if raw.kind() != Kind::Object {
                    return Err(reader.error(What::Expected("an object with a name and arguments")));
                }
                message.calls.push(function(raw, None, reader, path)?);
            }
            "tool_call_id" => message.call_id = nullable(reader, Raw::string, "a string")?,
            "name" => message.name = nullable(reader, Raw::string, "a string")?,
            _ => {}
        }
        path.pop();
        Ok(())
    })?;
    let mut lacks = |name: &str, what| {
        path.push(name);
        Err(reader.error(What::Expected(what)))
    };
    let Some(role) = role else {
        return lacks("role", "who speaks");
    };
    message.role = role;
    match content {
        Some(mut content) => message.content.splice(0..0, content.drain(..)).for_each(drop),
        // A model that calls tools says nothing, and a function may give nothing.
        None if matches!(role, Role::Assistant | Role::Tool | Role::Function) => {}
        None => return lacks("content", "a string or a list of parts"),
    }
    match role {
        Role::Tool if message.call_id.is_none() => lacks("tool_call_id", "the id of the call that is answered"),
        Role::Function if message.name.is_none() => lacks("name", "the name of the function"),
        _ => Ok(message),
    }
}

/// `None` for `null`.
fn contents<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Option<Vec<Part<'a>>>, json::Error> {
    match reader.peek()? {
        Kind::Null => Ok(None),
        Kind::String => Ok(Some(vec![Part::Text(reader.value()?)])),
        Kind::Array => {
            let mut parts = Vec::new();
            reader.array(|reader| {
                path.push_index(parts.len());
                parts.push(part(reader, path)?);
                path.pop();
                Ok(())
            })?;
            Ok(Some(parts))
        }
        _ => Err(reader.error(What::Expected("a string or a list of parts"))),
    }
}

fn part<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Part<'a>, json::Error> {
    let raw = reader.value()?;
    if raw.kind() == Kind::String {
        return Ok(Part::Text(raw));
    }
    let (mut kind, mut inner) = (None, [None; 4]);
    const INNER: [&str; 4] = ["text", "refusal", "image_url", "file"];
    if raw.kind() != Kind::Object {
        return Err(reader.error(What::Expected("a part: an object with a type")));
    }
    raw.reader().object(|key, reader| {
        if key == "type" {
            kind = Some(reader.value()?);
        } else if let Some(place) = INNER.iter().position(|name| *name == key) {
            inner[place] = Some(reader.value()?);
        }
        Ok(())
    })?;
    let [text, refusal, image, file] = inner;
    let literal = |raw: &Raw<'a>| raw.kind() == Kind::String;
    match kind.and_then(Raw::literal) {
        Some("text" | "input_text" | "output_text") => match text.filter(literal) {
            Some(text) => Ok(Part::Text(text)),
            None => {
                path.push("text");
                Err(reader.error(What::Expected("a string")))
            }
        },
        Some("refusal") => Ok(refusal.filter(literal).map_or(Part::Other(raw), Part::Refusal)),
        Some("image_url" | "input_image") => {
            // The address alone stands there in Responses, and with some clients.
            let url = image.and_then(|image| if literal(&image) { Some(image) } else { image.get("url") });
            let detail = image.and_then(|image| image.get("detail")).filter(literal);
            match url.filter(|url| url.literal().is_some_and(is_address)) {
                Some(url) => Ok(Part::Image { url, detail }),
                None => {
                    path.push("image_url");
                    path.push("url");
                    Err(reader.error(What::Expected("an address or a data URL")))
                }
            }
        }
        Some("file" | "input_file") => {
            let member = |name| file.and_then(|file| file.get(name)).filter(literal);
            Ok(Part::File { name: member("filename"), data: member("file_data") })
        }
        Some("input_audio" | "audio") => Ok(Part::Audio),
        Some("thinking" | "redacted_thinking" | "reasoning") => Ok(Part::Thinking),
        Some(_) => Ok(Part::Other(raw)),
        None => {
            path.push("type");
            Err(reader.error(What::Expected("a string")))
        }
    }
}

/// Of something on the net, or the thing itself. A slash may be written `\\/`.
fn is_address(text: &str) -> bool {
    ["https:", "http:", "data:"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
}

fn call<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Call<'a>, json::Error> {
    let raw = reader.value()?;
    let Some(id) = raw.get("id").and_then(Raw::string).filter(|id| !id.is_empty()) else {
        path.push("id");
        return Err(reader.error(What::Expected("a string")));
    };
    let Some(inner) = raw.get("function").filter(|inner| inner.kind() == Kind::Object) else {
        path.push("function");
        return Err(reader.error(What::Expected("an object with a name and arguments")));
    };
    path.push("function");
    let call = function(inner, Some(id), reader, path)?;
    path.pop();
    Ok(call)
}

fn function<'a>(
    raw: Raw<'a>,
    id: Option<Cow<'a, str>>,
    reader: &Reader<'a>,
    path: &mut Path,
) -> Result<Call<'a>, json::Error> {
    let Some(name) = raw.get("name").and_then(Raw::string).filter(|name| !name.is_empty()) else {
        path.push("name");
        return Err(reader.error(What::Expected("a string")));
    };
    let arguments = raw.get("arguments").filter(|raw| matches!(raw.kind(), Kind::String | Kind::Object));
    Ok(Call { id, name, arguments: arguments.unwrap_or(Raw::EMPTY_OBJECT_TEXT) })
}
