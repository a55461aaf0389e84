//! `codeferry accounts add --kind codex_cli`: the Codex CLI of this machine, with the sign-in it has.

use std::path::PathBuf;

use anyhow::anyhow;
use codeferry_accounts::{Kind, NamedAccount, NamedError, Program, Secret};
use serde::Serialize;

use crate::commands::accounts::pool;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};

/// What the account is called unless somebody says otherwise.
const LABEL: &str = "codex-cli";

#[derive(Debug, clap::Args)]
pub(super) struct ProgramArgs {
    /// The Codex CLI, if it is not the `codex` on PATH (only with --kind codex_cli)
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Its CODEX_HOME, if it is not the usual one (only with --kind codex_cli)
    #[arg(long, value_name = "DIR")]
    codex_home: Option<PathBuf>,
}

#[derive(Serialize)]
struct Added<'a> {
    event: &'static str,
    id: &'a str,
    label: &'a str,
    program: &'a Program,
    version: Option<&'a str>,
    email: Option<&'a str>,
}

// === impl ProgramArgs ===

impl ProgramArgs {
    /// With another kind these mean nothing.
    pub(super) fn refuse(&self) -> Result<(), Failure> {
        match self.program.is_some() || self.codex_home.is_some() {
            true => Err(Failure::conflict(anyhow!("--program and --codex-home go with --kind codex_cli"))),
            false => Ok(()),
        }
    }
}

pub(super) async fn run(
    args: &ProgramArgs,
    label: Option<&str>,
    no_verify: bool,
    json: bool,
    context: &Context,
) -> Outcome {
    let (print, environment) = (context.print, &context.environment);
    let program = codeferry_app::find_codex_cli(args.program.as_deref(), args.codex_home.as_deref(), environment)
        .ok_or_else(|| {
            Failure::conflict(anyhow!("no `codex` is on PATH"))
                .hint("install it with `npm install -g @openai/codex`, or name it with --program PATH")
        })?;
    let found = match no_verify {
        true => None,
        false => {
            print.note(&format!("starting {} to see whether it works", program.path.display()));
            let found = codeferry_app::look_at_codex_cli(&program, &context.paths, environment).await;
            Some(found.map_err(|failure| match failure.message == codeferry_app::SIGN_IN_TO_CODEX_CLI {
                true => Failure::needs_sign_in(anyhow!(failure.message)),
                false => Failure::from(anyhow!(failure.message)),
            })?)
        }
    };
    let label = label.unwrap_or(LABEL).to_owned();
    let new = NamedAccount {
        kind: Kind::CodexCli,
        label: label.clone(),
        endpoint: None,
        program: Some(program.clone()),
        key: Secret::new(""),
    };
    let added = pool(context).add_named(new).await.map_err(|error| match error {
        NamedError::Vault(_) => Failure::from(error),
        _ => Failure::conflict(error),
    })?;
    context.tell_owner().await;
    if json {
        let version = found.as_ref().map(|found| found.version.as_str());
        let email = found.as_ref().and_then(|found| found.email.as_deref());
        print.json(&Added {
            event: "added",
            id: added.id.as_str(),
            label: &label,
            program: &program,
            version,
            email,
        })?;
    } else {
        print.data(added.id.as_str())?;
    }
    if let Some(found) = &found {
        let who = match (&found.email, &found.plan) {
            (Some(email), Some(plan)) => format!("signed in as {email} ({plan})"),
            (Some(email), None) => format!("signed in as {email}"),
            (None, _) => match &found.sign_in {
                Some(kind) => format!("signed in by {kind}"),
                None => "its settings need no sign-in".to_owned(),
            },
        };
        print.note(&format!("Codex CLI {}: {who}", found.version));
        if let Some(path) = &found.instructions {
            print.warning(&format!(
                "{} goes along with every request to it, and cannot be kept from it; --codex-home names another home",
                path.display()
            ));
        }
        if found.unknown {
            print.warning(&format!(
                "this version is another than {}, with which it was tried",
                codeferry_app::MEASURED_CODEX_CLI
            ));
        }
    }
    print.note(&format!("added {label}; it answers only who asks for it, as {label}/MODEL"));
    print.hint("an account of its own (--kind codex or plan) is faster and lighter: docs/accounts.md");
    Ok(Exit::Done)
}
