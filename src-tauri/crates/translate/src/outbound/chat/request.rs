//! A lowered request becomes a chat request.
//!
//! Chat knows no items: a turn of the model is one message with its calls, and the results stand right behind it, each
//! once, before anybody says anything else. Most servers lay the messages into a template that breaks on anything else.

use std::collections::HashMap;

use codeferry_wire::chat::request::{self as chat, Call, Messages, Part};
use codeferry_wire::json::{Error, Kind, Raw};
use codeferry_wire::responses::body::{self, Body, Item, Tool};
use codeferry_wire::responses::request::{Object, Role};

use crate::effort::Effort;
use crate::loss::{Loss, Losses};
use crate::lower::{DEFAULT_INSTRUCTIONS, Optional};

/// What a server takes beyond what all of them do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How it is told how hard to think.
    pub reasoning: Reasoning,
    /// It reads documents.
    pub documents: bool,
}

// === impl Shape ===

impl Shape {
    /// The effort that a server is told when somebody wants this one. `None` as a wish for no thinking may also be told by
    /// saying nothing.
    pub fn nearest(self, wanted: Effort) -> Effort {
        match (self.reasoning, wanted) {
            (Reasoning::Object, wanted) => wanted.min(Effort::XHigh),
            // The three words that every server with this parameter knows.
            (Reasoning::Effort, Effort::Minimal | Effort::Low) => Effort::Low,
            (Reasoning::Effort, Effort::High | Effort::XHigh | Effort::Max | Effort::Ultra) => Effort::High,
            (Reasoning::Effort, wanted @ (Effort::None | Effort::Medium)) => wanted,
        }
    }
}

/// The two spellings of an effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reasoning {
    /// `reasoning_effort`: `low`, `medium` or `high`, as OpenAI's chat endpoint began it and most servers copied it.
    Effort,
    /// `reasoning.effort`, from `none` to `xhigh` (openrouter.ai/docs/use-cases/reasoning-tokens).
    Object,
}

/// A chat request, ready to be sent.
#[derive(Debug)]
pub struct Written {
    /// The body.
    pub body: Vec<u8>,
    /// Members it can do without, in the order they stand: servers differ in what they take.
    pub optional: Vec<Optional>,
    /// What could not be carried.
    pub losses: Losses,
}

/// In place of a result that never came.
const NO_RESULT: &str = "No result: the tool call was interrupted.";
/// In place of a picture inside a tool's result; the pictures themselves follow as the person's words.
const PICTURE_FOLLOWS: &str = "[The image follows.]";
/// In place of a document that the server cannot read.
const NO_DOCUMENT: &str = "[A document that this server cannot read.]";
/// Before an instruction in the middle of the conversation.
const INSTRUCTION: &str = "[Instruction of the application:]";

/// Says a lowered request as a chat request.
///
/// # Errors
/// When `lowered` is no request.
pub fn write(lowered: &[u8], shape: Shape) -> Result<Written, Error> {
    let request = Body::parse(lowered)?;
    let mut losses = Losses::default();
    let mut optional = Vec::new();
    let mut body = Vec::with_capacity(lowered.len() + lowered.len() / 16 + 256);
    let mut object = Object::begin(&mut body);
    object.raw("model", request.model);
    object.array("messages", |messages| {
        Conversation::of(&request, shape, &mut losses).write(&mut Messages(messages));
    });
    write_tools(&mut object, &request, &mut optional, &mut losses);
    if let Some(name) = request.format.get("type").and_then(Raw::literal) {
        write_format(&mut object, request.format, name);
    }
    if !request.service_tier.is_null() {
        losses.add(Loss::ServiceTier);
    }
    let mut spare = |object: &mut Object<'_>, param: &'static str, write: &mut dyn FnMut(&mut Object<'_>)| {
        let from = object.position();
        write(object);
        optional.push(Optional { param, range: from..object.position() });
    };
    for (param, value) in [
        ("max_tokens", request.max_output_tokens),
        ("temperature", request.temperature),
        ("top_p", request.top_p),
        ("verbosity", request.verbosity),
    ] {
        if !value.is_null() {
            spare(&mut object, param, &mut |object| {
                object.raw(param, value);
            });
        }
    }
    if let Some(effort) = request.effort.literal().and_then(Effort::parse) {
        match (shape.reasoning, shape.nearest(effort)) {
            (Reasoning::Object, effort) => spare(&mut object, "reasoning", &mut |object| {
                object.object("reasoning", |reasoning| {
                    reasoning.string("effort", effort.as_str());
                });
            }),
            // Not to think at all is said by saying nothing.
            (Reasoning::Effort, Effort::None) => {}
            (Reasoning::Effort, effort) => spare(&mut object, "reasoning_effort", &mut |object| {
                object.string("reasoning_effort", effort.as_str());
            }),
        }
    }
    object.bool("stream", true);
    spare(&mut object, "stream_options", &mut |object| {
        object.object("stream_options", |options| {
            options.bool("include_usage", true);
        });
    });
    object.end();
    Ok(Written { body, optional, losses })
}

