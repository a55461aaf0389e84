//! Reasoning, sealed for the way through a client.
//!
//! The upstream gives each reasoning item as an encrypted text and wants it back in the next request. An Anthropic client
//! carries it for us in `thinking.signature` (or in `redacted_thinking.data`), which it replays verbatim
//! (`claude-code.md §4`). The envelope says whose it is: encrypted reasoning is bound to the account that made it
//! (`codex-backend.md §2`).
//!
//! Form: `codeferry.1.<account>.<encrypted_content>`. The encrypted text is base64 already; wrapping it again would make
//! every later request a third longer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

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

/// Envelopes as one signature that is base64: Google's SDKs take signatures for bytes, and write them anew in an alphabet of
/// their own.
pub fn pack(envelopes: &[String]) -> String {
    STANDARD.encode(envelopes.join("\n"))
}

/// The envelopes of such a signature. None, if it is not ours.
pub fn unpack(signature: &str) -> Vec<String> {
    let base64 = signature.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let text = STANDARD_NO_PAD.decode(base64).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    text.split('\n').filter(|envelope| open(envelope).is_some()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Reasoning, open, pack, seal, unpack};

    #[test]
    fn what_is_not_ours_is_not_opened() {
        for foreign in ["", "EqQBCkYIBxgCKkA", "codeferry.1.acc_1", "codeferry.1.acc_1.", "codeferry.2.acc_1.x"] {
            assert_eq!(open(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn foreign_signatures_hold_no_envelope() {
        for foreign in ["", "EqQBCkYIBxgCKkA", "c2ln", "not base64", "codeferry.1.acc_1.x"] {
            assert!(unpack(foreign).is_empty(), "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn open_undoes_seal(account in "acc_[0-9a-f]{16}", encrypted_content in "[A-Za-z0-9_=.-]{1,200}") {
            let reasoning = Reasoning { account: &account, encrypted_content: &encrypted_content };
            let sealed = seal(reasoning);
            prop_assert_eq!(open(&sealed), Some(reasoning));
            let two = [sealed.clone(), sealed];
            let packed = pack(&two);
            prop_assert_eq!(&unpack(&packed)[..], &two);
            prop_assert_eq!(&unpack(&packed.replace('+', "-").replace('/', "_"))[..], &two);
        }
    }
}
