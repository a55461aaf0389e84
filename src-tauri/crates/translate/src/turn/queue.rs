//! The items on their way: which item an event means, and whose turn it is.
//!
//! Upstreams name an item by id, by place, by both or by neither; some change the id from event to event. The rules below
//! are tried from the surest to the boldest.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use codeferry_wire::responses::event::{At, Item};

use super::slot::{Kind, Slot};

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The first one is sent as it comes; the others wait.
    waiting: VecDeque<Slot>,
    seen: Vec<Seen>,
}

/// What is remembered of an item that is over, so that it does not come again.
#[derive(Debug)]
struct Seen {
    id: Option<String>,
    output_index: Option<u32>,
    kind: Option<Kind>,
    call_id: Option<String>,
    text: u64,
}

// === impl Queue ===

impl Queue {
    pub(super) fn front(&mut self) -> Option<&mut Slot> {
        self.waiting.front_mut()
    }

    pub(super) fn slot(&mut self, place: usize) -> Option<&mut Slot> {
        self.waiting.get_mut(place)
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.waiting.iter_mut()
    }

    /// Takes the first item off, for good.
    pub(super) fn pop(&mut self) -> Option<Slot> {
        let slot = self.waiting.pop_front()?;
        self.seen.push(Seen {
            id: slot.id.clone(),
            output_index: slot.output_index,
            kind: Some(slot.kind),
            call_id: slot.call_id().map(str::to_owned),
            text: hash(slot.text()),
        });
        Some(slot)
    }

    /// The waiting item that a piece or an end of an item means.
    pub(super) fn find(&mut self, at: &At<'_>, kind: Kind) -> Option<usize> {
        let found = self
            .by_id(at, kind)
            // Where id and place disagree the place is right: some upstreams make up a new id for each event.
            .or_else(|| self.position(kind, |slot| at.output_index.is_some() && slot.output_index == at.output_index))
            .or_else(|| match (&at.item_id, at.output_index) {
                (None, None) => self.waiting.iter().rposition(|slot| slot.kind == kind && !slot.closed),
                (Some(_), None) => self.position(kind, |slot| slot.id.is_none() && !slot.closed),
                (None, Some(_)) => self.position(kind, |slot| slot.output_index.is_none() && !slot.closed),
                (Some(_), Some(_)) => {
                    self.position(kind, |slot| slot.id.is_none() && slot.output_index.is_none() && !slot.closed)
                }
            })?;
        self.adopt(found, at);
        Some(found)
    }

    /// The waiting item that the beginning of an item means: one of which only pieces have been seen so far.
    pub(super) fn find_new(&mut self, at: &At<'_>, kind: Kind) -> Option<usize> {
        let found = self.by_id(at, kind).or_else(|| {
            self.position(kind, |slot| {
                let same_place = slot.output_index == at.output_index || at.output_index.is_none();
                let no_place = slot.output_index.is_none();
                !slot.described && (slot.id.is_none() || at.item_id.is_none()) && (same_place || no_place)
            })
        })?;
        self.adopt(found, at);
        Some(found)
    }

    /// Whether the event means an item that is over.
    pub(super) fn is_over(&self, at: &At<'_>, kind: Option<Kind>) -> bool {
        self.seen.iter().any(|seen| match (&at.item_id, &seen.id) {
            (Some(id), Some(other)) if *id == other.as_str() => true,
            _ => at.output_index.is_some() && seen.output_index == at.output_index && seen.kind == kind,
        })
    }

    /// Whether an item that begins is one that is over. Its place says nothing: some upstreams count all items as 0.
    pub(super) fn is_over_by_id(&self, at: &At<'_>) -> bool {
        at.item_id.is_some() && self.seen.iter().any(|seen| seen.id.as_deref() == at.item_id.as_deref())
    }

    /// Whether an item that the end of the answer repeats is over, by whatever can be compared.
    pub(super) fn is_repeated(&self, at: &At<'_>, item: &Item<'_>) -> bool {
        let kind = Kind::of(item);
        if self.is_over(at, kind) {
            return true;
        }
        let by_order = at
            .output_index
            .and_then(|place| self.seen.get(usize::try_from(place).ok()?))
            .is_some_and(|seen| seen.output_index.is_none() && seen.id.is_none() && seen.kind == kind);
        by_order
            || match item {
                Item::FunctionCall(call) | Item::CustomToolCall(call) => {
                    call.call_id.is_some()
                        && self.seen.iter().any(|seen| seen.call_id.as_deref() == call.call_id.as_deref())
                }
                Item::Message(message) => {
                    let text: String = message.parts.iter().map(|part| part.text.as_ref()).collect();
                    let text = hash(&text);
                    self.seen.iter().any(|seen| seen.kind == Some(Kind::Message) && seen.text == text)
                }
                _ => false,
            }
    }

    /// Puts a new item in its place: items wait in the order of their places, and the one that has begun stays first.
    pub(super) fn insert(&mut self, at: &At<'_>, kind: Kind) -> usize {
        let mut slot = Slot::new(kind);
        slot.id = at.item_id.as_deref().map(str::to_owned);
        slot.output_index = at.output_index;
        let comes_after = |other: &Slot| {
            other.index.is_none() && other.output_index.zip(at.output_index).is_some_and(|(other, new)| other > new)
        };
        let place = self.waiting.iter().position(comes_after).unwrap_or(self.waiting.len());
        self.waiting.insert(place, slot);
        place
    }

    /// Remembers an item that is not carried.
    pub(super) fn pass_over(&mut self, at: &At<'_>) {
        self.seen.push(Seen {
            id: at.item_id.as_deref().map(str::to_owned),
            output_index: at.output_index,
            kind: None,
            call_id: None,
            text: 0,
        });
    }

    fn by_id(&self, at: &At<'_>, kind: Kind) -> Option<usize> {
        let id = at.item_id.as_deref()?;
        self.position(kind, |slot| slot.id.as_deref() == Some(id))
    }

    fn position(&self, kind: Kind, fits: impl Fn(&Slot) -> bool) -> Option<usize> {
        self.waiting.iter().position(|slot| slot.kind == kind && fits(slot))
    }

    /// Ids and places that come late are taken when they come.
    fn adopt(&mut self, place: usize, at: &At<'_>) {
        let slot = &mut self.waiting[place];
        if slot.id.is_none() {
            slot.id = at.item_id.as_deref().map(str::to_owned);
        }
        slot.output_index = slot.output_index.or(at.output_index);
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
