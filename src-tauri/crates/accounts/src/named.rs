//! Named accounts: those that serve only who asks for `LABEL/MODEL`.
//!
//! A server of one's own, a third party with a key, a program beside us: none of them is what a plan account's owner
//! meant when asking for a model. So they are never picked by a rotation, never the active account, and nobody stands in
//! for them. What a label may be is said here, since it is the first part of a model's name.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Kind, Secret, VaultError};

/// Where a named account's server is. Nothing in here is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What `/chat/completions` and `/models` are below of.
    pub url: String,
    /// The server it is known to be, with its peculiarities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Its owner said that the key and the prompts may cross a network in the clear.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_http: bool,
}

/// The program a `codex_cli` account is. It signs itself in; nothing of its sign-in is here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its `CODEX_HOME`; `None` leaves it to the environment, as in the person's own terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<PathBuf>,
}

/// Servers that are known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The free models of Kilo (seed-a.md §12).
    Kilo,
    #[serde(rename = "openrouter")]
    OpenRouter,
    Ollama,
    LmStudio,
    Vllm,
}

/// Not the name of a [`Preset`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no preset: use kilo, openrouter, ollama, lm-studio or vllm")]
pub struct ParsePresetError(String);

/// A named account that is to be added.
#[derive(Debug, Clone)]
pub struct NamedAccount {
    /// One of those that [are named](Kind::is_named).
    pub kind: Kind,
    pub label: String,
    pub endpoint: Option<Endpoint>,
    pub program: Option<Program>,
    /// Empty where the server asks for none.
    pub key: Secret,
}

/// The named account was not added.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    #[error(transparent)]
    Label(#[from] UnfitLabel),
    /// One could not tell them apart.
    #[error("there is an account called {label} already: choose another label, or remove that one first")]
    Taken { label: String },
    #[error("accounts of the kind {0} are signed in, not named")]
    NotNamed(Kind),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The label is of no use in a model's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitLabel {
    #[error("the account is reached by its label, so it needs one")]
    Missing,
    #[error(
        "{0:?} cannot be the first part of a model's name: use letters, digits, `-`, `_` and `.`, at most {LONGEST}, \
         beginning with a letter or a digit"
    )]
    Form(String),
    #[error("{0:?} means something else in a model's name already: choose another label")]
    Reserved(String),
}

/// Longer ones do not fit into a list.
const LONGEST: usize = 32;
/// What the first part of a model's name means already: what clients put before names, and the families of the routing
/// table.
const RESERVED: [&str; 13] = [
    "claude",
    "anthropic",
    "codex",
    "opus",
    "sonnet",
    "haiku",
    "fable",
    "best",
    "default",
    "opusplan",
    "big",
    "mid",
    "small",
];
/// Beginnings by which models of the upstream and of the client's own maker are known.
const FAMILIES: [&str; 3] = ["claude-", "anthropic-", "gpt"];

/// A label as a named account may have it.
pub fn label(text: &str) -> Result<String, UnfitLabel> {
    let text = text.trim();
    if text.is_empty() {
        return Err(UnfitLabel::Missing);
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if text.len() > LONGEST || !begins || !text.bytes().all(fits) {
        return Err(UnfitLabel::Form(text.to_owned()));
    }
    let lower = text.to_ascii_lowercase();
    // `o3` and its like.
    let o_series = lower.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if RESERVED.contains(&lower.as_str()) || FAMILIES.iter().any(|family| lower.starts_with(family)) || o_series {
        return Err(UnfitLabel::Reserved(text.to_owned()));
    }
    Ok(text.to_owned())
}

// === impl Preset ===

impl Preset {
    pub const ALL: [Self; 5] = [Self::Kilo, Self::OpenRouter, Self::Ollama, Self::LmStudio, Self::Vllm];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kilo => "kilo",
            Self::OpenRouter => "openrouter",
            Self::Ollama => "ollama",
            Self::LmStudio => "lm-studio",
            Self::Vllm => "vllm",
        }
    }

    /// Where it is found unless its owner says otherwise.
    pub fn url(self) -> &'static str {
        match self {
            Self::Kilo => "https://api.kilo.ai/api/openrouter",
            Self::OpenRouter => "https://openrouter.ai/api/v1",
            Self::Ollama => "http://127.0.0.1:11434/v1",
            Self::LmStudio => "http://127.0.0.1:1234/v1",
            Self::Vllm => "http://127.0.0.1:8000/v1",
        }
    }

    /// The key for those who have none. `None`: the server asks for none, or for one of one's own.
    pub fn anonymous_key(self) -> Option<&'static str> {
        match self {
            Self::Kilo => Some("anonymous"),
            Self::OpenRouter | Self::Ollama | Self::LmStudio | Self::Vllm => None,
        }
    }

    /// Whether nothing can be had there without a key of one's own.
    pub fn needs_key(self) -> bool {
        matches!(self, Self::OpenRouter)
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Preset {
    type Err = ParsePresetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text).ok_or_else(|| ParsePresetError(text.to_owned()))
    }
}

// === impl NamedAccount ===

impl NamedAccount {
    /// An id of its own, whatever it is called later: another account may get its label then. `generation` is the vault's,
    /// which it gives once and never again.
    pub(crate) fn id(&self, generation: u64) -> AccountId {
        AccountId::derive(self.kind, self.place(), Some(&format!("{} {generation}", self.label)))
    }

    pub(crate) fn place(&self) -> Option<&str> {
        self.endpoint.as_ref().map(|endpoint| endpoint.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Preset, UnfitLabel, label};

    #[test]
    fn a_label_is_the_first_part_of_a_models_name_and_nothing_else() {
        for good in ["ollama", "kilo", "my-box.local", "7b", "openai", "codex-cli", "Work_2"] {
            assert_eq!(label(good).as_deref(), Ok(good));
        }
        assert_eq!(label(" padded ").as_deref(), Ok("padded"));
        assert_eq!(label("  "), Err(UnfitLabel::Missing));
        for bad in ["a/b", "a b", "-a", "a:b", "a[1m]", "ä", &"a".repeat(33)] {
            assert!(matches!(label(bad), Err(UnfitLabel::Form(_))), "{bad}");
        }
        for taken in ["claude", "Anthropic", "codex", "opus", "haiku", "claude-x", "gpt-5", "gpt5", "o3", "o4-mini"] {
            assert!(matches!(label(taken), Err(UnfitLabel::Reserved(_))), "{taken}");
        }
    }

    #[test]
    fn presets_answer_to_their_names() {
        for preset in Preset::ALL {
            assert_eq!(preset.as_str().parse(), Ok(preset));
            assert_eq!(serde_json::to_string(&preset).expect("a word"), format!("\"{preset}\""));
            assert_eq!(label(preset.as_str()).as_deref(), Ok(preset.as_str()), "its name can be its label");
        }
        assert!("llamafile".parse::<Preset>().is_err());
    }
}
