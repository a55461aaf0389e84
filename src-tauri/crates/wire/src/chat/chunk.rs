//! What a server says while it answers: the chunks of a stream, and the whole completion, which is one large chunk.
//!
//! Servers differ in where they put things: reasoning has three names, tool calls come with or without an index and an id,
//! arguments as text or as an object, errors as an object, a sentence, or a page of members. One reading knows them all.
//!
//! **Invariant:** nothing here depends on what came before. A chunk is read alone.

use std::borrow::Cow;

use crate::json::{self, Kind, Raw, Reader};

/// One chunk, or the whole completion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk<'a> {
    /// The completion's id.
    pub id: Option<Cow<'a, str>>,
    /// The model that answers.
    pub model: Option<Cow<'a, str>>,
    /// What the first choice says. Others are not asked for.
    pub delta: Delta<'a>,
    /// Why the first choice is at its end.
    pub finish_reason: Option<Cow<'a, str>>,
    /// What it cost, so far or in all.
    pub usage: Option<Usage>,
    /// What went wrong.
    pub error: Option<Trouble<'a>>,
}

/// What is added to the answer: `delta` of a chunk, `message` of a whole completion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delta<'a> {
    /// More text.
    pub content: Option<Cow<'a, str>>,
    /// More text, in which the model refuses.
    pub refusal: Option<Cow<'a, str>>,
    /// More reasoning: `reasoning` (OpenRouter, Ollama), `reasoning_content` (DeepSeek, vLLM, llama.cpp), or the texts of
    /// `reasoning_details`. Servers that send several of them say the same in each.
    pub reasoning: Option<Cow<'a, str>>,
    /// Pieces of tool calls.
    pub tool_calls: Vec<CallPiece<'a>>,
}

/// A piece of a tool call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallPiece<'a> {
    /// Which call of the answer.
    pub index: Option<u64>,
    /// The call's id.
    pub id: Option<Cow<'a, str>>,
    /// The function.
    pub name: Option<Cow<'a, str>>,
    /// More of the arguments, JSON as text. An object stands here as its text.
    pub arguments: Option<Cow<'a, str>>,
}

/// Token counts: cached tokens are part of the prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt.
    pub prompt: u64,
    /// Those read from a cache.
    pub cached: u64,
    /// All tokens of the answer.
    pub completion: u64,
    /// Those that were reasoning.
    pub reasoning: u64,
}

/// An error in place of an answer, or in the middle of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble<'a> {
    /// A name for it.
    pub code: Option<Cow<'a, str>>,
    /// Its `type`.
    pub kind: Option<Cow<'a, str>>,
    /// In words.
    pub message: Option<Cow<'a, str>>,
    /// The parameter that was wrong.
    pub param: Option<Cow<'a, str>>,
    /// The HTTP status it stands for: some servers give that as the code.
    pub status: Option<u16>,
}

/// The end of a stream, in place of a chunk.
pub const DONE: &str = "[DONE]";

// === impl Chunk ===

impl<'a> Chunk<'a> {
    /// Reads the `data` of one frame, or a whole completion.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn parse(data: &'a str) -> Result<Self, json::Error> {
        let mut chunk = Self::default();
        // Members of an error that stands at the top instead of in `error`.
        let (mut flat, mut says_error) = (Trouble::default(), false);
        let mut reader = Reader::of(data);
        reader.object(|key, reader| {
            let value = reader.value()?;
            match key {
                "id" => chunk.id = name(value),
                "model" => chunk.model = name(value),
                "choices" => chunk.take_choices(value),
                "usage" => chunk.usage = Usage::of(value).or(chunk.usage),
                "error" => chunk.error = Trouble::of(value),
                "detail" => flat.message = name(value).or(flat.message.take()),
                "object" => says_error = value.literal() == Some("error"),
                _ => flat.take(key, value),
            }
            Ok(())
        })?;
        reader.finish()?;
        if chunk.error.is_none() && (says_error || (chunk.is_silent() && flat.message.is_some())) {
            chunk.error = Some(flat);
        }
        Ok(chunk)
    }

    fn is_silent(&self) -> bool {
        self.delta == Delta::default() && self.finish_reason.is_none() && self.usage.is_none()
    }

    fn take_choices(&mut self, choices: Raw<'a>) {
        for choice in elements(choices) {
            if choice.get("index").and_then(Raw::u64).unwrap_or_default() != 0 {
                continue;
            }
            members(choice, |key, value| match key {
                "delta" | "message" => self.delta.take(value),
                // The old completions endpoint, which some servers still answer with.
                "text" => self.delta.content = self.delta.content.take().or_else(|| value.string()),
                "finish_reason" => self.finish_reason = name(value),
                "error" => self.error = Trouble::of(value).or(self.error.take()),
                _ => {}
            });
        }
    }
}

// === impl Delta ===

impl<'a> Delta<'a> {
    fn take(&mut self, raw: Raw<'a>) {
        let (mut reasoning, mut reasoning_content, mut details) = (None, None, None);
        members(raw, |key, value| match key {
            "content" => self.take_content(value),
            "refusal" => self.refusal = filled(value),
            "reasoning" => reasoning = filled(value),
            "reasoning_content" => reasoning_content = filled(value),
            "reasoning_details" => details = texts(value, &["text", "summary"]),
            "tool_calls" => self.tool_calls.extend(elements(value).into_iter().map(CallPiece::of)),
            // What tool calls were called before there could be several.
            "function_call" if value.kind() == Kind::Object => {
                self.tool_calls.push(CallPiece { index: Some(0), ..CallPiece::default() }.with_function(value));
            }
            _ => {}
        });
        self.reasoning = reasoning.or(reasoning_content).or(details).or(self.reasoning.take());
    }

