//! The judge of Anthropic frames: the rules that clients rely on (claude-code.md §0, §5, §10).

use std::collections::HashSet;

use codeferry_wire::anthropic::frame::{Block, Delta, Frame};

/// Takes every frame of one answer and remembers which rules were broken.
#[derive(Debug, Default)]
pub struct Blocks {
    started: bool,
    next: u32,
    open: Option<(&'static str, bool)>,
    stopped: bool,
    ended: bool,
    failed: bool,
    ids: HashSet<String>,
    searches: HashSet<String>,
    /// The rules that were broken.
    pub broken: Vec<String>,
}

// === impl Blocks ===

impl Blocks {
    /// Takes one frame.
    pub fn take(&mut self, frame: &Frame<'_>) {
        if self.ended {
            self.broken.push(format!("a frame after the end: {frame:?}"));
        }
        if !self.started && !matches!(frame, Frame::MessageStart { .. }) {
            self.broken.push(format!("a frame before message_start: {frame:?}"));
        }
        if self.stopped && !matches!(frame, Frame::MessageStop | Frame::Ping) {
            self.broken.push(format!("a frame between message_delta and message_stop: {frame:?}"));
        }
        match frame {
            Frame::MessageStart { .. } => {
                if std::mem::replace(&mut self.started, true) {
                    self.broken.push("two message_start".to_owned());
                }
            }
            Frame::BlockStart { index, block } => self.on_start(*index, block),
            Frame::BlockDelta { index, delta } => self.on_delta(*index, delta),
            Frame::BlockStop { index } => match self.open.take() {
                Some((kind, full)) => {
                    if index + 1 != self.next {
                        self.broken.push(format!("block {index} stops while {} is open", self.next - 1));
                    }
                    if kind == "text" && !full {
                        self.broken.push("an empty text block".to_owned());
                    }
                }
                None => self.broken.push(format!("block {index} stops and none is open")),
            },
            Frame::MessageDelta { stop, .. } => {
                self.stopped = stop.is_some();
                if stop.is_some() && self.open.is_some() {
                    self.broken.push("the message stops inside a block".to_owned());
                }
            }
            Frame::MessageStop => {
                self.ended = true;
                if !self.stopped {
                    self.broken.push("message_stop without a reason".to_owned());
                }
            }
            Frame::Error { .. } => {
                self.ended = true;
                self.failed = true;
            }
            Frame::Ping => {}
        }
    }

    /// The answer is over.
    pub fn finish(mut self) -> Vec<String> {
        if !self.ended {
            self.broken.push("no end".to_owned());
        }
        if !self.failed && !self.searches.is_empty() {
            self.broken.push(format!("searches without results: {:?}", self.searches));
        }
        self.broken
    }

    fn on_start(&mut self, index: u32, block: &Block<'_>) {
        if index != self.next {
            self.broken.push(format!("block {index} where {} was due", self.next));
        }
        self.next += 1;
        let kind = match block {
            Block::Text => "text",
            Block::Thinking => "thinking",
            Block::RedactedThinking { .. } => "redacted",
            Block::ToolUse { id, .. } | Block::ServerToolUse { id, .. } => {
                if !self.ids.insert((*id).to_owned()) {
                    self.broken.push(format!("the tool id {id} twice"));
                }
                if matches!(block, Block::ServerToolUse { .. }) {
                    self.searches.insert((*id).to_owned());
                }
                "tool"
            }
            Block::SearchResult { tool_use_id, .. } => {
                if !self.searches.remove(*tool_use_id) {
                    self.broken.push(format!("a result for {tool_use_id}, which is no open search"));
                }
                "result"
            }
        };
        if self.open.replace((kind, false)).is_some() {
            self.broken.push("a block began in another".to_owned());
        }
    }

    fn on_delta(&mut self, index: u32, delta: &Delta<'_>) {
        let Some((kind, full)) = &mut self.open else {
            return self.broken.push(format!("a delta outside of a block: {delta:?}"));
        };
        if index + 1 != self.next {
            self.broken.push(format!("a delta for block {index}, while {} is open", self.next - 1));
        }
        let wanted = match delta {
            Delta::Text(text) => {
                *full |= !text.is_empty();
                "text"
            }
            Delta::Citation { .. } => "text",
            Delta::Thinking(_) | Delta::Signature(_) => "thinking",
            Delta::InputJson(_) => "tool",
        };
        if *kind != wanted {
            self.broken.push(format!("a delta for {wanted} in a {kind} block"));
        }
    }
}
