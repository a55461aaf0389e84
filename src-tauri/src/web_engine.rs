//! The engine that shows pages. On Linux it is a library that is loaded when the first window is made, and it may not be there.
//!
//! **Invariant:** a window with a page is made only after [`bring`].

use std::time::Instant;

use tauri::{AppHandle, Manager as _, Url};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogButtons, MessageDialogKind};
use tokio::sync::oneshot;

use crate::shell::Shell;
use crate::window;

/// Sees to it that the engine is there.
///
/// # Errors
/// What is missing, in a sentence without its end.
pub(crate) async fn bring(app: &AppHandle) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let since = Instant::now();
    let (answer, loaded) = oneshot::channel();
    // Whoever asked may be gone.
    let load = move || drop(answer.send(codeferry_webkit::load()));
    app.run_on_main_thread(load).map_err(|error| error.to_string())?;
    loaded.await.map_err(|_| "the app ends".to_owned())?.map_err(|error| error.to_string())?;
    tracing::debug!(took = ?since.elapsed(), "the web engine is there");
    Ok(())
}

/// There is no window without it. The dashboard is a page like any other, so a browser can show it.
pub(crate) fn tell_missing(app: &AppHandle, why: &str, route: Option<&str>) {
    tracing::error!(why, "the window cannot be shown");
    let browser = link(app, route).is_some();
    let dialog = app.dialog().message(words(why, browser)).title("Codeferry cannot show its window");
    let dialog = dialog.kind(MessageDialogKind::Warning);
    if !browser {
        return dialog.show(|_| {});
    }
    let (app, route) = (app.clone(), route.map(str::to_owned));
    let buttons = MessageDialogButtons::OkCancelCustom("Open in my browser".to_owned(), "Close".to_owned());
    dialog.buttons(buttons).show(move |agreed| {
        // A link of now: the one from before the question may be spent.
        if let Some(link) = agreed.then(|| link(&app, route.as_deref())).flatten() {
            window::open_outside(&app, &link);
        }
    });
}

fn link(app: &AppHandle, route: Option<&str>) -> Option<Url> {
    app.state::<Shell>().keeper.serving()?.session_link(route).ok()?.parse().ok()
}

fn words(why: &str, browser: bool) -> String {
    let instead = if browser { "\n\nUntil then your browser can show the dashboard." } else { "" };
    format!(
        "{why}.\n\nThe window needs it; the tray and the gateway do not. Install the package libwebkit2gtk-4.1-0 \
         (on Fedora webkit2gtk4.1, on Arch webkit2gtk-4.1) and open the window again.{instead}"
    )
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let said = words("WebKitGTK cannot be loaded: no such file", true);
        assert!(said.starts_with("WebKitGTK cannot be loaded: no such file.\n"), "{said}");
        assert!(said.contains("libwebkit2gtk-4.1-0") && said.ends_with("show the dashboard."), "{said}");
        assert!(!words("x", false).contains("browser"), "there is nothing to open yet");
    }
}
