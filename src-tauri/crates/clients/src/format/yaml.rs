//! YAML in block style, in which one list of tables is changed: that of `models`, item by item.
//!
//! The place `/models/NAME` is the list of the items that call themselves so: one, or none. Items are put behind the others, as
//! lines with the indentation that is used there, and taken out as lines. Everything else is kept, and understood only as far
//! as it takes to be sure where `models` is. What leaves a doubt (a list in brackets, an anchor or a tag at `models`, several documents,
//! lines indented by tabs, values that go on at the first column) is refused with its place.

mod leaves;
mod list;
mod scan;
mod values;

#[cfg(test)]
mod tests;

use std::ops::Range;

use self::scan::{Kind, Row, Rows, bad};
use super::lines::{self, line_end, next_line};
use super::{BOM, Bad, Before, Pointer, Step, Value, json, place, spliced, unsafe_at};

/// The list that is changed.
const LIST: &str = "models";
/// How far a dash is indented, and the members from there, where the text shows no other way.
const INDENT: usize = 2;

/// A text that was read, and what is where in it.
#[derive(Clone)]
pub(super) struct Document {
    text: String,
    rows: Vec<Row>,
    comments: Vec<usize>,
    /// What stands at the first column, by its row.
    entries: Vec<Range<usize>>,
    list: Option<List>,
}

#[derive(Clone)]
struct List {
    /// Its row.
    header: usize,
    items: Vec<Item>,
}

#[derive(Clone)]
struct Item {
    rows: Range<usize>,
    name: Option<String>,
    /// From the line of its dash to the end of its last line, without blanks there.
    whole: Range<usize>,
}

// === impl Document ===

