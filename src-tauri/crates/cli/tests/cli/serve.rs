//! `serve` and `demo`: one Owner, one address, an orderly end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::home::{Home, message};

#[test]
fn the_line_for_programs_has_these_fields_and_nothing_follows_it() {
    let home = Home::new();
    home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    let expected = format!("{{\"event\":\"listening\",\"url\":\"{}\",\"pid\":{}}}\n", server.url, server.pid());
    assert_eq!(server.line, expected);
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    assert_eq!(server.get("/health", &[]).status, 200);
    assert_eq!(server.errors(), "", "there is a key: nothing to say");
    #[cfg(unix)]
    {
        server.signal("TERM");
        assert_eq!(server.end(), (Some(0), String::new()));
    }
}

#[test]
fn a_second_owner_is_refused_with_address_and_process_of_the_first() {
    let home = Home::new();
    let server = home.serve(&["--demo"]);
    let ran = home.run(&["serve", "--port", "0"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains(&server.url), "{}", ran.err);
    assert!(ran.err.contains(&format!("process {}", server.pid())), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert_eq!(server.get("/health", &[]).status, 200, "the first is not disturbed");
}

#[test]
fn a_killed_owner_does_not_block() {
    let home = Home::new();
    let first = home.serve(&["--demo"]);
    first.kill();
    assert!(home.folder().join("owner.json").exists(), "it had no time to tidy up");
    assert_eq!(home.run(&["status"]).code, Some(1), "and nobody takes it for alive");
    let second = home.serve(&["--demo"]);
    assert_eq!(second.get("/health", &[]).status, 200);
}

#[test]
fn two_folders_have_two_owners() {
    let (one, other) = (Home::new(), Home::new());
    let (one, other) = (one.serve(&["--demo"]), other.serve(&["--demo"]));
    assert_ne!(one.url, other.url);
}

#[test]
fn a_taken_port_is_one_line_that_names_who_has_it() {
    let home = Home::new();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let ran = home.run(&["serve", "--demo", "--port", &port]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.starts_with(&format!("error: port {port} ")), "{}", ran.err);
    #[cfg(target_os = "linux")]
    assert!(ran.err.contains(&format!("(process {})", std::process::id())), "{}", ran.err);
}

#[test]
fn the_network_needs_host_and_a_key() {
    let home = Home::new();
    let everywhere = ["serve", "--demo", "--port", "0", "--host", "0.0.0.0"];
    let ran = home.run(&everywhere);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("codeferry keys create"), "{}", ran.err);
    home.ok(&["settings", "set", "host", "0.0.0.0"]);
    let key = home.ok(&["keys", "create", "k"]);
    let ran = home.run(&["serve", "--demo", "--port", "0"]);
    assert_eq!(ran.code, Some(2), "the setting alone does not do it: {}", ran.err);
    assert!(ran.err.contains("--host 0.0.0.0"), "{}", ran.err);
    let server = home.server(&[&everywhere[..], &["--json"]].concat());
    assert_eq!(server.get("/v1/models", &[("x-api-key", &key)]).status, 200);
    assert_eq!(home.json(&["status", "--json"])["running"], true, "it is reached on loopback");
}

#[test]
fn without_a_key_it_says_what_to_do() {
    let home = Home::new();
    let server = home.serve(&["--demo"]);
    let said = server.errors();
    assert!(said.starts_with("warning: ") && said.contains("codeferry keys create"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn the_demo_says_what_to_try() {
    let home = Home::new();
    let server = home.server(&["demo", "--json", "--port", "0"]);
    let said = server.errors();
    let key = home.ok(&["keys", "create", "k"]);
    let answer = server.say(&key, "[[demo:text tried]]");
    assert!(answer.status == 200 && answer.body.contains("tried"), "{answer:?}");
    assert!(said.contains(&server.url) && said.contains("[[demo:parallel"), "{said}");
}

#[test]
fn log_lines_can_be_json_and_hold_neither_prompt_nor_secret() {
    let home = Home::new().with("CODEFERRY_LOG", "trace");
    let key = home.ok(&["keys", "create", "k"]);
    let token = home.ok(&["token"]);
    let server = home.serve(&["--demo", "--log", "json"]);
    assert_eq!(server.say(&key, "the walrus said [[demo:text oysters are few]]").status, 200);
    let bearer = format!("Bearer {token}");
    assert_eq!(server.ask("POST", "/api/shutdown", &[("authorization", &bearer)], "").status, 202);
    let (log, ended) = server.log_at_the_end();
    assert_eq!(ended, Some(0));
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line["target"] == "codeferry::exchange"), "{log}");
    for secret in ["walrus", "oysters", &key, &token, "eyJ"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[cfg(unix)]
#[test]
fn signals_end_it_in_order() {
    for signal in ["INT", "TERM"] {
        let home = Home::new();
        let server = home.serve(&["--demo"]);
        server.signal(signal);
        assert_eq!(server.end().0, Some(0), "SIG{signal}");
        assert!(!home.folder().join("owner.json").exists());
    }
}

/// An answer that has begun and never ends by itself.
#[cfg(unix)]
fn endless(server: &crate::home::Server, key: &str) -> BufReader<std::net::TcpStream> {
    let body = message("[[demo:silence 3600 inside]]", true);
    let mut answer = BufReader::new(server.send("POST", "/v1/messages", &[("x-api-key", key)], &body));
    let mut line = String::new();
    while !line.contains("text_delta") {
        line.clear();
        assert_ne!(answer.read_line(&mut line).unwrap(), 0, "it ended: {}", server.errors());
    }
    answer
}

#[cfg(unix)]
#[test]
fn after_the_grace_period_answers_end_with_an_error() {
    let home = Home::new();
    home.ok(&["settings", "set", "grace_seconds", "0"]);
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    let mut answer = endless(&server, &key);
    server.signal("TERM");
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("event: error"), "{rest}");
    assert_eq!(server.end().0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_at_once() {
    let home = Home::new();
    home.ok(&["settings", "set", "grace_seconds", "3600"]);
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    let _answer = endless(&server, &key);
    server.signal("TERM");
    // It has heard the first when it takes no new connection.
    while std::net::TcpStream::connect(("127.0.0.1", server.port())).is_ok() {
        std::thread::yield_now();
    }
    server.signal("TERM");
    assert_eq!(server.end().0, Some(1));
}
