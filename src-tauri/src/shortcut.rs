//! Shortcuts that work whatever program is in front. There are none until a person chooses them: `desktop.shortcut.*`.
//!
//! Changes take effect at once. Whether the system gives us the keys is seen only when we ask for them, so what it refuses is
//! said where they are set, and once by a notification.
//!
//! On X11 the plugin looks for keys twenty times a second (global-hotkey 0.8), so it is loaded when the first shortcut is
//! set. Wayland gives no program keys of other windows; there the desktop's own settings can start `codeferry-desktop`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use codeferry_app::{AccountStatus, Phase, Serving};
use serde::Serialize;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tauri_plugin_global_shortcut::{GlobalShortcutExt as _, ShortcutState as Key};

use crate::deep_link::Link;
use crate::notify::{self, Notice, sentence};
use crate::screen::Screen;
use crate::shell::Shell;
use crate::window;

/// What a shortcut does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Opens the dashboard.
    Dashboard,
    /// Makes the next account the active one.
    Switch,
}

/// A shortcut and how it fares, for the page where it is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ShortcutState {
    pub(crate) does: Deed,
    /// As it was set; empty: none.
    pub(crate) keys: String,
    /// Why it does not work.
    pub(crate) problem: Option<String>,
}

/// How the shortcuts fare, as tauri's state.
#[derive(Default)]
pub(crate) struct Standing {
    states: Mutex<Vec<ShortcutState>>,
    /// Whoever asks the system has its turn.
    turn: Mutex<()>,
}

/// What was asked for last.
#[derive(Default)]
pub(crate) struct Shortcuts {
    wanted: BTreeMap<Deed, String>,
}

/// Why none can be had here.
const WAYLAND: &str = "Wayland gives no program the keys of other windows. In the keyboard settings of your desktop, set a \
                       shortcut that runs codeferry-desktop: it opens the dashboard";

/// The event that tells pages of changes.
const EVENT: &str = "shell://shortcuts";

/// How the shortcuts fare.
pub(crate) fn states(app: &AppHandle) -> Vec<ShortcutState> {
    app.state::<Standing>().states.lock().map(|states| states.clone()).unwrap_or_default()
}

// === impl Shortcuts ===

impl Shortcuts {
    /// Asks for what is set, if that has changed.
    pub(crate) fn follow(&mut self, app: &AppHandle, phase: &Phase) {
        // While no gateway runs nobody can change them: they stay.
        let Phase::Running(serving) = phase else { return };
        let wanted = wanted(serving);
        if wanted == self.wanted {
            return;
        }
        let before = std::mem::replace(&mut self.wanted, wanted.clone());
        if before.is_empty() && wanted.values().all(String::is_empty) {
            return;
        }
        let (app, serving) = (app.clone(), serving.clone());
        // The plugin asks the main thread and waits for it.
        tauri::async_runtime::spawn_blocking(move || ask(&app, &serving));
    }
}

/// What is set.
fn wanted(serving: &Serving) -> BTreeMap<Deed, String> {
    let chosen = serving.settings().snapshot();
    BTreeMap::from([
        (Deed::Dashboard, chosen.desktop.shortcut_dashboard.clone()),
        (Deed::Switch, chosen.desktop.shortcut_switch.clone()),
    ])
}

/// Gives back what we had, and asks the system for what is set now.
fn ask(app: &AppHandle, serving: &Serving) {
    let standing = app.state::<Standing>();
    let _turn = standing.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = wanted(serving);
    let wayland = app.state::<Shell>().environment.session.wayland;
    let loaded = if wayland { Err(WAYLAND.to_owned()) } else { load(app) };
    if loaded.is_ok() {
        // One by one. When all are given back at once, the plugin (2.4.1) holds what it needs to tell of a key, and waits for
        // the thread that tells: a key that is pressed in that moment would stop the main thread for good.
        for held in states(app).iter().filter(|state| state.problem.is_none() && !state.keys.is_empty()) {
            if let Err(error) = app.global_shortcut().unregister(held.keys.as_str()) {
                tracing::warn!(%error, keys = held.keys, "a shortcut could not be given back");
            }
        }
    }
    let states: Vec<ShortcutState> = wanted
        .iter()
        .map(|(does, keys)| {
            let asked = loaded.clone().and_then(|()| if keys.is_empty() { Ok(()) } else { register(app, *does, keys) });
            let problem = asked.err().filter(|_| !keys.is_empty()).map(|why| sentence(&why));
            ShortcutState { does: *does, keys: keys.clone(), problem }
        })
        .collect();
    for state in &states {
        if let Some(problem) = &state.problem {
            tracing::warn!(keys = state.keys, problem, "a shortcut cannot be had");
            let title = format!("{} does not work", state.keys);
            notify::tell(app, &Notice { title, body: problem.clone(), link: Link::to(Screen::Settings, None) });
        } else if !state.keys.is_empty() {
            tracing::info!(keys = state.keys, does = ?state.does, "shortcut");
        }
    }
    if let Ok(mut known) = standing.states.lock() {
        known.clone_from(&states);
    }
    // Nobody may be there to hear it.
    drop(app.emit_to(window::MAIN, EVENT, states));
}

