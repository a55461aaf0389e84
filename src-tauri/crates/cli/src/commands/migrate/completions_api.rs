//! codex-completions-api: the sign-in of its Codex, and what its `.env` set (`seed-b.md §1.7, B-060`).

use std::path::Path;

use codeferry_app::old_names::{System, VARIABLES};

use super::{Did, Item, Work, accounts};
use crate::failure::Failure;

pub(super) async fn carry(work: &Work<'_>) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    let file = work.folder.join("auth.json");
    if file.is_file() {
        items.extend(accounts::of_file(&file, work).await);
    } else {
        items.push(Item::new("accounts", Did::Skipped, "there is no auth.json in the folder"));
    }
    for (name, why) in [
        ("config.toml", "it sets up a Codex process, and none is started here"),
        ("AGENTS.md", "nothing is added to what a client says"),
        ("sessions", "what was said there stays there"),
    ] {
        if work.folder.join(name).exists() {
            items.push(Item::new(name, Did::Skipped, why));
        }
    }
    let message = "its counts are characters divided by four; they are not mixed with real ones";
    items.push(Item::new("codex-usage.ndjson", Did::Skipped, message));
    let beside = work.folder.parent().into_iter();
    for folder in std::iter::once(work.folder).chain(beside) {
        items.extend(dot_env(&folder.join(".env")));
    }
    Ok(items)
}

/// The names in a `.env` file. What they hold is not looked at.
fn dot_env(path: &Path) -> Vec<Item> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    let names = text.lines().filter_map(|line| {
        let line = line.trim_start().trim_start_matches("export ").trim_start();
        line.split_once('=').map(|(name, _)| name.trim())
    });
    let names: Vec<_> = names.collect();
    let set = VARIABLES.iter().filter(|old| old.of.contains(&System::CompletionsApi) && names.contains(&old.name));
    set.map(|old| Item::new(format!("{} in .env", old.name), Did::ByHand, old.to_string())).collect()
}
