//! codex-proxy: `accounts.json` and `settings.json` (`seed-a.md §1.3, §17`).

use std::collections::BTreeMap;
use std::io;

use codeferry_app::catalog::known_models;
use codeferry_store::{SettingsFile, Value};
use serde::Deserialize;

use super::{Did, Item, Work, accounts};
use crate::failure::Failure;

/// `settings.json`, as far as it means something here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Old {
    account_strategy: Option<String>,
    haiku_kilo_model: Option<String>,
    model_mappings: BTreeMap<String, String>,
    reasoning_mappings: BTreeMap<String, String>,
    configure_claude_on_startup: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Active {
    active_account: Option<String>,
}

/// What codex-proxy began with: no choice of anybody's.
const USUAL_KILO: &str = "minimax/minimax-m2.5:free";
const FAMILIES: [&str; 3] = ["opus", "sonnet", "haiku"];

pub(super) async fn carry(work: &Work<'_>) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    let (many, one) = (work.folder.join("accounts.json"), work.folder.join("auth.json"));
    if many.is_file() {
        items.extend(accounts::of_file(&many, work).await);
        items.extend(active(work, &items));
    } else if one.is_file() {
        // Version 2.0.0 had one account.
        items.extend(accounts::of_file(&one, work).await);
    } else {
        items.push(Item::new("accounts", Did::Skipped, "there is no accounts.json in the folder"));
    }
    if work.folder.join("accounts").is_dir() {
        items.push(Item::new("accounts/*/auth.json", Did::Skipped, "the same sign-ins as in accounts.json"));
    }
    if work.folder.join("metrics.duckdb").is_file() {
        let message = "figures of another shape; the request log begins anew";
        items.push(Item::new("metrics.duckdb", Did::Skipped, message));
    }
    match old_settings(work) {
        Ok(old) => items.extend(settings(&old, work)?),
        Err(message) => items.push(Item::new("settings.json", Did::Failed, message)),
    }
    let message =
        "what codex-proxy wrote into Claude Code's settings.json names its address and a key that means nothing here";
    let hint = "set ANTHROPIC_BASE_URL to Codeferry's address and ANTHROPIC_AUTH_TOKEN to a client key there, and take out ANTHROPIC_API_KEY";
    items.push(Item::new("Claude Code", Did::ByHand, message).hint(hint));
    Ok(items)
}

/// The account that paid there, if it is not the one that pays here.
fn active(work: &Work<'_>, items: &[Item]) -> Option<Item> {
    let bytes = std::fs::read(work.folder.join("accounts.json")).ok()?;
    let email = serde_json::from_slice::<Active>(&bytes).ok()?.active_account?;
    let its = items.iter().find(|item| item.what == format!("account {email}"))?;
    if work.dry_run || its.message.ends_with("it is the one that pays") {
        return None;
    }
    let message = format!("{email} paid in codex-proxy; here another account pays already, and that stays so");
    Some(Item::new("active account", Did::ByHand, message).hint(format!("codeferry accounts switch {email}")))
}

/// What it says; nothing, if there is no file.
fn old_settings(work: &Work<'_>) -> Result<Old, String> {
    match std::fs::read(work.folder.join("settings.json")) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| format!("it cannot be read: line {}, column {}", error.line(), error.column())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Old::default()),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

fn settings(old: &Old, work: &Work<'_>) -> Result<Vec<Item>, Failure> {
    let ours = codeferry_app::settings(&work.context.paths)?;
    let mut items = Vec::new();
    if let Some(strategy) = &old.account_strategy {
        items.push(rotation(strategy, &ours, work)?);
    }
    let models = known_models(&work.context.paths);
    for family in FAMILIES {
        let Some(model) = old.model_mappings.get(family) else { continue };
        let key = format!("route.{family}");
        if models.get(model).is_none() {
            let message = format!("{model} is offered no more; requests go to {}", ours.get(&key)?);
            items.push(Item::new(key, Did::Skipped, message));
            continue;
        }
        let target = match old.reasoning_mappings.get(family) {
            Some(effort) => format!("{model}:{effort}"),
            None => model.clone(),
        };
        items.push(set(&key, &target, &ours, work)?);
    }
    if let Some(model) = old.haiku_kilo_model.as_deref().filter(|model| *model != USUAL_KILO) {
        let message = format!("{model} was chosen for the model name kilo; Kilo is an account of its own here");
        let hint = format!(
            "codeferry accounts add --kind compatible --preset kilo, then: codeferry settings set alias.kilo kilo/{model}"
        );
        items.push(Item::new("haikuKiloModel", Did::ByHand, message).hint(hint));
    }
    if old.configure_claude_on_startup == Some(true) {
        let message = "Claude Code's settings are not written here; set its address and key once, by hand";
        items.push(Item::new("configureClaudeOnStartup", Did::Skipped, message));
    }
    Ok(items)
}

/// Whether codex-proxy rotated at all was said in its environment, which is not ours to see.
fn rotation(strategy: &str, ours: &SettingsFile, work: &Work<'_>) -> Result<Item, Failure> {
    let word = match strategy {
        "sticky" => "sticky",
        "round-robin" => "round_robin",
        other => {
            let message = format!("accountStrategy is {other:?}, which codex-proxy did not know either");
            return Ok(Item::new("rotation", Did::Skipped, message));
        }
    };
    if work.rotate {
        return set("rotation", word, ours, work);
    }
    let message =
        format!("{strategy} had no effect unless rotation was switched on; here only the active account pays");
    let hint =
        format!("if it was switched on, run this again with --rotate, or: codeferry settings set rotation {word}");
    Ok(Item::new("rotation", Did::ByHand, message).hint(hint))
}

/// What a person set here before is not written over.
fn set(key: &str, text: &str, ours: &SettingsFile, work: &Work<'_>) -> Result<Item, Failure> {
    let now = ours.describe(key)?;
    if now.value == Value::Text(text.to_owned()) {
        return Ok(Item::new(key, Did::Unchanged, format!("is {text} already")));
    }
    if now.set {
        let message = format!("was {text}, and was set to {} here", now.value);
        return Ok(Item::new(key, Did::Skipped, message).hint(format!("codeferry settings set {key} {text}")));
    }
    if work.dry_run {
        return Ok(Item::new(key, Did::Would, format!("would be set to {text}")));
    }
    match ours.set(key, text) {
        Ok(_) => Ok(Item::new(key, Did::Done, format!("set to {text}"))),
        Err(error) => Ok(Item::new(key, Did::Failed, error.to_string())),
    }
}
