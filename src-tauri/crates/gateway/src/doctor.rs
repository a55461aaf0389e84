//! What is well and what is not, row by row: for `codeferry doctor` and the dashboard.
//!
//! **Invariant:** rows hold no secret and no e-mail address, so that they can be shown to whoever helps.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountState, AccountStatus, Kind, Pool};
use codeferry_store::log::LogHealth;
use codeferry_store::{ClientKeys, SettingsFile};
use codeferry_upstream::{FailureKind, Fetched, Seen, Upstream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::capture::CaptureState;
use crate::open_warning;

/// What the composition root knows of folder, disk and environment. It may wait for the disk.
pub type House = Arc<dyn Fn() -> Vec<Row> + Send + Sync>;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What, for programs.
    pub check: Cow<'static, str>,
    /// How it stands.
    pub verdict: Verdict,
    /// The same in a sentence.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The worst of all rows.
    pub verdict: Verdict,
    /// What was looked at.
    pub rows: Vec<Row>,
}

/// An upstream that could not be reached.
#[derive(Debug, Clone)]
pub struct Unreached {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub message: String,
}

/// A keychain may ask its owner first.
const KEYCHAIN: Duration = Duration::from_secs(10);
/// A host that is well answers sooner.
const ASKING: Duration = Duration::from_secs(20);
/// Sign-ins and tokens speak of times; a clock that is further off breaks them.
const OFF: SignedDuration = SignedDuration::from_secs(60);

/// Values that cannot be used, and a file that cannot be read.
pub fn settings(settings: &SettingsFile) -> Vec<Row> {
    if let Err(error) = settings.check() {
        let row = Row::fail("settings", format!("{error}; those read before still hold"));
        return vec![row.hint("mend the file, or remove it to start from the defaults")];
    }
    let open = open_warning(&settings.snapshot())
        .map(|warning| Row::warn("old_paths", warning).hint("codeferry settings unset compat.open_on_loopback"));
    let problems: Vec<_> = settings.problems();
    if problems.is_empty() {
        let message = match settings.list().iter().filter(|listed| listed.set).count() {
            0 => "all are at their defaults".to_owned(),
            1 => "1 is changed".to_owned(),
            set => format!("{set} are changed"),
        };
        return std::iter::once(Row::ok("settings", message)).chain(open).collect();
    }
    let row = |problem: &codeferry_store::Problem| {
        Row::warn("settings", problem.to_string()).hint(format!("codeferry settings unset {}", problem.key))
    };
    problems.iter().map(row).chain(open).collect()
}

/// Whether anybody can come in.
pub fn keys(keys: &ClientKeys) -> Row {
    match keys.list() {
        Ok(list) if list.is_empty() => Row::warn("client_keys", "there is no client key, so no client can come in")
            .hint("make one: codeferry keys create NAME"),
        Ok(list) if list.len() == 1 => Row::ok("client_keys", "1 client key"),
        Ok(list) => Row::ok("client_keys", format!("{} client keys", list.len())),
        Err(error) => Row::fail("client_keys", error.to_string()),
    }
}

/// Whether the vault opens. Where none was made yet, nothing is asked of the keychain.
pub async fn vault(pool: &Pool) -> Row {
    match tokio::time::timeout(KEYCHAIN, pool.reload()).await {
        Ok(Ok(())) if pool.list().iter().all(|account| account.ephemeral) => {
            Row::ok("vault", "there is nothing in it yet")
        }
        Ok(Ok(())) => Row::ok("vault", "it can be opened"),
        Ok(Err(error)) => Row::fail("vault", error.to_string()),
        Err(_) => Row::fail("vault", "its key did not come within 10 seconds")
            .hint("the keychain may be waiting for you: look for its dialog, or unlock it"),
    }
}

/// Whether anybody can pay. Accounts by label, or by id.
pub fn accounts(list: &[AccountStatus]) -> Vec<Row> {
    if list.is_empty() {
        let row = Row::fail("accounts", "no account is signed in, so nobody can pay");
        return vec![row.hint("sign in: codeferry accounts add")];
    }
    list.iter().map(account).collect()
}

fn account(account: &AccountStatus) -> Row {
    let name = account.label.clone().unwrap_or_else(|| account.id.to_string());
    let kind = if account.active {
        format!("{name} ({}, active)", account.kind)
    } else {
        format!("{name} ({})", account.kind)
    };
    let ok = |message: String| Row::ok("account", message);
    let warn = |message: String| Row::warn("account", message);
    let id = &account.id;
    match &account.state {
        AccountState::NeedsSignIn { why } => {
            let message = format!("{kind} needs to sign in: {why}");
            let row = if account.active { Row::fail("account", message) } else { Row::warn("account", message) };
            row.hint(match account.kind {
                Kind::Plan | Kind::Codex => format!("codeferry accounts add --account {id}"),
                Kind::CodexCli => "sign in there: codex login".to_owned(),
                _ => "it needs a key that works: codeferry help accounts".to_owned(),
            })
        }
        _ if account.paused && account.active => {
            warn(format!("{kind} is paused")).hint(format!("codeferry accounts resume {id}"))
        }
        _ if account.paused => ok(format!("{kind} is paused")),
        AccountState::CoolingDown { until, why } => warn(format!("{kind} rests until {until}: {why}")),
        AccountState::Blocked { why } => {
            warn(format!("{kind} rests until somebody wakes it: {why}")).hint(format!("codeferry accounts wake {id}"))
        }
        AccountState::Ready => match &account.warning {
            Some(warning) => warn(format!("{kind} is ready, but {warning}")),
            None => ok(format!("{kind} is ready")),
        },
    }
}

