//! The request log with a million rows: what a page costs, what a chart costs, and what a row costs to write.
//!
//! Started by `cargo xtask bench`. The targets stand in docs/performance.md.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use codeferry_store::log::{Attempt, By, Exchange, Filter, Keep, Log, Outcome, Tokens, UsageQuery};
use codeferry_store::prices::Prices;
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const ROWS: u64 = 1_000_000;
/// All rows fall into the last thirty days.
const SPAN_MS: i64 = 30 * 24 * 3_600_000;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap_or_default()
}

/// The like of what a busy team of agents leaves: a few models, accounts and clients, one in fifty in trouble.
fn exchange(number: u64) -> Exchange {
    // Another part of a mixed number for each, so that all combinations occur.
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let pick = |shift: u32, count: u64| usize::try_from((mixed >> shift) % count).unwrap_or(0);
    let back = SPAN_MS - i64::try_from(number * SPAN_MS.unsigned_abs() / ROWS).unwrap_or(0);
    let account = format!("acc_{:016x}", pick(20, 3));
    let trouble = number.is_multiple_of(50);
    Exchange {
        id: format!("req_{number:032x}"),
        at: now().saturating_sub(SignedDuration::from_millis(back)).unwrap_or_default(),
        client: ["laptop", "desk", "ci"][pick(30, 3)].into(),
        dialect: "anthropic".into(),
        path: "/v1/messages".into(),
        user_agent: Some("claude-cli/2.1.197 (external, cli)".into()),
        conversation: Some(format!("{:08x}-0000-4000-8000-000000000000", number / 40)),
        asked: "claude-opus-4-8".into(),
        model: ["gpt-6.1-sol", "gpt-6-sol", "gpt-6-luna", "gpt-6-astra"][pick(40, 4)].into(),
        effort: Some("high".into()),
        route: Some("route.opus, for Claude ids of the family opus".into()),
        provider: "codex".into(),
        account: account.clone(),
        picked: Some("the active account".into()),
        streamed: true,
        tokens: (!trouble).then_some(Tokens { input: 40_000, cached: 36_000, output: 700, reasoning: 300 }),
        first_byte_ms: Some(900),
        total_ms: 9000,
        outcome: if trouble { Outcome::Refused } else { Outcome::Completed },
        status: Some(if trouble { 429 } else { 200 }),
        error: trouble.then(|| "rate_limit_error".into()),
        attempts: vec![Attempt { account, provider: "codex".into(), ms: 850, ..Attempt::default() }],
        upstream_id: Some(format!("upstream-{number:016x}")),
        ..Exchange::default()
    }
}

fn open(path: std::path::PathBuf) -> Log {
    let keep = Keep { on: true, days: 90, mib: 65_536, sums_days: 1095 };
    Log::open(path, keep, Prices::default(), Arc::new(now))
}

#[expect(clippy::print_stderr, reason = "a bench speaks to whoever runs it")]
fn bench(c: &mut Criterion) {
    let Ok(home) = tempfile::tempdir() else { return };
    let path = home.path().join("requests.sqlite");
    let log = open(path.clone());
    let started = Instant::now();
    for number in 0..ROWS {
        log.record(exchange(number));
        // Less than the queue holds, so that none is dropped.
        if number % 2000 == 1999 {
            log.flush();
        }
    }
    log.flush();
    let size = std::fs::metadata(&path).map(|file| file.len() / 1024 / 1024).unwrap_or_default();
    eprintln!("{ROWS} rows in {:.1} s, {size} MiB, {} dropped", started.elapsed().as_secs_f64(), log.health().dropped);
    let reader = Log::look(path);
    let of = |filter: Filter, before: Option<i64>| {
        let reader = reader.clone();
        move |b: &mut criterion::Bencher<'_>| b.iter(|| black_box(reader.page(&filter, before, 100)))
    };
    let text = |text: &str| Some(text.to_owned());
    let mut group = c.benchmark_group("a page of 100 out of 1,000,000");
    group.bench_function("newest", of(Filter::default(), None));
    group.bench_function("from the middle", of(Filter::default(), Some(500_000)));
    group.bench_function("one model", of(Filter { model: text("gpt-6-luna"), ..Filter::default() }, None));
    let both = Filter { account: text("acc_0000000000000001"), client: text("ci"), ..Filter::default() };
    group.bench_function("one account and client", of(both, None));
    group.bench_function("refused", of(Filter { outcomes: vec![Outcome::Refused], ..Filter::default() }, None));
    let none = Filter { account: text("acc_0000000000000001"), client: text("gone"), ..Filter::default() };
    group.bench_function("none at all", of(none, None));
    group.bench_function("a text", of(Filter { text: text("nowhere"), ..Filter::default() }, None));
    group.bench_function("status 429", of(Filter { status: Some(429), ..Filter::default() }, None));
    let day = |days: i64| now().checked_sub(SignedDuration::from_hours(24 * days)).ok();
    group.bench_function(
        "of one day, weeks ago",
        of(Filter { since: day(20), until: day(19), ..Filter::default() }, None),
    );
    group.bench_function(
        "one conversation",
        of(Filter { conversation: text("00001000-0000-4000-8000-000000000000"), ..Filter::default() }, None),
    );
    group.finish();

    let mut group = c.benchmark_group("usage of 30 days");
    let since = now().checked_sub(SignedDuration::from_hours(30 * 24 - 1)).ok();
    for (name, by) in [
        ("by day", vec![By::Day]),
        ("by day and model", vec![By::Day, By::Model]),
        ("by hour and model", vec![By::Hour, By::Model]),
        ("by account", vec![By::Account]),
    ] {
        let query = UsageQuery { since, by, zone: TimeZone::get("Europe/Berlin").ok(), ..UsageQuery::default() };
        group.bench_function(name, |b| b.iter(|| black_box(reader.usage(&query))));
    }
    group.finish();

    let mut number = ROWS;
    c.bench_function("a row, written", |b| {
        b.iter_custom(|count| {
            let started = Instant::now();
            for _ in 0..count {
                number += 1;
                log.record(exchange(number));
                if number.is_multiple_of(256) {
                    log.flush();
                }
            }
            log.flush();
            started.elapsed()
        });
    });
    c.bench_function("a row, as the exchange sees it", |b| {
        b.iter_custom(|count| {
            let mut spent = Duration::ZERO;
            for _ in 0..count {
                number += 1;
                let row = exchange(number);
                let started = Instant::now();
                log.record(row);
                spent += started.elapsed();
                if number.is_multiple_of(2000) {
                    log.flush();
                }
            }
            spent
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = bench
}
criterion_main!(benches);
