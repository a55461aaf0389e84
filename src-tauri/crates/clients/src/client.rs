//! The clients there are, and what can be asked about each: whether it is installed, where its settings lie, what they say now,
//! what they would have to say, and what may still keep it away.
//!
//! **Invariant:** looking never writes. What is to be written is a list of [`Change`]s for `apply`, and they are made from values:
//! the documents that were read, the machine as it was found, and the [`Intent`].

pub mod exports;
pub mod layered;
pub mod leads;
pub mod lines;
pub mod models;
pub mod no_proxy;
pub mod programs;
pub mod proxied;
#[cfg(test)]
mod round;
mod standing;
pub mod world;
pub mod wsl;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use self::standing::{Conflict, Drift, Moved, State, Weight};
pub use self::world::{Files, MadeUpFiles, Os, RealFiles, World};
use crate::apply::Change;
use crate::intent::Intent;

/// A program that can be set up, or explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Anthropic's.
    ClaudeCode,
    /// OpenAI's own command line.
    Codex,
    /// opencode.
    OpenCode,
    /// OpenClaw.
    OpenClaw,
    /// Cline, in VS Code and on the command line.
    Cline,
    /// Roo Code, in VS Code.
    RooCode,
    /// Kilo Code, in VS Code and on the command line.
    KiloCode,
    /// Continue.
    Continue,
    /// Zed.
    Zed,
    /// VS Code's own chat.
    VsCode,
    /// Cursor, which does not reach a gateway on this machine.
    Cursor,
    /// Whatever reads the variables of OpenAI's libraries.
    OpenAi,
    /// Whatever reads the variables of Anthropic's libraries.
    Anthropic,
    /// Google's own command line, and what reads its variables.
    Gemini,
}

/// No client is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no client is called {0:?}; there are: {all}", all = Kind::ALL.map(Kind::name).join(", "))]
pub struct UnknownClient(pub String);

/// What was found of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The program; `None`: there is none where programs are.
    pub program: Option<PathBuf>,
    /// Its version, if that can be told without starting it.
    pub version: Option<String>,
    /// How it got here: `npm`, `nvm`, `homebrew`, `native` …
    pub how: Option<&'static str>,
    /// It has left traces: a folder with its settings.
    pub settings: bool,
    /// Where it can be set up.
    pub targets: Vec<Target>,
}

/// A place where a client can be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A word for it: `user`, `project`, `wsl:Ubuntu:ada`.
    pub id: String,
    /// What it is called for people.
    pub label: String,
    /// Whose settings they are.
    pub scope: Scope,
    /// The files that may be changed there. The first is the one that says where the client goes.
    pub files: Vec<PathBuf>,
    /// What is asked for by name only, never done along with the rest.
    pub opt_in: bool,
    /// Why it cannot be set up now, in a sentence without an end.
    pub obstacle: Option<String>,
}

/// Whose settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The person's, on this machine.
    User,
    /// A person's in a Linux inside Windows.
    Wsl {
        /// The distribution.
        distribution: wsl::Distribution,
    },
    /// Those of one project.
    Project {
        /// Its folder.
        folder: PathBuf,
    },
}

/// Files as they were read.
#[derive(Clone, Default)]
pub struct Documents(BTreeMap<PathBuf, Held>);

/// What was found at a path.
#[derive(Clone, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    Missing,
    /// A file.
    Bytes(Vec<u8>),
    /// Something that cannot be read, and why.
    Unreadable(String),
}

/// A place in a file that the ledger calls ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Which file.
    pub file: PathBuf,
    /// Which place in it.
    pub pointer: crate::format::Pointer,
    /// It still holds what we wrote.
    pub intact: bool,
}

/// What is known when a client's state is asked for.
#[derive(Clone, Copy)]
pub struct View<'v> {
    /// Its files.
    pub documents: &'v Documents,
    /// What is ours in them.
    pub owned: &'v [Owned],
    /// What it would be told now.
    pub intent: &'v Intent,
    /// Whether a key opens the gateway.
    pub opens: &'v dyn Fn(&str) -> bool,
}

