//! A request to a Chat Completions server, written once, straight into its bytes.
//!
//! As with [`responses::request`](crate::responses::request): the writer knows the grammar and nothing of where the pieces
//! come from. Texts go in as the string literals they were.

use crate::json::{Raw, write_escaped, write_str};
use crate::responses::request::{Array, Object};

/// A piece of what a person says, or of a text put together.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// A string literal.
    Text(Raw<'a>),
    /// Not yet JSON.
    Note(&'a str),
    /// A picture: the string literal of its address or data URL.
    Image(Raw<'a>),
    /// A document: the string literals of its name and of its data URL or address.
    File {
        /// Its name, if it has one.
        name: Option<Raw<'a>>,
        /// Data URL or address.
        data: Raw<'a>,
    },
}

/// A tool call of the history.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The string literal of its id.
    pub id: Raw<'a>,
    /// The string literal of the function's name.
    pub name: Raw<'a>,
    /// The arguments, JSON inside a string literal.
    pub arguments: Raw<'a>,
}

/// Writes `messages`, one after another.
#[derive(Debug)]
pub struct Messages<'w, 'o>(pub &'w mut Array<'o>);

// === impl Messages ===

impl Messages<'_, '_> {
    /// Instructions: texts with blank lines between.
    pub fn system(&mut self, texts: &[Part<'_>]) {
        self.0.object(|message| {
            message.string("role", "system");
            write_texts(message.key("content"), texts, "\\n\\n");
        });
    }

    /// What the person says. Text alone is one string, which every server takes; anything else is a list of parts.
    pub fn user(&mut self, parts: &[Part<'_>]) {
        self.0.object(|message| {
            message.string("role", "user");
            if parts.iter().all(Part::is_text) {
                write_texts(message.key("content"), parts, "\\n\\n");
            } else {
                message.array("content", |content| parts.iter().for_each(|part| part.write(content)));
            }
        });
    }

    /// What the model said, and the tools it called.
    pub fn assistant(&mut self, texts: &[Part<'_>], calls: &[Call<'_>]) {
        self.0.object(|message| {
            message.string("role", "assistant");
            if texts.is_empty() && !calls.is_empty() {
                message.raw("content", Raw::NULL);
            } else {
                write_texts(message.key("content"), texts, "\\n\\n");
            }
            if !calls.is_empty() {
                message.array("tool_calls", |list| {
                    for call in calls {
                        list.object(|object| {
                            object.raw("id", call.id).string("type", "function");
                            object.object("function", |function| {
                                function.raw("name", call.name).raw("arguments", call.arguments);
                            });
                        });
                    }
                });
            }
        });
    }

    /// What a tool gave.
    pub fn tool(&mut self, call_id: Raw<'_>, texts: &[Part<'_>]) {
        self.0.object(|message| {
            message.string("role", "tool").raw("tool_call_id", call_id);
            write_texts(message.key("content"), texts, "\\n");
        });
    }
}

// === impl Part ===

impl Part<'_> {
    fn is_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Note(_))
    }

    fn write(&self, content: &mut Array<'_>) {
        content.object(|object| match self {
            Self::Text(text) => {
                object.string("type", "text").raw("text", *text);
            }
            Self::Note(note) => {
                object.string("type", "text").string("text", note);
            }
            Self::Image(url) => {
                object.string("type", "image_url").object("image_url", |image| {
                    image.raw("url", *url);
                });
            }
            Self::File { name, data } => {
                object.string("type", "file").object("file", |file| {
                    if let Some(name) = name {
                        file.raw("filename", *name);
                    }
                    file.raw("file_data", *data);
                });
            }
        });
    }
}

/// A function on offer, as an element of `tools`.
pub fn function(tools: &mut Array<'_>, name: Raw<'_>, description: Option<Raw<'_>>, parameters: Raw<'_>, strict: bool) {
    tools.object(|tool| {
        tool.string("type", "function").object("function", |function| {
            function.raw("name", name);
            if let Some(description) = description {
                function.raw("description", description);
            }
            function.raw("parameters", parameters);
            if strict {
                function.bool("strict", true);
            }
        });
    });
}

/// A function that must be called, as the value of `tool_choice`.
pub fn choose(object: &mut Object<'_>, name: Raw<'_>) {
    object.object("tool_choice", |choice| {
        choice.string("type", "function").object("function", |function| {
            function.raw("name", name);
        });
    });
}

/// Several texts as one string, with `between` (already escaped) between them. What is no text is left out.
fn write_texts(out: &mut Vec<u8>, texts: &[Part<'_>], between: &str) {
    if let [Part::Note(note)] = texts {
        return write_str(out, note);
    }
    out.push(b'"');
    let from = out.len();
    for text in texts {
        let before = out.len();
        if before > from {
            out.extend_from_slice(between.as_bytes());
        }
        match text {
            Part::Text(text) => out.extend_from_slice(text.literal().unwrap_or_default().as_bytes()),
            Part::Note(note) => write_escaped(out, note),
            Part::Image(_) | Part::File { .. } => out.truncate(before),
        }
    }
    out.push(b'"');
}
