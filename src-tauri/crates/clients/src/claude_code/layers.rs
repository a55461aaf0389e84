//! Where Claude Code takes its settings from, and which file wins for each key. Pure, over documents that were read.
//!
//! The order, as the real one was seen to follow it, the weakest first: the shell's variables, the person's `settings.json`, the
//! project's, its `settings.local.json`, `--settings` on the command line, `managed-settings.json`, and the files of
//! `managed-settings.d` by name. `env` is merged variable by variable. Only the project it is started in counts, not the folders
//! above. A file that is not plain JSON counts for nothing at all: no comments, no trailing commas; a BOM is fine.

use std::path::{Path, PathBuf};

use crate::client::exports::{self, Export};
use crate::client::{Documents, Effective, Held, Os, Scope, Target, World};
use crate::format::{Document, Format, Pointer, Value};

/// Whose word it is, the weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A file that a shell runs at its start; by name and line.
    ShellFile(PathBuf, usize),
    /// The variables of whoever asks.
    Variables,
    /// The person's settings.
    User(PathBuf),
    /// A project's settings, shared with others.
    Project(PathBuf),
    /// The person's settings for a project.
    Local(PathBuf),
    /// What an organisation prescribes.
    Managed(PathBuf),
}

/// What one of them says.
#[derive(Clone)]
pub struct Layer {
    /// Whose word it is.
    pub source: Source,
    /// Variables, in the order they stand there.
    pub env: Vec<(String, String)>,
    /// The whole of the file; `None` where there is no file.
    pub document: Option<Document>,
}

/// A settings file that counts for nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Which.
    pub source: Source,
    /// Why, in a sentence without an end.
    pub why: String,
}

/// All that is said about one Claude Code.
#[derive(Clone, Default)]
pub struct Layers {
    /// The weakest first.
    pub layers: Vec<Layer>,
    /// Files that count for nothing.
    pub ignored: Vec<Ignored>,
}

/// The folder of Claude Code's that a target's file stands in.
pub(super) fn folder_of(target: &Target) -> Option<PathBuf> {
    let file = target.file()?.to_string_lossy().into_owned();
    let end = file.rfind(['/', '\\'])?;
    Some(PathBuf::from(&file[..end]))
}

/// Where an organisation puts its settings. In a Linux inside Windows, that Linux's.
pub(super) fn managed_folder(world: &World, target: &Target) -> PathBuf {
    if let Scope::Wsl { distribution } = &target.scope {
        return Os::Windows
            .join(Path::new(&format!(r"\\wsl.localhost\{}", distribution.name)), &["etc", "claude-code"]);
    }
    match world.os {
        Os::Linux => PathBuf::from("/etc/claude-code"),
        Os::Macos => PathBuf::from("/Library/Application Support/ClaudeCode"),
        Os::Windows => {
            world.join(&world.folder("PROGRAMFILES").unwrap_or_else(|| r"C:\Program Files".into()), &["ClaudeCode"])
        }
    }
}

/// The files of managed settings there may be.
pub(super) fn managed_files(world: &World, target: &Target) -> Vec<PathBuf> {
    let folder = managed_folder(world, target);
    let os = if matches!(target.scope, Scope::Wsl { .. }) { Os::Windows } else { world.os };
    let more = os.join(&folder, &["managed-settings.d"]);
    let parts = world.files.names(&more).into_iter().filter(|name| name.ends_with(".json") && !name.starts_with('.'));
    let parts = parts.map(|name| os.join(&more, &[&name]));
    std::iter::once(os.join(&folder, &["managed-settings.json"])).chain(parts).collect()
}

/// The two files of a project.
pub(super) fn project_files(world: &World, folder: &Path) -> [PathBuf; 2] {
    ["settings.json", "settings.local.json"].map(|name| world.join(folder, &[".claude", name]))
}

/// The project that counts for a target, if one does.
pub(super) fn project_of<'w>(world: &'w World, target: &'w Target) -> Option<&'w Path> {
    match &target.scope {
        Scope::Project { folder } => Some(folder),
        // Started at home, the two files would be one.
        Scope::User => world.project.as_deref().filter(|folder| *folder != world.home),
        Scope::Wsl { .. } => None,
    }
}

// === impl Layers ===

impl Layers {
    /// What the documents say. Files that nobody read count as missing.
    pub fn of(world: &World, target: &Target, documents: &Documents) -> Self {
        let mut all = Self::default();
        if !matches!(target.scope, Scope::Wsl { .. }) {
            for Export { file, line, name, value, perhaps } in exports::found(world, documents) {
                if let Some(value) = value.filter(|_| !perhaps) {
                    let source = Source::ShellFile(file, line);
                    all.layers.push(Layer { source, env: vec![(name, value)], document: None });
                }
            }
            let env = world.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            all.layers.push(Layer { source: Source::Variables, env, document: None });
        }
        let user = super::user_file(world, target);
        all.read(documents, Source::User(user));
        if let Some(folder) = project_of(world, target) {
            let [shared, own] = project_files(world, folder);
            all.read(documents, Source::Project(shared));
            all.read(documents, Source::Local(own));
        }
        for file in managed_files(world, target) {
            all.read(documents, Source::Managed(file));
        }
        all
    }

