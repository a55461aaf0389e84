//! This machine, as clients of ours see it: their folders, variables and programs.

use std::path::Path;
use std::sync::Arc;

use codeferry_clients::client::{World, wsl};
use codeferry_gateway::setup::Machine;

use crate::Environment;

/// The machine by this environment. Nobody's home is looked for where the environment names none.
pub(crate) fn machine(environment: &Environment) -> Machine {
    let environment = environment.clone();
    Arc::new(move |project| world(&environment, project))
}

/// The machine as clients that are started from here see it. `None`: the environment names no home.
pub fn world(environment: &Environment, project: Option<&Path>) -> Option<World> {
    let home = environment.folders.user.clone()?;
    let search = environment.search.as_deref().unwrap_or_default();
    let path = std::env::split_paths(search).filter(|folder| folder.is_absolute()).collect();
    let mut world = World::here(home, environment.variables.all().clone(), path);
    world.project = project.map(Path::to_owned);
    world.distributions = wsl::distributions();
    Some(world)
}
