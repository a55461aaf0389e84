//! Doing it: what would be done, doing that and nothing else, and taking it back.
//!
//! **Invariant:** what is done is what was shown. A plan is named by what was looked at and by what would come of it; when either
//! is another now, nothing is done.

use std::io;
use std::path::{Path, PathBuf};

use codeferry_clients::apply::{Change, Desk, Done, FileDone, Preview, Retired, Seen, Trouble, Wish};
use codeferry_clients::client::{Client, Conflict, Documents, Kind, Scope, State, Target, Weight};
use codeferry_clients::format::{Format, Pointer};
use codeferry_store::{KeyError, NewKey};

use super::memory::{Memory, fingerprint};
use super::shape::{File, Plan, Settled, Will};
use super::token::{key_in, wants_key};
use super::{KEY_HERE, Setup};

/// Nobody has so many keys for one client.
const NAMES: u32 = 1000;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is no module for it.
    #[error("{0} cannot be set up by us; {hint}", hint = "the lines to copy are on the dashboard under Clients")]
    ByHand(&'static str),
    /// It has no such place.
    #[error("{client} has no place {target:?}; there is: {known}", known = .known.join(", "))]
    NoTarget {
        /// Which client.
        client: &'static str,
        /// What was asked for.
        target: String,
        /// What there is.
        known: Vec<String>,
    },
    /// It cannot be set up there now.
    #[error("{0}; nothing was changed")]
    Obstacle(String),
    /// What was shown is not what would be done now.
    #[error(
        "it is not as it was when you looked: the file, or what would be written, has changed; nothing was done. Look again"
    )]
    Stale,
    /// A file could not be changed.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// There is no key for the client.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What was said cannot be remembered.
    #[error("cannot write that down: {0}")]
    Memory(io::Error),
}

/// What would be done.
struct Draft {
    changes: Vec<Change>,
    seen: Seen,
    previews: Vec<Preview>,
    /// The key that stands there already.
    key: Option<String>,
}

// === impl Setup ===

impl Setup {
    /// What setting it up would do.
    ///
    /// # Errors
    /// When it cannot be done, and why.
    pub fn plan(&self, kind: Kind, target: Option<&str>) -> Result<Plan, SetupError> {
        let (client, target) = self.place_of(kind, target)?;
        Ok(self.draft(client, &target)?.plan(kind, &target.id))
    }

    /// What taking it back would do.
    ///
    /// # Errors
    /// When it cannot be done, and why.
    pub fn plan_back(&self, kind: Kind, target: Option<&str>) -> Result<Plan, SetupError> {
        let draft = self.draft_back(kind, target)?;
        Ok(draft.plan(kind, target.unwrap_or("user")))
    }

    /// Sets it up. With a `plan` only that is done.
    ///
    /// # Errors
    /// When nothing was done, and why.
    pub fn apply(&self, kind: Kind, target: Option<&str>, plan: Option<&str>) -> Result<Settled, SetupError> {
        let (client, target) = self.place_of(kind, target)?;
        let draft = self.draft(client, &target)?;
        if plan.is_some_and(|plan| plan != draft.name()) {
            return Err(SetupError::Stale);
        }
        let (key, made) = match &draft.key {
            Some(key) => (key.clone(), None),
            None if !wants_key(&draft.changes, KEY_HERE) => (KEY_HERE.to_owned(), None),
            None => {
                let made = self.new_key(kind)?;
                (made.key, Some(made.name))
            }
        };
        let name = made.clone().or_else(|| self.name_of(kind, &key));
        let changes = self.changes(client, &target, &key, name.as_deref());
        let done = self.desk().apply(kind.name(), &draft.seen, &changes, (self.clock)()).inspect_err(|_| {
            // It stands nowhere; one that cannot be revoked opens nothing for anybody.
            if let Some(name) = &made
                && let Err(error) = self.keys.revoke(name)
            {
                tracing::warn!(key = %name, %error, "a client key that was made in vain still counts");
            }
        })?;
        self.retire(done.retired());
        self.forget(kind, &target);
        let (name, url) = (kind.label(), &self.offer.url.as_str().trim_end_matches('/').to_owned());
        let told = match done.changed() {
            true => format!("{name} comes to {url} from its next start on"),
            false => format!("{name} comes to {url} already; nothing was written"),
        };
        let mut notes = notes(&done);
        notes.extend(exposed(&done));
        let documents = Documents::of(client, &self.world, &target);
        let intent = self.offer.intent(&key, None);
        let mut conflicts = client.conflicts(&self.world, &target, &documents, &intent);
        conflicts.sort_by_key(|conflict| std::cmp::Reverse(conflict.weight));
        let asides = conflicts.iter().filter(|conflict| conflict.weight == Weight::Note).count();
        notes.extend(conflicts.into_iter().map(|conflict| {
            let Conflict { what, place, cure, .. } = conflict;
            format!("{} ({place}): {cure}", what.trim_end_matches('.'))
        }));
        Ok(Settled { changed: done.changed(), told, notes, asides })
    }

