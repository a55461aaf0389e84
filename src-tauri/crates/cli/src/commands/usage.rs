//! `codeferry usage`: what was used, and what that would have cost.

mod draw;

pub(crate) use self::draw::cost;
use crate::commands::{Context, Outcome};
use crate::failure::Exit;
use crate::history::{History, pairs, zone_name};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Not before: 24h, 7d, today, yesterday, week, month, 2026-11-20, 2026-11-20T07:30:00Z
    #[arg(long, value_name = "WHEN", default_value = "7d")]
    since: String,
    /// Before
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// What to sum by: hour, day, model, provider, account, client or dialect; or several, like day,model
    #[arg(long, default_value = "day")]
    by: String,
    /// Whose days, like Europe/Berlin [default: those of this machine]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Only this model
    #[arg(long)]
    model: Option<String>,
    /// Only this account: its id, label or e-mail address
    #[arg(long, value_name = "WHO")]
    account: Option<String>,
    /// Only the client key of that name
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Print a table for spreadsheets
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let zone = args.tz.clone().unwrap_or_else(zone_name);
    let pairs = pairs([
        ("since", Some(args.since.as_str())),
        ("until", args.until.as_deref()),
        ("by", Some(&args.by)),
        ("tz", Some(&zone)),
        ("model", args.model.as_deref()),
        ("account", args.account.as_deref()),
        ("client", args.client.as_deref()),
    ]);
    let history = History::open(context).await?;
    if args.csv {
        let text = history.usage_csv(&pairs).await?;
        // The last line ends as the others do.
        context.print.data(text.trim_end_matches('\n'))?;
        return Ok(Exit::Done);
    }
    let told = history.usage(&pairs).await?;
    if args.json {
        context.print.data(&told.json)?;
        return Ok(Exit::Done);
    }
    let report = &told.value;
    if report.total.requests == 0 {
        context.print.note("nothing was used in this time");
        return Ok(Exit::Done);
    }
    context.print.data(&draw::table(report, context.room()))?;
    if report.total.unpriced > 0 {
        context.print.note(&format!("the price of {} is not known", exchanges(report.total.unpriced)));
        context.print.hint("set one: codeferry settings set price.MODEL INPUT/CACHED/OUTPUT");
    }
    Ok(Exit::Done)
}

fn exchanges(count: i64) -> String {
    match count {
        1 => "one exchange".to_owned(),
        count => format!("{count} exchanges"),
    }
}
