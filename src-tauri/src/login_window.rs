//! Signing in, in a window of the app's own, or in the person's browser.
//!
//! An attempt belongs to the gateway, whoever begins it: [`begin`] for the tray, the control plane for the dashboard, which then
//! asks for the window by its id ([`open`]). The window shows the page of the auth host and catches the way back; the gateway's
//! listener hears it as well, and the first one counts. From here each attempt is followed to its end, and the end is shown.
//!
//! - [`hosts`] decides where the window may go, [`title`] what it says about itself, [`words`] holds the sentences: all pure.
//! - [`mod@window`] makes the window, with [`bar`] for the ways out; [`folder`] is what its web engine may write to; [`talk`] asks.
//!
//! **Invariant:** the address of an attempt goes to the window and to the person's browser, never to a page of ours or a log.

mod bar;
mod folder;
mod hosts;
mod talk;
mod title;
mod window;
mod words;

use std::time::Duration;

use codeferry_app::{AccountId, Kind, Phase, SignIn, SignInPlace, SignInStage};
use tauri::{AppHandle, Manager as _};
use tauri_plugin_opener::OpenerExt as _;
use tokio::sync::watch;

pub(crate) use self::folder::sweep;
pub(crate) use self::window::Open;
use crate::screen::Screen;
use crate::shell::Shell;
use crate::web_engine;

/// How long a gateway that stops may take to finish a sign-in whose tokens are under way.
const LAST_MOMENTS: Duration = Duration::from_secs(10);

/// Who began an attempt, and so who shows how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The tray, or a notification: nobody looks on.
    Shell,
    /// The dashboard, which follows what it began.
    Dashboard,
}

/// Adds an account, or signs one in again. What stands in the way is said in a dialog.
pub(crate) fn begin(app: &AppHandle, kind: Kind, again: Option<AccountId>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // No page of ours has said it. Once is enough.
        if kind == Kind::Codex && app.state::<Open>().is_untold() {
            if !talk::ask(&app, words::unofficial(), words::CONTINUE, words::CANCEL, None).await {
                return;
            }
            app.state::<Open>().told();
        }
        if let Err(why) = start(&app, kind, again.as_ref()).await {
            talk::tell(&app, words::not_begun(&why), None);
        }
    });
}

/// Signs an account in again, the way it did before.
pub(crate) fn again(app: &AppHandle, id: AccountId) {
    let serving = app.state::<Shell>().keeper.serving();
    let accounts = serving.map(|serving| serving.status().accounts).unwrap_or_default();
    match accounts.iter().find(|account| account.id == id) {
        Some(account) if matches!(account.kind, Kind::Plan | Kind::Codex) => begin(app, account.kind, Some(id)),
        // It has a key, or is gone: what can be done about it is said there.
        _ => crate::window::open(app, Some(Screen::Accounts)),
    }
}

async fn start(app: &AppHandle, kind: Kind, again: Option<&AccountId>) -> Result<(), String> {
    let serving = app.state::<Shell>().keeper.serving();
    let gateway = serving.ok_or("the gateway does not run; start it first")?.gateway().clone();
    let sign_in = gateway.sign_in(kind, again).await.map_err(|error| error.to_string())?;
    let shown = show(app, &sign_in).await;
    if shown.is_err() {
        sign_in.give_up();
    }
    shown.map(|_| follow(app, sign_in, By::Shell))
}

/// We end: nothing that a window has written stays. The web engine may still hold something, which goes at the next start.
pub(crate) fn leave(app: &AppHandle) {
    window::close_all(app);
    sweep(&app.state::<Shell>().paths);
}

/// Shows the attempt of that id, which the dashboard began, and says where: `window` or `browser`. Asked once more, it raises the
/// window.
pub(crate) async fn open(app: &AppHandle, id: &str) -> Result<&'static str, String> {
    let sign_in = find(app, id)?;
    let place = show(app, &sign_in).await?;
    follow(app, sign_in, By::Dashboard);
    Ok(place.as_str())
}

