//! `cargo xtask start`: from a clone to a gateway that answers.

pub(crate) mod announce;
mod key;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::place::Place;
use crate::tools::debian;
use crate::{run, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Answer from the embedded demo account; nothing leaves this machine
    #[arg(long)]
    demo: bool,
    /// The port to listen on (default: the setting `port`, 8081 unless changed)
    #[arg(long)]
    port: Option<u16>,
    /// Build with optimisation: slower to build, for work with long conversations
    #[arg(long)]
    release: bool,
}

/// Builds and serves in the foreground.
///
/// The default is the dev profile: it shares every dependency with `cargo xtask test`, so whoever runs both builds
/// once, and a person who looks around for the first time waits for the shorter build.
pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::ROOTS])?;
    say::step("building the gateway");
    let mut build = run::cargo(place, &["build", "--quiet", "-p", "codeferry-cli", "--bin", "codeferry"]);
    if args.release {
        build.arg("--release");
    }
    run::run(&mut build)?;
    let codeferry = place.built(if args.release { "release" } else { "debug" }, "codeferry");
    let key = key::obtain(place, &codeferry)?;
    let mut serve = Command::new(&codeferry);
    run::tidy_environment(&mut serve);
    serve.args(["serve", "--json"]);
    if args.demo {
        serve.arg("--demo");
    }
    if let Some(port) = args.port {
        serve.arg("--port").arg(port.to_string());
    }
    serve_in_foreground(serve, announcer(&codeferry, &key, args.demo)?)
}

/// A second process that waits for the server's announcement and explains it.
///
/// So this process can become the server: signals and the exit code then need no forwarding.
fn announcer(codeferry: &Path, key: &str, demo: bool) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.arg("announce").arg("--codeferry").arg(codeferry).stdin(Stdio::piped());
    // In the environment, because arguments can be read by everyone on the machine.
    command.env(announce::KEY_VARIABLE, key);
    if demo {
        command.arg("--demo");
    }
    Ok(command)
}

fn serve_in_foreground(mut serve: Command, mut announcer: Command) -> Result<()> {
    let mut announcer = announcer.spawn().context("cannot start the announcer")?;
    let heard = announcer.stdin.take().context("the announcer has no standard input")?;
    serve.stdout(Stdio::from(heard));
    become_it(&mut serve)
}

#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    // Comes back only when it failed.
    Err(command.exec()).context("cannot start codeferry")
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<()> {
    run::run(command)
}
