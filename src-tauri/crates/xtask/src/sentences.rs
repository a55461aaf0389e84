//! `cargo xtask types`, second part: what the gateway can say to a person, as a list for the translators.
//!
//! The program says English, in the words that stand in its sources, and those words are all there is to a sentence: no number,
//! no name beside it. The dashboard has a Chinese sentence for each of them and recognises what it is told by it; see
//! `ui/src/i18n/said.svelte.ts` and docs/decisions/0011-said.md. So the list has to be whole: it is read from the sources, and a build of the
//! dashboard fails on a sentence that has no Chinese.
//!
//! **Invariant:** every crate whose words reach the dashboard is read, whole but for what [`table`] leaves out with a reason.

mod read;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use self::table::{AREAS, Area, BESIDE, LEFT_OUT};

/// What is written.
pub(crate) const FILE: &str = "ui/messages/said.gen.json";

/// The file, from the sources.
pub(crate) fn list(root: &Path) -> Result<String> {
    let mut areas: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(path, _)| *path).collect();
    let crates = root.join("src-tauri/crates");
    for Area { name, sources } in AREAS {
        let area = areas.entry(name).or_default();
        for source in *sources {
            for file in files(&crates.join(source))? {
                let path = file.strip_prefix(&crates)?.to_string_lossy().replace('\\', "/");
                if let Some((without, _)) = LEFT_OUT.iter().find(|(without, _)| path.starts_with(without)) {
                    left_out.remove(without);
                    continue;
                }
                let text = fs::read_to_string(&file).with_context(|| format!("cannot read {path}"))?;
                let found = read::sentences(&text).with_context(|| format!("in {path}"))?;
                area.extend(found.into_iter().filter(|sentence| known.insert(sentence.clone())));
            }
        }
        area.extend(
            BESIDE.iter().filter(|(of, _)| of == name).flat_map(|(_, words)| *words).map(|word| (*word).to_owned()),
        );
    }
    if !left_out.is_empty() {
        bail!("these are left out, and are not there: {left_out:?}");
    }
    Ok(serde_json::to_string_pretty(&areas)? + "\n")
}

/// The sources at and below a path, without what only tests read.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            found.extend(files(&path)?);
        } else if name.ends_with(".rs") && name != "tests.rs" && name != "testing.rs" {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{FILE, list};

    #[test]
    fn every_sentence_of_the_list_has_a_chinese_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let areas: BTreeMap<String, Vec<String>> = serde_json::from_str(&list(&root).unwrap()).unwrap();
        assert!(areas.values().map(Vec::len).sum::<usize>() > 500, "the sources were read");
        for (area, sentences) in areas {
            let path = root.join(FILE).with_file_name(format!("said/{area}.zh.json"));
            let chinese: BTreeMap<String, String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let missing: Vec<_> = sentences.iter().filter(|sentence| !chinese.contains_key(*sentence)).collect();
            assert!(missing.is_empty(), "ui/messages/said/{area}.zh.json lacks: {missing:#?}");
        }
    }
}
