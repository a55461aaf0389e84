//! `codeferry run`: a client that comes here because of how it is started.
//!
//! **Invariant:** none of its files is touched. What it is told stands in its variables, its arguments, and for Claude Code in
//! a file of ours, since its own settings would win over variables.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anyhow::{Context as _, anyhow};
use codeferry_app::setup::Offer;
use codeferry_app::{Options, Running};
use codeferry_clients::intent::Intent;
use tokio::process::{Child, Command};

use super::told;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::guest::Guest;
use crate::logging::{self, Format};
use crate::signals::Relay;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which client
    #[arg(value_enum)]
    client: Client,
    /// What it is started with, behind `--`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

/// A client that can be told without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Client {
    /// Claude Code
    #[value(alias = "claude-code")]
    Claude,
    /// The Codex CLI
    #[value(alias = "codex-cli")]
    Codex,
}

pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    // The terminal is the client's. What is to be known stands in the log files.
    let log_lines = logging::start(Format::Human, "off", context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let program = program(args.client, context)?;
        // Before anything is started, so that no signal is lost.
        let mut relay = Relay::catch()?;
        let (offer, own) = gateway(context, log_lines).await?;
        let ended = match begin(args, &program, &offer, context).await {
            Ok(mut child) => relay.until(&mut child).await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        if let Some(running) = own {
            running.stop().await?;
        }
        Ok(Exit::As(code(ended?)))
    });
    runtime.shutdown_background();
    outcome
}

/// The gateway that runs, or one of our own for as long as the client does.
async fn gateway(context: &Context, log_lines: codeferry_app::LogLines) -> Result<(Offer, Option<Running>), Failure> {
    if let Some((guest, _)) = Guest::find(&context.paths).await? {
        return Ok((guest.intent().await?, None));
    }
    let options = Options { log_lines, ..Options::default() };
    let running = codeferry_app::start(options, &context.paths, &context.environment).await.map_err(|error| {
        let conflict = error.is_conflict();
        let failure = if conflict { Failure::conflict(error) } else { Failure::from(error) };
        failure.hint("no gateway runs, and none can be started: codeferry doctor says what is wrong")
    })?;
    let offer = running.gateway().offer().context("the gateway does not say where it listens")?;
    Ok((offer, Some(running)))
}

async fn begin(args: &Args, program: &Path, offer: &Offer, context: &Context) -> Result<Child, Failure> {
    let made = codeferry_app::shell_key(&context.paths, args.client.name(), codeferry_app::system_clock()())?;
    if made.new {
        context.tell_owner().await;
    }
    let (intent, seen) = (offer.intent(&made.key, None), &context.environment.variables);
    let told = match args.client {
        Client::Claude => {
            let mut told = told::claude_code(&intent, seen);
            told.arguments.extend(settings(&intent, args, context)?.into_iter().flatten());
            told
        }
        Client::Codex => told::codex(&intent, seen),
    };
    let mut command = Command::new(program);
    command.args(&told.arguments).args(&args.arguments).stdin(Stdio::inherit());
    for (name, value) in &told.variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
    Ok(child)
}

/// The settings that win over those in its files, for its owner alone: a key on the command line is read by every user of
/// the machine.
fn settings(intent: &Intent, args: &Args, context: &Context) -> Result<Option<[String; 2]>, Failure> {
    let file = context.paths.claude_run();
    let Some(argument) = told::settings_argument(&file, &args.arguments) else {
        context.print.warning("--settings is given: what Claude Code's own files say about where it goes may win");
        return Ok(None);
    };
    let world = codeferry_app::world(&context.environment, None);
    let settings = told::claude_settings(intent, &context.environment.variables, world.as_ref()).into_bytes();
    // Another one that runs has read the same.
    if std::fs::read(&file).ok().as_ref() != Some(&settings) {
        codeferry_app::replace_file(&file, &settings).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(Some(argument))
}

/// The first of its name on `PATH`.
fn program(client: Client, context: &Context) -> Result<PathBuf, Failure> {
    let word = client.program();
    // What npm installs on Windows is a script; it is found by its ending.
    let names = match cfg!(windows) {
        true => vec![format!("{word}.exe"), format!("{word}.cmd")],
        false => vec![word.to_owned()],
    };
    let search = context.environment.search.clone().unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&search).collect();
    let found = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    found.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Failure::conflict(anyhow!("there is no program {word} on PATH")).hint(match client {
            Client::Claude => "install it: npm install -g @anthropic-ai/claude-code",
            Client::Codex => "install it: npm install -g @openai/codex",
        })
    })
}

/// The code of the program. One that a signal ended has none; then it is what shells make of it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    // Windows has longer ones; none of them is to become 0.
    status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1))
}

// === impl Client ===

impl Client {
    /// What its key is called by.
    fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude-code",
            Self::Codex => "codex",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }
}
