//! The official Codex CLI as an upstream: `codex app-server`, a child that is spoken to in lines over its stdin and
//! stdout.
//!
//! - [`CodexCli`] is the door: [`CodexCli::respond`] takes the body any other upstream would get, and gives a stream of the
//!   same events. [`CodexCli::look`] says whether a program can be used at all.
//! - A `seat` starts the child on first use, starts it again after a fall, and a `child` that nobody uses ends.
//! - `request` and `answer` translate, and do nothing else.
//!
//! **Invariant:** the CLI's sign-in is its own. Nothing here reads a credential, and nothing here writes below its home:
//! threads are ephemeral. What the protocol does was measured (docs/decisions/0005).

mod answer;
mod catalog;
mod child;
mod exchange;
mod failure;
mod lines;
mod request;
mod rpc;
mod seat;
mod session;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codeferry_accounts::Program;
use codeferry_translate::loss::Loss;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Catalog;
use crate::failure::{Failure, FailureKind};
use crate::transport::body::Body;

pub(crate) use self::exchange::Stream;
pub use self::failure::SIGN_IN;
use self::seat::Seat;

/// The version all this was measured with.
pub const MEASURED: &str = "0.169.0";

/// What children find when they come.
#[derive(Debug, Clone)]
pub struct Household {
    /// A folder of ours: the empty folder they work in, and the catalogues they are given.
    pub folder: PathBuf,
    /// `PATH`, as our environment has it. The program's own folder is put before it: the one npm installs is a script for
    /// the Node.js beside it.
    pub search: Option<OsString>,
    /// Variables of our environment that they do not get.
    pub kept_secret: Vec<OsString>,
    /// Our version.
    pub version: String,
    /// How long and how large things may become.
    pub bounds: Bounds,
}

/// How long and how large things may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// From the start of a child until it is ready.
    pub handshake: Duration,
    /// A request to the child; an answer of the model is none.
    pub request: Duration,
    /// `codex debug models`, which may ask its host.
    pub catalog: Duration,
    /// A child nobody uses ends after that.
    pub idle: Duration,
    /// Between the closing of its stdin and its end by force.
    pub grace: Duration,
    /// Before another start, after a first fall.
    pub first_rest: Duration,
    /// The same after many.
    pub longest_rest: Duration,
    /// One message of a child, in bytes.
    pub longest_line: usize,
    /// Silence within an answer.
    pub silence: Duration,
}

/// What a look at a program found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its version, as it says.
    pub version: String,
    /// The version is another than the one we know best.
    pub unknown: bool,
    /// `chatgpt`, `apiKey`, …; `None` where its own settings need no sign-in.
    pub sign_in: Option<String>,
    /// Who is signed in.
    pub email: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Instructions in its home, which go along with every request and cannot be kept from it.
    pub instructions: Option<PathBuf>,
}

/// The way to the Codex CLI.
#[derive(Debug)]
pub struct CodexCli {
    shared: Arc<Shared>,
    seats: Mutex<HashMap<Program, Arc<Seat>>>,
}

/// What all seats share.
#[derive(Debug)]
struct Shared {
    household: Household,
    tasks: TaskTracker,
    stop: CancellationToken,
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            request: Duration::from_secs(30),
            catalog: Duration::from_secs(10),
            idle: Duration::from_secs(5 * 60),
            grace: Duration::from_secs(3),
            first_rest: Duration::from_millis(500),
            longest_rest: Duration::from_secs(5),
            // A picture, or what a tool gave, passes in one.
            longest_line: 128 * 1024 * 1024,
            silence: Duration::from_secs(600),
        }
    }
}

// === impl Household ===

impl Household {
    /// The usual one below this folder.
    pub fn new(folder: PathBuf, version: &str) -> Self {
        Self { folder, search: None, kept_secret: Vec::new(), version: version.to_owned(), bounds: Bounds::default() }
    }

    /// Where children work: nothing is in it.
    fn cwd(&self) -> PathBuf {
        self.folder.join("empty")
    }

    /// The catalogue for a program. Two programs have two.
    fn models_of(&self, program: &Program) -> PathBuf {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        program.hash(&mut hasher);
        self.folder.join(format!("models-{:016x}.json", hasher.finish()))
    }

