//! Sums are the sums of the rows, however they are asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::{By, Exchange, Filter, Log, Outcome, Tokens, Totals, UsageQuery};
use super::{home, open};

const BASE: i64 = 1_795_100_000_000;

fn any_exchange() -> impl Strategy<Value = Exchange> {
    let tokens = proptest::option::of((0..5000u64, 0..5000u64, 0..900u64, 0..900u64));
    let words = (0..3usize, 0..2usize, 0..2usize, 0..4usize);
    // About three hours around the edges of an hour.
    (0..10_800_000i64, words, tokens, proptest::option::of(0..9000u64), 0..60_000u64).prop_map(
        |(offset, (model, account, client, outcome), tokens, first_byte_ms, total_ms)| Exchange {
            at: Timestamp::from_millisecond(BASE + offset).unwrap(),
            model: ["gpt-6.1-sol", "gpt-6-luna", "unknown"][model].into(),
            account: ["acc_1", ""][account].into(),
            client: ["a", "b"][client].into(),
            provider: "codex".into(),
            dialect: "anthropic".into(),
            outcome: Outcome::ALL[outcome],
            tokens: tokens.map(|(input, cached, output, reasoning)| Tokens {
                input,
                cached: cached.min(input),
                output,
                reasoning: reasoning.min(output),
            }),
            first_byte_ms,
            total_ms,
            ..Exchange::default()
        },
    )
}

fn of_rows(log: &Log, query: &UsageQuery) -> (Totals, BTreeMap<Vec<String>, Totals>) {
    let filter = Filter {
        since: query.since,
        until: query.until,
        account: query.account.clone(),
        client: query.client.clone(),
        ..Filter::default()
    };
    let (mut total, mut sums) = (Totals::default(), BTreeMap::<_, Totals>::new());
    for found in log.page(&filter, None, 1000).unwrap().exchanges {
        let x = &found.exchange;
        let tokens = x.tokens.unwrap_or_default();
        let int = |count: u64| i64::try_from(count).unwrap();
        let one = Totals {
            requests: 1,
            refused: (x.outcome == Outcome::Refused).into(),
            failed: (x.outcome == Outcome::Failed).into(),
            cancelled: (x.outcome == Outcome::Cancelled).into(),
            counted: x.tokens.is_some().into(),
            input: int(tokens.input),
            cached: int(tokens.cached),
            output: int(tokens.output),
            reasoning: int(tokens.reasoning),
            cost_nano_usd: found.cost_nano_usd.unwrap_or_default(),
            unpriced: (x.tokens.is_some() && found.cost_nano_usd.is_none()).into(),
            begun: x.first_byte_ms.is_some().into(),
            first_byte_ms: int(x.first_byte_ms.unwrap_or_default()),
            total_ms: int(x.total_ms),
            counted_ms: int(x.tokens.map_or(0, |_| x.total_ms)),
        };
        let hour = Timestamp::from_millisecond(x.at.as_millisecond() / 3_600_000 * 3_600_000).unwrap();
        let key = query.by.iter().map(|by| match by {
            By::Hour => hour.to_string(),
            By::Model => x.model.clone(),
            By::Account => x.account.clone(),
            By::Client => x.client.clone(),
            other => panic!("{other}"),
        });
        total.add(&one);
        sums.entry(key.collect()).or_default().add(&one);
    }
    (total, sums)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_sums_are_the_sums_of_the_rows(
        exchanges in proptest::collection::vec(any_exchange(), 0..60),
        by in proptest::sample::subsequence(vec![By::Hour, By::Model, By::Account, By::Client], 0..4),
        since in proptest::option::of(0..10_800_000i64),
        until in proptest::option::of(0..10_800_000i64),
        account in proptest::option::of(Just("acc_1".to_owned())),
        client in proptest::option::of(Just("b".to_owned())),
    ) {
        let home = home();
        let log = open(home.path());
        for (number, exchange) in exchanges.into_iter().enumerate() {
            log.record(Exchange { id: number.to_string(), ..exchange });
        }
        let at = |offset: i64| Timestamp::from_millisecond(BASE + offset).unwrap();
        let query = UsageQuery { since: since.map(at), until: until.map(at), by, account, client, ..UsageQuery::default() };
        let usage = log.usage(&query).unwrap();
        let (total, sums) = of_rows(&log, &query);
        prop_assert_eq!(usage.total, total);
        if !query.by.is_empty() {
            prop_assert_eq!(usage.sums.into_iter().map(|sum| (sum.key, sum.totals)).collect::<BTreeMap<_, _>>(), sums);
        }
    }
}
