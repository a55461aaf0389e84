//! What a client's module may look at: folders, variables and files of one machine, as a value. A test makes up a machine of
//! another system as easily as this one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::wsl::Distribution;

/// A machine, as one person sees it.
#[derive(Clone)]
pub struct World {
    /// Which conventions hold.
    pub os: Os,
    /// The person's own folder.
    pub home: PathBuf,
    /// Those that are set and [wanted](Self::wants), of whoever asks: the desktop app's are not always the shell's.
    pub variables: BTreeMap<String, String>,
    /// Where programs are found, in order.
    pub path: Vec<PathBuf>,
    /// The folder of a project, where somebody asks for one.
    pub project: Option<PathBuf>,
    /// What runs in the Windows Subsystem for Linux. Empty elsewhere.
    pub distributions: Vec<Distribution>,
    /// Its files.
    pub files: Arc<dyn Files>,
}

/// Whose conventions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// And what is like it.
    Linux,
    /// With application bundles and Homebrew.
    Macos,
    /// With drive letters, and a Linux inside perhaps.
    Windows,
}

/// Files that are looked at and never written.
pub trait Files: Send + Sync {
    /// The bytes; `None` when there is no such file.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// Whether something is there, be it a file or a folder.
    fn exists(&self, path: &Path) -> bool;
    /// The names in a folder, sorted; empty when there is no such folder.
    fn names(&self, folder: &Path) -> Vec<String>;
    /// The path behind all links, if it is there.
    fn resolved(&self, path: &Path) -> Option<PathBuf>;
    /// When it was written last, in milliseconds since 1970, if that is known.
    fn modified(&self, path: &Path) -> Option<i64>;
}

/// The files of this machine.
#[derive(Debug, Clone, Copy)]
pub struct RealFiles;

/// Files that are made up, for tests: paths as they are written, no links.
#[derive(Debug, Clone, Default)]
pub struct MadeUpFiles(BTreeMap<PathBuf, Vec<u8>>);

/// No file that is looked at is larger; what is larger counts as one that cannot be read.
const LARGEST: u64 = crate::format::LARGEST as u64;

// === impl World ===

impl World {
    /// Whether a variable is one that clients obey, or that says where they are. Nothing else of the environment gets here.
    pub fn wants(name: &str) -> bool {
        const PREFIXES: [&str; 11] = [
            "ANTHROPIC_",
            "CLAUDE_",
            "CODEX_",
            "OPENAI_",
            "OPENCODE_",
            "OPENCLAW_",
            "CLINE_",
            "KILO_",
            "CONTINUE_",
            "GEMINI_",
            "XDG_",
        ];
        const NAMES: [&str; 32] = [
            // Folders.
            "HOME",
            "USERPROFILE",
            "APPDATA",
            "LOCALAPPDATA",
            "PROGRAMDATA",
            "PROGRAMFILES",
            "SHELL",
            "ZDOTDIR",
            "WSL_DISTRO_NAME",
            // Where Zed looks for our key.
            "CODEFERRY_API_KEY",
            // Other ways than ours.
            "GOOGLE_GEMINI_BASE_URL",
            "GOOGLE_API_KEY",
            "GOOGLE_GENAI_USE_VERTEXAI",
            "GOOGLE_GENAI_USE_GCA",
            "GOOGLE_VERTEX_BASE_URL",
            "CLOUD_ML_REGION",
            "_CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL",
            "IS_SANDBOX",
            // Where programs were put by those who look after versions.
            "NVM_DIR",
            "VOLTA_HOME",
            "FNM_DIR",
            "FNM_MULTISHELL_PATH",
            "BUN_INSTALL",
            "ASDF_DATA_DIR",
            "MISE_DATA_DIR",
            "N_PREFIX",
            "NPM_CONFIG_PREFIX",
            "npm_config_prefix",
            "HOMEBREW_PREFIX",
            "PNPM_HOME",
            "DENO_INSTALL",
            "PROTO_HOME",
        ];
        PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || NAMES.contains(&name)
            || name.to_ascii_uppercase().ends_with("_PROXY")
    }

    /// The machine we run on.
    pub fn here(home: PathBuf, variables: BTreeMap<String, String>, path: Vec<PathBuf>) -> Self {
        let os = match () {
            () if cfg!(windows) => Os::Windows,
            () if cfg!(target_os = "macos") => Os::Macos,
            () => Os::Linux,
        };
        Self { os, home, variables, path, project: None, distributions: Vec::new(), files: Arc::new(RealFiles) }
    }

    /// One that is made up, for tests.
    pub fn made_up(os: Os, home: &str, files: MadeUpFiles) -> Self {
        Self {
            os,
            home: PathBuf::from(home),
            variables: BTreeMap::new(),
            path: Vec::new(),
            project: None,
            distributions: Vec::new(),
            files: Arc::new(files),
        }
    }

