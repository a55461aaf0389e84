//! Tools and the choice among them: flat, named within the alphabet, of a kind the host knows.

use serde_json::{Map, Value};

use super::{Gate, Provider, only, schema, text};
use crate::refusal::Refusal;

const KINDS: &[&str] =
    &["function", "custom", "web_search", "image_generation", "namespace", "tool_search", "local_shell"];

pub(super) fn check(
    gate: &Gate<'_>,
    request: &Map<String, Value>,
    input: &[Value],
    remarks: &mut Vec<String>,
) -> Result<(), Refusal> {
    let mut names = Vec::new();
    match request.get("tools") {
        None | Some(Value::Null) => {}
        Some(_) if gate.lite => {
            return Err(Refusal::detail(400, "Tools must be sent as additional_tools with Responses-Lite"));
        }
        Some(Value::Array(tools)) => list(gate, tools, "tools", &mut names, remarks)?,
        Some(other) => return Err(Refusal::invalid_type("tools", "an array", other)),
    }
    for (index, item) in input.iter().enumerate().filter(|(_, item)| item["type"] == "additional_tools") {
        let Some(tools) = item["tools"].as_array() else {
            return Err(Refusal::missing(&format!("input[{index}].tools")));
        };
        list(gate, tools, &format!("input[{index}].tools"), &mut names, remarks)?;
    }
    tool_choice(request, &names)
}

fn list(
    gate: &Gate<'_>,
    tools: &[Value],
    path: &str,
    names: &mut Vec<String>,
    remarks: &mut Vec<String>,
) -> Result<(), Refusal> {
    for (index, value) in tools.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Some(tool) = value.as_object() else {
            return Err(Refusal::invalid_type(&path, "an object", value));
        };
        match text(tool, "type", &path)? {
            "function" => function(tool, &path, remarks)?,
            "custom" => {
                only(tool, &["type", "name", "description", "format", "defer_loading"], &path)?;
                name(text(tool, "name", &path)?, &format!("{path}.name"))?;
            }
            "namespace" => {
                only(tool, &["type", "name", "description", "tools"], &path)?;
                name(text(tool, "name", &path)?, &format!("{path}.name"))?;
                let inner = tool.get("tools").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                list(gate, inner, &format!("{path}.tools"), names, remarks)?;
            }
            "web_search" => only(
                tool,
                &[
                    "type",
                    "external_web_access",
                    "search_content_types",
                    "filters",
                    "user_location",
                    "search_context_size",
                ],
                &path,
            )?,
            kind @ ("image_generation" | "tool_search") if gate.provider == Provider::Plan => {
                return Err(Refusal::invalid(
                    &format!("{path}.type"),
                    "subscription_sharing_unsupported_capability",
                    format!("The tool '{kind}' is not available with plan usage."),
                ));
            }
            "image_generation" | "tool_search" | "local_shell" => {}
            other => return Err(Refusal::invalid_value(&format!("{path}.type"), other, KINDS)),
        }
        if let Some(name) = tool.get("name").or_else(|| tool.get("type")).and_then(Value::as_str) {
            if names.iter().any(|known| known == name) {
                remarks.push(format!("two tools are named '{name}'"));
            }
            names.push(name.to_owned());
        }
    }
    Ok(())
}

fn function(tool: &Map<String, Value>, path: &str, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    // The nested shape of Chat Completions is refused for its missing name (codex-backend.md §2).
    let tool_name = text(tool, "name", path)?;
    only(tool, &["type", "name", "description", "parameters", "strict"], path)?;
    name(tool_name, &format!("{path}.name"))?;
    match tool.get("description") {
        None | Some(Value::Null | Value::String(_)) => {}
        Some(other) => return Err(Refusal::invalid_type(&format!("{path}.description"), "a string", other)),
    }
    match tool.get("strict") {
        Some(Value::Bool(_)) => {}
        None | Some(Value::Null) => remarks.push(format!("{path}: send strict:false explicitly")),
        Some(other) => return Err(Refusal::invalid_type(&format!("{path}.strict"), "a boolean", other)),
    }
    match tool.get("parameters") {
        None | Some(Value::Null) => Ok(()),
        Some(parameters @ Value::Object(object)) => {
            if object.contains_key("$schema") {
                remarks.push(format!("{path}.parameters: drop $schema"));
            }
            schema::parameters(parameters, tool_name, path)
        }
        Some(other) => Err(Refusal::invalid_type(&format!("{path}.parameters"), "an object", other)),
    }
}

/// `^[a-zA-Z0-9_-]{1,64}$`
pub(super) fn name(name: &str, path: &str) -> Result<(), Refusal> {
    if name.chars().count() > 64 {
        return Err(Refusal::too_long(path, 64, name.chars().count()));
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return Err(Refusal::invalid(
            path,
            "invalid_value",
            format!(
                "Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            ),
        ));
    }
    Ok(())
}

fn tool_choice(request: &Map<String, Value>, names: &[String]) -> Result<(), Refusal> {
    let choice = match request.get("tool_choice") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(mode)) => {
            let modes = ["none", "auto", "required"];
            return if modes.contains(&mode.as_str()) {
                Ok(())
            } else {
                Err(Refusal::invalid_value("tool_choice", mode, &modes))
            };
        }
        Some(Value::Object(choice)) => choice,
        Some(other) => return Err(Refusal::invalid_type("tool_choice", "an object", other)),
    };
    let kind = text(choice, "type", "tool_choice")?;
    let wanted = match kind {
        "function" | "custom" => {
            if choice.contains_key("function") {
                return Err(Refusal::unknown_parameter("tool_choice.function"));
            }
            only(choice, &["type", "name"], "tool_choice")?;
            text(choice, "name", "tool_choice")?
        }
        "allowed_tools" => return only(choice, &["type", "mode", "tools"], "tool_choice"),
        "web_search" | "image_generation" => {
            only(choice, &["type"], "tool_choice")?;
            kind
        }
        other => {
            return Err(Refusal::invalid_value(
                "tool_choice.type",
                other,
                &["function", "custom", "allowed_tools", "web_search", "image_generation"],
            ));
        }
    };
    if names.iter().any(|name| name == wanted) {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "tool_choice",
            "invalid_value",
            format!("Tool choice '{wanted}' not found in 'tools' parameter."),
        ))
    }
}
