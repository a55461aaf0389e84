//! The Codex CLI: a table of our own in its `config.toml`, and the line that chooses it. `auth.json` is never touched, nor read.
//!
//! What the real codex-cli 0.169.0 was seen to do: with `experimental_bearer_token` in the table, that is what it sends, whatever
//! stands in `auth.json`, in `http_headers` or in the environment, also when it is started from an icon; with `env_key` as well, it
//! refuses to start a turn where that variable is not set. A custom provider is asked for nothing but `/responses`, so the models
//! are those it knows itself. `--profile NAME` layers `NAME.config.toml` over `config.toml`; `[profiles.…]` and `profile = …` in
//! `config.toml` are errors since. `/etc/codex/managed_config.toml` wins over it, `/etc/codex/config.toml` and the
//! `.codex/config.toml` of a project do not. `HTTP_PROXY` and `ALL_PROXY` catch requests to 127.0.0.1 unless `NO_PROXY` names that
//! address; `localhost` in it does not help, and `HTTPS_PROXY` does no harm.

mod conflicts;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::apply::{Change, Wish};
use crate::client::layered::Layered;
use crate::client::leads::{self, Key, Leads, PROVIDER, judge};
use crate::client::{
    Client, Conflict, Documents, Effective, Found, Kind, Scope, State, Target, View, Way, World, programs,
};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::Intent;

/// Its module.
#[derive(Debug, Clone, Copy)]
pub struct Codex;

/// Where a single run finds its key.
const KEY_VARIABLE: &str = "CODEFERRY_CLIENT_KEY";
/// The target of those who want their default left alone.
const PROFILE: &str = "profile";

// === impl Codex ===

impl Client for Codex {
    fn kind(&self) -> Kind {
        Kind::Codex
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::find(world, &["codex"]);
        let home = home(world);
        let user = Target::user("config.toml", vec![world.join(&home, &["config.toml"])]);
        let profile = Target {
            id: PROFILE.to_owned(),
            label: format!("a profile, chosen with `codex --profile {PROVIDER}`"),
            scope: Scope::User,
            files: vec![world.join(&home, &[&format!("{PROVIDER}.config.toml")])],
            opt_in: true,
            obstacle: None,
        };
        Found {
            how: program.as_ref().map(|program| program.how),
            version: program.as_ref().and_then(|program| program.version.clone()),
            program: program.map(|program| program.path),
            settings: world.files.exists(&home),
            targets: vec![user, profile],
        }
    }

    fn also_reads(&self, world: &World, target: &Target) -> Vec<PathBuf> {
        conflicts::reads(world, target)
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let found = self.detect(world);
        let leads = leads::in_file(target, view.documents, Format::Toml, lead);
        judge(self, found.program.is_some() || found.settings, world, target, view, leads)
    }

    fn plan(&self, _world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file() else { return Vec::new() };
        let document = leads::document(documents, file, Format::Toml).ok();
        let chosen = document.as_ref().and_then(|document| document.string(&root("model")).ok().flatten());
        let mut wishes = vec![take(root("model_provider"), Some(PROVIDER.into()))];
        // A model that somebody has chosen, here or with /model, stays chosen.
        if let Some(model) = &intent.default_model
            && chosen.as_ref().is_none_or(|chosen| chosen == model)
        {
            wishes.push(take(root("model"), Some(model.as_str().into())));
        }
        for (name, value) in table(intent) {
            let key = (name == TOKEN).then(|| intent.key_name.clone()).flatten();
            wishes.push(Wish::Take { pointer: ours(name), value, key });
        }
        vec![Change { file: file.to_owned(), format: Format::Toml, wishes }]
    }

    fn conflicts(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        conflicts::of(world, target, documents, intent)
    }

    fn effective(&self, world: &World, target: &Target, documents: &Documents) -> Vec<Effective> {
        let layers = layers(world, target, documents);
        let way = way(world, &layers);
        let root = ["model_provider", "model"].into_iter().filter_map(|name| layers.effective(&root(name)));
        root.chain(way.url).chain(way.key).collect()
    }

    fn way(&self, world: &World, target: &Target, documents: &Documents) -> Option<Way> {
        Some(way(world, &layers(world, target, documents)))
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        let file = world.join(&home(world), &["config.toml"]);
        let model =
            intent.default_model.as_ref().map(|model| format!("model = {}\n", quoted(model))).unwrap_or_default();
        let lines: String = table(intent)
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name} = {}\n", written(&value?)?)))
            .collect();
        format!(
            "# {}\n# At the top, before the first line in [brackets]:\nmodel_provider = \"{PROVIDER}\"\n{model}\n# At the end:\n\
             [model_providers.{PROVIDER}]\n{lines}",
            file.display()
        )
    }
}

