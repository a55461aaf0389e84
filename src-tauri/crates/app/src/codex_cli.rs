//! The Codex CLI of this machine: where it is, and whether it can be used.

use std::path::{Path, PathBuf};

use codeferry_accounts::Program;
use codeferry_upstream::Failure;
use codeferry_upstream::codex_cli::{CodexCli, Found};

use crate::{Environment, Paths, parts};

/// The program to use: the one that is named, else the first `codex` on `PATH`. Its home is the one that is named, else
/// what `CODEX_HOME` says here and now: the gateway may run where that is not set.
pub fn find_codex_cli(program: Option<&Path>, home: Option<&Path>, environment: &Environment) -> Option<Program> {
    let path = match program {
        Some(path) => std::path::absolute(path).ok()?,
        None => on_path(environment)?,
    };
    let home = home.and_then(|home| std::path::absolute(home).ok()).or_else(|| environment.codex_home.clone());
    Some(Program { path, home })
}

fn on_path(environment: &Environment) -> Option<PathBuf> {
    // What npm installs on Windows is a script; it is found by its ending.
    let names: &[&str] = if cfg!(windows) { &["codex.exe", "codex.cmd"] } else { &["codex"] };
    let folders = std::env::split_paths(environment.search.as_deref()?);
    let found = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    found.filter(|path| path.is_absolute()).find(|path| path.is_file())
}

/// Looks whether a program can be used, and who is signed in. It is started for that, and ended again.
///
/// # Errors
/// What is wrong with it, for the person to mend.
pub async fn look_at_codex_cli(program: &Program, paths: &Paths, environment: &Environment) -> Result<Found, Failure> {
    let cli = CodexCli::new(parts::household(paths, environment));
    let found = cli.look(program).await;
    cli.stop().await;
    found
}

#[cfg(test)]
mod tests {
    use super::{Environment, find_codex_cli};

    #[test]
    fn the_program_is_the_named_one_or_the_first_on_the_path() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = if cfg!(windows) { "codex.exe" } else { "codex" };
        std::fs::write(second.path().join(name), "").unwrap();
        let search = std::env::join_paths([first.path(), second.path()]).unwrap();
        let environment = Environment {
            search: Some(search),
            codex_home: Some("/somewhere/.codex".into()),
            ..Environment::default()
        };
        let found = find_codex_cli(None, None, &environment).unwrap();
        assert_eq!(found.path, second.path().join(name));
        assert_eq!(found.home, environment.codex_home, "what holds here is written down");

        let named = find_codex_cli(Some(first.path()), Some(second.path()), &environment).unwrap();
        assert_eq!((named.path.as_path(), named.home.as_deref()), (first.path(), Some(second.path())));
        assert_eq!(find_codex_cli(None, None, &Environment::default()), None);
    }
}
