//! One item's text, which comes in parts and pieces and is then repeated whole.
//!
//! A text only ever grows at its end, because what was sent cannot be taken back.

use codeferry_wire::responses::event::Channel;
use smallvec::{SmallVec, smallvec};

/// The text of an item, and how much of it has been sent.
#[derive(Debug)]
pub(super) struct Parts {
    /// What stands between two parts that are not empty.
    joiner: &'static str,
    text: String,
    sent: usize,
    parts: SmallVec<[Part; 1]>,
}

#[derive(Debug)]
struct Part {
    channel: Channel,
    index: u32,
    /// Where its own text starts, behind the joiner.
    start: usize,
}

// === impl Parts ===

impl Parts {
    pub(super) fn new(joiner: &'static str) -> Self {
        Self { joiner, text: String::new(), sent: 0, parts: smallvec![] }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether all of it has been sent.
    pub(super) fn is_sent(&self) -> bool {
        self.sent == self.text.len()
    }

    /// The channel of the first part: an item that began as a summary goes on as one.
    pub(super) fn channel(&self) -> Option<Channel> {
        self.parts.first().map(|part| part.channel)
    }

    pub(super) fn has_channel(&self, channel: Channel) -> bool {
        self.parts.iter().any(|part| part.channel == channel)
    }

    /// The texts of the parts.
    pub(super) fn split(&self) -> impl Iterator<Item = &str> {
        let joiner = self.joiner.len();
        self.parts.iter().enumerate().map(move |(place, part)| {
            let end = self.parts.get(place + 1).map_or(self.text.len(), |next| next.start.saturating_sub(joiner));
            &self.text[part.start..end.max(part.start)]
        })
    }

    /// Appends a piece. False when it belongs to a part that another one has followed: too late.
    pub(super) fn push(&mut self, channel: Channel, index: u32, piece: &str) -> bool {
        match self.parts.last() {
            Some(last) if last.channel == channel && last.index == index => self.text.push_str(piece),
            _ if piece.is_empty() => {}
            _ if self.find(channel, index).is_some() => return false,
            _ => {
                if !self.text.is_empty() {
                    self.text.push_str(self.joiner);
                }
                self.parts.push(Part { channel, index, start: self.text.len() });
                self.text.push_str(piece);
            }
        }
        true
    }

    /// A part is repeated whole. Only what is missing at the end is taken: whether the rest agrees is decided when the
    /// item is whole, for the parts' indices cannot be trusted.
    pub(super) fn whole_part(&mut self, channel: Channel, index: u32, whole: &str) {
        match self.find(channel, index) {
            Some(place) if place + 1 == self.parts.len() => {
                if let Some(rest) = whole.strip_prefix(&self.text[self.parts[place].start..]) {
                    self.text.push_str(rest);
                }
            }
            Some(_) => {}
            None if self.text.ends_with(whole) => {}
            None => {
                self.push(channel, index, whole);
            }
        }
    }

    /// The item is repeated whole. False when it contradicts what has been sent; then that stays.
    pub(super) fn reconcile(&mut self, whole: &[(Channel, &str)]) -> bool {
        if let [(_, text)] = whole
            && *text == self.text
        {
            return true;
        }
        let joined = {
            let mut joined = Self::new(self.joiner);
            for (index, (channel, text)) in (0..).zip(whole) {
                joined.push(*channel, index, text);
            }
            joined
        };
        // Some upstreams send the item without its content at the end.
        if joined.is_empty() || joined.text == self.text {
            return true;
        }
        if !joined.text.as_bytes().starts_with(&self.text.as_bytes()[..self.sent]) {
            return false;
        }
        *self = Self { sent: self.sent, ..joined };
        true
    }

    /// Takes what has not been sent yet, as far as it is of one channel.
    pub(super) fn take_pending(&mut self) -> Option<(Channel, &str)> {
        if self.is_sent() {
            return None;
        }
        let from = self.sent;
        // The last part that starts here or before; a joiner belongs to the part behind it.
        let here = self.parts.iter().rposition(|part| part.start.saturating_sub(self.joiner.len()) <= from)?;
        let channel = self.parts[here].channel;
        let end = self.parts[here + 1..]
            .iter()
            .find(|part| part.channel != channel)
            .map_or(self.text.len(), |next| next.start - self.joiner.len());
        self.sent = end;
        Some((channel, &self.text[from..end]))
    }

    /// The piece that was just pushed goes out as it came. Only right when everything before it has been sent.
    pub(super) fn mark_sent(&mut self) {
        self.sent = self.text.len();
    }

    fn find(&self, channel: Channel, index: u32) -> Option<usize> {
        self.parts.iter().position(|part| part.channel == channel && part.index == index)
    }
}
