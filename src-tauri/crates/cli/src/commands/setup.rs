//! `codeferry setup`: clients come here by their own settings, and go back.
//!
//! Their files are looked for from here, and not from where the gateway was started: a client that is started from this shell
//! looks where this shell says. What it is told is the running gateway's to say.
//!
//! **Invariant:** a file is written only after a person has seen what would change and said yes, or has said `--yes`.

mod copies;
mod list;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Subcommand;
use codeferry_app::doctor::Verdict;
use codeferry_app::setup::probe::Depth;
use codeferry_app::setup::shape::{Plan, Program, Settled, Will};
use codeferry_app::setup::{KEY_HERE, Kind, Setup, SetupError};
use codeferry_clients::client::State;

use crate::commands::{Context, Outcome, doctor};
use crate::failure::{Exit, Failure};
use crate::guest::Guest;
use crate::stdin;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Which client: claude-code, codex, opencode … [default: each that is installed]
    client: Option<Kind>,
    /// Show what would change, and change nothing
    #[arg(long)]
    diff: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// In the settings of the project in this folder, instead of your own
    #[arg(long, conflicts_with = "target")]
    project: bool,
    /// At another place than the usual one: see `codeferry setup status`
    #[arg(long, value_name = "PLACE")]
    target: Option<String>,
    /// Take it back: what stood there before
    #[arg(long)]
    revert: bool,
    /// Of every client
    #[arg(long, requires = "revert", conflicts_with_all = ["client", "target", "project"])]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say which clients there are, and where they go
    Status {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// The copies of a client's files, from before each change
    Backups {
        /// Which client
        client: Kind,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring a copy back
    Restore {
        /// Which client
        client: Kind,
        /// Which copy: see `codeferry setup backups`
        id: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// What a person says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Yes,
    No,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome {
    match &args.command {
        Some(Command::Status { json }) => list::run(*json, context).await,
        Some(Command::Backups { client, json }) => copies::list(*client, *json, context).await,
        Some(Command::Restore { client, id, yes }) => copies::restore(*client, id, *yes, context).await,
        None if args.all => back_all(&args, context).await,
        None if args.revert => back(&args, context).await,
        None => there(&args, context).await,
    }
}

/// Everything that is needed, as it is seen from here.
pub(super) async fn open(project: bool, context: &Context) -> Result<(Setup, Option<Guest>), Failure> {
    let guest = Guest::find(&context.paths).await?.map(|(guest, _)| guest);
    let offer = match &guest {
        Some(guest) => Some(guest.intent().await?),
        None => None,
    };
    let project = if project { Some(here()?) } else { None };
    let setup = codeferry_app::open_setup(&context.paths, &context.environment, offer, project.as_deref())?;
    Ok((setup, guest))
}

fn here() -> Result<PathBuf, Failure> {
    let here = std::path::absolute(".").map_err(|error| anyhow!("cannot tell which folder this is: {error}"))?;
    Ok(here)
}

// --- There.

async fn there(args: &Args, context: &Context) -> Outcome {
    let (setup, guest) = open(args.project, context).await?;
    let target = target(args);
    let kinds = match args.client {
        Some(kind) => vec![kind],
        None => installed(&setup, context)?,
    };
    let (mut exit, mut done) = (Exit::Done, 0);
    for kind in kinds {
        let one = one(kind, target, args, &setup, guest.as_ref(), context).await;
        exit = match one {
            Ok(Exit::Done) => {
                done += 1;
                exit
            }
            Ok(other) => other,
            // The others are not to suffer for one.
            Err(failure) if args.client.is_none() => {
                context.print.warning(&format!("{}: {:#}", kind.label(), failure.error));
                Exit::Failed
            }
            Err(failure) => return Err(failure),
        };
    }
    match guest {
        _ if done == 0 || args.diff => {}
        None => context.print.hint("start the gateway, so that it is served: codeferry serve"),
        Some(_) => context.print.hint("to try a short request to each model, too: codeferry doctor --live"),
    }
    Ok(exit)
}

fn target(args: &Args) -> Option<&str> {
    if args.project { Some("project") } else { args.target.as_deref() }
}

/// Those that are there and do not come here yet.
fn installed(setup: &Setup, context: &Context) -> Result<Vec<Kind>, Failure> {
    let programs = setup.list();
    let able = |program: &&Program| {
        program.installed && program.targets.first().is_some_and(|place| place.obstacle.is_none() && !place.opt_in)
    };
    let there: Vec<_> = programs.iter().filter(able).collect();
    if there.is_empty() {
        let error = anyhow!("no client that can be set up was found on this machine");
        return Err(Failure::conflict(error).hint("see them all: codeferry setup status"));
    }
    let waits = |program: &&&Program| !matches!(program.targets[0].standing, State::Ours);
    let kinds: Vec<_> = there.iter().filter(waits).filter_map(|program| Kind::parse(program.client)).collect();
    if kinds.is_empty() {
        context.print.note("every client that was found comes here already: codeferry setup status");
    }
    Ok(kinds)
}

async fn one(
    kind: Kind,
    target: Option<&str>,
    args: &Args,
    setup: &Setup,
    guest: Option<&Guest>,
    context: &Context,
) -> Outcome {
    let plan = setup.plan(kind, target).map_err(|error| refused(error, kind, setup))?;
    let what = format!("{} would come to {}", kind.label(), setup.offer.url.as_str().trim_end_matches('/'));
    if !agreed(&plan, &what, args.diff, args.yes, context)? {
        return Ok(if args.diff { Exit::Done } else { Exit::Failed });
    }
    let done = setup.apply(kind, target, Some(&plan.plan)).map_err(|error| refused(error, kind, setup))?;
    context.tell_owner().await;
    tell(&done, context);
    if let Some(guest) = guest {
        check(kind, target, setup, guest, context).await?;
    }
    Ok(Exit::Done)
}

/// Tries what costs nothing, as the client would.
async fn check(
    kind: Kind,
    target: Option<&str>,
    setup: &Setup,
    guest: &Guest,
    context: &Context,
) -> Result<(), Failure> {
    let rows = doctor::tried(kind, target, setup, guest, Depth::Free).await;
    for row in &rows {
        match row.verdict {
            Verdict::Ok => context.print.note(&format!("checked: {}", row.message)),
            Verdict::Warn | Verdict::Fail => context.print.warning(&row.message),
        }
        if let Some(hint) = row.hint.as_ref().filter(|_| row.verdict != Verdict::Ok) {
            context.print.hint(hint);
        }
    }
    Ok(())
}

// --- And back.

async fn back(args: &Args, context: &Context) -> Outcome {
    let Some(kind) = args.client else {
        let error = anyhow!("which client is to go its own way again?");
        return Err(Failure::conflict(error).hint("codeferry setup --revert CLIENT, or codeferry setup --revert --all"));
    };
    let (setup, _) = open(args.project, context).await?;
    let plan = setup.plan_back(kind, target(args)).map_err(|error| refused(error, kind, &setup))?;
    if !agreed(&plan, &format!("{} would go its own way", kind.label()), args.diff, args.yes, context)? {
        return Ok(if args.diff { Exit::Done } else { Exit::Failed });
    }
    let done = setup.revert(kind, target(args), Some(&plan.plan)).map_err(|error| refused(error, kind, &setup))?;
    context.tell_owner().await;
    tell(&done, context);
    Ok(Exit::Done)
}

/// Works without a gateway, and with what is damaged: it is how one gets rid of us.
async fn back_all(args: &Args, context: &Context) -> Outcome {
    let (setup, problems) = codeferry_app::rescue_setup(&context.paths, &context.environment)?;
    problems.iter().for_each(|problem| context.print.warning(problem));
    let what = "Everything of ours would be taken out of the files of clients";
    match setup.held() {
        Ok(held) if held.is_empty() => {
            context.print.note("nothing of ours stands in the files of clients");
            return Ok(Exit::Done);
        }
        Ok(held) => {
            for kind in held {
                let plan = setup.plan_back(kind, None).map_err(|error| refused(error, kind, &setup))?;
                show(&plan, args.diff || !args.yes, context)?;
            }
        }
        Err(error) => {
            context.print.warning(&format!("{error}"));
            context
                .print
                .note("what is recognised as ours would be taken out all the same: keys of ours, and our address");
        }
    }
    if args.diff || !sure(what, args.yes, context)? {
        return Ok(if args.diff { Exit::Done } else { Exit::Failed });
    }
    let (done, failed) = setup.revert_all()?;
    tell(&done, context);
    failed.iter().for_each(|failed| context.print.warning(failed));
    // What a gateway says to it is no matter here.
    if Guest::find(&context.paths).await.is_ok_and(|found| found.is_some()) {
        context.tell_owner().await;
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Failed })
}

// --- Both.

/// Shows what would change, and asks where somebody sits. `false`: nothing is to be done.
fn agreed(plan: &Plan, what: &str, only_look: bool, yes: bool, context: &Context) -> Result<bool, Failure> {
    if !plan.changes {
        // What is noted of it may still have to be set right.
        context.print.note(&format!("{what}: the files are so already"));
        return Ok(!only_look);
    }
    show(plan, only_look || !yes, context)?;
    if only_look { Ok(false) } else { sure(what, yes, context) }
}

fn show(plan: &Plan, diff: bool, context: &Context) -> Result<(), Failure> {
    for file in plan.files.iter().filter(|file| diff && file.will != Will::Keep) {
        context.print.data(painted(&file.diff, context).trim_end())?;
    }
    for warning in plan.files.iter().flat_map(|file| &file.warnings) {
        context.print.warning(warning);
    }
    Ok(())
}

/// Whether it is meant: it was said, or somebody who sits there says so.
fn sure(what: &str, yes: bool, context: &Context) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !stdin::is_terminal() {
        let error = anyhow!("{what}; nobody is there to be asked, so nothing was changed");
        return Err(Failure::conflict(error).hint("if that is meant, say it: --yes"));
    }
    let said = ask(what)?;
    if said == Said::No {
        context.print.note("nothing was changed");
    }
    Ok(said == Said::Yes)
}

fn ask(what: &str) -> Result<Said, Failure> {
    let mut talk = io::stderr();
    write!(talk, "{what}. Write that? [y/N] ")?;
    talk.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Said::Yes,
        _ => Said::No,
    })
}

