//! The key in a file of its own, for machines without a keychain, by explicit choice.
//!
//! One line: `codeferry-vault-key 1 <key id> <key in hex>`. Whoever can read the file can read the vault beside it, so
//! it must be the owner's alone.

use std::fs;
use std::io;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::disk::{self, RealDisk};
use super::{Key, KeyError, KeyId, KeyStore};

const MARK: &str = "codeferry-vault-key";
const FORM: &str = "1";

pub(crate) struct KeyFile {
    path: PathBuf,
    /// Named in errors only.
    vault: PathBuf,
}

// === impl KeyFile ===

impl KeyFile {
    pub(crate) fn new(path: PathBuf, vault: PathBuf) -> Self {
        Self { path, vault }
    }

    fn load(&self) -> Result<Option<(KeyId, Key)>, KeyError> {
        let failed = |source| KeyError::File { path: self.path.clone(), source };
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&self.path).map_err(failed)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(KeyError::Exposed { path: self.path.clone(), mode });
            }
        }
        let malformed = || KeyError::Malformed { place: self.path.display().to_string() };
        parse(&text).map(Some).ok_or_else(malformed)
    }
}

impl KeyStore for KeyFile {
    fn create(&self) -> Result<(KeyId, Key), KeyError> {
        // A key file without its vault: the vault is perhaps a backup somewhere, which only this key opens.
        if let Some(known) = self.load()? {
            return Ok(known);
        }
        let (id, key) = (KeyId::random().map_err(KeyError::Random)?, Key::random().map_err(KeyError::Random)?);
        let line = write(&id, &key);
        disk::replace(&RealDisk, &self.path, line.as_bytes())
            .map_err(|source| KeyError::File { path: self.path.clone(), source })?;
        Ok((id, key))
    }

    fn read(&self, id: &KeyId) -> Result<Key, KeyError> {
        match self.load()? {
            Some((found, key)) if found == *id => Ok(key),
            Some(_) => Err(KeyError::OtherVault { path: self.path.clone() }),
            None => Err(KeyError::NoKeyFile { path: self.path.clone(), vault: self.vault.clone() }),
        }
    }
}

fn write(id: &KeyId, key: &Key) -> Zeroizing<String> {
    use std::fmt::Write as _;
    let mut line = Zeroizing::new(String::with_capacity(160));
    let _ = write!(line, "{MARK} {FORM} {id} ");
    for byte in key.expose() {
        let _ = write!(line, "{byte:02x}");
    }
    line.push('\n');
    line
}

fn parse(text: &str) -> Option<(KeyId, Key)> {
    let mut words = text.split_whitespace();
    if words.next()? != MARK || words.next()? != FORM {
        return None;
    }
    let (id, hex) = (KeyId::parse(words.next()?)?, words.next()?);
    if hex.len() != 64 || !hex.is_ascii() || words.next().is_some() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
    }
    Some((id, Key::from_slice(bytes.as_ref())?))
}

#[cfg(test)]
mod tests {
    use super::{parse, write};
    use crate::vault::{Key, KeyId};

    #[test]
    fn a_key_survives_its_writing() {
        let (id, key) = (KeyId::random().expect("random numbers"), Key::random().expect("random numbers"));
        let line = write(&id, &key);
        assert_eq!(parse(&line), Some((id, key)));
        assert_eq!(parse(&line.replace(" 1 ", " 2 ")), None);
        assert_eq!(parse(&line[..line.len() - 3]), None);
        assert_eq!(parse(""), None);
    }
}
