//! From what stands there and what is wished to what is to stand there. Pure.

use super::Wish;
use crate::format::{Bad, Document, Pointer, Value};
use crate::ledger::{Notes, Own, Wrote};

/// What is to be written, and noted.
pub(super) struct Planned {
    pub(super) document: Document,
    pub(super) notes: Notes,
    /// Places that were ours and are not any more, through somebody else.
    pub(super) kept: Vec<Pointer>,
}

pub(super) fn plan(document: Document, notes: Notes, wishes: &[Wish]) -> Result<Planned, Bad> {
    let mut plan = Planned { document, notes, kept: Vec::new() };
    for wish in wishes {
        match wish {
            Wish::Take { pointer, value, key } => {
                let value = value.as_ref().map(|value| plan.document.format().held(value));
                plan.take(pointer, value.as_ref(), key.as_deref())?;
            }
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

// === impl Planned ===

impl Planned {
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
            let own = match value {
                Some(value) if step.pointer == *pointer => {
                    Own { step, wrote: Wrote::of(value), key: key.map(str::to_owned) }
                }
                Some(_) => Own { step, wrote: Wrote::Object, key: None },
                None => Own { step, wrote: Wrote::Gone, key: None },
            };
            self.notes.own.push(own);
        }
        Ok(())
    }

    /// The last one first, so that each finds around it what it left.
    fn give_back(&mut self, which: impl Fn(&Own) -> bool) -> Result<(), Bad> {
        let (back, own) = std::mem::take(&mut self.notes.own).into_iter().partition(which);
        self.notes.own = own;
        let back: Vec<Own> = back;
        for own in back.into_iter().rev() {
            let pointer = &own.step.pointer;
            if own.still_there(&self.document)? {
                self.document.undo(&own.step)?;
            } else if own.wrote != Wrote::Object && self.document.raw(pointer)?.as_deref() != own.step.before.raw() {
                self.kept.push(own.step.pointer);
            }
        }
        Ok(())
    }
}

// === impl Own ===

impl Own {
    /// What we left is there, and nothing else.
    fn still_there(&self, document: &Document) -> Result<bool, Bad> {
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
