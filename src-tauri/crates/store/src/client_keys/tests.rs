//! Client keys in a temporary folder.

use std::fs;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{ClientKeys, KeyError, hash, is_name};

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a date")
}

#[test]
fn a_key_is_shown_once_and_only_its_hash_is_kept() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("data").join("keys.json");
    let keys = ClientKeys::open(&path).expect("none yet");
    assert!(!home.path().join("data").exists(), "opening creates nothing");
    let made = keys.create("laptop", now()).expect("made");
    assert!(made.key.starts_with("cf_") && made.key.len() == 46, "{}", made.key.len());
    assert_eq!(keys.verify(&made.key).as_deref(), Some("laptop"));
    let text = fs::read_to_string(&path).expect("a file");
    assert!(!text.contains(&made.key) && !text.contains(&made.key[3..30]));
    assert!(!format!("{made:?}{keys:?}").contains(&made.key));
    let listed = keys.list().expect("read");
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), listed[0].created_at), ("laptop", now()));
    assert_eq!(listed[0].ends_with, made.key[42..]);
}

#[test]
fn a_key_made_or_revoked_by_another_process_counts_at_once() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("keys.json");
    let (gateway, cli) = (ClientKeys::open(&path).expect("none yet"), ClientKeys::open(&path).expect("none yet"));
    let first = cli.create("first", now()).expect("made");
    let second = cli.create("second", now()).expect("made");
    assert_eq!(gateway.verify(&first.key).as_deref(), Some("first"));
    assert_eq!(gateway.verify(&second.key).as_deref(), Some("second"));
    cli.revoke("first").expect("revoked");
    assert_eq!(gateway.verify(&first.key), None);
    assert_eq!(gateway.verify(&second.key).as_deref(), Some("second"));
}

#[test]
fn what_is_no_key_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = ClientKeys::open(home.path().join("keys.json")).expect("none yet");
    assert_eq!(keys.verify("cf_anything"), None, "no keys: nobody comes in");
    let made = keys.create("laptop", now()).expect("made").key;
    for wrong in ["", "cf_", &made[..45], &format!("{made}x"), &made[3..], "é"] {
        assert_eq!(keys.verify(wrong), None, "{wrong}");
    }
}

#[test]
fn names_are_told_apart_and_kept_sane() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = ClientKeys::open(home.path().join("keys.json")).expect("none yet");
    keys.create("Küche 2.0_x-y", now()).expect("a name");
    assert!(matches!(keys.create("Küche 2.0_x-y", now()), Err(KeyError::NameTaken(_))));
    for wrong in ["", " ", "-x", "a\nb", "a/b", "x ", &"x".repeat(65)] {
        assert!(matches!(keys.create(wrong, now()), Err(KeyError::BadName(_))), "{wrong:?}");
    }
    let error = keys.revoke("nobody").expect_err("there is none");
    assert!(error.to_string().contains("Küche"), "{error}");
    assert_eq!(keys.list().expect("read").len(), 1);
}

#[test]
fn a_damaged_file_is_reported_and_never_written_over() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("keys.json");
    let running = ClientKeys::open(&path).expect("none yet");
    let made = running.create("laptop", now()).expect("made").key;
    for (text, newer) in [("{\"version\":1,\n\"keys\":[", false), ("{\"version\":2,\"keys\":{}}", true)] {
        fs::write(&path, text).expect("written");
        let error = ClientKeys::open(&path).expect_err("damaged");
        assert_eq!(matches!(error, KeyError::Newer { .. }), newer, "{error}");
        running.create("other", now()).expect_err("not over a damaged file");
        assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        assert_eq!(running.verify(&made).as_deref(), Some("laptop"), "what was known goes on to count");
    }
}

#[test]
fn several_processes_make_keys_at_once() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("keys.json");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let keys = ClientKeys::open(path).expect("readable");
                for turn in 0..5 {
                    keys.create(&format!("key {worker} {turn}"), now()).expect("made");
                }
            });
        }
    });
    assert_eq!(ClientKeys::open(&path).expect("readable").list().expect("read").len(), 20);
}

proptest! {
    #[test]
    fn no_name_breaks_a_line(name in ".{0,80}") {
        if is_name(&name) {
            prop_assert!(!name.chars().any(char::is_control) && !name.is_empty() && name.trim() == name);
        }
    }
}

#[test]
fn a_key_of_another_system_is_adopted_once() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("keys.json");
    let keys = ClientKeys::open(&path).expect("none yet");
    let old = "an-old-key-of-24-letters";
    assert!(keys.adopt("roo", old, now()).expect("adopted"));
    assert!(!keys.adopt("roo", old, now()).expect("here already"));
    assert_eq!(keys.verify(old).as_deref(), Some("roo"));
    assert!(!fs::read_to_string(&path).expect("a file").contains(old), "only its hash is kept");
    assert!(matches!(keys.adopt("other", old, now()), Err(KeyError::NameTaken(name)) if name == "roo"));
    assert!(matches!(keys.adopt("roo", "another-key-of-24-letters", now()), Err(KeyError::NameTaken(_))));
    for unfit in ["", "short", "fifteen-letters", "with a space in it ", "with-an-umlaut-\u{e4}-in-it"] {
        assert!(matches!(keys.adopt("x", unfit, now()), Err(KeyError::Unfit)), "{unfit}");
    }
    assert!(matches!(keys.adopt("../x", old, now()), Err(KeyError::BadName(_))));
    assert_eq!(keys.list().expect("read").len(), 1);
}

#[test]
fn a_key_is_revoked_only_while_it_is_the_one_of_that_name() {
    let home = tempfile::tempdir().expect("a folder");
    let keys = ClientKeys::open(home.path().join("keys.json")).expect("none yet");
    let first = keys.create("laptop", now()).expect("made");
    keys.revoke("laptop").expect("revoked");
    let second = keys.create("laptop", now()).expect("made");
    assert!(!keys.revoke_this("laptop", &hash(&first.key)).expect("read"), "another one is called so now");
    assert!(!keys.revoke_this("other", &hash(&second.key)).expect("read"));
    assert!(keys.revoke_this("laptop", &hash(&second.key)).expect("revoked"));
    assert_eq!(keys.verify(&second.key), None);
}
