//! A folder whose account files are imported as they appear: what to do about a listing. Pure; who lists, and how
//! often, is somebody else's.
//!
//! A file is imported once it stood still between two listings, for it may be in the middle of being written. One that
//! changes is imported again. One that goes away takes no account with it: the sign-in was taken over, and the file was
//! stale from the first renewal on.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// A file in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name within the folder.
    pub name: String,
    pub len: u64,
    pub modified: Option<Timestamp>,
    /// Neither a folder nor a link.
    pub is_file: bool,
}

/// What is known of the folder between two listings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(BTreeMap<String, Known>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    len: u64,
    modified: Option<Timestamp>,
    /// It was acted upon as it stands.
    done: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Read it and import what it holds.
    Import { name: String },
    /// Say that it is left alone, and why. Said once.
    Skip { name: String, why: &'static str },
}

/// No account file is larger.
pub const LARGEST: u64 = 1024 * 1024;

/// What to do after this listing, and what to remember for the next.
pub fn plan(seen: &Seen, listing: &[Found]) -> (Vec<Action>, Seen) {
    let mut actions = Vec::new();
    let mut next = BTreeMap::new();
    for found in listing.iter().filter(|found| found.is_candidate()) {
        let known = seen.0.get(&found.name).filter(|known| known.len == found.len && known.modified == found.modified);
        if let Some(known) = known.filter(|known| !known.done) {
            let name = found.name.clone();
            actions.push(match found.hindrance() {
                None => Action::Import { name },
                Some(why) => Action::Skip { name, why },
            });
            next.insert(found.name.clone(), Known { done: true, ..known.clone() });
            continue;
        }
        let fresh = || Known { len: found.len, modified: found.modified, done: false };
        next.insert(found.name.clone(), known.cloned().unwrap_or_else(fresh));
    }
    (actions, Seen(next))
}

// === impl Found ===

impl Found {
    /// Hidden files and those of other kinds are nobody's accounts; writers name their unfinished files so.
    fn is_candidate(&self) -> bool {
        let json = self.name.len() > 5
            && self.name.get(self.name.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case(".json"));
        json && !self.name.starts_with('.')
    }

    fn hindrance(&self) -> Option<&'static str> {
        match self {
            Self { is_file: false, .. } => Some("it is no plain file"),
            Self { len: 0, .. } => Some("it is empty"),
            Self { len, .. } if *len > LARGEST => Some("it is too large for an account file"),
            Self { .. } => None,
        }
    }
}

// === impl Seen ===

impl Seen {
    /// Everything that lies there now counts as seen: only what comes later is imported.
    pub fn all_of(listing: &[Found]) -> Self {
        let known = |found: &Found| Known { len: found.len, modified: found.modified, done: true };
        Self(listing.iter().map(|found| (found.name.clone(), known(found))).collect())
    }

    /// It could not be imported for a reason that may pass: try once more at the next listing.
    pub fn again(&mut self, name: &str) {
        if let Some(known) = self.0.get_mut(name) {
            known.done = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::{Action, Found, LARGEST, Seen, plan};

    fn file(name: &str, len: u64, second: i64) -> Found {
        let modified = Some(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second));
        Found { name: name.into(), len, modified, is_file: true }
    }

    fn import(name: &str) -> Action {
        Action::Import { name: name.into() }
    }

    #[test]
    fn a_file_is_imported_once_when_it_stands_still_and_again_when_it_changes() {
        let mut seen = Seen::default();
        let mut step = |listing: &[Found]| {
            let (actions, next) = plan(&seen, listing);
            seen = next;
            actions
        };
        assert_eq!(step(&[file("a.json", 5, 0)]), []);
        assert_eq!(step(&[file("a.json", 9, 1)]), [], "still being written");
        assert_eq!(step(&[file("a.json", 9, 1)]), [import("a.json")]);
        assert_eq!(step(&[file("a.json", 9, 1)]), [], "once");
        assert_eq!(step(&[file("a.json", 9, 2)]), []);
        assert_eq!(step(&[file("a.json", 9, 2)]), [import("a.json")], "it was replaced");
        assert_eq!(step(&[]), [], "nothing happens when it goes");
        assert_eq!(step(&[file("a.json", 9, 2)]), []);
        assert_eq!(step(&[file("a.json", 9, 2)]), [import("a.json")], "it came back");
    }

    #[test]
    fn what_is_no_account_file_is_left_alone() {
        let folder = Found { is_file: false, ..file("trash.json", 9, 0) };
        let listing = [
            file(".a.json.tmp", 9, 0),
            file("notes.txt", 9, 0),
            file(".b.json", 9, 0),
            file("json", 9, 0),
            folder,
            file("empty.json", 0, 0),
            file("huge.json", LARGEST + 1, 0),
            file("C.JSON", 9, 0),
        ];
        let (_, seen) = plan(&Seen::default(), &listing);
        let (actions, seen) = plan(&seen, &listing);
        let skipped: Vec<_> = actions.iter().filter(|action| matches!(action, Action::Skip { .. })).collect();
        assert_eq!(skipped.len(), 3, "{actions:?}");
        assert!(actions.contains(&import("C.JSON")) && actions.len() == 4, "{actions:?}");
        assert_eq!(plan(&seen, &listing).0, [], "said once");
    }

    #[test]
    fn one_may_begin_with_what_is_new_and_try_again() {
        let listing = [file("a.json", 9, 0)];
        let mut seen = Seen::all_of(&listing);
        assert_eq!(plan(&seen, &listing).0, []);
        seen.again("a.json");
        assert_eq!(plan(&seen, &listing).0, [import("a.json")]);
    }

    proptest! {
        #[test]
        fn each_state_of_a_file_is_imported_at_most_once_in_a_row(
            states in prop::collection::vec(prop::option::of(0..3i64), 1..30),
        ) {
            let mut seen = Seen::default();
            let mut last: Option<i64> = None;
            for state in states {
                let listing: Vec<_> = state.map(|second| file("a.json", 9, second)).into_iter().collect();
                let (actions, next) = plan(&seen, &listing);
                seen = next;
                if state != last && state.is_none() {
                    last = None;
                }
                if !actions.is_empty() {
                    prop_assert!(state.is_some() && state != last, "imported {:?} twice", state);
                    last = state;
                } else if state.is_some() && state != last {
                    last = None;
                }
            }
        }
    }
}
