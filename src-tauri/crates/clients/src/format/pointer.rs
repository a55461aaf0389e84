//! Places in a document: `/env/ANTHROPIC_BASE_URL` (RFC 6901, names of members only).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The names on the way to a value; none of them is the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(Vec<String>);

/// What does not begin with a slash, or has a tilde that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no JSON pointer")]
pub struct BadPointer(String);

// === impl Pointer ===

impl Pointer {
    /// The place behind these names.
    pub fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|&name| name.to_owned()).collect())
    }

    /// The last name; `None` for the whole.
    pub fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The place that this name leads to from here.
    #[must_use]
    pub fn then(&self, name: &str) -> Self {
        Self(self.0.iter().cloned().chain([name.to_owned()]).collect())
    }

    /// It leads into what stands at the other one.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }

    /// The names before the last one.
    pub(super) fn parent(&self) -> &[String] {
        self.0.split_last().map_or(&[], |(_, names)| names)
    }

    /// All of them.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The place that so many names lead to.
    pub(crate) fn shortened(&self, names: usize) -> Self {
        Self(self.0[..names].to_vec())
    }
}

impl From<Vec<String>> for Pointer {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|name| write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")))
    }
}

impl FromStr for Pointer {
    type Err = BadPointer;

    fn from_str(text: &str) -> Result<Self, BadPointer> {
        let bad = || BadPointer(text.to_owned());
        if text.is_empty() {
            return Ok(Self::default());
        }
        let names = text.strip_prefix('/').ok_or_else(bad)?.split('/');
        let name = |name: &str| {
            let clear = name.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            clear.then(|| name.replace("~1", "/").replace("~0", "~")).ok_or_else(bad)
        };
        names.map(name).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<String> for Pointer {
    type Error = BadPointer;

    fn try_from(text: String) -> Result<Self, BadPointer> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn pointers_are_written_as_they_are_read() {
        for text in ["", "/env/A", "/a~1b/~0c", "/"] {
            assert_eq!(text.parse::<Pointer>().unwrap().to_string(), text);
        }
        assert_eq!("/a~1b/~01".parse::<Pointer>().unwrap(), Pointer::of(&["a/b", "~1"]));
        for bad in ["env", "/a~2", "/~"] {
            bad.parse::<Pointer>().unwrap_err();
        }
    }
}