/// Loads the plugin, if it is not there yet. On the main thread: macOS and Windows tell of keys only there.
fn load(app: &AppHandle) -> Result<(), String> {
    if app.try_state::<tauri_plugin_global_shortcut::GlobalShortcut<tauri::Wry>>().is_some() {
        return Ok(());
    }
    let (send, receive) = std::sync::mpsc::channel();
    let loads = app.clone();
    let loaded = app.run_on_main_thread(move || {
        let loaded = loads.plugin(tauri_plugin_global_shortcut::Builder::new().build());
        // Somebody waits for it below.
        drop(send.send(loaded.map_err(|error| error.to_string())));
    });
    loaded.map_err(|error| error.to_string())?;
    receive.recv().map_err(|error| error.to_string())?
}

fn register(app: &AppHandle, does: Deed, keys: &str) -> Result<(), String> {
    let asked = app.global_shortcut().on_shortcut(keys, move |app, _, event| {
        if event.state == Key::Pressed {
            act(app, does);
        }
    });
    asked.map_err(|error| said(keys, &error.to_string()))
}

/// A refusal in words for people.
fn said(keys: &str, error: &str) -> String {
    // The one case people meet, told apart by the library's own sentence.
    if error.contains("already registered") {
        format!("another program has {keys}: choose other keys, or take them away from it")
    } else {
        format!("the system does not give {keys} to Codeferry ({error})")
    }
}

fn act(app: &AppHandle, does: Deed) {
    match does {
        Deed::Dashboard => window::open(app, None),
        Deed::Switch => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move { switch(&app).await });
        }
    }
}

/// Makes the next account the active one, and says which.
async fn switch(app: &AppHandle) {
    let Some(serving) = app.state::<Shell>().keeper.serving() else { return };
    let link = |id: Option<&str>| Link::to(Screen::Accounts, id);
    let notice = match next(&serving.pool().list()).map(|account| account.id.to_string()) {
        None => Notice {
            title: "There is no other account".to_owned(),
            body: "Add one, or resume one that is paused.".to_owned(),
            link: link(None),
        },
        Some(id) => match serving.pool().switch(&id).await {
            Ok(account) => {
                let name = account.label.clone().or_else(|| account.email.clone()).unwrap_or_else(|| id.clone());
                Notice {
                    title: format!("{name} is active"),
                    body: "Its plan pays now.".to_owned(),
                    link: link(Some(&id)),
                }
            }
            Err(error) => Notice {
                title: "The account was not switched".to_owned(),
                body: sentence(&error.to_string()),
                link: link(None),
            },
        },
    };
    notify::tell(app, &notice);
}

/// The account after the active one, around; one that is paused or asked for by name is passed over.
fn next(accounts: &[AccountStatus]) -> Option<&AccountStatus> {
    let active = accounts.iter().position(|account| account.active);
    let start = active.map_or(0, |at| at + 1);
    let around = accounts.iter().cycle().skip(start).take(accounts.len());
    around.filter(|account| !account.named && !account.paused).find(|account| !account.active)
}

#[cfg(test)]
mod tests {
    use super::{next, said};
    use crate::testing::account;

    #[test]
    fn the_next_account_comes_around() {
        let mut accounts = [account("a"), account("b"), account("c")];
        assert_eq!(next(&accounts).unwrap().id, accounts[0].id, "none is active");
        accounts[0].active = true;
        assert_eq!(next(&accounts).unwrap().id, accounts[1].id);
        accounts[1].paused = true;
        assert_eq!(next(&accounts).unwrap().id, accounts[2].id);
        (accounts[0].active, accounts[2].active) = (false, true);
        assert_eq!(next(&accounts).unwrap().id, accounts[0].id);
        accounts[0].named = true;
        assert!(next(&accounts).is_none());
        assert!(next(&[]).is_none());
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        assert!(said("Ctrl+K", "HotKey already registered: HotKey { .. }").starts_with("another program has Ctrl+K"));
        assert!(said("Ctrl+K", "no X11").contains("no X11"));
    }
}
