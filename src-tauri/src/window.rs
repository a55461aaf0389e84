//! The dashboard's window: made when somebody wants to see it, destroyed when it is closed, which frees what it took.
//!
//! It shows the gateway's own pages, with a session of its own, or the shell's page while there is none.
//!
//! **Invariant:** the window leads to the present gateway and to the shell's page, and nowhere else. Other addresses open in
//! the person's browser.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codeferry_app::Phase;
use jiff::Timestamp;
use tauri::webview::{DownloadEvent, NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_opener::OpenerExt as _;

use crate::deep_link::Link;
use crate::screen::Screen;
use crate::shell::Shell;
use crate::{backdrop, web_engine, window_state};

/// The label. Capabilities name it.
pub(crate) const MAIN: &str = "main";
/// The shell's own page.
const LOCAL: &str = "shell.html";
/// So long a window waits for its page before it is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// For a list of requests with an inspector; and what a phone has.
const SIZE: (f64, f64) = (1120.0, 760.0);
const LEAST: (f64, f64) = (380.0, 480.0);

/// A gateway that is about to serve has so long before the shell's page is shown instead of its own.
const STARTING: Duration = Duration::from_millis(400);

/// What the window shows, as tauri's state.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Whoever makes or leads the window has its turn: it is made once, and nobody leads it away from where it is led.
    turn: tokio::sync::Mutex<()>,
    /// Where the dashboard was when the gateway stopped, to come back to.
    left_at: Mutex<Option<String>>,
    /// Which gateway's dashboard it was led to: since when that one is there.
    led_to: Mutex<Option<Timestamp>>,
}

/// Shows the window, at that screen if one is named.
pub(crate) fn open(app: &AppHandle, screen: Option<Screen>) {
    open_link(app, screen.map(|screen| Link::to(screen, None)).as_ref());
}

/// Shows the window, where a link leads if there is one.
pub(crate) fn open_link(app: &AppHandle, link: Option<&Link>) {
    let (app, route) = (app.clone(), link.map(Link::route));
    // Never from within an event: on Windows that is a deadlock.
    tauri::async_runtime::spawn(async move {
        if let Err(error) = show(&app, route.as_deref()).await {
            tracing::error!(%error, "the window cannot be shown");
        }
    });
}

async fn show(app: &AppHandle, route: Option<&str>) -> tauri::Result<()> {
    if let Err(why) = web_engine::bring(app).await {
        web_engine::tell_missing(app, &why, route);
        return Ok(());
    }
    let mut phase = app.state::<Shell>().keeper.phase();
    let starts = phase.wait_for(|phase| !matches!(phase, Phase::Starting));
    // At the end of the wait, or of the keeper, its page is shown.
    drop(tokio::time::timeout(STARTING, starts).await);
    let shown = app.state::<Shown>();
    let _turn = shown.turn.lock().await;
    if route.is_some() && app.state::<Shell>().keeper.serving().is_none() {
        // It is led there once there is a dashboard.
        *held(&shown.left_at) = route.map(str::to_owned);
    }
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
    let (asked, outside, kept) = (app.clone(), app.clone(), app.clone());
    let window = backdrop::behind(WebviewWindowBuilder::new(app, MAIN, url))
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
            if !ours && !is_spent(url) {
                open_outside(&asked, url);
            }
            ours
        })
        .on_new_window(move |url, _| {
            open_outside(&outside, &url);
            NewWindowResponse::Deny
        })
        // Tables and captures. WebKit on macOS refuses all of them where nobody is asked.
        .on_download(move |_, event| match event {
            DownloadEvent::Requested { url, destination } => {
                settle_download(&kept, destination);
                is_ours(&kept, &url)
            }
            _ => true,
        })
        .build()?;
    // A page that does not come must not leave the person without a window.
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        reveal(&window);
    });
    in_dock(app, true);
    // The gateway may have come meanwhile, when there was no window to lead.
    let phase = phase.borrow().clone();
    settle(app, &phase);
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
    *held(&app.state::<Shown>().led_to) = None;
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
pub(crate) async fn follow(app: &AppHandle, phase: &Phase) {
    let shown = app.state::<Shown>();
    let _turn = shown.turn.lock().await;
    settle(app, phase);
}

/// Leads the window, if there is one, to where it belongs as the gateway stands. Only on one's turn.
fn settle(app: &AppHandle, phase: &Phase) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let shown = app.state::<Shown>();
    let led_to = *held(&shown.led_to);
    let led = match phase {
        Phase::Running(serving) if led_to != Some(serving.gateway().started_at()) => {
            // When it merely began anew, as for the demo account, the dashboard is still there, and stays where it is.
            let here = || led_to.and_then(|_| whereabouts(&window));
            let left_at = held(&shown.left_at).take().or_else(here);
            lead(app, &window, left_at.as_deref())
        }
        Phase::Stopped | Phase::Failed(_) if led_to.is_some() => {
            *held(&shown.left_at) = whereabouts(&window);
            *held(&shown.led_to) = None;
            local_page().map_or(Ok(()), |page| window.navigate(page))
        }
        _ => Ok(()),
    };
    if let Err(error) = led {
        tracing::warn!(%error, "the window stays where it is");
    }
}

