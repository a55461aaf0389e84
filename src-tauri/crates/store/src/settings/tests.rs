//! Settings in a temporary folder.

use std::collections::HashSet;
use std::fs;

use proptest::prelude::*;

use super::file::{OpenError, SetError, SettingsFile};
use super::value::Value;
use super::{Effort, ResponsesLite, Settings, Target, table};

fn open(home: &tempfile::TempDir) -> SettingsFile {
    SettingsFile::open(home.path().join("settings.json")).expect("readable")
}

fn text(home: &tempfile::TempDir) -> String {
    fs::read_to_string(home.path().join("settings.json")).expect("a file")
}

#[test]
fn without_a_file_the_defaults_hold_and_nothing_is_made() {
    let home = tempfile::tempdir().expect("a folder");
    let settings = SettingsFile::open(home.path().join("data").join("settings.json")).expect("readable");
    assert_eq!(*settings.snapshot(), Settings::default());
    assert!(!home.path().join("data").exists());
}

#[test]
fn every_key_is_documented_and_takes_its_own_default() {
    let home = tempfile::tempdir().expect("a folder");
    let settings = open(&home);
    let listed = settings.list();
    let names: HashSet<_> = listed.iter().map(|listed| listed.key.clone()).collect();
    assert_eq!(names.len(), listed.len(), "each name once");
    for key in listed {
        assert!(key.doc.ends_with('.') && key.allowed.len() > 5, "{}", key.key);
        assert!(!key.set);
        assert_eq!(Some(&key.value), key.default.as_ref(), "{}", key.key);
        let typed = key.value.to_string();
        assert_eq!(settings.set(&key.key, &typed).expect("its own default"), key.value, "{}", key.key);
    }
    assert_eq!(*settings.snapshot(), Settings::default());
    assert!(settings.list().iter().all(|listed| listed.set));
}

#[test]
fn every_key_reaches_its_field() {
    let home = tempfile::tempdir().expect("a folder");
    let settings = open(&home);
    let other = [
        ("port", "9000"),
        ("host", "::1"),
        ("allowed_hosts", "box.lan, 192.168.1.5"),
        ("allowed_origins", "https://chat.example.com,http://localhost:3000"),
        ("body_limit_mib", "8"),
        ("streams_per_key", "2"),
        ("requests_per_minute_per_key", "30"),
        ("grace_seconds", "1"),
        ("compress_upstream", "off"),
        ("responses_lite", "auto"),
        ("passthrough", "true"),
        ("websocket", "false"),
        ("upstream_websocket", "false"),
        ("remembered_responses_mib", "0"),
        ("log", "json"),
        ("log_file", "off"),
        ("log_keep_days", "3"),
        ("log_max_mib", "2"),
        ("reasoning_summary", "none"),
        ("reasoning_content", "true"),
        ("rotation", "round_robin"),
        ("overall_deadline_seconds", "30"),
        ("connect_timeout_seconds", "3"),
        ("idle_timeout_seconds", "600"),
        ("first_event_hold_seconds", "0"),
        ("request_log", "false"),
        ("request_log_days", "7"),
        ("request_log_mib", "64"),
        ("usage_days", "400"),
        ("usage_api_scope", "all"),
        ("clients_on_quit", "revert"),
        ("compat", "false"),
        ("compat.open_on_loopback", "true"),
        ("capture_mib", "8"),
        ("capture_part_kib", "16"),
        ("capture_keep_hours", "2"),
        ("desktop.tray_title", "worst"),
        ("desktop.tray_bars", "true"),
        ("desktop.tray_ink", "dark"),
        ("desktop.language", "zh"),
        ("desktop.sign_in", "browser"),
        ("desktop.notify.sign_in", "false"),
        ("desktop.notify.window", "false"),
        ("desktop.notify.limit", "false"),
        ("desktop.notify.failover", "false"),
        ("desktop.notify.update", "false"),
        ("desktop.notify.port", "false"),
        ("desktop.notify.client_changed", "false"),
        ("desktop.shortcut.dashboard", "CmdOrCtrl+Shift+K"),
        ("desktop.shortcut.switch", "Ctrl+Alt+F9"),
        ("desktop.updates", "false"),
        ("desktop.update_endpoint", "https://updates.example.com/{{target}}/{{current_version}}"),
        ("route.opus", "gpt-a"),
        ("route.sonnet", "gpt-b:max"),
        ("route.haiku", "gpt-c:none"),
        ("route.fable", "gpt-d:xhigh"),
        ("route.default", "gpt-e:medium"),
    ];
    assert_eq!(other.len(), settings.list().len(), "all keys");
    for (key, value) in other {
        let before = settings.snapshot();
        settings.set(key, value).expect(key);
        let after = settings.snapshot();
        assert_ne!(before, after, "{key}");
        // Only its own field: putting the old value back gives the old settings.
        settings.set(key, &settings.describe(key).expect("known").default.expect("it has one").to_string()).expect(key);
        assert_eq!(before, settings.snapshot(), "{key}");
        settings.set(key, value).expect(key);
    }
    let all = SettingsFile::open(home.path().join("settings.json")).expect("readable").snapshot();
    assert_eq!(all, settings.snapshot(), "another process reads the same");
    assert_eq!((all.port, all.host.as_str(), all.compress_upstream), (9000, "::1", false));
    assert_eq!(all.allowed_hosts, ["box.lan", "192.168.1.5"]);
    assert_eq!(all.responses_lite, ResponsesLite::Auto);
    assert_eq!(all.routes.sonnet, Target { model: "gpt-b".into(), effort: Some(Effort::Max) });
}

