//! The log: to standard error for people or as JSON, into memory for whoever looks, and to files. Never with a secret or a
//! prompt in it.
//!
//! **Invariant:** our own lines carry no secret, no prompt and no e-mail address; of other crates nothing finer than `info`
//! is taken, since their details may hold headers and bodies.

mod files;
mod memory;
mod writer;

use std::io;
use std::panic::PanicHookInfo;

use codeferry_gateway::LogLines;
use codeferry_store::{LogForm, Settings};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, ParseError, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

pub use self::files::files;
use self::files::{Files, Limits};
use self::memory::Memory;
pub(crate) use self::writer::Writer;
use crate::Paths;

/// The target of lines about the beginning and the end.
pub(crate) const LIFE: &str = "codeferry::life";

/// What is logged, and how it looks on standard error.
#[derive(Debug, Clone, Copy)]
pub struct Logging<'a> {
    /// How lines look.
    pub form: LogForm,
    /// What `CODEFERRY_LOG` says, for example `debug` or `warn,codeferry_upstream=trace`.
    pub directives: Option<&'a str>,
    /// What holds where it says nothing.
    pub usual: &'a str,
    /// Whether standard error shows colours.
    pub color: bool,
}

/// Nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `CODEFERRY_LOG` cannot be read.
    #[error("CODEFERRY_LOG is {directives:?}: {source}")]
    Directives {
        /// What it says.
        directives: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Somebody in this process logs already.
    #[error(transparent)]
    Taken(#[from] TryInitError),
}

/// Starts logging, for the whole process. A panic is a line of the log too, by its place: its words may quote what was just
/// worked on, a prompt for example, so they are told only where the source holds them literally. The lines are for [`Options::log_lines`](crate::Options::log_lines).
///
/// # Errors
/// See [`LogError`].
pub fn start(logging: Logging<'_>) -> Result<LogLines, LogError> {
    let lines = LogLines::new();
    subscriber(logging, io::stderr, lines.clone())?.try_init()?;
    std::panic::set_hook(Box::new(note_panic));
    Ok(lines)
}

fn note_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    let why = panic.payload().downcast_ref::<&'static str>().copied();
    tracing::error!(target: "codeferry::panic", place, thread = thread.name(), why, "a bug: please report it");
}

/// Writes what is logged from now on to files, as the settings say; until it is dropped.
pub(crate) fn to_files(lines: &LogLines, paths: &Paths, settings: &Settings) -> Option<Writer> {
    let limits = Limits { days: settings.log_keep_days, bytes: settings.log_max_mib * 1024 * 1024 };
    settings.log_file.then(|| Writer::begin(lines, Files::new(paths.logs(), limits)))
}

fn subscriber<W>(
    logging: Logging<'_>,
    writer: W,
    lines: LogLines,
) -> Result<impl Subscriber + Send + Sync + use<W>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let shown = tracing_subscriber::fmt::layer().with_writer(writer);
    let shown = match logging.form {
        LogForm::Human => shown.with_ansi(logging.color).with_target(false).boxed(),
        LogForm::Json => shown.json().flatten_event(true).boxed(),
    };
    let seen = match logging.form {
        // A person who looks on has been told by other means that it begins and ends.
        LogForm::Human => format!("{},{LIFE}=warn", logging.usual),
        LogForm::Json => logging.usual.to_owned(),
    };
    let kept = Memory::new(lines, crate::system_clock());
    Ok(tracing_subscriber::registry()
        .with(shown.with_filter(filter(&logging, &seen)?.and(filter_fn(discreet))))
        .with(kept.with_filter(filter(&logging, logging.usual)?.and(filter_fn(ours)))))
}

/// What `CODEFERRY_LOG` says, else the usual.
fn filter(logging: &Logging<'_>, usual: &str) -> Result<EnvFilter, LogError> {
    let Some(directives) = logging.directives else { return Ok(EnvFilter::new(usual)) };
    EnvFilter::try_new(directives).map_err(|source| LogError::Directives { directives: directives.to_owned(), source })
}

/// Others' debug lines may hold headers and bodies, and with them tokens and prompts. Ours do not.
fn discreet(line: &Metadata<'_>) -> bool {
    is_ours(line) || *line.level() <= Level::INFO
}

/// What is kept is for the owner of this gateway; of others only what may be wrong.
fn ours(line: &Metadata<'_>) -> bool {
    is_ours(line) || *line.level() <= Level::WARN
}

fn is_ours(line: &Metadata<'_>) -> bool {
    line.target().starts_with("codeferry")
}

#[cfg(test)]
mod tests;
