//! How it stands, in a sentence, in a picture, and in the few letters beside the icon.

use codeferry_app::{AccountState, AccountStatus, Cooldown, Rotation, TrayTitle, TroubleKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::snapshot::{Gateway, Known, Running, Snapshot};
use super::words::{forecast, moment, percent, short_and_long, shortened, whole, windows};

/// Whether a request that names no account would be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Ready,
    /// Nobody has looked yet.
    Unread,
    /// The vault cannot be read.
    Unreadable,
    NoAccount,
    /// There are accounts, and none was chosen to pay.
    NoneChosen,
    NeedsSignIn,
    Paused,
    /// Until then; `None`: until somebody ends it.
    Resting(Option<Timestamp>, Cooldown),
}

/// What the icon is to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) shape: Shape,
    /// Nothing runs.
    pub(crate) faint: bool,
    /// How much of the short and of the long window is used, in percent.
    pub(crate) bars: Option<[Option<u8>; 2]>,
}

/// Which of the drawings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Idle,
    /// A request is under way.
    Active,
    /// A window is nearly used up, or somebody is wanted.
    Warn,
    /// No account can answer, or the gateway does not run though it should.
    Error,
}

/// From here on a window is nearly used up.
const HIGH: f64 = 90.0;
/// The longest reason that fits into a line of the menu.
const LONGEST: usize = 64;

/// The first line of the menu.
pub(crate) fn line(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone) -> String {
    let mark = match &snapshot.gateway {
        Gateway::Running(running) => match health(running) {
            Health::Ready => "●",
            Health::Unread => "○",
            _ => "▲",
        },
        Gateway::Starting | Gateway::Stopping | Gateway::Stopped => "○",
        Gateway::Failed(_) => "✕",
    };
    format!("{mark} {}", sentence(snapshot, now, zone))
}

/// The same without a picture, for who points at the icon.
pub(crate) fn tooltip(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone) -> String {
    format!("Codeferry · {}", sentence(snapshot, now, zone))
}

fn sentence(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone) -> String {
    match &snapshot.gateway {
        Gateway::Starting => "Starting…".to_owned(),
        Gateway::Stopping => "Stopping · answers under way may finish".to_owned(),
        Gateway::Stopped => "Stopped".to_owned(),
        Gateway::Failed(trouble) => {
            let why = match &trouble.kind {
                TroubleKind::PortTaken { port } => format!("port {port} is taken"),
                TroubleKind::OtherOwner { url: Some(url), .. } => {
                    format!("another Codeferry serves at {}", address(url))
                }
                TroubleKind::OtherOwner { url: None, .. } => "another Codeferry has its data".to_owned(),
                TroubleKind::Broken => "it broke off, and starts again".to_owned(),
                TroubleKind::Other => shortened(&trouble.message, LONGEST),
            };
            format!("Not running · {why}")
        }
        Gateway::Running(running) => {
            let state = match health(running) {
                Health::Ready => "Running".to_owned(),
                Health::Unread => "Reading the accounts…".to_owned(),
                Health::Unreadable => "Accounts cannot be read".to_owned(),
                Health::NoAccount => "No account yet".to_owned(),
                Health::NoneChosen => "No account chosen".to_owned(),
                Health::NeedsSignIn => "Needs sign-in".to_owned(),
                Health::Paused => "Paused".to_owned(),
                Health::Resting(Some(until), why) => rest(until, why, now, zone),
                Health::Resting(None, why) => format!("Resting: {why}"),
            };
            let demo = if running.demo { " · demo" } else { "" };
            let capture = running.capture_until.filter(|until| *until > now);
            let capture = capture.map(|until| format!(" · capturing until {}", moment(until, now, zone)));
            format!("{state} · {}{demo}{}", address(&running.url), capture.unwrap_or_default())
        }
    }
}

/// Until when an account rests, and whether its plan is why.
pub(super) fn rest(until: Timestamp, why: Cooldown, now: Timestamp, zone: &TimeZone) -> String {
    let rests = if why == Cooldown::UsageLimit { "Used up" } else { "Cooling down" };
    format!("{rests} until {}", moment(until, now, zone))
}

/// What stands beside the icon. `None`: nothing.
pub(crate) fn title(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone) -> Option<String> {
    let Gateway::Running(running) = &snapshot.gateway else { return None };
    if running.title == TrayTitle::Off {
        return None;
    }
    if let Health::Resting(Some(until), _) = health(running) {
        return Some(format!("back {}", moment(until, now, zone)));
    }
    let (short, long) = short_and_long(running.active()?);
    let (short, long) = (short.map(|window| window.used_percent), long.map(|window| window.used_percent));
    match running.title {
        TrayTitle::Off => None,
        TrayTitle::FiveHours => short.map(percent),
        TrayTitle::Week => long.map(percent),
        TrayTitle::Both => {
            let both: Vec<_> = [short, long].into_iter().flatten().map(percent).collect();
            (!both.is_empty()).then(|| both.join(" · "))
        }
        TrayTitle::Worst => [short, long].into_iter().flatten().max_by(f64::total_cmp).map(percent),
    }
}

