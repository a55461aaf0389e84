use std::path::Path;

use super::OpenCode;
use crate::apply::Wish;
use crate::client::{Client as _, Documents, MadeUpFiles, Moved, Os, Owned, State, View, Weight, World};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::{Intent, Model, Token};

const FOLDER: &str = "/home/ada/.config/opencode";

fn world(files: &[(&str, &str)]) -> World {
    let made = files.iter().fold(MadeUpFiles::new(), |made, (name, text)| made.with(&format!("{FOLDER}/{name}"), text));
    World::made_up(Os::Linux, "/home/ada", made)
}

fn intent() -> Intent {
    let sol = Model {
        slug: "gpt-6-sol".to_owned(),
        name: "GPT-6-Sol".to_owned(),
        context_window: Some(272_000),
        efforts: vec!["low".to_owned(), "max".to_owned()],
        images: true,
        ..Model::default()
    };
    let luna = Model { slug: "gpt-6-luna".to_owned(), name: "GPT-6-Luna".to_owned(), ..Model::default() };
    Intent {
        models: vec![sol, luna],
        key_name: Some("opencode".to_owned()),
        ..Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"))
    }
}

/// What the file is when the plan has been carried out.
fn carried_out(world: &World, intent: &Intent) -> (String, Document) {
    let target = OpenCode::Itself.detect(world).targets.remove(0);
    let documents = Documents::of(&OpenCode::Itself, world, &target);
    let change = OpenCode::Itself.plan(world, &target, &documents, intent).remove(0);
    let mut document = Document::read(Format::Json, documents.bytes(&change.file).unwrap_or_default()).unwrap();
    for wish in &change.wishes {
        let Wish::Take { pointer, value: Some(value), .. } = wish else { panic!("{wish:?}") };
        if document.value(pointer).unwrap().as_ref() != Some(value) {
            document.set(pointer, value).unwrap();
        }
    }
    (change.file.display().to_string(), document)
}

fn state(world: &World, owned: &[&str], intact: bool) -> State {
    let target = OpenCode::Itself.detect(world).targets.remove(0);
    let documents = Documents::of(&OpenCode::Itself, world, &target);
    let owned: Vec<_> = owned
        .iter()
        .map(|pointer| Owned { file: target.files[0].clone(), pointer: pointer.parse().unwrap(), intact })
        .collect();
    let intent = intent();
    let view = View { documents: &documents, owned: &owned, intent: &intent, opens: &|key| key == "cf_key" };
    OpenCode::Itself.state(world, &target, &view)
}

#[test]
fn a_provider_of_our_own_with_what_the_catalogue_says() {
    let (file, document) = carried_out(&world(&[]), &intent());
    assert_eq!(file, format!("{FOLDER}/opencode.json"));
    let text = |names: &[&str]| document.string(&Pointer::of(names)).unwrap().unwrap();
    assert_eq!(text(&["model"]), "codeferry/gpt-6-sol");
    assert_eq!(text(&["provider", "codeferry", "options", "baseURL"]), "http://127.0.0.1:8081/v1");
    assert_eq!(text(&["provider", "codeferry", "options", "apiKey"]), "cf_key");
    let models = document.value(&Pointer::of(&["provider", "codeferry", "models"])).unwrap().unwrap();
    let sol = models.get("gpt-6-sol").unwrap();
    assert!(sol.get("limit").unwrap().get("context") == Some(&Value::Number(272_000)));
    assert!(sol.get("variants").unwrap().get("max").unwrap().get("reasoningEffort").unwrap().text() == Some("max"));
    let luna = models.get("gpt-6-luna").unwrap();
    assert!(luna.get("limit").is_none() && luna.get("variants").is_none(), "nobody says");
}

#[test]
fn the_file_that_wins_is_the_one_that_is_changed() {
    let both = world(&[("opencode.json", "{}"), ("opencode.jsonc", "{ // mine\n}")]);
    let (file, document) = carried_out(&both, &intent());
    assert_eq!(file, format!("{FOLDER}/opencode.jsonc"));
    assert!(document.text().contains("// mine"));
    let old = world(&[("config.json", "{}")]);
    assert_eq!(carried_out(&old, &intent()).0, format!("{FOLDER}/config.json"));
    let moved = world(&[]).with("XDG_CONFIG_HOME", "/elsewhere");
    assert_eq!(carried_out(&moved, &intent()).0, "/elsewhere/opencode/opencode.json");
}

