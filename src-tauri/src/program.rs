//! Which file this program is, for whoever starts it again: the system at login, an update, a link.

#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;

use tauri::{AppHandle, Runtime};

/// The file that says who installed us.
const MARKER: &str = "installed-by";

/// The file to start: the AppImage, if we run from one.
///
/// # Errors
/// In a sentence, when the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn file<R: Runtime>(app: &AppHandle<R>) -> Result<PathBuf, String> {
    match appimage(app) {
        Some(image) => Ok(image),
        None => running(),
    }
}

/// The file that runs.
fn running() -> Result<PathBuf, String> {
    tauri::utils::platform::current_exe()
        .map_err(|error| format!("the system does not tell where the program is: {error}"))
}

/// The AppImage we run from, if we do.
#[cfg(target_os = "linux")]
pub(crate) fn appimage<R: Runtime>(app: &AppHandle<R>) -> Option<PathBuf> {
    use tauri::Manager as _;
    let env = app.env();
    image(&running().ok()?, env.appimage.map(PathBuf::from), env.appdir.map(PathBuf::from))
}

/// There are none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn appimage<R: Runtime>(_: &AppHandle<R>) -> Option<PathBuf> {
    None
}

/// Which package manager put the program here, and brings newer ones, in its packager's words: packages have a file for
/// that (docs/desktop.md).
pub(crate) fn installed_by() -> Option<String> {
    let folder = running().ok()?.parent()?.to_owned();
    // Beside the program, or where a Unix system keeps such things.
    let places = [folder.join(MARKER), folder.join("../share/codeferry").join(MARKER)];
    places.iter().find_map(|place| named(&std::fs::read_to_string(place).ok()?))
}

/// What such a file says.
fn named(text: &str) -> Option<String> {
    let name: String = text.lines().next()?.trim().chars().filter(|c| !c.is_control()).take(120).collect();
    (!name.is_empty()).then_some(name)
}

/// The AppImage that this program is part of. The variables alone do not tell: a program that another AppImage starts has
/// them, too.
#[cfg(target_os = "linux")]
fn image(program: &Path, image: Option<PathBuf>, mounted: Option<PathBuf>) -> Option<PathBuf> {
    image.filter(|_| mounted.is_some_and(|mounted| program.starts_with(mounted)))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn whoever_installed_us_is_named_in_a_line() {
        assert_eq!(named("Homebrew. Updates come by it.\n").as_deref(), Some("Homebrew. Updates come by it."));
        assert_eq!((named(""), named(" \n dpkg")), (None, None));
        assert_eq!(named(&"x".repeat(999)).map(|name| name.len()), Some(120));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_appimage_is_ours_only_if_we_run_from_it() {
        use std::path::{Path, PathBuf};

        use super::image;
        let (file, mounted) = (PathBuf::from("/home/x/Codeferry.AppImage"), PathBuf::from("/tmp/.mount_CodefeX"));
        let program = mounted.join("usr/bin/codeferry-desktop");
        assert_eq!(image(&program, Some(file.clone()), Some(mounted.clone())), Some(file.clone()));
        assert_eq!(image(Path::new("/usr/bin/codeferry-desktop"), Some(file.clone()), Some(mounted)), None);
        assert_eq!(image(&program, Some(file), None), None);
    }
}
