use std::path::Path;

use super::{Codex, flags, variables};
use crate::apply::Wish;
use crate::client::{Client as _, Documents, Held, MadeUpFiles, Moved, Os, Owned, State, Target, View, Weight, World};
use crate::format::Pointer;
use crate::intent::{Intent, Model, Token};

const FILE: &str = "/home/ada/.codex/config.toml";

fn world(config: Option<&str>) -> World {
    let files = config.into_iter().fold(MadeUpFiles::new(), |files, config| files.with(FILE, config));
    World::made_up(Os::Linux, "/home/ada", files)
}

fn intent() -> Intent {
    let model = |slug: &str| Model { slug: slug.to_owned(), name: slug.to_uppercase(), ..Model::default() };
    Intent {
        models: vec![model("gpt-6-sol"), model("gpt-6-luna")],
        default_model: Some("gpt-6-sol".to_owned()),
        key_name: Some("codex".to_owned()),
        ..Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"))
    }
}

fn user(world: &World) -> Target {
    Codex.detect(world).targets.remove(0)
}

fn state(world: &World, owned: &[&str], intact: bool) -> State {
    let target = user(world);
    let documents = Documents::of(&Codex, world, &target);
    let owned: Vec<_> =
        owned.iter().map(|pointer| Owned { file: FILE.into(), pointer: pointer.parse().unwrap(), intact }).collect();
    let intent = intent();
    Codex.state(
        world,
        &target,
        &View { documents: &documents, owned: &owned, intent: &intent, opens: &|key| key == "cf_key" },
    )
}

/// What is taken, as it would be written.
fn taken(world: &World, intent: &Intent) -> Vec<(String, Option<String>)> {
    let target = user(world);
    let changes = Codex.plan(world, &target, &Documents::of(&Codex, world, &target), intent);
    assert_eq!(changes.len(), 1, "one file, and auth.json is not it");
    assert_eq!(changes[0].file, Path::new(FILE));
    let wishes = changes[0].wishes.iter().map(|wish| match wish {
        Wish::Take { pointer, value, .. } => (pointer.to_string(), value.as_ref().map(|value| value.canonical())),
        other => panic!("{other:?}"),
    });
    wishes.collect()
}

const OURS: &str = "model_provider = \"codeferry\"\nmodel = \"gpt-6-sol\"\n[model_providers.codeferry]\nname = \"Codeferry\"\n\
                    base_url = \"http://127.0.0.1:8081/v1\"\nwire_api = \"responses\"\nexperimental_bearer_token = \"cf_key\"\n";

#[test]
fn a_table_of_our_own_and_the_line_that_chooses_it() {
    let taken = taken(&world(None), &intent());
    let value =
        |pointer: &str| taken.iter().find(|(name, _)| name == pointer).unwrap_or_else(|| panic!("{pointer}")).1.clone();
    assert_eq!(value("/model_provider").unwrap(), "\"codeferry\"");
    assert_eq!(value("/model").unwrap(), "\"gpt-6-sol\"");
    assert_eq!(value("/model_providers/codeferry/base_url").unwrap(), "\"http://127.0.0.1:8081/v1\"");
    assert_eq!(value("/model_providers/codeferry/wire_api").unwrap(), "\"responses\"");
    assert_eq!(value("/model_providers/codeferry/experimental_bearer_token").unwrap(), "\"cf_key\"");
    assert_eq!(value("/model_providers/codeferry/env_key"), None, "it would be asked for instead");
    assert_eq!(value("/model_providers/codeferry/supports_websockets"), None, "not while nobody answers it");
}

#[test]
fn websockets_are_offered_when_they_are_spoken() {
    let intent = Intent { websocket: true, ..intent() };
    let taken = taken(&world(None), &intent);
    assert!(taken.contains(&("/model_providers/codeferry/supports_websockets".to_owned(), Some("true".to_owned()))));
    assert!(flags(&intent).contains(&"model_providers.codeferry.supports_websockets=true".to_owned()));
}

