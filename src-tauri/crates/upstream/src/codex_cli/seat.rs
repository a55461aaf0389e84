//! Where a child sits: started when somebody comes, started again after it fell, not too often.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::Program;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::session::{InUse, Session};
use super::{Shared, catalog, child};
use crate::failure::{Failure, FailureKind};

/// Since this version the CLI does what we need (measured).
pub(super) const OLDEST: (u32, u32) = (0, 155);

/// The seat of one program with one home.
#[derive(Debug)]
pub(super) struct Seat {
    program: Program,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Arc<Ready>>,
    /// Ends and failed starts in a row.
    falls: u32,
    not_before: Option<Instant>,
}

/// A child that has shaken hands.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) session: Arc<Session>,
    pub(super) facts: Facts,
}

/// What a child says of itself.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) version: Option<String>,
    /// A file of the person's own that goes along with every request, and cannot be kept from it.
    pub(super) instructions: Option<PathBuf>,
    pub(super) account: Account,
    /// `config` of each thread: what switches the person's own additions off.
    pub(super) config: Box<RawValue>,
}

/// Who is signed in, as `account/read` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    pub(super) account: Option<SignedIn>,
    #[serde(default)]
    requires_openai_auth: bool,
}

/// A sign-in of the CLI's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedIn {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) email: Option<String>,
    pub(super) plan_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hello {
    user_agent: Option<String>,
    codex_home: Option<PathBuf>,
}

#[derive(Deserialize)]
struct ConfigRead {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    mcp_servers: Option<std::collections::BTreeMap<String, Box<RawValue>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initialize<'a> {
    client_info: ClientInfo<'a>,
    capabilities: Capabilities,
}

#[derive(Serialize)]
struct ClientInfo<'a> {
    name: &'a str,
    title: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    /// Dynamic tools, injected history and raw items are behind it.
    experimental_api: bool,
}

#[derive(Serialize)]
struct Nothing {}

/// Features of the CLI that would bring tools or texts of its own, or work of its own.
const SWITCHED_OFF: &[&str] = &[
    "apps",
    "browser_use",
    "code_mode_host",
    "computer_use",
    "goals",
    "guardian_approval",
    "hooks",
    "image_generation",
    "in_app_browser",
    "memories",
    "multi_agent",
    "plugins",
    "remote_plugin",
    "shell_snapshot",
    "shell_tool",
    "skill_mcp_dependency_install",
    "skill_search",
    "sleep_tool",
    "tool_call_mcp_elicitation",
    "tool_suggest",
    "unbounded_connection_retries",
    "unified_exec",
    "view_image",
    "workspace_dependencies",
];

/// The same for its configuration. The two large numbers keep it from shortening what it is given.
const CONFIGURED: &[&str] = &[
    "web_search=\"disabled\"",
    "project_doc_max_bytes=0",
    "history.persistence=\"none\"",
    "skills.bundled.enabled=false",
    "skills.include_instructions=false",
    "include_apps_instructions=false",
    "include_collaboration_mode_instructions=false",
    "include_environment_context=false",
    "include_permissions_instructions=false",
    "tools.experimental_request_user_input.enabled=false",
    "tool_output_token_limit=1000000000",
    "model_auto_compact_token_limit=1000000000",
    "thread_unload_delay_secs=0",
    "check_for_update_on_startup=false",
    "notify=[]",
];

// === impl Seat ===

impl Seat {
    pub(super) fn new(program: Program) -> Self {
        Self { program, state: Mutex::default() }
    }

    /// A child that is ready. Starts one if there is none; all who come meanwhile wait for the same.
    pub(super) async fn enter(&self, shared: &Arc<Shared>) -> Result<(InUse, Arc<Ready>), Failure> {
        let mut state = self.state.lock().await;
        if let Some(ready) = state.current.take() {
            if let Some(used) = ready.session.enter() {
                state.current = Some(Arc::clone(&ready));
                return Ok((used, ready));
            }
            if ready.session.was_retired() || ready.session.has_served() {
                state.falls = 0;
            }
            if !ready.session.was_retired() {
                state.rest(shared);
            }
        }
        if let Some(at) = state.not_before {
            tokio::time::sleep_until(at).await;
        }
        let started = self.start(shared).await;
        match started {
            Ok(ready) => {
                let ready = Arc::new(ready);
                let used = ready.session.enter();
                state.current = Some(Arc::clone(&ready));
                used.map(|used| (used, ready)).ok_or_else(ended_at_once)
            }
            Err(failure) => {
                state.rest(shared);
                Err(failure)
            }
        }
    }

