//! `codeferry accounts`: import, list, switch, remove.
//!
//! They work on the vault, whose locks make that safe beside a running gateway, and then tell the gateway.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use codeferry_accounts::{ChooseError, ImportError, ImportOutcome, Kind, Pool, import};
use serde::Serialize;

use crate::commands::{Context, Outcome, status::local};
use crate::failure::{Exit, Failure};
use crate::guest::{Guest, Listed};
use crate::print::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an account from a file, or give a known one a new sign-in
    Import {
        /// What the file is: the Codex CLI's auth.json, or the JSON of a plan sign-in
        #[arg(long, value_name = "codex|plan", value_parser = importable)]
        kind: Kind,
        /// The file. Its sign-in belongs to Codeferry from then on
        file: PathBuf,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// List the accounts and how they fare
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Make another account the one that pays
    Switch {
        /// Its id or e-mail address
        #[arg(value_name = "ID_OR_EMAIL")]
        who: String,
    },
    /// Forget an account and its sign-in
    Remove {
        /// Its id or e-mail address
        #[arg(value_name = "ID_OR_EMAIL")]
        who: String,
    },
}

#[derive(Serialize)]
struct ImportReport<'a> {
    id: &'a str,
    kind: Kind,
    email: Option<&'a str>,
    outcome: &'static str,
    active: bool,
}

pub(crate) async fn run(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Import { kind, file, json } => import(kind, &file, json, context).await,
        Command::List { json } => list(json, context).await,
        Command::Switch { who } => switch(&who, context).await,
        Command::Remove { who } => remove(&who, context).await,
    }
}

async fn import(kind: Kind, file: &std::path::Path, json: bool, context: &Context) -> Outcome {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let now = codeferry_app::system_clock()();
    let imported = import::read(kind, &bytes, now);
    let imported = imported.map_err(|error| Failure::conflict(anyhow!("{}: {error}", file.display())))?;
    let (account, credential) = (&imported.account, &imported.credential);
    if credential.expired(now) && credential.refresh_token.is_none() {
        let name = account.name();
        let error = anyhow!("the sign-in of {name} in {} ran out, and nothing in it renews it", file.display());
        return Err(Failure::needs_sign_in(error).hint("sign in again, then import the new file"));
    }
    let account = account.clone();
    let done = pool(context).import(imported).await.map_err(|error| match error {
        ImportError::Older { .. } => Failure::conflict(error),
        ImportError::Busy { .. } | ImportError::Vault(_) => Failure::from(error),
    })?;
    context.tell_owner().await;
    let outcome = match done.outcome {
        ImportOutcome::Added => "added",
        ImportOutcome::Updated => "updated",
        ImportOutcome::Unchanged => "unchanged",
    };
    if json {
        let (id, email, active) = (done.id.as_str(), account.email.as_deref(), done.active);
        context.print.json(&ImportReport { id, kind, email, outcome, active })?;
        return Ok(Exit::Done);
    }
    context.print.data(done.id.as_str())?;
    let active = if done.active { "it is the one that pays" } else { "another account pays" };
    context.print.note(&format!("{outcome} {} ({kind}); {active}", account.name()));
    if !done.active {
        context.print.hint(&format!("to use it: codeferry accounts switch {}", done.id));
    }
    Ok(Exit::Done)
}

async fn list(json: bool, context: &Context) -> Outcome {
    let accounts = accounts(context).await?;
    if json {
        context.print.json(&accounts)?;
    } else {
        context.print.data(&table(&accounts.iter().map(row).collect::<Vec<_>>()))?;
    }
    if accounts.is_empty() {
        context.print.note("no account is signed in");
        context.print.hint("add one: codeferry accounts import --kind codex ~/.codex/auth.json");
    }
    // A script asks with this whether somebody has to sit down and sign in.
    let stuck = !accounts.is_empty() && accounts.iter().all(Listed::needs_sign_in);
    Ok(if stuck { Exit::NeedsSignIn } else { Exit::Done })
}

/// The gateway knows more than the vault (who rests until when), and asking it costs no visit to the keychain. One
/// that serves the demo has not opened the vault.
async fn accounts(context: &Context) -> Result<Vec<Listed>, Failure> {
    let (accounts, whole) = match running(context).await {
        Ok(Some((accounts, whole))) => (accounts, whole),
        Ok(None) => (Vec::new(), false),
        Err(error) => {
            context.print.warning(&format!("{error:#}: this is what the vault says"));
            (Vec::new(), false)
        }
    };
    if whole {
        return Ok(accounts);
    }
    let pool = pool(context);
    pool.reload().await?;
    let stored = pool.list();
    stored
        .iter()
        .map(|account| Listed::from_pool(account).map_err(Failure::from))
        .chain(accounts.into_iter().map(Ok))
        .collect()
}