    /// What stood there before comes back, at one place or everywhere. With a `plan` only that is done.
    ///
    /// # Errors
    /// When nothing was done, and why.
    pub fn revert(&self, kind: Kind, target: Option<&str>, plan: Option<&str>) -> Result<Settled, SetupError> {
        let draft = self.draft_back(kind, target)?;
        if plan.is_some_and(|plan| plan != draft.name()) {
            return Err(SetupError::Stale);
        }
        let done = self.desk().apply(kind.name(), &draft.seen, &draft.changes, (self.clock)())?;
        self.retire(done.retired());
        let name = kind.label();
        let told = match done.changed() {
            true => format!("{name} goes its own way from its next start on"),
            false => format!("nothing of ours was there for {name}; nothing was written"),
        };
        Ok(Settled { changed: done.changed(), told, notes: notes(&done), asides: 0 })
    }

    /// What somebody else wrote stays, and is told of no more.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn keep(&self, kind: Kind, target: Option<&str>) -> Result<Settled, SetupError> {
        let (client, target) = self.place_of(kind, target)?;
        let name = kind.label();
        if !matches!(self.place(client, &target).standing, State::Drifted { .. }) {
            let told = format!("{name} is as it was set up; nothing was done");
            return Ok(Settled { changed: false, told, notes: Vec::new(), asides: 0 });
        }
        self.desk().keep_theirs(kind.name(), (self.clock)())?;
        // What is another only because we are is nobody's to let go of; it is remembered as seen.
        let drifts = match self.place(client, &target).standing {
            State::Drifted { drifts } => drifts,
            _ => Vec::new(),
        };
        let accepted = (!drifts.is_empty()).then_some(drifts.as_slice());
        Memory::of(&self.data).accept(&slot(kind, &target), accepted).map_err(SetupError::Memory)?;
        let told = format!("{name} stays as it is; what differs is told of no more");
        Ok(Settled { changed: false, told, notes: Vec::new(), asides: 0 })
    }

    /// The client key that stands there and opens, if any.
    pub fn key(&self, kind: Kind, target: Option<&str>) -> Option<String> {
        let (client, target) = self.place_of(kind, target).ok()?;
        self.key_at(client, &target)
    }

    pub(super) fn desk(&self) -> Desk {
        Desk::new(&self.data)
    }

    /// The place that is meant: the named one, else the first that needs no name.
    pub(crate) fn place_of(
        &self,
        kind: Kind,
        target: Option<&str>,
    ) -> Result<(&'static dyn Client, Target), SetupError> {
        let client = kind.client().ok_or(SetupError::ByHand(kind.label()))?;
        let targets = client.detect(&self.world).targets;
        let meant = |place: &&Target| target.map_or(!place.opt_in, |target| place.id == target);
        if let Some(place) = targets.iter().find(meant) {
            return Ok((client, place.clone()));
        }
        match target {
            None => Err(SetupError::ByHand(kind.label())),
            Some(target) => Err(SetupError::NoTarget {
                client: kind.label(),
                target: target.to_owned(),
                known: targets.into_iter().map(|target| target.id).collect(),
            }),
        }
    }

    /// What its files are to hold with this key.
    pub(super) fn changes(&self, client: &dyn Client, target: &Target, key: &str, name: Option<&str>) -> Vec<Change> {
        let documents = Documents::of(client, &self.world, target);
        client.plan(&self.world, target, &documents, &self.offer.intent(key, name))
    }

    fn key_at(&self, client: &dyn Client, target: &Target) -> Option<String> {
        let changes = self.changes(client, target, KEY_HERE, None);
        let documents = Documents::of(client, &self.world, target);
        key_in(&changes, &documents, KEY_HERE, &|key| self.keys.verify(key).is_some())
    }

    fn draft(&self, client: &'static dyn Client, target: &Target) -> Result<Draft, SetupError> {
        let kind = client.kind();
        if let Some(obstacle) = &target.obstacle {
            return Err(SetupError::Obstacle(obstacle.clone()));
        }
        // Before anything is looked at for good: which files, in which languages.
        let first = self.changes(client, target, KEY_HERE, None);
        if first.is_empty() {
            return Err(SetupError::ByHand(kind.label()));
        }
        let desk = self.desk();
        let seen = desk.look(files(&first))?;
        let key = self.key_at(client, target);
        let name = key.as_deref().and_then(|key| self.name_of(kind, key));
        let changes = self.changes(client, target, key.as_deref().unwrap_or(KEY_HERE), name.as_deref());
        let previews = desk.preview(kind.name(), &seen, &changes)?;
        Ok(Draft { changes, seen, previews, key })
    }

    fn draft_back(&self, kind: Kind, target: Option<&str>) -> Result<Draft, SetupError> {
        let desk = self.desk();
        let wanted = match target {
            Some(_) => Some(self.place_of(kind, target)?.1),
            None => None,
        };
        let mut changes: Vec<Change> = Vec::new();
        for own in desk.owned(Some(kind.name()))? {
            let meant = wanted.as_ref().is_none_or(|target| self.holds(target, &own.real));
            if meant && !changes.iter().any(|change| change.file == own.file) {
                changes.push(Change { file: own.file, format: own.format, wishes: vec![Wish::GiveBackAll] });
            }
        }
        let seen = desk.look(files(&changes))?;
        let previews = desk.preview(kind.name(), &seen, &changes)?;
        Ok(Draft { changes, seen, previews, key: None })
    }

    /// A client key for it. A name that is taken is somebody's, so the next one is tried.
    fn new_key(&self, kind: Kind) -> Result<NewKey, KeyError> {
        let mut at = 1;
        loop {
            let name = if at == 1 { kind.name().to_owned() } else { format!("{}-{at}", kind.name()) };
            match self.keys.create(&name, (self.clock)()) {
                Err(KeyError::NameTaken(_)) if at < NAMES => at += 1,
                made => return made,
            }
        }
    }

    /// The name of a key, if it was made for this client: it goes when the client gives it back.
    fn name_of(&self, kind: Kind, key: &str) -> Option<String> {
        let name = self.keys.verify(key)?;
        let owned = self.desk().owned(Some(kind.name())).ok()?;
        owned.iter().any(|own| own.key.as_ref() == Some(&name)).then_some(name)
    }

    /// Keys that were made for a client and stand in its files no more are nobody's.
    pub(crate) fn retire<'r>(&self, keys: impl Iterator<Item = &'r Retired>) {
        for Retired { name, sha256 } in keys {
            match self.keys.revoke_this(name, sha256) {
                Ok(true) => tracing::info!(key = %name, "a client key that its client has no more was revoked"),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(key = %name, %error, "a client key that its client has no more still counts");
                }
            }
        }
    }

    /// Nothing was accepted there.
    fn forget(&self, kind: Kind, target: &Target) {
        if let Err(error) = Memory::of(&self.data).accept(&slot(kind, target), None) {
            tracing::warn!(%error, "what was accepted is still remembered");
        }
    }

    /// Whether that file is one of the place's.
    pub(super) fn holds(&self, target: &Target, real: &Path) -> bool {
        let resolved = |file: &PathBuf| self.world.files.resolved(file);
        target.files.iter().any(|file| file == real || resolved(file).is_some_and(|resolved| resolved == real))
    }
}

