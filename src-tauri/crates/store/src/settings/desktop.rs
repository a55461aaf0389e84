//! What people chose for the desktop app. The headless gateway reads none of it.

use std::fmt;

use super::words;

/// `desktop.*`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desktop {
    /// `desktop.tray_title`
    pub tray_title: TrayTitle,
    /// `desktop.tray_bars`
    pub tray_bars: bool,
    /// `desktop.tray_ink`
    pub tray_ink: TrayInk,
    /// `desktop.language`
    pub language: LanguageChoice,
    /// `desktop.sign_in`
    pub sign_in: SignInPlace,
    /// `desktop.notify.*`
    pub notify: NotifyAbout,
    /// `desktop.shortcut.dashboard`; empty: none.
    pub shortcut_dashboard: String,
    /// `desktop.shortcut.switch`; empty: none.
    pub shortcut_switch: String,
    /// `desktop.updates`
    pub updates: bool,
    /// `desktop.update_endpoint`
    pub update_endpoint: String,
}

words! {
    /// What stands beside the icon in the menu bar, where the system shows a text there.
    TrayTitle {
        Off = "off",
        /// The shortest window of the account that pays.
        FiveHours = "5h",
        /// The longest one.
        Week = "week",
        Both = "both",
        /// The one of which the most is used.
        Worst = "worst",
    }
}

words! {
    /// What the icon is drawn with. macOS colours it by itself.
    TrayInk {
        /// What can be read on most panels of the system.
        Auto = "auto",
        /// For a dark panel.
        Light = "light",
        /// For a light panel.
        Dark = "dark",
    }
}

words! {
    /// What the app says by itself is said in this language.
    LanguageChoice {
        /// That of the system.
        System = "system",
        English = "en",
        /// In simplified characters.
        Chinese = "zh",
    }
}

words! {
    /// Where the app shows the page of a sign-in.
    SignInPlace {
        /// In a window of its own.
        Window = "window",
        /// In the person's browser.
        Browser = "browser",
    }
}

/// What may be told by a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotifyAbout {
    /// An account needs a sign-in.
    pub sign_in: bool,
    /// A window is used to 80 or 95 percent.
    pub window: bool,
    /// A window is used up.
    pub limit: bool,
    /// Another account has taken over.
    pub failover: bool,
    /// A newer version is there.
    pub update: bool,
    /// The port is taken.
    pub port: bool,
    /// A client is not set up as it was.
    pub client_changed: bool,
}

/// Where releases are announced, unless somebody says otherwise.
const RELEASES: &str = "https://github.com/codeferry/codeferry/releases/latest/download/latest.json";

/// Keys that may be held down together with another one.
const MODIFIERS: [&str; 12] = [
    "cmdorctrl",
    "commandorcontrol",
    "cmd",
    "command",
    "ctrl",
    "control",
    "alt",
    "option",
    "super",
    "shift",
    "commandorctrl",
    "cmdorcontrol",
];

/// Keys with a name, as far as they make sense for a shortcut.
const NAMED_KEYS: [&str; 15] = [
    "space",
    "tab",
    "enter",
    "escape",
    "backspace",
    "delete",
    "insert",
    "home",
    "end",
    "pageup",
    "pagedown",
    "up",
    "down",
    "left",
    "right",
];

// === impl Desktop ===

impl Default for Desktop {
    fn default() -> Self {
        Self {
            tray_title: TrayTitle::Off,
            tray_bars: false,
            tray_ink: TrayInk::Auto,
            language: LanguageChoice::System,
            sign_in: SignInPlace::Window,
            notify: NotifyAbout::default(),
            shortcut_dashboard: String::new(),
            shortcut_switch: String::new(),
            updates: true,
            update_endpoint: RELEASES.to_owned(),
        }
    }
}

// === impl NotifyAbout ===

impl Default for NotifyAbout {
    fn default() -> Self {
        Self {
            sign_in: true,
            window: true,
            limit: true,
            failover: true,
            update: true,
            port: true,
            client_changed: true,
        }
    }
}

/// A shortcut as people write it: `CmdOrCtrl+Shift+K`. Modifiers first, then one key; a letter by itself, or with Shift
/// only, would be taken away from all typing, so only function keys go alone.
pub(super) fn is_shortcut(text: &str) -> bool {
    let mut parts: Vec<String> = text.split('+').map(|part| part.trim().to_ascii_lowercase()).collect();
    let Some(key) = parts.pop() else { return false };
    let function = key.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()).is_some_and(|n| (1..=24).contains(&n));
    let plain = key.len() == 1 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let named = NAMED_KEYS.contains(&key.as_str());
    let held = parts.iter().all(|part| MODIFIERS.contains(&part.as_str()));
    let enough = function || parts.iter().any(|part| part != "shift");
    (function || plain || named) && held && enough
}

/// Where updates may come from: https, or this machine, which is for tests and mirrors.
pub(super) fn is_endpoint(text: &str) -> bool {
    let sound = |rest: &str| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@')
    };
    let loopback = |rest: &str| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        ["127.0.0.1", "[::1]", "localhost"].iter().any(|name| {
            host.strip_prefix(name).is_some_and(|port| {
                port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
            })
        })
    };
    text.len() <= 1000
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && (text.strip_prefix("https://").is_some_and(sound) || text.strip_prefix("http://").is_some_and(loopback))
}

#[cfg(test)]
mod tests {
    use super::{RELEASES, is_endpoint, is_shortcut};

    #[test]
    fn a_shortcut_takes_no_letter_from_typing() {
        for sound in ["CmdOrCtrl+Shift+K", "ctrl+alt+f9", "F13", "Super+Space", "Alt + 1", "Shift+F5", "Ctrl+Right"] {
            assert!(is_shortcut(sound), "{sound}");
        }
        for wrong in
            ["", "K", "Shift+K", "Ctrl", "Ctrl+", "+K", "Ctrl+K+Shift", "Hyper+K", "Ctrl+F25", "Ctrl+ä", "Ctrl+KK"]
        {
            assert!(!is_shortcut(wrong), "{wrong}");
        }
    }

    #[test]
    fn updates_come_from_https_or_from_this_machine() {
        for sound in [RELEASES, "http://127.0.0.1:18500/latest.json", "http://[::1]/x", "http://localhost:80/a?b"] {
            assert!(is_endpoint(sound), "{sound}");
        }
        for wrong in [
            "http://example.com/latest.json",
            "http://127.0.0.1.example.com/",
            "http://localhost:80@example.com/",
            "https://",
            "https://me@example.com/",
            "ftp://example.com",
            "/latest.json",
            "https://exa mple.com",
        ] {
            assert!(!is_endpoint(wrong), "{wrong}");
        }
    }
}
