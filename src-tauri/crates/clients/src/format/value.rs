//! What can stand somewhere, whatever the language of the file.

use std::fmt;
use std::fmt::Write as _;

/// A value in a client's file.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// Several, in order.
    List(Vec<Self>),
    /// By name, in order.
    Table(Vec<(String, Self)>),
    /// What we never write ourselves (`null`, a fraction, a date), as it stands there.
    Other(String),
}

// === impl Value ===

impl Value {
    /// A table of these.
    pub fn table<'n>(members: impl IntoIterator<Item = (&'n str, Self)>) -> Self {
        Self::Table(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The string that it is.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What stands in it under that name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Table(members) => members.iter().find(|(other, _)| other == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// One way of writing it, in which the order of a table's members does not count.
    pub(crate) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut String) {
        // Writing into a string does not fail.
        let _ = match self {
            Self::Text(text) => write!(out, "{text:?}"),
            Self::Number(number) => write!(out, "{number}"),
            Self::Flag(flag) => write!(out, "{flag}"),
            Self::Other(raw) => write!(out, "raw {raw:?}"),
            Self::List(items) => {
                out.push('[');
                items.iter().for_each(|item| {
                    item.write_canonical(out);
                    out.push(',');
                });
                out.write_char(']')
            }
            Self::Table(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
                out.push('{');
                sorted.into_iter().for_each(|(name, value)| {
                    let _ = write!(out, "{name:?}:");
                    value.write_canonical(out);
                    out.push(',');
                });
                out.write_char('}')
            }
        };
    }

    /// The same but for the order of members.
    pub(crate) fn means(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be a secret.
        f.write_str(match self {
            Self::Text(_) => "text",
            Self::Number(_) => "number",
            Self::Flag(_) => "flag",
            Self::List(_) => "list",
            Self::Table(_) => "table",
            Self::Other(_) => "other",
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<V: Into<Self>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
