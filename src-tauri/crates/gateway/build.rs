//! Puts the dashboard into the binary: every file of `ui/dist`, as a table that `src/ui.rs` includes.
//!
//! A build script of our own and not a macro from elsewhere: a debug build serves the very bytes a release does, a new file
//! is noticed, and where nobody has built the dashboard (no Node.js) the table is empty and everything else compiles.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let ui = PathBuf::from(var("CARGO_MANIFEST_DIR")?).join("../../../ui");
    let dist = ui.join("dist");
    let mut files = Vec::new();
    // What stands there only so that something does is no dashboard.
    if dist.join("index.html").is_file() && dist.join("assets").is_dir() {
        collect(&dist, &mut files)?;
        files.sort();
        println!("cargo::rerun-if-changed={}", dist.display());
    } else if ui.is_dir() {
        // A path that is missing would run this each time; the folder changes when the dashboard is built into it.
        println!("cargo::rerun-if-changed={}", ui.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    let mut table = String::from("&[\n");
    for file in &files {
        let Ok(name) = file.strip_prefix(&dist) else { continue };
        let name = name.to_string_lossy().replace('\\', "/");
        let _ = writeln!(table, "    ({name:?}, include_bytes!({:?})),", file.canonicalize()?);
    }
    table.push_str("]\n");
    fs::write(Path::new(&var("OUT_DIR")?).join("ui.rs"), table)
}

fn var(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // Notes of who built it are nobody else's business.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
