//! What real servers, their chat templates above all, choke on.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ChatFlavour, ChatRequest};

/// Parameters that all of them document.
const COMMON: [&str; 13] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "tools",
    "tool_choice",
    "response_format",
    "parallel_tool_calls",
];

/// Headers that are another upstream's affair.
const FOREIGN: [&str; 7] = [
    "chatgpt-account-id",
    "originator",
    "session-id",
    "thread-id",
    "x-client-request-id",
    "x-codex-turn-state",
    "cookie",
];

pub(super) fn headers(request: &ChatRequest, flavour: ChatFlavour) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in FOREIGN {
        if request.header(name).is_some() {
            wrong.push(format!("the header {name} is none of this server's business"));
        }
    }
    if !request.header("user-agent").is_some_and(|agent| agent.starts_with("codeferry/")) {
        wrong.push(format!("who is that? user-agent: {:?}", request.header("user-agent")));
    }
    if flavour == ChatFlavour::Kilo && request.header("http-referer") != Some("https://kilo.ai") {
        wrong.push("no http-referer".to_owned());
    }
    wrong
}

pub(super) fn body(body: &Value, flavour: ChatFlavour) -> Vec<String> {
    let mut wrong = Wrong(Vec::new());
    let mut allowed: Vec<&str> = COMMON.to_vec();
    allowed.push(if flavour == ChatFlavour::Ollama { "reasoning_effort" } else { "reasoning" });
    wrong.keys("the request", body, &allowed);
    if body["stream"] != true || body["stream_options"]["include_usage"] != true {
        // It may have been left out because it was refused; then that is what was asked for.
        if body["stream"] != true {
            wrong.say("a stream is what clients of this test ask for".to_owned());
        }
    }
    if let Some(effort) = body.get("reasoning_effort")
        && !["low", "medium", "high"].iter().any(|known| effort == known)
    {
        wrong.say(format!("reasoning_effort {effort}"));
    }
    if let Some(reasoning) = body.get("reasoning") {
        wrong.keys("reasoning", reasoning, &["effort"]);
        let known = ["none", "minimal", "low", "medium", "high", "xhigh"];
        if !known.iter().any(|known| reasoning["effort"] == *known) {
            wrong.say(format!("reasoning {reasoning}"));
        }
    }
    for tool in list(&body["tools"]) {
        wrong.keys("a tool", tool, &["type", "function"]);
        let function = &tool["function"];
        wrong.keys("a function", function, &["name", "description", "parameters", "strict"]);
        let name = function["name"].as_str().unwrap_or_default();
        if tool["type"] != "function" || name.is_empty() || name.len() > 64 {
            wrong.say(format!("the tool {name:?}"));
        }
        if function["parameters"]["type"] != "object" {
            wrong.say(format!("the parameters of {name} are no object's schema"));
        }
    }
    if body.get("tools").is_some_and(|tools| list(tools).is_empty()) {
        wrong.say("an empty list of tools".to_owned());
    }
    messages(list(&body["messages"]), flavour, &mut wrong);
    wrong.0
}

fn messages(messages: &[Value], flavour: ChatFlavour, wrong: &mut Wrong) {
    // The calls that wait for their results.
    let mut open: BTreeSet<String> = BTreeSet::new();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let spoken = messages.iter().find(|message| message["role"] != "system");
    if spoken.is_none_or(|first| first["role"] != "user") {
        wrong.say("a conversation begins with the user".to_owned());
    }
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            wrong.say(format!("message {at} stands between tool calls and their results: {open:?}"));
            open.clear();
        }
        match role {
            "system" => {
                wrong.keys("a system message", message, &["role", "content"]);
                if at != 0 {
                    wrong.say("a system message must be the first".to_owned());
                }
                text(&message["content"], "a system message", wrong);
            }
            "user" => {
                wrong.keys("a user message", message, &["role", "content"]);
                content(&message["content"], flavour, wrong);
            }
            "assistant" => {
                wrong.keys("an assistant message", message, &["role", "content", "tool_calls"]);
                let calls = list(&message["tool_calls"]);
                if !message["content"].is_null() || calls.is_empty() {
                    text(&message["content"], "an assistant message", wrong);
                }
                for call in calls {
                    wrong.keys("a call", call, &["id", "type", "function"]);
                    wrong.keys("a call's function", &call["function"], &["name", "arguments"]);
                    let id = call["id"].as_str().unwrap_or_default().to_owned();
                    let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
                    if !serde_json::from_str(arguments).is_ok_and(|value: Value| value.is_object()) {
                        wrong.say(format!("arguments that are no JSON object: {arguments}"));
                    }
                    if id.is_empty() || call["type"] != "function" || !ids.insert(id.clone()) {
                        wrong.say(format!("the call {call}"));
                    }
                    open.insert(id);
                }
            }
            "tool" => {
                wrong.keys("a tool message", message, &["role", "tool_call_id", "content"]);
                text(&message["content"], "a tool message", wrong);
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                if !open.remove(id) {
                    wrong.say(format!("a result for {id:?}, which nobody waits for"));
                }
            }
            other => wrong.say(format!("nobody is called {other:?}")),
        }
    }
    if !open.is_empty() {
        wrong.say(format!("calls without a result: {open:?}"));
    }
}

fn content(content: &Value, flavour: ChatFlavour, wrong: &mut Wrong) {
    let Some(parts) = content.as_array() else { return text(content, "a user message", wrong) };
    for part in parts {
        match part["type"].as_str().unwrap_or_default() {
            "text" => {
                wrong.keys("a text part", part, &["type", "text"]);
                text(&part["text"], "a text part", wrong);
            }
            "image_url" => {
                wrong.keys("an image part", part, &["type", "image_url"]);
                let url = part["image_url"]["url"].as_str().unwrap_or_default();
                if !url.starts_with("data:image/") && !url.starts_with("https://") {
                    wrong.say("an image that is nowhere".to_owned());
                }
            }
            "file" if flavour != ChatFlavour::Ollama => {
                wrong.keys("a file part", part, &["type", "file"]);
                wrong.keys("a file", &part["file"], &["filename", "file_data"]);
            }
            other => wrong.say(format!("a part of the type {other:?}")),
        }
    }
}

/// What the Responses API takes (`openai` 3.52 for Python, `ResponseCreateParams`). Any other parameter it refuses.
const RESPONSES: [&str; 28] = [
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

pub(super) fn responses(body: &Value) -> Vec<String> {
    let mut wrong = Wrong(Vec::new());
    wrong.keys("the request", body, &RESPONSES);
    if !body["store"].is_boolean() || body["stream"] != true {
        wrong.say("whether it is stored is said, and it is not waited for".to_owned());
    }
    wrong.0
}

struct Wrong(Vec<String>);

// === impl Wrong ===

impl Wrong {
    fn say(&mut self, what: String) {
        self.0.push(what);
    }

    fn keys(&mut self, what: &str, object: &Value, allowed: &[&str]) {
        let Some(object) = object.as_object() else { return self.say(format!("{what} is no object")) };
        for key in object.keys().filter(|key| !allowed.contains(&key.as_str())) {
            self.say(format!("{what} has a member {key:?}"));
        }
    }
}

fn text(value: &Value, what: &str, wrong: &mut Wrong) {
    if !value.is_string() {
        wrong.say(format!("{what} says {value}"));
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
