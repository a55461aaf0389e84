//! What the menu says.
//!
//! **Invariant:** twelve lines at most, however many accounts there are; the rest opens from one of them.

mod account;
mod models;
#[cfg(test)]
mod tests;

use codeferry_app::setup::SeenClient;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::action::Action;
use super::menu::Entry;
use super::snapshot::{Gateway, Running, Snapshot};
use super::state;
use crate::screen::Screen;

/// Offered also where it was not found.
const USUAL: &str = "claude-code";
/// More lines nobody reads.
const LINES: usize = 12;

/// The menu. `now` and `zone` are those of the person who reads it.
pub(crate) fn view(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone) -> Vec<Entry> {
    let mut menu = vec![Entry::text("state", state::line(snapshot, now, zone)), switch(&snapshot.gateway)];
    let end = end(snapshot);
    if let Gateway::Running(running) = &snapshot.gateway {
        menu.push(action(&Action::CopyUrl, "Copy base URL"));
        let begin = menu.len();
        let tools = tools(running);
        let room = LINES.saturating_sub(begin + lines(&tools) + lines(&end));
        menu.push(Entry::separator("accounts"));
        menu.extend(accounts(running, room, now, zone));
        menu.extend(tools);
    }
    menu.extend(end);
    menu
}

/// Starting and stopping.
fn switch(gateway: &Gateway) -> Entry {
    match gateway {
        Gateway::Starting | Gateway::Running(_) => action(&Action::Stop, "Stop"),
        Gateway::Stopping => action(&Action::Start, "Start").enabled(false),
        Gateway::Stopped => action(&Action::Start, "Start"),
        Gateway::Failed(_) => action(&Action::Start, "Try again now"),
    }
}

/// The accounts in that many lines, and the way to another one.
fn accounts(running: &Running, room: usize, now: Timestamp, zone: &TimeZone) -> Vec<Entry> {
    let add = action(&Action::AddAccount, "Add account…");
    let mut all: Vec<_> = running.accounts.iter().collect();
    // Those that pay, in the order of their owner; then those that are asked for by name.
    all.sort_by_key(|account| account.named);
    let several = running.paying().count() > 1;
    let mut entries: Vec<_> =
        all.iter().map(|account| account::entry(account, several, running.demo, now, zone)).collect();
    if entries.len() < room {
        entries.push(add);
        return entries;
    }
    // Who pays is always to be seen.
    if let Some(active) = all.iter().position(|account| account.active) {
        let entry = entries.remove(active);
        entries.insert(0, entry);
        let account = all.remove(active);
        all.insert(0, account);
    }
    let shown = room.saturating_sub(1);
    let mut rest = entries.split_off(shown.min(entries.len()));
    let hidden = all.split_off(shown.min(all.len()));
    let label = account::several_more(&hidden);
    rest.extend([Entry::separator("add"), add]);
    entries.push(Entry::submenu("more-accounts", label, rest));
    entries
}

/// What is set up now and then.
fn tools(running: &Running) -> Vec<Entry> {
    let mut clients: Vec<_> =
        running.clients.iter().filter(|client| is_offered(client)).take(LINES - 1).map(client).collect();
    clients.push(action(&Action::Open(Some(Screen::Clients)), "All clients…"));
    vec![
        Entry::separator("tools"),
        models::entry(&running.roles, &running.models),
        Entry::submenu("clients", "Set up clients", clients),
    ]
}

/// Those that are there, and the one that most people have.
fn is_offered(client: &SeenClient) -> bool {
    client.ready || client.here || client.client == USUAL
}

/// A tick says that it comes here. A click leads to where it can be set up, and shows first what that would change.
fn client(client: &SeenClient) -> Entry {
    let label = match client.drifts.is_empty() {
        true => client.name.to_owned(),
        false => format!("{} (changed since)", client.name),
    };
    Entry::check(Action::Client(client.client.to_owned()).id(), label, client.here)
}

/// What is always there.
fn end(snapshot: &Snapshot) -> Vec<Entry> {
    let mut end = vec![Entry::separator("app")];
    if let Some(on) = snapshot.autostart {
        end.push(Entry::check(Action::Autostart.id(), "Start at login", on));
    }
    end.push(action(&Action::Open(None), "Open dashboard"));
    if matches!(snapshot.gateway, Gateway::Running(_)) {
        end.push(action(&Action::Open(Some(Screen::Settings)), "Settings…"));
    }
    if let Some(version) = &snapshot.update {
        end.push(action(&Action::Update, format!("Restart to update to {version}")));
    }
    end.extend([Entry::separator("end"), action(&Action::Quit, "Quit")]);
    end
}

fn action(action: &Action, label: impl Into<String>) -> Entry {
    Entry::new(action.id(), label)
}

fn lines(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.body != super::menu::Body::Separator).count()
}
