//! `codeferry accounts add`: signing in, or adding a server that is asked for by name.

mod codex_cli;
mod server;

use anyhow::anyhow;
use codeferry_accounts::Kind;
use serde::Serialize;

pub(crate) use self::server::{Added, New};
use super::{kind_in_words, kind_to_add};
use crate::commands::{Context, Outcome};
use crate::desk::{Desk, meant};
use crate::failure::{Exit, Failure};
use crate::guest::{Begun, Guest, Listed, Stage};
use crate::print::Print;
use crate::signals::Signals;
use crate::{browser, stdin};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// plan is OpenAI's own way for apps like this one; codex is the login of the Codex CLI, unofficial for any other
    /// program; codex_cli is the Codex CLI itself, started beside us with its own sign-in; compatible is a server that
    /// speaks Chat Completions; openai_key is an API key of OpenAI, paid per token [default: plan, or what the account to
    /// sign in again is; compatible with --url or --preset]
    #[arg(long, value_name = "plan|codex|codex_cli|compatible|openai_key", value_parser = kind_to_add)]
    kind: Option<Kind>,
    /// What it is called, and the first part of the names of its models (with a kind that has no sign-in)
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    #[command(flatten)]
    server: server::Args,
    /// Do not ask it whether it works (with a kind that has no sign-in)
    #[arg(long)]
    no_verify: bool,
    /// Print the address and open nothing
    #[arg(long)]
    no_browser: bool,
    /// With a code that is typed on any device (only with --kind codex)
    #[arg(long)]
    device: bool,
    /// The account that signs in again, by id, label or e-mail address
    #[arg(long, value_name = "WHO")]
    account: Option<String>,
    #[command(flatten)]
    codex_cli: codex_cli::ProgramArgs,
    /// Print a line of JSON for each step
    #[arg(long)]
    json: bool,
}

/// An attempt that waits for the person.
struct Beginning {
    desk: Desk,
    kind: Kind,
    /// The account that signs in again.
    again: Option<Listed>,
    begun: Begun,
}

/// Where to go, for programs.
#[derive(Serialize)]
struct Opened<'a> {
    event: &'static str,
    kind: Kind,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_code: Option<&'a str>,
    expires_in_seconds: u64,
}

/// A step, for programs.
#[derive(Serialize)]
struct Step<'a> {
    event: &'static str,
    #[serde(flatten)]
    stage: &'a Stage,
}

const GIVEN_UP: &str = "the sign-in was given up";

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let (said, label) = (args.server.said(), args.label.as_deref());
    if args.kind != Some(Kind::CodexCli) {
        args.codex_cli.refuse()?;
    }
    match args.kind.or(said.map(|_| Kind::Compatible)) {
        Some(kind @ (Kind::Compatible | Kind::OpenaiKey)) => {
            return server::run(kind, label, args.no_verify, &args.server, args.json, context).await;
        }
        Some(kind) if said.is_some() => {
            let said = said.unwrap_or_default();
            return Err(Failure::conflict(anyhow!("{said} means nothing for a {kind} account")));
        }
        Some(Kind::CodexCli) => {
            return codex_cli::run(&args.codex_cli, label, args.no_verify, args.json, context).await;
        }
        _ if args.label.is_some() || args.no_verify => {
            let said = if args.no_verify { "--no-verify" } else { "--label" };
            return Err(Failure::conflict(anyhow!("{said} goes with a kind that has no sign-in"))
                .hint("an account that is here gets a label with: codeferry accounts label"));
        }
        _ => {}
    }
    // First, so that a signal at the start is not lost.
    let mut signals = Signals::catch()?;
    let begun = tokio::select! {
        begun = begin(args, context) => begun?,
        () = signals.next() => {
            context.print.error(GIVEN_UP);
            return Ok(Exit::Failed);
        }
    };
    let Beginning { desk, kind, again, begun } = begun;
    invite(args, kind, &begun, context)?;
    let stage = wait(&desk.guest, &begun, args, context.print, &mut signals).await?;
    let exit = report(&stage, kind, again.as_ref(), &desk, args, context).await?;
    desk.close(context).await?;
    Ok(exit)
}

async fn begin(args: &Args, context: &Context) -> Result<Beginning, Failure> {
    let desk = Desk::open(context).await?;
    let known = desk.accounts().await?;
    let again = args.account.as_deref().map(|who| meant(&known, who)).transpose()?.cloned();
    let kind = args.kind.or_else(|| again.as_ref()?.kind.parse().ok()).unwrap_or(Kind::Plan);
    let begun = desk.guest.begin_sign_in(kind, args.device, again.as_ref().map(|account| account.id.as_str())).await;
    let begun = begun.map_err(|failure| match (args.device, kind) {
        (true, Kind::Plan) => failure.hint("add --kind codex, or leave out --device"),
        _ => failure,
    })?;
    Ok(Beginning { desk, kind, again, begun })
}

