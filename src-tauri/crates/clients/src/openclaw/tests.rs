use std::path::Path;

use super::OpenClaw;
use crate::apply::Wish;
use crate::client::{Client as _, Documents, MadeUpFiles, Os, Owned, State, View, Weight, World};
use crate::format::{Document, Format};
use crate::intent::{Intent, Model, Token};

const FILE: &str = "/home/ada/.openclaw/openclaw.json";

fn world(config: Option<&str>) -> World {
    let files = config.into_iter().fold(MadeUpFiles::new(), |files, config| files.with(FILE, config));
    World::made_up(Os::Linux, "/home/ada", files)
}

fn intent() -> Intent {
    let sol = Model {
        slug: "gpt-6-sol".to_owned(),
        name: "GPT-6-Sol".to_owned(),
        context_window: Some(272_000),
        efforts: vec!["low".to_owned()],
        images: true,
        ..Model::default()
    };
    Intent { models: vec![sol], ..Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key")) }
}

fn carried_out(config: &str) -> String {
    let world = world(Some(config));
    let target = OpenClaw.detect(&world).targets.remove(0);
    let change = OpenClaw.plan(&world, &target, &Documents::of(&OpenClaw, &world, &target), &intent()).remove(0);
    let mut document = Document::read(Format::Json5, config.as_bytes()).unwrap();
    for wish in &change.wishes {
        let Wish::Take { pointer, value: Some(value), .. } = wish else { panic!("{wish:?}") };
        document.set(pointer, value).unwrap();
    }
    document.text().to_owned()
}

fn state(config: Option<&str>, owned: &[&str]) -> State {
    let world = world(config);
    let target = OpenClaw.detect(&world).targets.remove(0);
    let documents = Documents::of(&OpenClaw, &world, &target);
    let owned: Vec<_> = owned
        .iter()
        .map(|pointer| Owned { file: FILE.into(), pointer: pointer.parse().unwrap(), intact: true })
        .collect();
    let intent = intent();
    let view = View { documents: &documents, owned: &owned, intent: &intent, opens: &|key| key == "cf_key" };
    OpenClaw.state(&world, &target, &view)
}

#[test]
fn a_provider_of_our_own_and_what_is_there_stays() {
    let config = "{\n  // mine\n  agents: { defaults: { model: 'anthropic/claude-opus-4-8' } },\n}\n";
    let text = carried_out(config);
    assert!(text.contains("// mine") && text.contains("model: \"codeferry/gpt-6-sol\""), "{text}");
    assert_eq!(state(Some(&text), &["/models/providers/codeferry/baseUrl"]), State::Ours, "{text}");
    let table = carried_out("{agents: {defaults: {model: {primary: 'x/y', fallbacks: ['x/z']}}}}");
    assert!(table.contains("primary: \"codeferry/gpt-6-sol\"") && table.contains("fallbacks: ['x/z']"), "{table}");
    let chosen = text.replace("codeferry/gpt-6-sol", "codeferry/gpt-6-luna");
    assert_eq!(state(Some(&chosen), &["/models/providers/codeferry/baseUrl"]), State::Ours);
}

#[test]
fn it_is_known_where_it_goes() {
    assert_eq!(state(None, &[]), State::NotInstalled);
    assert_eq!(state(Some("{agents: {defaults: {model: 'anthropic/claude'}}}"), &[]), State::Clean);
    let elsewhere =
        "{models: {providers: {x: {baseUrl: 'http://127.0.0.1:4000'}}}, agents: {defaults: {model: 'x/y'}}}";
    assert_eq!(state(Some(elsewhere), &[]), State::Elsewhere { url: "http://127.0.0.1:4000".to_owned() });
    assert!(matches!(state(Some("{models: "), &[]), State::Broken { .. }));
}

#[test]
fn variables_move_the_file() {
    let file = |world: World| OpenClaw.detect(&world).targets[0].files[0].clone();
    assert_eq!(file(world(None).with("OPENCLAW_STATE_DIR", "/s")), Path::new("/s/openclaw.json"));
    assert_eq!(file(world(None).with("OPENCLAW_HOME", "/h")), Path::new("/h/.openclaw/openclaw.json"));
    assert_eq!(file(world(None).with("OPENCLAW_CONFIG_PATH", "/c.json")), Path::new("/c.json"));
}

#[test]
fn a_list_of_allowed_models_matters() {
    let codes = |config: &str| -> Vec<_> {
        let world = world(Some(config));
        let target = OpenClaw.detect(&world).targets.remove(0);
        let documents = Documents::of(&OpenClaw, &world, &target);
        let conflicts = OpenClaw.conflicts(&world, &target, &documents, &intent());
        conflicts.into_iter().map(|conflict| (conflict.code, conflict.weight)).collect()
    };
    let allowing = |name: &str| format!("{{agents: {{defaults: {{modelPolicy: {{allow: ['{name}']}}}}}}}}");
    assert_eq!(codes(&allowing("anthropic/*")), [("provider_disabled", Weight::Blocks)]);
    assert_eq!(codes(&allowing("codeferry/*")), []);
}
