//! What a client's settings come to, for clients whose plan says everything: where they lead, and what the plan would still change.
//!
//! **Invariant:** a key is judged by whether it opens the gateway, and is never shown.

use super::{Client, Drift, Held, Moved, State, Target, View, World};
use crate::apply::Wish;
use crate::format::{Document, Format, Pointer, Value};

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
        key: Option<String>,
    },
    /// Nobody knows; why, in a sentence without an end.
    Unclear(String),
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
        Leads::To { url, key } if view.intent.is_here(&url) && !key.as_deref().is_some_and(|key| (view.opens)(key)) => {
            let why = match key {
                Some(_) => "it comes here, with a key that does not open the gateway any more",
                None => "it comes here, without a key",
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

/// The document of a file that was read; one that is missing is empty.
///
/// # Errors
/// Why it cannot be read, in a sentence without an end.
pub fn document(view: &super::Documents, file: &std::path::Path, format: Format) -> Result<Document, String> {
    let bytes = match view.held(file) {
        Held::Missing => &[][..],
        Held::Bytes(bytes) => bytes,
        Held::Unreadable(why) => return Err(format!("{} cannot be read: {why}", file.display())),
    };
    Document::read(format, bytes).map_err(|bad| format!("{}: {bad}", file.display()))
}

/// What the plan would still change.
fn drifts(client: &dyn Client, world: &World, target: &Target, view: &View<'_>) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for change in client.plan(world, target, view.documents, view.intent) {
        let Ok(document) = document(view.documents, &change.file, change.format) else { continue };
        for wish in &change.wishes {
            let Wish::Take { pointer, value: wanted, .. } = wish else { continue };
            let now = document.value(pointer).ok().flatten();
            if same(now.as_ref(), wanted.as_ref(), view) {
                continue;
            }
            let intact = view.owned.iter().any(|own| own.file == change.file && own.pointer == *pointer && own.intact);
            drifts.push(Drift {
                key: dotted(pointer),
                now: shown(pointer, now.as_ref()),
                wanted: shown(pointer, wanted.as_ref()),
                by: if intact { Moved::Intent } else { Moved::File },
            });
        }
    }
    drifts
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
