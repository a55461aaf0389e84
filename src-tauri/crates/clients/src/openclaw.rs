//! OpenClaw: a provider of our own in `openclaw.json`, and the model its agents begin with.
//!
//! What the real OpenClaw 2026.9.6 was seen to do: `models.providers.NAME` needs no more than `baseUrl`, `apiKey`, `api` and models
//! with `id` and `name`; with `openai-responses` it asks `/v1/responses`; `agents.defaults.model` is a name, or a table with
//! `primary`. A list in `agents.defaults.modelPolicy.allow` shuts out what is not in it (its documentation says so). A running
//! gateway of its own reads the file again when it changes.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::apply::{Change, Wish};
use crate::client::layered::Layered;
use crate::client::leads::{self, Key, Leads, PROVIDER, judge};
use crate::client::{
    Client, Conflict, Documents, Effective, Found, Kind, State, Target, View, Way, Weight, World, lines, models,
    programs, proxied,
};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::{Intent, Model};

/// Its module.
#[derive(Debug, Clone, Copy)]
pub struct OpenClaw;

const PROXIES: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// Where its agents' model stands.
const MODEL: [&str; 3] = ["agents", "defaults", "model"];

impl Client for OpenClaw {
    fn kind(&self) -> Kind {
        Kind::OpenClaw
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::find(world, &["openclaw"]);
        let file = file(world);
        Found {
            how: program.as_ref().map(|program| program.how),
            version: program.as_ref().and_then(|program| program.version.clone()),
            program: program.map(|program| program.path),
            settings: world.files.exists(&file) || world.files.exists(&folder(world)),
            targets: vec![Target::user("openclaw.json", vec![file])],
        }
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let found = self.detect(world);
        let leads = leads::in_file(target, view.documents, Format::Json5, lead);
        judge(self, found.program.is_some() || found.settings, world, target, view, leads)
    }

    fn plan(&self, _world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file() else { return Vec::new() };
        let Some(first) = models::first(intent) else { return Vec::new() };
        let document = leads::document(documents, file, Format::Json5).ok();
        let take = |pointer: Pointer, value: Value| Wish::Take { pointer, value: Some(value), key: None };
        let mut wishes = vec![
            take(ours("baseUrl"), intent.base_with("/v1").into()),
            Wish::Take {
                pointer: ours("apiKey"),
                value: Some(intent.token.expose().into()),
                key: intent.key_name.clone(),
            },
            take(ours("api"), "openai-responses".into()),
            take(ours("models"), Value::List(intent.models.iter().map(described).collect())),
        ];
        let first = format!("{PROVIDER}/{first}");
        let chosen = document.as_ref().and_then(chosen);
        // Another of our models that somebody has chosen stays chosen.
        if chosen.as_ref().is_none_or(|(_, model)| *model == first || !model.starts_with(&format!("{PROVIDER}/"))) {
            let place = chosen.map_or_else(|| Pointer::of(&MODEL).then("primary"), |(place, _)| place);
            wishes.push(take(place, first.into()));
        }
        vec![Change { file: file.to_owned(), format: Format::Json5, wishes }]
    }

    fn conflicts(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        let mut conflicts: Vec<_> = models::first(intent).is_none().then(models::none_known).into_iter().collect();
        if let Some(file) = target.file()
            && let Ok(document) = leads::document(documents, file, Format::Json5)
        {
            let allowed = Pointer::of(&["agents", "defaults", "modelPolicy", "allow"]);
            if let Ok(Some(Value::List(allowed))) = document.value(&allowed)
                && !allowed.is_empty()
                && !allowed.iter().filter_map(Value::text).any(|name| name.starts_with(&format!("{PROVIDER}/")))
            {
                conflicts.push(Conflict {
                    code: "provider_disabled",
                    weight: Weight::Blocks,
                    what: "The list of models that may be chosen leaves ours out.".to_owned(),
                    place: format!("{}: agents.defaults.modelPolicy.allow", file.display()),
                    cure: format!("Add \"{PROVIDER}/*\" to that list."),
                });
            }
            if document.holds(&Pointer::of(&["$include"])) {
                conflicts.push(Conflict {
                    code: "includes",
                    weight: Weight::Note,
                    what: "The file includes others, which are neither read nor changed.".to_owned(),
                    place: format!("{}: $include", file.display()),
                    cure: "See that none of them says something else about models.providers or the agents' model."
                        .to_owned(),
                });
            }
        }
        conflicts.extend(proxied::conflict(world, &PROXIES, &proxied::SPARING, "OpenClaw"));
        conflicts
    }

