//! A Responses request goes on as it came: the few members an upstream demands are set, and nothing else is touched.
//!
//! Only a client that is no Codex has more put right, in `normal`: it was written for another host than the ones it
//! reaches here. What becomes of which member stands in `docs/dialects.md`.
//!
//! **Invariant:** what neither an upstream demands nor `normal` changes is the same bytes, in the same order, known or not.

use std::borrow::Cow;
use std::ops::Range;

use codeferry_wire::json::{self, Kind, Open, Raw, Written};
use codeferry_wire::responses::open::{Item, Request};

use super::{DEFAULT_INSTRUCTIONS, Lowered, Optional, ReasoningSpan};
use crate::conversation::Conversation;
use crate::effort::Effort;
use crate::fingerprint::{Layout, Piece};
use crate::loss::Losses;
use control::{CONTROL, Session};

pub mod control;
pub mod flat;
mod marks;
mod normal;
mod refer;
#[cfg(test)]
mod tests;

pub use refer::{Remembered, items_of};

/// A request that was read, but not changed yet.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    request: Request<'a>,
    /// The model as the client asked for it.
    pub model: Cow<'a, str>,
    /// Whether the answer is to be streamed. Absent is no, as the public API has it.
    pub streamed: bool,
    /// `reasoning.effort`, if it is one we know.
    pub effort: Option<Effort>,
    /// It names an effort, known or not.
    pub names_effort: bool,
    /// It has the Responses-Lite shape (`codex-backend.md §0.1`).
    pub lite: bool,
    /// `prompt_cache_key`
    pub cache_key: Option<Cow<'a, str>>,
    /// `previous_response_id`: the conversation is not all here.
    pub previous: Option<Cow<'a, str>>,
    /// `max_output_tokens`
    pub max_output_tokens: Option<u64>,
    /// Who began the session, if `_gateway` says so.
    pub session: Session,
    /// Whether the client wants to refer to the answer later. Absent is yes, as the public API has it.
    pub stored: bool,
    /// Whether it wants the conversation to be summed up (`compaction_trigger`).
    pub compacts: bool,
}

/// Who will answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// A ChatGPT plan: a narrow door that refuses what it does not know (`codex-backend.md §2`, §12).
    Plan,
    /// The public API with a key: it takes all that this dialect has.
    Api,
    /// A server that speaks Chat Completions: the request is said once more, sampling and all.
    Chat,
    /// A program with a plan behind it.
    Program,
}

/// What the request is lowered for.
#[derive(Clone, Copy)]
pub struct Target<'t> {
    /// The model upstream.
    pub model: &'t str,
    /// The effort, if it is to be another than the request's.
    pub effort: Option<Effort>,
    /// Who will answer.
    pub host: Host,
    /// Put right what clients of the public API send.
    pub normal: bool,
    /// The conversation the request belongs to.
    pub conversation: &'t Conversation,
    /// The account that can open a seal, if that is known: what stands in `encrypted_content`, still escaped, is asked for.
    pub owner: &'t dyn Fn(&str) -> Option<String>,
}

/// Why a request cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// The parameter that is wrong, as the client would name it.
    pub param: Option<String>,
    /// `error.code`, where there is one that clients know.
    pub code: Option<&'static str>,
    /// For a person.
    pub message: String,
}

const LENGTH: &str = "max_output_tokens";

/// What a response repeats, and what it says where the request does not say it (`openai` 3.52 for Python, `Response`).
const REPEATED: [(&str, &str); 13] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_p", "1.0"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
];

// === impl Asked ===

