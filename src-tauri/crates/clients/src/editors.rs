//! Clients that are set up in their own windows, or cannot be set up at all: their settings are no file, or one that only they may
//! write. They are found, looked at, and explained.
//!
//! - Cline keeps what its command line needs in `providers.json`. The real Cline 3.0.65 was seen to take a whole entry that somebody
//!   else wrote (`settings`, `updatedAt`, `tokenSource`); to write the file anew at each start, with another `updatedAt` and without
//!   members that it does not know; and to throw the whole file away, with every other provider in it, when an entry misses one of its
//!   fields. So what is taken back key by key would leave `updatedAt` alone, and cost a person their other keys. `cline auth` is the way
//!   in. The extension asks in its own window.
//! - Roo Code keeps everything in the editor's own state. Its setting `roo-cline.autoImportSettingsPath` names a file that it takes
//!   over at each start, but what was taken over stays when the file goes, so that would be no way back. It is not made any more since
//!   May 15th, 2026.
//! - Cursor calls models from its servers, which refuse addresses of a person's own machine.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::apply::Change;
use crate::client::leads::{self, Key, Leads, judge};
use crate::client::{Client, Conflict, Documents, Found, Kind, State, Target, View, Weight, World, models, programs};
use crate::format::{Format, Pointer};
use crate::intent::Intent;

/// Cline.
#[derive(Debug, Clone, Copy)]
pub struct Cline;

/// Roo Code.
#[derive(Debug, Clone, Copy)]
pub struct RooCode;

/// Cursor.
#[derive(Debug, Clone, Copy)]
pub struct Cursor;

// === impl Cline ===

impl Client for Cline {
    fn kind(&self) -> Kind {
        Kind::Cline
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::find(world, &["cline"]);
        let extension = programs::extension(world, "saoudrizwan.claude-dev");
        let file = world.at_home(&[".cline", "data", "settings", "providers.json"]);
        let target =
            by_hand("Cline's own settings", vec![file], "its settings are written by Cline alone: copy the lines");
        found(world, program, extension, &world.at_home(&[".cline"]), target)
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let leads = leads::in_file(target, view.documents, Format::Json, |document| {
            let string = |names: &[&str]| document.string(&Pointer::of(names)).ok().flatten();
            let provider = string(&["lastUsedProvider"]).unwrap_or_default();
            let setting = |name| string(&["providers", &provider, "settings", name]);
            let key = Key::found(setting("apiKey"));
            setting("baseUrl").map_or(Leads::Nowhere, |url| Leads::To { url, key })
        });
        judge(self, installed(self, world), world, target, view, leads)
    }

    fn plan(&self, _: &World, _: &Target, _: &Documents, _: &Intent) -> Vec<Change> {
        Vec::new()
    }

    fn manual(&self, _world: &World, intent: &Intent) -> String {
        let (url, key) = (intent.base_with("/v1"), intent.token.expose());
        let model = models::first(intent).unwrap_or("MODEL");
        format!(
            "# On the command line:\ncline auth -p openai-compatible -b {url} -k {key} -m {model}\n\n# In the editor, in Cline's \
             settings:\n{}",
            in_a_window("OpenAI Compatible", &url, key, model)
        )
    }
}

// === impl RooCode ===

impl Client for RooCode {
    fn kind(&self) -> Kind {
        Kind::RooCode
    }

    fn detect(&self, world: &World) -> Found {
        let extension = programs::extension(world, "rooveterinaryinc.roo-cline");
        let target =
            by_hand("Roo Code's own settings", Vec::new(), "its settings are kept by the editor: copy the lines");
        found(world, None, extension, &world.at_home(&[".roo"]), target)
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        judge(self, installed(self, world), world, target, view, Leads::Nowhere)
    }

    fn plan(&self, _: &World, _: &Target, _: &Documents, _: &Intent) -> Vec<Change> {
        Vec::new()
    }

    fn manual(&self, _world: &World, intent: &Intent) -> String {
        let model = models::first(intent).unwrap_or("MODEL");
        let lines = in_a_window("OpenAI Compatible", &intent.base_with("/v1"), intent.token.expose(), model);
        format!("# In Roo Code's settings, under Providers:\n{lines}")
    }
}

// === impl Cursor ===

impl Client for Cursor {
    fn kind(&self) -> Kind {
        Kind::Cursor
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::app(world, "Cursor", &["cursor", "Cursor.exe"], &["cursor"]);
        let target = by_hand("Cursor's own chat", Vec::new(), "Cursor's servers do not reach this machine");
        found(world, program, None, &world.at_home(&[".cursor"]), target)
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        judge(self, installed(self, world), world, target, view, Leads::Nowhere)
    }

    fn plan(&self, _: &World, _: &Target, _: &Documents, _: &Intent) -> Vec<Change> {
        Vec::new()
    }

    fn conflicts(&self, world: &World, _: &Target, _: &Documents, _: &Intent) -> Vec<Conflict> {
        let conflict = Conflict {
            code: "loopback_refused",
            weight: Weight::Blocks,
            what: "Cursor calls models from its own servers, and these refuse addresses of your machine.".to_owned(),
            place: "Cursor".to_owned(),
            cure: "In Cursor's terminal, Claude Code, the Codex CLI and opencode come here as in any other; so do Cline and Roo Code as \
                   extensions in it."
                .to_owned(),
        };
        installed(self, world).then_some(conflict).into_iter().collect()
    }

    fn manual(&self, _: &World, _: &Intent) -> String {
        "# There is nothing to copy. Cursor calls models from its own servers, and these refuse addresses of your machine; an address that\n# \
         they accept would have to be open to the internet, which this gateway is not made for.\n# Claude Code, the Codex CLI and opencode \
         in Cursor's terminal come here, and so do Cline and Roo Code as extensions in it.\n"
            .to_owned()
    }
}

/// A target that people set up themselves.
fn by_hand(label: &str, files: Vec<PathBuf>, why: &str) -> Target {
    Target { obstacle: Some(why.to_owned()), ..Target::user(label, files) }
}

fn found(
    world: &World,
    program: Option<programs::Program>,
    extension: Option<programs::Extension>,
    folder: &std::path::Path,
    target: Target,
) -> Found {
    let of_program = |program: &programs::Program| program.version.clone();
    Found {
        how: program.as_ref().map(|program| program.how).or(extension.as_ref().map(|extension| extension.editor)),
        version: program
            .as_ref()
            .and_then(of_program)
            .or_else(|| extension.as_ref().map(|extension| extension.version.clone())),
        program: program.map(|program| program.path),
        settings: extension.is_some() || world.files.exists(folder),
        targets: vec![target],
    }
}

fn installed(client: &dyn Client, world: &World) -> bool {
    let found = client.detect(world);
    found.program.is_some() || found.settings
}

fn in_a_window(provider: &str, url: &str, key: &str, model: &str) -> String {
    format!(
        "#   API Provider  {provider}\n#   Base URL      {url}\n#   API Key       {key}\n#   Model ID      {model}\n"
    )
}