/// The accounts of the running gateway, and whether those of the vault are among them.
async fn running(context: &Context) -> anyhow::Result<Option<(Vec<Listed>, bool)>> {
    let Some(guest) = Guest::find(&context.paths).await? else { return Ok(None) };
    // It reads the vault when it first needs an account; that may not have been yet.
    for problem in guest.reload().await? {
        context.print.warning(&problem);
    }
    Ok(Some((guest.status().await?.accounts, !guest.owner.demo)))
}

async fn switch(who: &str, context: &Context) -> Outcome {
    let pool = pool(context);
    let account = pool.switch(who).await.map_err(choice)?;
    context.tell_owner().await;
    context.print.note(&format!("{} ({}) pays from now on", account.name(), account.id));
    let stuck = pool
        .list()
        .iter()
        .map(Listed::from_pool)
        .any(|listed| listed.is_ok_and(|listed| listed.id == account.id.as_str() && listed.needs_sign_in()));
    if stuck {
        context.print.warning(&format!("{} needs to sign in first", account.name()));
        return Ok(Exit::NeedsSignIn);
    }
    Ok(Exit::Done)
}

async fn remove(who: &str, context: &Context) -> Outcome {
    let pool = pool(context);
    let removed = pool.remove(who).await.map_err(choice)?;
    context.tell_owner().await;
    context.print.note(&format!("removed {} ({})", removed.account.name(), removed.account.id));
    let list = pool.list();
    if !list.is_empty() && !list.iter().any(|account| account.active) {
        context.print.hint("no account pays now; choose one: codeferry accounts switch ID_OR_EMAIL");
    }
    Ok(Exit::Done)
}

fn pool(context: &Context) -> Pool {
    codeferry_app::vault_pool(&context.paths, &context.environment)
}

fn choice(error: ChooseError) -> Failure {
    match &error {
        ChooseError::Unknown { .. } | ChooseError::Ambiguous { .. } => Failure::conflict(error),
        ChooseError::Busy { .. } | ChooseError::Vault(_) => Failure::from(error),
    }
}

fn importable(text: &str) -> Result<Kind, String> {
    match text.parse() {
        Ok(kind @ (Kind::Codex | Kind::Plan)) => Ok(kind),
        _ => Err("use codex or plan".to_owned()),
    }
}

/// Active mark, id, kind, name, plan, state.
fn row(account: &Listed) -> [String; 6] {
    let mark = if account.active { "*" } else { "" };
    let name = if account.name() == account.id { "" } else { account.name() };
    let texts = [mark, &account.id, &account.kind, name, account.plan.as_deref().unwrap_or("")];
    let [a, b, c, d, e] = texts.map(str::to_owned);
    [a, b, c, d, e, state(account)]
}

fn state(account: &Listed) -> String {
    let mut text = account.state.replace('_', " ");
    if let Some(until) = account.until {
        text += &format!(" until {}", local(until));
    }
    if let Some(why) = &account.why {
        text += &format!(": {}", if account.needs_sign_in() { why.clone() } else { why.replace('_', " ") });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Listed, importable, row, table};

    fn listed(json: &str) -> Listed {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_line_says_who_pays_and_why_another_cannot() {
        let ready = listed(
            r#"{"id":"acc_0123456789abcdef","kind":"plan","email":"a@example.com","label":null,"plan":"plus","active":true,
                "ephemeral":false,"state":"ready","expires_at":null,"last_refresh":null}"#,
        );
        let dead = listed(
            r#"{"id":"acc_fedcba9876543210","kind":"codex","email":null,"label":null,"plan":null,"active":false,
                "ephemeral":false,"state":"needs_sign_in","why":"refresh_token_reused","expires_at":null,"last_refresh":null}"#,
        );
        let text = table(&[row(&ready), row(&dead)]);
        assert_eq!(
            text,
            "*  acc_0123456789abcdef  plan   a@example.com  plus  ready\n\
             \x20  acc_fedcba9876543210  codex                       needs sign in: refresh_token_reused"
        );
    }

    #[test]
    fn only_real_accounts_are_imported() {
        assert!(importable("codex").is_ok() && importable("plan").is_ok());
        assert!(importable("demo").is_err() && importable("").is_err());
    }
}
