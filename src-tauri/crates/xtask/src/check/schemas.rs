//! Files that other programs read, held against the schemas of these programs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::place::Place;
use crate::tools::{self, debian, node, python};
use crate::{openapi, run, workflow};

/// The configuration of the shell for all systems, by the schema that the pinned Tauri brings. So a key for macOS or
/// Windows is checked on a machine that could not build for them.
pub(crate) fn config(place: &Place) -> Result<()> {
    debian::ensure(&[debian::NODE])?;
    let tauri = node::install(place, tools::TAURI, "tauri")?;
    let modules = tauri.ancestors().nth(2).context("the Tauri CLI stands in no folder")?;
    let schema = modules.join(tools::TAURI.name).join("config.schema.json");
    let mut command = checker(place)?;
    // The schema's patterns are not written for the `u` flag.
    command.args(["--regex-variant", "nonunicode", "--schemafile"]).arg(schema);
    run::output(command.arg("src-tauri/tauri.conf.json")).map(drop)
}

/// The workflows, by GitHub's schema; and the tasks they call, by our own arguments.
pub(crate) fn workflows(place: &Place) -> Result<()> {
    let files = workflow_files(place)?;
    let mut command = checker(place)?;
    run::output(command.args(["--builtin-schema", "vendor.github-workflows"]).args(&files)).map(drop)?;
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        workflow::tasks_exist(&text).with_context(|| format!("{}", file.display()))?;
    }
    Ok(())
}

/// What is said of our own requests, by the rules of OpenAPI 3.1: its schema, references that lead somewhere, names that are there
/// once, parameters that stand in their paths.
pub(crate) fn openapi(place: &Place) -> Result<()> {
    let environment = python::Environment::install(place, tools::OPENAPI_SPEC_VALIDATOR)?;
    let mut command = Command::new(environment.program("openapi-spec-validator"));
    run::output(command.current_dir(&place.root).arg(openapi::FILE)).map(drop)
}

fn workflow_files(place: &Place) -> Result<Vec<PathBuf>> {
    let folder = place.root.join(".github/workflows");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

fn checker(place: &Place) -> Result<Command> {
    let environment = python::Environment::install(place, tools::CHECK_JSONSCHEMA)?;
    let mut command = Command::new(environment.program("check-jsonschema"));
    command.current_dir(&place.root);
    Ok(command)
}
