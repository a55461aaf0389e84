//! `codeferry accounts import`: sign-ins that other programs keep in files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use codeferry_accounts::import::{self, Entry, Form, FormatError};
use codeferry_accounts::{Account, Import, ImportError, ImportOutcome, Imported, Kind, Pool};
use serde::Serialize;

use super::{pool, real_kind};
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the file must be; found out by itself unless this says it
    #[arg(long, value_name = "codex|plan", value_parser = real_kind)]
    kind: Option<Kind>,
    /// The file, or a folder of them: auth.json of the Codex CLI, a plan sign-in, accounts.json of codex-proxy, files of
    /// codaze or CLIProxyAPI. Their sign-ins belong to Codeferry from then on
    file: PathBuf,
    /// Only for the auth.json of the Codex CLI: read its access token whenever that changes, and never renew it
    #[arg(long)]
    read_only: bool,
    /// Print a line of JSON for each account
    #[arg(long)]
    json: bool,
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    /// What it must be; found out by itself if nobody says.
    pub(crate) kind: Option<Kind>,
    /// Its owner goes on renewing it.
    pub(crate) read_only: bool,
    /// What becomes of its owner is said elsewhere.
    pub(crate) silent: bool,
}

/// What became of one account.
pub(crate) struct Done {
    /// Where it stood: the file, and the place in it if there are several.
    pub(crate) place: String,
    pub(crate) result: Result<(Account, Import, bool), Failure>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Report<'a> {
    Done {
        id: &'a str,
        kind: Kind,
        email: Option<&'a str>,
        outcome: &'static str,
        active: bool,
        place: &'a str,
        read_only: bool,
        /// It gets its right id with its first use.
        provisional: bool,
    },
    Failed {
        place: &'a str,
        error: String,
    },
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let pool = pool(context);
    let mut all = Vec::new();
    for file in files(&args.file)? {
        let reading = Reading { kind: args.kind, read_only: args.read_only, silent: false };
        all.extend(one_file(&pool, &file, reading, context).await);
    }
    if all.iter().any(|done| done.result.is_ok()) {
        context.tell_owner().await;
    }
    // A single failure is the failure of the command; among several each is told, and the first gives the exit code.
    if all.len() == 1
        && !args.json
        && let Some(Done { result: Err(failure), .. }) = all.pop_if(|done| done.result.is_err())
    {
        return Err(failure);
    }
    let mut exit = Exit::Done;
    for done in &all {
        if let Err(failure) = &done.result
            && exit == Exit::Done
        {
            exit = failure.exit;
        }
        say(done, args.read_only, args.json, context)?;
    }
    if !args.json
        && let [Done { result: Ok((_, import, _)), .. }] = all.as_slice()
        && !import.active
    {
        context.print.hint(&format!("to use it: codeferry accounts switch {}", import.id));
    }
    Ok(exit)
}

/// The file, or those of the folder.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let is_account = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        json && !hidden && path.is_file()
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_account).collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::conflict(anyhow!("{} holds no .json file", path.display())));
    }
    Ok(files)
}

/// Imports every account of a file.
pub(crate) async fn one_file(
    pool: &Pool,
    file: &Path,
    Reading { kind, read_only, silent }: Reading,
    context: &Context,
) -> Vec<Done> {
    let name = file.display().to_string();
    let now = codeferry_app::system_clock()();
    let read = std::fs::read(file).with_context(|| format!("cannot read {name}")).map_err(Failure::from);
    let read = read.and_then(|bytes| {
        let read = entries(&bytes, kind, now);
        read.map_err(|error| Failure::conflict(anyhow::Error::from(error).context(name.clone())))
    });
    let (form, entries) = match read {
        Ok(read) => read,
        Err(failure) => return vec![Done { place: name, result: Err(failure) }],
    };
    if read_only && form != Form::CodexCli {
        let error = anyhow!("{name} is {}; only the auth.json of the Codex CLI can be used read-only", form.name());
        return vec![Done { place: name, result: Err(Failure::conflict(error)) }];
    }
    if let Some(warning) = form.warning().filter(|_| !read_only && !silent) {
        context.print.warning(&format!("{name}: {warning}"));
        if form == Form::CodexCli {
            context.print.hint(&format!("read-only: codeferry accounts import --read-only {name}"));
        }
    }
    let mut all = Vec::with_capacity(entries.len());
    for Entry { place, result } in entries {
        let place = if place.is_empty() { name.clone() } else { format!("{name}: {place}") };
        let result = match result {
            Err(error) => Err(Failure::conflict(anyhow::Error::from(error).context(place.clone()))),
            Ok(imported) => take(pool, imported, read_only.then_some(file), &place, now).await,
        };
        all.push(Done { place, result });
    }
    all
}

