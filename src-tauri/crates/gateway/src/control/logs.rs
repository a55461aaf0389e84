//! `GET /api/logs`: what was logged last.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::refused::{Asked, Refused};
use crate::Gateway;
use crate::compat::codex_proxy::logs::{self, LogEntry};
use crate::log_lines::{LogLevel, LogLine};

/// So many lines, where nobody says how many.
const USUAL: usize = 100;

/// `?lines=&level=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    lines: Option<usize>,
    level: Option<String>,
}

/// The last lines, the oldest first.
#[derive(Serialize)]
pub(crate) struct Lines {
    lines: Vec<Arc<LogLine>>,
    /// To whoever asks for nothing in particular, as codex-proxy's scripts do, also in its shape.
    #[serde(flatten)]
    old: Option<Old>,
}

/// All that is kept, as codex-proxy had it.
#[derive(Serialize)]
struct Old {
    status: &'static str,
    logs: Vec<LogEntry>,
}

/// The last lines that are at least as bad as `level`.
pub(crate) async fn last(
    State(gateway): State<Arc<Gateway>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Lines>, Refused> {
    let bad = |message: String| Refused::new(StatusCode::BAD_REQUEST, "bad_request", message);
    let level = match wanted.level {
        None => LogLevel::Trace,
        Some(word) => {
            word.parse().map_err(|()| bad(format!("level is {word:?}: error, warn, info, debug or trace is needed")))?
        }
    };
    let plain = wanted.lines.is_none() && level == LogLevel::Trace && gateway.settings.snapshot().compat;
    let old = plain.then(|| Old { status: "ok", logs: logs::all(&gateway) });
    Ok(Json(Lines { lines: gateway.log_lines.last(wanted.lines.unwrap_or(USUAL), level), old }))
}
