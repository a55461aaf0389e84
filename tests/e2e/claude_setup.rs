//! The real Claude Code, set up by its file, against what is said of it: that it comes here, that it knows our models, that what
//! is called a conflict is one, and whose word counts.

use std::path::{Path, PathBuf};

use codeferry_clients::apply::Desk;
use codeferry_clients::claude_code::{self, ClaudeCode};
use codeferry_clients::client::{
    Client as _, Documents, Files, RealFiles, State, Target, View, Weight, World as Machine,
};
use codeferry_clients::format::{Format, Pointer};
use codeferry_clients::intent::Intent;
use codeferry_tests::claude::Claude;
use codeferry_tests::{Setup, World};
use serde_json::{Value, json};

use crate::{asked, calling, playing};

/// A file somebody has worked on for a while: Windows line ends, a number, a hook, a key of one's own, a proxy's exceptions.
const LIVED_IN: &str = "{\r\n  \"permissions\": {\"allow\": [\"Read\", \"Bash\"]},\r\n  \"env\": {\r\n    \"ANTHROPIC_API_KEY\": \
                        \"sk-ant-mine\",\r\n    \"NO_PROXY\": \"corp.example\",\r\n    \"BASH_DEFAULT_TIMEOUT_MS\": 120000\r\n  \
                        },\r\n  \"hooks\": {\"PostToolUse\": [{\"matcher\": \"Read\", \"hooks\": [{\"type\": \"command\", \
                        \"command\": \"echo seen > hooked.txt\"}]}]},\r\n  \"model\": \"opus\"\r\n}\r\n";

/// A person with a Claude Code, and what we know about them.
struct Person<'w> {
    world: &'w World,
    home: PathBuf,
    machine: Machine,
    intent: Intent,
}

impl<'w> Person<'w> {
    fn of(world: &'w World) -> Self {
        let setup = world.gateway.gateway().setup(None).expect("a machine");
        let intent = setup.offer.intent(&world.key, Some("test"));
        Self { world, home: world.home.path().join("user"), machine: setup.world, intent }
    }

    fn target(&self) -> Target {
        ClaudeCode.detect(&self.machine).targets.remove(0)
    }

    fn file(&self) -> PathBuf {
        let file = self.target().files.remove(0);
        assert_eq!(file, self.home.join(".claude/settings.json"));
        file
    }

    fn documents(&self) -> Documents {
        Documents::of(&ClaudeCode, &self.machine, &self.target())
    }

    fn desk(&self) -> Desk {
        Desk::new(self.world.home.path())
    }

    /// It is written, if somebody looks at what would be and wants that.
    fn set_up(&self) {
        let (desk, file) = (self.desk(), self.file());
        let changes = ClaudeCode.plan(&self.machine, &self.target(), &self.documents(), &self.intent);
        let seen = desk.look([(file.as_path(), Format::Json)]).unwrap();
        let preview = desk.preview(claude_code::NAME, &seen, &changes).unwrap();
        assert!(preview.iter().all(|file| !file.diff.contains(&self.world.key)), "a diff shows no key");
        desk.apply(claude_code::NAME, &seen, &changes, noon()).unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        assert_eq!(preview[0].after.as_deref(), Some(written.as_str()), "what was shown is what was done");
    }

    fn undo(&self) -> Vec<Pointer> {
        let done = self.desk().revert(claude_code::NAME, noon()).unwrap();
        done.files.into_iter().flat_map(|file| file.kept).collect()
    }

    fn state(&self) -> State {
        let (documents, owned) = (self.documents(), self.desk().owned(Some(claude_code::NAME)).unwrap());
        let owned: Vec<_> = owned.into_iter().map(Into::into).collect();
        let opens = |key: &str| key == self.world.key;
        let view = View { documents: &documents, owned: &owned, intent: &self.intent, opens: &opens };
        ClaudeCode.state(&self.machine, &self.target(), &view)
    }

    /// What is said to keep it away.
    fn blocks(&self) -> Vec<&'static str> {
        let found = ClaudeCode.conflicts(&self.machine, &self.target(), &self.documents(), &self.intent);
        found.into_iter().filter(|one| one.weight == Weight::Blocks).map(|one| one.code).collect()
    }
}

fn noon() -> jiff::Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn put(file: &Path, content: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
}

