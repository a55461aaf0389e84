//! A request to the Responses API, written once, straight into its bytes.
//!
//! The writer knows the grammar (an item has a `type`, a content part has a `type`, commas stand between) and nothing of
//! where the pieces come from. Raw JSON of the client goes in as it stands.

use std::borrow::Cow;

use crate::json::{Raw, write_escaped, write_str};

/// The members that the plans' hosts take, in the order of their own client; any other is refused by name
/// (`codex-backend.md §2`).
pub const MEMBERS: [&str; 14] = [
    "model",
    "stream",
    "service_tier",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "store",
    "include",
    "prompt_cache_key",
    "text",
    "client_metadata",
];

/// Writes one JSON object, member by member.
#[derive(Debug)]
pub struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

/// Writes one JSON array, element by element.
#[derive(Debug)]
pub struct Array<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// Instructions. `system` is refused by the backend (`codex-backend.md §2`).
    Developer,
}

/// A piece of a message or of a tool output.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// Text that goes in; a string literal.
    InputText(Raw<'a>),
    /// Text that goes in, not yet JSON.
    InputNote(Cow<'a, str>),
    /// Text the model said earlier; a string literal.
    OutputText(Raw<'a>),
    /// Text the model is taken to have said, not yet JSON.
    OutputNote(Cow<'a, str>),
    /// A picture by address, a string literal.
    ImageUrl(Raw<'a>),
    /// A picture by address or data URL, and how closely to look; string literals.
    Image {
        /// Where it is, or what it is.
        url: Raw<'a>,
        /// `low`, `high`, `auto`
        detail: Raw<'a>,
    },
    /// A picture inline.
    ImageData {
        /// MIME type.
        media_type: &'a str,
        /// Base64.
        data: Cow<'a, str>,
    },
    /// A file inline.
    FileData {
        /// MIME type.
        media_type: &'a str,
        /// Base64.
        data: Cow<'a, str>,
        /// File name, not yet JSON.
        name: Cow<'a, str>,
    },
    /// A file by address, a string literal.
    FileUrl(Raw<'a>),
    /// A file as a data URL; string literals.
    File {
        /// File name.
        name: Raw<'a>,
        /// Data URL.
        data: Raw<'a>,
    },
}

/// What a tool gave.
#[derive(Debug)]
pub enum Output<'a> {
    /// A string literal.
    Text(Raw<'a>),
    /// A text, not yet JSON.
    Note(&'a str),
    /// A text that starts with a note and goes on with a string literal.
    Marked(&'a str, Raw<'a>),
    /// Several parts.
    Parts(&'a [Part<'a>]),
}

// === impl Object ===

impl<'o> Object<'o> {
    /// Opens an object at the end of `out`; [`end`](Self::end) closes it.
    pub fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// `name`, for a value that the caller writes itself.
    pub fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        write_str(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// How many bytes stand before the next member. With the same figure afterwards it gives the member's range.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// A string member.
    pub fn string(&mut self, name: &str, value: &str) -> &mut Self {
        write_str(self.key(name), value);
        self
    }

    /// A member whose value is already JSON.
    pub fn raw(&mut self, name: &str, value: Raw<'_>) -> &mut Self {
        self.key(name).extend_from_slice(value.as_slice_str().as_bytes());
        self
    }

    /// A truth value.
    pub fn bool(&mut self, name: &str, value: bool) -> &mut Self {
        self.key(name).extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    /// An array member.
    pub fn array(&mut self, name: &str, write: impl FnOnce(&mut Array<'_>)) -> &mut Self {
        let mut array = Array::begin(self.key(name));
        write(&mut array);
        array.end();
        self
    }

    /// An object member.
    pub fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        let mut object = Object::begin(self.key(name));
        write(&mut object);
        object.end();
        self
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

// === impl Array ===

impl<'o> Array<'o> {
    /// Opens an array at the end of `out`; [`end`](Self::end) closes it.
    pub fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, empty: true }
    }

    /// An element that the caller writes itself.
    pub fn element(&mut self) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out
    }

    /// How many bytes stand before the next element. With the same figure afterwards it gives the element's range.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// An object.
    pub fn object(&mut self, write: impl FnOnce(&mut Object<'_>)) {
        let mut object = Object::begin(self.element());
        write(&mut object);
        object.end();
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        write_str(self.element(), text);
    }

    /// A message with its parts. Every item names its type: without it the backend sporadically answers 422
    /// (`codex-backend.md §2`).
    pub fn message(&mut self, role: Role, parts: &[Part<'_>]) {
        self.object(|item| {
            item.string("type", "message").string("role", role.as_str());
            item.array("content", |content| content.parts(parts));
        });
    }

    /// A tool call the model made. `input` goes in as the string of its JSON text.
    pub fn function_call(&mut self, call_id: &str, name: &str, input: Raw<'_>) {
        self.object(|item| {
            item.string("type", "function_call").string("call_id", call_id).string("name", name);
            item.string("arguments", input.as_slice_str());
        });
    }

    /// A tool call the model made, whose arguments are JSON inside a string literal already.
    pub fn function_call_as_said(&mut self, call_id: &str, name: &str, arguments: Raw<'_>) {
        self.object(|item| {
            item.string("type", "function_call").string("call_id", call_id).string("name", name);
            item.raw("arguments", arguments);
        });
    }

    /// What the tool gave for a call.
    pub fn function_call_output(&mut self, call_id: &str, output: &Output<'_>) {
        self.object(|item| {
            item.string("type", "function_call_output").string("call_id", call_id);
            match output {
                Output::Text(text) => {
                    item.raw("output", *text);
                }
                Output::Note(note) => {
                    item.string("output", note);
                }
                Output::Marked(note, text) => write_marked(item.key("output"), note, *text),
                Output::Parts(parts) => {
                    item.array("output", |content| content.parts(parts));
                }
            }
        });
    }

    /// A reasoning item, sealed. Its `id` is left out: ids of items that were not stored are refused
    /// (`codex-backend.md §2`). The summary is left out too: it is for people, the sealed part is for the model.
    pub fn reasoning(&mut self, encrypted_content: &str) {
        self.object(|item| {
            item.string("type", "reasoning").array("summary", |_| {});
            item.string("encrypted_content", encrypted_content);
        });
    }

    /// Content parts, one after another.
    pub fn parts(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            self.object(|object| part.write(object));
        }
    }

    /// Closes the array.
    pub fn end(self) {
        self.out.push(b']');
    }
}

// === impl Part ===

impl Part<'_> {
    fn write(&self, object: &mut Object<'_>) {
        match self {
            Self::InputText(text) => {
                object.string("type", "input_text").raw("text", *text);
            }
            Self::InputNote(text) => {
                object.string("type", "input_text").string("text", text);
            }
            Self::OutputText(text) => {
                object.string("type", "output_text").raw("text", *text);
            }
            Self::OutputNote(text) => {
                object.string("type", "output_text").string("text", text);
            }
            Self::ImageUrl(url) => {
                object.string("type", "input_image").raw("image_url", *url);
            }
            Self::Image { url, detail } => {
                object.string("type", "input_image").raw("image_url", *url).raw("detail", *detail);
            }
            Self::ImageData { media_type, data } => {
                object.string("type", "input_image");
                write_data_url(object.key("image_url"), media_type, data);
            }
            Self::FileData { media_type, data, name } => {
                object.string("type", "input_file").string("filename", name);
                write_data_url(object.key("file_data"), media_type, data);
            }
            Self::FileUrl(url) => {
                object.string("type", "input_file").raw("file_url", *url);
            }
            Self::File { name, data } => {
                object.string("type", "input_file").raw("filename", *name).raw("file_data", *data);
            }
        }
    }
}

// === impl Role ===

impl Role {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Developer => "developer",
        }
    }
}

/// `data` is what stood between the quotes of the client's string, so it can go between ours.
fn write_data_url(out: &mut Vec<u8>, media_type: &str, data: &str) {
    out.extend_from_slice(b"\"data:");
    write_escaped(out, media_type);
    out.extend_from_slice(b";base64,");
    out.extend_from_slice(data.as_bytes());
    out.push(b'"');
}

fn write_marked(out: &mut Vec<u8>, note: &str, text: Raw<'_>) {
    out.push(b'"');
    write_escaped(out, note);
    out.extend_from_slice(text.literal().unwrap_or_default().as_bytes());
    out.push(b'"');
}
