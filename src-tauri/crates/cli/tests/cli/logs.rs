//! `codeferry logs`, and the files behind it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::home::Home;
use crate::world::{until, world};

/// The lines a command printed, as JSON.
fn json(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn messages(out: &str) -> Vec<String> {
    json(out).iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_running_gateway_is_asked_and_the_files_of_one_that_ended_are_read() {
    let world = world();
    let account = world.codex("ada");
    let home = &world.home;
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&[]);
    assert_eq!(server.say(&key, "[[demo:text secret prompt]]").status, 200);
    assert_eq!(server.say(&key, "[[demo:500 always]]").status, 502);

    let asked = home.ok(&["logs", "--json"]);
    let told = messages(&asked);
    assert_eq!(told.first().map(String::as_str), Some("started"), "{told:?}");
    assert!(told.contains(&"completed".to_owned()), "{told:?}");
    let bad = home.ok(&["logs", "--json", "--level", "warn"]);
    assert!(!bad.is_empty() && json(&bad).iter().all(|line| line["level"] == "warn"), "{bad}");
    assert_eq!(messages(&home.ok(&["logs", "--json", "--lines", "1"])), told[told.len() - 1..]);
    let people = home.ok(&["logs"]);
    assert!(people.contains(" INFO completed id=req_") && people.contains(&account), "{people}");

    #[cfg(unix)]
    {
        server.signal("TERM");
        assert_eq!(server.end().0, Some(0));
        let read = home.ok(&["logs", "--json"]);
        let stopped = messages(&read);
        assert_eq!(stopped[..told.len()], told);
        assert_eq!(stopped.last().map(String::as_str), Some("stopped"), "the last line is there: {stopped:?}");
        for private in ["secret prompt", "ada@", key.as_str()] {
            assert!(!read.contains(private), "{private} is in the log");
        }
        let logs = home.folder().join("logs");
        let file = std::fs::read_dir(&logs).unwrap().next().unwrap().unwrap().path();
        assert_eq!((crate::home::mode(&logs), crate::home::mode(&file)), (0o700, 0o600));
    }
}

#[test]
fn where_nothing_was_logged_that_is_said() {
    let ran = Home::new().run(&["logs"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", "nothing was logged\n"));
    let ran = Home::new().run(&["logs", "--level", "loud"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("error, warn, info, debug or trace"), "{}", ran.err);
}

#[test]
fn a_demo_an_errand_and_who_does_not_want_them_write_no_files() {
    let home = Home::new();
    let demo = home.serve(&["--demo"]);
    for args in [&["logs"][..], &["logs", "-n", "5000"]] {
        assert!(home.ok(args).contains("started"), "it keeps them in mind all the same");
    }
    drop(demo);
    home.run(&["accounts", "verify", "--all"]);
    home.ok(&["settings", "set", "log_file", "false"]);
    drop(home.serve(&[]));
    assert!(!home.folder().join("logs").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_stops_nothing() {
    let world = world();
    world.codex("ada");
    let home = &world.home;
    let key = home.ok(&["keys", "create", "k"]);
    std::fs::write(home.folder().join("logs"), "in the way").unwrap();
    let server = home.serve(&[]);
    for _ in 0..3 {
        assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    }
    until(|| server.errors().contains("cannot be written to files").then_some(()));
    assert_eq!(server.errors().matches("cannot be written").count(), 1, "{}", server.errors());
}

#[test]
fn with_json_every_line_on_standard_error_is_json() {
    let home = Home::new();
    let server = home.server(&["serve", "--demo", "--json", "--port", "0", "--log", "json"]);
    let errors = until(|| Some(server.errors()).filter(|errors| errors.contains("no client can come in yet")));
    assert_eq!(messages(&errors)[0], "started", "{errors}");
}

#[test]
fn following_goes_on_over_a_restart() {
    let home = Home::new();
    let first = home.serve(&[]);
    let mut command = home.command(&["logs", "-f", "--json"]);
    let mut follower = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || messages(&lines.next().unwrap().unwrap()).remove(0);
    assert_eq!(next(), "started");
    drop(first);
    let second = home.serve(&[]);
    assert_eq!(next(), "started");
    drop(second);
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_gateway_that_writes_no_files_is_listened_to() {
    let home = Home::new();
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    let mut follower = home.command(&["logs", "-f", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || messages(&lines.next().unwrap().unwrap()).remove(0);
    assert_eq!(next(), "started");
    assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    assert_eq!(next(), "completed");
    drop(server);
    assert_eq!(follower.wait().unwrap().code(), Some(0), "it ends with the gateway");
}

#[cfg(unix)]
#[test]
fn following_ends_in_order() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut follower = home.command(&["logs", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("started"));
    std::process::Command::new("kill").args(["-INT", &follower.id().to_string()]).status().unwrap();
    assert_eq!(follower.wait().unwrap().code(), Some(0));
    drop(server);
}
