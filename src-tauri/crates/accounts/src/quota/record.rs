//! One window: what was last seen of it, and the way there.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{QuotaWindow, WindowSeen};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) title: Option<String>,
    pub(super) used_percent: f64,
    pub(super) resets_at: Option<Timestamp>,
    pub(super) seen_at: Timestamp,
    /// The way there, since the window began: oldest first, at a distance from one another.
    #[serde(default)]
    points: Vec<(Timestamp, f64)>,
}

/// More than the look-back holds at its spacing, with some to spare.
const MOST_POINTS: usize = 48;
/// A pace is that of the last fifth of a window: long enough to hold a pause, short enough to be of late.
const LOOK_BACK: i32 = 5;
/// One point for each 150th of a window: two minutes of five hours, an hour of a week.
const SPACING: i32 = 150;
/// A pace from less than a 60th of a window would be a guess: five minutes of five hours.
const LEAST: i32 = 60;
/// Percentages are rounded upstream; this much less is the same.
const ROUNDING: f64 = 1.0;

// === impl Record ===

impl Record {
    pub(super) fn new(seen: &WindowSeen, at: Timestamp) -> Self {
        // As fine as anybody shows it, and so that it reads back from the file as it was.
        let used_percent = (seen.used_percent.clamp(0.0, 1e6) * 100.0).round() / 100.0;
        Self {
            title: seen.title.clone(),
            used_percent,
            resets_at: seen.resets_at,
            seen_at: at,
            points: vec![(at, used_percent)],
        }
    }

    pub(super) fn note(&mut self, seen: &WindowSeen, at: Timestamp) {
        let new = Self::new(seen, at);
        if !new.outranks(self) {
            return;
        }
        let mut points = std::mem::take(&mut self.points);
        if self.began_anew(&new, seen.minutes) {
            points.clear();
        }
        let spacing = length(seen.minutes) / SPACING;
        if points.last().is_none_or(|(last, _)| at.duration_since(*last) >= spacing) {
            points.push((at, new.used_percent));
        }
        if points.len() > MOST_POINTS {
            points.drain(..points.len() - MOST_POINTS);
        }
        let (title, resets_at) = (new.title.or(self.title.take()), new.resets_at);
        *self = Self { title, resets_at, points, ..new };
    }

    /// The newer of the two, as a whole.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.outranks(self) {
            *self = other.clone();
        }
    }

    /// A total order: by the time, then by what is worse.
    fn outranks(&self, other: &Self) -> bool {
        let by_time = self.seen_at.cmp(&other.seen_at);
        let by_use = || self.used_percent.total_cmp(&other.used_percent);
        let by_rest = || {
            (self.points.len(), self.resets_at, &self.title).cmp(&(other.points.len(), other.resets_at, &other.title))
        };
        let by_way = || format!("{:?}", self.points).cmp(&format!("{:?}", other.points));
        by_time.then_with(by_use).then_with(by_rest).then_with(by_way).is_gt()
    }

    /// Whether the window began anew between what is known and what was seen: less is used, or it ends much later.
    fn began_anew(&self, new: &Self, minutes: u32) -> bool {
        let over = self.resets_at.is_some_and(|at| at <= new.seen_at);
        let later = match (self.resets_at, new.resets_at) {
            // A window that nothing was used of yet ends later by the minute.
            (Some(known), Some(seen)) => seen.duration_since(known) > length(minutes) / 10,
            _ => false,
        };
        over || later || new.used_percent + ROUNDING < self.used_percent
    }

    pub(super) fn view(&self, family: &str, minutes: u32, now: Timestamp) -> QuotaWindow {
        let over = self.resets_at.is_some_and(|at| at <= now);
        QuotaWindow {
            minutes,
            family: family.to_owned(),
            title: self.title.clone(),
            used_percent: if over { 0.0 } else { self.used_percent },
            resets_at: self.resets_at.filter(|_| !over),
            seen_at: self.seen_at,
            forecast: if over { None } else { self.forecast(minutes, now) },
        }
    }

    /// When nothing is left, if it goes on as of late. A pause counts: the pace is measured up to now.
    fn forecast(&self, minutes: u32, now: Timestamp) -> Option<Timestamp> {
        let left = 100.0 - self.used_percent;
        let begin = now.saturating_sub(length(minutes) / LOOK_BACK).ok()?;
        let (since, then) = *self.points.iter().find(|(at, _)| *at >= begin)?;
        let (elapsed, used) = (now.duration_since(since), self.used_percent - then);
        if left <= 0.0 || used <= 0.0 || elapsed < length(minutes) / LEAST {
            return None;
        }
        let seconds = elapsed.as_secs_f64() * left / used;
        let empty = now.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()?;
        // It begins anew before that.
        self.resets_at.is_none_or(|reset| empty < reset).then_some(empty)
    }
}

fn length(minutes: u32) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}
