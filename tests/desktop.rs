//! The desktop app as people have it: the real program under Xvfb, on a session bus of its own, with a panel that reads and
//! clicks its tray, a driver that looks into its window, and the simulated hosts.
//!
//! `cargo xtask test` builds the app, installs what is needed, and says where it is. Without it these tests say that they
//! were skipped.

#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests look into JSON, fail by panicking, and tell figures"
)]

#[path = "desktop/frugal.rs"]
mod frugal;
#[path = "desktop/icon.rs"]
mod icon;
#[path = "desktop/keychain.rs"]
mod keychain;
#[path = "desktop/life.rs"]
mod life;
#[path = "desktop/login_item.rs"]
mod login_item;
#[path = "desktop/notices.rs"]
mod notices;
#[path = "desktop/onboarding.rs"]
mod onboarding;
#[path = "desktop/pictures.rs"]
mod pictures;
#[path = "desktop/screens.rs"]
mod screens;
#[path = "desktop/session.rs"]
mod session;
#[path = "desktop/set_up.rs"]
mod set_up;
#[path = "desktop/shortcuts.rs"]
mod shortcuts;
#[path = "desktop/sign_in.rs"]
mod sign_in;
#[path = "desktop/tools.rs"]
mod tools;
#[path = "desktop/tray.rs"]
mod tray;
#[path = "desktop/updates.rs"]
mod updates;
#[path = "desktop/web_engine.rs"]
mod web_engine;
#[path = "desktop/windows.rs"]
mod windows;
