//! Continue, in editors and as `cn`: its settings are YAML, which only people can add to without loss. Where there are none yet, we
//! make the whole file; JSON is YAML as well.
//!
//! What the real `@continuedev/cli` 1.5.47 was seen to do: it takes `config.yaml` in that form, and with the provider `openai` asks
//! `/v1/chat/completions`; a key is taken from `.env` beside it. `HTTP_PROXY` catches requests to 127.0.0.1. `config.json`, the older form, is read only while there is no `config.yaml` (its documentation says so),
//! so making one beside it would hide it.

use std::path::{Path, PathBuf};

use crate::apply::{Change, Wish};
use crate::client::leads::{self, Key, Leads, judge};
use crate::client::{
    Client, Conflict, Documents, Found, Held, Kind, State, Target, View, World, lines, models, programs, proxied,
};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::{Intent, Model};

/// Its module.
#[derive(Debug, Clone, Copy)]
pub struct Continue;

const PROXIES: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// What our file calls itself, which is how it is known again.
const NAME: &str = "Codeferry";
/// What the key is called.
const KEY: &str = "CODEFERRY_API_KEY";

impl Client for Continue {
    fn kind(&self) -> Kind {
        Kind::Continue
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::find(world, &["cn"]);
        let extension = programs::extension(world, "continue.continue");
        let folder = folder(world);
        let [yaml, json] = ["config.yaml", "config.json"].map(|name| world.join(&folder, &[name]));
        let foreign = match world.files.read(&yaml) {
            Ok(Some(bytes)) if !is_ours(&bytes) => Some("config.yaml"),
            Ok(None) if world.files.exists(&json) => Some("config.json"),
            Ok(_) => None,
            Err(_) => Some("config.yaml"),
        };
        let obstacle =
            foreign.map(|name| format!("{name} holds settings already, and YAML is for its owner to add to"));
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
            Some((_, Held::Bytes(bytes))) if is_ours(bytes) => lead(bytes, &keys(world), view),
            Some((_, Held::Bytes(bytes))) => leads::mentioned(&String::from_utf8_lossy(bytes), view.intent),
        };
        judge(self, found.program.is_some() || found.settings, world, target, view, leads)
    }

    fn plan(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file().filter(|_| models::first(intent).is_some()) else { return Vec::new() };
        if documents.bytes(file).is_some_and(|bytes| !is_ours(bytes)) {
            return Vec::new();
        }
        let take =
            |name: &str, value: Value| Wish::Take { pointer: Pointer::of(&[name]), value: Some(value), key: None };
        let wishes = vec![
            take("name", NAME.into()),
            take("version", "1.0.0".into()),
            take("schema", "v1".into()),
            take(
                "models",
                Value::List(intent.models.iter().map(|model| Value::table(members(model, intent))).collect()),
            ),
        ];
        let key = Wish::Take {
            pointer: Pointer::of(&[KEY]),
            value: Some(intent.token.expose().into()),
            key: intent.key_name.clone(),
        };
        vec![
            Change { file: file.to_owned(), format: Format::Json, wishes },
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

/// Where the file that we made leads.
fn lead(bytes: &[u8], keys: &Path, view: &View<'_>) -> Leads {
    let models = Document::read(Format::Json, bytes).and_then(|document| document.value(&Pointer::of(&["models"])));
    let url = match models {
        Err(bad) => return Leads::Unclear(bad.to_string()),
        Ok(Some(Value::List(models))) => {
            models.first().and_then(|model| model.get("apiBase")).and_then(Value::text).map(str::to_owned)
        }
        Ok(_) => None,
    };
    let key = leads::document(view.documents, keys, Format::Env).ok();
    let key = Key::found(key.and_then(|document| document.string(&Pointer::of(&[KEY])).ok().flatten()));
    url.map_or(Leads::Nowhere, |url| Leads::To { url, key })
}

fn members(model: &Model, intent: &Intent) -> Vec<(&'static str, Value)> {
    let abilities = if model.images { vec!["tool_use", "image_input"] } else { vec!["tool_use"] };
    let mut members = vec![
        ("name", Value::from(model.name.as_str())),
        ("provider", "openai".into()),
        ("model", model.slug.as_str().into()),
        ("apiBase", intent.base_with("/v1").into()),
        ("apiKey", format!("${{{{ secrets.{KEY} }}}}").into()),
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
    let members = members(model, intent);
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
    use crate::format::{Document, Format};
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
    fn what_somebody_wrote_is_theirs_to_add_to() {
        let theirs = "name: Mine\nmodels:\n  - name: Sol\n    apiBase: http://127.0.0.1:8081/v1\n";
        let there = world(&[("config.yaml", theirs)]);
        let target = Continue.detect(&there).targets.remove(0);
        assert!(target.obstacle.as_deref().unwrap().starts_with("config.yaml holds settings already"));
        let documents = Documents::of(&Continue, &there, &target);
        assert_eq!(Continue.plan(&there, &target, &documents, &intent()), []);
        assert_eq!(state(&there, &documents, &[]), State::Ours, "pointed here by hand");
        let other = world(&[("config.yaml", "name: Mine\n")]);
        let documents = Documents::of(&Continue, &other, &Continue.detect(&other).targets[0]);
        assert_eq!(state(&other, &documents, &[]), State::Clean);
        let older = world(&[("config.json", "{}")]);
        assert!(Continue.detect(&older).targets[0].obstacle.as_deref().unwrap().starts_with("config.json"));
    }

    #[test]
    fn the_lines_to_copy_are_yaml() {
        let lines = Continue.manual(&world(&[]), &intent());
        assert!(lines.contains("models:\n  - name: \"GPT-6-Sol\"\n    provider: \"openai\"\n"), "{lines}");
        assert!(lines.contains("    roles: [\"chat\", \"edit\", \"apply\"]\n"), "{lines}");
        assert!(lines.ends_with("/.env\nCODEFERRY_API_KEY=cf_key\n"), "{lines}");
    }
}
