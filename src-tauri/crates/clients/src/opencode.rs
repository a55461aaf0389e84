//! opencode, and Kilo Code, whose command line and extension read settings of the same kind: a provider of our own with its models,
//! and the model to begin with.
//!
//! What the real opencode 1.18.33 and Kilo 7.7.9 were seen to do: of `config.json`, `opencode.json` and `opencode.jsonc` in the same
//! folder the later ones win, key by key, and the file in `OPENCODE_CONFIG` over all of them; the key of a provider stands in its
//! `options`. With `@ai-sdk/openai`, which they bring with them, they ask `/v1/responses` with efforts, `store: false` and encrypted
//! reasoning; a model without `limit` is never compacted, one without `modalities` gets no pictures. Both add `$schema` to a
//! file that has none, Kilo `permission` too, and then it writes the whole anew. `HTTP_PROXY` catches requests to 127.0.0.1.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::apply::{Change, Wish};
use crate::client::layered::Layered;
use crate::client::leads::{self, Key, Leads, PROVIDER, judge};
use crate::client::{
    Client, Conflict, Documents, Effective, Found, Kind, Os, State, Target, View, Way, Weight, World, lines, models,
    programs, proxied,
};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::{Intent, Model};

/// Its module, and that of what was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenCode {
    /// opencode itself.
    Itself,
    /// Kilo Code.
    Kilo,
}

/// Proxies that it obeys for plain http.
const PROXIES: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// The library that it speaks to us with.
const LIBRARY: &str = "@ai-sdk/openai";
/// What it takes for the longest answer where nobody says; it asks for no more in any case.
const OUTPUT: i64 = 32_000;
/// Efforts that it offers for every model that reasons, and one that is a way of working of the Codex CLI.
const NO_VARIANTS: [&str; 4] = ["low", "medium", "high", "ultra"];

// === impl OpenCode ===

