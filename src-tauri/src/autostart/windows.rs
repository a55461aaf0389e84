//! A value of the `Run` key of this user, with the path in quotes: without them Windows tries `C:\Users\First.exe` for a
//! program in `C:\Users\First Last`.

use auto_launch::{AutoLaunch, WindowsEnableMode};
use tauri::{AppHandle, Runtime};

/// The name of the value.
const NAME: &str = "Codeferry";

/// What starts us.
pub(super) struct Login(AutoLaunch);

// === impl Login ===

impl Login {
    /// For the running program.
    pub(super) fn of<R: Runtime>(_: &AppHandle<R>) -> Result<Self, String> {
        let program = tauri::utils::platform::current_exe();
        let program = program.map_err(|error| format!("where the program is, is not known: {error}"))?;
        let path = format!("\"{}\"", program.display());
        Ok(Self(AutoLaunch::new(NAME, &path, WindowsEnableMode::CurrentUser, &["--hidden"])))
    }

    /// The task manager's switch counts, too.
    pub(super) fn is_on(&self) -> Result<bool, String> {
        self.0.is_enabled().map_err(|error| format!("the registry cannot be read: {error}"))
    }

    pub(super) fn set(&self, on: bool) -> Result<(), String> {
        let set = if on { self.0.enable() } else { self.0.disable() };
        set.map_err(|error| format!("the registry cannot be changed: {error}"))
    }

    /// Writing it anew says where the program is now. Whether it said something else before is not looked at.
    pub(super) fn repair(&self) -> Result<bool, String> {
        if self.is_on()? {
            self.set(true)?;
        }
        Ok(false)
    }
}
