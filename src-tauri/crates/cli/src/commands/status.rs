//! `codeferry status`: the running gateway, in a few lines.

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::{Context, Outcome};
use crate::failure::Exit;
use crate::guest::{Guest, Status};
use crate::print::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    running: bool,
    #[serde(flatten)]
    found: Option<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    url: Option<&'a str>,
    demo: bool,
    #[serde(flatten)]
    status: &'a Status,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let Some((guest, owner)) = Guest::find(&context.paths).await? else {
        if args.json {
            context.print.json(&Report { running: false, found: None })?;
        } else {
            context.print.note(&format!("no gateway serves {}", context.paths.home().display()));
            context.print.hint("start one: codeferry serve");
        }
        return Ok(Exit::Failed);
    };
    let status = guest.status().await?;
    let url = owner.url.as_deref();
    if args.json {
        let found = Some(Found { url, demo: owner.demo, status: &status });
        context.print.json(&Report { running: true, found })?;
    } else {
        context.print.data(&lines(url.unwrap_or_default(), &status))?;
        status.warnings.iter().for_each(|warning| context.print.warning(warning));
    }
    Ok(Exit::Done)
}

fn lines(url: &str, status: &Status) -> String {
    let counts = &status.exchanges;
    let row = |name: &str, value: String| [name.to_owned(), value];
    let pays = status.accounts.iter().find(|account| account.active);
    table(&[
        row("address", url.to_owned()),
        row("process", format!("{}, version {}, since {}", status.pid, status.version, local(status.started_at))),
        row(
            "account",
            pays.map_or_else(
                || "none is active".to_owned(),
                |account| format!("{} ({})", account.name(), account.state.replace('_', " ")),
            ),
        ),
        row(
            "exchanges",
            format!(
                "{} open, {} completed, {} refused, {} failed, {} left by the client",
                counts.open, counts.completed, counts.refused, counts.failed, counts.cancelled
            ),
        ),
    ])
}

/// For people, in the time of this machine.
pub(crate) fn local(moment: Timestamp) -> String {
    moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
