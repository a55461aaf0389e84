//! `cargo xtask start`: from a clone to a gateway that answers, in the tray where there is a display.

pub(crate) mod announce;
mod display;
mod key;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::place::Place;
use crate::tools::debian;
use crate::{run, say, shell, ui};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Answer from the embedded demo account; nothing leaves this machine
    #[arg(long)]
    demo: bool,
    /// The port to listen on (default: the setting `port`, 8081 unless changed)
    #[arg(long)]
    port: Option<u16>,
    /// The gateway alone, without tray and windows
    #[arg(long)]
    headless: bool,
    /// Build with optimisation: slower to build, for work with long conversations
    #[arg(long)]
    release: bool,
}

/// Builds and runs in the foreground.
///
/// The default is the dev profile: it shares every dependency with `cargo xtask test`, so whoever runs both builds
/// once, and a person who looks around for the first time waits for the shorter build.
pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::ROOTS])?;
    ui::build_if_possible(place);
    let display = display::is_there(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if !args.headless && !display {
        say::step("no display here: starting the gateway alone");
    }
    if !args.headless && display && shell::buildable() { in_the_tray(place, args) } else { headless(place, args) }
}

fn in_the_tray(place: &Place, args: &Args) -> Result<()> {
    say::step("building the desktop app");
    build(place, args, &["-p", shell::PACKAGE, "-p", "codeferry-cli", "--bin", shell::PACKAGE, "--bin", "codeferry"])?;
    say::data(&format!(
        "
Codeferry starts in the tray, and its window says what to do next.

  Command line  {}
  Ctrl-C here, or Quit in the tray, ends it. `cargo xtask start --headless` is the gateway alone.
",
        built(place, args, "codeferry").display()
    ));
    let mut shell = Command::new(built(place, args, shell::PACKAGE));
    run::tidy_environment(&mut shell);
    become_it(pass_on(&mut shell, args))
}

fn headless(place: &Place, args: &Args) -> Result<()> {
    say::step("building the gateway");
    build(place, args, &["-p", "codeferry-cli", "--bin", "codeferry"])?;
    let codeferry = built(place, args, "codeferry");
    let key = key::obtain(place, &codeferry)?;
    let mut serve = Command::new(&codeferry);
    run::tidy_environment(&mut serve);
    pass_on(serve.args(["serve", "--json"]), args);
    serve_in_foreground(serve, announcer(&codeferry, &key, args.demo)?)
}

fn build(place: &Place, args: &Args, what: &[&str]) -> Result<()> {
    let mut build = run::cargo(place, &["build", "--quiet"]);
    if args.release {
        build.arg("--release");
    }
    run::run(build.args(what))
}

fn built(place: &Place, args: &Args, name: &str) -> PathBuf {
    place.built(if args.release { "release" } else { "debug" }, name)
}

/// What both programs understand.
fn pass_on<'a>(command: &'a mut Command, args: &Args) -> &'a mut Command {
    if args.demo {
        command.arg("--demo");
    }
    if let Some(port) = args.port {
        command.arg("--port").arg(port.to_string());
    }
    command
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
    Err(command.exec()).context("cannot start what was built")
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<()> {
    run::run(command)
}
