//! `/api/logs` and `/api/logs/stream` in codex-proxy's shape (`seed-a.md §2.3`).

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

use crate::Gateway;
use crate::control::refused::{Asked, Refused};
use crate::log_lines::{KEPT_LINES, LogLevel, LogLine};

/// A line.
#[derive(Serialize)]
pub(crate) struct LogEntry {
    /// `YYYY-MM-DD HH:MM:SS`, UTC.
    timestamp: String,
    level: &'static str,
    message: String,
    icon: &'static str,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    history: Option<String>,
}

/// All that is kept, the oldest first.
pub(crate) fn all(gateway: &Gateway) -> Vec<LogEntry> {
    gateway.log_lines.last(KEPT_LINES, LogLevel::Debug).iter().map(|line| LogEntry::of(line)).collect()
}

/// Each line as it is said, without an event name; with `history=true` those before it first. A reader that is too slow is
/// told what it missed, and a silent stream has a heartbeat, which codex-proxy's had not.
pub(super) async fn stream(
    State(gateway): State<Arc<Gateway>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Refused> {
    let most = if wanted.history.as_deref() == Some("true") { KEPT_LINES } else { 0 };
    let (before, coming) = gateway.log_lines.follow(most, LogLevel::Debug);
    let before: Vec<_> = before.iter().map(|line| LogEntry::of(line)).collect();
    let gateway_of = Arc::clone(&gateway);
    let coming = stream::unfold((coming, gateway_of), |(mut coming, gateway)| async move {
        loop {
            match coming.recv().await {
                Ok(line) if line.level <= LogLevel::Debug => return Some((LogEntry::of(&line), (coming, gateway))),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    return Some((LogEntry::missed(missed, gateway.now()), (coming, gateway)));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    });
    let entries = stream::iter(before).chain(coming);
    let events = entries.map(|entry| Ok::<_, Infallible>(Event::default().json_data(&entry).unwrap_or_default()));
    // Nobody is to wait for somebody who looks on.
    let events = events.take_until(gateway.stopping.clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

// === impl LogEntry ===

impl LogEntry {
    fn of(line: &LogLine) -> Self {
        let mut message = line.message.clone();
        for (name, value) in &line.fields.0 {
            message += &format!(" | {name}={value}");
        }
        let (level, icon) = words(line.level);
        Self { timestamp: clock(line.at), level, message, icon }
    }

    /// In the place of lines that were not waited for.
    fn missed(lines: u64, now: Timestamp) -> Self {
        let (level, icon) = words(LogLevel::Warn);
        Self { timestamp: clock(now), level, message: format!("{lines} lines were missed"), icon }
    }
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn words(level: LogLevel) -> (&'static str, &'static str) {
    match level {
        LogLevel::Error => ("ERROR", "✗"),
        LogLevel::Warn => ("WARN", "⚠"),
        LogLevel::Info => ("INFO", "ℹ"),
        LogLevel::Debug | LogLevel::Trace => ("DEBUG", "·"),
    }
}
