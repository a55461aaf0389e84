//! Times, shares and names, as the tray writes them.

use codeferry_app::{AccountStatus, Quota, QuotaWindow};
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// A name longer than this is cut in the middle.
const LONGEST_NAME: usize = 28;
/// The shortest window that is shown as a long one.
const DAY: u32 = 24 * 60;

/// A moment that is to come: the hour, with the day unless it is today.
pub(crate) fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (there, here) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = match here.date().until(there.date()).map(|span| span.get_days()) {
        Ok(0) => "%H:%M",
        Ok(1..=6) => "%a %H:%M",
        _ => "%-d %b %H:%M",
    };
    there.strftime(form).to_string()
}

/// A share that is used. Nothing is full before it is, and nothing is untouched once it is not.
pub(crate) fn percent(used: f64) -> String {
    format!("{} %", whole(used))
}

/// The same as a number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 100")]
pub(crate) fn whole(used: f64) -> u8 {
    match used {
        used if used >= 100.0 => 100,
        used if used > 0.0 => used.round().clamp(1.0, 99.0) as u8,
        _ => 0,
    }
}

/// A window's length, short.
pub(crate) fn window(minutes: u32) -> String {
    match minutes {
        DAY => "day".to_owned(),
        10_080 => "week".to_owned(),
        40_320..=44_640 => "month".to_owned(),
        _ if minutes.is_multiple_of(DAY) => format!("{} d", minutes / DAY),
        _ if minutes.is_multiple_of(60) => format!("{} h", minutes / 60),
        _ => format!("{minutes} min"),
    }
}

/// What its owner calls it.
pub(crate) fn name(account: &AccountStatus) -> String {
    let name = account.label.as_deref().or(account.email.as_deref());
    shortened(name.unwrap_or_else(|| account.id.as_str()), LONGEST_NAME)
}

/// A text that fits: without its middle, if it must be.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let text = text.trim();
    let length = text.chars().count();
    if length <= longest {
        return text.to_owned();
    }
    let end = longest / 3;
    let begin = longest - end - 1;
    text.chars().take(begin).chain(['…']).chain(text.chars().skip(length - end)).collect()
}

/// A text that begins a line.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The same within a line.
pub(crate) fn small(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// The windows every account has, the shortest first. Those of single models are left out.
pub(crate) fn windows(quota: Option<&Quota>) -> Vec<&QuotaWindow> {
    let windows = quota.map(|quota| quota.windows.as_slice()).unwrap_or_default();
    windows.iter().filter(|window| window.family == codeferry_app::MAIN_FAMILY).collect()
}

/// Of an account: its shortest window, and its longest, if that is another one. Plans without the short one have only the
/// long one.
pub(crate) fn short_and_long(account: &AccountStatus) -> (Option<&QuotaWindow>, Option<&QuotaWindow>) {
    let windows = windows(account.quota.as_ref());
    let short = windows.first().copied().filter(|window| window.minutes < DAY);
    let long = windows.last().copied().filter(|window| window.minutes >= DAY);
    (short, long)
}

/// When a window is used up at the pace of late, roughly: to five minutes, so that it does not change with every look.
pub(crate) fn forecast(window: &QuotaWindow) -> Option<Timestamp> {
    let round = TimestampRound::new().smallest(Unit::Minute).increment(5).mode(RoundMode::Floor);
    window.forecast?.round(round).ok()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{moment, percent, shortened, window};

    #[test]
    fn a_moment_names_its_day_unless_it_is_today() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        // Monday, 13:00 there.
        let now = "2026-11-23T12:00:00Z".parse().expect("a moment");
        for (at, told) in [
            ("2026-11-23T13:20:00Z", "14:20"),
            ("2026-11-23T23:30:00Z", "Tue 00:30"),
            ("2026-11-29T08:00:00Z", "Sun 09:00"),
            ("2026-11-30T08:00:00Z", "30 Nov 09:00"),
            ("2027-01-02T08:00:00Z", "2 Jan 09:00"),
            ("2026-11-22T08:00:00Z", "22 Nov 09:00"),
        ] {
            assert_eq!(moment(at.parse().expect("a moment"), now, &zone), told);
        }
    }

    #[test]
    fn a_share_is_full_when_it_is_and_not_before() {
        let told: Vec<_> = [0.0, 0.2, 1.4, 61.5, 99.7, 100.0, 130.0, f64::NAN].map(percent).into();
        assert_eq!(told, ["0 %", "1 %", "1 %", "62 %", "99 %", "100 %", "100 %", "0 %"]);
    }

    #[test]
    fn windows_have_short_names() {
        let told: Vec<_> = [300, 10_080, 43_200, 1440, 2880, 90].map(window).into();
        assert_eq!(told, ["5 h", "week", "month", "day", "2 d", "90 min"]);
    }

    #[test]
    fn a_long_name_loses_its_middle() {
        assert_eq!(shortened("work@example.com", 28), "work@example.com");
        let long = shortened("firstname.lastname@department.example.com", 28);
        assert_eq!(long, "firstname.lastname…ample.com");
        assert_eq!(long.chars().count(), 28);
    }
}
