//! Reasoning, sealed for the way through a client.
//!
//! The upstream gives each reasoning item as an encrypted text and wants it back in the next request. An Anthropic client
//! carries it for us in `thinking.signature` (or in `redacted_thinking.data`), which it replays verbatim
//! (`claude-code.md §4`). The envelope says whose it is: encrypted reasoning is bound to the account that made it
//! (`codex-backend.md §2`).
//!
//! Form: `codeferry.1.<account>.<encrypted_content>`. The encrypted text is base64 already; wrapping it again would make
//! every later request a third longer.

const PREFIX: &str = "codeferry.1.";

/// A reasoning item as it lies in the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reasoning<'a> {
    /// The id of the account that made it, without dots.
    pub account: &'a str,
    /// What the upstream wants back.
    pub encrypted_content: &'a str,
}

/// Puts a reasoning item into an envelope.
pub fn seal(reasoning: Reasoning<'_>) -> String {
    debug_assert!(!reasoning.account.contains('.'), "an account id has no dots");
    format!("{PREFIX}{}.{}", reasoning.account, reasoning.encrypted_content)
}

/// Opens an envelope. `None` if it is not one of ours, which is no error: conversations move between services.
pub fn open(envelope: &str) -> Option<Reasoning<'_>> {
    let (account, encrypted_content) = envelope.strip_prefix(PREFIX)?.split_once('.')?;
    (!encrypted_content.is_empty()).then_some(Reasoning { account, encrypted_content })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Reasoning, open, seal};

    #[test]
    fn what_is_not_ours_is_not_opened() {
        for foreign in ["", "EqQBCkYIBxgCKkA", "codeferry.1.acc_1", "codeferry.1.acc_1.", "codeferry.2.acc_1.x"] {
            assert_eq!(open(foreign), None, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn open_undoes_seal(account in "acc_[0-9a-f]{16}", encrypted_content in "[A-Za-z0-9_=.-]{1,200}") {
            let reasoning = Reasoning { account: &account, encrypted_content: &encrypted_content };
            let sealed = seal(reasoning);
            prop_assert_eq!(open(&sealed), Some(reasoning));
        }
    }
}
