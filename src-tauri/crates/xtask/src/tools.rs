//! What the tasks need and how it is installed.
//!
//! Versions are pinned here and nowhere else. A tool that stands in the cache folder in the pinned version is not
//! installed again; a tool the user has elsewhere is not touched.

pub(crate) mod cargo;
pub(crate) mod debian;
pub(crate) mod node;
pub(crate) mod python;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::say;

/// Claude Code, the client the project is measured against.
pub(crate) const CLAUDE_CODE: Pin = Pin { name: "@anthropic-ai/claude-code", version: "2.1.197" };
/// The official Codex CLI: the upstream of `codex_cli` accounts. The version docs/decisions/0005 was measured with.
pub(crate) const CODEX: Pin = Pin { name: "@openai/codex", version: "0.169.0" };
/// opencode, a client that speaks the Responses dialect with another library. The version docs/clients.md was measured with.
pub(crate) const OPENCODE: Pin = Pin { name: "opencode-ai", version: "1.18.33" };
/// The Python SDK, used as a second, independent reader of what we write.
pub(crate) const ANTHROPIC_SDK: Pin = Pin { name: "anthropic", version: "2.10.0" };
/// The same for the dialects of OpenAI.
pub(crate) const OPENAI_SDK: Pin = Pin { name: "openai", version: "3.52.0" };
/// The same for JavaScript.
pub(crate) const OPENAI_NPM: Pin = Pin { name: "openai", version: "6.49.0" };
/// Google's command line, a client that speaks its dialect. The version docs/clients.md was measured with.
pub(crate) const GEMINI_CLI: Pin = Pin { name: "@google/gemini-cli", version: "0.61.0" };
/// Google's SDK for JavaScript.
pub(crate) const GEMINI_NPM: Pin = Pin { name: "@google/genai", version: "3.1.0" };
/// A library on top of the one for Python, which asks in either dialect.
pub(crate) const LANGCHAIN: Pin = Pin { name: "langchain-openai", version: "1.7.3" };
/// The spelling check. PyPI carries the binary.
pub(crate) const TYPOS: Pin = Pin { name: "typos", version: "1.52.0" };
/// Licences, bans and sources of the dependencies. Only crates.io carries a current one.
pub(crate) const CARGO_DENY: Pin = Pin { name: "cargo-deny", version: "0.20.2" };
/// Lists what the programs are made of.
pub(crate) const CARGO_CYCLONEDX: Pin = Pin { name: "cargo-cyclonedx", version: "0.5.9" };
/// Reads JSON and YAML against a schema, and brings that of GitHub's workflows.
pub(crate) const CHECK_JSONSCHEMA: Pin = Pin { name: "check-jsonschema", version: "0.39.0" };
/// Reads an OpenAPI document by the specification's own schema, which it brings.
pub(crate) const OPENAPI_SPEC_VALIDATOR: Pin = Pin { name: "openapi-spec-validator", version: "0.9.0" };
/// Draws icons, checks the configuration of the shell and makes bundles. The newest one whose binaries for all systems are in
/// the registry.
pub(crate) const TAURI: Pin = Pin { name: "@tauri-apps/cli", version: "2.12.3" };

/// A package in a fixed version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pin {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// Runs `install` unless `folder` already holds exactly these packages.
///
/// The stamp is written last: a folder whose installation was interrupted has none and is made anew.
fn installed(folder: &Path, pins: &[Pin], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join("installed");
    let wanted: String = pins.iter().map(|pin| format!("{} {}\n", pin.name, pin.version)).collect();
    if fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    for pin in pins {
        say::step(&format!("installing {} {} into {}", pin.name, pin.version, folder.display()));
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    install()?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The folder of one tool in one version inside the cache.
fn folder(cache: &Path, kind: &str, pin: Pin) -> PathBuf {
    cache.join(kind).join(format!("{}-{}", pin.name.replace(['@', '/'], "_"), pin.version))
}

#[cfg(test)]
mod tests;
