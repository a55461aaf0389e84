//! The real Claude Code, as a test tool.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::World;

/// So many may run at once; more of them starve each other on a small machine.
static SEATS: Semaphore = Semaphore::const_new(3);

/// Longer than any run takes, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(180);

/// Shows a process another `/etc/claude-code`, in a namespace of its own: `$0` is that folder, the rest is the command.
const MANAGED: &str = "mount -t tmpfs over /mnt; mkdir /mnt/up /mnt/work; \
                       mount -t overlay over -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work /etc; \
                       cp -r \"$0\" /etc/claude-code; exec \"$@\"";

/// A home and a project folder for one Claude Code.
pub struct Claude {
    binary: PathBuf,
    home: TempDir,
    /// Where it works.
    pub project: TempDir,
    environment: Vec<(String, String)>,
    /// What it sees as `/etc/claude-code`.
    managed: Option<PathBuf>,
}

/// A Claude Code at work. Dropped, it is killed.
pub struct Session {
    /// The process.
    pub child: Child,
    begun: Instant,
    _seat: SemaphorePermit<'static>,
}

/// A Claude Code, or another program, with somebody before it. Dropped, it is killed.
pub struct Terminal {
    keys: ChildStdin,
    screen: ChildStdout,
    /// What was drawn and not looked for yet.
    seen: Vec<u8>,
    /// How it looks, by what was drawn.
    looks: vt100::Parser,
    _child: Child,
    _seat: SemaphorePermit<'static>,
}

/// How large a terminal is.
pub(crate) const COLUMNS: u16 = 120;
pub(crate) const ROWS: u16 = 50;

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// The exit code.
    pub code: Option<i32>,
    /// The lines of `--output-format stream-json`.
    pub lines: Vec<Value>,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

// === impl Claude ===

impl Claude {
    /// A fresh Claude Code that talks to this world; `None` where there is none, and the test says that it was skipped.
    pub fn at(world: &World) -> Option<Self> {
        let binary = crate::client("CODEFERRY_TEST_CLAUDE", "Claude Code")?;
        let home = tempfile::tempdir().expect("a home");
        let project = tempfile::tempdir().expect("a project");
        Some(Self { binary, home, project, environment: Vec::new(), managed: None }.moved_to(world))
    }

    /// The Claude Code of the person in this world's home, told nothing but what stands in its files.
    pub fn of_person(world: &World) -> Option<Self> {
        let binary = crate::client("CODEFERRY_TEST_CLAUDE", "Claude Code")?;
        let (home, project) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a project"));
        let person = world.home.path().join("user");
        std::fs::create_dir_all(&person).expect("a home");
        let claude = Self { binary, home, project, environment: Vec::new(), managed: None };
        Some(claude.env("HOME", person.to_str().expect("a readable path")))
    }

    /// Sets a variable for it.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets it see this folder as `/etc/claude-code`. `None` where a process cannot be shown another folder than there is.
    #[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
    pub fn managed_by(mut self, folder: &Path) -> Option<Self> {
        let possible = std::process::Command::new("unshare")
            .args(["-rm", "sh", "-ec", MANAGED])
            .arg(folder)
            .arg("true")
            .stderr(Stdio::null())
            .status();
        if !possible.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no namespaces for mounts here");
            return None;
        }
        self.managed = Some(folder.to_owned());
        Some(self)
    }

    /// Points it at this gateway.
    pub fn moved_to(self, world: &World) -> Self {
        self.env("ANTHROPIC_BASE_URL", world.url()).env("ANTHROPIC_AUTH_TOKEN", &world.key)
    }

    /// A file in the project.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file in the project");
        path
    }

    /// Where a file of the project stands, or would stand.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// What a file of the project says.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Where it is at home.
    fn home(&self) -> &Path {
        let moved = self.environment.iter().rfind(|(name, _)| name == "HOME");
        moved.map_or(self.home.path(), |(_, home)| Path::new(home))
    }

    /// The project folder as Claude Code sees it.
    pub fn folder(&self) -> &Path {
        self.project.path()
    }

    /// The command for `claude -p PROMPT ARGS…`.
    pub fn command(&self, prompt: &str, args: &[&str]) -> Command {
        let mut command = match &self.managed {
            None => Command::new(&self.binary),
            Some(folder) => {
                let mut command = Command::new("unshare");
                command.args(["-rm", "sh", "-ec", MANAGED]).arg(folder).arg(&self.binary);
                command
            }
        };
        command.arg("-p").arg(prompt).args(["--output-format", "stream-json", "--verbose"]);
        // It may do everything, in a folder that is gone with the test; as root it insists on a sandbox.
        command.arg("--dangerously-skip-permissions").args(args);
        self.prepare(&mut command);
        command
    }

    fn prepare<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .env("IS_SANDBOX", "1")
            // What it would otherwise ask of the network has no place in a test.
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
    }

    /// Starts it, when there is a seat.
    pub async fn start(&self, prompt: &str, args: &[&str]) -> Session {
        let seat = SEATS.acquire().await.expect("the seats are never closed");
        let child = self.command(prompt, args).spawn().expect("Claude Code starts");
        Session { child, begun: Instant::now(), _seat: seat }
    }

    /// Starts the one a person sits before. A Linux `script` gives it the terminal.
    pub async fn sit_down(&self) -> Terminal {
        let seat = SEATS.acquire().await.expect("the seats are never closed");
        let folder = self.folder().canonicalize().expect("the project");
        let known = json!({
            "hasCompletedOnboarding": true,
            "projects": {folder.to_str().expect("a readable path"): {"hasTrustDialogAccepted": true}},
        });
        std::fs::write(self.home().join(".claude.json"), known.to_string()).expect("a file in the home");
        let inside = format!("stty cols {COLUMNS} rows {ROWS}; exec '{}'", self.binary.display());
        let mut command = Command::new("script");
        self.prepare(command.args(["-qfec", &inside, "/dev/null"])).env("TERM", "xterm-256color").stdin(Stdio::piped());
        Terminal::of(command, seat)
    }

    /// Runs it to its end.
    pub async fn run(&self, prompt: &str, args: &[&str]) -> Run {
        self.start(prompt, args).await.end().await
    }
}