    /// The same with this variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A variable that is set to something.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A folder that a variable names, if it does so from the root.
    pub fn folder(&self, variable: &str) -> Option<PathBuf> {
        self.variable(variable).filter(|path| self.is_absolute(path)).map(PathBuf::from)
    }

    /// `base`, and in it these names, with the separator of that system.
    pub fn join(&self, base: &Path, names: &[&str]) -> PathBuf {
        self.os.join(base, names)
    }

    /// The same in the person's own folder.
    pub fn at_home(&self, names: &[&str]) -> PathBuf {
        self.join(&self.home, names)
    }

    /// Where programs keep their settings by XDG, there where XDG is the custom and for those who follow it everywhere.
    pub fn xdg_config(&self) -> PathBuf {
        self.folder("XDG_CONFIG_HOME").unwrap_or_else(|| self.at_home(&[".config"]))
    }

    fn is_absolute(&self, path: &str) -> bool {
        match self.os {
            Os::Windows => path.starts_with(r"\\") || path.get(1..3).is_some_and(|rest| rest == r":\" || rest == ":/"),
            Os::Linux | Os::Macos => path.starts_with('/'),
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables may hold secrets.
        f.debug_struct("World").field("os", &self.os).field("home", &self.home).finish_non_exhaustive()
    }
}

// === impl Os ===

impl Os {
    /// `base`, and in it these names, with the separator of that system, whatever system we run on.
    pub fn join(self, base: &Path, names: &[&str]) -> PathBuf {
        let separator = if self == Self::Windows { '\\' } else { '/' };
        let mut path = base.to_string_lossy().trim_end_matches(separator).to_owned();
        for name in names {
            path.push(separator);
            path.push_str(name);
        }
        PathBuf::from(path)
    }
}

// === impl RealFiles ===

impl Files for RealFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            // A pipe would make us wait for somebody to write.
            Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is not a file")),
            Ok(metadata) if metadata.len() > LARGEST => Err(io::Error::other("it is larger than 5 MB")),
            Ok(_) => fs::read(path).map(Some),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn resolved(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }

    fn modified(&self, path: &Path) -> Option<i64> {
        let written = fs::metadata(path).ok()?.modified().ok()?;
        i64::try_from(written.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis()).ok()
    }
}

// === impl MadeUpFiles ===

impl MadeUpFiles {
    /// No file at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with this file.
    #[must_use]
    pub fn with(mut self, path: &str, content: &str) -> Self {
        self.0.insert(PathBuf::from(path), content.as_bytes().to_vec());
        self
    }

    /// The same without this file.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.0.remove(Path::new(path));
        self
    }

    /// What stands behind a folder's path, with either separator.
    fn inside<'f>(folder: &Path, file: &'f Path) -> Option<&'f str> {
        let rest = file.to_str()?.strip_prefix(folder.to_str()?)?;
        rest.strip_prefix(['/', '\\'])
    }
}

impl Files for MadeUpFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.contains_key(path) || self.0.keys().any(|file| Self::inside(path, file).is_some())
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = self
            .0
            .keys()
            .filter_map(|file| Self::inside(folder, file)?.split(['/', '\\']).next().map(str::to_owned))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn resolved(&self, path: &Path) -> Option<PathBuf> {
        self.exists(path).then(|| path.to_owned())
    }

    fn modified(&self, _: &Path) -> Option<i64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Files as _, MadeUpFiles, Os, World};

    #[test]
    fn paths_are_those_of_the_system() {
        let windows = World::made_up(Os::Windows, r"C:\Users\ada", MadeUpFiles::new());
        assert_eq!(windows.at_home(&[".claude", "settings.json"]), Path::new(r"C:\Users\ada\.claude\settings.json"));
        assert_eq!(windows.with("X", r"D:\c").folder("X").unwrap(), Path::new(r"D:\c"));
        let linux = World::made_up(Os::Linux, "/home/ada", MadeUpFiles::new()).with("X", "relative");
        assert_eq!(linux.at_home(&["a"]), Path::new("/home/ada/a"));
        assert_eq!(linux.folder("X"), None, "from where it is relative to, nobody knows");
    }

    #[test]
    fn made_up_files_stand_in_folders() {
        let files = MadeUpFiles::new().with(r"\\w\Ubuntu\home\ada\.bashrc", "").with(r"\\w\Ubuntu\home\bob\x", "");
        assert_eq!(files.names(Path::new(r"\\w\Ubuntu\home")), ["ada", "bob"]);
        assert!(files.exists(Path::new(r"\\w\Ubuntu")) && !files.exists(Path::new(r"\\w\Ub")));
    }
}
