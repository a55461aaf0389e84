//! How a command of this program logs: to standard error.

use codeferry_app::LogLines;
use codeferry_app::logging::{self, LogError, Logging};
use codeferry_store::LogForm;

use crate::commands::Context;
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

/// Starts logging; `usual` holds where `CODEFERRY_LOG` says nothing.
pub(crate) fn start(format: Format, usual: &str, context: &Context) -> Result<LogLines, Failure> {
    let directives = context.environment.log.as_deref();
    let logging = Logging { form: format.into(), directives, usual, color: context.print.color() };
    logging::start(logging).map_err(|error| match error {
        LogError::Directives { .. } => {
            Failure::conflict(error).hint("CODEFERRY_LOG takes error, warn, info, debug or trace")
        }
        LogError::Taken(_) => Failure::from(error),
    })
}

impl From<LogForm> for Format {
    fn from(form: LogForm) -> Self {
        match form {
            LogForm::Human => Self::Human,
            LogForm::Json => Self::Json,
        }
    }
}

impl From<Format> for LogForm {
    fn from(format: Format) -> Self {
        match format {
            Format::Human => Self::Human,
            Format::Json => Self::Json,
        }
    }
}