fn models(world: &World) -> Vec<String> {
    asked(world).iter().map(|request| request["model"].as_str().unwrap().to_owned()).collect()
}

/// Set up, it works with tools, through a proxy that would swallow everything, beside hooks and numbers; and undone, no byte of its
/// file is another.
#[tokio::test]
async fn a_file_that_was_lived_in_leads_here_and_is_given_back_to_the_byte() {
    let routes = [("route.opus", "gpt-6.1-terra:high"), ("route.sonnet", "gpt-6-sol"), ("route.haiku", "gpt-6-luna")];
    let settings = routes.map(|(key, value)| (key, value.to_owned())).into();
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let Some(claude) = Claude::of_person(&world) else { return };
    let person = Person::of(&world);
    put(&person.file(), LIVED_IN);
    assert_eq!(person.state(), State::Clean);
    person.set_up();
    assert_eq!(person.state(), State::Ours);
    assert_eq!(person.blocks(), [] as [&str; 0]);

    // The discard port: whoever goes through this proxy gets nowhere.
    let claude = claude.env("HTTPS_PROXY", "http://127.0.0.1:9");
    let file = claude.file("greeting.txt", "hello moon\n");
    let prompt = playing(&[
        &calling("Read", &json!({"file_path": file})),
        &calling("Edit", &json!({"file_path": file, "old_string": "moon", "new_string": "world"})),
        "[[demo:text Greeted.]]",
    ]);
    let run = claude.run(&prompt, &[]).await;
    assert_eq!(run.text(), "Greeted.");
    assert_eq!((claude.read("greeting.txt").as_str(), claude.read("hooked.txt").as_str()), ("hello world\n", "seen\n"));
    assert_eq!(models(&world), ["gpt-6.1-terra"; 3], "what stands for opus");
    assert_eq!(asked(&world)[0]["reasoning"]["effort"], "high", "{}", asked(&world)[0]["reasoning"]);

    for (role, model) in [("sonnet", "gpt-6-sol"), ("haiku", "gpt-6-luna"), ("claude/gpt-5.5", "gpt-5.5")] {
        assert_eq!(claude.run("[[demo:text Here.]]", &["--model", role]).await.text(), "Here.");
        assert_eq!(models(&world).last().unwrap(), model, "{role}");
    }

    // What stands for a family is another from now on, without a word to the file.
    let rerouted = world.control(reqwest::Method::PUT, "/routes/sonnet").json(&json!({"model": "gpt-5.5"}));
    assert!(rerouted.send().await.unwrap().status().is_success());
    assert_eq!(claude.run("[[demo:text There.]]", &["--model", "sonnet"]).await.text(), "There.");
    assert_eq!(models(&world).last().unwrap(), "gpt-5.5");

    let log = world.control(reqwest::Method::GET, "/exchanges?limit=100").send().await.unwrap();
    let log: Value = log.json().await.unwrap();
    assert!(log["exchanges"].as_array().unwrap().iter().all(|row| row["client"] == "test"), "{log:#}");
    assert_eq!(person.undo(), []);
    assert_eq!(std::fs::read_to_string(person.file()).unwrap(), LIVED_IN);
}

/// A session that is told by a file of ours comes here, whatever the person's own files say, and they are not touched.
#[tokio::test]
async fn a_session_can_come_here_past_the_files_of_a_person() {
    let world = World::start().await;
    let Some(claude) = Claude::of_person(&world) else { return };
    let mut person = Person::of(&world);
    let against = json!({
        "env": {
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_AUTH_TOKEN": "other", "ANTHROPIC_API_KEY": "sk-ant-mine",
            "CLAUDE_CODE_USE_BEDROCK": "1", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "corp.example",
        },
        "apiKeyHelper": "echo helped",
    });
    put(&person.file(), &against.to_string());
    let variables = [("CLAUDE_CODE_USE_VERTEX", "1"), ("no_proxy", "corp.example")];
    let claude = variables.iter().fold(claude, |claude, (name, value)| claude.env(name, value));
    person.machine = variables.iter().fold(person.machine, |machine, (name, value)| machine.with(name, value));
    let settings = claude.file("session.json", claude_code::session(&person.machine, &person.intent));
    let claude = claude.env("CLAUDE_CODE_MAX_RETRIES", "0");
    let run = claude.run("[[demo:text Here.]]", &["--settings", settings.to_str().unwrap()]).await;
    assert_eq!(run.text(), "Here.");
    assert_eq!(asked(&world).len(), 1);
    assert_eq!(std::fs::read_to_string(person.file()).unwrap(), against.to_string());
}

