//! `codeferry capture`: from the wish to the file for a bug report.

use std::fs;
use std::io::Read as _;

use serde_json::Value;

use crate::home::Home;
use crate::world::world;

#[test]
fn without_a_gateway_there_is_nothing_to_capture() {
    let home = Home::new();
    let ran = home.run(&["capture", "on"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("no gateway serves") && ran.err.contains("hint: start one"), "{}", ran.err);
    let ran = home.run(&["capture", "list"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert!(ran.err.contains("nothing was captured") && ran.err.contains("codeferry capture on"), "{}", ran.err);
    assert_eq!(home.run(&["capture", "off"]).err, "nothing was being captured\n");
    assert_eq!(home.run(&["capture", "clear"]).err, "0 captures are gone\n");
    for args in [&["capture", "show"][..], &["capture", "export"], &["capture", "show", "req_1"]] {
        let ran = home.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
    }
    for minutes in ["0", "241", "soon"] {
        assert_eq!(home.run(&["capture", "on", "--minutes", minutes]).code, Some(2));
    }
    assert!(!home.folder().join("captures").exists());
}

#[test]
fn an_exchange_is_captured_listed_shown_exported_and_cleared() {
    let world = world();
    world.codex("ada");
    let home = &world.home;
    let (key, other) = (home.ok(&["keys", "create", "laptop"]), home.ok(&["keys", "create", "phone"]));
    let server = home.serve(&[]);
    assert_eq!(home.run(&["capture", "on", "--client", "nobody"]).code, Some(2));
    let ran = home.run(&["capture", "on", "--client", "laptop", "--minutes", "5"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    assert!(ran.err.starts_with("warning: until ") && ran.err.contains("the client laptop"), "{}", ran.err);
    let status = home.run(&["status"]);
    assert!(status.err.contains("captured") && status.err.contains("codeferry capture off"), "{}", status.err);
    assert_eq!(home.json(&["status", "--json"])["capture"]["client"], "laptop");
    assert!(server.errors().contains("capture is ON"), "{}", server.errors());

    assert_eq!(server.say(&key, "[[demo:text hi]] I am ada@example.com in /home/ada").status, 200);
    assert_eq!(server.say(&other, "[[demo:text hi]]").status, 200);
    let list = home.json(&["capture", "list", "--json"]);
    assert_eq!((list["on"].as_bool(), list["captures"].as_array().map(Vec::len)), (Some(true), Some(1)), "{list}");
    let id = list["captures"][0]["id"].as_str().unwrap();
    let shown = home.ok(&["capture", "list"]);
    assert!(shown.starts_with(id) && shown.contains("laptop") && shown.contains("completed 200"), "{shown}");

    assert_eq!(home.run(&["capture", "off"]).err, "nothing is captured any more\n");
    assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    drop(server);

    // What there is can be had without a gateway.
    let capture: Value = serde_json::from_str(&home.ok(&["capture", "show"])).unwrap();
    assert_eq!(capture["summary"]["id"], id);
    assert!(capture.to_string().contains("ada@example.com"));
    let file = home.file("report.json.gz");
    let path = file.to_str().unwrap();
    let ran = home.run(&["capture", "export", id, "-o", path]);
    assert_eq!((ran.code, ran.out.trim_end()), (Some(0), path), "{}", ran.err);
    assert!(ran.err.contains("Look through it"), "{}", ran.err);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&fs::read(&file).unwrap()[..]).read_to_string(&mut text).unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["exchange"]["id"], id);
    for private in ["ada@example.com", "/home/ada", key.as_str()] {
        assert!(!text.contains(private), "{private}");
    }
    assert_eq!(home.run(&["capture", "export", "-o", path]).code, Some(2), "nothing is written over");
    let mut command = home.command(&["capture", "export"]);
    let made = command.current_dir(home.file("")).output().unwrap();
    let name = format!("codeferry-{id}.json.gz");
    assert_eq!(String::from_utf8(made.stdout).unwrap().trim_end(), name);
    #[cfg(unix)]
    {
        let folder = home.folder().join("captures");
        let kept = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        assert_eq!([&home.file(&name), &file, &kept].map(|path| crate::home::mode(path)), [0o600; 3]);
        assert_eq!(crate::home::mode(&folder), 0o700);
    }
    assert_eq!(home.run(&["capture", "clear"]).err, "one capture is gone\n");
    assert_eq!(home.json(&["capture", "list", "--json"])["captures"], serde_json::json!([]));
}

#[test]
fn a_restart_ends_it_and_the_log_does_not_tell_what_was_said() {
    let world = world();
    world.codex("ada");
    let home = &world.home;
    let key = home.ok(&["keys", "create", "laptop"]);
    let server = home.serve(&[]);
    home.ok(&["capture", "on"]);
    assert_eq!(server.say(&key, "[[demo:text hi]] mitzi").status, 200);
    assert_eq!(home.json(&["capture", "list", "--json"])["captured"], 1);
    assert!(!server.errors().contains("mitzi"));
    server.kill();
    let server = home.serve(&[]);
    assert_eq!(home.json(&["status", "--json"])["capture"]["on"], false);
    assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    assert_eq!(home.json(&["capture", "list", "--json"])["captures"].as_array().map(Vec::len), Some(1));
}
