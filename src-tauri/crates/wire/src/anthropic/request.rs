//! What an Anthropic client asks: `POST /v1/messages` and `/v1/messages/count_tokens`.
//!
//! Read in one pass; texts, tool inputs, schemas and images stay raw. Members this file does not know are counted by name
//! and otherwise ignored: a new beta must not break a client (`claude-code.md §2`).

use std::borrow::Cow;

use crate::json::{self, Kind, Raw, Reader, What};

mod block;
#[cfg(test)]
mod tests;

pub use block::{Block, Content, Source};

/// A request to `/v1/messages`, or the part of it that `/count_tokens` sends.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The model as the client names it.
    pub model: Cow<'a, str>,
    /// Absent means a single JSON answer.
    pub stream: bool,
    /// Required by the API; `/count_tokens` has none.
    pub max_tokens: Option<u64>,
    /// The system prompt; a string counts as one text block.
    pub system: Vec<Block<'a>>,
    /// The conversation.
    pub messages: Vec<Message<'a>>,
    /// The tools on offer.
    pub tools: Vec<Tool<'a>>,
    /// How the model may use them.
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Extended thinking.
    pub thinking: Thinking,
    /// `output_config.effort`.
    pub effort: Option<Cow<'a, str>>,
    /// `output_config.format`, when it is a JSON schema: the schema.
    pub format: Option<Raw<'a>>,
    /// Texts at which the answer ends.
    pub stop_sequences: Vec<Cow<'a, str>>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// `top_p` and `top_k`, as they stood.
    pub sampling: Vec<(&'static str, Raw<'a>)>,
    /// `metadata.user_id`; for Claude Code a JSON text with the session id (`claude-code.md §3`).
    pub user_id: Option<Cow<'a, str>>,
    /// `thread`, which the SDK's tool runner sends to have its history kept for it.
    pub thread: bool,
    /// MCP servers the API should connect to itself.
    pub mcp_servers: bool,
    /// Members nobody here knows, in the order they came.
    pub unknown: Vec<String>,
    /// A text was cut inside a surrogate pair somewhere: see [`json::repair_surrogates`].
    pub lone_surrogate: bool,
}

/// One message of the conversation.
#[derive(Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said; a string counts as one text block.
    pub content: Vec<Block<'a>>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person, and the results of tools.
    User,
    /// The model.
    Assistant,
    /// Instructions in mid-conversation (`claude-code.md §0.1`).
    System,
}

/// A tool on offer.
#[derive(Debug, Default)]
pub struct Tool<'a> {
    /// `type`: absent or `custom` for a client's own tool, else the versioned name of one of Anthropic's.
    pub kind: Option<Cow<'a, str>>,
    /// The name the model calls it by.
    pub name: Cow<'a, str>,
    /// What it does, as a JSON string literal.
    pub description: Option<Raw<'a>>,
    /// The JSON schema of its input.
    pub input_schema: Option<Raw<'a>>,
    /// Whether the input must follow the schema strictly.
    pub strict: bool,
    /// For server tools: how often it may be used.
    pub max_uses: Option<u64>,
    /// For web search: only these domains.
    pub allowed_domains: Option<Raw<'a>>,
    /// For web search: not these domains.
    pub blocked_domains: Option<Raw<'a>>,
    /// For web search: where the person is.
    pub user_location: Option<Raw<'a>>,
}

/// How the model may use the tools.
#[derive(Debug, PartialEq, Eq)]
pub struct ToolChoice<'a> {
    /// The choice itself.
    pub mode: ChoiceMode<'a>,
    /// At most one call at a time.
    pub no_parallel: bool,
}

/// `tool_choice.type`.
#[derive(Debug, PartialEq, Eq)]
pub enum ChoiceMode<'a> {
    /// The model decides.
    Auto,
    /// Some tool must be called.
    Any,
    /// This tool must be called.
    Tool(Cow<'a, str>),
    /// No tool may be called.
    None,
}

/// Extended thinking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Thinking {
    /// The client did not say.
    #[default]
    Absent,
    /// Explicitly off.
    Disabled,
    /// As much as the model finds right.
    Adaptive,
    /// Up to so many tokens.
    Enabled {
        /// `budget_tokens`.
        budget: Option<u64>,
    },
}

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// It is not JSON.
    #[error("the request body is not valid JSON: {0}")]
    Json(json::Error),
    /// A member has the wrong kind of value, or is missing.
    #[error("{path}: {what}")]
    Field {
        /// Where, as in `messages.3.content.0.type`.
        path: String,
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
}

// === impl Request ===

