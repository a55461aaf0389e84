//! `codeferry logs`: what the gateway said last, and what it goes on to say.
//!
//! A gateway that runs is asked; where none does, its files are read. To follow is to read the files as they grow, which
//! outlives a restart of the gateway. One that writes no files tells its events instead.

mod tail;

use std::time::Duration;

use anyhow::anyhow;
use codeferry_app::{KEPT_LINES, LogLevel, LogLine};
use jiff::tz::TimeZone;

use self::tail::Tail;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::figures::plain;
use crate::guest::Guest;
use crate::signals::Signals;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Go on with what is said from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// So many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    lines: usize,
    /// Only lines at least as bad as that: error, warn, info, debug or trace
    #[arg(long, value_parser = level, default_value = "trace", hide_default_value = true)]
    level: LogLevel,
    /// Print each line as a line of JSON
    #[arg(long)]
    json: bool,
}

/// Between two looks at a file.
const PACE: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let gateway = Guest::find(&context.paths).await?;
    let writes = codeferry_app::settings(&context.paths)?.snapshot().log_file;
    let in_files = gateway.as_ref().is_none_or(|(_, owner)| writes && !owner.demo);
    if args.follow {
        return match gateway {
            Some((guest, _)) if !in_files => listen(args, context, &guest).await,
            gateway => follow(args, context, gateway.is_some()).await,
        };
    }
    let lines = match gateway {
        // More than it keeps in mind is in the files alone.
        Some((guest, _)) if !in_files || args.lines <= KEPT_LINES => {
            guest.logs(args.lines.min(KEPT_LINES), args.level).await?
        }
        _ => Tail::open(&context.paths.logs()).last(args.lines, args.level).map_err(unreadable)?,
    };
    if lines.is_empty() {
        context.print.note("nothing was logged");
    }
    for line in &lines {
        show(line, args.json, context)?;
    }
    Ok(Exit::Done)
}

async fn follow(args: &Args, context: &Context, runs: bool) -> Outcome {
    let mut signals = Signals::catch()?;
    let mut tail = Tail::open(&context.paths.logs());
    let mut lines = tail.last(args.lines, args.level).map_err(unreadable)?;
    if !runs {
        context.print.note(&format!("no gateway serves {}: waiting for one", context.paths.home().display()));
    }
    loop {
        for line in &lines {
            show(line, args.json, context)?;
        }
        tokio::select! {
            () = signals.next() => return Ok(Exit::Done),
            () = tokio::time::sleep(PACE) => {}
        }
        lines = tail.more(args.level).map_err(unreadable)?;
    }
}

/// For as long as this gateway runs.
async fn listen(args: &Args, context: &Context, guest: &Guest) -> Outcome {
    let mut signals = Signals::catch()?;
    // First, so that nothing is missing between the two.
    let mut coming = guest.follow_logs().await?;
    let mut shown = None;
    for line in guest.logs(args.lines.min(KEPT_LINES), args.level).await? {
        show(&line, args.json, context)?;
        shown = Some(line.at);
    }
    loop {
        let next = tokio::select! {
            () = signals.next() => return Ok(Exit::Done),
            next = coming.next() => next?,
        };
        let Some(line) = next else {
            context.print.note("the gateway has ended");
            return Ok(Exit::Done);
        };
        if line.level <= args.level && shown.is_none_or(|shown| line.at > shown) {
            show(&line, args.json, context)?;
        }
    }
}

fn show(line: &LogLine, json: bool, context: &Context) -> Result<(), Failure> {
    let shown = if json { context.print.json(line) } else { context.print.data(&text(line, &TimeZone::system())) };
    Ok(shown?)
}

/// A line for people: when, how bad, what, and what belongs to it. Whatever would move a terminal's cursor is written out.
fn text(line: &LogLine, zone: &TimeZone) -> String {
    let at = line.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f");
    let mut text = format!("{at} {:>5} {}", line.level.as_str().to_uppercase(), line.message);
    for (name, value) in &line.fields.0 {
        let value = value.to_string();
        let quoted = value.is_empty() || value.contains([' ', '"', '=']);
        text += &if quoted { format!(" {name}={value:?}") } else { format!(" {name}={value}") };
    }
    plain(&text)
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::from(anyhow!(error).context("the log files cannot be read"))
}

fn level(word: &str) -> Result<LogLevel, String> {
    word.parse().map_err(|()| "error, warn, info, debug or trace is needed".to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{LogLine, text};

    #[test]
    fn a_line_for_people() {
        let json = r#"{"at":"2026-11-20T07:30:00.5Z","level":"warn","target":"x","message":"attempt failed","fields":{"id":"req_1","status":500,"why":"it \"broke\"","none":""}}"#;
        let line: LogLine = serde_json::from_str(json).unwrap();
        assert_eq!(
            text(&line, &TimeZone::UTC),
            r#"2026-11-20 07:30:00.500  WARN attempt failed id=req_1 status=500 why="it \"broke\"" none="""#
        );
    }

    #[test]
    fn no_line_plays_with_the_terminal() {
        let json = r#"{"at":"2026-11-20T07:30:00Z","level":"info","target":"x","message":"a\u001b[2Jb\nc"}"#;
        let shown = text(&serde_json::from_str(json).unwrap(), &TimeZone::UTC);
        assert!(!shown.contains(['\u{1b}', '\n']) && shown.ends_with(r"a\u{1b}[2Jb\nc"), "{shown}");
    }
}
