//! An Anthropic request becomes a Responses request.
//!
//! The history is written in one pass, straight into the bytes that go upstream; texts, tool inputs and schemas are
//! copied as they stood. The mapping, member by member, is in `docs/dialects.md`.
//!
//! **Invariant:** the same history gives the same bytes. Nothing that changes from request to request stands before the
//! history: the upstream's prompt cache lives on a stable prefix.

use codeferry_wire::anthropic::request::{BadRequest, Block, ChoiceMode, Request, Thinking};
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::{Array, Object, Part, Role};

use super::{DEFAULT_INSTRUCTIONS, Lowered, Optional, Target, write_include_and_key, write_reasoning};
use crate::loss::{Loss, Losses};
use crate::names::tool_name;
use crate::pairing::Pairing;
use crate::schema;

mod history;
mod parts;
#[cfg(test)]
mod tests;
mod tools;

/// The line Claude Code puts before its system prompt. It changes with every prompt (`claude-code.md §3`).
const BILLING_HEADER: &str = "x-anthropic-billing-header:";

/// Why a request cannot be served at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is no request.
    #[error(transparent)]
    Bad(#[from] BadRequest),
    /// The client wants its history kept for it (`thread`). It will replay the history when it reads the error code.
    #[error("threads are not kept by this gateway; send the whole conversation")]
    Thread,
    /// `tool_choice` names a tool that is not on offer.
    #[error("tool_choice: the tool '{0}' is not among the tools of this request")]
    UnknownTool(String),
}

/// Lowers a request.
///
/// # Errors
/// Only for what would change the meaning of the answer; everything else that cannot be carried is a [`Loss`].
pub fn lower(request: &Request<'_>, target: &Target<'_>, size_hint: usize) -> Result<Lowered, Refusal> {
    if request.thread {
        return Err(Refusal::Thread);
    }
    let mut lowered = Lowered::with_room_for(size_hint);
    lowered.thinking = matches!(request.thinking, Thinking::Adaptive | Thinking::Enabled { .. });
    note_losses(request, target.sampling, &mut lowered.losses);
    let pairing = Pairing::of(&request.messages);
    let mut body = std::mem::take(&mut lowered.body);
    let mut object = Object::begin(&mut body);
    object.string("model", target.model);
    let tools = tools::Offer::of(&request.tools, &mut lowered.losses);
    if !target.lite {
        let from = object.position();
        write_instructions(object.key("instructions"), &request.system, &mut lowered.losses);
        lowered.layout.instructions = from..object.position();
        if !tools.is_empty() {
            let from = object.position();
            object.array("tools", |array| tools.write(array, &mut lowered.names, &mut lowered.losses));
            lowered.layout.tools = from..object.position();
        }
    }
    object.array("input", |input| {
        if target.lite {
            write_lite_preamble(input, request, &tools, &mut lowered);
        }
        history::History::new(input, &pairing, &mut lowered).write(&request.messages);
    });
    if !tools.is_empty() {
        write_choice(&mut object, request, &tools)?;
        let parallel = !target.lite && request.tool_choice.as_ref().is_none_or(|choice| !choice.no_parallel);
        object.bool("parallel_tool_calls", parallel);
    }
    write_reasoning(&mut object, target, lowered.thinking, &mut lowered.optional);
    if let Some(schema) = request.format {
        let from = object.position();
        write_format(&mut object, schema);
        lowered.layout.format = from..object.position();
    }
    write_include_and_key(&mut object, target, tools.searches(), &mut lowered.optional);
    if target.sampling {
        write_sampling(&mut object, request, &mut lowered.optional);
    }
    object.bool("store", false).bool("stream", true);
    object.end();
    lowered.body = body;
    lowered.call_ids = request
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .filter_map(|block| match block {
            Block::ToolUse { id, .. } => Some(id.clone().into_owned()),
            _ => None,
        })
        .collect();
    Ok(lowered)
}

fn note_losses(request: &Request<'_>, sampling: bool, losses: &mut Losses) {
    if !sampling && wanted_temperature(request).is_some() {
        losses.add(Loss::Temperature);
    }
    for (name, _) in &request.sampling {
        match *name {
            "top_p" if sampling => {}
            "top_p" => losses.add(Loss::TopP),
            _ => losses.add(Loss::TopK),
        }
    }
    if request.mcp_servers {
        losses.add(Loss::McpServers);
    }
    if !request.unknown.is_empty() {
        losses.add(Loss::UnknownMember);
    }
    if request.lone_surrogate {
        losses.add(Loss::LoneSurrogate);
    }
    if request.messages.last().is_some_and(|last| {
        last.role == codeferry_wire::anthropic::request::Role::Assistant
            && last.content.iter().any(|block| matches!(block, Block::Text { .. }))
    }) {
        losses.add(Loss::Prefill);
    }
}

