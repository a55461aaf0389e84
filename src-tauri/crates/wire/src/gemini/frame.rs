//! What a client is told while the model answers: chunks, each an answer of its own with a piece of the content.
//!
//! A stream comes in one of two forms. With `?alt=sse` each chunk is a record; records end as Google's do, in `\r\n\r\n`.
//! Otherwise the chunks are the elements of an array, which `[` opens and the last chunk closes.
//!
//! Two things the SDKs make necessary. A sign of life is a blank line, since `@google/genai` up to 1.30 (which the Gemini CLI
//! carries) understands nothing of a stream behind a comment. And U+2028 and U+2029 are escaped: the same SDK takes them for
//! the end of a line. An error in a stream stands there twice, as a record and bare: `@google/genai` 3.1 sees it in a record alone, the
//! one of the Gemini CLI and that for Go see it bare alone, and `google-genai` sees either.

use super::error::ErrorBody;
use crate::json::write_str;

/// How the chunks stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As records of server-sent events.
    Sse,
    /// As elements of an array.
    Array,
}

/// What is the same in all chunks of an answer.
#[derive(Debug, Clone)]
pub struct Head {
    /// `responseId`
    pub id: String,
    /// The model by the name the client asked for.
    pub model: String,
    /// How the chunks stand.
    pub form: Form,
}

/// One step of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame<'a> {
    /// More of the content.
    Part(Part<'a>),
    /// The end of the answer.
    End(End<'a>),
    /// The answer failed. Nothing comes after it.
    Error(ErrorBody<'a>),
    /// A sign of life.
    KeepAlive,
}

/// A part of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// More text.
    Text {
        /// The text.
        text: &'a str,
        /// What was thought before it, sealed. Such a text begins a part of its own.
        signature: Option<&'a str>,
    },
    /// A thought, whole.
    Thought(&'a str),
    /// A function call, whole.
    Call {
        /// Its id.
        id: &'a str,
        /// The function.
        name: &'a str,
        /// A JSON object.
        args: &'a str,
        /// What was thought before it, sealed.
        signature: Option<&'a str>,
    },
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct End<'a> {
    /// Why.
    pub reason: Reason,
    /// What it cost.
    pub usage: Usage,
    /// What it rests on, if the web was searched.
    pub grounding: Option<&'a Grounding>,
}

/// `finishReason`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The model is done, waits for functions, or came upon a stop sequence.
    Stop,
    /// The answer reached its length.
    MaxTokens,
    /// A filter ended the answer.
    Safety,
    /// A call's arguments were no JSON object.
    MalformedCall,
}

/// Token counts: what was read from a cache is part of the prompt; what was thought stands beside the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt.
    pub prompt: u64,
    /// Those read from a cache.
    pub cached: u64,
    /// The tokens of the answer, without thoughts.
    pub candidates: u64,
    /// Those of thoughts.
    pub thoughts: u64,
}

/// `groundingMetadata`: what was searched for, and which pages which pieces of the text rest on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grounding {
    /// The words that were searched for.
    pub queries: Vec<String>,
    /// The pages, by address and title.
    pub pages: Vec<(String, String)>,
    /// The pieces of the text.
    pub supports: Vec<Support>,
}

/// A piece of the text that rests on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Support {
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The piece.
    pub text: String,
    /// The place of its page.
    pub page: usize,
}

// === impl Head ===

impl Head {
    /// The members that every chunk ends with, and its closing brace.
    pub(super) fn write_tail(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"modelVersion\":");
        write_str(out, &self.model);
        out.extend_from_slice(b",\"responseId\":");
        write_str(out, &self.id);
        out.push(b'}');
    }
}

// === impl Frame ===

