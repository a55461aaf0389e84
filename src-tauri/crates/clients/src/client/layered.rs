//! What several files say together, of which the first that says something wins.

use std::path::Path;

use super::{Documents, Effective, Way, leads};
use crate::format::{Document, Format, Pointer, Value};

/// Files that were read, the strongest first.
pub struct Layered(Vec<(String, Document)>);

// === impl Layered ===

impl Layered {
    /// Those of these files that can be read.
    pub fn of<'p>(documents: &Documents, files: impl IntoIterator<Item = &'p Path>, format: Format) -> Self {
        let read = |file: &Path| Some((file.display().to_string(), leads::document(documents, file, format).ok()?));
        Self(files.into_iter().filter_map(read).collect())
    }

    /// What holds at a place, and who is overruled. What is no text, number or flag holds nothing.
    pub fn effective(&self, pointer: &Pointer) -> Option<Effective> {
        let mut says = self.0.iter().filter_map(|(file, document)| {
            let value = match document.value(pointer).ok()?? {
                Value::Text(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Flag(flag) => flag.to_string(),
                Value::List(_) | Value::Table(_) | Value::Other(_) => return None,
            };
            Some((file.clone(), value))
        });
        let (from, value) = says.next()?;
        let overruled = says.filter(|(_, other)| *other != value).map(|(file, _)| file).collect();
        Some(Effective::new(&pointer.names().join("."), value, from, overruled))
    }

    /// The text that holds at a place.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        self.effective(&Pointer::of(names)).map(|holds| holds.expose().to_owned())
    }

    /// The way to the provider at that place, by the names its address and its key have there.
    pub fn way(&self, provider: &Pointer, url: &[&str], key: &[&str]) -> Way {
        let place = |names: &[&str]| names.iter().fold(provider.clone(), |place, name| place.then(name));
        Way { url: self.effective(&place(url)), key: self.effective(&place(key)) }
    }
}
