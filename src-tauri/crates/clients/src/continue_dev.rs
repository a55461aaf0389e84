//! Continue, in editors and as `cn`: its settings are YAML. To a list of models that is there, ours are added as items of their own;
//! where there are no settings yet, we make the whole file, as JSON, which is YAML as well.
//!
//! What the real `@continuedev/cli` 1.5.47 was seen to do: it takes `config.yaml` in that form, and with the provider `openai` asks
//! `/v1/chat/completions`; a key is taken from `.env` beside it. `HTTP_PROXY` catches requests to 127.0.0.1. `config.json`, the
//! older form, is read only while there is no `config.yaml` (its documentation says so), so making one beside it would hide it.

use std::path::{Path, PathBuf};

use crate::apply::{Change, Wish};
use crate::client::leads::{self, Key, Leads, judge};
use crate::client::{
    Client, Conflict, Documents, Found, Held, Kind, State, Target, View, World, lines, models, programs, proxied,
};
use crate::format::{Bad, Document, Format, Pointer, Value};
use crate::intent::{Intent, Model};

/// Its module.
#[derive(Debug, Clone, Copy)]
pub struct Continue;

const PROXIES: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// What our file calls itself, which is how it is known again.
const NAME: &str = "Codeferry";
/// What the key is called.
const KEY: &str = "CODEFERRY_API_KEY";
const MODELS: &str = "models";

impl Client for Continue {
    fn kind(&self) -> Kind {
        Kind::Continue
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::find(world, &["cn"]);
        let extension = programs::extension(world, "continue.continue");
        let folder = folder(world);
        let [yaml, json] = ["config.yaml", "config.json"].map(|name| world.join(&folder, &[name]));
        let obstacle = match world.files.read(&yaml) {
            Ok(Some(bytes)) => form(&bytes).err().map(|bad| format!("config.yaml cannot be added to: {bad}")),
            Ok(None) if world.files.exists(&json) => Some(
                "config.json, the older form, holds settings, and a config.yaml beside it would hide them".to_owned(),
            ),
            Ok(None) => None,
            Err(error) => Some(format!("config.yaml cannot be read: {error}")),
        };
        Found {
            how: program.as_ref().map(|program| program.how).or(extension.as_ref().map(|extension| extension.editor)),
            version: program
                .as_ref()
                .and_then(|program| program.version.clone())
                .or_else(|| extension.as_ref().map(|extension| extension.version.clone())),
            program: program.map(|program| program.path),
            settings: extension.is_some() || world.files.exists(&folder),
            targets: vec![Target { obstacle, ..Target::user("config.yaml", vec![yaml, keys(world)]) }],
        }
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let found = self.detect(world);
        let leads = match target.file().map(|file| (file, view.documents.held(file))) {
            None | Some((_, Held::Missing)) => Leads::Nowhere,
            Some((file, Held::Unreadable(why))) => Leads::Unclear(format!("{} cannot be read: {why}", file.display())),
            Some((_, Held::Bytes(bytes))) => lead(bytes, &keys(world), view),
        };
        judge(self, found.program.is_some() || found.settings, world, target, view, leads)
    }

    fn plan(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file().filter(|_| models::first(intent).is_some()) else { return Vec::new() };
        let Ok(format) = documents.bytes(file).map_or(Ok(Format::Json), form) else { return Vec::new() };
        let take =
            |name: &str, value: Value| Wish::Take { pointer: Pointer::of(&[name]), value: Some(value), key: None };
        let wishes = match format {
            Format::Yaml => vec![take(MODELS, Value::Table(items(intent)))],
            _ => vec![
                take("name", NAME.into()),
                take("version", "1.0.0".into()),
                take("schema", "v1".into()),
                take(
                    MODELS,
                    intent.models.iter().map(|model| table(&model.name, model, intent)).collect::<Vec<_>>().into(),
                ),
            ],
        };
        let key = Wish::Take {
            pointer: Pointer::of(&[KEY]),
            value: Some(intent.token.expose().into()),
            key: intent.key_name.clone(),
        };
        vec![
            Change { file: file.to_owned(), format, wishes },
            Change { file: keys(world), format: Format::Env, wishes: vec![key] },
        ]
    }

    fn conflicts(&self, world: &World, _target: &Target, _documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        let none_known = models::first(intent).is_none().then(models::none_known);
        none_known.into_iter().chain(proxied::conflict(world, &PROXIES, &proxied::SPARING, "Continue")).collect()
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        let file = world.join(&folder(world), &["config.yaml"]);
        let lines: String = intent.models.iter().map(|model| yaml(model, intent)).collect();
        let (file, keys) = (file.display(), keys(world));
        let key = intent.token.expose();
        format!("# {file}, in the list `models`\nmodels:\n{lines}\n# {}\n{KEY}={key}\n", keys.display())
    }
}

/// One that we made: a person's would not be JSON of that name.
fn is_ours(bytes: &[u8]) -> bool {
    let document = Document::read(Format::Json, bytes);
    document.is_ok_and(|document| document.string(&Pointer::of(&["name"])).ok().flatten().as_deref() == Some(NAME))
}

