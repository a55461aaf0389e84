//! Sums of the request log, with the shares that people ask for.

use std::collections::BTreeMap;

use codeferry_store::log::{By, Log, LogError, Sum, Totals, UsageQuery};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BadParameter, Names, Params, dollars};

/// Which sums.
#[derive(Debug, Clone, Default)]
pub struct UsageAsk {
    query: UsageQuery,
}

/// What was used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageReport {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// The time zone whose days are meant.
    pub tz: String,
    /// What is summed by, in this order.
    pub by: Vec<String>,
    /// All of it.
    pub total: Figures,
    /// By key, in the order of the keys.
    pub sums: Vec<UsageRow>,
}

/// One sum.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageRow {
    /// What it is the sum of: for each word of `by` the start of the hour or day, or a name. Empty: not known.
    pub key: BTreeMap<String, String>,
    /// How its owner calls the account of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures and what follows from them. A share of nothing is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Exchanges.
    pub requests: i64,
    /// Those that were answered to the end.
    pub completed: i64,
    /// Those that got an HTTP error instead of an answer.
    pub refused: i64,
    /// Those whose answer broke off.
    pub failed: i64,
    /// Those that the client left.
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
    /// The cost at list prices, in dollars; without that of the `unpriced`.
    pub cost_usd: f64,
    /// The same in billionths of a dollar, exact.
    pub cost_nano_usd: i64,
    /// Exchanges with tokens whose price nobody knows.
    pub unpriced: i64,
    /// Of the input, in percent.
    pub cached_percent: Option<f64>,
    /// Until the first byte of an answer, over those that have one.
    pub average_first_byte_ms: Option<f64>,
    /// Tokens of output for each second of those whose tokens are known, waiting included.
    pub tokens_per_second: Option<f64>,
}

// === impl UsageAsk ===

impl UsageAsk {
    /// The parameters there are.
    pub const PARAMETERS: &[&str] = &["since", "until", "by", "tz", "model", "account", "client"];

    /// # Errors
    /// When a parameter cannot be used.
    pub fn read(pairs: Vec<(String, String)>, names: &Names, now: Timestamp) -> Result<Self, BadParameter> {
        let params = Params::read(pairs, Self::PARAMETERS, now)?;
        let zone = params.zone("tz")?;
        let by = params.words("by", By::parse, &By::ALL.map(By::as_str).join(", "))?;
        if let Some(twice) = by.iter().enumerate().find_map(|(index, one)| by[..index].contains(one).then_some(one)) {
            return Err(BadParameter::new("by", format!("{twice} stands there twice")));
        }
        let query = UsageQuery {
            since: params.moment("since", &zone)?,
            until: params.moment("until", &zone)?,
            by,
            model: params.owned("model"),
            account: params.text("account").map(|text| names.meant("account", text)).transpose()?,
            client: params.owned("client"),
            zone: Some(zone),
        };
        Ok(Self { query })
    }

    /// All since a moment.
    pub fn since(since: Timestamp) -> Self {
        Self { query: UsageQuery { since: Some(since), ..UsageQuery::default() } }
    }

    /// The sums.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn report(&self, log: &Log, names: &Names) -> Result<UsageReport, LogError> {
        let query = &self.query;
        let usage = log.usage(query)?;
        let words: Vec<_> = query.by.iter().map(|by| by.to_string()).collect();
        let row = |sum: Sum| {
            let key: BTreeMap<_, _> = words.iter().cloned().zip(sum.key).collect();
            let account_name = key.get(By::Account.as_str()).and_then(|id| names.call(id));
            UsageRow { key, account_name, figures: Figures::of(&sum.totals) }
        };
        Ok(UsageReport {
            since: query.since,
            until: query.until,
            tz: query.zone.as_ref().and_then(|zone| zone.iana_name()).unwrap_or("local").to_owned(),
            total: Figures::of(&usage.total),
            sums: usage.sums.into_iter().map(row).collect(),
            by: words,
        })
    }
}

// === impl Figures ===

impl Figures {
    fn of(totals: &Totals) -> Self {
        let t = totals;
        Self {
            requests: t.requests,
            completed: t.requests - t.refused - t.failed - t.cancelled,
            refused: t.refused,
            failed: t.failed,
            cancelled: t.cancelled,
            counted: t.counted,
            input: t.input,
            cached: t.cached,
            output: t.output,
            reasoning: t.reasoning,
            cost_usd: dollars(t.cost_nano_usd),
            cost_nano_usd: t.cost_nano_usd,
            unpriced: t.unpriced,
            cached_percent: share(100 * t.cached, t.input),
            average_first_byte_ms: share(t.first_byte_ms, t.begun),
            tokens_per_second: share(1000 * t.output, t.counted_ms).filter(|_| t.output > 0),
        }
    }
}

/// How many percent of something.
pub(super) fn percent_of(part: u64, whole: u64) -> Option<f64> {
    let int = |count: u64| i64::try_from(count).unwrap_or(i64::MAX / 1000);
    share(int(part).saturating_mul(100), int(whole))
}

/// To one decimal.
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10.0).round() / 10.0)
}
