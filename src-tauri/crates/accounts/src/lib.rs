//! Who pays: accounts, their credentials, the vault that keeps them, and the pool that hands them out.
//!
//! - [`Account`] and [`Credential`] are the nouns; [`import`] reads them from files others wrote.
//! - [`Vault`] keeps them: one random key in the keychain of the system, one encrypted file.
//! - [`Pool`] lends them: [`Pool::lease_for`] picks an account ([`pick`], by the [`Rotation`]), renews its token in time,
//!   and says why it was picked.
//! - [`named`] is about accounts that serve only who asks for them by name.
//! - [`quota`] is what is left of each plan, as last seen; [`watch`] is what to do about a folder of account files.
//!
//! **Invariant:** this crate speaks to no network. Renewing a token is somebody else's trade, behind [`Refresh`];
//! what this crate owns is that it happens once, and that a rotated token reaches the disk before anybody uses it.
//!
//! **Invariant:** it knows no time of its own. The [`Clock`] is an argument.

mod account;
mod affinity;
mod claims;
mod cooldown;
mod credential;
pub mod import;
mod lease;
pub mod named;
pub mod pick;
mod pool;
pub mod quota;
mod rotation;
mod secret;
mod status;
mod vault;
pub mod watch;

pub use account::{Account, AccountId, Kind, ParseIdError, ParseKindError};
pub use cooldown::{Backoff, Cooldown, Hint, Rest};
pub use credential::{Clock, Credential, Refresh, RefreshFailure, RefreshReason, Renewed, Renewing};
pub use import::Imported;
pub use lease::{Blocked, End, Lease, NoAccount, RecoverError, Want};
pub use named::{Endpoint, NamedAccount, NamedError, Preset, Program};
pub use pool::{ChooseError, FlushError, Import, ImportError, ImportOutcome, LabelError, Pool, Readiness, Removed};
pub use quota::{Credits, Quota, QuotaWindow, WindowSeen, WindowsSeen};
pub use rotation::{ParseRotationError, Rotation};
pub use secret::Secret;
pub use status::{AccountState, AccountStatus};
pub use vault::{KeyError, KeySource, Vault, VaultError};
