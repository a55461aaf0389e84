//! What the programs are made of, in CycloneDX: one list for each program, and one for the dashboard.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::parts::Machine;
use crate::place::Place;
use crate::run;
use crate::tools::{self, CARGO_CYCLONEDX};

/// The programs people get, by the folder of their manifest.
const PROGRAMS: [(&str, &str); 2] = [("codeferry-desktop", "src-tauri"), ("codeferry", "src-tauri/crates/cli")];
/// How the tool ends the names of the lists it writes beside the manifests, of all binaries of the workspace.
const WRITTEN: &str = "_bin.cdx.json";

pub(super) fn write(place: &Place, machine: &Machine, to: &Path, version: &str) -> Result<()> {
    let tool = tools::cargo::install(place, CARGO_CYCLONEDX, &[])?;
    // For two kinds of machine the lists are the same.
    let triple = machine.triples.first().map_or("all", String::as_str);
    let mut command = Command::new(tool);
    command.current_dir(&place.root).args(["cyclonedx", "-qq", "--format", "json", "--spec-version", "1.5"]);
    command.args(["--describe", "binaries", "--no-build-deps", "--target", triple]);
    run::tidy_environment(&mut command);
    run::run(command.args(["--manifest-path", "src-tauri/Cargo.toml"]))?;
    for (program, folder) in PROGRAMS {
        let list = place.root.join(folder).join(format!("{program}{WRITTEN}"));
        let text = fs::read_to_string(&list).with_context(|| format!("no list of parts of {program} was written"))?;
        let name = format!("{program}-{version}-{}.cdx.json", machine.name());
        fs::write(to.join(name), without_folder(&text, &place.root))?;
    }
    for list in written(&place.root)? {
        fs::remove_file(&list).with_context(|| format!("cannot remove {}", list.display()))?;
    }
    dashboard(place, &to.join(format!("codeferry-ui-{version}-{}.cdx.json", machine.name())))
}

/// Where the clone stands on this machine is nobody's business.
fn without_folder(list: &str, root: &Path) -> String {
    list.replace(&root.to_string_lossy().replace('\\', "/"), "")
}

/// The lists beside the manifests. They are nowhere else: a manifest stands at most three folders deep.
fn written(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![root.join("src-tauri"), root.join("tests")];
    for entry in fs::read_dir(root.join("src-tauri/crates"))? {
        folders.push(entry?.path());
    }
    let mut lists = Vec::new();
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(WRITTEN) {
                lists.push(path);
            }
        }
    }
    Ok(lists)
}

/// npm knows what the dashboard is made of.
fn dashboard(place: &Place, to: &Path) -> Result<()> {
    let ui = place.root.join("ui");
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(ui).args(["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"]);
    // Parts for other systems are in the lock file and were not asked to fit one another.
    npm.arg("--omit=optional");
    let list = run::output(&mut npm)?;
    fs::write(to, list).with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_does_not_say_where_the_clone_stands() {
        let list = r#"{"bom-ref":"path+file:///home/me/codeferry/src-tauri#codeferry-desktop@0.1.0"}"#;
        let bare = without_folder(list, Path::new("/home/me/codeferry"));
        assert_eq!(bare, r#"{"bom-ref":"path+file:///src-tauri#codeferry-desktop@0.1.0"}"#);
    }
}
