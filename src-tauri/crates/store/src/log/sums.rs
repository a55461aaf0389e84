//! Sums of the rows: by hour, day, model, account, client and more.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::write::HOUR_MS;
use super::{Log, LogError};

/// What to sum by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Hours of UTC.
    Hour,
    /// Days of a time zone. An hour counts where it begins.
    Day,
    /// The model upstream.
    Model,
    /// Whose host served.
    Provider,
    /// The account that paid.
    Account,
    /// The client key.
    Client,
    /// The client's language.
    Dialect,
}

/// Which sums.
#[derive(Debug, Clone, Default)]
pub struct UsageQuery {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// The key of a sum, in this order. Nothing: one sum of all.
    pub by: Vec<By>,
    /// Only this model.
    pub model: Option<String>,
    /// Only this account.
    pub account: Option<String>,
    /// Only this client.
    pub client: Option<String>,
    /// Whose days.
    pub zone: Option<TimeZone>,
}

/// What was used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// All of it.
    pub total: Totals,
    /// By key, in the order of the keys.
    pub sums: Vec<Sum>,
}

/// One sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// What it is the sum of, as [`UsageQuery::by`] asks: the start of the hour or day (RFC 3339), or a name. Empty:
    /// not known.
    pub key: Vec<String>,
    /// The figures.
    #[serde(flatten)]
    pub totals: Totals,
}

/// Figures that can be added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Exchanges.
    pub requests: i64,
    /// Those that were answered with an HTTP error.
    pub refused: i64,
    /// Those whose answer broke off.
    pub failed: i64,
    /// Those the client left.
    pub cancelled: i64,
    /// Those whose tokens are known.
    pub counted: i64,
    /// Tokens of input, cached ones among them.
    pub input: i64,
    /// Tokens of input from the prompt cache.
    pub cached: i64,
    /// Tokens of output, reasoning among them.
    pub output: i64,
    /// Tokens of reasoning.
    pub reasoning: i64,
    /// At list prices, in billionths of a dollar; without those [unpriced](Self::unpriced).
    pub cost_nano_usd: i64,
    /// Exchanges with tokens whose price nobody knows.
    pub unpriced: i64,
    /// Exchanges with a first byte.
    pub begun: i64,
    /// The sum of the times to the first byte, in milliseconds.
    pub first_byte_ms: i64,
    /// The sum of all durations, in milliseconds.
    pub total_ms: i64,
    /// The same of those whose tokens are known.
    pub counted_ms: i64,
}

// === impl By ===

impl By {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Hour, Self::Day, Self::Model, Self::Provider, Self::Account, Self::Client, Self::Dialect];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Account => "account",
            Self::Client => "client",
            Self::Dialect => "dialect",
        }
    }

    /// What that word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }

    /// Days are made of hours.
    fn column(self) -> &'static str {
        match self {
            Self::Hour | Self::Day => "hour",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Totals ===

impl Totals {
    /// Adds another's figures.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.refused += other.refused;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.counted += other.counted;
        self.input += other.input;
        self.cached += other.cached;
        self.output += other.output;
        self.reasoning += other.reasoning;
        self.cost_nano_usd += other.cost_nano_usd;
        self.unpriced += other.unpriced;
        self.begun += other.begun;
        self.first_byte_ms += other.first_byte_ms;
        self.total_ms += other.total_ms;
        self.counted_ms += other.counted_ms;
    }
}

// === impl Log ===

impl Log {
    /// What was used, exact to the millisecond where the rows are still there, else to the hour.
    ///
    /// # Errors
    /// See [`LogError`]. No file: nothing was used.
    pub fn usage(&self, query: &UsageQuery) -> Result<Usage, LogError> {
        self.read(|connection| usage(connection, query))
    }
}

/// Whole hours come from the sums, the rest at both ends from the rows.
fn usage(connection: &Connection, query: &UsageQuery) -> Result<Usage, rusqlite::Error> {
    let since = query.since.map_or(0, |since| since.as_millisecond().max(0));
    let until = query.until.map_or(i64::MAX, Timestamp::as_millisecond);
    if until <= since {
        return Ok(Usage::default());
    }
    let first = since.div_euclid(HOUR_MS) + i64::from(since.rem_euclid(HOUR_MS) != 0);
    let last = if until == i64::MAX { i64::MAX } else { until.div_euclid(HOUR_MS) };
    let mut sums = BTreeMap::new();
    let mut add = |from: &str, between: [i64; 2]| gather(connection, query, from, between, &mut sums);
    if last <= first {
        // No whole hour.
        add(ROWS, [since, until])?;
    } else {
        add(ROWS, [since, first * HOUR_MS])?;
        add(SUMS, [first, last])?;
        if last != i64::MAX {
            add(ROWS, [last * HOUR_MS, until])?;
        }
    }
    let mut total = Totals::default();
    let sums = sums.into_iter().map(|(key, totals)| {
        total.add(&totals);
        Sum { key, totals }
    });
    let sums: Vec<_> = sums.collect();
    Ok(Usage { total, sums: if query.by.is_empty() { Vec::new() } else { sums } })
}