/// What a client would go by if it began now, and who says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Effective {
    /// The variable or setting.
    pub key: String,
    /// What it is.
    value: String,
    /// Who says so: a file, `FILE:LINE` of a shell, or `the environment`.
    pub from: String,
    /// Who says something else and is overruled, the strongest first.
    pub overruled: Vec<String>,
}

/// Where a client would go if it began now, and with which key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// The address. `None`: its maker's own.
    pub url: Option<Effective>,
    /// The key that it shows there.
    pub key: Option<Effective>,
}

/// What every client's module answers.
pub trait Client: Sync {
    /// Which one it is.
    fn kind(&self) -> Kind;

    /// Looks whether it is installed, and where it can be set up.
    fn detect(&self, world: &World) -> Found;

    /// The files to read before anything else is asked, beyond those that may be changed.
    fn also_reads(&self, _world: &World, _target: &Target) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Where it goes now.
    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State;

    /// What its files are to say so that it comes here: what a person wants who says "set it up". Nothing where it cannot be set
    /// up by files. A file that cannot be read is `apply`'s to refuse.
    fn plan(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Change>;

    /// What keeps it away, or may, once it was set up.
    fn conflicts(&self, _world: &World, _target: &Target, _documents: &Documents, _intent: &Intent) -> Vec<Conflict> {
        Vec::new()
    }

    /// What it would go by if it began now, resolved in its own order. Empty where nobody knows that order.
    fn effective(&self, _world: &World, _target: &Target, _documents: &Documents) -> Vec<Effective> {
        Vec::new()
    }

    /// The way it would go if it began now, out of [`effective`](Self::effective). `None` where nobody knows that order.
    fn way(&self, _world: &World, _target: &Target, _documents: &Documents) -> Option<Way> {
        None
    }

    /// The lines to copy, for whoever sets it up by hand.
    fn manual(&self, world: &World, intent: &Intent) -> String;
}

// === impl Kind ===

impl Kind {
    /// Who answers for it. `None`: nobody yet.
    pub fn client(self) -> Option<&'static dyn Client> {
        use crate::{
            claude_code, codex_cli, continue_dev, editors, gemini_cli, libraries, openclaw, opencode, vscode, zed,
        };
        Some(match self {
            Self::ClaudeCode => &claude_code::ClaudeCode,
            Self::Codex => &codex_cli::Codex,
            Self::OpenCode => &opencode::OpenCode::Itself,
            Self::OpenClaw => &openclaw::OpenClaw,
            Self::Cline => &editors::Cline,
            Self::RooCode => &editors::RooCode,
            Self::KiloCode => &opencode::OpenCode::Kilo,
            Self::Continue => &continue_dev::Continue,
            Self::Zed => &zed::Zed,
            Self::VsCode => &vscode::VsCode,
            Self::Cursor => &editors::Cursor,
            Self::OpenAi => &libraries::Libraries::OpenAi,
            Self::Anthropic => &libraries::Libraries::Anthropic,
            Self::Gemini => &gemini_cli::GeminiCli,
        })
    }

    /// All of them, in the order of lists.
    pub const ALL: [Self; 14] = [
        Self::ClaudeCode,
        Self::Codex,
        Self::OpenCode,
        Self::OpenClaw,
        Self::Cline,
        Self::RooCode,
        Self::KiloCode,
        Self::Continue,
        Self::Zed,
        Self::VsCode,
        Self::Cursor,
        Self::OpenAi,
        Self::Anthropic,
        Self::Gemini,
    ];

