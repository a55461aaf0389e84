//! Every output has its call before it, every call its output after it (codex-backend.md §2).

use std::collections::HashMap;

use serde_json::Value;

use crate::refusal::Refusal;

/// Call kinds, what answers them, and how the sentences name them.
const KINDS: &[(&str, &str, &str)] = &[
    ("function_call", "function_call_output", "function call"),
    ("custom_tool_call", "custom_tool_call_output", "custom tool call"),
    ("local_shell_call", "local_shell_call_output", "local shell call"),
    ("tool_search_call", "tool_search_output", "tool search call"),
];

pub(super) fn check(input: &[Value]) -> Result<(), Refusal> {
    for (call, output, words) in KINDS {
        // A repeated id is allowed as long as each call is answered before the next one of that id is counted off.
        let mut open: HashMap<&str, u32> = HashMap::new();
        let mut order = Vec::new();
        for item in input {
            let Some(id) = item["call_id"].as_str() else { continue };
            if item["type"] == *call {
                *open.entry(id).or_default() += 1;
                order.push(id);
            } else if item["type"] == *output {
                match open.get_mut(id) {
                    Some(count) if *count > 0 => *count -= 1,
                    _ => {
                        let message = format!("No tool call found for {words} output with call_id {id}.");
                        return Err(Refusal::error(400, "invalid_request_error", None, Some("input"), message));
                    }
                }
            }
        }
        if let Some(id) = order.into_iter().find(|id| open.get(id).is_some_and(|count| *count > 0)) {
            let message = format!("No tool output found for {words} {id}.");
            return Err(Refusal::error(400, "invalid_request_error", None, Some("input"), message));
        }
    }
    Ok(())
}
