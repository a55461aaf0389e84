//! What a person's shell sets when it starts, as far as its files say so plainly. They are read and never run, and never written.
//!
//! A desktop program does not see these variables; a client that is started from a terminal does.

use std::path::{Path, PathBuf};

use super::{Documents, Os, World};

/// A variable that a shell's file sets.
#[derive(Clone, PartialEq, Eq)]
pub struct Export {
    /// Which file.
    pub file: PathBuf,
    /// In which line, from one.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What it is set to. `None`: that is only known when the file runs.
    pub value: Option<String>,
    /// It stands within a function, a condition or a loop, so it may never be set.
    pub perhaps: bool,
}

/// The files that shells run at their start.
pub fn files(world: &World) -> Vec<PathBuf> {
    if world.os == Os::Windows {
        let documents = world.at_home(&["Documents"]);
        return ["PowerShell", "WindowsPowerShell"]
            .into_iter()
            .flat_map(|folder| {
                ["profile.ps1", "Microsoft.PowerShell_profile.ps1"].map(|name| world.join(&documents, &[folder, name]))
            })
            .collect();
    }
    let zsh = world.folder("ZDOTDIR").unwrap_or_else(|| world.home.clone());
    let mut files: Vec<_> =
        [".profile", ".bash_profile", ".bash_login", ".bashrc"].map(|name| world.at_home(&[name])).into();
    files.extend([".zshenv", ".zprofile", ".zshrc", ".zlogin"].map(|name| world.join(&zsh, &[name])));
    let fish = world.join(&world.xdg_config(), &["fish"]);
    files.push(world.join(&fish, &["config.fish"]));
    let more = world.join(&fish, &["conf.d"]);
    let scripts = world.files.names(&more).into_iter().filter(|name| name.ends_with(".fish"));
    files.extend(scripts.map(|name| world.join(&more, &[&name])));
    files
}

/// What those of the files that were read set, of what is [wanted](World::wants).
pub fn found(world: &World, documents: &Documents) -> Vec<Export> {
    files(world).iter().filter_map(|file| Some(exports(file, documents.text(file)?))).flatten().collect()
}

/// What one file sets. A variable that it takes back is not set.
pub fn exports(file: &Path, text: &str) -> Vec<Export> {
    let mut found: Vec<Export> = Vec::new();
    let mut depth = 0_usize;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        depth = depth.saturating_sub(usize::from(closes(line)));
        let perhaps = depth > 0;
        depth += usize::from(opens(line));
        if let Some(name) = taken_back(line) {
            found.retain(|export| perhaps || export.name != name);
            continue;
        }
        for (name, value) in set_in(line) {
            if World::wants(&name) {
                found.retain(|export| perhaps || export.name != name);
                found.push(Export { file: file.to_owned(), line: at + 1, name, value, perhaps });
            }
        }
    }
    found
}

/// Whether a block begins in a line and does not end in it.
fn opens(line: &str) -> bool {
    let first = line.split([' ', '\t', '(', ';']).next().unwrap_or_default();
    let last = line.split([' ', '\t', ';']).next_back().unwrap_or_default();
    let begins = ["if", "for", "while", "until", "case", "function", "switch", "begin", "else", "elif", "foreach"]
        .contains(&first)
        || last == "{"
        || last.ends_with("){");
    begins && !["fi", "done", "esac", "end", "}"].contains(&last)
}

/// Whether a line begins with the end of a block.
fn closes(line: &str) -> bool {
    let first = line.split([' ', '\t', ';', ')']).next().unwrap_or_default();
    ["fi", "done", "esac", "end", "}", "else", "elif"].contains(&first)
}

/// The name of a variable that a line takes back.
fn taken_back(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    match words.next()? {
        "unset" => words.find(|word| !word.starts_with('-')),
        "set" => {
            let flags = words.next().filter(|word| word.starts_with('-') && word.contains('e'))?;
            let _ = flags;
            words.find(|word| !word.starts_with('-'))
        }
        "Remove-Item" => words.next()?.strip_prefix("Env:"),
        _ => None,
    }
}

/// What a line sets.
fn set_in(line: &str) -> Vec<(String, Option<String>)> {
    // PowerShell.
    if let Some(rest) = line.strip_prefix("$env:").or_else(|| line.strip_prefix("$Env:")) {
        return rest.split_once('=').and_then(|(name, value)| named(name, value)).into_iter().collect();
    }
    // Fish.
    if let Some(rest) = line.strip_prefix("set ") {
        let mut words = rest.trim().splitn(2, char::is_whitespace);
        let flags = words.next().filter(|word| word.starts_with('-') && word.contains('x'));
        let Some(rest) = flags.and(words.next()).map(str::trim) else { return Vec::new() };
        let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        return named(name, value).into_iter().collect();
    }
    // What csh and its like say.
    if let Some(rest) = line.strip_prefix("setenv ") {
        let (name, value) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest, ""));
        return named(name, value).into_iter().collect();
    }
    let words = line
        .strip_prefix("export ")
        .or_else(|| line.strip_prefix("declare -x "))
        .or_else(|| line.strip_prefix("typeset -x "));
    let words = words.map(str::trim_start).unwrap_or(line);
    assignments(words)
}

/// `NAME=value` as often as it stands at the beginning. What follows it then is a command, for which alone they are set.
fn assignments(mut rest: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some((name, behind)) = rest.split_once('=').filter(|(name, _)| is_name(name)) else {
            let ends = rest.is_empty() || rest.starts_with(['#', ';', '&', '|']);
            return if ends { found } else { Vec::new() };
        };
        let end = end_of_word(behind);
        found.extend(named(name, &behind[..end]));
        rest = &behind[end..];
    }
}

