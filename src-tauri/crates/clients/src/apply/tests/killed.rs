//! A real process, ended at any moment by a signal that nobody can catch.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::several::{Home, now, wished};
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
    let after = |key: &str| super::several::set_up(key).files();
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
