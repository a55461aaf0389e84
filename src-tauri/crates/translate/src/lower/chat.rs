//! A chat request becomes a Responses request.
//!
//! The two are of one family: a message is an item, its calls are items of their own, and texts, arguments and schemas are
//! copied as they stood. The mapping, member by member, is in `docs/dialects.md`.
//!
//! **Invariant:** the same history gives the same bytes. Nothing that changes from request to request stands before the
//! history: the upstream's prompt cache lives on a stable prefix.

use codeferry_wire::chat::ask::{Choice, Format, Part as Said, Request, Role as Speaker};
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::{Array, Object, Part, Role};

use super::{DEFAULT_INSTRUCTIONS, Lowered, Optional, Target, write_include_and_key, write_reasoning};
use crate::loss::{Loss, Losses};
use crate::names::tool_name;
use crate::pairing::{Pairing, Step};

mod history;
pub(super) mod parts;
#[cfg(test)]
mod tests;
pub(super) mod tools;

/// Lowers a request. Whatever cannot be carried is a [`Loss`]; what must not be lost was refused when it was read. The
/// client sees thinking only if `thinking` says so, and a summary is asked for only then.
pub fn lower(request: &Request<'_>, target: &Target<'_>, thinking: bool, size_hint: usize) -> Lowered {
    let mut lowered = Lowered::with_room_for(size_hint);
    lowered.thinking = thinking;
    note_losses(request, target.sampling, &mut lowered.losses);
    let pairing = Pairing::of_steps(steps(request));
    let mut body = std::mem::take(&mut lowered.body);
    let mut object = Object::begin(&mut body);
    object.string("model", target.model);
    let offer = tools::Offer { functions: &request.tools, search: request.web_search };
    let head = request.messages.iter().take_while(|message| message.role == Speaker::System).count();
    // Something must be left to answer: the upstream takes no empty input.
    let (instructions, conversation) = request.messages.split_at(head.min(request.messages.len().saturating_sub(1)));
    let instructions: Vec<Raw<'_>> =
        instructions.iter().flat_map(|message| texts(&message.content, &mut lowered.losses)).collect();
    if !target.lite {
        write_head(&mut object, &instructions, &offer, &mut lowered);
    }
    object.array("input", |input| {
        if target.lite {
            write_lite_preamble(input, &instructions, &offer, &mut lowered);
        }
        history::History::new(input, &pairing, &mut lowered).write(conversation);
    });
    if !offer.is_empty() {
        write_choice(&mut object, request.tool_choice.as_ref());
        // A call in the older form has no place for a second one.
        let parallel = !target.lite && !request.legacy_functions && request.parallel_tool_calls.unwrap_or(true);
        object.bool("parallel_tool_calls", parallel);
    }
    write_reasoning(&mut object, target, thinking, &mut lowered.optional);
    let from = object.position();
    if write_text(&mut object, &request.format, request.verbosity) {
        lowered.layout.format = from..object.position();
    }
    write_service_tier(&mut object, request, target.sampling, &mut lowered);
    write_include_and_key(&mut object, target, false, &mut lowered.optional);
    if target.sampling {
        let wishes = (request.max_tokens, request.temperature, request.top_p);
        write_sampling(&mut object, wishes, &mut lowered.optional);
    }
    object.bool("store", false).bool("stream", true);
    object.end();
    lowered.body = body;
    lowered
}

/// Calls and results in the order they stand. A function's call and result, which have no id, are known by the name.
fn steps<'a>(request: &'a Request<'_>) -> impl Iterator<Item = Step<'a>> {
    request.messages.iter().flat_map(|message| {
        let calls = message.calls.iter().map(|call| Step::Call(call.id.as_deref().unwrap_or(&call.name)));
        let result = match message.role {
            Speaker::Tool => message.call_id.as_deref(),
            Speaker::Function => message.name.as_deref(),
            _ => None,
        };
        calls.chain(result.map(Step::Result))
    })
}

fn note_losses(request: &Request<'_>, sampling: bool, losses: &mut Losses) {
    if !sampling && wanted(request.temperature).is_some() {
        losses.add(Loss::Temperature);
    }
    if !sampling && wanted(request.top_p).is_some() {
        losses.add(Loss::TopP);
    }
    for name in &request.sampling {
        losses.add(match *name {
            "seed" => Loss::Seed,
            "penalty" => Loss::Penalty,
            "prediction" => Loss::Prediction,
            _ => Loss::LogitBias,
        });
    }
    if !request.unknown.is_empty() {
        losses.add(Loss::UnknownMember);
    }
    if request.lone_surrogate {
        losses.add(Loss::LoneSurrogate);
    }
    if request.messages.iter().any(|message| message.name.is_some() && message.role != Speaker::Function) {
        losses.add(Loss::SpeakerName);
    }
    if request.messages.last().is_some_and(|last| last.role == Speaker::Assistant && !last.content.is_empty()) {
        losses.add(Loss::Prefill);
    }
}

/// 1 is the default: nobody wishes for it.
pub(super) fn wanted(value: Option<f64>) -> Option<f64> {
    value.filter(|value| (value - 1.0).abs() > f64::EPSILON)
}

/// The texts of instructions. Nothing else can stand there.
fn texts<'a>(content: &[Said<'a>], losses: &mut Losses) -> Vec<Raw<'a>> {
    let mut texts = Vec::with_capacity(content.len());
    for part in content {
        match part {
            Said::Text(text) if text.literal() != Some("") => texts.push(*text),
            Said::Text(_) => {}
            _ => losses.add(Loss::BlockPlace),
        }
    }
    texts
}

