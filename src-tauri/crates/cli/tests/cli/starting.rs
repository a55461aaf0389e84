//! Clients that are started so that they come here: `codeferry run`, `codeferry env`. No file of theirs is touched.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::home::{Home, Ran, mode};
use crate::world::{Waiting, World, until, world};

/// A home with programs of the test's own on its path: shell scripts.
fn with_programs(programs: &[(&str, &str)]) -> Home {
    let home = Home::new();
    let folder = home.file("bin");
    fs::create_dir_all(&folder).unwrap();
    for (name, script) in programs {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let search = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    // A port of the test's own, for a gateway that has to be started.
    home.ok(&["settings", "set", "port", "18617"]);
    home.with("PATH", search).with("CODEFERRY_BINARY_OF_TEST", env!("CARGO_BIN_EXE_codeferry"))
}

/// The same with a port that no other test has: it serves for a while.
fn that_serves(client: &str) -> Home {
    let home = with_programs(&[("claude", client)]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.ok(&["settings", "set", "port", &port.to_string()]);
    home
}

const SHOW: &str = "printf '%s\\n' \"$ANTHROPIC_BASE_URL\" \"$ANTHROPIC_AUTH_TOKEN\" \"${ANTHROPIC_API_KEY-gone}\" \
                    \"$CODEFERRY_CLIENT_KEY\" \"$@\"";

fn lines(ran: &Ran) -> Vec<&str> {
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out.lines().collect()
}

fn nothing_of_theirs(home: &Home) {
    assert!(!home.file("user").exists(), "their home was not touched");
}

#[test]
fn claude_code_is_told_by_variables_and_settings_of_ours() {
    let home = with_programs(&[("claude", SHOW)]).with("ANTHROPIC_API_KEY", "sk-mine");
    let server = home.serve(&[]);
    let ran = home.run(&["run", "claude", "--", "-p", "a b", "--", "--help"]);
    let told = lines(&ran);
    let [url, token, api_key, "", "--settings", file, "-p", "a b", "--", "--help"] = told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((url, api_key), (server.url.as_str(), "gone"));
    assert_eq!(server.get("/v1/models", &[("x-api-key", token)]).status, 200, "the key opens at once");
    let settings: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(settings["env"]["ANTHROPIC_AUTH_TOKEN"], token);
    assert_eq!(mode(Path::new(file)), 0o600);
    assert!(Path::new(file).starts_with(home.folder()));
    assert_eq!(ran.err, "");
    nothing_of_theirs(&home);
    // A second time it is the same key: none gathers.
    assert_eq!(lines(&home.run(&["run", "claude"]))[1], token);
    assert_eq!(home.json(&["keys", "list", "--json"]).as_array().unwrap().len(), 1);
    let ran = home.run(&["run", "claude", "--", "--settings", "{}"]);
    assert_eq!(lines(&ran)[4..], ["--settings", "{}"]);
    assert!(ran.err.starts_with("warning: "), "{}", ran.err);
}

#[test]
fn codex_is_told_by_flags_and_its_key_by_a_variable() {
    let home = with_programs(&[("codex", SHOW)]);
    let server = home.serve(&[]);
    let ran = home.run(&["run", "codex", "--", "exec", "hi"]);
    let told = lines(&ran);
    let key = told[3];
    assert_eq!(server.get("/v1/models", &[("x-api-key", key)]).status, 200);
    let arguments = &told[4..];
    assert_eq!(arguments[arguments.len() - 2..], ["exec", "hi"]);
    let base_url = format!("model_providers.codeferry.base_url=\"{}/v1\"", server.url);
    for pair in [["-c", "model_provider=\"codeferry\""], ["-c", &base_url]] {
        assert!(arguments.windows(2).any(|found| found == pair), "{pair:?}: {arguments:?}");
    }
    assert!(!arguments.iter().any(|argument| argument.contains(key)), "other users can read arguments");
    nothing_of_theirs(&home);
}

#[test]
fn where_no_gateway_runs_one_is_there_as_long_as_the_client() {
    let home = with_programs(&[("claude", "\"$CODEFERRY_BINARY_OF_TEST\" status --json && exit 5")]);
    let ran = home.run(&["run", "claude"]);
    assert_eq!(ran.code, Some(5), "its own code: {}", ran.err);
    let status: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(status["url"], "http://127.0.0.1:18617");
    assert_eq!(ran.err, "", "the terminal is the client's");
    assert_ne!(home.run(&["status"]).code, Some(0), "it is gone with the client");
    nothing_of_theirs(&home);
}

/// Runs until a file of that name is there, and then says whether its gateway answers.
const WAITS: &str = "printf '\"%s\"\\n' \"$ANTHROPIC_BASE_URL\"; while [ ! -e \"$CODEFERRY_HOME/end-$1\" ]; do sleep 0.05; done; \
                     \"$CODEFERRY_BINARY_OF_TEST\" status --json >/dev/null && exit 6";

/// `codeferry run claude` with that script, once its client runs.
fn running(home: &Home, world: &World, name: &str) -> (Waiting, String) {
    // Settings of its own, so that the name is the first argument.
    let mut waiting = world.started(home.command(&["run", "claude", "--", name, "--settings", "{}"]));
    let url = waiting.line().as_str().unwrap().to_owned();
    (waiting, url)
}

fn served_by(home: &Home) -> Option<Value> {
    let ran = home.run(&["status", "--json"]);
    (ran.code == Some(0)).then(|| serde_json::from_str(&ran.out).unwrap())
}

/// The gateway of the first one is not taken from under the others; the last one takes it along.
#[test]
fn of_several_at_once_the_next_one_serves_on() {
    let home = that_serves(WAITS);
    let world = world();
    let clients: Vec<_> = ["a", "b", "c"].map(|name| (name, running(&home, &world, name))).into();
    let first = served_by(&home).unwrap();
    for (name, (waiting, url)) in clients {
        assert_eq!(url, first["url"]);
        fs::write(home.folder().join(format!("end-{name}")), "").unwrap();
        let ran = waiting.end();
        assert_eq!((ran.code, ran.out.as_str()), (Some(6), ""), "{name}: its own code: {}", ran.err);
        if name == "c" {
            assert_eq!(served_by(&home), None, "gone with the last client");
        } else {
            let next = until(|| served_by(&home));
            assert_eq!(next["url"], first["url"], "the other clients know no other address");
            assert_eq!(home.run(&["keys", "list", "--json"]).code, Some(0));
        }
    }
    assert_eq!(home.json(&["keys", "list", "--json"]).as_array().unwrap().len(), 1, "they share their key");
    nothing_of_theirs(&home);
}

/// Nobody is refused because another one was just starting.
#[test]
fn several_that_start_at_the_same_moment_find_one_another() {
    let answers = "until \"$CODEFERRY_BINARY_OF_TEST\" status --json >/dev/null 2>&1; do sleep 0.05; done; exit 5";
    let home = that_serves(answers);
    let children: Vec<_> = (0..5)
        .map(|_| home.command(&["run", "claude"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(5), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    assert_eq!(served_by(&home), None);
}

/// A gateway that a person ended is not begun again behind their back.
#[test]
fn a_gateway_that_was_ended_stays_ended() {
    let home = with_programs(&[("claude", WAITS)]);
    let world = world();
    let server = home.serve(&[]);
    let (waiting, url) = running(&home, &world, "a");
    assert_eq!(url, server.url);
    server.signal("TERM");
    assert_eq!(server.end().0, Some(0));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(served_by(&home), None);
    fs::write(home.folder().join("end-a"), "").unwrap();
    assert_ne!(waiting.end().code, Some(6));
}

/// Ctrl-C at a terminal: the client hears it once, decides what it means, and its code is the command's.
#[cfg(target_os = "linux")]
#[test]
fn what_is_typed_at_a_terminal_reaches_the_client_once() {
    let script =
        "trap 'n=$((n+1))' INT; echo ready; until read line; do :; done; echo \"heard $n, read $line\"; exit 9";
    let home = that_serves(script);
    let mut command = Command::new("script");
    let run = home.command(&["run", "claude"]);
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.arg("-qec").arg(format!("exec {} run claude", env!("CARGO_BIN_EXE_codeferry"))).arg("/dev/null");
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    // It is of util-linux, and everywhere.
    let mut child = started.unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("ready") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended by itself");
    }
    let mut typed = child.stdin.take().unwrap();
    typed.write_all(b"\x03").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    typed.write_all(b"hello\n").unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("heard 1, read hello"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(9));
    assert_eq!(served_by(&home), None, "its gateway goes with it");
}

#[test]
fn signals_are_the_clients() {
    for (signal, trap) in [("TERM", "TERM"), ("HUP", "HUP"), ("INT", "INT")] {
        let script = format!("trap 'exit 7' {trap}; echo '\"ready\"'; while :; do sleep 0.05; done");
        let home = with_programs(&[("claude", &script)]);
        let world = world();
        let _server = home.serve(&[]);
        let mut command = home.command(&["run", "claude"]);
        command.process_group(0);
        let mut waiting = world.started(command);
        assert_eq!(waiting.line(), "ready");
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(waiting.id().to_string()).status().unwrap();
        assert!(sent.success());
        assert_eq!(waiting.end().code, Some(7), "{signal}");
    }
    let home = with_programs(&[("claude", "kill -KILL $$")]);
    let _server = home.serve(&[]);
    assert_eq!(home.run(&["run", "claude"]).code, Some(128 + 9), "as shells say it");
}

#[test]
fn what_cannot_be_started_is_said() {
    let home = Home::new().with("PATH", "/nonexistent");
    let ran = home.run(&["run", "codex"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no program codex on PATH") && ran.err.contains("npm install"), "{}", ran.err);
    let ran = home.run(&["run", "claude", "-p", "hi"]);
    assert_eq!(ran.code, Some(2), "arguments stand behind --");
    let ran = home.run(&["env", "--client", "codex"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("codeferry run codex"), "{}", ran.err);
}

#[test]
fn a_shell_evaluates_what_env_prints() {
    let home = with_programs(&[]).with("HTTPS_PROXY", "http://proxy.example").with("NO_PROXY", "it's.example");
    let server = home.serve(&[]);
    let evaluate = |args: &str| {
        let script = format!(
            "eval \"$(\"$CODEFERRY_BINARY_OF_TEST\" env --shell sh {args})\" && env | grep -E '^(ANTHROPIC|OPENAI|NO_PROXY)' | sort"
        );
        let mut command = home.command(&[]);
        let variables: Vec<_> =
            command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
        command = Command::new("sh");
        for (name, value) in variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let told = evaluate("");
    let line = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap();
    assert_eq!(line("ANTHROPIC_BASE_URL"), server.url);
    assert_eq!(line("NO_PROXY"), "it's.example,127.0.0.1,localhost");
    assert_eq!(line("ANTHROPIC_DEFAULT_OPUS_MODEL"), "claude/opus", "and which models there are");
    let token = line("ANTHROPIC_AUTH_TOKEN");
    assert_eq!(server.get("/v1/models", &[("x-api-key", token)]).status, 200);
    assert_eq!(evaluate(""), told, "a shell that starts anew makes no new key");
    assert!(evaluate("--client openai").contains(&format!("OPENAI_BASE_URL={}/v1", server.url)));
    nothing_of_theirs(&home);
}

#[test]
fn each_shell_has_its_language_and_an_address_without_a_gateway() {
    let home = with_programs(&[]).with("SHELL", "/usr/bin/fish");
    let ran = home.run(&["env"]);
    assert!(ran.err.contains("codeferry serve"), "{}", ran.err);
    assert!(ran.out.contains("\nset -gx ANTHROPIC_BASE_URL 'http://127.0.0.1:18617'\n"), "{}", ran.out);
    assert!(ran.out.starts_with("# Codeferry: claude-code"), "{}", ran.out);
    assert!(home.ok(&["env", "--shell", "powershell"]).contains("\n$env:ANTHROPIC_AUTH_TOKEN = 'cf_"));
    assert!(home.ok(&["env", "--shell", "cmd"]).contains("\nset \"ANTHROPIC_AUTH_TOKEN=cf_"));
    assert_eq!(mode(&home.folder().join("shell-keys.json")), 0o600);
}
