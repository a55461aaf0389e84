//! A string nobody should see by accident.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A token. Wiped from memory with its last copy, never printed, never serialised except by the vault.
///
/// Copies share the same memory, so that lending a token costs no second place where it lies.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

// === impl Secret ===

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The bare text. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«redacted»")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing_of_it() {
        let secret = Secret::new("eyJhbGciOi");
        assert_eq!(format!("{secret:?}"), "«redacted»");
        assert_eq!(format!("{:?}", Some(secret)), "Some(«redacted»)");
    }
}