/// What the file is to be read as: the one that we made, or nothing at all, as JSON; a person's as YAML.
fn form(bytes: &[u8]) -> Result<Format, Bad> {
    if bytes.iter().all(u8::is_ascii_whitespace) || is_ours(bytes) {
        return Ok(Format::Json);
    }
    Document::read(Format::Yaml, bytes).map(|_| Format::Yaml)
}

/// Where the file leads: by the first of our models, or by an address that somebody wrote.
fn lead(bytes: &[u8], keys: &Path, view: &View<'_>) -> Leads {
    let mentioned = || leads::mentioned(&String::from_utf8_lossy(bytes), view.intent);
    let Ok(format) = form(bytes) else { return mentioned() };
    let models = Document::read(format, bytes).and_then(|document| document.value(&Pointer::of(&[MODELS])));
    let models = match models {
        Err(bad) => return Leads::Unclear(bad.to_string()),
        Ok(Some(Value::List(models))) => models,
        Ok(_) => Vec::new(),
    };
    let text = |model: &Value, name: &str| model.get(name).and_then(Value::text).map(str::to_owned);
    let ours = |model: &&Value| format == Format::Json || text(model, "apiKey") == Some(secret());
    let Some(url) = models.iter().find(ours).and_then(|model| text(model, "apiBase")) else { return mentioned() };
    let key = leads::document(view.documents, keys, Format::Env).ok();
    let key = Key::found(key.and_then(|document| document.string(&Pointer::of(&[KEY])).ok().flatten()));
    Leads::To { url, key }
}

/// How the settings name the key, which stands in another file.
fn secret() -> String {
    format!("${{{{ secrets.{KEY} }}}}")
}

/// Our models as items of a person's list, each by its name, which nobody else has.
fn items(intent: &Intent) -> Vec<(String, Value)> {
    let mut items: Vec<(String, Value)> = Vec::new();
    for model in &intent.models {
        let mut name = format!("{NAME} {}", model.name);
        if items.iter().any(|(other, _)| *other == name) {
            name = format!("{name} ({})", model.slug);
        }
        let item = table(&name, model, intent);
        items.push((name, vec![item].into()));
    }
    items
}

fn table(name: &str, model: &Model, intent: &Intent) -> Value {
    Value::table(members(name, model, intent))
}

fn members(name: &str, model: &Model, intent: &Intent) -> Vec<(&'static str, Value)> {
    let abilities = if model.images { vec!["tool_use", "image_input"] } else { vec!["tool_use"] };
    let mut members = vec![
        ("name", Value::from(name)),
        ("provider", "openai".into()),
        ("model", model.slug.as_str().into()),
        ("apiBase", intent.base_with("/v1").into()),
        ("apiKey", secret().into()),
        ("roles", vec!["chat", "edit", "apply"].into()),
        ("capabilities", abilities.into()),
    ];
    if let Some(window) = model.context_window {
        let options = Value::table([("contextLength", models::tokens(window).into())]);
        members.push(("defaultCompletionOptions", options));
    }
    members
}

/// The same as an entry of a list in YAML, where everything but the outermost is written as in JSON.
fn yaml(model: &Model, intent: &Intent) -> String {
    let members = members(&format!("{NAME} {}", model.name), model, intent);
    let lines = members.iter().enumerate().map(|(at, (name, value))| {
        format!("{} {name}: {}\n", if at == 0 { "  -" } else { "   " }, lines::inline(value))
    });
    lines.collect()
}

fn folder(world: &World) -> PathBuf {
    world.folder("CONTINUE_GLOBAL_DIR").unwrap_or_else(|| world.at_home(&[".continue"]))
}

/// Where it finds what `secrets` stands for.
fn keys(world: &World) -> PathBuf {
    world.join(&folder(world), &[".env"])
}

#[cfg(test)]
mod tests {
    use super::Continue;
    use crate::apply::Wish;
    use crate::client::{Client as _, Documents, Held, MadeUpFiles, Os, Owned, State, View, World};
    use crate::format::{Document, Format, Value};
    use crate::intent::{Intent, Model, Token};

    const FOLDER: &str = "/home/ada/.continue";

    fn intent() -> Intent {
        let model = Model { slug: "gpt-6-sol".to_owned(), name: "GPT-6-Sol".to_owned(), ..Model::default() };
        let intent = Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"));
        Intent { models: vec![model], ..intent }
    }

    fn world(files: &[(&str, &str)]) -> World {
        let made =
            files.iter().fold(MadeUpFiles::new(), |made, (name, text)| made.with(&format!("{FOLDER}/{name}"), text));
        World::made_up(Os::Linux, "/home/ada", made)
    }

    fn state(world: &World, documents: &Documents, owned: &[Owned]) -> State {
        let target = Continue.detect(world).targets.remove(0);
        let intent = intent();
        let view = View { documents, owned, intent: &intent, opens: &|key| key == "cf_key" };
        Continue.state(world, &target, &view)
    }

