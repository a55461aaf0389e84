//! A program that writes its settings a thousand times a second while we change them.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::several::now;
use crate::apply::{Change, Desk, Seen, Trouble, Wish};
use crate::format::{Document, Format, Value};

/// So long for each way of writing.
const TIME: Duration = Duration::from_millis(1500);
/// On a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(120);
const PACE: Duration = Duration::from_millis(1);

fn count_in(file: &Path) -> (String, u64) {
    let text = fs::read_to_string(file).unwrap();
    let document =
        Document::read(Format::Json, text.as_bytes()).unwrap_or_else(|bad| panic!("it saw half a file: {bad}: {text}"));
    let Some(Value::Number(stands)) = document.value(&"/count".parse().unwrap()).unwrap() else { panic!("{text}") };
    (text, u64::try_from(stands).unwrap())
}

/// Reads, counts up, writes: each by a rename, as careful programs do. It says what it wrote last, and how often that was not there
/// any more.
fn counts(file: &Path, stop: &AtomicBool, last: &AtomicU64) -> u64 {
    let aside = file.with_extension("aside");
    let begun = Instant::now();
    let (mut count, mut lost) = (0, 0);
    while !stop.load(Ordering::SeqCst) {
        let (mut text, mut stands) = count_in(file);
        // Between the two exchanges it may read what is about to be taken back: then it is right in a moment.
        let found = Instant::now();
        while stands != count && found.elapsed() < PATIENCE / 10 {
            std::thread::sleep(PACE);
            (text, stands) = count_in(file);
        }
        lost += u64::from(stands != count);
        let next = text.replacen(&format!("\"count\": {stands}"), &format!("\"count\": {}", count + 1), 1);
        fs::write(&aside, next).unwrap();
        fs::rename(&aside, file).unwrap();
        count += 1;
        last.store(count, Ordering::SeqCst);
        let ahead = PACE.saturating_mul(u32::try_from(count).unwrap()).saturating_sub(begun.elapsed());
        std::thread::sleep(ahead.min(PACE));
    }
    lost
}

/// Where two files can change places at once, nothing it wrote is ever lost or taken back.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[test]
fn a_writer_at_a_thousand_a_second_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("settings.json");
    fs::write(&file, "{\n  \"count\": 0,\n  \"env\": {}\n}\n").unwrap();
    let desk = Desk::new(home.path().join("data"));
    let take = |value: &str| Wish::Take { pointer: "/env/KEY".parse().unwrap(), value: Some(value.into()), key: None };
    let (stop, last) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut done, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| counts(&file, &stop, &last));
        let begun = Instant::now();
        let mut turn = 0;
        let enough = |done: u32, refused: u32| done + refused > 20 && last.load(Ordering::SeqCst) > 100;
        while !writer.is_finished() && (begun.elapsed() < TIME || !enough(done, refused)) {
            assert!(begun.elapsed() < PATIENCE, "{done} done, {refused} refused");
            turn += 1;
            let wishes = if turn % 3 == 0 { vec![Wish::GiveBackAll] } else { vec![take(&turn.to_string())] };
            let change = Change { file: file.clone(), format: Format::Json, wishes };
            match desk.apply("claude-code", &Seen::default(), &[change], now()) {
                Ok(_) => done += 1,
                Err(Trouble::Changed { .. }) => refused += 1,
                Err(trouble) => panic!("{trouble}"),
            }
        }
        stop.store(true, Ordering::SeqCst);
        assert_eq!(writer.join().unwrap(), 0, "what it wrote was gone");
    });
    let count = last.load(Ordering::SeqCst);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&format!("\"count\": {count},")), "{count}: {text}");
    desk.revert("claude-code", now()).unwrap();
    let names: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("codeferry")), "{names:?}");
}

/// One that empties the file and writes it anew, as `fs.writeFileSync` does: what it wrote last is there in the end.
#[test]
fn a_writer_that_empties_its_file_first_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("settings.json");
    let text = |count: u64| format!("{{\n  \"count\": {count},\n  \"env\": {{}}\n}}\n");
    fs::write(&file, text(0)).unwrap();
    let desk = Desk::new(home.path().join("data"));
    let stop = AtomicBool::new(false);
    let count = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut count = 0;
            while !stop.load(Ordering::SeqCst) {
                count += 1;
                fs::write(&file, text(count)).unwrap();
                std::thread::sleep(PACE);
            }
            count
        });
        let begun = Instant::now();
        while begun.elapsed() < TIME {
            let take = Wish::Take { pointer: "/env/KEY".parse().unwrap(), value: Some("v".into()), key: None };
            let change = Change { file: file.clone(), format: Format::Json, wishes: vec![take] };
            match desk.apply("claude-code", &Seen::default(), &[change], now()) {
                // Half of a file is refused, or was seen in between.
                Ok(_) | Err(Trouble::Changed { .. } | Trouble::Bad { .. }) => {}
                Err(trouble) => panic!("{trouble}"),
            }
        }
        stop.store(true, Ordering::SeqCst);
        writer.join().unwrap()
    });
    desk.revert("claude-code", now()).unwrap();
    let left = fs::read_to_string(&file).unwrap();
    assert!(left.contains(&format!("\"count\": {count},")), "{count}: {left}");
}
