//! Taking everything back, also where the ledger is lost.
//!
//! Without it nobody knows key by key what was ours. What can be known all the same: our client keys have a form, an address leads
//! to our port, our provider has our name. What stood there before is in the latest copy of the file in which nothing of that
//! stands. It is used place by place; a whole old file is never put back. What could not be known is said.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use url::{Host, Url};

use super::plan::is_client_key;
use super::transact::Part;
use super::{Change, Desk, FileDone, Trouble, Wish, document};
use crate::backup;
use crate::format::{Document, Format, Pointer, Value};
use crate::ledger::{Ledger, LedgerError, Notes};

/// The name of our provider in other programs' settings, in whatever case.
const PROVIDER: &str = "codeferry";

/// A file in which something of ours may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// Whose settings.
    pub client: String,
    /// As it is named.
    pub file: PathBuf,
    /// Its language.
    pub format: Format,
    /// The places that setting this client up writes to.
    pub places: Vec<Pointer>,
}

// === impl Suspect ===

impl Suspect {
    /// The file of a change, with the places it would take.
    pub fn of(client: &str, change: &Change) -> Self {
        let mut places = Vec::new();
        for wish in &change.wishes {
            match wish {
                // Our provider goes as a whole.
                Wish::Take { pointer, value: Some(value), .. } if !pointer.name().is_some_and(is_provider) => {
                    let mut all = Vec::new();
                    super::plan::places(pointer, value, &mut all);
                    places.extend(all.into_iter().map(|(place, _)| place));
                }
                Wish::Take { pointer, .. } => places.push(pointer.clone()),
                Wish::GiveBack(_) | Wish::GiveBackAll | Wish::Leave { .. } => {}
            }
        }
        Self { client: client.to_owned(), file: change.file.clone(), format: change.format, places }
    }
}

/// What was taken back.
#[derive(Debug, Default)]
pub struct Rescued {
    /// File by file.
    pub files: Vec<FileDone>,
    /// What was done without the ledger, and what could not be known; sentences.
    pub told: Vec<String>,
    /// What could not be taken back.
    pub failed: Vec<Trouble>,
}

// === impl Desk ===

