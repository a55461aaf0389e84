//! `codeferry migrate`: brings along what another system has of you.
//!
//! **Invariant:** its files are only read. Doing it twice does no more than doing it once.

mod accounts;
mod codaze;
mod codex_proxy;
mod completions_api;
mod key;
mod old_server;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use codeferry_app::old_names::System;
use serde::Serialize;

use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which system
    #[arg(long, value_enum)]
    from: From,
    /// Its data folder [default: where it is by itself]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Also rotate over the accounts, as codex-proxy did where that was switched on in its environment
    #[arg(long)]
    rotate: bool,
    /// Let clients keep their key: take PROXY_API_KEY, or else a line from standard input, as the client key of that name
    #[arg(long, value_name = "NAME")]
    adopt_key: Option<String>,
    /// Where the old program listened, if not where it does by itself
    #[arg(long)]
    port: Option<u16>,
    /// Although the old program still runs
    #[arg(long)]
    anyway: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// A system people come from, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum From {
    /// @pikoloo/codex-proxy, ~/.codex-claude-proxy
    CodexProxy,
    /// codaze, ~/.codaze
    Codaze,
    /// codex-completions-api, its CODEX_HOME .codex-api
    CompletionsApi,
}

/// What became of one thing.
#[derive(Debug, Serialize)]
struct Item {
    /// The thing.
    what: String,
    outcome: Did,
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Did {
    /// It is here now.
    Done,
    /// It would be done without `--dry-run`.
    Would,
    /// It was here already.
    Unchanged,
    /// It is not carried over.
    Skipped,
    /// The person's to do.
    ByHand,
    Failed,
}

#[derive(Serialize)]
struct Report<'a> {
    from: &'a str,
    path: &'a Path,
    dry_run: bool,
    items: &'a [Item],
}

/// What each step needs.
struct Work<'a> {
    context: &'a Context,
    folder: &'a Path,
    dry_run: bool,
    rotate: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let system = args.from.system();
    let folder = folder(args, context)?;
    let port = args.port.unwrap_or(args.from.port());
    if old_server::runs(port, context).await? {
        let error = anyhow!("{system} still runs: something listens on port {port}, and it is no Codeferry");
        if !args.anyway && !args.dry_run {
            return Err(Failure::conflict(error)
                .hint("stop it first: two programs that share a sign-in log each other out. With --anyway it is done all the same"));
        }
        context.print.warning(&format!("{error:#}"));
    }
    let work = Work { context, folder: &folder, dry_run: args.dry_run, rotate: args.rotate };
    let mut items = match args.from {
        From::CodexProxy => codex_proxy::carry(&work).await?,
        From::Codaze => codaze::carry(&work).await?,
        From::CompletionsApi => completions_api::carry(&work).await?,
    };
    if let Some(name) = &args.adopt_key {
        items.push(key::adopt(name, &work).await?);
    }
    items.extend(variables(system, context));
    items.extend(clients(port, args, context)?);
    if !args.dry_run && items.iter().any(|item| item.outcome == Did::Done) {
        context.tell_owner().await;
    }
    let failed = items.iter().any(|item| item.outcome == Did::Failed);
    if args.json {
        let report = Report { from: system.name(), path: &folder, dry_run: args.dry_run, items: &items };
        context.print.json(&report)?;
    } else {
        say(&items, context)?;
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// Where the old program keeps its things.
fn folder(args: &Args, context: &Context) -> Result<PathBuf, Failure> {
    let tried = match &args.path {
        Some(path) => vec![path.clone()],
        None => args.from.places(context),
    };
    if let Some(found) = tried.iter().find(|place| place.is_dir()) {
        return Ok(std::path::absolute(found)?);
    }
    let names = tried.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(" and ");
    let error = match names.as_str() {
        "" => anyhow!("it is not known where {} keeps its files", args.from.system()),
        names => anyhow!("{} has no folder {names}", args.from.system()),
    };
    Err(Failure::conflict(error).hint("say where it is: --path DIR"))
}

/// The names by which it was set up, as far as they are set here.
fn variables(system: System, context: &Context) -> impl Iterator<Item = Item> {
    let set = context.environment.old.iter().filter(move |old| old.of.contains(&system));
    set.map(|old| Item::new(old.name, Did::ByHand, old.to_string()))
}

/// What those who ask have to be told.
fn clients(port: u16, args: &Args, context: &Context) -> Result<Vec<Item>, Failure> {
    let settings = codeferry_app::settings(&context.paths)?.snapshot();
    let mut items = Vec::new();
    if settings.port != port {
        let message =
            format!("clients of {} ask port {port}, and Codeferry listens on {}", args.from.system(), settings.port);
        let hint = format!("point them to http://127.0.0.1:{}, or: codeferry settings set port {port}", settings.port);
        items.push(Item::new("port", Did::ByHand, message).hint(hint));
    }
    if codeferry_app::client_keys(&context.paths)?.list()?.is_empty() && args.adopt_key.is_none() {
        let message = "clients need a key here, also on this machine".to_owned();
        items.push(Item::new("client keys", Did::ByHand, message).hint("codeferry keys create NAME"));
    }
    Ok(items)
}

fn say(items: &[Item], context: &Context) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for item in items {
        lines.push(format!("{:<9}  {}: {}", item.outcome.word(), item.what, item.message));
        lines.extend(item.hint.as_ref().map(|hint| format!("{:<9}  → {hint}", "")));
    }
    context.print.data(&lines.join("\n"))?;
    let brought = |item: &Item| matches!(item.outcome, Did::Done | Did::Would) && item.what.starts_with("account ");
    if items.iter().any(brought) {
        context.print.warning(
            "these sign-ins are shared with the old program until that is stopped for good: whoever renews one second is \
             logged out",
        );
    }
    Ok(())
}

// === impl From ===

impl From {
    fn system(self) -> System {
        match self {
            Self::CodexProxy => System::CodexProxy,
            Self::Codaze => System::Codaze,
            Self::CompletionsApi => System::CompletionsApi,
        }
    }

    /// Where it listens by itself.
    fn port(self) -> u16 {
        match self {
            Self::CodexProxy => 8081,
            Self::Codaze => 18039,
            Self::CompletionsApi => 11435,
        }
    }

    /// Where its data folder is by itself.
    fn places(self, context: &Context) -> Vec<PathBuf> {
        let folders = &context.environment.folders;
        let at_home = |name: &str| folders.user.iter().map(|user| user.join(name)).collect::<Vec<_>>();
        match self {
            Self::CodexProxy => at_home(".codex-claude-proxy"),
            Self::Codaze => at_home(".codaze"),
            Self::CompletionsApi => {
                // `CODEX_HOME` may be the Codex CLI's own folder: that one is not for the taking.
                let named = folders.codex.iter().filter(|folder| folder.ends_with(".codex-api")).cloned();
                let here = std::iter::once(PathBuf::from(".codex-api"));
                here.chain(named).chain(at_home(".codex-api")).collect()
            }
        }
    }
}

// === impl Item ===

impl Item {
    fn new(what: impl Into<String>, outcome: Did, message: impl Into<String>) -> Self {
        Self { what: what.into(), outcome, message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

// === impl Did ===

impl Did {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Would => "would do",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::ByHand => "by hand",
            Self::Failed => "failed",
        }
    }
}
