//! The log under rows, time and trouble.

mod conversations;
mod faults;
mod laws;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::{Attempt, By, Exchange, Filter, Keep, Log, Outcome, Prefix, Tokens, UsageQuery};
use crate::prices::Prices;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn keep() -> Keep {
    Keep { on: true, days: 90, mib: 256, sums_days: 1000 }
}

fn open(home: &Path) -> Log {
    with(home, keep(), Prices::default())
}

fn with(home: &Path, keep: Keep, prices: Prices) -> Log {
    Log::open(home.join("log.sqlite"), keep, prices, Arc::new(now))
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// One that is like no other.
fn exchange(number: u32) -> Exchange {
    Exchange {
        id: format!("req_{number:06}"),
        at: now() - SignedDuration::from_mins(i64::from(number)),
        client: "laptop".into(),
        dialect: "anthropic".into(),
        path: "/v1/messages".into(),
        asked: "claude-opus-4-8".into(),
        model: "gpt-6.1-sol".into(),
        provider: "codex".into(),
        account: "acc_1".into(),
        streamed: true,
        tokens: Some(Tokens { input: 1000, cached: 800, output: 50, reasoning: 20 }),
        first_byte_ms: Some(400),
        total_ms: 900,
        status: Some(200),
        ..Exchange::default()
    }
}

fn ids(log: &Log, filter: &Filter) -> Vec<String> {
    log.page(filter, None, 100).unwrap().exchanges.into_iter().map(|found| found.exchange.id).collect()
}

#[test]
fn a_row_comes_back_as_it_went() {
    let home = home();
    let log = open(home.path());
    let whole = Exchange {
        user_agent: Some("claude-cli/2".into()),
        conversation: Some("c".into()),
        effort: Some("high".into()),
        route: Some("route.opus".into()),
        picked: Some("active".into()),
        outcome: Outcome::Failed,
        error: Some("cut_off".into()),
        message: Some("the answer broke off".into()),
        losses: vec!["stop_sequences".into()],
        notes: vec!["late_id".into()],
        attempts: vec![Attempt {
            account: "acc_1".into(),
            provider: "codex".into(),
            ms: 12,
            failure: Some("server".into()),
            status: Some(502),
            upstream_id: Some("u".into()),
        }],
        upstream_id: Some("u".into()),
        prefix: Some(Prefix { broke: Some("tools".into()), item: Some(3), items: 9, turn: 2 }),
        ..exchange(1)
    };
    let bare = Exchange { id: "req_bare".into(), at: now(), ..Exchange::default() };
    log.record(whole.clone());
    log.record(bare.clone());
    assert_eq!(log.get("req_000001").unwrap().map(|found| found.exchange), Some(whole));
    assert_eq!(log.get("req_bare").unwrap().map(|found| found.exchange), Some(bare));
    assert_eq!(log.get("req_none").unwrap(), None);
    // 200 fresh at $2, 800 cached at $0.10, 50 out at $10 for a million.
    let cost = log.get("req_000001").unwrap().unwrap().cost_nano_usd;
    assert_eq!(cost, Some(200 * 2_000 + 800 * 100 + 50 * 10_000));
}

#[test]
fn nothing_is_made_before_the_first_row_and_nothing_found_without_a_file() {
    let home = home();
    let log = open(home.path());
    assert_eq!(log.page(&Filter::default(), None, 10).unwrap().exchanges, []);
    assert_eq!(log.usage(&UsageQuery::default()).unwrap().total.requests, 0);
    log.set_prices(Prices::new(BTreeMap::from([("m".into(), "1/1/1".parse().unwrap())])));
    log.flush();
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    log.record(exchange(1));
    assert_eq!(ids(&Log::look(home.path().join("log.sqlite")), &Filter::default()), [""; 0], "not written yet");
    log.flush();
    assert_eq!(ids(&Log::look(home.path().join("log.sqlite")), &Filter::default()), ["req_000001"]);
}

#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    let log = open(home.path());
    log.record(exchange(1));
    log.flush();
    let files: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(files.len() >= 2, "the write-ahead log is there: {files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[test]
fn pages_follow_one_another_and_filters_narrow_them() {
    let home = home();
    let log = open(home.path());
    for number in 0..25 {
        let mut x = exchange(100 - number);
        if number % 5 == 0 {
            x.outcome = Outcome::Refused;
            x.status = Some(429);
            x.message = Some("100%_done".into());
        }
        if number % 2 == 0 {
            (x.client, x.account, x.model) = ("desk".into(), "acc_2".into(), "gpt-6-luna".into());
            x.conversation = Some("talk".into());
        }
        log.record(x);
    }
    let first = log.page(&Filter::default(), None, 10).unwrap();
    let second = log.page(&Filter::default(), first.next, 10).unwrap();
    let third = log.page(&Filter::default(), second.next, 10).unwrap();
    let all: Vec<_> = [&first, &second, &third].iter().flat_map(|page| &page.exchanges).map(|x| x.seq).collect();
    // The later it was recorded, the later the request came in.
    assert_eq!(all, (1..=25).rev().collect::<Vec<_>>());
    assert_eq!(third.next, None);
    assert_eq!(log.page(&Filter::default(), Some(1), 10).unwrap().exchanges, []);

    let count = |filter: Filter| ids(&log, &filter).len();
    let one = |text: &str| Some(text.to_owned());
    assert_eq!(count(Filter { model: one("gpt-6-luna"), ..Filter::default() }), 13);
    assert_eq!(count(Filter { model: one("claude-opus-4-8"), ..Filter::default() }), 25, "as asked for");
    assert_eq!(count(Filter { account: one("acc_2"), client: one("desk"), ..Filter::default() }), 13);
    assert_eq!(count(Filter { account: one("acc_2"), client: one("laptop"), ..Filter::default() }), 0);
    assert_eq!(count(Filter { outcomes: vec![Outcome::Refused], ..Filter::default() }), 5);
    assert_eq!(count(Filter { outcomes: vec![Outcome::Refused, Outcome::Completed], ..Filter::default() }), 25);
    assert_eq!(count(Filter { status: Some(429), ..Filter::default() }), 5);
    assert_eq!(count(Filter { conversation: one("talk"), ..Filter::default() }), 13);
    assert_eq!(count(Filter { text: one("%_DONE"), ..Filter::default() }), 5, "signs of the pattern are plain text");
    assert_eq!(count(Filter { text: one("%x"), ..Filter::default() }), 0);
    assert_eq!(count(Filter { text: one("' OR 1=1 --"), ..Filter::default() }), 0);
    let [since, until] = [90, 80].map(|minutes| now() - SignedDuration::from_mins(minutes));
    assert_eq!(count(Filter { since: Some(since), until: Some(until), ..Filter::default() }), 10);
}

/// Rows are recorded when exchanges end, and shown by when they began; two may begin in the same millisecond.
#[test]
fn pages_go_by_time_and_lose_no_row_on_the_way() {
    let home = home();
    let log = open(home.path());
    for number in 0..40 {
        let at = now() - SignedDuration::from_secs(i64::from(number * 7 % 10));
        log.record(Exchange { at, account: format!("acc_{}", number % 3), ..exchange(number) });
    }
    for filter in [
        Filter::default(),
        Filter { model: Some("gpt-6.1-sol".into()), ..Filter::default() },
        Filter { text: Some("claude".into()), ..Filter::default() },
    ] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = log.page(&filter, before, 7).unwrap();
            seen.extend(page.exchanges.iter().map(|found| (found.exchange.at, found.seq)));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 40, "{filter:?}");
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");
    }
}

