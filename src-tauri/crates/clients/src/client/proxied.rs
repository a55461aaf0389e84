//! Proxies that catch what a client sends to this machine.

use super::{Conflict, Weight, World};

/// The variables that spare addresses.
const LISTS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Entries that every client takes for this machine. `localhost` is another name, which they do not look up.
pub const SPARING: [&str; 2] = ["*", "127.0.0.1"];

/// What it means for a client that one of these variables is set, and no list has one of the entries that spare this machine.
pub fn conflict(world: &World, proxies: &[&str], sparing: &[&str], client: &str) -> Option<Conflict> {
    let proxy = proxies.iter().find(|name| world.variable(name).is_some())?;
    let list = LISTS.into_iter().find_map(|name| Some((name, world.variable(name)?)));
    if list.is_some_and(|(_, list)| list.split(',').any(|entry| sparing.contains(&entry.trim()))) {
        return None;
    }
    let name = list.map_or("NO_PROXY", |(name, _)| name);
    Some(Conflict {
        code: "proxy",
        weight: Weight::Warning,
        what: format!("{client} asks its proxy for this machine, too, and the proxy does not find it."),
        place: (*proxy).to_owned(),
        cure: format!("Add 127.0.0.1 to {name} where {proxy} is set."),
    })
}

#[cfg(test)]
mod tests {
    use super::{SPARING, conflict};
    use crate::client::{MadeUpFiles, Os, World};

    #[test]
    fn a_proxy_matters_unless_this_machine_is_spared() {
        let world = || World::made_up(Os::Linux, "/home/ada", MadeUpFiles::new());
        let proxied = || world().with("HTTP_PROXY", "http://proxy:3128");
        let found = |world: &World| conflict(world, &["HTTP_PROXY"], &SPARING, "It").map(|conflict| conflict.cure);
        assert_eq!(found(&world()), None);
        assert_eq!(found(&proxied()).unwrap(), "Add 127.0.0.1 to NO_PROXY where HTTP_PROXY is set.");
        assert_eq!(
            found(&proxied().with("no_proxy", "localhost")).unwrap(),
            "Add 127.0.0.1 to no_proxy where HTTP_PROXY is set."
        );
        for list in ["*", "corp, 127.0.0.1"] {
            assert_eq!(found(&proxied().with("NO_PROXY", list)), None, "{list}");
        }
        assert_eq!(
            found(&world().with("HTTPS_PROXY", "http://proxy:3128")),
            None,
            "not one that is asked for plain http"
        );
    }
}
