//! Which account's turn it is: the ways a person can choose from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How requests are spread over several accounts.
///
/// All of them begin at the active account, pass over accounts that are paused, rest or need a sign-in, and keep a
/// conversation where it is until its account is blocked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Only the active account is used. Nobody steps in for it.
    #[default]
    Personal,
    /// The active account; while it is blocked, the next one.
    Sticky,
    /// Each new conversation goes to the account whose last turn is longest ago.
    RoundRobin,
    /// The account with the fewest requests under way.
    LeastInFlight,
    /// The account of the highest priority until it is used up, then the next.
    FillFirst,
}

/// Not the name of a [`Rotation`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rotation: use personal, sticky, round_robin, least_in_flight or fill_first")]
pub struct ParseRotationError(String);

// === impl Rotation ===

impl Rotation {
    pub const ALL: [Self; 5] = [Self::Personal, Self::Sticky, Self::RoundRobin, Self::LeastInFlight, Self::FillFirst];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Sticky => "sticky",
            Self::RoundRobin => "round_robin",
            Self::LeastInFlight => "least_in_flight",
            Self::FillFirst => "fill_first",
        }
    }

    /// What it means, in one sentence to stand beside the choice.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Personal => {
                "Only the active account pays. When it is used up, requests are refused until it is back."
            }
            Self::Sticky => {
                "The active account pays, and while it rests the next one. Requests wait for a short rest of them all."
            }
            Self::RoundRobin => {
                "New conversations take turns over the accounts of the highest priority, beginning at the active one."
            }
            Self::LeastInFlight => {
                "Each new conversation goes to the account of the highest priority that has the fewest requests under way."
            }
            Self::FillFirst => {
                "The account of the highest priority pays until it is used up, then the next. Of equals the active one \
                 is first."
            }
        }
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Rotation {
    type Err = ParseRotationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|rotation| rotation.as_str() == text);
        found.ok_or_else(|| ParseRotationError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Rotation;

    #[test]
    fn every_rotation_answers_to_its_name_and_explains_itself() {
        for rotation in Rotation::ALL {
            assert_eq!(rotation.as_str().parse(), Ok(rotation));
            assert_eq!(serde_json::to_string(&rotation).expect("a word"), format!("\"{rotation}\""));
            assert!(rotation.explanation().ends_with('.'));
        }
        assert!("fastest".parse::<Rotation>().expect_err("no such thing").to_string().contains("fill_first"));
        assert_eq!(Rotation::default(), Rotation::Personal);
    }
}
