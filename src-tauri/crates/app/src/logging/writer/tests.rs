use std::path::Path;
use std::sync::{Mutex, PoisonError};

use codeferry_gateway::{LogFields, LogLevel, LogLine, LogLines};
use jiff::{SignedDuration, Timestamp};

use super::super::files::{Files, Limits, files};
use super::{AGAIN, Work, Writer};

/// Held by who lets the disk refuse. Two threads that come upon the same warning for the first time at the same moment, one
/// with a subscriber and one without, may agree that nobody listens.
static REFUSING: Mutex<()> = Mutex::new(());

fn at() -> Timestamp {
    "2026-11-20T07:30:00Z".parse().unwrap()
}

fn line(at: Timestamp, message: &str) -> LogLine {
    let target = "codeferry_app::tests".to_owned();
    LogLine { at, level: LogLevel::Info, target, message: message.to_owned(), fields: LogFields::default() }
}

fn in_folder(folder: &Path) -> Files {
    Files::new(folder.to_owned(), Limits { days: 7, bytes: 1 << 20 })
}

fn written(folder: &Path) -> Vec<LogLine> {
    let files = files(folder).unwrap();
    let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Says a line and has it written.
fn say(work: &mut Work, at: Timestamp, message: &str) {
    let (_, mut coming) = work.lines.follow(0, LogLevel::Error);
    work.lines.push(line(at, message));
    let first = coming.try_recv().unwrap();
    work.write(first, &mut coming);
}

#[test]
fn what_was_said_is_on_disk_when_the_writer_is_gone() {
    let temp = tempfile::tempdir().unwrap();
    let lines = LogLines::new();
    lines.push(line(at(), "before"));
    let writer = Writer::begin(&lines, in_folder(temp.path()));
    for n in 0..500 {
        lines.push(line(at(), &n.to_string()));
    }
    drop(writer);
    lines.push(line(at(), "after"));
    let written = written(temp.path());
    assert_eq!(written.len(), 500);
    assert_eq!((written[0].message.as_str(), written[499].message.as_str()), ("0", "499"));
    assert_eq!(lines.dropped(), 0);
}

#[test]
fn a_writer_that_has_nothing_to_write_makes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    drop(Writer::begin(&LogLines::new(), in_folder(&temp.path().join("logs"))));
    assert!(!temp.path().join("logs").exists());
}

#[test]
fn a_folder_that_cannot_be_is_said_once_and_tried_again_later() {
    let _alone = REFUSING.lock().unwrap_or_else(PoisonError::into_inner);
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("logs");
    std::fs::write(&folder, "in the way").unwrap();
    let warned = LogLines::new();
    let logging = crate::logging::Logging {
        form: codeferry_store::LogForm::Human,
        directives: None,
        usual: "info",
        color: false,
    };
    let subscriber = crate::logging::subscriber(logging, std::io::sink, warned.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let mut work = Work::new(in_folder(&folder), LogLines::new());
        say(&mut work, at(), "one");
        say(&mut work, at() + AGAIN, "two");
        std::fs::remove_file(&folder).unwrap();
        say(&mut work, at() + AGAIN + SignedDuration::from_secs(1), "three: too soon");
        assert_eq!(work.lines.dropped(), 3);
        say(&mut work, at() + AGAIN + AGAIN, "four");
        say(&mut work, at() + AGAIN + AGAIN, "five");
        assert_eq!(work.lines.dropped(), 3);
    });
    let said: Vec<_> = warned.last(9, LogLevel::Info).iter().map(|line| line.message.clone()).collect();
    assert_eq!(said, ["the log cannot be written to files; all else goes on", "the log is written to files again"]);
    let written: Vec<_> = written(&folder).into_iter().map(|line| line.message).collect();
    assert_eq!(written, ["four", "five"]);
}

/// The device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_lines_and_counts_them() {
    let _alone = REFUSING.lock().unwrap_or_else(PoisonError::into_inner);
    let temp = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", temp.path().join("codeferry.2026-11-20.log")).unwrap();
    let mut work = Work::new(in_folder(temp.path()), LogLines::new());
    say(&mut work, at(), "one");
    assert_eq!(work.lines.dropped(), 1);
}

#[test]
fn who_cannot_follow_says_how_much_is_missing() {
    let temp = tempfile::tempdir().unwrap();
    let mut work = Work::new(in_folder(temp.path()), LogLines::new());
    let (_, mut coming) = work.lines.follow(0, LogLevel::Error);
    work.lines.push(line(at(), "first"));
    let first = coming.try_recv().unwrap();
    for _ in 0..5000 {
        work.lines.push(line(at(), "many"));
    }
    work.write(first, &mut coming);
    let missing = work.lines.dropped();
    assert!(missing > 0);
    let gap = written(temp.path()).into_iter().find(|line| line.message.contains("missing")).unwrap();
    assert_eq!(gap.fields.0[0].1.to_string(), missing.to_string());
}
