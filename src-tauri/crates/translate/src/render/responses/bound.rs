//! Ends an answer that is passed on where the client's `max_output_tokens` end it: the plans' hosts know no such limit
//! (`codex-backend.md §2`).
//!
//! What was passed on is followed, so that the open item can be closed and the response told as the upstream would have.
//! Only requests with a limit pay for that.

use std::borrow::Cow;

use codeferry_wire::json::{Open, Raw, Reader};
use codeferry_wire::responses::event::Phase;
use codeferry_wire::responses::request::Object;

use super::renderer::{Message, Place, Stream, number, write_usage};

/// What is known of the answer so far.
#[derive(Debug)]
pub struct Bound {
    limit: u64,
    input_estimate: u64,
    /// The response object of the beginning.
    response: Option<Vec<u8>>,
    /// The number of the next event.
    next: u64,
    open: Option<(u32, Item)>,
}

/// The open item, if it is one that can be cut.
#[derive(Debug)]
enum Item {
    Message(Message),
    Reasoning(Thought),
}

#[derive(Debug, Default)]
struct Thought {
    id: String,
    /// The whole parts, with commas between them.
    parts: Vec<u8>,
    index: u32,
    /// Whether a part is open, and what it says so far.
    part: Option<String>,
    /// It is what was thought, and no summary.
    bare: bool,
}

/// The members of an event that matter here.
#[derive(Debug, Clone, Copy)]
struct Event<'a> {
    tag: Raw<'a>,
    number: Raw<'a>,
    index: Raw<'a>,
    delta: Raw<'a>,
    item: Raw<'a>,
    part: Raw<'a>,
    annotation: Raw<'a>,
    response: Raw<'a>,
}

// === impl Bound ===

impl Bound {
    /// For an answer that may have `limit` tokens.
    pub fn new(limit: u64, input_estimate: u64) -> Self {
        Self { limit, input_estimate, response: None, next: 0, open: None }
    }

    /// Follows a record that is passed on.
    pub(super) fn hear(&mut self, data: &str) {
        let Some(event) = Event::read(data) else { return };
        self.next = event.number.u64().map_or(self.next, |number| number + 1);
        let tag = event.tag.literal().and_then(|tag| tag.strip_prefix("response.")).unwrap_or_default();
        match tag {
            "created" | "in_progress" => self.response = Some(event.response.as_slice_str().as_bytes().to_vec()),
            "output_item.added" => {
                self.open = Item::of(event.item).map(|item| (event.index.u64().unwrap_or_default() as u32, item));
            }
            "output_item.done" => self.open = None,
            _ => {
                if let Some((_, item)) = &mut self.open {
                    item.hear(tag, &event);
                }
            }
        }
    }

    /// Ends the answer: `rest` of the open item still belongs to it. `items` are the whole ones, with commas between them.
    /// Gives the response object.
    pub(super) fn cut(&mut self, rest: &str, mut items: Vec<u8>, out: &mut Vec<u8>) -> Vec<u8> {
        let mut stream = Stream::from(self.next);
        if let Some((index, mut item)) = self.open.take() {
            item.close(rest, index, &mut stream, out);
            if !items.is_empty() {
                items.push(b',');
            }
            let from = items.len();
            let mut whole = Object::begin(&mut items);
            item.write(&mut whole);
            whole.end();
            stream.event("response.output_item.done", out, |event| {
                number(event, "output_index", index.into());
                event.key("item").extend_from_slice(&items[from..]);
            });
        }
        let response = self.response(&items);
        stream.event("response.incomplete", out, |event| event.key("response").extend_from_slice(&response));
        response
    }

    fn response(&self, items: &[u8]) -> Vec<u8> {
        let beginning = self.response.as_deref().unwrap_or(b"{}");
        let Ok(mut response) = Open::read(beginning, |_, _| Ok(())) else { return b"{}".to_vec() };
        response.set_str("status", "incomplete");
        response.set("incomplete_details", br#"{"reason":"max_output_tokens"}"#.to_vec());
        response.set("max_output_tokens", self.limit.to_string().into_bytes());
        response.set("output", [b"[", items, b"]"].concat());
        let mut usage = Vec::new();
        let mut object = Object::begin(&mut usage);
        let counted = codeferry_wire::responses::event::Usage {
            input_tokens: self.input_estimate,
            output_tokens: self.limit,
            ..Default::default()
        };
        write_usage(counted, &mut object);
        object.end();
        response.set("usage", usage);
        response.write().bytes
    }
}

// === impl Item ===

impl Item {
    fn of(item: Raw<'_>) -> Option<Self> {
        let id = item.get("id").and_then(Raw::string).map(Cow::into_owned).unwrap_or_default();
        let phase = match item.get("phase").and_then(Raw::literal) {
            Some("commentary") => Some(Phase::Commentary),
            Some("final_answer") => Some(Phase::FinalAnswer),
            _ => None,
        };
        match item.get("type").and_then(Raw::literal) {
            Some("message") => Some(Self::Message(Message::new(id, phase))),
            Some("reasoning") => Some(Self::Reasoning(Thought { id, ..Thought::default() })),
            _ => None,
        }
    }

