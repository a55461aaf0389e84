//! Developer tasks: `cargo xtask start | test | check | bench | icons | types | bundle | release | shots`.
//!
//! Each task first installs what it needs and does not find, then does its job. What it installs goes into the cache
//! folder (see [`place`]), never into the clone and never over what the user has.
//!
//! **Invariant:** this crate knows no other crate of the workspace. It starts cargo and the built binary and reads
//! what they print, so that it builds in seconds and works while the rest does not compile.

mod bench;
mod bundle;
mod check;
mod icons;
mod openapi;
mod place;
mod release;
mod run;
mod say;
mod sentences;
mod shell;
mod start;
mod sums;
mod test;
mod tools;
mod types;
mod ui;
mod workflow;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::place::Place;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Developer tasks of Codeferry")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the desktop app and start it; without a display the gateway alone, with a client key and what to do with it
    Start(start::Args),
    /// Install the real clients if they are missing and run every test
    Test(test::Args),
    /// Format, lints, documentation, licences and spelling: what a change must pass
    Check(check::Args),
    /// Measure speed and memory beside a raw byte relay
    Bench(bench::Args),
    /// Draw the pictures of bundles and tray anew from icons/*.svg
    Icons,
    /// Write the types of the control API anew for the dashboard, from the Rust sources
    Types,
    /// Make the packages people install, into target/bundle
    Bundle(bundle::Args),
    /// Print the texts of a release
    Release(release::Args),
    /// Take the pictures of the documents anew, of the desktop app as it is
    Shots,
    /// Read the server's announcement from standard input and explain it (used by `start`)
    #[command(hide = true)]
    Announce(start::announce::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = Place::find().and_then(|place| match args.task {
        Task::Start(args) => start::run(&place, &args),
        Task::Test(args) => test::run(&place, &args),
        Task::Check(args) => check::run(&place, &args),
        Task::Bench(args) => bench::run(&place, &args),
        Task::Icons => icons::run(&place),
        Task::Types => types::run(&place),
        Task::Bundle(args) => bundle::run(&place, &args),
        Task::Release(args) => release::run(&place, &args),
        Task::Shots => shell::shots(&place),
        Task::Announce(args) => start::announce::run(&args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failed(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
