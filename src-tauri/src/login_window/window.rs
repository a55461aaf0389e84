//! The window itself: one for each attempt, private, without any right to ask something of us.
//!
//! **Invariant:** its label is in no capability. Whatever a page in it calls is refused.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use codeferry_app::{Delivered, SignIn};
use tauri::webview::{NewWindowResponse, PageLoadEvent, PermissionResponse};
use tauri::{AppHandle, Emitter as _, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

use super::bar::{Bar, Choice};
use super::hosts::{Refusal, Verdict, Way};
use super::words;
use super::{folder, talk, title};
use crate::language;
use crate::shell::Shell;
use crate::window;

/// What labels begin with. No capability may take it in.
pub(super) const LABEL: &str = "sign-in-";
/// As a sign-in page likes it, and what it can do with.
const SIZE: (f64, f64) = (520.0, 760.0);
const LEAST: (f64, f64) = (380.0, 480.0);
/// So often somebody is asked about the same host: a page can try as often as it likes.
const ASKED: u8 = 3;

/// A sign-in that has a window.
pub(super) struct Shown {
    app: AppHandle,
    sign_in: SignIn,
    way: Way,
    /// `None` until the window is there.
    bar: OnceLock<Bar>,
    /// What is still to be done goes on in the browser: closing the window gives nothing up.
    handed_over: AtomicBool,
    /// A question is open.
    asking: AtomicBool,
    /// How often it was asked about a host.
    asked: Mutex<HashMap<String, u8>>,
}

/// The windows that are open, and the attempts that are followed, by label.
#[derive(Default)]
pub(crate) struct Open {
    windows: Mutex<HashMap<String, Arc<Shown>>>,
    followed: Mutex<HashSet<String>>,
    /// The person knows that the sign-in of the Codex CLI is unofficial here.
    told: AtomicBool,
}

/// The label of an attempt's window.
pub(super) fn label(sign_in: &SignIn) -> String {
    format!("{LABEL}{}", sign_in.id().simple())
}

/// The window of an attempt, if it has one.
pub(super) fn find(app: &AppHandle, sign_in: &SignIn) -> Option<WebviewWindow> {
    app.get_webview_window(&label(sign_in))
}

/// What goes on in the window of an attempt, if it has one.
pub(super) fn shown(app: &AppHandle, sign_in: &SignIn) -> Option<Arc<Shown>> {
    app.state::<Open>().windows().get(&label(sign_in)).cloned()
}

/// Closes the window of an attempt that has come to its end, or goes on elsewhere.
pub(super) fn close(app: &AppHandle, sign_in: &SignIn) {
    if let Some(window) = find(app, sign_in) {
        drop(window.destroy());
    }
}

/// Closes all of them.
pub(super) fn close_all(app: &AppHandle) {
    let labels: Vec<String> = app.state::<Open>().windows().keys().cloned().collect();
    for window in labels.iter().filter_map(|label| app.get_webview_window(label)) {
        drop(window.destroy());
    }
}

/// Opens the window of an attempt, or raises the one it has. Never from within an event: on Windows that is a deadlock.
pub(super) fn open(app: &AppHandle, sign_in: &SignIn) -> Result<(), String> {
    if let Some(window) = find(app, sign_in) {
        drop(window.unminimize());
        return window.set_focus().map_err(|error| error.to_string());
    }
    let (begins, back) = (sign_in.authorize_url(), sign_in.redirect_uri());
    let (Some(begins), Some(back)) = (begins, back) else {
        return Err("this sign-in is not waited for any more; begin a new one".to_owned());
    };
    build(app, sign_in, begins, back).map_err(|error| format!("the window cannot be opened: {error}"))
}

fn build(app: &AppHandle, sign_in: &SignIn, begins: Url, back: Url) -> tauri::Result<()> {
    let (label, kind) = (label(sign_in), sign_in.kind());
    let shell = app.state::<Shell>();
    let data = folder::of(&shell.paths, &label);
    let shown = Arc::new(Shown {
        app: app.clone(),
        sign_in: sign_in.clone(),
        way: Way::new(begins.clone(), back),
        bar: OnceLock::new(),
        handed_over: AtomicBool::new(false),
        asking: AtomicBool::new(false),
        asked: Mutex::default(),
    });
    let own = || Arc::clone(&shown);
    let (going, popping, loading, choosing) = (own(), own(), own(), own());
    let window = WebviewWindowBuilder::new(app, &label, WebviewUrl::External(begins.clone()))
        .title(language::say(app, &title::opening(&begins, kind)))
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(LEAST.0, LEAST.1)
        .center()
        .incognito(!shell.environment.sign_in_attachable)
        .data_directory(data.clone())
        .devtools(false)
        .general_autofill_enabled(false)
        .on_navigation(move |url| going.may_go(url))
        .on_new_window(move |url, _| {
            popping.popup(url);
            NewWindowResponse::Deny
        })
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        .on_page_load(move |window, load| {
            if load.event() == PageLoadEvent::Started {
                loading.arrived(&window, load.url());
            }
        })
        .build()?;
    app.state::<Open>().windows().insert(label, Arc::clone(&shown));
    match Bar::put(&window, language::say(app, &title::place(&begins)), Arc::new(move |choice| choosing.chosen(choice)))
    {
        Ok(bar) => drop(shown.bar.set(bar)),
        Err(error) => tracing::warn!(%error, "the sign-in window has no bar"),
    }
    window.on_window_event(move |event| {
        if matches!(event, WindowEvent::Destroyed) {
            shown.closed();
            tauri::async_runtime::spawn(folder::wipe(data.clone()));
        }
    });
    window::in_dock(app, true);
    window.set_focus()
}

// === impl Open ===

impl Open {
    fn windows(&self) -> MutexGuard<'_, HashMap<String, Arc<Shown>>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the person is still to be told that a sign-in is unofficial.
    pub(super) fn is_untold(&self) -> bool {
        !self.told.load(Ordering::Acquire)
    }

    /// The person was told, and goes on.
    pub(super) fn told(&self) {
        self.told.store(true, Ordering::Release);
    }

    /// Whether nobody follows this attempt yet. From now on somebody does, until [`Open::left`].
    pub(super) fn is_unfollowed(&self, sign_in: &SignIn) -> bool {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).insert(label(sign_in))
    }

    /// Nobody follows it any more.
    pub(super) fn left(&self, sign_in: &SignIn) {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).remove(&label(sign_in));
    }
}

