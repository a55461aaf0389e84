//! What `--help` says is an interface too: a change of it shall be seen.

use crate::home::Home;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["demo"],
    &["setup"],
    &["setup", "status"],
    &["setup", "backups"],
    &["setup", "restore"],
    &["run"],
    &["env"],
    &["keys"],
    &["keys", "create"],
    &["keys", "list"],
    &["keys", "revoke"],
    &["token"],
    &["settings"],
    &["settings", "get"],
    &["settings", "set"],
    &["settings", "unset"],
    &["settings", "list"],
    &["accounts"],
    &["accounts", "add"],
    &["accounts", "import"],
    &["accounts", "watch"],
    &["accounts", "list"],
    &["accounts", "switch"],
    &["accounts", "label"],
    &["accounts", "pause"],
    &["accounts", "resume"],
    &["accounts", "priority"],
    &["accounts", "wake"],
    &["accounts", "verify"],
    &["accounts", "remove"],
    &["accounts", "clear"],
    &["quota"],
    &["quota", "reset-credits"],
    &["quota", "consume"],
    &["route"],
    &["dashboard"],
    &["doctor"],
    &["status"],
    &["exchanges"],
    &["exchanges", "show"],
    &["usage"],
    &["capture"],
    &["capture", "on"],
    &["capture", "off"],
    &["capture", "list"],
    &["capture", "show"],
    &["capture", "export"],
    &["capture", "clear"],
    &["logs"],
    &["migrate"],
];

#[test]
fn every_command_says_what_it_does() {
    let home = Home::new();
    let mut text = String::new();
    for words in COMMANDS {
        let words = [*words, &["--help"]].concat();
        text += &format!("$ codeferry {}\n\n{}\n\n\n", words.join(" "), home.ok(&words));
    }
    insta::assert_snapshot!("help", text);
    assert!(!home.folder().exists(), "help makes nothing");
}

#[test]
fn nonsense_is_a_usage_error() {
    let home = Home::new();
    for words in [&["frobnicate"][..], &["serve", "--port", "70000"], &["keys"], &["keys", "create"], &[]] {
        let ran = home.run(words);
        assert_eq!(ran.code, Some(2), "{words:?}: {}", ran.err);
        assert_eq!(ran.out, "", "talk goes to standard error");
    }
}

#[test]
fn a_variable_that_cannot_be_meant_is_a_usage_error() {
    for (name, value) in [("CODEFERRY_VAULT", "flie"), ("CODEFERRY_CHATGPT_URL", "chatgpt.com")] {
        let ran = Home::new().with(name, value).run(&["keys", "list"]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.starts_with("error: ") && ran.err.contains(name), "{}", ran.err);
    }
    let ran = Home::new().with("CODEFERRY_LOG", "codeferry=loud").run(&["keys", "list"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("CODEFERRY_LOG") && ran.err.contains("\n\nhint: "), "{}", ran.err);
}