/// A place of a client in one word. Each project is one of its own.
pub(super) fn slot(kind: Kind, target: &Target) -> String {
    match &target.scope {
        Scope::Project { folder } => format!("{kind}/{}:{}", target.id, folder.display()),
        Scope::User | Scope::Wsl { .. } => format!("{kind}/{}", target.id),
    }
}

fn files(changes: &[Change]) -> impl Iterator<Item = (&Path, Format)> {
    changes.iter().map(|change| (change.file.as_path(), change.format))
}

/// What is to be known after a change.
pub(super) fn notes(done: &Done) -> Vec<String> {
    let kept = |file: &FileDone| {
        let shown = file.file.display().to_string();
        file.kept.iter().map(move |place| left(place, &shown)).collect::<Vec<_>>()
    };
    done.files.iter().flat_map(kept).collect()
}

/// Files with a key of ours in them that others can read.
fn exposed(done: &Done) -> impl Iterator<Item = String> {
    done.files.iter().filter(|file| file.changed).filter_map(|file| {
        let mode = file.exposed?;
        Some(format!("others on this machine can read {} (mode {mode:o})", file.file.display()))
    })
}

pub(super) fn left(place: &Pointer, file: &str) -> String {
    format!("{place} in {file} was changed by somebody else since, and stays as it is")
}

// === impl Draft ===

impl Draft {
    /// Changes when a file does, or what would be written.
    fn name(&self) -> String {
        let after: Vec<_> = self.previews.iter().map(|preview| &preview.after).collect();
        fingerprint(&(self.seen.fingerprint(), after))
    }

    fn plan(&self, kind: Kind, target: &str) -> Plan {
        let files: Vec<_> = self.previews.iter().map(File::from).collect();
        Plan {
            client: kind.name(),
            target: target.to_owned(),
            plan: self.name(),
            changes: files.iter().any(|file| file.will != Will::Keep),
            files,
        }
    }
}

// === impl File ===

impl From<&Preview> for File {
    fn from(preview: &Preview) -> Self {
        let will = match (&preview.before, &preview.after) {
            (before, after) if before == after => Will::Keep,
            (None, _) => Will::Create,
            (_, None) => Will::Remove,
            _ => Will::Change,
        };
        Self {
            file: preview.file.display().to_string(),
            will,
            diff: preview.diff.clone(),
            warnings: preview.kept.iter().map(|place| left(place, &preview.file.display().to_string())).collect(),
        }
    }
}
