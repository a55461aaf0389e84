//! Starting at login, in the tray alone.
//!
//! On macOS the autostart plugin writes a launch agent. On Linux the desktop entry is our own ([`entry`]), and on Windows the
//! value of the `Run` key: the plugin (2.7, with auto-launch 0.6) writes a path with a space unquoted, which starts nothing
//! on Linux, and on Windows another program if there is one at the part before the space.
//!
//! **Invariant:** what a person switched off, here or in the system's own settings, stays off until a person switches it on.
//! What is on names this program: one that was moved is named anew at the next start.

#[cfg(target_os = "linux")]
mod entry;
#[cfg(target_os = "linux")]
#[path = "autostart/linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "autostart/macos.rs"]
mod system;
#[cfg(windows)]
#[path = "autostart/windows.rs"]
mod system;

use serde::Serialize;
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Runtime};

use self::system::Login;
use crate::notify::sentence;
use crate::tray;

/// Whether we start at login, for pages and the menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AutostartState {
    /// It is on.
    pub(crate) on: bool,
    /// It can be switched here.
    pub(crate) can: bool,
    /// Why it cannot, or what went wrong.
    pub(crate) why: Option<String>,
}

/// The plugin, which does the work on macOS.
pub(crate) fn plugin<R: Runtime>() -> TauriPlugin<R> {
    let builder = tauri_plugin_autostart::Builder::new().arg("--hidden").app_name("app.codeferry.desktop");
    #[cfg(target_os = "macos")]
    let builder = builder.macos_launcher(tauri_plugin_autostart::MacosLauncher::LaunchAgent);
    builder.build()
}

/// How it stands. Reads a small file, or the registry.
pub(crate) fn state<R: Runtime>(app: &AppHandle<R>) -> AutostartState {
    match Login::of(app).and_then(|login| login.is_on()) {
        Ok(on) => AutostartState { on, can: true, why: None },
        Err(why) => AutostartState { on: false, can: false, why: Some(sentence(&why)) },
    }
}

/// Switches it on or off, as a person asked.
///
/// # Errors
/// In a sentence, when the system does not let us.
pub(crate) fn set(app: &AppHandle, on: bool) -> Result<AutostartState, String> {
    Login::of(app).and_then(|login| login.set(on)).map_err(|why| sentence(&why))?;
    tracing::info!(on, "start at login");
    tray::show(app);
    Ok(state(app))
}

/// Sees to it that what is switched on starts the program where it is now.
pub(crate) fn repair<R: Runtime>(app: &AppHandle<R>) {
    match Login::of(app).and_then(|login| login.repair()) {
        Ok(true) => tracing::info!("the program has moved: it is started at login from where it is now"),
        Ok(false) => {}
        // Asked for or not, this is shown where it is switched.
        Err(why) => tracing::debug!(why, "start at login was not looked after"),
    }
}
