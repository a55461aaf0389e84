//! What is written down of an exchange.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One exchange: a client's request and its answer. Figures and names, nothing of what was said.
///
/// An empty text stands for "not known".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Our id, as the client got it (`req_…`). Sorted by time.
    pub id: String,
    /// When the request came in; kept to the millisecond.
    #[serde(default = "epoch")]
    pub at: Timestamp,
    /// The name of the client key. Empty: refused before it was known.
    pub client: String,
    /// `anthropic`, `chat` or `responses`.
    pub dialect: String,
    /// Of the request.
    pub path: String,
    /// Of the client.
    pub user_agent: Option<String>,
    /// Names the conversation, for clients that do.
    pub conversation: Option<String>,
    /// The model as asked for.
    pub asked: String,
    /// The model upstream.
    pub model: String,
    /// The effort as sent.
    pub effort: Option<String>,
    /// Why this model.
    pub route: Option<String>,
    /// Whose host served: `plan`, `codex`, …
    pub provider: String,
    /// The id of the account that served.
    pub account: String,
    /// Why this account.
    pub picked: Option<String>,
    /// Whether the answer went out piece by piece.
    pub streamed: bool,
    /// What the upstream says it cost; `None` where it did not say.
    pub tokens: Option<Tokens>,
    /// Until the first byte of the answer went out.
    pub first_byte_ms: Option<u64>,
    /// From the request to the end of the answer.
    pub total_ms: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status the client got.
    pub status: Option<u16>,
    /// What kind of failure it was, for machines.
    pub error: Option<String>,
    /// The same in a sentence, as the client got it.
    pub message: Option<String>,
    /// What of the request could not be carried.
    pub losses: Vec<String>,
    /// What of the answer could not be carried, or had to be put right.
    pub notes: Vec<String>,
    /// Each try upstream.
    pub attempts: Vec<Attempt>,
    /// The upstream's id of the last one.
    pub upstream_id: Option<String>,
    /// How this request continues the conversation's last one.
    pub prefix: Option<Prefix>,
}

/// One try upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Who was to pay.
    pub account: String,
    /// Whose host it was.
    pub provider: String,
    /// Until the answer began, or the try failed.
    pub ms: u64,
    /// Why it failed, for machines; `None` if it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The HTTP status of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The upstream's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_id: Option<String>,
}

/// What an exchange cost, as the upstream counts: cached input is part of the input, reasoning part of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// All input.
    pub input: u64,
    /// The part of it that was read from the prompt cache.
    pub cached: u64,
    /// All output.
    pub output: u64,
    /// The part of it that was reasoning.
    pub reasoning: u64,
}

/// How a request continues the last one of its conversation, as far as the upstream's prompt cache sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// What changed of what was sent before: `account`, `model`, `system`, `tools`, `format` (the schema of the answer) or
    /// `message` (an item of the history). Or how else it does not go on: the history was `compacted` or `rewound`, or this
    /// is a request `beside` the conversation. `None`: nothing; the request only goes on, or is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broke: Option<String>,
    /// The first item of the history that differs, counted from 0; for `message`, `compacted` and `rewound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// Items of the history.
    pub items: u32,
    /// How many answered requests of this conversation came before, as far as the gateway remembers.
    pub turn: u32,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole answer was sent.
    #[default]
    Completed,
    /// An HTTP error was sent instead of an answer.
    Refused,
    /// The answer broke off, and the client was told.
    Failed,
    /// The client left.
    Cancelled,
}

// === impl Outcome ===

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Completed, Self::Refused, Self::Failed, Self::Cancelled];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The outcome of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn epoch() -> Timestamp {
    Timestamp::UNIX_EPOCH
}
