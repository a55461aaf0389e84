//! Clients that are started so that they come here: `codeferry run`, `codeferry env`. No file of theirs is touched.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::home::{Home, Ran, mode};
use crate::world::world;

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
