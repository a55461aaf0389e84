//! What is inside the vault, and its JSON.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Account, AccountId, Credential, Secret};

/// The version of the JSON inside. Another one than the header's: this may grow without the sealing changing.
///
/// 2 brought what people decide about an account (pause, priority), read-only accounts, accounts without a name so far
/// and the refresh tokens that were spent. 3 brought named accounts and their endpoints. An older file has none of these
/// and is read as such; who knows only an older version says that this one is newer.
const VERSION: u32 = 3;
const OLDEST: u32 = 1;

/// Everything the vault holds, in the order the accounts were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Counts the credentials ever stored here. An entry's generation is drawn from it and never used again, even
    /// when an account is removed and comes back.
    pub(crate) last_generation: u64,
    /// The account that serves.
    pub(crate) active: Option<AccountId>,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) account: Account,
    pub(crate) credential: Credential,
    /// Changes with the credential and with nothing else.
    pub(crate) generation: u64,
    /// Why this sign-in has ended, if it has.
    pub(crate) sign_in: Option<String>,
    /// Its owner wants it left alone.
    pub(crate) paused: bool,
    /// Higher goes first.
    pub(crate) priority: i32,
    /// The `auth.json` of another program, which renews the token; we only read it.
    pub(crate) read_only: Option<PathBuf>,
    /// Nobody knows yet whose it is: the first renewal tells.
    pub(crate) provisional: bool,
    /// Fingerprints of the refresh tokens that were spent here, the last ones: none of them may come back.
    pub(crate) spent: Vec<String>,
}

/// So many spent tokens are remembered for each account. Older ones are refused by their dates.
const MOST_SPENT: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentsError {
    Newer { version: u32 },
    Malformed,
}

// === impl Contents ===

impl Contents {
    pub(crate) fn entry(&self, id: &AccountId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.account.id == *id)
    }

    pub(crate) fn entry_mut(&mut self, id: &AccountId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.account.id == *id)
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        let file = File {
            version: VERSION,
            last_generation: self.last_generation,
            active: self.active.clone(),
            accounts: self.entries.iter().map(Stored::from).collect(),
        };
        // Room enough that the text never moves and leaves a copy behind.
        let mut out = Zeroizing::new(Vec::with_capacity(1024 + 48 * 1024 * self.entries.len()));
        serde_json::to_writer(&mut *out, &file)?;
        Ok(out)
    }

    pub(crate) fn from_json(json: &[u8]) -> Result<Self, ContentsError> {
        // The version first: the rest of a newer form need not be readable.
        let Versioned { version } = serde_json::from_slice(json).map_err(|_| ContentsError::Malformed)?;
        if !(OLDEST..=VERSION).contains(&version) {
            return Err(ContentsError::Newer { version });
        }
        let file: File = serde_json::from_slice(json).map_err(|_| ContentsError::Malformed)?;
        Ok(Self {
            last_generation: file.last_generation,
            active: file.active,
            entries: file.accounts.into_iter().map(Entry::from).collect(),
        })
    }
}

// === impl Entry ===

impl Entry {
    pub(crate) fn new(account: Account, credential: Credential, generation: u64) -> Self {
        Self {
            account,
            credential,
            generation,
            sign_in: None,
            paused: false,
            priority: 0,
            read_only: None,
            provisional: false,
            spent: Vec::new(),
        }
    }

    /// The refresh token with this fingerprint was spent.
    pub(crate) fn note_spent(&mut self, fingerprint: String) {
        if !self.spent.contains(&fingerprint) {
            self.spent.push(fingerprint);
            let surplus = self.spent.len().saturating_sub(MOST_SPENT);
            self.spent.drain(..surplus);
        }
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    last_generation: u64,
    active: Option<AccountId>,
    accounts: Vec<Stored>,
}

/// An [`Entry`] as it is written. Secrets become text here and nowhere else.
#[derive(Serialize, Deserialize)]
struct Stored {
    account: Account,
    client_id: Option<String>,
    #[serde(with = "exposed")]
    access_token: Secret,
    #[serde(with = "exposed_option")]
    refresh_token: Option<Secret>,
    #[serde(with = "exposed_option")]
    id_token: Option<Secret>,
    expires_at: Option<Timestamp>,
    earliest_refresh_at: Option<Timestamp>,
    last_refresh: Option<Timestamp>,
    generation: u64,
    sign_in: Option<String>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    read_only: Option<PathBuf>,
    #[serde(default)]
    provisional: bool,
    #[serde(default)]
    spent: Vec<String>,
}

impl From<&Entry> for Stored {
    fn from(entry: &Entry) -> Self {
        let credential = entry.credential.clone();
        Self {
            account: entry.account.clone(),
            client_id: credential.client_id,
            access_token: credential.access_token,
            refresh_token: credential.refresh_token,
            id_token: credential.id_token,
            expires_at: credential.expires_at,
            earliest_refresh_at: credential.earliest_refresh_at,
            last_refresh: credential.last_refresh,
            generation: entry.generation,
            sign_in: entry.sign_in.clone(),
            paused: entry.paused,
            priority: entry.priority,
            read_only: entry.read_only.clone(),
            provisional: entry.provisional,
            spent: entry.spent.clone(),
        }
    }
}

impl From<Stored> for Entry {
    fn from(stored: Stored) -> Self {
        Self {
            account: stored.account,
            credential: Credential {
                client_id: stored.client_id,
                access_token: stored.access_token,
                refresh_token: stored.refresh_token,
                id_token: stored.id_token,
                expires_at: stored.expires_at,
                earliest_refresh_at: stored.earliest_refresh_at,
                last_refresh: stored.last_refresh,
            },
            generation: stored.generation,
            sign_in: stored.sign_in,
            paused: stored.paused,
            priority: stored.priority,
            read_only: stored.read_only,
            provisional: stored.provisional,
            spent: stored.spent,
        }
    }
}

mod exposed {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

mod exposed_option {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}
