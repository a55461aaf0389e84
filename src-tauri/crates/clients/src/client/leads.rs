//! What a client's settings come to, for clients whose plan says everything: where they lead, and what the plan would still change.
//!
//! **Invariant:** a key is judged by whether it opens the gateway, and is never shown.

use std::path::Path;

use super::{Client, Documents, Drift, Held, Moved, State, Target, View, World};
use crate::apply::Wish;
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::Intent;

/// The name under which clients know this gateway.
pub const PROVIDER: &str = "codeferry";

/// Where settings lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// Nowhere in particular: the client's own way.
    Nowhere,
    /// To this address, with this key if one stands there.
    To {
        /// The address.
        url: String,
        /// The key.
        key: Key,
    },
    /// Nobody knows; why, in a sentence without an end.
    Unclear(String),
}

/// What is known of a key.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// It stands there.
    Is(String),
    /// There is none.
    Missing,
    /// It is kept where nobody else can look.
    Elsewhere,
}

/// The state that follows. `installed`: there is the program, or a trace of it.
pub fn judge(
    client: &dyn Client,
    installed: bool,
    world: &World,
    target: &Target,
    view: &View<'_>,
    leads: Leads,
) -> State {
    let set_up = view.owned.iter().any(|owned| target.files.contains(&owned.file));
    match leads {
        Leads::Unclear(why) => State::Broken { why },
        Leads::Nowhere if !set_up => {
            if installed {
                State::Clean
            } else {
                State::NotInstalled
            }
        }
        Leads::To { url, .. } if !set_up && !view.intent.is_here(&url) => State::Elsewhere { url },
        Leads::To { url, key } if view.intent.is_here(&url) && !key.opens(view) => {
            let why = match key {
                Key::Missing => "it comes here, without a key",
                Key::Is(_) | Key::Elsewhere => "it comes here, with a key that does not open the gateway any more",
            };
            State::Broken { why: why.to_owned() }
        }
        // Whoever pointed it here by hand has done so in a way of their own.
        Leads::To { .. } if !set_up => State::Ours,
        _ => match drifts(client, world, target, view) {
            drifts if drifts.is_empty() => State::Ours,
            drifts => State::Drifted { drifts },
        },
    }
}

// === impl Key ===

impl Key {
    /// What was found at the place of a key.
    pub fn found(key: Option<String>) -> Self {
        key.map_or(Self::Missing, Self::Is)
    }

    /// One that nobody can look at has the benefit of the doubt.
    fn opens(&self, view: &View<'_>) -> bool {
        match self {
            Self::Is(key) => (view.opens)(key),
            Self::Missing => false,
            Self::Elsewhere => true,
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Is(_) => "a key",
            Self::Missing => "no key",
            Self::Elsewhere => "a key elsewhere",
        })
    }
}

/// The document of a file that was read; one that is missing is empty.
///
/// # Errors
/// Why it cannot be read, in a sentence without an end.
pub fn document(documents: &Documents, file: &Path, format: Format) -> Result<Document, String> {
    let bytes = match documents.held(file) {
        Held::Missing => &[][..],
        Held::Bytes(bytes) => bytes,
        Held::Unreadable(why) => return Err(format!("{} cannot be read: {why}", file.display())),
    };
    Document::read(format, bytes).map_err(|bad| format!("{}: {bad}", file.display()))
}

/// Where the file of a target leads, by what `lead` finds in it.
pub fn in_file(target: &Target, documents: &Documents, format: Format, lead: impl FnOnce(&Document) -> Leads) -> Leads {
    let Some(file) = target.file() else { return Leads::Nowhere };
    document(documents, file, format).map_or_else(Leads::Unclear, |document| lead(&document))
}

/// Where a text leads that we do not read: here, if one of the addresses in it does. Its key is its own affair.
pub fn mentioned(text: &str, intent: &Intent) -> Leads {
    let addresses = text.split(|char: char| char.is_whitespace() || "\"'`,<>()[]{}".contains(char));
    let here = addresses.filter(|word| word.starts_with("http://")).find(|url| {
        // An endpoint below the address is one of its own.
        let base = url.find("/v1").map_or(*url, |at| &url[..at]);
        intent.is_here(base)
    });
    here.map_or(Leads::Nowhere, |_| Leads::To { url: intent.base().to_owned(), key: Key::Elsewhere })
}

/// What the plan would still change, one for each wish: of a table it is told that it differs, not each value in it.
fn drifts(client: &dyn Client, world: &World, target: &Target, view: &View<'_>) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for change in client.plan(world, target, view.documents, view.intent) {
        let Ok(document) = document(view.documents, &change.file, change.format) else { continue };
        let owned: Vec<_> = view.owned.iter().filter(|own| own.file == change.file).collect();
        for wish in &change.wishes {
            let Wish::Take { pointer, value: wanted, .. } = wish else { continue };
            let wanted_now = leaves(pointer, wanted.as_ref());
            let stale = owned.iter().map(|own| &own.pointer).filter(|place| {
                is_inside(place, pointer)
                    && !wanted_now.iter().any(|(leaf, _)| leaf == *place || is_inside(leaf, place))
            });
            let places = wanted_now.iter().map(|(leaf, value)| (leaf, *value)).chain(stale.map(|place| (place, None)));
            let differing: Vec<_> = places
                .filter(|(place, value)| !same(document.value(place).ok().flatten().as_ref(), *value, view))
                .map(|(place, _)| place)
                .collect();
            if differing.is_empty() {
                continue;
            }
            // What is not there yet, and what is still as we left it, differs because we want it otherwise now.
            let theirs = differing.iter().any(|place| {
                let own = owned.iter().find(|own| own.pointer == **place);
                own.map_or_else(|| document.holds(place), |own| !own.intact)
            });
            drifts.push(Drift {
                key: dotted(pointer),
                now: shown(pointer, document.value(pointer).ok().flatten().as_ref()),
                wanted: shown(pointer, wanted.as_ref()),
                by: if theirs { Moved::File } else { Moved::Intent },
            });
        }
    }
    drifts
}

/// The values in a value, each with its place; one that is no table is its own.
fn leaves<'v>(pointer: &Pointer, value: Option<&'v Value>) -> Vec<(Pointer, Option<&'v Value>)> {
    match value {
        Some(Value::Table(members)) if !members.is_empty() => {
            members.iter().flat_map(|(name, value)| leaves(&pointer.then(name), Some(value))).collect()
        }
        value => vec![(pointer.clone(), value)],
    }
}

fn is_inside(place: &Pointer, around: &Pointer) -> bool {
    place.names().len() > around.names().len() && place.names().starts_with(around.names())
}

fn same(now: Option<&Value>, wanted: Option<&Value>, view: &View<'_>) -> bool {
    match (now, wanted) {
        (None, None) => true,
        (Some(now), Some(wanted)) if wanted.text() == Some(view.intent.token.expose()) => {
            now.text().is_some_and(|key| (view.opens)(key))
        }
        (Some(now), Some(wanted)) => now.means(wanted),
        _ => false,
    }
}

fn dotted(pointer: &Pointer) -> String {
    pointer.names().join(".")
}

/// What can be shown: short, and no secret.
fn shown(pointer: &Pointer, value: Option<&Value>) -> Option<String> {
    const SECRET: [&str; 4] = ["key", "token", "secret", "authorization"];
    let name = pointer.name().unwrap_or_default().to_ascii_lowercase();
    match value? {
        _ if SECRET.iter().any(|secret| name.contains(secret)) => None,
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::List(_) | Value::Table(_) | Value::Other(_) => None,
    }
}
