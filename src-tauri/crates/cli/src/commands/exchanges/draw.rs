//! Exchanges as a table: one line for each, the oldest first.

use codeferry_app::history::Row;
use codeferry_store::log::Outcome;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::columns::{Column, Layout};
use crate::figures::{clock, count, money, plain, span};

const COLUMNS: [Column; 14] = [
    Column::figure("time", 100),
    Column::figure("id", 75),
    Column::text("client", 60, 8),
    Column::text("asked", 40, 10),
    Column::text("served", 85, 11),
    Column::text("effort", 30, 6),
    Column::text("account", 45, 8),
    Column::figure("in", 84),
    Column::figure("cached", 50),
    Column::figure("out", 83),
    Column::figure("cost", 70),
    Column::figure("first", 55),
    Column::figure("total", 80),
    Column::text("outcome", 95, 18),
];

/// What usually stands there, for rows that are not known yet.
const USUAL: [&str; 14] = [
    "00:00:00",
    "000000",
    "claude-code",
    "claude-sonnet-5",
    "gpt-6.1-sol",
    "medium",
    "somebody@there",
    "100.0k",
    "100.0k",
    "9999",
    "$0.0100",
    "10.0s",
    "10.0s",
    "completed, 2 tries, 2 losses",
];

/// How much of a reason is shown where there is little room. What went well needs less.
const REASON: usize = 28;
/// How many characters of an id are shown: the last ones, since they begin with the time.
const ID: usize = 6;
/// A sentence of the upstream's may be a long one.
const LONGEST_REASON: usize = 120;

/// A table whose layout is settled.
pub(super) struct Table {
    layout: Layout<14>,
    zone: TimeZone,
    form: &'static str,
}

// === impl Table ===

impl Table {
    pub(super) fn new(rows: &[&Row], zone: TimeZone, today: Date, room: Option<usize>) -> Self {
        let is_today = |row: &&Row| row.found.exchange.at.to_zoned(zone.clone()).date() == today;
        let form = if rows.iter().all(is_today) { "%H:%M:%S" } else { "%m-%d %H:%M:%S" };
        let cells: Vec<_> = rows.iter().map(|row| cells(row, form, &zone)).collect();
        let well = rows.iter().all(|row| row.found.exchange.outcome == Outcome::Completed);
        Self { layout: Layout::new(columns(well), &cells, room), zone, form }
    }

    /// For rows that are still to come, too.
    pub(super) fn to_follow(rows: &[&Row], zone: TimeZone, today: Date, room: Option<usize>) -> Self {
        let known = Self::new(rows, zone, today, room);
        let mut cells: Vec<_> = rows.iter().map(|row| cells(row, known.form, &known.zone)).collect();
        cells.push(USUAL.map(str::to_owned));
        Self { layout: Layout::new(columns(false), &cells, room), ..known }
    }

    pub(super) fn all(&self, rows: &[&Row]) -> String {
        self.layout.all(&rows.iter().map(|row| cells(row, self.form, &self.zone)).collect::<Vec<_>>())
    }

    pub(super) fn titles(&self) -> String {
        self.layout.titles()
    }

    pub(super) fn line(&self, row: &Row) -> String {
        self.layout.line(&cells(row, self.form, &self.zone))
    }
}

/// With room for reasons, where there are any.
fn columns(well: bool) -> [Column; 14] {
    let mut columns = COLUMNS;
    if let Some(last) = columns.last_mut().filter(|_| !well) {
        last.least = REASON;
    }
    columns
}

fn cells(row: &Row, form: &str, zone: &TimeZone) -> [String; 14] {
    let x = &row.found.exchange;
    let tokens =
        |of: fn(&codeferry_store::log::Tokens) -> u64| x.tokens.as_ref().map(of).map(count).unwrap_or_default();
    let ends = x.id.len().saturating_sub(ID);
    [
        clock(x.at, form, zone),
        x.id.get(ends..).unwrap_or(&x.id).to_owned(),
        plain(&x.client),
        plain(&x.asked),
        plain(&x.model),
        x.effort.clone().unwrap_or_default(),
        plain(row.account()),
        tokens(|tokens| tokens.input),
        tokens(|tokens| tokens.cached),
        tokens(|tokens| tokens.output),
        cost(row),
        x.first_byte_ms.map(span).unwrap_or_default(),
        span(x.total_ms),
        outcome(row),
    ]
}

/// `?`: there are tokens, and nobody knows what they cost.
pub(super) fn cost(row: &Row) -> String {
    match (row.cost_usd, row.found.exchange.tokens) {
        (Some(dollars), _) => money(dollars),
        (None, Some(_)) => "?".to_owned(),
        (None, None) => String::new(),
    }
}