// === impl Shown ===

impl Shown {
    /// On the main thread: decides, and does the rest elsewhere.
    fn may_go(self: &Arc<Self>, url: &Url) -> bool {
        match self.way.decide(url) {
            Verdict::Allow => return true,
            Verdict::Callback => self.caught(url.clone()),
            Verdict::OpenInBrowser => window::open_outside(&self.app, url),
            Verdict::Refuse(refusal) => self.refuse(refusal),
        }
        false
    }

    /// What wants to open another window goes on in this one, if it may be here at all.
    fn popup(self: &Arc<Self>, url: Url) {
        if url.scheme() != "about" && self.may_go(&url) && self.way.may_show(&url) {
            let shown = Arc::clone(self);
            // Not from within the event.
            tauri::async_runtime::spawn(async move {
                if let Some(window) = find(&shown.app, &shown.sign_in) {
                    drop(window.navigate(url));
                }
            });
        }
    }

    /// A page is there.
    fn arrived(self: &Arc<Self>, window: &WebviewWindow, url: &Url) {
        if self.way.may_show(url) {
            drop(window.set_title(&language::say(&self.app, &title::of_page(url, self.sign_in.kind()))));
            if let Some(bar) = self.bar.get() {
                bar.show(language::say(&self.app, &title::place(url)));
            }
            return;
        }
        // What pages may embed, and nobody is to type something into.
        let host = url.host_str().unwrap_or_default().to_owned();
        self.refuse(Refusal::Unknown { host });
        if let (Some(begins), window) = (self.sign_in.authorize_url(), window.clone()) {
            tauri::async_runtime::spawn(async move { drop(window.navigate(begins)) });
        }
    }