    /// As it is typed, and as folders are named.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::OpenCode => "opencode",
            Self::OpenClaw => "openclaw",
            Self::Cline => "cline",
            Self::RooCode => "roo-code",
            Self::KiloCode => "kilo-code",
            Self::Continue => "continue",
            Self::Zed => "zed",
            Self::VsCode => "vscode",
            Self::Cursor => "cursor",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// As its maker writes it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex CLI",
            Self::OpenCode => "opencode",
            Self::OpenClaw => "OpenClaw",
            Self::Cline => "Cline",
            Self::RooCode => "Roo Code",
            Self::KiloCode => "Kilo Code",
            Self::Continue => "Continue",
            Self::Zed => "Zed",
            Self::VsCode => "VS Code",
            Self::Cursor => "Cursor",
            Self::OpenAi => "OpenAI libraries",
            Self::Anthropic => "Anthropic libraries",
            Self::Gemini => "Gemini CLI",
        }
    }

    /// The one of that name, or of one people use for it.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let known = match name.as_str() {
            "claude" | "claudecode" => "claude-code",
            "codex-cli" => "codex",
            "open-code" => "opencode",
            "roo" | "roocode" => "roo-code",
            "kilo" | "kilocode" => "kilo-code",
            "vs-code" | "code" => "vscode",
            "gemini-cli" => "gemini",
            other => other,
        };
        Self::ALL.into_iter().find(|kind| kind.name() == known)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownClient;

    fn from_str(name: &str) -> Result<Self, UnknownClient> {
        Self::parse(name).ok_or_else(|| UnknownClient(name.to_owned()))
    }
}

// === impl Effective ===

impl Effective {
    /// What a client would go by.
    pub fn new(key: &str, value: impl Into<String>, from: impl fmt::Display, overruled: Vec<String>) -> Self {
        Self { key: key.to_owned(), value: value.into(), from: from.to_string(), overruled }
    }

    /// The value itself, which may be a secret.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// The value as it may be shown.
    pub fn shown(&self) -> String {
        secret_shown(&self.key, &self.value)
    }
}

/// What is in force, in a sentence without an end for each who decides: which keys, and whom that overrules.
pub fn in_force(effective: &[Effective]) -> Vec<String> {
    let mut sources: Vec<&str> = Vec::new();
    for one in effective {
        if !sources.contains(&one.from.as_str()) {
            sources.push(&one.from);
        }
    }
    let told = |source: &str| {
        let own = effective.iter().filter(|one| one.from == source);
        // What a model is called decides nothing.
        let own = own.filter(|one| !one.key.ends_with("_NAME") && !one.key.ends_with("_DESCRIPTION"));
        let of = |one: &Effective| match one.overruled.as_slice() {
            [] => format!("{}={}", one.key, one.shown()),
            others => format!("{}={} (not as {} says)", one.key, one.shown(), others.join(", ")),
        };
        format!("by {source}: {}", own.map(of).collect::<Vec<_>>().join(", "))
    };
    sources.into_iter().map(told).collect()
}

impl fmt::Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} from {}", self.key, self.shown(), self.from)
    }
}

/// A value as it may be shown: of a secret, by the name of its key, no more than its end; of an address, not the password in it.
pub(crate) fn secret_shown(key: &str, value: &str) -> String {
    let key = key.to_ascii_uppercase();
    let secret = ["TOKEN", "API_KEY", "APIKEY", "SECRET", "PASSWORD", "HEADERS"].iter().any(|word| key.contains(word));
    // A number of tokens is none.
    if secret && value.parse::<u64>().is_err() {
        let end: String = value.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        return if value.chars().count() >= 16 { format!("…{end}") } else { "…".to_owned() };
    }
    match value.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://…@{rest}"),
        None => value.to_owned(),
    }
}

// === impl Target ===

impl Target {
    /// The person's own settings on this machine.
    pub fn user(label: impl Into<String>, files: Vec<PathBuf>) -> Self {
        Self { id: "user".to_owned(), label: label.into(), scope: Scope::User, files, opt_in: false, obstacle: None }
    }

