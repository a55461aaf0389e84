//! Rate-limit windows, from wherever they are told: the headers of an answer (`codex-backend.md §4`), an event of its
//! stream, a refusal, the usage page.
//!
//! **Invariant:** a window is known by its length, never by its position: on free plans the week is *primary*, on paid
//! ones it is *secondary*, and an upstream that adds a third position changes nothing here.

use std::time::Duration;

use codeferry_accounts::{Credits, WindowSeen, WindowsSeen, quota};
use http::HeaderMap;
use jiff::Timestamp;

use crate::headers;

mod body;

/// What one source tells about its account's limits. Empty for providers that tell nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// The windows with a length, shortest first within each family.
    pub windows: Vec<WindowSeen>,
    /// The account's plan, as the upstream calls it.
    pub plan: Option<String>,
    /// The family that counted this request, for example `premium`.
    pub active: Option<String>,
    /// Which limit is reached, if one is.
    pub reached: Option<String>,
    /// Credits beyond the plan.
    pub credits: Option<Credits>,
    /// Whether the main limit lets requests through, where the source says.
    pub allowed: Option<bool>,
    /// The workspace's own spending limit is reached, where the source says.
    pub spend_limit_reached: Option<bool>,
    /// How many [reset credits](crate::reset_credits) there are, where the source says.
    pub reset_credits: Option<u32>,
}

/// The family every account has.
const MAIN: &str = quota::MAIN;
/// The positions a family may fill. Only used to find headers.
const POSITIONS: [&str; 2] = ["primary", "secondary"];

// === impl Limits ===

impl Limits {
    /// Reads what is there. A window without a length (absent, empty or zero) is no window.
    pub fn from_headers(headers: &HeaderMap, now: Timestamp) -> Self {
        let windows: Vec<WindowSeen> = families(headers)
            .iter()
            .flat_map(|family| POSITIONS.iter().filter_map(|position| window(headers, family, position, now)))
            .collect();
        let limits = Self {
            windows,
            plan: headers::text(headers, "x-codex-plan-type"),
            active: headers::text(headers, "x-codex-active-limit"),
            reached: headers::text(headers, "x-codex-rate-limit-reached-type"),
            credits: headers::flag(headers, "x-codex-credits-has-credits").map(|has_credits| Credits {
                has_credits,
                unlimited: headers::flag(headers, "x-codex-credits-unlimited").unwrap_or(false),
                balance: headers::text(headers, "x-codex-credits-balance"),
            }),
            ..Self::default()
        };
        limits.arranged()
    }

    /// Nothing was told.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The main family first, and within each the shortest window. Two of one length are one; the fuller counts.
    fn arranged(mut self) -> Self {
        let place = |window: &WindowSeen| (window.family != MAIN, window.family.clone(), window.minutes);
        self.windows.sort_by(|a, b| place(a).cmp(&place(b)).then(b.used_percent.total_cmp(&a.used_percent)));
        self.windows.dedup_by_key(|window| (window.family.clone(), window.minutes));
        self
    }

    /// The window of this length in the main family.
    pub fn of_minutes(&self, minutes: u32) -> Option<&WindowSeen> {
        self.windows.iter().find(|window| window.family == MAIN && window.minutes == minutes)
    }

    /// The window that is used up: the one that resets when the refusal says, else the one that stays closed longest.
    pub fn exhausted(&self, resets_at: Option<Timestamp>) -> Option<&WindowSeen> {
        // The two are computed apart: a few seconds between them are normal.
        let near = |window: &&WindowSeen| match (window.resets_at, resets_at) {
            (Some(a), Some(b)) => a.duration_since(b).unsigned_abs() <= Duration::from_secs(60),
            _ => false,
        };
        let full = || self.windows.iter().filter(|window| window.used_percent >= 100.0);
        full().find(near).or_else(|| full().max_by_key(|window| window.resets_at)).or_else(|| {
            // The percentage lags behind the refusal at times; the reset does not.
            self.windows.iter().find(near)
        })
    }
}

impl From<&Limits> for WindowsSeen {
    /// For the pool to note. A limit that lets nothing through is reached, whether or not the source names it.
    fn from(limits: &Limits) -> Self {
        let unnamed = || match (limits.allowed, limits.spend_limit_reached) {
            (Some(false), _) => Some("not_allowed".to_owned()),
            (_, Some(true)) => Some("spend_limit".to_owned()),
            _ => None,
        };
        Self {
            windows: limits.windows.clone(),
            plan: limits.plan.clone(),
            credits: limits.credits.clone(),
            reset_credits: limits.reset_credits,
            reached: limits.reached.clone().or_else(unnamed),
        }
    }
}

/// The families that headers name: `x-<family>-primary-used-percent`.
fn families(headers: &HeaderMap) -> Vec<String> {
    let mut families: Vec<String> = headers
        .keys()
        .filter_map(|name| {
            let name = name.as_str().strip_prefix("x-")?.strip_suffix("-used-percent")?;
            POSITIONS.iter().find_map(|position| name.strip_suffix(position)?.strip_suffix('-').map(str::to_owned))
        })
        .collect();
    families.sort_unstable();
    families.dedup();
    families
}

fn window(headers: &HeaderMap, family: &str, position: &str, now: Timestamp) -> Option<WindowSeen> {
    let number = |field: &str| headers::number(headers, &format!("x-{family}-{position}-{field}"));
    let minutes = number("window-minutes").map(|minutes| minutes as u32).filter(|minutes| *minutes > 0)?;
    let at = number("reset-at").filter(|at| *at > 0.0).and_then(|at| Timestamp::from_second(at as i64).ok());
    let resets_at = at.or_else(|| {
        let after = Duration::try_from_secs_f64(number("reset-after-seconds")?).ok()?;
        now.checked_add(after).ok()
    });
    Some(WindowSeen {
        family: family.replace('-', "_"),
        title: headers::text(headers, &format!("x-{family}-limit-name")),
        minutes,
        used_percent: number("used-percent")?,
        resets_at,
    })
}

#[cfg(test)]
mod tests;
