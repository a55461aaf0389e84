//! What a request asks for, read the way a model would read it: the last thing the user said, what the tools have
//! answered since, what is offered.

use serde_json::{Map, Value};

/// The reading of one request.
#[derive(Debug, Default)]
pub(crate) struct Conversation<'a> {
    /// What the user asked last, without the notes a client adds.
    pub(crate) prompt: String,
    /// Rounds of tool calls answered since.
    pub(crate) rounds: usize,
    /// What the tools answered since, in order.
    pub(crate) results: Vec<ToolResult<'a>>,
    pub(crate) tools: Vec<Tool<'a>>,
    /// The hosted web search is offered.
    pub(crate) web_search: bool,
    pub(crate) choice: Choice<'a>,
    /// The schema of a structured answer.
    pub(crate) schema: Option<&'a Value>,
    /// Claude Code asks for a summary of everything (claude-code.md §3).
    pub(crate) compaction: bool,
    /// One of our own summaries stands in the history.
    pub(crate) summarised: bool,
    /// Where commands run, when the client says so.
    pub(crate) folder: Option<&'a str>,
    /// Images and files the user sent with the prompt.
    pub(crate) attachments: usize,
    /// User messages before this one.
    pub(crate) earlier: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool<'a> {
    pub(crate) name: &'a str,
    pub(crate) schema: &'a Value,
}

#[derive(Debug)]
pub(crate) struct ToolResult<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: String,
    pub(crate) images: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    #[default]
    Auto,
    None,
    Required,
    Tool(&'a str),
    WebSearch,
}

/// The first words of every summary this demo writes; so it knows one when it comes back.
pub(crate) const SUMMARY: &str = "Summary by the built-in demo";

static NOTHING: Value = Value::Null;

// === impl Conversation ===

impl<'a> Conversation<'a> {
    pub(crate) fn read(request: &'a Map<String, Value>) -> Self {
        let mut read = Self { choice: Choice::read(request.get("tool_choice")), ..Self::default() };
        read.schema = request
            .get("text")
            .map(|text| &text["format"])
            .filter(|format| format["type"] == "json_schema")
            .map(|format| &format["schema"]);
        read.offered(request.get("tools"));
        if let Some(text) = request.get("instructions").and_then(Value::as_str) {
            read.folder = folder(text);
        }
        let input = request.get("input").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut calls: Vec<(&str, &str)> = Vec::new();
        let mut after_output = false;
        for item in input {
            match item["type"].as_str().unwrap_or_default() {
                "additional_tools" => read.offered(item.get("tools")),
                "message" if item["role"] == "user" => {
                    read.user(item, after_output);
                    continue;
                }
                "message" if item["role"] == "developer" => {
                    texts(item).for_each(|text| read.folder = read.folder.or_else(|| folder(text)));
                    continue;
                }
                "function_call" | "custom_tool_call" => {
                    calls.push((
                        item["call_id"].as_str().unwrap_or_default(),
                        item["name"].as_str().unwrap_or_default(),
                    ));
                }
                "function_call_output" | "custom_tool_call_output" => {
                    let id = item["call_id"].as_str().unwrap_or_default();
                    let name = calls.iter().rev().find(|call| call.0 == id).map_or("the tool", |call| call.1);
                    read.results.push(ToolResult::read(name, &item["output"]));
                    if !after_output {
                        read.rounds += 1;
                    }
                    after_output = true;
                    continue;
                }
                _ => {}
            }
            after_output = false;
        }
        read
    }

    fn offered(&mut self, tools: Option<&'a Value>) {
        for tool in tools.and_then(Value::as_array).into_iter().flatten() {
            match tool["type"].as_str().unwrap_or_default() {
                "function" => {
                    let name = tool["name"].as_str().unwrap_or_default();
                    self.tools.push(Tool { name, schema: tool.get("parameters").unwrap_or(&NOTHING) });
                }
                "namespace" => self.offered(tool.get("tools")),
                "web_search" => self.web_search = true,
                _ => {}
            }
        }
    }

    /// A user message begins a new turn, unless it only carries notes beside tool results.
    fn user(&mut self, item: &'a Value, after_output: bool) {
        let said: Vec<&str> = texts(item).filter(|text| !is_note(text, after_output)).collect();
        self.summarised |= texts(item).any(|text| text.contains(SUMMARY));
        if said.is_empty() {
            return;
        }
        if !self.prompt.is_empty() {
            self.earlier += 1;
        }
        self.compaction = said.iter().any(|text| text.trim_start().starts_with("CRITICAL: Respond with TEXT ONLY"));
        self.prompt = said.join("\n");
        self.rounds = 0;
        self.results.clear();
        let parts = item["content"].as_array().map_or(&[][..], Vec::as_slice);
        self.attachments = parts.iter().filter(|part| part["type"] != "input_text").count();
    }