/// Instructions and tools, where they stand outside of the conversation.
pub(super) fn write_head(
    object: &mut Object<'_>,
    instructions: &[Raw<'_>],
    offer: &tools::Offer<'_, '_>,
    lowered: &mut Lowered,
) {
    let from = object.position();
    write_instructions(object.key("instructions"), instructions);
    lowered.layout.instructions = from..object.position();
    if !offer.is_empty() {
        let from = object.position();
        object.array("tools", |array| offer.write(array, &mut lowered.names, &mut lowered.losses));
        lowered.layout.tools = from..object.position();
    }
}

/// One string, blank lines between.
fn write_instructions(out: &mut Vec<u8>, texts: &[Raw<'_>]) {
    out.push(b'"');
    for (place, text) in texts.iter().enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\\n\\n");
        }
        out.extend_from_slice(text.literal().unwrap_or_default().as_bytes());
    }
    if texts.is_empty() {
        out.extend_from_slice(DEFAULT_INSTRUCTIONS.as_bytes());
    }
    out.push(b'"');
}

/// Lite models take tools and instructions as the first items of the input (`codex-backend.md §0.1`).
pub(super) fn write_lite_preamble(
    input: &mut Array<'_>,
    instructions: &[Raw<'_>],
    offer: &tools::Offer<'_, '_>,
    lowered: &mut Lowered,
) {
    let from = input.position();
    if !offer.is_empty() {
        input.object(|item| {
            item.string("type", "additional_tools").string("role", "developer");
            item.array("tools", |array| offer.write_namespaced(array, &mut lowered.names, &mut lowered.losses));
        });
    }
    lowered.layout.tools = from..input.position();
    if instructions.is_empty() {
        input.message(Role::Developer, &[Part::InputNote(DEFAULT_INSTRUCTIONS.into())]);
    } else {
        let parts: Vec<_> = instructions.iter().copied().map(Part::InputText).collect();
        input.message(Role::Developer, &parts);
    }
    lowered.layout.instructions = lowered.layout.tools.end..input.position();
}

/// How the functions on offer may be used.
pub(super) fn write_choice(object: &mut Object<'_>, choice: Option<&Choice<'_>>) {
    match choice {
        None | Some(Choice::Auto) => object.string("tool_choice", "auto"),
        Some(Choice::None) => object.string("tool_choice", "none"),
        Some(Choice::Required) => object.string("tool_choice", "required"),
        Some(Choice::Named(name)) => object.object("tool_choice", |choice| {
            choice.string("type", "function").string("name", &tool_name(name));
        }),
        Some(Choice::Allowed { required, names }) => object.object("tool_choice", |choice| {
            choice.string("type", "allowed_tools").string("mode", if *required { "required" } else { "auto" });
            choice.array("tools", |tools| {
                for name in names {
                    tools.object(|tool| {
                        tool.string("type", "function").string("name", &tool_name(name));
                    });
                }
            });
        }),
    };
}

/// What the answer is to look like. Whether anything was written.
pub(super) fn write_text(object: &mut Object<'_>, format: &Format<'_>, verbosity: Option<Raw<'_>>) -> bool {
    if *format == Format::Text && verbosity.is_none() {
        return false;
    }
    object.object("text", |text| {
        if let Some(verbosity) = verbosity {
            text.raw("verbosity", verbosity);
        }
        match *format {
            Format::Text => {}
            Format::JsonObject => {
                text.object("format", |format| {
                    format.string("type", "json_object");
                });
            }
            Format::JsonSchema { name, description, schema, strict } => {
                text.object("format", |format| {
                    format.string("type", "json_schema");
                    match name {
                        Some(name) => format.raw("name", name),
                        None => format.string("name", "output"),
                    };
                    if let Some(description) = description {
                        format.raw("description", description);
                    }
                    format.bool("strict", strict).raw("schema", schema.unwrap_or(Raw::EMPTY_OBJECT));
                });
            }
        }
    });
    true
}

/// The plans' hosts know `priority` and `ultrafast`, and refuse the rest by name (`codex-backend.md §2`).
fn write_service_tier(object: &mut Object<'_>, request: &Request<'_>, own_key: bool, lowered: &mut Lowered) {
    let tier = match request.service_tier.as_deref() {
        None | Some("auto" | "default" | "") => return,
        Some("fast" | "priority") => "priority",
        Some("ultrafast") => "ultrafast",
        Some(tier) if own_key => tier,
        Some(_) => return lowered.losses.add(Loss::ServiceTier),
    };
    let from = object.position();
    object.string("service_tier", tier);
    lowered.optional.push(Optional { param: "service_tier", range: from..object.position() });
}

/// What the public API and compatible servers know of how to pick words, and when to stop.
pub(super) fn write_sampling(
    object: &mut Object<'_>,
    (max_tokens, temperature, top_p): (Option<u64>, Option<f64>, Option<f64>),
    optional: &mut Vec<Optional>,
) {
    let members = [
        ("max_output_tokens", max_tokens.map(|tokens| tokens.to_string())),
        ("temperature", wanted(temperature).map(|temperature| temperature.to_string())),
        ("top_p", wanted(top_p).map(|top_p| top_p.to_string())),
    ];
    for (param, value) in members {
        let Some(value) = value else { continue };
        let from = object.position();
        object.key(param).extend_from_slice(value.as_bytes());
        optional.push(Optional { param, range: from..object.position() });
    }
}
