//! Signing in: one engine for the command line, the dashboard and the app's window.
//!
//! An attempt is begun over the control plane and waits: for the browser to come back to our listener, for the person to
//! paste what the browser showed, or for a device code to be approved elsewhere. Attempts do not disturb one another: a
//! callback belongs to the attempt whose `state` it carries, whichever listener it reached.
//!
//! **Invariant:** nothing secret leaves an attempt: not its verifier, not the code, not a token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codeferry_accounts::{AccountId, Kind};
use codeferry_upstream::sign_in::{
    Attempt, CallbackError, DeviceCode, DevicePoll, Entropy, KnownClient, SignInError, SignedIn,
};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Gateway;
use crate::bus::{Bus, Topic};

mod callback;
mod in_window;
mod listener;
mod page;

pub use callback::Delivered;
pub use in_window::SignIn;
use listener::Listeners;

/// How long an attempt waits. Device codes live as long (`codex-backend.md §1`).
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long the end of an attempt can be asked for, and a browser that comes too late is told so.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// What `slow_down` adds to the interval (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Where an attempt stands. As JSON: `{"state":"failed","message":…,"hint":…}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Stage {
    /// For the person.
    Waiting,
    /// The auth host is asked for tokens.
    Exchanging,
    /// Signed in.
    Done {
        /// The account, new or known.
        account: AccountId,
        /// Whether it was known before.
        again: bool,
        /// Something the person should know.
        #[serde(skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
    },
    /// It did not work.
    Failed {
        /// What happened.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Somebody gave it up.
    Cancelled,
    /// Nobody came.
    Expired,
}

/// How the person signs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    /// In a browser that can reach us.
    #[default]
    Browser,
    /// With a code, on any device. Only for codex accounts.
    Device,
}

/// What the person needs.
#[derive(Debug, Serialize)]
pub(crate) struct Begun {
    id: Uuid,
    /// Where to go.
    pub(crate) url: String,
    /// What to type there, for the device method.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_code: Option<String>,
    /// Where the browser comes back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    expires_in_seconds: u64,
}

/// Why an attempt could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A device code was asked for, for an account that has none.
    #[error("a device code is only for codex accounts; plan accounts sign in with a browser")]
    NoDevice,
    /// It is there already.
    #[error("the demo account needs no sign-in")]
    Demo,
    /// It has a key.
    #[error("a {0} account is added with its address and key; there is no sign-in")]
    Named(Kind),
    /// Nobody could hear the browser come back.
    #[error("both ports that this sign-in can come back to (1455 and 1457) are taken by other programs")]
    PortsTaken,
    /// The same, for a sign-in that may come back anywhere.
    #[error("cannot listen for the browser: {0}")]
    Listen(std::io::Error),
    /// A sign-in that can be guessed is none.
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
    /// The auth host gave no device code.
    #[error(transparent)]
    Upstream(#[from] SignInError),
}

/// An attempt and where it stands, as events tell it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Told {
    id: Uuid,
    kind: Kind,
    #[serde(flatten)]
    stage: Stage,
}

/// All attempts.
#[derive(Debug)]
pub(crate) struct SignIns {
    bus: Arc<Bus>,
    entries: Mutex<BTreeMap<Uuid, Entry>>,
    listeners: Listeners,
}

#[derive(Debug)]
struct Entry {
    /// Taken by whoever brings the callback.
    attempt: Option<Attempt>,
    kind: Kind,
    /// It waits, or waited, for a browser.
    browser: bool,
    stage: watch::Sender<Stage>,
    cancel: CancellationToken,
    ended: Option<Instant>,
}

// === impl Stage ===

impl Stage {
    /// Nothing comes after it.
    pub fn is_end(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Exchanging)
    }
}

// === impl SignIns ===

impl SignIns {
    pub(crate) fn new(bus: Arc<Bus>) -> Self {
        Self { bus, entries: Mutex::default(), listeners: Listeners::default() }
    }

