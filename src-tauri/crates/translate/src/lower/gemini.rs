//! A Gemini request becomes a Responses request.
//!
//! Its head (instructions, functions, format) is said in the words of chat, which are those of the hub, and written by the
//! same code; the history is written here. The mapping, member by member, is in `docs/dialects.md`.
//!
//! **Invariant:** the same history gives the same bytes. Nothing that changes from request to request stands before the
//! history: the upstream's prompt cache lives on a stable prefix.

use std::borrow::Cow;

use codeferry_wire::chat::ask::{Choice, Format, Tool};
use codeferry_wire::gemini::request::{self as gemini, Request, Role as Speaker, Said};
use codeferry_wire::json::{Raw, Reader};
use codeferry_wire::responses::request::{Object, Part, Role};

use super::chat::{tools::Offer, wanted, write_choice, write_head, write_lite_preamble};
use super::chat::{write_sampling, write_text};
use super::{Lowered, Target, write_include_and_key, write_reasoning};
use crate::loss::{Loss, Losses};
use crate::pairing::{Named, Pairing};
use crate::schema::google;

mod history;
mod parts;

/// Some JSON is wanted, and the upstream asks that the conversation says so.
const JSON: &str = "Answer in JSON.";
/// Before a schema that the upstream cannot enforce: it knows objects alone.
const JSON_BY: &str = "Answer with nothing but JSON, without a fence around it, by this JSON schema: ";

/// The defaults of Google's models, which its command line sends with every request: nobody wishes for them.
const TOP_P: f64 = 0.95;
const TOP_K: f64 = 64.0;

/// Lowers a request. Whatever cannot be carried is a [`Loss`]; what must not be lost was refused when it was read.
pub fn lower(request: &Request<'_>, target: &Target<'_>, size_hint: usize) -> Lowered {
    let mut lowered = Lowered::with_room_for(size_hint);
    lowered.thinking = request.config.thoughts;
    note_losses(request, target.sampling, &mut lowered.losses);
    let pairing = Pairing::of_named(steps(request));
    let schemas: Vec<_> = request.tools.iter().map(|tool| tool.parameters.and_then(google::to_json_schema)).collect();
    let functions: Vec<Tool<'_>> =
        request.tools.iter().zip(&schemas).map(|(tool, schema)| function(tool, schema)).collect();
    let offer = Offer { functions: &functions, search: request.search.then_some(Raw::EMPTY_OBJECT) };
    let instructions = texts(&request.system, &mut lowered.losses);
    let mut body = std::mem::take(&mut lowered.body);
    let mut object = Object::begin(&mut body);
    object.string("model", target.model);
    if !target.lite {
        write_head(&mut object, &instructions, &offer, &mut lowered);
    }
    object.array("input", |input| {
        if target.lite {
            write_lite_preamble(input, &instructions, &offer, &mut lowered);
        }
        if let Some(note) = json_note(request) {
            input.message(Role::Developer, &[Part::InputNote(note)]);
        }
        history::History::new(input, &pairing, &mut lowered).write(&request.contents);
    });
    if !offer.is_empty() {
        write_choice(&mut object, choice(request).as_ref());
        object.bool("parallel_tool_calls", !target.lite);
    }
    write_reasoning(&mut object, target, lowered.thinking, &mut lowered.optional);
    let schema = match request.config.format {
        gemini::Format::Schema(schema) => google::to_json_schema(schema),
        _ => None,
    };
    let from = object.position();
    if write_text(&mut object, &format(request, schema.as_deref()), None) {
        lowered.layout.format = from..object.position();
    }
    write_include_and_key(&mut object, target, request.search, &mut lowered.optional);
    if target.sampling {
        let config = &request.config;
        let wishes = (
            config.max_tokens,
            config.temperature,
            config.top_p.filter(|top_p| *top_p > 0.0 && wished(config.top_p, TOP_P)),
        );
        write_sampling(&mut object, wishes, &mut lowered.optional);
    }
    object.bool("store", false).bool("stream", true);
    object.end();
    lowered.body = body;
    lowered
}

