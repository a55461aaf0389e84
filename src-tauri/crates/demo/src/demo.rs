//! The handle: start it, look into it, make it misbehave, stop it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::account::{AccountKind, DemoAccount};
use crate::limits::Limits;
use crate::net::{Line, Listener};
use crate::oauth::TokenFault;
use crate::record::{Recorded, Route, Violation};
use crate::routes;
use crate::scripted::Scripted;
use crate::socket::HandshakeFault;
use crate::wham::{ResetCredit, Workspace};
use crate::world::{Options, World};

mod sign_in;

/// A running simulated upstream. Dropping it drops every connection.
pub struct Demo {
    world: Arc<World>,
    address: SocketAddr,
    url: Url,
    stop: CancellationToken,
    tasks: TaskTracker,
}

// === impl Demo ===

impl Demo {
    /// Binds 127.0.0.1 and serves until [`stop`](Self::stop) or drop. Needs a tokio runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = tcp.local_addr()?;
        let url = Url::parse(&format!("http://{address}/")).map_err(io::Error::other)?;
        let world = Arc::new(World::new(options, format!("http://{address}"))?);
        let stop = CancellationToken::new();
        let listener = Listener::new(tcp, stop.clone());
        let service = routes::router(Arc::clone(&world)).into_make_service_with_connect_info::<Line>();
        let tasks = TaskTracker::new();
        let stopped = stop.clone();
        tasks.spawn(async move {
            tokio::select! {
                // It ends only with the listener's task.
                _ = axum::serve(listener, service).into_future() => {}
                () = stopped.cancelled() => {}
            }
        });
        tasks.close();
        Ok(Self { world, address, url, stop, tasks })
    }

    /// Drops every connection and frees the port.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    /// The base of all routes, such as `http://127.0.0.1:40123/`.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of the auth host: `{auth_url}/oauth/token`. Without a slash at the end.
    pub fn auth_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base of the codex provider: `{chatgpt_url}/codex/responses`.
    pub fn chatgpt_url(&self) -> String {
        format!("http://{}/backend-api", self.address)
    }

    /// The base of the plan provider: `{openai_url}/responses`.
    pub fn openai_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    // --- accounts and tokens ---

    /// Signs in the codex account of this name; each call is a sign-in of its own.
    pub fn account(&self, name: &str) -> DemoAccount {
        self.sign_in(AccountKind::Codex, name)
    }

    /// Signs in the plan account of this name.
    pub fn plan_account(&self, name: &str) -> DemoAccount {
        self.sign_in(AccountKind::Plan, name)
    }

    /// Signs in an account; the same name is the same account.
    pub fn sign_in(&self, kind: AccountKind, name: &str) -> DemoAccount {
        let who = self.world.identity(kind, name);
        let issued = self.world.issuer.sign_in(&who, self.world.now());
        who.with_tokens(issued)
    }

    /// Every access token given out so far is answered with 401 from here on. Refreshes are welcome at once.
    pub fn expire_access_tokens(&self) {
        self.world.issuer.expire_all();
    }

    /// Successful refreshes so far.
    pub fn refresh_count(&self) -> u64 {
        self.world.issuer.refreshed()
    }

    /// The next refresh goes wrong; several wait in line.
    pub fn fail_next_refresh(&self, fault: TokenFault) {
        self.world.lock().token_faults.push_back(fault);
    }

    /// Every refresh goes wrong, until this is called with `None`.
    pub fn fail_refreshes(&self, fault: Option<TokenFault>) {
        self.world.lock().standing_token_fault = fault;
    }

    /// What the account's windows say from here on, in headers, events and `wham/usage`.
    pub fn set_limits(&self, account_id: &str, limits: Limits) {
        self.world.lock().limits.insert(account_id.to_owned(), limits);
    }

    /// Whether streams of the codex provider begin with a `codex.rate_limits` event. They do not, unless told so.
    pub fn send_limit_events(&self, yes: bool) {
        self.world.lock().limit_events = yes;
    }

    /// The account's plan from here on: in headers and `wham/usage` at once, in claims with the next tokens.
    pub fn set_plan(&self, account_id: &str, plan: &str) {
        self.world.lock().plans.insert(account_id.to_owned(), plan.to_owned());
    }

    /// The reset credits an account has.
    pub fn set_reset_credits(&self, account_id: &str, credits: Vec<ResetCredit>) {
        self.world.lock().accounts.reset_credits.insert(account_id.to_owned(), credits);
    }

    /// What `wham/accounts/check` says of an account's workspace.
    pub fn set_workspace(&self, account_id: &str, workspace: Workspace) {
        self.world.lock().accounts.workspaces.insert(account_id.to_owned(), workspace);
    }

    /// Whether `wham/accounts/check` answers with a map instead of a list. Both are seen in the wild.
    pub fn set_accounts_as_map(&self, map: bool) {
        self.world.lock().accounts.as_map = map;
    }

    // --- answers ---

    /// The next model request (that fits, see [`Scripted::when`]) gets this answer instead of a scenario.
    pub fn push(&self, answer: Scripted) {
        self.world.lock().queue.push_back(answer);
    }

    /// Every model request without a pushed answer gets this one, until this is called with `None`.
    pub fn always(&self, answer: Option<Scripted>) {
        self.world.lock().standing = answer.map(Arc::new);
    }

    /// Pushed answers that nobody has asked for yet.
    pub fn queued(&self) -> usize {
        self.world.lock().queue.len()
    }

    /// Ends one silence of every request that arrived before this call, now or when it comes to it.
    pub fn release(&self) {
        self.world.releases.send_modify(|calls| *calls += 1);
    }

    /// Every handshake of a WebSocket goes wrong, until this is called with `None`.
    pub fn fail_handshakes(&self, fault: Option<HandshakeFault>) {
        self.world.lock().handshake_fault = fault;
    }

    /// Instead of each model's own context window; `None` gives it back.
    pub fn set_context_window(&self, tokens: Option<u64>) {
        self.world.lock().context_window = tokens;
    }

    /// Whether a prompt that does not fit is refused with status 400 instead of in a 200 stream.
    pub fn set_overflow_as_status(&self, status: bool) {
        self.world.lock().overflow_as_status = status;
    }

    // --- what was seen ---

    /// Everything that arrived, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.world.recorder.entries()
    }

    /// What arrived at either responses endpoint, in order.
    pub fn model_requests(&self) -> Vec<Recorded> {
        let mut requests = self.requests();
        requests.retain(Recorded::is_model_call);
        requests
    }

    /// What a client did that the real upstream refuses, or that it should not have sent.
    pub fn violations(&self) -> Vec<Violation> {
        self.world.recorder.violations()
    }

    /// The most model requests that were ever being answered at once.
    pub fn concurrent_peak(&self) -> u64 {
        self.world.recorder.peak()
    }

    /// Model requests being answered now.
    pub fn open_answers(&self) -> u64 {
        self.world.recorder.open()
    }

    /// The handshakes of WebSockets, in order.
    pub fn handshakes(&self) -> Vec<Recorded> {
        let mut requests = self.requests();
        requests.retain(|request| request.route == Route::Socket);
        requests
    }

    /// WebSockets that are open now.
    pub fn open_sockets(&self) -> u64 {
        self.world.sockets.opened.load(Ordering::Relaxed)
    }

    /// Waits until so many model requests have arrived in all.
    pub async fn wait_for(&self, count: u64) -> Vec<Recorded> {
        let mut changed = self.world.recorder.subscribe();
        while self.world.recorder.answers() < count && changed.changed().await.is_ok() {}
        self.model_requests()
    }

    /// Waits until the record satisfies the condition; asked again whenever something changes.
    pub async fn wait_until(&self, mut done: impl FnMut(&[Recorded]) -> bool) -> Vec<Recorded> {
        let mut changed = self.world.recorder.subscribe();
        loop {
            let requests = self.requests();
            if done(&requests) || changed.changed().await.is_err() {
                return requests;
            }
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
