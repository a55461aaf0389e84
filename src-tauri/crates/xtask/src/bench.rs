//! `cargo xtask bench`: speed and memory beside a raw byte relay.

use anyhow::Result;

use crate::place::Place;
use crate::tools::debian;
use crate::{run, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write the table into docs/performance.md
    #[arg(long)]
    record: bool,
    /// Passed on to the bench, for example `-- --only streams`
    #[arg(last = true)]
    bench: Vec<String>,
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::ROOTS])?;
    say::step("building for release (minutes, the first time)");
    let gateway = ["build", "--quiet", "--release", "-p", "codeferry-cli", "--bin", "codeferry"];
    run::run(&mut run::cargo(place, &gateway))?;
    let bench = ["build", "--quiet", "--release", "-p", "codeferry-tests", "--bins"];
    run::run(&mut run::cargo(place, &bench))?;
    say::step("measuring");
    let mut command = std::process::Command::new(place.built("release", "bench"));
    command.current_dir(&place.root).env("CODEFERRY_BIN", place.built("release", "codeferry")).args(&args.bench);
    if args.record {
        command.arg("--record").arg(place.root.join("docs/performance.md"));
    }
    run::run(&mut command)
}
