//! The keys of the desktop app.

use super::super::desktop::{LanguageChoice, SignInPlace, TrayInk, TrayTitle, is_endpoint, is_shortcut};
use super::super::value::Value;
use super::{Key, flag, put, word};

const SHORTCUT: &str = "nothing, or keys like CmdOrCtrl+Shift+K: Ctrl, Alt, Super or CmdOrCtrl held down, perhaps with Shift, \
                        and one key; or a function key";

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "desktop.tray_title",
        doc: "What stands beside the icon of the desktop app, where the system shows a text there (macOS, and many panels on \
              Linux): how much of the active account's windows is used. 5h: the shortest window. week: the longest. both: \
              the two. worst: the one of which the most is used.",
        allowed: "off, 5h, week, both or worst",
        put: |settings, value| put(&mut settings.desktop.tray_title, value.text().and_then(TrayTitle::parse)),
        take: |settings| word(settings.desktop.tray_title.as_str()),
    },
    Key {
        name: "desktop.tray_bars",
        doc: "The icon of the desktop app shows two bars: how much of the active account's shortest and longest window is \
              used.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.tray_bars, flag(value)),
        take: |settings| Value::Flag(settings.desktop.tray_bars),
    },
    Key {
        name: "desktop.tray_ink",
        doc: "What the icon of the desktop app is drawn with. auto: what can be read on most panels of the system. light: \
              for a dark panel. dark: for a light one. macOS colours the icon by itself.",
        allowed: "auto, light or dark",
        put: |settings, value| put(&mut settings.desktop.tray_ink, value.text().and_then(TrayInk::parse)),
        take: |settings| word(settings.desktop.tray_ink.as_str()),
    },
    Key {
        name: "desktop.language",
        doc: "The language of what the desktop app says by itself: its menus, notifications and dialogs. system: that of the \
              system, if it is one of the two, else English. The dashboard sets it with its own.",
        allowed: "system, en or zh",
        put: |settings, value| put(&mut settings.desktop.language, value.text().and_then(LanguageChoice::parse)),
        take: |settings| word(settings.desktop.language.as_str()),
    },
    Key {
        name: "desktop.sign_in",
        doc: "Where the desktop app shows the page of a sign-in: in a window of its own, which keeps nothing, or in your \
              browser, where your passkeys and passwords are. From the window the browser is one click away.",
        allowed: "one of window, browser",
        put: |settings, value| put(&mut settings.desktop.sign_in, value.text().and_then(SignInPlace::parse)),
        take: |settings| word(settings.desktop.sign_in.as_str()),
    },
    Key {
        name: "desktop.notify.sign_in",
        doc: "The desktop app tells by a notification that an account needs you to sign in again.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.notify.sign_in, flag(value)),
        take: |settings| Value::Flag(settings.desktop.notify.sign_in),
    },
    Key {
        name: "desktop.notify.window",
        doc: "The desktop app tells when a window of an account is used to 80 and to 95 percent, once for each time the \
              window runs.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.notify.window, flag(value)),
        take: |settings| Value::Flag(settings.desktop.notify.window),
    },
    Key {
        name: "desktop.notify.limit",
        doc: "The desktop app tells when an account has used up a window, and when it is back.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.notify.limit, flag(value)),
        take: |settings| Value::Flag(settings.desktop.notify.limit),
    },
    Key {
        name: "desktop.notify.failover",
        doc: "The desktop app tells when another account has taken over because one could not go on, since the plan of \
              the other pays then.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.notify.failover, flag(value)),
        take: |settings| Value::Flag(settings.desktop.notify.failover),
    },
    Key {
        name: "desktop.notify.update",
        doc: "The desktop app tells when a newer version is there.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.notify.update, flag(value)),
        take: |settings| Value::Flag(settings.desktop.notify.update),
    },
    Key {
        name: "desktop.notify.port",
        doc: "The desktop app tells when the gateway's port is taken by another program, so that clients are not served.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.notify.port, flag(value)),
        take: |settings| Value::Flag(settings.desktop.notify.port),
    },
    Key {
        name: "desktop.notify.client_changed",
        doc: "The desktop app tells when a client that was set up is not set up as it was: another program has changed \
              its file, or it would be told something else today.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.notify.client_changed, flag(value)),
        take: |settings| Value::Flag(settings.desktop.notify.client_changed),
    },
    Key {
        name: "desktop.shortcut.dashboard",
        doc: "Keys that open the dashboard, whatever program is in front. Nothing: no such shortcut.",
        allowed: SHORTCUT,
        put: |settings, value| put(&mut settings.desktop.shortcut_dashboard, shortcut(value)),
        take: |settings| word(&settings.desktop.shortcut_dashboard),
    },
    Key {
        name: "desktop.shortcut.switch",
        doc: "Keys that make the next account the active one, whatever program is in front. Nothing: no such shortcut.",
        allowed: SHORTCUT,
        put: |settings, value| put(&mut settings.desktop.shortcut_switch, shortcut(value)),
        take: |settings| word(&settings.desktop.shortcut_switch),
    },
    Key {
        name: "desktop.updates",
        doc: "The desktop app looks for newer versions, at its start and once a day. Never where a package manager put it.",
        allowed: "true or false",
        put: |settings, value| put(&mut settings.desktop.updates, flag(value)),
        take: |settings| Value::Flag(settings.desktop.updates),
    },
    Key {
        name: "desktop.update_endpoint",
        doc: "Where the desktop app asks for newer versions. What comes from there is installed only if it is signed with \
              the key this version was built with. {{target}}, {{arch}} and {{current_version}} are filled in.",
        allowed: "an https address, or an http one of this machine",
        put: |settings, value| {
            put(&mut settings.desktop.update_endpoint, value.text().filter(|text| is_endpoint(text)).map(str::to_owned))
        },
        take: |settings| word(&settings.desktop.update_endpoint),
    },
];

fn shortcut(value: &Value) -> Option<String> {
    value.text().map(str::trim).filter(|text| text.is_empty() || is_shortcut(text)).map(str::to_owned)
}
