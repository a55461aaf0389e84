//! Files of clients are written on a command, and at no other time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::world::world;

/// Every file below a folder, with its content and when it was written.
fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(
                    all.insert(path.clone(), (fs::read(&path).unwrap(), entry.metadata().unwrap().modified().unwrap())),
                ),
            }
        }
    }
    all
}

/// A start, a sign-in, another account, other models, another port, an update's restart, and the end: none of them writes where
/// clients keep their settings, neither where they are set up nor where they are not.
#[test]
fn nothing_but_a_command_writes_a_clients_file() {
    let world = world();
    let home = &world.home;
    let user = home.file("user");
    fs::create_dir_all(user.join(".claude")).unwrap();
    fs::write(user.join(".claude/settings.json"), "{\n  \"env\": {\"FOO\": 1}\n}\n").unwrap();
    fs::create_dir_all(user.join(".codex")).unwrap();
    fs::write(user.join(".codex/config.toml"), "model = \"gpt-5\"\n").unwrap();

    let live = |what: &str| {
        let before = files(&user);
        let server = home.serve(&[]);
        let (waiting, opened) = world.add(&["--kind", "codex"]);
        world.visit(&opened, what);
        waiting.end();
        let other = world.plan(&format!("other-{what}"));
        home.ok(&["accounts", "switch", &other]);
        home.ok(&["settings", "set", "route.opus", "gpt-6-luna:low"]);
        home.ok(&["settings", "set", "port", "18618"]);
        home.run(&["doctor"]);
        home.ok(&["setup", "status"]);
        home.ok(&["status"]);
        #[cfg(unix)]
        {
            server.signal("TERM");
            assert_eq!(server.end().0, Some(0));
        }
        #[cfg(not(unix))]
        server.kill();
        // As after an update.
        let again = home.serve(&[]);
        assert_eq!(again.get("/health", &[]).status, 200);
        again.kill();
        assert_eq!(files(&user), before, "{what}");
    };
    live("clean");
    home.ok(&["setup", "claude-code", "--yes"]);
    home.ok(&["setup", "codex", "--yes"]);
    live("set-up");
    assert!(fs::read_to_string(user.join(".claude/settings.json")).unwrap().contains("ANTHROPIC_BASE_URL"));
}

/// Who chose so, and ends it in order.
#[cfg(unix)]
#[test]
fn what_was_chosen_for_the_end_is_done_at_the_end() {
    let world = world();
    let home = &world.home;
    let file = home.file("user/.claude/settings.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "{}\n").unwrap();
    home.ok(&["setup", "claude-code", "--yes"]);
    let set_up = fs::read_to_string(&file).unwrap();
    let server = home.serve(&[]);
    home.ok(&["settings", "set", "clients_on_quit", "revert"]);
    server.kill();
    assert_eq!(fs::read_to_string(&file).unwrap(), set_up, "a crash takes nothing back");
    let server = home.serve(&[]);
    server.signal("TERM");
    assert_eq!(server.end().0, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), "{}\n");
    assert_eq!(home.json(&["keys", "list", "--json"]), serde_json::json!([]));
}

/// The settings of a project that was set up are looked after, too, wherever the gateway was started.
#[test]
fn a_drift_in_a_project_is_seen_and_told_with_its_folder() {
    let world = world();
    let home = &world.home;
    let _server = home.serve(&[]);
    let folders = ["one", "two"].map(|name| {
        let folder = home.file(name);
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let mut command = home.command(&["setup", "claude-code", "--project", "--yes"]);
        let ran = command.current_dir(&folder).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        folder
    });
    let drifted = || home.json(&["status", "--json"]).get("drifted").cloned();
    assert_eq!(drifted(), None);
    let file = folders[1].join(".claude/settings.local.json");
    let ours = fs::read_to_string(&file).unwrap();
    let changed = ours.replace("\"900000\"", "\"1\"");
    assert_ne!(changed, ours);
    fs::write(&file, &changed).unwrap();
    let seen = crate::world::until(drifted);
    assert_eq!((&seen[0]["client"], &seen[0]["target"]), (&"claude-code".into(), &"project".into()), "{seen}");
    assert_eq!(
        (&seen[0]["project"], &seen[1]),
        (&folders[1].to_str().unwrap().into(), &serde_json::Value::Null),
        "{seen}"
    );
    assert!(seen[0]["what"].to_string().contains("CLAUDE_STREAM_IDLE_TIMEOUT_MS"), "{seen}");
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
    fs::write(&file, ours).unwrap();
    crate::world::until(|| drifted().is_none().then_some(()));
}

/// Another program changes the file: it is told, and stays.
#[test]
fn a_drift_is_seen_and_left_alone() {
    let world = world();
    let home = &world.home;
    let file = home.file("user/.claude/settings.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "{}\n").unwrap();
    let server = home.serve(&[]);
    home.ok(&["setup", "claude-code", "--yes"]);
    let drifted = || home.json(&["status", "--json"]).get("drifted").cloned();
    assert_eq!(drifted(), None);
    let changed = fs::read_to_string(&file).unwrap().replace("\"900000\"", "\"1\"");
    fs::write(&file, &changed).unwrap();
    let seen = crate::world::until(drifted);
    assert_eq!((&seen[0]["client"], &seen[0]["target"]), (&"claude-code".into(), &"user".into()), "{seen}");
    assert!(seen[0]["what"].to_string().contains("CLAUDE_STREAM_IDLE_TIMEOUT_MS"), "{seen}");
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
    home.ok(&["setup", "claude-code", "--yes"]);
    crate::world::until(|| drifted().is_none().then_some(()));
    drop(server);
}
