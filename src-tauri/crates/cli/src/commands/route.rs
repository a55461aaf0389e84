//! `codeferry route NAME`: where requests for this model would go.

use codeferry_app::route::{self, Destination, Effort};

use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What a client would ask for: opus, claude-sonnet-5, gpt-6.1-sol-high …
    name: String,
    /// The effort the client would ask for
    #[arg(long, value_name = "EFFORT", value_parser = effort)]
    effort: Option<Effort>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let explain = |labels: &[String]| route::explain(&context.paths, labels, &args.name, args.effort);
    let found = match explain(&[]) {
        // Only now does it matter who there is: opening the vault may cost a dialog of the keychain.
        Err(route::Error::NoAccount { .. }) => explain(&labels(context).await?),
        found => found,
    };
    let found = found.map_err(|error| match error {
        route::Error::Unknown(_) => Failure::conflict(error)
            .hint(format!("give it a target: codeferry settings set alias.{} gpt-6.1-sol", args.name)),
        route::Error::NoAccount { .. } => {
            Failure::conflict(error).hint("see them all: codeferry accounts list".to_owned())
        }
        route::Error::Settings(_) => Failure::from(error),
    })?;
    if args.json {
        context.print.json(&found)?;
    } else {
        context.print.data(&lines(&found))?;
    }
    Ok(Exit::Done)
}

/// The labels of the named accounts.
async fn labels(context: &Context) -> Result<Vec<String>, Failure> {
    let pool = codeferry_app::vault_pool(&context.paths, &context.environment);
    pool.reload().await?;
    Ok(pool.all_named().iter().filter_map(|account| account.label.clone()).collect())
}

fn lines(found: &Destination) -> String {
    let effort = found.effort.unwrap_or("the model's own");
    let account = found.account.as_ref().map(|label| format!("account {label}\n")).unwrap_or_default();
    format!("{account}model   {}\neffort  {effort}\nreason  {}", found.model, found.reason)
}

fn effort(text: &str) -> Result<Effort, String> {
    let names = || Effort::ALL.map(Effort::as_str).join(", ");
    Effort::parse(text).ok_or_else(|| format!("use one of {}", names()))
}