    fn read(&mut self, documents: &Documents, source: Source) {
        let Some(path) = source.file() else { return };
        let ignored = match documents.held(path) {
            Held::Missing => return,
            Held::Unreadable(why) => format!("it cannot be read: {why}"),
            Held::Bytes(bytes) => match plain(bytes) {
                Ok(document) => {
                    let env = variables_in(&document);
                    return self.layers.push(Layer { source, env, document: Some(document) });
                }
                Err(why) => why,
            },
        };
        self.ignored.push(Ignored { source, why: ignored });
    }

    /// What a variable is, and who says so.
    pub fn variable(&self, name: &str) -> Option<(&str, &Source)> {
        self.all_of(name).into_iter().next()
    }

    /// Everybody who says what a variable is, the strongest first.
    pub fn all_of(&self, name: &str) -> Vec<(&str, &Source)> {
        let said = |layer: &'_ Layer| layer.env.iter().rposition(|(known, _)| known == name);
        let said =
            self.layers.iter().rev().filter_map(|layer| Some((layer.env[said(layer)?].1.as_str(), &layer.source)));
        said.collect()
    }

    /// What a variable is, with everybody who has a word.
    pub(super) fn effective(&self, name: &str) -> Option<Effective> {
        let mut said = self.all_of(name).into_iter();
        let (value, from) = said.next()?;
        let others = said.filter(|(other, _)| *other != value).map(|(_, source)| source.to_string()).collect();
        Some(Effective::new(name, value, from, others))
    }

    /// What a setting beside `env` is, and who says so.
    pub fn setting(&self, name: &str) -> Option<(Value, &Source)> {
        let pointer = Pointer::of(&[name]);
        let said = |layer: &'_ Layer| layer.document.as_ref()?.value(&pointer).ok().flatten();
        self.layers.iter().rev().find_map(|layer| Some((said(layer)?, &layer.source)))
    }

    /// The same, once these variables stand in that file. `None` takes one out.
    #[must_use]
    pub fn with(mut self, file: &Path, env: &[(String, Option<String>)]) -> Self {
        let here = |source: &Source| source.file() == Some(file);
        if !self.layers.iter().any(|layer| here(&layer.source)) {
            self.ignored.retain(|ignored| !here(&ignored.source));
            let source = match file.to_string_lossy().ends_with("settings.local.json") {
                true => Source::Local(file.to_owned()),
                false => Source::User(file.to_owned()),
            };
            let at = self.layers.iter().position(|layer| layer.source > source).unwrap_or(self.layers.len());
            self.layers.insert(at, Layer { source, env: Vec::new(), document: None });
        }
        for layer in self.layers.iter_mut().filter(|layer| here(&layer.source)) {
            layer.env.retain(|(name, _)| !env.iter().any(|(other, _)| other == name));
            layer.env.extend(env.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
        }
        self
    }
}

/// What Claude Code reads: plain JSON with an object, or nothing.
pub(super) fn plain(bytes: &[u8]) -> Result<Document, String> {
    let document = Document::read(Format::Json, bytes).map_err(|bad| bad.to_string())?;
    let text = document.text().trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("there is nothing in it".to_owned());
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Err(error) => Err(format!(
            "line {}, column {}: Claude Code reads plain JSON only, without comments or a comma at the end",
            error.line(),
            error.column()
        )),
        Ok(_) if !text.trim_start().starts_with('{') => Err("it holds something else than an object".to_owned()),
        Ok(_) => Ok(document),
    }
}

fn variables_in(document: &Document) -> Vec<(String, String)> {
    let Ok(Some(Value::Table(members))) = document.value(&Pointer::of(&["env"])) else { return Vec::new() };
    let text = |value: Value| match value {
        Value::Text(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::List(_) | Value::Table(_) | Value::Other(_) => None,
    };
    members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

// === impl Source ===

impl Source {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Variables => None,
            Self::ShellFile(path, _)
            | Self::User(path)
            | Self::Project(path)
            | Self::Local(path)
            | Self::Managed(path) => Some(path),
        }
    }

    /// Whether it is a shell's word, which every file overrules.
    pub fn is_shell(&self) -> bool {
        matches!(self, Self::ShellFile(..) | Self::Variables)
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variables => f.write_str("the environment"),
            Self::ShellFile(path, line) => write!(f, "{}:{line}", path.display()),
            Self::User(path) | Self::Project(path) | Self::Local(path) | Self::Managed(path) => path.display().fmt(f),
        }
    }
}