    #[test]
    fn where_nothing_is_the_whole_file_is_made_and_its_key_stands_beside_it() {
        let world = world(&[]);
        let target = Continue.detect(&world).targets.remove(0);
        assert_eq!(target.obstacle, None);
        let mut documents = Documents::default();
        let mut owned = Vec::new();
        for change in Continue.plan(&world, &target, &Documents::default(), &intent()) {
            let mut document = Document::read(change.format, b"").unwrap();
            for wish in &change.wishes {
                let Wish::Take { pointer, value: Some(value), .. } = wish else { panic!("{wish:?}") };
                document.set(pointer, value).unwrap();
                owned.push(Owned { file: change.file.clone(), pointer: pointer.clone(), intact: true });
            }
            assert_eq!(document.text().contains("cf_key"), change.format == Format::Env);
            documents = documents.with(&change.file, Held::Bytes(document.text().into()));
        }
        assert_eq!(state(&world, &documents, &owned), State::Ours);
        let refused = documents.with(format!("{FOLDER}/.env"), Held::Bytes(b"CODEFERRY_API_KEY=old\n".to_vec()));
        assert!(matches!(state(&world, &refused, &owned), State::Broken { .. }));
    }

    #[test]
    fn a_list_that_is_there_gets_ours_behind_theirs() {
        let theirs =
            "name: Mine\nmodels:\n- name: Sol\n  apiBase: http://10.0.0.1/v1\n  # mine\ncontext:\n- provider: diff\n";
        let there = world(&[("config.yaml", theirs)]);
        let target = Continue.detect(&there).targets.remove(0);
        assert_eq!(target.obstacle, None);
        let documents = Documents::of(&Continue, &there, &target);
        assert_eq!(state(&there, &documents, &[]), State::Clean);
        let changes = Continue.plan(&there, &target, &documents, &intent());
        let [change, key] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!((change.format, key.format), (Format::Yaml, Format::Env));
        let [Wish::Take { pointer, value: Some(Value::Table(items)), .. }] = &change.wishes[..] else { panic!() };
        let mut document = Document::read(Format::Yaml, theirs.as_bytes()).unwrap();
        for (name, item) in items {
            document.set(&pointer.then(name), item).unwrap();
        }
        let begin = "apiBase: http://10.0.0.1/v1\n- name: \"Codeferry GPT-6-Sol\"\n  provider: \"openai\"\n";
        assert!(document.text().contains(begin), "{}", document.text());
        let documents = documents
            .with(&change.file, Held::Bytes(document.text().into()))
            .with(&key.file, Held::Bytes(b"CODEFERRY_API_KEY=cf_key\n".to_vec()));
        let place = pointer.then("Codeferry GPT-6-Sol");
        let owned = [Owned { file: change.file.clone(), pointer: place, intact: true }];
        assert_eq!(state(&there, &documents, &owned), State::Ours);
        let refused = documents.with(&key.file, Held::Bytes(b"CODEFERRY_API_KEY=old\n".to_vec()));
        assert!(matches!(state(&there, &refused, &owned), State::Broken { .. }));
    }

    #[test]
    fn two_models_of_one_name_are_two_items() {
        let twin = Model { slug: "other".to_owned(), ..intent().models.remove(0) };
        let intent = Intent { models: vec![intent().models.remove(0), twin], ..intent() };
        let names: Vec<_> = super::items(&intent).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Codeferry GPT-6-Sol", "Codeferry GPT-6-Sol (other)"]);
    }

    #[test]
    fn what_cannot_be_added_to_is_theirs() {
        let theirs = "name: Mine\nmodels: [{name: Sol, apiBase: \"http://127.0.0.1:8081/v1\"}]\n";
        let there = world(&[("config.yaml", theirs)]);
        let target = Continue.detect(&there).targets.remove(0);
        let obstacle = target.obstacle.as_deref().unwrap();
        assert!(obstacle.starts_with("config.yaml cannot be added to: line 2, column 9: "), "{obstacle}");
        let documents = Documents::of(&Continue, &there, &target);
        assert_eq!(Continue.plan(&there, &target, &documents, &intent()), []);
        assert_eq!(state(&there, &documents, &[]), State::Ours, "pointed here by hand");
        let older = world(&[("config.json", "{}")]);
        assert!(Continue.detect(&older).targets[0].obstacle.as_deref().unwrap().starts_with("config.json"));
    }

    #[test]
    fn the_lines_to_copy_are_yaml() {
        let lines = Continue.manual(&world(&[]), &intent());
        assert!(lines.contains("models:\n  - name: \"Codeferry GPT-6-Sol\"\n    provider: \"openai\"\n"), "{lines}");
        assert!(lines.contains("    roles: [\"chat\", \"edit\", \"apply\"]\n"), "{lines}");
        assert!(lines.ends_with("/.env\nCODEFERRY_API_KEY=cf_key\n"), "{lines}");
    }
}
