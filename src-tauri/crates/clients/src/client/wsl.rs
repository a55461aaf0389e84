//! The Linuxes inside Windows: which there are, and where their people's folders lie as Windows sees them.
//!
//! One that does not run is named and not looked into: a look would start it.

use std::path::PathBuf;

use super::world::{Files, Os};

/// A distribution of the Windows Subsystem for Linux.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// As `wsl.exe` names it.
    pub name: String,
    /// It runs now.
    pub running: bool,
    /// 1: it shares the network with Windows. 2: a machine of its own.
    pub version: u8,
}

/// A person's folder in a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Who.
    pub user: String,
    /// The folder, as Windows sees it.
    pub folder: PathBuf,
}

/// The distributions of this machine.
#[cfg(windows)]
pub fn distributions() -> Vec<Distribution> {
    use std::os::windows::process::CommandExt as _;
    /// Without it a console flashes up.
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    let listed =
        std::process::Command::new("wsl.exe").args(["--list", "--verbose"]).creation_flags(CREATE_NO_WINDOW).output();
    listed.map(|output| listed_by(&output.stdout)).unwrap_or_default()
}

/// The distributions of this machine: there are none but on Windows.
#[cfg(not(windows))]
pub fn distributions() -> Vec<Distribution> {
    Vec::new()
}

/// Reads what `wsl.exe --list --verbose` prints: UTF-16 (UTF-8 with `WSL_UTF8=1`), a header in the person's language, then
/// `* NAME STATE VERSION` with a star before the one that is meant when none is named. The state is in that language too, so
/// the word `Running` is all that can be told; Docker's own are nobody's home.
pub fn listed_by(output: &[u8]) -> Vec<Distribution> {
    let text = if output.contains(&0) {
        let units: Vec<u16> = output.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(output).into_owned()
    };
    let one = |line: &str| {
        let line = line.trim_start_matches('\u{feff}').trim().trim_start_matches('*').trim();
        let (rest, version) = line.rsplit_once(char::is_whitespace)?;
        let version = version.parse().ok().filter(|version| matches!(version, 1 | 2))?;
        let (name, state) = rest.trim().rsplit_once(char::is_whitespace)?;
        let name = name.trim().to_owned();
        let running = state.eq_ignore_ascii_case("running");
        (!name.is_empty() && !name.starts_with("docker-desktop")).then_some(Distribution { name, running, version })
    };
    text.lines().filter_map(one).collect()
}

/// Where a running distribution's people are at home.
pub fn homes(distribution: &Distribution, files: &dyn Files) -> Vec<Home> {
    if !distribution.running {
        return Vec::new();
    }
    let root = PathBuf::from(format!(r"\\wsl.localhost\{}", distribution.name));
    let all = Os::Windows.join(&root, &["home"]);
    let people = files.names(&all).into_iter().map(|user| Home { folder: Os::Windows.join(&all, &[&user]), user });
    let mut homes: Vec<_> = people.collect();
    let root_home = Os::Windows.join(&root, &["root"]);
    // Whoever has no people works as root.
    if homes.is_empty() && files.exists(&root_home) {
        homes.push(Home { user: "root".to_owned(), folder: root_home });
    }
    homes
}

/// Whether a distribution reaches 127.0.0.1 of Windows: version 1 does, version 2 if `.wslconfig` says that it mirrors the
/// network ("networkingMode=mirrored" under `[wsl2]`).
pub fn reaches_windows(distribution: &Distribution, wslconfig: Option<&str>) -> bool {
    if distribution.version == 1 {
        return true;
    }
    let mut section = String::new();
    let mut mirrored = false;
    for line in wslconfig.unwrap_or_default().lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim().to_ascii_lowercase();
        } else if section == "wsl2"
            && let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("networkingMode")
        {
            mirrored = value.trim().eq_ignore_ascii_case("mirrored");
        }
    }
    mirrored
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Distribution, homes, listed_by, reaches_windows};
    use crate::client::MadeUpFiles;

    const LISTED: &str = "  NAME                   STATE           VERSION\r\n* Ubuntu-24.04           Running         2\r\n  \
                          Debian                 Stopped         1\r\n  docker-desktop         Running         2\r\n";

    #[test]
    fn what_wsl_lists_is_read_in_both_its_encodings() {
        let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(LISTED.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for output in [LISTED.as_bytes(), &wide] {
            let found = listed_by(output);
            let ubuntu = Distribution { name: "Ubuntu-24.04".to_owned(), running: true, version: 2 };
            let debian = Distribution { name: "Debian".to_owned(), running: false, version: 1 };
            assert_eq!(found, [ubuntu, debian]);
        }
        assert_eq!(listed_by(b"Windows Subsystem for Linux has no installed distributions.\r\n"), []);
        assert_eq!(listed_by(b""), []);
    }

    #[test]
    fn one_that_does_not_run_is_not_looked_into() {
        let files = MadeUpFiles::new()
            .with(r"\\wsl.localhost\U\home\ada\.bashrc", "")
            .with(r"\\wsl.localhost\R\root\.bashrc", "");
        let one = |name: &str, running| Distribution { name: name.to_owned(), running, version: 2 };
        let found = homes(&one("U", true), &files);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].folder, Path::new(r"\\wsl.localhost\U\home\ada"));
        assert_eq!(homes(&one("R", true), &files)[0].user, "root");
        assert_eq!(homes(&one("U", false), &files), []);
    }

    #[test]
    fn the_second_version_reaches_windows_only_through_a_mirror() {
        let version = |version| Distribution { name: "U".to_owned(), running: true, version };
        assert!(reaches_windows(&version(1), None));
        assert!(!reaches_windows(&version(2), None));
        assert!(!reaches_windows(&version(2), Some("[experimental]\nnetworkingMode=mirrored\n")));
        assert!(reaches_windows(&version(2), Some("[wsl2]\r\nmemory=4GB\r\nnetworkingMode = Mirrored\r\n")));
    }
}
