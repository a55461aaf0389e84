//! The dashboard's window: made when somebody wants to see it, destroyed when it is closed, which frees what it took.
//!
//! It shows the gateway's own pages, with a session of its own, or the shell's page while there is none.
//!
//! **Invariant:** the window leads to the present gateway and to the shell's page, and nowhere else. Other addresses open in
//! the person's browser.

use std::time::Duration;

use codeferry_app::Phase;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_opener::OpenerExt as _;

use crate::deep_link::Link;
use crate::screen::Screen;
use crate::shell::Shell;
use crate::window_state;

/// The label. Capabilities name it.
pub(crate) const MAIN: &str = "main";
/// The shell's own page.
const LOCAL: &str = "shell.html";
/// So long a window waits for its page before it is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// For a list of requests with an inspector; and what a phone has.
const SIZE: (f64, f64) = (1120.0, 760.0);
const LEAST: (f64, f64) = (380.0, 480.0);

/// Shows the window, at that screen if one is named.
pub(crate) fn open(app: &AppHandle, screen: Option<Screen>) {
    open_link(app, screen.map(|screen| Link::to(screen, None)).as_ref());
}

/// Shows the window, where a link leads if there is one.
pub(crate) fn open_link(app: &AppHandle, link: Option<&Link>) {
    let (app, route) = (app.clone(), link.map(Link::route));
    // Never from within an event: on Windows that is a deadlock.
    tauri::async_runtime::spawn(async move {
        if let Err(error) = show(&app, route.as_deref()) {
            tracing::error!(%error, "the window cannot be shown");
        }
    });
}

fn show(app: &AppHandle, route: Option<&str>) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(MAIN) {
        if route.is_some() {
            lead(app, &window, route)?;
        }
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let url = match dashboard(app, route) {
        Some(url) => WebviewUrl::External(url),
        None => WebviewUrl::App(LOCAL.into()),
    };
    let (asked, outside) = (app.clone(), app.clone());
    let window = WebviewWindowBuilder::new(app, MAIN, url)
        .title("Codeferry")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(LEAST.0, LEAST.1)
        // Until there is something to see. A window that is white for a moment is ugly in a dark room.
        .visible(false)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Finished {
                reveal(&window);
            }
        })
        .on_navigation(move |url| {
            let ours = is_ours(&asked, url);
            if !ours {
                open_outside(&asked, url);
            }
            ours
        })
        .on_new_window(move |url, _| {
            open_outside(&outside, &url);
            NewWindowResponse::Deny
        })
        .build()?;
    // A page that does not come must not leave the person without a window.
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        reveal(&window);
    });
    in_dock(app, true);
    Ok(())
}

/// Shows a window that was made hidden, once: a person may have hidden it since.
fn reveal(window: &WebviewWindow) {
    if window.is_visible().is_ok_and(|visible| !visible) {
        drop(window.show());
        window_state::settle(window);
        drop(window.set_focus());
    }
}

/// The window was closed. On macOS the dock has an icon as long as there is one.
pub(crate) fn closed(app: &AppHandle) {
    window_state::remember(app);
    in_dock(app, false);
}

/// Shows or hides the icon in the dock of macOS. The one in the menu bar stays.
pub(crate) fn in_dock(app: &AppHandle, shown: bool) {
    #[cfg(target_os = "macos")]
    {
        use tauri::ActivationPolicy::{Accessory, Regular};
        drop(app.set_activation_policy(if shown { Regular } else { Accessory }));
    }
    #[cfg(not(target_os = "macos"))]
    let _ = (app, shown);
}

/// How the gateway stands has changed: the window shows its dashboard, or says why there is none.
pub(crate) fn follow(app: &AppHandle, phase: &Phase) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let shows_dashboard = window.url().is_ok_and(|url| !is_local(&url));
    let led = match (phase, shows_dashboard) {
        (Phase::Running(_), _) => {
            let left_at = app.state::<Shell>().left_at.lock().ok().and_then(|mut left| left.take());
            lead(app, &window, left_at.as_deref())
        }
        (Phase::Stopped | Phase::Failed(_), true) => {
            let left = window.url().ok().and_then(|url| place(url.fragment()?));
            if let Ok(mut left_at) = app.state::<Shell>().left_at.lock() {
                *left_at = left;
            }
            local_page().map_or(Ok(()), |page| window.navigate(page))
        }
        _ => Ok(()),
    };
    if let Err(error) = led {
        tracing::warn!(%error, "the window stays where it is");
    }
}

/// Leads the window to a screen.
fn lead(app: &AppHandle, window: &WebviewWindow, screen: Option<&str>) -> tauri::Result<()> {
    match dashboard(app, screen) {
        Some(url) => window.navigate(url),
        None => Ok(()),
    }
}

/// Where in the dashboard an address is: the name of a screen, and what of it. `None` for what cannot be one.
fn place(fragment: &str) -> Option<String> {
    let place = fragment.trim_start_matches('/').split('?').next()?;
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    (!place.is_empty() && place.len() <= 128 && place.bytes().all(sound)).then(|| place.to_owned())
}

/// A link into the dashboard, good once.
fn dashboard(app: &AppHandle, screen: Option<&str>) -> Option<Url> {
    let serving = app.state::<Shell>().keeper.serving()?;
    serving.session_link(screen).ok()?.parse().ok()
}

/// The shell's page, as an address.
fn local_page() -> Option<Url> {
    let base = if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };
    format!("{base}/{LOCAL}").parse().ok()
}

fn is_local(url: &Url) -> bool {
    // Origins of schemes of our own are equal to nothing, not even to themselves.
    let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port());
    local_page().is_some_and(|page| place(&page) == place(url))
}

/// The present gateway, or the shell's page.
fn is_ours(app: &AppHandle, url: &Url) -> bool {
    let gateway = app.state::<Shell>().keeper.serving();
    let gateway = gateway.and_then(|serving| serving.url().parse::<Url>().ok());
    is_local(url) || gateway.is_some_and(|gateway| gateway.origin() == url.origin()) || url.as_str() == "about:blank"
}

/// What is elsewhere is the browser's. Only the web: no other program is started by a page.
pub(crate) fn open_outside(app: &AppHandle, url: &Url) {
    if !matches!(url.scheme(), "https" | "http") {
        return tracing::warn!(scheme = url.scheme(), "a page led to what is no web page, and nothing was opened");
    }
    if let Err(error) = app.opener().open_url(url.as_str(), None::<&str>) {
        tracing::warn!(%error, "no browser could be opened");
    }
}

#[cfg(test)]
mod tests {
    use super::{is_local, place};

    #[test]
    fn only_names_lead_back_to_where_somebody_was() {
        assert_eq!(place("/requests/req_01-a?model=x").as_deref(), Some("requests/req_01-a"));
        assert_eq!(place("accounts").as_deref(), Some("accounts"));
        for bad in ["", "/", "a&code=1", "a%20b", "//evil.example", "a#b", "é"] {
            assert_eq!(place(bad).as_deref(), None, "{bad}");
        }
    }

    #[test]
    fn the_local_page_is_one_place() {
        let own = if cfg!(windows) { "http://tauri.localhost/shell.html" } else { "tauri://localhost/shell.html" };
        assert!(is_local(&own.parse().unwrap()));
        for other in [
            "http://localhost/shell.html",
            "tauri://elsewhere/",
            "https://tauri.localhost.example/",
            "http://127.0.0.1:1/",
        ] {
            assert!(!is_local(&other.parse().unwrap()), "{other}");
        }
    }
}
