//! What is only written down: which account pays, what it is called, whether it is used.

use super::{choice, pool, unfit};
use crate::commands::{Context, Outcome};
use crate::failure::Exit;
use crate::guest::{Guest, Listed};

pub(super) async fn switch(who: &str, context: &Context) -> Outcome {
    let pool = pool(context);
    let account = pool.switch(who).await.map_err(choice)?;
    context.tell_owner().await;
    context.print.note(&format!("{} ({}) pays from now on", account.name(), account.id));
    let stuck = pool
        .list()
        .iter()
        .map(Listed::from_pool)
        .any(|listed| listed.is_ok_and(|listed| listed.id == account.id.as_str() && listed.needs_sign_in()));
    if stuck {
        context.print.warning(&format!("{} needs to sign in first", account.name()));
        context.print.hint(&format!("sign in again: codeferry accounts add --account {}", account.id));
        return Ok(Exit::NeedsSignIn);
    }
    Ok(Exit::Done)
}

pub(super) async fn label(who: &str, text: Option<String>, context: &Context) -> Outcome {
    let account = pool(context).label(who, text).await.map_err(unfit)?;
    context.tell_owner().await;
    context.print.note(&match &account.label {
        Some(label) => format!("{} is called {label} now", account.id),
        None => format!("{} has no label now", account.id),
    });
    Ok(Exit::Done)
}

pub(super) async fn pause(who: &str, context: &Context) -> Outcome {
    let account = pool(context).pause(who).await.map_err(choice)?;
    context.tell_owner().await;
    context.print.note(&format!("{} is left alone until it is resumed; what it is at goes on", account.name()));
    Ok(Exit::Done)
}

pub(super) async fn resume(who: &str, context: &Context) -> Outcome {
    let account = pool(context).resume(who).await.map_err(choice)?;
    context.tell_owner().await;
    context.print.note(&format!("{} may be used again", account.name()));
    Ok(Exit::Done)
}

pub(super) async fn priority(who: &str, priority: i32, context: &Context) -> Outcome {
    let account = pool(context).set_priority(who, priority).await.map_err(choice)?;
    context.tell_owner().await;
    context.print.note(&format!("{} has priority {priority} now", account.name()));
    Ok(Exit::Done)
}

/// Rests live in the memory of the gateway that runs.
pub(super) async fn wake(who: &str, context: &Context) -> Outcome {
    match Guest::find(&context.paths).await? {
        Some((guest, owner)) if !owner.demo => {
            let accounts = guest.accounts().await?;
            let account = crate::desk::meant(&accounts, who)?;
            guest.wake(&account.id).await?;
            context.print.note(&match account.state.as_str() {
                "cooling_down" | "blocked" => format!("{} may be used again", account.name()),
                "needs_sign_in" => format!("{} needs to sign in; waking does not help", account.name()),
                _ => format!("{} did not rest", account.name()),
            });
            Ok(if account.needs_sign_in() { Exit::NeedsSignIn } else { Exit::Done })
        }
        _ => {
            let account = pool(context).wake(who).await.map_err(choice)?;
            context.print.note(&format!("no gateway serves {}: nobody rests", account.name()));
            Ok(Exit::Done)
        }
    }
}
