//! A real process, ended at any moment by a signal that nobody can catch.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::faults::Faulty;
use super::several::{Files, Home, now, set_up, wished};
use crate::apply::{Desk, Seen};

/// So many times.
const ROUNDS: u64 = 60;

/// What the other process does: it sets up and takes back for ever, in the folder it stands in.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child() {
    let home = std::env::current_dir().unwrap();
    assert!(home.join("there").exists(), "only in a made-up home");
    let desk = Desk::new(home.join("data"));
    println!("begun");
    loop {
        for key in ["cf_1", "cf_2"] {
            desk.apply("codex", &Seen::default(), &wished(&home, key), now()).unwrap();
        }
        desk.revert("codex", now()).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_leaves_all_or_nothing() {
    let original = Home::new().files();
    let after = |key: &str| set_up(key).files();
    let states = [original.clone(), after("cf_1"), after("cf_2")];
    let home = Home::new();
    let mut seen = [0; 3];
    let mut unfinished = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "apply::tests::killed::child", "--ignored", "--nocapture"])
            .current_dir(home.0.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut out, mut said) = (child.stdout.take().unwrap(), Vec::new());
        while !said.ends_with(b"begun\n") {
            let mut byte = [0];
            assert_eq!(out.read(&mut byte).unwrap(), 1, "it ended by itself: {}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        // Some moment: the machine's own haste does the rest.
        std::thread::sleep(Duration::from_micros(round * 977 % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let desk = Desk::new(home.path("data"));
        unfinished += usize::from(desk.is_unfinished().unwrap());
        desk.mend(now()).unwrap();
        let files = home.files();
        let state = states.iter().position(|state| *state == files);
        seen[state.unwrap_or_else(|| panic!("round {round}: {:?}", home.files()))] += 1;
        assert!(desk.owned(None).unwrap().iter().all(|own| own.intact), "round {round}");
        if round % 3 == 0 {
            desk.revert("codex", now()).unwrap();
            assert_eq!(home.files(), original, "round {round}");
        }
    }
    assert!(unfinished > 0, "none was hit in the middle: {seen:?}");
    assert!(fs::read_dir(home.path("data")).unwrap().count() > 0);
}

/// What is done in a process that ends itself at one step: given by its number, and the steps before it.
const WORK: [fn(&Path, &Desk); 3] = [
    |home, desk| drop(desk.apply("codex", &Seen::default(), &wished(home, "cf_1"), now()).unwrap()),
    |home, desk| drop(desk.apply("codex", &Seen::default(), &wished(home, "cf_2"), now()).unwrap()),
    |_, desk| drop(desk.revert("codex", now()).unwrap()),
];

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn doomed() {
    let home = std::env::current_dir().unwrap();
    let doom = fs::read_to_string(home.join("doom")).unwrap();
    let doom: Vec<usize> = doom.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let end = || {
        let own = std::process::id().to_string();
        Command::new("kill").args(["-KILL", &own]).status().unwrap();
        std::thread::sleep(Duration::from_secs(60));
    };
    let disk = Faulty { plain: doom[2] == 1, meanwhile: Some(Box::new(end)), ..Faulty::at(doom[1], false) };
    WORK[doom[0]](&home, &Desk { disk: Box::new(disk), data: home.join("data") });
}

/// Before each step on the disk there is one process that gets no further.
#[test]
fn a_process_that_is_killed_before_any_step_leaves_all_or_nothing() {
    let original = Home::new().files();
    let (first, second) = (set_up("cf_1").files(), set_up("cf_2").files());
    /// How it is made, and its files before and after.
    type Case<'c> = (fn() -> Home, &'c Files, &'c Files);
    let cases: [Case<'_>; 3] =
        [(Home::new, &original, &first), (|| set_up("cf_1"), &first, &second), (|| set_up("cf_1"), &first, &original)];
    let mut killed = 0;
    for (at, (make, before, after)) in cases.into_iter().enumerate() {
        for plain in [0, 1] {
            for step in 0.. {
                let home = make();
                fs::write(home.path("doom"), format!("{at} {step} {plain}")).unwrap();
                let status = Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "apply::tests::killed::doomed", "--ignored"])
                    .current_dir(home.0.path())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .unwrap();
                let said = format!("{at}, {step}, {plain}");
                if status.success() {
                    assert!(step > 20 && home.files() == *after, "{said}: it came to its end");
                    break;
                }
                assert_eq!(status.signal(), Some(9), "{said}");
                killed += 1;
                let files = home.plain();
                let whole = |name: &str| files.get(name) == before.get(name) || files.get(name) == after.get(name);
                assert!(["config.toml", "models.json", "settings.json"].into_iter().all(whole), "{said}: {files:?}");
                home.well().mend(now()).unwrap();
                let files = home.files();
                assert!(files == *before || files == *after, "{said}: {files:?}");
                assert!(home.well().owned(None).unwrap().iter().all(|own| own.intact), "{said}");
                home.well().revert("codex", now()).unwrap();
                assert_eq!(home.files(), original, "{said}");
            }
        }
    }
    assert!(killed > 200, "{killed}");
}
