//! The sentences of notifications. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Notice;
use super::facts::{Account, Drift, Failover, Window};
use crate::deep_link::Link;
use crate::screen::Screen;

/// When it is said, and where the person lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
}

pub(super) fn sign_in(account: &Account, why: &str) -> Notice {
    Notice {
        title: format!("{} needs you to sign in again", account.name),
        body: format!("{} Click to sign in.", sentence(why)),
        link: Link::to(Screen::Accounts, Some(&account.id)),
    }
}

pub(super) fn window(account: &Account, window: &Window, moment: Moment<'_>) -> Notice {
    // Never "0 % left" of what is not used up.
    let left = (100.0 - window.used_percent).floor().max(1.0);
    let (name, of) = (&account.name, whose(window));
    Notice {
        title: format!("{name} is running low"),
        body: match window.resets_at.map(|at| moment.clock(at)) {
            Some(back) => format!("{name} has {left:.0} % of {of} left, back at {back}."),
            None => format!("{name} has {left:.0} % of {of} left."),
        },
        link: Link::to(Screen::Accounts, Some(&account.id)),
    }
}

pub(super) fn used_up(account: &Account, until: Option<Timestamp>, moment: Moment<'_>) -> Notice {
    let full = account.windows.iter().filter(|window| window.is_main() && window.used_percent >= 99.0);
    // The one that stays closed longest is the one that counts.
    let full = full.max_by_key(|window| window.resets_at.map_or(Timestamp::MAX, |at| at));
    let what = full.map_or_else(
        || "its plan's limit is reached".to_owned(),
        |window| {
            let (_, plural) = name(window.minutes);
            if plural { format!("{} are used up", whose(window)) } else { format!("{} is used up", whose(window)) }
        },
    );
    let told = until.map_or_else(|| what.clone(), |at| format!("{what}, back at {}", moment.clock(at)));
    Notice {
        title: format!("{} is used up", account.name),
        body: sentence(&told),
        link: Link::to(Screen::Accounts, Some(&account.id)),
    }
}

pub(super) fn failover(from: &str, to: &str, change: &Failover, moment: Moment<'_>) -> Notice {
    let back = change.until.map(|at| format!(" {from} is back at {}.", moment.clock(at))).unwrap_or_default();
    let pays = format!("{to} pays now.");
    Notice {
        title: format!("{to} has taken over from {from}"),
        body: format!("{} {pays}{}", sentence(&change.why), if told(&change.why) { "" } else { &back }),
        link: Link::to(Screen::Accounts, Some(&change.to)),
    }
}

pub(super) fn update(version: &str) -> Notice {
    Notice {
        title: format!("Codeferry {version} is there"),
        body: "Click to see what is new. It is installed when you choose “Restart to update”.".to_owned(),
        link: Link::to(Screen::Settings, None),
    }
}

pub(super) fn drift(drift: &Drift) -> Notice {
    // Whoever wants all of it clicks.
    let what = match drift.what.as_slice() {
        [] => "its settings".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    Notice {
        title: format!("{} is not set up as it was", drift.name),
        body: format!("Changed since: {what}. Click to see the difference, and to set it up again or keep it so."),
        link: Link::to(Screen::Clients, Some(&drift.client)),
    }
}

pub(super) fn port(port: u16) -> Notice {
    Notice {
        title: format!("Port {port} is taken"),
        body: "Another program listens there, so your clients are not served. Click to choose what to do.".to_owned(),
        link: Link::to(Screen::Overview, None),
    }
}

/// Whether the reason says itself when that is over.
fn told(why: &str) -> bool {
    why.contains("resets at")
}

/// A text as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    // A name stays as it is: an address, a setting, a path.
    let name = text.trim().split(' ').next().is_some_and(|word| word.contains(['@', '.', '/', '_']));
    let text = if name { text.trim().to_owned() } else { first + chars.as_str() };
    let ends = text.ends_with(['.', '!', '?']);
    if ends { text } else { text + "." }
}

/// `its five hours`, or `its week for gpt-6-astra`.
fn whose(window: &Window) -> String {
    let (length, _) = name(window.minutes);
    match &window.title {
        Some(title) if !window.is_main() => format!("its {length} for {title}"),
        _ => format!("its {length}"),
    }
}

/// What a window is called by its length, and whether that is a plural.
fn name(minutes: u32) -> (String, bool) {
    const SMALL: [&str; 12] =
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"];
    let count = |n: u32, unit: &str| match n {
        1 => (unit.to_owned(), false),
        n => {
            let word = usize::try_from(n).ok().and_then(|n| SMALL.get(n - 2));
            (format!("{} {unit}s", word.map_or_else(|| n.to_string(), |word| (*word).to_owned())), true)
        }
    };
    match minutes {
        10_080 => ("week".to_owned(), false),
        40_320..=44_640 => ("month".to_owned(), false),
        _ if minutes.is_multiple_of(1440) => count(minutes / 1440, "day"),
        _ if minutes.is_multiple_of(60) => count(minutes / 60, "hour"),
        _ => count(minutes, "minute"),
    }
}

// === impl Moment ===

impl Moment<'_> {
    /// `14:20`, and the day where it is another one.
    fn clock(&self, at: Timestamp) -> String {
        let (there, here) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let form = if there.date() == here.date() { "%H:%M" } else { "%H:%M on %a %-d %b" };
        there.strftime(form).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_text_becomes_a_sentence() {
        for (text, whole) in [
            ("usage limit reached", "Usage limit reached."),
            ("work@example.com is out. Sign in", "work@example.com is out. Sign in."),
            ("desktop.updates is false", "desktop.updates is false."),
            ("/home/x cannot be read", "/home/x cannot be read."),
            ("Why?", "Why?"),
            (" über alles ", "Über alles."),
        ] {
            assert_eq!(sentence(text), whole);
            assert_eq!(sentence(whole), whole, "once is enough");
        }
    }
}
