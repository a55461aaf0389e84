//! What tokens would cost: the table, and what a person set.

use codeferry_store::prices::{Price, Prices};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// All prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceList {
    /// By model, the oldest first.
    pub prices: Vec<PriceRow>,
}

/// One price, in dollars for a million tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRow {
    /// The model upstream.
    pub model: String,
    /// From when on; `None`: always.
    pub from: Option<Timestamp>,
    /// Of input that is not cached.
    pub input: f64,
    /// Of cached input.
    pub cached: f64,
    /// Of output.
    pub output: f64,
    /// Where that stands; `None`: a person set it.
    pub source: Option<String>,
    /// A person set it (`price.MODEL`), and it stands before the table.
    pub own: bool,
    /// It is the one that counts now.
    pub counts: bool,
}

// === impl PriceList ===

impl PriceList {
    /// The table, with prices of one's own.
    pub fn of(prices: &Prices, now: Timestamp) -> Self {
        let row = |model: &str, from: Option<Timestamp>, price: Price, source: Option<&str>| {
            let [input, cached, output] = price.dollars();
            let (source, own) = (source.map(str::to_owned), source.is_none());
            PriceRow { model: model.to_owned(), from, input, cached, output, source, own, counts: own }
        };
        let own = prices.own().map(|(model, price)| row(model, None, price, None));
        let listed = Prices::listed().iter().map(|l| row(l.model, Some(l.from), l.price, Some(l.source)));
        let mut rows: Vec<_> = own.chain(listed).collect();
        rows.sort_by(|a, b| (&a.model, a.from).cmp(&(&b.model, b.from)));
        for index in 0..rows.len() {
            let later = rows.get(index + 1).filter(|later| later.model == rows[index].model);
            let replaced = later.is_some_and(|later| later.from.is_some_and(|from| from <= now));
            let begun = rows[index].from.is_some_and(|from| from <= now);
            let has_own = rows.iter().any(|row| row.own && row.model == rows[index].model);
            rows[index].counts = if has_own { rows[index].own } else { begun && !replaced };
        }
        Self { prices: rows }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{PriceList, Prices};

    #[test]
    fn one_price_of_a_model_counts() {
        let own = BTreeMap::from([("gpt-5.6-sol".to_owned(), "3/0.3/9".parse().unwrap())]);
        let list = PriceList::of(&Prices::new(own), "2026-11-20T00:00:00Z".parse().unwrap());
        let mut models: Vec<_> = list.prices.iter().map(|row| row.model.as_str()).collect();
        models.dedup();
        for model in models {
            let counting: Vec<_> = list.prices.iter().filter(|row| row.model == model && row.counts).collect();
            assert_eq!(counting.len(), 1, "{model}");
            assert_eq!(counting[0].own, model == "gpt-5.6-sol", "{model}");
        }
        let own = list.prices.iter().find(|row| row.own).unwrap();
        assert_eq!((own.input, own.cached, own.output, own.source.as_deref()), (3.0, 0.3, 9.0, None));
        assert!(
            list.prices.iter().all(|row| row.own || row.source.as_deref().is_some_and(|at| at.starts_with("https")))
        );
    }
}
