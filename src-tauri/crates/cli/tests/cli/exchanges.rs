//! `exchanges`, `usage`, and what `status` says of today.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::home::{Home, Server, message};
use crate::world::{World, until, world};

/// A gateway that was asked for all sorts of things by two clients.
fn busy() -> (World, Server, String) {
    let world = world();
    let id = world.codex("ada");
    world.home.ok(&["accounts", "label", &id, "work"]);
    let (laptop, script) = (world.home.ok(&["keys", "create", "laptop"]), world.home.ok(&["keys", "create", "script"]));
    let server = world.home.serve(&[]);
    assert_eq!(server.say(&laptop, "[[demo:text hello]]").status, 200);
    assert_eq!(server.say(&script, "[[demo:500]]").status, 200, "the second try answers");
    assert_eq!(server.say(&laptop, "[[demo:overflow status]]").status, 400);
    assert_eq!(
        server.ask("POST", "/v1/messages", &[("x-api-key", &script)], &message("[[demo:cut]]", true)).status,
        200
    );
    assert_eq!(server.say("nobody", "hello").status, 401);
    // The last one is written when the server sees its end.
    until(|| (rows(&world.home, &[]).len() == 5).then_some(()));
    (world, server, id)
}

fn rows(home: &Home, args: &[&str]) -> Vec<Value> {
    home.json(&[&["exchanges", "--json"], args].concat())["exchanges"].as_array().unwrap().clone()
}

#[cfg(unix)]
#[test]
fn it_is_the_same_beside_a_gateway_and_without_one() {
    let (world, server, id) = busy();
    let last = rows(&world.home, &["-n", "1"])[0]["id"].as_str().unwrap().to_owned();
    let words: &[&[&str]] = &[
        &["exchanges"],
        &["exchanges", "--json"],
        &["exchanges", "--failed", "--since", "today", "--json"],
        &["exchanges", "--client", "script", "--account", "work", "-n", "1", "--json"],
        &["exchanges", "show", "last"],
        &["exchanges", "show", "last", "--json"],
        &["exchanges", "show", &last[last.len() - 6..], "--json"],
        &["usage", "--since", "2026-01-01"],
        &["usage", "--since", "2026-01-01", "--by", "day,model", "--json"],
        &["usage", "--since", "2026-01-01", "--by", "account,provider", "--csv"],
        &[
            "usage",
            "--since",
            "2026-01-01",
            "--by",
            "hour",
            "--account",
            "ADA@demo.test",
            "--tz",
            "Asia/Kolkata",
            "--json",
        ],
        &["exchanges", "--since", "soon"],
        &["exchanges", "--account", "nobody"],
        &["exchanges", "show", "zzz"],
        &["usage", "--by", "colour"],
        &["usage", "--tz", "Mars"],
        &["usage", "--since", "30m", "--until", "60m"],
        &["cache"],
        &["cache", "--since", "2026-01-01", "--json"],
        &["cache", "--since", "2026-01-01", "-n", "1", "--json"],
        &["cache", "last"],
        &["cache", "last", "-n", "1"],
        &["cache", "last", "--json"],
        &["cache", "--since", "soon"],
        &["cache", "zzz"],
        &["cache", "../status"],
    ];
    let all = || words.iter().map(|words| world.home.run(words)).collect::<Vec<_>>();
    let beside = all();
    server.signal("TERM");
    assert_eq!(server.end().0, Some(0));
    for ((words, beside), alone) in words.iter().zip(beside).zip(all()) {
        assert_eq!((alone.code, &alone.out, &alone.err), (beside.code, &beside.out, &beside.err), "{words:?}");
        if words.contains(&"--json") {
            assert_eq!(beside.out.lines().count(), 1, "{words:?}: {}", beside.err);
        }
    }
    let table = world.home.command(&["exchanges"]).env("COLUMNS", "200").output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("work") && !table.contains(&id), "accounts are called by their names: {table}");
    world.no_violations();
}