impl OpenCode {
    /// The folder of its settings, and what the files in it begin with.
    fn word(self) -> &'static str {
        match self {
            Self::Itself => "opencode",
            Self::Kilo => "kilo",
        }
    }

    fn schema(self) -> &'static str {
        match self {
            Self::Itself => "https://opencode.ai/config.json",
            Self::Kilo => "https://app.kilo.ai/config.json",
        }
    }

    fn folder(self, world: &World) -> PathBuf {
        world.join(&world.xdg_config(), &[self.word()])
    }

    /// Its files, the one that wins first.
    fn names(self) -> [String; 3] {
        [format!("{}.jsonc", self.word()), format!("{}.json", self.word()), "config.json".to_owned()]
    }

    /// Those that are there; where there is none, the one to be made.
    fn files(self, world: &World, folder: &Path) -> Vec<PathBuf> {
        let all = self.names().map(|name| world.join(folder, &[&name]));
        let there: Vec<_> = all.iter().filter(|path| world.files.exists(path)).cloned().collect();
        if there.is_empty() { vec![world.join(folder, &[&self.names()[1]])] } else { there }
    }

    /// Files that win over the person's own, the strongest first.
    fn stronger(self, world: &World) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if self == Self::Itself {
            let managed = match world.os {
                Os::Linux => Some(PathBuf::from("/etc/opencode")),
                Os::Macos => Some(PathBuf::from("/Library/Application Support/opencode")),
                Os::Windows => world.folder("PROGRAMDATA").map(|folder| world.join(&folder, &["opencode"])),
            };
            files.extend(managed.iter().flat_map(|folder| self.names().map(|name| world.join(folder, &[&name]))));
        }
        if let Some(project) = &world.project {
            files.extend(self.names()[..2].iter().map(|name| world.join(project, &[name])));
        }
        if self == Self::Itself {
            files.extend(world.folder("OPENCODE_CONFIG"));
        }
        files
    }

    /// All that it goes by.
    fn layers(self, world: &World, target: &Target, documents: &Documents) -> Layered {
        let stronger = self.stronger(world);
        Layered::of(documents, stronger.iter().chain(&target.files).map(PathBuf::as_path), Format::Json)
    }

    /// What stands at a place, in the file that wins.
    fn standing(self, target: &Target, documents: &Documents, pointer: &Pointer) -> Result<Option<Value>, String> {
        for file in &target.files {
            let found =
                leads::document(documents, file, Format::Json)?.value(pointer).map_err(|bad| bad.to_string())?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The provider of the model it begins with; ours where it begins with none.
    fn lead(self, target: &Target, documents: &Documents) -> Result<Leads, String> {
        let string = |names: &[&str]| {
            let value = self.standing(target, documents, &Pointer::of(names))?;
            Ok::<_, String>(value.as_ref().and_then(Value::text).map(str::to_owned))
        };
        let model = string(&["model"])?;
        let provider =
            model.as_deref().and_then(|model| model.split_once('/')).map_or(PROVIDER, |(provider, _)| provider);
        let url = string(&["provider", provider, "options", "baseURL"])?;
        let key = Key::found(string(&["provider", provider, "options", "apiKey"])?);
        Ok(url.map_or(Leads::Nowhere, |url| Leads::To { url, key }))
    }
}

impl Client for OpenCode {
    fn kind(&self) -> Kind {
        match self {
            Self::Itself => Kind::OpenCode,
            Self::Kilo => Kind::KiloCode,
        }
    }

    fn detect(&self, world: &World) -> Found {
        let folder = self.folder(world);
        let names: &[&str] = if *self == Self::Kilo { &["kilo", "kilocode"] } else { &["opencode"] };
        let program = programs::find(world, names).or_else(|| {
            // Its own installer puts it there.
            let path = world.at_home(&[&format!(".{}", self.word()), "bin", names[0]]);
            world.files.exists(&path).then_some(programs::Program { path, how: "native", version: None })
        });
        let extension = (*self == Self::Kilo).then(|| programs::extension(world, "kilocode.kilo-code")).flatten();
        let files = self.files(world, &folder);
        let label = files.first().and_then(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned());
        Found {
            how: program.as_ref().map(|program| program.how).or(extension.as_ref().map(|extension| extension.editor)),
            version: program
                .as_ref()
                .and_then(|program| program.version.clone())
                .or_else(|| extension.as_ref().map(|extension| extension.version.clone())),
            program: program.map(|program| program.path),
            settings: extension.is_some() || world.files.exists(&folder),
            targets: vec![Target::user(label.unwrap_or_default(), files)],
        }
    }

    fn also_reads(&self, world: &World, _target: &Target) -> Vec<PathBuf> {
        self.stronger(world)
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let found = self.detect(world);
        let leads = self.lead(target, view.documents).unwrap_or_else(Leads::Unclear);
        judge(self, found.program.is_some() || found.settings, world, target, view, leads)
    }

    fn plan(&self, _world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file() else { return Vec::new() };
        let Some(default) = models::first(intent) else { return Vec::new() };
        let stands = |name: &str| {
            let value = self.standing(target, documents, &Pointer::of(&[name])).ok().flatten();
            value.as_ref().and_then(Value::text).map(str::to_owned)
        };
        let mut wishes = Vec::new();
        if stands("$schema").is_none_or(|schema| schema == self.schema()) {
            wishes.push(take(&["$schema"], self.schema().into()));
        }
        wishes.push(take(&["provider", PROVIDER, "npm"], LIBRARY.into()));
        wishes.push(take(&["provider", PROVIDER, "name"], "Codeferry".into()));
        wishes.push(take(&["provider", PROVIDER, "options", "baseURL"], intent.base_with("/v1").into()));
        wishes.push(Wish::Take {
            pointer: Pointer::of(&["provider", PROVIDER, "options", "apiKey"]),
            value: Some(intent.token.expose().into()),
            key: intent.key_name.clone(),
        });
        wishes.push(take(&["provider", PROVIDER, "models"], all(intent)));
        // Another of our models that somebody has chosen stays chosen.
        let default = format!("{PROVIDER}/{default}");
        let chosen = stands("model").filter(|model| model.starts_with(&format!("{PROVIDER}/")));
        if chosen.is_none_or(|chosen| chosen == default) {
            wishes.push(take(&["model"], default.into()));
        }
        vec![Change { file: file.to_owned(), format: Format::Json, wishes }]
    }

    fn conflicts(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        let mut conflicts: Vec<_> = models::first(intent).is_none().then(models::none_known).into_iter().collect();
        for file in self.stronger(world) {
            let Ok(document) = leads::document(documents, &file, Format::Json) else { continue };
            let model = document.string(&Pointer::of(&["model"])).ok().flatten();
            if let Some(model) = model.filter(|model| !model.starts_with(&format!("{PROVIDER}/"))) {
                conflicts.push(Conflict {
                    code: "stronger_file",
                    weight: Weight::Warning,
                    what: format!("Another file, which wins over yours, begins with {model}."),
                    place: format!("{}: model", file.display()),
                    cure: format!("Take the line out, or choose a model of {PROVIDER} with /models."),
                });
            }
        }
        conflicts.extend(target.files.iter().chain(&self.stronger(world)).filter_map(|file| {
            let document = leads::document(documents, file, Format::Json).ok()?;
            let key = shut_out(&document)?;
            Some(Conflict {
                code: "provider_disabled",
                weight: Weight::Blocks,
                what: format!("The list {key} leaves {PROVIDER} out."),
                place: format!("{}: {key}", file.display()),
                cure: match key {
                    "disabled_providers" => format!("Take {PROVIDER} out of that list."),
                    _ => format!("Add {PROVIDER} to that list."),
                },
            })
        }));
        conflicts.extend(proxied::conflict(world, &PROXIES, &proxied::SPARING, self.kind().label()));
        conflicts
    }

    fn effective(&self, world: &World, target: &Target, documents: &Documents) -> Vec<Effective> {
        let layers = self.layers(world, target, documents);
        let way = way(&layers);
        layers.effective(&Pointer::of(&["model"])).into_iter().chain(way.url).chain(way.key).collect()
    }

    fn way(&self, world: &World, target: &Target, documents: &Documents) -> Option<Way> {
        Some(way(&self.layers(world, target, documents)))
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        let target = Target::user("", self.files(world, &self.folder(world)));
        lines::of(&self.plan(world, &target, &Documents::default(), intent))
    }
}

/// Where the model that it begins with is asked for.
fn way(layers: &Layered) -> Way {
    let model = layers.text(&["model"]);
    let provider = model.as_deref().and_then(|model| model.split_once('/')).map_or(PROVIDER, |(provider, _)| provider);
    layers.way(&Pointer::of(&["provider", provider]), &["options", "baseURL"], &["options", "apiKey"])
}

/// The list that shuts our provider out.
fn shut_out(document: &Document) -> Option<&'static str> {
    let list = |name| match document.value(&Pointer::of(&[name])) {
        Ok(Some(Value::List(items))) => Some(items.iter().any(|item| item.text() == Some(PROVIDER))),
        _ => None,
    };
    (list("disabled_providers") == Some(true))
        .then_some("disabled_providers")
        .or_else(|| (list("enabled_providers") == Some(false)).then_some("enabled_providers"))
}

