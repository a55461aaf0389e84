//! What is left of a plan: rate-limit windows as they were last seen, and how long they last at this pace.
//!
//! Pure: what was seen and when are arguments. A [`Ledger`] holds one account's windows; ledgers of two processes merge
//! without regard to order.
//!
//! **Invariant:** a window is known by its family and its length, never by its position in an answer
//! (`codex-backend.md §4`: on free plans the week comes first). One without a length is none.

mod record;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::record::Record;

/// What one answer, event or page told about an account's limits. Everything may be absent: then it told nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WindowsSeen {
    pub windows: Vec<WindowSeen>,
    /// The plan, as the upstream calls it.
    pub plan: Option<String>,
    /// Credits beyond the plan.
    pub credits: Option<Credits>,
    /// How many resets the account may ask for.
    pub reset_credits: Option<u32>,
    /// The limit that is reached, if one is.
    pub reached: Option<String>,
}

/// One window in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSeen {
    /// [`MAIN`], or the id of a limit of its own.
    pub family: String,
    /// The family's display name.
    pub title: Option<String>,
    /// The length. 0 is no window.
    pub minutes: u32,
    /// 0 to 100, or beyond.
    pub used_percent: f64,
    pub resets_at: Option<Timestamp>,
}

/// Bought credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    pub has_credits: bool,
    pub unlimited: bool,
    /// As the upstream writes it.
    pub balance: Option<String>,
}

/// What is known of an account's limits, ready to be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quota {
    /// The main family first, the shortest first within each.
    pub windows: Vec<QuotaWindow>,
    pub credits: Option<Credits>,
    pub plan: Option<String>,
    pub reset_credits: Option<u32>,
    /// When something of it was last seen.
    pub seen_at: Timestamp,
}

/// One window, as of now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuotaWindow {
    pub minutes: u32,
    pub family: String,
    pub title: Option<String>,
    /// As last seen; 0 once the window has begun anew, until it is seen again.
    pub used_percent: f64,
    /// When it begins anew. `None`: not said, or the moment has passed.
    pub resets_at: Option<Timestamp>,
    /// How old this is.
    pub seen_at: Timestamp,
    /// When it is empty at the pace of late. `None`: not before it begins anew, or the pace is not known.
    pub forecast: Option<Timestamp>,
}

/// All that was seen of one account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Ledger {
    windows: BTreeMap<(String, u32), Record>,
    credits: Option<Dated<Credits>>,
    plan: Option<Dated<String>>,
    reset_credits: Option<Dated<u32>>,
}

/// A fact and when it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Dated<T> {
    seen_at: Timestamp,
    value: T,
}

/// A [`Ledger`] as JSON: keys of pairs are no keys there.
#[derive(Serialize, Deserialize)]
struct Written {
    windows: Vec<WrittenWindow>,
    credits: Option<Dated<Credits>>,
    plan: Option<Dated<String>>,
    #[serde(default)]
    reset_credits: Option<Dated<u32>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenWindow {
    family: String,
    minutes: u32,
    #[serde(flatten)]
    record: Record,
}

/// The family every account has.
pub const MAIN: &str = "codex";
/// A percentage lags behind a refusal at times, so this much used is no evidence that there is anything left.
const NO_EVIDENCE: f64 = 99.0;

// === impl WindowsSeen ===

impl WindowsSeen {
    /// Whether this shows that the account can be used again: the main windows are there, and none is used up.
    pub fn is_evidence_of_quota(&self) -> bool {
        let mut main = self.windows.iter().filter(|seen| seen.family == MAIN && seen.is_sound()).peekable();
        self.reached.is_none() && main.peek().is_some() && main.all(|seen| seen.used_percent < NO_EVIDENCE)
    }
}

// === impl WindowSeen ===

impl WindowSeen {
    fn is_sound(&self) -> bool {
        self.minutes > 0 && self.used_percent.is_finite()
    }
}

// === impl Ledger ===

impl Ledger {
    /// Take in what was seen at that moment. What is older than what is known changes nothing.
    pub fn note(&mut self, seen: &WindowsSeen, at: Timestamp) {
        for window in seen.windows.iter().filter(|window| window.is_sound()) {
            match self.windows.get_mut(&(window.family.clone(), window.minutes)) {
                Some(record) => record.note(window, at),
                None => {
                    self.windows.insert((window.family.clone(), window.minutes), Record::new(window, at));
                }
            }
        }
        keep_newer(&mut self.plan, seen.plan.clone().map(|value| Dated { seen_at: at, value }));
        keep_newer(&mut self.credits, seen.credits.clone().map(|value| Dated { seen_at: at, value }));
        keep_newer(&mut self.reset_credits, seen.reset_credits.map(|value| Dated { seen_at: at, value }));
    }

