//! What tokens would cost at the public API's list prices.
//!
//! A plan is paid by the month, so this is no bill: it tells how much work a plan did, in a measure people know. The
//! table is dated, each price has a source, and whoever knows better sets `price.MODEL`.

mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::log::Tokens;

/// The price of a model, in US dollars for a million tokens. Written `input/cached/output`, like `1.25/0.125/10`.
///
/// Held in billionths of a dollar for one token, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Price {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
}

/// Not a [`Price`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a price: write input/cached/output in dollars for a million tokens, like 1.25/0.125/10")]
pub struct NoPrice;

/// One line of the built-in table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The model upstream.
    pub model: &'static str,
    /// From when on.
    pub from: Timestamp,
    /// What it costs since.
    pub price: Price,
    /// Where that stands.
    pub source: &'static str,
}

/// All prices: the built-in table, and what a person set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices {
    own: BTreeMap<String, Price>,
}

/// A dollar for a million tokens, in billionths of a dollar for one.
const DOLLAR: u64 = 1_000;

// === impl Prices ===

impl Prices {
    /// The table, with prices of one's own before it.
    pub fn new(own: BTreeMap<String, Price>) -> Self {
        Self { own }
    }

    /// The built-in table, oldest first for each model.
    pub fn listed() -> &'static [Listed] {
        table::listed()
    }

    /// The prices a person set, by model.
    pub fn own(&self) -> impl Iterator<Item = (&str, Price)> {
        self.own.iter().map(|(model, price)| (model.as_str(), *price))
    }

    /// What a model cost at that time. `None`: nobody knows.
    pub fn of(&self, model: &str, at: Timestamp) -> Option<Price> {
        self.spans(model).into_iter().rev().find(|(from, _)| *from <= at).map(|(_, price)| price)
    }

    /// The prices of a model and from when each counts, oldest first.
    pub(crate) fn spans(&self, model: &str) -> Vec<(Timestamp, Price)> {
        match self.own.get(model) {
            Some(price) => vec![(Timestamp::MIN, *price)],
            None => Self::listed().iter().filter(|l| l.model == model).map(|l| (l.from, l.price)).collect(),
        }
    }

    /// The same for the same prices, another for others: those of a person, and those of this version.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (model, price) in &self.own {
            hash.update(format!("{model} {price}\n"));
        }
        for line in Self::listed() {
            hash.update(format!("{} {} {}\n", line.model, line.from, line.price));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What an exchange would have cost, in billionths of a dollar.
    pub(crate) fn cost(&self, model: &str, at: Timestamp, tokens: &Tokens) -> Option<i64> {
        let cost = self.of(model, at)?.of(tokens);
        Some(i64::try_from(cost).unwrap_or(i64::MAX))
    }
}

// === impl Price ===

impl Price {
    /// Input, cached input and output, in dollars for a million tokens.
    pub fn dollars(self) -> [f64; 3] {
        [self.input, self.cached, self.output].map(|each| each as f64 / DOLLAR as f64)
    }

    /// What these tokens cost, in billionths of a dollar.
    pub fn of(self, tokens: &Tokens) -> u64 {
        let cached = tokens.cached.min(tokens.input);
        let parts = [(tokens.input - cached, self.input), (cached, self.cached), (tokens.output, self.output)];
        parts.into_iter().fold(0, |sum: u64, (count, each)| sum.saturating_add(count.saturating_mul(each)))
    }
}

impl FromStr for Price {
    type Err = NoPrice;

    fn from_str(text: &str) -> Result<Self, NoPrice> {
        let mut parts = text.split('/').map(|part| amount(part).ok_or(NoPrice));
        let mut next = || parts.next().ok_or(NoPrice)?;
        let price = Self { input: next()?, cached: next()?, output: next()? };
        parts.next().map_or(Ok(price), |_| Err(NoPrice))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in [self.input, self.cached, self.output].into_iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            write!(f, "{}", part / DOLLAR)?;
            let rest = part % DOLLAR;
            if rest > 0 {
                write!(f, ".{}", format!("{rest:03}").trim_end_matches('0'))?;
            }
        }
        Ok(())
    }
}

/// Dollars with at most three decimals, up to a million.
fn amount(text: &str) -> Option<u64> {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || rest.len() > 3 || !digits(whole) || !digits(rest) {
        return None;
    }
    let rest = format!("{rest:0<3}");
    Some(whole.parse::<u64>().ok()? * DOLLAR + rest.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{NoPrice, Price, Prices};
    use crate::log::Tokens;

    #[test]
    fn prices_are_read_and_written() {
        for text in ["1.25/0.125/10", "0/0/0", "0.05/0.005/0.4", "999999/1/1"] {
            assert_eq!(text.parse::<Price>().map(|price| price.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "1", "1/2", "1/2/3/4", "-1/0/0", "1.2345/0/0", "a/b/c", "1e3/0/0", "10000000/0/0", "./1/1"] {
            assert_eq!(text.parse::<Price>(), Err(NoPrice), "{text:?}");
        }
    }

    #[test]
    fn cached_input_is_part_of_the_input() {
        let price: Price = "1.25/0.125/10".parse().unwrap();
        let tokens = Tokens { input: 1000, cached: 800, output: 10, reasoning: 5 };
        assert_eq!(price.of(&tokens), 200 * 1250 + 800 * 125 + 10 * 10_000);
        // More cached than there was: no more than all of it.
        assert_eq!(price.of(&Tokens { input: 10, cached: 20, output: 0, reasoning: 0 }), 10 * 125);
    }

    #[test]
    fn ones_own_price_comes_first() {
        let now = "2026-11-20T00:00:00Z".parse().unwrap();
        let own: Price = "3/0.3/9".parse().unwrap();
        let prices = Prices::new(BTreeMap::from([("m".to_owned(), own)]));
        assert_eq!(prices.of("m", now), Some(own));
        assert_eq!(prices.of("nobody-knows", now), None);
    }

    #[test]
    fn the_table_is_dated_sourced_and_in_order() {
        let listed = Prices::listed();
        assert!(!listed.is_empty());
        for pair in listed.windows(2) {
            assert!(pair[0].model != pair[1].model || pair[0].from < pair[1].from, "{pair:?}");
        }
        for line in listed {
            assert!(line.source.starts_with("https://"), "{line:?}");
            let before = line.from - jiff::SignedDuration::from_secs(1);
            assert_ne!(Prices::default().of(line.model, before), Some(line.price), "{line:?}");
            assert_eq!(Prices::default().of(line.model, line.from), Some(line.price), "{line:?}");
        }
    }
}
