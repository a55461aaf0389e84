//! `codeferry status`: the running gateway, in a few lines.

use codeferry_app::history::{Figures, UsageReport};
use codeferry_store::log::LogHealth;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::usage::cost;
use crate::commands::{Context, Outcome, capture};
use crate::failure::{Exit, Failure};
use crate::figures::{percent, sum};
use crate::guest::{Guest, Status, Told};
use crate::history::{pairs, zone_name};
use crate::print::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// What the gateway says of itself, with nothing left out.
#[derive(Serialize)]
struct Report {
    running: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    demo: Option<bool>,
    #[serde(flatten)]
    told: Told,
    /// What was used since midnight; none where the request log cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<Option<Figures>>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let Some((guest, owner)) = Guest::find(&context.paths).await? else {
        if args.json {
            context.print.json(&Report { running: false, demo: None, told: Told::default(), today: None })?;
        } else {
            context.print.note(&format!("no gateway serves {}", context.paths.home().display()));
            context.print.hint("start one: codeferry serve");
        }
        return Ok(Exit::Failed);
    };
    let today = match today(&guest).await {
        Ok(today) => Some(today),
        Err(failure) => {
            context.print.warning(&format!("{:#}", failure.error));
            None
        }
    };
    if args.json {
        let told = guest.status_as_told().await?;
        context.print.json(&Report { running: true, demo: Some(owner.demo), told, today: Some(today) })?;
    } else {
        let status = guest.status().await?;
        context.print.data(&lines(owner.url.as_deref().unwrap_or_default(), &status, today.as_ref()))?;
        status.warnings.iter().for_each(|warning| context.print.warning(warning));
        for trouble in troubles(&status.request_log) {
            context.print.warning(&trouble);
        }
        if let Some(capture) = status.capture.as_ref().filter(|capture| capture.on) {
            context.print.warning(&capture::describe(capture));
            context.print.hint("to end that: codeferry capture off");
        }
    }
    Ok(Exit::Done)
}

/// Since midnight of whoever asks.
async fn today(guest: &Guest) -> Result<Figures, Failure> {
    let zone = zone_name();
    let text = guest.text("usage", &pairs([("since", Some("today")), ("tz", Some(&zone))])).await?;
    Ok(serde_json::from_str::<UsageReport>(&text)?.total)
}

/// What should not be so with the request log.
fn troubles(health: &LogHealth) -> Vec<String> {
    let mut troubles = Vec::new();
    if let Some(problem) = &health.problem {
        troubles.push(problem.clone());
    }
    if health.dropped > 0 {
        let dropped = health.dropped;
        troubles.push(format!("rows of the request log that were not written since the start: {dropped}"));
    }
    if let Some(path) = &health.put_aside {
        troubles.push(format!("the request log was damaged; the old one lies at {}", path.display()));
    }
    troubles
}

/// How many, and what they took.
fn used(today: &Figures) -> [String; 2] {
    let mut asked = match today.requests {
        1 => "1 exchange".to_owned(),
        count => format!("{count} exchanges"),
    };
    match today.refused + today.failed {
        0 => {}
        failed => asked += &format!(", {failed} of them refused or broken off"),
    }
    let cached = today.cached_percent.map(|share| format!(" ({} cached)", percent(share))).unwrap_or_default();
    let mut took = format!("{} in{cached}, {} out", sum(today.input), sum(today.output));
    match cost(today) {
        cost if cost.is_empty() => {}
        cost => took += &format!("; {cost} at list prices"),
    }
    [asked, if today.counted == 0 { String::new() } else { took }]
}

fn lines(url: &str, status: &Status, today: Option<&Figures>) -> String {
    let counts = &status.exchanges;
    let row = |name: &str, value: String| [name.to_owned(), value];
    let pays = status.accounts.iter().find(|account| account.active);
    let mut rows = vec![
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
    ];
    if let Some([asked, took]) = today.map(used) {
        rows.push(row("today", asked));
        rows.extend(Some(took).filter(|took| !took.is_empty()).map(|took| row("tokens", took)));
    }
    table(&rows)
}

/// For people, in the time of this machine.
pub(crate) fn local(moment: Timestamp) -> String {
    moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
