//! How clients stand, as rows of `codeferry doctor`. Pure.

use codeferry_clients::client::{State, Weight};

use super::probe::CHECK;
use super::shape::{Place, Program};
use crate::doctor::Row;

/// The rows of all clients that are there.
pub fn rows(programs: &[Program]) -> Vec<Row> {
    programs.iter().flat_map(|program| program.targets.iter().flat_map(|place| of_place(program, place))).collect()
}

/// The rows of a client at one place.
pub fn of_place(program: &Program, place: &Place) -> Vec<Row> {
    let Some(row) = standing(program, place) else { return Vec::new() };
    // What keeps a client away matters to whoever wants it here.
    let wanted = place.held || matches!(place.standing, State::Ours | State::Drifted { .. });
    let conflicts = place.conflicts.iter().filter(|_| wanted).map(|conflict| {
        let what = conflict.what.trim_end_matches('.');
        let message = format!("{}: {what} ({})", program.name, conflict.place);
        let row = match conflict.weight {
            Weight::Note => Row::ok(CHECK, message),
            Weight::Warning => Row::warn(CHECK, message),
            Weight::Blocks => Row::fail(CHECK, message),
        };
        row.hint(conflict.cure.clone())
    });
    let in_force = place.in_force.iter().filter(|_| wanted);
    let in_force = in_force.map(|told| Row::ok(CHECK, format!("{}: in force {told}", program.name)));
    std::iter::once(row).chain(in_force).chain(conflicts).collect()
}

fn standing(program: &Program, place: &Place) -> Option<Row> {
    let name =
        if program.targets.len() > 1 { format!("{} ({})", program.name, place.label) } else { program.name.to_owned() };
    let command = command(program, place);
    Some(match &place.standing {
        State::NotInstalled => return None,
        State::Clean if !program.installed || place.opt_in => return None,
        State::Clean => Row::ok(CHECK, format!("{name} is there and is not set up")),
        State::Ours => Row::ok(CHECK, format!("{name} comes here")),
        State::Elsewhere { url } => Row::ok(CHECK, format!("{name} goes to {url}")),
        State::Drifted { drifts } => {
            let keys: Vec<_> = drifts.iter().map(|drift| drift.key.as_str()).collect();
            let message = format!("{name} is not set up as it was: {}", keys.join(", "));
            if place.accepted {
                return Some(Row::ok(CHECK, message));
            }
            Row::warn(CHECK, message).hint(format!("see what differs: {command} --diff"))
        }
        State::Broken { why } if place.held => Row::fail(CHECK, format!("{name}: {why}")).hint(command),
        State::Broken { why } => Row::warn(CHECK, format!("{name}: {why}")),
    })
}

/// The command that sets a client up at this place.
pub fn command(program: &Program, place: &Place) -> String {
    match place.target.as_str() {
        "user" => format!("codeferry setup {}", program.client),
        "project" => format!("codeferry setup {} --project", program.client),
        target => format!("codeferry setup {} --target {target}", program.client),
    }
}

#[cfg(test)]
mod tests {
    use codeferry_clients::client::{Conflict, Drift, Moved, State, Weight};

    use super::{Place, Program, rows};
    use crate::doctor::Verdict;
    use crate::setup::Kind;

    fn program(standing: State, held: bool) -> Program {
        let conflict = Conflict {
            code: "api_key_helper",
            weight: Weight::Blocks,
            what: "a helper gives another key".to_owned(),
            place: "settings.json".to_owned(),
            cure: "take it out".to_owned(),
        };
        let place = Place {
            target: "user".to_owned(),
            label: "this machine".to_owned(),
            files: Vec::new(),
            opt_in: false,
            obstacle: None,
            standing,
            held,
            accepted: false,
            conflicts: vec![conflict],
            in_force: Vec::new(),
        };
        Program { installed: true, targets: vec![place], ..Program::unknown(Kind::ClaudeCode) }
    }

    #[test]
    fn what_is_in_the_way_matters_where_a_client_is_to_come_here() {
        let told = |standing, held| rows(&[program(standing, held)]);
        let ours = told(State::Ours, true);
        assert_eq!(ours[0].message, "Claude Code comes here");
        assert_eq!((ours[1].verdict, ours[1].hint.as_deref()), (Verdict::Fail, Some("take it out")));
        assert_eq!(told(State::Clean, false).len(), 1, "nobody wants it here");
        assert_eq!(told(State::NotInstalled, false), []);
        let drift = Drift { key: "env.X".to_owned(), now: None, wanted: None, by: Moved::File };
        let drifted = told(State::Drifted { drifts: vec![drift] }, true);
        assert_eq!(drifted[0].verdict, Verdict::Warn);
        assert!(drifted[0].message.ends_with("env.X") && drifted[0].hint.as_ref().unwrap().ends_with("--diff"));
    }
}
