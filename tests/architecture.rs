//! The house as drawn in docs/architecture.md, checked.
//!
//! Edges and habits, never lists of files: moving code about inside a crate must not fail here. The rules are pure
//! functions in `architecture/`, each with made-up trees that break it; this file only reads the real tree.

#![expect(clippy::disallowed_types, reason = "a document is JSON")]

#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/edges.rs"]
mod edges;
#[path = "architecture/sources.rs"]
mod sources;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use edges::{Edge, Kind};
use sources::Source;

#[test]
fn crates_depend_only_on_what_the_plan_allows() {
    let metadata = metadata().unwrap();
    let edges = edges_of(&metadata);
    assert!(edges.len() > 20, "the workspace was not read: {edges:?}");
    let members: Vec<_> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    assert_clean(&edges::broken(&members, &edges));
}

#[test]
fn every_member_inherits_the_lints() {
    /// It passes calls on to a library that is loaded late, which nobody checks for it.
    const WITH_UNSAFE: &str = "codeferry-webkit";
    let metadata = metadata().unwrap();
    let workspace = fs::read_to_string(metadata.workspace_root.join("Cargo.toml")).unwrap();
    let mut broken = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        if package.name.as_str() == WITH_UNSAFE {
            if !sources::repeats_lints(&manifest, &workspace) {
                broken.push(format!("{} does not repeat the lints of the workspace", package.name));
            }
        } else if !sources::inherits_lints(&manifest) {
            broken.push(format!("{} has no `[lints] workspace = true`", package.name));
        }
    }
    assert_clean(&broken);
}

#[test]
fn a_folder_is_named_as_its_package_without_the_prefix() {
    let metadata = metadata().unwrap();
    let mut broken = Vec::new();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().and_then(|folder| folder.file_name()).unwrap_or_default();
        let is_shell = folder == "src-tauri";
        if !is_shell && format!("codeferry-{folder}") != *package.name {
            broken.push(format!("package {} stands in the folder {folder}", package.name));
        }
    }
    assert_clean(&broken);
}

#[test]
fn sources_keep_the_habits() {
    let metadata = metadata().unwrap();
    let root = metadata.workspace_root.as_std_path();
    let sources = read_sources(root).unwrap();
    assert!(sources.len() > 20, "the sources were not read: {} files", sources.len());
    assert_clean(&sources::broken(&sources));
}

#[test]
fn every_loss_has_a_row_in_the_document() {
    let root = metadata().unwrap().workspace_root.into_std_path_buf();
    let source = fs::read_to_string(root.join("src-tauri/crates/translate/src/loss.rs")).unwrap();
    let document = fs::read_to_string(root.join("docs/dialects.md")).unwrap();
    let losses = documents::losses_in_source(&source);
    assert!(losses.len() > 10, "the losses were not read: {losses:?}");
    assert_eq!(documents::losses_in_document(&document), losses, "docs/dialects.md and translate::loss differ");
    let nameless: Vec<_> = losses.iter().filter(|name| codeferry_translate::Loss::parse(name).is_none()).collect();
    assert!(nameless.is_empty(), "people are told nothing of {nameless:?}: they are missing in Loss::ALL");
}

/// Both ways: nothing is served that is not described, and nothing described that is not served.
#[test]
fn every_request_is_documented() {
    let document = fs::read_to_string(root().unwrap().join("docs/api.md")).unwrap();
    let (served, described) = (served(), documents::requests(&document));
    let mut broken = Vec::new();
    for request in described.keys().filter(|request| !served.contains(*request)) {
        broken.push(format!("docs/api.md describes {request}, which is not served: take it out"));
    }
    for request in served.iter().filter(|request| !described.contains_key(*request)) {
        let has_another = documents::first_address(request).is_some_and(|first| described.contains_key(&first));
        if !has_another {
            broken.push(format!("{request} is not described in docs/api.md: give it a row there"));
        }
    }
    assert_clean(&broken);
}

/// The same of the OpenAPI document, which names every address, and whether it and docs/api.md ask for the same.
#[test]
fn the_openapi_document_has_every_request() {
    const ROW: &str = "in xtask/src/openapi/table.rs, then run: cargo xtask types";
    let openapi = fs::read_to_string(root().unwrap().join("docs/openapi.json")).unwrap();
    let (served, described) = (served(), documents::described(&serde_json::from_str(&openapi).unwrap()));
    assert!(described.len() > 80, "the document was not read: {described:?}");
    let mut broken = Vec::new();
    for request in described.keys().filter(|request| !served.contains(*request)) {
        broken.push(format!("{request} is not served: take its row out {ROW}"));
    }
    for request in served.iter().filter(|request| !described.contains_key(*request)) {
        broken.push(format!("{request} is not in docs/openapi.json: give it a row {ROW}"));
    }
    let words = fs::read_to_string(root().unwrap().join("docs/api.md")).unwrap();
    for (request, asked) in documents::requests(&words).into_iter().filter(|(_, asked)| !asked.is_empty()) {
        let known = described.get(&request).cloned().unwrap_or_default();
        if asked != known {
            broken.push(format!("{request} takes {asked:?} by docs/api.md, but {known:?} {ROW}"));
        }
    }
    assert_clean(&broken);
}

/// Every request of the control plane and of the data plane, as `METHOD /path`.
fn served() -> BTreeSet<String> {
    let routes = codeferry_gateway::control_routes().into_iter().chain(codeferry_gateway::data_routes());
    routes.map(|route| format!("{} {}", route.method, documents::without_names(&route.path))).collect()
}

fn root() -> Result<PathBuf> {
    Ok(metadata()?.workspace_root.into_std_path_buf())
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = metadata().unwrap().workspace_root.into_std_path_buf();
    let mut broken = Vec::new();
    for folder in ["", "docs", "docs/decisions"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for link in documents::links(&text) {
                let target = link.split('#').next().unwrap_or_default();
                if !path.with_file_name(target).exists() {
                    broken.push(format!("{}: {link}", path.display()));
                }
            }
        }
    }
    assert_clean(&broken);
}

#[track_caller]
fn assert_clean(broken: &[String]) {
    assert!(broken.is_empty(), "docs/architecture.md is not kept:\n  {}", broken.join("\n  "));
}

fn metadata() -> Result<Metadata> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().context("cargo metadata failed")
}

fn edges_of(metadata: &Metadata) -> Vec<Edge> {
    let packages = metadata.workspace_packages();
    let edge = |from: &str, dependency: &cargo_metadata::Dependency| Edge {
        from: from.to_owned(),
        to: dependency.name.clone(),
        kind: if dependency.kind == DependencyKind::Development { Kind::Dev } else { Kind::Normal },
    };
    packages
        .iter()
        .flat_map(|package| package.dependencies.iter().map(|dependency| edge(&package.name, dependency)))
        .collect()
}

fn read_sources(root: &Path) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join("src-tauri"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let path = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    Ok(found)
}
