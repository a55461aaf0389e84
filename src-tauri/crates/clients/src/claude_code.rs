//! Claude Code: what its `settings.json` has to hold so that it comes to us, and what may still keep it away.
//!
//! What is said here about the client was seen with the real one; `docs/clients.md` names the version, and for each key what it
//! is for. `told` is what is written, `layers` who else has a word, `conflicts` what that leads to.

mod conflicts;
mod layers;
mod old_paths;
mod places;
mod sessions;
mod state;
#[cfg(test)]
mod tests;
mod told;

use std::path::PathBuf;

pub use self::layers::{Ignored, Layer, Layers, Source};
pub use self::old_paths::{base_url, direct, doubts, to, to_us, token};
pub(crate) use self::places::user_file;
pub use self::sessions::{Session, running};
pub use self::told::{role_id, variables, window};
use crate::apply::{Change, Wish};
use crate::client::{
    Client, Conflict, Documents, Effective, Found, Kind, State, Target, View, Way, World, exports, no_proxy,
};
use crate::format::{Document, Format, Value};
use crate::intent::Intent;

/// The word for it in the names of files and keys.
pub const NAME: &str = Kind::ClaudeCode.name();

/// The client.
#[derive(Debug, Clone, Copy)]
pub struct ClaudeCode;

/// The lines of `settings.json` that [`plan`](Client::plan) would write into one with nothing in it.
pub fn settings(intent: &Intent, spared: Option<(&'static str, String)>) -> String {
    written(told::all(intent, spared))
}

/// The file for `claude --settings FILE`, which wins over all but managed settings: a session that comes to us without a change of
/// anybody's files. What the person's files and variables say against it is switched off in it.
pub fn session(world: &World, intent: &Intent) -> String {
    let file = world.join(&places::folder(world), &["settings.json"]);
    let target = Target::user("", vec![file]);
    let documents = Documents::of(&ClaudeCode, world, &target);
    let layers = Layers::of(world, &target, &documents);
    let mut told = told::all(intent, spared(world, &target, &documents));
    told.retain(|told| told.value.is_some());
    let against = conflicts::switches().filter(|(name, _)| layers.variable(name).is_some());
    told.extend(against.map(|(key, off)| told::Told::variable(key, off)));
    written(told)
}

fn written(told: Vec<told::Told>) -> String {
    // Nothing stands in the way in an empty document.
    let Ok(mut document) = Document::read(Format::Json, b"") else { return String::new() };
    for told in told {
        let _ = told.value.map(|value| document.set(&told.pointer, &value));
    }
    document.text().to_owned()
}

impl Client for ClaudeCode {
    fn kind(&self) -> Kind {
        Kind::ClaudeCode
    }

    fn detect(&self, world: &World) -> Found {
        places::detect(world)
    }

    fn also_reads(&self, world: &World, target: &Target) -> Vec<PathBuf> {
        let mut files = places::also(world, target);
        files.extend(exports::files(world));
        files
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        state::of(world, target, view)
    }

    fn plan(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file() else { return Vec::new() };
        let told = told::all(intent, spared(world, target, documents));
        let no_more = told::places().into_iter().filter(|place| !told.iter().any(|told| told.pointer == *place));
        let mut wishes: Vec<Wish> = no_more
            // A list of addresses that is long enough already is nobody's to take back.
            .filter(|place| !place.name().is_some_and(|name| no_proxy::LISTS.contains(&name)))
            .map(Wish::GiveBack)
            .collect();
        wishes.extend(told.into_iter().map(|told| {
            let key = (told.key == told::AUTH_TOKEN).then(|| intent.key_name.clone()).flatten();
            Wish::Take { pointer: told.pointer, value: told.value, key }
        }));
        vec![Change { file: file.to_owned(), format: Format::Json, wishes }]
    }

    fn conflicts(&self, world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        conflicts::of(world, target, documents, intent)
    }

    fn effective(&self, world: &World, target: &Target, documents: &Documents) -> Vec<Effective> {
        let layers = Layers::of(world, target, documents);
        let variables = conflicts::KEYS.into_iter().chain(told::names()).filter_map(|key| layers.effective(key));
        let settings = ["model", "apiKeyHelper"].into_iter().filter_map(|key| {
            let (value, source) = layers.setting(key)?;
            Some(Effective::new(key, text_of(&value)?, source, Vec::new()))
        });
        variables.chain(settings).collect()
    }

    fn way(&self, world: &World, target: &Target, documents: &Documents) -> Option<Way> {
        let layers = Layers::of(world, target, documents);
        let key = [told::AUTH_TOKEN, told::API_KEY].into_iter().find_map(|key| layers.effective(key));
        Some(Way { url: layers.effective(told::BASE_URL), key })
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        settings(intent, no_proxy::extended(&|name| world.variable(name).map(str::to_owned)))
    }
}

/// The list of addresses without a proxy that has to stand in the target's file, if one has to.
fn spared(world: &World, target: &Target, documents: &Documents) -> Option<(&'static str, String)> {
    let layers = Layers::of(world, target, documents);
    no_proxy::extended(&|name| layers.variable(name).map(|(value, _)| value.to_owned()))
}

/// A text that a setting is, whatever it is.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::List(_) | Value::Table(_) | Value::Other(_) => None,
    }
}