/// Claude Code writes its settings anew when a model is chosen. Nothing of ours is lost by that, nor what was chosen when the setup
/// is undone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_it_writes_itself_is_no_drift_and_stays() {
    let world = World::start().await;
    let Some(claude) = Claude::of_person(&world) else { return };
    let person = Person::of(&world);
    put(&person.file(), LIVED_IN);
    person.set_up();
    let mut terminal = claude.sit_down().await;
    terminal.shows("shortcuts").await;
    terminal.types("/model").await;
    terminal.shows("/model").await;
    terminal.types("\r").await;
    terminal.shows("recommended").await;
    terminal.types("5").await;
    let chosen = codeferry_tests::patience::until("its choice in the file", async || {
        let text = std::fs::read_to_string(person.file()).map_err(|error| error.to_string())?;
        let settings: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if settings["model"] == "opus" { Err("still opus".to_owned()) } else { Ok(settings) }
    });
    let chosen = chosen.await;
    assert_eq!(chosen["model"], "haiku", "{chosen:#}");
    assert_eq!(person.state(), State::Ours);
    drop(terminal);
    assert_eq!(person.undo(), []);
    let now: Value = serde_json::from_str(&std::fs::read_to_string(person.file()).unwrap()).unwrap();
    let mut wanted: Value = serde_json::from_str(LIVED_IN).unwrap();
    wanted["model"] = json!("haiku");
    // So it writes every number that it finds in `env`.
    wanted["env"]["BASH_DEFAULT_TIMEOUT_MS"] = json!("120000");
    assert_eq!(now, wanted);
}

/// It believes the windows that the catalogue of the account in use says, and counts with our ranks.
#[tokio::test]
async fn it_knows_the_windows_of_our_models_and_asks_us_to_count() {
    for (routes, window) in [(["gpt-6.1-sol"; 4], "272k"), (["gpt-6.1-terra"; 4], "500k")] {
        let families = ["route.opus", "route.sonnet", "route.haiku", "route.fable"];
        let settings = families.into_iter().zip(routes).map(|(key, value)| (key, value.to_owned())).collect();
        let world = World::with(Setup { settings, ..Setup::default() }).await;
        let Some(claude) = Claude::of_person(&world) else { return };
        let person = Person::of(&world);
        person.set_up();
        for role in ["opus", "haiku", "opus[1m]"] {
            let run = claude.run("/context", &["--model", role]).await;
            assert!(run.stdout.contains(&format!("/ {window} (")), "{role}: {}", run.stdout);
        }
        assert_eq!(asked(&world).len(), 0, "counting costs nothing upstream: it is asked as such");
    }
}

/// Its picker shows the families under the names of our models, and the catalogue below.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn its_picker_shows_our_models_by_name() {
    let world = World::start().await;
    let Some(claude) = Claude::of_person(&world) else { return };
    let person = Person::of(&world);
    person.set_up();
    // Otherwise it asks for no list.
    let claude = claude.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "");
    let mut terminal = claude.sit_down().await;
    terminal.shows("shortcuts").await;
    // By then it has the list: it asks for it at its start.
    let cache = person.home.join(".claude/cache/gateway-models.json");
    let listed = codeferry_tests::patience::until("the list of models", async || {
        let text = std::fs::read_to_string(&cache).map_err(|error| error.to_string())?;
        serde_json::from_str::<Value>(&text).map_err(|error| error.to_string())
    });
    let listed = listed.await;
    let ids: Vec<_> = listed["models"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"claude/gpt-6.1-sol") && ids.iter().all(|id| id.starts_with("claude/")), "{ids:?}");
    terminal.types("/model").await;
    terminal.shows("/model").await;
    terminal.types("\r").await;
    terminal.shows("recommended").await;
    for (family, whose) in [("opus", "Opus,"), ("fable", "Fable,"), ("sonnet", "Sonnet,"), ("haiku", "Haiku,")] {
        let role = person.intent.roles.iter().find(|role| role.family.as_str() == family).unwrap();
        terminal.displays(&person.intent.model(&role.model).unwrap().name).await;
        terminal.displays(whose).await;
    }
    terminal.displays("gateway").await;
}