    /// All attempts that are remembered.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.entries().iter().map(|(id, entry)| entry.told(*id)).collect()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<Uuid, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, attempt: Option<Attempt>, kind: Kind) -> (Uuid, CancellationToken) {
        let id = Uuid::now_v7();
        let (cancel, stage) = (CancellationToken::new(), watch::Sender::new(Stage::Waiting));
        let entry = Entry { browser: attempt.is_some(), attempt, kind, stage, cancel: cancel.clone(), ended: None };
        let mut entries = self.entries();
        entries.retain(|_, entry| entry.ended.is_none_or(|ended| ended.elapsed() < REMEMBERED));
        let told = entry.told(id);
        entries.insert(id, entry);
        self.bus.publish(Topic::SignIn, "sign_in", || told);
        (id, cancel)
    }

    /// Where an attempt stands, and every change.
    pub(crate) fn watch(&self, id: Uuid) -> Option<watch::Receiver<Stage>> {
        self.entries().get(&id).map(|entry| entry.stage.subscribe())
    }

    /// Gives an attempt up.
    pub(crate) fn cancel(&self, id: Uuid) {
        self.end(id, Stage::Cancelled);
    }

    /// Gives up all attempts of a kind that wait for a browser: another program asks for the port.
    pub(crate) fn cancel_browsers(&self, kind: Kind) {
        let waiting = |entry: &Entry| entry.kind == kind && entry.attempt.is_some();
        let ids: Vec<Uuid> = self.entries().iter().filter(|(_, entry)| waiting(entry)).map(|(id, _)| *id).collect();
        for id in ids {
            self.end(id, Stage::Cancelled);
        }
    }

    /// The attempt of a kind that waits for a browser, if there is but one.
    pub(crate) fn only_waiting(&self, kind: Kind) -> Option<Uuid> {
        let entries = self.entries();
        let mut waiting = entries.iter().filter(|(_, entry)| entry.kind == kind && entry.attempt.is_some());
        let (id, _) = waiting.next()?;
        waiting.next().is_none().then_some(*id)
    }

    /// An end is for good: what comes later changes nothing.
    fn end(&self, id: Uuid, stage: Stage) {
        let mut entries = self.entries();
        if let Some(entry) = entries.get_mut(&id)
            && entry.ended.is_none()
        {
            entry.ended = Some(Instant::now());
            entry.attempt = None;
            entry.stage.send_replace(stage);
            entry.cancel.cancel();
            self.bus.publish(Topic::SignIn, "sign_in", || entry.told(id));
        }
    }

    /// Ends what nobody came for. Whoever came is waited for: the auth host may have handed out tokens by now.
    fn end_waiting(&self, id: Uuid, stage: Stage) {
        let waits = self.entries().get(&id).is_some_and(|entry| *entry.stage.borrow() == Stage::Waiting);
        if waits {
            self.end(id, stage);
        }
    }

    /// Whether somebody gave it up, while it was on its way perhaps.
    fn is_given_up(&self, id: Uuid) -> bool {
        self.entries().get(&id).is_some_and(|entry| *entry.stage.borrow() == Stage::Cancelled)
    }

    fn set(&self, id: Uuid, stage: Stage) {
        if let Some(entry) = self.entries().get(&id)
            && entry.ended.is_none()
        {
            entry.stage.send_replace(stage);
            self.bus.publish(Topic::SignIn, "sign_in", || entry.told(id));
        }
    }

    /// Whether a browser may still come for an attempt of that kind, in time or a little late.
    fn awaits_browser(&self, kind: Kind) -> bool {
        let awaited = |entry: &Entry| entry.ended.is_none_or(|ended| ended.elapsed() < REMEMBERED);
        self.entries().values().any(|entry| entry.browser && entry.kind == kind && awaited(entry))
    }
}

// === impl Entry ===

impl Entry {
    fn told(&self, id: Uuid) -> Told {
        Told { id, kind: self.kind, stage: self.stage.borrow().clone() }
    }
}

// === impl Gateway ===

impl Gateway {
    /// Begins an attempt. The person has a quarter of an hour.
    pub(crate) async fn begin_sign_in(
        self: &Arc<Self>,
        kind: Kind,
        method: Method,
        again: Option<&AccountId>,
    ) -> Result<Begun, BeginError> {
        match (kind, method) {
            (Kind::Demo, _) => Err(BeginError::Demo),
            (kind, _) if kind.is_named() => Err(BeginError::Named(kind)),
            (Kind::Plan, Method::Device) => Err(BeginError::NoDevice),
            (Kind::Codex, Method::Device) => self.begin_device().await,
            (kind, Method::Device) => Err(BeginError::Named(kind)),
            (kind, Method::Browser) => self.begin_browser(kind, again).await,
        }
    }

