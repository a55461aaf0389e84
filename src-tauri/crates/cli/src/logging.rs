//! The log: to standard error, for people or as JSON, never with a secret or a prompt in it.

use std::io;

use anyhow::Context as _;
use codeferry_store::LogForm;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
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
    subscriber(format, filter, color, io::stderr).try_init()?;
    Ok(())
}

fn subscriber<W>(format: Format, filter: EnvFilter, color: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match format {
        Format::Human => lines.with_ansi(color).with_target(false).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter.and(filter_fn(discreet))))
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

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::{EnvFilter, Format, subscriber};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, directives: &str) -> String {
        let page = Page::default();
        let writer = {
            let page = page.clone();
            move || page.clone()
        };
        let subscriber = subscriber(format, EnvFilter::new(directives), false, writer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "codeferry_upstream", "ours");
            tracing::trace!(target: "hyper", "theirs, with a header");
            tracing::debug!(target: "h2", "theirs, with a frame");
            tracing::info!(target: "h2", "a remark");
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn details_of_other_crates_are_never_logged() {
        let log = logged(Format::Human, "trace");
        assert!(log.contains("ours") && log.contains("a remark"), "{log}");
        assert!(!log.contains("theirs"), "{log}");
        assert!(!logged(Format::Human, "hyper=trace").contains("theirs"));
    }

    #[test]
    fn each_json_line_is_one_object() {
        let log = logged(Format::Json, "info");
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.starts_with('{') && log.contains(r#""message":"a remark""#), "{log}");
    }
}
