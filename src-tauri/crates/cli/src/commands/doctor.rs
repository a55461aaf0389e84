//! `codeferry doctor`: what is well, what is not, and what to do about it.

use codeferry_app::doctor::{self, Report, Row, Verdict};
use codeferry_app::setup::handshake;
use codeferry_app::setup::probe::{self, CHECK, Depth};
use codeferry_app::setup::{Kind, Setup, report};

use crate::commands::{Context, Outcome, setup};
use crate::failure::{Exit, Failure};
use crate::guest::Guest;
use crate::print::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ask the upstream, too
    #[arg(long)]
    live: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let report = examine(args.live, context).await;
    let print = context.print;
    if args.json {
        print.json(&report)?;
    } else {
        print.data(&lines(&report.rows))?;
    }
    Ok(if report.verdict == Verdict::Fail { Exit::Failed } else { Exit::Done })
}

/// What the gateway says of itself; where none runs, or none that answers, what can be seen without.
async fn examine(live: bool, context: &Context) -> Report {
    let asked = match Guest::find(&context.paths).await {
        Ok(None) => return doctor::alone(&context.paths, &context.environment, live).await,
        Ok(Some((guest, _))) => guest.doctor(live).await,
        Err(error) => Err(Failure::from(error)),
    };
    match asked {
        Ok(mut report) => {
            // Clients are started from here, not from where the gateway was.
            report.rows.retain(|row| row.check != "proxy" && row.check != CHECK);
            report.rows.push(doctor::proxy(&context.environment));
            report.rows.extend(clients(live, context).await);
            Report::of(report.rows)
        }
        Err(failure) => {
            let mut report = doctor::alone(&context.paths, &context.environment, live).await;
            report.rows.retain(|row| row.check != "gateway" && row.check != "address");
            let row = Row::fail("gateway", format!("{:#}", failure.error));
            report.rows.push(row.hint("stop it and start it anew: codeferry serve"));
            Report::of(report.rows)
        }
    }
}

/// How the clients that are started in this folder stand; with `live` what they would do is tried out.
async fn clients(live: bool, context: &Context) -> Vec<Row> {
    let (setup, guest) = match setup::open(true, context).await {
        Ok(opened) => opened,
        Err(failure) => return vec![Row::warn(CHECK, format!("clients cannot be looked at: {:#}", failure.error))],
    };
    let programs = setup.list();
    let mut rows = report::rows(&programs);
    let Some(guest) = guest.filter(|_| live) else { return rows };
    for program in &programs {
        let Some(kind) = Kind::parse(program.client) else { continue };
        for place in program.targets.iter().filter(|place| place.held) {
            let tried = tried(kind, Some(&place.target), &setup, &guest, Depth::Live).await;
            rows.extend(tried.into_iter().map(|row| probe::named(kind.label(), row)));
        }
    }
    rows
}

/// What a client would do is done, and judged.
pub(crate) async fn tried(kind: Kind, target: Option<&str>, setup: &Setup, guest: &Guest, depth: Depth) -> Vec<Row> {
    let command = match target {
        None | Some("user") => format!("codeferry setup {kind}"),
        Some(target) => format!("codeferry setup {kind} --target {target}"),
    };
    let Some(key) = setup.key(kind, target) else { return vec![probe::no_key(&command)] };
    let mut rows = Vec::new();
    for probe in probe::probes(kind, &setup.offer, depth) {
        let answer = match probe.knocks() {
            true => handshake::knock(&setup.offer.url, probe.path, &key).await,
            false => guest.probe(&probe, &key).await,
        };
        rows.push(probe::judge(&command, &probe, answer.as_ref().map_err(String::as_str)));
    }
    rows
}

fn lines(rows: &[Row]) -> String {
    let word = |verdict| match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    };
    let row = |row: &Row| [word(row.verdict).to_owned(), row.check.replace('_', " "), row.message.clone()];
    let cure = |row: &Row| row.hint.as_ref().map(|hint| [String::new(), String::new(), format!("-> {hint}")]);
    table(&rows.iter().flat_map(|it| [Some(row(it)), cure(it)]).flatten().collect::<Vec<_>>())
}