const SUMS: &str = "usage_hour WHERE hour >= ?1 AND hour < ?2";

/// A row, seen as the sum of itself.
const ROWS: &str = "(
  SELECT at / 3600000 AS hour, model, provider, account, client, dialect, 1 AS requests,
    outcome = 'refused' AS refused, outcome = 'failed' AS failed, outcome = 'cancelled' AS cancelled,
    input IS NOT NULL AS counted, coalesce(input, 0) AS input, coalesce(cached, 0) AS cached,
    coalesce(output, 0) AS output, coalesce(reasoning, 0) AS reasoning, coalesce(cost_nano_usd, 0) AS cost_nano_usd,
    input IS NOT NULL AND cost_nano_usd IS NULL AS unpriced, first_byte_ms IS NOT NULL AS begun,
    coalesce(first_byte_ms, 0) AS first_byte_ms, total_ms, CASE WHEN input IS NULL THEN 0 ELSE total_ms END AS counted_ms
  FROM exchange JOIN facet ON facet.id = exchange.facet WHERE at >= ?1 AND at < ?2
) WHERE true";

type Sums = BTreeMap<Vec<String>, Totals>;

fn gather(
    connection: &Connection,
    query: &UsageQuery,
    from: &str,
    [start, end]: [i64; 2],
    sums: &mut Sums,
) -> Result<(), rusqlite::Error> {
    if start >= end {
        return Ok(());
    }
    let columns: Vec<&str> = query.by.iter().map(|by| by.column()).collect();
    let group = if columns.is_empty() { String::new() } else { format!(" GROUP BY {}", columns.join(", ")) };
    let keys: String = columns.iter().map(|column| format!(", {column}")).collect();
    let sql = format!(
        "SELECT sum(requests), sum(refused), sum(failed), sum(cancelled), sum(counted), sum(input), sum(cached), sum(output), sum(reasoning), sum(cost_nano_usd),
           sum(unpriced), sum(begun), sum(first_byte_ms), sum(total_ms), sum(counted_ms){keys}
         FROM {from} AND (?3 IS NULL OR model = ?3) AND (?4 IS NULL OR account = ?4) AND (?5 IS NULL OR client = ?5){group}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![start, end, query.model, query.account, query.client])?;
    while let Some(row) = rows.next()? {
        let Some(requests) = row.get::<_, Option<i64>>(0)? else { continue };
        let totals = Totals {
            requests,
            refused: row.get(1)?,
            failed: row.get(2)?,
            cancelled: row.get(3)?,
            counted: row.get(4)?,
            input: row.get(5)?,
            cached: row.get(6)?,
            output: row.get(7)?,
            reasoning: row.get(8)?,
            cost_nano_usd: row.get(9)?,
            unpriced: row.get(10)?,
            begun: row.get(11)?,
            first_byte_ms: row.get(12)?,
            total_ms: row.get(13)?,
            counted_ms: row.get(14)?,
        };
        let mut key = Vec::with_capacity(query.by.len());
        for (index, by) in query.by.iter().enumerate() {
            let column = 15 + index;
            key.push(match by {
                By::Hour => start_of_hour(row.get(column)?).to_string(),
                By::Day => start_of_day(row.get(column)?, query.zone.as_ref()),
                _ => row.get(column)?,
            });
        }
        sums.entry(key).or_default().add(&totals);
    }
    Ok(())
}

fn start_of_hour(hour: i64) -> Timestamp {
    Timestamp::from_millisecond(hour.saturating_mul(HOUR_MS)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The instant at which the day of this hour begins, with the offset of its zone.
fn start_of_day(hour: i64, zone: Option<&TimeZone>) -> String {
    let zoned = start_of_hour(hour).to_zoned(zone.cloned().unwrap_or(TimeZone::UTC));
    let start = zoned.start_of_day().unwrap_or(zoned);
    start.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
