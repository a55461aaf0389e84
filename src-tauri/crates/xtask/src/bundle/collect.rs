//! From the folders of the tools into one folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::parts::Machine;
use crate::place::Place;
use crate::run;

/// What is given to people, by the end of its name. Each may have a signature for updates beside it, `….sig`.
const PACKAGES: [&str; 7] = [".deb", ".rpm", ".AppImage", ".dmg", ".app.tar.gz", ".msi", "-setup.exe"];

/// Copies the packages out of the folders that Tauri made, one for each kind.
pub(super) fn packages(from: &Path, to: &Path, version: &str, machine: &Machine) -> Result<()> {
    let mut copied = 0;
    for kind in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let kind = kind?.path();
        for file in if kind.is_dir() { names(&kind)? } else { Vec::new() } {
            if let Some(name) = given_name(&file, version, machine) {
                fs::copy(kind.join(&file), to.join(name)).with_context(|| format!("cannot copy {file}"))?;
                copied += 1;
            }
        }
    }
    if copied == 0 {
        bail!("there are no packages in {}", from.display());
    }
    Ok(())
}

/// The name a file is given to people under; nothing for what only the tools need.
fn given_name(file: &str, version: &str, machine: &Machine) -> Option<String> {
    let plain = file.strip_suffix(".sig").unwrap_or(file);
    PACKAGES.iter().find(|end| plain.ends_with(**end))?;
    // Tauri names the update for macOS without version and processor: those for two kinds of Mac would be one.
    match file.split_once(".app.tar.gz") {
        Some((name, rest)) if !name.contains(version) => {
            Some(format!("{name}_{version}_{}.app.tar.gz{rest}", machine.mac_word()))
        }
        _ => Some(file.to_owned()),
    }
}

/// The headless binary alone, for machines without a desktop.
pub(super) fn headless(
    place: &Place,
    built: &[(String, std::path::PathBuf)],
    to: &Path,
    version: &str,
    machine: &Machine,
) -> Result<()> {
    let (_, binary) = built.last().context("no headless binary was built")?;
    let name = format!("codeferry-{version}-{}", machine.name());
    let folder = place.target.join("bundle-input").join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(binary, folder.join(machine.executable("codeferry")))?;
    for text in ["LICENSE", "README.md", "CHANGELOG.md"] {
        fs::copy(place.root.join(text), folder.join(text))?;
    }
    let mut tar = Command::new("tar");
    tar.current_dir(folder.parent().unwrap_or(&folder)).arg("-czf").arg(to.join(format!("{name}.tar.gz"))).arg(&name);
    run::run(&mut tar)
}

/// The files of a folder, in order.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_their_signatures_are_given_to_people() {
        let machine = Machine::parse(Some("aarch64-apple-darwin")).unwrap();
        let given = |file: &str| given_name(file, "0.1.0", &machine);
        for file in ["Codeferry_0.1.0_amd64.deb", "Codeferry_0.1.0_x64-setup.exe.sig", "Codeferry_0.1.0_aarch64.dmg"] {
            assert_eq!(given(file).as_deref(), Some(file));
        }
        for file in ["control.tar.gz", "debian-binary", "installer.nsi", "support.sig"] {
            assert_eq!(given(file), None, "{file}");
        }
    }

    #[test]
    fn the_update_for_a_mac_says_which_mac() {
        let name = |machine: &str| {
            given_name("Codeferry.app.tar.gz.sig", "0.1.0", &Machine::parse(Some(machine)).unwrap()).unwrap()
        };
        assert_eq!(name("aarch64-apple-darwin"), "Codeferry_0.1.0_aarch64.app.tar.gz.sig");
        assert_eq!(name("universal-apple-darwin"), "Codeferry_0.1.0_universal.app.tar.gz.sig");
    }
}
