//! `/healthz`, `/livez`, `/readyz`: whether this process works, and whether a request would be served.
//!
//! Live means: a job handed to the runtime is done within two seconds, and the locks that every request takes can be
//! taken. It is tried when somebody asks, so that nothing runs while nobody does. Ready means: live, not stopping, the
//! settings can be read, and an account would serve.
//!
//! **Invariant:** no name, no address and no path is told here: whoever asks needs no key.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use codeferry_accounts::{NoAccount, Readiness};
use jiff::Timestamp;
use serde::Serialize;

use crate::Gateway;
use crate::guard::Nearby;

/// So long a job may take that takes no time.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why it is not as it should be. The code is for programs, the message for people and may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reason {
    code: &'static str,
    message: &'static str,
    /// When it passes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// How it fares.
#[derive(Debug)]
struct Health {
    live: bool,
    reasons: Vec<Reason>,
}

/// `/healthz`
#[derive(Serialize)]
struct Whole {
    ok: bool,
    live: bool,
    ready: bool,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<Reason>>,
}

/// `/livez` and `/readyz`
#[derive(Serialize)]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<Reason>>,
}

/// `GET /healthz`: always 200.
pub(crate) async fn healthz(State(gateway): State<Arc<Gateway>>, nearby: Nearby) -> Response {
    let Health { live, reasons } = look(&gateway).await;
    let ready = reasons.is_empty();
    let whole = Whole { ok: live && ready, live, ready, version: gateway.version, reasons: nearby.only(reasons) };
    answer(StatusCode::OK, Json(whole))
}

/// `GET /livez`: 200, or 503 when starting it anew is what helps.
pub(crate) async fn livez(State(gateway): State<Arc<Gateway>>, nearby: Nearby) -> Response {
    let Health { live, reasons } = look(&gateway).await;
    let reasons = if live { Vec::new() } else { reasons };
    let part = Part { live: Some(live), ready: None, reasons: nearby.only(reasons) };
    answer(status(live), Json(part))
}

/// `GET /readyz`: 200, or 503 while requests would be refused.
pub(crate) async fn readyz(State(gateway): State<Arc<Gateway>>, nearby: Nearby) -> Response {
    let Health { reasons, .. } = look(&gateway).await;
    let ready = reasons.is_empty();
    let part = Part { live: None, ready: Some(ready), reasons: nearby.only(reasons) };
    answer(status(ready), Json(part))
}

fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn answer(status: StatusCode, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Looks, off the threads that carry the requests: whoever holds a lock for good, or has taken all the threads for
/// blocking work, is found out.
async fn look(gateway: &Arc<Gateway>) -> Health {
    let asked = Arc::clone(gateway);
    match done_in(PATIENCE, move || reasons(&asked)).await {
        Some(reasons) => Health { live: true, reasons },
        None => Health { live: false, reasons: vec![Reason::now("stuck", "work is not done any more")] },
    }
}

/// The job's result, if it comes in time.
async fn done_in<T: Send + 'static>(patience: Duration, job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let done = tokio::time::timeout(patience, tokio::task::spawn_blocking(job)).await;
    done.ok()?.ok()
}

/// Why a request would not be served now.
fn reasons(gateway: &Gateway) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if gateway.stopping.is_cancelled() {
        reasons.push(Reason::now("shutting_down", "the gateway is shutting down"));
    }
    if gateway.settings.check().is_err() {
        let message = "the settings file cannot be read; those read before still hold, but a restart would fail";
        reasons.push(Reason::now("settings_unreadable", message));
    }
    match gateway.pool.readiness() {
        Readiness::Ready => {}
        Readiness::NotRead => reasons.push(Reason::now("starting", "the accounts were not read yet")),
        Readiness::Nobody(none) => reasons.push(Reason::of(&none)),
    }
    reasons
}

// === impl Reason ===

impl Reason {
    fn now(code: &'static str, message: &'static str) -> Self {
        Self { code, message, until: None }
    }

    /// Without the names in it.
    fn of(none: &NoAccount) -> Self {
        match none {
            NoAccount::None => Self::now("no_account", "no account is signed in"),
            NoAccount::NoneActive { .. } => Self::now("none_active", "none of the accounts is active"),
            NoAccount::NeedsSignIn { .. } => {
                Self::now("needs_sign_in", "each account that may serve needs to sign in again")
            }
            NoAccount::CoolingDown { earliest, .. } => {
                Self { until: Some(*earliest), ..Self::now("resting", "each account that may serve rests for a while") }
            }
            NoAccount::Unusable { .. } | NoAccount::Excluded { .. } => {
                Self::now("unusable", "each account is paused, or rests until somebody wakes it")
            }
            NoAccount::RefreshFailed { .. } => Self::now("not_renewed", "a sign-in could not be renewed"),
            NoAccount::Vault { .. } => Self::now("vault_unreadable", "the accounts cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::{PATIENCE, done_in};

    #[tokio::test]
    async fn a_job_that_is_done_is_told() {
        assert_eq!(done_in(PATIENCE, || 7).await, Some(7));
    }

    /// All threads for blocking work are taken, as they are when each waits for a lock that nobody gives back.
    #[test]
    fn who_does_no_work_is_found_out() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_time().build();
        let runtime = runtime.expect("a runtime");
        let (let_go, held) = mpsc::channel::<()>();
        runtime.block_on(async {
            let stuck = tokio::task::spawn_blocking(move || held.recv());
            assert_eq!(done_in(Duration::from_millis(1), || 7).await, None);
            drop(let_go);
            let _ = stuck.await;
            assert_eq!(done_in(PATIENCE, || 7).await, Some(7), "and it recovers");
        });
    }
}
