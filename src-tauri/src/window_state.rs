//! Where the window was and how large: remembered by the plugin, in the data folder.
//!
//! The plugin puts a window back where it was if a corner of it is on some screen. That may be a corner only, or a size that no
//! screen of today has: [`settle`] sees to it that the window can be reached and moved.

use codeferry_app::Paths;
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Monitor, PhysicalPosition, PhysicalSize, WebviewWindow, Wry};
use tauri_plugin_window_state::{AppHandleExt as _, Builder, StateFlags};

use crate::window::MAIN;

/// Whether it is shown is not for a file to say.
const REMEMBERED: StateFlags = StateFlags::SIZE.union(StateFlags::POSITION).union(StateFlags::MAXIMIZED);
/// So much of the upper edge must be on a screen, in pixels: enough to take hold of.
const HOLD: i32 = 120;

/// A piece of the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

/// The plugin.
pub(crate) fn plugin(paths: &Paths) -> TauriPlugin<Wry> {
    let file = paths.window().to_string_lossy().into_owned();
    Builder::new().with_filename(file).with_state_flags(REMEMBERED).with_filter(|label| label == MAIN).build()
}

/// Remembers now, since a program may end without being asked.
pub(crate) fn remember(app: &AppHandle) {
    if let Err(error) = app.save_window_state(REMEMBERED) {
        tracing::debug!(%error, "the place of the window is not remembered");
    }
}

/// Brings a window that was put back where no screen is to where it can be used.
pub(crate) fn settle(window: &WebviewWindow) {
    let placed = || -> tauri::Result<()> {
        let screens: Vec<Area> = window.available_monitors()?.iter().map(Area::of).collect();
        let (at, size) = (window.outer_position()?, window.outer_size()?);
        let now = Area { x: at.x, y: at.y, width: whole(size.width), height: whole(size.height) };
        let then = fit(now, &screens);
        if (then.width, then.height) != (now.width, now.height) {
            window.set_size(PhysicalSize::new(then.width.unsigned_abs(), then.height.unsigned_abs()))?;
        }
        if (then.x, then.y) != (now.x, now.y) {
            window.set_position(PhysicalPosition::new(then.x, then.y))?;
        }
        Ok(())
    };
    if let Err(error) = placed() {
        tracing::debug!(%error, "the place of the window is left to the system");
    }
}

/// Where the window fits: as it is if its upper edge can be taken hold of, else on the screen that shows most of it, or the
/// first one.
fn fit(window: Area, screens: &[Area]) -> Area {
    let shown = |screen: &&Area| i64::from(overlap(&window, screen).0) * i64::from(overlap(&window, screen).1);
    let Some(home) = screens.iter().rev().max_by_key(shown) else { return window };
    let (width, height) = (window.width.min(home.width), window.height.min(home.height));
    let edge = Area { height: 1, ..window };
    let reached = screens.iter().any(|screen| {
        let (wide, high) = overlap(&edge, screen);
        wide >= HOLD.min(window.width) && high > 0
    });
    if reached && (width, height) == (window.width, window.height) {
        return window;
    }
    let x = window.x.clamp(home.x, home.x + home.width - width);
    let y = window.y.clamp(home.y, home.y + home.height - height);
    Area { x, y, width, height }
}

/// How much of both is the same, across and down.
fn overlap(a: &Area, b: &Area) -> (i32, i32) {
    let across = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
    let down = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
    (across.max(0), down.max(0))
}

fn whole(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX / 4)
}

// === impl Area ===

impl Area {
    /// What windows may use of a screen.
    fn of(monitor: &Monitor) -> Self {
        let area = monitor.work_area();
        Self { x: area.position.x, y: area.position.y, width: whole(area.size.width), height: whole(area.size.height) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Area, fit};

    fn area(x: i32, y: i32, width: i32, height: i32) -> Area {
        Area { x, y, width, height }
    }

    #[test]
    fn a_window_that_can_be_reached_stays() {
        let screens = [area(0, 0, 1920, 1080), area(1920, 0, 2560, 1440)];
        for window in [
            area(100, 100, 1120, 760),
            area(2000, 50, 1120, 760),
            // Half out, at the right and below.
            area(4000, 900, 1120, 760),
            // Across both.
            area(1500, 100, 1120, 760),
            area(-900, 100, 1120, 760),
        ] {
            assert_eq!(fit(window, &screens), window);
        }
    }

    #[test]
    fn a_window_whose_screen_is_gone_comes_back() {
        let screens = [area(0, 0, 1920, 1080)];
        assert_eq!(fit(area(2400, 200, 1120, 760), &screens), area(800, 200, 1120, 760));
        assert_eq!(fit(area(-3000, -2000, 1120, 760), &screens), area(0, 0, 1120, 760));
        // Its lower corner is there, its title is not.
        assert_eq!(fit(area(300, -700, 1120, 760), &screens), area(300, 0, 1120, 760));
        // Only a sliver is left to take hold of.
        assert_eq!(fit(area(1900, 100, 1120, 760), &screens), area(800, 100, 1120, 760));
    }

    #[test]
    fn a_window_is_no_larger_than_its_screen() {
        assert_eq!(fit(area(100, 100, 2500, 1400), &[area(0, 0, 1280, 800)]), area(0, 0, 1280, 800));
        assert_eq!(
            fit(area(1300, 0, 1120, 900), &[area(0, 0, 1280, 800), area(1280, 24, 1024, 744)]),
            area(1280, 24, 1024, 744)
        );
    }

    #[test]
    fn without_a_screen_nothing_is_decided() {
        assert_eq!(fit(area(1, 2, 3, 4), &[]), area(1, 2, 3, 4));
    }
}
