//! The judge of Gemini frames: the rules that clients rely on.

use codeferry_translate::envelope;
use codeferry_wire::gemini::frame::{End, Frame, Part};
use codeferry_wire::json::{Kind, Reader};

/// Takes every frame of one answer and remembers which rules were broken.
#[derive(Debug, Default)]
pub struct Pieces {
    text: usize,
    ended: bool,
    /// The rules that were broken.
    pub broken: Vec<String>,
}

// === impl Pieces ===

impl Pieces {
    /// Takes one frame.
    pub fn take(&mut self, frame: &Frame<'_>) {
        let mut wrong = |rule: &str| self.broken.push(format!("{rule}: {frame:?}"));
        if self.ended {
            wrong("a frame after the end");
        }
        let sealed = match frame {
            Frame::Part(Part::Text { text, signature }) => {
                if text.is_empty() {
                    wrong("a text with nothing in it");
                }
                self.text += text.len();
                *signature
            }
            Frame::Part(Part::Thought(text)) => {
                if text.trim().is_empty() {
                    wrong("a thought with nothing in it");
                }
                None
            }
            Frame::Part(Part::Call { id, name, args, signature }) => {
                if id.is_empty() || name.is_empty() {
                    wrong("a call has an id and a name");
                }
                let mut reader = Reader::of(args);
                if !reader.value().is_ok_and(|value| value.kind() == Kind::Object) || reader.finish().is_err() {
                    wrong("the arguments of a call are an object");
                }
                *signature
            }
            Frame::End(End { usage, grounding, .. }) => {
                if usage.cached > usage.prompt {
                    wrong("a part larger than the whole");
                }
                let supports = grounding.iter().flat_map(|grounding| {
                    let pages = grounding.pages.len();
                    grounding.supports.iter().map(move |support| (support, pages))
                });
                for (support, pages) in supports {
                    if support.end - support.start != support.text.len()
                        || support.end > self.text
                        || support.page >= pages
                    {
                        wrong("a support is a piece of the text, and has a page");
                    }
                }
                self.ended = true;
                None
            }
            Frame::Error(_) => {
                self.ended = true;
                None
            }
            Frame::KeepAlive => None,
        };
        if sealed.is_some_and(|signature| envelope::unpack(signature).is_empty()) {
            wrong("a signature that opens to nothing");
        }
    }

    /// The broken rules, once the stream is over.
    pub fn finish(mut self) -> Vec<String> {
        if !self.ended {
            self.broken.push("no end".to_owned());
        }
        self.broken
    }
}
