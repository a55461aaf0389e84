//! The client as a whole, on machines that are made up.

use super::{ClaudeCode, NAME};
use crate::apply::{Site, Wish};
use crate::client::wsl::Distribution;
use crate::client::{
    Client as _, Conflict, Documents, MadeUpFiles, Moved, Os, Owned, State, Target, View, Weight, World,
};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::{Family, Intent, Model, Role, Token};

/// A gateway with two models of its own and one of an account that is asked by name.
pub(super) fn intent() -> Intent {
    let model = |slug: &str, name: &str| Model {
        slug: slug.to_owned(),
        name: name.to_owned(),
        context_window: Some(272_000),
        efforts: ["low", "medium", "high", "xhigh"].map(str::to_owned).into(),
        default_effort: Some("medium".to_owned()),
        ..Model::default()
    };
    let role = |family, model: &str, effort: Option<&str>| Role {
        family,
        model: model.to_owned(),
        effort: effort.map(str::to_owned),
    };
    Intent {
        key_name: Some("claude-code".to_owned()),
        models: vec![model("gpt-6.1-sol", "GPT-6.1 Sol"), model("gpt-6-sol", "GPT-6 Sol")],
        roles: vec![
            role(Family::Opus, "gpt-6.1-sol", Some("high")),
            role(Family::Sonnet, "gpt-6-sol", None),
            role(Family::Haiku, "attic/qwen3", None),
        ],
        ..Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf-secret"))
    }
}

const FILE: &str = "/home/ada/.claude/settings.json";

fn world(files: MadeUpFiles) -> World {
    World::made_up(Os::Linux, "/home/ada", files)
}

fn target(world: &World) -> Target {
    ClaudeCode.detect(world).targets.remove(0)
}

fn conflicts(world: &World) -> Vec<Conflict> {
    let target = target(world);
    ClaudeCode.conflicts(world, &target, &Documents::of(&ClaudeCode, world, &target), &intent())
}

fn codes(world: &World) -> Vec<(&'static str, Weight)> {
    conflicts(world).into_iter().map(|conflict| (conflict.code, conflict.weight)).collect()
}

/// What it would be told, with the file as it is when that was done.
fn set_up(world: &World) -> String {
    let target = target(world);
    let documents = Documents::of(&ClaudeCode, world, &target);
    let bytes = documents.bytes(target.file().unwrap()).unwrap_or_default();
    let mut document = Document::read(Format::Json, bytes).unwrap();
    for change in ClaudeCode.plan(world, &target, &documents, &intent()) {
        for wish in change.wishes {
            match wish {
                Wish::Take { pointer, value: Some(value), .. } => drop(document.set(&pointer, &value).unwrap()),
                Wish::Take { pointer, value: None, .. } => drop(document.delete(&pointer).unwrap()),
                _ => {}
            }
        }
    }
    document.text().to_owned()
}

fn state(world: &World, owned: &[Owned]) -> State {
    let target = target(world);
    let documents = Documents::of(&ClaudeCode, world, &target);
    let view = View { documents: &documents, owned, intent: &intent(), opens: &|key| key == "cf-secret" };
    ClaudeCode.state(world, &target, &view)
}

fn owns(key: &str, intact: bool) -> Owned {
    Owned { file: FILE.into(), pointer: Pointer::of(&["env", key]), intact }
}

#[test]
fn what_is_planned_is_undone_to_the_byte() {
    for original in [
        "",
        "{}",
        "{\r\n\t\"env\": {\r\n\t\t\"ANTHROPIC_API_KEY\": \"sk-ant-mine\",\r\n\t\t\"NO_PROXY\": \"corp.example\",\r\n\t\t\"X\": 1\r\n\t}\r\n}\r\n",
        "\u{feff}{\"hooks\": {\"PreToolUse\": [{\"matcher\": \"Bash\", \"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}, \"model\": \"opus\"}",
        "{\"env\":{\"ANTHROPIC_BASE_URL\":\"https://other.example\",\"ANTHROPIC_AUTH_TOKEN\":\"other\",\"CLAUDE_CODE_AUTO_COMPACT_WINDOW\":150000},\"skipWebFetchPreflight\":false}\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut world = world(MadeUpFiles::new());
        world.files = std::sync::Arc::new(crate::client::RealFiles);
        world.home = folder.path().join("home");
        let file = world.home.join(".claude/settings.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, original).unwrap();
        let target = target(&world);
        assert_eq!(target.file(), Some(file.as_path()));
        let plan = || ClaudeCode.plan(&world, &target, &Documents::of(&ClaudeCode, &world, &target), &intent());
        let site = Site::new(NAME, &file, folder.path().join("data"));
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let done = site.change(site.look().unwrap(), &plan()[0].wishes, now).unwrap();
        assert!(done.changed);
        let text = std::fs::read_to_string(&file).unwrap();
        let document = super::layers::plain(text.as_bytes()).expect("Claude Code reads it");
        assert_eq!(super::base_url(&document).as_deref(), Some("http://127.0.0.1:8081"), "{text}");
        assert!(!document.holds(&Pointer::of(&["env", "ANTHROPIC_API_KEY"])));
        let again = site.change(site.look().unwrap(), &plan()[0].wishes, now).unwrap();
        assert!(!again.changed, "once is enough: {}\n{text}", again.document.text());
        site.change(site.look().unwrap(), &[Wish::GiveBackAll], now).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), original);
    }
}