impl Desk {
    /// Takes everything back, client by client; what fails does not keep the others. `suspects` and `ports` (those we listen on, or
    /// did) are used where the ledger is damaged: it is put aside then.
    ///
    /// # Errors
    /// When there is no ledger to be had, not even a new one.
    pub fn revert_all(&self, suspects: &[Suspect], ports: &[u16], now: Timestamp) -> Result<Rescued, Trouble> {
        let _lock = self.lock()?;
        let mut rescued = Rescued::default();
        match Ledger::load(&*self.disk, &self.data) {
            Ok(mut ledger) => {
                self.recover(&mut ledger, now)?;
                if ledger.from_copy {
                    rescued.told.push("The ledger was damaged; its copy was whole, and is used".to_owned());
                }
                self.revert_known(&mut ledger, &mut rescued, now);
            }
            Err(LedgerError::Damaged { .. }) => {
                let mark = now.strftime("%Y%m%dT%H%M%SZ").to_string();
                for path in Ledger::put_aside(&*self.disk, &self.data, &mark)? {
                    rescued.told.push(format!("{} is what was left of the ledger", path.display()));
                }
                let mut ledger = Ledger::load(&*self.disk, &self.data)?;
                self.revert_unknown(&mut ledger, suspects, ports, &mut rescued, now);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(rescued)
    }

    fn revert_known(&self, ledger: &mut Ledger, rescued: &mut Rescued, now: Timestamp) {
        let mut clients: Vec<String> =
            ledger.files().flat_map(|(_, entry)| &entry.notes.own).map(|own| own.client.clone()).collect();
        clients.sort();
        clients.dedup();
        for client in clients {
            let changes = super::all_back(ledger, &client);
            let parts = self.parts(ledger, &client, &super::Seen::default(), &changes);
            match parts.and_then(|parts| self.transact(ledger, &client, parts, now)) {
                Ok(done) => rescued.files.extend(done.files),
                Err(trouble) => rescued.failed.push(trouble),
            }
        }
    }

    fn revert_unknown(
        &self,
        ledger: &mut Ledger,
        suspects: &[Suspect],
        ports: &[u16],
        rescued: &mut Rescued,
        now: Timestamp,
    ) {
        let mut all = suspects.to_vec();
        // Whatever was ever changed has copies.
        for backup in backup::all(&self.data, None) {
            if !all.iter().any(|suspect| suspect.file == backup.file) {
                let format = format_of(&backup.client, &backup.file);
                all.push(Suspect { client: backup.client, file: backup.file, format, places: Vec::new() });
            }
        }
        let mut clients: Vec<_> = all.iter().map(|suspect| suspect.client.clone()).collect();
        clients.sort();
        clients.dedup();
        for client in clients {
            let of = all.iter().filter(|suspect| suspect.client == client);
            let parts: Result<Vec<_>, _> = of
                .map(|suspect| self.rescued(suspect, ports, &mut rescued.told))
                .filter_map(Result::transpose)
                .collect();
            match parts.and_then(|parts| self.transact(ledger, &client, parts, now)) {
                Ok(done) => rescued.files.extend(done.files),
                Err(trouble) => rescued.failed.push(trouble),
            }
        }
    }

    /// The file without what is recognised as ours. `None`: nothing of ours is in it.
    fn rescued(&self, suspect: &Suspect, ports: &[u16], told: &mut Vec<String>) -> Result<Option<Part>, Trouble> {
        let (real, old) = self.read(&suspect.file)?;
        let Some(bytes) = &old else { return Ok(None) };
        let mut now = document(&suspect.file, suspect.format, Some(bytes))?;
        let recognised = recognised(&now, ports);
        if recognised.is_empty() {
            return Ok(None);
        }
        let bad = |bad| Trouble::Bad { path: suspect.file.clone(), bad };
        let copies = backup::contents(&*self.disk, &backup::folder(&self.data, &suspect.client, &real));
        let clean = copies.into_iter().find_map(|copy| {
            let copy = Document::read(suspect.format, copy.as_deref().unwrap_or_default()).ok()?;
            self::recognised(&copy, ports).is_empty().then_some(copy)
        });
        let (mut back, mut gone, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        let places = suspect.places.iter().filter(|place| !recognised.contains(place));
        for (place, sure) in recognised.iter().map(|place| (place, true)).chain(places.map(|place| (place, false))) {
            let before = clean.as_ref().map(|clean| clean.value(place).ok().flatten());
            let stands = now.value(place).ok().flatten();
            match (before, &stands) {
                (Some(Some(before)), stands) if !stands.as_ref().is_some_and(|stands| stands.means(&before)) => {
                    now.set(place, &before).map_err(bad)?;
                    back.push(place.to_string());
                }
                (Some(None), Some(_)) | (None, Some(_)) if sure || clean.is_some() => {
                    now.delete(place).map_err(bad)?;
                    gone.push(place.to_string());
                    prune(&mut now, place, clean.as_ref());
                }
                (None, Some(_)) => unknown.push(place.to_string()),
                _ => {}
            }
        }
        tell(&suspect.file, clean.is_some(), [&back, &gone, &unknown], told);
        // Nothing is left, and there was nothing at first.
        let nothing = now.is_bare(&Pointer::default()).map_err(bad)? || now.text().trim().is_empty();
        let none_before = clean.as_ref().is_some_and(|clean| clean.text().is_empty());
        let new = (!(nothing && none_before)).then(|| now.text().as_bytes().to_vec());
        Ok(Some(Part {
            file: suspect.file.clone(),
            real,
            document: now,
            old,
            new,
            before: Notes::default(),
            notes: Notes::default(),
            kept: Vec::new(),
        }))
    }
}

fn tell(file: &Path, clean: bool, [back, gone, unknown]: [&Vec<String>; 3], told: &mut Vec<String>) {
    let mut text = format!("{}: recognised as ours without the ledger", file.display());
    if !gone.is_empty() {
        let _ = write!(text, "; taken out: {}", gone.join(", "));
    }
    if !back.is_empty() {
        let _ = write!(text, "; as in the last copy without us: {}", back.join(", "));
    }
    if !clean {
        text.push_str("; what stood there before could not be known, for there is no copy from before");
    }
    if !unknown.is_empty() {
        let _ = write!(text, "; perhaps ours, and left: {}", unknown.join(", "));
    }
    told.push(text);
}

/// Objects that have nothing in them any more and were not there before.
fn prune(document: &mut Document, place: &Pointer, clean: Option<&Document>) {
    let Some(clean) = clean else { return };
    for names in (1..place.names().len()).rev() {
        let object = place.shortened(names);
        if clean.holds(&object) || !document.is_bare(&object).unwrap_or(false) || document.delete(&object).is_err() {
            return;
        }
    }
}

/// The places at which something stands that is ours by its looks: our provider as a whole, or single values.
fn recognised(document: &Document, ports: &[u16]) -> Vec<Pointer> {
    let mut all: Vec<Pointer> = Vec::new();
    for (pointer, _) in document.leaves() {
        let ours = |name: &String| is_provider(name) || name.starts_with("codeferry/");
        let place = match pointer.names().iter().position(ours) {
            Some(at) => Some(pointer.shortened(at + 1)),
            None => match document.value(&pointer) {
                Ok(Some(Value::Text(text))) => is_ours(&text, ports).then_some(pointer),
                // In a list, of which no item is ever changed on its own.
                Err(_) => list_with(document, &pointer, ports),
                _ => None,
            },
        };
        if let Some(place) = place.filter(|place| !all.contains(place)) {
            all.push(place);
        }
    }
    all
}

fn list_with(document: &Document, pointer: &Pointer, ports: &[u16]) -> Option<Pointer> {
    let longest = (0..pointer.names().len()).rev().map(|names| pointer.shortened(names));
    let mut values = longest.filter_map(|place| Some((document.value(&place).ok()??, place)));
    let (value, place) = values.next()?;
    holds_ours(&value, ports).then_some(place)
}

fn holds_ours(value: &Value, ports: &[u16]) -> bool {
    match value {
        Value::Text(text) => is_ours(text, ports),
        Value::List(items) => items.iter().any(|item| holds_ours(item, ports)),
        Value::Table(members) => members.iter().any(|(name, value)| is_provider(name) || holds_ours(value, ports)),
        _ => false,
    }
}

fn is_provider(name: &str) -> bool {
    name.eq_ignore_ascii_case(PROVIDER)
}

/// One of our client keys, an address that leads to us, or the name of our provider.
fn is_ours(text: &str, ports: &[u16]) -> bool {
    is_client_key(text) || text == PROVIDER || text.starts_with("codeferry/") || leads_here(text, ports)
}

fn leads_here(text: &str, ports: &[u16]) -> bool {
    let Ok(url) = text.parse::<Url>() else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    loopback && url.port_or_known_default().is_some_and(|port| ports.contains(&port))
}

/// The language of a file of which only the name is known.
fn format_of(client: &str, file: &Path) -> Format {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Format::Toml,
        Some("json5") => Format::Json5,
        Some("json" | "jsonc") if client == "openclaw" => Format::Json5,
        Some("json") if client == "vscode" => Format::Groups,
        Some("json" | "jsonc") => Format::Json,
        Some("yaml" | "yml") => Format::Yaml,
        _ => Format::Env,
    }
}
