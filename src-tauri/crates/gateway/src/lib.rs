//! The HTTP face: the data plane for clients of models (`/v1/*`), the control plane for ourselves (`/api/*`).
//!
//! The way of a request is told in `docs/architecture.md`: guard, read, route, lower, attempt, pump, tap. Each has a file
//! of that name here.
//!
//! **Invariant:** this crate knows nothing of how its parts are made; the composition root hands them in.

mod account_pages;
mod attempt;
mod body;
mod bus;
mod capture;
mod codex;
mod compat;
mod control;
mod cors;
mod data;
mod dialect;
pub mod doctor;
mod failover;
mod guard;
mod health;
pub mod history;
mod in_process;
mod kept;
mod limits;
mod log_lines;
mod looks;
mod metrics;
mod named;
mod news;
mod page;
mod prefixes;
mod pump;
mod refusal;
mod reply;
mod routing;
mod said;
mod seals;
mod serve;
mod session;
mod settle;
pub mod setup;
mod sign_in;
mod speaker;
mod status;
mod tap;
mod traces;
mod turn;
mod ui;
mod windows;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use codeferry_accounts::{AccountId, Clock, Lease, Pool};
use codeferry_store::capture::Captures;
use codeferry_store::log::Log;
use codeferry_store::{ClientKeys, ControlToken, SettingsFile};
use codeferry_upstream::{Failure, FailureKind, Upstream};
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use bus::Bus;
pub use capture::{CaptureState, Wish};
pub use compat::{compat_routes, open_warning};
pub use control::control_routes;
pub use control::table::ControlRoute;
pub use data::table::data_routes;
pub use in_process::{ModelChoice, ModelRole, Tested};
pub use log_lines::{KEPT_LINES, LogField, LogFields, LogLevel, LogLine, LogLines};
pub use looks::Looks;
pub use news::Changes;
pub use routing::{Destination, explain};
pub use said::Language;
pub use sign_in::{BeginError as BeginSignInError, Delivered, SignIn, Stage as SignInStage};
pub use status::{Exchanges, FailedOver, Pick, Status};
pub use traces::{Traced, Traces};
pub use ui::has_dashboard;

/// What a gateway is made of.
pub struct Parts {
    /// Settings; each request takes a snapshot.
    pub settings: Arc<SettingsFile>,
    /// Who may use the data plane.
    pub keys: Arc<ClientKeys>,
    /// What opens the control plane.
    pub control_token: ControlToken,
    /// Who pays.
    pub pool: Arc<Pool>,
    /// The way to the models.
    pub upstream: Arc<Upstream>,
    /// The time.
    pub clock: Clock,
    /// Our version.
    pub version: &'static str,
    /// The name of this installation towards auth hosts: `urn:uuid:…`, the same for good (`codex-backend.md §12`).
    pub host_id: String,
    /// What is logged.
    pub log_lines: LogLines,
    /// Who makes traces of exchanges, if anybody does.
    pub traces: Option<Arc<dyn Traces>>,
    /// Where each exchange is written down.
    pub log: Log,
    /// Where exchanges are written down word for word, while somebody asks for it.
    pub captures: Captures,
    /// Where other programs keep their files.
    pub others: Others,
    /// What clients would see of this machine.
    pub machine: setup::Machine,
    /// What is to be known of the folder, the disk and the environment.
    pub house: doctor::House,
}

/// Files of other programs that the old paths look at, or change when they are asked to. `None`: nobody knows where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// The `auth.json` of the Codex CLI.
    pub codex_auth: Option<PathBuf>,
    /// The `settings.json` of Claude Code.
    pub claude_settings: Option<PathBuf>,
    /// Our own folder: what stood in theirs before is noted and copied there.
    pub data: PathBuf,
}

