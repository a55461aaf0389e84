//! What keeps the Codex CLI away from us although its file leads here.

use std::path::{Path, PathBuf};

use super::{home, is_profile, layers, root, way};
use crate::client::leads;
use crate::client::{Conflict, Documents, Os, Target, Weight, World, proxied};
use crate::format::Format;
use crate::intent::Intent;

/// Proxies that it obeys for plain http.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const SPARING: [&str; 3] = ["*", "127.0.0.1", "127.0.0.0/8"];

/// The files that are looked at besides those that may be changed.
pub(super) fn reads(world: &World, target: &Target) -> Vec<PathBuf> {
    let main = is_profile(target).then(|| main(world));
    main.into_iter().chain([managed(world)]).collect()
}

pub(super) fn of(world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let main = main(world);
    if let Ok(document) = leads::document(documents, &main, Format::Toml) {
        conflicts.extend(["profile", "profiles"].into_iter().find(|name| document.holds(&root(name))).map(|name| Conflict {
            code: "legacy_profile",
            weight: if name == "profile" || is_profile(target) { Weight::Blocks } else { Weight::Note },
            what: format!("The Codex CLI has given up `{name}` in config.toml, and refuses a profile while it stands there."),
            place: place(&main, name),
            cure: "Move each profile into a file of its own, NAME.config.toml in the same folder, and take it out here.".to_owned(),
        }));
    }
    let (managed, layers) = (managed(world), layers(world, target, documents));
    if layers.effective(&root("model_provider")).is_some_and(|holds| holds.from == managed.display().to_string())
        && !way(world, &layers).url.is_some_and(|url| intent.is_here(url.expose()))
    {
        conflicts.push(Conflict {
            code: "managed_settings",
            weight: Weight::Blocks,
            what: "Settings made by an administrator choose another provider, and win over yours.".to_owned(),
            place: place(&managed, "model_provider"),
            cure: "Ask whoever looks after this machine.".to_owned(),
        });
    }
    if let Some(file) = target.file()
        && let Ok(document) = leads::document(documents, file, Format::Toml)
        && let Ok(Some(model)) = document.string(&root("model"))
        && !intent.models.is_empty()
        && intent.model(&model).is_none()
        && !model.contains('/')
    {
        conflicts.push(Conflict {
            code: "unknown_model",
            weight: Weight::Warning,
            what: format!("{model} is chosen, and the account in use has no model of that name."),
            place: place(file, "model"),
            cure: "Choose one that codeferry models lists, with /model in the Codex CLI.".to_owned(),
        });
    }
    conflicts.extend(proxied::conflict(world, &PROXIES, &SPARING, "The Codex CLI"));
    conflicts
}

pub(super) fn main(world: &World) -> PathBuf {
    world.join(&home(world), &["config.toml"])
}

/// Where administrators overrule people. On Windows it stands among the person's own files.
pub(super) fn managed(world: &World) -> PathBuf {
    match world.os {
        Os::Linux | Os::Macos => PathBuf::from("/etc/codex/managed_config.toml"),
        Os::Windows => world.join(&home(world), &["managed_config.toml"]),
    }
}

fn place(file: &Path, key: &str) -> String {
    format!("{}: {key}", file.display())
}
