//! Clients other than Claude Code, the real ones, set up by their files: they complete a loop of tools here, and afterwards their
//! files are what they were.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use codeferry_clients::apply::{Desk, Seen};
use codeferry_clients::client::{Documents, Kind, Owned, State, Target, View, World as Machine};
use codeferry_clients::intent::Intent;
use codeferry_tests::World;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::{asked, calling, items, playing};

/// Longer than any run takes, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(180);

/// A file of the Codex CLI that somebody has worked on for a while.
const CODEX: &str = "# mine\nmodel_provider = \"openrouter\"   # for now\nmodel_reasoning_effort = \"low\"\r\n\n[model_providers.openrouter]\n\
                     name = 'OpenRouter'\nbase_url = \"https://openrouter.ai/api/v1\"\nenv_key = \"OPENROUTER_API_KEY\"\n\n[tui]\n\
                     notifications = true\n";
/// One of opencode.
const OPENCODE: &str = "{\n\t// mine\n\t\"$schema\": \"https://opencode.ai/config.json\",\n\t\"model\": \"anthropic/claude-opus-4-8\",\n\t\
                        \"autoupdate\": false,\n}\n";

/// A person with such a client, and a project.
pub(crate) struct Person<'w> {
    world: &'w World,
    home: PathBuf,
    project: TempDir,
    machine: Machine,
    pub(crate) intent: Intent,
    desk: Desk,
}

impl<'w> Person<'w> {
    pub(crate) fn of(world: &'w World) -> Self {
        let setup = world.gateway.gateway().setup(None).expect("a machine");
        let intent = setup.offer.intent(&world.key, Some("test"));
        let home = world.home.path().join("user");
        let project = tempfile::tempdir().expect("a project");
        Self { world, home, project, machine: setup.world, intent, desk: Desk::new(world.home.path()) }
    }

