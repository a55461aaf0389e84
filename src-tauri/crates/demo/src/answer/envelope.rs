//! The `response` object that opens and closes a stream, and events nobody has heard of.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Writer;
use crate::script::Step;

impl Writer<'_> {
    pub(super) fn terminal(&mut self, status: &str, error: Value, details: Value) {
        let mut response = self.response.clone();
        response["status"] = json!(status);
        response["error"] = error;
        response["incomplete_details"] = details;
        // The tier that was asked for is not the tier that is told (codex-backend.md §2).
        response["service_tier"] = json!("default");
        if self.quirks.full_output {
            response["output"] = json!(self.output);
        }
        if status != "failed" {
            let (input, cached) = (self.order.input_tokens, self.order.cached_tokens);
            response["usage"] = json!({
                "input_tokens": input,
                "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": input - cached},
                "output_tokens": self.output_tokens,
                "output_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
                "total_tokens": input + self.output_tokens,
            });
        }
        self.event(&format!("response.{status}"), json!({ "response": response }));
        if self.quirks.after_end {
            self.event(
                "response.output_text.delta",
                json!({"item_id": "msg_late", "output_index": 0, "content_index": 0, "delta": "too late"}),
            );
        }
        if self.quirks.done_line {
            self.steps.push(Step::Bytes(Bytes::from_static(b"data: [DONE]\n\n")));
        }
    }

    /// Events and an item nobody has heard of (codex-backend.md §3: they must be ignored).
    pub(super) fn strangers(&mut self) {
        let id = self.id("xyz_", 47);
        let item = json!({"id": id, "type": "hologram_call", "payload": [1, 2, 3]});
        let index = self.next_index();
        self.event("response.future_thing.delta", json!({"delta": {"not": "a string"}, "item_id": null}));
        self.event("codex.rate_limits", json!({
            "plan_type": "plus",
            "rate_limits": {
                "allowed": true,
                "limit_reached": false,
                "primary": {"used_percent": 42, "window_minutes": 300, "reset_after_seconds": 60, "reset_at": self.order.case.now + 60},
                "secondary": null,
            },
            "credits": null,
        }));
        self.event("response.output_item.added", json!({"output_index": index, "item": item}));
        self.event("response.output_item.done", json!({"output_index": index, "item": item}));
        self.event(
            "response.metadata",
            json!({"headers": {"x-codex-turn-state": ["demo-turn-state"]}, "metadata": {"k": "v"}}),
        );
    }

    pub(super) fn envelope(&mut self) -> Value {
        let asked = |key: &str, default: Value| self.order.request.get(key).cloned().unwrap_or(default);
        let mut text = asked("text", json!({}));
        if text.get("format").is_none() {
            text["format"] = json!({"type": "text"});
        }
        if text.get("verbosity").is_none() {
            text["verbosity"] = json!("medium");
        }
        let mut response = json!({
            "object": "response",
            "created_at": self.order.case.now,
            "status": "in_progress",
            "background": false,
            "error": null,
            "incomplete_details": null,
            "instructions": asked("instructions", Value::Null),
            "max_output_tokens": null,
            "max_tool_calls": null,
            "model": self.order.case.model,
            "output": [],
            "parallel_tool_calls": asked("parallel_tool_calls", json!(true)),
            "previous_response_id": null,
            "prompt_cache_key": asked("prompt_cache_key", Value::Null),
            "reasoning": asked("reasoning", json!({"effort": null, "summary": null})),
            "safety_identifier": self.order.account,
            "service_tier": "auto",
            "store": false,
            "temperature": 1.0,
            "text": text,
            "tool_choice": asked("tool_choice", json!("auto")),
            "tools": asked("tools", json!([])),
            "top_logprobs": 0,
            "top_p": 0.98,
            "truncation": "disabled",
            "usage": null,
            "user": null,
            "metadata": {},
        });
        response["id"] = json!(self.id("resp_", 46));
        response
    }
}
