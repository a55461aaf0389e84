//! `codeferry setup status`: which clients there are, and where they go.

use codeferry_app::setup::Kind;
use codeferry_app::setup::shape::{Place, Program};
use codeferry_clients::client::{State, Weight};
use serde::Serialize;

use crate::commands::{Context, Outcome};
use crate::failure::Exit;
use crate::print::table;

#[derive(Serialize)]
struct Listed<'a> {
    url: &'a str,
    clients: &'a [Program],
}

pub(super) async fn run(json: bool, context: &Context) -> Outcome {
    // The settings of this folder are a place, too.
    let (setup, _) = super::open(true, context).await?;
    let programs = setup.list();
    if json {
        let url = setup.offer.url.as_str().trim_end_matches('/');
        context.print.json(&Listed { url, clients: &programs })?;
        return Ok(Exit::Done);
    }
    let rows: Vec<_> = programs.iter().flat_map(of).collect();
    context.print.data(&table(&rows))?;
    let none = |place: &Place| matches!(place.standing, State::Clean);
    if programs.iter().any(|program| program.installed && program.targets.iter().any(none)) {
        context.print.hint("show what setting one up would change: codeferry setup CLIENT --diff");
    }
    Ok(Exit::Done)
}

/// A line for each place worth one, or one for the client.
fn of(program: &Program) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for (at, place) in program.targets.iter().filter(|place| place.obstacle.is_none()).enumerate() {
        // What is only done when it is asked for is only told of when there is something to tell.
        if at > 0 && matches!(place.standing, State::Clean | State::NotInstalled) {
            continue;
        }
        let file = place.files.first().cloned().unwrap_or_default();
        rows.push([program.client.to_owned(), place.target.clone(), state(place), file]);
        let loud = place.conflicts.iter().filter(|conflict| conflict.weight != Weight::Note && place.held);
        rows.extend(
            loud.map(|conflict| [String::new(), String::new(), format!("! {}", conflict.what), conflict.place.clone()]),
        );
    }
    if rows.is_empty() {
        // A library leaves no trace of itself.
        let library = matches!(Kind::parse(program.client), Some(Kind::OpenAi | Kind::Anthropic));
        let state = if program.installed || library { "set up by hand" } else { "not installed" };
        rows.push([program.client.to_owned(), String::new(), state.to_owned(), String::new()]);
    }
    rows
}

fn state(place: &Place) -> String {
    match &place.standing {
        State::NotInstalled => "not installed".to_owned(),
        State::Clean => "not set up".to_owned(),
        State::Ours => "comes here".to_owned(),
        State::Elsewhere { url } => format!("goes to {url}"),
        State::Drifted { drifts } if place.accepted => format!("comes here, {} kept as they are", drifts.len()),
        State::Drifted { drifts } => {
            let keys: Vec<_> = drifts.iter().map(|drift| drift.key.as_str()).collect();
            format!("changed since: {}", keys.join(", "))
        }
        State::Broken { why } => format!("broken: {why}"),
    }
}
