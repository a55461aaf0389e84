//! What a client asks: `POST /v1/chat/completions`, and the older `POST /v1/completions`.
//!
//! Read in one pass; texts, arguments, schemas and pictures stay raw. What would change the meaning of the answer is
//! refused with the name of the parameter (`seed-b.md §2.4`); members this file does not know are counted by name and
//! otherwise ignored.

use std::borrow::Cow;

use crate::json::{self, Kind, Raw, Reader, What};
pub use crate::path::BadRequest;
use crate::path::{self, Path, member, nullable, object, string, strings};

mod message;
mod prompt;
#[cfg(test)]
mod tests;
mod tools;

pub use message::{Call, Message, Part, Role};
pub use tools::{Choice, Tool};

/// A request to `/v1/chat/completions`.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The model as the client names it.
    pub model: Cow<'a, str>,
    /// Absent means a single JSON answer.
    pub stream: bool,
    /// `stream_options.include_usage`
    pub include_usage: bool,
    /// The conversation.
    pub messages: Vec<Message<'a>>,
    /// The functions on offer.
    pub tools: Vec<Tool<'a>>,
    /// They came as `functions`, the older name: calls are told as `function_call` then.
    pub legacy_functions: bool,
    /// How the model may use them.
    pub tool_choice: Option<Choice<'a>>,
    /// Whether several tools may be called at a time.
    pub parallel_tool_calls: Option<bool>,
    /// The model's host may search the web: `web_search_options`, as it stood.
    pub web_search: Option<Raw<'a>>,
    /// What the answer is to look like.
    pub format: Format<'a>,
    /// `verbosity`, a string literal.
    pub verbosity: Option<Raw<'a>>,
    /// `reasoning_effort` or `reasoning.effort`.
    pub effort: Option<Cow<'a, str>>,
    /// `max_completion_tokens` or `max_tokens`.
    pub max_tokens: Option<u64>,
    /// Texts at which the answer ends.
    pub stop: Vec<Cow<'a, str>>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// `top_p`
    pub top_p: Option<f64>,
    /// `service_tier`
    pub service_tier: Option<Cow<'a, str>>,
    /// The client's own name for what stays the same from request to request.
    pub prompt_cache_key: Option<Cow<'a, str>>,
    /// Members that steer the choice of words and cannot be carried, by name.
    pub sampling: Vec<&'static str>,
    /// Members nobody here knows, in the order they came.
    pub unknown: Vec<String>,
    /// A text was cut inside a surrogate pair somewhere: see [`json::repair_surrogates`].
    pub lone_surrogate: bool,
}