    pub(crate) fn tool(&self, name: &str) -> Option<Tool<'a>> {
        let exact = self.tools.iter().find(|tool| tool.name == name);
        exact.or_else(|| self.tools.iter().find(|tool| tool.name.eq_ignore_ascii_case(name))).copied()
    }

    /// The tool a marker means. A long name may have been shortened on its way here.
    pub(crate) fn meant(&self, name: &str) -> String {
        if name.len() <= 64 || self.tools.iter().any(|tool| tool.name == name) {
            return name.to_owned();
        }
        let shared = |tool: &Tool<'_>| tool.name.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
        match self.tools.iter().max_by_key(|tool| shared(tool)).filter(|tool| shared(tool) >= 16) {
            Some(tool) => tool.name.to_owned(),
            None => name.to_owned(),
        }
    }

    /// Whether a tool may be called at all.
    pub(crate) fn may_call(&self) -> bool {
        self.choice != Choice::None && !self.tools.is_empty()
    }
}

// === impl Choice ===

impl<'a> Choice<'a> {
    fn read(choice: Option<&'a Value>) -> Self {
        match choice {
            Some(Value::String(mode)) if mode == "none" => Self::None,
            Some(Value::String(mode)) if mode == "required" => Self::Required,
            Some(Value::Object(choice)) => match choice.get("name").and_then(Value::as_str) {
                Some(name) => Self::Tool(name),
                None if choice.get("type").is_some_and(|kind| kind == "web_search") => Self::WebSearch,
                None => Self::Auto,
            },
            _ => Self::Auto,
        }
    }
}

// === impl ToolResult ===

impl<'a> ToolResult<'a> {
    fn read(name: &'a str, output: &Value) -> Self {
        match output {
            Value::Array(parts) => Self {
                name,
                text: parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
                images: parts.iter().filter(|part| part["type"] != "input_text").count(),
            },
            other => Self { name, text: other.as_str().unwrap_or_default().to_owned(), images: 0 },
        }
    }
}

fn texts(item: &Value) -> impl Iterator<Item = &str> {
    let whole = item["content"].as_str();
    let parts = item["content"].as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    whole.into_iter().chain(parts)
}

/// Text a client adds by itself: reminders anywhere, remarks beside a tool's result.
fn is_note(text: &str, beside_result: bool) -> bool {
    let text = text.trim();
    if text.is_empty() || text.starts_with("<system-reminder>") {
        return true;
    }
    let remark = text.starts_with('<') || (text.starts_with('[') && !text.starts_with("[Request interrupted"));
    beside_result && remark && !text.starts_with("[[demo:")
}

/// Claude Code names its working directory in the system prompt.
fn folder(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("orking directory: ")?;
    let line = after.lines().next()?.trim();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Choice, Conversation};

    fn user(text: &str) -> Value {
        json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
    }

    fn call(id: &str) -> Value {
        json!({"type": "function_call", "call_id": id, "name": "Bash", "arguments": "{}"})
    }

    fn output(id: &str, text: &str) -> Value {
        json!({"type": "function_call_output", "call_id": id, "output": text})
    }

    fn with(input: Vec<Value>) -> Value {
        json!({"model": "m", "input": input})
    }

    #[test]
    fn the_prompt_is_the_last_thing_said_not_a_note() {
        let request = with(vec![
            user("first"),
            json!({"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "<system-reminder>x</system-reminder>"},
                {"type": "input_text", "text": "second"},
            ]}),
            json!({"type": "message", "role": "developer", "content": "Working directory: /tmp/x\n"}),
        ]);
        let read = Conversation::read(request.as_object().expect("an object"));
        assert_eq!(read.prompt, "second");
        assert_eq!(read.earlier, 1);
        assert_eq!(read.folder, Some("/tmp/x"));
    }

    #[test]
    fn rounds_count_answered_calls_since_the_prompt_however_many_ran_at_once() {
        let request = with(vec![
            user("old"),
            call("c0"),
            output("c0", "zero"),
            user("go"),
            call("c1"),
            call("c2"),
            output("c2", "two"),
            output("c1", "one"),
            user("[Image: original 10x10]"),
            call("c3"),
            output("c3", "three"),
        ]);
        let read = Conversation::read(request.as_object().expect("an object"));
        assert_eq!((read.prompt.as_str(), read.rounds), ("go", 2), "a remark beside a result is no new prompt");
        assert_eq!(read.results.iter().map(|result| result.text.as_str()).collect::<Vec<_>>(), ["two", "one", "three"]);
    }

    #[test]
    fn a_shortened_tool_name_is_recognised() {
        let long = "mcp__a_server_with_a_very_long_name__and_a_tool_with_a_very_long_name_too";
        let short = &long[..60];
        let request = json!({"input": [user("x")], "tools": [
            {"type": "function", "name": "Bash", "parameters": {}},
            {"type": "function", "name": short, "parameters": {}},
        ], "tool_choice": {"type": "function", "name": "Bash"}});
        let read = Conversation::read(request.as_object().expect("an object"));
        assert_eq!(read.meant(long), short);
        assert_eq!(read.meant("NotOffered"), "NotOffered", "an unknown tool is called as it was asked for");
        assert_eq!(read.choice, Choice::Tool("Bash"));
    }
}