#[test]
fn what_is_not_allowed_is_refused_and_the_allowed_is_named() {
    let home = tempfile::tempdir().expect("a folder");
    let settings = open(&home);
    let wrong = [
        ("port", "70000"),
        ("port", "-1"),
        ("port", "http"),
        ("host", "my box"),
        ("host", "example.com"),
        ("allowed_hosts", "http://box.lan"),
        ("allowed_hosts", "*"),
        ("allowed_hosts", "box:8081"),
        ("allowed_origins", "chat.example.com"),
        ("allowed_origins", "https://chat.example.com/"),
        ("allowed_origins", "*"),
        ("body_limit_mib", "0"),
        ("compress_upstream", "maybe"),
        ("responses_lite", "on"),
        ("log", "xml"),
        ("idle_timeout_seconds", "1"),
        ("route.opus", ""),
        ("route.opus", "gpt 6"),
        ("route.opus", "gpt-6:extreme"),
        ("alias.mine", "gpt-6:"),
        ("price.gpt-6", "1/2"),
    ];
    for (key, value) in wrong {
        let error = settings.set(key, value).expect_err(value);
        assert!(matches!(&error, SetError::BadValue { key: named, .. } if named == key), "{error}");
        assert!(error.to_string().starts_with(&format!("{key} must be ")), "{error}");
    }
    for key in ["prot", "route.opsu", "alias.", "price.", "alias.a b", "version", ""] {
        assert!(matches!(settings.set(key, "1"), Err(SetError::UnknownKey(_))), "{key}");
        settings.get(key).expect_err("unknown");
        settings.unset(key).expect_err("unknown");
    }
    let hint = settings.set("prot", "1").expect_err("unknown").to_string();
    assert!(hint.contains("did you mean port?"), "{hint}");
    assert!(!home.path().join("settings.json").exists(), "nothing was written");
}

#[test]
fn every_effort_can_be_set_and_is_documented() {
    for effort in [Effort::None, Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max] {
        let target: Target = format!("gpt-6.1-sol:{effort}").parse().expect("a target");
        assert_eq!(target.effort, Some(effort));
        assert!(table::TARGET.contains(effort.as_str()), "{effort}");
    }
}

