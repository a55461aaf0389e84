//! The bar of the sign-in window: the host once more, for those whose windows have no title, and the two ways out.
//!
//! Nothing of ours is put into the page of an identity host, so this is where the ways out are: in the window itself on Linux
//! and Windows, in the menu bar at the top of the screen on macOS.

use tauri::menu::{MenuItem, MenuItemBuilder};
use tauri::{AppHandle, Wry};

/// What the items are called.
const BROWSER: &str = "Use my browser instead";
const CANCEL: &str = "Cancel";

/// The bar of one window. Its items are known by the window's label: every handler hears of every menu.
pub(super) struct Bar {
    host: MenuItem<Wry>,
    browser: MenuItem<Wry>,
    cancel: MenuItem<Wry>,
}

/// What was chosen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The person wants to sign in with their browser.
    Browser,
    /// The person does not want to sign in.
    Cancel,
}

// === impl Bar ===

impl Bar {
    pub(super) fn new(app: &AppHandle, label: &str) -> tauri::Result<Self> {
        let item = |part: &str, text: &str| MenuItemBuilder::with_id(format!("{label}:{part}"), text);
        Ok(Self {
            host: item("host", "…").enabled(false).build(app)?,
            browser: item("browser", BROWSER).build(app)?,
            cancel: item("cancel", CANCEL).build(app)?,
        })
    }

    /// Shows where the window is.
    pub(super) fn show(&self, place: &str) {
        // A name in a menu has its letters underlined by this sign.
        drop(self.host.set_text(place.replace('&', "&&")));
    }

    /// Which item of this bar that is, if it is one.
    pub(super) fn choice(label: &str, id: &str) -> Option<Choice> {
        match id.strip_prefix(label)?.strip_prefix(':')? {
            "browser" => Some(Choice::Browser),
            "cancel" => Some(Choice::Cancel),
            _ => None,
        }
    }

    /// For the window itself.
    #[cfg(not(target_os = "macos"))]
    pub(super) fn of_window(&self, app: &AppHandle) -> tauri::Result<tauri::menu::Menu<Wry>> {
        tauri::menu::MenuBuilder::new(app).items(&[&self.host, &self.browser, &self.cancel]).build()
    }

    /// Puts it into the menu bar of the screen, where there is one.
    #[cfg(target_os = "macos")]
    pub(super) fn put(&self, app: &AppHandle) -> tauri::Result<Option<tauri::menu::Submenu<Wry>>> {
        let Some(menu) = app.menu() else { return Ok(None) };
        let items: &[&dyn tauri::menu::IsMenuItem<Wry>] = &[&self.host, &self.browser, &self.cancel];
        let submenu = tauri::menu::SubmenuBuilder::new(app, "Sign In").items(items).build()?;
        menu.append(&submenu)?;
        Ok(Some(submenu))
    }
}
