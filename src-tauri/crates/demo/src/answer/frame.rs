//! One event as bytes: type first, then its number, then the rest, as the real host orders them.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::recipe::Quirks;

/// Numbers and spells the frames of one stream.
pub(super) struct Frames {
    pub(super) sequence: u64,
    newline: &'static str,
    bare: bool,
    comments: bool,
}

// === impl Frames ===

impl Frames {
    pub(super) fn new(quirks: Quirks) -> Self {
        Self {
            sequence: 0,
            newline: if quirks.crlf { "\r\n" } else { "\n" },
            bare: quirks.bare,
            comments: quirks.comments,
        }
    }

    pub(super) fn event(&mut self, kind: &str, body: &Value) -> Bytes {
        let [head, tail] = self.around(kind, body);
        let frame = format!("{head}{}{tail}", self.sequence);
        self.sequence += 1;
        Bytes::from(frame)
    }

    /// What stands before and after the sequence number.
    fn around(&self, kind: &str, body: &Value) -> [String; 2] {
        let end = self.newline;
        let mut head = String::new();
        if self.comments {
            head.push_str(&format!(": keep-alive{end}{end}"));
        }
        if !self.bare {
            head.push_str(&format!("event: {kind}{end}"));
        }
        head.push_str(&format!("data: {{\"type\":\"{kind}\",\"sequence_number\":"));
        let body = body.to_string();
        let rest = match body.strip_prefix('{') {
            Some("}") | None => "}".to_owned(),
            Some(rest) => format!(",{rest}"),
        };
        [head, format!("{rest}{end}{end}")]
    }

    /// The parts of a text delta around its number and its words.
    pub(super) fn run(&self, id: &Value, index: u64) -> [String; 3] {
        const SLOT: &str = "@@";
        let [head, tail] = self.around("response.output_text.delta", &text_delta(id, index, SLOT));
        match tail.split_once(SLOT) {
            Some((middle, tail)) => [head, middle.to_owned(), tail.to_owned()],
            None => [head, tail, String::new()],
        }
    }

    pub(super) fn raw(&self, kind: &str, data: &str) -> Bytes {
        let end = self.newline;
        Bytes::from(format!("event: {kind}{end}data: {data}{end}{end}"))
    }
}

pub(super) fn text_delta(id: &Value, index: u64, text: &str) -> Value {
    json!({
        "item_id": id,
        "output_index": index,
        "content_index": 0,
        "delta": text,
        "obfuscation": "xxxxxxxx",
        "logprobs": [],
    })
}
