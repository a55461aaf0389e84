//! A menu as a value, and what it takes to make one into another.
//!
//! The menu that people see is never built anew: it is edited, line by line, so that it stays usable while it is open.
//!
//! **Invariant:** the edits from a menu to itself are none, and the edits from one menu to another make just that.

use codeferry_app::Language;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What a click on it means; the same for as long as the line means the same.
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) enabled: bool,
    pub(crate) body: Body,
}

/// What kind of line it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// Words.
    Plain,
    /// With a tick, or without.
    Check(bool),
    /// It opens others.
    Submenu(Vec<Entry>),
    Separator,
}

/// One step. Places are counted in the menu as the steps before have left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    Insert {
        at: usize,
        entry: Entry,
    },
    Remove {
        at: usize,
    },
    /// Another label, tick or whether it can be clicked. What it opens stays.
    Change {
        at: usize,
        entry: Entry,
    },
    /// Steps within what it opens.
    Within {
        at: usize,
        edits: Vec<Self>,
    },
}

// === impl Entry ===

impl Entry {
    /// Words to click on.
    pub(crate) fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into(), enabled: true, body: Body::Plain }
    }

    /// Words to read.
    pub(crate) fn text(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { enabled: false, ..Self::new(id, label) }
    }

    pub(crate) fn check(id: impl Into<String>, label: impl Into<String>, on: bool) -> Self {
        Self { body: Body::Check(on), ..Self::new(id, label) }
    }

    pub(crate) fn submenu(id: impl Into<String>, label: impl Into<String>, entries: Vec<Self>) -> Self {
        Self { body: Body::Submenu(entries), ..Self::new(id, label) }
    }

    /// The id tells it from other separators.
    pub(crate) fn separator(id: impl Into<String>) -> Self {
        Self { body: Body::Separator, ..Self::text(id, "") }
    }

    /// The same where it cannot be clicked unless `on`.
    pub(crate) fn enabled(self, on: bool) -> Self {
        Self { enabled: on, ..self }
    }

    /// Whether the line of the one can become that of the other.
    fn is_kin(&self, other: &Self) -> bool {
        self.id == other.id && std::mem::discriminant(&self.body) == std::mem::discriminant(&other.body)
    }

    fn opens(&self) -> &[Self] {
        match &self.body {
            Body::Submenu(entries) => entries,
            _ => &[],
        }
    }

    /// Whether the line itself looks the same, whatever it opens.
    fn looks_like(&self, other: &Self) -> bool {
        let tick = |entry: &Self| matches!(entry.body, Body::Check(true));
        self.label == other.label && self.enabled == other.enabled && tick(self) == tick(other)
    }
}

/// The same menu in a language.
pub(crate) fn said(menu: Vec<Entry>, language: Language) -> Vec<Entry> {
    let one = |entry: Entry| Entry {
        label: language.say(&entry.label),
        body: match entry.body {
            Body::Submenu(entries) => Body::Submenu(said(entries, language)),
            body => body,
        },
        ..entry
    };
    menu.into_iter().map(one).collect()
}

/// The steps from `old` to `new`, in order.
pub(crate) fn edits(old: &[Entry], new: &[Entry]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut left: Vec<&Entry> = old.iter().collect();
    for (at, entry) in new.iter().enumerate() {
        match left.get(at..).and_then(|rest| rest.iter().position(|known| known.is_kin(entry))) {
            Some(away) => {
                // Whatever stands before it is gone, or comes again further down.
                for _ in 0..away {
                    left.remove(at);
                    edits.push(Edit::Remove { at });
                }
                if !left[at].looks_like(entry) {
                    edits.push(Edit::Change { at, entry: entry.clone() });
                }
                let within = self::edits(left[at].opens(), entry.opens());
                if !within.is_empty() {
                    edits.push(Edit::Within { at, edits: within });
                }
            }
            None => {
                left.insert(at, entry);
                edits.push(Edit::Insert { at, entry: entry.clone() });
            }
        }
    }
    for _ in new.len()..left.len() {
        edits.push(Edit::Remove { at: new.len() });
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::{Body, Edit, Entry, edits};

    fn apply(menu: &mut Vec<Entry>, edits: Vec<Edit>) {
        for edit in edits {
            match edit {
                Edit::Insert { at, entry } => menu.insert(at, entry),
                Edit::Remove { at } => drop(menu.remove(at)),
                Edit::Change { at, entry } => {
                    let body = match (&menu[at].body, entry.body) {
                        (Body::Submenu(known), Body::Submenu(_)) => Body::Submenu(known.clone()),
                        (_, body) => body,
                    };
                    menu[at] = Entry { body, ..entry };
                }
                Edit::Within { at, edits } => {
                    let Body::Submenu(entries) = &mut menu[at].body else { panic!("{:?} opens nothing", menu[at]) };
                    apply(entries, edits);
                }
            }
        }
    }

    /// Every menu of these few lines, in every order that can matter.
    fn menus() -> Vec<Vec<Entry>> {
        let lines = [
            Entry::new("a", "A"),
            Entry::new("a", "A once more").enabled(false),
            Entry::check("b", "B", true),
            Entry::check("b", "B", false),
            // The same id, and another kind of line.
            Entry::new("b", "B"),
            Entry::separator("s"),
            Entry::submenu("m", "M", vec![Entry::new("x", "X"), Entry::check("y", "Y", false)]),
            Entry::submenu("m", "M!", vec![Entry::check("y", "Y", true), Entry::new("z", "Z"), Entry::new("x", "X")]),
            Entry::submenu("m", "M", Vec::new()),
        ];
        let mut menus = vec![Vec::new()];
        for first in &lines {
            menus.push(vec![first.clone()]);
            for second in lines.iter().filter(|second| second.id != first.id) {
                menus.push(vec![first.clone(), second.clone()]);
                for third in lines.iter().filter(|third| third.id != first.id && third.id != second.id) {
                    menus.push(vec![first.clone(), second.clone(), third.clone()]);
                }
            }
        }
        menus
    }

    #[test]
    fn the_edits_make_the_one_menu_into_the_other() {
        let menus = menus();
        for old in &menus {
            for new in &menus {
                let mut menu = old.clone();
                let steps = edits(old, new);
                assert_eq!(steps.is_empty(), old == new, "{old:?} {new:?}");
                apply(&mut menu, steps);
                assert_eq!(&menu, new);
            }
        }
    }

    #[test]
    fn a_label_changes_in_place_and_a_line_comes_alone() {
        let menu = |label: &str| vec![Entry::text("state", label), Entry::separator("s"), Entry::new("quit", "Quit")];
        let changed = edits(&menu("Running"), &menu("Stopped"));
        assert_eq!(changed, [Edit::Change { at: 0, entry: Entry::text("state", "Stopped") }]);
        let mut longer = menu("Running");
        longer.insert(2, Entry::new("update", "Restart to update"));
        let update = Entry::new("update", "Restart to update");
        assert_eq!(edits(&menu("Running"), &longer), [Edit::Insert { at: 2, entry: update }]);
        assert_eq!(edits(&longer, &menu("Running")), [Edit::Remove { at: 2 }]);
    }
}