    /// Take in what another process has seen.
    pub fn merge(&mut self, other: &Self) {
        for (key, theirs) in &other.windows {
            match self.windows.get_mut(key) {
                Some(ours) => ours.merge(theirs),
                None => {
                    self.windows.insert(key.clone(), theirs.clone());
                }
            }
        }
        keep_newer(&mut self.plan, other.plan.clone());
        keep_newer(&mut self.credits, other.credits.clone());
        keep_newer(&mut self.reset_credits, other.reset_credits.clone());
    }

    /// What there is to show. `None`: nothing was ever seen.
    pub fn view(&self, now: Timestamp) -> Option<Quota> {
        let mut windows: Vec<_> =
            self.windows.iter().map(|((family, minutes), record)| record.view(family, *minutes, now)).collect();
        windows.sort_by_key(|window| window.family != MAIN);
        Some(Quota {
            windows,
            credits: self.credits.as_ref().map(|dated| dated.value.clone()),
            plan: self.plan.as_ref().map(|dated| dated.value.clone()),
            reset_credits: self.reset_credits.as_ref().map(|dated| dated.value),
            seen_at: self.seen_at()?,
        })
    }

    /// When the main window that is used up begins anew; the one that stays closed longest, if there are several.
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let main = self.windows.iter().filter(|((family, _), _)| family == MAIN);
        main.filter_map(|((_, minutes), record)| {
            let window = record.view(MAIN, *minutes, now);
            window.resets_at.filter(|_| window.used_percent >= 100.0)
        })
        .max()
    }

    /// When something was last seen.
    pub fn seen_at(&self) -> Option<Timestamp> {
        let facts = [
            self.plan.as_ref().map(|dated| dated.seen_at),
            self.credits.as_ref().map(|dated| dated.seen_at),
            self.reset_credits.as_ref().map(|dated| dated.seen_at),
        ];
        self.windows.values().map(|record| record.seen_at).chain(facts.into_iter().flatten()).max()
    }
}

/// A window's length in words, for sentences like "the weekly limit".
pub fn window_name(minutes: u32) -> String {
    const HOUR: u32 = 60;
    const DAY: u32 = 24 * HOUR;
    match minutes {
        DAY => "daily".to_owned(),
        10_080 => "weekly".to_owned(),
        40_320..=44_640 => "monthly".to_owned(),
        _ if minutes.is_multiple_of(DAY) => format!("{}-day", minutes / DAY),
        _ if minutes.is_multiple_of(HOUR) => format!("{}-hour", minutes / HOUR),
        _ => format!("{minutes}-minute"),
    }
}

/// Of two facts of one moment the order decides, so that merging has none.
fn keep_newer<T: Clone + std::fmt::Debug>(known: &mut Option<Dated<T>>, offered: Option<Dated<T>>) {
    let Some(offered) = offered else { return };
    let rank = |dated: &Dated<T>| (dated.seen_at, format!("{:?}", dated.value));
    if known.as_ref().is_none_or(|known| rank(known) < rank(&offered)) {
        *known = Some(offered);
    }
}

impl From<Written> for Ledger {
    fn from(written: Written) -> Self {
        let window = |written: WrittenWindow| ((written.family, written.minutes), written.record);
        let sound = |written: &WrittenWindow| written.minutes > 0 && written.record.used_percent.is_finite();
        Self {
            windows: written.windows.into_iter().filter(sound).map(window).collect(),
            credits: written.credits,
            plan: written.plan,
            reset_credits: written.reset_credits,
        }
    }
}

impl From<Ledger> for Written {
    fn from(ledger: Ledger) -> Self {
        let window = |((family, minutes), record)| WrittenWindow { family, minutes, record };
        Self {
            windows: ledger.windows.into_iter().map(window).collect(),
            credits: ledger.credits,
            plan: ledger.plan,
            reset_credits: ledger.reset_credits,
        }
    }
}

#[cfg(test)]
mod tests;
