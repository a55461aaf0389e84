//! What a connection remembers, so that a client need not send its whole conversation again. Pure.
//!
//! It is the last response alone, as it is with the provider: the items that were sent and those that came back. Nothing is
//! on disk, and it ends with the connection.

use codeferry_wire::json::{Raw, Reader};
use codeferry_wire::sse::Frame;

/// The last response of a connection.
#[derive(Debug, Default)]
pub(super) struct Memory {
    last: Option<(String, Vec<u8>)>,
}

/// A response while it comes.
#[derive(Debug)]
pub(super) struct Growing {
    /// Items, with commas between them.
    items: Vec<u8>,
    /// No more than this is kept, in bytes.
    limit: usize,
    end: Option<End>,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The whole response, of this id.
    Whole(String),
    Failed,
}

// === impl Memory ===

impl Memory {
    /// The items up to the end of a response.
    pub(super) fn before(&self, id: &str) -> Option<&[u8]> {
        self.last.as_ref().filter(|(last, _)| last == id).map(|(_, items)| items.as_slice())
    }

    /// This is the last response from now on.
    pub(super) fn keep(&mut self, id: String, items: Vec<u8>) {
        self.last = Some((id, items));
    }

    /// A response is over. After one that failed nothing is remembered, as with the provider: the client sends all of it
    /// again.
    pub(super) fn settle(&mut self, response: Growing) {
        self.last = match response.end {
            Some(End::Whole(id)) if response.items.len() <= response.limit => Some((id, response.items)),
            _ => None,
        };
    }
}

// === impl Growing ===

impl Growing {
    /// The answer to these items.
    pub(super) fn new(items: Vec<u8>, limit: usize) -> Self {
        Self { items, limit, end: None }
    }

    /// Takes in what goes to the client.
    pub(super) fn hear(&mut self, frame: &Frame<'_>) {
        // Most records are pieces of an answer; their name says so, and that spares reading them once more.
        if frame.event.is_some_and(|name| name.ends_with(".delta")) {
            return;
        }
        let Ok(event) = Reader::of(&frame.data).value() else { return };
        let Some(tag) = event.get("type").and_then(Raw::literal) else { return };
        match tag {
            "response.output_item.done" => {
                if let Some(item) = event.get("item").filter(|_| self.items.len() <= self.limit) {
                    if !self.items.is_empty() {
                        self.items.push(b',');
                    }
                    self.items.extend_from_slice(item.as_slice_str().as_bytes());
                }
            }
            "response.completed" | "response.done" | "response.incomplete" => {
                let id = event.get("response").and_then(|response| response.get("id")).and_then(Raw::string);
                self.end = id.map(|id| End::Whole(id.into_owned()));
            }
            "response.failed" | "response.cancelled" | "error" => self.end = Some(End::Failed),
            _ => {}
        }
    }

    /// Whether the end was heard.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use codeferry_wire::sse::Frame;

    use super::{Growing, Memory};

    fn after(frames: &[&'static str], limit: usize) -> Memory {
        let mut response = Growing::new(br#"{"q":1}"#.to_vec(), limit);
        for data in frames {
            response.hear(&Frame { event: None, data: Cow::Borrowed(data) });
        }
        let mut memory = Memory::default();
        memory.keep("resp_0".to_owned(), Vec::new());
        memory.settle(response);
        memory
    }

    const ITEM: &str = r#"{"type":"response.output_item.done","output_index":0,"item":{"a": 1}}"#;
    const END: &str = r#"{"type":"response.completed","response":{"id":"resp_1"}}"#;

    #[test]
    fn the_last_response_with_all_before_it() {
        let memory = after(&[r#"{"type":"response.output_text.delta"}"#, ITEM, ITEM, END], 1000);
        assert_eq!(memory.before("resp_1"), Some(br#"{"q":1},{"a": 1},{"a": 1}"#.as_slice()));
        assert_eq!(memory.before("resp_0"), None);
    }

    #[test]
    fn nothing_after_a_failure_or_beyond_the_limit() {
        for frames in [&[ITEM][..], &[ITEM, r#"{"type":"response.failed"}"#], &[ITEM, r#"{"type":"error"}"#], &["x"]] {
            assert_eq!(after(frames, 1000).before("resp_1"), None, "{frames:?}");
        }
        assert_eq!(after(&[ITEM, END], 10).before("resp_1"), None);
    }
}
