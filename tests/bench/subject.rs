//! The processes under test: each a child of its own, killed when it is dropped.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::load::Load;

/// Which of the two is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Relay,
    Gateway,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Subject {
    child: Child,
    pub(crate) url: String,
    /// How long it took from `exec` to the first accepted request.
    pub(crate) start: Duration,
}

/// What a gateway needs before it can be started: a data folder with an account and a client key.
#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    binary: PathBuf,
    pub(crate) key: String,
}

// === impl Home ===

impl Home {
    pub(crate) fn prepare() -> Result<Self> {
        let binary = std::env::var_os("CODEFERRY_BIN").context("CODEFERRY_BIN does not name the gateway")?.into();
        let mut home = Self { folder: TempDir::new()?, binary, key: String::new() };
        let file = home.folder.path().join("plan.json");
        fs::write(&file, account())?;
        home.tell(&["accounts", "import", "--kind", "plan", &file.to_string_lossy()])?;
        home.key = home.tell(&["keys", "create", "bench"])?.trim().to_owned();
        Ok(home)
    }

    pub(crate) fn tell(&self, args: &[&str]) -> Result<String> {
        let output = self.command().args(args).output().context("cannot start codeferry")?;
        if !output.status.success() {
            bail!("codeferry {} failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("CODEFERRY_HOME", self.folder.path().join("home")).env("CODEFERRY_VAULT", "file");
        command
    }
}

/// A plan account whose token lasts longer than the bench.
fn account() -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"email":"bench@example.com","exp":4102444800,"https://api.openai.com/auth":{"chatgpt_account_id":"acct-bench","chatgpt_user_id":"user-bench","chatgpt_plan_type":"plus"}}"#;
    let token = format!("{}.{}.{}", encode(r#"{"alg":"none"}"#), encode(claims), encode("signature"));
    format!(
        r#"{{"client_id":"oaiapp_bench","access_token":"{token}","refresh_token":"rt-bench","id_token":"{token}","expires_at":"2100-01-01T00:00:00Z"}}"#
    )
}

// === impl Subject ===

impl Subject {
    /// Starts one in front of the upstream and waits until it accepts requests.
    pub(crate) async fn start(which: Which, home: &Home, upstream: &str) -> Result<Self> {
        match which {
            Which::Relay => Self::own("relay", &[upstream]),
            Which::Gateway => Self::gateway(home, upstream).await,
        }
    }

    /// The upstream itself.
    pub(crate) fn upstream(more: &[&str]) -> Result<Self> {
        Self::own("upstream", more)
    }

    /// This program in another part; it prints its address.
    fn own(part: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let child = command.arg(part).args(args).stdout(Stdio::piped()).spawn().context("cannot start a part")?;
        let mut part = Self { child, url: String::new(), start: Duration::ZERO };
        part.url = part.first_line()?;
        Ok(part)
    }

    async fn gateway(home: &Home, upstream: &str) -> Result<Self> {
        let mut command = home.command();
        command.env("CODEFERRY_OPENAI_URL", format!("{upstream}/v1"));
        command.env("CODEFERRY_AUTH_URL", upstream).env("CODEFERRY_CHATGPT_URL", upstream);
        let log = home.folder.path().join("log");
        command.args(["serve", "--json", "--port", "0"]).stdout(Stdio::piped()).stderr(fs::File::create(&log)?);
        let load = Load::new(&home.key)?;
        let begun = Instant::now();
        let child = command.spawn().context("cannot start codeferry")?;
        let mut subject = Self { child, url: String::new(), start: Duration::ZERO };
        let line = subject.first_line()?;
        let url = line.split_once("\"url\":\"").and_then(|(_, rest)| rest.split_once('"'));
        subject.url = match url {
            Some((url, _)) => url.to_owned(),
            None => bail!("the gateway did not start: {}", fs::read_to_string(&log)?),
        };
        if !load.is_healthy(&subject.url).await {
            bail!("the gateway does not answer: {}", fs::read_to_string(&log)?);
        }
        subject.start = begun.elapsed();
        Ok(subject)
    }

    fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        let stdout = self.child.stdout.take().context("no standard output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Whatever goes wrong here, the process is not ours any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
