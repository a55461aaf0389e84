//! What a client is told while the model answers: chunks, and the lines between them.
//!
//! All chunks of an answer have the same id, time and model, so what stands around a delta is written once, when the answer
//! begins, and copied from then on.

use super::error::ErrorBody;
use crate::json::write_str;

/// Which of the two endpoints the answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`: text and nothing else.
    Text,
}

/// What is the same in all chunks of an answer.
#[derive(Debug, Clone)]
pub struct Head {
    /// Which endpoint.
    pub form: Form,
    /// `chatcmpl-…` or `cmpl-…`
    pub id: String,
    /// When the answer was begun, in seconds since 1970.
    pub created: i64,
    /// The model by the name the client asked for.
    pub model: String,
    /// Whether the client asked for `usage` at the end. The chunks before it then say `null`.
    pub usage: bool,
    before: Vec<u8>,
    after: Vec<u8>,
    finished: Vec<u8>,
}

/// One step of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame<'a> {
    /// The model begins.
    Role,
    /// More text.
    Content(&'a str),
    /// More text, in which the model refuses.
    Refusal(&'a str),
    /// More of the reasoning that may be shown.
    Reasoning(&'a str),
    /// A tool call begins.
    Call {
        /// Its place among the calls of the answer.
        index: u32,
        /// Its id.
        id: &'a str,
        /// The function.
        name: &'a str,
    },
    /// More of the arguments of a call.
    Arguments {
        /// The place of the call.
        index: u32,
        /// More JSON.
        text: &'a str,
    },
    /// A call in the older form begins.
    Function {
        /// The function.
        name: &'a str,
    },
    /// More of the arguments of a call in the older form.
    FunctionArguments(&'a str),
    /// A page that the text rests on.
    Citation {
        /// Where it is.
        url: &'a str,
        /// What it is called.
        title: &'a str,
        /// Where in the text, in characters.
        start: u64,
        /// Until where.
        end: u64,
    },
    /// The end of the answer.
    Finish(Reason),
    /// What it cost. Written only if the client asked for it.
    Usage(Usage),
    /// The answer failed. Nothing comes after it.
    Error(ErrorBody<'a>),
    /// Everything was sent.
    Done,
    /// A sign of life.
    KeepAlive,
}

/// `finish_reason`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The model is done, or came upon a stop sequence.
    Stop,
    /// The answer reached its length.
    Length,
    /// The model waits for tools.
    ToolCalls,
    /// The same in the older form.
    FunctionCall,
    /// A filter ended the answer.
    ContentFilter,
}

/// Token counts: what was read from a cache is part of the prompt, what was thought is part of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt.
    pub prompt: u64,
    /// Those read from a cache.
    pub cached: u64,
    /// All tokens of the answer.
    pub completion: u64,
    /// Those that were reasoning.
    pub reasoning: u64,
}

// === impl Head ===

impl Head {
    /// What is the same in all chunks.
    pub fn new(form: Form, id: String, created: i64, model: String, usage: bool) -> Self {
        let (object, inner, outer) = match form {
            Form::Chat => ("chat.completion.chunk", "{\"index\":0,\"delta\":{", "}"),
            Form::Text => ("text_completion", "{\"index\":0,\"text\":", ""),
        };
        let mut before = b"data: ".to_vec();
        write_members(&mut before, object, &id, created, &model);
        before.extend_from_slice(b",\"choices\":[");
        let usage_member = if usage { ",\"usage\":null" } else { "" };
        let after = format!("{outer},\"logprobs\":null,\"finish_reason\":null}}]{usage_member}}}\n\n").into_bytes();
        let finished = format!("}}]{usage_member}}}\n\n").into_bytes();
        let mut head = Self { form, id, created, model, usage, before, after, finished };
        head.before.extend_from_slice(inner.as_bytes());
        head
    }
}

/// The members that every object of an answer begins with.
pub(super) fn write_members(out: &mut Vec<u8>, object: &str, id: &str, created: i64, model: &str) {
    out.extend_from_slice(b"{\"id\":");
    write_str(out, id);
    out.extend_from_slice(b",\"object\":\"");
    out.extend_from_slice(object.as_bytes());
    out.extend_from_slice(format!("\",\"created\":{created},\"model\":").as_bytes());
    write_str(out, model);
}

// === impl Frame ===

impl Frame<'_> {
    /// Writes it as one record of an event stream; nothing, if the form has no words for it.
    pub fn write_sse(&self, head: &Head, out: &mut Vec<u8>) {
        match (self, head.form) {
            (Self::Finish(reason), form) => {
                out.extend_from_slice(&head.before);
                let (delta, reason) = match form {
                    Form::Chat => ("}", reason.as_str()),
                    Form::Text => ("\"\"", reason.of_text()),
                };
                out.extend_from_slice(format!("{delta},\"logprobs\":null,\"finish_reason\":\"{reason}\"").as_bytes());
                out.extend_from_slice(&head.finished);
            }
            (Self::Usage(usage), _) => {
                if head.usage {
                    let object = if head.form == Form::Chat { "chat.completion.chunk" } else { "text_completion" };
                    out.extend_from_slice(b"data: ");
                    write_members(out, object, &head.id, head.created, &head.model);
                    out.extend_from_slice(b",\"choices\":[],\"usage\":");
                    usage.write(out);
                    out.extend_from_slice(b"}\n\n");
                }
            }
            (Self::Error(error), _) => {
                out.extend_from_slice(b"data: ");
                error.write(out);
                out.extend_from_slice(b"\n\n");
            }
            (Self::Done, _) => out.extend_from_slice(b"data: [DONE]\n\n"),
            (Self::KeepAlive, _) => out.extend_from_slice(b": keepalive\n\n"),
            (Self::Content(text) | Self::Refusal(text), Form::Text) => {
                out.extend_from_slice(&head.before);
                write_str(out, text);
                out.extend_from_slice(&head.after);
            }
            (_, Form::Text) => {}
            (_, Form::Chat) => {
                out.extend_from_slice(&head.before);
                self.write_delta(out);
                out.extend_from_slice(&head.after);
            }
        }
    }

    /// The members of `delta`.
    fn write_delta(&self, out: &mut Vec<u8>) {
        let mut member = |before: &str, text: &str, after: &str| {
            out.extend_from_slice(before.as_bytes());
            write_str(out, text);
            out.extend_from_slice(after.as_bytes());
        };
        match self {
            Self::Role => out.extend_from_slice(b"\"role\":\"assistant\",\"content\":\"\",\"refusal\":null"),
            Self::Content(text) => member("\"content\":", text, ""),
            Self::Refusal(text) => member("\"refusal\":", text, ""),
            Self::Reasoning(text) => member("\"reasoning_content\":", text, ""),
            Self::Call { index, id, name } => {
                member(&format!("\"tool_calls\":[{{\"index\":{index},\"id\":"), id, ",\"type\":\"function\"");
                member(",\"function\":{\"name\":", name, ",\"arguments\":\"\"}}]");
            }
            Self::Arguments { index, text } => {
                member(&format!("\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":"), text, "}}]");
            }
            Self::Function { name } => member("\"function_call\":{\"name\":", name, ",\"arguments\":\"\"}"),
            Self::FunctionArguments(text) => member("\"function_call\":{\"arguments\":", text, "}"),
            Self::Citation { url, title, start, end } => {
                out.extend_from_slice(b"\"annotations\":[");
                write_citation(out, url, title, *start, *end);
                out.push(b']');
            }
            Self::Finish(_) | Self::Usage(_) | Self::Error(_) | Self::Done | Self::KeepAlive => {}
        }
    }
}