    /// Starts a child and shakes hands.
    async fn start(&self, shared: &Arc<Shared>) -> Result<Ready, Failure> {
        if shared.stop.is_cancelled() {
            return Err(Failure::new(FailureKind::Unavailable, "The gateway is stopping."));
        }
        let models = self.models(shared).await?;
        let session = child::start(&self.program, &arguments(&models), shared)?;
        let bounds = &shared.household.bounds;
        // Dropped half-way, the child goes.
        let unready = Unready(Some(Arc::clone(&session)));
        let facts = tokio::time::timeout(bounds.handshake, self.shake_hands(&session, shared));
        let facts = match facts.await {
            Ok(facts) => facts?,
            Err(_) => {
                let seconds = bounds.handshake.as_secs();
                let message = format!("the Codex CLI did not become ready within {seconds} seconds");
                return Err(Failure::new(FailureKind::Unavailable, message));
            }
        };
        tracing::info!(target: "codeferry::codex_cli", version = facts.version, "the Codex CLI is ready");
        Ok(Ready { session: unready.made(session), facts })
    }

    async fn shake_hands(&self, session: &Arc<Session>, shared: &Shared) -> Result<Facts, Failure> {
        let client_info = ClientInfo { name: "codeferry", title: "Codeferry", version: &shared.household.version };
        let hello = Initialize { client_info, capabilities: Capabilities { experimental_api: true } };
        let hello: Hello = read("initialize", &session.ask("initialize", &hello).await?)?;
        let version = hello.user_agent.as_deref().and_then(version_of).map(str::to_owned);
        if let Some(version) = version.as_deref().filter(|version| is_too_old(version)) {
            return Err(too_old(version));
        }
        session.write(super::rpc::notification("initialized"));
        let account: Account = read("account/read", &session.ask("account/read", &Nothing {}).await?)?;
        if account.requires_openai_auth && account.account.is_none() {
            return Err(Failure::new(FailureKind::Program, super::failure::SIGN_IN));
        }
        let config: ConfigRead = read("config/read", &session.ask("config/read", &Nothing {}).await?)?;
        let instructions = hello.codex_home.as_deref().and_then(instructions_in);
        if let Some(path) = &instructions {
            tracing::info!(target: "codeferry::codex_cli", path = %path.display(), "goes along with every request");
        }
        Ok(Facts { version, instructions, account, config: thread_config(&config.config)? })
    }

    /// The CLI's catalogue, changed, in a file of ours.
    async fn models(&self, shared: &Arc<Shared>) -> Result<PathBuf, Failure> {
        let raw = raw_models(&self.program, shared).await?;
        let changed = catalog::plain(&raw).map_err(|error| {
            Failure::new(
                FailureKind::Program,
                format!("the model catalogue of this Codex CLI cannot be read ({error}): update it"),
            )
        })?;
        let path = shared.household.models_of(&self.program);
        let written = crate::codex_cli::write_whole(&path, &changed).await;
        written
            .map_err(|error| Failure::new(FailureKind::Program, format!("cannot write {}: {error}", path.display())))?;
        Ok(path)
    }
}

/// What the CLI takes along from its home. It is not read here; that it is there is enough.
fn instructions_in(home: &Path) -> Option<PathBuf> {
    ["AGENTS.override.md", "AGENTS.md"].into_iter().map(|name| home.join(name)).find(|path| path.is_file())
}

/// What `codex debug models` prints. With a sign-in it may ask its host; without an answer the built-in one does.
pub(super) async fn raw_models(program: &Program, shared: &Shared) -> Result<Vec<u8>, Failure> {
    let run = async |args: &[&str]| {
        let mut command = child::command(program, &shared.household);
        command.args(args).stdin(std::process::Stdio::null());
        let output = tokio::time::timeout(shared.household.bounds.catalog, command.output()).await;
        match output {
            Ok(Ok(output)) if output.status.success() => Ok(Some(output.stdout)),
            Ok(Err(error)) => Err(child::not_started(&program.path, &error)),
            Ok(Ok(_)) | Err(_) => Ok(None),
        }
    };
    if let Some(models) = run(&["debug", "models"]).await? {
        return Ok(models);
    }
    run(&["debug", "models", "--bundled"]).await?.ok_or_else(|| {
        let message = "this program does not list its models (`codex debug models`): is it the Codex CLI, and a \
                       recent one? Update it with `npm install -g @openai/codex`";
        Failure::new(FailureKind::Program, message)
    })
}

