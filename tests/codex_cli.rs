//! The provider `codex_cli` against a stand-in for the Codex CLI, with every fault a child can have.

#![cfg(unix)]
#![expect(clippy::disallowed_types, clippy::unwrap_used, reason = "tests look into JSON, and fail by panicking")]

#[cfg(target_os = "linux")]
#[path = "codex_cli/adding.rs"]
mod adding;
#[path = "codex_cli/faults.rs"]
mod faults;
#[path = "codex_cli/talking.rs"]
mod talking;

use std::path::Path;
use std::time::Duration;

use codeferry_accounts::Program;
use codeferry_upstream::codex_cli::{Bounds, CodexCli, Household};
use codeferry_upstream::{Body, Failure, FailureKind};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A Codex CLI, a home for it, and the way to it.
struct Stage {
    cli: CodexCli,
    program: Program,
    home: TempDir,
    folder: TempDir,
}

impl Stage {
    fn new(mode: &str) -> Self {
        Self::with(mode, |_| {})
    }

    fn with(mode: &str, change: impl FnOnce(&mut Household)) -> Self {
        let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut household = Household::new(folder.path().join("codex-cli"), "0.0.0");
        household.bounds = Bounds { longest_line: 4 * 1024 * 1024, ..Bounds::default() };
        change(&mut household);
        let program = Program { path: env!("CARGO_BIN_EXE_fake-codex").into(), home: Some(home.path().to_owned()) };
        let stage = Self { cli: CodexCli::new(household), program, home, folder };
        stage.mode(mode);
        stage
    }

    /// How the next child is.
    fn mode(&self, mode: &str) {
        std::fs::write(self.home.path().join("mode"), mode).unwrap();
    }

    async fn ask(&self, body: &Value) -> Result<Body, Failure> {
        self.cli.respond(&self.program, "fake-1", body.to_string().as_bytes(), jiff::Timestamp::UNIX_EPOCH).await
    }

    /// Says something, and reads the whole answer.
    async fn say(&self, text: &str) -> Result<Vec<Value>, Failure> {
        read(self.ask(&saying(text)).await?).await
    }

    fn noted(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.home.path().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What the children were asked, by method.
    fn heard(&self, method: &str) -> Vec<Value> {
        let lines = self.noted("heard");
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &Value| line["method"] == method)
            .collect()
    }

    /// Waits until the children have been told this so often.
    async fn hears(&self, method: &str, times: usize) {
        until(|| self.heard(method).len() >= times).await;
    }

    /// Waits until no child is left, nor anything a child has begun.
    async fn all_gone(&self) {
        until(|| self.noted("pids").iter().all(|pid| !Path::new("/proc").join(pid).exists() || is_zombie(pid))).await;
    }
}

/// Ended, and not yet collected by the init of this machine.
fn is_zombie(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

/// Another process cannot be waited for but by looking again.
async fn until(mut done: impl FnMut() -> bool) {
    let looking = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), looking).await.is_ok(), "it did not come to that");
}

fn saying(text: &str) -> Value {
    json!({
        "model": "fake-1",
        "instructions": "Be brief.",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}],
        "tools": [
            {"type": "function", "name": "read", "description": "reads", "parameters": {"type": "object"}},
            {"type": "function", "name": "mcp__hub__issue", "parameters": {"type": "object"}},
        ],
        "tool_choice": "auto",
        "reasoning": {"effort": "low", "summary": "auto"},
        "stream": true,
        "store": false,
    })
}

async fn read(mut body: Body) -> Result<Vec<Value>, Failure> {
    let mut all = Vec::new();
    while let Some(bytes) = body.chunk().await? {
        all.extend_from_slice(&bytes);
    }
    let text = String::from_utf8(all).unwrap();
    let events = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
    Ok(events.map(|event| serde_json::from_str(event).unwrap()).collect())
}

/// The text of an answer, from its pieces.
fn text(events: &[Value]) -> String {
    events
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta")
        .filter_map(|event| event["delta"].as_str())
        .collect()
}

fn kind(result: Result<Vec<Value>, Failure>) -> FailureKind {
    result.unwrap_err().kind
}