fn all(intent: &Intent) -> Value {
    Value::Table(intent.models.iter().map(|model| (model.slug.clone(), described(model))).collect())
}

/// No more than what it would not take for granted: that a model calls tools, it does.
fn described(model: &Model) -> Value {
    let mut members = vec![("name", Value::from(model.name.as_str()))];
    if !model.efforts.is_empty() {
        members.push(("reasoning", true.into()));
    }
    if model.images {
        let modalities = [("input", models::input(model).into()), ("output", vec!["text"].into())];
        members.extend([("attachment", true.into()), ("modalities", Value::table(modalities))]);
    }
    if let Some(window) = model.context_window {
        let output = model.max_output.map_or(OUTPUT, models::tokens);
        members.push(("limit", Value::table([("context", models::tokens(window).into()), ("output", output.into())])));
    }
    let more: Vec<_> = model.efforts.iter().filter(|effort| !NO_VARIANTS.contains(&effort.as_str())).collect();
    if !more.is_empty() {
        let variant = |effort: &&String| {
            let options = [("reasoningEffort", effort.as_str().into()), ("reasoningSummary", "auto".into())];
            ((*effort).clone(), Value::table(options))
        };
        members.push(("variants", Value::Table(more.iter().map(variant).collect())));
    }
    Value::table(members)
}

fn take(names: &[&str], value: Value) -> Wish {
    Wish::Take { pointer: Pointer::of(names), value: Some(value), key: None }
}
