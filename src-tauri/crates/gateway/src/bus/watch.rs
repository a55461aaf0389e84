//! What is not published where it happens: seen from outside, and told.
//!
//! Works only while somebody listens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountId, AccountStatus, Quota};
use codeferry_store::Value;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::Topic;
use crate::Gateway;
use crate::log_lines::{LogLevel, LogLine};

/// The status and the accounts are told no more often than this.
const APART: Duration = Duration::from_millis(500);

/// `quota`
#[derive(Serialize)]
struct QuotaOf<'a> {
    id: &'a AccountId,
    quota: Option<&'a Quota>,
}

/// `settings`: those that were changed.
#[derive(Serialize)]
struct Changed {
    changed: Vec<Setting>,
}

#[derive(Serialize)]
struct Setting {
    key: String,
    /// `None` for an alias that is gone.
    value: Option<Value>,
    set: bool,
}

/// What was told last.
struct Known {
    quotas: BTreeMap<AccountId, Option<Quota>>,
    settings: BTreeMap<String, (Value, bool)>,
}

/// Watches until the gateway stops.
pub(crate) async fn watch(gateway: Arc<Gateway>) {
    let mut readers = gateway.bus.readers.subscribe();
    loop {
        tokio::select! {
            found = readers.wait_for(|readers| *readers > 0) => if found.is_err() { return },
            () = gateway.stopping.cancelled() => return,
        }
        tokio::select! {
            () = tell(&gateway) => {}
            () = gateway.stopping.cancelled() => return,
        }
    }
}

/// Tells what happens until nobody has listened for a while.
async fn tell(gateway: &Gateway) {
    let bus = &*gateway.bus;
    let (mut accounts, mut settings) = (gateway.pool.subscribe(), gateway.settings.subscribe());
    let (_, mut lines) = gateway.log_lines.follow(0, LogLevel::Info);
    let mut known = Known { quotas: quotas(&gateway.pool.list()), settings: chosen(gateway) };
    bus.awake.send_replace(true);
    // The accounts, and the status that shows them.
    let (mut changed, mut due, mut told) = (false, false, Instant::now());
    loop {
        tokio::select! {
            () = bus.deserted() => if bus.rest() { return },
            news = accounts.changed() => {
                if news.is_err() { return }
                (changed, due) = (true, true);
            }
            news = settings.changed() => {
                if news.is_err() { return }
                tell_settings(gateway, &mut known);
            }
            () = bus.stirred.notified() => due = true,
            line = lines.recv() => match line {
                Ok(line) => tell_line(gateway, &line),
                // Who follows the log has a gap in it, and looks at what is kept of it.
                Err(RecvError::Lagged(_)) => bus.missed(Topic::Log),
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep_until(told + APART), if due => {
                if std::mem::take(&mut changed) {
                    tell_accounts(gateway, &mut known);
                }
                (due, told) = (false, Instant::now());
                bus.publish(Topic::Status, "status", || gateway.status());
            }
        }
    }
}

fn tell_accounts(gateway: &Gateway, known: &mut Known) {
    let list = gateway.pool.list();
    let quotas = quotas(&list);
    for account in &list {
        if quotas.get(&account.id) != known.quotas.get(&account.id) {
            let quota = QuotaOf { id: &account.id, quota: account.quota.as_ref() };
            gateway.bus.publish(Topic::Quota, "quota", || quota);
        }
    }
    known.quotas = quotas;
    gateway.bus.publish(Topic::Accounts, "accounts", || crate::control::accounts::List::of(gateway, list));
}

/// What is known of the plans, without what changes by itself.
fn quotas(list: &[AccountStatus]) -> BTreeMap<AccountId, Option<Quota>> {
    let still = |account: &AccountStatus| {
        let mut quota = account.quota.clone();
        quota.iter_mut().flat_map(|quota| &mut quota.windows).for_each(|window| window.forecast = None);
        (account.id.clone(), quota)
    };
    list.iter().map(still).collect()
}

fn tell_settings(gateway: &Gateway, known: &mut Known) {
    let now = chosen(gateway);
    let gone = known.settings.keys().filter(|key| !now.contains_key(*key));
    let mut changed: Vec<_> = gone.map(|key| Setting { key: key.clone(), value: None, set: false }).collect();
    let news = now.iter().filter(|(key, value)| known.settings.get(*key) != Some(*value));
    changed.extend(news.map(|(key, (value, set))| Setting { key: key.clone(), value: Some(value.clone()), set: *set }));
    known.settings = now;
    gateway.bus.publish(Topic::Settings, "settings", || Changed { changed });
}

/// All settings, and whether they are more than the default.
fn chosen(gateway: &Gateway) -> BTreeMap<String, (Value, bool)> {
    let all = gateway.settings.list().into_iter();
    all.map(|listed| (listed.key, (listed.value, listed.set))).collect()
}

fn tell_line(gateway: &Gateway, line: &LogLine) {
    if line.level <= LogLevel::Info {
        gateway.bus.publish(Topic::Log, "log", || line);
    }
}
