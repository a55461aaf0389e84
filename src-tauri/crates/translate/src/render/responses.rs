//! An answer in the upstream's own language: its records are passed on as they come. What an upstream says in another
//! language is told by the [`Renderer`].
//!
//! A Codex gets every record. Other clients get those that the public API has, and an end that repeats what was said: the
//! plans' hosts leave `output` empty there (`codex-backend.md §3`), and the SDKs read nothing else. The answer in one piece
//! is the response object of that end.
//!
//! **Invariant:** a record goes out with the data it came with, or not at all; only the last one may be written anew.
//! Nothing is passed on behind the end.

use std::borrow::Cow;

use codeferry_wire::json::{Kind, Open, Raw, Reader};
use codeferry_wire::responses::event::{member, tag_of};
use codeferry_wire::responses::request::Object;
use codeferry_wire::sse::Frame;

mod bound;
mod renderer;
#[cfg(test)]
mod tests;

pub use bound::Bound;
pub use renderer::{Options, Renderer};

/// Whom the records are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// A Codex: it knows the host's own events and keeps the items itself.
    Codex,
    /// Anybody else.
    Public,
}

/// Passes records on.
#[derive(Debug)]
pub struct Relay {
    listener: Listener,
    /// Seconds since 1970, for a response of our own making.
    created_at: i64,
    /// The finished items, by their place.
    items: Vec<(u64, Vec<u8>)>,
    keeps: bool,
    id: Option<String>,
    model: Option<String>,
    /// How many events there were, which is the number of the next one.
    heard: u64,
    begun: bool,
    ended: bool,
    /// The response object of the end.
    last: Option<Vec<u8>>,
    /// How long the answer may become, where the upstream does not see to it.
    bound: Option<Bound>,
}

/// What a record was, for whoever looks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'f> {
    /// A whole item.
    Item(Raw<'f>),
    /// Anything else.
    Other,
}

/// What the client is told when we end an answer ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure<'a> {
    /// `error.code`
    pub code: &'a str,
    /// For a person.
    pub message: &'a str,
}

/// What tells a record that belongs to no answer: the SDKs know none of them.
const OWN: [&str; 3] = ["codex.", "responsesapi.", "codeferry."];

// === impl Relay ===

impl Relay {
    /// For an answer that is streamed, or collected into one piece.
    pub fn new(listener: Listener, streamed: bool, created_at: i64) -> Self {
        Self {
            listener,
            created_at,
            items: Vec::new(),
            keeps: !streamed || listener == Listener::Public,
            id: None,
            model: None,
            heard: 0,
            begun: false,
            ended: false,
            last: None,
            bound: None,
        }
    }

    /// The same for an answer that has its limit here.
    pub fn bounded(self, bound: Bound) -> Self {
        Self { keeps: true, bound: Some(bound), ..self }
    }