impl<'a> Request<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// When the body is not JSON, or when a member without which nothing can be done is missing or of the wrong kind. A
    /// text in such an error never repeats the content of the request.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadRequest> {
        let mut reader = Reader::new(bytes).map_err(BadRequest::Json)?;
        let mut request = Self::default();
        let mut path = Path::default();
        let mut seen_messages = false;
        let read = reader.object(|key, reader| {
            path.0.clear();
            seen_messages |= key == "messages";
            request.member(key, reader, &mut path)
        });
        if let Err(error) = read {
            return Err(path.explain(error));
        }
        request.lone_surrogate = reader.saw_lone_surrogate();
        reader.finish().map_err(BadRequest::Json)?;
        for (missing, name) in [(request.model.is_empty(), "model"), (!seen_messages, "messages")] {
            if missing {
                return Err(BadRequest::Field { path: name.to_owned(), what: "Field required".into() });
            }
        }
        if request.messages.is_empty() {
            let what = "at least one message is required".into();
            return Err(BadRequest::Field { path: "messages".to_owned(), what });
        }
        Ok(request)
    }

    fn member(&mut self, key: &str, reader: &mut Reader<'a>, path: &mut Path) -> Result<(), json::Error> {
        path.push(key);
        match key {
            "model" => self.model = string(reader)?,
            "stream" => self.stream = nullable(reader, Raw::bool, "a boolean")?.unwrap_or(false),
            "max_tokens" => self.max_tokens = nullable(reader, Raw::u64, "a whole number")?,
            "system" => self.system = block::contents(reader, path)?,
            "messages" => self.messages = messages(reader, path)?,
            "tools" => self.tools = tools(reader, path)?,
            "tool_choice" => self.tool_choice = tool_choice(reader)?,
            "thinking" => self.thinking = thinking(reader)?,
            "output_config" => self.output_config(reader)?,
            // The name this had while it was a beta.
            "output_format" => self.format = schema_of(reader)?.or(self.format),
            "stop_sequences" => self.stop_sequences = strings(reader)?,
            "temperature" => self.temperature = nullable(reader, Raw::f64, "a number")?,
            "top_p" | "top_k" => {
                let value = reader.value()?;
                if !value.is_null() {
                    self.sampling.push((if key == "top_p" { "top_p" } else { "top_k" }, value));
                }
            }
            "metadata" => self.user_id = reader.value()?.get("user_id").and_then(Raw::string),
            "thread" => self.thread = !reader.value()?.is_null(),
            "mcp_servers" => {
                let servers = reader.value()?;
                self.mcp_servers = servers.kind() == Kind::Array && servers.as_slice_str() != "[]";
            }
            // Hints about caching and context that change no meaning here.
            "context_management" | "cache_control" | "service_tier" | "inference_geo" => {}
            other => self.unknown.push(other.to_owned()),
        }
        path.pop();
        Ok(())
    }

    fn output_config(&mut self, reader: &mut Reader<'a>) -> Result<(), json::Error> {
        if reader.peek()? == Kind::Null {
            return Ok(());
        }
        reader.object(|key, reader| {
            match key {
                "effort" => self.effort = nullable(reader, Raw::string, "a string")?,
                "format" => self.format = schema_of(reader)?.or(self.format),
                _ => {}
            }
            Ok(())
        })
    }
}

/// `{"type":"json_schema","schema":…}`
fn schema_of<'a>(reader: &mut Reader<'a>) -> Result<Option<Raw<'a>>, json::Error> {
    Ok(reader.value()?.get("schema"))
}

fn messages<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Vec<Message<'a>>, json::Error> {
    let mut messages = Vec::new();
    reader.array(|reader| {
        path.push_index(messages.len());
        let mut role = None;
        let mut content = None;
        reader.object(|key, reader| {
            path.push(key);
            match key {
                "role" => {
                    role = Some(match reader.value()?.string().as_deref() {
                        Some("user") => Role::User,
                        Some("assistant") => Role::Assistant,
                        Some("system") => Role::System,
                        _ => return Err(reader.error(What::Expected("'user', 'assistant' or 'system'"))),
                    });
                }
                "content" => content = Some(block::contents(reader, path)?),
                _ => {}
            }
            path.pop();
            Ok(())
        })?;
        let (Some(role), Some(content)) = (role, content) else {
            return Err(reader.error(What::Expected("'role' and 'content'")));
        };
        messages.push(Message { role, content });
        path.pop();
        Ok(())
    })?;
    Ok(messages)
}

fn tools<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Vec<Tool<'a>>, json::Error> {
    let mut tools = Vec::new();
    if reader.peek()? == Kind::Null {
        return Ok(tools);
    }
    reader.array(|reader| {
        path.push_index(tools.len());
        let mut tool = Tool::default();
        reader.object(|key, reader| {
            path.push(key);
            match key {
                "type" => tool.kind = nullable(reader, Raw::string, "a string")?,
                "name" => tool.name = string(reader)?,
                "description" => tool.description = Some(reader.value()?).filter(|raw| raw.kind() == Kind::String),
                "input_schema" => tool.input_schema = Some(reader.value()?).filter(|raw| raw.kind() == Kind::Object),
                "strict" => tool.strict = reader.value()?.bool().unwrap_or(false),
                "max_uses" => tool.max_uses = reader.value()?.u64(),
                "allowed_domains" => tool.allowed_domains = list(reader)?,
                "blocked_domains" => tool.blocked_domains = list(reader)?,
                "user_location" => tool.user_location = Some(reader.value()?).filter(|raw| !raw.is_null()),
                _ => {}
            }
            path.pop();
            Ok(())
        })?;
        if tool.name.is_empty() {
            return Err(reader.error(What::Expected("a tool with a name")));
        }
        tools.push(tool);
        path.pop();
        Ok(())
    })?;
    Ok(tools)
}

