//! Looking whether the files of clients still are as we left them.
//!
//! **Invariant:** it reads, and nothing else. A look costs a handful of `stat`s while no file has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use codeferry_clients::client::State;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use super::shape::{Place, Program};
use super::{Kind, Setup};
use crate::Gateway;
use crate::bus::Topic;

/// The place of a client that is the settings of a project.
const PROJECT: &str = "project";
/// Somebody who has written a file looks at the dashboard after a while, not at once.
const EVERY: Duration = Duration::from_secs(5);

/// Clients as they were last seen.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    seen: Mutex<Arc<[SeenClient]>>,
    /// Something was changed here, or by a command.
    nudge: Notify,
}

/// A client as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenClient {
    /// As it is typed.
    pub client: &'static str,
    /// As its maker writes it.
    pub name: &'static str,
    /// It is there, and can be set up.
    pub ready: bool,
    /// It comes here by its settings.
    pub here: bool,
    /// Where it is not as it was set up.
    pub drifts: Vec<DriftedPlace>,
}

/// A place that is not as it was set up, and about which nobody has said that it should stay so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriftedPlace {
    /// Which client.
    pub client: &'static str,
    /// As its maker writes it.
    pub name: &'static str,
    /// Where.
    pub target: String,
    /// Of which project, where it is the settings of one: its folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What differs: keys, or why it would be turned away.
    pub what: Vec<String>,
}

/// The event.
#[derive(Serialize)]
struct DriftTold<'a> {
    drifted: Vec<&'a DriftedPlace>,
}

/// Which files there were, and what they were like.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stamps {
    files: Vec<(PathBuf, Option<(SystemTime, u64)>)>,
    offer: String,
}

// === impl Watched ===

impl Watched {
    /// They are looked at now.
    pub(crate) fn nudge(&self) {
        self.nudge.notify_one();
    }

    pub(crate) fn seen(&self) -> Arc<[SeenClient]> {
        Arc::clone(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether that is news.
    fn see(&self, now: Vec<SeenClient>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let news = **seen != *now;
        if news {
            *seen = now.into();
        }
        news
    }
}

// === impl Gateway ===

impl Gateway {
    /// Clients as they were last seen.
    pub fn seen_clients(&self) -> Arc<[SeenClient]> {
        self.watched.seen()
    }

    /// Looks after the files of clients until it is dropped. Nothing is written.
    pub async fn watch_clients(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stamps = Stamps::default();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.watched.nudge.notified() => stamps = Stamps::default(),
            }
            let (gateway, before) = (Arc::clone(&self), std::mem::take(&mut stamps));
            match tokio::task::spawn_blocking(move || gateway.look_at_clients(before)).await {
                Ok(now) => stamps = now,
                Err(error) => tracing::warn!(%error, "the files of clients could not be looked at"),
            }
        }
    }

    fn look_at_clients(&self, before: Stamps) -> Stamps {
        // Before we listen there is nothing to compare with.
        let Some(offer) = self.offer() else { return before };
        let offer = super::memory::fingerprint(&offer);
        let now = Stamps { files: before.files.iter().map(|(file, _)| stamped(file)).collect(), offer };
        if !now.files.is_empty() && now == before {
            return before;
        }
        let Some(setup) = self.setup(None) else { return now };
        // Stamps first: what changes while we look is seen the next time.
        let files = files(&setup).iter().map(|file| stamped(file)).collect();
        let programs = setup.list();
        let projects = self.of_projects(&setup, &programs);
        if self.watched.see(programs.iter().map(|program| SeenClient::of(program, &projects)).collect()) {
            let seen = self.watched.seen();
            let drifted: Vec<_> = seen.iter().flat_map(|client| &client.drifts).collect();
            for place in &drifted {
                tracing::info!(client = place.client, target = %place.target, "a client is not set up as it was");
            }
            self.bus.publish(Topic::Clients, "clients", || DriftTold { drifted });
            self.bus.stir();
            self.news.tell();
        }
        Stamps { files, ..now }
    }

    /// Clients as they stand in projects that were set up: nobody names these folders here, but our own ledger does.
    fn of_projects(&self, setup: &Setup, programs: &[Program]) -> Vec<(String, Program)> {
        let mut found: Vec<(String, Program)> = Vec::new();
        for own in setup.desk().owned(None).unwrap_or_default() {
            let known =
                |place: &Place| place.held && place.files.iter().any(|file| *file == own.file.to_string_lossy());
            let Some(kind) = Kind::parse(&own.client) else { continue };
            let program = programs.iter().find(|program| program.client == kind.name());
            if program.is_none_or(|program| program.targets.iter().any(known)) {
                continue;
            }
            let Some(folder) = own.file.parent().and_then(Path::parent) else { continue };
            let shown = folder.display().to_string();
            if found.iter().any(|(other, program)| *other == shown && program.client == kind.name()) {
                continue;
            }
            let program = self.setup(Some(folder)).and_then(|setup| setup.program(kind));
            found.extend(program.map(|program| (shown, program)));
        }
        found
    }
}

/// The files that tell: ours, and those of clients with something of ours in them.
fn files(setup: &Setup) -> Vec<PathBuf> {
    let own = ["clients.json", "clients-accepted.json", "keys.json"].map(|name| setup.data.join(name));
    let mut files = own.to_vec();
    let held = setup.desk().owned(None).unwrap_or_default().into_iter().map(|own| own.real);
    // Asking for a file in a Linux inside Windows would start it.
    files.extend(held.filter(|file| !file.to_string_lossy().starts_with(r"\\wsl")));
    files.dedup();
    files
}

/// A place that is ours and is not as it was set up, unless it may stay so.
fn drifted(program: &Program, place: &Place, project: Option<&String>) -> Option<DriftedPlace> {
    let what = match &place.standing {
        _ if !place.held || place.accepted => return None,
        State::Drifted { drifts } => drifts.iter().map(|drift| drift.key.clone()).collect(),
        State::Elsewhere { url } => vec![format!("it goes to {url}")],
        State::Broken { why } => vec![why.clone()],
        State::NotInstalled | State::Clean | State::Ours => return None,
    };
    let (target, project) = (place.target.clone(), project.cloned());
    Some(DriftedPlace { client: program.client, name: program.name, target, project, what })
}

fn stamped(file: &Path) -> (PathBuf, Option<(SystemTime, u64)>) {
    let metadata = fs::metadata(file).ok();
    (file.to_owned(), metadata.and_then(|known| Some((known.modified().ok()?, known.len()))))
}

// === impl SeenClient ===

impl SeenClient {
    /// `projects` are clients with the settings of a project, by its folder.
    fn of(program: &Program, projects: &[(String, Program)]) -> Self {
        let of_projects = projects.iter().filter(|(_, other)| other.client == program.client);
        let of_projects = of_projects.flat_map(|(folder, other)| {
            let places = other.targets.iter().filter(|place| place.target == PROJECT);
            places.filter_map(|place| drifted(other, place, Some(folder)))
        });
        let drifts = program.targets.iter().filter_map(|place| drifted(program, place, None)).chain(of_projects);
        let able = program.targets.first().is_some_and(|place| place.obstacle.is_none());
        let comes = |standing: &State| matches!(standing, State::Ours | State::Drifted { .. });
        Self {
            client: program.client,
            name: program.name,
            ready: program.installed && able,
            here: program.targets.iter().any(|place| comes(&place.standing)),
            drifts: drifts.collect(),
        }
    }
}
