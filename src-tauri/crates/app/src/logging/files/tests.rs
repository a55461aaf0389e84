use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::{Files, Limits, Name, files};

const NARROW: Limits = Limits { days: 3, bytes: 400 };

fn on(day: u32) -> Timestamp {
    format!("2026-11-{day:02}T23:59:59Z").parse().unwrap()
}

fn listed(folder: &Path) -> Vec<String> {
    let files = files(folder).unwrap();
    files.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

fn size(folder: &Path) -> u64 {
    files(folder).unwrap().iter().map(|path| path.metadata().unwrap().len()).sum()
}

#[test]
fn names_are_read_as_they_are_written() {
    let name = |text: &str| Name::read(text).map(|name| name.to_string());
    for text in ["codeferry.2026-11-20.log", "codeferry.2026-11-20.2.log", "codeferry.2026-11-20.10.log"] {
        assert_eq!(name(text).as_deref(), Some(text));
    }
    for foreign in ["codeferry.log", "codeferry.2026-11-20.1.log", "codeferry.2026-13-20.log", "other.2026-11-20.log"] {
        assert_eq!(name(foreign), None, "{foreign}");
    }
    assert!(Name::read("codeferry.2026-11-20.10.log") > Name::read("codeferry.2026-11-20.9.log"));
}

#[test]
fn each_day_has_its_file_and_old_days_go() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("logs");
    assert_eq!(listed(&folder), <[&str; 0]>::default(), "no folder, no files");
    let mut log = Files::new(folder.clone(), NARROW);
    for day in 17..=20 {
        log.write(b"{}\n", on(day)).unwrap();
        log.write(b"{}\n", on(day)).unwrap();
    }
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert_eq!(listed(&folder), ["codeferry.2026-11-18.log", "codeferry.2026-11-19.log", "codeferry.2026-11-20.log"]);
    assert_eq!(fs::read_to_string(folder.join("codeferry.2026-11-19.log")).unwrap(), "{}\n{}\n");
    log.write(b"{}\n", on(27)).unwrap();
    assert_eq!(listed(&folder), ["codeferry.2026-11-27.log"]);
    assert!(folder.join("notes.txt").exists(), "what is not ours is left alone");
}

#[test]
fn a_noisy_day_loses_its_beginning_and_not_the_disk() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = Files::new(temp.path().to_owned(), NARROW);
    log.write(b"yesterday\n", on(19)).unwrap();
    for n in 0..100 {
        log.write(format!("line {n:014}\n").as_bytes(), on(20)).unwrap();
        assert!(size(temp.path()) <= NARROW.bytes, "after line {n}");
    }
    let names = listed(temp.path());
    assert_eq!(names.last().map(String::as_str), Some("codeferry.2026-11-20.20.log"));
    let kept: String = names.iter().map(|name| fs::read_to_string(temp.path().join(name)).unwrap()).collect();
    let kept: Vec<_> = kept.lines().collect();
    assert_eq!(kept.last().copied(), Some("line 00000000000099"));
    assert!(kept.len() >= 15, "what fits is kept: {}", kept.len());
}

#[test]
fn after_a_restart_the_file_goes_on_with_a_whole_line() {
    let temp = tempfile::tempdir().unwrap();
    Files::new(temp.path().to_owned(), NARROW).write(b"one\ntw", on(20)).unwrap();
    Files::new(temp.path().to_owned(), NARROW).write(b"three\n", on(20)).unwrap();
    assert_eq!(fs::read_to_string(temp.path().join("codeferry.2026-11-20.log")).unwrap(), "one\ntw\nthree\n");
}

#[cfg(unix)]
#[test]
fn files_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("logs");
    Files::new(folder.clone(), NARROW).write(b"{}\n", on(20)).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("codeferry.2026-11-20.log"))), (0o700, 0o600));
}
