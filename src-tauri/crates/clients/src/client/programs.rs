//! Where programs are: on the path, and where those who look after versions put them. An app that was started from an icon often
//! has a shorter path than the shell, so the usual places are looked at as well.
//!
//! **Invariant:** nothing is started to find out. The version is what the files around the program say.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::{Os, World};
use crate::format::{Document, Format, Pointer};

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// As it is called.
    pub path: PathBuf,
    /// Who put it there: `npm`, `nvm`, `homebrew` …; `path` where that does not show.
    pub how: &'static str,
    /// Its version, if a file beside it tells.
    pub version: Option<String>,
}

/// An extension of an editor of VS Code's family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The editor, as people know it.
    pub editor: &'static str,
    /// Its version.
    pub version: String,
}

/// A folder that may hold programs.
struct Place {
    how: &'static str,
    folder: PathBuf,
}

/// The first of these programs that is there: on the path, or else in a usual place.
pub fn find(world: &World, names: &[&str]) -> Option<Program> {
    let usual = places(world);
    let on_path = world.path.iter().map(|folder| Place { how: "path", folder: folder.clone() });
    let mut folders = on_path.chain(usual.iter().map(|place| Place { how: place.how, folder: place.folder.clone() }));
    let (how, path) = folders.find_map(|place| Some((place.how, inside(world, &place.folder, names)?)))?;
    let real = world.files.resolved(&path).unwrap_or_else(|| path.clone());
    let known = usual.iter().find(|place| path.starts_with(&place.folder)).map(|place| place.how);
    let how = if how == "path" { known.or_else(|| by_real(&real)).unwrap_or("path") } else { how };
    Some(Program { version: version(world, &path, &real), path, how })
}

/// An application with a window: a bundle on macOS, a program folder on Windows, whatever is on the path elsewhere.
pub fn app(world: &World, bundle: &str, windows: &[&str], names: &[&str]) -> Option<Program> {
    let found = |path: PathBuf| world.files.exists(&path).then_some(path);
    let path = match world.os {
        Os::Macos => [PathBuf::from("/Applications"), world.at_home(&["Applications"])]
            .into_iter()
            .find_map(|folder| found(world.join(&folder, &[&format!("{bundle}.app")]))),
        Os::Windows => ["LOCALAPPDATA", "PROGRAMFILES"].into_iter().find_map(|variable| {
            let base = world.folder(variable)?;
            let base = if variable == "LOCALAPPDATA" { world.join(&base, &["Programs"]) } else { base };
            found(world.join(&base, windows))
        }),
        Os::Linux => None,
    };
    path.map(|path| Program { path, how: "app", version: None }).or_else(|| find(world, names))
}

/// An extension by its name in the marketplace, in the first editor that has it.
pub fn extension(world: &World, id: &str) -> Option<Extension> {
    const EDITORS: [(&str, &str); 8] = [
        (".vscode", "VS Code"),
        (".vscode-insiders", "VS Code Insiders"),
        (".vscode-oss", "VSCodium"),
        (".vscode-server", "VS Code Server"),
        (".cursor", "Cursor"),
        (".cursor-server", "Cursor Server"),
        (".windsurf", "Windsurf"),
        (".antigravity", "Antigravity"),
    ];
    EDITORS.into_iter().find_map(|(folder, editor)| {
        let names = world.files.names(&world.at_home(&[folder, "extensions"]));
        let versions = names.iter().filter_map(|name| {
            let (head, rest) = name.split_at_checked(id.len())?;
            let version = rest.strip_prefix('-').filter(|_| head.eq_ignore_ascii_case(id))?;
            // `-linux-x64` and the like follow where there is one package for each system.
            let version = version.split('-').next().unwrap_or(version);
            version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
        });
        versions.max_by_key(|version| numbers(version)).map(|version| Extension { editor, version })
    })
}

/// The program in this folder, under one of its names.
fn inside(world: &World, folder: &Path, names: &[&str]) -> Option<PathBuf> {
    const ENDS: [&str; 3] = [".exe", ".cmd", ".bat"];
    let ends: &[&str] = if world.os == Os::Windows { &ENDS } else { &[""] };
    let candidates = names.iter().flat_map(|name| ends.iter().map(move |end| format!("{name}{end}")));
    candidates.map(|name| world.join(folder, &[&name])).find(|path| world.files.exists(path))
}

