//! Figures for people: short, and never more exact than anybody can use. Who needs them exact takes the JSON.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `950`, `12.3k`, `1.2M`.
pub(crate) fn count(count: u64) -> String {
    let short = |unit: u64, letter: char| {
        let tenths = count / (unit / 10);
        match tenths {
            ..1000 => format!("{}.{}{letter}", tenths / 10, tenths % 10),
            _ => format!("{}{letter}", tenths / 10),
        }
    };
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => short(1_000, 'k'),
        1_000_000..1_000_000_000 => short(1_000_000, 'M'),
        _ => short(1_000_000_000, 'G'),
    }
}

/// The same for a sum, which is never negative.
pub(crate) fn sum(value: i64) -> String {
    count(u64::try_from(value).unwrap_or_default())
}

/// Dollars: cents from one dollar on, hundredths of them below.
pub(crate) fn money(dollars: f64) -> String {
    match dollars {
        d if d <= 0.0 => "$0".to_owned(),
        d if d < 0.0001 => "<$0.0001".to_owned(),
        d if d < 1.0 => format!("${d:.4}"),
        d => format!("${d:.2}"),
    }
}

/// `850ms`, `12.3s`, `2m05s`, `1h02m`.
pub(crate) fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..60 => format!("{}.{}s", seconds, milliseconds % 1000 / 100),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// `85%`. Only all of it is 100 %.
pub(crate) fn percent(percent: f64) -> String {
    format!("{:.0}%", percent.floor())
}

/// A moment in the time of a place.
pub(crate) fn clock(at: Timestamp, form: &str, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime(form).to_string()
}

/// What somebody else wrote, without what would move a terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    let one = |letter: char| match letter.is_control() {
        true => letter.escape_default().collect::<String>(),
        false => letter.to_string(),
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{count, money, percent, plain, span};

    #[test]
    fn figures_are_short() {
        let counts = [0, 9_999, 10_000, 12_345, 99_999, 100_000, 999_999, 1_000_000, 1_234_567, 2_000_000_000];
        let short = ["0", "9999", "10.0k", "12.3k", "99.9k", "100k", "999k", "1.0M", "1.2M", "2.0G"];
        assert_eq!(counts.map(count), short);
        assert_eq!(
            [0.0, 0.000_01, 0.001_5, 0.25, 1.0, 12.345].map(money),
            ["$0", "<$0.0001", "$0.0015", "$0.2500", "$1.00", "$12.35"]
        );
        assert_eq!(
            [0, 999, 1_000, 59_999, 60_000, 3_600_000].map(span),
            ["0ms", "999ms", "1.0s", "59.9s", "1m00s", "1h00m"]
        );
        assert_eq!([0.0, 99.9, 100.0].map(percent), ["0%", "99%", "100%"]);
    }

    #[test]
    fn nothing_plays_with_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
    }
}
