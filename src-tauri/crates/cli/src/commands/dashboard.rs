//! `codeferry dashboard`: a link that opens the running gateway in a browser, once.

use crate::browser;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::guest::Guest;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print the link and open nothing
    #[arg(long)]
    print: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let Some((guest, _)) = Guest::find(&context.paths).await? else {
        let error = anyhow::anyhow!("no gateway serves {}", context.paths.home().display());
        return Err(Failure::from(error).hint("start one: codeferry serve"));
    };
    let link = guest.session_link().await?;
    let print = context.print;
    if args.print {
        print.data(&link.url)?;
        print.note(&format!("good once, for {} seconds", link.expires_in_seconds));
        return Ok(Exit::Done);
    }
    // Not the link itself: everybody on this machine sees with which arguments a program is started.
    let page = codeferry_app::leave_link(&context.paths, &link.url)?;
    match browser::open(page.as_str()) {
        Ok(()) => {
            print.note("the dashboard opens in your browser");
            print.note("if it does not, or cannot read the file it is given: codeferry dashboard --print");
            Ok(Exit::Done)
        }
        Err(error) => Err(Failure::from(anyhow::Error::from(error).context("no browser could be opened from here"))
            .hint("open the link yourself: codeferry dashboard --print")),
    }
}
