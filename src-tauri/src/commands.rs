//! What a page may ask of the shell: the few things that only a desktop can do.
//!
//! Only the main window may ask, from the shell's page or from the gateway's: `capabilities/main.json`.
//!
//! **Invariant:** a page passes names and numbers, never an address to be loaded with our rights or a path to be opened.

use tauri::ipc::Invoke;
use tauri::{AppHandle, Manager as _, Url, Wry};
use tauri_plugin_opener::OpenerExt as _;

use crate::autostart::{self, AutostartState};
use crate::page::ShellState;
use crate::shell::Shell;
use crate::shortcut::{self, ShortcutState};
use crate::update::{self, UpdateState};
use crate::{login_window, quit, tray, window};

/// All of them. The build script names them, too, so that they can be allowed one by one.
pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        shell_state,
        start_gateway,
        stop_gateway,
        renew_session,
        set_demo,
        set_port,
        open_external,
        open_sign_in,
        sign_in_in_browser,
        reveal,
        quit_app,
        autostart_state,
        set_autostart,
        shortcut_states,
        update_state,
        check_update,
        install_update
    ]
}

/// How the gateway stands.
#[tauri::command]
fn shell_state(app: AppHandle) -> ShellState {
    ShellState::of(&app.state::<Shell>().keeper.phase().borrow())
}

#[tauri::command]
fn start_gateway(app: AppHandle) {
    app.state::<Shell>().keeper.start();
}

#[tauri::command]
fn stop_gateway(app: AppHandle) {
    app.state::<Shell>().keeper.stop();
}

/// The dashboard's session has ended, and the gateway goes on: another one, in the same place.
#[tauri::command]
async fn renew_session(app: AppHandle) -> Result<(), String> {
    window::renew(&app).await.map_err(|error| error.to_string())
}

/// Serve the demo account instead of the person's own, or no longer.
#[tauri::command]
fn set_demo(app: AppHandle, on: bool) {
    app.state::<Shell>().keeper.set_demo(on);
}

/// Another port, because the one that is set is taken. Tried at once.
#[tauri::command]
async fn set_port(app: AppHandle, port: u16) -> Result<(), String> {
    let shell = app.state::<Shell>();
    let settings = codeferry_app::settings(&shell.paths).map_err(|error| error.to_string())?;
    settings.set("port", &port.to_string()).map_err(|error| error.to_string())?;
    shell.keeper.stop();
    shell.keeper.start();
    Ok(())
}

/// A web page, in the person's browser.
#[tauri::command]
fn open_external(app: AppHandle, url: Url) {
    window::open_outside(&app, &url);
}

/// The page of a sign-in that the dashboard began, in a window of its own or where the person wants it. The dashboard knows
/// its id and not its address: that one never comes from a page. Where that is: `window` or `browser`.
#[tauri::command]
async fn open_sign_in(app: AppHandle, id: String) -> Result<&'static str, String> {
    login_window::open(&app, &id).await
}

/// The same in the person's browser, whether or not there is a window.
#[tauri::command]
async fn sign_in_in_browser(app: AppHandle, id: String) -> Result<(), String> {
    login_window::in_browser(&app, &id)
}

/// A folder, in the file manager: `data` or `logs`.
#[tauri::command]
async fn reveal(app: AppHandle, what: String) -> Result<(), String> {
    let paths = &app.state::<Shell>().paths;
    let folder = match what.as_str() {
        "data" => paths.home().to_owned(),
        "logs" => paths.logs(),
        other => return Err(format!("nobody knows a folder {other:?}")),
    };
    app.opener().open_path(folder.to_string_lossy(), None::<&str>).map_err(|error| error.to_string())
}

/// The person wants to leave.
#[tauri::command]
fn quit_app(app: AppHandle) {
    quit::ask(&app);
}

/// Whether we start at login.
#[tauri::command]
async fn autostart_state(app: AppHandle) -> AutostartState {
    autostart::state(&app)
}

/// Start at login, or no longer.
#[tauri::command]
async fn set_autostart(app: AppHandle, on: bool) -> Result<AutostartState, String> {
    let set = autostart::set(&app, on);
    tray::look_again(&app);
    set
}

/// How the shortcuts fare that are set: `desktop.shortcut.*`.
#[tauri::command]
fn shortcut_states(app: AppHandle) -> Vec<ShortcutState> {
    shortcut::states(&app)
}

/// How it stands with updates. The event `shell://update` tells of changes.
#[tauri::command]
fn update_state(app: AppHandle) -> UpdateState {
    update::state(&app)
}

/// Looks for a newer version now.
#[tauri::command]
async fn check_update(app: AppHandle) -> Result<UpdateState, String> {
    update::check(&app).await
}

/// Shows what is new in the version that was found, and installs it if the person agrees.
#[tauri::command]
fn install_update(app: AppHandle) {
    update::offer(&app);
}
