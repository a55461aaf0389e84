//! Damage, full disks, held files, killed processes.

use std::io::{BufRead as _, BufReader};
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use rusqlite::Connection;

use super::super::write::Writer;
use super::super::{Command, Exchange, Filter, Log, LogError, UsageQuery, db, lock};
use super::{exchange, home, ids, keep, now, open};
use crate::prices::Prices;

#[test]
fn a_damaged_file_is_kept_and_a_new_one_begun() {
    for damage in [b"this is no database, and long enough to be looked at as one".repeat(40), vec![0xff; 8192]] {
        let home = home();
        let path = home.path().join("log.sqlite");
        std::fs::write(&path, &damage).unwrap();
        let log = open(home.path());
        log.record(exchange(1));
        assert_eq!(ids(&log, &Filter::default()), ["req_000001"]);
        let health = log.health();
        let aside = health.put_aside.expect("it says where the old file is");
        assert_eq!(std::fs::read(&aside).unwrap(), damage);
        assert_eq!((health.dropped, health.problem), (0, None));
    }
}

/// The head is sound and the rest is not: this shows only while it is used.
#[test]
fn a_file_damaged_inside_is_kept_too() {
    let home = home();
    let path = home.path().join("log.sqlite");
    let log = open(home.path());
    for number in 0..2000 {
        log.record(exchange(number));
    }
    log.close();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8192..].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();

    let log = open(home.path());
    for number in 0..300 {
        log.record(exchange(10_000 + number));
    }
    assert_eq!(ids(&log, &Filter::default()).len(), 100);
    assert_eq!(log.usage(&UsageQuery::default()).unwrap().total.requests, 300);
    assert!(log.health().put_aside.is_some_and(|aside| aside.exists()));
}

/// A reader has the old file open when it is put aside. Its next question goes to what stands in its place.
#[test]
fn readers_follow_to_the_new_file() {
    let home = home();
    let path = home.path().join("log.sqlite");
    let log = open(home.path());
    log.record(exchange(1));
    assert_eq!(ids(&log, &Filter::default()), ["req_000001"]);
    let aside = db::put_aside(&path, "now").unwrap();
    assert_eq!(ids(&log, &Filter::default()), ["req_000001"], "as long as nobody says that it was put aside");
    lock(&log.shared.health).put_aside = Some(aside);
    assert_eq!(ids(&log, &Filter::default()), [""; 0], "nothing was begun yet");
}

