//! Top-level parameters: a strict allowlist, and the values of each.

use serde_json::{Map, Value};

use super::{Gate, Provider, choice, items, only, schema, stray, text};
use crate::catalog::{self, Model};
use crate::refusal::Refusal;

const BOTH: &[&str] = &[
    "model",
    "stream",
    "service_tier",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "store",
    "include",
    "prompt_cache_key",
    "text",
];
/// Only the host of the Codex CLI knows this one.
const CODEX_ONLY: &str = "client_metadata";

const INCLUDES: &[&str] = &["reasoning.encrypted_content", "web_search_call.action.sources"];
const TIERS: &[&str] = &["default", "priority", "ultrafast"];

pub(super) fn check(gate: &Gate<'_>, request: &Map<String, Value>) -> Result<&'static Model, Refusal> {
    let model = match request.get("model") {
        Some(Value::String(model)) if !model.is_empty() => model,
        _ => return Err(Refusal::detail(400, "Model is required")),
    };
    if request.get("store") != Some(&Value::Bool(false)) {
        return Err(Refusal::detail(400, "Store must be set to false"));
    }
    if request.get("stream") != Some(&Value::Bool(true)) {
        return Err(Refusal::detail(400, "Stream must be set to true"));
    }
    if let Some(name) = stray(request, BOTH).filter(|name| gate.provider == Provider::Plan || *name != CODEX_ONLY) {
        return Err(Refusal::detail(400, format!("Unsupported parameter: {name}")));
    }
    let input = items::list(request)?;
    instructions(gate, request, input)?;
    tier(request)?;
    cache_key(request)?;
    includes(request)?;
    if let Some(value) = request.get("parallel_tool_calls")
        && !value.is_boolean()
    {
        return Err(Refusal::invalid_type("parallel_tool_calls", "a boolean", value));
    }
    metadata(request)?;
    let Some(model) = catalog::find(model) else {
        return Err(unknown_model(gate.provider, model));
    };
    reasoning(request, model)?;
    text_options(request)?;
    Ok(model)
}

pub(crate) fn unknown_model(provider: Provider, model: &str) -> Refusal {
    let refusal = match provider {
        Provider::Codex => Refusal::detail(
            400,
            format!("The '{model}' model is not supported when using Codex with a ChatGPT account."),
        ),
        Provider::Plan => {
            Refusal::invalid("model", "model_not_found", format!("The requested model '{model}' does not exist."))
        }
    };
    refusal.excused()
}

/// Non-empty instructions, or a developer message before everything else (codex-backend.md §0.2, §12).
fn instructions(gate: &Gate<'_>, request: &Map<String, Value>, input: &[Value]) -> Result<(), Refusal> {
    let given = match request.get("instructions") {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(other) => return Err(Refusal::invalid_type("instructions", "a string", other)),
    };
    if given && gate.lite {
        return Err(Refusal::detail(400, "Instructions are not allowed with Responses-Lite"));
    }
    let first = input.iter().find(|item| item["type"] != "additional_tools");
    let developer = first.is_some_and(|item| item["role"] == "developer");
    if given || developer { Ok(()) } else { Err(Refusal::detail(400, "Instructions are required")) }
}

fn tier(request: &Map<String, Value>) -> Result<(), Refusal> {
    match request.get("service_tier") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(tier)) if TIERS.contains(&tier.as_str()) => Ok(()),
        Some(Value::String(tier)) => Err(Refusal::detail(400, format!("Unsupported service_tier: {tier}"))),
        Some(other) => Err(Refusal::invalid_type("service_tier", "a string", other)),
    }
}

fn cache_key(request: &Map<String, Value>) -> Result<(), Refusal> {
    match request.get("prompt_cache_key") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(key)) => match key.chars().count() {
            0..=64 => Ok(()),
            length => Err(Refusal::too_long("prompt_cache_key", 64, length)),
        },
        Some(other) => Err(Refusal::invalid_type("prompt_cache_key", "a string", other)),
    }
}

