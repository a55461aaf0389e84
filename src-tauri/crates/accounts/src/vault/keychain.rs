//! The key in the keychain of the system, one entry per vault.
//!
//! `set_secret` and 32 raw bytes: Windows takes no more than 2,560 bytes per entry, and a single small entry costs the
//! user one dialog at most (tauri.md §5).

use std::path::PathBuf;

use keyring::v1::{Entry, Error};
use zeroize::Zeroizing;

use super::{Key, KeyError, KeyId, KeyStore};

const SERVICE: &str = "codeferry";

pub(crate) struct Keychain {
    /// Named in errors only.
    vault: PathBuf,
}

// === impl Keychain ===

impl Keychain {
    pub(crate) fn new(vault: PathBuf) -> Self {
        Self { vault }
    }

    fn entry(id: &KeyId) -> Result<Entry, KeyError> {
        Entry::new(SERVICE, &user(id)).map_err(|error| match Entry::store_status() {
            // `NoDefaultStore` says nothing; what happened at the start does: usually that there is no session bus.
            Err(status) => KeyError::NoKeychain { detail: detail(status) },
            Ok(()) => KeyError::Keychain { detail: detail(&error) },
        })
    }
}

impl KeyStore for Keychain {
    fn create(&self) -> Result<(KeyId, Key), KeyError> {
        let (id, key) = (KeyId::random().map_err(KeyError::Random)?, Key::random().map_err(KeyError::Random)?);
        let entry = Self::entry(&id)?;
        entry.set_secret(key.expose()).map_err(|error| refusal(&error))?;
        // Believe the keychain when it gives back what it was given: the tokens are sealed with it in a moment.
        let kept = entry.get_secret().map(Zeroizing::new).map_err(|error| refusal(&error))?;
        if kept.as_slice() != key.expose() {
            return Err(KeyError::Malformed { place: format!("keychain entry {SERVICE}/{}", user(&id)) });
        }
        Ok((id, key))
    }

    fn read(&self, id: &KeyId) -> Result<Key, KeyError> {
        let bytes = match Self::entry(id)?.get_secret() {
            Ok(bytes) => Zeroizing::new(bytes),
            // Also the answer of a service that has no collection at all (tauri.md §5), so this is never taken as
            // leave to make a new key.
            Err(Error::NoEntry) => {
                return Err(KeyError::NotInKeychain { service: SERVICE, user: user(id), vault: self.vault.clone() });
            }
            Err(error) => return Err(refusal(&error)),
        };
        Key::from_slice(&bytes)
            .ok_or_else(|| KeyError::Malformed { place: format!("keychain entry {SERVICE}/{}", user(id)) })
    }
}

fn user(id: &KeyId) -> String {
    format!("vault-{id}")
}

fn refusal(error: &Error) -> KeyError {
    match error {
        Error::NoStorageAccess(platform) => access(platform.to_string()),
        Error::NoEntry => KeyError::NoCollection { detail: detail(error) },
        Error::NoDefaultStore => KeyError::NoKeychain { detail: detail(error) },
        other => KeyError::Keychain { detail: detail(other) },
    }
}

/// The Secret Service store says `NoStorageAccess` both when it is locked and when there is no collection to write to
/// (measured: tauri.md §5). The inner error is of a crate we do not name, so its text decides; when the text changes
/// we still say the likelier of the two.
fn access(detail: String) -> KeyError {
    if detail.contains("result not returned") { KeyError::NoCollection { detail } } else { KeyError::Locked { detail } }
}

/// The variants that carry the stored bytes are not printed.
fn detail(error: &Error) -> String {
    match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry cannot be decoded".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use keyring::v1::Error;

    use super::{KeyError, detail, refusal};

    #[test]
    fn a_locked_keychain_is_told_from_one_without_collection() {
        let access = |text: &str| refusal(&Error::NoStorageAccess(text.into()));
        assert!(matches!(access("SS error: prompt dismissed"), KeyError::Locked { .. }));
        assert!(matches!(access("SS error: result not returned from SS API"), KeyError::NoCollection { .. }));
        assert!(matches!(refusal(&Error::NoDefaultStore), KeyError::NoKeychain { .. }));
    }

    #[test]
    fn what_lay_in_the_keychain_is_not_printed() {
        let error = Error::BadEncoding(b"key material".to_vec());
        assert!(!detail(&error).contains("material"));
        let shown = format!("{:?}", refusal(&Error::BadDataFormat(b"key material".to_vec(), "x".into())));
        assert!(!shown.contains("material") && !shown.contains("107, 101"), "{shown}");
    }
}