/// Green and red, for a terminal.
fn painted(diff: &str, context: &Context) -> String {
    if !context.print.color() || !io::stdout().is_terminal() {
        return diff.to_owned();
    }
    let paint = |line: &str| match line.as_bytes().first() {
        Some(b'+') if !line.starts_with("+++") => format!("\x1b[32m{line}\x1b[0m"),
        Some(b'-') if !line.starts_with("---") => format!("\x1b[31m{line}\x1b[0m"),
        Some(b'@') => format!("\x1b[36m{line}\x1b[0m"),
        _ => line.to_owned(),
    };
    diff.lines().map(paint).collect::<Vec<_>>().join("\n")
}

fn tell(done: &Settled, context: &Context) {
    context.print.note(&done.told);
    let (warnings, asides) = done.notes.split_at(done.notes.len().saturating_sub(done.asides));
    warnings.iter().for_each(|note| context.print.warning(note));
    asides.iter().for_each(|note| context.print.note(note));
}

/// In the words of this command, with what to do instead.
fn refused(error: SetupError, kind: Kind, setup: &Setup) -> Failure {
    match error {
        SetupError::ByHand(_) | SetupError::Obstacle(_) => {
            let lines = setup.program(kind).map(|program| program.manual).unwrap_or_default();
            let failure = Failure::conflict(match error {
                SetupError::Obstacle(_) => anyhow!(error),
                _ => anyhow!("{} is set up by hand", kind.label()),
            });
            if lines.is_empty() {
                failure
            } else if lines.contains(KEY_HERE) {
                failure.hint(format!("make a key (codeferry keys create {kind}), and put it in:\n\n{lines}"))
            } else {
                // An explanation, for one that cannot come here at all.
                failure.hint(lines)
            }
        }
        SetupError::NoTarget { .. } | SetupError::Stale => Failure::conflict(error),
        error => Failure::from(error),
    }
}
