//! Which models stand for the client's, and how hard they think.
//!
//! Claude Code asks for models of its own names, so there is not one model to switch but one for each family of names; each
//! says where it leads now.

use codeferry_app::{Effort, ModelChoice, ModelRole};

use super::super::action::Action;
use super::super::menu::Entry;
use super::super::words::capital;

/// The families, each with its models and efforts.
pub(super) fn entry(roles: &[ModelRole], models: &[ModelChoice]) -> Entry {
    Entry::submenu("models", "Models and effort", roles.iter().map(|role| family(role, models)).collect())
}

fn family(role: &ModelRole, models: &[ModelChoice]) -> Entry {
    let name = role.name;
    let effort = role.to.effort.map(|effort| format!(" · {effort}"));
    let label = format!("{}: {}{}", title(name), role.to.model, effort.unwrap_or_default());

    let known = models.iter().find(|choice| choice.model == role.to.model);
    let model = |model: &str| {
        let action = Action::Model { role: name.to_owned(), model: model.to_owned() };
        Entry::check(action.id(), model, model == role.to.model)
    };
    let mut entries = Vec::new();
    // A model of an account that is asked for by name, or one that is no longer offered.
    if known.is_none() {
        entries.push(model(&role.to.model));
    }
    entries.extend(models.iter().map(|choice| model(&choice.model)));

    entries.push(Entry::separator(format!("route:{name}:efforts")));
    entries.push(Entry::text(format!("route:{name}:when"), "Effort, if a request names none"));
    let effort = |effort: Option<Effort>, label: &str| {
        let action = Action::Effort { role: name.to_owned(), effort };
        Entry::check(action.id(), label, effort == role.to.effort)
    };
    entries.push(effort(None, "Left to the model"));
    let offered = known.map_or(Effort::ALL, |choice| choice.efforts.as_slice());
    let set = role.to.effort.filter(|set| !offered.contains(set));
    entries.extend(set.iter().chain(offered).map(|&one| effort(Some(one), one.as_str())));
    Entry::submenu(format!("route:{name}"), label, entries)
}

/// A family's name, as people write it.
fn title(role: &str) -> String {
    if role == "default" { "Others".to_owned() } else { capital(role) }
}
