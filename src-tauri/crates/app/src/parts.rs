//! The parts by themselves: opened the same way by the Owner, who serves with them, and by a Guest, who looks or changes.

use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{Clock, Pool, Vault};
use codeferry_store::capture::Captures;
use codeferry_store::log::Log;
use codeferry_store::{ClientKeys, ControlToken, KeyError, OpenError, Settings, SettingsFile, TokenError};
use codeferry_upstream::codex_cli::Household;
use codeferry_upstream::{Endpoints, Options, Upstream};

use crate::environment::our_variables;
use crate::{Environment, Paths, system_clock};

/// Our version, as we say it to clients and upstream.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The settings of a data folder.
///
/// # Errors
/// When the file cannot be read, or is none of ours.
pub fn settings(paths: &Paths) -> Result<SettingsFile, OpenError> {
    SettingsFile::open(paths.settings())
}

/// The client keys of a data folder.
///
/// # Errors
/// When the file cannot be read, or is none of ours.
pub fn client_keys(paths: &Paths) -> Result<ClientKeys, KeyError> {
    ClientKeys::open(paths.keys())
}

/// What opens the control plane. Made when it is first asked for. Whoever calls this answers for where it goes.
///
/// # Errors
/// When it can be neither read nor made.
pub fn control_token(paths: &Paths) -> Result<ControlToken, TokenError> {
    ControlToken::open_or_create(paths.control_token())
}

/// The request log of a data folder, to look into. Nothing is opened yet.
pub fn request_log(paths: &Paths) -> Log {
    Log::look(paths.request_log())
}

/// The captures of a data folder, to look at. Nothing is opened yet.
///
/// # Errors
/// When the settings, which say how long they stay, cannot be read.
pub fn captures(paths: &Paths) -> Result<Captures, OpenError> {
    Ok(Captures::look(paths.captures(), settings(paths)?, system_clock()))
}

/// The accounts in the vault. Nothing is read yet.
pub fn vault_pool(paths: &Paths, environment: &Environment) -> Pool {
    let clock = system_clock();
    // Makes no connection before a token is renewed.
    let upstream = upstream(environment.endpoints.clone(), &Settings::default(), &clock);
    Pool::new(Vault::new(paths.home(), environment.vault), Arc::new(upstream.oauth()), clock)
}

/// The way upstream. Makes no connection and reads no certificates yet.
pub(crate) fn upstream(endpoints: Endpoints, settings: &Settings, clock: &Clock) -> Upstream {
    let options = Options {
        compress: settings.compress_upstream,
        connect_timeout: Duration::from_secs(settings.connect_timeout_seconds),
        idle_timeout: Duration::from_secs(settings.idle_timeout_seconds),
        ..Options::new(VERSION)
    };
    Upstream::new(endpoints, options, Arc::clone(clock))
}

/// The Codex CLI of an account, which is started in a folder of ours.
pub(crate) fn household(paths: &Paths, environment: &Environment) -> Household {
    let (search, kept_secret) = (environment.search.clone(), our_variables());
    Household { search, kept_secret, ..Household::new(paths.codex_cli(), VERSION) }
}

/// TLS comes from one crypto library in the whole program. No HTTP client can be made before this was called.
pub fn install_crypto_provider() {
    // An error says that it was installed already, by us: there is no other.
    drop(rustls::crypto::ring::default_provider().install_default());
}
