//! `codeferry exchanges`: what was asked of the gateway, what became of it and what it cost.

mod draw;
mod show;

use std::time::Duration;

use anyhow::anyhow;
use clap::Subcommand;
use codeferry_app::history::{ExchangePage, Row};
use jiff::tz::TimeZone;

use self::draw::Table;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::history::{History, PAGE, Pairs, pairs, zone_name};
use crate::signals::Signals;

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
    /// Show everything that is known of one exchange
    Show {
        /// Its id, the end of its id, or `last`
        id: String,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Look {
    /// Not before: 30m, 24h, 7d, today, yesterday, week, month, 2026-11-20, 2026-11-20T07:30:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Before
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Of this model, as it was asked for or as it served
    #[arg(long)]
    model: Option<String>,
    /// Paid by this account: its id, label or e-mail address
    #[arg(long, value_name = "WHO")]
    account: Option<String>,
    /// Asked with the client key of that name
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Of this conversation
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// With these words in an id, a model or an error
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those that were refused or broke off
    #[arg(long)]
    failed: bool,
    /// So many, the last ones
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Go on with those that end from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Print one line of JSON; with --follow one for each exchange
    #[arg(long)]
    json: bool,
}

/// Between two looks.
const PACE: Duration = Duration::from_millis(500);

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match args.command {
        Some(Command::Show { id, json }) => show::run(&id, json, context).await,
        None if args.look.follow => follow(&args.look, context).await,
        None => look(&args.look, context).await,
    }
}

async fn look(look: &Look, context: &Context) -> Outcome {
    let told = History::open(context).await?.all(&look.pairs(), look.limit).await?;
    if look.json {
        context.print.data(&told.json)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<_> = told.value.exchanges.iter().rev().collect();
    if rows.is_empty() {
        context.print.note("there is no such exchange in the request log");
        return Ok(Exit::Done);
    }
    context.print.data(&Table::new(&rows, TimeZone::system(), today(), context.room()).all(&rows))?;
    if told.value.next.is_some() {
        context.print.note(&format!("the last {}; more with --limit", rows.len()));
    }
    Ok(Exit::Done)
}

async fn follow(look: &Look, context: &Context) -> Outcome {
    let mut signals = Signals::catch()?;
    let mut history = History::open(context).await?;
    let page = history.all(&look.pairs(), look.limit).await?.value;
    let mut last = newest(&page).unwrap_or_default();
    let rows: Vec<_> = page.exchanges.iter().rev().collect();
    let table = Table::to_follow(&rows, TimeZone::system(), today(), context.room());
    if !look.json {
        context.print.data(&table.titles())?;
    }
    print(&rows, &table, look, context)?;
    let mut newest_page = look.pairs();
    newest_page.push(("limit".to_owned(), PAGE.to_string()));
    loop {
        // What is still under way when a page of others have begun is missed.
        tokio::select! {
            () = signals.next() => return Ok(Exit::Done),
            () = tokio::time::sleep(PACE) => {}
        }
        // One step of a search is enough: what is new is in front.
        let page = match history.exchanges(&newest_page).await {
            Ok(told) => told.value,
            // It was stopped, or another one runs now.
            Err(_) => {
                history = History::open(context).await?;
                continue;
            }
        };
        let Some(newest) = newest(&page) else { continue };
        // Numbers begin anew in a new file.
        last = if newest < last { 0 } else { last };
        let mut rows: Vec<_> = page.exchanges.iter().filter(|row| row.found.seq > last).collect();
        rows.sort_by_key(|row| row.found.seq);
        print(&rows, &table, look, context)?;
        last = newest;
    }
}

/// The number of the one that ended last. Pages are in the order in which they began.
fn newest(page: &ExchangePage) -> Option<i64> {
    page.exchanges.iter().map(|row| row.found.seq).max()
}

fn print(rows: &[&Row], table: &Table, look: &Look, context: &Context) -> Result<(), Failure> {
    for row in rows {
        if look.json {
            context.print.json(row)?;
        } else {
            context.print.data(&table.line(row))?;
        }
    }
    Ok(())
}

// === impl Look ===

impl Look {
    fn pairs(&self) -> Pairs {
        let zone = zone_name();
        pairs([
            ("since", self.since.as_deref()),
            ("until", self.until.as_deref()),
            ("model", self.model.as_deref()),
            ("account", self.account.as_deref()),
            ("client", self.client.as_deref()),
            ("conversation", self.conversation.as_deref()),
            ("q", self.search.as_deref()),
            ("outcome", self.failed.then_some("refused,failed")),
            ("tz", Some(&zone)),
        ])
    }
}

fn today() -> jiff::civil::Date {
    codeferry_app::system_clock()().to_zoned(TimeZone::system()).date()
}

/// The whole id of the exchange that a person means.
async fn meant(history: &History, text: &str) -> Result<String, Failure> {
    const WHOLE: usize = "req_".len() + 32;
    if text.starts_with("req_") && text.len() == WHOLE {
        return Ok(text.to_owned());
    }
    let (asked, most) = if text == "last" { (pairs([]), 1) } else { (pairs([("q", Some(text))]), PAGE) };
    let page = history.all(&asked, most).await?.value;
    let ids = page.exchanges.into_iter().map(|row| row.found.exchange.id);
    let ids: Vec<_> = ids.filter(|id| text == "last" || id.ends_with(text)).collect();
    match ids.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(unknown(text)),
        several => Err(Failure::conflict(anyhow!("the ids of {} exchanges end in {text:?}", several.len()))
            .hint(format!("the newest of them: codeferry exchanges show {}", several[0]))),
    }
}

fn unknown(id: &str) -> Failure {
    Failure::conflict(anyhow!("the request log has no exchange {id:?}"))
        .hint("a row is written when its answer has ended: codeferry exchanges")
}
