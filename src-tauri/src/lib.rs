//! The desktop shell: an icon in the tray, windows, and what only a desktop can do.
//!
//! It starts the gateway in this process, as the Owner of the data folder, and shows it. The dashboard is the gateway's own
//! web page, so nothing that can be seen or changed exists here alone.
//!
//! - `shell` holds what the modules share, and follows the gateway.
//! - `tray` is the icon and its menu; `window` the dashboard's window; `commands` what a page may ask of the shell.
//! - `web_engine` is what windows show pages with, loaded before the first one.
//! - `login_window` is where people sign in.
//! - `language` is the person's, for whatever we say without a page.
//! - `quit` ends in order.
//! - `autostart`, `notify`, `deep_link`, `shortcut`, `update` and `window_state` are one feature of the system each.
//!
//! **Invariant:** this is the only crate that knows tauri, and it decides nothing about requests.

#![warn(missing_docs)]

#[cfg(target_os = "macos")]
mod app_menu;
mod args;
mod autostart;
mod backdrop;
mod commands;
mod deep_link;
mod language;
mod login_window;
mod news;
mod notify;
mod page;
mod plain;
mod program;
mod quit;
pub mod say;
mod screen;
mod shell;
mod shortcut;
#[cfg(test)]
mod testing;
mod tray;
mod update;
mod web_engine;
mod window;
mod window_state;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use codeferry_app::logging::{self, Logging};
use codeferry_app::{Environment, LogForm, Options, Paths};
use tauri::{AppHandle, Builder, RunEvent, WindowEvent, Wry};

pub use args::Args;
use plain::without_script;

/// What a start needs to know.
#[derive(Debug)]
pub struct Start {
    /// What was typed.
    pub args: Args,
    /// What the environment says.
    pub environment: Environment,
    /// Where the files are.
    pub paths: Paths,
}

/// Shows the icon and serves, until somebody quits.
pub fn run(start: Start) -> ExitCode {
    let directives = start.environment.log.as_deref();
    let color = !start.environment.no_color && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let form = codeferry_app::settings(&start.paths).map_or(LogForm::Human, |settings| settings.snapshot().log);
    let log_lines = match logging::start(Logging { form, directives, usual: "info", color }) {
        Ok(lines) => lines,
        Err(error) => return say::cannot_start(&error.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return say::cannot_start(&format!("no runtime: {error}")),
    };
    tauri::async_runtime::set(runtime.handle().clone());
    let Args { demo, port, .. } = start.args;
    let options = Options { demo, port, log_lines, stay_on_loopback: true, ..Options::default() };
    // Toolkits panic where there is a display variable and no display behind it.
    let built = catch_unwind(AssertUnwindSafe(|| build(start, options)));
    let app = match built {
        Ok(Ok(app)) => app,
        Ok(Err(error)) => return say::cannot_start(&error.to_string()),
        Err(_) => return say::no_display(),
    };
    let code = app.run_return(follow);
    // What is still blocked in a thread (a keychain dialog) does not hold back the end.
    runtime.shutdown_background();
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn build(start: Start, options: Options) -> tauri::Result<tauri::App> {
    let builder = Builder::<Wry>::new();
    #[cfg(target_os = "macos")]
    let builder = builder.menu(app_menu::menu).on_menu_event(|app, event| app_menu::chosen(app, event.id().as_ref()));
    builder
        // First: a second one ends here, and tells us what it was started with.
        .plugin(tauri_plugin_single_instance::init(|app, args, _| shell::second_launch(app, &args)))
        .plugin(without_script(tauri_plugin_dialog::init()))
        .plugin(without_script(tauri_plugin_opener::init()))
        .plugin(without_script(tauri_plugin_shell::init()))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(without_script(tauri_plugin_notification::init()))
        .plugin(tauri_plugin_updater::Builder::new().build())
        .plugin(window_state::plugin(&start.paths))
        .plugin(autostart::plugin())
        .manage(shortcut::Standing::default())
        .invoke_handler(commands::handler())
        .setup(move |app| Ok(shell::begin(app.handle(), start, options)?))
        .build(tauri::generate_context!())
}

/// What the event loop tells.
fn follow(app: &AppHandle, event: RunEvent) {
    match event {
        // The last window was closed: the tray stays. With a code somebody really wants to leave.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } if label == window::MAIN => {
            window::closed(app);
        }
        // A click on the icon in the dock.
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::open(app, None),
        _ => {}
    }
}
