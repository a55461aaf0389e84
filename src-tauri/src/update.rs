//! Newer versions: looked for at the start and once a day, installed when a person says so.
//!
//! What is installed must be signed with the key this build was made with (`plugins.updater.pubkey` in tauri.conf.json, set
//! when a release is built), for the very version that was announced: `requireSignedVersion`. A build without a key installs
//! nothing, and says so. So does one that a package manager put here.
//!
//! **Invariant:** nothing is downloaded before a person wants it, and the gateway drains before anything is replaced.

mod policy;

use std::sync::Mutex;
use std::time::Duration;

use codeferry_app::{Phase, Settings, system_clock};
use jiff::Timestamp;
use serde::Serialize;
use tauri::utils::platform::bundle_type;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogButtons};
use tauri_plugin_updater::{Update, UpdaterExt as _};
use tokio::sync::{Notify, watch};

use self::policy::Standing;
use crate::notify::sentence;
use crate::shell::Shell;
use crate::{language, program};

/// How it stands with updates, for pages and the menu.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct UpdateState {
    pub(crate) stage: Stage,
    /// Why nothing is looked for, or what went wrong last.
    pub(crate) why: Option<String>,
    /// The newer version.
    pub(crate) version: Option<String>,
    /// What is new in it, as its release says.
    pub(crate) notes: Option<String>,
    /// When somebody last asked, and was answered.
    pub(crate) checked_at: Option<Timestamp>,
    /// How much of it has come, while it is downloaded.
    pub(crate) percent: Option<u8>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Updates are not looked for.
    #[default]
    Off,
    /// Nothing newer is known.
    Idle,
    Checking,
    /// There is one, which a person may install.
    Available,
    Downloading,
    /// It takes our place; we start again.
    Installing,
}

/// Shared by all, as tauri's state.
pub(crate) struct Updates {
    state: watch::Sender<UpdateState>,
    found: Mutex<Option<Update>>,
    /// One thing at a time.
    busy: tokio::sync::Mutex<()>,
    /// Somebody has switched it on.
    wake: Notify,
    /// Which package manager put us here.
    installed_by: Option<String>,
}

/// How long an answer about versions may take, and a download.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(1800));
/// How long the gateway may take to come to rest, on top of the time answers are given.
const SETTLING: Duration = Duration::from_secs(30);
/// The event that tells pages of changes.
const EVENT: &str = "shell://update";

/// How it stands.
pub(crate) fn state(app: &AppHandle) -> UpdateState {
    app.state::<Updates>().state.borrow().clone()
}

/// Every change.
pub(crate) fn changes(app: &AppHandle) -> watch::Receiver<UpdateState> {
    app.state::<Updates>().state.subscribe()
}

/// The version that can be installed now.
pub(crate) fn ready(app: &AppHandle) -> Option<String> {
    let state = app.state::<Updates>().state.borrow().clone();
    state.version.filter(|_| state.stage == Stage::Available)
}

/// Looks for newer versions from now on.
pub(crate) fn begin(app: &AppHandle) {
    app.manage(Updates {
        state: watch::Sender::new(UpdateState::default()),
        found: Mutex::default(),
        busy: tokio::sync::Mutex::default(),
        wake: Notify::new(),
        installed_by: program::installed_by(),
    });
    follow(app);
    tauri::async_runtime::spawn(keep_looking(app.clone()));
}

/// The settings may have changed: looks for versions, or no longer.
pub(crate) fn follow(app: &AppHandle) {
    let hindrance = standing(app, |standing| standing.hindrance());
    let stage = app.state::<Updates>().state.borrow().stage;
    match hindrance {
        Some(why) if matches!(stage, Stage::Off | Stage::Idle) => {
            set(app, |state| (state.stage, state.why) = (Stage::Off, Some(why)));
        }
        None if stage == Stage::Off => {
            set(app, |state| (state.stage, state.why) = (Stage::Idle, None));
            app.state::<Updates>().wake.notify_one();
        }
        _ => {}
    }
}

async fn keep_looking(app: AppHandle) {
    let mut first = true;
    loop {
        let now = system_clock()();
        let seed = u64::from(std::process::id()) ^ now.as_millisecond().unsigned_abs();
        let updates = app.state::<Updates>();
        tokio::select! {
            () = tokio::time::sleep(policy::pause(first, seed)) => first = false,
            () = updates.wake.notified() => {
                // Soon, but not in the moment of the click.
                first = true;
                continue;
            }
        }
        let off = standing(&app, |standing| standing.hindrance()).is_some();
        // What is there already is there tomorrow as well.
        if off || ready(&app).is_some() {
            continue;
        }
        if let Err(why) = check(&app).await {
            tracing::warn!(why, "newer versions could not be looked for");
        }
    }
}

