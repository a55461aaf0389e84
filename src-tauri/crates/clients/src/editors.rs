//! Clients that are set up in their own windows, or cannot be set up at all: their settings are no file, or one that only they may
//! write. They are found, looked at, and explained.
//!
//! - Cline keeps what its command line needs in `providers.json`. The real Cline 3.0.65 was seen to throw the whole file away, with
//!   every other provider in it, when an entry misses one of its own fields, and to write it anew at each start. `cline auth` is the
//!   way in. The extension asks in its own window.
//! - Roo Code keeps everything in the editor's own state.
//! - VS Code keeps custom endpoints in `chatLanguageModels.json`, a list, with keys as references into its keychain
//!   (code.visualstudio.com/docs/copilot/customization/language-models; not tried here).
//! - Cursor calls models from its servers, which refuse addresses of a person's own machine.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::apply::Change;
use crate::client::leads::{self, Key, Leads, judge};
use crate::client::{
    Client, Conflict, Documents, Found, Held, Kind, Os, State, Target, View, Weight, World, lines, models, programs,
};
use crate::format::{Format, Pointer, Value};
use crate::intent::{Intent, Model};

/// Cline.
#[derive(Debug, Clone, Copy)]
pub struct Cline;

/// Roo Code.
#[derive(Debug, Clone, Copy)]
pub struct RooCode;

/// VS Code's own chat.
#[derive(Debug, Clone, Copy)]
pub struct VsCode;

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

// === impl VsCode ===

impl Client for VsCode {
    fn kind(&self) -> Kind {
        Kind::VsCode
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::app(world, "Visual Studio Code", &["Microsoft VS Code", "Code.exe"], &["code"]);
        let file = vscode_file(world);
        let target =
            by_hand("custom endpoints", vec![file], "its list of models is written by VS Code alone: copy the lines");
        found(world, program, None, &world.at_home(&[".vscode"]), target)
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let leads = match target.file().map(|file| view.documents.held(file)) {
            Some(Held::Bytes(bytes)) => leads::mentioned(&String::from_utf8_lossy(bytes), view.intent),
            Some(Held::Missing | Held::Unreadable(_)) | None => Leads::Nowhere,
        };
        judge(self, installed(self, world), world, target, view, leads)
    }

    fn plan(&self, _: &World, _: &Target, _: &Documents, _: &Intent) -> Vec<Change> {
        Vec::new()
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        let models = Value::List(intent.models.iter().map(|model| endpoint(model, intent)).collect());
        format!(
            "// In VS Code: Chat: Manage Language Models, Add Models, Custom Endpoint. The name is Codeferry, the API type Responses, the \
             key\n//   {}\n// Then the gear beside it opens {}, where these go into its group:\n{}\n",
            intent.token.expose(),
            vscode_file(world).display(),
            lines::spread("models", &models)
        )
    }
}

fn endpoint(model: &Model, intent: &Intent) -> Value {
    let output = model.max_output.unwrap_or(32_000);
    let input = model.context_window.unwrap_or(200_000).saturating_sub(output);
    Value::table([
        ("id", model.slug.as_str().into()),
        ("name", model.name.as_str().into()),
        ("url", intent.base_with("/v1/responses").into()),
        ("toolCalling", true.into()),
        ("vision", model.images.into()),
        ("thinking", (!model.efforts.is_empty()).into()),
        ("maxInputTokens", models::tokens(input).into()),
        ("maxOutputTokens", models::tokens(output).into()),
    ])
}

fn vscode_file(world: &World) -> PathBuf {
    let folder = match world.os {
        Os::Linux => world.xdg_config(),
        Os::Macos => world.at_home(&["Library", "Application Support"]),
        Os::Windows => world.folder("APPDATA").unwrap_or_else(|| world.at_home(&["AppData", "Roaming"])),
    };
    world.join(&folder, &["Code", "User", "chatLanguageModels.json"])
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