/// Calls and results in the order they stand.
fn steps<'a>(request: &'a Request<'_>) -> impl Iterator<Item = Named<'a>> {
    request.contents.iter().flat_map(|content| &content.parts).filter_map(|part| match &part.said {
        Said::Call { id, name, .. } => Some(Named::Call { id: id.as_deref(), name }),
        Said::Result { id, name, .. } => Some(Named::Result { id: id.as_deref(), name }),
        _ => None,
    })
}

fn note_losses(request: &Request<'_>, sampling: bool, losses: &mut Losses) {
    let config = &request.config;
    if !sampling && wanted(config.temperature).is_some() {
        losses.add(Loss::Temperature);
    }
    if !sampling && wished(config.top_p, TOP_P) && wanted(config.top_p).is_some() {
        losses.add(Loss::TopP);
    }
    if wished(config.top_k, TOP_K) {
        losses.add(Loss::TopK);
    }
    for name in &config.sampling {
        losses.add(match *name {
            "seed" => Loss::Seed,
            _ => Loss::Penalty,
        });
    }
    if !request.unknown.is_empty() || !config.unknown.is_empty() {
        losses.add(Loss::UnknownMember);
    }
    if request.hosted {
        losses.add(Loss::HostedTool);
    }
    if request.lone_surrogate {
        losses.add(Loss::LoneSurrogate);
    }
    let says =
        |part: &gemini::Part<'_>| !part.thought && matches!(part.said, Said::Text(text) if text.literal() != Some(""));
    if request.contents.last().is_some_and(|last| last.role == Speaker::Model && last.parts.iter().any(says)) {
        losses.add(Loss::Prefill);
    }
}

fn wished(value: Option<f64>, default: f64) -> bool {
    value.is_some_and(|value| (value - default).abs() > f64::EPSILON)
}

/// The texts of instructions. Nothing else can stand there.
fn texts<'a>(parts: &[gemini::Part<'a>], losses: &mut Losses) -> Vec<Raw<'a>> {
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        match part.said {
            Said::Text(text) if text.literal() != Some("") => texts.push(text),
            Said::Text(_) => {}
            _ => losses.add(Loss::BlockPlace),
        }
    }
    texts
}

fn function<'a>(tool: &'a gemini::Tool<'a>, schema: &'a Option<String>) -> Tool<'a> {
    let parameters = schema.as_deref().and_then(read).or(tool.parameters);
    Tool { name: (&*tool.name).into(), description: tool.description, parameters, strict: false }
}

fn choice<'a>(request: &'a Request<'_>) -> Option<Choice<'a>> {
    let names = |names: &'a [Cow<'_, str>]| names.iter().map(|name| (&**name).into()).collect();
    request.choice.as_ref().map(|choice| match (&choice.names[..], choice.required) {
        ([], false) => Choice::None,
        ([], true) => Choice::Required,
        ([one], true) => Choice::Named((&**one).into()),
        (some, required) => Choice::Allowed { required, names: names(some) },
    })
}

/// Where a schema had to be put in other words, they are `translated`.
fn format<'a>(request: &Request<'a>, translated: Option<&'a str>) -> Format<'a> {
    match request.config.format {
        gemini::Format::Text => Format::Text,
        gemini::Format::Json => Format::JsonObject,
        gemini::Format::Schema(schema) if !google::is_object(schema) => Format::Text,
        gemini::Format::Schema(schema) => {
            let schema = translated.and_then(read).unwrap_or(schema);
            let strict = crate::schema::is_strict(schema);
            Format::JsonSchema { name: None, description: None, schema: Some(schema), strict }
        }
    }
}

/// What the model has to be told in words of how it is to answer.
fn json_note<'a>(request: &Request<'a>) -> Option<Cow<'a, str>> {
    match request.config.format {
        gemini::Format::Json => Some(Cow::Borrowed(JSON)),
        gemini::Format::Schema(schema) if !google::is_object(schema) => {
            let schema = google::to_json_schema(schema).unwrap_or_else(|| schema.as_slice_str().to_owned());
            Some(Cow::Owned(format!("{JSON_BY}{schema}")))
        }
        _ => None,
    }
}

fn read(json: &str) -> Option<Raw<'_>> {
    Reader::of(json).value().ok()
}
