//! The list that is changed: where it is, what its items say, and how they are indented.

use std::ops::Range;

use super::scan::{self, Kind, Row, bad};
use super::{Document, INDENT, Item, LIST, List, values};
use crate::format::{Bad, Value, place};

// === impl Document ===

impl Document {
    pub(super) fn find_list(&self) -> Result<Option<List>, Bad> {
        let mut found: Option<&Range<usize>> = None;
        for rows in &self.entries {
            let Some(key) = &self.rows[rows.start].key else { continue };
            if key.name == "<<" {
                return Err(bad(&self.text, key.at, "what is merged here could be anything"));
            }
            // Escapes could spell it as well.
            if key.name.starts_with('"') {
                return Err(bad(&self.text, key.at, "this name is not understood"));
            }
            if key.name == LIST && found.replace(rows).is_some() {
                let (line, column) = place(&self.text, key.at);
                return Err(Bad::Twice { line, column, name: LIST.to_owned() });
            }
        }
        let Some(range) = found else { return Ok(None) };
        let header = &self.rows[range.start];
        let refuse = |at: usize, what: &str| Err(bad(&self.text, at, what));
        let value = &self.text[header.value.clone()];
        let empty = match header.kind {
            Kind::Nothing => true,
            Kind::Plain => matches!(value, "~" | "null" | "Null" | "NULL"),
            Kind::Flow => value
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inner| inner.trim().is_empty()),
            Kind::Quoted | Kind::Lines => false,
        };
        if header.marked {
            return refuse(header.start, "an anchor, an alias or a tag at `models` is not understood here");
        }
        if !empty && header.kind == Kind::Flow {
            return refuse(
                header.value.start,
                "the models stand in brackets here: write them as lines that begin with a dash",
            );
        }
        let rest = &self.rows[range.start + 1..range.end];
        if !empty || (header.kind != Kind::Nothing && !rest.is_empty()) {
            return refuse(header.value.start, "`models` has to be a list");
        }
        let mut items: Vec<Item> = Vec::new();
        let dash = rest.first().map_or(0, |row| row.indent);
        for (at, row) in (range.start + 1..).zip(rest) {
            let begins = row.dashes.first() == Some(&dash);
            match items.last_mut() {
                _ if begins => items.push(Item { rows: at..at + 1, name: None, whole: row.start..self.end_of(row) }),
                Some(item) if row.indent > dash => (item.rows.end, item.whole.end) = (at + 1, self.end_of(row)),
                Some(_) => return refuse(row.start + row.indent, "a dash is expected here, below the others"),
                None => {
                    return refuse(row.start + row.indent, "`models` has to be a list of lines that begin with a dash");
                }
            }
        }
        for item in &mut items {
            item.name = self.members(&item.rows).into_iter().find_map(|(name, rows)| {
                match self.scalar(&self.rows[rows.start]) {
                    Value::Text(text) if name == "name" && rows.len() == 1 => Some(text),
                    _ => None,
                }
            });
        }
        Ok(Some(List { header: range.start, items }))
    }

    /// Behind all that stands there, comments included.
    fn end_of(&self, row: &Row) -> usize {
        let behind = scan::line_of(&self.text, row.end).trim_end_matches([' ', '\t']);
        row.end + if row.comment && row.kind != Kind::Lines { behind.len() } else { 0 }
    }

    /// The members of an item by their rows; the first row of each has its name.
    fn members(&self, item: &Range<usize>) -> Vec<(&str, Range<usize>)> {
        let mut members: Vec<(&str, Range<usize>)> = Vec::new();
        let mut column = None;
        for at in item.clone() {
            let row = &self.rows[at];
            // The first dash is the item's own.
            let inner = row.dashes.len() > usize::from(at == item.start);
            let key = row.key.as_ref().filter(|_| !inner);
            match (key, members.last_mut()) {
                (Some(key), _) if *column.get_or_insert(key.column) == key.column => {
                    members.push((&key.name, at..at + 1));
                }
                (_, Some((_, rows))) => rows.end = at + 1,
                (_, None) => {}
            }
        }
        members
    }

    /// What an item says. Whatever we would not write ourselves is told apart: comments, values on several lines.
    pub(super) fn meaning(&self, item: &Item) -> Value {
        let members = self.members(&item.rows);
        let covered: usize = members.iter().map(|(_, rows)| rows.len()).sum();
        let comments = self.comments.iter().any(|at| item.whole.contains(at))
            || self.rows[item.rows.clone()].iter().any(|row| row.comment);
        let mut table: Vec<(String, Value)> = Vec::new();
        if comments || covered != item.rows.len() {
            table.push(("#".to_owned(), Value::Other(self.text[item.whole.clone()].to_owned())));
        }
        table.extend(members.into_iter().map(|(name, rows)| {
            let value = match rows.len() {
                1 => self.scalar(&self.rows[rows.start]),
                _ => Value::Other(self.text[self.rows[rows.start].start..self.rows[rows.end - 1].end].to_owned()),
            };
            (name.to_owned(), value)
        }));
        Value::Table(table)
    }

    pub(super) fn scalar(&self, row: &Row) -> Value {
        let raw = &self.text[row.value.clone()];
        let value = match row.kind {
            _ if row.marked => None,
            Kind::Lines => None,
            Kind::Flow => values::flow(raw),
            Kind::Nothing | Kind::Plain | Kind::Quoted => values::scalar(raw),
        };
        value.unwrap_or_else(|| Value::Other(raw.to_owned()))
    }

    /// Where dashes and members stand: as in the list, as in other lists, or as we do it.
    pub(super) fn indentation(&self) -> (usize, usize) {
        let like = |row: &Row, key: Option<usize>| Some((*row.dashes.first()?, key?));
        let column = |rows: &Range<usize>| {
            let first = &self.rows[rows.start];
            let keyed = first.key.as_ref().map(|key| key.column).filter(|_| first.dashes.len() == 1);
            keyed.or_else(|| Some(first.dashes.first()? + INDENT))
        };
        if let Some(item) = self.list.iter().flat_map(|list| &list.items).next_back()
            && let Some(found) = like(&self.rows[item.rows.start], column(&item.rows))
        {
            return found;
        }
        let mut lists = self.entries.iter().filter(|rows| rows.len() > 1).map(|rows| rows.start + 1..rows.end);
        lists.find_map(|rows| like(&self.rows[rows.start], column(&rows))).unwrap_or((INDENT, 2 * INDENT))
    }
}
