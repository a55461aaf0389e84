//! The real `codeferry`, as a test tool: a data folder, a fake upstream, and processes that end with the test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use codeferry_accounts::Pool;
use codeferry_app::{Paths, vault_pool};
use codeferry_demo::{Demo, DemoAccount};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::world::environment;

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A user of the command line: a folder, and an upstream that is the demo.
pub struct Binary {
    path: PathBuf,
    /// The upstream.
    pub demo: Demo,
    temp: TempDir,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Everything on stdout.
    pub out: String,
    /// Everything on stderr.
    pub err: String,
}

/// A running `codeferry serve`. Dropped, it is killed.
pub struct Server {
    /// Where it listens.
    pub url: String,
    /// The process.
    pub child: Child,
}

// === impl Binary ===

impl Binary {
    /// The binary that `cargo xtask test` built, or the one beside this test; `None` where there is none, which is said.
    pub async fn new() -> Option<Self> {
        Self::with(codeferry_demo::Options::default()).await
    }

    /// The same with an upstream of one's own.
    pub async fn with(upstream: codeferry_demo::Options) -> Option<Self> {
        let beside = std::env::current_exe().ok().and_then(|test| {
            let name = format!("codeferry{}", std::env::consts::EXE_SUFFIX);
            Some(test.parent()?.parent()?.join(name)).filter(|path| path.is_file())
        });
        let named = std::env::var_os("CODEFERRY_BIN").map(PathBuf::from);
        let path = named.or(beside).or_else(|| crate::client("CODEFERRY_BIN", "the codeferry binary"))?;
        codeferry_app::install_crypto_provider();
        let demo = Demo::start(upstream).await.expect("the fake upstream starts");
        Some(Self { path, demo, temp: tempfile::tempdir().expect("a folder") })
    }

    /// The program.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The data folder. The first command that needs it makes it.
    pub fn folder(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// A place for the test's own files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Writes the file this account is imported from.
    pub fn sign_in_of(&self, account: &DemoAccount, name: &str) -> String {
        let path = self.file(name);
        account.write(&path).expect("a sign-in file");
        path.to_str().expect("a readable path").to_owned()
    }

    /// What opens the control plane.
    pub fn control_token(&self) -> String {
        codeferry_app::control_token(&Paths::at(self.folder())).expect("a control token").expose()
    }

    /// A pool of this process over the folder of the others.
    pub fn pool(&self) -> Pool {
        vault_pool(&Paths::at(self.folder()), &environment(&self.demo, &self.folder()))
    }

    /// `codeferry ARGS…`
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args);
        self.prepare(&mut command).env("CODEFERRY_VAULT", "file");
        command
    }

    /// Gives a command the environment of this user, where the vault's key lies in the keychain.
    pub fn prepare<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.temp.path())
            .env("CODEFERRY_HOME", self.folder())
            .env("CODEFERRY_AUTH_URL", self.demo.auth_url())
            .env("CODEFERRY_CHATGPT_URL", self.demo.chatgpt_url())
            .env("CODEFERRY_OPENAI_URL", self.demo.openai_url())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args)).await
    }

    /// Runs what must succeed, and gives what it printed.
    pub async fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args).await;
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        ran.out.trim_end().to_owned()
    }

    /// The accounts as `accounts list --json` gives them.
    pub async fn accounts(&self) -> Vec<Value> {
        let list = self.ok(&["accounts", "list", "--json"]).await;
        serde_json::from_str(&list).expect("a list")
    }

    /// `serve` on a free port, once it accepts requests.
    pub async fn serve(&self) -> Server {
        // Nobody reads its log, and a pipe that is full would stop it.
        let mut serve = self.command(&["serve", "--json", "--port", "0"]);
        let mut child = serve.stderr(Stdio::null()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it says that it listens");
        let line = line.expect("a line").expect("it says that it listens");
        let event: Value = serde_json::from_str(&line).expect("a line of JSON");
        Server { url: event["url"].as_str().expect("an address").to_owned(), child }
    }
}

// === impl Ran ===

impl Ran {
    /// Runs a command to its end.
    pub async fn of(mut command: Command) -> Self {
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.expect("it ends within two minutes").expect("it starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}
