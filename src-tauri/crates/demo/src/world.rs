//! The state behind the doors: options, tokens, queues, what was seen before.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::account::{AccountKind, Identity};
use crate::auth::Auth;
use crate::auth::keys::Keys;
use crate::estimate::PromptCache;
use crate::limits::Limits;
use crate::oauth::TokenFault;
use crate::record::Recorder;
use crate::scripted::Scripted;
use crate::seal::Seal;
use crate::socket::{HandshakeFault, Sockets};
use crate::tokens::Issuer;
use crate::wham::Accounts;

/// Where the demo reads the time. Only token lifetimes and reset times depend on it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a demo is set up.
#[derive(Clone)]
pub struct Options {
    /// 0 takes any free port.
    pub port: u16,
    /// The host's own clock.
    pub clock: Clock,
    /// What tokens and sealed reasoning are made from. Two demos with one seed know each other's.
    pub seed: String,
    /// Requests kept for [`Demo::requests`](crate::Demo::requests).
    pub keep: usize,
    /// How long an access token is good.
    pub token_lifetime: Duration,
    /// Instead of each model's own context window.
    pub context_window: Option<u64>,
    /// A prompt that does not fit is refused with status 400 instead of `response.failed` in a 200 stream.
    pub overflow_as_status: bool,
    /// Any bearer token will do. For tests that make their own.
    pub any_token: bool,
    /// `iss` of the id tokens and `issuer` of `/.well-known/openid-configuration`. None: the demo's own URL, without a
    /// slash at the end, for a client that checks `iss` against the host it was pointed at. A client that expects the real
    /// name wherever it is pointed needs `https://auth.openai.com` here.
    pub issuer: Option<String>,
    /// Seconds between two polls for a device code. 0 lets a test poll as it likes; polling earlier than this is answered
    /// with `slow_down`, and is a violation.
    pub device_interval: u64,
}

/// Everything the handlers share.
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) seal: Seal,
    pub(crate) issuer: Issuer,
    pub(crate) auth: Auth,
    /// Where this demo is, without a slash at the end.
    pub(crate) auth_url: String,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) releases: watch::Sender<u64>,
    pub(crate) sockets: Sockets,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) queue: VecDeque<Scripted>,
    pub(crate) standing: Option<Arc<Scripted>>,
    pub(crate) cache: PromptCache,
    pub(crate) limits: HashMap<String, Limits>,
    pub(crate) limit_events: bool,
    pub(crate) handshake_fault: Option<HandshakeFault>,
    /// Plans that are not the one an account was made with.
    pub(crate) plans: HashMap<String, String>,
    pub(crate) accounts: Accounts,
    pub(crate) context_window: Option<u64>,
    pub(crate) overflow_as_status: bool,
    pub(crate) token_faults: VecDeque<TokenFault>,
    pub(crate) standing_token_fault: Option<TokenFault>,
    happened: HashSet<String>,
    bodies: HashMap<u64, u64>,
}

/// Things remembered about the past; more than that is forgotten, because the embedded demo runs for weeks.
const MEMORY: usize = 10_000;

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            clock: Arc::new(wall_clock),
            seed: "codeferry-demo".to_owned(),
            keep: 1_000,
            token_lifetime: Duration::from_secs(3_600),
            context_window: None,
            overflow_as_status: false,
            any_token: false,
            issuer: None,
            device_interval: 5,
        }
    }
}

impl Options {
    /// For `codeferry serve --demo`: nothing is kept, tokens are good for ten days, as the real ones are.
    pub fn embedded() -> Self {
        Self { keep: 0, token_lifetime: Duration::from_secs(10 * 24 * 3_600), ..Self::default() }
    }
}

#[expect(clippy::disallowed_methods, reason = "the demo stands for a remote host, which has a clock of its own")]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options").field("port", &self.port).field("keep", &self.keep).finish_non_exhaustive()
    }
}

// === impl World ===

impl World {
    pub(crate) fn new(options: Options, auth_url: String) -> io::Result<Self> {
        let issuer = options.issuer.clone().unwrap_or_else(|| auth_url.clone());
        let seal = Seal::new(&options.seed);
        let state = State {
            context_window: options.context_window,
            overflow_as_status: options.overflow_as_status,
            ..State::default()
        };
        Ok(Self {
            issuer: Issuer::new(issuer, Keys::load()?, seal.clone(), options.token_lifetime),
            auth: Auth::new(),
            auth_url,
            recorder: Recorder::new(options.keep),
            releases: watch::Sender::new(0),
            sockets: Sockets::default(),
            state: Mutex::new(state),
            seal,
            options,
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> i64 {
        (self.options.clock)().as_second()
    }

    pub(crate) fn limits(&self, account: &str) -> Limits {
        self.lock().limits.get(account).cloned().unwrap_or_default()
    }

    /// The account of this name, on the plan it has now.
    pub(crate) fn identity(&self, kind: AccountKind, name: &str) -> Identity {
        let mut who = Identity::named(kind, name);
        if let Some(plan) = self.lock().plans.get(&who.account_id) {
            who.plan.clone_from(plan);
        }
        who
    }
}

// === impl State ===

impl State {
    /// The pushed answer for a request with this prompt, else the standing one.
    pub(crate) fn next_answer(&mut self, prompt: &str) -> Option<Arc<Scripted>> {
        let at = self.queue.iter().position(|answer| answer.when.as_ref().is_none_or(|text| prompt.contains(text)));
        match at.and_then(|at| self.queue.remove(at)) {
            Some(answer) => Some(Arc::new(answer)),
            None => self.standing.clone(),
        }
    }

    /// True the first time.
    pub(crate) fn first_time(&mut self, what: String) -> bool {
        if self.happened.len() > MEMORY {
            self.happened.clear();
        }
        self.happened.insert(what)
    }

    /// How often this body was seen before.
    pub(crate) fn seen(&mut self, body: u64) -> u64 {
        if self.bodies.len() > MEMORY {
            self.bodies.clear();
        }
        let count = self.bodies.entry(body).or_default();
        *count += 1;
        *count - 1
    }
}
