//! How long an account rests, and why. Pure: the time is an argument.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Why an account rests for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cooldown {
    /// The plan's window is used up.
    UsageLimit,
    /// Too many requests at once.
    RateLimit,
    /// The upstream turned this account away and may not do so next time.
    Unavailable,
    /// The access token was refused and may not be renewed yet.
    RefreshTooEarly,
    /// A browser check of the network in between. Says nothing about the account.
    Challenge,
    /// The workspace that pays was deactivated.
    WorkspaceDeactivated,
    /// The plan does not include what was asked for.
    PlanMismatch,
    /// The connection broke time and again.
    Network,
}

/// One rest of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// When it began.
    pub since: Timestamp,
    /// When it ends; `None`: when somebody ends it.
    pub until: Option<Timestamp>,
    pub why: Cooldown,
}

/// What the upstream said of when to come back. The first that names a moment ahead counts, in this order: a reset is
/// exact, a wait was measured from it, and `retry-after` may be any middleman's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hint {
    pub resets_at: Option<Timestamp>,
    pub resets_in: Option<Duration>,
    pub retry_after: Option<Duration>,
}

/// How often in a row an account was turned away without a word on when to come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    level: u32,
}

/// The longest rest without a hint.
const LONGEST_GUESS: SignedDuration = SignedDuration::from_mins(30);
/// The longest rest with one: the longest windows are monthly. A date beyond that is a mistake in the units.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(35 * 24);

// === impl Cooldown ===

impl fmt::Display for Cooldown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UsageLimit => "usage limit reached",
            Self::RateLimit => "too many requests",
            Self::Unavailable => "turned away by the upstream",
            Self::RefreshTooEarly => "token refused, renewal not allowed yet",
            Self::Challenge => "the network demands a browser check",
            Self::WorkspaceDeactivated => "the workspace was deactivated",
            Self::PlanMismatch => "the plan does not include this use",
            Self::Network => "the connection broke several times in a row",
        })
    }
}

// === impl Rest ===

impl Rest {
    /// Whether it still lasts.
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// What holds after `new` came on top of `old`.
    ///
    /// A rest is never shortened: one that ends later, or at nobody's clock, stays. One that is over counts for nothing.
    #[must_use]
    pub fn merged(old: Option<Self>, new: Self) -> Self {
        match old.filter(|old| old.lasts(new.since)) {
            None => new,
            Some(old) => match (old.until, new.until) {
                (None, _) => old,
                (Some(_), None) => new,
                (Some(known), Some(offered)) => {
                    if offered >= known {
                        new
                    } else {
                        old
                    }
                }
            },
        }
    }
}

// === impl Hint ===

impl Hint {
    /// The moment it names, if it names one ahead of us.
    pub fn moment(&self, now: Timestamp) -> Option<Timestamp> {
        let after = |wait: Duration| now.checked_add(SignedDuration::try_from(wait).ok()?).ok();
        let named = [self.resets_at, self.resets_in.and_then(after), self.retry_after.and_then(after)];
        let latest = now.saturating_add(LONGEST_REST).unwrap_or(Timestamp::MAX);
        named.into_iter().flatten().find(|at| *at > now).map(|at| at.min(latest))
    }
}

// === impl Backoff ===

impl Backoff {
    /// How long to rest this time: 1, 2, 4 … seconds, half an hour at most.
    pub fn longer(&mut self) -> SignedDuration {
        let rest = SignedDuration::from_secs(1_i64 << self.level.min(11)).min(LONGEST_GUESS);
        self.level = self.level.saturating_add(1);
        rest
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::{Backoff, Cooldown, Hint, Rest};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(seconds)
    }

    fn rests() -> impl Strategy<Value = Rest> {
        let why = prop_oneof![Just(Cooldown::UsageLimit), Just(Cooldown::RateLimit), Just(Cooldown::PlanMismatch)];
        (0..20i64, prop::option::of(-5..50i64), why).prop_map(|(since, length, why)| Rest {
            since: at(since),
            until: length.map(|length| at(since + length)),
            why,
        })
    }

    #[test]
    fn without_a_word_the_rest_doubles_up_to_half_an_hour() {
        let mut backoff = Backoff::default();
        let rests: Vec<_> = (0..13).map(|_| backoff.longer().as_secs()).collect();
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800, 1800]);
        assert_eq!(Backoff { level: u32::MAX }.longer().as_secs(), 1800);
    }

    #[test]
    fn a_reset_counts_before_a_wait_and_a_wait_before_retry_after() {
        let all = Hint {
            resets_at: Some(at(100)),
            resets_in: Some(Duration::from_secs(200)),
            retry_after: Some(Duration::from_secs(300)),
        };
        assert_eq!(all.moment(NOW), Some(at(100)));
        assert_eq!(Hint { resets_at: None, ..all }.moment(NOW), Some(at(200)));
        assert_eq!(Hint { resets_at: Some(at(-1)), resets_in: None, ..all }.moment(NOW), Some(at(300)), "past");
        assert_eq!(Hint { retry_after: Some(Duration::ZERO), ..Hint::default() }.moment(NOW), None);
        assert_eq!(Hint::default().moment(NOW), None);
        let mistaken = Hint { resets_at: Some(Timestamp::MAX), ..Hint::default() };
        assert_eq!(mistaken.moment(NOW), Some(NOW + SignedDuration::from_hours(35 * 24)), "bounded");
        let endless = Hint { retry_after: Some(Duration::MAX), ..Hint::default() };
        assert_eq!(endless.moment(NOW), None, "not a date");
    }

    proptest! {
        #[test]
        fn a_rest_is_never_shortened(old in rests(), new in rests()) {
            let merged = Rest::merged(Some(old), new);
            prop_assert!(merged == old || merged == new);
            for second in 0..80 {
                let moment = at(second);
                if moment >= new.since && old.lasts(new.since) && old.lasts(moment) {
                    prop_assert!(merged.lasts(moment), "it lasted until {:?}", old.until);
                }
                if new.lasts(moment) && moment >= new.since {
                    prop_assert!(merged.lasts(moment), "the new one lasts until {:?}", new.until);
                }
            }
        }

        #[test]
        fn no_timed_rest_replaces_one_without_end(old in rests(), new in rests()) {
            let old = Rest { until: None, ..old };
            prop_assert_eq!(Rest::merged(Some(old), new), old);
        }

        #[test]
        fn one_that_is_over_counts_for_nothing(old in rests(), new in rests(), length in 0..20i64) {
            let old = Rest { until: Some(new.since - SignedDuration::from_secs(length)), ..old };
            prop_assert_eq!(Rest::merged(Some(old), new), new);
            prop_assert_eq!(Rest::merged(None, new), new);
        }
    }
}
