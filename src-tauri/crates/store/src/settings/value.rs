//! A setting's value as it is written: in the file as JSON, on the command line as text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One value. The four shapes are all there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Flag(bool),
    Number(u64),
    Text(String),
    List(Vec<String>),
}

// === impl Value ===

impl Value {
    /// Read text as a value of the same shape as this one.
    pub(crate) fn like(&self, text: &str) -> Option<Self> {
        let text = text.trim();
        match self {
            Self::Flag(_) => match text {
                "true" | "on" | "yes" => Some(Self::Flag(true)),
                "false" | "off" | "no" => Some(Self::Flag(false)),
                _ => None,
            },
            Self::Number(_) => text.parse().ok().map(Self::Number),
            Self::Text(_) => Some(Self::Text(text.to_owned())),
            Self::List(_) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(Self::List(items.map(str::to_owned).collect()))
            }
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Flag(_) | Self::Number(_) | Self::List(_) => None,
        }
    }
}

/// As it would be typed after `codeferry settings set KEY`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => f.write_str(&items.join(",")),
        }
    }
}