#[test]
fn the_key_names_itself_where_it_stands() {
    let world = world(None);
    let changes = Codex.plan(&world, &user(&world), &Documents::default(), &intent());
    let named: Vec<_> = changes[0]
        .wishes
        .iter()
        .filter_map(|wish| match wish {
            Wish::Take { pointer, key: Some(key), .. } => Some((pointer.clone(), key.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(named, [(Pointer::of(&["model_providers", "codeferry", "experimental_bearer_token"]), "codex")]);
}

#[test]
fn a_model_that_somebody_chose_stays() {
    let taken = taken(&world(Some("model = \"gpt-6-luna\"\n")), &intent());
    assert!(!taken.iter().any(|(pointer, _)| pointer == "/model"), "{taken:?}");
    assert!(taken.iter().any(|(pointer, _)| pointer == "/model_provider"), "{taken:?}");
}

#[test]
fn it_is_known_where_it_goes() {
    assert_eq!(state(&world(None), &[], true), State::NotInstalled);
    assert_eq!(state(&world(Some("model = \"o3\"\n")), &[], true), State::Clean);
    let elsewhere = "model_provider = \"x\"\n[model_providers.x]\nbase_url = \"https://example.com/v1\"\n";
    assert_eq!(
        state(&world(Some(elsewhere)), &[], true),
        State::Elsewhere { url: "https://example.com/v1".to_owned() }
    );
    let elsewhere = "openai_base_url = \"http://127.0.0.1:9/v1\"\n";
    assert_eq!(state(&world(Some(elsewhere)), &[], true), State::Elsewhere { url: "http://127.0.0.1:9/v1".to_owned() });
    assert_eq!(state(&world(Some(OURS)), &["/model_provider"], true), State::Ours);
    let chosen = OURS.replace("gpt-6-sol", "gpt-6-luna");
    assert_eq!(state(&world(Some(&chosen)), &["/model_provider"], true), State::Ours, "another model is no drift");
    let refused = OURS.replace("cf_key", "cf_old");
    assert!(matches!(state(&world(Some(&refused)), &["/model_provider"], true), State::Broken { .. }));
    assert!(matches!(state(&world(Some("model = \n")), &[], true), State::Broken { .. }));
}

#[test]
fn it_is_told_who_moved() {
    let theirs = OURS.replace("\"codeferry\"", "\"openai\"");
    let State::Drifted { drifts } = state(&world(Some(&theirs)), &["/model_provider"], false) else {
        panic!("no drift")
    };
    assert_eq!(
        (drifts[0].key.as_str(), drifts[0].now.as_deref(), drifts[0].by),
        ("model_provider", Some("openai"), Moved::File)
    );
    let moved = OURS.replace(":8081", ":8099");
    let place = "/model_providers/codeferry/base_url";
    let State::Drifted { drifts } = state(&world(Some(&moved)), &[place], true) else { panic!("no drift") };
    assert_eq!((drifts[0].key.as_str(), drifts[0].by), ("model_providers.codeferry.base_url", Moved::Intent));
    let shown = format!("{drifts:?}");
    assert!(!shown.contains("cf_key"), "{shown}");
}

#[test]
fn the_profile_is_a_file_of_its_own() {
    let world = world(Some("profile = \"work\"\n")).with("CODEX_HOME", "/home/ada/.codex");
    let profile = Codex.detect(&world).targets.remove(1);
    assert!(profile.opt_in);
    let changes = Codex.plan(&world, &profile, &Documents::default(), &intent());
    assert_eq!(changes[0].file, Path::new("/home/ada/.codex/codeferry.config.toml"));
    let documents = Documents::of(&Codex, &world, &profile);
    let conflicts = Codex.conflicts(&world, &profile, &documents, &intent());
    assert_eq!((conflicts[0].code, conflicts[0].weight), ("legacy_profile", Weight::Blocks));
}

#[test]
fn what_keeps_it_away_is_told_with_a_cure() {
    let codes = |world: &World, documents: Documents| -> Vec<_> {
        let target = user(world);
        Codex.conflicts(world, &target, &documents, &intent()).into_iter().map(|conflict| conflict.code).collect()
    };
    let read = |world: &World| Documents::of(&Codex, world, &user(world));
    let proxied = world(Some("model = \"o3\"\n")).with("ALL_PROXY", "socks5://proxy:1080");
    assert_eq!(codes(&proxied, read(&proxied)), ["unknown_model", "proxy"]);
    let plain = world(Some("model = \"codex-cli/o3\"\n"));
    assert_eq!(codes(&plain, read(&plain)), [""; 0]);
    let managed = |text: &str| Documents::default().with("/etc/codex/managed_config.toml", Held::Bytes(text.into()));
    assert_eq!(codes(&plain, managed("model_provider = \"openai\"\n")), ["managed_settings"]);
    assert_eq!(codes(&plain, managed(OURS)), [""; 0]);
}

#[test]
fn the_lines_to_copy_are_all_it_takes() {
    let lines = Codex.manual(&world(None), &intent());
    let toml = lines.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(state(&world(Some(&toml)), &[], true), State::Ours, "{lines}");
}

#[test]
fn a_run_has_its_key_in_a_variable() {
    let (flags, variables) = (flags(&intent()), variables(&intent()));
    assert!(flags.contains(&"model_provider=\"codeferry\"".to_owned()), "{flags:?}");
    assert!(!flags.iter().any(|flag| flag.contains("cf_key")), "{flags:?}");
    assert_eq!(variables, [("CODEFERRY_CLIENT_KEY".to_owned(), Some("cf_key".to_owned()))]);
}

#[test]
fn what_holds_is_told_with_who_says_so() {
    let files =
        MadeUpFiles::new().with(FILE, OURS).with("/etc/codex/managed_config.toml", "model_provider = \"corp\"\n");
    let world = World::made_up(Os::Linux, "/home/ada", files);
    let target = user(&world);
    let documents = Documents::of(&Codex, &world, &target);
    let holds = Codex.effective(&world, &target, &documents);
    let provider = &holds[0];
    assert_eq!((provider.expose(), provider.from.as_str()), ("corp", "/etc/codex/managed_config.toml"));
    assert_eq!(provider.overruled, [FILE]);

    let world =
        self::world(Some(&OURS.replace("name = ", "env_key = \"CODEX_OWN\"\nname = "))).with("CODEX_OWN", "cf_other");
    let way = Codex.way(&world, &target, &Documents::of(&Codex, &world, &target)).unwrap();
    assert_eq!(way.url.unwrap().expose(), "http://127.0.0.1:8081/v1");
    let key = way.key.unwrap();
    assert_eq!((key.expose(), key.from.as_str()), ("cf_other", "the environment"));
    assert!(!format!("{key:?}").contains("cf_other"));
}
