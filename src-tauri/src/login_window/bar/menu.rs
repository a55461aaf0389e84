//! On Windows and macOS: a menu, of the window or of the screen.

use tauri::menu::{MenuItem, MenuItemBuilder};
use tauri::{Manager as _, WebviewWindow, Wry};

use super::{BROWSER, CANCEL, Choice, Chosen};
use crate::language;

/// The menu of one window. Its items are known by the window's label: every handler hears of every menu.
pub(in crate::login_window) struct Bar {
    host: MenuItem<Wry>,
    #[cfg(target_os = "macos")]
    submenu: tauri::menu::Submenu<Wry>,
    #[cfg(target_os = "macos")]
    app: tauri::AppHandle,
}

// === impl Bar ===

impl Bar {
    /// Puts it where the system has its menus.
    pub(in crate::login_window) fn put(window: &WebviewWindow, place: String, chosen: Chosen) -> tauri::Result<Self> {
        let (app, label) = (window.app_handle(), window.label().to_owned());
        let item = |part: &str, text: &str| MenuItemBuilder::with_id(format!("{label}:{part}"), text);
        let host = item("host", &plain(&place)).enabled(false).build(app)?;
        let browser = item("browser", &language::say(app, BROWSER)).build(app)?;
        let cancel = item("cancel", &language::say(app, CANCEL)).build(app)?;
        let own = label.clone();
        window.on_menu_event(move |_, event| match part(&own, event.id().as_ref()) {
            Some("browser") => chosen(Choice::Browser),
            Some("cancel") => chosen(Choice::Cancel),
            _ => {}
        });
        #[cfg(windows)]
        {
            let menu = tauri::menu::MenuBuilder::new(app).items(&[&host, &browser, &cancel]).build()?;
            window.set_menu(menu)?;
            Ok(Self { host })
        }
        #[cfg(target_os = "macos")]
        {
            let submenu = tauri::menu::SubmenuBuilder::new(app, language::say(app, "Sign in"))
                .items(&[&host, &browser, &cancel])
                .build()?;
            if let Some(menu) = app.menu() {
                menu.append(&submenu)?;
            }
            Ok(Self { host, submenu, app: app.clone() })
        }
    }

    /// Shows where the window is.
    pub(in crate::login_window) fn show(&self, place: String) {
        drop(self.host.set_text(plain(&place)));
    }

    /// The window is gone. On Windows its menu goes with it.
    #[cfg_attr(windows, expect(clippy::unused_self, reason = "elsewhere there is something to do"))]
    pub(in crate::login_window) fn take_away(&self) {
        #[cfg(target_os = "macos")]
        if let Some(menu) = self.app.menu() {
            drop(menu.remove(&self.submenu));
        }
    }
}

/// Which item of this window that is, if it is one.
fn part<'a>(label: &str, id: &'a str) -> Option<&'a str> {
    id.strip_prefix(label)?.strip_prefix(':')
}

/// A sign that would underline the letter after it, written so that it is seen.
fn plain(text: &str) -> String {
    text.replace('&', "&&")
}