    /// Text, or a list of parts, among which there may be thinking (Mistral).
    fn take_content(&mut self, value: Raw<'a>) {
        if value.kind() != Kind::Array {
            self.content = filled(value);
            return;
        }
        let (mut text, mut thinking) = (String::new(), String::new());
        for part in elements(value) {
            match part.get("type").and_then(Raw::literal) {
                Some("text" | "output_text") => {
                    text.push_str(&part.get("text").and_then(Raw::string).unwrap_or_default());
                }
                Some("thinking") => match part.get("thinking") {
                    Some(said) if said.kind() == Kind::Array => {
                        thinking.push_str(&texts(said, &["text"]).unwrap_or_default());
                    }
                    Some(said) => thinking.push_str(&said.string().unwrap_or_default()),
                    None => {}
                },
                _ => {}
            }
        }
        self.content = Some(text).filter(|text| !text.is_empty()).map(Cow::Owned);
        self.reasoning = Some(thinking).filter(|text| !text.is_empty()).map(Cow::Owned);
    }
}

// === impl CallPiece ===

impl<'a> CallPiece<'a> {
    fn of(raw: Raw<'a>) -> Self {
        let mut piece = Self::default();
        let mut function = None;
        members(raw, |key, value| match key {
            "index" => piece.index = value.u64(),
            "id" => piece.id = name(value),
            "function" => function = Some(value),
            _ => {}
        });
        match function {
            Some(function) => piece.with_function(function),
            None => piece,
        }
    }

    fn with_function(mut self, raw: Raw<'a>) -> Self {
        members(raw, |key, value| match key {
            "name" => self.name = name(value),
            "arguments" => {
                self.arguments = match value.kind() {
                    Kind::String => filled(value),
                    Kind::Object | Kind::Array => Some(Cow::Borrowed(value.as_slice_str())),
                    Kind::Number | Kind::Bool | Kind::Null => None,
                };
            }
            _ => {}
        });
        self
    }
}

// === impl Usage ===

impl Usage {
    /// An object without the counts is no usage.
    fn of(raw: Raw<'_>) -> Option<Self> {
        let mut usage = Self::default();
        let mut seen = false;
        members(raw, |key, value| match key {
            "prompt_tokens" => {
                seen |= value.u64().is_some();
                usage.prompt = value.u64().unwrap_or_default();
            }
            "completion_tokens" => {
                seen |= value.u64().is_some();
                usage.completion = value.u64().unwrap_or_default();
            }
            "prompt_tokens_details" => {
                usage.cached = value.get("cached_tokens").and_then(Raw::u64).unwrap_or(usage.cached);
            }
            // DeepSeek's name for it.
            "prompt_cache_hit_tokens" => usage.cached = value.u64().unwrap_or(usage.cached),
            "completion_tokens_details" => {
                usage.reasoning = value.get("reasoning_tokens").and_then(Raw::u64).unwrap_or_default();
            }
            _ => {}
        });
        usage.cached = usage.cached.min(usage.prompt);
        seen.then_some(usage)
    }
}

// === impl Trouble ===

impl<'a> Trouble<'a> {
    /// `null` and an empty object are no error.
    fn of(raw: Raw<'a>) -> Option<Self> {
        match raw.kind() {
            Kind::Null => None,
            Kind::Object => {
                let mut trouble = Self::default();
                members(raw, |key, value| trouble.take(key, value));
                (trouble != Self::default()).then_some(trouble)
            }
            _ => Some(Self { message: raw.string(), ..Self::default() }),
        }
    }

    fn take(&mut self, key: &str, value: Raw<'a>) {
        match key {
            "code" | "status" | "status_code" if value.kind() == Kind::Number => {
                self.status = value.u64().and_then(|code| code.try_into().ok());
            }
            "code" => self.code = name(value),
            "type" => self.kind = name(value),
            "message" => self.message = name(value),
            "param" => self.param = name(value),
            _ => {}
        }
    }
}

/// A string that says something.
fn filled(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.string().filter(|text| !text.is_empty())
}

/// An id, a name or a sentence.
fn name(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    filled(raw)
}

/// The texts of a list of objects, one after the other.
fn texts<'a>(list: Raw<'a>, keys: &[&str]) -> Option<Cow<'a, str>> {
    let mut all = String::new();
    for element in elements(list) {
        if let Some(text) = keys.iter().find_map(|key| element.get(key).and_then(Raw::string)) {
            all.push_str(&text);
        }
    }
    (!all.is_empty()).then_some(Cow::Owned(all))
}

fn elements(raw: Raw<'_>) -> Vec<Raw<'_>> {
    let mut found = Vec::new();
    if raw.kind() == Kind::Array {
        // A `Raw` was checked when it was read; should it fail all the same, what was found so far is as good.
        let _ = raw.reader().array(|reader| {
            found.push(reader.value()?);
            Ok(())
        });
    }
    found
}

fn members<'a>(raw: Raw<'a>, mut field: impl FnMut(&str, Raw<'a>)) {
    if raw.kind() == Kind::Object {
        // As in `elements`.
        let _ = raw.reader().object(|key, reader| {
            field(key, reader.value()?);
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests;
