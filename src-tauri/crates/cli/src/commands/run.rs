//! `codeferry run`: a client that comes here because of how it is started.
//!
//! **Invariant:** none of its files is touched. What it is told stands in its variables, its arguments, and for Claude Code in
//! a file of ours, since its own settings would win over variables.
//!
//! Several can run at once. The first one serves all of them; when its client ends, the next one serves on, at the same address.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use codeferry_app::setup::Offer;
use codeferry_app::{LogLines, Options, OwnerError, OwnerRecord, Running, StartError};
use codeferry_clients::gemini_cli;
use codeferry_clients::intent::Intent;
use tokio::process::{Child, Command};

use super::told;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::guest::Guest;
use crate::logging::{self, Format};
use crate::signals::Relay;

/// So long for others that begin, or end, at the same moment.
const PATIENCE: Duration = Duration::from_secs(60);
/// A client tries again what is refused, and longer each time; the first of these pauses is half a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

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
    /// The Gemini CLI
    #[value(alias = "gemini-cli")]
    Gemini,
}

pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    // The terminal is the client's. What is to be known stands in the log files.
    let log_lines = logging::start(Format::Human, "off", context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let program = program(args.client, context)?;
        // Before anything is started, so that no signal is lost.
        let mut relay = Relay::catch()?;
        let (offer, mut own) = gateway(context, &log_lines).await?;
        let ended = match begin(args, &program, &offer, context).await {
            Ok(mut child) => {
                let heir = inherit(own.is_none(), &offer, context, &log_lines);
                tokio::select! {
                    ended = relay.until(&mut child) => ended,
                    running = heir => {
                        own = Some(running);
                        relay.until(&mut child).await
                    }
                }
                .map_err(Failure::from)
            }
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
async fn gateway(context: &Context, log_lines: &LogLines) -> Result<(Offer, Option<Running>), Failure> {
    let begun = Instant::now();
    loop {
        if let Some((guest, owner)) = Guest::find(&context.paths).await? {
            match guest.intent().await {
                // It ends with its client just now. Answers that are under way may finish.
                Err(_) if owner.for_a_client && begun.elapsed() < PATIENCE => {}
                offer => return Ok((offer?, None)),
            }
        } else {
            match serve(None, context, log_lines).await {
                Ok(running) => {
                    let offer = running.gateway().offer().context("the gateway does not say where it listens")?;
                    return Ok((offer, Some(running)));
                }
                // Somebody began at the same moment; they are found now.
                Err(StartError::Owner(OwnerError::Taken { .. })) if begun.elapsed() < PATIENCE => {}
                Err(error) => {
                    let conflict = error.is_conflict();
                    let failure = if conflict { Failure::conflict(error) } else { Failure::from(error) };
                    let hint = "no gateway runs, and none can be started: codeferry doctor says what is wrong";
                    return Err(failure.hint(hint));
                }
            }
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

async fn serve(port: Option<u16>, context: &Context, log_lines: &LogLines) -> Result<Running, StartError> {
    let options = Options { port, for_a_client: true, log_lines: log_lines.clone(), ..Options::default() };
    codeferry_app::start(options, &context.paths, &context.environment).await
}

/// A gateway of our own once the one we use has ended with its client, at the same address: our client knows no other. One that
/// a person ends stays ended.
async fn inherit(guest: bool, offer: &Offer, context: &Context, log_lines: &LogLines) -> Running {
    if !guest {
        return std::future::pending().await;
    }
    let mut passing = false;
    loop {
        match OwnerRecord::find(&context.paths) {
            Ok(Some(owner)) => passing = owner.for_a_client,
            Ok(None) if passing => match serve(offer.url.port(), context, log_lines).await {
                Ok(running) => return running,
                // Another one was quicker, or the address is not free yet.
                Err(error) => tracing::debug!(%error, "the gateway is not taken over"),
            },
            Ok(None) | Err(_) => {}
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
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
        Client::Gemini => {
            let world = codeferry_app::world(&context.environment, None);
            if let Some(kind) = world.as_ref().and_then(gemini_cli::signed_in_otherwise) {
                let error = anyhow!("the Gemini CLI's settings choose the sign-in {kind}, which wins over variables");
                return Err(Failure::conflict(error).hint("set it up by its files: codeferry setup gemini"));
            }
            told::gemini(&intent, seen)
        }
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
            Client::Gemini => "install it: npm install -g @google/gemini-cli",
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
            Self::Gemini => "gemini",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
        }
    }
}
