//! Writes a Responses stream, event by event, into bytes.
//!
//! **Invariant:** what is written here is what `wire::responses::event` reads, and nothing else of that dialect.

use codeferry_wire::chat::chunk::{Trouble, Usage};
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::Object;

/// An item of the answer, as far as its events need it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Talk {
    /// The model thinks.
    Reasoning,
    /// The model talks.
    #[default]
    Text,
    /// The model refuses.
    Refusal,
}

/// How a response ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Complete,
    /// It stopped early, and this is why.
    Incomplete(&'static str),
}

/// Writes events. Holds what each of them repeats.
#[derive(Debug, Default)]
pub(super) struct Writer {
    response_id: Option<String>,
    model: Option<String>,
}

// === impl Talk ===

impl Talk {
    /// The item's type.
    fn item(self) -> &'static str {
        match self {
            Self::Reasoning => "reasoning",
            Self::Text | Self::Refusal => "message",
        }
    }

    /// The delta event and the part's type.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Reasoning => ("response.reasoning_text.delta", "reasoning_text"),
            Self::Text => ("response.output_text.delta", "output_text"),
            Self::Refusal => ("response.refusal.delta", "refusal"),
        }
    }
}

// === impl Writer ===

impl Writer {
    /// `response.created`.
    pub(super) fn created(&mut self, id: Option<&str>, model: Option<&str>, out: &mut Vec<u8>) {
        self.response_id = id.map(str::to_owned);
        self.model = model.map(str::to_owned);
        self.response("response.created", "in_progress", out, |_| {});
    }

    /// A piece of talk or thought begins.
    pub(super) fn begin(&self, talk: Talk, index: u32, out: &mut Vec<u8>) {
        event(out, "response.output_item.added", |event| {
            place(event, index);
            event.object("item", |item| {
                item.string("type", talk.item()).string("id", &talk_id(talk, index));
                match talk {
                    Talk::Reasoning => item.array("summary", |_| {}),
                    Talk::Text | Talk::Refusal => item.string("role", "assistant").array("content", |_| {}),
                };
            });
        });
    }

    /// It goes on.
    pub(super) fn grow(&self, talk: Talk, index: u32, text: &str, out: &mut Vec<u8>) {
        event(out, talk.names().0, |event| {
            place(event, index);
            event.string("item_id", &talk_id(talk, index)).raw("content_index", Raw::ZERO).string("delta", text);
        });
    }

    /// It is whole.
    pub(super) fn end(&self, talk: Talk, index: u32, text: &str, out: &mut Vec<u8>) {
        event(out, "response.output_item.done", |event| {
            place(event, index);
            event.object("item", |item| {
                item.string("type", talk.item()).string("id", &talk_id(talk, index));
                if talk == Talk::Reasoning {
                    item.array("summary", |_| {});
                } else {
                    item.string("role", "assistant").string("status", "completed");
                }
                item.array("content", |content| {
                    content.object(|part| {
                        let name = if talk == Talk::Refusal { "refusal" } else { "text" };
                        part.string("type", talk.names().1).string(name, text);
                    });
                });
            });
        });
    }

    /// A tool call begins, or is whole.
    pub(super) fn call(&self, done: bool, index: u32, id: &str, name: &str, arguments: &str, out: &mut Vec<u8>) {
        event(out, if done { "response.output_item.done" } else { "response.output_item.added" }, |event| {
            place(event, index);
            event.object("item", |item| {
                item.string("type", "function_call").string("id", &call_item_id(index)).string("call_id", id);
                item.string("name", name).string("arguments", arguments);
            });
        });
    }

    /// Its arguments go on.
    pub(super) fn arguments(&self, index: u32, text: &str, out: &mut Vec<u8>) {
        event(out, "response.function_call_arguments.delta", |event| {
            place(event, index);
            event.string("item_id", &call_item_id(index)).string("delta", text);
        });
    }

    /// The end.
    pub(super) fn ended(&self, ending: Ending, usage: Option<Usage>, out: &mut Vec<u8>) {
        let (name, status) = match ending {
            Ending::Complete => ("response.completed", "completed"),
            Ending::Incomplete(_) => ("response.incomplete", "incomplete"),
        };
        self.response(name, status, out, |response| {
            if let Ending::Incomplete(reason) = ending {
                response.object("incomplete_details", |details| {
                    details.string("reason", reason);
                });
            }
            // What was said stands above; it is not repeated.
            response.array("output", |_| {});
            if let Some(usage) = usage {
                response.object("usage", |out| write_usage(out, usage));
            }
        });
    }

    /// The end, as a failure.
    pub(super) fn failed(&self, trouble: &Trouble<'_>, out: &mut Vec<u8>) {
        self.response("response.failed", "failed", out, |response| {
            response.object("error", |error| {
                for (name, value) in [
                    ("code", &trouble.code),
                    ("type", &trouble.kind),
                    ("message", &trouble.message),
                    ("param", &trouble.param),
                ] {
                    if let Some(value) = value {
                        error.string(name, value);
                    }
                }
                if let Some(status) = trouble.status {
                    number(error, "status", u64::from(status));
                }
            });
        });
    }

    fn response(&self, name: &'static str, status: &str, out: &mut Vec<u8>, more: impl FnOnce(&mut Object<'_>)) {
        event(out, name, |event| {
            event.object("response", |response| {
                if let Some(id) = &self.response_id {
                    response.string("id", id);
                }
                if let Some(model) = &self.model {
                    response.string("model", model);
                }
                response.string("status", status);
                more(response);
            });
        });
    }
}

fn write_usage(out: &mut Object<'_>, usage: Usage) {
    number(out, "input_tokens", usage.prompt);
    out.object("input_tokens_details", |details| number(details, "cached_tokens", usage.cached));
    number(out, "output_tokens", usage.completion);
    out.object("output_tokens_details", |details| number(details, "reasoning_tokens", usage.reasoning));
}

fn number(object: &mut Object<'_>, name: &str, value: u64) {
    object.key(name).extend_from_slice(value.to_string().as_bytes());
}

fn place(event: &mut Object<'_>, index: u32) {
    number(event, "output_index", u64::from(index));
}

fn talk_id(talk: Talk, index: u32) -> String {
    let prefix = if talk == Talk::Reasoning { "rs" } else { "msg" };
    format!("{prefix}_{index}")
}

fn call_item_id(index: u32) -> String {
    format!("fc_{index}")
}

fn event(out: &mut Vec<u8>, name: &'static str, write: impl FnOnce(&mut Object<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let mut object = Object::begin(out);
    object.string("type", name);
    write(&mut object);
    object.end();
    out.extend_from_slice(b"\n\n");
}