/// Goes on with that attempt in the person's browser, whether or not it has a window.
pub(crate) fn in_browser(app: &AppHandle, id: &str) -> Result<(), String> {
    let sign_in = find(app, id)?;
    match window::shown(app, &sign_in) {
        Some(shown) => shown.hand_over(),
        None => open_browser(app, &sign_in)?,
    }
    follow(app, sign_in, By::Dashboard);
    Ok(())
}

fn find(app: &AppHandle, id: &str) -> Result<SignIn, String> {
    let serving = app.state::<Shell>().keeper.serving().ok_or("the gateway does not run")?;
    serving.gateway().sign_in_by_id(id).ok_or_else(|| "this sign-in ended a while ago; begin a new one".to_owned())
}

/// Where the person wants it: in a window of ours, or in their browser. Where there can be no window, in the browser.
async fn show(app: &AppHandle, sign_in: &SignIn) -> Result<SignInPlace, String> {
    let serving = app.state::<Shell>().keeper.serving();
    let place = serving.map_or(SignInPlace::Window, |serving| serving.settings().snapshot().desktop.sign_in);
    let place = match place {
        SignInPlace::Window => web_engine::bring(app).await.map_or_else(
            |why| {
                tracing::warn!(why, "there is no window to sign in with, so the browser is used");
                SignInPlace::Browser
            },
            |()| place,
        ),
        SignInPlace::Browser => place,
    };
    match place {
        SignInPlace::Window => window::open(app, sign_in)?,
        SignInPlace::Browser => open_browser(app, sign_in)?,
    }
    Ok(place)
}

fn open_browser(app: &AppHandle, sign_in: &SignIn) -> Result<(), String> {
    let url = sign_in.authorize_url().ok_or("this sign-in is not waited for any more; begin a new one")?;
    app.opener().open_url(url.as_str(), None::<&str>).map_err(|error| error.to_string())
}

/// Stays with an attempt until it ends, and shows how. Once is enough.
fn follow(app: &AppHandle, sign_in: SignIn, by: By) {
    if !app.state::<Open>().is_unfollowed(&sign_in) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let end = end_of(&app, sign_in.clone()).await;
        window::close(&app, &sign_in);
        app.state::<Open>().left(&sign_in);
        match end {
            Some(stage @ SignInStage::Done { .. }) => {
                tracing::info!("a sign-in has come to its end");
                let looks_on = by == By::Dashboard && app.get_webview_window(crate::window::MAIN).is_some();
                crate::window::open(&app, (!looks_on).then_some(Screen::Accounts));
                if let Some(words) = words::of_end(&stage).filter(|_| !looks_on) {
                    talk::tell(&app, words, None);
                }
            }
            Some(stage) => tell(&app, words::of_end(&stage), by),
            None => tell(&app, Some(words::gone()), by),
        }
    });
}

/// What did not work is shown by the dashboard if it began it, else in a dialog.
fn tell(app: &AppHandle, words: Option<words::Words>, by: By) {
    let Some(words) = words else { return };
    let looks_on = by == By::Dashboard && app.get_webview_window(crate::window::MAIN).is_some();
    if looks_on {
        crate::window::open(app, None);
    } else {
        talk::tell(app, words, None);
    }
}

/// How an attempt ended. `None`: the gateway broke off under it. A person who stops the gateway knows what they did.
async fn end_of(app: &AppHandle, mut sign_in: SignIn) -> Option<SignInStage> {
    let mut phase = app.state::<Shell>().keeper.phase();
    tokio::select! {
        biased;
        stage = sign_in.ended() => return Some(stage),
        () = stops(&mut phase) => {}
    }
    // Nobody is left to take an answer. One that is under way may still come to its end.
    let broke_off = matches!(&*phase.borrow(), Phase::Failed(_));
    if broke_off && sign_in.stage() == SignInStage::Waiting {
        return None;
    }
    match tokio::time::timeout(LAST_MOMENTS, sign_in.ended()).await {
        Ok(stage) => Some(stage),
        Err(_) => (!broke_off).then_some(SignInStage::Cancelled),
    }
}

/// Returns when the gateway does not run any more.
async fn stops(phase: &mut watch::Receiver<Phase>) {
    // An error says that nobody keeps it.
    drop(phase.wait_for(|phase| !matches!(phase, Phase::Running(_))).await);
}

#[cfg(test)]
mod tests;
