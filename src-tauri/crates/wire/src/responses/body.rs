//! A Responses request, read where it lies: for whoever has to say the same in another language.
//!
//! Read from what we wrote ourselves or from what a client of this dialect sent. The set of items is chosen; any other is
//! [`Item::Other`], as it stood.

use crate::json::{self, Kind, Raw, Reader};
use crate::responses::request::Role;

/// A request. Members nobody asks for are not kept.
#[derive(Debug, Clone)]
pub struct Body<'a> {
    /// The model, a string literal.
    pub model: Raw<'a>,
    /// A string literal, or `null`.
    pub instructions: Raw<'a>,
    /// The conversation.
    pub input: Vec<Item<'a>>,
    /// The tools on offer.
    pub tools: Vec<Tool<'a>>,
    /// `tool_choice`, as it stood.
    pub tool_choice: Raw<'a>,
    /// `parallel_tool_calls`, as it stood.
    pub parallel_tool_calls: Raw<'a>,
    /// `reasoning.effort`, a string literal or `null`.
    pub effort: Raw<'a>,
    /// `text.format`, as it stood.
    pub format: Raw<'a>,
    /// `text.verbosity`, as it stood.
    pub verbosity: Raw<'a>,
    /// `service_tier`, as it stood.
    pub service_tier: Raw<'a>,
    /// `max_output_tokens`, as it stood.
    pub max_output_tokens: Raw<'a>,
    /// `temperature`, as it stood.
    pub temperature: Raw<'a>,
    /// `top_p`, as it stood.
    pub top_p: Raw<'a>,
}

/// One item of the conversation.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// Somebody says something.
    Message {
        /// Who. Instructions are instructions, whether they say `developer` or `system`.
        role: Role,
        /// What is said.
        parts: Vec<Part<'a>>,
    },
    /// The model called a function.
    FunctionCall {
        /// A string literal.
        call_id: Raw<'a>,
        /// A string literal.
        name: Raw<'a>,
        /// JSON inside a string literal.
        arguments: Raw<'a>,
    },
    /// What the function gave.
    FunctionCallOutput {
        /// A string literal.
        call_id: Raw<'a>,
        /// Its parts; a plain string is one text.
        output: Vec<Part<'a>>,
    },
    /// Sealed reasoning; only who sealed it can make use of it.
    Reasoning,
    /// Any other item.
    Other {
        /// The whole item.
        raw: Raw<'a>,
    },
}

/// A piece of a message or of an output.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// Any kind of text, a string literal.
    Text(Raw<'a>),
    /// A picture: the string literal of its address or data URL.
    Image(Raw<'a>),
    /// A document.
    File {
        /// A string literal, if it has a name.
        name: Option<Raw<'a>>,
        /// The string literal of its data URL or address.
        data: Raw<'a>,
    },
    /// Anything else, as it stood.
    Other(Raw<'a>),
}

/// A tool on offer.
#[derive(Debug, Clone)]
pub enum Tool<'a> {
    /// One the client runs.
    Function {
        /// A string literal.
        name: Raw<'a>,
        /// A string literal, if there is one.
        description: Option<Raw<'a>>,
        /// The schema.
        parameters: Raw<'a>,
        /// Whether the input is to follow the schema strictly.
        strict: bool,
    },
    /// One the upstream runs, or of a kind that only its own models know.
    Hosted {
        /// The whole tool.
        raw: Raw<'a>,
    },
}

// === impl Body ===

impl<'a> Body<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, json::Error> {
        let mut body = Self {
            model: Raw::NULL,
            instructions: Raw::NULL,
            input: Vec::new(),
            tools: Vec::new(),
            tool_choice: Raw::NULL,
            parallel_tool_calls: Raw::NULL,
            effort: Raw::NULL,
            format: Raw::NULL,
            verbosity: Raw::NULL,
            service_tier: Raw::NULL,
            max_output_tokens: Raw::NULL,
            temperature: Raw::NULL,
            top_p: Raw::NULL,
        };
        let mut reader = Reader::new(bytes)?;
        reader.object(|key, reader| {
            match key {
                "model" => body.model = reader.value()?,
                "instructions" => body.instructions = reader.value()?,
                "input" if reader.peek()? == Kind::Array => reader.array(|reader| {
                    body.input.push(Item::read(reader)?);
                    Ok(())
                })?,
                // A plain string is what the person says.
                "input" => {
                    let parts = vec![Part::Text(reader.value()?)];
                    body.input.push(Item::Message { role: Role::User, parts });
                }
                "tools" if reader.peek()? == Kind::Array => reader.array(|reader| {
                    body.tools.push(Tool::of(reader.value()?));
                    Ok(())
                })?,
                "tool_choice" => body.tool_choice = reader.value()?,
                "parallel_tool_calls" => body.parallel_tool_calls = reader.value()?,
                "reasoning" => body.effort = reader.value()?.get("effort").unwrap_or(Raw::NULL),
                "text" => {
                    let text = reader.value()?;
                    body.format = text.get("format").unwrap_or(Raw::NULL);
                    body.verbosity = text.get("verbosity").unwrap_or(Raw::NULL);
                }
                "service_tier" => body.service_tier = reader.value()?,
                "max_output_tokens" => body.max_output_tokens = reader.value()?,
                "temperature" => body.temperature = reader.value()?,
                "top_p" => body.top_p = reader.value()?,
                _ => {}
            }
            Ok(())
        })?;
        reader.finish()?;
        Ok(body)
    }
}

