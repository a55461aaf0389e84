//! `migrate`: what the systems people come from have of them, brought along; their folders only read.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::home::{Home, Ran};
use crate::importing::{codaze, codex_proxy, proxy_account};
use crate::world::{World, world};

/// Nothing listens there: it was free a moment ago, and nobody of this test takes it.
fn free_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port().to_string()
}

fn migrate(home: &Home, from: &str, more: &[&str]) -> Ran {
    let port = free_port();
    home.run(&[&["migrate", "--from", from, "--port", &port], more].concat())
}

/// What became of each thing, by its name.
fn items(ran: &Ran) -> BTreeMap<String, Value> {
    assert!(ran.code.is_some_and(|code| code < 2), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let items = report["items"].as_array().unwrap().iter();
    items.map(|item| (item["what"].as_str().unwrap().to_owned(), item.clone())).collect()
}

#[track_caller]
fn assert_outcome(items: &BTreeMap<String, Value>, what: &str, outcome: &str) {
    let item = items.get(what).ok_or_else(|| format!("{what} is not among {:?}", items.keys())).unwrap();
    assert_eq!(item["outcome"], outcome, "{item}");
}

/// All files below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { drop(found.insert(path.clone(), fs::read(path).unwrap())) }
        }
    }
    found
}

/// A folder as codex-proxy leaves it, in the user's home.
fn old_proxy(world: &World) -> PathBuf {
    let (ada, bob) = (world.demo.account("ada"), world.demo.account("bob"));
    let text = codex_proxy(&[proxy_account(&ada), proxy_account(&bob)], "bob@demo.test");
    world.write("user/.codex-claude-proxy/accounts.json", &text);
    world.write("user/.codex-claude-proxy/accounts/bob_demo.test/auth.json", "{}");
    let settings = json!({
        "haikuKiloModel": "kimi/k2:free", "accountStrategy": "round-robin", "configureClaudeOnStartup": true,
        "modelMappings": {"opus": "gpt-5.5", "sonnet": "gpt-5.4", "haiku": "gpt-6-luna"},
        "reasoningMappings": {"opus": "high", "sonnet": "medium", "haiku": "low"},
    });
    world.write("user/.codex-claude-proxy/settings.json", &settings.to_string());
    world.home.file("user/.codex-claude-proxy")
}

