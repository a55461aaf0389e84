//! The real Codex CLI as a client, with a home of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::World;
use crate::claude::{COLUMNS, ROWS, Terminal};

/// Longer than any run takes, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(180);

/// A Codex CLI that talks to a gateway.
pub struct CodexClient {
    binary: PathBuf,
    /// Its `CODEX_HOME`.
    pub home: TempDir,
    /// Where it works.
    pub project: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// The exit code.
    pub code: Option<i32>,
    /// The lines of `--json`.
    pub lines: Vec<Value>,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
}

// === impl CodexClient ===

impl CodexClient {
    /// One that reaches this world with a key, over HTTP; `None` where there is none, and the test says that it was skipped.
    pub fn at(world: &World) -> Option<Self> {
        Self::with(world, "")
    }

    /// The same, with more in the settings of the provider.
    pub fn with(world: &World, provider: &str) -> Option<Self> {
        let binary = crate::client("CODEFERRY_TEST_CODEX", "the Codex CLI")?;
        let (home, project) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a project"));
        let config = format!(
            "model_provider = \"codeferry\"\ncheck_for_update_on_startup = false\n\
             [model_providers.codeferry]\nname = \"Codeferry\"\nbase_url = \"{}/v1\"\nwire_api = \"responses\"\n\
             env_key = \"CODEFERRY_KEY\"\nrequest_max_retries = 0\nstream_max_retries = 0\n{provider}\n\
             [projects.\"{}\"]\ntrust_level = \"trusted\"\n",
            world.url(),
            project.path().canonicalize().expect("the project").display(),
        );
        std::fs::write(home.path().join("config.toml"), config).expect("its settings");
        let environment = vec![("CODEFERRY_KEY".to_owned(), world.key.clone())];
        Some(Self { binary, home, project, environment })
    }

    /// One that is signed in with what stands for a ChatGPT account here: it asks this gateway about it as well.
    pub fn signed_in(world: &World) -> Option<Self> {
        let codex = Self::with(world, "")?;
        let file = codex.home.path().join("config.toml");
        let config = std::fs::read_to_string(&file).expect("its settings");
        let config = config.replace("env_key = \"CODEFERRY_KEY\"", "requires_openai_auth = true");
        std::fs::write(&file, format!("chatgpt_base_url = \"{}/backend-api\"\n{config}", world.url()))
            .expect("its settings");
        let auth = "https://api.openai.com/auth";
        let claims = json!({
            "email": "person@example.com",
            auth: {"chatgpt_plan_type": "plus", "chatgpt_account_id": "codeferry", "chatgpt_user_id": "person"},
        });
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let id_token = format!("{}.{}.{}", encode(&json!({"alg": "none"})), encode(&claims), encode(&json!("none")));
        let tokens = json!({
            "id_token": id_token, "access_token": world.key, "refresh_token": "none", "account_id": "codeferry",
        });
        let auth = json!({
            "auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens, "last_refresh": "2099-01-01T00:00:00Z",
        });
        std::fs::write(codex.home.path().join("auth.json"), auth.to_string()).expect("its sign-in");
        Some(codex)
    }

    /// Gives it an MCP server, `own`, whose tool `snapshot` answers with a sentence and this picture.
    pub fn give_mcp_server(&self, picture: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/mcp_server.py");
        let file = self.home.path().join("config.toml");
        let config = std::fs::read_to_string(&file).expect("its settings");
        let own = format!(
            "[mcp_servers.own]\ncommand = \"python3\"\nargs = [\"{}\"]\nenv = {{ PICTURE = \"{picture}\" }}\n",
            script.display()
        );
        std::fs::write(&file, config + &own).expect("its settings");
    }

    /// Starts it with a person before it. A Linux `script` gives it the terminal.
    pub async fn sit_down(&self, args: &str) -> Terminal {
        let inside = format!("stty cols {COLUMNS} rows {ROWS}; exec '{}' {args}", self.binary.display());
        let mut command = Command::new("script");
        command.args(["-qfec", &inside, "/dev/null"]);
        self.prepare(&mut command).env("TERM", "xterm-256color").stdin(Stdio::piped());
        Terminal::with(command).await
    }

    /// A file of the project, as it says now.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.project.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The command for `codex ARGS…`.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        self.prepare(command.args(args));
        command
    }

    fn prepare<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("CODEX_HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
    }

    /// The project folder.
    pub fn folder(&self) -> &Path {
        self.project.path()
    }

    /// Runs `codex exec`: it may do everything, in a folder that is gone with the test.
    pub async fn exec(&self, args: &[&str]) -> Run {
        let mut all = vec!["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];
        all.extend(args);
        self.run(&all).await
    }

    /// Runs it to its end.
    pub async fn run(&self, args: &[&str]) -> Run {
        let running = self.command(args).output();
        let output = tokio::time::timeout(PATIENCE, running).await.expect("the Codex CLI ends within three minutes");
        let output = output.expect("the Codex CLI starts");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Run { code: output.status.code(), lines, stdout, stderr }
    }
}

impl Drop for CodexClient {
    /// Its terminal interface leaves a server of its own behind, and one that keeps that alive, in the home that goes.
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        for _ in 0..5 {
            let left = crate::process::of_folder(self.home.path());
            if left.is_empty() {
                return;
            }
            left.iter().for_each(|pid| crate::process::signal(*pid, "KILL"));
        }
    }
}

// === impl Run ===

impl Run {
    /// The last thing the model said, of a run that succeeded.
    pub fn text(&self) -> &str {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        let said = self.items("agent_message").last().and_then(|item| item["text"].as_str());
        said.unwrap_or_else(|| panic!("nothing was said:\n{}", self.stdout))
    }

    /// Its finished items of this type.
    pub fn items<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Value> {
        let done = |line: &&Value| line["type"] == "item.completed";
        self.lines.iter().filter(done).map(|line| &line["item"]).filter(move |item| item["type"] == kind)
    }

    /// The conversation's id.
    pub fn thread(&self) -> &str {
        let started = self.lines.iter().find(|line| line["type"] == "thread.started");
        started.and_then(|line| line["thread_id"].as_str()).expect("a thread")
    }

    /// Why it failed.
    pub fn failure(&self) -> &str {
        assert_ne!(self.code, Some(0), "{}", self.stdout);
        let failed = self.lines.iter().rfind(|line| line["type"] == "turn.failed");
        failed
            .and_then(|line| line["error"]["message"].as_str())
            .unwrap_or_else(|| panic!("{}\n{}", self.stdout, self.stderr))
    }
}
