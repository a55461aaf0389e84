//! When each host last answered, and how far its clock is from ours: for whoever looks for what is wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};

/// The last answer of a host, whatever it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// How far its clock is ahead of ours, to the second; `None` if it did not say.
    pub ahead: Option<SignedDuration>,
}

/// By host.
#[derive(Debug, Default)]
pub(crate) struct Sightings(Mutex<BTreeMap<String, Seen>>);

// === impl Sightings ===

impl Sightings {
    pub(crate) fn note(&self, host: &str, headers: &HeaderMap, now: Timestamp) {
        let seen = Seen { at: now, ahead: date(headers).map(|date| ahead(date, now)) };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(host) {
            Some(known) => *known = seen,
            None => {
                all.insert(host.to_owned(), seen);
            }
        }
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `Date`, in the one form that is still written (RFC 9110 §5.6.7).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// The second that is named lasts: within it there is no difference.
fn ahead(date: Timestamp, now: Timestamp) -> SignedDuration {
    let ahead = date.duration_since(now);
    if ahead.is_negative() { (ahead + SignedDuration::from_secs(1)).min(SignedDuration::ZERO) } else { ahead }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::Sightings;

    #[test]
    fn a_clock_that_is_wrong_is_seen() {
        let seen = |date: &'static str| {
            let (all, mut headers) = (Sightings::default(), HeaderMap::new());
            headers.insert("date", HeaderValue::from_static(date));
            all.note("h", &headers, "2026-11-20T08:00:30.7Z".parse().unwrap());
            all.all()["h"].ahead.map(|ahead| ahead.as_millis())
        };
        assert_eq!(seen("Fri, 20 Nov 2026 08:00:30 GMT"), Some(0));
        assert_eq!(seen("Fri, 20 Nov 2026 08:00:28 GMT"), Some(-1_700));
        assert_eq!(seen("Fri, 20 Nov 2026 09:00:30 GMT"), Some(3_599_300));
        assert_eq!(seen("today"), None);
    }
}