/// The gateway, shared by all its exchanges.
pub struct Gateway {
    settings: Arc<SettingsFile>,
    keys: Arc<ClientKeys>,
    control_token: ControlToken,
    pool: Arc<Pool>,
    upstream: Arc<Upstream>,
    clock: Clock,
    version: &'static str,
    host_id: String,
    log_lines: LogLines,
    traces: Option<Arc<dyn Traces>>,
    log: Log,
    others: Others,
    machine: setup::Machine,
    watched: setup::Watched,
    capturing: capture::Capturing,
    started_at: Timestamp,
    counters: Arc<status::Counters>,
    /// Wakes those who show the status.
    news: news::News,
    /// What goes over the connections.
    traffic: Arc<serve::Traffic>,
    metrics: metrics::Metrics,
    /// What conversations have sent lately.
    prefixes: prefixes::Prefixes,
    /// Whose reasoning was passed on lately.
    seals: Arc<seals::Seals>,
    /// What was answered lately, for who refers to it.
    kept: Arc<kept::Kept>,
    /// The account that was picked last.
    last_pick: Mutex<Option<Pick>>,
    /// The last time another account took over.
    failed_over: Mutex<Option<FailedOver>>,
    /// Why an upstream could not be reached the last time that was so.
    last_failure: Mutex<Option<doctor::Unreached>>,
    /// What clients have under way.
    limits: Arc<limits::Limits>,
    /// What is to be known of the house around us.
    house: doctor::House,
    /// The address we listen on, once we do.
    bound: OnceLock<SocketAddr>,
    /// Browsers that were let in.
    sessions: session::Sessions,
    /// An answer named another version of the model catalogue than ours.
    stale: Notify,
    /// What models of named accounts have refused.
    refusals: named::Refusals,
    /// When somebody last looked at what is left.
    looks: Arc<Looks>,
    /// What happens, for whoever looks on.
    bus: Arc<Bus>,
    /// Attempts to sign in.
    sign_ins: sign_in::SignIns,
    /// What runs beside the requests, and is waited for at the end.
    tasks: TaskTracker,
    /// WebSockets, which the server does not know of once they are open.
    sockets: TaskTracker,
    /// How many more there may be.
    socket_places: Arc<Semaphore>,
    /// We stop: by a signal, or because the control plane was asked to.
    stopping: CancellationToken,
    /// The grace period is over: streams that still run end now.
    closing: CancellationToken,
    /// See [`Gateway::break_off`].
    #[cfg(debug_assertions)]
    broken: Notify,
}

// === impl Gateway ===

