//! Which notifications are due. Pure: what was so, what is so, and what was said already.

use codeferry_app::NotifyAbout;

use super::Notice;
use super::facts::{Account, Facts};
use super::said::Said;
use super::words::{self, Moment};

/// The levels of a window that are told, in percent used.
const LEVELS: [u8; 2] = [95, 80];

/// What is to be told now, and remembered as said.
///
/// Of an account that was not there before nothing is told: what was so already when we began to look, or when somebody
/// signed in, is shown and not announced. It is remembered all the same, also where its switch is off.
pub(crate) fn due(
    before: &Facts,
    after: &Facts,
    said: &mut Said,
    about: NotifyAbout,
    moment: Moment<'_>,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    for account in after.accounts.iter().flatten() {
        let known = before.account(&account.id).is_some();
        let of_account = of_account(account, said, about, moment);
        notices.extend(of_account.into_iter().filter(|_| known));
    }
    if let Some(change) = after.failover.as_ref().filter(|change| before.failover.as_ref() != Some(*change)) {
        let name = |id: &str| after.account(id).map_or_else(|| "An account".to_owned(), |account| account.name.clone());
        if said.failover(&change.from, &change.to, change.until, moment.now) && about.failover {
            notices.push(words::failover(&name(&change.from), &name(&change.to), change, moment));
        }
    }
    if let Some(version) = &after.update
        && said.update(version)
        && about.update
    {
        notices.push(words::update(version));
    }
    if said.port(after.port_taken) && about.port {
        notices.extend(after.port_taken.map(words::port));
    }
    for drift in after.drifted.iter().flatten() {
        if said.drift(&drift.place(), &drift.what) && about.client_changed {
            notices.push(words::drift(drift));
        }
    }
    if let Some(drifted) = &after.drifted {
        said.undrifted(drifted);
    }
    if let Some(accounts) = &after.accounts {
        said.prune(accounts, moment.now);
    }
    notices
}

fn of_account(account: &Account, said: &mut Said, about: NotifyAbout, moment: Moment<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    match &account.needs_sign_in {
        Some(why) => {
            if said.sign_in(&account.id) && about.sign_in {
                notices.push(words::sign_in(account, why));
            }
        }
        None => said.signed_in(&account.id),
    }
    match account.used_up {
        Some(until) => {
            if said.used_up(account, until, moment.now) && about.limit {
                notices.push(words::used_up(account, until, moment));
            }
        }
        None => said.usable(&account.id, moment.now),
    }
    for window in &account.windows {
        let Some(level) = LEVELS.into_iter().find(|level| window.used_percent >= f64::from(*level)) else {
            said.below(&account.id, window);
            continue;
        };
        let news = said.level(&account.id, window, level, moment.now);
        // That it is used up says more.
        let less = account.used_up.is_some() && window.is_main();
        if news && !less && about.window {
            notices.push(words::window(account, window, moment));
        }
    }
    notices
}

#[cfg(test)]
mod tests;
