//! Input items: each with its type, its known fields, ids within bounds, reasoning sealed here.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Gate, media, only, params, text};
use crate::catalog;
use crate::refusal::Refusal;
use crate::seal::Broken;

/// Rides on any item (codex-backend.md §2).
const RIDER: &str = "internal_chat_message_metadata_passthrough";

/// Item type, its id prefix, its fields beside type, id, status and the rider.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("message", "msg", &["role", "content", "phase"]),
    ("agent_message", "", &["role", "content", "phase", "name"]),
    ("reasoning", "rs", &["summary", "content", "encrypted_content"]),
    ("function_call", "fc", &["call_id", "name", "arguments", "namespace"]),
    ("function_call_output", "fc", &["call_id", "output"]),
    ("custom_tool_call", "ctc", &["call_id", "name", "input", "namespace"]),
    ("custom_tool_call_output", "ctc", &["call_id", "output"]),
    ("local_shell_call", "lsh", &["call_id", "action"]),
    ("local_shell_call_output", "lsh", &["call_id", "output"]),
    ("tool_search_call", "ts", &["call_id", "execution", "arguments"]),
    ("tool_search_output", "ts", &["call_id", "execution", "tools"]),
    ("web_search_call", "ws", &["action"]),
    ("image_generation_call", "ig", &["result", "revised_prompt"]),
    ("additional_tools", "at", &["role", "tools"]),
    ("configuration_update", "", &["reasoning"]),
    ("compaction", "cmp", &["encrypted_content"]),
    ("context_compaction", "cmp", &["encrypted_content"]),
    ("compaction_trigger", "", &[]),
];

pub(super) fn list(request: &Map<String, Value>) -> Result<&[Value], Refusal> {
    match request.get("input") {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(Refusal::detail(400, "Input must be a list")),
    }
}

pub(super) fn check(gate: &Gate<'_>, input: &[Value], remarks: &mut Vec<String>) -> Result<(), Refusal> {
    let mut ids = HashSet::new();
    for (index, value) in input.iter().enumerate() {
        let path = format!("input[{index}]");
        let Some(item) = value.as_object() else {
            return Err(Refusal::invalid_type(&path, "an object", value));
        };
        let kind = kind(item, index)?;
        id(item, kind.1, &path, &mut ids)?;
        let allowed: Vec<&str> = ["type", "id", "status", RIDER].iter().chain(kind.2).copied().collect();
        only(item, &allowed, &path)?;
        match kind.0 {
            "message" => message(gate, item, &path, remarks)?,
            "reasoning" => reasoning(gate, item, &path)?,
            "compaction" | "context_compaction" => sealed(gate, item, &path)?,
            "function_call" => {
                call_id(item, &path)?;
                super::tools::name(text(item, "name", &path)?, &format!("{path}.name"))?;
                text(item, "arguments", &path)?;
            }
            "custom_tool_call" => {
                call_id(item, &path)?;
                text(item, "input", &path)?;
            }
            "function_call_output" | "custom_tool_call_output" => {
                call_id(item, &path)?;
                output(gate, item, &path)?;
            }
            "configuration_update" => {
                if let Some(reasoning) = item.get("reasoning").and_then(Value::as_object)
                    && let Some(model) = catalog::MODELS.first()
                {
                    params::effort(reasoning, &format!("{path}.reasoning"), model)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn kind(
    item: &Map<String, Value>,
    index: usize,
) -> Result<&'static (&'static str, &'static str, &'static [&'static str]), Refusal> {
    let Some(Value::String(name)) = item.get("type") else {
        // FastAPI's own shape; sporadic on the real host, certain here (codex-backend.md §2).
        let mut refusal = Refusal::detail(422, format!("input[{index}].type: Field required"));
        refusal.body = serde_json::json!({"detail": [
            {"type": "missing", "loc": ["body", "input", index, "type"], "msg": "Field required"}
        ]});
        return Err(refusal);
    };
    KINDS.iter().find(|kind| kind.0 == name).ok_or_else(|| {
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.0).collect();
        Refusal::invalid_value(&format!("input[{index}].type"), name, &known)
    })
}

fn id<'a>(item: &'a Map<String, Value>, prefix: &str, path: &str, seen: &mut HashSet<&'a str>) -> Result<(), Refusal> {
    let id = match item.get("id") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(id)) => id.as_str(),
        Some(other) => return Err(Refusal::invalid_type(&format!("{path}.id"), "a string", other)),
    };
    let path = format!("{path}.id");
    if id.chars().count() > 64 {
        return Err(Refusal::too_long(&path, 64, id.chars().count()));
    }
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return Err(Refusal::invalid(
            &path,
            "invalid_value",
            format!(
                "Invalid '{path}': '{id}'. Expected an ID that contains letters, numbers, underscores, or dashes, but \
                 this value contained additional characters."
            ),
        ));
    }
    if !id.starts_with(prefix) {
        return Err(Refusal::invalid(
            &path,
            "invalid_value",
            format!("Invalid '{path}': '{id}'. Expected an ID that begins with '{prefix}'."),
        ));
    }
    if !seen.insert(id) {
        return Err(Refusal::error(
            400,
            "invalid_request_error",
            None,
            Some("input"),
            format!("Duplicate item found with id {id}. Remove duplicate items from your input and try again."),
        ));
    }
    Ok(())
}