/// `response_format`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format<'a> {
    /// Text.
    #[default]
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// A string literal.
        name: Option<Raw<'a>>,
        /// A string literal.
        description: Option<Raw<'a>>,
        /// The schema.
        schema: Option<Raw<'a>>,
        /// Whether the answer must follow it strictly.
        strict: bool,
    },
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
        let (mut seen_model, mut seen_messages) = (false, false);
        request.lone_surrogate = path::read(bytes, |key, reader, path| {
            match key {
                "model" => {
                    seen_model = true;
                    request.model = string(reader)?;
                }
                "messages" => {
                    seen_messages = true;
                    request.messages = message::messages(reader, path)?;
                }
                other => request.member(other, reader, path)?,
            }
            Ok(())
        })?;
        if !seen_model || request.model.is_empty() {
            return Err(BadRequest::missing("model", "model_required"));
        }
        if !seen_messages || request.messages.is_empty() {
            return Err(BadRequest::field("messages", "at least one message is needed"));
        }
        request.check_choice()?;
        Ok(request)
    }

    /// Reads a body of `/v1/completions`: its prompt is what a person says.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_prompt(bytes: &'a [u8]) -> Result<Self, BadRequest> {
        let mut request = Self::default();
        let (mut seen_model, mut prompt) = (false, None);
        request.lone_surrogate = path::read(bytes, |key, reader, path| {
            match key {
                "model" => {
                    seen_model = true;
                    request.model = string(reader)?;
                }
                "prompt" => prompt = Some(prompt::prompt(reader, path)?),
                "echo" | "suffix" | "best_of" | "logprobs" => prompt::refuse(key, reader, path)?,
                other => request.member(other, reader, path)?,
            }
            Ok(())
        })?;
        if !seen_model || request.model.is_empty() {
            return Err(BadRequest::missing("model", "model_required"));
        }
        let Some(prompt) = prompt else {
            return Err(BadRequest::missing("prompt", "missing_required_parameter"));
        };
        request.messages = vec![Message { content: vec![Part::Text(prompt)], ..Message::of(Role::User) }];
        Ok(request)
    }

    fn member(&mut self, key: &str, reader: &mut Reader<'a>, path: &mut Path) -> Result<(), json::Error> {
        match key {
            "stream" => self.stream = nullable(reader, Raw::bool, "a boolean")?.unwrap_or(false),
            "stream_options" => {
                let options = nullable(reader, object, "an object")?;
                let wanted =
                    options.map(|options| member(options, "include_usage", Kind::Bool, "a boolean", reader, path));
                self.include_usage = wanted.transpose()?.flatten().and_then(Raw::bool).unwrap_or(false);
            }
            "tools" => self.tools.append(&mut tools::tools(reader, path)?),
            "functions" => {
                self.tools.append(&mut tools::functions(reader, path)?);
                self.legacy_functions = true;
            }
            "tool_choice" => self.tool_choice = tools::choice(reader)?.or(self.tool_choice.take()),
            "function_call" => self.tool_choice = tools::function_call(reader)?.or(self.tool_choice.take()),
            "parallel_tool_calls" => self.parallel_tool_calls = nullable(reader, Raw::bool, "a boolean")?,
            "web_search_options" => self.web_search = nullable(reader, object, "an object")?,
            "response_format" => self.format = format(reader, path)?,
            "verbosity" => {
                let word = |raw: Raw<'a>| matches!(raw.literal(), Some("low" | "medium" | "high")).then_some(raw);
                self.verbosity = nullable(reader, word, "'low', 'medium' or 'high'")?;
            }
            "reasoning_effort" | "reasoningEffort" => self.effort = effort(reader)?.or(self.effort.take()),
            "reasoning" if reader.peek()? == Kind::Null => {}
            "reasoning" => reader.object(|key, reader| {
                if key == "effort" {
                    path.push(key);
                    self.effort = effort(reader)?.or(self.effort.take());
                    path.pop();
                }
                Ok(())
            })?,
            "max_tokens" | "max_completion_tokens" => {
                let most = nullable(reader, |raw| raw.u64().filter(|most| *most > 0), "a whole number above 0")?;
                self.max_tokens = if key == "max_tokens" { self.max_tokens.or(most) } else { most.or(self.max_tokens) };
            }
            "stop" => {
                self.stop = match reader.peek()? {
                    Kind::String => vec![string(reader)?],
                    _ => strings(reader)?,
                }
            }
            "temperature" => {
                let within = |raw: Raw<'a>| raw.f64().filter(|value| (0.0..=2.0).contains(value));
                self.temperature = nullable(reader, within, "a number from 0 to 2")?;
            }
            "top_p" => {
                let within = |raw: Raw<'a>| raw.f64().filter(|value| *value > 0.0 && *value <= 1.0);
                self.top_p = nullable(reader, within, "a number above 0, at most 1")?;
            }
            "service_tier" => self.service_tier = nullable(reader, Raw::string, "a string")?,
            "prompt_cache_key" => self.prompt_cache_key = nullable(reader, Raw::string, "a string")?,
            "n" => one_choice(reader, path)?,
            "logprobs" | "top_logprobs" => {
                let value = reader.value()?;
                if !(value.is_null() || value.bool() == Some(false) || value.u64() == Some(0)) {
                    path.code = "unsupported_parameter";
                    return Err(reader.error(What::Expected("nothing: the model's host tells no probabilities")));
                }
            }
            "modalities" => {
                let value = reader.value()?;
                if value.kind() == Kind::Array && value.as_slice_str().contains("\"audio\"") {
                    path.code = "unsupported_value";
                    return Err(reader.error(What::Expected("text alone: the model does not speak")));
                }
            }
            "seed" => {
                if nullable(reader, Raw::i64, "a whole number")?.is_some() {
                    self.sampling.push("seed");
                }
            }
            "frequency_penalty" | "presence_penalty" => {
                let within = |raw: Raw<'a>| raw.f64().filter(|value| (-2.0..=2.0).contains(value));
                if nullable(reader, within, "a number from -2 to 2")?.is_some_and(|value| value != 0.0) {
                    self.sampling.push("penalty");
                }
            }
            "logit_bias" | "prediction" => {
                let value = reader.value()?;
                if !value.is_null() && value.as_slice_str() != "{}" {
                    self.sampling.push(if key == "prediction" { "prediction" } else { "logit_bias" });
                }
            }
            // About whoever asks and what the host may keep: nothing is kept there, and nobody is named there.
            "user" | "safety_identifier" | "metadata" | "store" | "prompt_cache_retention" | "audio" => {}
            other => self.unknown.push(other.to_owned()),
        }
        Ok(())
    }

    /// A tool that must or may be called is one of those on offer.
    fn check_choice(&self) -> Result<(), BadRequest> {
        let offered = |name: &str| self.tools.iter().any(|tool| tool.name == name);
        let sound = match &self.tool_choice {
            None | Some(Choice::Auto | Choice::None) => true,
            Some(Choice::Required) => !self.tools.is_empty() || self.web_search.is_some(),
            Some(Choice::Named(name)) => offered(name),
            Some(Choice::Allowed { names, .. }) => names.iter().all(|name| offered(name)),
        };
        let param = if self.legacy_functions { "function_call" } else { "tool_choice" };
        if sound { Ok(()) } else { Err(BadRequest::field(param, "the tool is not among the tools of this request")) }
    }
}

