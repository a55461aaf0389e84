//! `codeferry setup backups` and `restore`: the files as they were before each change.

use codeferry_app::setup::Kind;

use super::{painted, refused, sure, tell};
use crate::commands::status::local;
use crate::commands::{Context, Outcome};
use crate::failure::Exit;
use crate::print::table;

pub(super) async fn list(kind: Kind, json: bool, context: &Context) -> Outcome {
    let (setup, _) = super::open(false, context).await?;
    let copies = setup.copies(kind);
    if json {
        context.print.json(&copies)?;
        return Ok(Exit::Done);
    }
    let row = |copy: &codeferry_app::setup::shape::Copy| {
        let at = copy.at.map(local).unwrap_or_default();
        let first = if copy.first { "the first, kept for good" } else { "" };
        [copy.id.clone(), at, copy.file.clone(), first.to_owned()]
    };
    context.print.data(&table(&copies.iter().map(row).collect::<Vec<_>>()))?;
    match copies.is_empty() {
        true => context.print.note("no file of it was changed yet, so there is no copy"),
        false => context.print.hint(&format!("bring one back: codeferry setup restore {kind} ID")),
    }
    Ok(Exit::Done)
}

pub(super) async fn restore(kind: Kind, id: &str, yes: bool, context: &Context) -> Outcome {
    let (setup, _) = super::open(false, context).await?;
    let (copy, diff) = setup.copy(kind, id).map_err(|error| refused(error, kind, &setup))?;
    if !yes {
        context.print.data(painted(&diff, context).trim_end())?;
    }
    if !sure(&format!("{} would become what it was in that copy", copy.file), yes, context)? {
        return Ok(Exit::Failed);
    }
    let done = setup.restore(kind, id).map_err(|error| refused(error, kind, &setup))?;
    context.tell_owner().await;
    tell(&done, context);
    Ok(Exit::Done)
}
