//! Dialogs of the system: a sentence, or a question with two answers.

use tauri::{AppHandle, WebviewWindow};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogBuilder, MessageDialogButtons, MessageDialogKind};
use tokio::sync::oneshot;

use super::words::Words;
use crate::language;

/// Says something. Waits for nobody.
pub(super) fn tell(app: &AppHandle, words: Words, parent: Option<WebviewWindow>) {
    dialog(app, words, parent).kind(MessageDialogKind::Warning).show(|_| {});
}

/// Asks something. Whether the first answer was given; closing the dialog is the second.
pub(super) async fn ask(app: &AppHandle, words: Words, yes: &str, no: &str, parent: Option<WebviewWindow>) -> bool {
    let (answer, answered) = oneshot::channel();
    let buttons = MessageDialogButtons::OkCancelCustom(language::say(app, yes), language::say(app, no));
    dialog(app, words, parent).buttons(buttons).show(move |yes| {
        // Whoever asked may be gone.
        let _ = answer.send(yes);
    });
    answered.await.unwrap_or(false)
}

fn dialog(app: &AppHandle, words: Words, parent: Option<WebviewWindow>) -> MessageDialogBuilder<tauri::Wry> {
    let language = language::of(app);
    let dialog = app.dialog().message(language.say(&words.text)).title(language.say(words.title));
    match &parent {
        Some(parent) => dialog.parent(parent),
        None => dialog,
    }
}