fn write_tools(object: &mut Object<'_>, request: &Body<'_>, optional: &mut Vec<Optional>, losses: &mut Losses) {
    let functions = request.tools.iter().filter(|tool| matches!(tool, Tool::Function { .. })).count();
    if functions < request.tools.len() {
        losses.add(Loss::ServerTool);
    }
    if functions == 0 {
        return;
    }
    object.array("tools", |tools| {
        for tool in &request.tools {
            if let Tool::Function { name, description, parameters, strict } = tool {
                chat::function(tools, *name, *description, *parameters, *strict);
            }
        }
    });
    match (request.tool_choice.literal(), request.tool_choice.get("name")) {
        // The default; said aloud, it is refused by servers that were not started for it.
        (Some("auto") | None, None) => {}
        (Some(mode), _) => {
            object.string("tool_choice", mode);
        }
        (None, Some(name)) => chat::choose(object, name),
    }
    // "One of these": nothing that servers know.
    if request.tool_choice.kind() == Kind::Object && request.tool_choice.get("name").is_none() {
        losses.add(Loss::ToolChoice);
    }
    if request.parallel_tool_calls.bool() == Some(false) {
        let from = object.position();
        object.bool("parallel_tool_calls", false);
        optional.push(Optional { param: "parallel_tool_calls", range: from..object.position() });
    }
}

fn write_format(object: &mut Object<'_>, format: Raw<'_>, kind: &str) {
    object.object("response_format", |out| {
        out.string("type", kind);
        if let Some(schema) = format.get("schema") {
            out.object("json_schema", |inner| {
                inner.raw("name", format.get("name").unwrap_or(Raw::EMPTY_STRING)).raw("schema", schema);
                if let Some(strict) = format.get("strict") {
                    inner.raw("strict", strict);
                }
            });
        }
    });
}

/// The conversation, as turns.
struct Conversation<'r, 'a> {
    request: &'r Body<'a>,
    shape: Shape,
    losses: &'r mut Losses,
    /// Where each call's result stands.
    results: HashMap<&'a str, usize>,
    /// The model's turn being gathered.
    said: Vec<Part<'a>>,
    calls: Vec<Call<'a>>,
    /// Results of its calls have come: whatever the model says now is another turn.
    answered: bool,
}

// === impl Conversation ===

impl<'r, 'a> Conversation<'r, 'a> {
    fn of(request: &'r Body<'a>, shape: Shape, losses: &'r mut Losses) -> Self {
        let results = request.input.iter().enumerate().filter_map(|(at, item)| match item {
            Item::FunctionCallOutput { call_id, .. } => Some((call_id.literal()?, at)),
            _ => None,
        });
        let results = results.collect();
        Self { request, shape, losses, results, said: Vec::new(), calls: Vec::new(), answered: false }
    }

    fn write(mut self, messages: &mut Messages<'_, '_>) {
        let input = &self.request.input;
        let mut instructions = Vec::new();
        // What stands there only because another upstream demands something is not said here.
        let own = |text: &Raw<'_>| text.literal().is_some_and(|text| !text.is_empty() && text != DEFAULT_INSTRUCTIONS);
        instructions.extend(Some(self.request.instructions).filter(own).map(Part::Text));
        // Instructions at the head are instructions, however many items they came in.
        let head = input.iter().take_while(|item| matches!(item, Item::Message { role: Role::Developer, .. })).count();
        for item in input.iter().take(head) {
            if let Item::Message { parts, .. } = item {
                instructions.extend(self.parts(parts));
            }
        }
        if !instructions.is_empty() {
            messages.system(&instructions);
        }
        for (at, item) in input.iter().enumerate().skip(head) {
            self.item(at, item, messages);
        }
        self.end_of_turn(messages);
    }