    async fn make(&self) -> Result<(), Failure> {
        let cwd = self.cwd();
        let mut builder = tokio::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        builder.mode(0o700);
        builder.create(&cwd).await.map_err(|error| {
            Failure::new(FailureKind::Program, format!("cannot make the folder {}: {error}", cwd.display()))
        })
    }
}

// === impl CodexCli ===

impl CodexCli {
    /// Starts nothing yet.
    pub fn new(household: Household) -> Self {
        let shared = Shared { household, tasks: TaskTracker::new(), stop: CancellationToken::new() };
        Self { shared: Arc::new(shared), seats: Mutex::default() }
    }

    /// What a request loses on its way through the CLI.
    pub fn losses(body: &[u8]) -> Vec<Loss> {
        request::read(body).map(|asked| asked.losses).unwrap_or_default()
    }

    /// Asks a model through the CLI. `body` is what a Responses upstream would get.
    pub async fn respond(&self, program: &Program, model: &str, body: &[u8], now: Timestamp) -> Result<Body, Failure> {
        let asked = request::read(body).map_err(|error| {
            Failure::new(FailureKind::InvalidRequest { param: None }, format!("the request cannot be read: {error}"))
        })?;
        self.shared.household.make().await?;
        let seat = self.seat(program);
        let (used, ready) = seat.enter(&self.shared).await?;
        let stream = exchange::begin((used, &ready), &self.shared.household, model, asked, now).await?;
        Ok(Body::of_codex_cli(stream, self.shared.household.bounds.silence))
    }

    /// The models of the CLI's account.
    pub async fn models(&self, program: &Program) -> Result<Catalog, Failure> {
        self.shared.household.make().await?;
        let raw = seat::raw_models(program, &self.shared).await?;
        Catalog::parse(&raw, None).map_err(|error| {
            Failure::new(FailureKind::Program, format!("the Codex CLI lists no models we can read: {error}"))
        })
    }

    /// Looks whether a program is a Codex CLI that can be used, and who is signed in.
    pub async fn look(&self, program: &Program) -> Result<Found, Failure> {
        self.shared.household.make().await?;
        if let Some(home) = program.home.as_deref().filter(|home| !home.is_dir()) {
            let message = format!("the home of the Codex CLI, {}, does not exist", home.display());
            return Err(Failure::new(FailureKind::Program, message));
        }
        let mut command = child::command(program, &self.shared.household);
        command.arg("--version").stdin(std::process::Stdio::null());
        let output = tokio::time::timeout(self.shared.household.bounds.handshake, command.output()).await;
        let version = match output {
            Ok(Ok(output)) => exchange::version_in(&output.stdout),
            Ok(Err(error)) => return Err(child::not_started(&program.path, &error)),
            Err(_) => None,
        };
        let Some(version) = version else {
            let message =
                format!("{} does not say `codex-cli VERSION`: it is not the Codex CLI", program.path.display());
            return Err(Failure::new(FailureKind::Program, message));
        };
        if seat::is_too_old(&version) {
            return Err(seat::too_old(&version));
        }
        let seat = self.seat(program);
        let (used, ready) = seat.enter(&self.shared).await?;
        drop(used);
        let account = ready.facts.account.account.clone();
        Ok(Found {
            unknown: version != MEASURED,
            version,
            instructions: ready.facts.instructions.clone(),
            sign_in: account.as_ref().map(|account| account.kind.clone()),
            email: account.as_ref().and_then(|account| account.email.clone()),
            plan: account.and_then(|account| account.plan_type),
        })
    }

    /// Ends all children and waits until they are gone. None is started afterwards.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    fn seat(&self, program: &Program) -> Arc<Seat> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(seats.entry(program.clone()).or_insert_with(|| Arc::new(Seat::new(program.clone()))))
    }
}

impl Drop for CodexCli {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

/// Writes a file whole or not at all: a child may be reading the one that is there.
async fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let written = async {
        let mut file = options.open(&beside).await?;
        file.write_all(bytes).await?;
        file.flush().await
    }
    .await;
    let renamed = match written {
        Ok(()) => tokio::fs::rename(&beside, path).await,
        Err(error) => Err(error),
    };
    if renamed.is_err() {
        drop(tokio::fs::remove_file(&beside).await);
    }
    renamed
}
