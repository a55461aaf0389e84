//! Makes a [`LogLine`] of each event.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use codeferry_accounts::Clock;
use codeferry_gateway::{LogField, LogFields, LogLevel, LogLine, LogLines};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// No value is longer: an upstream's error text may be, and a thousand lines stay in memory.
const LONGEST: usize = 2000;

/// The layer.
pub(super) struct Memory {
    lines: LogLines,
    clock: Clock,
}

/// What an event says, so far.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(Cow<'static, str>, LogField)>,
}

/// Takes what fits.
struct Short<'a>(&'a mut String);

// === impl Memory ===

impl Memory {
    pub(super) fn new(lines: LogLines, clock: Clock) -> Self {
        Self { lines, clock }
    }
}

impl<S: Subscriber> Layer<S> for Memory {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        self.lines.push(LogLine {
            at: (self.clock)(),
            level: level(*metadata.level()),
            target: metadata.target().to_owned(),
            message: said.message,
            fields: LogFields(said.fields),
        });
    }
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

// === impl Said ===

impl Said {
    fn put(&mut self, field: &Field, value: LogField) {
        self.fields.push((Cow::Borrowed(field.name()), value));
    }
}

impl Visit for Said {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, LogField::Fraction(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, u64::try_from(value).map_or(LogField::Figure(value), LogField::Count));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, LogField::Count(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, LogField::Flag(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // An error means no more than that it is cut.
        let _ = write!(Short(&mut text), "{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, LogField::Text(text));
        }
    }
}

impl fmt::Write for Short<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let cut = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.0.push_str(&text[..cut]);
        self.0.push('…');
        Err(fmt::Error)
    }
}
