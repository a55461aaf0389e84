//! The real Claude Code, as a test tool.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::World;

/// Where `cargo xtask test` has put it. Without it, the tests that need it say so and pass: they are run by that command.
pub fn binary() -> Option<PathBuf> {
    let path = std::env::var_os("CODEFERRY_TEST_CLAUDE").map(PathBuf::from);
    if path.is_none() {
        eprintln_skipped();
    }
    path
}

#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
fn eprintln_skipped() {
    eprintln!("skipped: Claude Code is not there; `cargo xtask test` installs it");
}

/// A home and a project folder for one Claude Code.
pub struct Claude {
    binary: PathBuf,
    home: TempDir,
    /// Where it works.
    pub project: TempDir,
    environment: Vec<(String, String)>,
}

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
}

impl Claude {
    /// A fresh Claude Code that talks to this world; `None` where there is none.
    pub fn at(world: &World) -> Option<Self> {
        let binary = binary()?;
        let home = tempfile::tempdir().expect("a home");
        let project = tempfile::tempdir().expect("a project");
        let environment = vec![
            ("ANTHROPIC_BASE_URL".to_owned(), world.url().to_owned()),
            ("ANTHROPIC_AUTH_TOKEN".to_owned(), world.key.clone()),
        ];
        Some(Self { binary, home, project, environment })
    }

    /// Sets a variable for it.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Points it at another gateway.
    pub fn moved_to(mut self, world: &World) -> Self {
        self.environment.push(("ANTHROPIC_BASE_URL".to_owned(), world.url().to_owned()));
        self
    }

    /// A file in the project.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.project.path().join(name);
        std::fs::write(&path, content).expect("a file in the project");
        path
    }

    /// The project folder as Claude Code sees it.
    pub fn folder(&self) -> &Path {
        self.project.path()
    }

    /// The command for `claude -p PROMPT ARGS…`.
    pub fn command(&self, prompt: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .arg("-p")
            .arg(prompt)
            .args(["--output-format", "stream-json", "--verbose"])
            .args(args)
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            // What it would otherwise ask of the network has no place in a test.
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, prompt: &str, args: &[&str]) -> Run {
        let child = self.command(prompt, args).spawn().expect("Claude Code starts");
        let output = tokio::time::timeout(Duration::from_secs(180), child.wait_with_output());
        let output = output.await.expect("Claude Code ends within three minutes").expect("its output can be read");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Run { code: output.status.code(), lines, stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }
}

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

    fn blocks<'r>(&'r self, role: &'r str, kind: &'r str) -> impl Iterator<Item = &'r Value> {
        self.lines
            .iter()
            .filter(move |line| line["type"] == role)
            .filter_map(|line| line["message"]["content"].as_array())
            .flatten()
            .filter(move |block| block["type"] == kind)
    }
}
