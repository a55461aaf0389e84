//! Where the reader of a request is, and what is wrong there, as OpenAI's and Google's clients are told it:
//! `messages[3].content[0].type`.

use std::borrow::Cow;

use crate::json::{self, Kind, Raw, Reader, What};

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// It is not JSON.
    #[error("the request body is not valid JSON: {0}")]
    Json(json::Error),
    /// A member has the wrong kind of value, or is missing.
    #[error("{param}: {what}")]
    Field {
        /// Where.
        param: String,
        /// What is wrong with it.
        what: Cow<'static, str>,
        /// `error.code`
        code: &'static str,
    },
}

/// Where the reader is. After an error it is left as it was, pointing at the member that was wrong.
#[derive(Debug)]
pub(crate) struct Path {
    steps: Vec<Step>,
    /// What the error is, should there be one.
    pub(crate) code: &'static str,
}

#[derive(Debug)]
enum Step {
    Member(&'static str),
    Other,
    Index(usize),
}

/// Reads an object, member by member, and says whether there was a lone surrogate in it.
pub(crate) fn read<'a>(
    bytes: &'a [u8],
    mut member: impl FnMut(&str, &mut Reader<'a>, &mut Path) -> Result<(), json::Error>,
) -> Result<bool, BadRequest> {
    let mut reader = Reader::new(bytes).map_err(BadRequest::Json)?;
    let mut path = Path { steps: Vec::new(), code: "invalid_value" };
    let read = reader.object(|key, reader| {
        path.push(key);
        member(key, reader, &mut path)?;
        path.pop();
        Ok(())
    });
    if let Err(error) = read {
        return Err(path.explain(error));
    }
    let lone_surrogate = reader.saw_lone_surrogate();
    reader.finish().map_err(BadRequest::Json)?;
    Ok(lone_surrogate)
}

/// Names from the protocol. What the client made up must not reach a log.
const NAMES: [&str; 79] = [
    "allowedFunctionNames",
    "arguments",
    "audio",
    "best_of",
    "cachedContent",
    "candidateCount",
    "content",
    "contents",
    "description",
    "detail",
    "echo",
    "effort",
    "file",
    "fileData",
    "frequency_penalty",
    "function",
    "functionCall",
    "functionCallingConfig",
    "functionDeclarations",
    "functionResponse",
    "function_call",
    "functions",
    "generateContentRequest",
    "generationConfig",
    "id",
    "image_url",
    "include_usage",
    "inlineData",
    "json_schema",
    "logit_bias",
    "logprobs",
    "maxOutputTokens",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "modalities",
    "mode",
    "model",
    "n",
    "name",
    "parallel_tool_calls",
    "parameters",
    "parts",
    "presence_penalty",
    "prompt",
    "prompt_cache_key",
    "reasoning",
    "reasoning_effort",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "response_format",
    "role",
    "schema",
    "seed",
    "service_tier",
    "stop",
    "stopSequences",
    "stream",
    "stream_options",
    "strict",
    "suffix",
    "systemInstruction",
    "temperature",
    "text",
    "thinkingConfig",
    "thinkingLevel",
    "toolConfig",
    "tool_call_id",
    "tool_calls",
    "tool_choice",
    "tools",
    "topP",
    "top_logprobs",
    "top_p",
    "type",
    "url",
    "verbosity",
    "web_search_options",
];

// === impl Path ===

impl Path {
    pub(crate) fn push(&mut self, key: &str) {
        let known = NAMES.iter().find(|name| **name == key);
        self.steps.push(known.map_or(Step::Other, |name| Step::Member(name)));
    }

    pub(crate) fn push_index(&mut self, index: usize) {
        self.steps.push(Step::Index(index));
    }

    pub(crate) fn pop(&mut self) {
        self.steps.pop();
    }

    fn explain(&self, error: json::Error) -> BadRequest {
        let What::Expected(wanted) = error.what else {
            return BadRequest::Json(error);
        };
        let mut param = String::new();
        for step in &self.steps {
            match step {
                Step::Index(index) => param.push_str(&format!("[{index}]")),
                Step::Member(name) if param.is_empty() => param.push_str(name),
                Step::Member(name) => param.push_str(&format!(".{name}")),
                Step::Other => param.push_str(".?"),
            }
        }
        if param.is_empty() {
            param.push_str("body");
        }
        BadRequest::Field { param, what: format!("expected {wanted}").into(), code: self.code }
    }
}

// === impl BadRequest ===

impl BadRequest {
    pub(crate) fn field(param: &str, what: &'static str) -> Self {
        Self::Field { param: param.to_owned(), what: what.into(), code: "invalid_value" }
    }

    pub(crate) fn missing(param: &str, code: &'static str) -> Self {
        Self::Field { param: param.to_owned(), what: "this parameter is required".into(), code }
    }

    /// `error.param`
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Json(_) => None,
            Self::Field { param, .. } => Some(param),
        }
    }

    /// `error.code`
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "invalid_json",
            Self::Field { code, .. } => code,
        }
    }
}

pub(crate) fn string<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, json::Error> {
    let raw = reader.value()?;
    raw.string().ok_or_else(|| reader.error(What::Expected("a string")))
}

pub(crate) fn strings<'a>(reader: &mut Reader<'a>) -> Result<Vec<Cow<'a, str>>, json::Error> {
    let mut strings = Vec::new();
    match reader.peek()? {
        Kind::Null => {}
        Kind::Array => reader.array(|reader| {
            strings.push(string(reader)?);
            Ok(())
        })?,
        _ => return Err(reader.error(What::Expected("a string or a list of strings"))),
    }
    Ok(strings)
}

pub(crate) fn nullable<'a, T>(
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

/// For [`nullable`].
pub(crate) fn object(raw: Raw<'_>) -> Option<Raw<'_>> {
    (raw.kind() == Kind::Object).then_some(raw)
}

/// A member of an object that was read already: nothing where it is missing or null.
pub(crate) fn member<'a>(
    object: Raw<'a>,
    name: &'static str,
    kind: Kind,
    wanted: &'static str,
    reader: &Reader<'a>,
    path: &mut Path,
) -> Result<Option<Raw<'a>>, json::Error> {
    match object.get(name).filter(|value| !value.is_null()) {
        Some(value) if value.kind() != kind => {
            path.push(name);
            Err(reader.error(What::Expected(wanted)))
        }
        value => Ok(value),
    }
}
