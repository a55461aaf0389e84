//! The icon in the tray, and its menu.
//!
//! What there is to show is gathered into a [`Snapshot`](snapshot::Snapshot); what it looks like is said by pure functions
//! ([`view`], [`state`], [`icon`]); [`draw`] changes on the screen what is different from before. A click is an
//! [`Action`](action::Action).
//!
//! **Invariant:** nothing is drawn while nothing has changed, and nothing ticks: it wakes for news, for the next moment at which
//! time itself changes what is shown, and once a minute for a look at what nobody tells us of.

mod action;
mod actions;
mod draw;
mod icon;
mod menu;
mod snapshot;
mod state;
mod view;
mod words;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use codeferry_app::{Clock, Language, Phase, TrayInk, system_clock};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _};
use tokio::sync::Notify;

use self::action::Action;
use self::draw::{Drawn, Fresh, Sight};
use self::icon::Ink;
use self::snapshot::{Gateway, Snapshot};
use crate::shell::Shell;
use crate::{autostart, language, update};

const ID: &str = "main";
/// Before the first new look at accounts that are being read. No news comes of it when there are none; later looks come at
/// growing distances, for a keychain may wait for its owner.
const SOON: Duration = Duration::from_millis(100);
/// Between two looks at what nobody tells us of: whether we start at login.
const MINUTE: Duration = Duration::from_secs(60);

/// The tray, as tauri's state.
pub(crate) struct Tray {
    drawn: Mutex<Drawn>,
    /// There is something new.
    news: Notify,
    /// What was looked up may no longer be so.
    stale: AtomicBool,
    /// Somebody has clicked: a tick may stand where none belongs.
    clicked: AtomicBool,
    /// Held while what we copied may be pasted.
    clipboard: Mutex<Option<arboard::Clipboard>>,
}

/// What is looked up now and then.
#[derive(Default)]
struct Lookup {
    /// Whether we start at login, and when that was looked up. `None` within: it cannot be had here.
    autostart: Option<(Instant, Option<bool>)>,
}

/// Makes the icon.
///
/// # Errors
/// When the system has no place for it.
pub(crate) fn make(app: &AppHandle) -> tauri::Result<()> {
    let shell = app.state::<Shell>();
    let snapshot = Snapshot { gateway: Gateway::Starting, autostart: None, update: None };
    let clock = system_clock();
    let sight = sight(&snapshot, clock(), &TimeZone::system(), TrayInk::Auto, language::of(app));
    let fresh = Fresh::new(app, sight)?;
    let mut icon = TrayIconBuilder::with_id(ID);
    if let Some(folder) = pictures(&shell.paths.home().join("tray")) {
        icon = icon.temp_dir_path(folder);
    }
    let icon = icon
        .menu(fresh.menu())
        .icon(fresh.image()?)
        .icon_as_template(cfg!(target_os = "macos"))
        .tooltip("Codeferry")
        .show_menu_on_left_click(true)
        .on_menu_event(|app, event| clicked(app, event.id().as_ref()))
        .build(app)?;
    let (stale, clicked) = (AtomicBool::new(false), AtomicBool::new(false));
    app.manage(Tray {
        drawn: Mutex::new(fresh.on(icon)),
        news: Notify::new(),
        stale,
        clicked,
        clipboard: Mutex::default(),
    });
    tauri::async_runtime::spawn(follow(app.clone(), clock));
    Ok(())
}

/// Where the icon's pictures lie for the panel, on Linux: not in the folder that all programs share by default, where they
/// would take each other's. `None`: it cannot be made, and the tray does without.
fn pictures(folder: &Path) -> Option<&Path> {
    if cfg!(target_os = "linux") {
        // What a killed process left.
        drop(std::fs::remove_dir_all(folder));
        std::fs::create_dir_all(folder).ok()?;
        return Some(folder);
    }
    None
}

/// There may be something new to show.
pub(crate) fn show(app: &AppHandle) {
    if let Some(tray) = app.try_state::<Tray>() {
        tray.news.notify_one();
    }
}

/// The same, of what is otherwise looked up only now and then.
pub(crate) fn look_again(app: &AppHandle) {
    if let Some(tray) = app.try_state::<Tray>() {
        tray.stale.store(true, Ordering::Release);
    }
    show(app);
}

fn clicked(app: &AppHandle, id: &str) {
    let Some(action) = Action::of(id) else { return };
    let tray = app.state::<Tray>();
    tray.drawn.lock().unwrap_or_else(PoisonError::into_inner).ticked(id);
    tray.clicked.store(true, Ordering::Release);
    actions::perform(app, action);
    show(app);
}

