//! What is left of the plan that served, in the headers of an answer.
//!
//! Anthropic's service names its windows by length, `5h` and `7d`, with a share from 0 to 1 and the moment they begin anew
//! (headers `anthropic-ratelimit-unified-*`, as its clients read them). Windows of other lengths have no name there and are
//! left out.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use codeferry_accounts::quota::{MAIN, Quota, QuotaWindow};

use crate::attempt::Committed;
use crate::dialect::Dialect;

/// Length in minutes, the name in headers, and the name of the claim.
const NAMED: [(u32, &str, &str); 2] = [(300, "5h", "five_hour"), (10_080, "7d", "seven_day")];

/// From here on a window warns, in percent.
const WARNS: f64 = 80.0;

/// What a client that speaks `dialect` is told of the account that answers it.
pub(crate) fn of(dialect: Dialect, committed: &Committed) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if dialect == Dialect::Anthropic {
        add_anthropic(&mut headers, committed.pool.quota(&committed.lease.account.id));
    }
    headers
}

/// Adds what is known of the account's windows, if anything is.
fn add_anthropic(headers: &mut HeaderMap, quota: Option<Quota>) {
    let windows = quota.map(|quota| quota.windows).unwrap_or_default();
    let named = |window: &QuotaWindow| {
        let name = NAMED.iter().find(|(minutes, ..)| *minutes == window.minutes);
        name.filter(|_| window.family == MAIN).copied()
    };
    let mut tightest: Option<(&QuotaWindow, &str)> = None;
    for window in &windows {
        let Some((_, name, claim)) = named(window) else { continue };
        put(headers, &format!("{name}-utilization"), &share(window).to_string());
        put(headers, &format!("{name}-status"), status(window));
        if let Some(resets_at) = window.resets_at {
            put(headers, &format!("{name}-reset"), &resets_at.as_second().to_string());
        }
        if tightest.is_none_or(|(other, _)| window.used_percent > other.used_percent) {
            tightest = Some((window, claim));
        }
    }
    if let Some((window, claim)) = tightest {
        put(headers, "status", status(window));
        put(headers, "representative-claim", claim);
        if let Some(resets_at) = window.resets_at {
            put(headers, "reset", &resets_at.as_second().to_string());
        }
    }
}

/// From 0 to 1, in hundredths of a percent.
fn share(window: &QuotaWindow) -> f64 {
    (window.used_percent.max(0.0) * 100.0).round() / 10_000.0
}

fn status(window: &QuotaWindow) -> &'static str {
    match window.used_percent {
        used if used >= 100.0 => "rejected",
        used if used >= WARNS => "allowed_warning",
        _ => "allowed",
    }
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::try_from(format!("anthropic-ratelimit-unified-{name}"));
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use codeferry_accounts::quota::{MAIN, Quota, QuotaWindow};
    use jiff::Timestamp;

    use super::add_anthropic;

    fn window(minutes: u32, family: &str, used_percent: f64) -> QuotaWindow {
        let resets_at = Some(Timestamp::from_second(2_000_000_000 + i64::from(minutes)).expect("a moment"));
        let (title, seen_at) = (None, Timestamp::UNIX_EPOCH);
        QuotaWindow { minutes, family: family.to_owned(), title, used_percent, resets_at, seen_at, forecast: None }
    }

    fn told(windows: Vec<QuotaWindow>) -> Vec<String> {
        let (credits, plan, reset_credits, seen_at) = (None, None, None, Timestamp::UNIX_EPOCH);
        let mut headers = HeaderMap::new();
        add_anthropic(&mut headers, Some(Quota { windows, credits, plan, reset_credits, seen_at }));
        let line = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            let name = name.as_str().strip_prefix("anthropic-ratelimit-unified-").expect("its prefix");
            format!("{name}: {}", value.to_str().expect("a text"))
        };
        let mut told: Vec<_> = headers.iter().map(line).collect();
        told.sort();
        told
    }

    #[test]
    fn windows_by_their_length() {
        let told = told(vec![window(300, MAIN, 12.0), window(10_080, MAIN, 83.456), window(300, "other", 99.0)]);
        assert_eq!(
            told,
            [
                "5h-reset: 2000000300",
                "5h-status: allowed",
                "5h-utilization: 0.12",
                "7d-reset: 2000010080",
                "7d-status: allowed_warning",
                "7d-utilization: 0.8346",
                "representative-claim: seven_day",
                "reset: 2000010080",
                "status: allowed_warning",
            ]
        );
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(told(vec![window(1440, MAIN, 50.0)]), [""; 0]);
        let mut headers = HeaderMap::new();
        add_anthropic(&mut headers, None);
        assert!(headers.is_empty());
    }
}
