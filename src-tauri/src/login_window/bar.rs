//! The bar of the sign-in window: the host once more, for those whose windows have no title, and the two ways out.
//!
//! Nothing of ours is put into the page of an identity host, so this is where the ways out are: above the page on Linux, in the
//! window's menu on Windows, in the menu bar at the top of the screen on macOS.

use std::sync::Arc;

#[cfg(target_os = "linux")]
mod gtk_bar;
#[cfg(any(windows, target_os = "macos"))]
mod menu;

#[cfg(target_os = "linux")]
pub(super) use gtk_bar::Bar;
#[cfg(any(windows, target_os = "macos"))]
pub(super) use menu::Bar;

/// What the ways out are called.
const BROWSER: &str = "Use my browser instead";
const CANCEL: &str = "Cancel";

/// What was chosen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The person wants to sign in with their browser.
    Browser,
    /// The person does not want to sign in.
    Cancel,
}

/// Who is told of a choice, on the main thread.
pub(super) type Chosen = Arc<dyn Fn(Choice) + Send + Sync>;
