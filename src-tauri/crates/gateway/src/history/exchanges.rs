//! Rows of the request log, with what makes them readable.

use std::collections::{BTreeMap, BTreeSet};

use codeferry_store::log::{Filter, Found, Log, LogError, Outcome};
use codeferry_translate::Loss;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BadParameter, Names, Params, dollars};

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct ExchangeQuery {
    filter: Filter,
    before: Option<i64>,
    limit: Option<usize>,
}

/// Rows, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExchangePage {
    /// The rows.
    pub exchanges: Vec<Row>,
    /// Ask for what comes `before` this; `None`: that was all. A search for a text looks at so many rows at a time: its
    /// page may be short, even empty, and yet not the last.
    pub next: Option<i64>,
}

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// As it is kept.
    #[serde(flatten)]
    pub found: Found,
    /// How its owner calls the account that served; `None`: not known any more.
    pub account_name: Option<String>,
    /// What it would have cost at list prices, in dollars; `None`: nobody knows.
    pub cost_usd: Option<f64>,
}

/// Everything that is known of an exchange.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// How their owner calls the accounts of the attempts, by id.
    pub account_names: BTreeMap<String, String>,
    /// What the losses mean, in their order.
    pub explained: Vec<Explained>,
}

/// A loss, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Its name.
    pub loss: String,
    /// What it means; `None`: another version wrote it.
    pub meaning: Option<String>,
}

/// Rows of a page, where nobody says how many.
const USUAL: usize = 100;
/// Rows of a page at most.
const LONGEST_PAGE: usize = 1000;

// === impl ExchangeQuery ===

impl ExchangeQuery {
    /// The parameters there are.
    pub const PARAMETERS: &[&str] = &[
        "since",
        "until",
        "model",
        "account",
        "client",
        "outcome",
        "status",
        "conversation",
        "q",
        "before",
        "limit",
        "tz",
    ];

    /// For a page.
    ///
    /// # Errors
    /// When a parameter cannot be used.
    pub fn read(pairs: Vec<(String, String)>, names: &Names, now: Timestamp) -> Result<Self, BadParameter> {
        Self::read_up_to(LONGEST_PAGE, pairs, names, now)
    }

    /// For as many as there are.
    ///
    /// # Errors
    /// When a parameter cannot be used.
    pub fn read_all(pairs: Vec<(String, String)>, names: &Names, now: Timestamp) -> Result<Self, BadParameter> {
        Self::read_up_to(usize::MAX, pairs, names, now)
    }

    fn read_up_to(
        most: usize,
        pairs: Vec<(String, String)>,
        names: &Names,
        now: Timestamp,
    ) -> Result<Self, BadParameter> {
        let params = Params::read(pairs, Self::PARAMETERS, now)?;
        let zone = params.zone("tz")?;
        let outcomes = Outcome::ALL.map(Outcome::as_str).join(", ");
        let filter = Filter {
            since: params.moment("since", &zone)?,
            until: params.moment("until", &zone)?,
            model: params.owned("model"),
            account: params.text("account").map(|text| names.meant("account", text)).transpose()?,
            client: params.owned("client"),
            outcomes: params.words("outcome", Outcome::parse, &outcomes)?,
            status: params.number("status", 100..=599)?,
            conversation: params.owned("conversation"),
            text: params.owned("q"),
        };
        Ok(Self { filter, before: params.number("before", 1..=i64::MAX)?, limit: params.number("limit", 1..=most)? })
    }

    /// A page of them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn page(&self, log: &Log, names: &Names) -> Result<ExchangePage, LogError> {
        self.page_of(log, names, self.limit.unwrap_or(USUAL))
    }

    /// The next of all of them, page by page: [`None`] where there is none left. A `limit` is that of them all.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn next(&mut self, log: &Log, names: &Names) -> Result<Option<Vec<Row>>, LogError> {
        const STEP: usize = 500;
        loop {
            let left = self.limit.unwrap_or(usize::MAX);
            if left == 0 {
                return Ok(None);
            }
            let page = self.page_of(log, names, left.min(STEP))?;
            self.before = page.next;
            self.limit = match page.next {
                None => Some(0),
                Some(_) => self.limit.map(|limit| limit - page.exchanges.len().min(limit)),
            };
            // A search may look through many rows and find none.
            if !page.exchanges.is_empty() {
                return Ok(Some(page.exchanges));
            }
        }
    }

    fn page_of(&self, log: &Log, names: &Names, limit: usize) -> Result<ExchangePage, LogError> {
        let page = log.page(&self.filter, self.before, limit)?;
        let exchanges = page.exchanges.into_iter().map(|found| Row::of(found, names)).collect();
        Ok(ExchangePage { exchanges, next: page.next })
    }
}

// === impl Row ===

impl Row {
    pub(super) fn of(found: Found, names: &Names) -> Self {
        let account_name = names.call(&found.exchange.account);
        let cost_usd = found.cost_nano_usd.map(dollars);
        Self { found, account_name, cost_usd }
    }

    /// How to call the account that served: its name, else its id.
    pub fn account(&self) -> &str {
        self.account_name.as_deref().unwrap_or(&self.found.exchange.account)
    }
}

// === impl Detail ===

impl Detail {
    /// Everything about the exchange of that id.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn find(log: &Log, names: &Names, id: &str) -> Result<Option<Self>, LogError> {
        Ok(log.get(id)?.map(|found| Self::of(Row::of(found, names), names)))
    }

    fn of(row: Row, names: &Names) -> Self {
        let exchange = &row.found.exchange;
        let ids: BTreeSet<_> = exchange.attempts.iter().map(|attempt| attempt.account.as_str()).collect();
        let explain = |name: &String| Explained {
            loss: name.clone(),
            meaning: Loss::parse(name).map(|loss| loss.meaning().to_owned()),
        };
        let (account_names, explained) = (names.call_all(ids), exchange.losses.iter().map(explain).collect());
        Self { row, account_names, explained }
    }
}
