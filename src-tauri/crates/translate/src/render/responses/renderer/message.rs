//! A message and its parts: texts and refusals, each with events of its own.

use codeferry_wire::json::Raw;
use codeferry_wire::responses::event::{Phase, UrlCitation};
use codeferry_wire::responses::request::Object;

use super::phase_name;
use super::stream::{Place, Stream, number};

#[derive(Debug)]
pub(in crate::render::responses) struct Message {
    id: String,
    phase: Option<Phase>,
    /// The whole parts, with commas between them.
    content: Vec<u8>,
    /// The place of the open part, or of the next one.
    index: u32,
    part: Option<Part>,
}

#[derive(Debug, Default)]
struct Part {
    refusal: bool,
    text: String,
    /// Annotations, with commas between them.
    cited: Vec<u8>,
    citations: u32,
}

// === impl Message ===

impl Message {
    pub(in crate::render::responses) fn new(id: String, phase: Option<Phase>) -> Self {
        Self { id, phase, content: Vec::new(), index: 0, part: None }
    }

    /// More text.
    pub(in crate::render::responses) fn say(
        &mut self,
        refusal: bool,
        text: &str,
        index: u32,
        stream: &mut Stream,
        out: &mut Vec<u8>,
    ) {
        self.open(refusal, index, stream, out);
        let name = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        stream.of(name, Place { id: &self.id, index }, out, |event| {
            number(event, "content_index", self.index.into());
            event.string("delta", text);
            if !refusal {
                event.array("logprobs", |_| {});
            }
        });
        if let Some(part) = &mut self.part {
            part.text.push_str(text);
        }
    }

    /// A page that the text rests on.
    pub(in crate::render::responses) fn cite(
        &mut self,
        citation: &UrlCitation<'_>,
        index: u32,
        stream: &mut Stream,
        out: &mut Vec<u8>,
    ) {
        self.open(false, index, stream, out);
        let Some(part) = &mut self.part else { return };
        let from = part.cited.len();
        if from > 0 {
            part.cited.push(b',');
        }
        let mut annotation = Object::begin(&mut part.cited);
        annotation.string("type", "url_citation").string("url", &citation.url);
        annotation.string("title", citation.title.as_deref().unwrap_or(&citation.url));
        number(&mut annotation, "start_index", citation.start.unwrap_or_default().into());
        number(&mut annotation, "end_index", citation.end.unwrap_or_default().into());
        annotation.end();
        let written = &part.cited[from + usize::from(from > 0)..];
        stream.of("response.output_text.annotation.added", Place { id: &self.id, index }, out, |event| {
            number(event, "content_index", self.index.into());
            number(event, "annotation_index", part.citations.into());
            event.key("annotation").extend_from_slice(written);
        });
        part.citations += 1;
    }

    /// More of what is being said, be it text or refusal.
    pub(in crate::render::responses) fn go_on(
        &mut self,
        text: &str,
        index: u32,
        stream: &mut Stream,
        out: &mut Vec<u8>,
    ) {
        let refusal = self.part.as_ref().is_some_and(|part| part.refusal);
        self.say(refusal, text, index, stream, out);
    }

    /// Text that was told already.
    pub(in crate::render::responses) fn note(&mut self, refusal: bool, text: &str) {
        self.part.get_or_insert_with(|| Part { refusal, ..Part::default() }).text.push_str(text);
    }

    /// An annotation that was told already.
    pub(in crate::render::responses) fn note_cited(&mut self, annotation: Raw<'_>) {
        let part = self.part.get_or_insert_default();
        push(&mut part.cited, annotation.as_slice_str().as_bytes());
        part.citations += 1;
    }

    /// A part that was told already, and is whole.
    pub(in crate::render::responses) fn note_part(&mut self, part: Raw<'_>) {
        self.part = None;
        self.index += 1;
        push(&mut self.content, part.as_slice_str().as_bytes());
    }

    /// Ends the open part.
    pub(in crate::render::responses) fn close(&mut self, index: u32, stream: &mut Stream, out: &mut Vec<u8>) {
        let Some(part) = self.part.take() else { return };
        let place = Place { id: &self.id, index };
        let (name, member) = part.names();
        stream.of(name, place, out, |event| {
            number(event, "content_index", self.index.into());
            event.string(member, &part.text);
            if !part.refusal {
                event.array("logprobs", |_| {});
            }
        });
        stream.of("response.content_part.done", place, out, |event| {
            number(event, "content_index", self.index.into());
            event.object("part", |out| part.write(out));
        });
        if !self.content.is_empty() {
            self.content.push(b',');
        }
        let mut whole = Object::begin(&mut self.content);
        part.write(&mut whole);
        whole.end();
        self.index += 1;
    }

    /// The item, as far as it is whole.
    pub(in crate::render::responses) fn write(&self, status: &str, item: &mut Object<'_>) {
        item.string("id", &self.id).string("type", "message").string("status", status).string("role", "assistant");
        if let Some(phase) = self.phase {
            item.string("phase", phase_name(phase));
        }
        let content = item.key("content");
        content.push(b'[');
        content.extend_from_slice(&self.content);
        content.push(b']');
    }

    /// Sees to it that a part of this kind is open.
    fn open(&mut self, refusal: bool, index: u32, stream: &mut Stream, out: &mut Vec<u8>) {
        if self.part.as_ref().is_some_and(|part| part.refusal == refusal) {
            return;
        }
        self.close(index, stream, out);
        let part = Part { refusal, ..Part::default() };
        stream.of("response.content_part.added", Place { id: &self.id, index }, out, |event| {
            number(event, "content_index", self.index.into());
            event.object("part", |out| part.write(out));
        });
        self.part = Some(part);
    }
}

/// Adds to a list without its brackets.
fn push(list: &mut Vec<u8>, element: &[u8]) {
    if !list.is_empty() {
        list.push(b',');
    }
    list.extend_from_slice(element);
}

// === impl Part ===

impl Part {
    /// The event at its end, and where its text stands in it.
    fn names(&self) -> (&'static str, &'static str) {
        match self.refusal {
            true => ("response.refusal.done", "refusal"),
            false => ("response.output_text.done", "text"),
        }
    }

    fn write(&self, out: &mut Object<'_>) {
        if self.refusal {
            out.string("type", "refusal").string("refusal", &self.text);
            return;
        }
        out.string("type", "output_text").string("text", &self.text);
        let annotations = out.key("annotations");
        annotations.push(b'[');
        annotations.extend_from_slice(&self.cited);
        annotations.push(b']');
        out.array("logprobs", |_| {});
    }
}
