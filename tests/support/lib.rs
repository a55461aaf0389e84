//! What the tests of the whole house stand on: a gateway and a fake upstream in this process, on loopback, in a folder of
//! their own. Nothing here touches the real home or leaves the machine.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: it looks into JSON, reads the clock, and fails by panicking"
)]

pub mod answer;
pub mod attempt;
pub mod binary;
#[cfg(unix)]
pub mod browser;
#[cfg(target_os = "linux")]
pub mod bus;
pub mod chat;
pub mod claude;
pub mod codex;
pub mod codex_client;
pub mod described;
#[cfg(target_os = "linux")]
pub mod desktop;
#[cfg(target_os = "linux")]
pub mod display;
#[cfg(target_os = "linux")]
pub mod driver;
pub mod live;
pub mod log;
#[cfg(target_os = "linux")]
pub mod notifications;
pub mod patience;
#[cfg(target_os = "linux")]
pub mod process;
pub mod responses;
pub mod script;
pub mod socket;
pub mod sse;
#[cfg(target_os = "linux")]
pub mod tray;
pub mod world;

use std::path::PathBuf;

pub use attempt::Attempt;
pub use sse::{Event, events};
pub use world::{Setup, World};

/// A program that `cargo xtask test` installs or builds and names in a variable.
///
/// Without it a test that needs it says so and passes: it is run by that command.
#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
pub fn client(variable: &str, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        eprintln!("skipped: {name} is not there ({variable} is not set); `cargo xtask test` brings it");
    }
    path
}