/// Prices that could not be applied while others held the file are applied later.
#[test]
fn prices_wait_for_a_held_file_too() {
    let home = home();
    let log = open(home.path());
    log.record(Exchange { model: "house-model".into(), ..exchange(1) });
    log.flush();
    let other = Connection::open(home.path().join("log.sqlite")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    log.set_prices(Prices::new([("house-model".to_owned(), "1/1/1".parse().unwrap())].into()));
    log.flush();
    assert!(log.health().problem.is_some(), "it says that it cannot write");
    other.execute_batch("ROLLBACK").unwrap();
    log.record(exchange(2));
    assert!(log.get("req_000001").unwrap().unwrap().cost_nano_usd.is_some());
}

#[test]
fn a_newer_schema_is_left_alone() {
    let home = home();
    let path = home.path().join("log.sqlite");
    let log = open(home.path());
    log.record(exchange(1));
    log.close();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let log = open(home.path());
    log.record(exchange(2));
    log.flush();
    let health = log.health();
    assert!(health.problem.is_some_and(|problem| problem.contains("newer version")), "it says why");
    assert_eq!((health.dropped, health.put_aside), (1, None));
    assert!(matches!(log.page(&Filter::default(), None, 1), Err(LogError::Newer { found: 99, .. })));
}

#[test]
fn rows_wait_while_others_hold_the_file() {
    let home = home();
    let log = open(home.path());
    log.record(exchange(1));
    log.flush();
    let other = Connection::open(home.path().join("log.sqlite")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    log.record(exchange(2));
    log.flush();
    let health = log.health();
    assert!(health.problem.is_some(), "it says that it cannot write");
    assert_eq!(health.dropped, 0);
    other.execute_batch("ROLLBACK").unwrap();
    log.record(exchange(3));
    assert_eq!(ids(&log, &Filter::default()), ["req_000001", "req_000002", "req_000003"]);
    assert_eq!(log.health().problem, None);
}

#[test]
fn a_full_disk_costs_rows_and_they_are_counted() {
    let home = home();
    let health = Arc::default();
    let mut writer =
        Writer::new(home.path().join("log.sqlite"), keep(), Prices::default(), Arc::new(now), Arc::clone(&health));
    writer.max_pages = Some(60);
    let (queue, commands) = sync_channel(10_000);
    // Whole batches: a smaller one at the end might still find room.
    for number in 0..2560 {
        queue.send(Command::Row(Box::new(exchange(number)))).unwrap();
    }
    drop(queue);
    writer.run(&commands);
    let health = health.lock().unwrap().clone();
    assert!(
        health.dropped > 0 && health.problem.as_ref().is_some_and(|problem| problem.contains("full")),
        "{health:?}"
    );
    assert_eq!(health.put_aside, None, "a full disk is no damage");
    let log = Log::look(home.path().join("log.sqlite"));
    let kept = log.usage(&UsageQuery::default()).unwrap().total.requests;
    assert_eq!(u64::try_from(kept).unwrap() + health.dropped, 2560);
}

#[test]
fn a_folder_that_is_none_costs_rows_and_no_more() {
    let log = Log::open("/dev/null/log.sqlite".into(), keep(), Prices::default(), Arc::new(now));
    log.record(exchange(1));
    log.flush();
    assert_eq!(log.health().dropped, 1);
    assert!(log.health().problem.is_some());
}

#[test]
fn a_queue_that_is_full_drops_and_never_waits() {
    let home = home();
    let log = open(home.path());
    log.record(exchange(0));
    log.flush();
    let other = Connection::open(home.path().join("log.sqlite")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let started = std::time::Instant::now();
    for number in 1..20_000 {
        log.record(exchange(number));
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "nobody waited for the file");
    assert!(log.health().dropped > 0);
    other.execute_batch("ROLLBACK").unwrap();
    log.close();
    let kept = Log::look(home.path().join("log.sqlite")).usage(&UsageQuery::default()).unwrap().total.requests;
    assert_eq!(u64::try_from(kept).unwrap() + log.health().dropped, 20_000, "each row is there or counted");
}

/// A process is killed while it writes, again and again. The file is sound each time, and the sums fit the rows.
#[test]
fn a_killed_writer_leaves_a_sound_file() {
    let home = home();
    for round in 0..12 {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "log::tests::faults::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env("LOG_HOME", home.path())
            .env("LOG_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Each time a little later.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..=round * 3 {
            while !lines.next().unwrap().unwrap().contains("flushed") {}
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let path = home.path().join("log.sqlite");
        let connection = Connection::open(&path).unwrap();
        let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        let rows: i64 = connection.query_row("SELECT count(*) FROM exchange", [], |row| row.get(0)).unwrap();
        let total = Log::look(path).usage(&UsageQuery::default()).unwrap().total;
        assert_eq!(total.requests, rows);
        assert!(rows > round * 3 * 50, "what was flushed is there: {rows} after round {round}");
    }
}

#[test]
#[ignore = "the process that is killed"]
fn writes_until_it_is_killed() {
    let Some(home) = std::env::var_os("LOG_HOME") else { return };
    let round: u32 = std::env::var("LOG_ROUND").unwrap().parse().unwrap();
    let log = open(home.as_ref());
    for number in 0..5_000_000 {
        log.record(Exchange { id: format!("req_{round}_{number}"), ..exchange(number % 5000) });
        if number % 50 == 49 {
            log.flush();
            println!("flushed");
        }
    }
}