#[test]
fn several_keys_change_together_or_not_at_all() {
    let home = tempfile::tempdir().expect("a folder");
    let settings = open(&home);
    settings.set("grace_seconds", "3").expect("allowed");
    let before = text(&home);
    let number = |n| Some(Value::Number(n));
    let change = |changes: &[(&str, Option<Value>)]| {
        let changes: Vec<_> = changes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        settings.change_all(&changes)
    };
    for bad in [("prot", number(1)), ("port", number(70_000)), ("port", Some(Value::Flag(true))), ("prot", None)] {
        change(&[("body_limit_mib", number(8)), bad, ("grace_seconds", None)]).expect_err("one of them is bad");
        assert_eq!((text(&home), settings.snapshot().body_limit_mib), (before.clone(), 64), "nothing has changed");
    }
    let alias = Some(Value::Text("gpt-6-luna:low".to_owned()));
    let mut seen = settings.subscribe();
    assert!(change(&[("port", number(9000)), ("grace_seconds", None), ("alias.mine", alias)]).expect("all are good"));
    let now = seen.borrow_and_update().clone();
    assert_eq!((now.port, now.grace_seconds, now.aliases.len()), (9000, 10, 1), "seen as one change");
    assert!(!change(&[("port", number(9000)), ("grace_seconds", None)]).expect("allowed"), "it is so already");
}

#[test]
fn a_price_comes_and_goes() {
    let home = tempfile::tempdir().expect("a folder");
    let settings = open(&home);
    settings.set("price.gpt-6.1-sol", "3/0.30/9").expect("set");
    assert_eq!(settings.get("price.gpt-6.1-sol").expect("known").to_string(), "3/0.3/9");
    assert_eq!(
        settings.snapshot().price_list().of("gpt-6.1-sol", jiff::Timestamp::MAX).expect("known").to_string(),
        "3/0.3/9"
    );
    assert!(settings.unset("price.gpt-6.1-sol").expect("unset"));
    assert!(settings.snapshot().prices.is_empty());
}

#[test]
fn an_alias_comes_and_goes() {
    let home = tempfile::tempdir().expect("a folder");
    let settings = open(&home);
    settings.set("alias.claude-opus-4.8", "gpt-6-astra:high").expect("set");
    let target = settings.snapshot().aliases.get("claude-opus-4.8").cloned();
    assert_eq!(target, Some(Target { model: "gpt-6-astra".into(), effort: Some(Effort::High) }));
    assert_eq!(settings.get("alias.claude-opus-4.8").expect("known").to_string(), "gpt-6-astra:high");
    let listed = settings.list().pop().expect("the aliases come last");
    assert_eq!((listed.key.as_str(), listed.default, listed.set), ("alias.claude-opus-4.8", None, true));
    assert!(settings.unset("alias.claude-opus-4.8").expect("unset"));
    assert!(!settings.unset("alias.claude-opus-4.8").expect("unset"), "only once");
    settings.get("alias.claude-opus-4.8").expect_err("gone");
    assert!(settings.snapshot().aliases.is_empty());
}

#[test]
fn what_a_newer_version_wrote_stays() {
    let home = tempfile::tempdir().expect("a folder");
    let newer = "{\"version\": 3, \"hologram\": {\"depth\": [1, 2.50]}, \"port\": 9000, \"log\": \"hologram\"}";
    fs::write(home.path().join("settings.json"), newer).expect("written");
    let settings = open(&home);
    assert_eq!(settings.snapshot().port, 9000);
    settings.set("port", "9001").expect("set");
    settings.set("grace_seconds", "3").expect("set");
    assert_eq!(
        text(&home),
        "{\n  \"version\": 3,\n  \"hologram\": {\"depth\": [1, 2.50]},\n  \"port\": 9001,\n  \"log\": \"hologram\",\n  \"grace_seconds\": 3\n}\n"
    );
}