#[test]
fn carried_out_it_is_ours_and_another_of_our_models_is_no_drift() {
    let (_, document) = carried_out(&world(&[]), &intent());
    assert_eq!(state(&world(&[("opencode.json", document.text())]), &["/model"], true), State::Ours);
    let chosen = document.text().replace("codeferry/gpt-6-sol", "codeferry/gpt-6-luna");
    assert_eq!(state(&world(&[("opencode.json", &chosen)]), &["/model"], true), State::Ours);
    let theirs = document.text().replace("codeferry/gpt-6-sol", "anthropic/claude");
    let State::Drifted { drifts } = state(&world(&[("opencode.json", &theirs)]), &["/model"], false) else {
        panic!("no drift")
    };
    assert_eq!((drifts[0].now.as_deref(), drifts[0].by), (Some("anthropic/claude"), Moved::File));
}

#[test]
fn it_is_known_where_it_goes() {
    assert_eq!(state(&world(&[]), &[], true), State::NotInstalled);
    let own = r#"{"model": "anthropic/claude-opus-4-8"}"#;
    assert_eq!(state(&world(&[("opencode.json", own)]), &[], true), State::Clean);
    let proxy = r#"{"model": "x/y", "provider": {"x": {"options": {"baseURL": "http://127.0.0.1:4000/v1"}}}}"#;
    let elsewhere = State::Elsewhere { url: "http://127.0.0.1:4000/v1".to_owned() };
    assert_eq!(state(&world(&[("opencode.json", proxy)]), &[], true), elsewhere);
    let State::Broken { why } = state(&world(&[("opencode.json", "{\"model\": }")]), &[], true) else { panic!("read") };
    assert!(why.contains("opencode.json: line 1, column 11"), "{why}");
}

#[test]
fn what_keeps_it_away_is_told() {
    let codes = |world: &World, intent: &Intent| -> Vec<_> {
        let target = OpenCode::Itself.detect(world).targets.remove(0);
        let documents = Documents::of(&OpenCode::Itself, world, &target);
        let conflicts = OpenCode::Itself.conflicts(world, &target, &documents, intent);
        conflicts.into_iter().map(|conflict| (conflict.code, conflict.weight)).collect()
    };
    let nothing = Intent { models: Vec::new(), ..intent() };
    assert_eq!(codes(&world(&[]), &nothing), [("no_models", Weight::Blocks)]);
    let disabled = world(&[("opencode.json", r#"{"disabled_providers": ["codeferry"]}"#)]);
    assert_eq!(codes(&disabled, &intent()), [("provider_disabled", Weight::Blocks)]);
    let enabled = world(&[("opencode.json", r#"{"enabled_providers": ["anthropic"]}"#)]);
    assert_eq!(codes(&enabled, &intent()), [("provider_disabled", Weight::Blocks)]);
    let files = MadeUpFiles::new().with("/work/opencode.json", r#"{"model": "anthropic/claude"}"#);
    let project = World { project: Some("/work".into()), ..World::made_up(Os::Linux, "/home/ada", files) };
    assert_eq!(codes(&project, &intent()), [("stronger_file", Weight::Warning)]);
    assert_eq!(codes(&world(&[]).with("http_proxy", "http://p"), &intent()), [("proxy", Weight::Warning)]);
}

#[test]
fn kilo_has_files_of_its_own() {
    let files = MadeUpFiles::new().with("/home/ada/.vscode/extensions/kilocode.kilo-code-7.8.1/package.json", "");
    let world = World::made_up(Os::Linux, "/home/ada", files);
    let found = OpenCode::Kilo.detect(&world);
    assert_eq!((found.how, found.version.as_deref(), found.settings), (Some("VS Code"), Some("7.8.1"), true));
    assert_eq!(found.targets[0].files, [Path::new("/home/ada/.config/kilo/kilo.json")]);
    let lines = OpenCode::Kilo.manual(&world, &intent());
    assert!(lines.starts_with("// /home/ada/.config/kilo/kilo.json\n{\n") && lines.contains("app.kilo.ai"), "{lines}");
}

#[test]
fn what_holds_is_told_with_who_says_so() {
    let (_, document) = carried_out(&world(&[]), &intent());
    let own = format!("{FOLDER}/opencode.json");
    let files = MadeUpFiles::new().with(&own, document.text()).with("/work/opencode.json", r#"{"model": "x/y"}"#);
    let world = World { project: Some("/work".into()), ..World::made_up(Os::Linux, "/home/ada", files) };
    let target = OpenCode::Itself.detect(&world).targets.remove(0);
    let documents = Documents::of(&OpenCode::Itself, &world, &target);
    let holds = OpenCode::Itself.effective(&world, &target, &documents);
    assert_eq!((holds[0].expose(), holds[0].from.as_str()), ("x/y", "/work/opencode.json"));
    assert_eq!(holds[0].overruled, [own]);
    assert_eq!(OpenCode::Itself.way(&world, &target, &documents).unwrap().url, None, "nobody said where x is");
    let alone = World { project: None, ..world };
    let way = OpenCode::Itself.way(&alone, &target, &documents).unwrap();
    assert_eq!(way.key.unwrap().expose(), "cf_key");
}
