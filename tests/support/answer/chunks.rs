//! The judge of chat frames: the rules that clients rely on (`seed-b.md §2.5`; claude-code.md §10).

use codeferry_wire::chat::frame::Frame;

/// Takes every frame of one answer and remembers which rules were broken.
#[derive(Debug, Default)]
pub struct Chunks {
    started: bool,
    calls: u32,
    finished: bool,
    counted: bool,
    ended: bool,
    /// The rules that were broken.
    pub broken: Vec<String>,
}

// === impl Chunks ===

impl Chunks {
    /// Takes one frame.
    pub fn take(&mut self, frame: &Frame<'_>) {
        let mut wrong = |rule: &str| self.broken.push(format!("{rule}: {frame:?}"));
        if self.ended {
            wrong("a frame after the end");
        }
        if !std::mem::replace(&mut self.started, true) && *frame != Frame::Role {
            wrong("the role comes first");
        }
        if self.finished && !matches!(frame, Frame::Usage(_) | Frame::Done) {
            wrong("a frame between the finish and the end");
        }
        match frame {
            Frame::Role | Frame::KeepAlive | Frame::Citation { .. } => {}
            Frame::Content(text) | Frame::Refusal(text) | Frame::Reasoning(text) => {
                if text.is_empty() {
                    wrong("a delta with nothing in it");
                }
            }
            Frame::Call { index, id, name } => {
                if *index != self.calls || id.is_empty() || name.is_empty() {
                    wrong("a call has the next index, an id and a name");
                }
                self.calls += 1;
            }
            Frame::Arguments { index, .. } => {
                if index + 1 != self.calls {
                    wrong("arguments for a call that is not open");
                }
            }
            Frame::Function { .. } | Frame::FunctionArguments(_) => wrong("the older form, which nobody asked for"),
            Frame::Finish(_) => {
                if std::mem::replace(&mut self.finished, true) {
                    wrong("a second finish");
                }
            }
            Frame::Usage(usage) => {
                if !self.finished || std::mem::replace(&mut self.counted, true) {
                    wrong("the usage comes once, behind the finish");
                }
                if usage.cached > usage.prompt || usage.reasoning > usage.completion {
                    wrong("a part larger than the whole");
                }
            }
            Frame::Done => {
                if !self.finished || !self.counted {
                    wrong("done without a finish");
                }
                self.ended = true;
            }
            Frame::Error(_) => {
                if self.finished {
                    wrong("an error after the finish");
                }
                self.ended = true;
            }
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
