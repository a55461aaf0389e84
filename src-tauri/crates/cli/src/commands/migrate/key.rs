//! A client key that another system gave out.

use anyhow::anyhow;
use codeferry_accounts::Secret;
use codeferry_store::KeyError;

use super::{Did, Item, Work};
use crate::failure::Failure;
use crate::stdin;

/// It stands in the documents of codex-completions-api: everybody has it (`seed-b.md` B-011).
const WELL_KNOWN: &str = "codex-local-secret";

pub(super) async fn adopt(name: &str, work: &Work<'_>) -> Result<Item, Failure> {
    let what = format!("client key {name}");
    let key = match &work.context.environment.old_api_key {
        Some(key) => key.clone(),
        None => {
            work.context.print.note("PROXY_API_KEY is not set: the key is read from standard input");
            let line = stdin::lines().recv().await;
            Secret::new(line.ok_or_else(|| Failure::conflict(anyhow!("no key came from standard input")))?.trim())
        }
    };
    if key.expose() == WELL_KNOWN {
        let message =
            "this key is printed in the documents of codex-completions-api, so everybody has it: it is not taken over";
        return Ok(Item::new(what, Did::Failed, message).hint("make one: codeferry keys create NAME"));
    }
    if work.dry_run {
        return Ok(Item::new(what, Did::Would, "would be adopted; only its hash is kept"));
    }
    let keys = codeferry_app::client_keys(&work.context.paths)?;
    match keys.adopt(name, key.expose(), codeferry_app::system_clock()()) {
        Ok(true) => {
            Ok(Item::new(what, Did::Done, "adopted; clients go on with the key they have, and only its hash is kept"))
        }
        Ok(false) => Ok(Item::new(what, Did::Unchanged, "is here already")),
        Err(error @ (KeyError::NameTaken(_) | KeyError::BadName(_) | KeyError::Unfit)) => {
            Ok(Item::new(what, Did::Failed, error.to_string()).hint("make one: codeferry keys create NAME"))
        }
        Err(error) => Err(error.into()),
    }
}
