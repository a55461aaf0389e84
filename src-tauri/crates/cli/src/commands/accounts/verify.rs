//! `codeferry accounts verify`: can they be used?

use anyhow::anyhow;
use serde::Serialize;

use crate::commands::{Context, Outcome};
use crate::desk::{Desk, meant};
use crate::failure::{Exit, Failure};
use crate::guest::Listed;
use crate::print::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account's id, label or e-mail address
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    who: Option<String>,
    /// All accounts
    #[arg(long)]
    all: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    id: &'a str,
    ok: bool,
    message: String,
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let desk = Desk::open(context).await?;
    let accounts = desk.accounts().await?;
    let chosen: Vec<&Listed> = match &args.who {
        Some(who) => vec![meant(&accounts, who)?],
        None => accounts.iter().collect(),
    };
    if chosen.is_empty() {
        return Err(Failure::conflict(anyhow!("no account is signed in")));
    }
    let mut reports = Vec::with_capacity(chosen.len());
    for account in &chosen {
        // One that cannot be asked about does not hide the others.
        let (ok, message) = match desk.guest.verify(&account.id).await {
            Ok(verified) => (verified.ok, verified.message),
            Err(failure) => (false, format!("{:#}", failure.error)),
        };
        reports.push(Report { id: &account.id, ok, message });
    }
    if args.json {
        context.print.json(&reports)?;
    } else {
        let row = |(report, account): (&Report<'_>, &&Listed)| {
            let verdict = if report.ok { "good" } else { "not good" };
            [account.name().to_owned(), verdict.to_owned(), report.message.clone()]
        };
        context.print.data(&table(&reports.iter().zip(&chosen).map(row).collect::<Vec<_>>()))?;
    }
    let failed = || reports.iter().zip(&chosen).filter(|(report, _)| !report.ok);
    let exit = match (failed().count(), failed().any(|(_, account)| account.needs_sign_in())) {
        (0, _) => Exit::Done,
        (_, true) => Exit::NeedsSignIn,
        (_, false) => Exit::Failed,
    };
    desk.close(context).await?;
    Ok(exit)
}
