//! A whole answer, for clients that do not stream.

use super::frame::{Form, Head, Reason, Usage, write_citation, write_members};
use crate::json::write_str;

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Completion {
    /// What the model said; `None`: nothing but calls.
    pub content: Option<String>,
    /// What it said while it refused.
    pub refusal: Option<String>,
    /// The reasoning that may be shown.
    pub reasoning: Option<String>,
    /// The tools it called.
    pub calls: Vec<Called>,
    /// The function it called, in the older form.
    pub function: Option<(String, String)>,
    /// The pages that the text rests on.
    pub citations: Vec<Cited>,
    /// Why it ended.
    pub finish: Option<Reason>,
    /// What it cost.
    pub usage: Usage,
}

/// A tool call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Called {
    /// Its id.
    pub id: String,
    /// The function.
    pub name: String,
    /// JSON, as text.
    pub arguments: String,
}

/// A page that the text rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cited {
    /// Where it is.
    pub url: String,
    /// What it is called.
    pub title: String,
    /// Where in the text, in characters.
    pub start: u64,
    /// Until where.
    pub end: u64,
}

// === impl Completion ===

impl Completion {
    /// The JSON, under this head.
    pub fn to_json(&self, head: &Head) -> Vec<u8> {
        let text = self.content.as_deref().unwrap_or_default();
        let mut out = Vec::with_capacity(512 + text.len());
        let reason = self.finish.unwrap_or(Reason::Stop);
        match head.form {
            Form::Chat => {
                write_members(&mut out, "chat.completion", &head.id, head.created, &head.model);
                out.extend_from_slice(b",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"");
                self.write_message(&mut out);
                out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":\"");
                out.extend_from_slice(reason.as_str().as_bytes());
            }
            Form::Text => {
                write_members(&mut out, "text_completion", &head.id, head.created, &head.model);
                out.extend_from_slice(b",\"choices\":[{\"index\":0,\"text\":");
                write_str(&mut out, if text.is_empty() { self.refusal.as_deref().unwrap_or_default() } else { text });
                out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":\"");
                out.extend_from_slice(reason.of_text().as_bytes());
            }
        }
        out.extend_from_slice(b"\"}],\"usage\":");
        self.usage.write(&mut out);
        out.push(b'}');
        out
    }

    fn write_message(&self, out: &mut Vec<u8>) {
        let texts = [(",\"content\":", &self.content), (",\"refusal\":", &self.refusal)];
        for (name, text) in texts {
            out.extend_from_slice(name.as_bytes());
            match text {
                Some(text) => write_str(out, text),
                None => out.extend_from_slice(b"null"),
            }
        }
        if let Some(reasoning) = &self.reasoning {
            out.extend_from_slice(b",\"reasoning_content\":");
            write_str(out, reasoning);
        }
        list(out, ",\"annotations\":[", &self.citations, |out, cited| {
            write_citation(out, &cited.url, &cited.title, cited.start, cited.end);
        });
        list(out, ",\"tool_calls\":[", &self.calls, |out, call| {
            out.extend_from_slice(b"{\"id\":");
            write_str(out, &call.id);
            out.extend_from_slice(b",\"type\":\"function\",\"function\":");
            write_function(out, &call.name, &call.arguments);
            out.push(b'}');
        });
        if let Some((name, arguments)) = &self.function {
            out.extend_from_slice(b",\"function_call\":");
            write_function(out, name, arguments);
        }
    }
}

fn write_function(out: &mut Vec<u8>, name: &str, arguments: &str) {
    out.extend_from_slice(b"{\"name\":");
    write_str(out, name);
    out.extend_from_slice(b",\"arguments\":");
    write_str(out, arguments);
    out.push(b'}');
}

/// A member that is left out if there is nothing in it.
fn list<T>(out: &mut Vec<u8>, before: &str, elements: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    if elements.is_empty() {
        return;
    }
    out.extend_from_slice(before.as_bytes());
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(out, element);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::{Called, Completion, Form, Head, Reason};

    #[test]
    fn a_call_without_words() {
        let call = Called { id: "c".into(), name: "f".into(), arguments: "{\"a\":1}".into() };
        let whole = Completion { calls: vec![call], finish: Some(Reason::ToolCalls), ..Completion::default() };
        let head = Head::new(Form::Chat, "id".into(), 7, "m".into(), false);
        let json = String::from_utf8(whole.to_json(&head)).unwrap();
        let begin = r#"{"id":"id","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":0"#;
        assert!(json.starts_with(begin), "{json}");
    }
}
