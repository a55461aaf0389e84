//! Who pays: accounts, their credentials, the vault that keeps them, and the pool that hands them out.
//!
//! - [`Account`] and [`Credential`] are the nouns; [`import`] reads them from files others wrote.
//! - [`Vault`] keeps them: one random key in the keychain of the system, one encrypted file.
//! - [`Pool`] lends them: [`Pool::lease`] picks an account, renews its token in time, and says why it was picked.
//!
//! **Invariant:** this crate speaks to no network. Renewing a token is somebody else's trade, behind [`Refresh`];
//! what this crate owns is that it happens once, and that a rotated token reaches the disk before anybody uses it.
//!
//! **Invariant:** it knows no time of its own. The [`Clock`] is an argument.

mod account;
mod claims;
mod credential;
pub mod import;
mod lease;
pub mod pick;
mod pool;
mod secret;
mod status;
mod vault;

pub use account::{Account, AccountId, Kind, ParseIdError, ParseKindError};
pub use credential::{Clock, Credential, Refresh, RefreshFailure, RefreshReason, Renewed, Renewing};
pub use import::Imported;
pub use lease::{Blocked, Cooldown, Lease, NoAccount, RecoverError};
pub use pool::{ChooseError, Import, ImportError, ImportOutcome, Pool, Removed};
pub use secret::Secret;
pub use status::{AccountState, AccountStatus};
pub use vault::{KeyError, KeySource, Vault, VaultError};