impl Document {
    pub(super) fn of(text: String) -> Result<Self, Bad> {
        let Rows { rows, comments } = scan::scan(&text)?;
        let mut entries: Vec<Range<usize>> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            match entries.last_mut() {
                Some(last) if row.indent > 0 || (!row.dashes.is_empty() && rows[last.start].kind == Kind::Nothing) => {
                    last.end = at + 1;
                }
                _ if row.indent > 0 || !row.dashes.is_empty() || row.key.is_none() => {
                    return Err(bad(&text, row.start + row.indent, "a name and a colon are expected here"));
                }
                _ => entries.push(at..at + 1),
            }
        }
        let mut document = Self { text, rows, comments, entries, list: None };
        document.list = document.find_list()?;
        Ok(document)
    }

    pub(super) fn nothing() -> Self {
        Self { text: String::new(), rows: Vec::new(), comments: Vec::new(), entries: Vec::new(), list: None }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn value(&self, pointer: &Pointer) -> Result<Option<Value>, Bad> {
        match self.names(pointer)[..] {
            [LIST] => Ok(self.list.as_ref().map(|list| match &list.items[..] {
                [] if self.rows[list.header].kind != Kind::Flow => Value::Other("null".to_owned()),
                items => Value::List(items.iter().map(|item| self.meaning(item)).collect()),
            })),
            [name] => Ok(self.entry(name).map(|row| self.scalar(row))),
            [LIST, name] => Ok(self.item(name)?.map(|item| Value::List(vec![self.meaning(item)]))),
            [LIST, name, ..] if self.item(name)?.is_some() => {
                let (line, column) = self.item(name)?.map_or((1, 1), |item| place(&self.text, item.whole.start));
                Err(Bad::NotObject { line, column, place: pointer.shortened(2).to_string() })
            }
            _ => Ok(None),
        }
    }

    pub(super) fn raw(&self, pointer: &Pointer) -> Result<Option<&str>, Bad> {
        Ok(match self.names(pointer)[..] {
            [] => Some(&self.text[..]),
            [LIST, name] => self.item(name)?.map(|item| &self.text[item.whole.clone()]),
            [name] => self.entry(name).map(|row| &self.text[row.value.clone()]),
            _ => None,
        })
    }

    /// Puts an item there: where it stands, or behind the others.
    pub(super) fn set(&mut self, pointer: &Pointer, value: &Value) -> Result<Vec<Step>, Bad> {
        let cannot = || Bad::CannotSay(pointer.to_string());
        let (name, members) = match (&self.names(pointer)[..], value) {
            (&[LIST, name], Value::List(items)) => match &items[..] {
                [Value::Table(members)] => (name.to_owned(), members.clone()),
                _ => return Err(cannot()),
            },
            _ => return Err(cannot()),
        };
        let before = self.clone();
        let steps = self.set_item(pointer, &name, &members);
        let held = self.value(pointer).ok().flatten();
        match steps {
            Ok(steps) if held.is_some_and(|held| held.means(value)) => Ok(steps),
            Ok(_) => {
                *self = before;
                Err(cannot())
            }
            Err(bad) => {
                *self = before;
                Err(bad)
            }
        }
    }

    /// Takes an item out, or a list without any.
    pub(super) fn delete(&mut self, pointer: &Pointer) -> Result<Option<Step>, Bad> {
        let range = match self.names(pointer)[..] {
            [LIST, name] => self.item(name)?.map(|item| item.whole.clone()),
            [LIST] if self.is_bare(pointer) => self.entry(LIST).map(|row| row.start..row.end),
            _ if !self.names(pointer).is_empty() && self.raw(pointer)?.is_none() => None,
            _ => return Err(Bad::CannotSay(pointer.to_string())),
        };
        let Some(range) = range else { return Ok(None) };
        let raw = self.raw(pointer)?.unwrap_or_default().to_owned();
        let (cut, rest) = lines::cut(&self.text, range.start..next_line(&self.text, range.end));
        self.become_if_only(rest, pointer, None)?;
        Ok(Some(Step { pointer: pointer.clone(), before: Before::Lines { raw, cuts: vec![cut] } }))
    }

    /// Takes a step back.
    pub(super) fn undo(&mut self, step: &Step) -> Result<(), Bad> {
        let pointer = &step.pointer;
        match (&self.names(pointer)[..], &step.before) {
            ([LIST], Before::Put { lead, tail }) => {
                let Some(row) = self.entry(LIST).filter(|_| self.is_bare(pointer)) else { return Ok(()) };
                let end = row.key.as_ref().map_or(row.end, |key| key.end);
                match lines::without(&self.text, row.start..end, lead, tail) {
                    Some(text) if self.become_if_only(text.clone(), pointer, None).is_ok() => Ok(()),
                    // Somebody has written something on it.
                    _ => self.empty(pointer, " []"),
                }
            }
            ([LIST], Before::Value { raw }) if self.is_bare(pointer) => self.empty(pointer, raw),
            ([LIST, _], Before::Value { raw }) => self.put(pointer, raw).map(drop),
            (&[LIST, name], Before::Put { lead, tail }) => {
                let Some(item) = self.item(name)? else { return Ok(()) };
                let exact = lines::without(&self.text, item.whole.clone(), lead, tail);
                match exact {
                    Some(text) if self.become_if_only(text.clone(), pointer, None).is_ok() => Ok(()),
                    _ => self.delete(pointer).map(drop),
                }
            }
            ([LIST, ..], Before::Lines { raw, cuts }) => {
                let absent = self.raw(pointer)?.is_none();
                let back = cuts.iter().rev().try_fold(self.text.clone(), |text, cut| lines::with(&text, cut));
                match back {
                    Some(text) if absent && self.become_if_only(text.clone(), pointer, Some(raw)).is_ok() => Ok(()),
                    _ if pointer.names().len() == 1 => Ok(()),
                    _ => self.put(pointer, raw).map(drop),
                }
            }
            // Of a file that was in another language then: it is theirs now.
            _ => Ok(()),
        }
    }

    /// Whether the list is there, without an item.
    pub(super) fn is_bare(&self, pointer: &Pointer) -> bool {
        self.names(pointer)[..] == [LIST] && self.list.as_ref().is_some_and(|list| list.items.is_empty())
    }

    fn names<'p>(&self, pointer: &'p Pointer) -> Vec<&'p str> {
        pointer.names().iter().map(String::as_str).collect()
    }

    fn entry(&self, name: &str) -> Option<&Row> {
        let rows = self.entries.iter().map(|rows| &self.rows[rows.start]);
        rows.into_iter().find(|row| row.key.as_ref().is_some_and(|key| key.name == name))
    }

    /// The item of that name. Two of them are a fault.
    fn item(&self, name: &str) -> Result<Option<&Item>, Bad> {
        let items = self.list.iter().flat_map(|list| &list.items);
        let mut named = items.filter(|item| item.name.as_deref() == Some(name));
        let first = named.next();
        match named.next() {
            None => Ok(first),
            Some(second) => {
                let (line, column) = place(&self.text, second.whole.start);
                Err(Bad::Twice { line, column, name: name.to_owned() })
            }
        }
    }

    /// The item that a row belongs to, with its number.
    fn item_at(&self, row: usize) -> Option<(usize, &Item)> {
        let items = &self.list.as_ref()?.items;
        let number = items.partition_point(|item| item.rows.end <= row);
        items.get(number).filter(|item| item.rows.contains(&row)).map(|item| (number, item))
    }

    fn set_item(&mut self, pointer: &Pointer, name: &str, members: &[(String, Value)]) -> Result<Vec<Step>, Bad> {
        let (dash, column) = self.indentation();
        let item = values::item(members, dash, column, line_end(&self.text));
        let item = item.ok_or_else(|| Bad::CannotSay(pointer.to_string()))?;
        let mut steps = Vec::new();
        if self.item(name)?.is_none() {
            steps.extend(self.open_list()?);
        }
        steps.push(Step { pointer: pointer.clone(), before: self.put(pointer, &item)? });
        Ok(steps)
    }

    /// Makes the list ready for items below it.
    fn open_list(&mut self) -> Result<Option<Step>, Bad> {
        let pointer = Pointer::of(&[LIST]);
        let end = line_end(&self.text);
        if let Some(row) = self.entry(LIST) {
            let (Some(key), false) = (&row.key, row.kind == Kind::Nothing) else { return Ok(None) };
            if !self.is_bare(&pointer) {
                return Ok(None);
            }
            let piece = key.end..row.value.end;
            let raw = self.text[piece.clone()].to_owned();
            self.become_if_only(spliced(&self.text, &[(piece, "")]), &pointer, Some(""))?;
            return Ok(Some(Step { pointer, before: Before::Value { raw } }));
        }
        let lead = match self.text.trim_start_matches(BOM) {
            "" => "",
            old if old.ends_with('\n') => "",
            _ => end,
        };
        if !lead.is_empty() && self.rows.last().is_some_and(|row| row.kind == Kind::Lines) {
            return Err(self.open_ended());
        }
        let text = format!("{}{lead}{LIST}:{end}", self.text);
        self.become_if_only(text, &pointer, Some(""))?;
        Ok(Some(Step { pointer, before: Before::Put { lead: lead.to_owned(), tail: end.to_owned() } }))
    }

    /// Puts that behind the name of a list without items.
    fn empty(&mut self, pointer: &Pointer, raw: &str) -> Result<(), Bad> {
        let Some(row) = self.entry(LIST).filter(|row| row.kind == Kind::Nothing) else { return Ok(()) };
        let Some(at) = row.key.as_ref().map(|key| key.end) else { return Ok(()) };
        self.become_if_only(spliced(&self.text, &[(at..at, raw)]), pointer, Some(raw.trim()))
    }

    /// Puts these lines there: where the item stands, or behind the others.
    fn put(&mut self, pointer: &Pointer, raw: &str) -> Result<Before, Bad> {
        let &[LIST, name] = &self.names(pointer)[..] else { return Err(unsafe_at(pointer)) };
        let raw = &indented(raw, self.indentation().0);
        let end = line_end(&self.text);
        let (text, before) = match (self.item(name)?, &self.list) {
            (Some(item), _) => {
                let old = self.text[item.whole.clone()].to_owned();
                (spliced(&self.text, &[(item.whole.clone(), raw)]), Before::Value { raw: old })
            }
            (None, Some(list)) => {
                let last = list.items.last().map_or(list.header, |item| item.rows.end - 1);
                let at = next_line(&self.text, self.rows[last].end);
                let open = !self.text[..at].ends_with('\n');
                if open && self.rows[last].kind == Kind::Lines {
                    return Err(self.open_ended());
                }
                let (lead, tail) = if open { (end, "") } else { ("", end) };
                let text = spliced(&self.text, &[(at..at, &format!("{lead}{raw}{tail}"))]);
                (text, Before::Put { lead: lead.to_owned(), tail: tail.to_owned() })
            }
            // There is no list any more: it comes back with the item.
            (None, None) => {
                self.open_list()?;
                return self.put(pointer, raw);
            }
        };
        self.become_if_only(text, pointer, Some(raw))?;
        Ok(before)
    }

    fn open_ended(&self) -> Bad {
        bad(&self.text, self.text.len(), "the last line has no end, and belongs to a text of lines: end it first")
    }

    /// Takes this text over, if it can be read, holds this there, and differs in nothing else.
    fn become_if_only(&mut self, text: String, pointer: &Pointer, raw: Option<&str>) -> Result<(), Bad> {
        let new = Self::of(text).map_err(|_| unsafe_at(pointer))?;
        if new.raw(pointer)? != raw || self.others(pointer) != new.others(pointer) {
            return Err(unsafe_at(pointer));
        }
        *self = new;
        Ok(())
    }

    /// Everything but what is at that place.
    fn others(&self, pointer: &Pointer) -> Vec<&str> {
        let name = pointer.names().get(1);
        let theirs = |rows: &&Range<usize>| self.list.as_ref().is_none_or(|list| list.header != rows.start);
        let entries =
            self.entries.iter().filter(theirs).map(|rows| self.rows[rows.start].start..self.rows[rows.end - 1].end);
        let items = self.list.iter().flat_map(|list| &list.items);
        let items = items.filter(|item| name.is_none() || item.name.as_ref() != name).map(|item| item.whole.clone());
        entries.chain(items).map(|range| &self.text[range]).collect()
    }
}

/// The lines of an item with its dash in that column.
fn indented(raw: &str, dash: usize) -> String {
    let now = scan::spaces(raw);
    let line = |line: &str| match line.trim().is_empty() {
        true => line.to_owned(),
        false if now <= dash => format!("{}{line}", " ".repeat(dash - now)),
        false => line.get((now - dash).min(scan::spaces(line))..).unwrap_or_default().to_owned(),
    };
    if now == dash { raw.to_owned() } else { raw.split_inclusive('\n').map(line).collect() }
}
