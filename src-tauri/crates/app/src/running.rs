//! Starting as the Owner, running, and stopping in order.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{Clock, Pool, Rotation, Vault};
use codeferry_demo::Demo;
use codeferry_gateway::{Gateway, LogLines, Others, Parts};
use codeferry_store::capture::Captures;
use codeferry_store::log::Log;
use codeferry_store::{self as store, ClientKeys, KeyError, OpenError, Settings, SettingsFile, TokenError};
use codeferry_upstream::{Endpoints, Upstream};
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::listen::{self, ListenError};
use crate::owner::{Owner, OwnerError};
use crate::traces::Tracing;
use crate::{
    Environment, Folders, Paths, VERSION, catalog, demo, doctor, logging, old_names, parts, resting, system_clock,
};

/// How to start. What is `None` is taken from the settings.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The address to listen on. Only here can it be another than loopback.
    pub host: Option<IpAddr>,
    /// Where nobody could say it: whatever the setting `host` is, listen on loopback. The app has no other way back from a
    /// value that keeps it from starting.
    pub stay_on_loopback: bool,
    /// The port; 0 takes a free one.
    pub port: Option<u16>,
    /// Serve the embedded demo account, and leave the vault alone.
    pub demo: bool,
    /// How long answers may go on once we stop.
    pub grace: Option<Duration>,
    /// For one errand of the command line: beside the Owner, if there is one, and with no work in the background. A
    /// sign-in waits for minutes, and keeps nobody from serving meanwhile; the vault's own locks are what makes it safe.
    pub errand: bool,
    /// Only for as long as a client does that was started with it. Who else needs the gateway then looks after itself.
    pub for_a_client: bool,
    /// What this process logs, as [`logging::start`](crate::logging::start) gave it.
    pub log_lines: LogLines,
}

