//! Things only this demo can have made: token signatures and sealed reasoning.
//!
//! Everything is derived from one seed, so that a restarted demo still knows what it gave out before: a conversation
//! can be continued after the gateway was restarted. There is nothing secret here, and nothing worth protecting.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Signs and recognises.
#[derive(Debug, Clone)]
pub(crate) struct Seal {
    seed: String,
}

/// Why sealed reasoning was not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Not made here, or edited on the way.
    Foreign,
    /// Made here, but for another account.
    OtherAccount,
    /// Made here, for this account, but it came back under another item id.
    OtherItem,
}

// === impl Seal ===

impl Seal {
    pub(crate) fn new(seed: &str) -> Self {
        Self { seed: seed.to_owned() }
    }

    pub(crate) fn tag(&self, purpose: &str, message: &[u8]) -> String {
        let digest = Sha256::new()
            .chain_update(&self.seed)
            .chain_update([0])
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(message)
            .finalize();
        URL_SAFE_NO_PAD.encode(digest)
    }

    /// A stable hexadecimal id of `length` characters.
    pub(crate) fn id(&self, purpose: &str, message: &[u8], length: usize) -> String {
        let digest = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(message).finalize();
        let mut id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        id.truncate(length);
        id
    }

    /// `payload` in the open, with a tag behind it.
    pub(crate) fn close(&self, purpose: &str, payload: &Value) -> String {
        let text = URL_SAFE_NO_PAD.encode(payload.to_string());
        let tag = self.tag(purpose, text.as_bytes());
        format!("{text}.{tag}")
    }

    pub(crate) fn open(&self, purpose: &str, sealed: &str) -> Option<Value> {
        let (text, tag) = sealed.split_once('.')?;
        if self.tag(purpose, text.as_bytes()) != tag {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    /// `encrypted_content` of a reasoning item: bound to the account and the item (codex-backend.md §2).
    ///
    /// Real ones begin with `gAAAA` and hold no dot.
    pub(crate) fn reasoning(&self, account: &str, item: &str) -> String {
        let sealed = self.close("reasoning", &json!({"a": account, "i": item}));
        format!("gAAAA{}", URL_SAFE_NO_PAD.encode(sealed))
    }

    pub(crate) fn check_reasoning(&self, sealed: &str, account: &str, item: Option<&str>) -> Result<(), Broken> {
        let payload = sealed
            .strip_prefix("gAAAA")
            .and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| self.open("reasoning", &text))
            .ok_or(Broken::Foreign)?;
        if payload["a"] != account {
            return Err(Broken::OtherAccount);
        }
        match item {
            Some(item) if payload["i"] != item => Err(Broken::OtherItem),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Seal};

    #[test]
    fn reasoning_opens_only_for_its_account_and_item_and_only_unedited() {
        let seal = Seal::new("seed");
        let sealed = seal.reasoning("acc-1", "rs_1");
        assert_eq!(seal.check_reasoning(&sealed, "acc-1", Some("rs_1")), Ok(()));
        assert_eq!(seal.check_reasoning(&sealed, "acc-1", None), Ok(()), "an item may come back without its id");
        assert_eq!(seal.check_reasoning(&sealed, "acc-2", None), Err(Broken::OtherAccount));
        assert_eq!(seal.check_reasoning(&sealed, "acc-1", Some("rs_2")), Err(Broken::OtherItem));
        assert_eq!(seal.check_reasoning(&sealed[..sealed.len() - 1], "acc-1", None), Err(Broken::Foreign));
        assert_eq!(Seal::new("other").check_reasoning(&sealed, "acc-1", None), Err(Broken::Foreign));
    }

    #[test]
    fn a_restarted_demo_knows_what_it_sealed() {
        let sealed = Seal::new("seed").reasoning("acc-1", "rs_1");
        assert_eq!(Seal::new("seed").check_reasoning(&sealed, "acc-1", Some("rs_1")), Ok(()));
    }
}
