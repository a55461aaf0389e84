//! `cargo xtask release`: the texts of a release, from the changelog and from the packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use crate::place::Place;
use crate::{bundle, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    text: Text,
}

#[derive(Debug, clap::Subcommand)]
enum Text {
    /// What changed: the section of the changelog. Refuses a tag that is not the version of the workspace
    Notes {
        /// The tag, `v1.2.3`
        tag: String,
    },
    /// What the updater reads: the signed packages of a folder, and where they are to be had
    Manifest {
        /// The tag, `v1.2.3`
        tag: String,
        /// The folder with all packages and their signatures
        #[arg(long, value_name = "DIR")]
        packages: PathBuf,
        /// The address of the folder they will be downloaded from
        #[arg(long)]
        url: String,
    },
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    let notes = |tag: &str| -> Result<(String, String)> {
        let version = version_of(tag)?;
        let workspace = bundle::version(place)?;
        ensure!(version == workspace, "the tag says {version}, and the workspace is {workspace}");
        let changelog = fs::read_to_string(place.root.join("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
        Ok((version.to_owned(), section(&changelog, version)?))
    };
    match &args.text {
        Text::Notes { tag } => say::data(&notes(tag)?.1),
        Text::Manifest { tag, packages, url } => {
            let (version, notes) = notes(tag)?;
            let mut signed = Vec::new();
            for file in bundle::names(packages)? {
                if let Some(package) = file.strip_suffix(".sig") {
                    let signature = fs::read_to_string(packages.join(&file))?;
                    signed.push((package.to_owned(), signature.trim().to_owned()));
                }
            }
            say::data(&manifest(&version, &notes, url, &signed)?);
        }
    }
    Ok(())
}

fn version_of(tag: &str) -> Result<&str> {
    tag.strip_prefix('v').filter(|version| version.contains('.')).with_context(|| format!("`{tag}` is no tag: v1.2.3"))
}

/// The text under `## [VERSION]`.
fn section(changelog: &str, version: &str) -> Result<String> {
    let heading = format!("## [{version}]");
    let mut lines = changelog.lines().skip_while(|line| !line.starts_with(&heading));
    lines.next().with_context(|| format!("CHANGELOG.md has no section `{heading}`"))?;
    let text: Vec<_> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let text = text.join("\n").trim().to_owned();
    ensure!(!text.is_empty(), "the section `{heading}` of CHANGELOG.md is empty");
    Ok(text)
}

/// The answer of the update server, in the static form that names every platform.
/// <https://v2.tauri.app/plugin/updater/#static-json-file>
fn manifest(version: &str, notes: &str, url: &str, signed: &[(String, String)]) -> Result<String> {
    #[derive(Serialize)]
    struct Platform<'a> {
        signature: &'a str,
        url: String,
    }
    #[derive(Serialize)]
    struct Manifest<'a> {
        version: &'a str,
        notes: &'a str,
        platforms: BTreeMap<&'static str, Platform<'a>>,
    }
    let mut platforms = BTreeMap::new();
    for (package, signature) in signed {
        for name in platforms_of(package) {
            let url = format!("{}/{package}", url.trim_end_matches('/'));
            platforms.insert(*name, Platform { signature, url });
        }
    }
    if platforms.is_empty() {
        bail!("no package is signed for updates: there would be nothing to update to");
    }
    Ok(serde_json::to_string_pretty(&Manifest { version, notes, platforms })?)
}

/// Under which names the updater asks for a package. deb and rpm are left to the package manager. Each Mac is given the
/// package of its kind, and the universal one stays for those who download it: it is twice the size.
fn platforms_of(package: &str) -> &'static [&'static str] {
    match package {
        _ if package.ends_with("_amd64.AppImage") => &["linux-x86_64-appimage"],
        _ if package.ends_with("_aarch64.AppImage") => &["linux-aarch64-appimage"],
        _ if package.ends_with("_aarch64.app.tar.gz") => &["darwin-aarch64-app"],
        _ if package.ends_with("_x64.app.tar.gz") => &["darwin-x86_64-app"],
        _ if package.ends_with("_x64-setup.exe") => &["windows-x86_64-nsis"],
        _ if package.contains("_x64_") && package.ends_with(".msi") => &["windows-x86_64-msi"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.3] - 2027-01-02\n\n### Added\n\n- this\n\n## [1.2.2]\n\n- that\n";

    #[test]
    fn the_notes_are_those_of_the_version() {
        assert_eq!(section(CHANGELOG, "1.2.3").unwrap(), "### Added\n\n- this");
        assert_eq!(section(CHANGELOG, "1.2.2").unwrap(), "- that");
        assert!(section(CHANGELOG, "2.0.0").unwrap_err().to_string().contains("no section"));
        assert!(version_of("1.2.3").is_err() && version_of("vnext").is_err());
        assert_eq!(version_of("v1.2.3").unwrap(), "1.2.3");
    }

    #[test]
    fn every_signed_package_is_offered_to_those_who_have_its_kind() {
        let signed = [
            "Codeferry_1.2.3_amd64.AppImage",
            "Codeferry_1.2.3_amd64.deb",
            "Codeferry_1.2.3_aarch64.app.tar.gz",
            "Codeferry_1.2.3_universal.app.tar.gz",
            "Codeferry_1.2.3_x64-setup.exe",
            "Codeferry_1.2.3_x64_en-US.msi",
        ]
        .map(|package| (package.to_owned(), format!("signature of {package}")));
        let manifest = manifest("1.2.3", "### Added\n\n- \"this\"", "https://example.com/v1.2.3/", &signed).unwrap();
        for (name, package) in [
            ("linux-x86_64-appimage", "Codeferry_1.2.3_amd64.AppImage"),
            ("darwin-aarch64-app", "Codeferry_1.2.3_aarch64.app.tar.gz"),
            ("windows-x86_64-nsis", "Codeferry_1.2.3_x64-setup.exe"),
            ("windows-x86_64-msi", "Codeferry_1.2.3_x64_en-US.msi"),
        ] {
            let at = manifest.find(&format!("\"{name}\"")).unwrap_or_else(|| panic!("{name} in {manifest}"));
            let entry = manifest[at..].split('}').next().unwrap();
            assert!(entry.contains(&format!("https://example.com/v1.2.3/{package}\"")), "{entry}");
            assert!(entry.contains(&format!("signature of {package}")), "{entry}");
        }
        assert!(!manifest.contains(".deb") && !manifest.contains("universal"), "{manifest}");
        assert!(manifest.contains(r#"- \"this\""#), "the notes are quoted: {manifest}");
    }

    #[test]
    fn a_release_without_signatures_is_no_update() {
        assert!(manifest("1.2.3", "x", "https://example.com", &[("a.deb".to_owned(), "s".to_owned())]).is_err());
    }
}
