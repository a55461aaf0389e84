//! `doctor`: with a gateway and without, and with one that does not answer.

use std::fs::File;

use serde_json::Value;

use crate::home::Home;

fn report(home: &Home) -> (Option<i32>, Value) {
    let ran = home.run(&["doctor", "--json"]);
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

fn verdict(report: &Value, check: &str) -> String {
    let row = report["rows"].as_array().unwrap().iter().find(|row| row["check"] == check).unwrap();
    row["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn alone_it_says_what_is_missing() {
    let home = Home::new();
    let (code, found) = report(&home);
    assert_eq!((code, found["verdict"].as_str()), (Some(1), Some("fail")));
    assert_eq!((verdict(&found, "accounts").as_str(), verdict(&found, "gateway").as_str()), ("fail", "warn"));
    assert!(!home.folder().exists(), "looking makes nothing");
    let text = home.run(&["doctor"]);
    assert_eq!((text.code, text.err.as_str()), (Some(1), ""));
    assert!(text.out.contains("FAIL  accounts"), "{}", text.out);
    assert!(text.out.contains("-> sign in: codeferry accounts add"), "{}", text.out);
}

#[test]
fn beside_a_gateway_it_asks_there() {
    let home = Home::new();
    home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    let (code, found) = report(&home);
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(verdict(&found, "account"), "ok", "the demo account, which only the gateway knows");
    assert!(
        found.to_string().contains(&format!("listening on {}", server.url.trim_start_matches("http://"))),
        "{found}"
    );

    // The proxy is that of this shell, in which clients are started, not that of the gateway.
    assert_eq!(verdict(&found, "proxy"), "ok");
    let output = home.command(&["doctor", "--json"]).env("HTTPS_PROXY", "http://me:secret@proxy:1").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(verdict(&serde_json::from_str(&text).unwrap(), "proxy"), "warn");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn settings_that_cannot_be_read_are_no_reason_to_say_nothing() {
    let home = Home::new();
    home.ok(&["settings", "set", "port", "9000"]);
    std::fs::write(home.folder().join("settings.json"), "{\"port\": ").unwrap();
    let (code, found) = report(&home);
    assert_eq!((code, verdict(&found, "settings").as_str()), (Some(1), "fail"));
    assert_eq!(verdict(&found, "data_folder"), "ok");
}

#[test]
fn a_gateway_that_does_not_answer_is_what_is_wrong() {
    let home = Home::new();
    home.ok(&["token"]);
    let lock = File::create(home.folder().join("owner.lock")).unwrap();
    lock.lock().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    drop(silent);
    let record = serde_json::json!({"pid": 1, "url": url, "started_at": "2026-01-01T00:00:00Z", "demo": false});
    std::fs::write(home.folder().join("owner.json"), record.to_string()).unwrap();
    let (code, found) = report(&home);
    assert_eq!((code, verdict(&found, "gateway").as_str()), (Some(1), "fail"), "{found}");
}