fn includes(request: &Map<String, Value>) -> Result<(), Refusal> {
    match request.get("include") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(values)) => values.iter().enumerate().try_for_each(|(index, value)| match value.as_str() {
            Some(name) if INCLUDES.contains(&name) => Ok(()),
            _ => {
                let got = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Err(Refusal::invalid_value(&format!("include[{index}]"), &got, INCLUDES))
            }
        }),
        Some(other) => Err(Refusal::invalid_type("include", "an array", other)),
    }
}

fn metadata(request: &Map<String, Value>) -> Result<(), Refusal> {
    match request.get(CODEX_ONLY) {
        None => Ok(()),
        Some(Value::Object(values)) => match values.iter().find(|(_, value)| !value.is_string()) {
            Some((key, value)) => Err(Refusal::invalid_type(&format!("{CODEX_ONLY}.{key}"), "a string", value)),
            None => Ok(()),
        },
        Some(other) => Err(Refusal::invalid_type(CODEX_ONLY, "an object", other)),
    }
}

fn reasoning(request: &Map<String, Value>, model: &Model) -> Result<(), Refusal> {
    let reasoning = match request.get("reasoning") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(reasoning)) => reasoning,
        Some(other) => return Err(Refusal::invalid_type("reasoning", "an object", other)),
    };
    only(reasoning, &["effort", "summary", "context"], "reasoning")?;
    effort(reasoning, "reasoning", model)?;
    choice(reasoning, "summary", "reasoning", &["auto", "concise", "detailed"])?;
    choice(reasoning, "context", "reasoning", &["all_turns"])
}

pub(super) fn effort(reasoning: &Map<String, Value>, path: &str, model: &Model) -> Result<(), Refusal> {
    let allowed = model.wire_efforts();
    match reasoning.get("effort") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(effort)) if allowed.contains(&effort.as_str()) => Ok(()),
        Some(Value::String(effort)) => {
            let list: Vec<String> = allowed.iter().map(|value| format!("'{value}'")).collect();
            Err(Refusal::invalid(
                &format!("{path}.effort"),
                "unsupported_value",
                format!(
                    "Unsupported value: '{effort}' is not supported with the '{}' model. Supported values are: {}.",
                    model.slug,
                    list.join(", ")
                ),
            ))
        }
        Some(other) => Err(Refusal::invalid_type(&format!("{path}.effort"), "a string", other)),
    }
}

fn text_options(request: &Map<String, Value>) -> Result<(), Refusal> {
    let options = match request.get("text") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(options)) => options,
        Some(other) => return Err(Refusal::invalid_type("text", "an object", other)),
    };
    only(options, &["verbosity", "format"], "text")?;
    choice(options, "verbosity", "text", &["low", "medium", "high"])?;
    let format = match options.get("format") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(format)) => format,
        Some(other) => return Err(Refusal::invalid_type("text.format", "an object", other)),
    };
    match text(format, "type", "text.format")? {
        "text" | "json_object" => only(format, &["type"], "text.format"),
        "json_schema" => {
            // Flat; the nested shape of Chat Completions is refused like any unknown key.
            only(format, &["type", "name", "schema", "strict", "description"], "text.format")?;
            let name = text(format, "name", "text.format")?;
            super::tools::name(name, "text.format.name")?;
            match format.get("schema") {
                None => Err(Refusal::missing("text.format.schema")),
                Some(Value::Object(_)) if format.get("strict") == Some(&Value::Bool(true)) => {
                    schema::strict(&format["schema"], name)
                }
                Some(Value::Object(_)) => Ok(()),
                Some(other) => Err(Refusal::invalid_type("text.format.schema", "an object", other)),
            }
        }
        other => Err(Refusal::invalid_value("text.format.type", other, &["text", "json_schema", "json_object"])),
    }
}
