//! `cargo xtask check`: what a change must pass before its tests are worth running.

mod cross;
mod schemas;

use std::process::Command;

use anyhow::{Result, bail};

use crate::place::Place;
use crate::tools::{self, debian, python};
use crate::{icons, run, say, shell, types, ui};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these, instead of all
    #[arg(value_parser = STEPS.map(|step| step.name))]
    only: Vec<String>,
    /// Also what takes minutes and needs more than this system: the lints of the programs for Windows and macOS
    #[arg(long)]
    all: bool,
}

/// A part of the check.
#[derive(Debug, Clone, Copy)]
struct Step {
    name: &'static str,
    run: fn(&Place) -> Result<()>,
    /// Runs when it is named, and with `--all`.
    asked: bool,
}

/// What answers soonest comes first.
const STEPS: [Step; 14] = [
    step("lock", lock),
    step("icons", icons::fresh),
    step("types", types::fresh),
    step("ui", ui::check),
    step("format", format),
    step("typos", typos),
    step("config", schemas::config),
    step("workflows", schemas::workflows),
    step("openapi", schemas::openapi),
    step("deny", deny),
    step("clippy", clippy),
    step("doc", doc),
    asked("windows", cross::windows),
    asked("macos", cross::macos),
];

const fn step(name: &'static str, run: fn(&Place) -> Result<()>) -> Step {
    Step { name, run, asked: false }
}

const fn asked(name: &'static str, run: fn(&Place) -> Result<()>) -> Step {
    Step { name, run, asked: true }
}

/// Runs every step even when one fails: a person wants to hear of all of them at once.
pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::NODE, debian::PYTHON])?;
    let mut failed = Vec::new();
    for step in STEPS {
        let named = args.only.iter().any(|only| only == step.name);
        if !named && !(args.only.is_empty() && (args.all || !step.asked)) {
            continue;
        }
        say::step(step.name);
        if let Err(error) = (step.run)(place) {
            say::failed(&format!("{error:#}"));
            failed.push(step.name);
        }
    }
    if !failed.is_empty() {
        bail!("check failed: {}", failed.join(", "));
    }
    say::data("Check passed.");
    Ok(())
}

/// `Cargo.lock` fits the manifests. Otherwise cargo would quietly change it in the working tree.
fn lock(place: &Place) -> Result<()> {
    run::output(&mut run::cargo(place, &["metadata", "--locked", "--format-version", "1"])).map(drop)
}

fn format(place: &Place) -> Result<()> {
    run::run(&mut run::cargo(place, &["fmt", "--all", "--check"]))
}

fn clippy(place: &Place) -> Result<()> {
    let mut command = run::cargo(place, &["clippy", "--quiet", "--all-targets"]);
    run::run(command.args(shell::everything()).args(["--", "-D", "warnings"]))
}

fn doc(place: &Place) -> Result<()> {
    let mut command = run::cargo(place, &["doc", "--quiet", "--no-deps"]);
    run::run(command.args(shell::everything()).env("RUSTDOCFLAGS", "-D warnings"))
}

fn typos(place: &Place) -> Result<()> {
    let environment = python::Environment::install(place, tools::TYPOS)?;
    let mut command = Command::new(environment.program("typos"));
    run::run(command.current_dir(&place.root).args(["--config", ".typos.toml"]))
}

/// Licences, bans and sources always; advisories only where their database can be had.
fn deny(place: &Place) -> Result<()> {
    let deny = tools::cargo::install(place, tools::CARGO_DENY, &[])?;
    let command = |args: &[&str]| {
        let mut command = Command::new(&deny);
        command.current_dir(&place.root).args(["--all-features", "--config", ".deny.toml"]).args(args);
        run::tidy_environment(&mut command);
        command
    };
    // Crates that are reserved before anyone names them are no news.
    let quiet = ["--hide-inclusion-graph", "--allow", "unused-wrapper"];
    run::run(&mut command(&[&["check"], quiet.as_slice(), &["bans", "licenses", "sources"]].concat()))?;
    if run::succeeds(&mut command(&["fetch", "db"])) {
        return run::run(&mut command(&["check", "advisories"]));
    }
    say::note("advisories were not checked: their database cannot be fetched from here");
    Ok(())
}
