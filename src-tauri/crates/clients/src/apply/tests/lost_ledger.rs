//! Taking everything back, with a ledger that is damaged.

use std::fs;
use std::path::Path;

use super::several::{Home, TOML, now, set_up};
use crate::apply::{LedgerError, Suspect, Trouble};
use crate::format::{Format, Pointer};

const KEY: &str = "cf_0123456789012345678901234567890123456789abc";

fn suspects(home: &Home) -> Vec<Suspect> {
    let suspect = |name: &str, format, places: &[&str]| Suspect {
        client: "codex".to_owned(),
        file: home.path(name),
        format,
        places: places.iter().map(|place| place.parse().unwrap()).collect(),
    };
    vec![
        suspect("there/config.toml", Format::Toml, &["/model_provider", "/model_providers/codeferry"]),
        suspect("there/models.json", Format::Json, &["/models"]),
        suspect("there/settings.json", Format::Json, &["/provider/codeferry", "/provider/other/options/apiKey"]),
    ]
}

fn damage(home: &Home, name: &str) {
    let path = home.path("data").join(name);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn the_copy_of_a_damaged_ledger_is_as_good() {
    let original = Home::new().files();
    let home = set_up(KEY);
    damage(&home, "clients.json");
    assert!(home.well().owned(None).unwrap().iter().all(|own| own.intact));
    let rescued = home.well().revert_all(&[], &[8081], now()).unwrap();
    assert!(rescued.failed.is_empty() && rescued.told[0].contains("its copy was whole"), "{rescued:?}");
    assert_eq!(home.files(), original);
    // And it is whole again.
    assert!(home.well().owned(None).unwrap().is_empty());
}

#[test]
fn without_any_ledger_what_is_ours_is_recognised() {
    let home = set_up(KEY);
    let original = Home::new().files();
    // Somebody has written in it since: that stays.
    let path = home.path("there/config.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("trusted", "untrusted")).unwrap();
    for name in ["clients.json", "clients.copy.json"] {
        damage(&home, name);
    }
    let trouble = home.apply(&home.well(), KEY).unwrap_err();
    assert!(matches!(trouble, Trouble::Ledger(LedgerError::Damaged { .. })), "{trouble}");
    assert!(trouble.to_string().contains("setup --revert --all"), "{trouble}");
    let rescued = home.well().revert_all(&suspects(&home), &[8081], now()).unwrap();
    assert!(rescued.failed.is_empty(), "{rescued:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), TOML.replace("trusted", "untrusted"));
    let text = fs::read_to_string(home.path("there/settings.json")).unwrap();
    assert!(!text.contains("codeferry") && text.contains("sk-mine") && text.contains("// theirs"), "{text}");
    assert!(rescued.told.iter().any(|told| told.contains("/provider/other/options/apiKey")), "{rescued:?}");
    // A list of our own with nothing of ours to be seen in it is not touched.
    assert!(home.path("there/models.json").exists() && original.len() == 2);
    assert!(rescued.told.iter().any(|told| told.contains("clients.json.damaged-20261120T090000Z")), "{rescued:?}");
    // A new ledger was begun, and all works as on the first day.
    home.apply(&home.well(), KEY).unwrap();
    home.well().revert("codex", now()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), TOML.replace("trusted", "untrusted"));
}

#[test]
fn what_cannot_be_known_is_said() {
    let home = set_up(KEY);
    for name in ["clients.json", "clients.copy.json"] {
        damage(&home, name);
    }
    fs::remove_dir_all(home.path("data/backups")).unwrap();
    // Without copies only what is recognised goes.
    let rescued = home.well().revert_all(&suspects(&home), &[8081], now()).unwrap();
    assert!(rescued.told.iter().any(|told| told.contains("there is no copy from before")), "{rescued:?}");
    let text = fs::read_to_string(home.path("there/config.toml")).unwrap();
    assert_eq!(text, TOML);
    let text = fs::read_to_string(home.path("there/settings.json")).unwrap();
    assert!(
        !text.contains("codeferry") && !text.contains("sk-mine"),
        "nobody knows the key that was taken out: {text}"
    );
}

#[test]
fn a_file_that_was_made_for_us_goes_and_others_ports_are_not_ours() {
    let home = Home::new();
    let file = home.path("there/new.json");
    let take = |pointer: &str, value: &str| crate::apply::Wish::Take {
        pointer: pointer.parse().unwrap(),
        value: Some(value.into()),
        key: None,
    };
    let change = crate::apply::Change {
        file: file.clone(),
        format: Format::Json,
        wishes: vec![
            take("/env/ANTHROPIC_BASE_URL", "http://127.0.0.1:8081"),
            take("/env/ANTHROPIC_AUTH_TOKEN", KEY),
            take("/env/OTHER", "1"),
        ],
    };
    home.well().apply("claude-code", &crate::apply::Seen::default(), &[change], now()).unwrap();
    for name in ["clients.json", "clients.copy.json"] {
        damage(&home, name);
    }
    let theirs = home.path("there/theirs.json");
    fs::write(&theirs, "{\"env\": {\"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:9\"}}").unwrap();
    let suspect = |file: &Path| Suspect {
        client: "claude-code".to_owned(),
        file: file.to_owned(),
        format: Format::Json,
        places: vec![Pointer::of(&["env", "OTHER"])],
    };
    let rescued = home.well().revert_all(&[suspect(&file), suspect(&theirs)], &[8081], now()).unwrap();
    assert!(!file.exists(), "{rescued:?}: {}", fs::read_to_string(&file).unwrap());
    assert_eq!(rescued.files.len(), 1);
    assert!(fs::read_to_string(&theirs).unwrap().contains("127.0.0.1:9"));
}

/// What the first version wrote down knew one client and one language.
#[test]
fn an_older_ledger_is_understood() {
    let home = Home::new();
    let file = home.path("there/claude.json");
    fs::create_dir(home.path("data")).unwrap();
    fs::write(&file, "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:8081\"\n  }\n}\n").unwrap();
    let sum = crate::disk::sum(Some(b"http://127.0.0.1:8081"));
    let real = file.canonicalize().unwrap();
    let ledger = format!(
        r#"{{"version": 1, "files": {{"{}": {{"created": false, "own": [
            {{"pointer": "/env", "before": {{"was": "absent", "inner": "\n"}}, "wrote": "object"}},
            {{"pointer": "/env/ANTHROPIC_BASE_URL", "before": {{"was": "absent", "inner": ""}}, "wrote": {{"text": "{sum}"}}, "key": "claude-code"}}
        ]}}}}}}"#,
        real.display()
    );
    fs::write(home.path("data/clients.json"), ledger).unwrap();
    assert_eq!(home.well().clients().unwrap(), ["claude-code"]);
    let done = home.well().revert("claude-code", now()).unwrap();
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), done.retired().count()), ("{\n}\n", 1));
}
