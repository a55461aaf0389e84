//! What somebody said to leave as it is: a drift by its fingerprint, so that another one is told of again.
//!
//! A file in our data folder. Lost, it costs one more question.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use codeferry_clients::client::Drift;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// By place, the fingerprint of its drift.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    file: PathBuf,
    accepted: BTreeMap<String, String>,
}

// === impl Memory ===

impl Memory {
    pub(crate) fn of(data: &Path) -> Self {
        let file = data.join("clients-accepted.json");
        let accepted = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { file, accepted: accepted.unwrap_or_default() }
    }

    pub(crate) fn has(&self, place: &str, drifts: &[Drift]) -> bool {
        self.accepted.get(place).is_some_and(|known| *known == fingerprint(drifts))
    }

    /// From now on this drift is as it should be there; `None`: nothing is.
    pub(crate) fn accept(&mut self, place: &str, drifts: Option<&[Drift]>) -> io::Result<()> {
        let known = match drifts {
            Some(drifts) => self.accepted.insert(place.to_owned(), fingerprint(drifts)),
            None => match self.accepted.remove(place) {
                Some(known) => Some(known),
                None => return Ok(()),
            },
        };
        drop(known);
        let bytes = serde_json::to_vec_pretty(&self.accepted)?;
        let beside = self.file.with_extension(format!("{}.tmp", std::process::id()));
        fs::write(&beside, bytes)?;
        fs::rename(&beside, &self.file)
    }
}

/// Changes when anything of it does.
pub(crate) fn fingerprint<T: Serialize + ?Sized>(what: &T) -> String {
    let bytes = serde_json::to_vec(what).unwrap_or_default();
    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use codeferry_clients::client::{Drift, Moved};

    #[test]
    fn another_drift_is_another() {
        let data = tempfile::tempdir().unwrap();
        let drift =
            |now: &str| [Drift { key: "k".to_owned(), now: Some(now.to_owned()), wanted: None, by: Moved::File }];
        let mut memory = Memory::of(data.path());
        assert!(!memory.has("claude-code/user", &drift("a")));
        memory.accept("claude-code/user", Some(&drift("a"))).unwrap();
        let memory = Memory::of(data.path());
        assert!(memory.has("claude-code/user", &drift("a")), "it is remembered");
        assert!(!memory.has("claude-code/user", &drift("b")) && !memory.has("codex/user", &drift("a")));
        let mut memory = memory;
        memory.accept("claude-code/user", None).unwrap();
        assert!(!Memory::of(data.path()).has("claude-code/user", &drift("a")));
    }
}
