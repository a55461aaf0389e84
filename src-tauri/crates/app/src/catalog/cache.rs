//! Catalogues on disk, in the shape of the wire, so that [`Catalog::parse`] reads both.
//!
//! They hold no secret and can be lost at any time.

use std::fs;
use std::io;
use std::path::PathBuf;

use codeferry_accounts::AccountId;
use codeferry_upstream::{Catalog, Effort, Model};
use serde::{Deserialize, Serialize};

use crate::Paths;
use crate::paths::{make_folder, replace};

/// The folder, with one file for each account.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

#[derive(Serialize)]
struct File<'a> {
    etag: Option<&'a str>,
    models: Vec<Entry<'a>>,
}

/// What [`Catalog::parse`] passes over.
#[derive(Deserialize)]
struct Tag {
    etag: Option<String>,
}

/// Named as on the wire (`codex-backend.md §7`).
#[derive(Serialize)]
struct Entry<'a> {
    slug: &'a str,
    display_name: &'a str,
    description: Option<&'a str>,
    context_window: Option<u64>,
    max_context_window: Option<u64>,
    effective_context_window_percent: u8,
    supported_reasoning_levels: Vec<Level>,
    default_reasoning_level: Option<&'static str>,
    multi_agent_reasoning_effort: Option<&'static str>,
    use_responses_lite: bool,
    visibility: &'static str,
    priority: i64,
    input_modalities: &'static [&'static str],
    support_verbosity: bool,
}

#[derive(Serialize)]
struct Level {
    effort: &'static str,
}

// === impl Cache ===

impl Cache {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { folder: paths.catalogs() }
    }

    /// All there are. What cannot be read is as good as not there.
    pub(crate) fn load(&self) -> Vec<(AccountId, Catalog)> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let read = |entry: fs::DirEntry| {
            let path = entry.path();
            let id = path.file_stem()?.to_str()?.parse().ok()?;
            let bytes = fs::read(&path).ok()?;
            let tag: Tag = serde_json::from_slice(&bytes).ok()?;
            Some((id, Catalog::parse(&bytes, tag.etag).ok()?))
        };
        entries.flatten().filter_map(read).collect()
    }

    pub(crate) fn save(&self, id: &AccountId, catalog: &Catalog) -> io::Result<()> {
        let models = catalog.models().iter().map(Entry::from).collect();
        let bytes = serde_json::to_vec(&File { etag: catalog.etag(), models })?;
        make_folder(&self.folder)?;
        replace(&self.path(id), &bytes)
    }

    pub(crate) fn forget(&self, id: &AccountId) -> io::Result<()> {
        fs::remove_file(self.path(id))
    }

    fn path(&self, id: &AccountId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

impl<'a> From<&'a Model> for Entry<'a> {
    fn from(model: &'a Model) -> Self {
        Self {
            slug: &model.slug,
            display_name: &model.display_name,
            description: model.description.as_deref(),
            context_window: model.context_window,
            max_context_window: model.max_context_window,
            effective_context_window_percent: model.effective_percent,
            supported_reasoning_levels: model.efforts.iter().map(|e| Level { effort: e.as_str() }).collect(),
            default_reasoning_level: model.default_effort.map(Effort::as_str),
            multi_agent_reasoning_effort: model.ultra_effort.map(Effort::as_str),
            use_responses_lite: model.lite,
            visibility: if model.visible { "list" } else { "hide" },
            priority: model.priority,
            input_modalities: if model.images { &["text", "image"] } else { &["text"] },
            support_verbosity: model.verbosity,
        }
    }
}

#[cfg(test)]
mod tests {
    use codeferry_accounts::{AccountId, Kind};
    use codeferry_upstream::Catalog;

    use super::Cache;
    use crate::Paths;

    fn id(name: &str) -> AccountId {
        AccountId::derive(Kind::Codex, Some(name), None)
    }

    #[test]
    fn a_catalogue_comes_back_as_it_went() {
        let temp = tempfile::tempdir().unwrap();
        let cache = Cache::new(&Paths::at(temp.path()));
        assert!(cache.load().is_empty());
        let wire = br#"{"models":[
            {"slug":"m-1","display_name":"M 1","description":"d","context_window":272000,"max_context_window":872000,
             "effective_context_window_percent":90,"supported_reasoning_levels":[{"effort":"low"},{"effort":"ultra"}],
             "default_reasoning_level":"low","multi_agent_reasoning_effort":"xhigh","use_responses_lite":true,
             "visibility":"hide","priority":3,"input_modalities":["text"],"support_verbosity":false},
            {"slug":"m-2"}]}"#;
        let one = Catalog::parse(wire, Some("\"v1\"".to_owned())).unwrap();
        let two = Catalog::builtin();
        cache.save(&id("one"), &one).unwrap();
        cache.save(&id("two"), &two).unwrap();
        let mut loaded = cache.load();
        loaded.sort_by_key(|(_, catalog)| catalog.models().len());
        assert_eq!(loaded, [(id("one"), one.clone()), (id("two"), two)]);
        cache.forget(&id("two")).unwrap();
        assert_eq!(cache.load(), [(id("one"), one)]);
    }

    #[test]
    fn a_spoilt_file_is_as_good_as_none() {
        let temp = tempfile::tempdir().unwrap();
        let cache = Cache::new(&Paths::at(temp.path()));
        cache.save(&id("one"), &Catalog::builtin()).unwrap();
        std::fs::write(temp.path().join("catalogs").join(format!("{}.json", id("one"))), "{\"models\":[").unwrap();
        std::fs::write(temp.path().join("catalogs/notes.txt"), "mine").unwrap();
        assert!(cache.load().is_empty());
    }
}
