//! Sums as a table: a line for each, and one for all of them.

use codeferry_app::history::{Figures, UsageReport, UsageRow};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::columns::{Column, Layout};
use crate::figures::{clock, money, percent, plain, span, sum};

/// The key is one column, whatever it is made of.
const COLUMNS: [Column; 10] = [
    Column::text("", 100, LONGEST_KEY),
    Column::figure("requests", 90),
    Column::figure("failed", 70),
    Column::figure("in", 85),
    Column::figure("cached", 60),
    Column::figure("out", 84),
    Column::figure("reasoning", 40),
    Column::figure("cost", 80),
    Column::figure("first byte", 50),
    Column::figure("tokens/s", 30),
];

/// Longer ones are cut where there is no room; before that, figures go.
const LONGEST_KEY: usize = 40;

pub(super) fn table(report: &UsageReport, room: Option<usize>) -> String {
    let zone = TimeZone::get(&report.tz).unwrap_or_else(|_| TimeZone::system());
    let mut sums: Vec<&UsageRow> = report.sums.iter().collect();
    if !report.by.iter().any(|by| by == "hour" || by == "day") {
        // Names have no order of their own: the dearest first.
        sums.sort_by_key(|row| std::cmp::Reverse((row.figures.cost_nano_usd, row.figures.requests)));
    }
    let mut keys: Vec<Vec<String>> = sums.iter().map(|row| key(row, &report.by, &zone)).collect();
    keys.push(report.by.clone());
    let mut keys = aligned(&keys);
    let title = keys.pop().unwrap_or_default();
    let rows = sums.iter().zip(keys).map(|(row, key)| cells(key, &row.figures));
    let mut rows: Vec<_> = rows.chain([cells("total".to_owned(), &report.total)]).collect();
    // The titles are a row like the others: that of the key is not known before.
    let mut titles = COLUMNS.map(|column| column.title.to_owned());
    titles[0] = title;
    rows.insert(0, titles);
    let layout = Layout::new(COLUMNS, &rows, room);
    rows.iter().map(|row| layout.line(row)).collect::<Vec<_>>().join("\n")
}

/// Keys of several parts, each part below the same of the others.
fn aligned(keys: &[Vec<String>]) -> Vec<String> {
    let widest = |at: usize| keys.iter().filter_map(|key| key.get(at)).map(|part| part.chars().count()).max();
    let line = |key: &Vec<String>| {
        let parts = key.iter().enumerate().map(|(at, part)| format!("{part:width$}", width = widest(at).unwrap_or(0)));
        parts.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    keys.iter().map(line).collect()
}

fn key(row: &UsageRow, by: &[String], zone: &TimeZone) -> Vec<String> {
    let part = |by: &String| {
        let value = row.key.get(by).map_or("", String::as_str);
        let at = |form| value.parse::<Timestamp>().map_or_else(|_| plain(value), |at| clock(at, form, zone));
        match (by.as_str(), value) {
            ("hour", _) => at("%Y-%m-%d %H:%M"),
            ("day", _) => at("%a %Y-%m-%d"),
            ("account", id) => match (&row.account_name, id) {
                (Some(name), _) => plain(name),
                (None, "") => "no account".to_owned(),
                (None, id) => plain(id),
            },
            ("client", "") => "no client key".to_owned(),
            ("model", "") => "no model".to_owned(),
            (_, "") => "none".to_owned(),
            (_, value) => plain(value),
        }
    };
    by.iter().map(part).collect()
}

fn cells(key: String, figures: &Figures) -> [String; 10] {
    let f = figures;
    let failed = f.refused + f.failed;
    let some = |value: i64| if value == 0 { String::new() } else { sum(value) };
    let milliseconds = |value: f64| span(value.round().max(0.0) as u64);
    [
        key,
        sum(f.requests),
        some(failed),
        sum(f.input),
        f.cached_percent.map(percent).unwrap_or_default(),
        sum(f.output),
        some(f.reasoning),
        cost(f),
        f.average_first_byte_ms.map(milliseconds).unwrap_or_default(),
        f.tokens_per_second.map(|rate| format!("{rate:.1}")).unwrap_or_default(),
    ]
}

/// Nothing where there are no tokens; `?`: nobody knows; a plus: there is more whose price nobody knows.
pub(crate) fn cost(figures: &Figures) -> String {
    match (figures.cost_nano_usd, figures.unpriced) {
        (0, 0) if figures.counted == 0 => String::new(),
        (0, 1..) => "?".to_owned(),
        (_, 1..) => format!("{}+", money(figures.cost_usd)),
        _ => money(figures.cost_usd),
    }
}

#[cfg(test)]
mod tests {
    use codeferry_app::history::{Figures, UsageReport, UsageRow};

    use super::table;

    fn figures(requests: i64, cost_nano_usd: i64, unpriced: i64) -> Figures {
        Figures {
            requests,
            completed: requests - 1,
            refused: 1,
            counted: requests - 1,
            input: requests * 48_000,
            cached: requests * 40_000,
            output: requests * 900,
            reasoning: requests * 300,
            cost_usd: cost_nano_usd as f64 / 1e9,
            cost_nano_usd,
            unpriced,
            cached_percent: Some(83.3),
            average_first_byte_ms: Some(1840.4),
            tokens_per_second: Some(41.7),
            ..Figures::default()
        }
    }

    fn report(by: &[&str], sums: &[(&[&str], Figures)]) -> UsageReport {
        let row = |(key, figures): &(&[&str], Figures)| UsageRow {
            key: by.iter().zip(*key).map(|(by, key)| ((*by).to_owned(), (*key).to_owned())).collect(),
            account_name: None,
            figures: *figures,
        };
        UsageReport {
            tz: "Europe/Berlin".to_owned(),
            by: by.iter().map(|by| (*by).to_owned()).collect(),
            total: figures(1300, 92_450_000_000, 1),
            sums: sums.iter().map(row).collect(),
            ..UsageReport::default()
        }
    }

    #[test]
    fn days_in_order_and_names_by_cost() {
        let days = report(
            &["day"],
            &[
                (&["2026-11-19T00:00:00+01:00"], figures(312, 18_200_000_000, 0)),
                (&["2026-11-20T00:00:00+01:00"], figures(988, 74_250_000_000, 1)),
            ],
        );
        let models = report(
            &["hour", "model"],
            &[
                (&["2026-11-20T07:00:00Z", "gpt-6.1-sol"], figures(3, 1_200_000, 0)),
                (&["2026-11-20T07:00:00Z", ""], figures(1, 0, 0)),
            ],
        );
        let clients = report(
            &["client"],
            &[(&[""], figures(2, 0, 0)), (&["claude-code"], figures(12, 500_000_000, 0)), (&["sdk"], figures(4, 0, 3))],
        );
        let all = [&days, &models, &clients].map(|report| table(report, Some(80)) + "\n\n" + &table(report, None));
        insta::assert_snapshot!(all.join("\n\n"));
        for room in 40..140 {
            assert!(table(&days, Some(room)).lines().all(|line| line.chars().count() <= room), "{room}");
        }
    }
}
