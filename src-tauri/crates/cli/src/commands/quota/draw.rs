//! Windows as text: a bar, when it begins anew, how old that is, how long it lasts at this pace.

use codeferry_accounts::quota::window_name;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::NO_FIGURES;
use crate::commands::accounts::clock;
use crate::guest::{Listed, Quota, ResetCredits, Window};
use crate::print::table;

/// As wide as a bar is.
const WIDTH: usize = 20;

/// A paragraph for each account.
pub(super) fn all(accounts: &[Listed], now: Timestamp, zone: &TimeZone) -> String {
    accounts.iter().map(|account| one(account, now, zone)).collect::<Vec<_>>().join("\n\n")
}

fn one(account: &Listed, now: Timestamp, zone: &TimeZone) -> String {
    let plan = account.quota.as_ref().and_then(|quota| quota.plan.as_deref()).or(account.plan.as_deref());
    let mark = if account.active { ", pays" } else { "" };
    let mut lines = vec![match plan {
        Some(plan) => format!("{} ({}, {plan}{mark})", account.name(), account.kind),
        None => format!("{} ({}{mark})", account.name(), account.kind),
    }];
    match &account.quota {
        Some(quota) => lines.extend(figures(quota, now, zone)),
        None if account.has_figures() => lines.push("  nothing seen yet".to_owned()),
        None => {}
    }
    if !account.has_figures() {
        lines.push(format!("  {NO_FIGURES}"));
    }
    lines.join("\n")
}

fn figures(quota: &Quota, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let rows: Vec<_> = quota.windows.iter().map(|window| row(window, now, zone)).collect();
    let mut lines: Vec<String> = table(&rows).lines().map(|line| format!("  {line}")).collect();
    match &quota.credits {
        Some(credits) if credits.unlimited => lines.push("  credits: unlimited".to_owned()),
        Some(credits) if credits.has_credits => {
            lines.push(format!("  credits: {}", credits.balance.as_deref().unwrap_or("some")));
        }
        _ => {}
    }
    if let Some(count) = quota.reset_credits.filter(|count| *count > 0) {
        lines.push(format!("  reset credits: {count}"));
    }
    lines.push(format!("  seen {}", age(now.duration_since(quota.seen_at))));
    lines
}

/// Name, bar, percentage, reset, forecast.
fn row(window: &Window, now: Timestamp, zone: &TimeZone) -> [String; 5] {
    let name = match &window.title {
        Some(title) if window.family != codeferry_accounts::quota::MAIN => {
            format!("{title}, {}", window_name(window.minutes))
        }
        _ => window_name(window.minutes),
    };
    let resets = window
        .resets_at
        .filter(|at| *at > now)
        .map(|at| format!("resets in {} ({})", length(at.duration_since(now)), clock(at, now, zone)));
    let forecast = window.forecast.map(|at| format!("at this pace empty at {}", clock(at, now, zone)));
    // Rounded down: what is shown as 100 % is used up.
    let used = format!("{:.0}% used", window.used_percent.floor());
    [name, bar(window.used_percent), used, resets.unwrap_or_default(), forecast.unwrap_or_default()]
}

/// `[#####---------------]`. Anything used shows, and so does anything left.
fn bar(percent: f64) -> String {
    let share = (percent / 100.0).clamp(0.0, 1.0) * WIDTH as f64;
    let full = match share {
        share if share > 0.0 && share < 1.0 => 1,
        share => share.floor() as usize,
    };
    format!("[{}{}]", "#".repeat(full), "-".repeat(WIDTH - full))
}

/// The two largest units, rounded down.
fn length(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn age(age: SignedDuration) -> String {
    match age.as_mins() {
        ..1 => "just now".to_owned(),
        _ => format!("{} ago", length(age)),
    }
}

/// A line for each credit.
pub(super) fn credits(found: &ResetCredits, now: Timestamp, zone: &TimeZone) -> String {
    let rows: Vec<_> = found
        .credits
        .iter()
        .map(|credit| {
            let expires = credit.expires_at.map(|at| format!("until {}", clock(at, now, zone)));
            let title = credit.title.clone().or(credit.reset_type.clone()).unwrap_or_default();
            [credit.id.clone(), credit.status.clone().unwrap_or_default(), title, expires.unwrap_or_default()]
        })
        .collect();
    table(&rows)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::{age, all, bar, length};
    use crate::guest::Listed;

    #[test]
    fn an_account_is_a_paragraph() {
        let account = |text: &str| serde_json::from_str::<Listed>(text).unwrap();
        let accounts = [
            account(
                r#"{"id":"acc_0123456789abcdef","kind":"codex","email":"a@example.com","label":"work","plan":"plus","active":true,
                "ephemeral":false,"state":"ready","expires_at":null,"last_refresh":null,
                "quota":{"windows":[
                    {"minutes":300,"family":"codex","title":null,"used_percent":62.9,"resets_at":"2026-11-20T16:40:00Z",
                     "seen_at":"2026-11-20T13:57:00Z","forecast":"2026-11-20T15:10:00Z"},
                    {"minutes":10080,"family":"codex","title":null,"used_percent":100.0,"resets_at":"2026-11-24T01:00:00Z",
                     "seen_at":"2026-11-20T13:57:00Z","forecast":null},
                    {"minutes":60,"family":"codex_other","title":"Reviews","used_percent":0.2,"resets_at":null,
                     "seen_at":"2026-11-20T13:57:00Z","forecast":null}],
                  "credits":{"has_credits":true,"unlimited":false,"balance":"12.50"},"plan":"pro","reset_credits":2,
                  "seen_at":"2026-11-20T13:57:00Z"}}"#,
            ),
            account(
                r#"{"id":"acc_1111111111111111","kind":"codex","email":null,"label":null,"plan":null,"active":false,
                "ephemeral":false,"state":"ready","expires_at":null,"last_refresh":null}"#,
            ),
            account(
                r#"{"id":"acc_fedcba9876543210","kind":"plan","email":"b@example.com","label":null,"plan":"plus","active":false,
                "ephemeral":false,"state":"ready","expires_at":null,"last_refresh":null}"#,
            ),
        ];
        insta::assert_snapshot!(all(&accounts, "2026-11-20T14:00:00Z".parse().unwrap(), &TimeZone::UTC));
    }

    #[test]
    fn a_bar_hides_neither_a_little_nor_the_last_bit() {
        assert_eq!(bar(0.0), "[--------------------]");
        assert_eq!(bar(0.1), "[#-------------------]");
        assert_eq!(bar(50.0), "[##########----------]");
        assert_eq!(bar(99.9), "[###################-]");
        assert_eq!(bar(140.0), "[####################]");
    }

    #[test]
    fn lengths_have_two_units() {
        let words = |seconds| length(SignedDuration::from_secs(seconds));
        assert_eq!([59, 60, 9_000, 300_000].map(words), ["less than a minute", "1 min", "2 h 30 min", "3 d 11 h"]);
        assert_eq!(age(SignedDuration::from_secs(-3)), "just now", "clocks differ");
        assert_eq!(age(SignedDuration::from_secs(180)), "3 min ago");
    }
}