    fn item(&mut self, at: usize, item: &'r Item<'a>, messages: &mut Messages<'_, '_>) {
        match item {
            Item::Message { role: Role::Assistant, parts } => {
                self.next_turn_if_answered(messages);
                let parts = self.parts(parts);
                self.said.extend(parts);
            }
            Item::FunctionCall { call_id, name, arguments } => {
                self.next_turn_if_answered(messages);
                let arguments = match arguments.literal() {
                    None | Some("") => Raw::EMPTY_OBJECT_TEXT,
                    Some(_) => *arguments,
                };
                self.calls.push(Call { id: *call_id, name: *name, arguments });
            }
            Item::FunctionCallOutput { call_id, output } => {
                let id = call_id.literal().unwrap_or_default();
                let (its, called) = (self.results.get(id), self.calls.iter().any(|call| call.id.literal() == Some(id)));
                match its {
                    // Its call gathers it, wherever it stands.
                    Some(_) if called => self.answered = true,
                    // What has no call is the person's words.
                    Some(its) if *its == at => {
                        self.end_of_turn(messages);
                        self.losses.add(Loss::OrphanResult);
                        let parts = self.parts(output);
                        messages.user(&parts);
                    }
                    _ => {}
                }
            }
            Item::Message { role, parts } => {
                self.end_of_turn(messages);
                let mut parts = self.parts(parts);
                if *role == Role::Developer {
                    self.losses.add(Loss::SystemPlace);
                    parts.insert(0, Part::Note(INSTRUCTION));
                }
                if !parts.is_empty() {
                    messages.user(&parts);
                }
            }
            // Sealed for somebody else. What was thought does not go back.
            Item::Reasoning => {}
            Item::Other { .. } => self.losses.add(Loss::UnknownBlock),
        }
    }

    fn next_turn_if_answered(&mut self, messages: &mut Messages<'_, '_>) {
        if self.answered {
            self.end_of_turn(messages);
        }
    }

    /// Writes the model's turn: what it said, its calls, and the result of each.
    fn end_of_turn(&mut self, messages: &mut Messages<'_, '_>) {
        self.answered = false;
        let (said, calls) = (std::mem::take(&mut self.said), std::mem::take(&mut self.calls));
        if said.is_empty() && calls.is_empty() {
            return;
        }
        messages.assistant(&said, &calls);
        let mut pictures = Vec::new();
        for call in calls {
            let id = call.id.literal().unwrap_or_default();
            let result = self.results.remove(id).and_then(|at| self.request.input.get(at));
            let Some(Item::FunctionCallOutput { output, .. }) = result else {
                self.losses.add(Loss::MissingResult);
                messages.tool(call.id, &[Part::Note(NO_RESULT)]);
                continue;
            };
            let mut texts = self.parts(output);
            for part in &mut texts {
                if matches!(part, Part::Image(_) | Part::File { .. }) {
                    pictures.push(std::mem::replace(part, Part::Note(PICTURE_FOLLOWS)));
                }
            }
            messages.tool(call.id, &texts);
        }
        if !pictures.is_empty() {
            messages.user(&pictures);
        }
    }

    fn parts(&mut self, parts: &'r [body::Part<'a>]) -> Vec<Part<'a>> {
        let part = |part: &body::Part<'a>| match part {
            body::Part::Text(text) => Part::Text(*text),
            body::Part::Image(url) => Part::Image(*url),
            body::Part::File { name, data } if self.shape.documents => Part::File { name: *name, data: *data },
            body::Part::File { .. } => {
                self.losses.add(Loss::Document);
                Part::Note(NO_DOCUMENT)
            }
            body::Part::Other(_) => {
                self.losses.add(Loss::UnknownBlock);
                Part::Note("")
            }
        };
        parts.iter().map(part).filter(|part| !matches!(part, Part::Note(""))).collect()
    }
}
