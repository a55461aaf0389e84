//! Settings: refused, kept, and seen by a running gateway.

use std::fs::File;

use crate::home::Home;

#[test]
fn values_are_kept_and_given_back_alone() {
    let home = Home::new();
    assert_eq!(home.ok(&["settings", "get", "port"]), "8081");
    let set = home.run(&["settings", "set", "port", "9000"]);
    assert_eq!((set.code, set.out.as_str()), (Some(0), ""));
    assert_eq!(home.ok(&["settings", "get", "port"]), "9000");
    home.ok(&["settings", "set", "alias.mine", "gpt-6-luna:low"]);
    assert_eq!(home.ok(&["settings", "get", "alias.mine"]), "gpt-6-luna:low");
    home.ok(&["settings", "unset", "port"]);
    assert_eq!(home.ok(&["settings", "get", "port"]), "8081");
}

#[test]
fn unknown_keys_and_bad_values_are_refused() {
    let home = Home::new();
    for (args, word) in [
        (&["set", "prot", "1"][..], "did you mean port?"),
        (&["get", "prot"], "did you mean port?"),
        (&["unset", "colour"], "colour"),
        (&["set", "port", "http"], "port must be"),
        (&["set", "port", "-1"], "port must be"),
        (&["set", "route.opus", "gpt-6:extreme"], "route.opus must be"),
    ] {
        let ran = home.run(&[&["settings"], args].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
        assert!(ran.err.starts_with("error: ") && ran.err.contains(word), "{}", ran.err);
    }
    assert!(!home.folder().join("settings.json").exists());
}

#[test]
fn the_list_holds_every_key_with_its_meaning() {
    let home = Home::new();
    home.ok(&["settings", "set", "grace_seconds", "3"]);
    let json = home.json(&["settings", "list", "--json"]);
    let grace = json.as_array().unwrap().iter().find(|one| one["key"] == "grace_seconds").unwrap();
    assert_eq!((&grace["value"], &grace["default"], &grace["set"]), (&3.into(), &10.into(), &true.into()));
    let text = home.ok(&["settings", "list"]);
    for one in json.as_array().unwrap() {
        assert!(text.contains(one["key"].as_str().unwrap()) && text.contains(one["doc"].as_str().unwrap()), "{one}");
    }
    assert!(text.lines().any(|line| line.starts_with("*  grace_seconds")), "{text}");
}

#[test]
fn a_running_gateway_follows_at_once() {
    let home = Home::new();
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    let from_outside = || server.get("/v1/models", &[("x-api-key", key.as_str()), ("host", "box.lan:80")]).status;
    assert_eq!(from_outside(), 403);
    home.ok(&["settings", "set", "allowed_hosts", "box.lan"]);
    assert_eq!(from_outside(), 200);
    home.ok(&["settings", "unset", "allowed_hosts"]);
    assert_eq!(from_outside(), 403);
}

/// As a gateway that hangs or was just closing leaves it: the lock is held, and nobody answers.
#[test]
fn an_owner_that_does_not_answer_is_a_warning() {
    let home = Home::new();
    home.ok(&["token"]);
    let lock = File::create(home.folder().join("owner.lock")).unwrap();
    lock.lock().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    drop(silent);
    let record = serde_json::json!({"pid": 1, "url": url, "started_at": "2026-01-01T00:00:00Z", "demo": false});
    std::fs::write(home.folder().join("owner.json"), record.to_string()).unwrap();
    let ran = home.run(&["settings", "set", "port", "9000"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("warning: the running gateway does not answer"), "{}", ran.err);
    assert_eq!(home.ok(&["settings", "get", "port"]), "9000", "it was changed all the same");
}