/// One element of `annotations`.
pub(super) fn write_citation(out: &mut Vec<u8>, url: &str, title: &str, start: u64, end: u64) {
    out.extend_from_slice(
        format!(
            "{{\"type\":\"url_citation\",\"url_citation\":{{\"start_index\":{start},\"end_index\":{end},\"title\":"
        )
        .as_bytes(),
    );
    write_str(out, title);
    out.extend_from_slice(b",\"url\":");
    write_str(out, url);
    out.extend_from_slice(b"}}");
}

// === impl Reason ===

impl Reason {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::FunctionCall => "function_call",
            Self::ContentFilter => "content_filter",
        }
    }

    /// The word for it where there are no tools.
    pub(super) fn of_text(self) -> &'static str {
        match self {
            Self::ToolCalls | Self::FunctionCall => "stop",
            other => other.as_str(),
        }
    }
}

// === impl Usage ===

impl Usage {
    /// Writes the object, details included.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let Self { prompt, cached, completion, reasoning } = self;
        let total = prompt.saturating_add(completion);
        out.extend_from_slice(
            format!(
                "{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion},\"total_tokens\":{total},\
                 \"prompt_tokens_details\":{{\"cached_tokens\":{cached},\"audio_tokens\":0}},\
                 \"completion_tokens_details\":{{\"reasoning_tokens\":{reasoning},\"audio_tokens\":0,\
                 \"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}}}"
            )
            .as_bytes(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Frame, Head, Reason, Usage};

    fn written(form: Form, usage: bool, frames: &[Frame<'_>]) -> String {
        let head = Head::new(form, "id-1".to_owned(), 7, "m\"".to_owned(), usage);
        let mut out = Vec::new();
        frames.iter().for_each(|frame| frame.write_sse(&head, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn chunks() {
        let frames = [
            Frame::Role,
            Frame::Content("a\"\n"),
            Frame::Call { index: 1, id: "c", name: "f" },
            Frame::Arguments { index: 1, text: "{\"" },
            Frame::KeepAlive,
            Frame::Finish(Reason::ToolCalls),
            Frame::Usage(Usage { prompt: 5, cached: 2, completion: 3, reasoning: 1 }),
            Frame::Done,
        ];
        let before = r#"data: {"id":"id-1","object":"chat.completion.chunk","created":7,"model":"m\"","choices":["#;
        let chunk = |delta: &str| {
            format!(
                "{before}{{\"index\":0,\"delta\":{{{delta}}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
            )
        };
        let wanted = [
            chunk(r#""role":"assistant","content":"","refusal":null"#),
            chunk(r#""content":"a\"\n""#),
            chunk(r#""tool_calls":[{"index":1,"id":"c","type":"function","function":{"name":"f","arguments":""}}]"#),
            chunk(r#""tool_calls":[{"index":1,"function":{"arguments":"{\""}}]"#),
            ": keepalive\n\n".to_owned(),
            chunk("").replace("\"finish_reason\":null", "\"finish_reason\":\"tool_calls\""),
            format!(
                "{before}],\"usage\":{}}}\n\n",
                r#"{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":2,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#
            ),
            "data: [DONE]\n\n".to_owned(),
        ];
        assert_eq!(written(Form::Chat, true, &frames), wanted.concat());
        let without = written(Form::Chat, false, &frames);
        assert!(!without.contains("usage"), "{without}");
    }

    #[test]
    fn the_older_endpoint_has_text_alone() {
        let frames = [Frame::Role, Frame::Reasoning("hm"), Frame::Content("a"), Frame::Finish(Reason::ToolCalls)];
        let before =
            r#"data: {"id":"id-1","object":"text_completion","created":7,"model":"m\"","choices":[{"index":0,"text":"#;
        let wanted = format!(
            "{before}\"a\",\"logprobs\":null,\"finish_reason\":null}}]}}\n\n{before}\"\",\"logprobs\":null,\"finish_reason\":\"stop\"}}]}}\n\n"
        );
        assert_eq!(written(Form::Text, false, &frames), wanted);
    }
}