/// How it ended, why, and what is remarkable about it.
fn outcome(row: &Row) -> String {
    let x = &row.found.exchange;
    let mut text = match (x.outcome, x.status) {
        (Outcome::Cancelled, _) => "left by the client".to_owned(),
        (Outcome::Refused, Some(status)) => format!("refused {status}"),
        (outcome, _) => outcome.to_string(),
    };
    if x.outcome == Outcome::Completed {
        let tries = x.attempts.len();
        if tries > 1 {
            text += &format!(", {tries} tries");
        }
        match x.losses.len() {
            0 => {}
            1 => text += ", 1 loss",
            losses => text += &format!(", {losses} losses"),
        }
    } else if let Some(reason) = x.message.as_deref().or(x.error.as_deref()) {
        let reason: String = plain(reason).chars().take(LONGEST_REASON).collect();
        text += &format!(": {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use codeferry_app::history::Row;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::Table;

    fn rows() -> Vec<Row> {
        let row = |text: &str| serde_json::from_str::<Row>(text).unwrap();
        vec![
            row(
                r#"{"seq":1,"id":"req_0199d3a7c0de70008000aaaabbbbcccc","at":"2026-11-20T07:30:01Z","client":"claude-code",
                "dialect":"anthropic","path":"/v1/messages","asked":"claude-opus-4-8","model":"gpt-6.1-sol","effort":"high",
                "provider":"codex","account":"acc_0123456789abcdef","account_name":"work","streamed":true,
                "tokens":{"input":128403,"cached":120000,"output":2310,"reasoning":1200},"cost_nano_usd":51906000,
                "cost_usd":0.051906,"first_byte_ms":1840,"total_ms":48210,"outcome":"completed","status":200,
                "losses":["temperature","top_p"],"notes":[],"attempts":[
                    {"account":"acc_0123456789abcdef","provider":"codex","ms":300,"failure":"server","status":500},
                    {"account":"acc_0123456789abcdef","provider":"codex","ms":1500}]}"#,
            ),
            row(
                r#"{"seq":2,"id":"req_0199d3a7c0de70008000aaaabbbbdddd","at":"2026-11-20T07:31:00Z","client":"claude-code",
                "dialect":"anthropic","path":"/v1/messages","asked":"claude-opus-4-8","model":"gpt-6.1-sol",
                "provider":"codex","account":"acc_0123456789abcdef","account_name":"work","streamed":true,
                "tokens":null,"cost_nano_usd":null,"cost_usd":null,"first_byte_ms":null,"total_ms":210,
                "outcome":"refused","status":429,"error":"rate_limit_error",
                "message":"work has used up its 5-hour window; it resets at 12:40","losses":[],"notes":[],"attempts":[]}"#,
            ),
            row(r#"{"seq":3,"id":"req_0199d3a7c0de70008000aaaabbbbeeee","at":"2026-11-20T07:32:00Z","client":"",
                "dialect":"anthropic","path":"/v1/messages","asked":"a\u001b[2Jb","model":"",
                "provider":"","account":"","account_name":null,"streamed":false,
                "tokens":null,"cost_nano_usd":null,"cost_usd":null,"first_byte_ms":null,"total_ms":1,
                "outcome":"refused","status":401,"error":"authentication_error",
                "message":"this client key is not known here","losses":[],"notes":[],"attempts":[]}"#),
            row(r#"{"seq":4,"id":"req_0199d3a7c0de70008000aaaabbbbffff","at":"2026-11-20T07:33:00Z","client":"sdk",
                "dialect":"anthropic","path":"/v1/messages","asked":"gpt-9","model":"gpt-9",
                "provider":"plan","account":"acc_fedcba9876543210","account_name":null,"streamed":true,
                "tokens":{"input":12,"cached":0,"output":1234567,"reasoning":0},"cost_nano_usd":null,"cost_usd":null,
                "first_byte_ms":900,"total_ms":125000,"outcome":"cancelled","status":200,
                "losses":[],"notes":[],"attempts":[{"account":"acc_fedcba9876543210","provider":"plan","ms":800}]}"#),
        ]
    }

    #[test]
    fn it_fits_terminals_of_every_width() {
        let rows = rows();
        let rows: Vec<_> = rows.iter().collect();
        let today = date(2026, 11, 20);
        let drawn = |room| Table::new(&rows, TimeZone::UTC, today, room).all(&rows);
        let all = [Some(80), Some(120), None].map(drawn).join("\n\n");
        insta::assert_snapshot!(all);
        for room in 40..200 {
            assert!(drawn(Some(room)).lines().all(|line| line.chars().count() <= room), "{room}");
        }
    }

    #[test]
    fn a_day_that_is_not_today_is_said() {
        let rows = rows();
        let rows: Vec<_> = rows.iter().collect();
        let text = Table::new(&rows, TimeZone::UTC, date(2026, 11, 21), None).all(&rows);
        assert!(text.lines().nth(1).unwrap().starts_with("11-20 07:30:01"), "{text}");
    }
}