/// Asks whether there is a newer version, because it is time or because a person wants to know.
///
/// # Errors
/// In a sentence, which is in the state as well.
pub(crate) async fn check(app: &AppHandle) -> Result<UpdateState, String> {
    let updates = app.state::<Updates>();
    let _busy = updates.busy.lock().await;
    set(app, |state| (state.stage, state.why) = (Stage::Checking, None));
    let answer = match standing(app, |standing| standing.cannot()) {
        Some(why) => Err((Stage::Off, why)),
        None => ask(app).await.map_err(|why| (Stage::Idle, why)),
    };
    let (stage, why, found) = match answer {
        Ok(Some(update)) => (Stage::Available, None, Some(update)),
        Ok(None) => (Stage::Idle, None, None),
        Err((stage, why)) => (stage, Some(why), None),
    };
    let checked_at = why.is_none().then(|| system_clock()()).or(updates.state.borrow().checked_at);
    let (version, notes) = found.as_ref().map(|it| (Some(it.version.clone()), it.body.clone())).unwrap_or_default();
    if let Some(version) = &version {
        tracing::info!(version, "there is a newer version");
    }
    if let Ok(mut place) = updates.found.lock() {
        *place = found;
    }
    set(app, |state| *state = UpdateState { stage, why: why.clone(), version, notes, checked_at, percent: None });
    why.map_or_else(|| Ok(state(app)), Err)
}

/// Asks where releases are announced.
async fn ask(app: &AppHandle) -> Result<Option<Update>, String> {
    let text = settings(app).map(|settings| settings.desktop.update_endpoint.clone()).unwrap_or_default();
    let endpoint =
        policy::endpoint(&text).ok_or("desktop.update_endpoint is neither https nor an address of this machine")?;
    // Nothing may have been served so far, and the client of the plugin needs it, too.
    codeferry_app::install_crypto_provider();
    let secure = endpoint.scheme() == "https";
    let updater = app
        .updater_builder()
        .pubkey(key(app))
        .endpoints(vec![endpoint])
        .map_err(|error| words(&error))?
        .timeout(PATIENCE.0)
        // A redirect must not lead out of https.
        .configure_client(move |client| client.https_only(secure))
        .build()
        .map_err(|error| words(&error))?;
    let mut found = updater.check().await.map_err(|error| words(&error))?;
    if let Some(update) = &mut found {
        update.timeout = Some(PATIENCE.1);
        let url = &update.download_url;
        if !policy::may_come_from(url) || (secure && url.scheme() != "https") {
            return Err(format!("version {} is not offered by https, and is not taken", update.version));
        }
    }
    Ok(found)
}

/// Shows what is new, and installs it if the person agrees.
pub(crate) fn offer(app: &AppHandle) {
    let state = state(app);
    let Some(version) = state.version else { return };
    let notes = state.notes.as_deref().map(policy::excerpt).filter(|notes| !notes.is_empty());
    let language = language::of(app);
    let message = format!(
        "{}\n\n{}",
        notes.unwrap_or_else(|| language.say("The release says nothing about what is new.")),
        language.say("Codeferry downloads it, checks its signature, lets answers under way finish, and starts again.")
    );
    let buttons = MessageDialogButtons::OkCancelCustom(language.say("Restart to update"), language.say("Later"));
    let installs = app.clone();
    app.dialog().message(message).title(format!("Codeferry {version}")).buttons(buttons).show(move |agreed| {
        if agreed {
            tauri::async_runtime::spawn(async move {
                if let Err(why) = install(&installs).await {
                    tracing::error!(why, "the update was not installed");
                    let (text, title) = (language.say(&sentence(&why)), language.say("Codeferry was not updated"));
                    installs.dialog().message(text).title(title).show(|_| {});
                }
            });
        }
    });
}

/// Downloads what was found, checks its signature, drains, replaces the program and starts it.
///
/// # Errors
/// In a sentence, which is in the state as well; then all is as it was.
async fn install(app: &AppHandle) -> Result<(), String> {
    let updates = app.state::<Updates>();
    let _busy = updates.busy.lock().await;
    let found = updates.found.lock().ok().and_then(|found| found.clone());
    let update = found.ok_or("there is no newer version: look for one first")?;
    let done = replace(app, &update).await;
    if let Err(why) = &done {
        set(app, |state| (state.stage, state.why, state.percent) = (Stage::Available, Some(why.clone()), None));
    }
    done
}

