//! The composition root: the one place where concrete things meet.
//!
//! - [`Environment`] and [`Paths`] are read once and passed on; nothing here looks at the real home by itself.
//! - [`start`] becomes the Owner of a data folder and serves; [`Running`] is what it gives.
//! - [`Keeper`] does so in a process that goes on when the gateway stops, and [`Serving`] shows it there.
//! - [`history`] is what people see of the request log, for those who read it beside a gateway or without one.
//! - [`logging`] is set up once for each process; what is logged can be looked at afterwards.
//! - [`settings`], [`client_keys`], [`control_token`], [`request_log`] and [`vault_pool`] open the parts alone, for a Guest;
//!   [`OwnerRecord::find`] tells where the Owner is.
//!
//! **Invariant:** only binaries and tests know this crate.
//!
//! **Invariant:** the clock and the environment are read here and nowhere below.

#![warn(missing_docs)]

pub mod catalog;
mod clock;
mod codex_cli;
mod dashboard;
mod demo;
pub mod doctor;
mod environment;
mod keeper;
mod key_variable;
mod listen;
pub mod logging;
mod machine;
pub mod old_names;
mod owner;
mod parts;
mod paths;
mod resting;
pub mod route;
mod running;
mod serving;
mod setting_up;
mod shell_keys;
mod traces;

pub use clock::system_clock;
pub use codeferry_accounts::quota::MAIN as MAIN_FAMILY;
pub use codeferry_accounts::{
    AccountId, AccountState, AccountStatus, Clock, Cooldown, Kind, NoAccount, Quota, QuotaWindow, Readiness, Rotation,
};
pub use codeferry_gateway::history;
pub use codeferry_gateway::setup;
pub use codeferry_gateway::{BeginSignInError, Delivered, SignIn, SignInStage};
pub use codeferry_gateway::{Changes, Exchanges, Language, ModelChoice, ModelRole, Pick, Status};
pub use codeferry_gateway::{KEPT_LINES, LogField, LogFields, LogLevel, LogLine, LogLines};
pub use codeferry_store::{
    Effort, LanguageChoice, LogForm, NotifyAbout, Settings, SignInPlace, Target, TrayInk, TrayTitle,
};
pub use codeferry_upstream::codex_cli::{
    Found as FoundCodexCli, MEASURED as MEASURED_CODEX_CLI, SIGN_IN as SIGN_IN_TO_CODEX_CLI,
};
pub use codex_cli::{find_codex_cli, look_at_codex_cli};
pub use dashboard::leave_link;
pub use environment::{BadVariable, Environment, Folders, Session, Variables};
pub use keeper::{Keeper, Phase, Trouble, TroubleKind};
pub use key_variable::key_variable;
pub use listen::ListenError;
pub use machine::world;
pub use owner::{Owner, OwnerError, OwnerRecord};
pub use parts::{
    VERSION, captures, client_keys, control_token, install_crypto_provider, request_log, settings, vault_pool,
};
pub use paths::{NoHome, Paths, replace as replace_file};
pub use running::{Options, Running, StartError, StopError, start};
pub use serving::Serving;
pub use setting_up::{SetupHereError, clients_on_quit, offer, open_setup, rescue_setup};
pub use shell_keys::{ShellKey, ShellKeyError, shell_key};
pub use traces::Otel;
