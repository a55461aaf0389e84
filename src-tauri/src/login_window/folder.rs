//! What the web engine writes while somebody signs in: in a folder of its own, away from the dashboard's, gone with the window.
//!
//! A private window keeps what a page stores in memory; the folder takes what the engine writes all the same. What a crash left
//! behind goes at the next start.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codeferry_app::Paths;

/// The engine's processes end a little later than their window, and may write until then.
const TRIES: u32 = 10;
const APART: Duration = Duration::from_millis(300);

/// Where the engine of the window with this label may write. Nobody but this user gets into the data folder above it.
///
/// On Linux all windows have the same one. The toolkit keeps a context for each folder until the app ends, and each has a
/// process (tauri-runtime-wry 2.12, `WebviewWrapper::drop`). They are private from one another all the same: what a page stores
/// belongs to the one window and its memory.
pub(super) fn of(paths: &Paths, label: &str) -> PathBuf {
    paths.sign_in().join(if cfg!(target_os = "linux") { "engine" } else { label })
}

/// Removes a folder once its window is closed.
pub(super) async fn wipe(folder: PathBuf) {
    for _ in 0..TRIES {
        tokio::time::sleep(APART).await;
        match remove(&folder) {
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "what a sign-in window has written is not gone yet"),
        }
    }
    if folder.exists() {
        tracing::warn!("what a sign-in window has written could not be removed; it goes at the next start");
    }
}

/// Removes what a crash has left. Before any window is opened.
pub(crate) fn sweep(paths: &Paths) {
    if let Err(error) = remove(&paths.sign_in()) {
        tracing::warn!(%error, "what a sign-in window has written cannot be removed");
    }
}

/// With all that is in it. Links are removed and not followed.
fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{of, sweep, wipe};
    use codeferry_app::Paths;

    #[tokio::test(start_paused = true)]
    async fn a_folder_goes_with_its_window_also_when_somebody_writes_late() {
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths::at(temp.path());
        let (mine, other) = (of(&paths, "sign-in-1"), paths.sign_in().join("left"));
        std::fs::create_dir_all(mine.join("storage")).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        let late = async {
            tokio::time::sleep(super::APART * 2 + std::time::Duration::from_millis(1)).await;
            std::fs::create_dir_all(&mine).unwrap();
            std::fs::write(mine.join("cookies"), "late").unwrap();
        };
        tokio::join!(wipe(mine.clone()), late);
        assert!(!mine.exists() && other.exists());

        // The other one was left by a crash.
        std::fs::write(other.join("cookies"), "left").unwrap();
        sweep(&paths);
        assert!(!paths.sign_in().exists());
        sweep(&paths);
    }
}