/// What the icon looks like.
pub(crate) fn picture(snapshot: &Snapshot) -> Picture {
    match &snapshot.gateway {
        Gateway::Starting | Gateway::Stopping | Gateway::Stopped => {
            Picture { shape: Shape::Idle, faint: true, bars: None }
        }
        Gateway::Failed(_) => Picture { shape: Shape::Error, faint: false, bars: None },
        Gateway::Running(running) => {
            let shape = match health(running) {
                Health::Ready if is_high(running) => Shape::Warn,
                Health::Ready if running.busy => Shape::Active,
                Health::Ready | Health::Unread => Shape::Idle,
                // These are for a person to change, and nothing is broken.
                Health::NoAccount | Health::Paused => Shape::Warn,
                Health::Unreadable | Health::NoneChosen | Health::NeedsSignIn | Health::Resting(..) => Shape::Error,
            };
            let bars = || {
                let (short, long) = short_and_long(running.active()?);
                let used = |window: &codeferry_app::QuotaWindow| whole(window.used_percent);
                (short.is_some() || long.is_some()).then(|| [short.map(used), long.map(used)])
            };
            Picture { shape, faint: false, bars: running.bars.then(bars).flatten() }
        }
    }
}

/// When something of all this changes because time has passed. `None`: never.
pub(crate) fn next_change(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let Gateway::Running(running) = &snapshot.gateway else { return None };
    let rests = running.accounts.iter().filter_map(|account| match account.state {
        AccountState::CoolingDown { until, .. } => Some(until),
        _ => None,
    });
    let resets = running.accounts.iter().flat_map(|account| windows(account.quota.as_ref()));
    let resets = resets.flat_map(|window| [window.resets_at, forecast(window)]).flatten();
    let mut moments: Vec<_> = rests.chain(resets).chain(running.capture_until).filter(|at| *at > now).collect();
    let midnight = now.to_zoned(zone.clone()).tomorrow().and_then(|day| day.start_of_day()).ok()?.timestamp();
    // A moment of another day is named with its day, until that begins.
    if moments.iter().any(|at| *at >= midnight) {
        moments.push(midnight);
    }
    moments.into_iter().min()
}

/// Whether every account that could answer now is nearly used up.
fn is_high(running: &Running) -> bool {
    let high =
        |account: &AccountStatus| windows(account.quota.as_ref()).into_iter().any(|window| window.used_percent >= HIGH);
    let mut usable = candidates(running).into_iter().filter(|account| is_usable(account)).peekable();
    usable.peek().is_some() && usable.all(high)
}

fn health(running: &Running) -> Health {
    match running.known {
        Known::Yes => {}
        Known::NotYet => return Health::Unread,
        Known::Never => return Health::Unreadable,
    }
    if running.paying().next().is_none() {
        // Whoever has only accounts that are asked for by name can be served by those.
        return if running.accounts.is_empty() { Health::NoAccount } else { Health::Ready };
    }
    let candidates = candidates(running);
    if candidates.is_empty() {
        return Health::NoneChosen;
    }
    if candidates.iter().any(|account| is_usable(account)) {
        return Health::Ready;
    }
    let wanted = || candidates.iter().filter(|account| !account.paused);
    let rests = wanted().filter_map(|account| match account.state {
        AccountState::CoolingDown { until, why } => Some((until, why)),
        _ => None,
    });
    if let Some((until, why)) = rests.min_by_key(|(until, _)| *until) {
        return Health::Resting(Some(until), why);
    }
    let blocked = wanted().find_map(|account| match account.state {
        AccountState::Blocked { why } => Some(why),
        _ => None,
    });
    match blocked {
        Some(why) => Health::Resting(None, why),
        None if wanted().next().is_some() => Health::NeedsSignIn,
        None => Health::Paused,
    }
}

/// Those whose turn it could be.
fn candidates(running: &Running) -> Vec<&AccountStatus> {
    let personal = running.rotation == Rotation::Personal;
    running.paying().filter(|account| account.active || !personal).collect()
}

fn is_usable(account: &AccountStatus) -> bool {
    !account.paused && account.state == AccountState::Ready
}

/// An address without what is the same in all of them.
pub(super) fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/')
}