/// Shows whatever is new, until the program ends.
async fn follow(app: AppHandle, clock: Clock) {
    let (mut lookup, mut asked, mut soon) = (Lookup::default(), None, SOON);
    let phase = app.state::<Shell>().keeper.phase();
    loop {
        let phase = phase.borrow().clone();
        let mut until = MINUTE;
        match look(&app, std::mem::take(&mut lookup), phase).await {
            Ok((kept, snapshot, ink)) => {
                lookup = kept;
                let (now, zone) = (clock(), TimeZone::system());
                let sight = sight(&snapshot, now, &zone, ink, language::of(&app));
                let clicked = app.state::<Tray>().clicked.swap(false, Ordering::AcqRel);
                if clicked || asked.as_ref() != Some(&sight) {
                    draw(&app, sight.clone());
                    asked = Some(sight);
                }
                let next = state::next_change(&snapshot, now, &zone);
                let next = next.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
                until = next.unwrap_or(MINUTE).min(MINUTE);
                if snapshot.is_unread() {
                    until = until.min(soon);
                    soon = (soon * 2).min(MINUTE);
                } else {
                    soon = SOON;
                }
            }
            Err(error) => tracing::error!(%error, "what the tray shows could not be gathered"),
        }
        let tray = app.state::<Tray>();
        // What comes too early changes nothing, and comes again.
        drop(tokio::time::timeout(until.max(SOON), tray.news.notified()).await);
    }
}

/// Gathers what is to be shown, beside the event loop: this asks the disk.
async fn look(app: &AppHandle, mut lookup: Lookup, phase: Phase) -> tauri::Result<(Lookup, Snapshot, TrayInk)> {
    let app = app.clone();
    let looked = tauri::async_runtime::spawn_blocking(move || {
        let ink = match &phase {
            Phase::Running(serving) => serving.settings().snapshot().desktop.tray_ink,
            _ => {
                let settings = codeferry_app::settings(&app.state::<Shell>().paths);
                settings.map_or(TrayInk::Auto, |settings| settings.snapshot().desktop.tray_ink)
            }
        };
        let autostart = lookup.autostart(&app);
        let snapshot = Snapshot { gateway: Gateway::of(&phase), autostart, update: update::ready(&app) };
        (lookup, snapshot, ink)
    });
    looked.await
}

fn sight(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone, ink: TrayInk, language: Language) -> Sight {
    Sight {
        menu: menu::said(view::view(snapshot, now, zone), language),
        picture: state::picture(snapshot),
        ink: Ink::chosen(ink, light_panel()),
        tooltip: language.say(&state::tooltip(snapshot, now, zone)),
        title: state::title(snapshot, now, zone).map(|title| language.say(&title)),
    }
}

/// Has it drawn, when the main thread comes to it.
fn draw(app: &AppHandle, sight: Sight) {
    let on_main = app.clone();
    let asked = app.run_on_main_thread(move || {
        let tray = on_main.state::<Tray>();
        let shown = tray.drawn.lock().unwrap_or_else(PoisonError::into_inner).show(&on_main, sight);
        if let Err(error) = shown {
            tracing::warn!(%error, "the tray cannot be drawn");
        }
    });
    if let Err(error) = asked {
        tracing::debug!(%error, "the tray was not drawn");
    }
}

/// Whether the panel is a light one. `None`: nobody tells.
#[cfg(windows)]
fn light_panel() -> Option<bool> {
    const PERSONALIZE: &str = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize";
    let key = windows_registry::CURRENT_USER.open(PERSONALIZE).ok()?;
    key.get_u32("SystemUsesLightTheme").ok().map(|light| light != 0)
}

#[cfg(not(windows))]
fn light_panel() -> Option<bool> {
    None
}

// === impl Lookup ===

impl Lookup {
    /// Whether we start at login. The system's own settings change it without a word.
    fn autostart(&mut self, app: &AppHandle) -> Option<bool> {
        let stale = app.state::<Tray>().stale.swap(false, Ordering::AcqRel);
        match self.autostart {
            Some((looked, known)) if !stale && looked.elapsed() < MINUTE => known,
            _ => {
                let state = autostart::state(app);
                let found = state.can.then_some(state.on);
                self.autostart = Some((Instant::now(), found));
                found
            }
        }
    }
}
