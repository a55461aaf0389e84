//! `codeferry cache`: how much of each conversation came from the prompt cache, and what broke its prefix.

mod draw;

use anyhow::anyhow;
use jiff::tz::TimeZone;

use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::history::{History, pairs, zone_name};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Turn by turn, this conversation: the beginning of its name, or `last`
    conversation: Option<String>,
    /// Not before: 30m, 24h, 7d, today, yesterday, week, month, 2026-11-20 [default: 24h]
    #[arg(long, value_name = "WHEN", conflicts_with = "conversation")]
    since: Option<String>,
    /// So many conversations, or turns of one; the last ones
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    match &args.conversation {
        None => list(args, context).await,
        Some(name) => one(name, args, context).await,
    }
}

async fn list(args: &Args, context: &Context) -> Outcome {
    let (limit, zone) = (args.limit.to_string(), zone_name());
    let asked = pairs([("since", args.since.as_deref()), ("limit", Some(&limit)), ("tz", Some(&zone))]);
    let told = History::open(context).await?.conversations(&asked).await?;
    if args.json {
        context.print.data(&told.json)?;
        return Ok(Exit::Done);
    }
    if told.value.conversations.is_empty() {
        context.print.note("there was no conversation in this time; --since 7d looks further back");
        return Ok(Exit::Done);
    }
    context.print.data(&draw::list(&told.value, &TimeZone::system(), context.room()))?;
    Ok(Exit::Done)
}

async fn one(name: &str, args: &Args, context: &Context) -> Outcome {
    let history = History::open(context).await?;
    let name = match name {
        "last" => {
            // Most people mean today's; all there is takes a second to look through.
            let mut newest = None;
            for since in ["24h", "0"] {
                let asked = pairs([("since", Some(since)), ("limit", Some("1"))]);
                newest = history.conversations(&asked).await?.value.conversations.pop();
                if newest.is_some() {
                    break;
                }
            }
            newest.map(|row| row.sum.conversation).ok_or_else(|| unknown(name))?
        }
        name if is_name(name) => name.to_owned(),
        name => return Err(unknown(name)),
    };
    let told = history.conversation(&name).await?;
    if args.json {
        context.print.data(&told.json)?;
        return Ok(Exit::Done);
    }
    let (text, hidden) = draw::one(&told.value, &TimeZone::system(), context.room(), args.limit.into());
    context.print.data(&text)?;
    if hidden > 0 {
        context.print.note(&format!("the last {}; {hidden} more with --limit", args.limit));
    }
    Ok(Exit::Done)
}

/// Names of conversations are UUIDs. What is none has no place in an address either.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

pub(crate) fn unknown(name: &str) -> Failure {
    Failure::conflict(anyhow!("the request log has no conversation whose name begins with {name:?}"))
        .hint("see them: codeferry cache --since 7d")
}
