//! How much one client key may ask for at once and in a minute.
//!
//! This keeps a program that has gone astray from spending a plan, and one client from crowding out the others. It knows
//! nothing of what the plans themselves allow.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codeferry_store::Settings;
use codeferry_wire::anthropic::error::ErrorKind;
use tokio::time::Instant;

use crate::reply::Problem;

const MINUTE: Duration = Duration::from_secs(60);

/// How long a client should wait whose answers are still under way: nobody knows when the first of them ends.
const SOON: Duration = Duration::from_secs(2);

/// What each client has under way and has begun.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    clients: Mutex<HashMap<String, Use>>,
}

#[derive(Debug, Default)]
struct Use {
    /// Exchanges that have not ended.
    open: u64,
    /// When those of the last minute began; kept only where a limit asks for it.
    begun: VecDeque<Instant>,
}

/// What a client may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Exchanges at the same time; 0: any number.
    pub(crate) at_once: u64,
    /// Exchanges that begin within a minute; 0: any number.
    pub(crate) a_minute: u64,
}

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    AtOnce(u64),
    AMinute { limit: u64, free_in: Duration },
}

/// An exchange counts as open for as long as this is there.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Arc<Limits>,
    client: String,
}

// === impl Limits ===

impl Limits {
    /// Lets an exchange of a client begin.
    ///
    /// # Errors
    /// Which limit it would exceed. It does not count then.
    pub(crate) fn admit(self: &Arc<Self>, client: &str, allowance: Allowance, now: Instant) -> Result<Permit, Excess> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let used = clients.entry(client.to_owned()).or_default();
        let Allowance { at_once, a_minute } = allowance;
        while used.begun.front().is_some_and(|&begun| a_minute == 0 || now.duration_since(begun) >= MINUTE) {
            used.begun.pop_front();
        }
        if at_once > 0 && used.open >= at_once {
            return Err(Excess::AtOnce(at_once));
        }
        if a_minute > 0 {
            let count = used.begun.len() as u64;
            if count >= a_minute {
                // The limit may have been lowered: it is free when fewer than it are left.
                let last_too_many = usize::try_from(count - a_minute).unwrap_or(usize::MAX);
                let begun = used.begun.get(last_too_many).copied().unwrap_or(now);
                return Err(Excess::AMinute { limit: a_minute, free_in: (begun + MINUTE).duration_since(now) });
            }
            used.begun.push_back(now);
        }
        used.open += 1;
        Ok(Permit { limits: Arc::clone(self), client: client.to_owned() })
    }
}

// === impl Allowance ===

impl Allowance {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { at_once: settings.streams_per_key, a_minute: settings.requests_per_minute_per_key }
    }
}

// === impl Excess ===

impl From<Excess> for Problem {
    fn from(excess: Excess) -> Self {
        let (message, wait) = match excess {
            Excess::AtOnce(limit) => (
                format!(
                    "this client key has {limit} requests under way, as many as the setting streams_per_key allows"
                ),
                SOON,
            ),
            Excess::AMinute { limit, free_in } => (
                format!(
                    "this client key has made {limit} requests within a minute, as many as the setting \
                     requests_per_minute_per_key allows"
                ),
                free_in,
            ),
        };
        let mut problem = Self::new(ErrorKind::RateLimit, message);
        problem.retry_after = Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        problem
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        let mut clients = self.limits.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(used) = clients.get_mut(&self.client) else { return };
        used.open -= 1;
        if used.open == 0 && used.begun.is_empty() {
            clients.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Allowance, Excess, Limits};
    use crate::reply::Problem;

    #[test]
    fn so_many_at_once() {
        let (limits, now) = (Arc::new(Limits::default()), Instant::now());
        let allowance = Allowance { at_once: 2, a_minute: 0 };
        let first = limits.admit("a", allowance, now).expect("one");
        let _second = limits.admit("a", allowance, now).expect("two");
        assert_eq!(limits.admit("a", allowance, now).err(), Some(Excess::AtOnce(2)));
        let other = limits.admit("b", allowance, now);
        assert!(other.is_ok(), "another client has its own");
        drop(first);
        assert!(limits.admit("a", allowance, now).is_ok());
    }

    #[test]
    fn so_many_a_minute() {
        let (limits, start) = (Arc::new(Limits::default()), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let allowance = Allowance { at_once: 0, a_minute: 2 };
        for seconds in [0, 20] {
            limits.admit("a", allowance, at(seconds)).expect("free");
        }
        let excess = Excess::AMinute { limit: 2, free_in: Duration::from_secs(30) };
        assert_eq!(limits.admit("a", allowance, at(30)).err(), Some(excess));
        assert_eq!(Problem::from(excess).retry_after, Some(30));
        limits.admit("a", allowance, at(60)).expect("the first is a minute old");
        let excess = limits.admit("a", allowance, at(60)).expect_err("the second is not");
        assert_eq!(excess, Excess::AMinute { limit: 2, free_in: Duration::from_secs(20) });
        let lowered = Allowance { a_minute: 1, ..allowance };
        let excess = limits.admit("a", lowered, at(61)).expect_err("two are within the minute");
        assert_eq!(excess, Excess::AMinute { limit: 1, free_in: Duration::from_secs(59) });
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let (limits, now) = (Arc::new(Limits::default()), Instant::now());
        for a_minute in [0, 5] {
            drop(limits.admit("a", Allowance { at_once: 1, a_minute }, now).expect("free"));
        }
        assert_eq!(limits.clients.lock().expect("a lock").len(), 1, "the minute is remembered");
        drop(limits.admit("a", Allowance { at_once: 1, a_minute: 0 }, now).expect("free"));
        assert!(limits.clients.lock().expect("a lock").is_empty());
    }
}