/// Says where to go, and goes there if that is wanted.
fn invite(args: &Args, kind: Kind, begun: &Begun, context: &Context) -> Result<(), Failure> {
    let print = context.print;
    print.note(&format!("signing in: {}", kind_in_words(kind)));
    if kind == Kind::Codex {
        print.warning(
            "this login belongs to the Codex CLI; using it here is not endorsed by OpenAI and may end any time",
        );
    }
    let (url, minutes) = (&begun.url, begun.expires_in_seconds.div_ceil(60));
    match &begun.user_code {
        Some(code) => print.note(&format!("\nopen  {url}\ntype  {code}\n\nThe code is good for {minutes} minutes.")),
        None => print.note(&format!(
            "\nopen  {url}\n\nThe sign-in is waited for, {minutes} minutes at most; Ctrl-C gives it up.\n\
             If the browser runs on another machine, paste the address at which it ends here."
        )),
    }
    if args.json {
        let user_code = begun.user_code.as_deref();
        let expires_in_seconds = begun.expires_in_seconds;
        print.json(&Opened { event: "open", kind, url, user_code, expires_in_seconds })?;
    }
    // A code is often typed on another device, so nothing is opened on this one.
    if !args.no_browser && !args.device && browser::open(url).is_err() {
        print.hint("no browser could be opened from here: open the address yourself");
    }
    Ok(())
}

/// Waits for the end, passing on what is typed meanwhile.
async fn wait(
    guest: &Guest,
    begun: &Begun,
    args: &Args,
    print: Print,
    signals: &mut Signals,
) -> Result<Stage, Failure> {
    let mut stages = guest.stages(&begun.id).await?;
    let mut lines = stdin::lines();
    let mut listening = true;
    loop {
        tokio::select! {
            stage = stages.next() => {
                let stage = stage?;
                if args.json {
                    print.json(&Step { event: "stage", stage: &stage })?;
                }
                match stage {
                    Stage::Waiting => {}
                    Stage::Exchanging => print.note("the browser came back; fetching the tokens"),
                    end => return Ok(end),
                }
            }
            line = lines.recv(), if listening => match line.as_deref().map(str::trim) {
                None => listening = false,
                Some("") => {}
                Some(pasted) => paste(guest, begun, pasted, print).await,
            },
            () = signals.next() => {
                // If it has ended meanwhile, that is what counts.
                guest.cancel_sign_in(&begun.id).await?;
            }
        }
    }
}

/// Hands over what was typed; how that ends comes with the stages. Something that is no answer of this sign-in is said,
/// and the waiting goes on.
async fn paste(guest: &Guest, begun: &Begun, pasted: &str, print: Print) {
    if let Err(failure) = guest.paste(&begun.id, pasted).await {
        print.warning(&format!("{:#}", failure.error));
        if let Some(hint) = &failure.hint {
            print.hint(hint);
        }
    }
}

async fn report(
    stage: &Stage,
    kind: Kind,
    again: Option<&Listed>,
    desk: &Desk,
    args: &Args,
    context: &Context,
) -> Outcome {
    let print = context.print;
    let (id, known, notice) = match stage {
        Stage::Done { account, again, notice } => (account, *again, notice),
        Stage::Failed { message, hint } => {
            print.error(message);
            print.hint(hint);
            return Ok(Exit::Failed);
        }
        Stage::Expired => {
            print.error("nobody signed in in time");
            print.hint("start anew: codeferry accounts add");
            return Ok(Exit::Failed);
        }
        Stage::Waiting | Stage::Exchanging | Stage::Cancelled => {
            print.error(GIVEN_UP);
            return Ok(Exit::Failed);
        }
    };
    let accounts = desk.accounts().await?;
    let account = accounts.iter().find(|account| account.id == *id);
    let name = account.map_or(id.as_str(), Listed::name);
    if !args.json {
        print.data(id)?;
    }
    let what = if known { "signed in again" } else { "signed in" };
    let pays = match account {
        Some(account) if account.active => "it is the one that pays",
        _ => "another account pays",
    };
    print.note(&format!("{what}: {name} ({}); {pays}", kind_in_words(kind)));
    if let Some(asked) = again.filter(|asked| asked.id != *id) {
        print.warning(&format!("that was not {}, which has the sign-in it had", asked.name()));
    }
    if let Some(notice) = notice {
        print.warning(notice);
        return Ok(Exit::NeedsSignIn);
    }
    if account.is_some_and(|account| !account.active) {
        print.hint(&format!("to use it: codeferry accounts switch {id}"));
    }
    Ok(Exit::Done)
}
