//! The JSON of the settings file: a flat object that keeps what it does not understand.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

const VERSION_KEY: &str = "version";
const VERSION: u64 = 1;

/// The file's object, its entries in their order and as they were written.
#[derive(Debug, Clone, Default)]
pub(super) struct Document(Vec<(String, Box<RawValue>)>);

impl Document {
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, raw)| (key.as_str(), &**raw))
    }

    pub(super) fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, raw)| &**raw)
    }

    /// `false`: it stood there already.
    pub(super) fn put(&mut self, key: &str, raw: Box<RawValue>) -> bool {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) if known.get() == raw.get() => return false,
            Some((_, known)) => *known = raw,
            None => self.0.push((key.to_owned(), raw)),
        }
        true
    }

    /// `false`: there was none.
    pub(super) fn remove(&mut self, key: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(known, _)| known != key);
        self.0.len() < before
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.get(VERSION_KEY).is_none() {
            map.serialize_entry(VERSION_KEY, &VERSION)?;
        }
        for (key, raw) in &self.0 {
            map.serialize_entry(key, raw)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut document = Document::default();
                while let Some((key, raw)) = map.next_entry::<String, Box<RawValue>>()? {
                    // Of a key that stands twice the last one counts, as everywhere in JSON.
                    document.put(&key, raw);
                }
                Ok(document)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
