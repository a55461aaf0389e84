//! The icon in the tray, and its menu.

use tauri::menu::{Menu, MenuBuilder, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _, Wry};

use crate::shell::Shell;
use crate::{quit, window};

const ID: &str = "main";

/// Makes the icon.
pub(crate) fn make(app: &AppHandle) -> tauri::Result<()> {
    let mut builder = TrayIconBuilder::with_id(ID).menu(&menu(app)?).tooltip("Codeferry").show_menu_on_left_click(true);
    if let Some(icon) = app.default_window_icon() {
        builder = builder.icon(icon.clone());
    }
    builder
        .on_menu_event(|app, event| match event.id().as_ref() {
            "start" => app.state::<Shell>().keeper.start(),
            "stop" => app.state::<Shell>().keeper.stop(),
            "open" => window::open(app, None),
            "quit" => quit::ask(app),
            _ => {}
        })
        .build(app)?;
    Ok(())
}

/// Shows how it stands now.
pub(crate) fn show(app: &AppHandle) {
    let app = app.clone();
    let drawn = app.clone().run_on_main_thread(move || {
        let shown = menu(&app).and_then(|menu| app.tray_by_id(ID).map_or(Ok(()), |tray| tray.set_menu(Some(menu))));
        if let Err(error) = shown {
            tracing::warn!(%error, "the tray cannot be drawn");
        }
    });
    drop(drawn);
}

fn menu(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let phase = app.state::<Shell>().keeper.phase().borrow().clone();
    let state = MenuItemBuilder::with_id("state", phase.name()).enabled(false).build(app)?;
    let (id, label) = if phase.name() == "running" { ("stop", "Stop") } else { ("start", "Start") };
    MenuBuilder::new(app)
        .item(&state)
        .text(id, label)
        .separator()
        .text("open", "Open dashboard")
        .separator()
        .text("quit", "Quit")
        .build()
}