    fn hear(&mut self, tag: &str, event: &Event<'_>) {
        let text = || event.delta.string().unwrap_or_default();
        match (self, tag) {
            (Self::Message(message), "output_text.delta") => message.note(false, &text()),
            (Self::Message(message), "refusal.delta") => message.note(true, &text()),
            (Self::Message(message), "output_text.annotation.added") => message.note_cited(event.annotation),
            (Self::Message(message), "content_part.done") => message.note_part(event.part),
            (Self::Reasoning(thought), "reasoning_summary_part.added") => thought.part = Some(String::new()),
            (Self::Reasoning(thought), "reasoning_summary_text.delta") => thought.note(false, &text()),
            (Self::Reasoning(thought), "reasoning_text.delta") => thought.note(true, &text()),
            (Self::Reasoning(thought), "reasoning_summary_part.done" | "content_part.done") => {
                thought.part = None;
                thought.index += 1;
                if !thought.parts.is_empty() {
                    thought.parts.push(b',');
                }
                thought.parts.extend_from_slice(event.part.as_slice_str().as_bytes());
            }
            _ => {}
        }
    }

    fn close(&mut self, rest: &str, index: u32, stream: &mut Stream, out: &mut Vec<u8>) {
        match self {
            Self::Message(message) => {
                if !rest.is_empty() {
                    message.go_on(rest, index, stream, out);
                }
                message.close(index, stream, out);
            }
            Self::Reasoning(thought) => thought.close(rest, index, stream, out),
        }
    }

    fn write(&self, item: &mut Object<'_>) {
        match self {
            Self::Message(message) => message.write("incomplete", item),
            Self::Reasoning(thought) => thought.write(item),
        }
    }
}

// === impl Thought ===

impl Thought {
    fn note(&mut self, bare: bool, text: &str) {
        self.bare = bare;
        self.part.get_or_insert_default().push_str(text);
    }

    /// The names of a delta, of the end of its text, of the end of its part, of the part, and of its place.
    fn names(&self) -> [&'static str; 5] {
        if self.bare {
            [
                "response.reasoning_text.delta",
                "response.reasoning_text.done",
                "response.content_part.done",
                "reasoning_text",
                "content_index",
            ]
        } else {
            [
                "response.reasoning_summary_text.delta",
                "response.reasoning_summary_text.done",
                "response.reasoning_summary_part.done",
                "summary_text",
                "summary_index",
            ]
        }
    }

    fn close(&mut self, rest: &str, index: u32, stream: &mut Stream, out: &mut Vec<u8>) {
        let [delta, done, part_done, part, place] = self.names();
        let Some(mut text) = self.part.take() else { return };
        let (id, at) = (&self.id, u64::from(self.index));
        if !rest.is_empty() {
            text.push_str(rest);
            stream.of(delta, Place { id, index }, out, |event| {
                number(event, place, at);
                event.string("delta", rest);
            });
        }
        stream.of(done, Place { id, index }, out, |event| {
            number(event, place, at);
            event.string("text", &text);
        });
        if !self.parts.is_empty() {
            self.parts.push(b',');
        }
        let from = self.parts.len();
        let mut whole = Object::begin(&mut self.parts);
        whole.string("type", part).string("text", &text);
        whole.end();
        stream.of(part_done, Place { id, index }, out, |event| {
            number(event, place, at);
            event.key("part").extend_from_slice(&self.parts[from..]);
        });
    }

    fn write(&self, item: &mut Object<'_>) {
        item.string("id", &self.id).string("type", "reasoning").string("status", "incomplete");
        let (filled, empty) = if self.bare { ("content", "summary") } else { ("summary", "content") };
        let parts = item.key(filled);
        parts.push(b'[');
        parts.extend_from_slice(&self.parts);
        parts.push(b']');
        if empty == "summary" {
            item.array(empty, |_| {});
        }
    }
}

// === impl Event ===

impl<'a> Event<'a> {
    fn read(data: &'a str) -> Option<Self> {
        let nothing = Raw::NULL;
        let mut event = Self {
            tag: nothing,
            number: nothing,
            index: nothing,
            delta: nothing,
            item: nothing,
            part: nothing,
            annotation: nothing,
            response: nothing,
        };
        let read = Reader::of(data).object(|name, reader| {
            let value = reader.value()?;
            match name {
                "type" => event.tag = value,
                "sequence_number" => event.number = value,
                "output_index" => event.index = value,
                "delta" => event.delta = value,
                "item" => event.item = value,
                "part" => event.part = value,
                "annotation" => event.annotation = value,
                "response" => event.response = value,
                _ => {}
            }
            Ok(())
        });
        read.ok().map(|()| event)
    }
}
