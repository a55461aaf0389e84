//! Where the files are. Always a parameter: no test touches the real home.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use crate::Environment;

/// The files of one data folder. The vault names its own within [`home`](Self::home).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    home: PathBuf,
}

/// There is no data folder to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no data folder is known for this user: set CODEFERRY_HOME")]
pub struct NoHome;

// === impl Paths ===

impl Paths {
    /// The files in that folder, which need not exist.
    pub fn at(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// The files in the folder the environment names.
    ///
    /// # Errors
    /// When it names none, and the platform knows none either.
    pub fn of(environment: &Environment) -> Result<Self, NoHome> {
        environment.home.clone().map(Self::at).ok_or(NoHome)
    }

    /// The folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// What people chose.
    pub fn settings(&self) -> PathBuf {
        self.home.join("settings.json")
    }

    /// Hashes of the client keys.
    pub fn keys(&self) -> PathBuf {
        self.home.join("keys.json")
    }

    /// Client keys of programs that are started from a shell, as they are.
    pub fn shell_keys(&self) -> PathBuf {
        self.home.join("shell-keys.json")
    }

    /// What Claude Code is started with by `codeferry run`.
    pub fn claude_run(&self) -> PathBuf {
        self.home.join("run-claude-code.json")
    }

    /// The name of this installation towards auth hosts.
    pub fn host_id(&self) -> PathBuf {
        self.home.join("host-id")
    }

    /// The bearer of the control plane.
    pub fn control_token(&self) -> PathBuf {
        self.home.join("control.token")
    }

    /// What happened: one row for each exchange.
    pub fn request_log(&self) -> PathBuf {
        self.home.join("requests.sqlite")
    }

    /// What happened on the demo account, which counts for nothing.
    pub fn demo_request_log(&self) -> PathBuf {
        self.home.join("requests-demo.sqlite")
    }

    /// Leads a browser to the gateway, see [`leave_link`](crate::leave_link).
    pub fn dashboard_page(&self) -> PathBuf {
        self.home.join("dashboard.html")
    }

    /// Locked by the Owner for its life.
    pub fn owner_lock(&self) -> PathBuf {
        self.home.join("owner.lock")
    }

    /// Who the Owner is. Beside the lock, because a locked file cannot be read on Windows.
    pub fn owner_record(&self) -> PathBuf {
        self.home.join("owner.json")
    }

    /// Model catalogues as they were last fetched, one file for each account.
    pub fn catalogs(&self) -> PathBuf {
        self.home.join("catalogs")
    }

    /// What the Codex CLI finds when it is started: an empty folder, and its model catalogue.
    pub fn codex_cli(&self) -> PathBuf {
        self.home.join("codex-cli")
    }

    /// The log, one file for each day.
    pub fn logs(&self) -> PathBuf {
        self.home.join("logs")
    }

    /// Exchanges word for word, while somebody asks for it.
    pub fn captures(&self) -> PathBuf {
        self.home.join("captures")
    }

    /// What the desktop app has told by notifications.
    pub fn notified(&self) -> PathBuf {
        self.home.join("notified.json")
    }

    /// Where the desktop app's window was, and how large.
    pub fn window(&self) -> PathBuf {
        self.home.join("window.json")
    }

    /// What a web engine writes while somebody signs in. Gone with the window.
    pub fn sign_in(&self) -> PathBuf {
        self.home.join("sign-in")
    }

    /// Makes the folder, for this user alone. One that exists is left as it is: every file in it guards itself.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> io::Result<()> {
        make_folder(&self.home)
    }
}

/// Makes a folder and those above it, readable by this user alone.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Replaces a file as a whole, readable by this user alone: written beside it, synced, renamed.
///
/// # Errors
/// When it cannot be written; then the old one is as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    // The process id keeps two writers apart; the one who renames last wins, with a whole file.
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        drop(fs::remove_file(&beside));
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::{Environment, NoHome, Paths, replace};

    #[test]
    fn without_a_home_there_are_no_paths() {
        assert_eq!(Paths::of(&Environment::default()), Err(NoHome));
    }

    #[cfg(unix)]
    #[test]
    fn folder_and_files_are_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths::at(temp.path().join("deep/down"));
        paths.make().unwrap();
        paths.make().expect("a second time is no error");
        replace(&paths.owner_record(), b"{}").unwrap();
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(paths.home()), 0o700);
        assert_eq!(mode(&temp.path().join("deep")), 0o700);
        assert_eq!(mode(&paths.owner_record()), 0o600);
        let left: Vec<_> = std::fs::read_dir(paths.home()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["owner.json"], "nothing is left beside the file");
    }
}
