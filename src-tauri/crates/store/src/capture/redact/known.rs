//! Secrets that are known by now: what was taken out by its name in one place may stand without it in another.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use regex::Regex;

/// What was taken out of a capture so far.
#[derive(Debug, Default)]
pub(in super::super) struct Known {
    taken: RefCell<BTreeSet<String>>,
    /// All of it, once it is known.
    all: OnceCell<Regex>,
}

/// What is shorter stands in other words by chance; what is longer has a form of its own.
const LENGTHS: RangeInclusive<usize> = 8..=1024;
/// From here on a text is no word, also without a digit in it.
const NO_WORD: usize = 16;
/// More than that is a list of something, and no secrets.
const MOST: usize = 64;

// === impl Known ===

impl Known {
    /// Remembers a secret, unless it could be a word like any other.
    pub(super) fn note(&self, secret: &str) {
        let plain = secret.len() < NO_WORD && !secret.bytes().any(|byte| byte.is_ascii_digit());
        let own = secret.contains(['«', '»']);
        if self.all.get().is_none()
            && LENGTHS.contains(&secret.len())
            && !plain
            && !own
            && !secret.contains(char::is_whitespace)
        {
            let mut taken = self.taken.borrow_mut();
            if taken.len() < MOST {
                taken.insert(secret.to_owned());
            }
        }
    }

    /// From here on everything that was noted is found everywhere. `false`: nothing was.
    pub(in super::super) fn settle(&self) -> bool {
        let taken = self.taken.borrow();
        // The longest first: of two that begin alike the whole one goes.
        let mut all: Vec<_> = taken.iter().map(|secret| regex::escape(secret)).collect();
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let pattern = (!all.is_empty()).then(|| Regex::new(&all.join("|")).ok()).flatten();
        pattern.is_some_and(|pattern| self.all.set(pattern).is_ok())
    }

    /// Where something known stands.
    pub(super) fn find(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.all.get().map_or_else(Vec::new, |all| all.find_iter(text).map(|found| found.range()).collect())
    }
}