    pub(crate) fn put(&self, file: &str, content: &str) {
        let file = self.home.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.home.join(file)).unwrap()
    }

    fn target(&self, kind: Kind) -> Target {
        kind.client().unwrap().detect(&self.machine).targets.remove(0)
    }

    pub(crate) fn set_up(&self, kind: Kind) {
        let (client, target) = (kind.client().unwrap(), self.target(kind));
        let documents = Documents::of(client, &self.machine, &target);
        let changes = client.plan(&self.machine, &target, &documents, &self.intent);
        let bytes = |path: &Path| documents.bytes(path).map(<[u8]>::to_vec);
        let seen = documents.paths().fold(Seen::default(), |seen, path| seen.with(path, bytes(path)));
        self.desk.apply(kind.name(), &seen, &changes, jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(self.state(kind), State::Ours);
    }

    fn state(&self, kind: Kind) -> State {
        let (client, target) = (kind.client().unwrap(), self.target(kind));
        let documents = Documents::of(client, &self.machine, &target);
        let owned: Vec<_> = self.desk.owned(Some(kind.name())).unwrap().into_iter().map(Owned::from).collect();
        let opens = |key: &str| key == self.world.key;
        let view = View { documents: &documents, owned: &owned, intent: &self.intent, opens: &opens };
        client.state(&self.machine, &target, &view)
    }

    pub(crate) fn go_back(&self, kind: Kind) {
        self.desk.revert(kind.name(), jiff::Timestamp::UNIX_EPOCH).unwrap();
    }

    /// Runs a program that is told nothing but what stands in its files; what it printed, and what came after it on stderr.
    pub(crate) async fn run(&self, program: &Path, args: &[&str], input: &str) -> String {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("LANG", "C.UTF-8")
            // What it would otherwise ask of the network has no place in a test.
            .envs(
                ["AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS"]
                    .map(|what| (format!("OPENCODE_DISABLE_{what}"), "1")),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).await.expect("it reads");
        drop(stdin);
        let output =
            tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("its output");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// `codeferry ARGS…` beside the gateway.
    async fn codeferry(&self, program: &Path, args: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(args).env_clear().env("HOME", &self.home).env("CODEFERRY_HOME", self.world.home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("CODEFERRY_VAULT", "file");
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    pub(crate) fn made(&self, file: &str) -> String {
        std::fs::read_to_string(self.project.path().join(file)).unwrap()
    }
}

#[tokio::test]
async fn the_codex_cli_comes_here_by_its_file_alone_and_goes_back() {
    let world = World::start().await;
    let Some(codex) = codeferry_tests::client("CODEFERRY_TEST_CODEX", "the Codex CLI") else { return };
    let person = Person::of(&world);
    person.put(".codex/config.toml", CODEX);
    person.put(".codex/auth.json", "{\"OPENAI_API_KEY\": \"sk-mine\", \"auth_mode\": \"apikey\"}\n");
    assert_eq!(person.state(Kind::Codex), State::Elsewhere { url: "https://openrouter.ai/api/v1".to_owned() });
    person.set_up(Kind::Codex);

    let prompt =
        playing(&[&calling("exec_command", &json!({"cmd": "echo by-hand > made.txt"})), "[[demo:text All done.]]"]);
    let args = ["exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", &prompt];
    let said = person.run(&codex, &args, "").await;
    assert!(said.contains("All done."), "{said}");
    assert_eq!(person.made("made.txt"), "by-hand\n");
    let requests = asked(&world);
    assert_eq!(requests.len(), 2, "one for each round, and they came here");
    assert_eq!(items(&requests[1], "function_call_output").len(), 1, "the result of the tool went back");
    assert!(
        requests.iter().all(|request| request["model"] == person.intent.default_model.as_deref().unwrap_or_default())
    );

    person.go_back(Kind::Codex);
    assert_eq!(person.read(".codex/config.toml"), CODEX);
    assert_eq!(person.read(".codex/auth.json"), "{\"OPENAI_API_KEY\": \"sk-mine\", \"auth_mode\": \"apikey\"}\n");
}

#[tokio::test]
async fn a_profile_of_the_codex_cli_leaves_its_default_alone() {
    let world = World::start().await;
    let Some(codex) = codeferry_tests::client("CODEFERRY_TEST_CODEX", "the Codex CLI") else { return };
    let person = Person::of(&world);
    person.put(".codex/config.toml", CODEX);
    let client = Kind::Codex.client().unwrap();
    let profile = client.detect(&person.machine).targets.remove(1);
    let changes = client.plan(&person.machine, &profile, &Documents::default(), &person.intent);
    let seen = Seen::default().with(&profile.files[0], None);
    person.desk.apply("codex", &seen, &changes, jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(person.read(".codex/config.toml"), CODEX);

    let args = ["exec", "--skip-git-repo-check", "--profile", "codeferry", "[[demo:text By profile.]]"];
    let said = person.run(&codex, &args, "").await;
    assert!(said.contains("By profile."), "{said}");
    assert_eq!(asked(&world).len(), 1, "and it came here");
    person.go_back(Kind::Codex);
    assert!(!profile.files[0].exists(), "it was ours alone");
}

/// The provider that a run is given by arguments is the one of the file, and the key in the variable wins.
#[tokio::test]
async fn a_run_of_the_codex_cli_needs_no_file() {
    let world = World::start().await;
    let Some(codex) = codeferry_tests::client("CODEFERRY_TEST_CODEX", "the Codex CLI") else { return };
    let person = Person::of(&world);
    person.put(".codex/config.toml", CODEX);
    let flags = codeferry_clients::codex_cli::flags(&person.intent);
    let variables: BTreeMap<_, _> = codeferry_clients::codex_cli::variables(&person.intent).into_iter().collect();
    let mut args: Vec<_> = flags.iter().flat_map(|flag| ["-c", flag.as_str()]).collect();
    args.extend(["exec", "--skip-git-repo-check", "[[demo:text Just once.]]"]);
    let (name, value) = variables.into_iter().next().unwrap();
    let with_key = ["-c", "export \"$1=$2\"; shift 2; exec \"$@\"", "sh", &name, value.as_deref().unwrap()];
    let all: Vec<_> = with_key.into_iter().chain([codex.to_str().unwrap()]).chain(args).collect();
    let said = person.run(Path::new("sh"), &all, "").await;
    assert!(said.contains("Just once."), "{said}");
    assert_eq!(asked(&world).len(), 1, "and it came here");
    assert_eq!(person.read(".codex/config.toml"), CODEX);
}

#[tokio::test]
async fn opencode_comes_here_by_its_file_alone_and_goes_back() {
    let world = World::start().await;
    let Some(opencode) = codeferry_tests::client("CODEFERRY_TEST_OPENCODE", "opencode") else { return };
    let person = Person::of(&world);
    let file = ".config/opencode/opencode.jsonc";
    person.put(file, OPENCODE);
    assert_eq!(person.state(Kind::OpenCode), State::Clean);
    person.set_up(Kind::OpenCode);

    let bash = json!({"command": "echo by-hand > made.txt", "description": "Write a file"});
    let prompt = playing(&[&calling("bash", &bash), "[[demo:text All done.]]"]);
    // Given as an argument, it would be put into quotation marks.
    let said = person.run(&opencode, &["run"], &prompt).await;
    assert!(said.contains("All done."), "{said}");
    assert_eq!(person.made("made.txt"), "by-hand\n");
    let requests = asked(&world);
    let rounds: Vec<_> = requests.iter().filter(|request| !items(request, "function_call_output").is_empty()).collect();
    assert_eq!(rounds.len(), 1, "the result of the tool went back");

    person.go_back(Kind::OpenCode);
    assert_eq!(person.read(file), OPENCODE);
}

#[tokio::test]
async fn one_command_brings_each_here_and_one_takes_all_back() {
    let world = World::start().await;
    let Some(codeferry) = codeferry_tests::client("CODEFERRY_BIN", "the codeferry binary") else { return };
    let Some(codex) = codeferry_tests::client("CODEFERRY_TEST_CODEX", "the Codex CLI") else { return };
    let Some(opencode) = codeferry_tests::client("CODEFERRY_TEST_OPENCODE", "opencode") else { return };
    let person = Person::of(&world);
    person.put(".codex/config.toml", CODEX);
    person.put(".config/opencode/opencode.jsonc", OPENCODE);

    let shown = person.codeferry(&codeferry, &["setup", "codex", "--diff"]).await;
    assert!(shown.contains("+model_provider = \"codeferry\""), "{shown}");
    assert_eq!(person.read(".codex/config.toml"), CODEX, "shown, and not done");
    person.codeferry(&codeferry, &["setup", "codex", "--yes"]).await;
    person.codeferry(&codeferry, &["setup", "opencode", "--yes"]).await;

    let said = person.run(&codex, &["exec", "--skip-git-repo-check", "[[demo:text By one command.]]"], "").await;
    assert!(said.contains("By one command."), "{said}");
    let said = person.run(&opencode, &["run"], "[[demo:text By another.]]").await;
    assert!(said.contains("By another."), "{said}");
    let log = world.control(reqwest::Method::GET, "/exchanges").send().await.unwrap().text().await.unwrap();
    for client in ["codex", "opencode"] {
        assert!(log.contains(&format!("\"client\":\"{client}\"")), "by the key that was made for it: {log}");
    }

    person.codeferry(&codeferry, &["setup", "--revert", "--all", "--yes"]).await;
    assert_eq!(person.read(".codex/config.toml"), CODEX);
    assert_eq!(person.read(".config/opencode/opencode.jsonc"), OPENCODE);
}