/// One choice is made at a time. Several of them, made of one, would be a fraud; made apart, they cost several times.
fn one_choice(reader: &mut Reader<'_>, path: &mut Path) -> Result<(), json::Error> {
    match nullable(reader, Raw::u64, "a whole number above 0")? {
        None | Some(1) => Ok(()),
        Some(0) => Err(reader.error(What::Expected("a whole number above 0"))),
        Some(_) => {
            path.code = "unsupported_value";
            Err(reader.error(What::Expected("1: only one choice is made at a time")))
        }
    }
}

const EFFORTS: &str = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";

fn effort<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, json::Error> {
    let known = |word: &Cow<'a, str>| {
        matches!(&**word, "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max" | "ultra")
    };
    nullable(reader, |raw| raw.string().filter(known), EFFORTS)
}

fn format<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Format<'a>, json::Error> {
    let raw = reader.value()?;
    if raw.is_null() {
        return Ok(Format::Text);
    }
    match raw.get("type").and_then(Raw::literal) {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::JsonObject),
        Some("json_schema") => {
            let Some(inner) = raw.get("json_schema").filter(|inner| inner.kind() == Kind::Object) else {
                path.push("json_schema");
                return Err(reader.error(What::Expected("an object with a name and a schema")));
            };
            path.push("json_schema");
            let mut within = |name, kind, wanted| member(inner, name, kind, wanted, reader, path);
            let format = Format::JsonSchema {
                name: within("name", Kind::String, "a string")?.filter(|name| name.literal() != Some("")),
                description: within("description", Kind::String, "a string")?,
                schema: within("schema", Kind::Object, "a JSON schema, which is an object")?,
                strict: within("strict", Kind::Bool, "a boolean")?.and_then(Raw::bool).unwrap_or(false),
            };
            path.pop();
            Ok(format)
        }
        _ => {
            path.push("type");
            Err(reader.error(What::Expected("'text', 'json_object' or 'json_schema'")))
        }
    }
}