    /// Takes a record in and passes it on.
    pub fn hear<'f>(&mut self, frame: &'f Frame<'_>, out: &mut Vec<u8>) -> Heard<'f> {
        let data = frame.data.trim_ascii();
        if self.ended || !data.starts_with('{') || !data.ends_with('}') {
            return Heard::Other;
        }
        let tag = tag_of(data);
        self.heard += 1;
        if let Some(bound) = &mut self.bound {
            bound.hear(data);
        }
        let mut said = Heard::Other;
        match &*tag {
            "response.created" | "response.in_progress" | "response.queued" => self.note(data),
            "response.output_item.done" => {
                self.begun = true;
                if let Some((place, item)) = item_of(data) {
                    said = Heard::Item(item);
                    self.keep(place, item);
                }
            }
            "response.completed"
            | "response.done"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled" => {
                self.end(frame, data, out);
                return said;
            }
            "error" => self.ended = true,
            "response.metadata" if self.listener == Listener::Public => return said,
            "response.metadata" => {}
            own if OWN.iter().any(|prefix| own.starts_with(prefix)) => {
                if self.listener == Listener::Public {
                    return said;
                }
            }
            _ => self.begun = true,
        }
        record(frame.event, &frame.data, out);
        said
    }

    /// Ends an answer that has its limit here, and has reached it: `rest` is what still belongs to the open item.
    pub fn cut(&mut self, rest: &str, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        let items = self.listed();
        if let Some(bound) = &mut self.bound {
            self.ended = true;
            self.last = Some(bound.cut(rest, items, out));
        }
    }

    /// Whether there was anything that belongs to an answer, so that it cannot be begun anew.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// The response object of the end, once that was heard; not of a Codex's stream.
    pub fn told(&self) -> Option<&[u8]> {
        self.last.as_deref()
    }

    /// Whether the end was passed on.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Ends the answer with an error of our own: nothing follows a record that was cut short but this.
    pub fn fail(&mut self, failure: Failure<'_>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let number = self.heard.to_string();
        let mut data = Vec::with_capacity(256);
        let name = match self.listener {
            Listener::Codex => "response.failed",
            Listener::Public => "error",
        };
        let mut event = Object::begin(&mut data);
        event.string("type", name);
        event.key("sequence_number").extend_from_slice(number.as_bytes());
        match self.listener {
            Listener::Codex => {
                event.object("response", |response| self.failed(failure, response));
            }
            Listener::Public => {
                event.string("code", failure.code).string("message", failure.message).raw("param", Raw::NULL);
            }
        }
        event.end();
        record(Some(name), &String::from_utf8_lossy(&data), out);
    }

    fn failed(&self, failure: Failure<'_>, response: &mut Object<'_>) {
        response.string("id", self.id.as_deref().unwrap_or("resp_codeferry")).string("object", "response");
        response.key("created_at").extend_from_slice(self.created_at.to_string().as_bytes());
        response.string("status", "failed").bool("background", false);
        response.object("error", |error| {
            error.string("code", failure.code).string("message", failure.message);
        });
        response.raw("incomplete_details", Raw::NULL);
        if let Some(model) = &self.model {
            response.string("model", model);
        }
        response.array("output", |_| {}).raw("usage", Raw::NULL);
    }

    /// The answer in one piece, if it has come to its end.
    pub fn into_response(self) -> Option<Vec<u8>> {
        self.last
    }

    fn note(&mut self, data: &str) {
        if self.id.is_some() {
            return;
        }
        let response = member(data, "response");
        let text = |name| response.and_then(|response| response.get(name)).and_then(Raw::string).map(Cow::into_owned);
        (self.id, self.model) = (text("id"), text("model"));
    }

    fn keep(&mut self, place: Option<u64>, item: Raw<'_>) {
        if !self.keeps {
            return;
        }
        let place = place.unwrap_or_else(|| self.items.iter().map(|(place, _)| place + 1).max().unwrap_or(0));
        let bytes = item.as_slice_str().as_bytes().to_vec();
        match self.items.iter_mut().find(|(held, _)| *held == place) {
            Some((_, held)) => *held = bytes,
            None => self.items.push((place, bytes)),
        }
    }

    fn end(&mut self, frame: &Frame<'_>, data: &str, out: &mut Vec<u8>) {
        self.ended = true;
        let whole = self.keeps.then(|| member(data, "response")).flatten().and_then(|response| self.whole(response));
        let Some((response, changed)) = whole else { return record(frame.event, &frame.data, out) };
        let rewritten =
            Some(changed).filter(|changed| *changed).and_then(|_| Open::read(data.as_bytes(), |_, _| Ok(())).ok());
        match rewritten {
            Some(mut event) => {
                event.set("response", response.clone());
                record(frame.event, &String::from_utf8_lossy(&event.write().bytes), out);
            }
            None => record(frame.event, &frame.data, out),
        }
        self.last = Some(response);
    }

    /// The response with its items, and whether they were missing.
    fn whole(&mut self, response: Raw<'_>) -> Option<(Vec<u8>, bool)> {
        let mut open = Open::of(response)?;
        let has = response.get("output").filter(|output| output.kind() == Kind::Array);
        let full = has.is_some_and(|output| output.as_slice_str()[1..].trim_ascii_start() != "]");
        if full || (self.items.is_empty() && has.is_some()) {
            return Some((response.as_slice_str().as_bytes().to_vec(), false));
        }
        open.set("output", [b"[", self.listed().as_slice(), b"]"].concat());
        Some((open.write().bytes, true))
    }

    /// The finished items in their order, with commas between them.
    fn listed(&mut self) -> Vec<u8> {
        self.items.sort_by_key(|(place, _)| *place);
        let items: Vec<&[u8]> = self.items.iter().map(|(_, item)| item.as_slice()).collect();
        items.join(&b',')
    }
}

fn item_of(data: &str) -> Option<(Option<u64>, Raw<'_>)> {
    let (mut place, mut item) = (None, None);
    let read = Reader::of(data).object(|name, reader| {
        match name {
            "output_index" => place = reader.value()?.u64(),
            "item" => item = Some(reader.value()?),
            _ => {}
        }
        Ok(())
    });
    read.ok().and(item).filter(|item| item.kind() == Kind::Object).map(|item| (place, item))
}

/// Writes a record.
pub fn record(event: Option<&str>, data: &str, out: &mut Vec<u8>) {
    if let Some(event) = event {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event.as_bytes());
        out.push(b'\n');
    }
    // Data of several lines came in several, too.
    for line in data.split('\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// A sign of life. A Codex counts events and not comments (`codex-backend.md §3`, idle timeout), and passes over those it does
/// not know.
pub fn sign(listener: Listener, counts: bool) -> &'static [u8] {
    match (listener, counts) {
        (Listener::Codex, true) => b"event: codeferry.keepalive\ndata: {\"type\":\"codeferry.keepalive\"}\n\n",
        _ => b": keepalive\n\n",
    }
}
