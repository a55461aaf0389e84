//! The settings file: `{"version": 1, "port": 8081, "route.opus": "…"}`, only what was set, in the order it was set.
//!
//! **Invariant:** a write changes one key and nothing else. Keys this version does not know stay where they are, so
//! that an older Codeferry loses no setting of a newer one; a file that cannot be read is never written over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::Settings;
use super::document::Document;
use super::table::{self, Named};
use super::value::Value;
use crate::durable::{self, Stamp};

/// The settings of a data folder. Copies are handles on the same file.
#[derive(Debug, Clone)]
pub struct SettingsFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Held while the file is read or written and memory follows: memory sees the files in their order.
    file: Mutex<Read>,
    current: watch::Sender<Arc<Settings>>,
}

/// What the file held when it was read.
#[derive(Debug)]
struct Read {
    stamp: Stamp,
    document: Document,
    problems: Vec<Problem>,
}

/// A value in the file that cannot be used; the default is used instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("the setting {key} is {found}, and must be {allowed}; {used} is used")]
pub struct Problem {
    pub key: String,
    pub found: String,
    pub allowed: &'static str,
    pub used: String,
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It is no JSON object. It stays as it is, and when it was opened a copy was put beside it.
    #[error(
        "{} is damaged at line {line}, column {column}; it was left as it is{}. Mend it, or remove it to start from \
         the defaults",
        .path.display(), .copy.as_ref().map_or(String::new(), |copy| format!(" and copied to {}", copy.display()))
    )]
    Damaged { path: PathBuf, line: usize, column: usize, copy: Option<PathBuf> },
}

/// No setting is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no setting is called {key:?}{}; `codeferry settings list` shows all", .meant.map_or(String::new(), |meant| format!(", did you mean {meant}?")))]
pub struct UnknownKey {
    pub key: String,
    pub meant: Option<&'static str>,
}

/// The setting was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    #[error("{key} must be {allowed}")]
    BadValue { key: String, allowed: &'static str },
    #[error(transparent)]
    File(#[from] OpenError),
    #[error("cannot save {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// One setting with all there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub key: String,
    pub value: Value,
    /// `None` for an alias or a price: they have none.
    pub default: Option<Value>,
    /// It stands in the file, and is not just the default.
    pub set: bool,
    pub allowed: &'static str,
    pub doc: &'static str,
}

// === impl SettingsFile ===

impl SettingsFile {
    /// The settings in that file; the defaults while there is none. Creates nothing.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let path = path.into();
        let read = load(&path).map_err(|error| keep_copy(error, &path))?;
        let settings = settings(&read);
        Ok(Self(Arc::new(Inner { current: watch::channel(Arc::new(settings)).0, file: Mutex::new(read), path })))
    }

    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The settings of this moment. Hold it for one request, not for ever.
    pub fn snapshot(&self) -> Arc<Settings> {
        Arc::clone(&self.0.current.borrow())
    }

    /// The settings after every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Settings>> {
        self.0.current.subscribe()
    }

    /// Values in the file that cannot be used. Worth a warning at the start.
    pub fn problems(&self) -> Vec<Problem> {
        self.read().problems.clone()
    }

    /// Set a key to what a person typed. Blocks on the disk for a moment.
    pub fn set(&self, key: &str, text: &str) -> Result<Value, SetError> {
        let named = find(key)?;
        let refused = || SetError::BadValue { key: key.to_owned(), allowed: named.allowed() };
        let value = named.read(text).ok_or_else(refused)?;
        self.set_value(key, value)
    }

    /// Set a key to a value that has its shape already, as the control API has it.
    pub fn set_value(&self, key: &str, value: Value) -> Result<Value, SetError> {
        let named = find(key)?;
        if !named.put(&mut Settings::default(), &value) {
            return Err(SetError::BadValue { key: key.to_owned(), allowed: named.allowed() });
        }
        let raw = serde_json::value::to_raw_value(&value).map_err(|error| self.unwritten(error.into()))?;
        self.change(|document| document.put(key, raw))?;
        Ok(value)
    }

    /// Set several keys to values, and others (`None`) back to their defaults, in one write: all of it or nothing.
    pub fn change_all(&self, changes: &[(String, Option<Value>)]) -> Result<bool, SetError> {
        let mut written = Vec::with_capacity(changes.len());
        for (key, value) in changes {
            let named = find(key)?;
            let raw = match value {
                None => None,
                Some(value) if named.put(&mut Settings::default(), value) => {
                    Some(serde_json::value::to_raw_value(value).map_err(|error| self.unwritten(error.into()))?)
                }
                Some(_) => return Err(SetError::BadValue { key: key.clone(), allowed: named.allowed() }),
            };
            written.push((key.as_str(), raw));
        }
        self.change(|document| {
            let mut changed = false;
            for (key, raw) in written {
                changed |= match raw {
                    Some(raw) => document.put(key, raw),
                    None => document.remove(key),
                };
            }
            changed
        })
    }

    /// What a key may be, in words that complete "… must be".
    pub fn allowed(&self, key: &str) -> Result<&'static str, UnknownKey> {
        find(key).map(Named::allowed)
    }

    /// Back to the default. `false`: it was not set.
    pub fn unset(&self, key: &str) -> Result<bool, SetError> {
        find(key)?;
        self.change(|document| document.remove(key))
    }

    /// The value of one key.
    pub fn get(&self, key: &str) -> Result<Value, UnknownKey> {
        self.describe(key).map(|listed| listed.value)
    }

    /// Everything about one key.
    pub fn describe(&self, key: &str) -> Result<Listed, UnknownKey> {
        let named = find(key)?;
        let value = named.take(&self.snapshot()).ok_or_else(|| unknown(key))?;
        Ok(self.listed(named, value))
    }

    /// All keys, then the aliases and prices.
    pub fn list(&self) -> Vec<Listed> {
        let settings = self.snapshot();
        let keys = table::keys().map(Named::Key);
        let aliases = settings.aliases.keys().map(|alias| Named::Alias(alias));
        let prices = settings.prices.keys().map(|model| Named::Price(model));
        keys.chain(aliases).chain(prices).filter_map(|named| Some(self.listed(named, named.take(&settings)?))).collect()
    }

    /// Read the file again. On an error the settings stay as they were.
    pub fn reload(&self) -> Result<(), OpenError> {
        let mut held = self.read();
        held.stamp = Stamp::of(&self.0.path);
        *held = load(&self.0.path)?;
        self.publish(&held);
        Ok(())
    }

    /// [`reload`](Self::reload), if the file is another one than the last time. Cheap enough to ask every second: a
    /// damaged file is reported once.
    pub fn reload_if_changed(&self) -> Result<bool, OpenError> {
        let changed = self.read().stamp != Stamp::of(&self.0.path);
        if changed {
            self.reload()?;
        }
        Ok(changed)
    }

    /// Whether the file could be read now. Nothing of it is taken over.
    pub fn check(&self) -> Result<(), OpenError> {
        load(&self.0.path).map(drop)
    }

    fn listed(&self, named: Named<'_>, value: Value) -> Listed {
        let key = named.name();
        let set = self.read().document.get(&key).is_some();
        Listed {
            value,
            default: named.take(&Settings::default()),
            set,
            allowed: named.allowed(),
            doc: named.doc(),
            key,
        }
    }

    /// Change the document on disk, then memory. `false`: there was nothing to change.
    fn change(&self, change: impl FnOnce(&mut Document) -> bool) -> Result<bool, SetError> {
        let mut held = self.read();
        let _lock = durable::lock(&self.0.path).map_err(|source| self.unwritten(source))?;
        let mut read = load(&self.0.path)?;
        let changed = change(&mut read.document);
        if changed {
            let mut json = serde_json::to_vec_pretty(&read.document).map_err(|error| self.unwritten(error.into()))?;
            json.push(b'\n');
            let stamp = durable::replace(&self.0.path, &json).map_err(|source| self.unwritten(source))?;
            read = Read::of(read.document, stamp);
        }
        *held = read;
        self.publish(&held);
        Ok(changed)
    }

    /// Under the lock on what was read, so that watchers see the changes in their order.
    fn publish(&self, read: &Read) {
        let settings = settings(read);
        self.0.current.send_if_modified(|current| {
            let differs = **current != settings;
            if differs {
                *current = Arc::new(settings);
            }
            differs
        });
    }

    fn read(&self) -> std::sync::MutexGuard<'_, Read> {
        self.0.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritten(&self, source: io::Error) -> SetError {
        SetError::Write { path: self.0.path.clone(), source }
    }
}