/// The gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder has another Owner, or cannot be had.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The address is taken, or not ours.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Everyone in the network would be let in.
    #[error(
        "{0} is reached from other machines, and there is no client key yet: make one with `codeferry keys create NAME` first"
    )]
    NoKey(IpAddr),
    /// The setting alone does not open the gateway to the network.
    #[error("the setting host is {0}, which is reached from other machines: if that is meant, say it with --host {0}")]
    NotLoopback(IpAddr),
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] OpenError),
    /// The client keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// There is no control token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// This installation has no name.
    #[error(transparent)]
    HostId(#[from] codeferry_store::HostIdError),
    /// The data folder cannot be made.
    #[error("cannot make the data folder {}: {source}", .home.display())]
    Home {
        /// The data folder.
        home: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The embedded upstream does not start.
    #[error("the demo upstream does not start: {0}")]
    Demo(io::Error),
}

/// The gateway does not end well.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The listener failed.
    #[error("serving failed: {0}")]
    Serve(#[from] io::Error),
    /// The task that serves panicked.
    #[error("serving broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// A running gateway, the Owner of its data folder.
///
/// End it with [`stop`](Self::stop). Dropped, it stops serving at once.
pub struct Running {
    address: SocketAddr,
    url: String,
    gateway: Arc<Gateway>,
    keys: ClientKeys,
    settings: SettingsFile,
    pool: Pool,
    upstream: Arc<Upstream>,
    log: Log,
    captures: Captures,
    stop: CancellationToken,
    /// `None` once its end was seen.
    serving: Option<JoinHandle<io::Result<()>>>,
    ended: Option<Result<(), StopError>>,
    tasks: TaskTracker,
    demo: Option<Demo>,
    /// Who traces the exchanges.
    traces: Option<Arc<Tracing>>,
    /// Where the log goes. After all that may say something.
    files: Option<logging::Writer>,
    /// Last, so that nobody else takes the folder before everything else is gone. `None` on an errand.
    owner: Option<Owner>,
}

/// How long a token under renewal, and the background tasks, may take to come to rest at the end.
const SETTLING: Duration = Duration::from_secs(10);
/// Commands tell us what they changed. Between two looks whether one could not.
const REREAD: Duration = Duration::from_secs(3);

impl StartError {
    /// What was asked for does not go together with what is there.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Owner(OwnerError::Taken { .. }) | Self::Listen(_) | Self::NoKey(_) | Self::NotLoopback(_))
    }
}

/// Becomes the Owner of the data folder and serves. Nothing is asked of the network, and no keychain, before the
/// first request or the background work that follows the start.
///
/// # Errors
/// See [`StartError`].
pub async fn start(options: Options, paths: &Paths, environment: &Environment) -> Result<Running, StartError> {
    parts::install_crypto_provider();
    let clock = system_clock();
    paths.make().map_err(|source| StartError::Home { home: paths.home().to_owned(), source })?;
    let mut owner = match options.errand {
        true => None,
        false => Some(Owner::take(paths, options.demo, options.for_a_client, clock()).await?),
    };

    let settings = parts::settings(paths)?;
    // A demo leaves nothing behind, and an errand has an Owner beside it.
    let serves = !options.errand && !options.demo;
    let files = serves.then(|| logging::to_files(&options.log_lines, paths, &settings.snapshot())).flatten();
    for problem in settings.problems() {
        tracing::warn!("{problem}");
    }
    let keys = parts::client_keys(paths)?;
    let control_token = parts::control_token(paths)?;
    let host_id = codeferry_store::host_id(&paths.host_id())?;
    // Before the settings are looked at: what changes in between is news.
    let changes = settings.subscribe();
    let chosen = settings.snapshot();
    let ip = address(&options, &chosen, &keys)?;
    let (listener, address) = listen::bind(ip, options.port.unwrap_or(chosen.port)).await?;

    let mut endpoints = environment.endpoints.clone();
    let household = parts::household(paths, environment);
    let (demo, upstream, pool) = if options.demo {
        let (demo, account, credential) = demo::start(clock()).await.map_err(StartError::Demo)?;
        endpoints = Endpoints { demo: Some(demo.url()), ..endpoints };
        let upstream = Arc::new(parts::upstream(endpoints, &chosen, &clock).with_codex_cli(household));
        // A folder that is never made: the vault in it is empty, and no key is asked for.
        let vault = Vault::new(paths.home().join("demo"), environment.vault);
        let pool = Pool::new(vault, Arc::new(upstream.oauth()), Arc::clone(&clock));
        pool.add_ephemeral(account, credential);
        (Some(demo), upstream, pool)
    } else {
        let upstream = Arc::new(parts::upstream(endpoints, &chosen, &clock).with_codex_cli(household));
        let vault = Vault::new(paths.home(), environment.vault);
        (None, Arc::clone(&upstream), Pool::new(vault, Arc::new(upstream.oauth()), Arc::clone(&clock)))
    };

    pool.set_rotation(rotation(chosen.rotation));
    pool.set_time_zone(TimeZone::system());

    let log = request_log(&options, paths, &chosen, &clock);
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let otel = environment.otel.as_ref().filter(|_| !options.errand);
    let traces = Tracing::begin(otel, &upstream, &tasks);
    let captures = captures(&options, paths, &settings, &clock);
    let gateway = Gateway::new(Parts {
        settings: Arc::new(settings.clone()),
        keys: Arc::new(keys.clone()),
        control_token,
        pool: Arc::new(pool.clone()),
        upstream: Arc::clone(&upstream),
        clock,
        version: VERSION,
        host_id,
        log_lines: options.log_lines,
        traces: traces.clone().map(|traces| traces as Arc<dyn codeferry_gateway::Traces>),
        log: log.clone(),
        others: others(environment, paths),
        machine: crate::machine::machine(environment),
        captures: captures.clone(),
        house: {
            let (paths, environment) = (paths.clone(), environment.clone());
            Arc::new(move || doctor::house(&paths, &environment))
        },
    });
    let url = format!("http://{address}");
    if let Some(owner) = &mut owner {
        owner.announce(url.clone())?;
    }

    let grace = options.grace.unwrap_or(Duration::from_secs(chosen.grace_seconds));
    let serving = tasks.spawn(Arc::clone(&gateway).serve(listener, stop.clone(), grace));
    if !options.errand {
        // These end by the token; the drain waits for them.
        let cache = (!options.demo).then(|| catalog::Cache::new(paths));
        let fresh = catalog::keep_fresh(pool.clone(), Arc::clone(&upstream), Arc::clone(&gateway), cache);
        tasks.spawn(stop.clone().run_until_cancelled_owned(fresh));
        let resting = resting::watch(pool.clone(), Arc::clone(&upstream), gateway.looks());
        tasks.spawn(stop.clone().run_until_cancelled_owned(resting));
        tasks.spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&gateway).watch_clients()));
        tasks.spawn(stop.clone().run_until_cancelled_owned(reread(pool.clone())));
        tasks.spawn(stop.clone().run_until_cancelled_owned(follow(
            changes,
            Arc::clone(&upstream),
            pool.clone(),
            log.clone(),
        )));
    }
    if !options.errand {
        tracing::info!(target: logging::LIFE, version = VERSION, pid = std::process::id(), %address, demo = options.demo, "started");
    }
    if !options.errand {
        old_names::report(&environment.old);
        warn_if_open(&chosen);
    }
    let serving = Some(serving);
    Ok(Running {
        address,
        url,
        gateway,
        keys,
        settings,
        pool,
        upstream,
        log,
        captures,
        stop,
        serving,
        ended: None,
        tasks,
        demo,
        traces,
        files,
        owner,
    })
}

/// Where to listen. Loopback, unless somebody says otherwise here and now, and has a key to let clients in with.
fn address(options: &Options, settings: &Settings, keys: &ClientKeys) -> Result<IpAddr, StartError> {
    let set = settings.host.parse::<IpAddr>().unwrap_or(Ipv4Addr::LOCALHOST.into());
    match options.host {
        Some(ip) if !ip.is_loopback() && keys.list()?.is_empty() => Err(StartError::NoKey(ip)),
        Some(ip) => Ok(ip),
        None if set.is_loopback() => Ok(set),
        None if options.stay_on_loopback => {
            tracing::warn!(
                "the setting host is {set}; the app listens on this machine alone: codeferry serve --host {set} opens it"
            );
            Ok(Ipv4Addr::LOCALHOST.into())
        }
        None => Err(StartError::NotLoopback(set)),
    }
}

