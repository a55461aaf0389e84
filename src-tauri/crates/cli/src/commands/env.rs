//! `codeferry env`: what a shell has to set, to be evaluated by it.

use anyhow::anyhow;
use codeferry_app::Variables;
use codeferry_app::setup::Offer;
use codeferry_clients::intent::Intent;
use codeferry_clients::shell::{self, Line, Shell};

use super::told::{self, Told};
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::guest::Guest;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who is to come here
    #[arg(long, value_enum, default_value_t)]
    client: Client,
    /// The shell that reads it [default: the one that SHELL names; on Windows PowerShell]
    #[arg(long, value_enum)]
    shell: Option<Language>,
}

/// Who is told by variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Client {
    #[default]
    #[value(alias = "claude")]
    ClaudeCode,
    /// Programs with Anthropic's SDK
    Anthropic,
    /// Programs with OpenAI's SDK
    #[value(name = "openai")]
    OpenAi,
    /// The Gemini CLI, and programs with Google's SDK
    #[value(alias = "gemini-cli")]
    Gemini,
    /// It listens to no variable: codeferry run codex
    Codex,
}

/// A shell, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    /// And bash, zsh, dash
    #[value(alias = "bash", alias = "zsh", alias = "dash", alias = "ksh")]
    Sh,
    Fish,
    #[value(name = "powershell", alias = "pwsh")]
    PowerShell,
    /// The prompt of Windows
    Cmd,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let seen = &context.environment.variables;
    let (name, tell): (_, fn(&Intent, &Variables) -> Told) = match args.client {
        Client::ClaudeCode => ("claude-code", told::claude_code),
        Client::Anthropic => ("anthropic", told::anthropic),
        Client::OpenAi => ("openai", told::openai),
        Client::Gemini => ("gemini", told::gemini),
        Client::Codex => {
            let error = anyhow!("the Codex CLI takes its address from flags or from its file, not from variables");
            return Err(Failure::conflict(error).hint("start it so that it comes here: codeferry run codex"));
        }
    };
    let shell = args.shell.map_or_else(|| usual(context), Language::shell);
    let (offer, runs) = offer(context).await?;
    let made = codeferry_app::shell_key(&context.paths, name, codeferry_app::system_clock()())?;
    if made.new {
        context.tell_owner().await;
    }
    let told = tell(&offer.intent(&made.key, None), seen);
    let url = offer.url.as_str().trim_end_matches('/');
    let mut lines = vec![
        Line::Comment(format!("Codeferry: {name}, started from this shell, comes to {url}. No file is changed.")),
        Line::Comment(
            "It holds a key: whoever reads these lines can use your accounts through this gateway.".to_owned(),
        ),
        Line::Comment(format!("To evaluate it: {}", shell.evaluating(&command(args, shell)))),
    ];
    lines.extend(told.variables.into_iter().map(|(name, value)| match value {
        Some(value) => Line::Set(name, value),
        None => Line::Unset(name),
    }));
    context.print.data(shell::text(shell, &lines).trim_end())?;
    if !runs {
        context.print.note("no gateway runs now: codeferry serve");
    }
    Ok(Exit::Done)
}

/// What clients are told of the gateway, and whether one runs.
async fn offer(context: &Context) -> Result<(Offer, bool), Failure> {
    if let Some((guest, _)) = Guest::find(&context.paths).await? {
        return Ok((guest.intent().await?, true));
    }
    Ok((codeferry_app::offer(&context.paths)?, false))
}

fn usual(context: &Context) -> Shell {
    match context.environment.variables.get("SHELL") {
        Some(program) => Shell::of_program(program),
        None if cfg!(windows) => Shell::PowerShell,
        None => Shell::Sh,
    }
}

/// How it is called to get the same again.
fn command(args: &Args, shell: Shell) -> String {
    let client = match args.client {
        Client::ClaudeCode | Client::Codex => "",
        Client::Anthropic => " --client anthropic",
        Client::OpenAi => " --client openai",
        Client::Gemini => " --client gemini",
    };
    format!("codeferry env{client} --shell {}", shell.name())
}

// === impl Language ===

impl Language {
    fn shell(self) -> Shell {
        match self {
            Self::Sh => Shell::Sh,
            Self::Fish => Shell::Fish,
            Self::PowerShell => Shell::PowerShell,
            Self::Cmd => Shell::Cmd,
        }
    }
}
