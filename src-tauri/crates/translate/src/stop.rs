//! The limits that a client sets and the upstream refuses to keep: `stop_sequences` and `max_tokens`.
//!
//! The enforcer stands between the reducer and the renderer: turn events in, turn events out, in the same grammar. When a
//! limit is reached it ends the turn itself and says so in [`Enforcer::cut`], upon which the gateway cancels the upstream.
//!
//! **Stop sequences** count in the text of messages only. Text that may be the beginning of one is held back until it is
//! decided, also across deltas, so a client never sees any of it. The sequence that is complete first wins; of two that
//! end at the same character, the longer one.
//!
//! **The length** is counted in o200k tokens over all that is shown: text, thinking, tool arguments. (Reasoning that is not
//! shown costs nothing here; the upstream bounds it.) Text and thinking are cut at the token. A tool call is never cut:
//! half an argument list is no call at all, and a client would run into an error instead of going on; so a call may run
//! over the limit, and the answer then ends before the next item.
//!
//! No counting happens while there are fewer bytes than tokens left, since a token is at least one byte. The ranks stay out
//! of memory until then. (An estimate would say so for longer, but it takes a word that is no word for one token.)

use std::borrow::Cow;

use smallvec::smallvec;

use crate::tokens;
use crate::turn::{Delta, Events, Finish, ItemDone, ItemStart, Reasoning, TurnEvent};

mod hold;
#[cfg(test)]
mod tests;

/// A last word longer than this is counted in pieces, at worst as one token too many: it is no word, and counting it anew
/// with each delta would take ever longer.
const LONGEST_WORD: usize = 256;

use hold::{Hold, Scanned};

/// What the client has asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Texts at which the answer ends. Empty ones are ignored.
    pub stop_sequences: Vec<String>,
    /// The most tokens the answer may have.
    pub max_tokens: Option<u64>,
    /// Whether thinking is shown, and so counts.
    pub thinking: bool,
}

/// Why a turn was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A stop sequence came up.
    StopSequence,
    /// The answer reached its length.
    Length,
}

/// Keeps one answer within its limits.
#[derive(Debug)]
pub struct Enforcer {
    hold: Hold,
    /// Tokens that may still come after what has been counted.
    left: Option<u64>,
    /// What has been shown and not been counted.
    uncounted: String,
    thinking: bool,
    open: Option<Open>,
    cut: Option<Cut>,
}

/// The open item, if it can be cut, as far as it has been shown.
#[derive(Debug)]
struct Open {
    index: u32,
    kind: Kind,
    shown: String,
    refused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
}

// === impl Open ===

impl Open {
    fn new(index: u32, kind: Kind) -> Self {
        Self { index, kind, shown: String::new(), refused: false }
    }
}

// === impl Enforcer ===

impl Enforcer {
    /// An enforcer for one answer.
    pub fn new(limits: Limits) -> Self {
        Self {
            hold: Hold::new(limits.stop_sequences),
            left: limits.max_tokens,
            uncounted: String::new(),
            thinking: limits.thinking,
            open: None,
            cut: None,
        }
    }

