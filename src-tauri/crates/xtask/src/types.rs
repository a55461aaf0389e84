//! `cargo xtask types`: from the Rust types that the gateway sends and is sent to `ui/src/api/types.gen.ts`, for the dashboard,
//! and to `docs/openapi.json`, for everybody. [`sentences`] lists what is said in them.
//!
//! The sources are read as they are, with what serde is told of them, so no part of the program carries anything for this
//! and private types stay private. `cargo xtask check types` and a test find a file that is no longer what the sources say.
//!
//! **Invariant:** what is not understood (a type, an attribute) is an error and never a guess.

mod attributes;
pub(crate) mod kinds;
mod read;
mod sources;
mod write;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use self::kinds::Declared;
use self::sources::{BY_HAND, MORE, SOURCES, Sources};
use crate::place::Place;
use crate::{openapi, say, sentences};

const FILE: &str = "ui/src/api/types.gen.ts";

/// A type that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    /// Where it is declared.
    file: &'static str,
    rust: &'static str,
    /// What it is called outside of Rust.
    name: &'static str,
}

/// Writes the files anew.
pub(crate) fn run(place: &Place) -> Result<()> {
    for (file, text) in files(&place.root)? {
        fs::write(place.root.join(file), text).with_context(|| format!("cannot write {file}"))?;
        say::data(file);
    }
    Ok(())
}

/// The files are what the sources say.
pub(crate) fn fresh(place: &Place) -> Result<()> {
    compare(&place.root)
}

fn compare(root: &Path) -> Result<()> {
    for (file, text) in files(root)? {
        let there = fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))?;
        if there.replace("\r\n", "\n") != text {
            bail!("{file} is not what the Rust types and routes say; `cargo xtask types` writes it anew");
        }
    }
    Ok(())
}

/// What is written, and where.
fn files(root: &Path) -> Result<[(&'static str, String); 3]> {
    let typescript = write::module(&declared(root, &[SOURCES], &[])?);
    let described = openapi::document(&declared(root, &[SOURCES, MORE], BY_HAND)?)?;
    Ok([(FILE, typescript), (openapi::FILE, described), (sentences::FILE, sentences::list(root)?)])
}

/// The types of these tables, by name. Of those `by_hand` only the names are known.
fn declared(root: &Path, tables: &[Sources], by_hand: &[&'static str]) -> Result<Vec<Declared>> {
    let crates: PathBuf = root.join("src-tauri/crates");
    let wanted: Vec<_> = tables.iter().flat_map(|table| wanted(table)).chain(by_hand.iter().map(hand)).collect();
    let files: BTreeSet<_> = tables.iter().copied().flatten().map(|(file, _)| *file).collect();
    let mut types = Vec::new();
    for file in files {
        let path = crates.join(file);
        let source = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        types.extend(read::types(file, &source, &wanted).with_context(|| format!("in {file}"))?);
    }
    types.sort_by(|one, other| one.name.cmp(other.name));
    Ok(types)
}

fn hand(name: &&'static str) -> Wanted {
    Wanted { file: "", rust: name, name }
}

fn wanted(table: Sources) -> impl Iterator<Item = Wanted> {
    let named = table.iter().flat_map(|(file, names)| names.iter().map(move |name| (*file, *name)));
    named.map(|(file, text)| {
        let (rust, name) = text.split_once(" as ").unwrap_or((text, text));
        Wanted { file, rust, name }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{MORE, SOURCES, Wanted, compare, read, wanted, write};

    const FILE: &str = "gateway/src/x.rs";

    fn typescript(source: &str, names: &[&'static str]) -> anyhow::Result<String> {
        let wanted: Vec<_> = names.iter().map(|name| Wanted { file: FILE, rust: name, name }).collect();
        Ok(write::module(&read::types(FILE, source, &wanted)?))
    }

    #[track_caller]
    fn says(source: &str, names: &[&'static str], expected: &str) {
        let text = typescript(source, names).unwrap();
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn the_dashboard_has_the_types_of_today() {
        compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")).unwrap();
    }

    #[test]
    fn no_name_is_given_twice() {
        let names: Vec<_> = wanted(SOURCES).chain(wanted(MORE)).map(|one| one.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn fields_that_may_be_missing_say_so() {
        says(
            "/// A thing.\n#[derive(Serialize)] struct A { a: u64, b: Option<String>, \
             #[serde(skip_serializing_if = \"Option::is_none\")] c: Option<Vec<bool>>, #[serde(skip)] d: Instant, \
             #[serde(rename = \"f\")] e: BTreeMap<String, f64> }",
            &["A"],
            "/** A thing. */\nexport interface A {\n  a: number;\n  b: string | null;\n  c?: boolean[];\n  \
             f: Record<string, number>;\n}\n",
        );
    }

    #[test]
    fn what_is_asked_need_not_say_everything() {
        says(
            "#[derive(Deserialize)] struct A { a: bool, b: Option<String>, #[serde(default = \"yes\")] c: bool }",
            &["A"],
            "export interface A {\n  a: boolean;\n  b?: string;\n  c?: boolean;\n}\n",
        );
    }

    #[test]
    fn what_is_flattened_lies_beside_the_rest() {
        let source = "#[derive(Serialize)] struct A { x: u8, #[serde(flatten)] b: B, #[serde(flatten)] c: Option<B> }\n\
                      #[derive(Serialize)] struct B { y: u8 }";
        let text = typescript(source, &["A", "B"]).unwrap();
        assert!(text.contains("export type A = B & Partial<B> & {\n  x: number;\n};\n"), "{text}");
    }

    #[test]
    fn an_enum_is_what_serde_makes_of_it() {
        says(
            "#[derive(Serialize)] #[serde(rename_all = \"snake_case\")] enum A { OneTwo, Three }",
            &["A"],
            "export type A =\n  | 'one_two'\n  | 'three';\n",
        );
        says(
            "#[derive(Serialize)] #[serde(tag = \"is\", rename_all = \"snake_case\")] enum A { None, \
             Some { some_thing: u8 }, All(A) }",
            &["A"],
            "export type A =\n  | { is: 'none' }\n  | { is: 'some'; some_thing: number }\n  | ({ is: 'all' } & A);\n",
        );
        says(
            "#[derive(Serialize)] #[serde(rename_all = \"lowercase\")] enum A { OneTwo, Other(String) }",
            &["A"],
            "export type A =\n  | 'onetwo'\n  | { other: string };\n",
        );
        says(
            "#[derive(Serialize)] #[serde(untagged)] enum A { Flag(bool), List(Vec<String>) }",
            &["A"],
            "export type A =\n  | boolean\n  | string[];\n",
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (source, why) in [
            ("#[derive(Serialize)] struct A { a: Strange }", "Strange"),
            ("#[derive(Serialize)] struct A { #[serde(with = \"x\")] a: u8 }", "with"),
            ("#[derive(Serialize)] struct A(u8);", "named fields"),
            ("#[derive(Debug)] struct A { a: u8 }", "Serialize"),
            ("#[derive(Serialize)] enum A { One { x: u8 } }", "tag"),
            ("struct B { a: u8 }", "not declared"),
        ] {
            let error = format!("{:#}", typescript(source, &["A"]).unwrap_err());
            assert!(error.contains(why), "{source}: {error}");
        }
    }
}
