//! The line of an account, and what it opens.

use codeferry_app::{AccountState, AccountStatus, Kind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::action::{Action, Errand};
use super::super::menu::Entry;
use super::super::state::rest;
use super::super::words::{capital, forecast, moment, name, percent, shortened, small, window, windows};

/// The longest sentence that fits into a line.
const LONGEST: usize = 72;

/// The account in a line. `several` pay, so that it must be said which one does.
pub(super) fn entry(account: &AccountStatus, several: bool, demo: bool, now: Timestamp, zone: &TimeZone) -> Entry {
    let mark = match (several, account.named, account.active) {
        (true, false, true) => "● ",
        (true, false, false) => "○ ",
        _ => "",
    };
    let label = format!("{mark}{}\u{2003}{}", name(account), fares(account, demo, now, zone));
    Entry::submenu(format!("account:{}", account.id), label, opens(account, now, zone))
}

/// What stands for accounts that are not shown.
pub(super) fn several_more(accounts: &[&AccountStatus]) -> String {
    let more = match accounts.len() {
        1 => "1 more account".to_owned(),
        many => format!("{many} more accounts"),
    };
    match accounts.iter().filter(|account| needs_sign_in(account)).count() {
        0 => more,
        1 => format!("{more} · 1 needs sign-in"),
        some => format!("{more} · {some} need sign-in"),
    }
}

fn needs_sign_in(account: &AccountStatus) -> bool {
    matches!(account.state, AccountState::NeedsSignIn { .. })
}

/// How it fares, in a few words.
fn fares(account: &AccountStatus, demo: bool, now: Timestamp, zone: &TimeZone) -> String {
    match &account.state {
        AccountState::NeedsSignIn { .. } => "needs sign-in".to_owned(),
        _ if account.paused => "paused".to_owned(),
        AccountState::CoolingDown { until, why } => small(&rest(*until, *why, now, zone)),
        AccountState::Blocked { why } => format!("resting: {why}"),
        AccountState::Ready => {
            let windows: Vec<_> = windows(account.quota.as_ref())
                .into_iter()
                .map(|seen| format!("{} {}", window(seen.minutes), percent(seen.used_percent)))
                .collect();
            match (windows.is_empty(), &account.plan) {
                (false, _) => windows.join(" · "),
                (true, _) if account.named => "asked for by name".to_owned(),
                (true, _) if demo => "ready".to_owned(),
                (true, Some(plan)) => format!("ready · {plan}"),
                (true, None) => "ready".to_owned(),
            }
        }
    }
}

/// What is known of it, and what can be done.
fn opens(account: &AccountStatus, now: Timestamp, zone: &TimeZone) -> Vec<Entry> {
    let id = &account.id;
    let mut facts: Vec<String> = Vec::new();
    match &account.state {
        AccountState::NeedsSignIn { why } => facts.push(capital(&shortened(why, LONGEST))),
        AccountState::CoolingDown { why, .. } | AccountState::Blocked { why } => facts.push(capital(&why.to_string())),
        AccountState::Ready => {}
    }
    for seen in windows(account.quota.as_ref()) {
        let resets = seen.resets_at.map(|at| format!(" · resets {}", moment(at, now, zone)));
        let (length, used) = (window(seen.minutes), percent(seen.used_percent));
        facts.push(capital(&format!("{length}: {used} used{}", resets.unwrap_or_default())));
        let empty = forecast(seen).filter(|at| *at > now);
        facts.extend(empty.map(|at| format!("At this pace used up at {}", moment(at, now, zone))));
    }
    facts.extend(account.warning.as_deref().map(|warning| capital(&shortened(warning, LONGEST))));
    if account.named {
        facts.push(format!("Serves {}/MODEL alone", name(account)));
    }
    let mut entries: Vec<_> =
        facts.into_iter().enumerate().map(|(at, fact)| Entry::text(format!("account:{id}:fact:{at}"), fact)).collect();
    if !entries.is_empty() {
        entries.push(Entry::separator(format!("account:{id}:facts")));
    }

    let errand = |errand, label: &str| Entry::new(Action::Account(id.clone(), errand).id(), label);
    let signs_in =
        matches!(account.kind, Kind::Plan | Kind::Codex) && account.read_only.is_none() && !account.ephemeral;
    let sign_in = || errand(Errand::SignIn, "Sign in again…");
    if signs_in && needs_sign_in(account) {
        entries.push(sign_in());
    }
    if !account.named {
        let used = Action::Account(id.clone(), Errand::Use).id();
        entries.push(Entry::check(used, "Use this account", account.active));
    }
    entries.push(match account.paused {
        true => errand(Errand::Resume, "Resume"),
        false => errand(Errand::Pause, "Pause"),
    });
    if matches!(account.state, AccountState::CoolingDown { .. } | AccountState::Blocked { .. }) {
        entries.push(errand(Errand::Wake, "Use again at once"));
    }
    entries.push(errand(Errand::Test, "Test now"));
    if signs_in && !needs_sign_in(account) {
        entries.push(sign_in());
    }
    entries
}
