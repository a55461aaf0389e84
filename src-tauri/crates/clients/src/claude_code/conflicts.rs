//! What keeps Claude Code away although its file leads it here, or may: each with the place and a cure. Pure, but for the list of
//! sessions that run.
//!
//! Everything is asked of the settings as they will be *once it is set up*, so that a preview says the same as a look afterwards.

mod models;
mod surroundings;
mod ways;

use super::layers::{Layers, Source};
use super::told::{self, API_KEY, AUTH_TOKEN, BASE_URL, Told};
use super::{spared, text_of};
use crate::client::{Conflict, Documents, Target, Weight, World};
use crate::intent::Intent;

/// What decides whether it comes here at all, and what a doctor shows.
pub(super) const KEYS: [&str; 21] = [
    BASE_URL,
    AUTH_TOKEN,
    API_KEY,
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_GATEWAY",
    HOST,
    SOCKET,
    QUIET,
    "CLAUDE_CODE_OAUTH_TOKEN",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "CLAUDE_CONFIG_DIR",
];

/// Any of these makes it ask another provider, with that provider's name.
const OTHER_WAYS: [(&str, &str); 5] = [
    ("CLAUDE_CODE_USE_BEDROCK", "Amazon Bedrock"),
    ("CLAUDE_CODE_USE_VERTEX", "Google Vertex AI"),
    ("CLAUDE_CODE_USE_FOUNDRY", "Microsoft Foundry"),
    ("CLAUDE_CODE_USE_MANTLE", "Amazon Bedrock (Mantle)"),
    ("CLAUDE_CODE_USE_ANTHROPIC_AWS", "Anthropic on AWS"),
];
const HOST: &str = "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST";
const SOCKET: &str = "ANTHROPIC_UNIX_SOCKET";
const QUIET: &str = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC";
/// What Claude Code takes the ids of its own models for, whatever it is told.
const OWN_WINDOW: u64 = 200_000;

/// What leads it elsewhere or gives it another key, and how a file says that it is not to. (A socket that a variable names cannot be
/// taken back by a file.)
pub(super) fn switches() -> impl Iterator<Item = (&'static str, &'static str)> {
    OTHER_WAYS.into_iter().map(|(name, _)| (name, "0")).chain([(API_KEY, "")])
}

pub(super) fn of(world: &World, target: &Target, documents: &Documents, intent: &Intent) -> Vec<Conflict> {
    let Some(file) = target.file() else { return Vec::new() };
    let told = told::all(intent, spared(world, target, documents));
    let before = Layers::of(world, target, documents);
    let text = |told: &Told| (told.key.to_owned(), told.value.as_ref().and_then(text_of));
    let env: Vec<_> = told.iter().filter(|told| told.pointer.to_string().starts_with("/env/")).map(text).collect();
    let look = Look { world, target, documents, intent, told: &told, after: before.clone().with(file, &env), before };
    let mut found = Vec::new();
    look.overruled(&mut found);
    look.other_ways(&mut found);
    look.credentials(&mut found);
    look.proxies(&mut found);
    look.files(&mut found);
    look.folders(&mut found);
    look.models(&mut found);
    look.projects(&mut found);
    look.place(&mut found);
    look.sessions(&mut found);
    found.sort_by_key(|conflict| std::cmp::Reverse(conflict.weight));
    found
}

struct Look<'l> {
    world: &'l World,
    target: &'l Target,
    documents: &'l Documents,
    intent: &'l Intent,
    told: &'l [Told],
    /// As it is now.
    before: Layers,
    /// As it is once it is set up.
    after: Layers,
}

fn conflict(
    code: &'static str,
    weight: Weight,
    place: impl ToString,
    what: impl Into<String>,
    cure: impl Into<String>,
) -> Conflict {
    Conflict { code, weight, what: what.into(), place: place.to_string(), cure: cure.into() }
}

/// Whether a switch is on, in the words that Claude Code understands.
fn is_on(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

// === impl Look ===

impl Look<'_> {
    /// Whether a value of somebody else's does the same as what is told. `url` is the address that the same file names: a key for
    /// it is as good as another.
    fn agrees(&self, told: &Told, value: &str, url: Option<&str>) -> bool {
        match told.key {
            BASE_URL => self.intent.is_here(value),
            AUTH_TOKEN => url.is_some_and(|url| self.intent.is_here(url)),
            _ => told.value.as_ref().and_then(text_of).as_deref() == Some(value),
        }
    }

    /// How to get rid of a variable, by where it comes from.
    fn take_out(&self, name: &str, source: &Source) -> String {
        match source {
            Source::Variables => format!("Unset {name} where it is set for your session, and start a new terminal."),
            Source::ShellFile(..) => format!("Take the line out, and start a new terminal (or unset {name})."),
            Source::Managed(_) => "Ask whoever manages this computer to take it out.".to_owned(),
            Source::User(_) | Source::Project(_) | Source::Local(_) => format!("Take {name} out of this file."),
        }
    }
}