/// The usual places, the more deliberate ones first; of several versions the latest.
fn places(world: &World) -> Vec<Place> {
    let windows = world.os == Os::Windows;
    let base = |variable: &str, usual: PathBuf| world.folder(variable).unwrap_or(usual);
    let roaming = base("APPDATA", world.at_home(&["AppData", "Roaming"]));
    let local = base("LOCALAPPDATA", world.at_home(&["AppData", "Local"]));
    let data = world.folder("XDG_DATA_HOME").unwrap_or_else(|| world.at_home(&[".local", "share"]));
    let by_os = |on_windows: PathBuf, elsewhere: PathBuf| if windows { on_windows } else { elsewhere };
    let mut places = Vec::new();
    let mut add = |how, folder| places.push(Place { how, folder });

    add("native", world.at_home(&[".local", "bin"]));
    let volta = base("VOLTA_HOME", by_os(world.join(&local, &["Volta"]), world.at_home(&[".volta"])));
    add("volta", world.join(&volta, &["bin"]));
    add("bun", world.join(&base("BUN_INSTALL", world.at_home(&[".bun"])), &["bin"]));
    let pnpm = match world.os {
        Os::Windows => world.join(&local, &["pnpm"]),
        Os::Macos => world.at_home(&["Library", "pnpm"]),
        Os::Linux => world.join(&data, &["pnpm"]),
    };
    let pnpm = base("PNPM_HOME", pnpm);
    add("pnpm", pnpm.clone());
    add("pnpm", world.join(&pnpm, &["bin"]));
    add("asdf", world.join(&base("ASDF_DATA_DIR", world.at_home(&[".asdf"])), &["shims"]));
    let mise = base("MISE_DATA_DIR", by_os(world.join(&local, &["mise"]), world.join(&data, &["mise"])));
    add("mise", world.join(&mise, &["shims"]));
    each_version(world, &world.join(&mise, &["installs", "node"]), &["bin"], "mise", &mut add);
    add("proto", world.join(&base("PROTO_HOME", world.at_home(&[".proto"])), &["shims"]));
    add("proto", world.join(&base("PROTO_HOME", world.at_home(&[".proto"])), &["bin"]));
    if let Some(shell) = world.folder("FNM_MULTISHELL_PATH") {
        add("fnm", if windows { shell } else { world.join(&shell, &["bin"]) });
    }
    let in_version: &[&str] = if windows { &["installation"] } else { &["installation", "bin"] };
    let usual_fnm = [
        world.join(&roaming, &["fnm"]),
        world.join(&data, &["fnm"]),
        world.at_home(&["Library", "Application Support", "fnm"]),
        world.at_home(&[".fnm"]),
    ];
    for fnm in world.folder("FNM_DIR").into_iter().chain(usual_fnm) {
        each_version(world, &world.join(&fnm, &["node-versions"]), in_version, "fnm", &mut add);
    }
    let nvm = world
        .folder("NVM_DIR")
        .into_iter()
        .chain([world.at_home(&[".nvm"]), world.join(&world.xdg_config(), &["nvm"])]);
    for nvm in nvm {
        each_version(world, &world.join(&nvm, &["versions", "node"]), &["bin"], "nvm", &mut add);
    }
    if windows {
        each_version(world, &world.join(&roaming, &["nvm"]), &[], "nvm", &mut add);
        add("npm", world.join(&roaming, &["npm"]));
        add("scoop", world.at_home(&["scoop", "shims"]));
        add("winget", world.join(&local, &["Microsoft", "WinGet", "Links"]));
        return places;
    }
    for variable in ["npm_config_prefix", "NPM_CONFIG_PREFIX"] {
        world.folder(variable).into_iter().for_each(|prefix| add("npm", world.join(&prefix, &["bin"])));
    }
    add("npm", world.at_home(&[".npm-global", "bin"]));
    add("npm", world.at_home(&[".npm-packages", "bin"]));
    add("n", world.join(&base("N_PREFIX", world.at_home(&["n"])), &["bin"]));
    let brews = ["/opt/homebrew", "/home/linuxbrew/.linuxbrew"].map(PathBuf::from);
    for brew in world.folder("HOMEBREW_PREFIX").into_iter().chain(brews) {
        add("homebrew", world.join(&brew, &["bin"]));
    }
    add("path", PathBuf::from("/usr/local/bin"));
    add("path", PathBuf::from("/usr/bin"));
    add("snap", PathBuf::from("/snap/bin"));
    places
}