fn tool_choice<'a>(reader: &mut Reader<'a>) -> Result<Option<ToolChoice<'a>>, json::Error> {
    let raw = reader.value()?;
    if raw.is_null() {
        return Ok(None);
    }
    let name = raw.get("name").and_then(Raw::string);
    let mode = match (raw.get("type").and_then(Raw::string).as_deref(), name) {
        (Some("auto"), _) => ChoiceMode::Auto,
        (Some("any"), _) => ChoiceMode::Any,
        (Some("none"), _) => ChoiceMode::None,
        (Some("tool"), Some(name)) => ChoiceMode::Tool(name),
        (Some("tool"), None) => return Err(reader.error(What::Expected("the name of a tool"))),
        _ => return Err(reader.error(What::Expected("'auto', 'any', 'tool' or 'none'"))),
    };
    let no_parallel = raw.get("disable_parallel_tool_use").and_then(Raw::bool).unwrap_or(false);
    Ok(Some(ToolChoice { mode, no_parallel }))
}

fn thinking(reader: &mut Reader<'_>) -> Result<Thinking, json::Error> {
    let raw = reader.value()?;
    Ok(match raw.get("type").and_then(Raw::string).as_deref() {
        Some("disabled") => Thinking::Disabled,
        Some("enabled") => Thinking::Enabled { budget: raw.get("budget_tokens").and_then(Raw::u64) },
        // A kind that comes after this was written is more likely a finer "adaptive" than a refusal to think.
        Some(_) => Thinking::Adaptive,
        None => Thinking::Absent,
    })
}

fn string<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, json::Error> {
    let raw = reader.value()?;
    raw.string().ok_or_else(|| reader.error(What::Expected("a string")))
}

fn strings<'a>(reader: &mut Reader<'a>) -> Result<Vec<Cow<'a, str>>, json::Error> {
    let mut strings = Vec::new();
    if reader.peek()? != Kind::Null {
        reader.array(|reader| {
            strings.push(string(reader)?);
            Ok(())
        })?;
    }
    Ok(strings)
}

fn list<'a>(reader: &mut Reader<'a>) -> Result<Option<Raw<'a>>, json::Error> {
    Ok(Some(reader.value()?).filter(|raw| raw.kind() == Kind::Array))
}

fn nullable<'a, T>(
    reader: &mut Reader<'a>,
    take: impl Fn(Raw<'a>) -> Option<T>,
    wanted: &'static str,
) -> Result<Option<T>, json::Error> {
    let raw = reader.value()?;
    if raw.is_null() {
        return Ok(None);
    }
    take(raw).map(Some).ok_or_else(|| reader.error(What::Expected(wanted)))
}

/// Where the reader is, for people. After an error it is left as it was, pointing at the member that was wrong.
#[derive(Debug, Default)]
struct Path(Vec<Step>);

#[derive(Debug)]
enum Step {
    Member(&'static str),
    Other,
    Index(usize),
}

// === impl Path ===

impl Path {
    /// Only names from the protocol are remembered: a name the client made up must not reach a log.
    fn push(&mut self, key: &str) {
        const NAMES: [&str; 22] = [
            "model",
            "stream",
            "max_tokens",
            "system",
            "messages",
            "tools",
            "tool_choice",
            "thinking",
            "output_config",
            "stop_sequences",
            "temperature",
            "role",
            "content",
            "type",
            "name",
            "text",
            "source",
            "id",
            "input",
            "tool_use_id",
            "output_format",
            "thread",
        ];
        self.0.push(NAMES.iter().find(|name| **name == key).map_or(Step::Other, |name| Step::Member(name)));
    }

    fn push_index(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    fn pop(&mut self) {
        self.0.pop();
    }

    fn explain(&self, error: json::Error) -> BadRequest {
        let What::Expected(wanted) = error.what else {
            return BadRequest::Json(error);
        };
        let mut path = String::new();
        for step in &self.0 {
            let dot = if path.is_empty() { "" } else { "." };
            path.push_str(dot);
            match step {
                Step::Member(name) => path.push_str(name),
                Step::Other => path.push('?'),
                Step::Index(index) => path.push_str(&index.to_string()),
            }
        }
        if path.is_empty() {
            path.push_str("body");
        }
        BadRequest::Field { path, what: format!("expected {wanted} (byte {})", error.at).into() }
    }
}