    /// The file that says where the client goes.
    pub fn file(&self) -> Option<&Path> {
        self.files.first().map(PathBuf::as_path)
    }
}

// === impl Documents ===

impl Documents {
    /// Reads these files. What cannot be read says why.
    pub fn read<'p>(files: &dyn Files, paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let held = |path: &Path| match files.read(path) {
            Ok(Some(bytes)) => Held::Bytes(bytes),
            Ok(None) => Held::Missing,
            Err(error) => Held::Unreadable(error.to_string()),
        };
        Self(paths.into_iter().map(|path| (path.to_owned(), held(path))).collect())
    }

    /// Everything that a client wants read about a target.
    pub fn of(client: &dyn Client, world: &World, target: &Target) -> Self {
        let also = client.also_reads(world, target);
        Self::read(&*world.files, target.files.iter().chain(&also).map(PathBuf::as_path))
    }

    /// The same with this file.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, held: Held) -> Self {
        self.0.insert(path.into(), held);
        self
    }

    /// What was found there. What nobody read counts as missing.
    pub fn held(&self, path: &Path) -> &Held {
        self.0.get(path).unwrap_or(&Held::Missing)
    }

    /// The bytes that were found there.
    pub fn bytes(&self, path: &Path) -> Option<&[u8]> {
        match self.held(path) {
            Held::Bytes(bytes) => Some(bytes),
            Held::Missing | Held::Unreadable(_) => None,
        }
    }

    /// The text that was found there.
    pub fn text(&self, path: &Path) -> Option<&str> {
        self.bytes(path).and_then(|bytes| str::from_utf8(bytes).ok())
    }

    /// The files that were read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // They may hold secrets.
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Unreadable(why) => write!(f, "Unreadable({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effective, Kind, in_force, secret_shown};

    #[test]
    fn what_is_in_force_is_told_by_who_decides() {
        let effective = [
            Effective::new("ANTHROPIC_BASE_URL", "http://a", "/s.json", vec!["/h/.zshrc:1".to_owned()]),
            Effective::new("ANTHROPIC_MODEL", "opus", "the environment", Vec::new()),
            Effective::new("ANTHROPIC_AUTH_TOKEN", "cf-0123456789abcdef", "/s.json", Vec::new()),
            Effective::new("ANTHROPIC_DEFAULT_OPUS_MODEL_NAME", "GPT", "/s.json", Vec::new()),
        ];
        let told = [
            "by /s.json: ANTHROPIC_BASE_URL=http://a (not as /h/.zshrc:1 says), ANTHROPIC_AUTH_TOKEN=…cdef",
            "by the environment: ANTHROPIC_MODEL=opus",
        ];
        assert_eq!(in_force(&effective), told);
    }

    #[test]
    fn secrets_are_shown_by_their_end_at_most() {
        assert_eq!(secret_shown("ANTHROPIC_AUTH_TOKEN", "cf-0123456789abcdef"), "…cdef");
        assert_eq!(secret_shown("ANTHROPIC_API_KEY", "short"), "…");
        assert_eq!(secret_shown("CLAUDE_CODE_MAX_CONTEXT_TOKENS", "272000"), "272000");
        assert_eq!(secret_shown("HTTPS_PROXY", "http://ada:pw@proxy:3128"), "http://…@proxy:3128");
        assert_eq!(secret_shown("ANTHROPIC_BASE_URL", "http://127.0.0.1:8081"), "http://127.0.0.1:8081");
    }

    #[test]
    fn clients_go_by_the_names_that_people_type() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse::<Kind>(), Ok(kind));
        }
        assert_eq!(Kind::parse("Claude"), Some(Kind::ClaudeCode));
        assert_eq!(Kind::parse("roo_code"), Some(Kind::RooCode));
        let unknown = "emacs".parse::<Kind>().unwrap_err().to_string();
        assert!(unknown.starts_with("no client is called \"emacs\"; there are: claude-code, codex, "), "{unknown}");
    }
}