/// One folder for each version in a folder, the latest first.
fn each_version(
    world: &World,
    folder: &Path,
    then: &[&str],
    how: &'static str,
    add: &mut impl FnMut(&'static str, PathBuf),
) {
    let mut versions = world.files.names(folder);
    versions.retain(|name| name.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit()));
    versions.sort_by_key(|name| Reverse(numbers(name)));
    for version in versions {
        add(how, world.join(&world.join(folder, &[&version]), then));
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(|char: char| !char.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// Who put a program there, as the path behind all links tells.
fn by_real(real: &Path) -> Option<&'static str> {
    const SIGNS: [(&str, &str); 4] =
        [("Cellar", "homebrew"), ("Caskroom", "homebrew"), ("node_modules", "npm"), (".bun", "bun")];
    let has = |name: &str| real.iter().any(|part| part == name);
    SIGNS.into_iter().find(|(sign, _)| has(sign)).map(|(_, how)| how)
}

/// The version that Homebrew's folders or the package around a program tell.
fn version(world: &World, path: &Path, real: &Path) -> Option<String> {
    let parts: Vec<_> = real.iter().filter_map(|part| part.to_str()).collect();
    if let Some(at) = parts.iter().position(|part| matches!(*part, "Cellar" | "Caskroom")) {
        return parts.get(at + 2).map(|version| (*version).to_owned());
    }
    let called =
        |folder: &Path, test: fn(&str) -> bool| folder.file_name().and_then(|name| name.to_str()).is_some_and(test);
    let scope = |name: &str| name.starts_with('@');
    let is_package = |folder: &Path| {
        let parent = folder.parent().filter(|_| !called(folder, scope));
        let parent = parent.and_then(|parent| if called(parent, scope) { parent.parent() } else { Some(parent) });
        parent.is_some_and(|parent| called(parent, |name| name == "node_modules"))
    };
    // The outermost package: what it depends on stands in `node_modules` of its own.
    let package = real.ancestors().filter(|folder| is_package(folder)).last();
    let manifest = package.map(|folder| world.join(folder, &["package.json"])).or_else(|| script(world, path))?;
    let bytes = world.files.read(&manifest).ok().flatten()?;
    Document::read(Format::Json, &bytes).ok()?.string(&Pointer::of(&["version"])).ok().flatten()
}

/// The manifest of what npm's script on Windows starts: the script names the path of it, from its own folder.
fn script(world: &World, path: &Path) -> Option<PathBuf> {
    if world.os != Os::Windows {
        return None;
    }
    let text = String::from_utf8(world.files.read(path).ok().flatten()?).ok()?;
    let at = text.find(r"\node_modules\")?;
    let mut parts = text[at..].split('\\').filter(|part| !part.is_empty() && *part != "node_modules");
    let first = parts.next()?;
    let folder = Path::new(path.to_str()?.rsplit_once('\\')?.0).to_path_buf();
    Some(match first.starts_with('@') {
        true => world.join(&folder, &["node_modules", first, parts.next()?, "package.json"]),
        false => world.join(&folder, &["node_modules", first, "package.json"]),
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{app, extension, find};
    use crate::client::{MadeUpFiles, Os, World};

    fn linux(files: &[&str]) -> World {
        let files = files.iter().fold(MadeUpFiles::new(), |files, path| files.with(path, ""));
        World {
            path: vec![PathBuf::from("/usr/bin"), PathBuf::from("/bin")],
            ..World::made_up(Os::Linux, "/home/ada", files)
        }
    }

    fn found(world: &World) -> Option<(String, &'static str)> {
        find(world, &["codex"]).map(|program| (program.path.display().to_string(), program.how))
    }

    #[test]
    fn a_program_is_found_where_its_keeper_puts_it() {
        for (how, path) in [
            ("path", "/usr/bin/codex"),
            ("native", "/home/ada/.local/bin/codex"),
            ("nvm", "/home/ada/.nvm/versions/node/v22.1.0/bin/codex"),
            ("volta", "/home/ada/.volta/bin/codex"),
            ("fnm", "/home/ada/.local/share/fnm/node-versions/v22.1.0/installation/bin/codex"),
            ("bun", "/home/ada/.bun/bin/codex"),
            ("pnpm", "/home/ada/.local/share/pnpm/codex"),
            ("asdf", "/home/ada/.asdf/shims/codex"),
            ("mise", "/home/ada/.local/share/mise/shims/codex"),
            ("mise", "/home/ada/.local/share/mise/installs/node/22.1.0/bin/codex"),
            ("npm", "/home/ada/.npm-global/bin/codex"),
            ("n", "/home/ada/n/bin/codex"),
            ("homebrew", "/opt/homebrew/bin/codex"),
            ("homebrew", "/home/linuxbrew/.linuxbrew/bin/codex"),
            ("path", "/usr/local/bin/codex"),
        ] {
            assert_eq!(found(&linux(&[path])), Some((path.to_owned(), how)));
        }
        assert_eq!(found(&linux(&["/home/ada/codex"])), None);
    }

    #[test]
    fn variables_move_the_places_and_the_path_comes_first() {
        let moved = linux(&["/data/nvm/versions/node/v20.0.0/bin/codex"]).with("NVM_DIR", "/data/nvm");
        assert_eq!(found(&moved).unwrap().1, "nvm");
        let both = linux(&["/usr/bin/codex", "/home/ada/.bun/bin/codex"]);
        assert_eq!(found(&both).unwrap().0, "/usr/bin/codex");
        let mut shell = linux(&["/home/ada/.bun/bin/codex"]);
        shell.path.push(PathBuf::from("/home/ada/.bun/bin"));
        assert_eq!(found(&shell).unwrap().1, "bun", "on the path, and who put it there is known");
    }

    #[test]
    fn of_several_versions_it_is_the_latest() {
        let world = linux(&[
            "/home/ada/.nvm/versions/node/v9.11.2/bin/codex",
            "/home/ada/.nvm/versions/node/v22.9.0/bin/codex",
            "/home/ada/.nvm/versions/node/v22.10.0/bin/codex",
            "/home/ada/.nvm/versions/node/v24.0.0/bin/node",
        ]);
        assert_eq!(found(&world).unwrap().0, "/home/ada/.nvm/versions/node/v22.10.0/bin/codex");
    }

    #[test]
    fn on_windows_programs_have_endings_and_scripts_name_their_package() {
        let script = "@ECHO off\r\n\"%_prog%\"  \"%dp0%\\node_modules\\@openai\\codex\\bin\\codex.js\" %*\r\n";
        let files = MadeUpFiles::new().with(r"C:\Users\ada\AppData\Roaming\npm\codex.cmd", script).with(
            r"C:\Users\ada\AppData\Roaming\npm\node_modules\@openai\codex\package.json",
            r#"{"version": "0.169.0"}"#,
        );
        let world = World::made_up(Os::Windows, r"C:\Users\ada", files);
        let program = find(&world, &["codex"]).unwrap();
        assert_eq!(program.path, Path::new(r"C:\Users\ada\AppData\Roaming\npm\codex.cmd"));
        assert_eq!((program.how, program.version.as_deref()), ("npm", Some("0.169.0")));
    }

    #[cfg(unix)]
    #[test]
    fn the_version_is_that_of_the_package_behind_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let node = home.join(".nvm/versions/node/v22.0.0");
        let package = node.join("lib/node_modules/@openai/codex");
        std::fs::create_dir_all(package.join("bin")).unwrap();
        std::fs::create_dir_all(package.join("node_modules/left-pad")).unwrap();
        std::fs::create_dir_all(node.join("bin")).unwrap();
        std::fs::write(package.join("package.json"), r#"{"name": "@openai/codex", "version": "0.169.0"}"#).unwrap();
        std::fs::write(package.join("bin/codex.js"), "").unwrap();
        std::os::unix::fs::symlink("../lib/node_modules/@openai/codex/bin/codex.js", node.join("bin/codex")).unwrap();
        let world = World { os: Os::Linux, ..World::here(home, Default::default(), Vec::new()) };
        let program = find(&world, &["codex"]).unwrap();
        assert_eq!((program.how, program.version.as_deref()), ("nvm", Some("0.169.0")));
        assert_eq!(program.path, node.join("bin/codex"));
    }

    #[test]
    fn applications_are_found_by_their_bundles() {
        let files = MadeUpFiles::new().with("/Applications/Zed.app/Contents/Info.plist", "");
        let world = World::made_up(Os::Macos, "/Users/ada", files);
        assert_eq!(app(&world, "Zed", &["Zed", "Zed.exe"], &["zed"]).unwrap().path, Path::new("/Applications/Zed.app"));
        let files = MadeUpFiles::new().with(r"C:\Users\ada\AppData\Local\Programs\Zed\Zed.exe", "");
        let world =
            World::made_up(Os::Windows, r"C:\Users\ada", files).with("LOCALAPPDATA", r"C:\Users\ada\AppData\Local");
        assert_eq!(app(&world, "Zed", &["Zed", "Zed.exe"], &["zed"]).unwrap().how, "app");
        assert_eq!(app(&linux(&["/usr/bin/zeditor"]), "Zed", &[], &["zed", "zeditor"]).unwrap().how, "path");
    }

    #[test]
    fn extensions_are_found_in_every_editor_of_the_family() {
        let world = linux(&[
            "/home/ada/.vscode/extensions/saoudrizwan.claude-dev-3.9.2/package.json",
            "/home/ada/.vscode/extensions/saoudrizwan.claude-dev-3.10.0/package.json",
            "/home/ada/.vscode/extensions/saoudrizwan.claude-dev-nightly-9.0.0/package.json",
            "/home/ada/.cursor/extensions/Continue.continue-1.2.3-linux-x64/package.json",
        ]);
        let cline = extension(&world, "saoudrizwan.claude-dev").unwrap();
        assert_eq!((cline.editor, cline.version.as_str()), ("VS Code", "3.10.0"));
        let other = extension(&world, "continue.continue").unwrap();
        assert_eq!((other.editor, other.version.as_str()), ("Cursor", "1.2.3"));
        assert_eq!(extension(&world, "rooveterinaryinc.roo-cline"), None);
    }
}
