//! `codeferry quota`: what is left.

mod draw;

use anyhow::anyhow;
use clap::Subcommand;
use serde::Serialize;

use crate::commands::accounts::accounts;
use crate::commands::{Context, Outcome};
use crate::desk::{Desk, meant};
use crate::failure::{Exit, Failure};
use crate::guest::{Listed, Outcome as Redemption, Quota};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the credits that begin an account's windows anew
    ResetCredits {
        /// The account's id, label or e-mail address [default: the one that pays]
        who: Option<String>,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Use one of these credits; it cannot be taken back
    Consume {
        /// The account's id, label or e-mail address [default: the one that pays]
        who: Option<String>,
        /// Which credit; without this the provider chooses
        #[arg(long, value_name = "ID")]
        credit: Option<String>,
        /// Yes, use it
        #[arg(long)]
        yes: bool,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Look {
    /// The account's id, label or e-mail address [default: all]
    who: Option<String>,
    /// Ask the provider now, instead of showing what was last seen
    #[arg(long)]
    refresh: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'a str,
    plan: Option<&'a str>,
    quota: Option<&'a Quota>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
}

/// Why there are no figures for plan accounts, and where they are.
const NO_FIGURES: &str = "ChatGPT tells apps no figures for plan accounts; see https://chatgpt.com/settings/usage";

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match args.command {
        None => look(&args.look, context).await,
        Some(Command::ResetCredits { who, json }) => reset_credits(who.as_deref(), json, context).await,
        Some(Command::Consume { who, credit, yes, json }) => {
            consume(who.as_deref(), credit.as_deref(), yes, json, context).await
        }
    }
}

async fn look(args: &Look, context: &Context) -> Outcome {
    let mut exit = Exit::Done;
    let all = if args.refresh {
        refreshed(args.who.as_deref(), &mut exit, context).await?
    } else {
        accounts(context).await?
    };
    let shown = match &args.who {
        Some(who) => std::slice::from_ref(meant(&all, who)?),
        None => all.as_slice(),
    };
    if args.json {
        context.print.json(&shown.iter().map(report).collect::<Vec<_>>())?;
    } else {
        let now = codeferry_app::system_clock()();
        context.print.data(&draw::all(shown, now, &jiff::tz::TimeZone::system()))?;
    }
    if shown.is_empty() {
        context.print.note("no account is signed in");
        context.print.hint("sign in: codeferry accounts add");
    } else if !args.refresh && shown.iter().any(|account| account.has_figures() && account.quota.is_none()) {
        context.print.hint("to ask the provider now: codeferry quota --refresh");
    }
    Ok(exit)
}

/// All accounts, after the provider was asked about those that are meant.
async fn refreshed(who: Option<&str>, exit: &mut Exit, context: &Context) -> Result<Vec<Listed>, Failure> {
    let desk = Desk::open(context).await?;
    let all = desk.accounts().await?;
    let chosen = match who {
        Some(who) => std::slice::from_ref(meant(&all, who)?),
        None => all.as_slice(),
    };
    for account in chosen.iter().filter(|account| account.has_figures()) {
        if let Err(failure) = desk.guest.refresh_quota(&account.id).await {
            context.print.warning(&format!("{}: {:#}; this was seen last", account.name(), failure.error));
            *exit = Exit::Failed;
        }
    }
    let all = desk.accounts().await?;
    desk.close(context).await?;
    Ok(all)
}

fn report(account: &Listed) -> Report<'_> {
    Report {
        id: &account.id,
        name: account.name(),
        kind: &account.kind,
        plan: account.plan.as_deref(),
        quota: account.quota.as_ref(),
        notice: (!account.has_figures()).then_some(NO_FIGURES),
    }
}

async fn reset_credits(who: Option<&str>, json: bool, context: &Context) -> Outcome {
    let desk = Desk::open(context).await?;
    let all = desk.accounts().await?;
    let account = chosen(&all, who)?;
    let found = desk.guest.reset_credits(&account.id).await?;
    desk.close(context).await?;
    if json {
        context.print.json(&found)?;
        return Ok(Exit::Done);
    }
    let now = codeferry_app::system_clock()();
    context.print.data(&draw::credits(&found, now, &jiff::tz::TimeZone::system()))?;
    match found.available {
        0 => context.print.note(&format!("{} has no reset credits", account.name())),
        _ => context.print.hint(&format!("to use one: codeferry quota consume {} --yes", account.id)),
    }
    Ok(Exit::Done)
}

async fn consume(who: Option<&str>, credit: Option<&str>, yes: bool, json: bool, context: &Context) -> Outcome {
    if !yes {
        let error = anyhow!("this uses a reset credit, which cannot be taken back");
        return Err(Failure::conflict(error).hint("if that is meant, say it with --yes"));
    }
    let desk = Desk::open(context).await?;
    let all = desk.accounts().await?;
    let account = chosen(&all, who)?;
    let redeemed = desk.guest.consume_reset_credit(&account.id, credit).await?;
    desk.close(context).await?;
    if json {
        context.print.json(&redeemed)?;
    }
    let name = account.name();
    context.print.note(&match &redeemed.outcome {
        Redemption::Reset => format!("{} windows of {name} began anew", redeemed.windows_reset),
        Redemption::NothingToReset => format!("nothing of {name} is used; the credit is still there"),
        Redemption::NoCredit => format!("{name} has no such credit"),
        Redemption::AlreadyRedeemed => format!("this was done before for {name}"),
        Redemption::Other(answer) => format!("the provider says {answer:?}"),
    });
    let done = matches!(redeemed.outcome, Redemption::Reset | Redemption::AlreadyRedeemed);
    Ok(if done { Exit::Done } else { Exit::Failed })
}

/// The account that is meant; without a word the one that pays.
fn chosen<'a>(all: &'a [Listed], who: Option<&str>) -> Result<&'a Listed, Failure> {
    match who {
        Some(who) => meant(all, who),
        None => all.iter().find(|account| account.active).ok_or_else(|| {
            Failure::conflict(anyhow!("no account pays")).hint("name one: codeferry quota reset-credits WHO")
        }),
    }
}
