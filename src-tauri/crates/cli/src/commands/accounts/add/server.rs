//! `codeferry accounts add --kind compatible|openai_key`: a server that is asked for by name.

use anyhow::anyhow;
use codeferry_accounts::{Kind, Preset, Secret};
use serde::{Deserialize, Serialize};

use crate::commands::{Context, Outcome};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::stdin;

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// The address of the server, most often ending in /v1 (only with --kind compatible)
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A server that is known by name (only with --kind compatible)
    #[arg(long, value_name = "kilo|openrouter|ollama|lm-studio|vllm", value_parser = preset)]
    preset: Option<Preset>,
    /// The variable that holds the key; without it the key is asked for, or read from standard input
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// Read the key from standard input, also where none is needed
    #[arg(long, conflicts_with = "key_env")]
    key_stdin: bool,
    /// Send key and prompts in the clear to another machine
    #[arg(long)]
    allow_http: bool,
}

/// What `POST /api/accounts` takes. It holds a key, so it has no `Debug`.
#[derive(Serialize)]
pub(crate) struct New<'a> {
    kind: Kind,
    label: Option<&'a str>,
    url: Option<&'a str>,
    preset: Option<Preset>,
    key: Option<&'a str>,
    allow_http: bool,
    verify: bool,
}

/// What it answers.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Added {
    id: String,
    kind: String,
    label: String,
    url: Option<String>,
    outcome: String,
    models: Option<usize>,
    notice: Option<String>,
}

// === impl Args ===

impl Args {
    /// What of this was said.
    pub(super) fn said(&self) -> Option<&'static str> {
        [
            ("--url", self.url.is_some()),
            ("--preset", self.preset.is_some()),
            ("--key-env", self.key_env.is_some()),
            ("--key-stdin", self.key_stdin),
            ("--allow-http", self.allow_http),
        ]
        .into_iter()
        .find_map(|(name, said)| said.then_some(name))
    }
}

fn preset(text: &str) -> Result<Preset, String> {
    text.parse().map_err(|error: codeferry_accounts::named::ParsePresetError| error.to_string())
}

pub(super) async fn run(
    kind: Kind,
    label: Option<&str>,
    no_verify: bool,
    args: &Args,
    json: bool,
    context: &Context,
) -> Outcome {
    if kind == Kind::Compatible && args.url.is_none() && args.preset.is_none() {
        return Err(Failure::conflict(anyhow!("where is the server?"))
            .hint("say it with --url http://127.0.0.1:11434/v1, or with --preset ollama"));
    }
    let key = key(kind, args).await?;
    let desk = Desk::open(context).await?;
    let new = New {
        kind,
        label,
        url: args.url.as_deref(),
        preset: args.preset,
        key: key.as_ref().map(Secret::expose),
        allow_http: args.allow_http,
        verify: !no_verify,
    };
    let added = desk.guest.add_named(&new).await?;
    desk.close(context).await?;
    let print = context.print;
    if json {
        print.json(&added)?;
    } else {
        print.data(&added.id)?;
    }
    let listed = match added.models {
        Some(0) => "; the server lists no model".to_owned(),
        Some(1) => "; the server lists one model".to_owned(),
        Some(models) => format!("; the server lists {models} models"),
        None => "; the server was not asked".to_owned(),
    };
    let what = match added.outcome.as_str() {
        "updated" => "has its new key",
        "unchanged" => "was here already",
        _ => "added",
    };
    print.note(&format!("{} {what}{listed}", added.label));
    if let Some(notice) = &added.notice {
        print.warning(notice);
    }
    print.hint(&format!(
        "it serves only who asks for it: use the model {0}/MODEL, or codeferry settings set alias.NAME {0}/MODEL",
        added.label
    ));
    Ok(Exit::Done)
}

/// The key, from wherever it may come. Never from the command line, which everybody on the machine can read.
async fn key(kind: Kind, args: &Args) -> Result<Option<Secret>, Failure> {
    if let Some(name) = &args.key_env {
        let key = codeferry_app::key_variable(name);
        return key.map(Some).ok_or_else(|| Failure::conflict(anyhow!("the variable {name} is not set, or empty")));
    }
    let needed = kind == Kind::OpenaiKey || args.preset.is_some_and(Preset::needs_key);
    // A server that nobody knows may want one. A script that has none says nothing.
    let perhaps = args.preset.is_none() && stdin::is_terminal();
    if !needed && !perhaps && !args.key_stdin {
        return Ok(None);
    }
    let asked = if needed { "key: " } else { "key (none if empty): " };
    let key = stdin::secret(asked).await?;
    if key.expose().is_empty() && (needed || args.key_stdin) {
        return Err(Failure::conflict(anyhow!("no key was given"))
            .hint("type it, pipe it in, or name a variable with --key-env"));
    }
    Ok(Some(key).filter(|key| !key.expose().is_empty()))
}