    fn effective(&self, world: &World, target: &Target, documents: &Documents) -> Vec<Effective> {
        let layers = Layered::of(documents, target.file(), Format::Json5);
        let model = [Pointer::of(&MODEL), Pointer::of(&MODEL).then("primary")];
        let model = model.iter().find_map(|place| layers.effective(place));
        let way = self.way(world, target, documents).unwrap_or_default();
        model.into_iter().chain(way.url).chain(way.key).collect()
    }

    fn way(&self, _: &World, target: &Target, documents: &Documents) -> Option<Way> {
        let document = leads::document(documents, target.file()?, Format::Json5).ok()?;
        let layers = Layered::of(documents, target.file(), Format::Json5);
        Some(layers.way(&Pointer::of(&["models", "providers", &provider(&document)]), &["baseUrl"], &["apiKey"]))
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        lines::of(&self.plan(world, &Target::user("", vec![file(world)]), &Documents::default(), intent))
    }
}

/// The place of the agents' model, and what it is.
fn chosen(document: &Document) -> Option<(Pointer, String)> {
    let place = Pointer::of(&MODEL);
    if let Some(model) = document.string(&place).ok().flatten() {
        return Some((place, model));
    }
    let place = place.then("primary");
    document.string(&place).ok().flatten().map(|model| (place, model))
}

/// Whose model that is; where there is none, ours would be.
fn provider(document: &Document) -> String {
    let model = chosen(document).map(|(_, model)| model);
    model.as_deref().and_then(|model| model.split_once('/')).map_or(PROVIDER, |(provider, _)| provider).to_owned()
}

fn lead(document: &Document) -> Leads {
    let look = || {
        let model = chosen(document).map(|(_, model)| model);
        let provider =
            model.as_deref().and_then(|model| model.split_once('/')).map_or(PROVIDER, |(provider, _)| provider);
        let table = Pointer::of(&["models", "providers", provider]);
        let string = |name: &str| document.string(&table.then(name)).map_err(|bad| bad.to_string());
        let key = Key::found(string("apiKey")?);
        Ok(string("baseUrl")?.map_or(Leads::Nowhere, |url| Leads::To { url, key }))
    };
    look().unwrap_or_else(Leads::Unclear)
}

fn described(model: &Model) -> Value {
    let mut members = vec![
        ("id", Value::from(model.slug.as_str())),
        ("name", model.name.as_str().into()),
        ("reasoning", (!model.efforts.is_empty()).into()),
        ("input", models::input(model).into()),
    ];
    members.extend(model.context_window.map(|window| ("contextWindow", models::tokens(window).into())));
    members.extend(model.max_output.map(|output| ("maxTokens", models::tokens(output).into())));
    Value::table(members)
}

/// Where it keeps everything.
fn folder(world: &World) -> PathBuf {
    world.folder("OPENCLAW_STATE_DIR").unwrap_or_else(|| {
        let home = world.folder("OPENCLAW_HOME").unwrap_or_else(|| world.home.clone());
        world.join(&home, &[".openclaw"])
    })
}

fn file(world: &World) -> PathBuf {
    world.folder("OPENCLAW_CONFIG_PATH").unwrap_or_else(|| world.join(&folder(world), &["openclaw.json"]))
}

fn ours(name: &str) -> Pointer {
    Pointer::of(&["models", "providers", PROVIDER, name])
}
