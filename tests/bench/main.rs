//! The bench: what it costs to have Codeferry between a client and its model.
//!
//! The measure is a raw byte relay ([`relay`]) in the same language on the same libraries. Relay, gateway and upstream
//! run as processes of their own; this one is the load and the meter. `cargo xtask bench` starts it; the method is in
//! docs/performance.md. Reads `/proc`, so it needs Linux.

mod body;
mod load;
mod measure;
mod meter;
mod relay;
mod report;
mod say;
mod subject;
mod upstream;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// What the command line asks for.
#[derive(Debug, Default)]
struct Args {
    /// Where to write the table.
    record: Option<PathBuf>,
    /// Only measures whose name contains this.
    only: Option<String>,
    /// A tenth of the work, to see that everything runs.
    quick: bool,
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1).peekable();
    // Without one, reqwest has no TLS to offer and refuses to be built, also for plain HTTP.
    rustls::crypto::ring::default_provider().install_default().ok().context("a TLS provider is already there")?;
    match words.peek().map(String::as_str) {
        Some("relay") => run(2, relay::serve(words.nth(1).context("relay UPSTREAM")?)),
        Some("upstream") => run(1, upstream::serve(words.nth(1).as_deref() == Some("sockets"))),
        _ => {
            let args = parse(words)?;
            run(1, measure::all(&args))
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Args> {
    let mut args = Args::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--record" => args.record = Some(words.next().context("--record FILE")?.into()),
            "--only" => args.only = Some(words.next().context("--only NAME")?),
            "--quick" => args.quick = true,
            // Cargo says so to every bench.
            "--bench" => {}
            word => bail!("unknown argument {word}; there are --only NAME, --quick, --record FILE"),
        }
    }
    Ok(args)
}

/// The relay gets as many threads as the gateway takes: one for each core of the small machine that is the reference.
fn run(threads: usize, what: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?.block_on(what)
}
