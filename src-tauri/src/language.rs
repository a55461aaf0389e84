//! The language of what the shell says by itself: the tray, notifications, dialogs, titles of windows.
//!
//! All of it is written in English, and said in the person's language where it leaves us; the words are in
//! `ui/messages/said/desktop.zh.json`. The dashboard's own setting comes first (`desktop.language`), then the system's.

use std::sync::OnceLock;

use codeferry_app::{Language, LanguageChoice};
use tauri::{AppHandle, Manager as _};

use crate::shell::Shell;

/// The system's, asked once: whoever changes it logs in anew.
static OF_SYSTEM: OnceLock<Language> = OnceLock::new();

/// The person's.
pub(crate) fn of(app: &AppHandle) -> Language {
    let Some(shell) = app.try_state::<Shell>() else { return Language::default() };
    let chosen = match shell.keeper.serving() {
        Some(serving) => serving.settings().snapshot().desktop.language,
        None => codeferry_app::settings(&shell.paths)
            .map_or(LanguageChoice::System, |settings| settings.snapshot().desktop.language),
    };
    decided(chosen, || *OF_SYSTEM.get_or_init(|| of_system(shell.environment.session.locale.as_deref())))
}

/// A text of ours in the person's language.
pub(crate) fn say(app: &AppHandle, english: &str) -> String {
    of(app).say(english)
}

/// What was chosen, else what the system speaks.
fn decided(chosen: LanguageChoice, system: impl FnOnce() -> Language) -> Language {
    match chosen {
        LanguageChoice::English => Language::English,
        LanguageChoice::Chinese => Language::Chinese,
        LanguageChoice::System => system(),
    }
}

/// What the environment says is how Linux tells.
#[cfg(not(any(windows, target_os = "macos")))]
fn of_system(locale: Option<&str>) -> Language {
    Language::preferred(locale.unwrap_or_default())
}

/// The languages of the person, the first one first, as `defaults` prints them.
#[cfg(target_os = "macos")]
fn of_system(locale: Option<&str>) -> Language {
    let asked = std::process::Command::new("/usr/bin/defaults").args(["read", "-g", "AppleLanguages"]).output();
    let told = asked.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    Language::preferred(told.as_deref().filter(|told| !told.trim().is_empty()).or(locale).unwrap_or_default())
}

/// The language of the screens, or that of dates and numbers where none was chosen.
#[cfg(windows)]
fn of_system(locale: Option<&str>) -> Language {
    let user = windows_registry::CURRENT_USER;
    let screens = user.open(r"Control Panel\Desktop").and_then(|key| key.get_multi_string("PreferredUILanguages"));
    let dates = || user.open(r"Control Panel\International").and_then(|key| key.get_string("LocaleName"));
    let told = screens.map(|names| names.join(",")).or_else(|_| dates());
    Language::preferred(told.ok().as_deref().or(locale).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use codeferry_app::{Language, LanguageChoice};

    use super::decided;

    #[test]
    fn what_was_chosen_comes_before_what_the_system_speaks() {
        let chinese = || Language::Chinese;
        assert_eq!(decided(LanguageChoice::System, chinese), Language::Chinese);
        assert_eq!(decided(LanguageChoice::English, chinese), Language::English);
        assert_eq!(decided(LanguageChoice::Chinese, || Language::English), Language::Chinese);
    }
}
