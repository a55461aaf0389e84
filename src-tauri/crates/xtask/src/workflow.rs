//! What a workflow calls must exist: a renamed task is found here and not on the day of a release.

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::Args;

/// Whether each `cargo xtask …` of a workflow is one that this program understands.
pub(crate) fn tasks_exist(workflow: &str) -> Result<()> {
    for task in tasks(workflow) {
        let words = task.split_whitespace().take_while(|word| !matches!(*word, ">" | ">>" | "|" | "||" | "&&" | "\\"));
        let words = words.map(|word| word.trim_matches(['"', '\'']));
        Args::try_parse_from(std::iter::once("xtask").chain(words))
            .with_context(|| format!("no such task: `cargo xtask {task}`"))?;
    }
    Ok(())
}

/// The rest of each line after `cargo xtask`. Expressions of the workflow become a word, as they do when it runs.
fn tasks(workflow: &str) -> Vec<String> {
    let lines = workflow.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(|line| line.split_once("cargo xtask ").map(|(_, rest)| without_expressions(rest))).collect()
}

fn without_expressions(text: &str) -> String {
    let mut parts = text.split("${{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |line, part| line + "expression" + part.split_once("}}").map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_exists_passes_and_another_is_named() {
        tasks_exist("run: cargo xtask test --without-clients\n  # cargo xtask nothing\n").unwrap();
        let error = tasks_exist("run: |\n  cargo xtask tset\n").unwrap_err().to_string();
        assert_eq!(error, "no such task: `cargo xtask tset`");
        tasks_exist("run: cargo xtask release notes \"$TAG\" > notes.md\n").unwrap();
        assert!(tasks_exist("run: cargo xtask check --none").is_err(), "its options count, too");
    }

    #[test]
    fn an_expression_is_one_word() {
        assert_eq!(tasks("cargo xtask bundle --target ${{ matrix.target }} x"), ["bundle --target expression x"]);
    }

    #[test]
    fn the_workflows_call_what_there_is() {
        let place = crate::place::Place::find().unwrap();
        for entry in std::fs::read_dir(place.root.join(".github/workflows")).unwrap() {
            let path = entry.unwrap().path();
            tasks_exist(&std::fs::read_to_string(&path).unwrap()).unwrap();
        }
    }
}
