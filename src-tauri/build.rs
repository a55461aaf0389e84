//! Names what pages may ask of the shell, and makes sure that there is a page.

use std::path::Path;
use std::{fs, io};

/// The commands of `src/commands.rs`. Each becomes a permission, and `capabilities/` says who has it.
const COMMANDS: &[&str] = &[
    "shell_state",
    "start_gateway",
    "stop_gateway",
    "renew_session",
    "set_demo",
    "set_port",
    "open_external",
    "open_sign_in",
    "sign_in_in_browser",
    "reveal",
    "quit_app",
    "autostart_state",
    "set_autostart",
    "shortcut_states",
    "update_state",
    "check_update",
    "install_update",
];

fn main() {
    if let Err(error) = page(Path::new("../ui/dist/shell.html")) {
        println!("cargo::error=../ui/dist cannot be made: {error}");
    }
    let attributes = tauri_build::Attributes::new().app_manifest(tauri_build::AppManifest::new().commands(COMMANDS));
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
    }
}

/// Where nobody has built the pages yet, a plain one stands in, so that the program compiles. `cargo xtask` builds them.
fn page(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(
        path,
        "<!doctype html><title>Codeferry</title><p>This build has no pages: cargo xtask start makes them.</p>\n",
    )
}
