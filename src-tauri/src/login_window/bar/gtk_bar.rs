//! On Linux: a row of its own above the page. In a menu bar of GTK an entry without a menu does not take a quick click.

use gtk::prelude::*;
use tauri::{Manager as _, WebviewWindow};

use super::{BROWSER, CANCEL, Choice, Chosen};
use crate::language;

/// By this name the row, and the host in it, are found again.
const ROW: &str = "sign-in-bar";
const HOST: &str = "sign-in-host";
/// Around the row and between what is in it, in pixels.
const SPACE: i32 = 6;

/// The row of a window. What belongs to the toolkit stays on its thread.
pub(in crate::login_window) struct Bar(WebviewWindow);

// === impl Bar ===

impl Bar {
    /// Puts it above the page.
    pub(in crate::login_window) fn put(window: &WebviewWindow, place: String, chosen: Chosen) -> tauri::Result<Self> {
        let own = window.clone();
        window.run_on_main_thread(move || {
            let Ok(column) = own.default_vbox() else { return };
            let row = gtk::Box::new(gtk::Orientation::Horizontal, SPACE);
            row.set_widget_name(ROW);
            row.set_border_width(SPACE.unsigned_abs());
            let host = gtk::Label::new(Some(&place));
            host.set_widget_name(HOST);
            host.set_xalign(0.0);
            // Whose a host is stands at its end.
            host.set_ellipsize(gtk::pango::EllipsizeMode::Start);
            row.pack_start(&host, true, true, SPACE.unsigned_abs());
            for (label, choice) in [(BROWSER, Choice::Browser), (CANCEL, Choice::Cancel)] {
                let button = gtk::Button::with_label(&language::say(own.app_handle(), label));
                let chosen = chosen.clone();
                button.connect_clicked(move |_| chosen(choice));
                row.pack_start(&button, false, false, 0);
            }
            column.pack_start(&row, false, false, 0);
            column.reorder_child(&row, 0);
            row.show_all();
        })?;
        Ok(Self(window.clone()))
    }

    /// Shows where the window is.
    pub(in crate::login_window) fn show(&self, place: String) {
        let window = self.0.clone();
        // An error says that the window is gone.
        drop(self.0.run_on_main_thread(move || {
            let Ok(column) = window.default_vbox() else { return };
            let rows = column.children().into_iter().filter(|child| child.widget_name() == ROW);
            let rows = rows.filter_map(|child| child.downcast::<gtk::Box>().ok());
            for host in rows.flat_map(|row| row.children()).filter(|child| child.widget_name() == HOST) {
                if let Ok(host) = host.downcast::<gtk::Label>() {
                    host.set_text(&place);
                }
            }
        }));
    }

    /// It goes with its window.
    #[expect(clippy::unused_self, reason = "elsewhere it does not")]
    pub(in crate::login_window) fn take_away(&self) {}
}