    /// The person is done, or the auth host is. The window stays until the tokens are here.
    fn caught(self: &Arc<Self>, callback: Url) {
        let shown = Arc::clone(self);
        tauri::async_runtime::spawn(async move {
            if let Some(window) = find(&shown.app, &shown.sign_in) {
                drop(window.set_title(&language::say(&shown.app, &title::finishing(shown.sign_in.kind()))));
            }
            match shown.sign_in.deliver(&callback).await {
                // Whoever follows the attempt does the rest.
                Delivered::Ended(_) | Delivered::Stale => {}
                Delivered::Unreadable(why) => {
                    let window = find(&shown.app, &shown.sign_in);
                    if let Some((window, url)) = window.as_ref().and_then(|window| Some((window, window.url().ok()?))) {
                        drop(window.set_title(&language::say(&shown.app, &title::of_page(&url, shown.sign_in.kind()))));
                    }
                    talk::tell(&shown.app, words::not_read(&why), window);
                }
            }
        });
    }

    /// Says where the window does not go, and offers the browser.
    fn refuse(self: &Arc<Self>, refusal: Refusal) {
        tracing::info!(?refusal, "the sign-in window was not let go somewhere");
        let Some(words) = words::refused(&refusal) else { return };
        if !self.is_to_be_asked(&refusal) || self.asking.swap(true, Ordering::AcqRel) {
            return;
        }
        let shown = Arc::clone(self);
        tauri::async_runtime::spawn(async move {
            let parent = find(&shown.app, &shown.sign_in);
            let leaves = talk::ask(&shown.app, words, words::USE_BROWSER, words::STAY, parent).await;
            shown.asking.store(false, Ordering::Release);
            if leaves {
                shown.hand_over();
            }
        });
    }

    fn is_to_be_asked(&self, refusal: &Refusal) -> bool {
        let (Refusal::Unknown { host } | Refusal::Unwilling { host, .. } | Refusal::Unsafe { host }) = refusal else {
            return false;
        };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(host.clone()).or_default();
        *times = times.saturating_add(1);
        *times <= ASKED
    }

    /// In the bar.
    fn chosen(self: &Arc<Self>, choice: Choice) {
        let shown = Arc::clone(self);
        // Not from within the event.
        tauri::async_runtime::spawn(async move {
            match choice {
                Choice::Browser => shown.hand_over(),
                Choice::Cancel => close(&shown.app, &shown.sign_in),
            }
        });
    }

    /// The rest happens in the person's browser.
    pub(super) fn hand_over(&self) {
        match super::open_browser(&self.app, &self.sign_in) {
            Ok(()) => {
                self.handed_over.store(true, Ordering::Release);
                // The dashboard says where the person is waited for, if it is there.
                drop(self.app.emit_to(window::MAIN, "shell://sign-in-in-browser", self.sign_in.id().to_string()));
                close(&self.app, &self.sign_in);
            }
            Err(why) => talk::tell(&self.app, words::no_browser(&why), find(&self.app, &self.sign_in)),
        }
    }

    /// The window is gone.
    fn closed(&self) {
        if let Some(bar) = self.bar.get() {
            bar.take_away();
        }
        self.app.state::<Open>().windows().remove(&label(&self.sign_in));
        if !self.handed_over.load(Ordering::Acquire) {
            // Only if nobody has come back yet.
            self.sign_in.give_up();
        }
        window::in_dock(&self.app, self.app.get_webview_window(window::MAIN).is_some());
    }
}
