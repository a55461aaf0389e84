//! Where values stand, for whoever looks for secrets among them, or for what is ours.

use std::ops::Range;

use super::scan::{Kind, Row};
use super::{Document, json};
use crate::format::Pointer;

// === impl Document ===

impl Document {
    /// Where every value stands, with the names around it.
    pub(in crate::format) fn leaves(&self) -> Vec<(Pointer, Range<usize>)> {
        let mut leaves = Vec::new();
        let mut names: Vec<(usize, String)> = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            if let Some(dash) = row.dashes.first() {
                names.retain(|(column, _)| column <= dash);
            }
            if let Some(key) = &row.key {
                // One in the column of a dash is around it.
                names.retain(|(column, _)| *column < key.column);
                names.push((key.column, key.name.clone()));
            }
            let mut path: Vec<String> = names.iter().map(|(_, name)| name.clone()).collect();
            if let Some((number, item)) = self.item_at(at) {
                path.insert(1.min(path.len()), item.name.clone().unwrap_or_else(|| format!("#{number}")));
            }
            let pointer = Pointer::from(path);
            match row.kind {
                Kind::Nothing => {}
                Kind::Flow => self.flow_leaves(row, &pointer, &mut leaves),
                Kind::Plain | Kind::Quoted | Kind::Lines => leaves.push((pointer, row.value.clone())),
            }
        }
        leaves
    }

    fn flow_leaves(&self, row: &Row, pointer: &Pointer, leaves: &mut Vec<(Pointer, Range<usize>)>) {
        let raw = &self.text[row.value.clone()];
        if let Ok(inner) = json::Document::of(raw.to_owned(), json::Flavour::Five) {
            leaves.extend(inner.leaves().into_iter().map(|(below, span)| {
                let below = below.names().iter().fold(pointer.clone(), |pointer, name| pointer.then(name));
                (below, row.value.start + span.start..row.value.start + span.end)
            }));
            return;
        }
        // Not as in JSON: the whole, under all the names in it.
        let words = raw.split(|char: char| char.is_whitespace() || "[]{},\"'".contains(char));
        let names = words.filter_map(|word| word.split_once(':')).map(|(name, _)| name);
        leaves.push((names.fold(pointer.clone(), |pointer, name| pointer.then(name)), row.value.clone()));
    }
}