#[test]
fn a_value_that_cannot_be_used_is_reported_and_the_default_holds() {
    let home = tempfile::tempdir().expect("a folder");
    let file = "{\"port\": \"http\", \"allowed_hosts\": [\"*\"], \"grace_seconds\": 5, \"alias.x\": 7}";
    fs::write(home.path().join("settings.json"), file).expect("written");
    let settings = open(&home);
    assert_eq!(*settings.snapshot(), Settings { grace_seconds: 5, ..Settings::default() });
    let problems = settings.problems();
    assert_eq!(
        problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(),
        ["port", "allowed_hosts", "alias.x"]
    );
    let sentence = problems[0].to_string();
    assert_eq!(
        sentence,
        "the setting port is \"http\", and must be a number from 0 to 65535 (0: any free port); the default 8081 is used"
    );
    settings.set("port", "9000").expect("mended");
    assert_eq!(settings.problems().len(), 2);
}

#[test]
fn a_damaged_file_is_copied_reported_and_never_written_over() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("settings.json");
    let running = open(&home);
    running.set("port", "9000").expect("set");
    for damaged in ["{\n  \"port\": 9000,\n}", "", "[1]", "{\"port\": 90"] {
        fs::write(&path, damaged).expect("written");
        let error = SettingsFile::open(&path).expect_err("damaged");
        let OpenError::Damaged { copy: Some(copy), .. } = &error else { panic!("{error}") };
        assert_eq!(fs::read_to_string(copy).expect("a copy"), damaged);
        assert!(error.to_string().contains("left as it is"), "{error}");
        SettingsFile::open(&path).expect_err("still damaged");
        running.set("port", "9001").expect_err("not over a damaged file");
        running.reload_if_changed().expect_err("damaged");
        assert!(!running.reload_if_changed().expect("said already"));
        running.reload().expect_err("still damaged");
        assert_eq!(running.snapshot().port, 9000, "what was known goes on to hold");
        assert_eq!(fs::read_to_string(&path).expect("a file"), damaged);
    }
    let copies = fs::read_dir(home.path()).expect("a folder").flatten();
    let copies = copies.filter(|entry| entry.file_name().to_string_lossy().contains("damaged")).count();
    assert_eq!(copies, 4, "each damage once");
}

#[test]
fn another_process_is_seen_and_its_keys_are_kept() {
    let home = tempfile::tempdir().expect("a folder");
    let (gateway, cli) = (open(&home), open(&home));
    let mut watching = gateway.subscribe();
    cli.set("port", "9000").expect("set");
    assert!(gateway.reload_if_changed().expect("readable"));
    assert!(!gateway.reload_if_changed().expect("readable"), "once is enough");
    assert!(watching.has_changed().expect("it lives"));
    assert_eq!(watching.borrow_and_update().port, 9000);
    cli.set("log", "json").expect("set");
    gateway.set("grace_seconds", "1").expect("set");
    let settings = gateway.snapshot();
    assert_eq!((settings.port, settings.log.as_str(), settings.grace_seconds), (9000, "json", 1));
    watching.borrow_and_update();
    gateway.set("grace_seconds", "1").expect("set");
    assert!(!watching.has_changed().expect("it lives"), "nothing changed");
}

#[test]
fn several_processes_set_different_keys_at_once() {
    let home = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let settings = open(&home);
            scope.spawn(move || {
                for turn in 0..5 {
                    settings.set(&format!("alias.model-{worker}-{turn}"), "gpt-6-luna").expect("set");
                }
            });
        }
    });
    assert_eq!(open(&home).snapshot().aliases.len(), 20);
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_accepted_reads_back_the_same(
        key in prop::sample::select(table::keys().map(|key| key.name).chain(["alias.x"]).collect::<Vec<_>>()),
        text in prop_oneof![".{0,20}", "[a-z0-9.:,-]{0,12}", (0u64..100_000).prop_map(|number| number.to_string())],
    ) {
        let named = table::find(key).expect("known");
        if let Some(value) = named.read(&text) {
            let mut settings = Settings::default();
            if named.put(&mut settings, &value) {
                let taken = named.take(&settings).expect("just put");
                prop_assert_eq!(named.read(&taken.to_string()), Some(taken.clone()), "typed as it is shown");
                let json = serde_json::to_string(&taken).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), taken);
            } else {
                prop_assert_eq!(settings, Settings::default(), "nothing half");
            }
        }
    }
}
