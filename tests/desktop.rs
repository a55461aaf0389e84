//! The desktop app as people have it: the real program under Xvfb, on a session bus of its own, with a panel that reads and
//! clicks its tray, a driver that looks into its window, and the simulated hosts.
//!
//! `cargo xtask test` builds the app, installs what is needed, and says where it is. Without it these tests say that they
//! were skipped.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "desktop/shortcuts.rs"]
mod shortcuts;
#[path = "desktop/tools.rs"]
mod tools;
#[path = "desktop/updates.rs"]
mod updates;
#[path = "desktop/windows.rs"]
mod windows;
