//! Ending in order: answers under way may finish, and what is to be kept is kept.

use tauri::{AppHandle, Manager as _};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogButtons};

use crate::shell::Shell;
use crate::{language, login_window};

/// A person wants to leave. They are asked only while answers are under way.
pub(crate) fn ask(app: &AppHandle) {
    let open = app.state::<Shell>().keeper.serving().map_or(0, |serving| serving.status().exchanges.open);
    if open == 0 {
        return for_good(app);
    }
    let answers = match open {
        1 => "An answer is under way.".to_owned(),
        open => format!("{open} answers are under way."),
    };
    let message = format!("{answers} Codeferry lets them finish before it quits, for a while; no new ones begin.");
    let language = language::of(app);
    let buttons = MessageDialogButtons::OkCancelCustom(language.say("Quit"), language.say("Stay"));
    let leaving = app.clone();
    let dialog = app.dialog().message(language.say(&message)).title(language.say("Quit Codeferry?"));
    dialog.buttons(buttons).show(move |quit| {
        if quit {
            for_good(&leaving);
        }
    });
}

/// Drains, and leaves.
pub(crate) fn now(app: &AppHandle) {
    leave(app, false);
}

/// The same when a person wants it: clients go their own way then, if that was chosen.
fn for_good(app: &AppHandle) {
    leave(app, true);
}

fn leave(app: &AppHandle, person: bool) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Nothing is there yet if somebody is very quick.
        if let Some(shell) = app.try_state::<Shell>() {
            shell.keeper.end().await;
            if person {
                take_clients_back(&shell).await;
            }
            shell.tasks.close();
            shell.tasks.wait().await;
            login_window::leave(&app);
        }
        app.exit(0);
    });
}

async fn take_clients_back(shell: &Shell) {
    let (paths, environment) = (shell.paths.clone(), shell.environment.clone());
    let back = tauri::async_runtime::spawn_blocking(move || codeferry_app::clients_on_quit(&paths, &environment));
    for told in back.await.ok().flatten().into_iter().flatten() {
        tracing::info!("{told}");
    }
}

/// Leaves when the system says so; at once when it says so twice. From here on: whoever serves must not be cut off. Within
/// the runtime.
#[cfg(unix)]
pub(crate) fn on_signals(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return tracing::warn!("signals cannot be caught");
    };
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        for again in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if again { app.exit(1) } else { now(&app) }
        }
    });
}

/// Leaves when it is told to by the console it was started from.
#[cfg(windows)]
pub(crate) fn on_signals(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            now(&app);
        }
    });
}

/// In builds for tests SIGUSR2 makes serving break off: what people see then is tested from outside. (The webview has its
/// own use for SIGUSR1.)
#[cfg(all(unix, debug_assertions))]
pub(crate) fn on_test_signal(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Ok(mut asked) = signal(SignalKind::user_defined2()) else { return };
        while asked.recv().await.is_some() {
            if let Some(serving) = app.state::<Shell>().keeper.serving() {
                serving.gateway().break_off();
            }
        }
    });
}
