//! Links to a screen: `codeferry://accounts`, `codeferry://accounts/acc_0123456789abcdef`.
//!
//! Any program and any web page can follow such a link, so it does nothing but show something: it starts, changes and
//! deletes nothing, and what does not have exactly this form is no link.

use tauri::AppHandle;
use tauri_plugin_deep_link::DeepLinkExt as _;

#[cfg(target_os = "linux")]
use crate::program;
use crate::screen::Screen;
#[cfg(target_os = "macos")]
use crate::window;

/// The scheme. Packages register it: `bundle` in tauri.conf.json.
const SCHEME: &str = "codeferry";
/// Longer is none of ours.
const LONGEST: usize = 128;

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The screen.
    pub(crate) screen: Screen,
    /// What to show there: an account, an exchange.
    pub(crate) id: Option<String>,
}

// === impl Link ===

impl Link {
    /// A link to a screen, and to something on it.
    pub(crate) fn to(screen: Screen, id: Option<&str>) -> Self {
        Self { screen, id: id.filter(|id| is_id(id)).map(str::to_owned) }
    }

    /// Reads a link. `None`: it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        // Some systems put a slash behind a host.
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (screen, id) = rest.split_once('/').map_or((rest, None), |(screen, id)| (screen, Some(id)));
        let screen = Screen::named(&screen.to_ascii_lowercase())?;
        match id {
            Some(id) if !is_id(id) => None,
            id => Some(Self { screen, id: id.map(str::to_owned) }),
        }
    }

    /// The same as a route of the dashboard: `accounts/acc_0123456789abcdef`.
    pub(crate) fn route(&self) -> String {
        match &self.id {
            Some(id) => format!("{}/{id}", self.screen.name()),
            None => self.screen.name().to_owned(),
        }
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{SCHEME}://{}", self.route())
    }
}

/// What ids are made of. No dot: it means something in paths.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// The first link among these arguments.
pub(crate) fn among<'a>(arguments: impl IntoIterator<Item = &'a String>) -> Option<Link> {
    arguments.into_iter().find_map(|argument| Link::read(argument))
}

/// Opens what links lead to, and sees to it that the system knows us where no package did.
pub(crate) fn begin(app: &AppHandle) {
    // Only macOS tells us of links so: elsewhere they come as arguments, of this start or of a second one.
    #[cfg(target_os = "macos")]
    {
        let handle = app.clone();
        app.deep_link().on_open_url(move |event| {
            if let Some(link) = event.urls().iter().find_map(|url| Link::read(url.as_str())) {
                window::open_link(&handle, Some(&link));
            }
        });
    }
    register(app);
}

/// A package registers the scheme when it is installed. An AppImage and a development build are not installed, so they do it
/// themselves; so does Windows, where a registration may be of a program that is gone.
fn register(app: &AppHandle) {
    #[cfg(target_os = "linux")]
    let (alone, anew) = (cfg!(debug_assertions) || program::appimage(app).is_some(), program::appimage(app).is_some());
    #[cfg(windows)]
    let (alone, anew) = (true, false);
    #[cfg(target_os = "macos")]
    let (alone, anew) = (false, false);
    if !alone {
        return;
    }
    let app = app.clone();
    // Programs of the system are asked, which take their time.
    tauri::async_runtime::spawn_blocking(move || {
        let links = app.deep_link();
        // The entry of an AppImage may name a file that is gone; what it says is compared when it is written.
        if !anew && links.is_registered(SCHEME).unwrap_or(false) {
            return;
        }
        if let Err(error) = links.register(SCHEME) {
            tracing::debug!(%error, "links to screens do not open this program");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Link, Screen, among};

    #[test]
    fn a_link_names_a_screen_and_perhaps_something_on_it() {
        for screen in Screen::ALL {
            let link = Link { screen, id: None };
            assert_eq!(Link::read(&link.to_string()), Some(link));
        }
        let link = Link::read("codeferry://accounts/acc_0123456789abcdef").unwrap();
        assert_eq!((link.screen, link.id.as_deref()), (Screen::Accounts, Some("acc_0123456789abcdef")));
        assert_eq!(link.route(), "accounts/acc_0123456789abcdef");
        for same in ["CODEFERRY://Accounts/", "codeferry://accounts/", "codeferry://ACCOUNTS"] {
            assert_eq!(Link::read(same).unwrap().to_string(), "codeferry://accounts", "{same}");
        }
        assert_eq!(Link::to(Screen::Accounts, Some("../x")).id, None);
    }

    #[test]
    fn what_is_no_link_is_ignored() {
        let long = format!("codeferry://accounts/{}", "a".repeat(LONGEST));
        for text in [
            "",
            "codeferry:",
            "codeferry://",
            "codeferry:///accounts",
            "codeferry:accounts",
            "codeferry://nowhere",
            "codeferry://accounts//",
            "codeferry://accounts/a/b",
            "codeferry://accounts/..",
            "codeferry://accounts/%2e%2e",
            "codeferry://accounts?x=1",
            "codeferry://accounts#settings",
            "codeferry://me@accounts",
            "codeferry://accounts:80",
            "codeferry://accounts/<script>",
            "codeferry://javascript:alert(1)",
            "codeferry://accounts/a b",
            "codeferry://accounts\n",
            "https://accounts",
            "javascript://accounts",
            "xcodeferry://accounts",
            "--hidden",
            &long,
        ] {
            assert_eq!(Link::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_link_is_found_among_arguments() {
        let arguments = ["/usr/bin/codeferry-desktop", "--hidden", "codeferry://usage"].map(str::to_owned);
        assert_eq!(among(&arguments), Some(Link { screen: Screen::Usage, id: None }));
        assert_eq!(among(&arguments[..2]), None);
    }
}