#[test]
fn exchanges_are_shown_filtered_and_one_by_one() {
    let (world, _server, _) = busy();
    let home = &world.home;
    let outcomes = |args: &[&str]| {
        let rows = rows(home, args);
        rows.iter().map(|row| row["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&[]).len(), 5);
    assert_eq!(outcomes(&["--failed"]), ["refused", "failed", "refused"], "the newest first");
    assert_eq!(outcomes(&["--client", "script"]), ["failed", "completed"]);
    assert_eq!(outcomes(&["--model", "gpt-6.1-sol", "-n", "1"]), ["failed"]);
    assert_eq!(outcomes(&["--until", "today"]), [""; 0]);
    assert_eq!(outcomes(&["--search", "broke off"]), ["failed"]);

    for width in ["80", "120"] {
        let output = home.command(&["exchanges"]).env("COLUMNS", width).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 6, "{text}");
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width.parse().unwrap(), "{text}");
        let last = text.lines().last().unwrap();
        assert!(text.starts_with("    time  ") && last.contains("refused 401"), "the newest last: {text}");
    }
    let shown =
        home.ok(&["exchanges", "show", rows(home, &["--client", "script", "-n", "2"])[1]["id"].as_str().unwrap()]);
    assert!(shown.contains("tries upstream") && shown.contains("failed: server (HTTP 500)"), "{shown}");
    assert!(shown.contains("client        script") && shown.contains("account       work (codex)"), "{shown}");

    let none = home.run(&["exchanges", "--client", "nobody"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(none.err.contains("no such exchange"), "{}", none.err);
    for bad in [&["exchanges", "show", "zzz"][..], &["exchanges", "--since", "soon"], &["exchanges", "-n", "0"]] {
        let ran = home.run(bad);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{bad:?}: {}", ran.err);
    }
    let many = home.run(&["exchanges", "-n", "2"]);
    assert!(many.err.contains("the last 2; more with --limit"), "{}", many.err);
}

#[test]
fn usage_ends_in_a_total_and_status_tells_of_today() {
    let (world, _server, _) = busy();
    let home = &world.home;
    let text = home.ok(&["usage", "--by", "client"]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("client ") && lines[0].contains("requests"), "{text}");
    assert_eq!(lines.len(), 5, "two clients, nobody, and the total: {text}");
    assert!(lines[4].starts_with("total ") && lines[4].contains('5'), "{text}");
    let json = home.json(&["usage", "--by", "client", "--json"]);
    let csv = home.ok(&["usage", "--by", "client", "--csv"]);
    assert_eq!(csv.lines().count(), 1 + json["sums"].as_array().unwrap().len());
    assert!(csv.starts_with("client,requests,") && csv.contains("\r\n"), "{csv:?}");
    let none = home.run(&["usage", "--until", "2026-01-01"]);
    assert_eq!((none.code, none.out.as_str(), none.err.as_str()), (Some(0), "", "nothing was used in this time\n"));

    let status = home.json(&["status", "--json"]);
    assert_eq!((&status["today"]["requests"], &status["today"]["completed"]), (&5.into(), &2.into()));
    assert_eq!(status["today"]["cost_nano_usd"], json["total"]["cost_nano_usd"]);
    assert_eq!(status["request_log"]["dropped"], 0);
    let text = home.ok(&["status"]);
    assert!(text.contains("today      5 exchanges, 3 of them refused or broken off\ntokens     "), "{text}");
    assert!(text.contains(" at list prices"), "{text}");
}

#[test]
fn who_follows_sees_what_ends_from_now_on() {
    let (world, server, _) = busy();
    let key = world.home.ok(&["keys", "create", "late"]);
    let mut command = world.home.command(&["exchanges", "-f", "-n", "1", "--json"]);
    let mut follower = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["status"], 401);
    for _ in 0..2 {
        assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
        assert_eq!((&next()["client"], server.pid() > 0), (&"late".into(), true));
    }
    drop(server);
    let server = world.home.serve(&[]);
    assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    assert_eq!(next()["client"], "late", "over a restart");
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_log_in_trouble_is_talked_about() {
    let world = world();
    world.codex("ada");
    let home = &world.home;
    let key = home.ok(&["keys", "create", "k"]);
    assert_eq!(home.run(&["exchanges"]).err, "there is no such exchange in the request log\n");
    assert!(!home.folder().join("requests.sqlite").exists(), "looking makes nothing");
    std::fs::write(home.folder().join("requests.sqlite"), "a sonnet, and no database at all").unwrap();
    let ran = home.run(&["usage"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("requests.sqlite"), "{}", ran.err);

    let server = home.serve(&[]);
    assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    let ran = until(|| Some(home.run(&["status"])).filter(|ran| ran.err.contains("damaged")));
    assert!(ran.err.contains("requests.sqlite.damaged-") && ran.out.contains("1 exchange"), "{}{}", ran.out, ran.err);
    let status = home.json(&["status", "--json"]);
    assert!(status["request_log"]["put_aside"].as_str().unwrap().contains("damaged"), "{status}");
}
