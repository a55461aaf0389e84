//! `codeferry serve` and `codeferry demo`.

mod guide;

use std::net::{IpAddr, Ipv4Addr};

use codeferry_app::{LogLines, Options, Running, StartError};
use serde::Serialize;

use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::logging::{self, Format};
use crate::signals::Signals;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// Answer from the embedded demo account; nothing leaves this machine
    #[arg(long)]
    pub(crate) demo: bool,
    /// Say what to try
    #[arg(skip)]
    pub(crate) guided: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Listen {
    /// The address to listen on. Another than loopback needs a client key, and TLS in front of it [default: the setting
    /// `host`]
    #[arg(long, value_parser = host)]
    pub(crate) host: Option<IpAddr>,
    /// The port to listen on; 0 takes a free one [default: the setting `port`]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Print one line of JSON as soon as requests are accepted
    #[arg(long)]
    pub(crate) json: bool,
    /// How log lines look; CODEFERRY_LOG says how much is logged [default: the setting `log`]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) log: Option<Format>,
}

/// The line for programs.
#[derive(Serialize)]
struct Event<'a> {
    event: &'static str,
    url: &'a str,
    pid: u32,
}

pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let format = match args.listen.log {
        Some(format) => format,
        None => codeferry_app::settings(&context.paths)?.snapshot().log.into(),
    };
    let log_lines = logging::start(format, "info", context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(args, format, log_lines, context));
    // What is still blocked in a thread (a keychain dialog) does not hold back the end.
    runtime.shutdown_background();
    outcome
}

async fn serve(args: &Args, format: Format, log_lines: LogLines, context: &Context) -> Outcome {
    // First, so that a signal during the start is not lost.
    let mut signals = Signals::catch()?;
    let Listen { host, port, .. } = args.listen;
    let options = Options { host, port, demo: args.demo, log_lines, ..Options::default() };
    let start = codeferry_app::start(options, &context.paths, &context.environment);
    let mut running = tokio::select! {
        started = start => started.map_err(failure)?,
        () = signals.next() => return Ok(Exit::Done),
    };
    announce(args, format, context, &running)?;
    tokio::select! {
        () = signals.next() => tracing::info!("stopping; a second signal ends at once"),
        () = running.ended() => {}
    }
    tokio::select! {
        stopped = running.stop() => stopped?,
        () = signals.next() => {
            context.print.warning("ended at once; answers under way were cut off");
            return Ok(Exit::Failed);
        }
    }
    if !args.demo {
        for told in codeferry_app::clients_on_quit(&context.paths, &context.environment).into_iter().flatten() {
            context.print.note(&told);
        }
    }
    Ok(Exit::Done)
}

fn announce(args: &Args, format: Format, context: &Context, running: &Running) -> Result<(), Failure> {
    let (print, url) = (context.print, running.url());
    let no_key = running.keys().list()?.is_empty();
    if args.guided {
        print.note(&guide::text(url, no_key));
    } else if format == Format::Json {
        // Every line on standard error is to be one for machines; that it has started is one.
        if no_key {
            tracing::warn!("no client can come in yet: codeferry keys create NAME");
        }
    } else if no_key {
        print.warning(&format!("listening on {url}, and no client can come in yet: codeferry keys create NAME"));
    } else if !args.listen.json {
        print.note(&format!("listening on {url}; point a client there with its key"));
    }
    // Last: who waits for this line has then everything there is to read.
    if args.listen.json {
        print.json(&Event { event: "listening", url, pid: std::process::id() })?;
    }
    Ok(())
}

fn failure(error: StartError) -> Failure {
    if error.is_conflict() { Failure::conflict(error) } else { Failure::from(error) }
}

/// An address, or the one name that means one everywhere.
fn host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| "an IP address or localhost is needed".to_owned())
}