    async fn begin_browser(self: &Arc<Self>, kind: Kind, again: Option<&AccountId>) -> Result<Begun, BeginError> {
        let port = self.listen_for(kind).await?;
        let entropy = entropy().map_err(BeginError::Random)?;
        let known = again.and_then(|id| self.pool.issued_client(id));
        let known = known.map(|(client_id, id_token_hint)| KnownClient { client_id, id_token_hint });
        let attempt = self.upstream.begin_sign_in(kind, port, &self.host_id, known, &entropy);
        let url = attempt.authorize_url.to_string();
        let (id, cancel) = self.sign_ins.insert(Some(attempt), kind);
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = gateway.closing.cancelled() => gateway.sign_ins.end_waiting(id, Stage::Cancelled),
                () = tokio::time::sleep(PATIENCE) => gateway.sign_ins.end_waiting(id, Stage::Expired),
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = gateway.closing.cancelled() => return,
            }
            // Whoever comes now comes too late, and finds somebody who says so.
            tokio::select! {
                () = tokio::time::sleep(REMEMBERED) => gateway.stop_listening_if_idle(kind),
                () = gateway.closing.cancelled() => {}
            }
        });
        Ok(Begun { id, url, user_code: None, port: Some(port), expires_in_seconds: PATIENCE.as_secs() })
    }

    async fn begin_device(self: &Arc<Self>) -> Result<Begun, BeginError> {
        let code = self.upstream.begin_device().await?;
        let (id, cancel) = self.sign_ins.insert(None, Kind::Codex);
        let begun = Begun {
            id,
            url: code.verification_url.to_string(),
            user_code: Some(code.user_code.clone()),
            port: None,
            expires_in_seconds: code.expires_in.as_secs(),
        };
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            let expires_in = code.expires_in.min(PATIENCE);
            tokio::select! {
                () = cancel.cancelled() => {}
                () = gateway.closing.cancelled() => gateway.sign_ins.end(id, Stage::Cancelled),
                () = tokio::time::sleep(expires_in) => gateway.sign_ins.end(id, Stage::Expired),
                stage = gateway.poll_device(id, code) => gateway.sign_ins.end(id, stage),
            }
        });
        Ok(begun)
    }

    /// Asks until somebody has typed the code. A poll that fails on the way is no reason to give up.
    async fn poll_device(&self, id: Uuid, code: DeviceCode) -> Stage {
        let mut interval = code.interval;
        loop {
            tokio::time::sleep(interval).await;
            match self.upstream.poll_device(&code).await {
                Ok(DevicePoll::Pending) => {}
                Ok(DevicePoll::SlowDown) => interval += SLOWER,
                Ok(DevicePoll::Done(signed_in)) => {
                    self.sign_ins.set(id, Stage::Exchanging);
                    return self.welcome(*signed_in).await;
                }
                Err(error) if error.is_transient() => tracing::info!(%error, "asking for the device code failed"),
                Err(error) => return failed(&error),
            }
        }
    }

    /// Ends a sign-in at the auth host that its owner does not want any more.
    async fn give_back(&self, signed_in: SignedIn) -> Stage {
        let SignedIn { account, credential, .. } = signed_in;
        if let Err(failure) = self.upstream.revoke(account.kind, &credential).await {
            tracing::info!(failure = failure.kind.name(), "a sign-in that was given up could not be ended");
        }
        Stage::Cancelled
    }

    /// Keeps an account that has signed in.
    async fn welcome(&self, signed_in: SignedIn) -> Stage {
        let granted = signed_in.plan_usage_granted;
        let kind = signed_in.account.kind;
        match self.pool.add_signed_in(signed_in.account, signed_in.credential, granted).await {
            Ok(import) => {
                tracing::info!(account = %import.id, %kind, "signed in");
                let notice = (!granted).then(|| {
                    "the sign-in did not allow the use of the plan, so this account is not used; sign in again and allow it"
                        .to_owned()
                });
                Stage::Done { account: import.id, again: import.outcome.was_known(), notice }
            }
            Err(error) => Stage::Failed {
                message: format!("the sign-in worked, but could not be kept: {error}"),
                hint: "mend that and sign in again".to_owned(),
            },
        }
    }
}

fn failed(error: &SignInError) -> Stage {
    Stage::Failed { message: error.to_string(), hint: error.hint().to_owned() }
}

fn entropy() -> Result<Entropy, getrandom::Error> {
    let mut bytes = [0; Entropy::LEN];
    getrandom::fill(&mut bytes)?;
    Ok(Entropy::new(bytes))
}