async fn replace(app: &AppHandle, update: &Update) -> Result<(), String> {
    set(app, |state| (state.stage, state.why, state.percent) = (Stage::Downloading, None, Some(0)));
    let mut come = 0_u64;
    let told = app.clone();
    let on_chunk = move |bytes: usize, total: Option<u64>| {
        come += u64::try_from(bytes).unwrap_or_default();
        let percent =
            total.filter(|total| *total > 0).map(|total| u8::try_from((come * 100 / total).min(100)).unwrap_or(100));
        set(&told, |state| state.percent = percent);
    };
    // Its signature is checked before it is handed out, and once more before it is installed.
    let package = update.download(on_chunk, || {}).await.map_err(|error| words(&error))?;
    set(app, |state| (state.stage, state.percent) = (Stage::Installing, None));
    let ran = drain(app).await;
    tracing::info!(version = update.version, "installing");
    let installs = update.clone();
    let installed = tauri::async_runtime::spawn_blocking(move || installs.install(package)).await;
    let installed = installed.map_err(|error| error.to_string()).and_then(|done| done.map_err(|error| words(&error)));
    if let Err(why) = installed {
        if ran {
            app.state::<Shell>().keeper.start();
        }
        return Err(why);
    }
    app.state::<Shell>().keeper.end().await;
    app.request_restart();
    Ok(())
}

/// Lets answers finish and everything be written. Whether a gateway ran.
async fn drain(app: &AppHandle) -> bool {
    let keeper = &app.state::<Shell>().keeper;
    let mut phase = keeper.phase();
    let ran = !matches!(&*phase.borrow(), Phase::Stopped | Phase::Failed(_));
    keeper.stop();
    let grace = settings(app).map(|settings| Duration::from_secs(settings.grace_seconds)).unwrap_or_default();
    let rest = phase.wait_for(|phase| matches!(phase, Phase::Stopped));
    if tokio::time::timeout(grace + SETTLING, rest).await.is_err() {
        tracing::warn!("the gateway did not come to rest before the update");
    }
    ran
}

/// Changes the state, and tells the pages.
fn set(app: &AppHandle, change: impl FnOnce(&mut UpdateState)) {
    let changed = app.state::<Updates>().state.send_if_modified(|state| {
        let before = state.clone();
        change(state);
        state.why = state.why.take().map(|why| sentence(&why));
        *state != before
    });
    if changed {
        // Nobody may be there to hear it.
        drop(app.emit_to(crate::window::MAIN, EVENT, state(app)));
    }
}

/// Asks how this program stands towards updates.
fn standing<T>(app: &AppHandle, ask: impl FnOnce(Standing<'_>) -> T) -> T {
    ask(Standing {
        bundle: bundle_type(),
        installed_by: app.state::<Updates>().installed_by.as_deref(),
        appimage: program::appimage(app).is_some(),
        key: &key(app),
        wanted: settings(app).is_none_or(|settings| settings.desktop.updates),
    })
}

/// The key that this build was made with.
fn key(app: &AppHandle) -> String {
    // Tests of a development build bring their own: the environment reads it in no other.
    if let Some(key) = &app.state::<Shell>().environment.update_key {
        return key.clone();
    }
    let config = app.config().plugins.0.get("updater").and_then(|config| config.get("pubkey"));
    config.and_then(|key| key.as_str()).unwrap_or_default().to_owned()
}

/// What was chosen: by the running gateway, or by the file.
fn settings(app: &AppHandle) -> Option<std::sync::Arc<Settings>> {
    let shell = app.state::<Shell>();
    match shell.keeper.serving() {
        Some(serving) => Some(serving.settings().snapshot()),
        None => codeferry_app::settings(&shell.paths).ok().map(|settings| settings.snapshot()),
    }
}

/// What the plugin says, in words for people where its own are for developers.
fn words(error: &tauri_plugin_updater::Error) -> String {
    use tauri_plugin_updater::Error as E;
    match error {
        E::Minisign(_) | E::Base64(_) | E::SignatureUtf8(_) => {
            format!("its signature is not by the key of this build, so it was not installed ({error})")
        }
        E::MissingSignedVersion | E::SignedVersionMismatch { .. } => {
            format!("it was signed as another version than it is offered as, so it was not installed ({error})")
        }
        E::TargetNotFound(_) | E::TargetsNotFound(_) => "the newest release has no package for this system".to_owned(),
        E::ReleaseNotFound | E::Network(_) => {
            "nobody could be asked for newer versions: is the address right, and the line up".to_owned()
        }
        E::Reqwest(error) if error.is_connect() || error.is_timeout() => {
            "nobody could be asked for newer versions: is the address right, and the line up".to_owned()
        }
        E::InsecureTransportProtocol => "a release asks by https only".to_owned(),
        error => error.to_string(),
    }
}