fn others(environment: &Environment, paths: &Paths) -> Others {
    let Folders { codex, claude, .. } = &environment.folders;
    Others {
        codex_auth: codex.as_ref().map(|folder| folder.join("auth.json")),
        claude_settings: claude.as_ref().map(|folder| folder.join("settings.json")),
        data: paths.home().to_owned(),
    }
}

/// The old paths are open to every program on this machine: that is said wherever somebody may see it.
fn warn_if_open(settings: &Settings) {
    if let Some(warning) = codeferry_gateway::open_warning(settings) {
        tracing::warn!("{warning}");
    }
}

/// An errand serves nobody, so it has nothing to write down; it may be asked what was.
fn request_log(options: &Options, paths: &Paths, chosen: &Settings, clock: &Clock) -> Log {
    let path = if options.demo { paths.demo_request_log() } else { paths.request_log() };
    match options.errand {
        true => Log::look(path),
        false => Log::open(path, chosen.keep(), chosen.price_list(), Arc::clone(clock)),
    }
}

/// Nor is there anything of an errand to capture.
fn captures(options: &Options, paths: &Paths, settings: &SettingsFile, clock: &Clock) -> Captures {
    let make = if options.errand { Captures::look } else { Captures::open };
    make(paths.captures(), settings.clone(), Arc::clone(clock))
}

/// What of the settings reaches further than the request it is read for.
async fn follow(mut changes: watch::Receiver<Arc<Settings>>, upstream: Arc<Upstream>, pool: Pool, log: Log) {
    let mut open = changes.borrow().compat_open_on_loopback;
    while changes.changed().await.is_ok() {
        let chosen = changes.borrow_and_update().clone();
        upstream.set_compress(chosen.compress_upstream);
        pool.set_rotation(rotation(chosen.rotation));
        if !std::mem::replace(&mut open, chosen.compat_open_on_loopback) {
            warn_if_open(&chosen);
        }
        // These wait for a place in the queue.
        let log = log.clone();
        let told = tokio::task::spawn_blocking(move || {
            log.set_keep(chosen.keep());
            log.set_prices(chosen.price_list());
        });
        drop(told.await);
    }
}

/// Sees what commands change in the vault although they could not tell us.
async fn reread(pool: Pool) {
    let mut ticks = tokio::time::interval(REREAD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = pool.reload_if_changed().await {
            tracing::warn!(%error, "the accounts cannot be read again");
        }
    }
}

fn rotation(chosen: store::Rotation) -> Rotation {
    match chosen {
        store::Rotation::Personal => Rotation::Personal,
        store::Rotation::Sticky => Rotation::Sticky,
        store::Rotation::RoundRobin => Rotation::RoundRobin,
        store::Rotation::LeastInFlight => Rotation::LeastInFlight,
        store::Rotation::FillFirst => Rotation::FillFirst,
    }
}

// === impl Running ===

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as `http://address:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it is doing.
    pub fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// Who may use it.
    pub fn keys(&self) -> &ClientKeys {
        &self.keys
    }

    /// What was chosen.
    pub fn settings(&self) -> &SettingsFile {
        &self.settings
    }

    /// Who pays.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What happened.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The embedded upstream, while there is one.
    pub fn demo(&self) -> Option<&Demo> {
        self.demo.as_ref()
    }

    /// Returns when the gateway has stopped by itself: the control plane was asked to, or the listener failed.
    pub async fn ended(&mut self) {
        let Some(serving) = &mut self.serving else { return };
        let end = serving.await;
        self.serving = None;
        self.ended = Some(match end {
            Ok(served) => served.map_err(StopError::from),
            Err(error) => Err(error.into()),
        });
    }

    /// Takes no new connection, lets answers finish for the grace period, ends the rest with an error event, waits for
    /// a token under renewal, and gives the data folder back.
    ///
    /// # Errors
    /// When serving failed, now or before.
    pub async fn stop(mut self) -> Result<(), StopError> {
        self.stop.cancel();
        self.ended().await;
        if let Some(traces) = self.traces.take() {
            traces.end().await;
        }
        self.tasks.close();
        let rest = async { tokio::join!(self.tasks.wait(), self.pool.settle(), self.upstream.stop()) };
        if tokio::time::timeout(SETTLING, rest).await.is_err() {
            tracing::warn!("background work did not come to rest and is left behind");
        }
        if let Err(error) = self.pool.flush().await {
            tracing::warn!(%error, "what is left of the plans is not stored");
        }
        let (log, captures) = (self.log.clone(), self.captures.clone());
        let closed = tokio::task::spawn_blocking(move || {
            log.close();
            captures.close();
        });
        if closed.await.is_err() {
            tracing::warn!("the request log was not closed in order");
        }
        if let Some(demo) = &self.demo {
            demo.stop().await;
        }
        if self.owner.is_some() {
            tracing::info!(target: logging::LIFE, "stopped");
        }
        drop(self.files.take());
        self.ended.take().unwrap_or(Ok(()))
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("url", &self.url).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

#[cfg(test)]
mod tests;