impl Frame<'_> {
    /// Writes the chunk as it stands in a stream.
    pub fn write(&self, head: &Head, out: &mut Vec<u8>) {
        let from = out.len();
        let last = matches!(self, Self::End(_) | Self::Error(_));
        match self {
            Self::KeepAlive => return out.extend_from_slice(b"\r\n\r\n"),
            Self::Error(error) => {
                if head.form == Form::Sse {
                    out.extend_from_slice(b"data: ");
                    error.write(out);
                    out.extend_from_slice(b"\r\n\r\n");
                }
                error.write(out);
            }
            Self::Part(_) | Self::End(_) => {
                if head.form == Form::Sse {
                    out.extend_from_slice(b"data: ");
                }
                out.extend_from_slice(b"{\"candidates\":[{\"content\":{\"parts\":[");
                match self {
                    Self::Part(part) => part.write(out),
                    // A content without parts is none to the SDKs, and they forget the turn.
                    _ => out.extend_from_slice(b"{\"text\":\"\"}"),
                }
                out.extend_from_slice(b"],\"role\":\"model\"}");
                if let Self::End(end) = self {
                    end.write(out);
                } else {
                    out.extend_from_slice(b",\"index\":0}]");
                }
                head.write_tail(out);
            }
        }
        escape_lines(out, from);
        out.extend_from_slice(match (head.form, last) {
            (Form::Sse, _) => b"\r\n\r\n",
            (Form::Array, false) => b",\r\n",
            (Form::Array, true) => b"]\r\n",
        });
    }
}

// === impl Part ===

impl Part<'_> {
    /// Writes the part.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let signature = match self {
            Self::Text { text, signature } => {
                out.extend_from_slice(b"{\"text\":");
                write_str(out, text);
                *signature
            }
            Self::Thought(text) => {
                out.extend_from_slice(b"{\"text\":");
                write_str(out, text);
                out.extend_from_slice(b",\"thought\":true");
                None
            }
            Self::Call { id, name, args, signature } => {
                out.extend_from_slice(b"{\"functionCall\":{\"id\":");
                write_str(out, id);
                out.extend_from_slice(b",\"name\":");
                write_str(out, name);
                out.extend_from_slice(b",\"args\":");
                out.extend_from_slice(args.as_bytes());
                out.push(b'}');
                *signature
            }
        };
        if let Some(signature) = signature {
            out.extend_from_slice(b",\"thoughtSignature\":");
            write_str(out, signature);
        }
        out.push(b'}');
    }
}

// === impl End ===

impl End<'_> {
    /// Writes what stands behind the content of the last chunk, up to and with its usage.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let reason = self.reason.as_str();
        out.extend_from_slice(format!(",\"finishReason\":\"{reason}\",\"index\":0").as_bytes());
        if let Some(grounding) = self.grounding {
            out.extend_from_slice(b",\"groundingMetadata\":");
            grounding.write(out);
        }
        out.extend_from_slice(b"}],\"usageMetadata\":");
        self.usage.write(out);
    }
}

// === impl Reason ===

impl Reason {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::MaxTokens => "MAX_TOKENS",
            Self::Safety => "SAFETY",
            Self::MalformedCall => "MALFORMED_FUNCTION_CALL",
        }
    }
}

// === impl Usage ===

impl Usage {
    fn write(self, out: &mut Vec<u8>) {
        let Self { prompt, cached, candidates, thoughts } = self;
        let total = prompt.saturating_add(candidates).saturating_add(thoughts);
        out.extend_from_slice(
            format!(
                "{{\"promptTokenCount\":{prompt},\"candidatesTokenCount\":{candidates},\"totalTokenCount\":{total}"
            )
            .as_bytes(),
        );
        for (name, count) in [("cachedContentTokenCount", cached), ("thoughtsTokenCount", thoughts)] {
            if count > 0 {
                out.extend_from_slice(format!(",\"{name}\":{count}").as_bytes());
            }
        }
        out.push(b'}');
    }
}

// === impl Grounding ===

impl Grounding {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty() && self.pages.is_empty()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"webSearchQueries\":");
        list(out, &self.queries, |out, query| write_str(out, query));
        out.extend_from_slice(b",\"groundingChunks\":");
        list(out, &self.pages, |out, (uri, title)| {
            out.extend_from_slice(b"{\"web\":{\"uri\":");
            write_str(out, uri);
            out.extend_from_slice(b",\"title\":");
            write_str(out, title);
            out.extend_from_slice(b"}}");
        });
        out.extend_from_slice(b",\"groundingSupports\":");
        list(out, &self.supports, |out, Support { start, end, text, page }| {
            out.extend_from_slice(
                format!("{{\"segment\":{{\"startIndex\":{start},\"endIndex\":{end},\"text\":").as_bytes(),
            );
            write_str(out, text);
            out.extend_from_slice(format!("}},\"groundingChunkIndices\":[{page}]}}").as_bytes());
        });
        out.push(b'}');
    }
}

