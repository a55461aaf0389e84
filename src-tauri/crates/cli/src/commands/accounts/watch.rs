//! `codeferry accounts watch`: a folder whose account files are imported as they come.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use codeferry_accounts::watch::{Action, Found, Seen, plan};
use jiff::Timestamp;

use super::import::{Reading, one_file, say};
use super::pool;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::signals::Signals;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder
    folder: PathBuf,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    interval: Duration,
    /// Leave alone what lies there already
    #[arg(long)]
    only_new: bool,
    /// Print a line of JSON for each account
    #[arg(long)]
    json: bool,
}

/// A file that cannot be read may be in the middle of being written. So often it is looked at again.
const TRIES: u32 = 10;

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let mut signals = Signals::catch()?;
    let folder = &args.folder;
    let first = list(folder).with_context(|| format!("cannot read {}", folder.display())).map_err(Failure::conflict)?;
    let mut seen = if args.only_new { Seen::all_of(&first) } else { Seen::default() };
    let mut tries = BTreeMap::new();
    context.print.note(&format!("watching {}; Ctrl-C ends it", folder.display()));
    let mut missing = false;
    loop {
        match list(folder) {
            Ok(listing) => {
                missing = false;
                let (actions, next) = plan(&seen, &listing);
                seen = next;
                for action in actions {
                    act(action, args, &mut seen, &mut tries, context).await?;
                }
            }
            Err(error) if !missing => {
                missing = true;
                context.print.warning(&format!("{} cannot be read: {error}; still watching", folder.display()));
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(args.interval) => {}
            () = signals.next() => return Ok(Exit::Done),
        }
    }
}

async fn act(
    action: Action,
    args: &Args,
    seen: &mut Seen,
    tries: &mut BTreeMap<String, u32>,
    context: &Context,
) -> Result<(), Failure> {
    let name = match action {
        Action::Skip { name, why } => {
            context.print.note(&format!("{name} is left alone: {why}"));
            return Ok(());
        }
        Action::Import { name } => name,
    };
    let all = one_file(&pool(context), &args.folder.join(&name), Reading::default(), context).await;
    let broken = all.len() == 1 && all.iter().any(|done| done.result.is_err());
    if broken {
        let tried = tries.entry(name.clone()).or_default();
        *tried += 1;
        if *tried < TRIES {
            seen.again(&name);
            return Ok(());
        }
    }
    tries.remove(&name);
    if all.iter().any(|done| done.result.is_ok()) {
        context.tell_owner().await;
    }
    all.iter().try_for_each(|done| say(done, false, args.json, context))
}

fn list(folder: &Path) -> io::Result<Vec<Found>> {
    let mut listing = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no text is no account file; a file that is gone by now needs no mention.
        let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
        let modified = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        listing.push(Found { name, len: metadata.len(), modified, is_file: metadata.is_file() });
    }
    Ok(listing)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let sane = seconds.filter(|seconds| (Duration::from_millis(10)..=Duration::from_secs(86_400)).contains(seconds));
    sane.ok_or_else(|| "a number of seconds is needed, 0.01 to 86400".to_owned())
}
