//! The sealed form of the vault: a header in the clear, then XChaCha20-Poly1305 over the contents.
//!
//! ```text
//! "CFVAULT" (7)  form (1)  key id (16)  nonce (24)  ciphertext and tag
//! ```
//! The header is authenticated with the contents. The key id names the key, so that a vault can be moved, copied and
//! restored, and so that a missing key is told from a wrong one. A nonce is random and 24 bytes long: it may be drawn
//! anew for each write without counting (draft-irtf-cfrg-xchacha-03 §2).
//!
//! No IO in here.

use std::{fmt, io};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const MAGIC: &[u8; 7] = b"CFVAULT";
const FORM: u8 = 1;
const KEY_ID: usize = 16;
const NONCE: usize = 24;
const HEADER: usize = MAGIC.len() + 1 + KEY_ID + NONCE;

/// 32 random bytes. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

/// Which key: random, not secret, stands in the header of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId([u8; KEY_ID]);

/// What stands before the ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) key_id: KeyId,
    nonce: [u8; NONCE],
}

/// A vault file taken apart, not yet opened.
pub(crate) struct Sealed<'a> {
    header: Header,
    authenticated: &'a [u8],
    ciphertext: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    NotAVault,
    Newer { version: u8 },
    Damaged,
}

// === impl Key ===

impl Key {
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«redacted»")
    }
}

// === impl KeyId ===

impl KeyId {
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; KEY_ID];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) fn parse(hex: &str) -> Option<Self> {
        if hex.len() != 2 * KEY_ID || !hex.is_ascii() {
            return None;
        }
        let mut bytes = [0; KEY_ID];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Encrypt the contents under a fresh nonce.
pub(crate) fn seal(key_id: KeyId, key: &Key, plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let mut out = Vec::with_capacity(HEADER + plain.len() + 16);
    out.extend_from_slice(MAGIC);
    out.push(FORM);
    out.extend_from_slice(&key_id.0);
    out.extend_from_slice(&nonce);
    let payload = Payload { msg: plain, aad: &out };
    let ciphertext = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| io::Error::other("the contents are too long to be sealed"))?;
    out.extend_from_slice(&ciphertext);
    Ok(out)
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.0).into())
}

// === impl Sealed ===

impl<'a> Sealed<'a> {
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self, OpenError> {
        let rest = file.strip_prefix(MAGIC).ok_or(OpenError::NotAVault)?;
        let (&version, rest) = rest.split_first().ok_or(OpenError::NotAVault)?;
        if version != FORM {
            return Err(OpenError::Newer { version });
        }
        let (key_id, rest) = rest.split_first_chunk().ok_or(OpenError::NotAVault)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(OpenError::NotAVault)?;
        Ok(Self {
            header: Header { key_id: KeyId(*key_id), nonce: *nonce },
            authenticated: &file[..HEADER],
            ciphertext,
        })
    }

    pub(crate) fn header(&self) -> Header {
        self.header
    }

    pub(crate) fn open(&self, key: &Key) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let payload = Payload { msg: self.ciphertext, aad: self.authenticated };
        let plain = cipher(key).decrypt(&XNonce::from(self.header.nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| OpenError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HEADER, Key, KeyId, OpenError, Sealed, seal};

    fn sealed(plain: &[u8]) -> (Key, Vec<u8>) {
        let key = Key::random().expect("random numbers");
        let id = KeyId::random().expect("random numbers");
        let file = seal(id, &key, plain).expect("random numbers");
        assert_eq!(Sealed::parse(&file).map(|sealed| sealed.header().key_id).ok(), Some(id));
        (key, file)
    }

    fn open(file: &[u8], key: &Key) -> Result<Vec<u8>, OpenError> {
        Sealed::parse(file)?.open(key).map(|plain| plain.to_vec())
    }

    #[test]
    fn another_key_does_not_open_it() {
        let (_, file) = sealed(b"text");
        assert_eq!(open(&file, &Key::random().expect("random numbers")), Err(OpenError::Damaged));
    }

    #[test]
    fn the_same_text_is_never_sealed_the_same_way_twice() {
        let (key, file) = sealed(b"text");
        let id = Sealed::parse(&file).map(|sealed| sealed.header().key_id).expect("sound");
        let again = seal(id, &key, b"text").expect("random numbers");
        assert_ne!(file[HEADER..], again[HEADER..]);
    }

    #[test]
    fn an_id_survives_its_writing() {
        let id = KeyId::random().expect("random numbers");
        assert_eq!(KeyId::parse(&id.to_string()), Some(id));
        assert_eq!(KeyId::parse("xyz"), None);
        assert_eq!(KeyId::parse(&"é".repeat(16)), None);
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = Key::from_slice(&[7; 32]).expect("32 bytes");
        assert_eq!(format!("{key:?}"), "«redacted»");
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_again(plain in prop::collection::vec(any::<u8>(), 0..300)) {
            let (key, file) = sealed(&plain);
            prop_assert_eq!(open(&file, &key), Ok(plain));
        }

        #[test]
        fn no_changed_or_shortened_file_opens(
            plain in prop::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(), bit in 0..8u8, cut in any::<prop::sample::Index>(),
        ) {
            let (key, file) = sealed(&plain);
            let mut changed = file.clone();
            changed[at.index(file.len())] ^= 1 << bit;
            prop_assert!(open(&changed, &key).is_err());
            prop_assert!(open(&file[..cut.index(file.len())], &key).is_err());
        }
    }
}
