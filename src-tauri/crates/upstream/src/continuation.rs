//! What goes up in one message of a socket: the whole request, or what is new in it (`codex-backend.md §6`). Pure.
//!
//! The host keeps the last response of a connection, so a request that begins with all that was said up to its end need
//! not bring that again. Whether it does is decided here by what was really sent and received, never by what a client
//! says of it.
//!
//! **Invariant:** a message is shortened only if what it leaves out is, item by item and byte for byte, what went over the
//! same connection, and nothing else of the request has changed.

use codeferry_wire::json::{self, Raw};
use codeferry_wire::responses::event::member;
use codeferry_wire::responses::open::Request;
use ring::digest::{Context, SHA256};

/// The length of a SHA-256.
type Digest = [u8; 32];

/// Of a request these may differ from the last one: the one is what is new, the other tells of the turn.
const OWN_OF_EACH: [&str; 2] = ["input", "client_metadata"];
/// A header that has no place on a socket, and what stands for it (`codex-backend.md §6`).
const LITE: &str = "ws_request_header_x_openai_internal_codex_responses_lite";

/// One message, ready to be sent.
pub(crate) struct Message {
    pub(crate) text: String,
    /// It leaves out what the host has.
    pub(crate) shortened: bool,
    /// What the host will have with it.
    pub(crate) asked: Asked,
}

/// A conversation as far as it went over one connection, its answer still coming.
#[derive(Clone)]
pub(crate) struct Asked {
    rest: Digest,
    items: Items,
}

/// The same at the end of a whole response.
#[derive(Clone)]
pub(crate) struct Kept {
    id: String,
    rest: Digest,
    items: Items,
}

/// Items in their order.
#[derive(Clone)]
struct Items {
    count: usize,
    digest: Context,
}

// === impl Message ===

impl Message {
    /// Writes a request body as a message.
    ///
    /// # Errors
    /// When the body is no JSON object.
    pub(crate) fn write(body: &[u8], lite: bool, kept: Option<&Kept>) -> Result<Self, json::Error> {
        let Request { mut object, items } = Request::parse(body)?;
        let mut rest = Context::new(&SHA256);
        for name in object.names().filter(|name| !OWN_OF_EACH.contains(name)) {
            piece(&mut rest, name);
            piece(&mut rest, object.get(name).map_or("", Raw::as_slice_str));
        }
        let rest = finished(rest);
        let (mut all, mut known) = (Items::none(), None);
        if let Some(input) = object.get("input").filter(|input| input.kind() != json::Kind::Array) {
            // No list can begin with it.
            piece(&mut all.digest, input.as_slice_str());
        }
        for item in &items {
            if kept.is_some_and(|kept| kept.rest == rest && kept.items.count == all.count && kept.items.is(&all)) {
                known = kept;
            }
            all.add(item.raw.as_slice_str());
        }
        if let Some(kept) = known {
            let mut new = b"[".to_vec();
            for item in &items[kept.items.count..] {
                if new.len() > 1 {
                    new.push(b',');
                }
                new.extend_from_slice(item.raw.as_slice_str().as_bytes());
            }
            new.push(b']');
            object.set("input", new);
            object.set_str("previous_response_id", &kept.id);
        }
        if lite {
            let metadata = object.get("client_metadata").map_or("{}", Raw::as_slice_str);
            object.set("client_metadata", with_mark(metadata));
        }
        let text = if object.is_changed() { object.write().bytes } else { body.to_vec() };
        // It was text when it was read, and so is what was put in.
        let text = String::from_utf8(text).unwrap_or_default();
        let inside = text.trim_ascii_start().strip_prefix('{').unwrap_or_default();
        let comma = if inside.trim_ascii_start().starts_with('}') { "" } else { "," };
        Ok(Self {
            text: format!("{{\"type\":\"response.create\"{comma}{inside}"),
            shortened: known.is_some(),
            asked: Asked { rest, items: all },
        })
    }
}

fn with_mark(metadata: &str) -> Vec<u8> {
    let inside = metadata.trim_ascii().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let mut out = format!("{{\"{LITE}\":\"true\"").into_bytes();
    if !inside.trim_ascii().is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(inside.as_bytes());
    out.push(b'}');
    out
}

// === impl Asked ===

impl Asked {
    /// Takes in an event of the answer.
    pub(crate) fn hear(&mut self, tag: &str, event: &str) {
        if tag == "response.output_item.done"
            && let Some(item) = member(event, "item")
        {
            self.items.add(item.as_slice_str());
        }
    }

    /// The answer has come to its end, and this event says so. `None`: it has no id to go on from.
    pub(crate) fn end(self, event: &str) -> Option<Kept> {
        let id = member(event, "response")?.get("id")?.string()?.into_owned();
        Some(Kept { id, rest: self.rest, items: self.items })
    }
}

// === impl Kept ===

impl Kept {
    /// The response to go on from.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

// === impl Items ===

impl Items {
    fn none() -> Self {
        Self { count: 0, digest: Context::new(&SHA256) }
    }

    fn add(&mut self, item: &str) {
        self.count += 1;
        piece(&mut self.digest, item);
    }

    fn is(&self, other: &Self) -> bool {
        self.count == other.count && finished(self.digest.clone()) == finished(other.digest.clone())
    }
}

/// With its length, so that no two lists of pieces are one.
fn piece(digest: &mut Context, text: &str) {
    digest.update(&(text.len() as u64).to_le_bytes());
    digest.update(text.as_bytes());
}

fn finished(digest: Context) -> Digest {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// An event as a record of a stream, which is how it would have come over HTTP.
pub(crate) fn record(tag: &str, event: &str, out: &mut Vec<u8>) {
    if !tag.is_empty() && !tag.contains(['\n', '\r']) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(tag.as_bytes());
        out.push(b'\n');
    }
    let mut line = |line: &str| {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    };
    // White space within JSON may be a line break, which would end the record here. It hardly ever is.
    if event.contains('\n') || event.contains('\r') {
        event.split(['\n', '\r']).for_each(line);
    } else {
        line(event);
    }
    out.push(b'\n');
}

/// The `headers` of an error event, each value as it would stand in one.
pub(crate) fn headers_of(event: &str) -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    let Some(told) = member(event, "headers").filter(|told| told.kind() == json::Kind::Object) else { return headers };
    let _ = told.reader().object(|name, reader| {
        let value = reader.value()?;
        let text = value.string().unwrap_or_else(|| value.as_slice_str().into());
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(&*text)) {
            headers.insert(name, value);
        }
        Ok(())
    });
    headers
}

#[cfg(test)]
mod tests;
