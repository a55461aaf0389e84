//! Scripts that use a real SDK, as test tools: what they must see stands in them, what the upstream must see in the test.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::World;

/// What would lead an SDK past the world under test, or make it talk of it.
const OF_THE_PERSON: [&str; 10] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
];

/// Plays one scenario of a Python script beside the tests, with the environment that a variable names. False if there is
/// none, which is said.
pub async fn python(world: &World, (variable, name): (&str, &str), script: &str, scenario: &str) -> bool {
    let Some(python) = crate::client(variable, name) else { return false };
    play(world, Command::new(python).arg("-B").arg(path(script)), scenario).await;
    true
}

/// The same for a script for Node.js, which finds the library where `SDK_MODULE` says.
pub async fn node(world: &World, (variable, name): (&str, &str), script: &str, scenario: &str) -> bool {
    let Some(library) = crate::client(variable, name) else { return false };
    play(world, Command::new("node").arg(path(script)).env("SDK_MODULE", library), scenario).await;
    true
}

fn path(script: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e").join(script)
}

async fn play(world: &World, command: &mut Command, scenario: &str) {
    for name in OF_THE_PERSON {
        command.env_remove(name);
    }
    let output = command
        .arg(scenario)
        .env("CODEFERRY_URL", world.url())
        .env("CODEFERRY_KEY", &world.key)
        .env("NO_PROXY", "*")
        .env("LANGSMITH_TRACING", "false")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = output.await.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario}:\n{said}");
}