// === impl Session ===

impl Session {
    /// Waits for its end.
    pub async fn end(self) -> Run {
        let output = tokio::time::timeout(PATIENCE, self.child.wait_with_output()).await;
        let output = output.expect("Claude Code ends within three minutes").expect("its output can be read");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Run { code: output.status.code(), lines, stdout, stderr, took: self.begun.elapsed() }
    }
}

// === impl Terminal ===

impl Terminal {
    /// A program that `script` runs in a terminal, when there is a seat.
    pub(crate) async fn with(command: Command) -> Self {
        Self::of(command, SEATS.acquire().await.expect("the seats are never closed"))
    }

    fn of(mut command: Command, seat: SemaphorePermit<'static>) -> Self {
        let mut child = command.spawn().expect("a terminal");
        let (keys, screen) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let looks = vt100::Parser::new(ROWS, COLUMNS, 0);
        Self { keys, screen, seen: Vec::new(), looks, _child: child, _seat: seat }
    }

    /// Presses these keys.
    pub async fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).await.expect("it listens");
    }

    /// Waits until this is drawn. One word: between words stand movements of the cursor.
    pub async fn shows(&mut self, word: &str) {
        let reading = async {
            loop {
                let at = self.seen.windows(word.len()).position(|window| window == word.as_bytes());
                if let Some(at) = at {
                    self.seen.drain(..at + word.len());
                    return;
                }
                self.draw().await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, reading).await;
        assert!(found.is_ok(), "{word:?} does not appear: {}", String::from_utf8_lossy(&self.seen));
    }

    /// Waits until this text stands on the screen, whenever it was drawn: of a word that is there already, only the letters
    /// that change are drawn again.
    pub async fn displays(&mut self, text: &str) {
        let reading = async {
            while !self.looks.screen().contents().contains(text) {
                self.draw().await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, reading).await;
        assert!(found.is_ok(), "{text:?} is not on the screen:\n{}", self.looks.screen().contents());
    }

    async fn draw(&mut self) {
        let before = self.seen.len();
        let more = self.screen.read_buf(&mut self.seen).await.expect("its screen can be read");
        assert_ne!(more, 0, "it ended: {}", String::from_utf8_lossy(&self.seen));
        self.looks.process(&self.seen[before..]);
    }
}

// === impl Run ===

impl Run {
    /// The last line: how it ended.
    pub fn result(&self) -> &Value {
        self.lines
            .iter()
            .rfind(|line| line["type"] == "result")
            .unwrap_or_else(|| panic!("no result line; stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// The final text, of a run that succeeded.
    pub fn text(&self) -> &str {
        let result = self.result();
        assert_eq!(result["is_error"], false, "{result:#}\nstderr:\n{}", self.stderr);
        assert_eq!(self.code, Some(0), "{result:#}");
        result["result"].as_str().unwrap_or_default()
    }

    /// What it said, of a run that failed: visibly, and with an exit code that says so.
    pub fn failure(&self) -> &str {
        let result = self.result();
        assert_eq!(result["is_error"], true, "{result:#}\nstderr:\n{}", self.stderr);
        assert_eq!(self.code, Some(1), "{result:#}");
        result["result"].as_str().unwrap_or_default()
    }

    /// The lines of this `subtype`.
    pub fn notices<'r>(&'r self, subtype: &'r str) -> impl Iterator<Item = &'r Value> {
        self.lines.iter().filter(move |line| line["subtype"] == subtype)
    }

    /// The tool calls the model made, as name and input.
    pub fn tool_uses(&self) -> Vec<(String, Value)> {
        self.blocks("assistant", "tool_use")
            .map(|block| (block["name"].as_str().unwrap_or_default().to_owned(), block["input"].clone()))
            .collect()
    }

    /// The results of tools, as they went back.
    pub fn tool_results(&self) -> Vec<Value> {
        self.blocks("user", "tool_result").cloned().collect()
    }

    /// What Claude Code itself noted about the results of tools.
    pub fn tool_notes(&self) -> Vec<&Value> {
        self.lines.iter().map(|line| &line["tool_use_result"]).filter(|note| !note.is_null()).collect()
    }

    fn blocks<'r>(&'r self, role: &'r str, kind: &'r str) -> impl Iterator<Item = &'r Value> {
        self.lines
            .iter()
            .filter(move |line| line["type"] == role)
            .filter_map(|line| line["message"]["content"].as_array())
            .flatten()
            .filter(move |block| block["type"] == kind)
    }
}