fn entries(bytes: &[u8], kind: Option<Kind>, now: jiff::Timestamp) -> Result<(Form, Vec<Entry>), FormatError> {
    match (kind, import::detect(bytes)?) {
        (None, _) => import::read_all(bytes, now),
        // Whoever says that it is a plan sign-in need not have all that shows it.
        (Some(Kind::Plan), _) => {
            let result = import::read(Kind::Plan, bytes, now)?;
            Ok((Form::Plan, vec![Entry { place: String::new(), result: Ok(result) }]))
        }
        (Some(_), Form::Plan) => Err(FormatError::OtherKind { found: Kind::Plan }),
        (Some(_), _) => import::read_all(bytes, now),
    }
}

async fn take(
    pool: &Pool,
    imported: Imported,
    read_only: Option<&Path>,
    place: &str,
    now: jiff::Timestamp,
) -> Result<(Account, Import, bool), Failure> {
    let (account, credential) = (imported.account.clone(), &imported.credential);
    if credential.expired(now) && (credential.refresh_token.is_none() || read_only.is_some()) {
        let name = account.name();
        let error = anyhow!("the sign-in of {name} in {place} ran out, and nothing in it renews it");
        let hint = match read_only {
            Some(_) => "run `codex` once, it renews its own sign-in, then import the file",
            None => "sign in again, then import the new file; or sign in here: codeferry accounts add",
        };
        return Err(Failure::needs_sign_in(error).hint(hint));
    }
    let provisional = imported.provisional;
    let done = match read_only {
        // It is followed from any folder.
        Some(file) => {
            let file = std::path::absolute(file).with_context(|| format!("cannot follow {place}"))?;
            pool.add_read_only(imported, file).await
        }
        None => pool.import(imported).await,
    };
    match done {
        Ok(done) => Ok((account, done, provisional)),
        Err(error @ ImportError::Older { .. }) => Err(Failure::conflict(error)),
        Err(error @ (ImportError::Busy { .. } | ImportError::Vault(_))) => Err(Failure::from(error)),
    }
}

/// Tells what became of one account.
pub(super) fn say(done: &Done, read_only: bool, json: bool, context: &Context) -> Result<(), Failure> {
    let (print, place) = (context.print, done.place.as_str());
    match &done.result {
        Ok((account, import, provisional)) => {
            let outcome = match import.outcome {
                ImportOutcome::Added => "added",
                ImportOutcome::Updated => "updated",
                ImportOutcome::Unchanged => "unchanged",
            };
            let (id, kind, active) = (import.id.as_str(), account.kind, import.active);
            if json {
                let (email, provisional) = (account.email.as_deref(), *provisional);
                print.json(&Report::Done { id, kind, email, outcome, active, place, read_only, provisional })?;
                return Ok(());
            }
            print.data(id)?;
            let pays = if active { "it is the one that pays" } else { "another account pays" };
            let how = if read_only { ", read-only" } else { "" };
            print.note(&format!("{outcome} {} ({kind}{how}); {pays}", account.name()));
            if *provisional {
                print.note("the file does not say whose it is: it gets its name and its right id with its first use");
            }
        }
        Err(failure) => {
            let error = format!("{:#}", failure.error);
            if json {
                print.json(&Report::Failed { place, error })?;
                return Ok(());
            }
            print.error(&error);
            if let Some(hint) = &failure.hint {
                print.hint(hint);
            }
        }
    }
    Ok(())
}
