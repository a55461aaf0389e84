//! Parameters as they are typed behind a question mark, or on a command line.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

/// A parameter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct BadParameter {
    /// Which.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// Names and values. Each name is known and stands there once; what is empty counts as not there.
#[derive(Debug, Clone)]
pub struct Params {
    pairs: Vec<(String, String)>,
    now: Timestamp,
}

/// How moments are written.
const MOMENTS: &str = "a time is written like 2026-11-20T07:30:00Z, as a day (2026-11-20), in milliseconds since 1970, as a \
                       span back from now (30m, 24h, 7d, 2w), or as today, yesterday, week or month";

// === impl BadParameter ===

impl BadParameter {
    pub(crate) fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

// === impl Params ===

impl Params {
    /// # Errors
    /// When a name is not one of `known`, or stands there twice.
    pub fn read(pairs: Vec<(String, String)>, known: &[&str], now: Timestamp) -> Result<Self, BadParameter> {
        for (index, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let known = known.join(", ");
                return Err(BadParameter::new(name, "there is no such parameter").hint(format!("there are: {known}")));
            }
            if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(BadParameter::new(name, "it stands there twice"));
            }
        }
        Ok(Self { pairs, now })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(given, _)| given == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A whole number within bounds.
    pub(crate) fn number<T>(&self, name: &str, allowed: RangeInclusive<T>) -> Result<Option<T>, BadParameter>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if allowed.contains(&number) => Ok(Some(number)),
            _ => {
                let message = format!("{text:?} is not a number from {} to {}", allowed.start(), allowed.end());
                Err(BadParameter::new(name, message))
            }
        }
    }

    /// Words separated by commas, each of which `read` must understand.
    pub(super) fn words<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
        allowed: &str,
    ) -> Result<Vec<T>, BadParameter> {
        let words = self.text(name).unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
        let one = |word| {
            let bad =
                || BadParameter::new(name, format!("{word:?} is not known")).hint(format!("there are: {allowed}"));
            read(word).ok_or_else(bad)
        };
        words.map(one).collect()
    }

    /// The time zone of that name; that of this machine, if there is none.
    pub(crate) fn zone(&self, name: &str) -> Result<TimeZone, BadParameter> {
        match self.text(name) {
            None | Some("local") => Ok(TimeZone::system()),
            Some(text) => TimeZone::get(text).map_err(|_| {
                BadParameter::new(name, format!("no time zone is called {text:?}"))
                    .hint("a name like Europe/Berlin, UTC, or local for that of this machine")
            }),
        }
    }

    /// A moment. Days are those of `zone`.
    pub(crate) fn moment(&self, name: &str, zone: &TimeZone) -> Result<Option<Timestamp>, BadParameter> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let bad = || BadParameter::new(name, format!("{text:?} is not a time")).hint(MOMENTS);
        // As exact as rows are.
        let exact = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).ok();
        moment(text, self.now, zone).and_then(exact).map(Some).ok_or_else(bad)
    }
}

fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let start_of_day = |day: Zoned| Some(day.start_of_day().ok()?.timestamp());
    let today = || now.to_zoned(zone.clone());
    match text {
        "now" => return Some(now),
        "today" => return start_of_day(today()),
        "yesterday" => return start_of_day(today().checked_sub(1.day()).ok()?),
        "week" => {
            let since_monday = today().weekday().to_monday_zero_offset();
            return start_of_day(today().checked_sub(i64::from(since_monday).days()).ok()?);
        }
        "month" => return start_of_day(today().first_of_month().ok()?),
        _ => {}
    }
    if let Ok(milliseconds) = text.parse::<i64>() {
        return Timestamp::from_millisecond(milliseconds).ok();
    }
    if let Some(span) = span(text) {
        return now.checked_sub(span).ok();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // The plus of an offset is a blank to whoever forgot to encode it.
    if let Ok(at) = text.replace(' ', "+").parse::<Timestamp>() {
        return Some(at);
    }
    // A day alone is its midnight. Read as a day, a moment would lose its hour.
    Some(text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp())
}

/// `90s`, `30m`, `24h`, `7d`, `2w`.
fn span(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let count: i64 = text[..text.len() - unit.len_utf8()].parse().ok().filter(|count| *count >= 0)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    Some(SignedDuration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Params, moment};

    #[test]
    fn moments_in_all_their_forms() {
        let now = "2026-11-20T07:30:00Z".parse().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let read = |text: &str| moment(text, now, &berlin).map(|at| at.to_string());
        let table = [
            ("now", "2026-11-20T07:30:00Z"),
            ("today", "2026-11-19T23:00:00Z"),
            ("yesterday", "2026-11-18T23:00:00Z"),
            ("week", "2026-11-15T23:00:00Z"),
            ("month", "2026-10-31T23:00:00Z"),
            ("90s", "2026-11-20T07:28:30Z"),
            ("24h", "2026-11-19T07:30:00Z"),
            ("7d", "2026-11-13T07:30:00Z"),
            ("2w", "2026-11-06T07:30:00Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("1795159800000", "2026-11-20T07:30:00Z"),
            ("2026-11-20T08:30:00+01:00", "2026-11-20T07:30:00Z"),
            ("2026-11-20T08:30:00 01:00", "2026-11-20T07:30:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20T08:30", "2026-11-20T07:30:00Z"),
        ];
        for (text, at) in table {
            assert_eq!(read(text).as_deref(), Some(at), "{text}");
        }
        for text in ["soon", "7", "7 d", "-7d", "7dd", "d", "ü", "2026-13-01", "99999999999999999d", "1e3"] {
            assert!(text == "7" || read(text).is_none(), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn what_nobody_knows_is_named() {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let now = "2026-11-20T07:30:00Z".parse().unwrap();
        let read = |list: &[(&str, &str)]| Params::read(pairs(list), &["since", "limit"], now);
        assert_eq!(read(&[("from", "1d")]).unwrap_err().name, "from");
        assert_eq!(read(&[("since", "1d"), ("since", "2d")]).unwrap_err().name, "since");
        let params = read(&[("since", ""), ("limit", "0")]).unwrap();
        assert_eq!(params.moment("since", &TimeZone::UTC), Ok(None), "empty is not there");
        let bad = params.number("limit", 1..=1000).unwrap_err();
        assert_eq!(bad.to_string(), "limit: \"0\" is not a number from 1 to 1000");
    }
}