/// A search looks at ten thousand rows, and says where it stopped.
#[test]
fn a_search_goes_on_where_it_stopped() {
    let home = home();
    let log = open(home.path());
    for number in 0..10_050 {
        let error = (number == 10_040).then(|| "needle".to_owned());
        log.record(Exchange { error, ..exchange(number) });
        if number % 1000 == 0 {
            log.flush();
        }
    }
    let filter = Filter { text: Some("needle".into()), ..Filter::default() };
    let first = log.page(&filter, None, 10).unwrap();
    assert_eq!(first.exchanges, []);
    let second = log.page(&filter, first.next, 10).unwrap();
    assert_eq!(second.exchanges.len(), 1);
    assert_eq!((second.exchanges[0].exchange.id.as_str(), second.next), ("req_010040", None));
}

#[test]
fn old_rows_go_and_their_sums_stay() {
    let home = home();
    let short = Keep { days: 30, ..keep() };
    let log = with(home.path(), short.clone(), Prices::default());
    let old =
        |number: u32, days: i64| Exchange { at: now() - SignedDuration::from_hours(24 * days), ..exchange(number) };
    for (number, days) in [(1, 29), (2, 31), (3, 999), (4, 1001)] {
        log.record(old(number, days));
    }
    log.flush();
    // Pruned when the writer starts, which is with the first batch; and whenever the bounds change.
    log.set_keep(Keep { mib: 255, ..short });
    assert_eq!(ids(&log, &Filter::default()), ["req_000001"]);
    assert_eq!(
        log.usage(&UsageQuery::default()).unwrap().total.requests,
        3,
        "all but what is older than the sums may be"
    );
    log.set_keep(Keep { on: false, ..keep() });
    log.record(exchange(9));
    assert_eq!(log.get("req_000009").unwrap(), None, "switched off");
    assert_eq!(log.health().dropped, 0, "what is not wanted is not lost");
}