#[test]
fn accounts_and_settings_of_codex_proxy() {
    let world = world();
    let folder = old_proxy(&world);
    let before = contents(&folder);

    let would = items(&migrate(&world.home, "codex-proxy", &["--dry-run", "--json"]));
    assert_outcome(&would, "account ada@demo.test", "would");
    assert_outcome(&would, "route.opus", "would");
    assert!(
        !world.home.file("data").join("vault.bin").exists() && !world.home.file("data").join("settings.json").exists()
    );

    let done = items(&migrate(&world.home, "codex-proxy", &["--json"]));
    assert_outcome(&done, "account ada@demo.test", "done");
    assert!(
        done["account bob@demo.test"]["message"].as_str().unwrap().ends_with("it is the one that pays"),
        "{done:?}"
    );
    assert_outcome(&done, "route.opus", "done");
    assert_eq!(world.home.ok(&["settings", "get", "route.opus"]), "gpt-5.5:high");
    assert_outcome(&done, "route.sonnet", "skipped");
    assert_outcome(&done, "route.haiku", "unchanged");
    assert_outcome(&done, "rotation", "by_hand");
    assert_eq!(world.home.ok(&["settings", "get", "rotation"]), "personal", "nobody said that it was on");
    for what in ["haikuKiloModel", "Claude Code", "port", "client keys"] {
        assert_outcome(&done, what, "by_hand");
    }
    assert_outcome(&done, "accounts/*/auth.json", "skipped");
    assert_eq!(world.list().len(), 2);

    // A second time nothing is left to do, and what was chosen here since stays.
    world.home.ok(&["settings", "set", "route.opus", "gpt-6-sol"]);
    let again = items(&migrate(&world.home, "codex-proxy", &["--json", "--rotate"]));
    for what in ["account ada@demo.test", "account bob@demo.test", "route.haiku"] {
        assert_outcome(&again, what, "unchanged");
    }
    assert_outcome(&again, "route.opus", "skipped");
    assert_eq!(world.home.ok(&["settings", "get", "route.opus"]), "gpt-6-sol");
    assert_outcome(&again, "rotation", "done");
    assert_eq!(world.home.ok(&["settings", "get", "rotation"]), "round_robin");
    assert_eq!(contents(&folder), before, "the old folder is only read");

    let told = migrate(&world.home, "codex-proxy", &[]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(
        told.out.contains("unchanged  account ada@demo.test: is here") && told.out.contains("→ point them to "),
        "{}{}",
        told.out,
        told.err
    );
}

/// Who paid there is said where another account pays here; nobody is switched.
#[test]
fn an_account_that_pays_here_goes_on() {
    let world = world();
    let id = world.codex("eve");
    old_proxy(&world);
    let done = items(&migrate(&world.home, "codex-proxy", &["--json"]));
    assert_eq!(done["active account"]["hint"], "codeferry accounts switch bob@demo.test");
    assert_eq!(world.active(), Some(id));
}

/// The sign-in was renewed here since: the file has nothing new, and its spent token does not come back.
#[test]
fn what_was_renewed_here_is_newer_than_the_old_file() {
    let world = world();
    old_proxy(&world);
    migrate(&world.home, "codex-proxy", &[]);
    let key = world.home.ok(&["keys", "create", "test"]);
    let server = world.home.serve(&[]);
    world.demo.expire_access_tokens();
    assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    assert_eq!(world.demo.refresh_count(), 1);
    let again = items(&migrate(&world.home, "codex-proxy", &["--json"]));
    assert_outcome(&again, "account bob@demo.test", "unchanged");
    assert_eq!(server.say(&key, "[[demo:text hi]]").status, 200);
    world.no_violations();
}

#[test]
fn files_of_codaze() {
    let world = world();
    let (ada, bob) = (world.demo.account("ada"), world.demo.account("bob"));
    world.write("user/.codaze/a.json", &codaze(&ada, "main"));
    world.write("user/.codaze/b.json", &codaze(&bob, "spare"));
    world.write("user/.codaze/.a.json.17.tmp", "half");
    world.write("user/.codaze/c.json", "{\"refresh_token\": \"\"}");
    world.write("user/.codaze/trash/d.json", &codaze(&bob, "dead"));
    let before = contents(&world.home.file("user/.codaze"));
    let ran = migrate(&world.home, "codaze", &["--json"]);
    assert_eq!(ran.code, Some(1), "one of the files is no account: {}", ran.err);
    let done = items(&ran);
    assert_outcome(&done, "account main", "done");
    assert_outcome(&done, "account spare", "done");
    assert_outcome(&done, "account in c.json", "failed");
    assert_outcome(&done, "trash", "skipped");
    assert_outcome(&done, "routing policy", "by_hand");
    let labels: Vec<_> = world.list().iter().map(|account| account["label"].clone()).collect();
    assert_eq!(labels, ["main", "spare"]);
    assert_eq!(contents(&world.home.file("user/.codaze")), before);
}

#[test]
fn the_sign_in_and_the_key_of_completions_api() {
    let mut world = world();
    let ada = world.file(&world.demo.account("ada"));
    let folder = world.home.file("proxy/.codex-api");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(ada, folder.join("auth.json")).unwrap();
    world.write("proxy/.codex-api/AGENTS.md", "be nice");
    world.write("proxy/.env", "PORT=11435\nexport PROXY_API_KEY=sk-in-the-file\n# CODEX_MODEL=x\nUNKNOWN=1\n");
    let path = folder.to_str().unwrap().to_owned();
    let ran = migrate(&world.home, "completions-api", &["--path", &path, "--json"]);
    assert!(!ran.out.contains("sk-in-the-file"), "{}", ran.out);
    let done = items(&ran);
    assert_outcome(&done, "account ada@demo.test", "done");
    for what in ["AGENTS.md", "codex-usage.ndjson"] {
        assert_outcome(&done, what, "skipped");
    }
    assert!(done["PROXY_API_KEY in .env"]["message"].as_str().unwrap().contains("--adopt-key"), "{done:?}");
    assert!(done.contains_key("PORT in .env") && !done.contains_key("CODEX_MODEL in .env"), "{done:?}");

    // Its clients go on with the key they have.
    world.home = world.home.with("PROXY_API_KEY", "sk-of-all-the-clients");
    let adopt = ["--path", &path, "--json", "--adopt-key", "roo"];
    let ran = migrate(&world.home, "completions-api", &adopt);
    assert!(!ran.out.contains("sk-of-all") && !ran.err.contains("sk-of-all"), "{}{}", ran.out, ran.err);
    assert_outcome(&items(&ran), "client key roo", "done");
    assert_outcome(&items(&migrate(&world.home, "completions-api", &adopt)), "client key roo", "unchanged");
    let server = world.home.serve(&[]);
    assert_eq!(server.say("sk-of-all-the-clients", "[[demo:text hi]]").status, 200);
    assert!(server.errors().contains("PROXY_API_KEY is a name of completions-api"), "{}", server.errors());
    assert!(!server.errors().contains("sk-of-all"));
}

#[test]
fn the_key_that_everybody_has_is_not_taken_over() {
    let home = Home::new();
    let folder = home.file("old");
    fs::create_dir_all(&folder).unwrap();
    let adopt = |typed: &str| {
        let port = free_port();
        let args = [
            "migrate",
            "--from",
            "completions-api",
            "--path",
            folder.to_str().unwrap(),
            "--port",
            &port,
            "--adopt-key",
            "roo",
            "--json",
        ];
        let mut command = home.command(&args);
        command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    };
    for bad in ["codex-local-secret", "short"] {
        let ran = adopt(bad);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert_outcome(&items(&ran), "client key roo", "failed");
    }
    assert_eq!(home.json(&["keys", "list", "--json"]), json!([]));
    assert_outcome(&items(&adopt("a-key-that-was-random")), "client key roo", "done");
    assert_eq!(home.json(&["keys", "list", "--json"])[0]["ends_with"], "ndom");
}

#[test]
fn an_old_program_that_runs_is_to_be_stopped_first() {
    let world = world();
    old_proxy(&world);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            drop(stream.read(&mut [0; 1024]));
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>"));
        }
    });
    let args = ["migrate", "--from", "codex-proxy", "--port", &port];
    let ran = world.home.run(&args);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("still runs") && ran.err.contains("hint: stop it first"), "{}", ran.err);
    assert!(world.list().is_empty());
    let dry = world.home.run(&[args.as_slice(), &["--dry-run"]].concat());
    assert!(dry.code == Some(0) && dry.err.contains("still runs"), "{}", dry.err);
    assert_eq!(world.home.run(&[args.as_slice(), &["--anyway"]].concat()).code, Some(0));
    assert_eq!(world.list().len(), 2);

    // One of us on its port is no reason.
    let server = world.home.serve(&[]);
    let port = server.port().to_string();
    assert_eq!(world.home.run(&["migrate", "--from", "codex-proxy", "--port", &port]).code, Some(0));
    let stranger = Home::new().with("HOME", world.home.file("user").to_str().unwrap());
    let ran = stranger.run(&["migrate", "--from", "codex-proxy", "--port", &port, "--dry-run"]);
    assert!(ran.code == Some(0) && !ran.err.contains("still runs"), "{}", ran.err);
}

