//! What people were told already, in a small file: nobody is told twice, over restarts either.
//!
//! A window is known by account, family and length, and its run by when it ends. That moment is computed from an answer, so
//! it moves by seconds: two that lie closer than half the window's length are the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::facts::{Account, Drift, Window};

/// Everything that was said and still matters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    /// By account, then by window.
    windows: BTreeMap<String, BTreeMap<String, Run>>,
    /// Accounts of which it was said that they are used up, and until when.
    used_up: BTreeMap<String, Option<Timestamp>>,
    /// Accounts of which it was said that they need a sign-in.
    sign_in: Vec<String>,
    /// Who took over from whom, and until when that is no news.
    failover: BTreeMap<String, (String, Timestamp)>,
    /// What was said to differ, by client and place.
    drift: BTreeMap<String, Vec<String>>,
    /// The newest version that was spoken of.
    update: Option<String>,
    /// The port of which it was said that it is taken. Of this run only.
    #[serde(skip)]
    port: Option<u16>,
}

/// How far a window was said to be used while it ran.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Run {
    percent: u8,
    resets_at: Option<Timestamp>,
}

/// A level counts once more after the use has fallen so far below it, where no reset is known.
const FALLEN: f64 = 10.0;
/// The same change of accounts once more, sooner than this, is no news.
const SAME_FAILOVER: SignedDuration = SignedDuration::from_mins(30);
/// No window runs longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(35 * 24);

// === impl Said ===

impl Said {
    /// What the file says. One that cannot be read is as good as none: somebody is told once more.
    pub(crate) fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        codeferry_app::replace_file(path, &serde_json::to_vec(self)?)
    }

    /// Whether this level of a window is news, and remembers it.
    pub(crate) fn level(&mut self, account: &str, window: &Window, percent: u8, now: Timestamp) -> bool {
        let runs = self.windows.entry(account.to_owned()).or_default();
        let key = format!("{}/{}", window.family, window.minutes);
        let known = runs.get(&key).filter(|run| run.is_of(window, now)).map_or(0, |run| run.percent);
        if percent > known {
            runs.insert(key, Run { percent, resets_at: window.resets_at });
        }
        percent > known
    }

    /// A window is used less than any level. Where it names no reset, that ends what was said of it.
    pub(crate) fn below(&mut self, account: &str, window: &Window) {
        let Some(runs) = self.windows.get_mut(account).filter(|_| window.resets_at.is_none()) else { return };
        let key = format!("{}/{}", window.family, window.minutes);
        if runs.get(&key).is_some_and(|run| window.used_percent < f64::from(run.percent) - FALLEN) {
            runs.remove(&key);
        }
    }

    /// Whether it is news that this account is used up, and remembers it.
    pub(crate) fn used_up(&mut self, account: &Account, until: Option<Timestamp>, now: Timestamp) -> bool {
        let near = |known: Timestamp, new: Timestamp| known.duration_since(new).abs() < SignedDuration::from_hours(1);
        let same = self.used_up.get(&account.id).is_some_and(|known| match (known, until) {
            (Some(known), Some(new)) => *known > now && (near(*known, new) || new < *known),
            (None, _) => true,
            (Some(known), None) => *known > now,
        });
        if !same {
            self.used_up.insert(account.id.clone(), until);
        }
        !same
    }

    /// The account can be used.
    pub(crate) fn usable(&mut self, account: &str, now: Timestamp) {
        // While its time is not over, evidence may come and go.
        if self.used_up.get(account).is_some_and(|until| until.is_none_or(|until| until <= now)) {
            self.used_up.remove(account);
        }
    }

    /// Whether it is news that this account needs a sign-in, and remembers it.
    pub(crate) fn sign_in(&mut self, account: &str) -> bool {
        let news = !self.sign_in.iter().any(|known| known == account);
        if news {
            self.sign_in.push(account.to_owned());
        }
        news
    }

    /// The account is signed in.
    pub(crate) fn signed_in(&mut self, account: &str) {
        self.sign_in.retain(|known| known != account);
    }

    /// Whether it is news that a client is not set up as it was, and remembers it.
    pub(crate) fn drift(&mut self, place: &str, what: &[String]) -> bool {
        let known = self.drift.insert(place.to_owned(), what.to_vec());
        known.as_deref() != Some(what)
    }

    /// Only these clients are not set up as they were.
    pub(crate) fn undrifted(&mut self, drifted: &[Drift]) {
        self.drift.retain(|place, _| drifted.iter().any(|drift| drift.place() == *place));
    }

    /// Whether it is news that another account took over, and remembers it.
    pub(crate) fn failover(&mut self, from: &str, to: &str, until: Option<Timestamp>, now: Timestamp) -> bool {
        let same = self.failover.get(from).is_some_and(|(known, quiet)| known == to && *quiet > now);
        if !same {
            let soon = now.saturating_add(SAME_FAILOVER).unwrap_or(now);
            let quiet = until.map_or(soon, |until| until.max(soon));
            self.failover.insert(from.to_owned(), (to.to_owned(), quiet));
        }
        !same
    }

    /// Whether it is news that this version is there, and remembers it.
    pub(crate) fn update(&mut self, version: &str) -> bool {
        let news = self.update.as_deref() != Some(version);
        if news {
            self.update = Some(version.to_owned());
        }
        news
    }

    /// Whether it is news that this port is taken, or that none is, and remembers it.
    pub(crate) fn port(&mut self, taken: Option<u16>) -> bool {
        std::mem::replace(&mut self.port, taken) != taken && taken.is_some()
    }

    /// Forgets what can matter no more.
    pub(crate) fn prune(&mut self, accounts: &[Account], now: Timestamp) {
        let here = |id: &str| accounts.iter().any(|account| account.id == id);
        let over = |at: Option<Timestamp>| at.is_none_or(|at| at.saturating_add(LONGEST).is_ok_and(|end| end < now));
        for (id, runs) in &mut self.windows {
            runs.retain(|_, run| here(id) || !over(run.resets_at));
        }
        self.windows.retain(|_, runs| !runs.is_empty());
        self.used_up.retain(|id, until| here(id) || !over(*until));
        self.sign_in.retain(|id| here(id));
        self.failover.retain(|_, (_, quiet)| *quiet > now);
    }
}

// === impl Run ===

impl Run {
    /// Whether the window still runs as it did when something was said.
    fn is_of(&self, window: &Window, now: Timestamp) -> bool {
        match (self.resets_at, window.resets_at) {
            (Some(known), _) if known <= now => false,
            (Some(known), Some(new)) => {
                known.duration_since(new).abs() < SignedDuration::from_mins(i64::from(window.minutes)) / 2
            }
            _ => true,
        }
    }
}