/// Where a word ends: at a blank or a separator outside of quotation marks and brackets.
fn end_of_word(text: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    let mut depth = 0_usize;
    for (at, char) in text.char_indices() {
        match (quote, char) {
            _ if escaped => escaped = false,
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some(_) | None, '\\') if quote != Some('\'') => escaped = true,
            (None, '\'' | '"') => quote = Some(char),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ' ' | '\t' | ';' | '&' | '|' | '#') if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn named(name: &str, value: &str) -> Option<(String, Option<String>)> {
    let name = name.trim();
    is_name(name).then(|| (name.to_owned(), literal(value)))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What stands there without being run.
fn literal(value: &str) -> Option<String> {
    let value = value.trim().trim_end_matches(';').trim();
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    if let Some(inner) = quoted('\'') {
        return Some(inner.to_owned());
    }
    let inner = quoted('"').unwrap_or(value);
    let runs = inner.contains(['$', '`', '\\', '"', '\'', '(', '~', '*', '?']) && inner != "*";
    (!runs).then(|| inner.to_owned())
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may be a secret.
        write!(f, "{} in {}:{}", self.name, self.file.display(), self.line)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{exports, files, found};
    use crate::client::{Documents, MadeUpFiles, Os, World};

    fn told(text: &str) -> Vec<(String, Option<String>)> {
        exports(Path::new("x"), text).into_iter().map(|export| (export.name, export.value)).collect()
    }

    #[test]
    fn what_a_shell_sets_is_read_in_each_shells_words() {
        for (line, value) in [
            ("export ANTHROPIC_MODEL=opus", Some("opus")),
            ("  export ANTHROPIC_MODEL='a b'  # why", Some("a b")),
            ("export ANTHROPIC_MODEL=\"opus\"; echo", Some("opus")),
            ("ANTHROPIC_MODEL=opus", Some("opus")),
            ("declare -x ANTHROPIC_MODEL=opus", Some("opus")),
            ("set -gx ANTHROPIC_MODEL opus", Some("opus")),
            ("set -Ux ANTHROPIC_MODEL 'opus'", Some("opus")),
            ("setenv ANTHROPIC_MODEL opus", Some("opus")),
            ("$env:ANTHROPIC_MODEL = \"opus\"", Some("opus")),
            ("export ANTHROPIC_MODEL=$(cat f)", None),
            ("export ANTHROPIC_MODEL=\"$X,y\"", None),
        ] {
            assert_eq!(told(line), [("ANTHROPIC_MODEL".to_owned(), value.map(str::to_owned))], "{line}");
        }
        for nothing in [
            "# export ANTHROPIC_MODEL=x",
            "export PS1=x",
            "ANTHROPIC_MODEL=x claude",
            "echo ANTHROPIC_MODEL=x",
            "set ANTHROPIC_MODEL x",
            "export ANTHROPIC_MODEL=x\nunset ANTHROPIC_MODEL",
            "set -gx ANTHROPIC_MODEL x\nset -e ANTHROPIC_MODEL",
        ] {
            assert_eq!(told(nothing), [], "{nothing}");
        }
        assert_eq!(told("export NO_PROXY=a ANTHROPIC_MODEL=b").len(), 2);
        assert_eq!(
            told("export ANTHROPIC_MODEL=a\nexport ANTHROPIC_MODEL=b")[0].1.as_deref(),
            Some("b"),
            "the last one"
        );
    }

    #[test]
    fn what_stands_in_a_block_is_set_perhaps() {
        let perhaps =
            |text: &str| exports(Path::new("x"), text).into_iter().map(|export| export.perhaps).collect::<Vec<_>>();
        for block in [
            "work() {\n  export ANTHROPIC_MODEL=x\n}\nexport CLAUDE_CONFIG_DIR=/c",
            "function work\n  set -gx ANTHROPIC_MODEL x\nend\nset -gx CLAUDE_CONFIG_DIR /c",
            "if [ -f x ]; then\n  export ANTHROPIC_MODEL=x\nelse\n  :\nfi\nexport CLAUDE_CONFIG_DIR=/c",
            "for a in b; do echo $a; done\nif true; then\nexport ANTHROPIC_MODEL=x\nfi\nexport CLAUDE_CONFIG_DIR=/c",
            "case $- in\n  *i*) ;;\n  *) export X=1 ;;\nesac\nif x; then\nexport ANTHROPIC_MODEL=x\nfi\nexport CLAUDE_CONFIG_DIR=/c",
            "if ($x) {\n  $env:ANTHROPIC_MODEL = 'x'\n} else {\n}\n$env:CLAUDE_CONFIG_DIR = 'C:\\c'",
        ] {
            assert_eq!(perhaps(block), [true, false], "{block}");
        }
    }

    #[test]
    fn each_system_has_its_files() {
        let made_up = MadeUpFiles::new()
            .with("/h/.zshrc", "\nexport CLAUDE_CONFIG_DIR=/c\n")
            .with("/h/.config/fish/conf.d/a.fish", "");
        let world = World::made_up(Os::Macos, "/h", made_up);
        let files = files(&world);
        assert!(files.contains(&"/h/.config/fish/conf.d/a.fish".into()), "{files:?}");
        let documents = Documents::read(&*world.files, files.iter().map(std::path::PathBuf::as_path));
        let found = found(&world, &documents);
        assert_eq!((found[0].line, found[0].name.as_str()), (2, "CLAUDE_CONFIG_DIR"));
        let windows = World::made_up(Os::Windows, r"C:\Users\ada", MadeUpFiles::new());
        assert!(super::files(&windows)[0].ends_with(r"C:\Users\ada\Documents\PowerShell\profile.ps1"));
    }
}
