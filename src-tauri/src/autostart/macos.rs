//! A launch agent, written by the plugin.
//!
//! The plugin puts the path into the property list as it is (auto-launch 0.6), so one with `&` or `<` is refused here. What
//! somebody switches off in the system's settings, launchd keeps in a list of its own: the file stays, and so does the choice.

use std::path::PathBuf;

use tauri::{AppHandle, Manager as _, Runtime};
use tauri_plugin_autostart::{AutoLaunchManager, ManagerExt as _};

use crate::shell::Shell;

/// The label of the agent and the name of its file.
pub(crate) const LABEL: &str = "app.codeferry.desktop";

/// Where we are started from, and which program.
pub(super) struct Login<'a> {
    plugin: tauri::State<'a, AutoLaunchManager>,
    file: PathBuf,
    program: String,
}

// === impl Login ===

impl<'a> Login<'a> {
    /// For the running program.
    pub(super) fn of<R: Runtime>(app: &'a AppHandle<R>) -> Result<Self, String> {
        let program = tauri::utils::platform::current_exe().and_then(|program| program.canonicalize());
        let program = program.map_err(|error| format!("where the program is, is not known: {error}"))?;
        let program = program.to_string_lossy().into_owned();
        if program.contains("/AppTranslocation/") || program.starts_with("/Volumes/") {
            return Err(
                "move Codeferry to the Applications folder first: where it runs now is gone after the next login"
                    .to_owned(),
            );
        }
        if program.contains(['&', '<', '>']) {
            return Err(
                "a program in a folder whose name has one of & < > cannot be started at login: move it".to_owned()
            );
        }
        let home = app.state::<Shell>().environment.folders.user.clone().ok_or("no home folder is known: set HOME")?;
        let file = home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"));
        Ok(Self { plugin: app.autolaunch(), file, program })
    }

    pub(super) fn is_on(&self) -> Result<bool, String> {
        self.plugin.is_enabled().map_err(|error| error.to_string())
    }

    pub(super) fn set(&self, on: bool) -> Result<(), String> {
        let set = if on { self.plugin.enable() } else { self.plugin.disable() };
        set.map_err(|error| format!("{} cannot be changed: {error}", self.file.display()))
    }

    /// Whether something had to be put right.
    pub(super) fn repair(&self) -> Result<bool, String> {
        let Ok(agent) = std::fs::read_to_string(&self.file) else { return Ok(false) };
        if agent.contains(&format!("<string>{}</string>", self.program)) {
            return Ok(false);
        }
        self.set(true).map(|()| true)
    }
}
