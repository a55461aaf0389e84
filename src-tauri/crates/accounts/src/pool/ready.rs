//! Whether a request that came now would be served.

use super::Pool;
use super::state::{Loaded, State};
use crate::{NoAccount, Want};

/// Whether some account would serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// One would.
    Ready,
    /// The vault was not read yet: nobody has asked.
    NotRead,
    /// None would.
    Nobody(NoAccount),
}

// === impl Pool ===

impl Pool {
    /// Whether a request of a new conversation would be served now. Nothing is lent, read or renewed for it.
    pub fn readiness(&self) -> Readiness {
        let now = (self.0.clock)();
        self.0.look(|state: &State| match &state.vault {
            Loaded::Never if state.active_here.is_none() => Readiness::NotRead,
            Loaded::Failed { message, .. } if state.active_here.is_none() => {
                Readiness::Nobody(NoAccount::Vault { message: message.clone() })
            }
            _ => match state.pick(&Want::default(), now) {
                Ok(_) => Readiness::Ready,
                // Whoever has only accounts that are asked for by name can be served by those.
                Err(NoAccount::None) if state.has_named() => Readiness::Ready,
                Err(none) => Readiness::Nobody(none),
            },
        })
    }
}
