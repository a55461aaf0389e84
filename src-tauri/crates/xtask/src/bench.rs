//! `cargo xtask bench`: speed and memory beside a raw byte relay.

use anyhow::Result;

use crate::place::Place;
use crate::tools::debian;
use crate::{run, say, shell, ui};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write the table into docs/performance.md
    #[arg(long)]
    record: bool,
    /// The desktop app instead: its start, its memory, and what it takes while nobody looks
    #[arg(long, conflicts_with_all = ["record", "bench"])]
    desktop: bool,
    /// The dashboard instead: how soon it is there, what a long log and a minute of a busy gateway cost its pages
    #[arg(long, conflicts_with_all = ["record", "desktop", "bench"])]
    pages: bool,
    /// Passed on to the bench, `-- --quick`, or one of start, streams, burst, first, history, memory, remembering: `-- --only streams`
    #[arg(last = true)]
    bench: Vec<String>,
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::ROOTS])?;
    ui::build_if_possible(place);
    say::step("building for release (minutes, the first time)");
    if args.desktop {
        return desktop(place);
    }
    let gateway = ["build", "--quiet", "--release", "-p", "codeferry-cli", "--bin", "codeferry"];
    run::run(&mut run::cargo(place, &gateway))?;
    if args.pages {
        debian::ensure(&[debian::NODE, debian::BROWSER])?;
        say::step("measuring (some minutes; leave the machine alone)");
        return ui::soak(place, &place.built("release", "codeferry"));
    }
    let bench = ["bench", "--quiet", "-p", "codeferry-tests", "--bench", "bench"];
    run::run(run::cargo(place, &bench).arg("--no-run"))?;
    say::step("measuring (some minutes; leave the machine alone)");
    let mut command = run::cargo(place, &bench);
    command.env("CODEFERRY_BIN", place.built("release", "codeferry")).arg("--").args(&args.bench);
    if args.record {
        command.arg("--record").arg(place.root.join("docs/performance.md"));
    }
    run::run(&mut command)?;
    if !args.bench.is_empty() {
        return Ok(());
    }
    say::step("the request log with a million rows");
    run::run(&mut run::cargo(place, &["bench", "--quiet", "-p", "codeferry-tests", "--bench", "request_log"]))
}

fn desktop(place: &Place) -> Result<()> {
    debian::ensure(&[debian::DESKTOP, debian::SCREEN])?;
    let mut tests = run::cargo(place, &["test", "--quiet", "-p", "codeferry-tests", "--test", "desktop"]);
    tests.args(["--", "--ignored", "--nocapture", "frugal::figures"]);
    shell::under_test(place, "release", &mut tests)?;
    say::step("measuring (some minutes; leave the machine alone)");
    run::run(&mut tests)
}
