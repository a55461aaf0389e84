//! The menu bar of macOS: without it there is no copying and pasting in a window, and Cmd-Q would end us without draining.

use tauri::menu::{AboutMetadata, Menu, MenuBuilder, MenuItemBuilder, SubmenuBuilder};
use tauri::{AppHandle, Wry};

use crate::screen::Screen;
use crate::{language, quit, window};

const QUIT: &str = "app-quit";
const SETTINGS: &str = "app-settings";

/// The menu bar.
pub(crate) fn menu(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let settings =
        MenuItemBuilder::with_id(SETTINGS, language::say(app, "Settings…")).accelerator("Cmd+,").build(app)?;
    let leave = MenuItemBuilder::with_id(QUIT, language::say(app, "Quit Codeferry")).accelerator("Cmd+Q").build(app)?;
    let ours = SubmenuBuilder::new(app, "Codeferry")
        .about(Some(AboutMetadata::default()))
        .separator()
        .item(&settings)
        .separator()
        .hide()
        .hide_others()
        .show_all()
        .separator()
        .item(&leave)
        .build()?;
    let edit = SubmenuBuilder::new(app, language::say(app, "Edit"))
        .undo()
        .redo()
        .separator()
        .cut()
        .copy()
        .paste()
        .select_all()
        .build()?;
    let windows =
        SubmenuBuilder::new(app, language::say(app, "Window")).minimize().fullscreen().close_window().build()?;
    MenuBuilder::new(app).items(&[&ours, &edit, &windows]).build()
}

/// What was chosen in it.
pub(crate) fn chosen(app: &AppHandle, id: &str) {
    match id {
        QUIT => quit::ask(app),
        SETTINGS => window::open(app, Some(Screen::Settings)),
        _ => {}
    }
}