/// The texts of the system prompt, one string, blank lines between.
fn write_instructions(out: &mut Vec<u8>, system: &[Block<'_>], losses: &mut Losses) {
    out.push(b'"');
    let from = out.len();
    for text in system_texts(system, losses) {
        if out.len() > from {
            out.extend_from_slice(b"\\n\\n");
        }
        out.extend_from_slice(text.literal().unwrap_or_default().as_bytes());
    }
    if out.len() == from {
        out.extend_from_slice(DEFAULT_INSTRUCTIONS.as_bytes());
    }
    out.push(b'"');
}

fn system_texts<'a>(system: &[Block<'a>], losses: &mut Losses) -> Vec<Raw<'a>> {
    let mut texts = Vec::with_capacity(system.len());
    for block in system {
        match block {
            Block::Text { text } => {
                let literal = text.literal().unwrap_or_default();
                if !literal.is_empty() && !literal.starts_with(BILLING_HEADER) {
                    texts.push(*text);
                }
            }
            _ => losses.add(Loss::BlockPlace),
        }
    }
    texts
}

/// Lite models take tools and instructions as the first items of the input (`codex-backend.md §0.1`).
fn write_lite_preamble(
    input: &mut Array<'_>,
    request: &Request<'_>,
    tools: &tools::Offer<'_, '_>,
    lowered: &mut Lowered,
) {
    let from = input.position();
    if !tools.is_empty() {
        input.object(|item| {
            item.string("type", "additional_tools").string("role", "developer");
            item.array("tools", |array| tools.write_namespaced(array, &mut lowered.names, &mut lowered.losses));
        });
    }
    lowered.layout.tools = from..input.position();
    let parts: Vec<Part<'_>> =
        system_texts(&request.system, &mut lowered.losses).into_iter().map(Part::InputText).collect();
    if parts.is_empty() {
        input.message(Role::Developer, &[Part::InputNote(DEFAULT_INSTRUCTIONS.into())]);
    } else {
        input.message(Role::Developer, &parts);
    }
    lowered.layout.instructions = lowered.layout.tools.end..input.position();
}

fn write_choice(object: &mut Object<'_>, request: &Request<'_>, tools: &tools::Offer<'_, '_>) -> Result<(), Refusal> {
    match request.tool_choice.as_ref().map(|choice| &choice.mode) {
        None | Some(ChoiceMode::Auto) => object.string("tool_choice", "auto"),
        Some(ChoiceMode::Any) => object.string("tool_choice", "required"),
        Some(ChoiceMode::None) => object.string("tool_choice", "none"),
        Some(ChoiceMode::Tool(name)) => match tools.find(name) {
            None => return Err(Refusal::UnknownTool(name.clone().into_owned())),
            Some(tools::Found::Function) => object.object("tool_choice", |choice| {
                choice.string("type", "function").string("name", &tool_name(name));
            }),
            // With nothing else on offer, "some tool" is this tool.
            Some(tools::Found::Search) if tools.len() == 1 => object.string("tool_choice", "required"),
            Some(tools::Found::Search) => object.object("tool_choice", |choice| {
                choice.string("type", "web_search");
            }),
        },
    };
    Ok(())
}

/// 1 is the default, and what Claude Code sends for small models: nobody wishes for it.
fn wanted_temperature(request: &Request<'_>) -> Option<f64> {
    request.temperature.filter(|temperature| (temperature - 1.0).abs() > f64::EPSILON)
}

/// What the public API and compatible servers know of how to pick words, and when to stop.
fn write_sampling(object: &mut Object<'_>, request: &Request<'_>, optional: &mut Vec<Optional>) {
    let top_p =
        request.sampling.iter().find(|(name, _)| *name == "top_p").map(|(_, value)| value.as_slice_str().to_owned());
    let members = [
        ("max_output_tokens", request.max_tokens.map(|tokens| tokens.to_string())),
        ("temperature", wanted_temperature(request).map(|temperature| temperature.to_string())),
        ("top_p", top_p),
    ];
    for (param, value) in members {
        let Some(value) = value else { continue };
        let from = object.position();
        object.key(param).extend_from_slice(value.as_bytes());
        optional.push(Optional { param, range: from..object.position() });
    }
}

fn write_format(object: &mut Object<'_>, schema: Raw<'_>) {
    object.object("text", |text| {
        text.object("format", |format| {
            format.string("type", "json_schema").string("name", "output");
            format.bool("strict", schema::is_strict(schema)).raw("schema", schema);
        });
    });
}