// === impl Item ===

impl<'a> Item<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, json::Error> {
        if reader.peek()? != Kind::Object {
            return Ok(Self::Other { raw: reader.value()? });
        }
        let from = reader.position();
        let [mut tag, mut role, mut call_id, mut name, mut arguments] = [Raw::NULL; 5];
        let (mut parts, mut has_content) = (Vec::new(), false);
        reader.object(|key, reader| {
            match key {
                "type" => tag = reader.value()?,
                "role" => role = reader.value()?,
                "call_id" => call_id = reader.value()?,
                "name" => name = reader.value()?,
                "arguments" => arguments = reader.value()?,
                "content" | "output" => {
                    has_content = true;
                    parts = Part::read(reader)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        let raw = reader.since(from);
        Ok(match tag.literal() {
            Some("message") => Self::Message { role: who(role), parts },
            None if !role.is_null() && has_content => Self::Message { role: who(role), parts },
            Some("function_call") => Self::FunctionCall { call_id, name, arguments },
            Some("function_call_output") => Self::FunctionCallOutput { call_id, output: parts },
            Some("reasoning") => Self::Reasoning,
            _ => Self::Other { raw },
        })
    }
}

fn who(role: Raw<'_>) -> Role {
    match role.literal() {
        Some("assistant") => Role::Assistant,
        Some("developer" | "system") => Role::Developer,
        _ => Role::User,
    }
}

// === impl Part ===

impl<'a> Part<'a> {
    /// A string, or a list of parts.
    fn read(reader: &mut Reader<'a>) -> Result<Vec<Self>, json::Error> {
        let mut parts = Vec::new();
        match reader.peek()? {
            Kind::String => parts.push(Self::Text(reader.value()?)),
            Kind::Array => reader.array(|reader| {
                parts.push(Self::of(reader.value()?));
                Ok(())
            })?,
            _ => drop(reader.value()?),
        }
        Ok(parts)
    }

    fn of(raw: Raw<'a>) -> Self {
        let [mut tag, mut text, mut image, mut name, mut data, mut url] = [Raw::NULL; 6];
        let read = match raw.kind() {
            Kind::Object => raw.reader().object(|key, reader| {
                match key {
                    "type" => tag = reader.value()?,
                    "text" | "refusal" => text = reader.value()?,
                    "image_url" => image = reader.value()?,
                    "filename" => name = reader.value()?,
                    "file_data" => data = reader.value()?,
                    "file_url" => url = reader.value()?,
                    _ => {}
                }
                Ok(())
            }),
            _ => return Self::Other(raw),
        };
        let is_text = |raw: &Raw<'_>| raw.kind() == Kind::String;
        match tag.literal() {
            _ if read.is_err() => Self::Other(raw),
            Some("input_text" | "output_text" | "text" | "refusal") if is_text(&text) => Self::Text(text),
            Some("input_image") if is_text(&image) => Self::Image(image),
            Some("input_file") => match [data, url].into_iter().find(is_text) {
                Some(data) => Self::File { name: Some(name).filter(is_text), data },
                None => Self::Other(raw),
            },
            _ => Self::Other(raw),
        }
    }
}

// === impl Tool ===

impl<'a> Tool<'a> {
    fn of(raw: Raw<'a>) -> Self {
        let name = raw.get("name").filter(|name| name.kind() == Kind::String);
        match (raw.get("type").and_then(Raw::literal), name) {
            (Some("function"), Some(name)) => Self::Function {
                name,
                description: raw.get("description").filter(|text| text.kind() == Kind::String),
                parameters: raw
                    .get("parameters")
                    .filter(|schema| schema.kind() == Kind::Object)
                    .unwrap_or(Raw::EMPTY_OBJECT),
                strict: raw.get("strict").and_then(Raw::bool) == Some(true),
            },
            _ => Self::Hosted { raw },
        }
    }
}
