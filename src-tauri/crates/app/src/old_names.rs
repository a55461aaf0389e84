//! Names by which the systems people come from were set up: variables and flags, and what takes their place here.
//!
//! Whoever has one of them set expects something. All but those marked [`Ours::Better`] mean nothing here: each is said once, with its
//! name here or the reason why it has none. `docs/migrating.md` has a row for each, and a test compares the two.
//!
//! Sources: `seed-a.md §1.2`, `seed-b.md §1.7, §2.9`, `seed-c.md` C-004 to C-011.

mod table;

use std::fmt;

pub use table::{FLAGS, VARIABLES};

/// A system people come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// `@pikoloo/codex-proxy`, also called codex-claude-proxy.
    CodexProxy,
    /// codex-completions-api, later codex-app-server-proxy.
    CompletionsApi,
    /// codaze.
    Codaze,
}

/// A name that was theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldName {
    /// The variable, or the flag with its dashes.
    pub name: &'static str,
    /// Whose it was.
    pub of: &'static [System],
    /// What takes its place.
    pub ours: Ours,
    /// Other programs have a use for it, too.
    pub shared: bool,
}

/// What takes the place of an old name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// A command, a setting or a variable.
    Use(&'static str),
    /// It is still read, and this is the better name.
    Better(&'static str),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// Says which of them are set. Never what they hold.
pub(crate) fn report(set: &[&OldName]) {
    for old in set {
        match old.shared {
            true => tracing::info!("{old}"),
            false => tracing::warn!("{old}"),
        }
    }
}

/// The flags among what was typed.
pub fn flags_in(typed: impl Iterator<Item = impl AsRef<str>>) -> Vec<&'static OldName> {
    let typed: Vec<String> = typed.map(|word| word.as_ref().split('=').next().unwrap_or_default().to_owned()).collect();
    FLAGS.iter().filter(|flag| typed.iter().any(|word| word == flag.name)).collect()
}

// === impl System ===

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CodexProxy, Self::CompletionsApi, Self::Codaze];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CodexProxy => "codex-proxy",
            Self::CompletionsApi => "completions-api",
            Self::Codaze => "codaze",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl OldName ===

impl fmt::Display for OldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = self.of.iter().map(|system| system.name()).collect::<Vec<_>>().join(" and ");
        match self.ours {
            Ours::Use(ours) => write!(f, "{} is a name of {whose} and is not read here; use: {ours}", self.name),
            Ours::Better(ours) => write!(f, "{} is a name of {whose} and still read here; better: {ours}", self.name),
            Ours::Nothing(why) => write!(f, "{} is a name of {whose} and means nothing here: {why}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FLAGS, Ours, VARIABLES, flags_in};

    #[test]
    fn each_name_stands_once_and_says_something() {
        let all = || VARIABLES.iter().chain(FLAGS);
        for old in all() {
            let same = all().filter(|other| other.name == old.name).count();
            assert_eq!(same, 1, "{}", old.name);
            assert!(!old.of.is_empty(), "{}", old.name);
            let (Ours::Use(text) | Ours::Better(text) | Ours::Nothing(text)) = old.ours;
            assert!(text.len() > 5 && !text.ends_with('.'), "{}: {text}", old.name);
            assert!(!old.name.starts_with("CODEFERRY_"), "{} is ours", old.name);
        }
    }

    #[test]
    fn old_flags_are_found_however_they_are_typed() {
        let names = |typed: &[&str]| flags_in(typed.iter()).iter().map(|flag| flag.name).collect::<Vec<_>>();
        assert_eq!(names(&["codeferry", "serve", "--accounts-dir", "/x"]), ["--accounts-dir"]);
        assert_eq!(names(&["--listen=127.0.0.1:1", "--log", "json"]), ["--listen"]);
        assert_eq!(names(&["codeferry", "serve", "--port", "1"]), [""; 0]);
    }
}