impl<'a> Asked<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// When it is not JSON, or a member that we must understand is not what it should be.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BadRequest> {
        let request = Request::parse(bytes)?;
        let object = &request.object;
        let set = |name: &str| object.get(name).filter(|value| !value.is_null());
        let text = |name: &str| match set(name) {
            None => Ok(None),
            Some(value) => value.string().map(Some).ok_or_else(|| BadRequest::kind(name, "a string", value)),
        };
        let model = match text("model")? {
            Some(model) if !model.trim().is_empty() => model,
            _ => return Err(BadRequest::missing("model")),
        };
        match set("input") {
            // It may all be there already.
            None if ["prompt", "conversation", "previous_response_id"].into_iter().any(|name| set(name).is_some()) => {}
            None => return Err(BadRequest::missing("input")),
            Some(input) if matches!(input.kind(), Kind::String | Kind::Array) => {}
            Some(input) => return Err(BadRequest::kind("input", "a string or a list", input)),
        }
        let streamed = match set("stream") {
            None => false,
            Some(value) => value.bool().ok_or_else(|| BadRequest::kind("stream", "a boolean", value))?,
        };
        let reasoning = set("reasoning");
        if let Some(value) = reasoning.filter(|value| value.kind() != Kind::Object) {
            return Err(BadRequest::kind("reasoning", "an object", value));
        }
        for name in ["tools", "include"] {
            if let Some(value) = set(name).filter(|value| value.kind() != Kind::Array) {
                return Err(BadRequest::kind(name, "a list", value));
            }
        }
        let session = control::read(object.get(CONTROL))?;
        let max_output_tokens = set(LENGTH).map(length).transpose()?;
        text("instructions")?;
        let effort = reasoning.and_then(|it| it.get("effort")).and_then(Raw::string);
        let (cache_key, previous) = (text("prompt_cache_key")?, text("previous_response_id")?);
        Ok(Self {
            model,
            streamed,
            names_effort: effort.is_some(),
            effort: effort.and_then(|effort| Effort::parse(&effort)),
            lite: request.items.iter().any(|item| item.tag == Some("additional_tools")),
            cache_key,
            previous,
            max_output_tokens,
            session,
            stored: object.get("store").and_then(Raw::bool) != Some(false),
            compacts: request.items.last().is_some_and(|item| item.tag == Some("compaction_trigger")),
            request,
        })
    }

    /// Whether a text is cut inside a surrogate pair: JSON, but refused upstream.
    pub fn saw_lone_surrogate(&self) -> bool {
        self.request.object.saw_lone_surrogate()
    }

    /// The first words of the conversation, by which one without a name is known again.
    pub fn beginning(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let words = ["instructions", "input"].map(|name| self.request.object.get(name));
        let [instructions, input] = words;
        let first = self.request.items.first().map(|item| item.raw);
        let input = first.or(input);
        [instructions, input].into_iter().flatten().map(|raw| raw.as_slice_str().as_bytes())
    }

    /// The ids of the calls that the conversation has.
    pub fn calls(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a, '_> {
        let calls = self.request.items.iter().filter(|item| item.tag.is_some_and(|tag| tag.ends_with("_call")));
        calls.filter_map(|item| item.raw.get("call_id").and_then(Raw::string))
    }

    /// What the response repeats of the request, by the public API's names and with its defaults, on one line.
    pub fn echo(&self) -> Vec<(&'static str, Vec<u8>)> {
        let said = |name: &str| self.request.object.get(name).filter(|value| !value.is_null());
        let member = |(name, default): (&'static str, &str)| {
            let value = said(name).map_or(default, Raw::as_slice_str).bytes();
            // A line break in JSON stands between two tokens or nowhere.
            (name, value.map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }).collect())
        };
        REPEATED.into_iter().map(member).collect()
    }

    /// Writes the request for those who will answer it.
    ///
    /// # Errors
    /// For what would change the meaning of the answer.
    pub fn lower(self, target: &Target<'_>) -> Result<Lowered, BadRequest> {
        let mut losses = Losses::default();
        let Request { mut object, items } = self.request;
        let mut list = None;
        if target.normal {
            list = normal::normalise(&mut object, &items, target, &mut losses)?;
        }
        object.remove(CONTROL);
        if object.get("model").and_then(Raw::string).as_deref() != Some(target.model) {
            object.set_str("model", target.model);
        }
        if object.get("stream").and_then(Raw::bool) != Some(true) {
            object.set("stream", b"true".to_vec());
        }
        if let Some(effort) = target.effort.filter(|effort| Some(*effort) != self.effort) {
            set_effort(&mut object, effort);
        }
        if target.host == Host::Plan {
            for_plan(&mut object, &items, self.lite);
        }
        let written = object.write();
        let list = list.unwrap_or_else(|| Places::of(&items, object.range("input"), target.owner));
        Ok(list.lowered(written, losses))
    }
}

/// `max_output_tokens`, which must leave room for something.
fn length(value: Raw<'_>) -> Result<u64, BadRequest> {
    match (value.u64(), value.i64()) {
        (Some(length @ 1..), _) => Ok(length),
        (Some(_), _) | (_, Some(_)) => {
            let got = value.as_slice_str();
            let message =
                format!("Invalid '{LENGTH}': integer below minimum value. Expected at least 1, but got {got} instead.");
            Err(BadRequest {
                code: Some("integer_below_min_value"),
                ..BadRequest::of(Some(LENGTH.to_owned()), message)
            })
        }
        (None, None) => Err(BadRequest::kind(LENGTH, "an integer", value)),
    }
}