fn list<T>(out: &mut Vec<u8>, elements: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(out, element);
    }
    out.push(b']');
}

/// Escapes U+2028 and U+2029 behind `from`. In JSON they stand in strings and nowhere else.
fn escape_lines(out: &mut Vec<u8>, from: usize) {
    let mut at = from;
    while let Some(found) = memchr::memchr(0xE2, &out[at..]) {
        at += found;
        let escaped: &[u8] = match out.get(at + 1..at + 3) {
            Some([0x80, 0xA8]) => b"\\u2028",
            Some([0x80, 0xA9]) => b"\\u2029",
            _ => {
                at += 1;
                continue;
            }
        };
        out.splice(at..at + 3, escaped.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::{End, ErrorBody, Form, Frame, Grounding, Head, Part, Reason, Support, Usage};

    fn written(form: Form, frames: &[Frame<'_>]) -> String {
        let head = Head { id: "r".to_owned(), model: "m\"".to_owned(), form };
        let mut out = Vec::new();
        frames.iter().for_each(|frame| frame.write(&head, &mut out));
        String::from_utf8(out).unwrap()
    }

    const END: End<'static> = End {
        reason: Reason::Stop,
        usage: Usage { prompt: 5, cached: 2, candidates: 3, thoughts: 1 },
        grounding: None,
    };

    const TAIL: &str = r#","modelVersion":"m\"","responseId":"r"}"#;

    #[test]
    fn chunks() {
        let frames = [
            Frame::Part(Part::Thought("hm")),
            Frame::Part(Part::Call { id: "c", name: "f", args: "{\"a\":1}", signature: Some("s") }),
            Frame::KeepAlive,
            Frame::Part(Part::Text { text: "a\u{2028}b", signature: None }),
            Frame::End(END),
        ];
        let part = |part: &str| {
            format!(r#"{{"candidates":[{{"content":{{"parts":[{part}],"role":"model"}},"index":0}}]{TAIL}"#)
        };
        let parts = [
            part(r#"{"text":"hm","thought":true}"#),
            part(r#"{"functionCall":{"id":"c","name":"f","args":{"a":1}},"thoughtSignature":"s"}"#),
            part(r#"{"text":"a\u2028b"}"#),
        ];
        let usage = r#"{"promptTokenCount":5,"candidatesTokenCount":3,"totalTokenCount":9,"cachedContentTokenCount":2,"thoughtsTokenCount":1}"#;
        let end = format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":""}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{usage}{TAIL}"#
        );
        let [thought, call, text] = &parts;
        let (sse, array) = (written(Form::Sse, &frames), written(Form::Array, &frames));
        let record = |json: &str| format!("data: {json}\r\n\r\n");
        assert_eq!(sse, [record(thought), record(call), "\r\n\r\n".to_owned(), record(text), record(&end)].concat());
        assert_eq!(array, format!("{thought},\r\n{call},\r\n\r\n\r\n{text},\r\n{end}]\r\n"));
    }

    #[test]
    fn an_error_stands_as_a_record_and_bare() {
        let error = Frame::Error(ErrorBody::new(503, "gone"));
        let json = r#"{"error":{"code":503,"message":"gone","status":"UNAVAILABLE"}}"#;
        assert_eq!(written(Form::Sse, &[error]), format!("data: {json}\r\n\r\n{json}\r\n\r\n"));
        assert_eq!(written(Form::Array, &[error]), format!("{json}]\r\n"));
    }

    #[test]
    fn what_it_rests_on() {
        let grounding = Grounding {
            queries: vec!["q".into()],
            pages: vec![("https://a".into(), "A".into())],
            supports: vec![Support { start: 1, end: 3, text: "bc".into(), page: 0 }],
        };
        let wanted = r#""groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"https://a","title":"A"}}],"groundingSupports":[{"segment":{"startIndex":1,"endIndex":3,"text":"bc"},"groundingChunkIndices":[0]}]}"#;
        let told = written(Form::Sse, &[Frame::End(End { grounding: Some(&grounding), ..END })]);
        assert!(told.contains(wanted), "{told}");
    }
}