/// What makes one run come here, whatever the files say: the values of `-c`, to stand before the person's own arguments. The provider
/// has the name that it has in the file, so that a session can be taken up again with or without them.
pub fn flags(intent: &Intent) -> Vec<String> {
    let ours = |name: &str| format!("model_providers.{PROVIDER}.{name}");
    let mut flags = vec![
        format!("model_provider={}", quoted(PROVIDER)),
        format!("{}={}", ours("name"), quoted(NAME)),
        format!("{}={}", ours("base_url"), quoted(&intent.base_with("/v1"))),
        format!("{}={}", ours("wire_api"), quoted("responses")),
        format!("{}={}", ours("env_key"), quoted(KEY_VARIABLE)),
    ];
    if intent.websocket {
        flags.push(format!("{}=true", ours("supports_websockets")));
    }
    flags
}

/// The variables for the same run: the key, which everybody could read among the arguments of a process. It wins over the one in the
/// file.
pub fn variables(intent: &Intent) -> Vec<(String, Option<String>)> {
    vec![(KEY_VARIABLE.to_owned(), Some(intent.token.expose().to_owned()))]
}

const NAME: &str = "Codeferry";
const TOKEN: &str = "experimental_bearer_token";

/// Our table. `None`: what must not stand in it, because it would be asked for, or sent, instead of our key.
fn table(intent: &Intent) -> Vec<(&'static str, Option<Value>)> {
    vec![
        ("name", Some(NAME.into())),
        ("base_url", Some(intent.base_with("/v1").into())),
        ("wire_api", Some("responses".into())),
        (TOKEN, Some(intent.token.expose().into())),
        ("supports_websockets", intent.websocket.then(|| true.into())),
        ("env_key", None),
        ("requires_openai_auth", None),
        ("auth", None),
    ]
}

/// Where a file leads: through the provider it chooses.
fn lead(document: &Document) -> Leads {
    let string = |pointer: &Pointer| document.string(pointer).map_err(|bad| bad.to_string());
    let look = || {
        let Some(provider) = string(&root("model_provider"))? else {
            return Ok(
                string(&root("openai_base_url"))?.map_or(Leads::Nowhere, |url| Leads::To { url, key: Key::Missing })
            );
        };
        let table = Pointer::of(&["model_providers", &provider]);
        let url = string(&table.then("base_url"))?;
        let key = Key::found(string(&table.then(TOKEN))?);
        Ok(url.map_or(Leads::Nowhere, |url| Leads::To { url, key }))
    };
    look().unwrap_or_else(Leads::Unclear)
}

/// What holds, as it takes it: of an administrator first, then of a profile, then of the person.
fn layers(world: &World, target: &Target, documents: &Documents) -> Layered {
    let managed = conflicts::managed(world);
    let main = is_profile(target).then(|| conflicts::main(world));
    Layered::of(
        documents,
        std::iter::once(&managed).chain(&target.files).chain(&main).map(PathBuf::as_path),
        Format::Toml,
    )
}

/// Where the provider that is chosen leads, with the key that it is shown: that of a variable wins over one in the file.
fn way(world: &World, layers: &Layered) -> Way {
    let Some(provider) = layers.text(&["model_provider"]) else {
        return Way { url: layers.effective(&root("openai_base_url")), key: None };
    };
    let table = Pointer::of(&["model_providers", &provider]);
    let way = layers.way(&table, &["base_url"], &[TOKEN]);
    let variable = layers.effective(&table.then("env_key"));
    let key = variable.and_then(|name| {
        let value = world.variable(name.expose())?;
        // Named so that its value is known for a secret.
        Some(Effective::new(&format!("{} (api_key)", name.expose()), value, "the environment", Vec::new()))
    });
    Way { key: key.or(way.key), ..way }
}

/// Where it keeps everything.
fn home(world: &World) -> PathBuf {
    world.folder("CODEX_HOME").unwrap_or_else(|| world.at_home(&[".codex"]))
}

fn is_profile(target: &Target) -> bool {
    target.id == PROFILE
}

fn root(name: &str) -> Pointer {
    Pointer::of(&[name])
}

fn ours(name: &str) -> Pointer {
    Pointer::of(&["model_providers", PROVIDER, name])
}

fn take(pointer: Pointer, value: Option<Value>) -> Wish {
    Wish::Take { pointer, value, key: None }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|char| match char {
            '"' | '\\' => vec!['\\', char],
            char if char.is_control() => format!("\\u{:04X}", u32::from(char)).chars().collect(),
            char => vec![char],
        })
        .collect();
    format!("\"{escaped}\"")
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(quoted(text)),
        Value::Flag(flag) => Some(flag.to_string()),
        _ => None,
    }
}