fn call_id(item: &Map<String, Value>, path: &str) -> Result<(), Refusal> {
    let id = text(item, "call_id", path)?;
    let path = format!("{path}.call_id");
    match id.chars().count() {
        0 => Err(Refusal::invalid(
            &path,
            "empty_string",
            format!(
                "Invalid '{path}': empty string. Expected a string with minimum length 1, but got an empty string instead."
            ),
        )),
        1..=64 => Ok(()),
        length => Err(Refusal::too_long(&path, 64, length)),
    }
}

fn message(gate: &Gate<'_>, item: &Map<String, Value>, path: &str, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    let role = text(item, "role", path)?;
    match role {
        "user" | "assistant" | "developer" => {}
        "system" => return Err(Refusal::detail(400, "System messages are not allowed")),
        other => {
            return Err(Refusal::invalid_value(&format!("{path}.role"), other, &["assistant", "developer", "user"]));
        }
    }
    let parts = match item.get("content") {
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(parts)) => parts,
        None => return Err(Refusal::missing(&format!("{path}.content"))),
        Some(other) => return Err(Refusal::invalid_type(&format!("{path}.content"), "a string or an array", other)),
    };
    for (index, value) in parts.iter().enumerate() {
        let path = format!("{path}.content[{index}]");
        part(gate, value, &path, role == "assistant")?;
        if value["text"].as_str().is_some_and(|text| text.starts_with(super::BILLING)) {
            remarks.push(format!("{path}: the client's billing header reached the upstream"));
        }
    }
    Ok(())
}

fn part(gate: &Gate<'_>, value: &Value, path: &str, assistant: bool) -> Result<(), Refusal> {
    let Some(part) = value.as_object() else {
        return Err(Refusal::invalid_type(path, "an object", value));
    };
    match text(part, "type", path)? {
        "input_text" if !assistant => {
            only(part, &["type", "text"], path)?;
            text(part, "text", path).map(drop)
        }
        "input_image" if !assistant => media::image(part, path, gate.lite),
        "input_file" if !assistant => media::file(part, path),
        "output_text" if assistant => {
            only(part, &["type", "text", "annotations", "logprobs"], path)?;
            text(part, "text", path).map(drop)
        }
        "refusal" if assistant => {
            only(part, &["type", "refusal"], path)?;
            text(part, "refusal", path).map(drop)
        }
        other => {
            let known: &[&str] =
                if assistant { &["output_text", "refusal"] } else { &["input_text", "input_image", "input_file"] };
            Err(Refusal::invalid_value(&format!("{path}.type"), other, known))
        }
    }
}

fn output(gate: &Gate<'_>, item: &Map<String, Value>, path: &str) -> Result<(), Refusal> {
    match item.get("output") {
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) => parts
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| part(gate, value, &format!("{path}.output[{index}]"), false)),
        None => Err(Refusal::missing(&format!("{path}.output"))),
        Some(other) => Err(Refusal::invalid_type(&format!("{path}.output"), "a string or an array", other)),
    }
}

fn reasoning(gate: &Gate<'_>, item: &Map<String, Value>, path: &str) -> Result<(), Refusal> {
    match item.get("summary") {
        Some(Value::Array(_)) => {}
        None => return Err(Refusal::missing(&format!("{path}.summary"))),
        Some(other) => return Err(Refusal::invalid_type(&format!("{path}.summary"), "an array", other)),
    }
    let id = item.get("id").and_then(Value::as_str);
    let Some(sealed) = item.get("encrypted_content").and_then(Value::as_str) else {
        return Err(Refusal::error(
            400,
            "invalid_request_error",
            None,
            Some("input"),
            format!(
                "Item with id '{}' not found. Items are not persisted when `store` is set to false. Try again with \
                 `store` set to true, or remove this item from your input.",
                id.unwrap_or("")
            ),
        ));
    };
    opens(gate, sealed, id, path)
}

/// A summary without its seal, or under another id, is one that nobody can open (codex-backend.md §0.7).
fn sealed(gate: &Gate<'_>, item: &Map<String, Value>, path: &str) -> Result<(), Refusal> {
    let sealed = text(item, "encrypted_content", path)?;
    opens(gate, sealed, item.get("id").and_then(Value::as_str), path)
}

fn opens(gate: &Gate<'_>, sealed: &str, id: Option<&str>, path: &str) -> Result<(), Refusal> {
    gate.seal.check_reasoning(sealed, gate.account, id).map_err(|broken| {
        let why = match broken {
            Broken::Foreign => "Encrypted content could not be decrypted or parsed.",
            Broken::OtherAccount => "Encrypted content organization_id did not match the target organization.",
            Broken::OtherItem => "Encrypted content item_id did not match the target item id.",
        };
        let start: String = sealed.chars().take(8).collect();
        Refusal::invalid(
            path,
            "invalid_encrypted_content",
            format!("The encrypted content {start}... could not be verified. Reason: {why}"),
        )
        .excused()
    })
}