// === impl Read ===

impl Read {
    fn of(document: Document, stamp: Stamp) -> Self {
        let mut scratch = Settings::default();
        let problems = document.entries().filter_map(|(key, raw)| apply(&mut scratch, key, raw)).collect();
        Self { stamp, document, problems }
    }
}

fn load(path: &Path) -> Result<Read, OpenError> {
    let (bytes, stamp) = durable::read(path).map_err(|source| OpenError::Read { path: path.to_owned(), source })?;
    let document = match bytes {
        None => Document::default(),
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| OpenError::Damaged {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            copy: None,
        })?,
    };
    Ok(Read::of(document, stamp))
}

fn settings(read: &Read) -> Settings {
    let mut settings = Settings::default();
    for (key, raw) in read.document.entries() {
        apply(&mut settings, key, raw);
    }
    settings
}

/// Put one entry of the file into the settings. What a newer version wrote is passed over.
fn apply(settings: &mut Settings, key: &str, raw: &RawValue) -> Option<Problem> {
    let named = table::find(key)?;
    let value = serde_json::from_str::<Value>(raw.get());
    if value.is_ok_and(|value| named.put(settings, &value)) {
        return None;
    }
    let used = named.take(&Settings::default()).map_or("nothing".to_owned(), |value| format!("the default {value}"));
    Some(Problem { key: key.to_owned(), found: raw.get().to_owned(), allowed: named.allowed(), used })
}

fn find(key: &str) -> Result<Named<'_>, UnknownKey> {
    table::find(key).ok_or_else(|| unknown(key))
}

fn unknown(key: &str) -> UnknownKey {
    UnknownKey { key: key.to_owned(), meant: table::nearest(key) }
}

/// Put a copy of a damaged file aside, before somebody mends the wrong thing in it. Its name follows from its content:
/// each damage is kept once.
fn keep_copy(error: OpenError, path: &Path) -> OpenError {
    let OpenError::Damaged { path: damaged, line, column, .. } = error else { return error };
    let copy = fs::read(path).ok().and_then(|bytes| {
        let mark: String = Sha256::digest(&bytes).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let copy = path.with_extension(format!("damaged-{mark}.json"));
        (copy.exists() || durable::replace(&copy, &bytes).is_ok()).then_some(copy)
    });
    OpenError::Damaged { path: damaged, line, column, copy }
}
