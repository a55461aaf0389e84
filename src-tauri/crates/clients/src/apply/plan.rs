//! From what stands there and what is wished to what is to stand there. Pure.

use super::Wish;
use crate::format::{Bad, Document, Pointer, Value};
use crate::ledger::{Notes, Own, Wrote};

/// What is to be written, and noted.
pub(super) struct Planned<'c> {
    client: &'c str,
    pub(super) document: Document,
    pub(super) notes: Notes,
    /// Places that were ours and are not any more, through somebody else.
    pub(super) kept: Vec<Pointer>,
}

pub(super) fn plan<'c>(document: Document, notes: Notes, client: &'c str, wishes: &[Wish]) -> Result<Planned<'c>, Bad> {
    let mut plan = Planned { client, document, notes, kept: Vec::new() };
    for wish in wishes {
        match wish {
            Wish::Take { pointer, value, key } => plan.take_all(pointer, value.as_ref(), key.as_deref())?,
            Wish::GiveBack(pointer) => plan.give_back(|own| own.step.pointer == *pointer)?,
            Wish::GiveBackAll => plan.give_back(|_| true)?,
            Wish::Leave { pointer, value } => {
                let value = &plan.document.format().held(value);
                plan.give_back(|own| own.step.pointer == *pointer)?;
                plan.kept.retain(|kept| kept != pointer);
                if !plan.document.value(pointer)?.is_some_and(|stands| stands.means(value)) {
                    plan.document.set(pointer, value)?;
                }
            }
        }
    }
    Ok(plan)
}

/// The places of a table's values, each on its own: somebody may change one and leave the others.
fn places<'v>(pointer: &Pointer, value: &'v Value, all: &mut Vec<(Pointer, &'v Value)>) {
    match value {
        Value::Table(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| places(&pointer.then(name), value, all));
        }
        _ => all.push((pointer.clone(), value)),
    }
}

// === impl Planned ===

impl Planned<'_> {
    /// A table is taken value by value. What was ours in it and is not wished any more is given back.
    fn take_all(&mut self, pointer: &Pointer, value: Option<&Value>, key: Option<&str>) -> Result<(), Bad> {
        let Some(value) = value else { return self.take(pointer, None, None) };
        let mut all = Vec::new();
        places(pointer, value, &mut all);
        if matches!(value, Value::Table(_)) {
            let below = |own: &Own| own.step.pointer.is_below(pointer);
            let wished = |own: &Own| {
                all.iter().any(|(place, _)| *place == own.step.pointer || place.is_below(&own.step.pointer))
            };
            self.give_back(|own| below(own) && !wished(own))?;
            // What somebody else put there is not kept against a wish; it is simply not ours.
            self.kept.retain(|kept| !kept.is_below(pointer));
        }
        for (place, value) in all {
            let value = self.document.format().held(value);
            let named = place == *pointer || value.text().is_some_and(is_client_key);
            self.take(&place, Some(&value), key.filter(|_| named))?;
        }
        Ok(())
    }

    fn take(&mut self, pointer: &Pointer, value: Option<&Value>, key: Option<&str>) -> Result<(), Bad> {
        if let Some(at) = self.notes.own.iter().position(|own| own.step.pointer == *pointer) {
            let own = &mut self.notes.own[at];
            match (own.still_there(&self.document)?, &own.wrote, value) {
                (true, Wrote::Gone, None) => return Ok(()),
                (true, Wrote::Text(_) | Wrote::Value(_), Some(value)) => {
                    let new = Wrote::of(value);
                    if own.wrote != new {
                        self.document.set(pointer, value)?;
                        own.wrote = new;
                        own.key = key.map(str::to_owned);
                    }
                    return Ok(());
                }
                (true, ..) => {
                    self.document.undo(&own.step)?;
                    self.notes.own.remove(at);
                }
                // What somebody put there since is what stood there before.
                (false, ..) => drop(self.notes.own.remove(at)),
            }
        }
        let steps = match value {
            // What stands there already is not ours.
            Some(value) if self.document.value(pointer)?.is_some_and(|stands| stands.means(value)) => return Ok(()),
            Some(value) => self.document.set(pointer, value)?,
            None => self.document.delete(pointer)?.into_iter().collect(),
        };
        for step in steps {
            self.notes.own.retain(|own| own.step.pointer != step.pointer);
            let (wrote, key) = match value {
                Some(value) if step.pointer == *pointer => (Wrote::of(value), key.map(str::to_owned)),
                Some(_) => (Wrote::Object, None),
                None => (Wrote::Gone, None),
            };
            self.notes.own.push(Own { step, wrote, key, client: self.client.to_owned() });
        }
        Ok(())
    }

    /// The last one first, so that each finds around it what it left.
    fn give_back(&mut self, which: impl Fn(&Own) -> bool) -> Result<(), Bad> {
        let client = self.client;
        let (back, own) =
            std::mem::take(&mut self.notes.own).into_iter().partition(|own| own.client == client && which(own));
        self.notes.own = own;
        let back: Vec<Own> = back;
        for own in back.into_iter().rev() {
            let pointer = &own.step.pointer;
            if own.still_there(&self.document).unwrap_or(false) {
                self.document.undo(&own.step)?;
            } else if own.wrote != Wrote::Object
                && self.document.raw(pointer).unwrap_or_default().as_deref() != own.step.before.raw()
            {
                self.kept.push(own.step.pointer);
            }
        }
        Ok(())
    }
}

/// The form of our client keys.
pub(super) fn is_client_key(text: &str) -> bool {
    text.strip_prefix("cf_").is_some_and(|rest| {
        rest.len() == 43 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

// === impl Own ===

impl Own {
    /// What we left is there, and nothing else.
    pub(crate) fn still_there(&self, document: &Document) -> Result<bool, Bad> {
        let pointer = &self.step.pointer;
        Ok(match &self.wrote {
            Wrote::Text(_) | Wrote::Value(_) => {
                document.value(pointer)?.is_some_and(|value| Wrote::of(&value) == self.wrote)
            }
            Wrote::Gone => document.raw(pointer)?.is_none(),
            Wrote::Object => document.is_bare(pointer)?,
        })
    }
}
