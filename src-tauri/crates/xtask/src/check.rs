//! `cargo xtask check`: what a change must pass before its tests are worth running.

use std::process::Command;

use anyhow::{Result, bail};

use crate::place::Place;
use crate::tools::{self, debian, python};
use crate::{icons, run, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these, instead of all
    #[arg(value_parser = NAMES)]
    only: Vec<String>,
}

/// A part of the check.
type Step = fn(&Place) -> Result<()>;

const NAMES: [&str; 7] = ["lock", "icons", "format", "typos", "deny", "clippy", "doc"];
/// As in [`NAMES`]: what answers soonest comes first.
const STEPS: [Step; 7] = [lock, icons::fresh, format, typos, deny, clippy, doc];

/// Runs every step even when one fails: a person wants to hear of all of them at once.
pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::PYTHON])?;
    let mut failed = Vec::new();
    for (name, step) in NAMES.into_iter().zip(STEPS) {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == name) {
            continue;
        }
        say::step(name);
        if let Err(error) = step(place) {
            say::failed(&format!("{error:#}"));
            failed.push(name);
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
    run::run(&mut run::cargo(place, &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn doc(place: &Place) -> Result<()> {
    let mut command = run::cargo(place, &["doc", "--quiet", "--workspace", "--no-deps"]);
    run::run(command.env("RUSTDOCFLAGS", "-D warnings"))
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
