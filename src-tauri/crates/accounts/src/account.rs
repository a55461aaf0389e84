//! An account: who it is, not how it signs in.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::named::{Endpoint, Program};

/// Which road an account's token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sign in with ChatGPT, plan usage for open-source apps (codex-backend.md §12).
    Plan,
    /// The sign-in of the Codex CLI (codex-backend.md §1).
    Codex,
    /// The simulated upstream of `--demo`. Never in the vault.
    Demo,
    /// A server that speaks Chat Completions: one of one's own, or a third party with its key. A [named](Kind::is_named)
    /// account.
    Compatible,
    /// A key for the API of OpenAI, paid per token. A [named](Kind::is_named) account.
    OpenaiKey,
    /// The Codex CLI as a program beside us, with its own sign-in. A [named](Kind::is_named) account.
    CodexCli,
}

/// Not the name of a [`Kind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of account: use plan, codex, compatible, openai_key or codex_cli")]
pub struct ParseKindError(String);

/// An account's name within Codeferry: `acc_` and 16 hex digits.
///
/// It follows from who the account is (kind, ChatGPT account, user), so importing the same account twice gives the
/// same id, on every machine. The e-mail address plays no part: one address may stand in two workspaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

/// Not the form of an [`AccountId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no account id: one looks like acc_0123456789abcdef")]
pub struct ParseIdError(String);

/// Who an account is. Nothing in here is secret, but the e-mail address does not belong in logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    pub kind: Kind,
    pub email: Option<String>,
    /// What the user calls it.
    pub label: Option<String>,
    /// `plus`, `pro`, `team` …: an open set (codex-backend.md §1).
    pub plan: Option<String>,
    /// The workspace that pays; sent as `chatgpt-account-id`.
    pub chatgpt_account_id: Option<String>,
    pub user_id: Option<String>,
    pub added_at: Timestamp,
    /// Where its server is, if that is the account's own affair and not its kind's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The program it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
}

// === impl Kind ===

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Codex => "codex",
            Self::Demo => "demo",
            Self::Compatible => "compatible",
            Self::OpenaiKey => "openai_key",
            Self::CodexCli => "codex_cli",
        }
    }

    /// Whether its accounts serve only who asks for them by name, as `LABEL/MODEL`. No rotation picks them, none of them
    /// is ever the active one, and nobody stands in for them: who pays, and who reads along, is the user's to say.
    pub fn is_named(self) -> bool {
        match self {
            Self::Compatible | Self::OpenaiKey | Self::CodexCli => true,
            Self::Plan | Self::Codex | Self::Demo => false,
        }
    }

    /// Whether its accounts are a server and a key for it: nothing to sign in to, and no plan behind it.
    pub fn takes_key(self) -> bool {
        matches!(self, Self::Compatible | Self::OpenaiKey)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ParseKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "plan" => Ok(Self::Plan),
            "codex" => Ok(Self::Codex),
            "demo" => Ok(Self::Demo),
            "compatible" => Ok(Self::Compatible),
            "openai_key" => Ok(Self::OpenaiKey),
            "codex_cli" => Ok(Self::CodexCli),
            other => Err(ParseKindError(other.to_owned())),
        }
    }
}

// === impl AccountId ===

impl AccountId {
    const PREFIX: &'static str = "acc_";

    /// The id of the account these three name.
    pub fn derive(kind: Kind, chatgpt_account_id: Option<&str>, user_id: Option<&str>) -> Self {
        let mut hash = Sha256::new();
        for part in [Some(kind.as_str()), chatgpt_account_id, user_id] {
            // The length goes in first: ("ab", "c") and ("a", "bc") are two accounts, and so are "" and nothing.
            hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        let digits: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{}{digits}", Self::PREFIX))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AccountId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for AccountId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // Ids become file names (the refresh locks), so nothing but this form is let in.
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.strip_prefix(Self::PREFIX) {
            Some(digits) if digits.len() == 16 && digits.bytes().all(digit) => Ok(Self(text)),
            _ => Err(ParseIdError(text)),
        }
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

// === impl Account ===

impl Account {
    /// How to call it in a sentence: the label, else the e-mail address, else the id.
    pub fn name(&self) -> &str {
        self.label.as_deref().or(self.email.as_deref()).unwrap_or(self.id.as_str())
    }

    /// Whether a person who typed `text` means this account.
    pub fn answers_to(&self, text: &str) -> bool {
        self.id.as_str() == text
            || self.label.as_deref() == Some(text)
            || self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(text))
    }
}

#[cfg(test)]
mod tests;