#[test]
fn lists_of_addresses_are_added_to_and_never_replaced() {
    let list = |text: &str| {
        let document = Document::read(Format::Json, text.as_bytes()).unwrap();
        ["NO_PROXY", "no_proxy"].map(|name| document.string(&Pointer::of(&["env", name])).unwrap())
    };
    assert_eq!(list(&set_up(&world(MadeUpFiles::new()))), [None, None], "nothing stands in the way");
    let proxied = world(MadeUpFiles::new()).with("HTTPS_PROXY", "http://p").with("NO_PROXY", "corp");
    assert_eq!(
        list(&set_up(&proxied)),
        [Some("corp,127.0.0.1,localhost".to_owned()), None],
        "the shell's list is kept"
    );
    let lower = world(MadeUpFiles::new().with(FILE, r#"{"env":{"NO_PROXY":"a"}}"#)).with("no_proxy", "b");
    let wanted = [Some("a".to_owned()), Some("b,127.0.0.1,localhost".to_owned())];
    assert_eq!(list(&set_up(&lower)), wanted, "the one that wins");
    let in_file = world(MadeUpFiles::new().with("/home/ada/.zshrc", "export HTTP_PROXY=http://p NO_PROXY=corp"));
    assert_eq!(list(&set_up(&in_file))[0].as_deref(), Some("corp,127.0.0.1,localhost"), "a shell's file counts, too");
}

#[test]
fn each_state_is_told_apart() {
    let with = |text: &str| world(MadeUpFiles::new().with(FILE, text));
    assert_eq!(state(&world(MadeUpFiles::new()), &[]), State::NotInstalled);
    assert_eq!(state(&world(MadeUpFiles::new().with("/home/ada/.claude/history.jsonl", "")), &[]), State::Clean);
    assert_eq!(state(&with("{}"), &[]), State::Clean);
    let elsewhere = r#"{"env":{"ANTHROPIC_BASE_URL":"https://other.example"}}"#;
    assert_eq!(state(&with(elsewhere), &[]), State::Elsewhere { url: "https://other.example".to_owned() });
    let ours = set_up(&with("{}"));
    assert_eq!(state(&with(&ours), &[]), State::Ours);
    assert_eq!(state(&with(&ours), &[owns("ANTHROPIC_BASE_URL", true)]), State::Ours);
    let broken = |text: &str, owned: &[Owned]| match state(&with(text), owned) {
        State::Broken { why } => why,
        other => panic!("{other:?}"),
    };
    assert!(broken("{", &[]).starts_with("/home/ada/.claude/settings.json: line 1, column "));
    assert!(broken(&ours.replace("cf-secret", "cf-old"), &[]).contains("opens nothing here"));
    assert!(broken(&ours.replacen('{', "{ // mine\n", 1), &[]).contains("plain JSON only"));
}

#[test]
fn drift_says_who_moved() {
    let with = |text: &str| world(MadeUpFiles::new().with(FILE, text));
    let drift = |text: &str, key: &str, intact| match state(
        &with(text),
        &[owns("ANTHROPIC_BASE_URL", true), owns(key, intact)],
    ) {
        State::Drifted { drifts } => drifts.into_iter().map(|drift| (drift.key, drift.now, drift.by)).collect(),
        State::Ours => Vec::new(),
        other => panic!("{other:?}"),
    };
    let ours = set_up(&with("{}"));
    let moved = |text: &str, key: &str, now: Option<&str>, by| {
        let intact = by == Moved::Intent;
        assert_eq!(drift(text, key, intact), [(key.to_owned(), now.map(str::to_owned), by)], "{text}");
    };
    let window = "CLAUDE_CODE_MAX_CONTEXT_TOKENS";
    moved(&ours.replace("\"200000\"", "\"400000\""), window, Some("400000"), Moved::Intent);
    moved(&ours.replace("\"200000\"", "\"100000\""), window, Some("100000"), Moved::File);
    assert_eq!(
        drift(&ours.replace("\"200000\"", "\"100000\""), window, true),
        [],
        "a window that is too small does no harm"
    );
    let name = "ANTHROPIC_DEFAULT_OPUS_MODEL_NAME";
    assert_eq!(drift(&ours.replace("GPT-6.1 Sol", "GPT-5"), name, true), [], "nor does the name of another day");
    moved(&ours.replace("GPT-6.1 Sol", "Mine"), name, Some("Mine"), Moved::File);
    moved(
        &ours.replace("claude/sonnet", "claude-sonnet-5"),
        "ANTHROPIC_DEFAULT_SONNET_MODEL",
        Some("claude-sonnet-5"),
        Moved::File,
    );

    let url = |text: &str, intact| match state(&with(text), &[owns("ANTHROPIC_BASE_URL", intact)]) {
        State::Drifted { drifts } => drifts[0].now.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(url("{}", false), None, "somebody took it out");
    assert_eq!(url(&ours.replace(":8081", ":9999"), false).as_deref(), Some("http://127.0.0.1:9999"));
    assert_eq!(
        url(&ours.replace(":8081", ":8080"), true).as_deref(),
        Some("http://127.0.0.1:8080"),
        "our port is another"
    );
}

#[test]
fn nothing_keeps_a_plain_machine_away() {
    assert_eq!(codes(&world(MadeUpFiles::new().with(FILE, "{}"))), []);
    assert_eq!(codes(&world(MadeUpFiles::new())), []);
}

#[test]
fn what_keeps_it_away_is_found_where_it_stands() {
    let file = |text: &str| world(MadeUpFiles::new().with(FILE, text));
    let managed = |text: &str| world(MadeUpFiles::new().with("/etc/claude-code/managed-settings.json", text));
    let shell = |text: &str| world(MadeUpFiles::new().with("/home/ada/.bashrc", text));
    let plain = || world(MadeUpFiles::new());
    use Weight::{Blocks, Note, Warning};
    for (world, code, weight, place) in [
        (
            managed(r#"{"env":{"ANTHROPIC_BASE_URL":"http://corp"}}"#),
            "managed_settings",
            Blocks,
            "/etc/claude-code/managed-settings.json",
        ),
        (
            managed(r#"{"env":{"CLAUDE_CODE_MAX_CONTEXT_TOKENS":"1000000"}}"#),
            "managed_settings",
            Warning,
            "/etc/claude-code/managed-settings.json",
        ),
        (managed(r#"{"forceLoginOrgUUID":"x"}"#), "login_required", Blocks, "/etc/claude-code/managed-settings.json"),
        (managed("{"), "not_plain_json", Note, "/etc/claude-code/managed-settings.json"),
        (file(r#"{"env":{"CLAUDE_CODE_USE_BEDROCK":1}}"#), "other_provider", Blocks, FILE),
        (shell("\nexport CLAUDE_CODE_USE_VERTEX=1"), "other_provider", Blocks, "/home/ada/.bashrc:2"),
        (plain().with("CLAUDE_CODE_USE_FOUNDRY", "true"), "other_provider", Blocks, "the environment"),
        (plain().with("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1"), "managed_by_host", Blocks, "the environment"),
        (plain().with("ANTHROPIC_UNIX_SOCKET", "/s"), "unix_socket", Blocks, "the environment"),
        (shell("aws() {\n  export CLAUDE_CODE_USE_BEDROCK=1\n}"), "other_provider", Note, "/home/ada/.bashrc:2"),
        (file(r#"{"env":{"ANTHROPIC_API_KEY":"sk-ant"}}"#), "api_key", Note, FILE),
        (shell("export ANTHROPIC_API_KEY=sk-ant"), "api_key", Warning, "/home/ada/.bashrc:1"),
        (file(r#"{"apiKeyHelper":"/bin/key"}"#), "api_key_helper", Note, FILE),
        (shell("export NO_PROXY=\"$NO_PROXY,corp\""), "no_proxy_computed", Warning, "/home/ada/.bashrc:1"),
        (file("{} // mine"), "not_plain_json", Blocks, FILE),
        (shell("export CLAUDE_CONFIG_DIR=/elsewhere"), "other_folder", Warning, "/home/ada/.bashrc:1"),
        (plain().with("CLAUDE_CONFIG_PATH", "/p"), "config_path", Note, "the environment"),
        (file(r#"{"model":"claude-opus-4-8[1m]"}"#), "model_pinned", Note, FILE),
        (file(r#"{"env":{"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC":"1"}}"#), "no_discovery", Note, FILE),
        (
            world(MadeUpFiles::new().with("/home/ada/.claude/remote-settings.json", "{}")),
            "remote_settings",
            Warning,
            "/home/ada/.claude/remote-settings.json",
        ),
    ] {
        let found = conflicts(&world);
        let [one] = found.as_slice() else { panic!("{code}: {found:#?}") };
        assert_eq!((one.code, one.weight, one.place.as_str()), (code, weight, place));
        assert!(one.what.ends_with('.') && one.cure.ends_with('.'), "{one:?}");
    }
    for harmless in [
        file(r#"{"env":{"CLAUDE_CODE_USE_BEDROCK":"0"}}"#).with("CLAUDE_CODE_USE_BEDROCK", "1"),
        shell("export ANTHROPIC_BASE_URL=http://other").with("ANTHROPIC_AUTH_TOKEN", "other"),
        plain().with("HTTPS_PROXY", "http://p"),
        file(r#"{"model":"opus[1m]"}"#),
        managed("  \n"),
    ] {
        assert_eq!(conflicts(&harmless), [], "a file overrules the shell, and what we write spares this machine");
    }
}

#[test]
fn a_proxy_that_a_stronger_file_forces_is_found() {
    let files = MadeUpFiles::new()
        .with("/etc/claude-code/managed-settings.json", r#"{"env":{"HTTPS_PROXY":"http://p","no_proxy":"corp"}}"#);
    let found = codes(&world(files));
    assert!(found.contains(&("proxy", Weight::Blocks)), "{found:?}");
}

#[test]
fn other_projects_are_looked_into() {
    let notes = r#"{"projects":{"/p":{},"/q":{},"/home/ada":{}}}"#;
    let files = MadeUpFiles::new()
        .with("/home/ada/.claude.json", notes)
        .with("/p/.claude/settings.json", r#"{"env":{"ANTHROPIC_BASE_URL":"http://team"}}"#)
        .with("/q/.claude/settings.local.json", r#"{"permissions":{}}"#);
    let found = conflicts(&world(files));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].place.as_str()), ("project_settings", "/p/.claude/settings.json"));
    assert!(found[0].what.contains("ANTHROPIC_BASE_URL"));
}

#[test]
fn a_project_that_was_set_up_too_is_no_conflict() {
    let own = r#"{"env":{"ANTHROPIC_BASE_URL":"http://localhost:8081","ANTHROPIC_AUTH_TOKEN":"another-key"}}"#;
    let files = MadeUpFiles::new()
        .with("/home/ada/.claude.json", r#"{"projects":{"/p":{}}}"#)
        .with("/p/.claude/settings.local.json", own);
    let mut world = world(files);
    assert_eq!(conflicts(&world), []);
    world.project = Some("/p".into());
    assert_eq!(conflicts(&world), [], "not when it is the one we are in, either");
}

#[test]
fn a_session_that_runs_is_named() {
    let note = r#"{"pid":7,"cwd":"/p","startedAt":1,"procStart":"9"}"#;
    let stat = format!("7 (claude) S {} 9 0", vec!["0"; 18].join(" "));
    let files = MadeUpFiles::new().with("/home/ada/.claude/sessions/7.json", note).with("/proc/7/stat", &stat);
    let found = conflicts(&world(files));
    assert_eq!((found[0].code, found[0].place.as_str()), ("running_session", "process 7"));
}

#[test]
fn names_of_another_day_are_a_note() {
    let ours = set_up(&world(MadeUpFiles::new()));
    assert_eq!(codes(&world(MadeUpFiles::new().with(FILE, &ours))), []);
    let before = ours.replace("GPT-6.1 Sol", "GPT-5");
    assert_eq!(codes(&world(MadeUpFiles::new().with(FILE, &before))), [("names_of_before", Weight::Note)]);
}

#[test]
fn the_strongest_word_counts_for_each_key() {
    let env =
        |port: u16, key: &str| format!(r#"{{"env":{{"ANTHROPIC_BASE_URL":"http://127.0.0.1:{port}","{key}":"1"}}}}"#);
    let files = MadeUpFiles::new()
        .with("/home/ada/.zshrc", "export ANTHROPIC_BASE_URL=http://zsh")
        .with(FILE, &env(1, "A"))
        .with("/p/.claude/settings.json", &env(2, "B"))
        .with("/p/.claude/settings.local.json", &env(3, "ANTHROPIC_MODEL"))
        .with("/etc/claude-code/managed-settings.json", &env(4, "C"))
        .with("/etc/claude-code/managed-settings.d/20-b.json", &env(6, "D"))
        .with("/etc/claude-code/managed-settings.d/10-a.json", &env(5, "E"));
    let effective = |files: MadeUpFiles, project: Option<&str>| {
        let mut world = world(files).with("ANTHROPIC_BASE_URL", "http://shell");
        world.project = project.map(Into::into);
        let target = target(&world);
        let found = ClaudeCode.effective(&world, &target, &Documents::of(&ClaudeCode, &world, &target));
        let url = found.into_iter().find(|effective| effective.key == "ANTHROPIC_BASE_URL").unwrap();
        (url.expose().to_owned(), url.from, url.overruled)
    };
    let (url, from, overruled) = effective(files.clone(), Some("/p"));
    assert_eq!((url.as_str(), from.as_str()), ("http://127.0.0.1:6", "/etc/claude-code/managed-settings.d/20-b.json"));
    let order = [
        "/etc/claude-code/managed-settings.d/10-a.json",
        "/etc/claude-code/managed-settings.json",
        "/p/.claude/settings.local.json",
        "/p/.claude/settings.json",
        FILE,
        "the environment",
        "/home/ada/.zshrc:1",
    ];
    assert_eq!(overruled, order);
    let plain = world(MadeUpFiles::new()).with("ANTHROPIC_API_KEY", "sk-ant-0123456789abcd");
    let way = ClaudeCode.way(&plain, &target(&plain), &Documents::default()).unwrap();
    assert_eq!((way.url, way.key.map(|key| key.shown())), (None, Some("…abcd".to_owned())), "its maker's own");
    let managed = |name: &str| format!("/etc/claude-code/{name}");
    let without = files.without(&managed("managed-settings.json")).without(&managed("managed-settings.d/20-b.json"));
    let without = without.without(&managed("managed-settings.d/10-a.json"));
    assert_eq!(effective(without.clone(), Some("/p")).1, "/p/.claude/settings.local.json");
    assert_eq!(effective(without.clone(), None).1, FILE, "not in that project");
    assert_eq!(
        effective(without.clone(), Some("/home/ada")).2,
        ["the environment", "/home/ada/.zshrc:1"],
        "home is no project"
    );
    let commented = without.with(FILE, "{ /* mine */ }");
    assert_eq!(effective(commented, None).1, "the environment", "a file with a comment counts for nothing");
}

#[test]
fn there_is_a_target_for_each_folder_and_each_linux() {
    let distribution = |name: &str, running| Distribution { name: name.to_owned(), running, version: 2 };
    let files = MadeUpFiles::new()
        .with(r"C:\Users\ada\.claude\settings.json", "{}")
        .with(r"\\wsl.localhost\Ubuntu\home\ada\.bashrc", "");
    let mut windows = World::made_up(Os::Windows, r"C:\Users\ada", files).with("CLAUDE_CONFIG_DIR", r"D:\claude");
    windows.distributions = vec![distribution("Ubuntu", true), distribution("Debian", false)];
    windows.project = Some(r"C:\src\p".into());
    let targets = ClaudeCode.detect(&windows).targets;
    let found: Vec<_> = targets
        .iter()
        .map(|target| (target.id.as_str(), target.file().map(|file| file.display().to_string())))
        .collect();
    let at = |path: &str| Some(path.to_owned());
    assert_eq!(
        found,
        [
            ("user", at(r"D:\claude\settings.json")),
            ("usual", at(r"C:\Users\ada\.claude\settings.json")),
            ("wsl:Ubuntu:ada", at(r"\\wsl.localhost\Ubuntu\home\ada\.claude\settings.json")),
            ("wsl:Debian", None),
            ("project", at(r"C:\src\p\.claude\settings.local.json")),
        ]
    );
    assert!(targets[0].obstacle.is_none() && targets[3].obstacle.is_some());
    assert_eq!(targets.iter().filter(|target| !target.opt_in).count(), 1, "one is meant when nothing is said");

    let found = |target: &Target| {
        ClaudeCode.conflicts(&windows, target, &Documents::of(&ClaudeCode, &windows, target), &intent())
    };
    let linux = found(&targets[2]);
    assert_eq!((linux[0].code, linux[0].weight), ("wsl_network", Weight::Blocks));
    assert_eq!(linux[1].code, "exposed");
    assert_eq!(found(&targets[3]), []);
}

#[test]
fn a_folder_that_only_a_shell_knows_is_a_target() {
    let files = MadeUpFiles::new().with("/home/ada/.zshrc", "export CLAUDE_CONFIG_DIR=/work/claude");
    let targets = ClaudeCode.detect(&world(files)).targets;
    assert_eq!(targets[1].id, "folder:/work/claude");
    assert_eq!(targets[1].label, "/work/claude/settings.json (for shells that read ~/.zshrc)");
}

#[test]
fn a_key_in_a_repository_is_warned_of() {
    let git = |ignored: &str| {
        let mut world = world(MadeUpFiles::new().with("/p/.git/HEAD", "ref").with("/p/.gitignore", ignored));
        world.project = Some("/p".into());
        let target = ClaudeCode.detect(&world).targets.pop().unwrap();
        assert_eq!((target.id.as_str(), target.opt_in), ("project", true));
        ClaudeCode.conflicts(&world, &target, &Documents::of(&ClaudeCode, &world, &target), &intent())
    };
    assert_eq!(git("target\n")[0].code, "git");
    assert_eq!(git("target\n**/.claude/settings.local.json\n"), []);
    assert_eq!(git(".claude/\n"), []);
}

#[test]
fn a_session_can_be_told_by_a_file_of_its_own() {
    let settings = super::settings(&intent(), None);
    let document = super::layers::plain(settings.as_bytes()).unwrap();
    assert_eq!(super::token(&document).as_deref(), Some("cf-secret"));
    assert_eq!(document.value(&Pointer::of(&["skipWebFetchPreflight"])).unwrap(), Some(Value::Flag(true)));
}

#[test]
fn the_program_and_its_version_are_found_without_starting_it() {
    let npm = "/home/ada/.npm/lib/node_modules/@anthropic-ai/claude-code";
    let files = MadeUpFiles::new()
        .with(&format!("{npm}/bin/claude"), "")
        .with(&format!("{npm}/package.json"), r#"{"name":"@anthropic-ai/claude-code","version":"2.1.197"}"#);
    let mut world = world(files);
    world.path = vec!["/usr/bin".into(), format!("{npm}/bin").into()];
    let found = ClaudeCode.detect(&world);
    assert_eq!((found.version.as_deref(), found.how), (Some("2.1.197"), Some("npm")));
}

#[test]
fn a_session_switches_off_what_is_against_it() {
    let against =
        r#"{"env":{"CLAUDE_CODE_USE_BEDROCK":"1","ANTHROPIC_API_KEY":"k","NO_PROXY":"corp","HTTPS_PROXY":"http://p"}}"#;
    let world = world(MadeUpFiles::new().with(FILE, against)).with("no_proxy", "corp");
    let session = super::session(&world, &intent());
    let document = super::layers::plain(session.as_bytes()).unwrap();
    let variable = |name: &str| document.string(&Pointer::of(&["env", name])).unwrap();
    assert_eq!(variable("ANTHROPIC_BASE_URL").as_deref(), Some("http://127.0.0.1:8081"), "{session}");
    assert_eq!(variable("CLAUDE_CODE_USE_BEDROCK").as_deref(), Some("0"));
    assert_eq!(variable("CLAUDE_CODE_USE_VERTEX"), None, "nobody switched it on");
    assert_eq!(variable("ANTHROPIC_API_KEY").as_deref(), Some(""));
    assert_eq!(variable("no_proxy").as_deref(), Some("corp,127.0.0.1,localhost"));
    assert_eq!(variable("NO_PROXY"), None);
}