impl Gateway {
    /// Puts the parts together. Nothing is opened and nothing is sent yet.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            house,
            settings,
            keys,
            control_token,
            pool,
            upstream,
            clock,
            version,
            host_id,
            log_lines,
            traces,
            log,
            others,
            machine,
            captures,
        } = parts;
        let started_at = clock();
        let (counters, traffic) = (Arc::default(), Arc::default());
        let metrics = metrics::Metrics::new(metrics::Now {
            version,
            started_at,
            counters: Arc::clone(&counters),
            traffic: Arc::clone(&traffic),
            pool: Arc::clone(&pool),
            log: log.clone(),
            log_lines: log_lines.clone(),
        });
        let bus = Bus::new(run_nonce());
        Arc::new(Self {
            settings,
            keys,
            control_token,
            pool,
            upstream,
            clock,
            version,
            host_id,
            log_lines,
            traces,
            log,
            others,
            machine,
            watched: setup::Watched::default(),
            capturing: capture::Capturing::new(captures),
            started_at,
            counters,
            news: news::News::default(),
            traffic,
            metrics,
            prefixes: prefixes::Prefixes::default(),
            seals: Arc::default(),
            kept: Arc::default(),
            last_pick: Mutex::default(),
            failed_over: Mutex::default(),
            last_failure: Mutex::default(),
            limits: Arc::default(),
            house,
            bound: OnceLock::new(),
            sessions: session::Sessions::default(),
            stale: Notify::new(),
            refusals: named::Refusals::default(),
            looks: Arc::default(),
            sign_ins: sign_in::SignIns::new(Arc::clone(&bus)),
            bus,
            tasks: TaskTracker::new(),
            sockets: TaskTracker::new(),
            socket_places: Arc::new(Semaphore::new(data::socket::CONNECTIONS)),
            stopping: CancellationToken::new(),
            closing: CancellationToken::new(),
            #[cfg(debug_assertions)]
            broken: Notify::new(),
        })
    }

    /// When somebody last looked at what is left, for others who look.
    pub fn looks(&self) -> Arc<Looks> {
        Arc::clone(&self.looks)
    }

    /// What is logged, for others who look or follow.
    pub fn log_lines(&self) -> &LogLines {
        &self.log_lines
    }

    /// How it fares.
    pub fn status(&self) -> Status {
        Status {
            version: self.version,
            pid: std::process::id(),
            started_at: self.started_at,
            url: self.own_url(),
            rotation: self.pool.rotation(),
            accounts: self.pool.list(),
            exchanges: self.counters.snapshot(),
            request_log: self.log.health(),
            warnings: open_warning(&self.settings.snapshot()).into_iter().collect(),
            capture: self.capturing.state(self.now()),
            last_pick: self.last_pick.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            drifted: self.watched.seen().iter().flat_map(|client| client.drifts.clone()).collect(),
            failed_over: self.failed_over.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Since when it is there. Tells it from the one before.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Wakes whoever shows the status when there is something new to show.
    pub fn changes(&self) -> Changes {
        self.news.changes(&self.pool, &self.settings)
    }

    /// A link that opens a session of the control plane in the browser that follows it first, within a minute. With a
    /// screen's name, and what is looked for on it, it leads there. Whoever calls this answers for who gets it.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn session_link(&self, to: Option<&str>) -> Result<String, getrandom::Error> {
        let code = self.sessions.link()?;
        let written = |to: &str| url::form_urlencoded::byte_serialize(to.as_bytes()).collect::<String>();
        let to = to.map(|to| format!("&to={}", written(to))).unwrap_or_default();
        Ok(format!("{}/login?code={code}{to}", self.own_url()))
    }

    /// Returns when an answer has shown that the model catalogue at hand is an old one.
    pub async fn catalog_is_stale(&self) {
        self.stale.notified().await;
    }

    /// Serving breaks off as if the listener had failed: for tests of what comes after that.
    #[cfg(debug_assertions)]
    #[doc(hidden)]
    pub fn break_off(&self) {
        self.broken.notify_one();
    }

    /// Returns when a test wants serving to break off.
    async fn broken(&self) {
        #[cfg(debug_assertions)]
        self.broken.notified().await;
        #[cfg(not(debug_assertions))]
        std::future::pending::<()>().await;
    }

    /// Remembers why an account was picked, for people.
    fn note_pick(&self, lease: &Lease) {
        let pick = Pick { at: self.now(), account: lease.account.id.clone(), why: lease.why.clone() };
        *self.last_pick.lock().unwrap_or_else(PoisonError::into_inner) = Some(pick);
    }

    /// The account that was picked last.
    fn last_pick(&self) -> Option<AccountId> {
        let pick = self.last_pick.lock().unwrap_or_else(PoisonError::into_inner);
        pick.as_ref().map(|pick| pick.account.clone())
    }

    /// Remembers that another account took over.
    fn note_failover(&self, change: FailedOver) {
        *self.failed_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
        self.news.tell();
    }

    /// The address under which this machine reaches us.
    fn own_url(&self) -> String {
        let mut address = self.bound.get().copied().unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        format!("http://{address}")
    }

    /// The port we listen on; 0 before we do.
    pub fn port(&self) -> u16 {
        self.bound.get().map_or(0, SocketAddr::port)
    }

    /// When this account was picked, if it was the last one.
    fn last_pick_of(&self, id: &AccountId) -> Option<Timestamp> {
        let pick = self.last_pick.lock().unwrap_or_else(PoisonError::into_inner);
        pick.as_ref().filter(|pick| pick.account == *id).map(|pick| pick.at)
    }

    /// Remembers that an upstream could not be reached. What it answers, however bad, is another matter.
    fn note_failure(&self, failure: Option<&Failure>) {
        if let Some(failure) = failure.filter(|it| matches!(it.kind, FailureKind::Connect | FailureKind::Timeout)) {
            let unreached = doctor::Unreached { at: self.now(), message: failure.message.clone() };
            *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(unreached);
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Reads again what others may have changed on disk; what could not be read, in words. The client keys look after
    /// themselves.
    async fn reload(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.watched.nudge();
        if let Err(error) = self.settings.reload() {
            problems.push(error.to_string());
        }
        if let Err(error) = self.pool.reload().await {
            problems.push(error.to_string());
        }
        problems
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Tells this run from others; no secret.
fn run_nonce() -> u32 {
    let mut random = [0; 4];
    // Without random numbers nothing else of this works either.
    let _ = getrandom::fill(&mut random);
    u32::from_ne_bytes(random)
}

/// A new id for an exchange. Sorted by time.
fn new_request_id() -> String {
    format!("req_{}", uuid::Uuid::now_v7().simple())
}
