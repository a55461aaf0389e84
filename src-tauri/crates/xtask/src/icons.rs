//! `cargo xtask icons`: from the drawings in `icons/` to the pictures that bundles and the tray use.
//!
//! The pictures are committed, so that nobody needs this task to build. `icons/SHA256SUMS` holds the sums of drawings and
//! pictures; `cargo xtask check icons` compares them and so finds a drawing that was changed without its pictures.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::place::Place;
use crate::tools::{TAURI, debian, node};
use crate::{run, say, sums};

/// What the bundles take. Linux looks for a size of its own in each hicolor folder; ICO and ICNS hold several.
const BUNDLE_SIZES: [u32; 8] = [16, 24, 32, 48, 64, 128, 256, 512];
/// The states of the tray. Each is an alpha mask that `src-tauri/src/tray/icon.rs` colours.
const TRAY_STATES: [&str; 4] = ["active", "error", "idle", "warn"];
/// The side of such a mask: 18 points at twice the density.
const TRAY_SIZE: u32 = 36;
/// How much of an icon's side macOS leaves to the picture: 824 of 1024, the rest is for the shadow.
/// <https://developer.apple.com/design/human-interface-guidelines/app-icons>, the grid of the production templates.
const MACOS_INSET: u32 = 100;
const SUMS: &str = "SHA256SUMS";

pub(crate) fn run(place: &Place) -> Result<()> {
    debian::ensure(&[debian::NODE])?;
    let tauri = node::install(place, TAURI, "tauri")?;
    let icons = place.root.join("icons");
    let work = place.target.join("icons");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot clear {}", work.display()))?;
    }
    fs::create_dir_all(&work)?;
    let draw = |drawing: &Path, to: &Path, sizes: &[u32]| -> Result<()> {
        let mut command = Command::new(&tauri);
        command.current_dir(&place.root).arg("icon").arg(drawing).arg("--output").arg(to);
        for size in sizes {
            command.args(["--png", &size.to_string()]);
        }
        run::output(&mut command).map(drop)
    };

    say::step("icons/bundle");
    let bundle = icons.join("bundle");
    fs::create_dir_all(&bundle)?;
    let app = icons.join("app.svg");
    draw(&app, &bundle, &BUNDLE_SIZES)?;
    draw(&app, &work.join("app"), &[])?;
    fs::copy(work.join("app/icon.ico"), bundle.join("icon.ico")).context("no icon.ico was made")?;
    let drawing = fs::read_to_string(&app).with_context(|| format!("cannot read {}", app.display()))?;
    let inset = work.join("macos.svg");
    fs::write(&inset, with_margin(&drawing)?)?;
    draw(&inset, &work.join("macos"), &[])?;
    fs::copy(work.join("macos/icon.icns"), bundle.join("icon.icns")).context("no icon.icns was made")?;

    say::step("icons/tray");
    for state in TRAY_STATES {
        draw(&icons.join(format!("tray/{state}.svg")), &work.join(state), &[TRAY_SIZE])?;
        let made = work.join(state).join(format!("{TRAY_SIZE}x{TRAY_SIZE}.png"));
        fs::copy(&made, icons.join(format!("tray/{state}.png"))).with_context(|| format!("no {state}.png was made"))?;
    }
    fs::write(icons.join(SUMS), sums::of(&icons, &files())?)?;
    say::data("The icons are drawn. Look at them, then commit drawings, pictures and sums together.");
    Ok(())
}

/// Whether drawings and pictures are those whose sums were recorded when they were last made.
pub(crate) fn fresh(place: &Place) -> Result<()> {
    let icons = place.root.join("icons");
    let recorded = fs::read_to_string(icons.join(SUMS)).context("icons/SHA256SUMS cannot be read")?;
    let changed = sums::differing(&recorded, &sums::of(&icons, &files())?);
    if !changed.is_empty() {
        bail!("changed without `cargo xtask icons`: {}", changed.join(", "));
    }
    Ok(())
}

/// Drawings and pictures, relative to `icons`.
fn files() -> Vec<String> {
    let bundle = BUNDLE_SIZES.map(|size| format!("bundle/{size}x{size}.png"));
    let tray = TRAY_STATES.map(|state| [format!("tray/{state}.svg"), format!("tray/{state}.png")]).concat();
    let rest = ["app.svg", "bundle/icon.ico", "bundle/icon.icns"].map(str::to_owned);
    [rest.as_slice(), &bundle, &tray].concat()
}

/// The same drawing inside a larger one, with the free margin that macOS asks for.
fn with_margin(drawing: &str) -> Result<String> {
    let start = drawing.find("<svg ").context("app.svg has no <svg> element")?;
    let side = 1024 - 2 * MACOS_INSET;
    let inner = drawing.get(start + "<svg ".len()..).unwrap_or_default();
    let at = format!(r#"<svg x="{MACOS_INSET}" y="{MACOS_INSET}" width="{side}" height="{side}" "#);
    Ok(format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1024 1024">{at}{inner}</svg>"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_goes_around_the_same_drawing() {
        let framed = with_margin("<?xml?>\n<svg viewBox=\"0 0 1024 1024\"><rect/></svg>").unwrap();
        let inner = r#"<svg x="100" y="100" width="824" height="824" viewBox="0 0 1024 1024"><rect/></svg></svg>"#;
        assert!(framed.ends_with(inner), "{framed}");
        assert!(with_margin("<rect/>").is_err());
    }

    #[test]
    fn the_pictures_are_those_of_the_drawings() {
        fresh(&Place::find().unwrap()).unwrap();
    }
}
