//! TOML, changed in place.
//!
//! It is read by `toml_edit`, which says where everything stands; a change is a splice of the text, so that comments, order, line
//! ends and a BOM stay (what that library writes itself has line ends of its own).

mod edit;
mod render;
mod sections;
#[cfg(test)]
mod tests;

use std::ops::Range;

use toml_edit::{Item, TableLike};

use self::sections::{Section, said, sections};
use super::{Bad, Before, Pointer, Step, Value, place, spliced, unsafe_at};

/// A text that was read, and what is where in it.
#[derive(Clone)]
pub(super) struct Document {
    text: String,
    root: toml_edit::Table,
    sections: Vec<Section>,
}

/// What stands at a place.
#[derive(Clone, Copy)]
enum Node<'d> {
    /// The whole.
    Root,
    Item(&'d Item),
}

// === impl Document ===

impl Document {
    pub(super) fn of(text: String) -> Result<Self, Bad> {
        let root = match toml_edit::Document::parse(text.as_str()) {
            Ok(document) => document.into_table(),
            Err(error) => {
                let span = error.span().unwrap_or_default();
                let (line, column) = place(&text, floor(&text, span.start));
                return Err(match error.message() {
                    "duplicate key" => {
                        let name = text.get(span).unwrap_or_default().trim_matches(['"', '\'']).to_owned();
                        Bad::Twice { line, column, name }
                    }
                    what => Bad::Syntax { line, column, what: what.to_owned() },
                });
            }
        };
        let sections = sections(&root);
        Ok(Self { text, root, sections })
    }

    pub(super) fn nothing() -> Self {
        Self { text: String::new(), root: toml_edit::Table::new(), sections: Vec::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The value at that place; `None`: there is none.
    pub(super) fn value(&self, pointer: &Pointer) -> Result<Option<Value>, Bad> {
        Ok(self.node(pointer.names())?.map(|node| match node {
            Node::Root => self.table_of(&self.root),
            Node::Item(item) => self.value_of(item),
        }))
    }

    /// The text of the value at that place, or another that stands for it.
    pub(super) fn raw(&self, pointer: &Pointer) -> Result<Option<String>, Bad> {
        Ok(match self.node(pointer.names())? {
            Some(Node::Item(Item::Value(value))) => value.span().map(|span| self.text[span].to_owned()),
            Some(_) => self.value(pointer)?.map(|value| value.canonical()),
            None => None,
        })
    }

    /// Whether there is a table with a header at that place, and nothing in it, not even a comment.
    pub(super) fn is_bare(&self, pointer: &Pointer) -> bool {
        let within = self.within(pointer.names());
        let ([at], false) = (&within[..], pointer.names().is_empty()) else { return false };
        let section = &self.sections[*at];
        let Some(header) = &section.header else { return false };
        let end =
            self.sections.get(at + 1).and_then(|next| next.header.as_ref()).map_or(self.text.len(), |next| next.start);
        section.lines.is_empty() && self.text[header.end..end].trim().is_empty()
    }

    /// Which sections belong to what is called so.
    fn within(&self, names: &[String]) -> Vec<usize> {
        let of = |(at, section): (usize, &Section)| section.path.starts_with(names).then_some(at);
        self.sections.iter().enumerate().filter_map(of).collect()
    }

    fn node(&self, names: &[String]) -> Result<Option<Node<'_>>, Bad> {
        let mut node = Node::Root;
        for (passed, name) in names.iter().enumerate() {
            let table: &dyn TableLike = match node {
                Node::Root => &self.root,
                Node::Item(item) => match item.as_table_like() {
                    Some(table) => table,
                    None => {
                        let (line, column) =
                            place(&self.text, floor(&self.text, item.span().unwrap_or_default().start));
                        let place = format!("{:?}", names[passed - 1]);
                        return Err(Bad::NotObject { line, column, place });
                    }
                },
            };
            let Some(next) = table.get(name) else { return Ok(None) };
            node = Node::Item(next);
        }
        Ok(Some(node))
    }

    fn value_of(&self, item: &Item) -> Value {
        match item {
            Item::Value(value) => self.inline_of(value),
            Item::Table(table) => self.table_of(table),
            Item::ArrayOfTables(tables) => Value::List(tables.iter().map(|table| self.table_of(table)).collect()),
            Item::None => Value::Other(String::new()),
        }
    }

    fn table_of(&self, table: &dyn TableLike) -> Value {
        Value::Table(table.iter().map(|(name, item)| (name.to_owned(), self.value_of(item))).collect())
    }

    fn inline_of(&self, value: &toml_edit::Value) -> Value {
        use toml_edit::Value as Toml;
        match value {
            Toml::String(text) => Value::Text(text.value().clone()),
            Toml::Integer(number) => Value::Number(*number.value()),
            Toml::Boolean(flag) => Value::Flag(*flag.value()),
            Toml::Array(items) => Value::List(items.iter().map(|item| self.inline_of(item)).collect()),
            Toml::InlineTable(table) => self.table_of(table),
            Toml::Float(_) | Toml::Datetime(_) => {
                Value::Other(value.span().map(|span| self.text[span].to_owned()).unwrap_or_default())
            }
        }
    }

    /// Nothing but what stands at that place differs.
    fn only_there(&self, other: &Self, pointer: &Pointer) -> bool {
        let others = |document: &Self| {
            let mut all = said(&document.text, &document.root);
            // A table around it that has nothing else in it says something only where it is empty.
            all.retain(|(path, _)| !path.starts_with(pointer.names()) && !pointer.names().starts_with(path));
            all.into_iter().map(|(path, raw)| (path, raw.to_owned())).collect::<Vec<_>>()
        };
        others(self) == others(other)
    }

    /// Where every value stands, with the names that lead there.
    pub(super) fn leaves(&self) -> Vec<(Pointer, Range<usize>)> {
        let start = self.text.as_ptr() as usize;
        let leaf = |(path, raw): (Vec<String>, &str)| {
            let at = raw.as_ptr() as usize - start;
            (Pointer::from(path), at..at + raw.len())
        };
        said(&self.text, &self.root).into_iter().filter(|(_, raw)| !raw.is_empty()).map(leaf).collect()
    }
}

/// The character that this byte belongs to.
fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
