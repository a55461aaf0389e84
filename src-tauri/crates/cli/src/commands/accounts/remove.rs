//! `codeferry accounts remove` and `clear`: wiped here, and ended at the auth host as far as that can be reached.

use anyhow::anyhow;

use crate::commands::{Context, Outcome};
use crate::desk::{Desk, meant};
use crate::failure::{Exit, Failure};
use crate::guest::{Gone, Listed};

pub(super) async fn one(who: &str, context: &Context) -> Outcome {
    let desk = Desk::open(context).await?;
    let accounts = desk.accounts().await?;
    let account = meant(&accounts, who)?;
    let gone = desk.guest.remove(&account.id).await?;
    say(&gone, &accounts, context);
    let left = desk.accounts().await?;
    desk.close(context).await?;
    // An account that is asked for by name was none that pays, and cannot become it.
    let could_pay = left.iter().any(|account| !account.named);
    if could_pay && !account.named && !left.iter().any(|account| account.active) {
        context.print.hint("no account pays now; choose one: codeferry accounts switch WHO");
    }
    Ok(Exit::Done)
}

pub(super) async fn all(yes: bool, context: &Context) -> Outcome {
    let desk = Desk::open(context).await?;
    let accounts = desk.accounts().await?;
    if accounts.is_empty() {
        context.print.note("no account is signed in");
    } else if yes {
        for gone in desk.guest.clear().await? {
            say(&gone, &accounts, context);
        }
    } else {
        let error = anyhow!("this forgets all accounts ({}) and ends their sign-ins", accounts.len());
        return Err(Failure::conflict(error).hint("if that is meant: codeferry accounts clear --yes"));
    }
    desk.close(context).await?;
    Ok(Exit::Done)
}

fn say(gone: &Gone, accounts: &[Listed], context: &Context) {
    let account = accounts.iter().find(|account| account.id == gone.id);
    let name = account.map_or(gone.id.as_str(), Listed::name);
    let removed = format!("removed {name} ({})", gone.id);
    if account.is_some_and(|account| account.read_only.is_some()) {
        context.print.note(&format!("{removed}; its sign-in is another program's and goes on there"));
    } else if account.is_some_and(|account| account.kind == "codex_cli") {
        context.print.note(&format!("{removed}; the Codex CLI keeps its sign-in"));
    } else if account.is_some_and(|account| account.named) {
        context.print.note(&format!("{removed}; a key that it had is good until whoever issued it ends it"));
    } else if gone.revoked {
        context.print.note(&format!("{removed}; its sign-in has ended at the auth host too"));
    } else {
        context.print.note(&removed);
        context
            .print
            .warning("the auth host could not be told: the tokens are gone here and stay good there for a while");
    }
}
