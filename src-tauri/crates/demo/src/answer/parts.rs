//! One output item as events: how it opens, its deltas, how it closes.

use std::time::Duration;

use serde_json::Value;

use crate::recipe::Item;

pub(super) type Event = (&'static str, Value);

/// The events of one item, or of several that run into each other.
pub(super) struct Parts {
    pub(super) open: Vec<Event>,
    pub(super) deltas: Deltas,
    pub(super) close: Vec<Event>,
    /// The finished items.
    pub(super) done: Vec<Value>,
}

pub(super) enum Deltas {
    Events(Vec<Event>),
    /// Numbered words, made while they are sent.
    Run {
        id: Value,
        index: u64,
        from: u64,
        to: u64,
        every: Option<Duration>,
    },
}

/// Cuts an item in half, as `max_output_tokens` would.
pub(super) fn shorten(item: &mut Item) {
    let halve = |text: &mut String| {
        let half = text.chars().count().div_ceil(2);
        *text = text.chars().take(half).collect();
    };
    match item {
        Item::Text { text, .. } | Item::Refusal(text) => halve(text),
        Item::Call { arguments, .. } => halve(arguments),
        Item::Drip { count, .. } => *count = count.div_ceil(2),
        Item::Reasoning(parts) => parts.truncate(1),
        Item::Search(_) | Item::Compaction => {}
    }
}

// === impl Parts ===

impl Parts {
    /// Runs another item into this one: all open, then deltas in turn, and the last one closes first.
    pub(super) fn interleave(&mut self, other: Self) {
        self.open.extend(other.open);
        if let (Deltas::Events(ours), Deltas::Events(theirs)) = (&mut self.deltas, other.deltas) {
            let mut mixed = Vec::with_capacity(ours.len() + theirs.len());
            let (mut left, mut right) = (std::mem::take(ours).into_iter(), theirs.into_iter());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => break,
                    (one, other) => mixed.extend(one.into_iter().chain(other)),
                }
            }
            *ours = mixed;
        }
        self.close.splice(0..0, other.close);
        self.done.extend(other.done);
    }

    /// Takes ids and names out of everything but the finished item.
    pub(super) fn without_ids(mut self) -> Self {
        let strip = |event: &mut Event| {
            if let Some(fields) = event.1.as_object_mut() {
                fields.remove("item_id");
            }
        };
        for event in &mut self.open {
            strip(event);
            if let Some(item) = event.1.get_mut("item").and_then(Value::as_object_mut) {
                ["id", "call_id", "name"].into_iter().for_each(|key| drop(item.remove(key)));
            }
        }
        match &mut self.deltas {
            Deltas::Events(events) => events.iter_mut().for_each(strip),
            Deltas::Run { id, .. } => *id = Value::Null,
        }
        self.close.iter_mut().for_each(strip);
        self
    }
}

// === impl Deltas ===

impl Default for Deltas {
    fn default() -> Self {
        Self::Events(Vec::new())
    }
}

impl Deltas {
    pub(super) fn halves(self) -> (Self, Self) {
        match self {
            Self::Events(mut events) => {
                let rest = events.split_off(events.len().div_ceil(2));
                (Self::Events(events), Self::Events(rest))
            }
            Self::Run { id, index, from, to, every } => {
                let middle = from + (to - from).div_ceil(2);
                let first = Self::Run { id: id.clone(), index, from, to: middle, every };
                (first, Self::Run { id, index, from: middle, to, every })
            }
        }
    }

    /// Sends the first argument delta before its item is opened.
    pub(super) fn swap_first(&mut self, open: &[Event], mut send: impl FnMut(&Event)) {
        let call = open.iter().any(|event| event.1["item"]["type"] == "function_call");
        if let (true, Self::Events(events)) = (call, self)
            && !events.is_empty()
        {
            send(&events.remove(0));
        }
    }
}