#[test]
fn where_there_is_nothing_that_is_said() {
    let home = Home::new();
    for from in ["codex-proxy", "codaze", "completions-api"] {
        let ran = migrate(&home, from, &[]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains("has no folder") && ran.err.contains("--path DIR"), "{}", ran.err);
    }
    assert_eq!(migrate(&home, "electron", &[]).code, Some(2));
    let empty = home.file("empty");
    fs::create_dir_all(&empty).unwrap();
    let done = items(&migrate(&home, "codex-proxy", &["--path", empty.to_str().unwrap(), "--json"]));
    assert_outcome(&done, "accounts", "skipped");
    let broken = home.file("broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("settings.json"), "{\"accountStrategy\": ").unwrap();
    fs::write(broken.join("accounts.json"), "nonsense").unwrap();
    let ran = migrate(&home, "codex-proxy", &["--path", broken.to_str().unwrap(), "--json"]);
    assert_eq!(ran.code, Some(1));
    assert_outcome(&items(&ran), "settings.json", "failed");
    assert_outcome(&items(&ran), "account in accounts.json", "failed");
}

/// A name that was another system's is told once, and not obeyed.
#[test]
fn old_names_are_told_at_the_start() {
    let world = world();
    let mut command = world.home.command(&["serve", "--json", "--port", "0"]);
    command.env("PORT", "1").env("CODEX_CLAUDE_PROXY_ADMIN_TOKEN", "sesame").env("PROXY_TITLE_GEN_INTERCEPT", "true");
    let server = world.home.started(command);
    let log = server.errors();
    for (name, words) in [
        ("PORT", "codeferry serve --port N"),
        ("CODEX_CLAUDE_PROXY_ADMIN_TOKEN", "codeferry token"),
        ("PROXY_TITLE_GEN_INTERCEPT", "means nothing here"),
    ] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&format!("{name} is a name of"))).collect();
        assert_eq!(lines.len(), 1, "{name}: {log}");
        assert!(lines[0].contains(words), "{}", lines[0]);
    }
    assert!(!log.contains("sesame"), "{log}");
    assert_eq!(server.get("/admin/accounts", &[("x-codex-proxy-admin-token", "sesame")]).status, 401);

    // Words that are no text are no reason to break down.
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = std::ffi::OsStr::from_bytes(b"--accounts-dir=\xff");
        let output = world.home.command(&["serve"]).arg(odd).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let ran = world.home.run(&["serve", "--accounts-dir", "/x"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("hint: --accounts-dir is a name of codaze") && ran.err.contains("accounts watch"),
        "{}",
        ran.err
    );
}

#[test]
fn an_open_door_is_told_wherever_somebody_looks() {
    let world = world();
    world.home.ok(&["settings", "set", "compat.open_on_loopback", "true"]);
    let server = world.home.serve(&[]);
    let ran = world.home.run(&["status"]);
    let doctor = world.home.run(&["doctor"]);
    for told in [server.errors(), ran.err, doctor.out + &doctor.err] {
        assert!(told.contains("compat.open_on_loopback is set"), "{told}");
    }
    assert_eq!(server.get("/accounts", &[]).status, 200);
}