fn arguments(models: &Path) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["app-server".into()];
    for feature in SWITCHED_OFF {
        args.extend(["--disable".into(), (*feature).into()]);
    }
    for setting in CONFIGURED {
        args.extend(["-c".into(), (*setting).into()]);
    }
    // JSON strings are TOML strings, too.
    let path = serde_json::to_string(&models.to_string_lossy()).unwrap_or_default();
    args.extend(["-c".into(), format!("model_catalog_json={path}").into()]);
    args
}

/// MCP servers of the person's own stay off in our threads: they would add tools, and run programs.
fn thread_config(config: &Config) -> Result<Box<RawValue>, Failure> {
    #[derive(Serialize)]
    struct Off {
        enabled: bool,
    }
    #[derive(Serialize)]
    struct Of<'a> {
        #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
        mcp_servers: std::collections::BTreeMap<&'a str, Off>,
    }
    let names = config.mcp_servers.iter().flatten().map(|(name, _)| (name.as_str(), Off { enabled: false }));
    serde_json::value::to_raw_value(&Of { mcp_servers: names.collect() })
        .map_err(|error| Failure::new(FailureKind::Protocol, error.to_string()))
}

pub(super) fn read<'a, T: Deserialize<'a>>(method: &str, result: &'a RawValue) -> Result<T, Failure> {
    serde_json::from_str(result.get()).map_err(|error| {
        Failure::new(
            FailureKind::Protocol,
            format!("The Codex CLI answered {method} in a way we do not know: {error}."),
        )
    })
}

/// `0.169.0` out of `codeferry/0.169.0 (Debian …)` or `codex-cli 0.169.0`.
pub(super) fn version_of(text: &str) -> Option<&str> {
    let rest = text.split(['/', ' ']).nth(1)?;
    rest.starts_with(|c: char| c.is_ascii_digit()).then_some(rest)
}

pub(super) fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < OLDEST,
        _ => false,
    }
}

pub(super) fn too_old(version: &str) -> Failure {
    let (major, minor) = OLDEST;
    let message = format!(
        "the Codex CLI is version {version}, and {major}.{minor} is the oldest that can be driven: update it with \
         `npm install -g @openai/codex`"
    );
    Failure::new(FailureKind::Program, message)
}

fn ended_at_once() -> Failure {
    Failure::new(FailureKind::Unavailable, "The Codex CLI ended as soon as it was ready.")
}

// === impl State ===

impl State {
    /// After a fall: 500 ms, doubled each time, up to 5 s.
    fn rest(&mut self, shared: &Shared) {
        let bounds = &shared.household.bounds;
        let pause = bounds.first_rest.saturating_mul(1 << self.falls.min(8)).min(bounds.longest_rest);
        self.falls = self.falls.saturating_add(1);
        self.not_before = Some(Instant::now() + pause);
        tracing::debug!(target: "codeferry::codex_cli", falls = self.falls, pause_ms = Duration::as_millis(&pause), "rests before another start");
    }
}

/// A child that has not shaken hands yet.
struct Unready(Option<Arc<Session>>);

impl Unready {
    fn made(mut self, session: Arc<Session>) -> Arc<Session> {
        self.0 = None;
        session
    }
}

impl Drop for Unready {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            session.end(Failure::new(FailureKind::Unavailable, "The Codex CLI was given up before it was ready."));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared() {
        assert_eq!(version_of("codeferry/0.169.0 (Debian 12.0.0; x86_64) unknown"), Some("0.169.0"));
        assert_eq!(version_of("codex-cli 0.169.0"), Some("0.169.0"));
        assert_eq!(version_of("something else"), None);
        for (version, old) in
            [("0.154.9", true), ("0.155.0", false), ("0.169.0-alpha.2", false), ("1.0.0", false), ("odd", false)]
        {
            assert_eq!(is_too_old(version), old, "{version}");
        }
        assert!(!is_too_old(crate::codex_cli::MEASURED));
    }

    #[test]
    fn the_persons_own_servers_are_switched_off_by_name() {
        let config: ConfigRead =
            serde_json::from_str(r#"{"config":{"model":"x","mcp_servers":{"a.b":{"command":"x"},"c":{}}}}"#).unwrap();
        let thread = thread_config(&config.config).unwrap();
        assert_eq!(thread.get(), r#"{"mcp_servers":{"a.b":{"enabled":false},"c":{"enabled":false}}}"#);
        let none: ConfigRead = serde_json::from_str(r#"{"config":{"mcp_servers":null}}"#).unwrap();
        assert_eq!(thread_config(&none.config).unwrap().get(), "{}");
    }
}
