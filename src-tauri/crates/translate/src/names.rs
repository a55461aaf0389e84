//! Names and ids that the upstream takes.
//!
//! A tool name may have 64 characters of `[A-Za-z0-9_-]` upstream, 128 at Anthropic; a call id 64 (`codex-backend.md §2`).
//! What is longer is shortened by hash, the same way each time: the history must come out the same in every turn.

use std::borrow::Cow;
use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::conversation::hex;

/// The longest name or id the upstream takes, in characters.
const LONGEST: usize = 64;

/// The way back from shortened tool names to the client's own.
#[derive(Debug, Clone, Default)]
pub struct Names(HashMap<String, String>);

// === impl Names ===

impl Names {
    /// The name that goes upstream; remembered if it differs.
    pub fn lower<'a>(&mut self, name: &'a str) -> Cow<'a, str> {
        let lowered = tool_name(name);
        if let Cow::Owned(short) = &lowered {
            self.0.insert(short.clone(), name.to_owned());
        }
        lowered
    }

    /// The client's name for what the upstream called.
    pub fn restore<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }
}

/// A tool name as the upstream takes it.
pub fn tool_name(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=LONGEST).contains(&name.len()) && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let mut short: String = name.chars().map(|c| if fits(c) { c } else { '_' }).take(LONGEST - 9).collect();
    short.push('_');
    short.push_str(&digest(name)[..8]);
    Cow::Owned(short)
}

/// A call id as the upstream takes it. There is no way back, and none is needed: the client keeps its own history.
pub fn call_id(id: &str) -> Cow<'_, str> {
    if (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(format!("call_{}", &digest(id)[..40]))
    }
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Names, call_id, tool_name};

    #[test]
    fn what_fits_stays() {
        assert_eq!(tool_name("mcp__tiny__add"), "mcp__tiny__add");
        assert_eq!(call_id("call_WeirdId-2"), "call_WeirdId-2");
    }

    #[test]
    fn two_long_names_with_the_same_beginning_stay_apart() {
        let long = "n".repeat(100);
        assert_ne!(tool_name(&format!("{long}a")), tool_name(&format!("{long}b")));
        assert_ne!(call_id(&format!("{long}|a")), call_id(&format!("{long}|b")));
    }

    proptest! {
        #[test]
        fn any_name_fits_and_comes_back(name in ".{0,200}") {
            let mut names = Names::default();
            let lowered = names.lower(&name).into_owned();
            prop_assert!((1..=64).contains(&lowered.len()));
            prop_assert!(lowered.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            prop_assert_eq!(names.restore(&lowered), name);
        }

        #[test]
        fn any_id_fits(id in ".{0,300}") {
            prop_assert!((1..=64).contains(&call_id(&id).len()));
        }
    }
}
