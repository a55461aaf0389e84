//! The log: to standard error, for people or as JSON, never with a secret or a prompt in it.

use std::io;

use anyhow::Context as _;
use codeferry_store::LogForm;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON object in each line
    Json,
}

/// Starts logging. `directives` is what `CODEFERRY_LOG` says, for example `debug` or `warn,codeferry_upstream=trace`.
pub(crate) fn start(format: Format, directives: Option<&str>, usual: &str, color: bool) -> Result<(), Failure> {
    let filter = match directives {
        Some(directives) => EnvFilter::try_new(directives)
            .with_context(|| format!("CODEFERRY_LOG is {directives:?}"))
            .map_err(|error| Failure::conflict(error).hint("CODEFERRY_LOG takes error, warn, info, debug or trace"))?,
        None => EnvFilter::new(usual),
    };
    let filter = filter.and(filter_fn(discreet));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        Format::Human => lines.with_ansi(color).with_target(false).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()?;
    Ok(())
}

/// Others' debug lines may hold headers and bodies, and with them tokens and prompts. Ours do not.
fn discreet(line: &Metadata<'_>) -> bool {
    line.target().starts_with("codeferry") || *line.level() <= Level::INFO
}

impl From<LogForm> for Format {
    fn from(form: LogForm) -> Self {
        match form {
            LogForm::Human => Self::Human,
            LogForm::Json => Self::Json,
        }
    }
}