#[test]
fn the_file_stays_within_its_size() {
    let home = home();
    let log = with(home.path(), Keep { mib: 1, ..keep() }, Prices::default());
    let long = "x".repeat(400);
    for number in 0..12_000 {
        log.record(Exchange { message: Some(long.clone()), ..exchange(number) });
        if number % 1000 == 0 {
            log.flush();
        }
    }
    log.close();
    let size = std::fs::metadata(home.path().join("log.sqlite")).unwrap().len();
    assert!(size < 3 * 1024 * 1024, "{size} bytes");
    let left = Log::look(home.path().join("log.sqlite"));
    assert!(left.get("req_011999").unwrap().is_some() && left.get("req_000000").unwrap().is_none(), "the newest stay");
    assert_eq!(left.usage(&UsageQuery::default()).unwrap().total.requests, 12_000);
}

#[test]
fn prices_of_ones_own_count_for_what_was_recorded_too() {
    let home = home();
    let log = open(home.path());
    log.record(Exchange { model: "house-model".into(), ..exchange(1) });
    log.record(Exchange { model: "house-model".into(), tokens: None, ..exchange(2) });
    log.record(exchange(3));
    let total = |log: &Log, model: &str| {
        log.usage(&UsageQuery { model: Some(model.into()), ..UsageQuery::default() }).unwrap().total
    };
    assert_eq!((total(&log, "house-model").cost_nano_usd, total(&log, "house-model").unpriced), (0, 1));
    let known = total(&log, "gpt-6.1-sol");
    log.set_prices(Prices::new(BTreeMap::from([("house-model".into(), "1/0.5/2".parse().unwrap())])));
    let cost = 200 * 1000 + 800 * 500 + 50 * 2000;
    assert_eq!((total(&log, "house-model").cost_nano_usd, total(&log, "house-model").unpriced), (cost, 0));
    assert_eq!(log.get("req_000001").unwrap().unwrap().cost_nano_usd, Some(cost));
    assert_eq!(log.get("req_000002").unwrap().unwrap().cost_nano_usd, None);
    assert_eq!(total(&log, "gpt-6.1-sol"), known);
    log.set_prices(Prices::default());
    assert_eq!((total(&log, "house-model").cost_nano_usd, total(&log, "house-model").unpriced), (0, 1));
}

/// Prices are set while nothing runs, too; and a new version brings prices of its own.
#[test]
fn prices_that_changed_while_nobody_wrote_count_as_well() {
    let home = home();
    let log = open(home.path());
    log.record(Exchange { model: "house-model".into(), ..exchange(1) });
    log.close();
    let own = Prices::new(BTreeMap::from([("house-model".into(), "1/0.5/2".parse().unwrap())]));
    let log = with(home.path(), keep(), own.clone());
    log.record(exchange(2));
    let cost = 200 * 1000 + 800 * 500 + 50 * 2000;
    assert_eq!(log.get("req_000001").unwrap().unwrap().cost_nano_usd, Some(cost));
    log.close();
    // The same prices again: nothing is to be done, and a figure put there by hand stays.
    let by_hand = "UPDATE exchange SET cost_nano_usd = 7 WHERE id = 'req_000001'";
    rusqlite::Connection::open(home.path().join("log.sqlite")).unwrap().execute(by_hand, []).unwrap();
    let log = with(home.path(), keep(), own);
    log.record(exchange(3));
    assert_eq!(log.get("req_000001").unwrap().unwrap().cost_nano_usd, Some(7));
}

#[test]
fn days_are_those_of_a_zone() {
    let home = home();
    let log = open(home.path());
    // Half past eleven at night in UTC is the next day in Berlin.
    log.record(Exchange { at: "2026-11-19T23:30:00Z".parse().unwrap(), ..exchange(1) });
    log.record(Exchange { at: "2026-11-19T22:30:00Z".parse().unwrap(), ..exchange(2) });
    let keys = |zone: &str| {
        let zone = jiff::tz::TimeZone::get(zone).ok();
        let query = UsageQuery { by: vec![By::Day], zone, ..UsageQuery::default() };
        log.usage(&query)
            .unwrap()
            .sums
            .into_iter()
            .map(|sum| (sum.key.concat(), sum.totals.requests))
            .collect::<Vec<_>>()
    };
    assert_eq!(keys("UTC"), [("2026-11-19T00:00:00+00:00".to_owned(), 2)]);
    let berlin = [("2026-11-19T00:00:00+01:00".to_owned(), 1), ("2026-11-20T00:00:00+01:00".to_owned(), 1)];
    assert_eq!(keys("Europe/Berlin"), berlin);
}