    /// Whether and why the turn was cut. The upstream is to be cancelled then.
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// Takes one step. After a cut there are no more.
    pub fn on_event<'a>(&mut self, event: TurnEvent<'a>) -> Events<'a> {
        if self.cut.is_some() {
            return Events::new();
        }
        match event {
            TurnEvent::ItemStarted { .. } if self.is_used_up() => self.end(Events::new(), Cut::Length, Finish::Length),
            TurnEvent::ItemStarted { index, item } => {
                self.open = match item {
                    ItemStart::Message { .. } => Some(Open::new(index, Kind::Message)),
                    ItemStart::Reasoning => Some(Open::new(index, Kind::Reasoning)),
                    ItemStart::ToolCall { .. } | ItemStart::Search | ItemStart::Image => None,
                };
                smallvec![TurnEvent::ItemStarted { index, item }]
            }
            TurnEvent::Delta { index, delta: Delta::Text(text) } => self.on_text(index, text),
            TurnEvent::Delta { index, delta: Delta::Refusal(text) } => {
                let mut out = self.release(index);
                if self.cut.is_none() {
                    if let Some(open) = &mut self.open {
                        open.refused = true;
                    }
                    self.show(index, text, Delta::Refusal, &mut out);
                }
                out
            }
            TurnEvent::Delta { index, delta: Delta::Thinking(text) } => {
                let mut out = Events::new();
                if self.thinking {
                    self.show(index, text, Delta::Thinking, &mut out);
                } else {
                    out.push(TurnEvent::Delta { index, delta: Delta::Thinking(text) });
                }
                out
            }
            TurnEvent::Delta { index, delta: Delta::Payload(text) } => {
                self.note(&text);
                self.settle();
                smallvec![TurnEvent::Delta { index, delta: Delta::Payload(text) }]
            }
            TurnEvent::ItemDone { index, item } => {
                let mut out = self.release(index);
                if self.cut.is_none() {
                    self.open = None;
                    out.push(TurnEvent::ItemDone { index, item });
                }
                out
            }
            TurnEvent::Failed(_) | TurnEvent::CutOff => {
                let mut out = match &self.open {
                    Some(open) => self.release(open.index),
                    None => Events::new(),
                };
                if self.cut.is_none() {
                    out.push(event);
                }
                out
            }
            TurnEvent::Delta { delta: Delta::Citation(_), .. }
            | TurnEvent::Started { .. }
            | TurnEvent::Usage(_)
            | TurnEvent::Finished(_) => smallvec![event],
        }
    }

    fn on_text<'a>(&mut self, index: u32, text: Cow<'a, str>) -> Events<'a> {
        let mut out = Events::new();
        match self.hold.scan(text) {
            Scanned::Free(text) => self.show(index, text, Delta::Text, &mut out),
            Scanned::Stopped { before, sequence } => {
                self.show(index, before, Delta::Text, &mut out);
                if self.cut.is_none() {
                    out = self.end(out, Cut::StopSequence, Finish::StopSequence(Cow::Owned(sequence)));
                }
            }
        }
        out
    }

    /// What was held back has turned out to be text.
    fn release<'a>(&mut self, index: u32) -> Events<'a> {
        let mut out = Events::new();
        let held = self.hold.release();
        self.show(index, Cow::Owned(held), Delta::Text, &mut out);
        out
    }

    /// Shows a piece, as far as the length allows.
    fn show<'a>(
        &mut self,
        index: u32,
        text: Cow<'a, str>,
        delta: impl Fn(Cow<'a, str>) -> Delta<'a>,
        out: &mut Events<'a>,
    ) {
        if text.is_empty() {
            return;
        }
        let allowed = self.allow(&text);
        let piece = match allowed {
            Some(allowed) => Cow::Owned(text[..allowed].to_owned()),
            None => text,
        };
        if !piece.is_empty() {
            if let Some(open) = &mut self.open {
                open.shown.push_str(&piece);
            }
            out.push(TurnEvent::Delta { index, delta: delta(piece) });
        }
        if allowed.is_some() {
            *out = self.end(std::mem::take(out), Cut::Length, Finish::Length);
        }
    }

    /// How much of `text` may be shown: `None` for all of it, else up to where.
    fn allow(&mut self, text: &str) -> Option<usize> {
        let left = self.left?;
        let shown = self.uncounted.len();
        self.note(text);
        if self.is_far() {
            return None;
        }
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        match tokens::cut_after(&self.uncounted, left) {
            None => {
                self.settle();
                None
            }
            Some(end) => {
                let mut allowed = end.saturating_sub(shown);
                while !text.is_char_boundary(allowed) {
                    allowed -= 1;
                }
                Some(allowed)
            }
        }
    }

    fn note(&mut self, shown: &str) {
        if self.left.is_some() {
            self.uncounted.push_str(shown);
        }
    }

    /// Whether the limit is so far away that nothing has to be counted.
    fn is_far(&self) -> bool {
        self.left.is_none_or(|left| self.uncounted.len() as u64 <= left)
    }

    /// Counts what has not been counted, once it could matter, up to the last word: that may still grow.
    fn settle(&mut self) {
        if !self.is_far() {
            self.count(seam(&self.uncounted));
        }
    }

    /// Between two items, where no word goes on.
    fn is_used_up(&mut self) -> bool {
        if !self.is_far() {
            self.count(self.uncounted.len());
        }
        self.left == Some(0)
    }

    fn count(&mut self, end: usize) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(tokens::count(&self.uncounted[..end]) as u64);
            self.uncounted.drain(..end);
        }
    }

    fn end<'a>(&mut self, mut out: Events<'a>, cut: Cut, finish: Finish<'a>) -> Events<'a> {
        self.cut = Some(cut);
        if let Some(Open { index, kind, shown, refused }) = self.open.take() {
            let text = Cow::Owned(shown);
            let item = match kind {
                Kind::Message => ItemDone::Message { text, refused },
                Kind::Reasoning => ItemDone::Reasoning(Reasoning { text, ..Reasoning::default() }),
            };
            out.push(TurnEvent::ItemDone { index, item });
        }
        out.push(TurnEvent::Finished(finish));
        out
    }
}

/// Where the last word begins, the space before it included: up to there the tokens are all but certain.
fn seam(text: &str) -> usize {
    let word = text.trim_end().rfind(char::is_whitespace).map_or(0, |space| text[..=space].trim_end().len());
    if text.len() - word > LONGEST_WORD { text.len() } else { word }
}