/// The session of the dashboard has ended, as after a night: it gets another one, and stays where it is.
pub(crate) async fn renew(app: &AppHandle) -> tauri::Result<()> {
    let shown = app.state::<Shown>();
    let _turn = shown.turn.lock().await;
    match app.get_webview_window(MAIN) {
        Some(window) => lead(app, &window, whereabouts(&window).as_deref()),
        None => Ok(()),
    }
}

/// Where in the dashboard the window is.
fn whereabouts(window: &WebviewWindow) -> Option<String> {
    place_of(&window.url().ok()?)
}

/// Where in the dashboard an address is, or leads to: a link into it may be under way.
fn place_of(url: &Url) -> Option<String> {
    match url.path() {
        "/login" => url.query_pairs().find(|(name, _)| name == "to").and_then(|(_, to)| place(&to)),
        _ => place(url.fragment()?),
    }
}

/// Leads the window to a screen.
fn lead(app: &AppHandle, window: &WebviewWindow, screen: Option<&str>) -> tauri::Result<()> {
    match dashboard(app, screen) {
        Some(url) => window.navigate(url),
        None => Ok(()),
    }
}

/// Where in the dashboard an address is: the name of a screen, what of it, and what is looked for there. `None` for what
/// cannot be one; the gateway has the last word on it.
fn place(fragment: &str) -> Option<String> {
    let place = fragment.trim_start_matches('/');
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    let form = |byte: u8| byte.is_ascii_alphanumeric() || b"_-*.+%=&".contains(&byte);
    let sound = !path.is_empty() && path.bytes().all(plain) && query.bytes().all(form);
    (sound && place.len() <= 480).then(|| place.to_owned())
}

/// A link into the dashboard, good once. Whoever asks leads the window there.
fn dashboard(app: &AppHandle, screen: Option<&str>) -> Option<Url> {
    let serving = app.state::<Shell>().keeper.serving()?;
    let link = serving.session_link(screen).ok()?.parse().ok()?;
    *held(&app.state::<Shown>().led_to) = Some(serving.gateway().started_at());
    Some(link)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A file goes to the person's downloads, or else to their home. Not to wherever the app was started, where wry puts it on a
/// Linux without such a folder.
fn settle_download(app: &AppHandle, destination: &mut PathBuf) {
    if app.path().download_dir().is_ok() {
        return;
    }
    if let (Ok(home), Some(name)) = (app.path().home_dir(), destination.file_name()) {
        *destination = home.join(name);
    }
}

/// The present gateway, or the shell's page.
fn is_ours(app: &AppHandle, url: &Url) -> bool {
    let gateway = app.state::<Shell>().keeper.serving();
    let gateway = gateway.and_then(|serving| serving.url().parse::<Url>().ok());
    is_local(url) || gateway.is_some_and(|gateway| gateway.origin() == url.origin()) || url.as_str() == "about:blank"
}

/// A link into a gateway that was there a moment ago. It leads nowhere, and is not for the browser either: the next gateway
/// gets a link of its own.
fn is_spent(url: &Url) -> bool {
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    loopback && url.scheme() == "http" && url.path() == "/login"
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
    use super::{is_local, is_spent, place, place_of};

    #[test]
    fn only_names_lead_back_to_where_somebody_was() {
        assert_eq!(place("/requests/req_01-a?q=a+%26").as_deref(), Some("requests/req_01-a?q=a+%26"));
        assert_eq!(place("accounts").as_deref(), Some("accounts"));
        for bad in ["", "/", "a&code=1", "a%20b", "//evil.example", "a#b", "a?b c", "a?b#c", "?q=a", "é"] {
            assert_eq!(place(bad).as_deref(), None, "{bad}");
        }
    }

    #[test]
    fn a_link_that_is_under_way_counts_as_its_end() {
        for (url, at) in [
            ("http://127.0.0.1:8081/#/accounts", Some("accounts")),
            ("http://127.0.0.1:8081/login?code=1&to=requests/req_1", Some("requests/req_1")),
            ("http://127.0.0.1:8081/login?code=1", None),
            ("http://127.0.0.1:8081/login?code=1&to=//evil.example", None),
            ("http://127.0.0.1:8081/", None),
        ] {
            assert_eq!(place_of(&url.parse().unwrap()).as_deref(), at, "{url}");
        }
    }

    #[test]
    fn a_link_into_a_gateway_that_is_gone_is_nobody_elses() {
        assert!(is_spent(&"http://127.0.0.1:8081/login?code=1".parse().unwrap()));
        for other in ["http://127.0.0.1:8081/", "https://example.com/login?code=1", "http://example.com/login"] {
            assert!(!is_spent(&other.parse().unwrap()), "{other}");
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
