//! Where Claude Code is, and where it can be set up.

use std::path::{Path, PathBuf};

use super::{layers, sessions};
use crate::client::wsl::{self, Distribution};
use crate::client::{Documents, Found, Scope, Target, World, exports, programs};
use crate::format::{Document, Format, Pointer, Value};

const SETTINGS: &str = "settings.json";
/// So many projects are looked into; whoever has more hears of the latest.
const PROJECTS: usize = 200;

pub(super) fn detect(world: &World) -> Found {
    let settings = world.files.exists(&folder(world));
    let targets = targets(world);
    let Some(program) = programs::find(world, &["claude"]) else {
        return Found { settings, targets, ..Found::default() };
    };
    let version = program.version.or_else(|| native_version(world, &program.path));
    Found { version, how: Some(program.how), program: Some(program.path), settings, targets }
}

/// Its own installer links to `versions/VERSION`.
fn native_version(world: &World, program: &Path) -> Option<String> {
    let real = world.files.resolved(program)?;
    let name = real.file_name()?.to_str()?;
    let version = name.trim_end_matches(".exe");
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

/// Its folder: `CLAUDE_CONFIG_DIR`, else `~/.claude`.
pub(super) fn folder(world: &World) -> PathBuf {
    world.folder("CLAUDE_CONFIG_DIR").unwrap_or_else(|| world.at_home(&[".claude"]))
}

/// The person's file that counts beside a target's own.
pub(crate) fn user_file(world: &World, target: &Target) -> PathBuf {
    match (&target.scope, target.file()) {
        (Scope::User | Scope::Wsl { .. }, Some(file)) => file.to_owned(),
        _ => world.join(&folder(world), &[SETTINGS]),
    }
}

/// Everywhere it can be set up: the first is what is meant when nothing is said.
pub(super) fn targets(world: &World) -> Vec<Target> {
    let shown = |file: &Path| shortened(world, file);
    let one = |id: &str, folder: &Path, why: &str| {
        let file = world.join(folder, &[SETTINGS]);
        Target { id: id.to_owned(), opt_in: id != "user", ..Target::user(format!("{}{why}", shown(&file)), vec![file]) }
    };
    let first = folder(world);
    let mut targets = vec![one("user", &first, "")];
    let usual = world.at_home(&[".claude"]);
    if usual != first && world.files.exists(&usual) {
        targets.push(one("usual", &usual, " (for shells without CLAUDE_CONFIG_DIR)"));
    }
    // A desktop program does not see what a shell's file sets.
    let files = exports::files(world);
    let documents = Documents::read(&*world.files, files.iter().map(PathBuf::as_path));
    for export in exports::found(world, &documents).into_iter().filter(|export| export.name == "CLAUDE_CONFIG_DIR") {
        let Some(folder) = export.value.map(PathBuf::from).filter(|folder| *folder != first && *folder != usual) else {
            continue;
        };
        let id = format!("folder:{}", folder.display());
        if !targets.iter().any(|target| target.id == id) {
            let why = format!(" (for shells that read {})", shown(&export.file));
            targets.push(one(&id, &folder, &why));
        }
    }
    for distribution in &world.distributions {
        targets.extend(in_linux(world, distribution));
    }
    targets.extend(world.project.as_deref().map(|folder| {
        let file = world.join(folder, &[".claude", "settings.local.json"]);
        let label = format!("this project only: {}", shown(&file));
        let scope = Scope::Project { folder: folder.to_owned() };
        Target { id: "project".to_owned(), label, scope, files: vec![file], opt_in: true, obstacle: None }
    }));
    targets
}

/// Those in a Linux inside Windows, reached by its share.
fn in_linux(world: &World, distribution: &Distribution) -> Vec<Target> {
    let scope = || Scope::Wsl { distribution: distribution.clone() };
    if !distribution.running {
        let (id, label) = (format!("wsl:{}", distribution.name), format!("{} (WSL)", distribution.name));
        let obstacle = Some(format!("{} does not run; start it and look again", distribution.name));
        return vec![Target { id, label, scope: scope(), files: Vec::new(), opt_in: true, obstacle }];
    }
    let homes = wsl::homes(distribution, &*world.files).into_iter();
    let homes = homes.map(|home| {
        let file = world.join(&home.folder, &[".claude", SETTINGS]);
        let id = format!("wsl:{}:{}", distribution.name, home.user);
        let label = format!("~/.claude/settings.json of {} in {} (WSL)", home.user, distribution.name);
        Target { id, label, scope: scope(), files: vec![file], opt_in: true, obstacle: None }
    });
    homes.collect()
}

/// A path as people write it.
pub(super) fn shortened(world: &World, path: &Path) -> String {
    let (path, home) = (path.to_string_lossy(), world.home.to_string_lossy());
    match path.strip_prefix(&*home).filter(|rest| rest.starts_with(['/', '\\'])) {
        Some(rest) => format!("~{rest}"),
        None => path.into_owned(),
    }
}

/// What is read besides a target's own file: everybody's who has a word, and of every project that Claude Code knows.
pub(super) fn also(world: &World, target: &Target) -> Vec<PathBuf> {
    let mut files = vec![user_file(world, target)];
    if let Some(folder) = layers::project_of(world, target) {
        files.extend(layers::project_files(world, folder));
        files.extend(
            [[".gitignore"].as_slice(), &[".git", "info", "exclude"], &[".git", "HEAD"]]
                .map(|names| world.join(folder, names)),
        );
        files.extend(git_ignores(world));
    }
    files.extend(layers::managed_files(world, target));
    if let Some(folder) = layers::folder_of(target).filter(|_| matches!(target.scope, Scope::User)) {
        files.extend(sessions::files(world, &folder));
        files.push(world.join(&folder, &["remote-settings.json"]));
    }
    if matches!(target.scope, Scope::User) {
        let known = projects(world);
        files.extend(known.iter().flat_map(|project| layers::project_files(world, project)));
    }
    files.push(world.at_home(&[".wslconfig"]));
    files
}

/// What git passes over everywhere.
pub(super) fn git_ignores(world: &World) -> [PathBuf; 2] {
    [world.join(&world.xdg_config(), &["git", "ignore"]), world.at_home(&[".gitignore_global"])]
}

/// The projects that Claude Code has been started in, by its own notes.
pub(super) fn projects(world: &World) -> Vec<PathBuf> {
    let notes = match world.folder("CLAUDE_CONFIG_DIR") {
        Some(folder) => world.join(&folder, &[".claude.json"]),
        None => world.at_home(&[".claude.json"]),
    };
    let bytes = world.files.read(&notes).ok().flatten().unwrap_or_default();
    let Ok(document) = Document::read(Format::Json, &bytes) else { return Vec::new() };
    let Ok(Some(Value::Table(projects))) = document.value(&Pointer::of(&["projects"])) else { return Vec::new() };
    let folders = projects.into_iter().rev().map(|(folder, _)| PathBuf::from(folder)).take(PROJECTS);
    // The home's own is the person's.
    folders.filter(|folder| *folder != world.home).collect()
}