/// What every plan demands, whoever asks (`codex-backend.md §2`).
fn for_plan(object: &mut Open<'_>, items: &[Item<'_>], lite: bool) {
    if object.get("store").and_then(Raw::bool) != Some(false) {
        object.set("store", b"false".to_vec());
    }
    // Null is as good as absent to everybody but the gate, which knows the name and refuses it.
    for name in ["previous_response_id", "background", "conversation", "prompt"] {
        if object.get(name).is_some_and(|value| value.is_null() || value.bool() == Some(false)) {
            object.remove(name);
        }
    }
    let told = object.get("instructions").and_then(Raw::literal).is_some_and(|text| !text.is_empty());
    let developer = items.iter().find(|item| item.tag != Some("additional_tools")).and_then(|item| item.role);
    if !told && !lite && !matches!(developer, Some("developer" | "system")) {
        object.set_str("instructions", DEFAULT_INSTRUCTIONS);
    }
}

fn set_effort(object: &mut Open<'_>, effort: Effort) {
    let reasoning = object.get("reasoning").filter(|value| value.kind() == Kind::Object).unwrap_or(Raw::EMPTY_OBJECT);
    if let Some(mut reasoning) = Open::of(reasoning) {
        reasoning.set_str("effort", effort.as_str());
        object.set("reasoning", reasoning.write().bytes);
    }
}

// === impl BadRequest ===

impl BadRequest {
    fn of(param: Option<String>, message: impl Into<String>) -> Self {
        Self { param, code: None, message: message.into() }
    }

    fn missing(param: &str) -> Self {
        let code = Some("missing_required_parameter");
        Self { code, ..Self::of(Some(param.to_owned()), format!("Missing required parameter: '{param}'.")) }
    }

    fn kind(param: &str, expected: &str, value: Raw<'_>) -> Self {
        let got = match value.kind() {
            Kind::Object => "an object",
            Kind::Array => "an array",
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::Bool => "a boolean",
            Kind::Null => "null",
        };
        let message = format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
        Self { code: Some("invalid_type"), ..Self::of(Some(param.to_owned()), message) }
    }

    fn unsupported(param: &str, why: &str) -> Self {
        let message = format!("Unsupported parameter: '{param}': {why}.");
        Self { code: Some("unsupported_parameter"), ..Self::of(Some(param.to_owned()), message) }
    }
}

impl From<json::Error> for BadRequest {
    fn from(error: json::Error) -> Self {
        let bad = Self::of(None, format!("the request body is not a JSON object: {error}"));
        Self { code: Some("invalid_json"), ..bad }
    }
}

/// Where the items stand within the value of `input`.
#[derive(Debug, Default)]
struct Places {
    items: Vec<Spot>,
}

#[derive(Debug, Clone)]
struct Spot {
    /// Where it ends; it begins where the one before it ends.
    until: usize,
    by_model: bool,
    /// It is sealed reasoning of this account; empty where nobody knows whose.
    sealed: Option<String>,
}

// === impl Places ===

impl Places {
    fn of(items: &[Item<'_>], input: Option<Range<usize>>, owner: &dyn Fn(&str) -> Option<String>) -> Self {
        let base = input.map_or(0, |input| input.start);
        Self { items: items.iter().map(|item| Spot::of(item, item.range.end - base, owner)).collect() }
    }

    fn lowered(self, written: Written, losses: Losses) -> Lowered {
        let value = |name: &str| written.place(name).map(|place| place.value.clone()).unwrap_or_default();
        let base = value("input").start;
        let mut layout = Layout {
            instructions: value("instructions"),
            tools: value("tools"),
            format: value("text"),
            items: Vec::with_capacity(self.items.len()),
        };
        let mut reasoning = Vec::new();
        // Behind the bracket.
        let mut from = base + 1;
        for (item, spot) in self.items.into_iter().enumerate() {
            let range = from..base + spot.until;
            from = range.end;
            if let Some(account) = spot.sealed {
                reasoning.push(ReasoningSpan { range: range.clone(), item, account });
            }
            layout.items.push(Piece { range, by_model: spot.by_model });
        }
        let optional = ["client_metadata", "service_tier"]
            .into_iter()
            .filter_map(|param| Some(Optional { param, range: written.place(param)?.member.clone() }));
        let mut optional: Vec<_> = optional.collect();
        optional.sort_by_key(|optional| optional.range.start);
        Lowered { body: written.bytes, layout, reasoning, optional, losses, ..Lowered::with_room_for(0) }
    }
}

// === impl Spot ===

impl Spot {
    fn of(item: &Item<'_>, until: usize, owner: &dyn Fn(&str) -> Option<String>) -> Self {
        let seal = item.sealed.filter(|_| item.tag == Some("reasoning")).and_then(Raw::literal);
        Self { until, by_model: is_by_model(item), sealed: seal.map(|seal| owner(seal).unwrap_or_default()) }
    }
}

fn is_by_model(item: &Item<'_>) -> bool {
    match item.tag {
        Some("message") | None => item.role == Some("assistant"),
        Some(tag) => tag == "reasoning" || tag == "compaction" || tag.ends_with("_call"),
    }
}
