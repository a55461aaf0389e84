//! `codeferry setup`: what is shown, what is done, and that it can be taken back.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::home::Home;

/// As somebody has it who has used Claude Code for a while.
const SETTINGS: &str =
    "{\r\n  \"env\": {\"FOO\": 1, \"ANTHROPIC_API_KEY\": \"sk-ant-mine\"},\r\n  \"hooks\": {}\r\n}\r\n";

/// A home with Claude Code's settings in it, and nothing of this machine's own in sight.
fn with_claude() -> (Home, PathBuf) {
    let home = Home::new().with("PATH", "/nonexistent").with("NO_COLOR", "1");
    let file = home.file("user/.claude/settings.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, SETTINGS).unwrap();
    (home, file)
}

fn state(home: &Home, client: &str) -> Value {
    let listed = home.json(&["setup", "status", "--json"]);
    let clients = listed["clients"].as_array().unwrap();
    clients.iter().find(|known| known["client"] == client).unwrap()["targets"][0].clone()
}

#[test]
fn a_client_is_set_up_and_taken_back_to_the_byte() {
    let (home, file) = with_claude();
    assert_eq!(state(&home, "claude-code")["state"], "clean");
    let shown = home.ok(&["setup", "claude-code", "--diff"]);
    assert!(shown.contains("+  \"env\"") && shown.contains("ANTHROPIC_BASE_URL"), "{shown}");
    assert!(!shown.contains("sk-ant-mine"), "no secret is shown: {shown}");
    assert_eq!(fs::read_to_string(&file).unwrap(), SETTINGS, "looking changes nothing");

    let ran = home.run(&["setup", "claude-code"]);
    assert_eq!(ran.code, Some(2), "nobody is there to be asked");
    assert!(ran.err.contains("nothing was changed") && ran.err.contains("--yes"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), SETTINGS);

    let server = home.serve(&[]);
    let ran = home.run(&["setup", "claude-code", "--yes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains(&format!("Claude Code comes to {}", server.url)), "{}", ran.err);
    assert!(ran.err.contains("checked: the list of models has"), "{}", ran.err);
    assert!(!ran.err.contains("cf_") && !ran.out.contains("cf_"), "no key is printed");
    let settings: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(settings["env"]["ANTHROPIC_BASE_URL"], server.url);
    let token = settings["env"]["ANTHROPIC_AUTH_TOKEN"].as_str().unwrap();
    assert_eq!(server.get("/v1/models", &[("x-api-key", token)]).status, 200);
    let place = state(&home, "claude-code");
    assert_eq!((&place["state"], &place["held"]), (&"ours".into(), &true.into()), "{place}");

    let again = home.run(&["setup", "claude-code", "--yes"]);
    assert!(again.err.contains("already; nothing was written"), "{}", again.err);
    let doctor = home.run(&["doctor"]).out;
    assert!(doctor.lines().any(|line| line.contains("Claude Code") && line.contains("comes here")), "{doctor}");

    assert_eq!(home.run(&["setup", "--revert", "claude-code"]).code, Some(2));
    let ran = home.run(&["setup", "--revert", "claude-code", "--yes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), SETTINGS);
    assert_eq!(server.get("/v1/models", &[("x-api-key", token)]).status, 401, "its key opens nothing any more");
}

#[test]
fn copies_are_listed_shown_and_brought_back() {
    let (home, file) = with_claude();
    home.ok(&["setup", "claude-code", "--yes"]);
    let written = fs::read_to_string(&file).unwrap();
    let copies = home.json(&["setup", "backups", "claude-code", "--json"]);
    let (id, first) = (copies[0]["id"].as_str().unwrap(), &copies[0]["first"]);
    assert_eq!(first, &Value::Bool(true), "{copies}");
    let ran = home.run(&["setup", "restore", "claude-code", id]);
    assert_eq!(ran.code, Some(2));
    let key = written.split('"').find(|word| word.starts_with("cf_")).unwrap();
    assert!(ran.out.contains("-  \"env\"") && !ran.out.contains(key), "{}", ran.out);
    home.ok(&["setup", "restore", "claude-code", id, "--yes"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), SETTINGS);
    assert_ne!(written, SETTINGS);
    let ran = home.run(&["setup", "restore", "claude-code", "nonsense", "--yes"]);
    assert!(ran.code != Some(0) && ran.err.contains("no copy called \"nonsense\""), "{}", ran.err);
}

#[test]
fn everything_is_taken_back_whatever_is_damaged() {
    for damage in ["settings.json", "keys.json", "clients.json"] {
        let (home, file) = with_claude();
        let codex = home.file("user/.codex/config.toml");
        fs::create_dir_all(codex.parent().unwrap()).unwrap();
        fs::write(&codex, "model = \"gpt-5\" # mine\n").unwrap();
        home.ok(&["setup", "claude-code", "--yes"]);
        home.ok(&["setup", "codex", "--yes"]);
        assert_ne!(fs::read_to_string(&codex).unwrap(), "model = \"gpt-5\" # mine\n");
        fs::write(home.folder().join(damage), "{\"version\": ").unwrap();
        assert_eq!(home.run(&["setup", "--revert", "--all"]).code, Some(2), "nobody is there to be asked");
        let ran = home.run(&["setup", "--revert", "--all", "--yes"]);
        assert_eq!(ran.code, Some(0), "{damage}: {}", ran.err);
        assert_eq!(fs::read_to_string(&file).unwrap(), SETTINGS, "{damage}: {}", ran.err);
        assert_eq!(fs::read_to_string(&codex).unwrap(), "model = \"gpt-5\" # mine\n", "{damage}: {}", ran.err);
        let ran = home.run(&["setup", "--revert", "--all", "--yes"]);
        assert_eq!(ran.code, Some(0), "{damage}: {}", ran.err);
    }
}

#[test]
fn what_cannot_be_set_up_is_said_and_left_alone() {
    let (home, file) = with_claude();
    fs::write(&file, "{ \"env\": ").unwrap();
    let ran = home.run(&["setup", "claude-code", "--yes"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("line 1, column") && ran.err.contains("left as it is"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "{ \"env\": ");
    assert_eq!(home.json(&["keys", "list", "--json"]), serde_json::json!([]), "no key was made in vain");

    let ran = home.run(&["setup", "cursor", "--yes"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let ran = home.run(&["setup", "emacs"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("claude-code, codex"), "{}", ran.err);
    assert_eq!(home.run(&["setup", "--revert"]).code, Some(2));
    let ran = home.run(&["setup", "claude-code", "--target", "moon", "--yes"]);
    assert!(ran.code == Some(2) && ran.err.contains("there is: user"), "{}", ran.err);
}

#[test]
fn a_project_is_set_up_only_when_it_is_asked_for() {
    let (home, file) = with_claude();
    let project = home.file("project");
    fs::create_dir_all(&project).unwrap();
    let mut command = home.command(&["setup", "claude-code", "--project", "--yes"]);
    let output = command.current_dir(&project).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let local = project.join(".claude/settings.local.json");
    assert!(fs::read_to_string(&local).unwrap().contains("ANTHROPIC_BASE_URL"));
    assert_eq!(fs::read_to_string(&file).unwrap(), SETTINGS, "the person's own settings are as they were");
    let mut command = home.command(&["setup", "--revert", "claude-code", "--project", "--yes"]);
    assert!(command.current_dir(&project).output().unwrap().status.success());
    assert!(!local.exists(), "it was ours alone");
}

/// A key of its own, a helper, what the shell exports, a project that points elsewhere, and a session that runs: each is told where
/// it stands and with a cure, by the doctor, in the list, and by the control plane, which the dashboard asks.
#[cfg(target_os = "linux")]
#[test]
fn what_keeps_a_client_away_is_told_with_a_cure_wherever_it_is_asked() {
    let (home, file) = with_claude();
    let server = home.serve(&[]);
    fs::write(&file, "{\"apiKeyHelper\": \"/bin/helper\"}").unwrap();
    home.ok(&["setup", "claude-code", "--yes"]);
    let user = home.file("user");
    fs::write(user.join(".bashrc"), "export ANTHROPIC_API_KEY=sk-mine\nexport CLAUDE_CODE_USE_BEDROCK=1\n").unwrap();
    let project = home.file("project");
    fs::create_dir_all(project.join(".claude")).unwrap();
    let project = project.canonicalize().unwrap();
    let away = "{\"env\": {\"ANTHROPIC_BASE_URL\": \"https://elsewhere.example\"}}";
    fs::write(project.join(".claude/settings.json"), away).unwrap();
    let sessions = user.join(".claude/sessions");
    fs::create_dir_all(&sessions).unwrap();
    let pid = std::process::id();
    fs::write(sessions.join("1.json"), format!("{{\"pid\": {pid}, \"cwd\": \"/work/x\", \"startedAt\": 1}}")).unwrap();

    let ran = |args: &[&str]| {
        let output = home.command(args).current_dir(&project).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let told = [
        (
            "project_settings",
            "blocks",
            "ANTHROPIC_BASE_URL is https://elsewhere.example",
            "Take ANTHROPIC_BASE_URL out",
        ),
        ("other_provider", "blocks", "CLAUDE_CODE_USE_BEDROCK is set", "Take the line out"),
        ("api_key", "warning", "ANTHROPIC_API_KEY is set there as well", "Take the line out"),
        ("api_key_helper", "note", "An apiKeyHelper is set", "Nothing needs to be done"),
        ("running_session", "note", "runs in /work/x", "End it and start it again"),
    ];
    let (code, report) = ran(&["doctor", "--json"]);
    assert_eq!(code, Some(1));
    let report: Value = serde_json::from_str(&report).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let token = home.ok(&["token"]);
    let path = format!("/api/clients?project={}", project.display());
    let answer = server.get(&path, &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let list: Value = serde_json::from_str(&answer.body).unwrap();
    let of = |list: &Value| {
        let clients = list["clients"].as_array().unwrap();
        let client = clients.iter().find(|client| client["client"] == "claude-code").unwrap();
        client["targets"][0]["conflicts"].as_array().unwrap().clone()
    };
    let (_, listed) = ran(&["setup", "status", "--json"]);
    let listed = of(&serde_json::from_str(&listed).unwrap());
    let (_, status) = ran(&["setup", "status"]);
    for (code, weight, what, cure) in told {
        let verdict = match weight {
            "blocks" => "fail",
            "warning" => "warn",
            _ => "ok",
        };
        let says = |value: &Value, text: &str| value.as_str().is_some_and(|value| value.contains(text));
        let row = rows.iter().find(|row| says(&row["message"], what));
        let row = row.unwrap_or_else(|| panic!("{code}: {report:#}"));
        assert!(row["verdict"] == verdict && says(&row["hint"], cure), "{row:#}");
        for conflicts in [&listed, &of(&list)] {
            let found = conflicts.iter().find(|conflict| conflict["code"] == code && says(&conflict["what"], what));
            let found = found.unwrap_or_else(|| panic!("{code}: {conflicts:#?}"));
            assert!(found["weight"] == weight && says(&found["cure"], cure), "{found:#}");
            assert!(found["place"].as_str().is_some_and(|place| !place.is_empty()), "{found:#}");
        }
        assert_eq!(status.contains(what), weight != "note", "{code}: {status}");
    }
    assert!(!format!("{report}{list}{status}").contains("sk-mine"), "no key is shown");
}
