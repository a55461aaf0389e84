//! What Codeferry remembers: its settings, the keys of its clients, its control token, and what happened.
//!
//! - [`SettingsFile`]: one versioned JSON file of flat, documented keys; readers hold an `Arc<`[`Settings`]`>`.
//! - [`ClientKeys`]: who may use the gateway. Only hashes are stored.
//! - [`ControlToken`]: who may change it.
//! - [`capture`]: whole exchanges, word for word, while somebody asks for it.
//! - [`log`]: one row for each exchange, and their sums, in SQLite. [`prices`] tells what they would have cost.
//!
//! The first three are files of the data folder, 0600, shared by several processes: writers take turns behind a lock file,
//! read again before they change, and replace the file as a whole. What another process wrote is seen without a
//! restart.
//!
//! **Invariant:** this crate knows no account and no credential; those are in the vault of `codeferry-accounts`.

pub mod capture;
mod client_keys;
mod control_token;
mod durable;
mod host_id;
pub mod log;
pub mod prices;
mod random;
mod settings;

pub use client_keys::{ClientKeys, KeyError, KeyInfo, NewKey};
pub use control_token::{ControlToken, TokenError};
pub use host_id::{HostIdError, host_id};
pub use settings::file::{Listed, OpenError, Problem, SetError, SettingsFile, UnknownKey};
pub use settings::value::Value;
pub use settings::{
    ClientsOnQuit, Desktop, Effort, LanguageChoice, LogForm, NotifyAbout, ReasoningSummary, ResponsesLite, Rotation,
    Routes, Settings, SignInPlace, Target, TrayInk, TrayTitle, UsageScope,
};