/// Whose word counts, by our order and by what it does. Each of them has a key of its own, so the log tells who was obeyed.
#[tokio::test]
async fn the_settings_in_force_are_those_that_we_say() {
    let world = World::start().await;
    if Claude::of_person(&world).is_none() {
        return;
    }
    let names = ["shell", "user", "project", "local"];
    let mut made = Vec::new();
    for name in names {
        let request = world.control(reqwest::Method::POST, "/keys").json(&json!({"name": name}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        made.push(answer["key"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
    }
    let settings =
        |key: &str| json!({"env": {"ANTHROPIC_BASE_URL": world.url(), "ANTHROPIC_AUTH_TOKEN": key}}).to_string();
    let only_token = |key: &str| json!({"env": {"ANTHROPIC_AUTH_TOKEN": key}}).to_string();
    let none = String::new;
    // What the shell's variable, the person's file, the project's and its local one hold; and who is obeyed.
    let cases: [(bool, String, String, String, &str); 9] = [
        (true, none(), none(), none(), "shell"),
        (true, settings(&made[1]), none(), none(), "user"),
        (true, settings(&made[1]), only_token(&made[2]), none(), "project"),
        (false, settings(&made[1]), only_token(&made[2]), only_token(&made[3]), "local"),
        (false, settings(&made[1]), none(), only_token(&made[3]), "local"),
        (true, format!("{} // mine", settings(&made[1])), none(), none(), "shell"),
        (true, settings(&made[1]).replace("}}", "},}"), none(), none(), "shell"),
        (true, format!("\u{feff}{}", settings(&made[1])), none(), none(), "user"),
        (false, settings(&made[1]), format!("{} // ours", only_token(&made[2])), none(), "user"),
    ];
    for (shell, user, project, local, wanted) in cases {
        let mut claude = Claude::of_person(&world).expect("it was there a moment ago");
        let mut person = Person::of(&world);
        person.machine.project = Some(claude.folder().to_owned());
        let _ = std::fs::remove_file(person.file());
        let files = [
            (person.file(), user),
            (claude.path(".claude/settings.json"), project),
            (claude.path(".claude/settings.local.json"), local),
        ];
        for (file, text) in files.into_iter().filter(|(_, text)| !text.is_empty()) {
            put(&file, &text);
        }
        if shell {
            for (name, value) in [("ANTHROPIC_BASE_URL", world.url()), ("ANTHROPIC_AUTH_TOKEN", made[0].as_str())] {
                claude = claude.env(name, value);
                person.machine = person.machine.with(name, value);
            }
        }
        let effective = ClaudeCode.effective(&person.machine, &person.target(), &person.documents());
        let token = effective.iter().find(|effective| effective.key == "ANTHROPIC_AUTH_TOKEN").unwrap();
        let said = names[made.iter().position(|key| key == token.expose()).unwrap()];
        assert_eq!(said, wanted, "{token:?}");

        assert_eq!(claude.run("[[demo:text Here.]]", &[]).await.text(), "Here.");
        let log = world.control(reqwest::Method::GET, "/exchanges?limit=1").send().await.unwrap();
        let log: Value = log.json().await.unwrap();
        assert_eq!(log["exchanges"][0]["client"], wanted, "{log:#}");
    }
}

/// What is called a thing that keeps it away does, and what is called harmless does not.
#[tokio::test]
async fn what_keeps_it_away_keeps_it_away() {
    let world = World::start().await;
    if Claude::of_person(&world).is_none() {
        return;
    }
    let dead = "http://127.0.0.1:9";
    /// Variables of the shell, a change of the file afterwards, and what keeps it away.
    type Case<'c> = (&'c [(&'c str, &'c str)], (&'c str, &'c str), Option<&'c str>);
    let cases: [Case<'_>; 14] = [
        (&[], ("", ""), None),
        (&[("CLAUDE_CODE_USE_BEDROCK", "1")], ("", ""), Some("other_provider")),
        (&[("CLAUDE_CODE_USE_VERTEX", "true")], ("", ""), Some("other_provider")),
        (&[("CLAUDE_CODE_USE_FOUNDRY", "1")], ("", ""), Some("other_provider")),
        (&[("CLAUDE_CODE_USE_BEDROCK", "0")], ("", ""), None),
        (&[("CLAUDE_CODE_USE_BEDROCK", "1")], ("\"env\": {", "\"env\": {\"CLAUDE_CODE_USE_BEDROCK\": \"0\","), None),
        (&[("ANTHROPIC_UNIX_SOCKET", "/nowhere")], ("", ""), Some("unix_socket")),
        (&[("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1")], ("", ""), Some("managed_by_host")),
        (&[], ("{", "{ // mine\n"), Some("not_plain_json")),
        (&[("HTTP_PROXY", dead), ("NO_PROXY", "corp.example")], ("", ""), None),
        (&[("https_proxy", dead), ("no_proxy", "corp.example")], ("", ""), None),
        (&[("ALL_PROXY", dead)], ("", ""), None),
        (
            &[("ANTHROPIC_BASE_URL", dead), ("ANTHROPIC_AUTH_TOKEN", "x"), ("ANTHROPIC_API_KEY", "sk-ant")],
            ("", ""),
            None,
        ),
        (&[("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat")], ("{", "{\"apiKeyHelper\": \"echo helped\","), None),
    ];
    for (variables, (old, new), blocked) in cases {
        let mut claude =
            Claude::of_person(&world).expect("it was there a moment ago").env("CLAUDE_CODE_MAX_RETRIES", "0");
        let mut person = Person::of(&world);
        for (name, value) in variables {
            claude = claude.env(name, value);
            person.machine = person.machine.with(name, value);
        }
        person.set_up();
        if !old.is_empty() {
            let text = std::fs::read_to_string(person.file()).unwrap();
            put(&person.file(), &text.replacen(old, new, 1));
        }
        assert_eq!(person.blocks(), Vec::from_iter(blocked), "{variables:?} {new}");
        let before = asked(&world).len();
        let run = claude.run("[[demo:text Here.]]", &[]).await;
        let came = asked(&world).len() > before;
        assert_eq!(came, blocked.is_none(), "{variables:?} {new}: {}\n{}", run.stdout, run.stderr);
        std::fs::remove_file(person.file()).unwrap();
        person.undo();
    }
}

/// A project that points elsewhere: Claude Code obeys it, and the doctor of the command line, run in that folder, says which file it
/// is and what to do. In another folder all is well.
#[tokio::test]
async fn a_project_that_points_elsewhere_is_told_of() {
    let world = World::start().await;
    let Some(codeferry) = codeferry_tests::client("CODEFERRY_BIN", "the codeferry binary") else { return };
    let Some(claude) = Claude::of_person(&world) else { return };
    let claude = claude.env("CLAUDE_CODE_MAX_RETRIES", "0");
    let person = Person::of(&world);
    person.set_up();
    let doctor = async |folder: &Path| {
        let mut command = tokio::process::Command::new(&codeferry);
        command.args(["doctor", "--json"]).current_dir(folder).env_clear().env("HOME", &person.home);
        command.env("CODEFERRY_HOME", world.home.path()).env("CODEFERRY_VAULT", "file");
        let output = command.kill_on_drop(true).output().await.unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = report["rows"].as_array().unwrap().iter().filter(|row| row["check"] == "client");
        let failed: Vec<_> = rows.filter(|row| row["verdict"] == "fail").cloned().collect();
        (output.status.code(), failed)
    };
    assert_eq!(doctor(claude.folder()).await.1, [] as [Value; 0]);
    assert_eq!(claude.run("[[demo:text Here.]]", &[]).await.text(), "Here.");

    let project = claude.path(".claude/settings.json");
    put(&project, "{\"env\": {\"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:9\"}}");
    let before = asked(&world).len();
    claude.run("[[demo:text Here.]]", &[]).await;
    assert_eq!(asked(&world).len(), before, "it goes where its project says");
    let (code, failed) = doctor(claude.folder()).await;
    assert_eq!((code, failed.len()), (Some(1), 1), "{failed:#?}");
    let message = failed[0]["message"].as_str().unwrap();
    let place = project.canonicalize().unwrap().display().to_string();
    assert!(message.contains("ANTHROPIC_BASE_URL is http://127.0.0.1:9") && message.contains(&place), "{message}");
    let cure = failed[0]["hint"].as_str().unwrap();
    assert!(cure.contains("Take ANTHROPIC_BASE_URL out of this file"), "{cure}");
    let other = tempfile::tempdir().unwrap();
    assert_eq!(doctor(other.path()).await.1, [] as [Value; 0], "in another folder it comes here");

    // The cure works.
    std::fs::remove_file(project).unwrap();
    assert_eq!(doctor(claude.folder()).await.1, [] as [Value; 0]);
    assert_eq!(claude.run("[[demo:text Again.]]", &[]).await.text(), "Again.");
}

/// The files of this machine, but for what lies in `/etc/claude-code`.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn of(&self, path: &Path) -> PathBuf {
        path.strip_prefix("/etc/claude-code").map_or(path.to_owned(), |rest| self.0.join(rest))
    }
}

impl Files for Elsewhere {
    fn read(&self, path: &Path) -> std::io::Result<Option<Vec<u8>>> {
        RealFiles.read(&self.of(path))
    }

    fn exists(&self, path: &Path) -> bool {
        RealFiles.exists(&self.of(path))
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        RealFiles.names(&self.of(folder))
    }

    fn resolved(&self, path: &Path) -> Option<PathBuf> {
        RealFiles.resolved(&self.of(path))
    }

    fn modified(&self, path: &Path) -> Option<i64> {
        RealFiles.modified(&self.of(path))
    }
}

/// What an organisation prescribes wins over everything, its parts by name; what cannot be read counts for nothing.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn managed_settings_win_and_are_found() {
    let world = World::start().await;
    let mut keys = Vec::new();
    for name in ["whole", "first", "second", "typed"] {
        let request = world.control(reqwest::Method::POST, "/keys").json(&json!({"name": name}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        keys.push(answer["key"].as_str().unwrap().to_owned());
    }
    let token = |at: usize| json!({"env": {"ANTHROPIC_AUTH_TOKEN": keys[at]}}).to_string();
    let (part, other) = ("managed-settings.d/10-a.json", "managed-settings.d/20-b.json");
    let away = json!({"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}}).to_string();
    let login = json!({"forceLoginMethod": "claudeai", "forceLoginOrgUUID": "x"}).to_string();
    /// Files there, who is obeyed, and what is said to keep it away.
    type Case<'c> = (Vec<(&'c str, String)>, Option<&'c str>, Option<&'c str>);
    let cases: [Case<'_>; 5] = [
        (vec![("managed-settings.json", token(0))], Some("whole"), Some("managed_settings")),
        (
            vec![("managed-settings.json", token(0)), (other, token(2)), (part, token(1))],
            Some("second"),
            Some("managed_settings"),
        ),
        (vec![("managed-settings.json", "{ // ours".to_owned())], Some("typed"), None),
        (vec![("managed-settings.json", away)], None, Some("managed_settings")),
        (vec![("managed-settings.json", login)], None, Some("login_required")),
    ];
    for (files, obeyed, blocked) in cases {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &files {
            put(&folder.path().join(name), text);
        }
        let Some(claude) = Claude::of_person(&world) else { return };
        let Some(claude) = claude.env("CLAUDE_CODE_MAX_RETRIES", "0").managed_by(folder.path()) else { return };
        let mut person = Person::of(&world);
        person.machine.files = std::sync::Arc::new(Elsewhere(folder.path().to_owned()));
        person.set_up();
        assert_eq!(person.blocks(), Vec::from_iter(blocked), "{files:?}");
        let settings = claude.file("typed.json", token(3));
        let before = asked(&world).len();
        let run = claude.run("[[demo:text Here.]]", &["--settings", settings.to_str().unwrap()]).await;
        let came = asked(&world).len() > before;
        assert_eq!(came, obeyed.is_some(), "{files:?}: {}\n{}", run.stdout, run.stderr);
        if let Some(obeyed) = obeyed {
            let log = world.control(reqwest::Method::GET, "/exchanges?limit=1").send().await.unwrap();
            let log: Value = log.json().await.unwrap();
            assert_eq!(log["exchanges"][0]["client"], obeyed, "{files:?}");
        }
        person.undo();
    }
}