/// Whether exchanges are written down.
pub fn request_log(health: &LogHealth) -> Row {
    if let Some(problem) = &health.problem {
        return Row::warn("request_log", format!("exchanges are not written down: {problem}"));
    }
    if let Some(damaged) = &health.put_aside {
        let message = format!("it was damaged and begun anew; the old one is {}", damaged.display());
        return Row::warn("request_log", message);
    }
    match health.dropped {
        0 => Row::ok("request_log", "exchanges are written down"),
        1 => Row::warn("request_log", "1 exchange was not written down since the start"),
        dropped => Row::warn("request_log", format!("{dropped} exchanges were not written down since the start")),
    }
}

/// Whether what is said is written down, or should be and is not. Nothing where nobody asks for it.
pub(crate) fn capture(state: &CaptureState) -> Option<Row> {
    if let Some(wish) = &state.wish {
        let message = match &wish.client {
            Some(client) => format!("what is said of the client {client} is written down until {}", wish.until),
            None => format!("what is said is written down until {}", wish.until),
        };
        return Some(Row::warn("capture", message).hint("to end that: codeferry capture off"));
    }
    let problem = state.health.problem.as_ref()?;
    let message = match state.health.dropped {
        1 => format!("one capture was lost: {problem}"),
        dropped => format!("{dropped} captures were lost: {problem}"),
    };
    Some(Row::warn("capture", message))
}

/// What is known of the hosts without asking them.
pub fn upstream(seen: &BTreeMap<String, Seen>, unreached: Option<&Unreached>, now: Timestamp) -> Vec<Row> {
    let mut rows: Vec<_> = seen.iter().map(|(host, seen)| answered(host, seen, now)).collect();
    let last = seen.values().map(|seen| seen.at).max();
    match unreached {
        Some(unreached) if last.is_none_or(|last| last < unreached.at) => rows.push(
            Row::fail("upstream", format!("not reached {}: {}", ago(unreached.at, now), unreached.message))
                .hint("is this machine online? is a proxy needed (HTTPS_PROXY)?"),
        ),
        _ if rows.is_empty() => {
            rows.push(Row::ok("upstream", "nobody was asked yet; --live asks"));
        }
        _ => {}
    }
    rows.extend(clock(seen));
    rows
}

fn answered(host: &str, seen: &Seen, now: Timestamp) -> Row {
    Row::ok("upstream", format!("{host} answered {}", ago(seen.at, now)))
}

/// The clock, as far as somebody told the time.
fn clock(seen: &BTreeMap<String, Seen>) -> Option<Row> {
    let (host, ahead) =
        seen.iter().filter_map(|(host, seen)| Some((host, seen.ahead?))).max_by_key(|(_, by)| by.abs())?;
    let seconds = ahead.abs().as_secs();
    if ahead.abs() < OFF {
        return Some(Row::ok("clock", format!("within {} of {host}", counted_seconds(seconds.max(1)))));
    }
    let by = counted_seconds(seconds);
    let message = match ahead.is_negative() {
        true => format!("this machine's clock is {by} ahead of {host}"),
        false => format!("this machine's clock is {by} behind {host}"),
    };
    Some(Row::warn("clock", message).hint("set the clock: sign-ins and tokens do not hold with a wrong one"))
}

/// Asks for the models of each account that could serve. Spends no refresh token.
pub async fn live(pool: &Pool, upstream: &Upstream) -> Vec<Row> {
    let mut rows = Vec::new();
    for account in pool.list() {
        let name = account.label.clone().unwrap_or_else(|| account.id.to_string());
        if account.paused || matches!(account.state, AccountState::NeedsSignIn { .. }) {
            continue;
        }
        let begun = Instant::now();
        let asked = async {
            let lease = pool.lease_as_is(&account.id).await.map_err(|_| "it has no token yet".to_owned())?;
            upstream.models((&lease).into()).await.map_err(|failure| match failure.kind {
                FailureKind::Unauthorized => "the access token is refused; the next request renews it".to_owned(),
                _ => failure.message,
            })
        };
        rows.push(match tokio::time::timeout(ASKING, asked).await {
            Ok(Ok(fetched)) => {
                let models = match fetched {
                    Fetched::New(catalog) if catalog.models().len() == 1 => "1 model".to_owned(),
                    Fetched::New(catalog) => format!("{} models", catalog.models().len()),
                    Fetched::Unchanged => "the models known already".to_owned(),
                };
                Row::ok("live", format!("{name} was told of {models} in {} ms", begun.elapsed().as_millis()))
            }
            Ok(Err(why)) => Row::fail("live", format!("{name}: {why}")),
            Err(_) => Row::fail("live", format!("{name}: no answer within {} seconds", ASKING.as_secs())),
        });
    }
    rows
}

/// As one would say it.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0 | 1 => "just now".to_owned(),
        2..=119 => format!("{seconds} seconds ago"),
        120..=7199 => format!("{} minutes ago", seconds / 60),
        _ => format!("{} hours ago", seconds / 3600),
    }
}

fn counted_seconds(seconds: i64) -> String {
    if seconds == 1 { "1 second".to_owned() } else { format!("{seconds} seconds") }
}

// === impl Row ===

impl Row {
    /// As it should be.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, message)
    }

    /// Somebody should look.
    pub fn warn(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warn, message)
    }

    /// It does not work.
    pub fn fail(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fail, message)
    }

    fn new(check: &'static str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self { check: check.into(), verdict, message: message.into(), hint: None }
    }

    /// What to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

// === impl Report ===

impl Report {
    /// The report of these rows.
    pub fn of(rows: Vec<Row>) -> Self {
        let verdict = rows.iter().map(|row| row.verdict).max().unwrap_or(Verdict::Ok);
        Self { verdict, rows }
    }
}

#[cfg(test)]
mod tests;
