//! An entry in the autostart folder of the desktop.

use std::io;
use std::path::{Path, PathBuf};

use tauri::{AppHandle, Manager as _, Runtime};

use super::entry::{self, Found};
use crate::program;
use crate::shell::Shell;

/// The name of the file.
const FILE: &str = "codeferry.desktop";

/// Where we are started from, and which program.
#[derive(Debug)]
pub(super) struct Login {
    folder: PathBuf,
    program: String,
}

// === impl Login ===

impl Login {
    /// For the running program.
    pub(super) fn of<R: Runtime>(app: &AppHandle<R>) -> Result<Self, String> {
        let session = &app.state::<Shell>().environment.session;
        let program = program::file(app)?;
        if session.flatpak {
            return Err(
                "Flatpak decides itself what starts at login: switch it on in the settings of your desktop".to_owned()
            );
        }
        if session.snap.as_deref().is_some_and(|snap| program.starts_with(snap)) {
            return Err(
                "a snap cannot have itself started at login: add Codeferry to the startup applications of your desktop"
                    .to_owned(),
            );
        }
        let config =
            session.config.as_deref().ok_or("no folder for configurations is known for this user: set HOME")?;
        Self::at(config, &program)
    }

    fn at(config: &Path, program: &Path) -> Result<Self, String> {
        let program = program.to_str().ok_or("the path of the program is no UTF-8, which a desktop entry must be")?;
        Ok(Self { folder: config.join("autostart"), program: program.to_owned() })
    }

    pub(super) fn is_on(&self) -> Result<bool, String> {
        Ok(self.read()?.is_some_and(|entry| matches!(entry::read(&entry), Found::On { .. })))
    }

    pub(super) fn set(&self, on: bool) -> Result<(), String> {
        if on {
            return self.write(&entry::text(&self.program).map_err(|error| error.to_string())?);
        }
        match std::fs::remove_file(self.file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.said("removed", &error)),
            _ => Ok(()),
        }
    }

    /// Whether something had to be put right.
    pub(super) fn repair(&self) -> Result<bool, String> {
        let Some(entry) = self.read()? else { return Ok(false) };
        if entry::read(&entry) == Found::SwitchedOff {
            return Ok(false);
        }
        match entry::moved(&entry, &self.program).map_err(|error| error.to_string())? {
            Some(entry) => self.write(&entry).map(|()| true),
            None => Ok(false),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    fn read(&self) -> Result<Option<String>, String> {
        match std::fs::read(self.file()) {
            // One that is no UTF-8 is no entry, and is made anew.
            Ok(bytes) => Ok(Some(String::from_utf8(bytes).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.said("read", &error)),
        }
    }

    fn write(&self, entry: &str) -> Result<(), String> {
        std::fs::create_dir_all(&self.folder).map_err(|error| self.said("written", &error))?;
        codeferry_app::replace_file(&self.file(), entry.as_bytes()).map_err(|error| self.said("written", &error))
    }

    fn said(&self, what: &str, error: &io::Error) -> String {
        format!("{} cannot be {what}: {error}", self.file().display())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{FILE, Login};

    fn login(config: &Path, program: &str) -> Login {
        Login::at(config, Path::new(program)).unwrap()
    }

    #[test]
    fn it_is_switched_on_and_off() {
        let config = tempfile::tempdir().unwrap();
        let ours = login(config.path(), "/opt/my apps/codeferry-desktop");
        assert_eq!((ours.is_on(), ours.repair()), (Ok(false), Ok(false)));
        assert!(!config.path().join("autostart").exists(), "nothing is made before somebody asks");
        ours.set(true).unwrap();
        let entry = fs::read_to_string(config.path().join("autostart").join(FILE)).unwrap();
        assert!(entry.contains("Exec=\"/opt/my apps/codeferry-desktop\" --hidden\n"), "{entry}");
        assert_eq!((ours.is_on(), ours.repair()), (Ok(true), Ok(false)));
        ours.set(false).unwrap();
        ours.set(false).expect("a second time is no error");
        assert_eq!(ours.is_on(), Ok(false));
        assert_eq!(fs::read_dir(config.path().join("autostart")).unwrap().count(), 0, "and nothing is left");
    }

    #[test]
    fn a_program_that_moved_is_named_anew_unless_it_was_switched_off() {
        let config = tempfile::tempdir().unwrap();
        let file = config.path().join("autostart").join(FILE);
        login(config.path(), "/old/x").set(true).unwrap();
        let ours = login(config.path(), "/new place/x");
        assert_eq!(ours.repair(), Ok(true));
        assert_eq!(ours.repair(), Ok(false), "once");
        assert!(fs::read_to_string(&file).unwrap().contains("\"/new place/x\" --hidden"));
        let off = fs::read_to_string(&file).unwrap().replace("enabled=true", "enabled=false");
        fs::write(&file, &off).unwrap();
        let moved = login(config.path(), "/elsewhere/x");
        assert_eq!((moved.is_on(), moved.repair()), (Ok(false), Ok(false)));
        assert_eq!(fs::read_to_string(&file).unwrap(), off, "not a byte changes");
        moved.set(true).unwrap();
        assert_eq!(moved.is_on(), Ok(true), "a person may switch it on again");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let config = tempfile::tempdir().unwrap();
        fs::write(config.path().join("autostart"), "a file").unwrap();
        let ours = login(config.path(), "/x");
        let why = ours.set(true).unwrap_err();
        assert!(why.contains("autostart") && why.contains("cannot be written"), "{why}");
    }
}
