//! The real Claude Code, the real SDKs and the real `codeferry` binary, against the strict fake upstream.
//!
//! `cargo xtask test` installs the clients and says where they are. Without them these tests say that they were skipped.

#![expect(
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests look into JSON, and fail by panicking"
)]

#[path = "e2e/agents.rs"]
mod agents;
#[path = "e2e/claude_setup.rs"]
mod claude_setup;
#[cfg(unix)]
#[path = "e2e/clients_setup.rs"]
mod clients_setup;
#[path = "e2e/codex_cli.rs"]
mod codex_cli;
#[path = "e2e/codex_client.rs"]
mod codex_client;
#[path = "e2e/codex_socket.rs"]
mod codex_socket;
#[path = "e2e/doors.rs"]
mod doors;
#[cfg(unix)]
#[path = "e2e/gemini_cli.rs"]
mod gemini_cli;
#[path = "e2e/gemini_sdk.rs"]
mod gemini_sdk;
#[cfg(target_os = "linux")]
#[path = "e2e/keychain.rs"]
mod keychain;
#[cfg(unix)]
#[path = "e2e/killed.rs"]
mod killed;
#[path = "e2e/langchain_client.rs"]
mod langchain_client;
#[path = "e2e/media.rs"]
mod media;
#[path = "e2e/named.rs"]
mod named;
#[path = "e2e/openai_sdk.rs"]
mod openai_sdk;
#[path = "e2e/prefixes.rs"]
mod prefixes;
#[path = "e2e/sdk.rs"]
mod sdk;
#[path = "e2e/sessions.rs"]
mod sessions;
#[path = "e2e/set_up.rs"]
mod set_up;
#[cfg(target_os = "linux")]
#[path = "e2e/terminal.rs"]
mod terminal;
#[path = "e2e/tools.rs"]
mod tools;
#[path = "e2e/trouble.rs"]
mod trouble;
#[path = "e2e/vault.rs"]
mod vault;

use codeferry_tests::World;
use serde_json::Value;

/// A prompt that makes the upstream give these answers, one per round of tools.
fn playing(steps: &[&str]) -> String {
    format!("[[demo:turns {}]]", Value::from(steps.to_vec()))
}

/// A step in which the upstream calls a tool.
fn calling(tool: &str, input: &Value) -> String {
    format!("[[demo:tool {tool} {input}]]")
}

/// What the upstream was asked, in order; nothing of it may have broken a rule.
fn asked(world: &World) -> Vec<Value> {
    assert_eq!(world.demo.violations(), [], "the upstream has nothing to complain about");
    world.demo.model_requests().iter().map(|request| request.json().clone()).collect()
}

/// The items of a request that are of this type.
fn items<'a>(request: &'a Value, kind: &str) -> Vec<&'a Value> {
    request["input"].as_array().unwrap().iter().filter(|item| item["type"] == kind).collect()
}
