//! What belongs to a line besides its sentence: names with figures or words, in the order they were said.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogField {
    /// Yes or no.
    Flag(bool),
    /// A count.
    Count(u64),
    /// A figure below zero.
    Figure(i64),
    /// A figure with a fraction.
    Fraction(f64),
    /// Words.
    Text(String),
}

/// Names with their values. As JSON an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogFields(pub Vec<(Cow<'static, str>, LogField)>);

impl fmt::Display for LogField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Figure(figure) => figure.fmt(f),
            Self::Fraction(fraction) => fraction.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for LogFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for LogFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = LogFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LogFields, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, LogField>()? {
            fields.push((Cow::Owned(name), value));
        }
        Ok(LogFields(fields))
    }
}
